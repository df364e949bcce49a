//! Applications on a broker: processes that share their work, come and go, and are killed; and brokers
//! that are.

mod brokers;
mod instances;
mod moves;
mod trial;

//! What the integration tests share: brokers, databases, the `ferris` binary, files, and patience.
//!
//! Everything here is for tests. What goes wrong is a panic at the line of the test that asked for it, with what was
//! tried and what was seen. Nothing here sleeps for a fixed time: where an event exists (a line of output, the end of a
//! process, a record), it is waited for, and elsewhere [`wait_until`] looks again and again. Every wait has a limit.
//!
//! A Kafka broker and a PostgreSQL server are there when the tests run under `scripts/with-services.sh`, as
//! `make test` runs them. Elsewhere [`Kafka::shared`], [`KafkaBroker::start`] and [`Postgres::shared`] are `None`,
//! with a line on standard error that names the test, and the test returns.

mod service;
mod wait;
mod files;
mod lines;
mod process;
mod ferris;
mod record;
mod kafka;
mod java;
mod brokers;
mod broker;
mod postgres;
pub mod soak;
pub mod sql;

pub use broker::KafkaBroker;
pub use brokers::KafkaBrokers;
pub use ferris::{Ferris, example};
pub use files::TestDir;
pub use kafka::Kafka;
pub use lines::Lines;
pub use postgres::{Postgres, Row};
pub use process::{Finished, Process};
pub use record::{ConsumedRecord, Record};
pub use wait::{wait_for, wait_until};

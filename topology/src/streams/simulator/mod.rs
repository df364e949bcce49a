//! Applications on a cluster in memory, all on one thread: who has the next turn, what fails, and when is
//! chosen by a seed.
//!
//! A run that goes wrong is the same run again by its seed. `FERRIS_SOAK` in the environment asks for ten
//! times as many seeds.

mod query;
mod instance;
mod trace;
mod times;
mod world;
mod actions;
mod oracle;
mod tests;

//! Tests of the connector: against the client library's mock of a cluster, which is always there, and
//! against a real broker where there is one.

mod harness;
mod bench;
mod mock;
mod resolve;
mod on_cluster;
mod leaders;
mod broker_reading;
mod broker_writing;

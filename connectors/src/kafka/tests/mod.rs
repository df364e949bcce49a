//! Tests of the connector: against the client library's mock of a cluster, which is always there, and
//! against a real broker where there is one.

mod bench;
mod harness;
mod mock;

//! Stream processing for Rust services: topologies in Rust and in SQL.

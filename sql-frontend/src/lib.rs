//! SQL text in, topologies out.

//! What the integration tests share: brokers, databases and the `ferris` binary.

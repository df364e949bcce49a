//! Applications of ours beside Java's clients: what one side writes the other reads, and Kafka's own tools know what our
//! groups and topics are.

mod groups;
mod records;
mod topics;
mod tool;

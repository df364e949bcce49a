//! Aggregates in a topology: against a model, at the limits of their types, and how long they take.

mod group;
mod model;
mod random;
mod known;
mod table;
mod speed;

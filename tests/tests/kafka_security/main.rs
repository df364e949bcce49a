//! Clients that have to say who they are, or have to know who the broker is.

mod secured;
mod provider;
mod applications;
mod refusals;
mod rights;
mod command;
mod tokens;

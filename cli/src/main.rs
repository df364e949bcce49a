//! The command `ferris`.

fn main() {}

//! What is said about a wrong statement: codes, diagnostics, "did you mean", and their text.
//!
//! A [`Diagnostic`] is the one error type of the crate. It points into a text that it does not
//! hold; [`render()`] brings the two together.

mod code;
mod diagnostic;
mod render;

pub use code::{Code, Severity};
pub use diagnostic::{Diagnostic, Label, Note};
pub use ferrisstreams_topology::nearest;
pub use render::{Colour, render, render_all};

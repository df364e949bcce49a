//! Files: read as they grow and change, and written so that every record arrives once.

mod stamp;
mod digest;
mod mark;
mod framing;
mod options;
mod pattern;
mod check;
mod chunk;
mod position;
mod stands;
mod content;
mod doubt;
mod watch;
mod partition;
mod reader;
mod source;
mod connector;

pub use framing::Framing;
pub use options::{FileOptions, HeaderLine, OTHER_HEADER, Rewrite};
pub use pattern::{Pattern, Target};
pub use connector::FileConnector;
pub use source::FileSource;
pub use watch::Watch;

//! Files: read as they grow and change, and written so that every record arrives once.
//!
//! A [`FileSource`] follows a file, or all that match a pattern; a [`FileSink`] appends lines to one.
//! [`FileConnector`] makes them of URIs.

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
mod output;
mod memo;
mod remains;
mod writer;
mod sink;
mod sample;
mod header;
mod with;
mod connector;

pub use connector::FileConnector;
pub use framing::Framing;
pub use options::{FileOptions, HeaderLine, OTHER_HEADER, Rewrite};
pub use pattern::{Pattern, Target};
pub use sink::FileSink;
pub use source::FileSource;
pub use watch::Watch;
pub use writer::{Existing, LineForm};

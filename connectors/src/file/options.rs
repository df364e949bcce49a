//! How a file is read.

use std::time::Duration;

use ferrisstreams_topology::time::Timestamp;

use super::framing::Framing;

/// How a file is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileOptions {
    /// Where records begin and end.
    pub framing: Framing,
    /// What is known of the first line.
    pub header: HeaderLine,
    /// What other content in place of what was read means.
    pub rewrite: Rewrite,
    /// How often to look whether files have changed, where the system does not say it.
    pub poll_interval: Duration,
    /// How long other content must have been left alone before it is read.
    pub debounce: Duration,
    /// The longest record, in bytes. A longer one is left out and counted as lost.
    pub max_record: usize,
    /// The timestamp of the records that are there at the start; none: the moment they are read.
    pub first_time: Option<Timestamp>,
}

impl Default for FileOptions {
    fn default() -> Self {
        FileOptions {
            framing: Framing::Lines,
            header: HeaderLine::None,
            rewrite: Rewrite::Replace,
            poll_interval: Duration::from_millis(100),
            debounce: Duration::from_millis(500),
            max_record: 16 << 20,
            first_time: None,
        }
    }
}

/// What is known of the first line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderLine {
    /// It is a record.
    None,
    /// It says what the columns are, and must be this line. Records below another one are marked
    /// with the header [`OTHER_HEADER`], since their columns are others.
    Expect(Vec<u8>),
    /// It is not a record; what it says does not matter.
    Skip,
}

/// The name of the header of records that stand below another header line than the expected one; its
/// value says so in words.
pub const OTHER_HEADER: &str = "file.header";

/// What it means when the content of a file is not what was read before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rewrite {
    /// The file was rewritten: its content replaces what was read.
    Replace,
    /// More lines, as after a log file was rotated.
    Append,
}

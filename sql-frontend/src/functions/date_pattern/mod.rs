//! Patterns of dates and times: those of Java's DateTimeFormatter (`yyyy-MM-dd HH:mm:ss`), and the
//! templates of PostgreSQL's TO_CHAR (`YYYY-MM-DD HH24:MI:SS`).
//!
//! Both are read into the same items, by which times are written and read. Names are English.

mod item;
mod java;
mod template;
mod write;
mod zone;
mod read;

pub(super) use item::Item;
pub(super) use java::parse as parse_java;
pub(super) use read::{Moment, read};
pub(super) use template::parse as parse_template;
pub(super) use write::write;
pub(super) use zone::offset_of;

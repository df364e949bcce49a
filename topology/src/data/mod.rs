//! SQL values: their types, and the rows that hold them.
//!
//! Nothing here knows of streams, stores or statements.

mod error;
mod float;
mod interval;
mod row;
mod schema;
mod types;
mod digits;
pub mod text;
pub mod decimal;
pub mod datetime;
pub mod cast;
pub mod key;
mod value;

pub use error::{ArithmeticError, ParseError};
pub use float::one_of_equals;
pub use interval::{Interval, MICROS_PER_DAY};
pub use key::KeyEncoder;
pub use row::{FrozenRows, ROW_FORMAT, Row, RowBuffer, RowLayout, RowSpan, RowWriter, Slot};
pub use schema::{Field, Schema};
pub use types::{DataType, MAX_COMPACT_PRECISION, MAX_DECIMAL_PRECISION, Physical};
pub use value::{Value, write_column};

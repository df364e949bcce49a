//! What tests of SQL share: tables whose rows a test changes, scripts of statements and expected rows, and
//! checking that a query answered once and the same query kept up to date agree.

mod cells;
mod changing;
mod rounded;
mod script;
mod maintained;

pub use cells::{Cells, parse_cells, rows_as_text};
pub use changing::ChangingTables;
pub use maintained::Maintained;
pub use rounded::rounded;
pub use script::{Block, BlockKind, Script};

//! Lists and optional parts, the small change of printing.

use std::fmt::{self, Display, Formatter};

/// Items with a comma and a space between two.
pub(super) struct Commas<'a, T>(pub &'a [T]);

impl<T: Display> Display for Commas<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (index, item) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            item.fmt(f)?;
        }
        Ok(())
    }
}

/// Words before a list of items, and nothing where there are none: `ORDER BY a, b`, with a space
/// in front.
pub(super) struct Clause<'a, T>(pub &'static str, pub &'a [T]);

impl<T: Display> Display for Clause<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.1 {
            [] => Ok(()),
            items => write!(f, " {} {}", self.0, Commas(items)),
        }
    }
}

/// Words before an item, and nothing where there is none: `WHERE a`, with a space in front.
pub(super) struct Maybe<'a, T>(pub &'static str, pub &'a Option<T>);

impl<T: Display> Display for Maybe<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.1 {
            None => Ok(()),
            Some(item) => write!(f, " {} {item}", self.0),
        }
    }
}

/// `(a, b)`, and nothing where there are no items, with a space in front.
pub(super) struct Listed<'a, T>(pub &'a [T]);

impl<T: Display> Display for Listed<'_, T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            [] => Ok(()),
            items => write!(f, " ({})", Commas(items)),
        }
    }
}

/// `text` if `condition` holds.
pub(super) fn when(condition: bool, text: &'static str) -> &'static str {
    if condition { text } else { "" }
}

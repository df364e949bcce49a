//! The narrowest type that holds all values of a sample.

use ferrisstreams_topology::data::{DataType, MAX_DECIMAL_PRECISION, datetime, decimal, text};

/// The type of a column, as far as the values that were seen tell.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Guess {
    data_type: Option<DataType>,
    /// The most digits before the point of a number.
    whole: u8,
}

impl Guess {
    /// The type: text where no value was seen.
    pub(super) fn data_type(self) -> DataType {
        match self.data_type {
            Some(DataType::Decimal { scale, .. }) if self.whole + scale > MAX_DECIMAL_PRECISION => {
                DataType::TEXT
            }
            Some(data_type) => data_type,
            None => DataType::TEXT,
        }
    }

    /// Adds a value of a type.
    pub(super) fn add(&mut self, data_type: DataType) {
        self.data_type = Some(match self.data_type {
            None => data_type,
            Some(before) => union(before, data_type),
        });
    }

    /// Adds a text that may stand for anything.
    pub(super) fn add_text(&mut self, text: &[u8]) {
        let is_number = text
            .iter()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E'));
        if is_number && is_plain(text) && decimal::parse(text).is_ok() {
            self.add_number(text);
        } else if text.eq_ignore_ascii_case(b"true") || text.eq_ignore_ascii_case(b"false") {
            self.add(DataType::Boolean);
        } else {
            self.add_string(text);
        }
    }

    /// Adds a number.
    pub(super) fn add_number(&mut self, number: &[u8]) {
        if text::parse_i64(number).is_ok() {
            self.whole = self.whole.max(19);
            self.add(DataType::BigInt);
            return;
        }
        let Ok(value) = decimal::parse(number) else {
            self.add(DataType::TEXT);
            return;
        };
        let kind = value.narrowest_type();
        self.whole = self.whole.max(kind.integer_digits());
        self.add(wide(value.scale));
    }

    /// Adds a text that is no number.
    pub(super) fn add_string(&mut self, text: &[u8]) {
        self.add(if datetime::parse_date(text).is_ok() {
            DataType::Date
        } else if datetime::parse_timestamp(text).is_ok() {
            let time = text.get(10..).unwrap_or_default();
            let has_zone = time
                .iter()
                .any(|byte| matches!(byte, b'+' | b'-' | b'Z' | b'z' | b'C' | b'c'));
            if has_zone {
                DataType::TimestampTz
            } else {
                DataType::Timestamp
            }
        } else {
            DataType::TEXT
        });
    }
}

/// Numbers that begin with a zero or a plus are codes more often than quantities.
fn is_plain(number: &[u8]) -> bool {
    !matches!(
        number.strip_prefix(b"-").unwrap_or(number),
        [b'0', b'0'..=b'9', ..] | [b'+' | b'.', ..] | [.., b'.']
    )
}

fn wide(scale: u8) -> DataType {
    DataType::Decimal {
        precision: MAX_DECIMAL_PRECISION,
        scale,
    }
}

/// The type that holds the values of both.
fn union(a: DataType, b: DataType) -> DataType {
    use DataType::{BigInt, Date, Decimal, Timestamp, TimestampTz};
    match (a, b) {
        _ if a == b => a,
        (Decimal { scale: one, .. }, Decimal { scale: other, .. }) => wide(one.max(other)),
        (Decimal { scale, .. }, BigInt) | (BigInt, Decimal { scale, .. }) => wide(scale),
        (Date, Timestamp) | (Timestamp, Date) => Timestamp,
        (Date | Timestamp, TimestampTz) | (TimestampTz, Date | Timestamp) => TimestampTz,
        _ => DataType::TEXT,
    }
}

//! Literals: numbers and strings as written, intervals, and lengths of time.

use crate::span::NodeSpan;

/// A value written out.
///
/// Numbers keep their digits as text, exactly; underscores between digits are gone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Literal {
    /// `NULL`
    Null,
    /// `TRUE`, `FALSE`
    Boolean(bool),
    /// Digits alone, of any length.
    Integer(String),
    /// Digits with a decimal point: `1.50`, `.5`, `2.`.
    Decimal(String),
    /// A number with an exponent: `1.5E-3`.
    Float(String),
    /// A string, without quotes and with doubled quotes undone.
    String(String),
}

/// `INTERVAL '1' DAY`, `INTERVAL '1 day 2 hours'`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IntervalLiteral {
    /// The text between the quotes.
    pub text: String,
    /// The fields that it gives, if they are named.
    pub fields: Option<IntervalFields>,
}

/// `DAY`, `DAY TO SECOND`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IntervalFields {
    /// The leading or only field.
    pub from: TimeUnit,
    /// The last field.
    pub to: Option<TimeUnit>,
}

/// Units of time; singular and plural are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TimeUnit {
    /// `MICROSECOND`
    Microsecond,
    /// `MILLISECOND`
    Millisecond,
    /// `SECOND`
    Second,
    /// `MINUTE`
    Minute,
    /// `HOUR`
    Hour,
    /// `DAY`
    Day,
    /// `WEEK`
    Week,
    /// `MONTH`
    Month,
    /// `YEAR`
    Year,
}

/// A length of time in a window or a WITHIN: `30 SECONDS`, or an interval.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Duration {
    /// How it is written.
    pub kind: DurationKind,
    /// Where it stands.
    pub span: NodeSpan,
}

/// How a length of time is written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DurationKind {
    /// `30 SECONDS`: digits and a unit.
    Units {
        /// The digits.
        amount: String,
        /// The unit.
        unit: TimeUnit,
    },
    /// `INTERVAL '30' SECOND`.
    Interval(IntervalLiteral),
}

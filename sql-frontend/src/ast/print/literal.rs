//! Literals, intervals and lengths of time.

use std::fmt::{self, Display, Formatter, Write};

use crate::ast::literal::{
    Duration, DurationKind, IntervalFields, IntervalLiteral, Literal, TimeUnit,
};
use crate::ast::property::{Property, PropertyName, PropertyValue, PropertyValueKind};
use crate::lexer::scan::is_bare_word;

/// A text in single quotes.
pub(super) struct Quoted<'a>(pub &'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_char('\'')?;
        for c in self.0.chars() {
            if c == '\'' {
                f.write_char('\'')?;
            }
            f.write_char(c)?;
        }
        f.write_char('\'')
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Literal::Null => f.write_str("NULL"),
            Literal::Boolean(true) => f.write_str("TRUE"),
            Literal::Boolean(false) => f.write_str("FALSE"),
            Literal::Integer(digits) | Literal::Decimal(digits) | Literal::Float(digits) => {
                f.write_str(digits)
            }
            Literal::String(text) => Quoted(text).fmt(f),
        }
    }
}

impl TimeUnit {
    /// The unit in capitals, in the singular.
    pub const fn text(self) -> &'static str {
        match self {
            TimeUnit::Microsecond => "MICROSECOND",
            TimeUnit::Millisecond => "MILLISECOND",
            TimeUnit::Second => "SECOND",
            TimeUnit::Minute => "MINUTE",
            TimeUnit::Hour => "HOUR",
            TimeUnit::Day => "DAY",
            TimeUnit::Week => "WEEK",
            TimeUnit::Month => "MONTH",
            TimeUnit::Year => "YEAR",
        }
    }
}

impl Display for TimeUnit {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl Display for IntervalLiteral {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "INTERVAL {}", Quoted(&self.text))?;
        match self.fields {
            None => Ok(()),
            Some(fields) => write!(f, " {fields}"),
        }
    }
}

impl Display for IntervalFields {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.from.fmt(f)?;
        match self.to {
            None => Ok(()),
            Some(to) => write!(f, " TO {to}"),
        }
    }
}

impl Display for Duration {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            DurationKind::Units { amount, unit } => {
                let plural = if amount == "1" { "" } else { "S" };
                write!(f, "{amount} {unit}{plural}")
            }
            DurationKind::Interval(interval) => interval.fmt(f),
        }
    }
}

impl Display for Property {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", self.name, self.value)
    }
}

impl Display for PropertyName {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.text.split('.').all(is_bare_word) {
            true => f.write_str(&self.text),
            false => Quoted(&self.text).fmt(f),
        }
    }
}

/// The value as it was written, a secret included.
impl Display for PropertyValue {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            PropertyValueKind::Literal(literal) => literal.fmt(f),
            PropertyValueKind::Word(word) => word.fmt(f),
        }
    }
}

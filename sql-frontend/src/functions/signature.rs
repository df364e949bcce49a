//! Entries of the catalog: names, forms, and what they are for.

use std::fmt::Write;

use ferrisstreams_topology::data::{DataType, MAX_DECIMAL_PRECISION, cast};

use super::function::{Body, Implementation, Lazy, Prepare};

/// A function of the catalog, by all its names and in all its forms.
pub(super) struct Entry {
    /// Its names, in lower case; the usual one first.
    pub(super) names: &'static [&'static str],
    /// What it gives, in a few words.
    pub(super) about: &'static str,
    /// Its forms. Of those that fit equally well the first is taken.
    pub(super) forms: &'static [Form],
}

/// A function of these names.
pub(super) const fn entry(
    names: &'static [&'static str],
    about: &'static str,
    forms: &'static [Form],
) -> Entry {
    Entry {
        names,
        about,
        forms,
    }
}

/// The types that a function takes and gives, and how it is computed.
#[derive(Clone, Copy)]
pub(super) struct Form {
    pub(super) parameters: &'static [Parameter],
    /// Whether the last parameter may be given any number of times more.
    pub(super) is_open: bool,
    pub(super) result: Gives,
    pub(super) takes_null: bool,
    /// Whether it may give another value next time.
    pub(super) volatile: bool,
    pub(super) implementation: Implementation,
}

/// A form that is computed by a body.
pub(super) const fn form(parameters: &'static [Parameter], result: Gives, body: Body) -> Form {
    Form {
        parameters,
        is_open: false,
        result,
        takes_null: false,
        volatile: false,
        implementation: Implementation::Plain(body),
    }
}

/// A form that is prepared for its constants.
pub(super) const fn prepared(
    parameters: &'static [Parameter],
    result: Gives,
    prepare: Prepare,
) -> Form {
    Form {
        parameters,
        is_open: false,
        result,
        takes_null: false,
        volatile: false,
        implementation: Implementation::Prepared(prepare),
    }
}

/// A form that the compiler knows.
pub(super) const fn lazy(parameters: &'static [Parameter], lazy: Lazy) -> Form {
    Form {
        parameters,
        is_open: false,
        result: Gives::Like(0),
        takes_null: true,
        volatile: false,
        implementation: Implementation::Lazy(lazy),
    }
}

impl Form {
    /// The same, with any number of the last parameter.
    pub(super) const fn open(self) -> Form {
        Form {
            is_open: true,
            ..self
        }
    }

    /// The same, giving another value each time.
    pub(super) const fn volatile(self) -> Form {
        Form {
            volatile: true,
            ..self
        }
    }

    /// The same, called with NULL as well.
    pub(super) const fn takes_null(self) -> Form {
        Form {
            takes_null: true,
            ..self
        }
    }
}

/// What a function takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Parameter {
    /// This type, and what is widened to it.
    Is(DataType),
    /// Any integer, as it is.
    Integer,
    /// Any decimal, as it is; an integer as one.
    Decimal,
    /// Any value, as it is.
    Any,
    /// Any value; all of these are brought to one type.
    Common,
}

pub(super) const TEXT: Parameter = Parameter::Is(DataType::TEXT);
pub(super) const BYTES: Parameter = Parameter::Is(DataType::Bytes);
pub(super) const INT: Parameter = Parameter::Is(DataType::Int);
pub(super) const BIGINT: Parameter = Parameter::Is(DataType::BigInt);
pub(super) const DOUBLE: Parameter = Parameter::Is(DataType::Double);
pub(super) const DATE: Parameter = Parameter::Is(DataType::Date);
pub(super) const TIME: Parameter = Parameter::Is(DataType::Time);
pub(super) const TIMESTAMP: Parameter = Parameter::Is(DataType::Timestamp);
pub(super) const TIMESTAMPTZ: Parameter = Parameter::Is(DataType::TimestampTz);
pub(super) const INTERVAL: Parameter = Parameter::Is(DataType::Interval);

/// What a function gives.
#[derive(Clone, Copy)]
pub(super) enum Gives {
    /// This type.
    Is(DataType),
    /// The type of an argument.
    Like(usize),
    /// What this makes of the types of the arguments.
    Of(fn(&[DataType]) -> DataType),
}

/// The type of an argument, where it has one: a string or NULL written out takes what is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArgumentType {
    /// Written out, of whatever type is wanted.
    Unknown,
    /// Of this type.
    Known(DataType),
}

impl Form {
    /// The types that the arguments become, and how far they move for that; none where they do not
    /// fit.
    pub(super) fn matches(&self, given: &[ArgumentType]) -> Option<(u32, Vec<DataType>)> {
        let count = self.parameters.len();
        if given.len() < count || (given.len() > count && !self.is_open) {
            return None;
        }
        let parameter = |at: usize| self.parameters[at.min(count.saturating_sub(1))];
        let common = self.common(given, &parameter)?;
        let mut cost = 0;
        let mut types = Vec::with_capacity(given.len());
        for (at, argument) in given.iter().enumerate() {
            let (moved, data_type) = parameter(at).matches(*argument, common)?;
            cost += moved;
            types.push(data_type);
        }
        Some((cost, types))
    }

    /// The one type of the arguments that are brought to one; text where none has a type.
    fn common(
        &self,
        given: &[ArgumentType],
        parameter: &dyn Fn(usize) -> Parameter,
    ) -> Option<DataType> {
        let mut common = None;
        for (at, argument) in given.iter().enumerate() {
            if let (Parameter::Common, ArgumentType::Known(next)) = (parameter(at), argument) {
                common = Some(match common {
                    None => *next,
                    Some(so_far) => cast::common_type(so_far, *next)?,
                });
            }
        }
        Some(common.unwrap_or(DataType::TEXT))
    }

    /// The type of the result for arguments of these types.
    pub(super) fn result(&self, arguments: &[DataType]) -> DataType {
        match self.result {
            Gives::Is(data_type) => data_type,
            Gives::Like(at) => arguments[at],
            Gives::Of(of) => of(arguments),
        }
    }

    /// The form as text: `left(VARCHAR, INT) -> VARCHAR`.
    pub(super) fn show(&self, name: &str) -> String {
        let mut shown = format!("{name}(");
        for (at, parameter) in self.parameters.iter().enumerate() {
            let separator = if at == 0 { "" } else { ", " };
            let _ = write!(shown, "{separator}{}", parameter.show());
        }
        shown.push_str(if self.is_open { ", ...) -> " } else { ") -> " });
        match self.result {
            Gives::Is(data_type) => shown.push_str(&data_type.to_string()),
            Gives::Like(at) => shown.push_str(&self.parameters[at].show()),
            Gives::Of(_) => shown.push_str("number"),
        }
        shown
    }
}

impl Parameter {
    fn show(self) -> String {
        match self {
            Parameter::Is(data_type) => data_type.to_string(),
            Parameter::Integer => "integer".to_owned(),
            Parameter::Decimal => "DECIMAL".to_owned(),
            Parameter::Any | Parameter::Common => "any".to_owned(),
        }
    }

    fn matches(self, given: ArgumentType, common: DataType) -> Option<(u32, DataType)> {
        let known = match given {
            ArgumentType::Unknown => return Some(self.open_literal(common)),
            ArgumentType::Known(known) => known,
        };
        match self {
            Parameter::Is(wanted) => cast::is_implicitly_castable(known, wanted)
                .then(|| (cast::widening(known, wanted), wanted)),
            Parameter::Integer => known.is_integer().then_some((0, known)),
            Parameter::Decimal => {
                let (precision, scale) = known.as_decimal()?;
                let wanted = DataType::Decimal { precision, scale };
                Some((cast::widening(known, wanted), wanted))
            }
            Parameter::Any => Some((0, known)),
            Parameter::Common => Some((0, common)),
        }
    }

    /// What a string or NULL written out becomes: text rather than a number, a number rather than a
    /// time of some kind.
    fn open_literal(self, common: DataType) -> (u32, DataType) {
        match self {
            Parameter::Is(wanted) => {
                let cost = match wanted {
                    DataType::Varchar { .. } => 0,
                    DataType::Double | DataType::Timestamp => 1,
                    _ => 2,
                };
                (cost, wanted)
            }
            Parameter::Integer => (3, DataType::BigInt),
            Parameter::Decimal => {
                let precision = MAX_DECIMAL_PRECISION;
                (
                    4,
                    DataType::Decimal {
                        precision,
                        scale: 9,
                    },
                )
            }
            Parameter::Any => (0, DataType::TEXT),
            Parameter::Common => (0, common),
        }
    }
}

//! Names of fields and units of time: which of them a function knows.

use ferrisstreams_topology::data::datetime::Field;

use super::date_add::unit;
use super::extract::is_span;

/// The names of fields, as they are suggested.
const NAMES: &[&str] = &[
    "year",
    "quarter",
    "month",
    "week",
    "isoyear",
    "day",
    "dow",
    "isodow",
    "doy",
    "hour",
    "minute",
    "second",
    "millisecond",
    "microsecond",
    "epoch",
];

/// A name that a function is given as its first argument and does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnknownField {
    /// What is wrong.
    pub(crate) message: String,
    /// The names that the function knows.
    pub(crate) known: Vec<&'static str>,
}

/// What is wrong with the name of a field or of a unit that a function is given first; nothing where it
/// is given a name that it knows, or takes none there.
pub(crate) fn unknown_field(function: &str, name: &str) -> Option<UnknownField> {
    let (what, of, is_known): (_, _, fn(Field) -> bool) = match function {
        "extract" | "extract_fraction" | "date_part" => ("field", " of a date or time", |_| true),
        "date_trunc" => ("span of time", "", is_span),
        "dateadd" | "datesub" | "timeadd" | "timesub" | "timestampadd" | "timestampsub"
        | "timestampdiff" => ("unit of time", "", |field| unit(field).is_some()),
        _ => return None,
    };
    let knows = |name: &str| Field::parse(name).is_some_and(is_known);
    (!knows(name)).then(|| UnknownField {
        message: format!("no {what} `{name}`{of}"),
        known: NAMES.iter().copied().filter(|name| knows(name)).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_knows_its_own_names() {
        for (function, name, is_known) in [
            ("extract", "dow", true),
            ("extract", "YEARS", true),
            ("extract", "fortnight", false),
            ("date_trunc", "week", true),
            ("date_trunc", "dow", false),
            ("timestampadd", "quarter", true),
            ("timestampadd", "epoch", false),
            ("upper", "fortnight", true),
        ] {
            let unknown = unknown_field(function, name);
            assert_eq!(unknown.is_none(), is_known, "{function} of {name}");
            if let Some(UnknownField { known, .. }) = unknown {
                assert!(
                    known.contains(&"month") && !known.contains(&name),
                    "{function}"
                );
            }
        }
    }

    #[test]
    fn all_names_are_names() {
        for name in NAMES {
            assert!(Field::parse(name).is_some(), "{name}");
        }
    }
}

//! The names of the aggregates.

use crate::plan::AggregateFunction;

const NAMES: &[(&str, AggregateFunction)] = &[
    ("AVG", AggregateFunction::Avg),
    ("BIT_AND", AggregateFunction::BitAnd),
    ("BIT_OR", AggregateFunction::BitOr),
    ("BIT_XOR", AggregateFunction::BitXor),
    ("BOOL_AND", AggregateFunction::Every),
    ("BOOL_OR", AggregateFunction::Some),
    ("COUNT", AggregateFunction::Count),
    ("EVERY", AggregateFunction::Every),
    ("MAX", AggregateFunction::Max),
    ("MIN", AggregateFunction::Min),
    ("SOME", AggregateFunction::Some),
    ("STDDEV", AggregateFunction::StddevSamp),
    ("STDDEV_POP", AggregateFunction::StddevPop),
    ("STDDEV_SAMP", AggregateFunction::StddevSamp),
    ("STDDEV_SAMPLE", AggregateFunction::StddevSamp),
    ("SUM", AggregateFunction::Sum),
    ("VARIANCE", AggregateFunction::VarSamp),
    ("VAR_POP", AggregateFunction::VarPop),
    ("VAR_SAMP", AggregateFunction::VarSamp),
];

/// The aggregate of this name, in any case.
///
/// `COUNT` is that of values; the caller knows whether it was `COUNT(*)`.
pub fn lookup(name: &str) -> Option<AggregateFunction> {
    let found = NAMES
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, function)| *function)
}

/// The names of all aggregates, in alphabetical order.
pub fn names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case() {
        assert_eq!(lookup("bool_And"), Some(AggregateFunction::Every));
        assert_eq!(lookup("variance"), Some(AggregateFunction::VarSamp));
        assert_eq!(lookup("count "), None);
        assert_eq!(lookup(""), None);
        for name in names() {
            let function = lookup(name).expect("a name that is listed");
            assert_eq!(lookup(function.name()), Some(function), "{name}");
        }
        assert!(names().is_sorted());
    }
}

//! Which names queries without a name go by, where a state knows some of them.
//!
//! The same query may be written to several places, and its places come and go. Each place keeps the
//! name that it had.

use std::collections::{BTreeMap, BTreeSet};

/// A query that is to be named.
pub(super) struct Unnamed<'a> {
    /// What it computes: the first name that it may have, others being this with a number behind.
    pub(super) base: &'a str,
    /// What tells its place from others.
    pub(super) place: &'a str,
}

/// The names of queries, in their order; `known` are the places that names stand for already.
pub(super) fn names(queries: &[Unnamed<'_>], known: &BTreeMap<String, String>) -> Vec<String> {
    let mut named: Vec<Option<String>> = vec![None; queries.len()];
    let mut taken = BTreeSet::new();
    for (query, name) in queries.iter().zip(&mut named) {
        let is_its = |(_, place): &(&String, &String)| *place == query.place;
        let mut its = known.iter().filter(is_its).map(|(name, _)| name);
        *name = its
            .find(|name| is_of(name, query.base) && !taken.contains(*name))
            .cloned();
        taken.extend(name.clone());
    }
    for (query, name) in queries.iter().zip(&mut named) {
        if name.is_none() {
            let mut free = candidates(query.base)
                .filter(|name| !taken.contains(name) && !known.contains_key(name));
            *name = free.next();
            taken.extend(name.clone());
        }
    }
    named.into_iter().flatten().collect()
}

/// The names that a query may have.
pub(super) fn candidates(base: &str) -> impl Iterator<Item = String> {
    let numbered = (2u64..).map(move |again| format!("{base}_{again}"));
    std::iter::once(base.to_owned()).chain(numbered)
}

fn is_of(name: &str, base: &str) -> bool {
    match name.strip_prefix(base) {
        Some("") => true,
        Some(rest) => rest
            .strip_prefix('_')
            .is_some_and(|number| number.parse::<u64>().is_ok()),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each query as `base@place`, each known name as `name@place`.
    fn named(queries: &str, known: &str) -> String {
        let pairs = |text: &'static str| text.split_whitespace().filter_map(|p| p.split_once('@'));
        let queries: Vec<Unnamed<'_>> = pairs(queries.to_owned().leak())
            .map(|(base, place)| Unnamed { base, place })
            .collect();
        let known = pairs(known.to_owned().leak())
            .map(|(name, place)| (name.to_owned(), place.to_owned()))
            .collect();
        names(&queries, &known).join(" ")
    }

    #[test]
    fn places_keep_their_names() {
        for (queries, known, want) in [
            ("q@a", "", "q"),
            ("q@a q@b p@a", "", "q q_2 p"),
            ("q@b", "q@a q_2@b", "q_2"),
            ("q@b q@a", "q@a q_2@b", "q_2 q"),
            ("q@c", "q@a", "q_2"),
            ("q@c q@a", "q@a", "q_2 q"),
            ("q@c q@d", "q@a q_3@d", "q_2 q_3"),
            ("q@a q@a", "q@a", "q q_2"),
            ("q@a q@a", "q@a q_2@a", "q q_2"),
            ("q@a", "p@a q_x@a", "q"),
        ] {
            assert_eq!(named(queries, known), want, "{queries}, {known}");
        }
    }
}

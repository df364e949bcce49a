//! The names of the topics that an application makes for itself.

use std::sync::Arc;

/// The longest name of a topic that brokers take.
const LONGEST_NAME: usize = 249;

/// The name of a topic of the application's own. What no topic's name may have is replaced, and a mark of
/// the whole name stands behind then.
pub(super) fn own_name(application: &str, name: &str, what: &str) -> Arc<str> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let plain = format!("{application}-{name}-{what}");
    if plain.len() <= LONGEST_NAME && plain.chars().all(fits) {
        return plain.into();
    }
    let mark = fnv1a(name.as_bytes());
    let room = LONGEST_NAME - application.len() - what.len() - 19;
    let replaced: String = name
        .chars()
        .map(|c| if fits(c) { c } else { '-' })
        .collect();
    let replaced = &replaced[..replaced.len().min(room)];
    format!("{application}-{replaced}-{mark:016x}-{what}").into()
}

/// The hash FNV-1a of 64 bits (Fowler, Noll and Vo, 1991), the same on every machine and in every version.
pub(super) fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_any_kind_give_names_of_topics() {
        assert_eq!(
            &*own_name("app", "by-user.a_1", "changelog"),
            "app-by-user.a_1-changelog"
        );
        let strange = own_name("app", "my täble", "changelog");
        assert!(strange.starts_with("app-my-t-ble-"), "{strange}");
        assert_ne!(strange, own_name("app", "my-täble", "changelog"));
        for length in [1, 200, 240, 241, 1_000] {
            let name = own_name(&"a".repeat(128), &"n".repeat(length), "repartition");
            assert!(name.len() <= LONGEST_NAME, "{length}");
        }
        let long = |last: &str| own_name("app", &("n".repeat(300) + last), "changelog");
        assert_ne!(long("a"), long("b"));
    }
}

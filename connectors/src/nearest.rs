//! "Did you mean": the known name that a mistyped one comes nearest to.

/// Names longer than this are not compared: nobody mistypes them by a letter.
const MAX_CHARS: usize = 64;

/// The candidate that is nearest to `name`, if one is near enough to have been meant: at most a third
/// of the letters differ, and at least one may. Case does not count.
pub(crate) fn nearest<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let name: Vec<char> = name.chars().flat_map(char::to_lowercase).collect();
    if name.len() > MAX_CHARS {
        return None;
    }
    let near = candidates.into_iter().filter_map(|candidate| {
        let letters: Vec<char> = candidate.chars().flat_map(char::to_lowercase).collect();
        let longer = name.len().max(letters.len());
        let distance = distance(&name, &letters);
        let is_near = longer <= MAX_CHARS && distance <= (longer / 3).max(1) && distance < longer;
        is_near.then_some((distance, candidate))
    });
    near.min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The least number of letters to insert, delete or replace that makes `b` of `a`.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, other) in b.iter().enumerate() {
            let replaced = above[j] + usize::from(letter != other);
            row.push(replaced.min(above[j + 1] + 1).min(row[j] + 1));
        }
        above = row;
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn slips_are_found_and_other_words_are_not() {
        assert_eq!(
            nearest("delimeter", ["header", "delimiter"]),
            Some("delimiter")
        );
        assert_eq!(nearest("HEADR", ["header", "delimiter"]), Some("header"));
        assert_eq!(nearest("a", ["b"]), None);
        assert_eq!(nearest("rate", ["seed"]), None);
        assert_eq!(nearest(&"x".repeat(1_000), ["x"]), None);
    }
}

//! "Did you mean": the known name that is nearest to a mistyped one.

/// Names longer than this are not compared: nobody mistypes them by a letter and asks.
const MAX_CHARS: usize = 64;

/// The candidate that is nearest to `name`, if one is near enough to have been meant.
///
/// Case does not count. Near enough is a third of the longer name's letters, at least one; of
/// equally near candidates the first wins. The distance is that of optimal string alignment
/// (Levenshtein's edits, and the swap of two neighbours), after Boytsov, "Indexing methods for
/// approximate dictionary searching", 2011.
///
/// ```
/// use ferrisstreams_topology::nearest;
/// assert_eq!(nearest("amont", ["order_id", "amount"]), Some("amount"));
/// assert_eq!(nearest("ORDRES", ["orders"]), Some("orders"));
/// assert_eq!(nearest("zzz", ["orders"]), None);
/// ```
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = lowered(name)?;
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let letters = lowered(candidate)?;
            let allowed = (name.len().max(letters.len()) / 3).max(1);
            let distance = distance(&name, &letters);
            // A distance of every letter is another word, not a slip.
            let is_near = distance <= allowed && distance < name.len().max(letters.len());
            is_near.then_some((distance, candidate))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn lowered(name: &str) -> Option<Vec<char>> {
    let letters: Vec<char> = name
        .chars()
        .flat_map(char::to_lowercase)
        .take(MAX_CHARS + 1)
        .collect();
    (letters.len() <= MAX_CHARS).then_some(letters)
}

/// Edits (insert, delete, replace, swap of neighbours) that turn `a` into `b`.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if swapped {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edits(a: &str, b: &str) -> usize {
        let letters = |text: &str| text.chars().collect::<Vec<_>>();
        distance(&letters(a), &letters(b))
    }

    #[test]
    fn distances() {
        assert_eq!(edits("", ""), 0);
        assert_eq!(edits("abc", ""), 3);
        assert_eq!(edits("", "abc"), 3);
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!(edits("form", "from"), 1);
        assert_eq!(edits("größe", "grösse"), 2);
    }

    #[test]
    fn the_nearest_wins_and_far_ones_do_not_count() {
        assert_eq!(
            nearest("usr_id", ["user", "user_id", "uid"]),
            Some("user_id")
        );
        assert_eq!(nearest("a", ["b"]), None);
        assert_eq!(nearest("ab", ["ba"]), Some("ba"));
        assert_eq!(nearest("total", ["amount", "status"]), None);
    }

    #[test]
    fn long_names_are_left_alone() {
        let long = "x".repeat(100_000);
        assert_eq!(nearest(&long, [long.as_str()]), None);
    }
}

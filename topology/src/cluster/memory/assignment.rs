//! Who is to have which partition: evenly, and so that as few as can be change hands.

/// Shares partitions among members. `holders` tells who has each partition now; one that nobody has,
/// or that is given away at this moment, goes to whoever has least.
pub(super) fn balance(holders: &[Option<u64>], members: &[u64]) -> Vec<Option<u64>> {
    let mut targets = vec![None; holders.len()];
    if members.is_empty() {
        return targets;
    }
    let held = |member: u64| holders.iter().filter(|h| **h == Some(member)).count();
    let mut by_held = members.to_vec();
    by_held.sort_by_key(|&member| std::cmp::Reverse(held(member)));
    let (share, more) = (holders.len() / members.len(), holders.len() % members.len());
    // Who has most may keep one more than the others, if not all can have the same.
    let quota = |rank: usize| share + usize::from(rank < more);
    for (rank, &member) in by_held.iter().enumerate() {
        let kept = (0..holders.len()).filter(|&p| holders[p] == Some(member));
        for partition in kept.take(quota(rank)) {
            targets[partition] = Some(member);
        }
    }
    let mut free: Vec<usize> = (0..holders.len())
        .filter(|&p| targets[p].is_none())
        .collect();
    free.reverse();
    for (rank, &member) in by_held.iter().enumerate() {
        let has = held(member).min(quota(rank));
        for partition in (has..quota(rank)).map_while(|_| free.pop()) {
            targets[partition] = Some(member);
        }
    }
    targets
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `1 1 - 2` is who has partitions 0 to 3.
    fn balanced(holders: &str, members: &[u64]) -> String {
        let holders: Vec<Option<u64>> = holders.split(' ').map(|h| h.parse().ok()).collect();
        let targets = balance(&holders, members).into_iter();
        let targets = targets.map(|t| t.map_or("-".into(), |t| t.to_string()));
        targets.collect::<Vec<String>>().join(" ")
    }

    #[test]
    fn shares_are_even_and_stay() {
        let cases: [(&str, &[u64], &str); 9] = [
            ("- - -", &[], "- - -"),
            ("- - -", &[1], "1 1 1"),
            ("1 1 1", &[1, 2], "1 1 2"),
            ("1 1 2", &[1, 2], "1 1 2"),
            ("2 - -", &[1, 2, 3], "2 1 3"),
            ("1 1 1 1 1 1", &[1, 2, 3], "1 1 2 2 3 3"),
            ("1 1 - 2 2 -", &[1, 2], "1 1 1 2 2 2"),
            ("1", &[1, 2], "1"),
            ("- 3 3 3", &[1, 3], "1 3 3 1"),
        ];
        for (holders, members, targets) in cases {
            assert_eq!(balanced(holders, members), targets, "{holders} {members:?}");
        }
    }
}

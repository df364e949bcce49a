//! Leaders of a partition, one after the other, and what is left of what a former one had.

use std::fmt;

/// The number of an election: each leader of a partition has a greater one than those before ("leader
/// epoch").
pub type LeaderEpoch = i32;

/// A place in a partition, as it stood in the log of one of its leaders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogPoint {
    /// The offset behind the last record that is meant.
    pub offset: i64,
    /// Which leader had all the records before.
    pub epoch: LeaderEpoch,
}

/// What a leader had and later ones do not: one was elected that lacked it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// Up to where the log is still that of the former leader; none where it is not told.
    pub end: Option<i64>,
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.end {
            Some(end) => write!(f, "the topic was cut back to offset {end} by an election"),
            None => f.write_str("the topic has nothing of the leader that they were written to"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_are_told_in_words() {
        let told = Cut { end: Some(7) }.to_string();
        assert_eq!(told, "the topic was cut back to offset 7 by an election");
        let told = Cut { end: None }.to_string();
        assert!(told.contains("nothing of the leader"), "{told}");
    }
}

//! Where reading a partition goes on, as the state keeps it.

use super::topic::TopicId;

/// The version of the form in which positions are kept.
const FORMAT: u8 = 1;

/// A place in a partition of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) topic: String,
    /// None where the brokers did not tell it.
    pub(super) id: Option<TopicId>,
    /// That of the next record.
    pub(super) offset: i64,
}

impl Position {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![FORMAT];
        bytes.extend_from_slice(&self.offset.to_be_bytes());
        match &self.id {
            Some(id) => {
                bytes.push(1);
                bytes.extend_from_slice(id);
            }
            None => bytes.push(0),
        }
        bytes.extend_from_slice(self.topic.as_bytes());
        bytes
    }

    /// Reads a position; none where these bytes are no position of this version.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (format, rest) = bytes.split_first()?;
        let (offset, rest) = rest.split_first_chunk()?;
        let (has_id, rest) = rest.split_first()?;
        let (id, topic) = match has_id {
            0 => (None, rest),
            1 => {
                let (id, topic) = rest.split_first_chunk()?;
                (Some(*id), topic)
            }
            _ => return None,
        };
        (*format == FORMAT).then_some(())?;
        Some(Position {
            topic: std::str::from_utf8(topic).ok()?.to_owned(),
            id,
            offset: i64::from_be_bytes(*offset),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_go_round() {
        for id in [None, Some([7; 16])] {
            let position = Position {
                topic: "orders".to_owned(),
                id,
                offset: i64::MAX - 1,
            };
            let bytes = position.to_bytes();
            assert_eq!(Position::from_bytes(&bytes), Some(position));
            for cut in 0..10 {
                assert_eq!(Position::from_bytes(&bytes[..cut]), None);
            }
            let other = [&[9], &bytes[1..]].concat();
            assert_eq!(Position::from_bytes(&other), None);
        }
    }
}

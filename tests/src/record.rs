//! Records as tests write them to Kafka, and as they read them back.

/// A record to produce. Without a partition, the producer's partitioner picks one by the key; without a timestamp, it
/// is the time of producing.
///
/// ```
/// use ferrisstreams_tests::Record;
///
/// let record = Record::new("user-1", r#"{"amount":"10.00"}"#).at(1_700_000_000_000).header("source", "test");
/// assert_eq!(record.key.as_deref(), Some(&b"user-1"[..]));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Record {
    /// The key.
    pub key: Option<Vec<u8>>,
    /// The value; a record with a key and no value is a tombstone.
    pub value: Option<Vec<u8>>,
    /// The partition to write to.
    pub partition: Option<i32>,
    /// Milliseconds since the epoch.
    pub timestamp_ms: Option<i64>,
    /// Headers in order; names may repeat.
    pub headers: Vec<(String, Vec<u8>)>,
}

impl Record {
    /// A record with a key and a value.
    pub fn new(key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Record {
        Record {
            key: Some(key.as_ref().to_vec()),
            ..Record::value(value)
        }
    }

    /// A record without a key.
    pub fn value(value: impl AsRef<[u8]>) -> Record {
        Record {
            value: Some(value.as_ref().to_vec()),
            ..Record::default()
        }
    }

    /// A record with a key and no value.
    pub fn tombstone(key: impl AsRef<[u8]>) -> Record {
        Record {
            key: Some(key.as_ref().to_vec()),
            ..Record::default()
        }
    }

    /// Sets the timestamp, in milliseconds since the epoch.
    pub fn at(self, timestamp_ms: i64) -> Record {
        Record {
            timestamp_ms: Some(timestamp_ms),
            ..self
        }
    }

    /// Sets the partition.
    pub fn partition(self, partition: i32) -> Record {
        Record {
            partition: Some(partition),
            ..self
        }
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Record {
        self.headers
            .push((name.to_owned(), value.as_ref().to_vec()));
        self
    }
}

/// A record that was read from a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumedRecord {
    /// Where it was.
    pub partition: i32,
    /// Its number within the partition.
    pub offset: i64,
    /// The key.
    pub key: Option<Vec<u8>>,
    /// The value.
    pub value: Option<Vec<u8>>,
    /// Milliseconds since the epoch.
    pub timestamp_ms: Option<i64>,
    /// Headers in order; one without a value has an empty one here.
    pub headers: Vec<(String, Vec<u8>)>,
}

impl ConsumedRecord {
    /// The key as text; `None` without a key.
    #[must_use]
    pub fn key_text(&self) -> Option<String> {
        self.key
            .as_deref()
            .map(|key| String::from_utf8_lossy(key).into_owned())
    }

    /// A field of the value, which is a JSON object, as text. Names are the same in any case.
    ///
    /// # Panics
    ///
    /// Where the value is no such object, or has no such field.
    #[track_caller]
    #[must_use]
    pub fn field(&self, name: &str) -> String {
        let text = self.value_text().expect("a value");
        let row: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let fields = row.as_object().expect("an object");
        let found = fields
            .iter()
            .find(|(field, _)| field.eq_ignore_ascii_case(name));
        match found.map(|(_, value)| value) {
            Some(serde_json::Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
            None => panic!("{text} has no {name}"),
        }
    }

    /// The value as text; `None` for a tombstone.
    #[must_use]
    pub fn value_text(&self) -> Option<String> {
        self.value
            .as_deref()
            .map(|value| String::from_utf8_lossy(value).into_owned())
    }
}

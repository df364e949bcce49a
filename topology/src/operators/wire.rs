//! How records travel through topics, from a task of one process to a task of another.

use super::source::{CodecDecoder, TypedDecoder};
use crate::codec::{SharedCodec, bad_record};
use crate::error::Result;
use crate::graph::Decoder;
use crate::record::{Data, Headers, Record};
use crate::run::Run;
use crate::time::Timestamp;

/// A record as it travels.
pub(crate) struct Traveller<'a> {
    pub(crate) key: Option<&'a [u8]>,
    pub(crate) value: Option<&'a [u8]>,
    pub(crate) timestamp: Timestamp,
    pub(crate) headers: &'a Headers,
}

/// Turns the records of an exchange into bytes and back.
pub(crate) trait Wire: Send + Sync {
    /// Calls `send` with each record of a run.
    ///
    /// # Errors
    ///
    /// Where a record has no form, and those of `send`.
    fn encode(&self, run: Run, send: &mut dyn FnMut(Traveller<'_>) -> Result<()>) -> Result<()>;

    /// The form of the keys, by whose bytes they are placed.
    fn key_form(&self) -> String;

    /// What reads them again.
    fn decoder(&self) -> Box<dyn Decoder>;
}

/// The wire of records whose keys and values have these forms.
pub(crate) struct CodecWire<K, V> {
    pub(crate) key: SharedCodec<K>,
    pub(crate) value: SharedCodec<V>,
    /// True where records without a key have no place, as changes of one row would not stay together.
    pub(crate) needs_key: bool,
}

impl<K: Data, V: Data> Wire for CodecWire<K, V> {
    fn encode(&self, run: Run, send: &mut dyn FnMut(Traveller<'_>) -> Result<()>) -> Result<()> {
        let records: Vec<Record<K, V>> = run.take();
        let (mut key, mut value) = (Vec::new(), Vec::new());
        for record in records {
            key.clear();
            value.clear();
            let has_key = self.key.encode_payload(&record.key, &mut key)?;
            if !has_key && self.needs_key {
                return Err(bad_record(
                    "a row of a table has a null key, and cannot be moved to the task of its key",
                ));
            }
            let has_value = self.value.encode_payload(&record.value, &mut value)?;
            send(Traveller {
                key: has_key.then_some(&key),
                value: has_value.then_some(&value),
                timestamp: record.timestamp,
                headers: &record.headers,
            })?;
        }
        Ok(())
    }

    fn key_form(&self) -> String {
        self.key.name()
    }

    fn decoder(&self) -> Box<dyn Decoder> {
        Box::new(TypedDecoder(Box::new(CodecDecoder {
            key: self.key.clone(),
            value: self.value.clone(),
            extract: None,
        })))
    }
}

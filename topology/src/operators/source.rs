//! Decodes raw records: with the codecs of a source, or with a decoder of its own.

use crate::codec::SharedCodec;
use crate::connector::{RawBatch, RecordDecoder, Times};
use crate::error::{Error, Result};
use crate::graph::{Decoded, Decoder};
use crate::record::{Data, Record};
use crate::run::Run;
use crate::time::{NO_TIMESTAMP, Timestamp};

/// Reads a record's time out of it; the last argument is the time that it came with.
pub(crate) type Extract<K, V> =
    std::sync::Arc<dyn Fn(&K, &V, Timestamp) -> Timestamp + Send + Sync>;

/// Decodes record by record.
pub(crate) struct CodecDecoder<K, V> {
    pub(crate) key: SharedCodec<K>,
    pub(crate) value: SharedCodec<V>,
    pub(crate) extract: Option<Extract<K, V>>,
}

impl<K: Data, V: Data> CodecDecoder<K, V> {
    fn record(&self, batch: &RawBatch, index: usize) -> Result<Record<K, V>> {
        let key = self
            .key
            .decode_payload(batch.key(index))
            .map_err(|e| e.context("key"))?;
        let value = self
            .value
            .decode_payload(batch.value(index))
            .map_err(|e| e.context("value"))?;
        let mut timestamp = batch.times.at(index);
        if let Some(extract) = &self.extract {
            timestamp = extract(&key, &value, timestamp);
            if timestamp < 0 {
                return Err(crate::codec::bad_record(format!(
                    "the record has the timestamp {timestamp}"
                )));
            }
        }
        let mut record = Record::of_raw(index as u32, key, value, timestamp);
        record.headers = batch.headers(index);
        Ok(record)
    }
}

impl<K: Data, V: Data> RecordDecoder<K, V> for CodecDecoder<K, V> {
    fn decode(
        &mut self,
        batch: &RawBatch,
        records: &mut Vec<Record<K, V>>,
        bad: &mut Vec<(u32, Error)>,
    ) -> Option<Times> {
        for index in 0..batch.len() {
            match self.record(batch, index) {
                Ok(record) => records.push(record),
                Err(e) => bad.push((index as u32, e)),
            }
        }
        self.extract.as_ref()?;
        let mut times = vec![NO_TIMESTAMP; batch.len()];
        for record in records {
            times[record.cause.get() as usize] = record.timestamp;
        }
        Some(Times::Each(times))
    }
}

/// A decoder whose types the source's operators know.
pub(crate) struct TypedDecoder<K, V>(pub(crate) Box<dyn RecordDecoder<K, V>>);

impl<K: Data, V: Data> Decoder for TypedDecoder<K, V> {
    fn decode(&mut self, batch: &RawBatch) -> Decoded {
        let mut records = Vec::with_capacity(batch.len());
        let mut bad = Vec::new();
        let times = self.0.decode(batch, &mut records, &mut bad);
        debug_assert!(records.is_sorted_by_key(|record| record.cause.get()));
        Decoded {
            run: Run::new(records),
            bad,
            times,
            rounded: self.0.take_rounded(),
        }
    }
}

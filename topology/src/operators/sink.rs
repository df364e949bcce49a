//! Encodes records and hands them out of the task, to a sink.

use crate::codec::SharedCodec;
use crate::connector::SinkRecord;
use crate::error::Result;
use crate::processor::{Context, Processor, SinkId};
use crate::record::{Data, Record};
use crate::run::Run;

pub(crate) struct ToSink<K, V> {
    sink: SinkId,
    key: SharedCodec<K>,
    value: SharedCodec<V>,
    /// What is being encoded: in memory that has grown already, and each payload is as large as it is.
    encoded: Vec<u8>,
}

impl<K, V> ToSink<K, V> {
    pub(crate) fn new(sink: SinkId, key: SharedCodec<K>, value: SharedCodec<V>) -> Self {
        ToSink {
            sink,
            key,
            value,
            encoded: Vec::new(),
        }
    }
}

fn payload<T: Data>(
    codec: &SharedCodec<T>,
    value: &T,
    encoded: &mut Vec<u8>,
) -> Result<Option<Vec<u8>>> {
    encoded.clear();
    let is_there = codec.encode_payload(value, encoded)?;
    Ok(is_there.then(|| encoded.as_slice().to_vec()))
}

impl<K: Data, V: Data> Processor for ToSink<K, V> {
    fn process(&mut self, _port: u8, run: Run, cx: &mut Context<'_>) -> Result<()> {
        let records: Vec<Record<K, V>> = run.take();
        for record in records {
            let scratch = &mut self.encoded;
            let encoded = payload(&self.key, &record.key, scratch)
                .and_then(|key| Ok((key, payload(&self.value, &record.value, scratch)?)));
            match encoded {
                Ok((key, value)) => {
                    let sent = SinkRecord {
                        key,
                        value,
                        timestamp: record.timestamp,
                        headers: record.headers,
                    };
                    cx.send(self.sink, record.cause.get(), sent);
                }
                Err(e) => cx.failed(record.cause.get(), &e.to_string())?,
            }
        }
        Ok(())
    }
}

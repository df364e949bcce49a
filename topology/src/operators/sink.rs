//! Encodes records and hands them out of the task, to a sink.

use crate::codec::SharedCodec;
use crate::connector::SinkRecord;
use crate::error::Result;
use crate::processor::{Context, Processor, SinkId};
use crate::record::{Data, Record};
use crate::run::Run;

pub(crate) struct ToSink<K, V> {
    pub(crate) sink: SinkId,
    pub(crate) key: SharedCodec<K>,
    pub(crate) value: SharedCodec<V>,
}

fn payload<T: Data>(codec: &SharedCodec<T>, value: &T) -> Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    Ok(codec.encode_payload(value, &mut bytes)?.then_some(bytes))
}

impl<K: Data, V: Data> Processor for ToSink<K, V> {
    fn process(&mut self, _port: u8, run: Run, cx: &mut Context<'_>) -> Result<()> {
        let records: Vec<Record<K, V>> = run.take();
        for record in records {
            let encoded = payload(&self.key, &record.key)
                .and_then(|key| Ok((key, payload(&self.value, &record.value)?)));
            match encoded {
                Ok((key, value)) => {
                    let sent = SinkRecord {
                        key,
                        value,
                        timestamp: record.timestamp,
                        headers: record.headers,
                    };
                    cx.send(self.sink, record.cause, sent);
                }
                Err(e) => cx.failed(record.cause, &e.to_string())?,
            }
        }
        Ok(())
    }
}

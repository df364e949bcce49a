//! Records that stand below another header than the expected one are bad, and not misread.

use std::sync::Arc;

use ferrisstreams_topology::connector::{RawBatch, RecordDecoder, RowFilter, RowSource, Times};
use ferrisstreams_topology::data::Row;
use ferrisstreams_topology::record::{Data, Record};
use ferrisstreams_topology::{Error, ErrorKind};

use super::options::OTHER_HEADER;

/// Decodes what another one decodes, but for records that are marked with [`OTHER_HEADER`].
pub(super) struct BelowHeader(pub(super) Arc<dyn RowSource>);

impl RowSource for BelowHeader {
    fn decoder(
        &self,
        projection: &[usize],
        filter: Option<RowFilter>,
    ) -> Box<dyn RecordDecoder<(), Row>> {
        Box::new(Checked(self.0.decoder(projection, filter)))
    }

    fn keyed_decoder(
        &self,
        key: &[usize],
        projection: &[usize],
        filter: Option<RowFilter>,
    ) -> Box<dyn RecordDecoder<Row, Row>> {
        Box::new(Checked(self.0.keyed_decoder(key, projection, filter)))
    }

    fn table_decoder(&self, projection: &[usize]) -> Box<dyn RecordDecoder<Row, Option<Row>>> {
        Box::new(Checked(self.0.table_decoder(projection)))
    }

    fn deletes(&self) -> bool {
        self.0.deletes()
    }
}

struct Checked<K, V>(Box<dyn RecordDecoder<K, V>>);

impl<K: Data, V: Data> RecordDecoder<K, V> for Checked<K, V> {
    fn decode(
        &mut self,
        batch: &RawBatch,
        records: &mut Vec<Record<K, V>>,
        bad: &mut Vec<(u32, Error)>,
    ) -> Option<Times> {
        if batch.headers.is_empty() {
            return self.0.decode(batch, records, bad);
        }
        for index in 0..batch.len() {
            let headers = batch.headers(index);
            let why = headers
                .last(OTHER_HEADER)
                .and_then(|header| header.value.as_deref());
            let why = String::from_utf8_lossy(why.unwrap_or_default());
            let message = format!("the columns of the file are others: {why}");
            bad.push((index as u32, Error::new(ErrorKind::BadRecord, message)));
        }
        None
    }

    fn take_rounded(&mut self) -> u64 {
        self.0.take_rounded()
    }
}

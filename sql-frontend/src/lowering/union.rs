//! UNION ALL.

use ferrisstreams_topology::codec::row_key;
use ferrisstreams_topology::data::{DataType, Row, RowLayout};
use ferrisstreams_topology::dsl::KTable;

use super::pipeline::Pipeline;
use super::relation::{Lowered, Streams, TableRows, hidden_key};
use super::scratch::with_scratch;
use super::{Lowering, Result};
use crate::plan::Plan;

impl Lowering<'_> {
    pub(super) fn union(&mut self, inputs: &[Plan], tail: Pipeline) -> Result<Lowered> {
        let columns = inputs[0].columns.clone();
        let mut lowered = Vec::new();
        for input in inputs {
            lowered.push(self.lower(input)?);
        }
        if lowered
            .iter()
            .all(|input| matches!(input, Lowered::Stream(_)))
        {
            let streams = lowered.into_iter().map(|input| match input {
                Lowered::Stream(streams) => streams,
                Lowered::Table(_) => unreachable!("all are streams"),
            });
            let all = streams.reduce(Streams::and).expect("a union has inputs");
            return Ok(Lowered::Stream(all.piped(&tail, &columns)));
        }
        let mut united: Option<KTable<Row, Row>> = None;
        for (tag, (input, rows)) in inputs.iter().zip(lowered).enumerate() {
            let rows = self.as_table(rows, &input.columns)?;
            let tagged = tagged(&rows.table, tag as i64);
            united = Some(match united {
                None => tagged,
                Some(before) => before.union(&tagged),
            });
        }
        let rows = TableRows {
            table: united.expect("a union has inputs"),
            key: None,
        };
        Ok(Lowered::Table(rows.piped(&tail, &columns)?))
    }
}

/// The rows of a table under keys that say which input of a union they come from.
fn tagged(table: &KTable<Row, Row>, tag: i64) -> KTable<Row, Row> {
    let key = hidden_key(&[DataType::Int, DataType::Bytes]);
    let layout = RowLayout::new(&key);
    let tagged = move |key: &Row, row: Row, out: &mut Vec<(Row, Row)>| {
        let key = with_scratch(|scratch| {
            let mut writer = scratch.out.begin(&layout);
            writer.set_integer(0, tag);
            writer.set_bytes(1, key.bytes());
            let span = writer.finish();
            Row::from_bytes(scratch.out.get(span))
        });
        out.push((key, row));
    };
    table.flat_map(tagged, row_key(&key))
}

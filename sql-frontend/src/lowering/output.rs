//! Where rows leave the topology: sinks, and the changes that a query shows.

use std::sync::Arc;

use ferrisstreams_topology::codec::{SharedCodec, nullable, row};
use ferrisstreams_topology::connector::Sink;
use ferrisstreams_topology::data::Row;
use ferrisstreams_topology::dsl::Produced;

use super::keyed::{Keying, Part};
use super::pipeline::Pipeline;
use super::relation::Lowered;
use super::{Lowering, Result, mistake};
use crate::plan::{Column, Plan};
use ferrisstreams_topology::connector::ResolvedSink;

/// Where rows go, and in which form.
#[derive(Clone)]
pub(crate) struct Output {
    /// The name of the sink in the topology.
    pub(crate) name: String,
    /// The columns of the key, in order.
    pub(crate) key_columns: Vec<usize>,
    pub(crate) key: SharedCodec<Row>,
    pub(crate) value: SharedCodec<Row>,
    /// None where whoever runs the topology brings one.
    pub(crate) sink: Option<Arc<dyn Sink>>,
}

impl Output {
    /// Rows byte for byte, for a sink that whoever runs the topology brings.
    pub(crate) fn rows(name: &str, key_columns: Vec<usize>) -> Self {
        Output {
            name: name.to_owned(),
            key_columns,
            key: row(),
            value: row(),
            sink: None,
        }
    }

    pub(crate) fn to(name: &str, resolved: &ResolvedSink) -> Self {
        Output {
            name: name.to_owned(),
            key_columns: resolved.key_columns.clone(),
            key: resolved.key.clone(),
            value: resolved.value.clone(),
            sink: Some(resolved.sink.clone()),
        }
    }

    /// True where nothing of a record is kept, so that nothing need be made of it.
    fn discards(&self) -> bool {
        self.sink.as_ref().is_some_and(|sink| sink.discards())
    }

    fn produced(&self) -> Produced<Row, Row> {
        let produced = Produced::with(self.key.clone(), self.value.clone());
        match &self.sink {
            Some(sink) => produced.into(sink.clone()),
            None => produced,
        }
    }

    fn produced_or_deleted(&self) -> Produced<Row, Option<Row>> {
        let produced = Produced::with(self.key.clone(), nullable(self.value.clone()));
        match &self.sink {
            Some(sink) => produced.into(sink.clone()),
            None => produced,
        }
    }
}

impl Lowering<'_> {
    /// Has what a plan gives go out, as a query of its own.
    pub(crate) fn write(&mut self, query: &str, plan: &Plan, output: &Output) -> Result<()> {
        self.begin(query);
        let lowered = self.lower(plan)?;
        self.write_rows(lowered, &plan.columns, output)
    }

    fn write_rows(&mut self, lowered: Lowered, columns: &[Column], output: &Output) -> Result<()> {
        match lowered {
            Lowered::Stream(streams) if output.discards() => streams.merged().for_each(|_, _| ()),
            Lowered::Stream(streams) => {
                let keying = Keying {
                    pipeline: Pipeline::default(),
                    key: Part::of_columns(&output.key_columns, columns),
                    condition: None,
                    value: None,
                };
                keying
                    .group(&streams.merged(), columns)
                    .to(&output.name, output.produced());
            }
            Lowered::Table(rows) => {
                // Only a sink that is told keys can be told that a row went away.
                if output.sink.is_some() && rows.key.as_ref() != Some(&output.key_columns) {
                    return Err(mistake(format!(
                        "the rows of {} change, and nothing among the columns tells them apart; \
                         give the query a GROUP BY or a key",
                        output.name
                    )));
                }
                rows.table
                    .to_stream()
                    .to(&output.name, output.produced_or_deleted());
            }
        }
        Ok(())
    }

    /// Has the changes of a table of the catalog go out.
    pub(crate) fn write_table(
        &mut self,
        query: &str,
        table: &Arc<crate::plan::Table>,
        output: &Output,
    ) -> Result<()> {
        self.begin(query);
        let lowered = self.table_rows(table, Pipeline::default())?;
        self.write_rows(lowered, &table.columns, output)
    }
}

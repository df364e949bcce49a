//! Everything of a session that runs for ever, as one topology.

use std::collections::BTreeMap;
use std::sync::Arc;

use ferrisstreams_topology::Topology;
use ferrisstreams_topology::data::Row;

use super::answer::ResultSet;
use super::naming::{self, Unnamed};
use super::{Session, What, Written, fingerprint};
use crate::catalog::Relation;
use crate::error::{Code, Diagnostic};
use crate::lowering::{Lowering, Result, Surroundings};
use crate::plan::Table;
use crate::plan::{Column, Plan, PlanKind};
use crate::span::Span;

/// A topology with what is needed to run and to watch it.
#[derive(Clone)]
pub struct Program {
    /// The topology.
    pub topology: Topology,
    /// What each query computes, in words: state that was made by a query of the same name and other
    /// words is not taken for this one's.
    pub plans: BTreeMap<String, String>,
    /// The tables, in the order of their names.
    pub tables: Vec<Arc<Table>>,
    /// The queries whose rows are shown: each is a sink of the topology, of this name, which whoever
    /// runs it brings. A record's value is a row byte for byte; none says that the row of a key went.
    pub changes: Vec<Changes>,
}

/// A query that goes on, whose rows are shown as they come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    /// The name of its sink in the topology.
    pub name: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// The columns that the key of a record is made of, in its order; empty where rows only come, or
    /// where nothing that is seen tells them apart.
    pub key: Vec<usize>,
}

impl Changes {
    /// The key of a row that went away, as a result of one row; none where keys are not seen.
    pub fn deleted(&self, key: &[u8]) -> Option<ResultSet> {
        if self.key.is_empty() {
            return None;
        }
        Some(ResultSet {
            columns: self
                .key
                .iter()
                .map(|column| self.columns[*column].clone())
                .collect(),
            rows: vec![Row::from_bytes(key)],
        })
    }
}

impl Session {
    /// The topology of everything that was created; none where nothing runs for ever.
    ///
    /// # Errors
    ///
    /// Where a statement asks for what is not supported.
    pub fn program(&self) -> std::result::Result<Option<Program>, Vec<Diagnostic>> {
        self.program_on(&BTreeMap::new())
    }

    /// The same for a state that knows sinks by their names: those of INSERT statements keep the name that
    /// stands for the identity of their place there, and one whose place is another gets another name.
    ///
    /// # Errors
    ///
    /// As those of [`program`](Session::program).
    pub fn program_on(
        &self,
        known: &BTreeMap<String, String>,
    ) -> std::result::Result<Option<Program>, Vec<Diagnostic>> {
        self.program_of(known, false)
    }

    /// The same for an application on a cluster: one task reads all that is no topic, and what it makes of
    /// that goes to the tasks of others by its keys.
    ///
    /// # Errors
    ///
    /// As those of [`program`](Session::program).
    pub fn program_on_cluster(&self) -> std::result::Result<Option<Program>, Vec<Diagnostic>> {
        self.program_of(&BTreeMap::new(), true)
    }

    fn program_of(
        &self,
        known: &BTreeMap<String, String>,
        on_cluster: bool,
    ) -> std::result::Result<Option<Program>, Vec<Diagnostic>> {
        let mut lowering = Lowering::new(Surroundings {
            insertions: &self.insertions,
            snapshot: None,
            on_cluster,
            sends_letters: true,
            on_error: &self.on_error,
        });
        let mut program = Contents::default();
        let mut problems = Vec::new();
        for relation in self.catalog.relations() {
            if let Relation::Table(table) = relation {
                let made = lowering.make_table(table);
                program.plans.insert(table.name.clone(), self.words(table));
                program.tables.push(table.clone());
                problems.extend(made.err().map(|problem| self.placed(problem, &table.name)));
            }
        }
        for written in &self.named_on(known) {
            let made = match &written.what {
                What::Query(plan) => {
                    program
                        .plans
                        .insert(written.name.clone(), fingerprint(plan));
                    lowering.write(&written.name, plan, &written.output)
                }
                What::Table(name) => {
                    let words = format!("the changes of {name}");
                    program.plans.insert(written.name.clone(), words);
                    self.write_table(&mut lowering, &written.name, name, &written.output)
                }
            };
            if let Err(problem) = made {
                problems.push(self.placed(problem, &written.name));
            }
            if written.shown {
                let What::Query(plan) = &written.what else {
                    continue;
                };
                program.changes.push(Changes {
                    name: written.name.clone(),
                    columns: plan.columns.clone(),
                    key: written.key.clone(),
                });
            }
        }
        for (to, senders) in lowering.letters().clone() {
            let bound = self.bind_letters(&mut lowering, &to, &senders);
            problems.extend(bound.err());
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        if program.plans.is_empty() {
            return Ok(None);
        }
        let topology = lowering.build().map_err(|e| {
            vec![Diagnostic::new(
                Code::NotSupported,
                e.to_string(),
                Span::default(),
            )]
        })?;
        Ok(Some(Program {
            topology,
            plans: program.plans,
            tables: program.tables,
            changes: program.changes,
        }))
    }

    /// What is written, under the names that a state knows it by.
    fn named_on(&self, known: &BTreeMap<String, String>) -> Vec<Written> {
        let mut written = self.written.clone();
        let place = |one: &Written| one.output.sink.as_ref().map(|sink| sink.identity());
        let places: Vec<Option<String>> = written.iter().map(place).collect();
        let unnamed: Vec<Unnamed<'_>> = self
            .written
            .iter()
            .zip(&places)
            .filter_map(|(one, place)| {
                let (base, place) = (one.base.as_deref()?, place.as_deref()?);
                Some(Unnamed { base, place })
            })
            .collect();
        let mut names = naming::names(&unnamed, known).into_iter();
        for (one, place) in written.iter_mut().zip(&places) {
            if one.base.is_some() && place.is_some() {
                one.name = names.next().unwrap_or_else(|| one.name.clone());
                one.output.name.clone_from(&one.name);
            }
        }
        written
    }

    fn write_table(
        &self,
        lowering: &mut Lowering<'_>,
        query: &str,
        table: &str,
        output: &crate::lowering::Output,
    ) -> Result<()> {
        match self.catalog.get(table) {
            Some(Relation::Table(table)) => lowering.write_table(query, table, output),
            _ => Ok(()),
        }
    }

    /// What a table holds, in words.
    fn words(&self, table: &Table) -> String {
        let mut words = table.query.as_ref().map(fingerprint).unwrap_or_default();
        for insertion in self.insertions.get(&table.name).into_iter().flatten() {
            words.push_str(&format!(
                "\n{}: {}",
                insertion.name,
                fingerprint(&insertion.plan)
            ));
        }
        words
    }

    /// A mistake at the statement that made a query.
    pub(super) fn placed(&self, problem: Diagnostic, query: &str) -> Diagnostic {
        match self.spans.get(query) {
            Some(span) if problem.span().is_empty() => problem.at(*span),
            _ => problem,
        }
    }
}

#[derive(Default)]
struct Contents {
    plans: BTreeMap<String, String>,
    tables: Vec<Arc<Table>>,
    changes: Vec<Changes>,
}

/// True where a plan reads a relation of this name.
pub(super) fn reads(plan: &Plan, name: &str) -> bool {
    let here = match &plan.kind {
        PlanKind::Scan { source, .. } => source.name == name,
        PlanKind::Stream(stream) => {
            stream.name == name
                || stream
                    .query
                    .as_ref()
                    .is_some_and(|query| reads(query, name))
        }
        PlanKind::Table(table) => table.name == name,
        _ => false,
    };
    here || plan.inputs().into_iter().any(|input| reads(input, name))
}

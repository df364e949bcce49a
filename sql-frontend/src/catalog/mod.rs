//! The catalog: the streams, tables and connections that statements know by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use ferrisstreams_topology::connector::Options;

use crate::ast::{Ident, Name};
use crate::plan::{Column, Source, Stream, Table};

/// What is known by name.
#[derive(Clone, Default)]
pub struct Catalog {
    relations: BTreeMap<String, Relation>,
    connections: BTreeMap<String, Options>,
}

/// A stream or table.
#[derive(Clone)]
pub enum Relation {
    /// Records of a source, as a stream.
    Source(Arc<Source>),
    /// A stream that is computed, or that rows are inserted into.
    Stream(Arc<Stream>),
    /// A table: over a source, computed, or one that rows are inserted into.
    Table(Arc<Table>),
}

impl Relation {
    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Relation::Source(source) => &source.name,
            Relation::Stream(stream) => &stream.name,
            Relation::Table(table) => &table.name,
        }
    }

    /// Its columns.
    pub fn columns(&self) -> &[Column] {
        match self {
            Relation::Source(source) => &source.columns,
            Relation::Stream(stream) => &stream.columns,
            Relation::Table(table) => &table.columns,
        }
    }

    /// True for a table.
    pub fn is_table(&self) -> bool {
        matches!(self, Relation::Table(_))
    }

    /// `stream` or `table`.
    pub fn word(&self) -> &'static str {
        if self.is_table() { "table" } else { "stream" }
    }
}

impl Catalog {
    /// A catalog that knows nothing.
    pub fn new() -> Self {
        Catalog::default()
    }

    /// The relation that a name means.
    pub fn relation(&self, name: &Ident) -> Option<&Relation> {
        match self.relations.get(&name.text) {
            Some(exact) => Some(exact),
            None => self
                .relations
                .values()
                .find(|relation| name.matches(relation.name())),
        }
    }

    /// The relation of exactly this name.
    pub fn get(&self, name: &str) -> Option<&Relation> {
        self.relations.get(name)
    }

    /// The relations, by name.
    pub fn relations(&self) -> impl Iterator<Item = &Relation> {
        self.relations.values()
    }

    /// Adds a relation, or puts it in the place of the one that has its name.
    pub fn insert(&mut self, relation: Relation) {
        self.relations.insert(relation.name().to_owned(), relation);
    }

    /// Removes a relation.
    pub fn remove(&mut self, name: &str) -> Option<Relation> {
        self.relations.remove(name)
    }

    /// The options of a named connection.
    pub fn connection(&self, name: &str) -> Option<&Options> {
        let mut found = self.connections.iter();
        found
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, options)| options)
    }

    /// The named connections.
    pub fn connections(&self) -> impl Iterator<Item = (&str, &Options)> {
        self.connections
            .iter()
            .map(|(name, options)| (name.as_str(), options))
    }

    /// Adds a connection, or replaces the one of that name.
    pub fn insert_connection(&mut self, name: &str, options: Options) {
        self.connections.insert(name.to_owned(), options);
    }

    /// Removes a connection; true where there was one.
    pub fn remove_connection(&mut self, name: &str) -> bool {
        self.connections.remove(name).is_some()
    }
}

/// The single word of a name, where it has no qualifier.
pub(crate) fn single(name: &Name) -> Option<&Ident> {
    name.as_single()
}

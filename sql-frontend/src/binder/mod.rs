//! Binding: names become columns and relations, expressions get their types.
//!
//! The binder reads the syntax tree and the catalog and makes plans. It changes neither. Mistakes
//! that do not hang together are told together, each at its place.

mod problems;
mod types;
mod walk;
mod scope;
mod coerce;
mod arithmetic;
mod call;
mod expression;
mod grouped;
mod source;
mod from;
mod select;
mod order;
mod query;

use std::sync::Arc;

use crate::ast::{Ident, Name, Query, Uri, Values};
use crate::catalog::Catalog;
use crate::error::Diagnostic;
use crate::plan::Source;
use crate::plan::{Column, Plan, ScanKind};
use ferrisstreams_topology::connector::Connectors;

pub(crate) use self::from::{conjunction, conjuncts, split_condition};
pub(crate) use self::problems::{Bound, Problems, all};
pub(crate) use self::query::spread;
pub(crate) use self::source::{
    Place, declared, options, property_span, property_text, take_kind, told,
};
pub(crate) use self::types::bind_type;

/// Binds the queries of one statement.
pub(crate) struct Binder<'a> {
    catalog: &'a Catalog,
    connectors: &'a dyn Connectors,
    /// Common table expressions that can be named, the innermost last.
    common: Vec<(Ident, Plan)>,
    /// Mistakes that do not keep the statement from running.
    pub(crate) warnings: Vec<Diagnostic>,
}

impl<'a> Binder<'a> {
    pub(crate) fn new(catalog: &'a Catalog, connectors: &'a dyn Connectors) -> Self {
        Binder {
            catalog,
            connectors,
            common: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// A query that goes on for ever.
    pub(crate) fn continuous(&mut self, query: &Query) -> Bound<Plan> {
        let plan = self.subquery(query)?;
        Ok(from::decide(plan, ScanKind::Stream))
    }

    /// A query that answers once.
    pub(crate) fn once(&mut self, query: &Query) -> Bound<Plan> {
        let plan = self.query(query)?;
        Ok(from::decide(plan, ScanKind::Stream))
    }

    /// Rows written out for a relation with these columns.
    pub(crate) fn rows_for(&mut self, values: &Values, columns: &[Column]) -> Bound<Plan> {
        self.values(values, Some(columns))
    }

    /// The mistake of naming a relation that is not there.
    pub(crate) fn unknown(&self, name: &Name) -> Diagnostic {
        self.unknown_relation(name)
    }

    /// A source that is named by its URI alone.
    pub(crate) fn undeclared(&mut self, uri: &Uri) -> Bound<Arc<Source>> {
        source::undeclared(self, uri, &[])
    }
}

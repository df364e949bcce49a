//! INSERT INTO: once, of rows written out, or for ever, of a query.

use std::collections::BTreeSet;

use super::answer::Answer;
use super::create::place_of;
use super::{Session, What, Written, base_name};
use crate::ast::{Insert, NameOrUri, QueryBody};
use crate::binder::{Bound, Place, options};
use crate::catalog::Relation;
use crate::error::{Code, Diagnostic};
use crate::lowering::Insertion;
use crate::optimizer::optimize;
use crate::plan::{Changes, Column, Plan, PlanKind, properties};

impl Session {
    pub(super) fn insert(
        &mut self,
        insert: &Insert,
        warnings: &mut Vec<Diagnostic>,
    ) -> Bound<Answer> {
        match &insert.target {
            NameOrUri::Uri(uri) => {
                let plan = self.continuous(&insert.query, warnings)?;
                let options = options(&insert.properties)?;
                let place = Place {
                    uri: uri.span.into(),
                    properties: &insert.properties,
                };
                if let Some(column) = insert.columns.first() {
                    let what = "a list of columns for a URI";
                    return Err(Diagnostic::not_supported(what, column.span).into());
                }
                self.insert_into_sink(&uri.text, &uri.redacted(), plan, options, &place)
            }
            NameOrUri::Name(name) => {
                let Some(relation) = self.catalog.relation(name.last()).cloned() else {
                    return Err(self.binder().unknown(name).into());
                };
                let computed = match &relation {
                    Relation::Source(_) => false,
                    Relation::Stream(stream) => stream.query.is_some(),
                    Relation::Table(table) => !table.declared,
                };
                if computed {
                    let message = format!(
                        "`{}` is computed by its query; nothing can be inserted",
                        relation.name()
                    );
                    return Err(Diagnostic::new(Code::NotSupported, message, name.span).into());
                }
                let plan = self.rows_for(insert, relation.columns(), warnings)?;
                let into = relation.name().to_owned();
                if let Some((uri, options)) = self.places.get(&into).cloned() {
                    let place = place_of(&insert.properties, name.span.into());
                    return self.insert_into_sink(&uri, &into, plan, options, &place);
                }
                if properties(&plan).changes == Changes::Updating {
                    let message = format!(
                        "what is inserted into `{into}` are rows that change; insert from a stream"
                    );
                    return Err(
                        Diagnostic::new(Code::NotSupported, message, insert.query.span).into(),
                    );
                }
                if self.comes_from(&plan, &into, &mut BTreeSet::new()) {
                    let message =
                        format!("rows of `{into}` would be inserted into it again, for ever");
                    return Err(
                        Diagnostic::new(Code::NotSupported, message, insert.query.span)
                            .label(format!("reads `{into}`"))
                            .into(),
                    );
                }
                let name = self.query_name(&format!("insert_into_{into}"), &plan);
                let insertion = Insertion { name, plan };
                self.insertions
                    .entry(into.clone())
                    .or_default()
                    .push(insertion);
                Ok(Answer::Done(format!("inserted into {into}")))
            }
        }
    }

    /// True where rows of a relation reach a plan, by whatever way.
    fn comes_from(&self, plan: &Plan, name: &str, seen: &mut BTreeSet<String>) -> bool {
        let (relation, query) = match &plan.kind {
            PlanKind::Stream(stream) => (&stream.name, stream.query.as_ref()),
            PlanKind::Table(table) => (&table.name, table.query.as_ref()),
            _ => {
                let mut inputs = plan.inputs().into_iter();
                return inputs.any(|input| self.comes_from(input, name, seen));
            }
        };
        if relation == name {
            return true;
        }
        if !seen.insert(relation.clone()) {
            return false;
        }
        let inserted = self.insertions.get(relation).into_iter().flatten();
        query
            .into_iter()
            .chain(inserted.map(|insertion| &insertion.plan))
            .any(|plan| self.comes_from(plan, name, seen))
    }

    fn insert_into_sink(
        &mut self,
        uri: &str,
        shown: &str,
        plan: Plan,
        options: ferrisstreams_topology::connector::Options,
        place: &Place<'_>,
    ) -> Bound<Answer> {
        let name = self.query_name("insert", &plan);
        let known = properties(&plan);
        let key = match known.changes {
            Changes::AppendOnly => None,
            Changes::Updating => Some(known.key.visible().unwrap_or_default()),
        };
        let output = self.sink(&name, uri, options, &plan.columns, key, place)?;
        self.written.push(Written {
            base: Some(base_name("insert", &plan)),
            name,
            what: What::Query(plan),
            output,
            shown: false,
            key: Vec::new(),
        });
        Ok(Answer::Done(format!("writing to {shown}")))
    }

    /// The rows that are inserted, with the columns of the relation.
    fn rows_for(
        &mut self,
        insert: &Insert,
        columns: &[Column],
        warnings: &mut Vec<Diagnostic>,
    ) -> Bound<Plan> {
        let mut places = Vec::new();
        for name in &insert.columns {
            let found = columns.iter().position(|column| name.matches(&column.name));
            let Some(at) = found else {
                let known = columns.iter().map(|column| &column.name[..]);
                let message = format!("no column `{}`", name.text);
                return Err(Diagnostic::new(Code::UnknownColumn, message, name.span)
                    .label("not found")
                    .suggest_nearest(&name.text, known)
                    .into());
            };
            if places.contains(&at) {
                let message = format!("column `{}` is named twice", name.text);
                return Err(Diagnostic::new(Code::DuplicateColumn, message, name.span).into());
            }
            places.push(at);
        }
        if insert.columns.is_empty() {
            places = (0..columns.len()).collect();
        }
        let wanted: Vec<Column> = places.iter().map(|at| columns[*at].clone()).collect();
        let mut binder = self.binder();
        let plan = match &insert.query.body {
            QueryBody::Values(values) if insert.query.is_plain() => {
                binder.rows_for(values, &wanted)?
            }
            _ => {
                let plan = binder.continuous(&insert.query)?;
                binder.assigned_to(plan, &wanted, insert.query.span.into())?
            }
        };
        warnings.append(&mut binder.warnings);
        let missing = (0..columns.len()).find(|at| !places.contains(at) && !columns[*at].nullable);
        if let Some(at) = missing {
            let message = format!(
                "column `{}` is NOT NULL, and no value is given",
                columns[at].name
            );
            return Err(
                Diagnostic::new(Code::InvalidLiteral, message, insert.target.span()).into(),
            );
        }
        Ok(optimize(crate::binder::spread(plan, &places, columns)).0)
    }
}

//! Sessions: statements run one after another, and what comes of them.
//!
//! A session binds statements against its catalog. What is to run for ever collects in it until
//! [`Session::program`] makes one topology of all; queries that answer once are answered by
//! [`Session::select`].

mod answer;
mod naming;
mod create;
mod dead_letters;
mod insert;
mod inspect;
mod program;
mod select;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ferrisstreams_topology::ErrorPolicy;

use crate::ast::{DropObject, Query, Statement, StatementKind};
use crate::binder::{Binder, Bound, Problems};
use crate::catalog::Catalog;
use crate::error::{Code, Diagnostic, Severity};
use crate::lowering::{Insertion, Output};
use crate::optimizer::optimize;
use crate::parser;
use crate::plan::{self, Column, Plan, print, properties};
use crate::span::{Source, Span};
use ferrisstreams_topology::connector::{Connectors, Options};

pub use self::answer::{Answer, ResultSet, RowReader};
pub use self::program::{Changes, Program};
pub use self::select::{Select, SelectError};

/// Runs statements against a catalog.
pub struct Session {
    catalog: Catalog,
    connectors: Arc<dyn Connectors>,
    insertions: BTreeMap<String, Vec<Insertion>>,
    written: Vec<Written>,
    /// Where declared relations are, so that rows can be inserted there.
    places: BTreeMap<String, (String, Options)>,
    properties: BTreeMap<String, String>,
    on_error: ErrorPolicy,
    /// The statements that queries were made by.
    spans: BTreeMap<String, Span>,
}

/// A query whose rows go out.
#[derive(Clone)]
struct Written {
    /// The name of the query.
    name: String,
    what: What,
    output: Output,
    /// True where whoever runs the program is shown the rows.
    shown: bool,
    /// The columns that the keys of its records are made of, where they are seen.
    key: Vec<usize>,
    /// The first of the names that it may have, where it has none of its own and is known by its place.
    base: Option<String>,
}

#[derive(Clone)]
enum What {
    Query(Plan),
    Table(String),
}

/// What a script came to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// What each statement came to, in order; those that are wrong are left out.
    pub answers: Vec<Answer>,
    /// What is wrong with statements, and what is likely not meant so.
    pub diagnostics: Vec<Diagnostic>,
}

impl Outcome {
    /// True where some statement is wrong.
    pub fn has_errors(&self) -> bool {
        self.diagnostics
            .iter()
            .any(|diagnostic| diagnostic.severity() == Severity::Error)
    }
}

impl Session {
    /// A session that knows nothing yet.
    pub fn new(connectors: Arc<dyn Connectors>) -> Self {
        Session {
            catalog: Catalog::new(),
            connectors,
            insertions: BTreeMap::new(),
            written: Vec::new(),
            places: BTreeMap::new(),
            properties: BTreeMap::new(),
            on_error: ErrorPolicy::default(),
            spans: BTreeMap::new(),
        }
    }

    /// The streams and tables that it knows.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// Runs the statements of a text. All mistakes are told, and a statement that is right is run
    /// also where another one is wrong.
    pub fn execute(&mut self, source: &Source) -> Outcome {
        let parsed = parser::parse(source);
        let mut outcome = Outcome {
            answers: Vec::new(),
            diagnostics: parsed.diagnostics,
        };
        // What could not be created is not missed a second time by those who read it.
        let mut broken = BTreeSet::new();
        for statement in &parsed.statements {
            let known: BTreeSet<String> = self.names().collect();
            match self.statement(statement, &mut outcome.diagnostics) {
                Ok(answer) => {
                    let new: Vec<String> =
                        self.names().filter(|name| !known.contains(name)).collect();
                    let span: Span = statement.span.into();
                    self.spans.extend(new.into_iter().map(|name| (name, span)));
                    outcome.answers.push(answer);
                }
                Err(Problems(problems)) => {
                    broken.extend(created(statement));
                    let new = problems
                        .into_iter()
                        .filter(|problem| !is_about(problem, &broken));
                    outcome.diagnostics.extend(new);
                }
            }
        }
        outcome
    }

    /// The names of everything that was made.
    fn names(&self) -> impl Iterator<Item = String> {
        let relations = self
            .catalog
            .relations()
            .map(|relation| relation.name().to_owned());
        relations.chain(self.written.iter().map(|written| written.name.clone()))
    }

    /// Runs one statement.
    fn statement(
        &mut self,
        statement: &Statement,
        warnings: &mut Vec<Diagnostic>,
    ) -> Bound<Answer> {
        match &statement.kind {
            StatementKind::Query(query) => self.query(query, statement, warnings),
            StatementKind::CreateSource(create) => self.create_source(create, warnings),
            StatementKind::CreateDerived(create) => self.create_derived(create, warnings),
            StatementKind::CreateConnection(create) => self.create_connection(create),
            StatementKind::CreateType(create) => {
                Err(Diagnostic::not_supported("CREATE TYPE", create.name.span).into())
            }
            StatementKind::Insert(insert) => self.insert(insert, warnings),
            StatementKind::Drop(drop) => self.drop_object(drop),
            StatementKind::Show(show) => self.show(*show, statement.span.into()),
            StatementKind::Describe(describe) => self.describe(describe),
            StatementKind::Explain(explain) => self.explain(explain),
            StatementKind::Set { name, value } => self.set(name, value),
            StatementKind::Unset(name) => self.unset(name),
            StatementKind::Control(_) => {
                let what = "PAUSE, RESUME and TERMINATE of a single query";
                Err(Diagnostic::not_supported(what, statement.span).into())
            }
        }
    }

    fn binder(&self) -> Binder<'_> {
        Binder::new(&self.catalog, &*self.connectors)
    }

    /// A plan for a query that goes on, optimised.
    fn continuous(&self, query: &Query, warnings: &mut Vec<Diagnostic>) -> Bound<Plan> {
        let mut binder = self.binder();
        let plan = binder.continuous(query)?;
        warnings.append(&mut binder.warnings);
        Ok(optimize(plan).0)
    }

    fn query(
        &mut self,
        query: &Query,
        statement: &Statement,
        warnings: &mut Vec<Diagnostic>,
    ) -> Bound<Answer> {
        if query.emit.is_none() {
            let mut binder = self.binder();
            let plan = binder.once(query)?;
            warnings.append(&mut binder.warnings);
            let plan = optimize(plan).0;
            return Ok(Answer::Select(Select {
                plan,
                span: statement.span.into(),
            }));
        }
        let plan = self.continuous(query, warnings)?;
        let name = self.query_name("changes", &plan);
        let columns = plan.columns.clone();
        let known = properties(&plan);
        let key = match known.changes {
            plan::Changes::Updating => known.key.visible().unwrap_or_default(),
            plan::Changes::AppendOnly => Vec::new(),
        };
        self.written.push(Written {
            output: Output::rows(&name, Vec::new()),
            name: name.clone(),
            what: What::Query(plan),
            shown: true,
            key: key.clone(),
            base: None,
        });
        Ok(Answer::Changes(Changes { name, columns, key }))
    }

    /// A name for a query that has none: that of what it does, and a mark of what it computes, so that
    /// it is the same at every start whatever else the script says.
    fn query_name(&self, what: &str, plan: &Plan) -> String {
        let insertions = self
            .insertions
            .values()
            .flatten()
            .map(|insertion| &insertion.name);
        let taken: BTreeSet<&String> = self
            .written
            .iter()
            .map(|written| &written.name)
            .chain(insertions)
            .collect();
        naming::candidates(&base_name(what, plan))
            .find(|candidate| !taken.contains(candidate))
            .expect("there is always one more number")
    }

    fn drop_object(&mut self, drop: &crate::ast::DropStatement) -> Bound<Answer> {
        let name = drop.name.last();
        if drop.delete_topic {
            return Err(Diagnostic::not_supported("DELETE TOPIC", drop.name.span).into());
        }
        match drop.object {
            DropObject::Type => {
                return Err(Diagnostic::not_supported("DROP TYPE", drop.name.span).into());
            }
            DropObject::Connection => {
                if !self.catalog.remove_connection(&name.text) && !drop.if_exists {
                    let message = format!("no connection `{}`", name.text);
                    return Err(Diagnostic::new(Code::UnknownRelation, message, name.span).into());
                }
                return Ok(Answer::Done(format!("dropped connection {}", name.text)));
            }
            DropObject::Relation(_) => {}
        }
        let Some(relation) = self.catalog.relation(name) else {
            if drop.if_exists {
                return Ok(Answer::Done(format!("there is no {}", name.text)));
            }
            return Err(self.binder().unknown(&drop.name).into());
        };
        let (known, word) = (relation.name().to_owned(), relation.word());
        let readers = self.readers(&known);
        if !readers.is_empty() {
            let message = format!("{word} `{known}` is read by {}", readers.join(", "));
            return Err(Diagnostic::new(Code::DuplicateRelation, message, name.span)
                .help("drop what reads it first")
                .into());
        }
        self.forget(&known);
        Ok(Answer::Done(format!("dropped {word} {known}")))
    }

    fn forget(&mut self, name: &str) {
        self.catalog.remove(name);
        self.insertions.remove(name);
        self.places.remove(name);
        self.written
            .retain(|written| !matches!(&written.what, What::Table(table) if table == name));
    }

    /// The relations and queries that read a relation.
    fn readers(&self, name: &str) -> Vec<String> {
        let reads = |plan: &Plan| program::reads(plan, name);
        let relations = self.catalog.relations().filter(|relation| {
            let query = match relation {
                crate::catalog::Relation::Source(_) => None,
                crate::catalog::Relation::Stream(stream) => stream.query.as_ref(),
                crate::catalog::Relation::Table(table) => table.query.as_ref(),
            };
            query.is_some_and(reads)
        });
        let relations = relations.map(|relation| relation.name().to_owned());
        let written = self.written.iter().filter(|written| match &written.what {
            What::Query(plan) => reads(plan),
            What::Table(_) => false,
        });
        let written = written.map(|written| written.name.clone());
        let inserted = self
            .insertions
            .iter()
            .filter(|(_, insertions)| insertions.iter().any(|insertion| reads(&insertion.plan)));
        relations
            .chain(written)
            .chain(inserted.map(|(into, _)| format!("INSERT INTO {into}")))
            .collect()
    }

    fn set(
        &mut self,
        name: &crate::ast::PropertyName,
        value: &crate::ast::PropertyValue,
    ) -> Bound<Answer> {
        let key = name.text.to_ascii_lowercase().replace('_', ".");
        if key != "on.error" {
            let known = ["on.error"];
            return Err(Diagnostic::new(
                Code::UnknownOption,
                format!("no property `{}`", name.text),
                name.span,
            )
            .suggest_nearest(&key, known)
            .note("available", known.join(", "))
            .into());
        }
        let text = crate::binder::property_text(value)?;
        self.on_error = match &text.to_ascii_lowercase()[..] {
            "skip" => ErrorPolicy::Skip,
            "fail" => ErrorPolicy::Fail,
            _ => {
                let message = format!("on.error is skip or fail, not `{text}`");
                return Err(Diagnostic::new(Code::InvalidOption, message, value.span).into());
            }
        };
        self.properties.insert(key.clone(), text.clone());
        Ok(Answer::Done(format!("set {key} to {text}")))
    }

    fn unset(&mut self, name: &crate::ast::PropertyName) -> Bound<Answer> {
        let key = name.text.to_ascii_lowercase().replace('_', ".");
        if self.properties.remove(&key).is_none() {
            let message = format!("property `{}` is not set", name.text);
            return Err(Diagnostic::new(Code::UnknownOption, message, name.span).into());
        }
        self.on_error = ErrorPolicy::default();
        Ok(Answer::Done(format!("unset {key}")))
    }
}

/// The name that a statement would have created.
fn created(statement: &Statement) -> Option<String> {
    match &statement.kind {
        StatementKind::CreateSource(create) => Some(create.name.last().text.clone()),
        StatementKind::CreateDerived(create) => Some(create.name.last().text.clone()),
        _ => None,
    }
}

/// True where a mistake is only that something is missing that could not be created.
fn is_about(problem: &Diagnostic, broken: &BTreeSet<String>) -> bool {
    let quoted = |name: &String| problem.message().ends_with(&format!("`{name}`"));
    problem.code() == Code::UnknownRelation && broken.iter().any(quoted)
}

/// The columns of a plan as text, for what is told of it.
fn fingerprint(plan: &Plan) -> String {
    print(plan)
}

/// The first name that a query may have that has none of its own.
fn base_name(what: &str, plan: &Plan) -> String {
    let mark = fnv1a(fingerprint(plan).as_bytes());
    format!("{what}_{:08x}", (mark ^ (mark >> 32)) as u32)
}

/// The hash FNV-1a of 64 bits (Fowler, Noll and Vo, 1991), the same on every machine and in every version.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// A column of text.
fn text_column(name: &str) -> Column {
    Column {
        name: name.to_owned(),
        data_type: ferrisstreams_topology::data::DataType::TEXT,
        nullable: true,
    }
}

//! CREATE STREAM, TABLE, MATERIALIZED VIEW and CONNECTION.

use std::sync::Arc;

use super::answer::Answer;
use super::{Session, What, Written};
use crate::ast::{
    ColumnConstraintKind, ColumnDef, CreateConnection, CreateDerived, CreateMode, CreateSource,
    Name, Property, RelationWord,
};
use crate::binder::{Bound, Place, all, bind_type, declared, options, take_kind, told};
use crate::catalog::Relation;
use crate::error::{Code, Diagnostic};
use crate::lowering::Output;
use crate::plan::{Changes, Column, Key, KeyColumn, Plan, PlanKind, ScanKind, properties};
use crate::plan::{Source, Stream, Table, schema};
use crate::span::Span;
use ferrisstreams_topology::connector::{Options, SinkRequest, SourceKind, SourceRequest};

impl Session {
    pub(super) fn create_source(
        &mut self,
        create: &CreateSource,
        warnings: &mut Vec<Diagnostic>,
    ) -> Bound<Answer> {
        if let Some(answer) = self.is_taken(&create.name, create.mode)? {
            return Ok(answer);
        }
        if let Some(watermark) = &create.watermark {
            return Err(Diagnostic::not_supported("WATERMARK", watermark.span).into());
        }
        let is_table = match create.word {
            RelationWord::Stream => false,
            RelationWord::Table => true,
            RelationWord::MaterializedView | RelationWord::View => {
                return Err(Diagnostic::new(
                    Code::NotSupported,
                    "a view is made by a query",
                    create.name.span,
                )
                .help("CREATE MATERIALIZED VIEW name AS SELECT ...")
                .into());
            }
        };
        let (columns, key) = columns(create, is_table)?;
        let mut options = options(&create.properties)?;
        let kind = take_kind(&mut options, &create.properties)?;
        let expected = if is_table {
            SourceKind::Table
        } else {
            SourceKind::Stream
        };
        if kind.is_some_and(|kind| kind != expected) {
            let message = "kind contradicts the word behind CREATE";
            return Err(Diagnostic::new(Code::InvalidOption, message, create.name.span).into());
        }
        let name = create.name.last().text.clone();
        let word = if is_table { "table" } else { "stream" };
        let topic = options
            .remove("kafka_topic")
            .map(|topic| format!("kafka://{topic}"));
        let Some(uri) = create.from.as_ref().map(|uri| uri.text.clone()).or(topic) else {
            return self.create_inserted(create, columns, key, is_table, &options);
        };
        let request = SourceRequest {
            uri: uri.clone(),
            options: options.clone(),
            columns: columns
                .iter()
                .enumerate()
                .map(|(at, column)| declared(column, key.contains(&at)))
                .collect(),
            kind: Some(expected),
        };
        let place = Place {
            uri: create
                .from
                .as_ref()
                .map_or(create.name.span.into(), |uri| uri.span.into()),
            properties: &create.properties,
        };
        let mut binder = self.binder();
        let source = binder.source(&name, request, &place)?;
        warnings.append(&mut binder.warnings);
        self.forget(&name);
        self.places.insert(name.clone(), (uri, options));
        let relation = if is_table {
            Relation::Table(Arc::new(declared_table(&name, &source)))
        } else {
            Relation::Source(source)
        };
        self.catalog.insert(relation);
        Ok(Answer::Done(format!("created {word} {name}")))
    }

    /// A relation without a source: rows are inserted into it.
    fn create_inserted(
        &mut self,
        create: &CreateSource,
        columns: Vec<Column>,
        key: Vec<usize>,
        is_table: bool,
        options: &Options,
    ) -> Bound<Answer> {
        let name = create.name.last().text.clone();
        if columns.is_empty() {
            let message = format!("`{name}` has neither columns nor a source to find them in");
            return Err(Diagnostic::new(Code::UnexpectedEnd, message, create.name.span)
                .help(format!(
                    "CREATE TABLE {name} (id INT PRIMARY KEY, ...), or CREATE TABLE {name} FROM file:///path.csv"
                ))
                .into());
        }
        if let Some(option) = options.keys().next() {
            let message = format!("option `{option}` is for a source, and `{name}` has none");
            return Err(
                Diagnostic::new(Code::UnknownOption, message, create.name.span)
                    .help("name the source: FROM kafka://topic, or KAFKA_TOPIC = 'topic'")
                    .into(),
            );
        }
        self.forget(&name);
        let relation = if is_table {
            let columns_of_key = key.iter().map(|at| KeyColumn {
                data_type: columns[*at].data_type,
                column: Some(*at),
            });
            Relation::Table(Arc::new(Table {
                key: if key.is_empty() {
                    Key::Row
                } else {
                    Key::Columns(columns_of_key.collect())
                },
                name: name.clone(),
                columns,
                query: None,
                primary_key: key,
                declared: true,
            }))
        } else {
            Relation::Stream(Arc::new(Stream {
                name: name.clone(),
                columns,
                key,
                query: None,
            }))
        };
        let word = relation.word();
        self.catalog.insert(relation);
        Ok(Answer::Done(format!("created {word} {name}")))
    }

    pub(super) fn create_derived(
        &mut self,
        create: &CreateDerived,
        warnings: &mut Vec<Diagnostic>,
    ) -> Bound<Answer> {
        if let Some(answer) = self.is_taken(&create.name, create.mode)? {
            return Ok(answer);
        }
        let name = create.name.last().text.clone();
        let mut plan = self.continuous(&create.query, warnings)?;
        rename_columns(&mut plan, &create.columns, create.name.span.into())?;
        check_names(&plan, create.name.span.into())?;
        let mut options = options(&create.properties)?;
        let target = sink_of(&mut options);
        let known = properties(&plan);
        let is_stream = create.word == RelationWord::Stream;
        if is_stream && known.changes == Changes::Updating {
            let message = format!("the rows of `{name}` change, so it is a table");
            return Err(
                Diagnostic::new(Code::NotSupported, message, create.name.span)
                    .label("a stream is rows that only come")
                    .help(format!("CREATE TABLE {name} AS ..."))
                    .into(),
            );
        }
        if target.is_none()
            && let Some(option) = options.keys().next()
        {
            let place = crate::binder::property_span(&create.properties, option);
            let message = format!("option `{option}` is for a sink, and `{name}` has none");
            let place = place.unwrap_or(create.name.span.into());
            return Err(Diagnostic::new(Code::UnknownOption, message, place)
                .help("sink = 'uri' writes the rows out as well")
                .into());
        }
        let relation = if is_stream {
            Relation::Stream(Arc::new(Stream {
                name: name.clone(),
                columns: plan.columns.clone(),
                key: Vec::new(),
                query: Some(plan.clone()),
            }))
        } else {
            Relation::Table(Arc::new(Table {
                name: name.clone(),
                columns: plan.columns.clone(),
                key: if known.changes == Changes::AppendOnly {
                    Key::Row
                } else {
                    known.key.clone()
                },
                query: Some(plan.clone()),
                primary_key: Vec::new(),
                declared: false,
            }))
        };
        let written = match target {
            None => None,
            Some(uri) => {
                let key = (!is_stream).then(|| known.key.visible().unwrap_or_default());
                let place = place_of(&create.properties, create.name.span.into());
                Some(self.sink(&name, &uri, options, &plan.columns, key, &place)?)
            }
        };
        let word = relation.word();
        self.forget(&name);
        self.catalog.insert(relation);
        if let Some(output) = written {
            self.written.push(Written {
                name: format!("{name}.sink"),
                what: if is_stream {
                    What::Query(plan)
                } else {
                    What::Table(name.clone())
                },
                output,
                shown: false,
                key: Vec::new(),
                base: None,
            });
        }
        Ok(Answer::Done(format!("created {word} {name}")))
    }

    /// Asks the connectors for a sink.
    pub(super) fn sink(
        &mut self,
        name: &str,
        uri: &str,
        options: Options,
        columns: &[Column],
        key: Option<Vec<usize>>,
        place: &Place<'_>,
    ) -> Bound<Output> {
        let request = SinkRequest {
            uri: uri.to_owned(),
            options,
            schema: schema(columns),
            key,
        };
        let resolved = self
            .connectors
            .sink(&request)
            .map_err(|e| told(&e, place))?;
        Ok(Output::to(name, &resolved))
    }

    /// What a CREATE does whose name is taken: nothing, or it is an error, or it goes on.
    fn is_taken(&self, name: &Name, mode: CreateMode) -> Bound<Option<Answer>> {
        let Some(known) = self.catalog.relation(name.last()) else {
            return Ok(None);
        };
        let (word, known) = (known.word(), known.name());
        if mode.if_not_exists {
            return Ok(Some(Answer::Done(format!(
                "{word} {known} is there already"
            ))));
        }
        if mode.or_replace {
            let readers = self.readers(known);
            if readers.is_empty() {
                return Ok(None);
            }
            let message = format!("{word} `{known}` is read by {}", readers.join(", "));
            return Err(Diagnostic::new(Code::DuplicateRelation, message, name.span)
                .help("drop what reads it first")
                .into());
        }
        let message = format!("there is a {word} `{known}` already");
        Err(Diagnostic::new(Code::DuplicateRelation, message, name.span)
            .help("CREATE OR REPLACE replaces it, IF NOT EXISTS leaves it as it is")
            .into())
    }

    pub(super) fn create_connection(&mut self, create: &CreateConnection) -> Bound<Answer> {
        let name = &create.name.text;
        if self.catalog.connection(name).is_some() && !create.mode.or_replace {
            if create.mode.if_not_exists {
                return Ok(Answer::Done(format!("connection {name} is there already")));
            }
            let message = format!("there is a connection `{name}` already");
            return Err(Diagnostic::new(Code::DuplicateRelation, message, create.name.span).into());
        }
        let options = options(&create.properties)?;
        self.connectors.connect(name, &options).map_err(|e| {
            let place = Place {
                uri: create.name.span.into(),
                properties: &create.properties,
            };
            told(&e, &place)
        })?;
        self.catalog.insert_connection(name, options);
        Ok(Answer::Done(format!("created connection {name}")))
    }
}

/// The URI of the sink that the options of a derived relation name.
fn sink_of(options: &mut Options) -> Option<String> {
    let topic = options
        .remove("kafka_topic")
        .map(|topic| format!("kafka://{topic}"));
    options.remove("sink").or(topic)
}

pub(super) fn place_of(properties: &[Property], otherwise: Span) -> Place<'_> {
    let sink = properties.iter().find(|property| property.name.is("sink"));
    Place {
        uri: sink.map_or(otherwise, |property| property.value.span.into()),
        properties,
    }
}

/// The table that a source holds.
fn declared_table(name: &str, source: &Arc<Source>) -> Table {
    let all: Vec<usize> = (0..source.columns.len()).collect();
    let scan = Plan {
        columns: source.columns.clone(),
        kind: PlanKind::Scan {
            source: source.clone(),
            kind: ScanKind::Table,
            projection: all,
            filter: None,
        },
    };
    Table {
        name: name.to_owned(),
        columns: source.columns.clone(),
        key: properties(&scan).key,
        query: Some(scan),
        primary_key: source.key.clone(),
        declared: true,
    }
}

/// The columns that are declared, and those among them that are the key.
fn columns(create: &CreateSource, is_table: bool) -> Bound<(Vec<Column>, Vec<usize>)> {
    let columns = all(create.columns.iter().map(column).collect::<Vec<_>>())?;
    for (at, column) in create.columns.iter().enumerate() {
        let before = &create.columns[..at];
        if let Some(first) = before
            .iter()
            .find(|other| column.name.matches(&other.name.text))
        {
            let message = format!("there are two columns `{}`", column.name.text);
            return Err(
                Diagnostic::new(Code::DuplicateColumn, message, column.name.span)
                    .secondary(first.name.span, "the first")
                    .into(),
            );
        }
    }
    let mut key = Vec::new();
    for (at, column) in create.columns.iter().enumerate() {
        for constraint in &column.constraints {
            match (&constraint.kind, is_table) {
                (ColumnConstraintKind::PrimaryKey, true) | (ColumnConstraintKind::Key, false) => {
                    key.push(at);
                }
                (ColumnConstraintKind::PrimaryKey, false) => {
                    let message = "a stream has a KEY, not a PRIMARY KEY";
                    return Err(
                        Diagnostic::new(Code::MisplacedClause, message, constraint.span)
                            .help("write KEY, or create a table")
                            .into(),
                    );
                }
                (ColumnConstraintKind::Key, true) => {
                    let message = "a table has a PRIMARY KEY, not a KEY";
                    return Err(
                        Diagnostic::new(Code::MisplacedClause, message, constraint.span)
                            .help("write PRIMARY KEY, or create a stream")
                            .into(),
                    );
                }
                (ColumnConstraintKind::Headers | ColumnConstraintKind::Header(_), _) => {
                    return Err(
                        Diagnostic::not_supported("a column of headers", constraint.span).into(),
                    );
                }
                (ColumnConstraintKind::NotNull | ColumnConstraintKind::Null, _) => {}
            }
        }
    }
    if let Some(primary) = &create.primary_key {
        if !key.is_empty() {
            let message = "the key is given twice";
            return Err(Diagnostic::new(Code::DuplicateClause, message, primary.span).into());
        }
        for name in &primary.columns {
            let found = create
                .columns
                .iter()
                .position(|column| name.matches(&column.name.text));
            match found {
                Some(at) => key.push(at),
                None => {
                    let known = create.columns.iter().map(|column| &column.name.text[..]);
                    let message = format!("no column `{}`", name.text);
                    return Err(Diagnostic::new(Code::UnknownColumn, message, name.span)
                        .suggest_nearest(&name.text, known)
                        .into());
                }
            }
        }
    }
    let mut columns = columns;
    if is_table {
        for at in &key {
            columns[*at].nullable = false;
        }
    }
    Ok((columns, key))
}

fn column(column: &ColumnDef) -> Bound<Column> {
    let not_null = column
        .constraints
        .iter()
        .any(|constraint| matches!(constraint.kind, ColumnConstraintKind::NotNull));
    Ok(Column {
        name: column.name.text.clone(),
        data_type: bind_type(&column.data_type)?,
        nullable: !not_null,
    })
}

fn rename_columns(plan: &mut Plan, names: &[crate::ast::Ident], span: Span) -> Bound<()> {
    if names.is_empty() {
        return Ok(());
    }
    if names.len() != plan.columns.len() {
        let message = format!(
            "the query has {} columns, and {} names are given",
            plan.columns.len(),
            names.len()
        );
        return Err(Diagnostic::new(Code::DuplicateColumn, message, span).into());
    }
    for (column, name) in plan.columns.iter_mut().zip(names) {
        column.name.clone_from(&name.text);
    }
    Ok(())
}

/// The columns of a relation have different names.
fn check_names(plan: &Plan, span: Span) -> Bound<()> {
    for (at, column) in plan.columns.iter().enumerate() {
        let same = |other: &Column| other.name.eq_ignore_ascii_case(&column.name);
        if plan.columns[..at].iter().any(same) {
            let message = format!("the query gives two columns `{}`", column.name);
            return Err(Diagnostic::new(Code::DuplicateColumn, message, span)
                .help("name one of them otherwise: expression AS name")
                .into());
        }
    }
    Ok(())
}

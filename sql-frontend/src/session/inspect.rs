//! SHOW, DESCRIBE and EXPLAIN.

use super::answer::{Answer, ResultSet};
use super::{Outcome, Session};
use crate::aggregates;
use crate::ast::{
    self, DescribeTarget, Explain, ExplainStage, ExplainTarget, NameOrUri, Query, Show, ShowWhat,
    Statement, StatementKind,
};
use crate::binder::Bound;
use crate::catalog::Relation;
use crate::error::{Code, Diagnostic};
use crate::functions;
use crate::lowering::{Lowering, Output, Surroundings};
use crate::optimizer::optimize;
use crate::parser;
use crate::plan::{Column, Plan, print};
use crate::span::{Source, Span};

impl Session {
    pub(super) fn show(&self, show: Show, span: Span) -> Bound<Answer> {
        let relations = |wanted: fn(&Relation) -> bool| {
            let rows = self
                .catalog
                .relations()
                .filter(|relation| wanted(relation))
                .map(|relation| {
                    let from = match relation {
                        Relation::Source(source) => source.location.clone(),
                        Relation::Stream(stream) if stream.query.is_some() => "a query".to_owned(),
                        Relation::Table(table) => match &table.query {
                            Some(plan) if table.declared => scanned(plan),
                            Some(_) => "a query".to_owned(),
                            None => "INSERT".to_owned(),
                        },
                        Relation::Stream(_) => "INSERT".to_owned(),
                    };
                    vec![relation.name().to_owned(), relation.word().to_owned(), from]
                });
            ResultSet::of_text(&["name", "kind", "from"], rows.collect())
        };
        let rows = match show.what {
            ShowWhat::Streams => relations(|relation| !relation.is_table()),
            ShowWhat::Tables => relations(Relation::is_table),
            ShowWhat::All => relations(|_| true),
            ShowWhat::Queries => return Ok(Answer::Queries),
            ShowWhat::Functions => {
                let mut names: Vec<&str> = functions::names().chain(aggregates::names()).collect();
                names.sort_unstable();
                names.dedup();
                let rows = names.into_iter().map(|name| {
                    let kind = if aggregates::lookup(name).is_some() {
                        "aggregate"
                    } else {
                        "scalar"
                    };
                    vec![name.to_owned(), kind.to_owned()]
                });
                ResultSet::of_text(&["name", "kind"], rows.collect())
            }
            ShowWhat::Connections => {
                let rows = self
                    .catalog
                    .connections()
                    .map(|(name, _)| vec![name.to_owned()]);
                ResultSet::of_text(&["name"], rows.collect())
            }
            ShowWhat::Properties => {
                let rows = self
                    .properties
                    .iter()
                    .map(|(name, value)| vec![name.clone(), value.clone()]);
                ResultSet::of_text(&["name", "value"], rows.collect())
            }
            ShowWhat::Types => return Err(Diagnostic::not_supported("SHOW TYPES", span).into()),
            ShowWhat::Topics => return Err(Diagnostic::not_supported("SHOW TOPICS", span).into()),
        };
        Ok(Answer::Rows(rows))
    }

    /// The queries that go on, where their rows go, and what `state` says of how each stands.
    pub fn queries(&self, state: &dyn Fn(&str) -> String) -> ResultSet {
        let row = |name: &str, to: &str| vec![name.to_owned(), to.to_owned(), state(name)];
        let tables = self
            .catalog
            .relations()
            .filter_map(|relation| match relation {
                Relation::Table(table) if !table.declared => Some(row(&table.name, "a table")),
                _ => None,
            });
        let written = self.written.iter().map(|written| {
            let to = if written.shown {
                "the terminal"
            } else {
                &written.output.name
            };
            row(&written.name, to)
        });
        let rows = tables.chain(written).collect();
        ResultSet::of_text(&["name", "to", "state"], rows)
    }

    pub(super) fn describe(&mut self, describe: &ast::Describe) -> Bound<Answer> {
        match &describe.target {
            DescribeTarget::Relation(NameOrUri::Name(name)) => {
                let Some(relation) = self.catalog.relation(name.last()) else {
                    return Err(self.binder().unknown(name).into());
                };
                let key = match relation {
                    Relation::Source(source) if source.key.is_empty() => {
                        source.declared_key.clone()
                    }
                    Relation::Source(source) => source.key.clone(),
                    Relation::Stream(stream) => stream.key.clone(),
                    Relation::Table(table) => table.key.visible().unwrap_or_default(),
                };
                Ok(Answer::Rows(fields(relation.columns(), &key)))
            }
            DescribeTarget::Relation(NameOrUri::Uri(uri)) => {
                let mut binder = self.binder();
                let source = binder.undeclared(uri)?;
                Ok(Answer::Rows(fields(&source.columns, &source.key)))
            }
            DescribeTarget::Function(name) => {
                let wanted = &name.last().text;
                let signatures = functions::signatures(wanted);
                if !signatures.is_empty() {
                    let rows = signatures
                        .into_iter()
                        .map(|signature| vec![signature])
                        .collect();
                    return Ok(Answer::Rows(ResultSet::of_text(&["signature"], rows)));
                }
                if aggregates::lookup(wanted).is_some() {
                    let row = vec![format!(
                        "{}(value) over the rows of a group",
                        wanted.to_uppercase()
                    )];
                    return Ok(Answer::Rows(ResultSet::of_text(&["signature"], vec![row])));
                }
                let message = format!("no function `{wanted}`");
                Err(Diagnostic::new(Code::UnknownFunction, message, name.span)
                    .suggest_nearest(wanted, functions::names().chain(aggregates::names()))
                    .into())
            }
            DescribeTarget::Connection(name) => {
                let wanted = &name.last().text;
                match self.catalog.connection(wanted) {
                    Some(options) => {
                        let rows = options.iter().map(|(name, value)| {
                            let property = ast::PropertyName {
                                text: name.clone(),
                                span: Default::default(),
                            };
                            let shown = if property.is_secret() {
                                "***".to_owned()
                            } else {
                                value.clone()
                            };
                            vec![name.clone(), shown]
                        });
                        Ok(Answer::Rows(ResultSet::of_text(
                            &["option", "value"],
                            rows.collect(),
                        )))
                    }
                    None => {
                        let known: Vec<&str> =
                            self.catalog.connections().map(|(name, _)| name).collect();
                        let message = format!("no connection `{wanted}`");
                        Err(Diagnostic::new(Code::UnknownRelation, message, name.span)
                            .suggest_nearest(wanted, known)
                            .into())
                    }
                }
            }
            DescribeTarget::Type(name) => {
                Err(Diagnostic::not_supported("DESCRIBE TYPE", name.span).into())
            }
        }
    }

    pub(super) fn explain(&mut self, explain: &Explain) -> Bound<Answer> {
        if explain.analyze {
            return Err(Diagnostic::not_supported("EXPLAIN ANALYZE", Span::default()).into());
        }
        let all = [
            ExplainStage::Ast,
            ExplainStage::Plan,
            ExplainStage::Optimized,
            ExplainStage::Topology,
        ];
        let stages = if explain.stages.is_empty() {
            &all[..]
        } else {
            &explain.stages
        };
        let text = match &explain.target {
            ExplainTarget::Statement(statement) => self.explained(statement, stages)?,
            ExplainTarget::Name(name) => {
                let relation = self.catalog.relation(name.last()).cloned();
                let plan = match relation {
                    Some(Relation::Table(table)) => table.query.clone(),
                    Some(Relation::Stream(stream)) => stream.query.clone(),
                    Some(Relation::Source(_)) | None => None,
                };
                let Some(plan) = plan else {
                    let message = format!("no query `{}`", name.last().text);
                    return Err(Diagnostic::new(Code::UnknownRelation, message, name.span).into());
                };
                let mut text = String::new();
                for stage in stages {
                    match stage {
                        ExplainStage::Ast | ExplainStage::Plan => {}
                        ExplainStage::Optimized => section(&mut text, "optimized", &print(&plan)),
                        ExplainStage::Topology => {
                            section(
                                &mut text,
                                "topology",
                                &self.topology_of(&plan, name.span.into())?,
                            );
                        }
                    }
                }
                text
            }
        };
        Ok(Answer::Text(text))
    }

    /// Runs the statements of a text as [`execute`](Session::execute) does, and shows for each that has
    /// a query what becomes of it on the way to a topology.
    pub fn explain_script(&mut self, source: &Source) -> Outcome {
        let parsed = parser::parse(source);
        let mut outcome = Outcome {
            answers: Vec::new(),
            diagnostics: parsed.diagnostics,
        };
        let stages = [
            ExplainStage::Plan,
            ExplainStage::Optimized,
            ExplainStage::Topology,
        ];
        for statement in &parsed.statements {
            let text = match queried(statement) {
                Some(_) => self.explained(statement, &stages).map(Some),
                None => Ok(None),
            };
            let ran = self.statement(statement, &mut outcome.diagnostics);
            match (text, ran) {
                (Ok(Some(text)), Ok(_)) => {
                    let words = source.slice(*statement.span);
                    outcome
                        .answers
                        .push(Answer::Text(format!("{words}\n\n{text}")));
                }
                (Ok(None), Ok(answer)) => outcome.answers.push(answer),
                (_, Err(problems)) | (Err(problems), _) => outcome.diagnostics.extend(problems.0),
            }
        }
        outcome
    }

    /// The stages that a statement goes through, each under its name.
    fn explained(&self, statement: &Statement, stages: &[ExplainStage]) -> Bound<String> {
        let Some(query) = queried(statement) else {
            let what = "EXPLAIN of a statement without a query";
            return Err(Diagnostic::not_supported(what, statement.span).into());
        };
        let once = matches!(&statement.kind, StatementKind::Query(query) if query.emit.is_none());
        let mut binder = self.binder();
        let bound = if once {
            binder.once(query)?
        } else {
            binder.continuous(query)?
        };
        let mut text = String::new();
        for stage in stages {
            match stage {
                ExplainStage::Ast => section(&mut text, "ast", &ast::dump(statement)),
                ExplainStage::Plan => section(&mut text, "plan", &print(&bound)),
                ExplainStage::Optimized => {
                    let (_, applied) = optimize(bound.clone());
                    for rule in applied {
                        section(
                            &mut text,
                            &format!("optimized by: {}", rule.rule),
                            &rule.plan,
                        );
                    }
                }
                ExplainStage::Topology => {
                    let (mut plan, _) = optimize(bound.clone());
                    while let crate::plan::PlanKind::Sort { input, .. }
                    | crate::plan::PlanKind::Limit { input, .. } = plan.kind
                    {
                        plan = *input;
                    }
                    section(
                        &mut text,
                        "topology",
                        &self.topology_of(&plan, statement.span.into())?,
                    );
                }
            }
        }
        Ok(text)
    }

    fn topology_of(&self, plan: &Plan, span: Span) -> Bound<String> {
        let mut lowering = Lowering::new(Surroundings {
            insertions: &self.insertions,
            snapshot: None,
            on_cluster: false,
            sends_letters: false,
            on_error: &self.on_error,
        });
        let output = Output::rows("result", Vec::new());
        lowering
            .write("query", plan, &output)
            .map_err(|problem| problem.at(span))?;
        let topology = lowering
            .build()
            .map_err(|e| Diagnostic::new(Code::NotSupported, e.to_string(), span))?;
        Ok(topology.describe())
    }
}

/// The query of a statement that has one.
fn queried(statement: &Statement) -> Option<&Query> {
    match &statement.kind {
        StatementKind::Query(query) => Some(query),
        StatementKind::CreateDerived(create) => Some(&create.query),
        StatementKind::Insert(insert) => Some(&insert.query),
        _ => None,
    }
}

fn section(text: &mut String, title: &str, body: &str) {
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(&format!("== {title} ==\n{}\n", body.trim_end()));
}

fn fields(columns: &[Column], key: &[usize]) -> ResultSet {
    let rows = columns.iter().enumerate().map(|(at, column)| {
        let is_key = if key.contains(&at) { "key" } else { "" };
        let null = if column.nullable { "" } else { "not null" };
        vec![
            column.name.clone(),
            column.data_type.to_string(),
            null.to_owned(),
            is_key.to_owned(),
        ]
    });
    ResultSet::of_text(&["column", "type", "null", "key"], rows.collect())
}

fn scanned(plan: &Plan) -> String {
    match &plan.kind {
        crate::plan::PlanKind::Scan { source, .. } => source.location.clone(),
        _ => String::new(),
    }
}

//! Statements.

use super::expression::expr;
use super::query::{columns, query};
use super::tree::Tree;
use crate::ast::literal::Literal;
use crate::ast::name::{NameOrUri, Uri};
use crate::ast::property::{Property, PropertyName, PropertyValue, PropertyValueKind};
use crate::ast::statement::{
    ColumnDef, CreateDerived, CreateMode, CreateSource, Explain, ExplainTarget, Insert, Statement,
    StatementKind,
};

/// The tree of a statement, one node a line, indented by two spaces a level.
///
/// ```
/// use ferrisstreams_sql_frontend::{ast, parser, span::Source};
///
/// let source = Source::new("input", "SELECT a + 1 AS b FROM t");
/// let statements = parser::parse_statements(&source).expect("it is legal");
/// assert_eq!(
///     ast::dump(&statements[0]),
///     "Query
///   Select
///     Items
///       As b
///         Binary +
///           Column a
///           Literal 1
///     From
///       Relation t
/// "
/// );
/// ```
pub fn dump(statement: &Statement) -> String {
    let mut tree = Tree::default();
    self::statement(&mut tree, statement);
    tree.into_text()
}

fn statement(tree: &mut Tree, statement: &Statement) {
    match &statement.kind {
        StatementKind::Query(q) => query(tree, q),
        StatementKind::CreateSource(create) => create_source(tree, create),
        StatementKind::CreateDerived(create) => create_derived(tree, create),
        StatementKind::CreateConnection(create) => {
            let line = format!("Create CONNECTION {}{}", create.name, mode(create.mode));
            tree.node(line, |tree| properties(tree, &create.properties));
        }
        StatementKind::CreateType(create) => {
            let (name, data_type) = (&create.name, &create.data_type);
            tree.leaf(format_args!(
                "Create TYPE {name}{} AS {data_type}",
                mode(create.mode)
            ));
        }
        StatementKind::Insert(insert) => self::insert(tree, insert),
        StatementKind::Explain(explain) => self::explain(tree, explain),
        StatementKind::Set { name, value } => {
            tree.leaf(format_args!("Set {name} = {}", shown(name, value)));
        }
        // The others have no parts, and their SQL is one line.
        StatementKind::Drop(_)
        | StatementKind::Show(_)
        | StatementKind::Describe(_)
        | StatementKind::Unset(_)
        | StatementKind::Control(_) => tree.leaf(statement),
    }
}

fn mode(mode: CreateMode) -> &'static str {
    match (mode.or_replace, mode.if_not_exists) {
        (false, false) => "",
        (true, false) => " OR REPLACE",
        (false, true) => " IF NOT EXISTS",
        (true, true) => " OR REPLACE IF NOT EXISTS",
    }
}

fn create_source(tree: &mut Tree, create: &CreateSource) {
    let read_only = if create.read_only { "SOURCE " } else { "" };
    let line = format!(
        "Create {read_only}{} {}{}",
        create.word,
        create.name,
        mode(create.mode)
    );
    tree.node(line, |tree| {
        create.columns.iter().for_each(|one| column(tree, one));
        if let Some(key) = &create.primary_key {
            tree.leaf(format_args!("PrimaryKey{}", columns(&key.columns)));
        }
        if let Some(watermark) = &create.watermark {
            tree.node(format_args!("Watermark {}", watermark.column), |tree| {
                expr(tree, &watermark.expr);
            });
        }
        if let Some(uri) = &create.from {
            tree.leaf(format_args!("Source {}", uri.redacted()));
        }
        properties(tree, &create.properties);
    });
}

fn column(tree: &mut Tree, column: &ColumnDef) {
    let constraints: String = column
        .constraints
        .iter()
        .map(|one| format!(" {one}"))
        .collect();
    tree.leaf(format_args!(
        "Column {} {}{constraints}",
        column.name, column.data_type
    ));
}

fn create_derived(tree: &mut Tree, create: &CreateDerived) {
    let columns = columns(&create.columns);
    let line = format!(
        "Create {} {}{columns}{}",
        create.word,
        create.name,
        mode(create.mode)
    );
    tree.node(line, |tree| {
        properties(tree, &create.properties);
        query(tree, &create.query);
    });
}

fn insert(tree: &mut Tree, insert: &Insert) {
    let target = match &insert.target {
        NameOrUri::Name(name) => name.to_string(),
        NameOrUri::Uri(uri) => uri.redacted(),
    };
    tree.node(
        format_args!("Insert {target}{}", columns(&insert.columns)),
        |tree| {
            properties(tree, &insert.properties);
            query(tree, &insert.query);
        },
    );
}

fn explain(tree: &mut Tree, explain: &Explain) {
    let analyze = if explain.analyze { " ANALYZE" } else { "" };
    let stages: String = explain
        .stages
        .iter()
        .map(|stage| format!(" {stage}"))
        .collect();
    tree.node(
        format_args!("Explain{analyze}{stages}"),
        |tree| match &explain.target {
            ExplainTarget::Statement(target) => statement(tree, target),
            ExplainTarget::Name(name) => tree.leaf(format_args!("Name {name}")),
        },
    );
}

fn properties(tree: &mut Tree, properties: &[Property]) {
    tree.list("Properties", properties, property);
}

/// Adds a property, its value hidden if it is a secret.
pub(super) fn property(tree: &mut Tree, property: &Property) {
    tree.leaf(format_args!(
        "{} = {}",
        property.name,
        shown(&property.name, &property.value)
    ));
}

fn shown(name: &PropertyName, value: &PropertyValue) -> String {
    match &value.kind {
        _ if name.is_secret() => "***".to_owned(),
        PropertyValueKind::Literal(Literal::String(text)) => {
            let (text, span) = (text.clone(), value.span);
            Literal::String(Uri { text, span }.redacted()).to_string()
        }
        _ => value.to_string(),
    }
}

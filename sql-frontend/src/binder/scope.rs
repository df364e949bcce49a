//! The columns that names can mean at some place of a query.

use ferrisstreams_topology::data::DataType;

use crate::ast::{Ident, Name};
use crate::error::{Code, Diagnostic};
use crate::plan::{Column, Plan, Scalar};
use crate::span::Span;

/// Columns by the relations that they come from, in the order of the plan's columns.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    columns: Vec<ScopeColumn>,
}

/// A column that a name can mean.
#[derive(Clone, Debug)]
pub(super) struct ScopeColumn {
    /// What the relation is called here.
    pub(super) relation: Option<Ident>,
    pub(super) name: String,
    pub(super) data_type: DataType,
    pub(super) nullable: bool,
    /// True for a column that an unqualified name and `*` pass over: the right one of a USING pair.
    pub(super) hidden: bool,
}

impl Scope {
    /// The columns of a plan, as those of a relation of this name.
    pub(super) fn of(plan: &Plan, relation: Option<&Ident>) -> Self {
        Scope::named(&plan.columns, relation)
    }

    pub(super) fn named(columns: &[Column], relation: Option<&Ident>) -> Self {
        Scope {
            columns: columns
                .iter()
                .map(|column| ScopeColumn {
                    relation: relation.cloned(),
                    name: column.name.clone(),
                    data_type: column.data_type,
                    nullable: column.nullable,
                    hidden: false,
                })
                .collect(),
        }
    }

    /// The columns of two sides of a join.
    pub(super) fn join(mut self, right: Scope) -> Self {
        self.columns.extend(right.columns);
        self
    }

    pub(super) fn columns(&self) -> &[ScopeColumn] {
        &self.columns
    }

    pub(super) fn len(&self) -> usize {
        self.columns.len()
    }

    pub(super) fn hide(&mut self, index: usize) {
        self.columns[index].hidden = true;
    }

    pub(super) fn set_nullable(&mut self, range: std::ops::Range<usize>) {
        for column in &mut self.columns[range] {
            column.nullable = true;
        }
    }

    /// The names of the relations, in order.
    pub(super) fn relations(&self) -> Vec<&Ident> {
        let mut relations: Vec<&Ident> = Vec::new();
        for column in &self.columns {
            if let Some(relation) = &column.relation
                && !relations.iter().any(|known| known.text == relation.text)
            {
                relations.push(relation);
            }
        }
        relations
    }

    /// A column as an expression.
    pub(super) fn scalar(&self, index: usize, span: Span) -> Scalar {
        let column = &self.columns[index];
        Scalar::column(index, column.data_type, column.nullable, span)
    }

    /// The columns that a name may mean.
    fn candidates(&self, name: &Name) -> Vec<usize> {
        let (column, relation) = match name.parts.as_slice() {
            [column] => (column, None),
            [relation, column] => (column, Some(relation)),
            _ => return Vec::new(),
        };
        let fits = |known: &ScopeColumn| {
            column.matches(&known.name)
                && match relation {
                    Some(relation) => known
                        .relation
                        .as_ref()
                        .is_some_and(|known| relation.matches(&known.text)),
                    None => !known.hidden,
                }
        };
        let all = self.columns.iter().enumerate();
        all.filter(|(_, known)| fits(known))
            .map(|(at, _)| at)
            .collect()
    }

    /// The column that a name means, if it means one and only one.
    pub(super) fn find(&self, name: &Name) -> Option<usize> {
        match self.candidates(name)[..] {
            [only] => Some(only),
            _ => None,
        }
    }

    /// The column that a name means.
    pub(super) fn resolve(&self, name: &Name) -> Result<Scalar, Diagnostic> {
        match self.candidates(name)[..] {
            [only] => Ok(self.scalar(only, name.span.into())),
            [] => Err(self.unknown(name)),
            [..] => Err(self.ambiguous(name)),
        }
    }

    fn ambiguous(&self, name: &Name) -> Diagnostic {
        let column = &name.last().text;
        let fitting: Vec<String> = self
            .candidates(name)
            .into_iter()
            .filter_map(|at| {
                let relation = self.columns[at].relation.as_ref()?;
                Some(format!("{}.{}", relation.text, self.columns[at].name))
            })
            .collect();
        let message = format!("column `{column}` is ambiguous");
        Diagnostic::new(Code::AmbiguousColumn, message, name.span)
            .label("fits more than one column")
            .help(format!("write {}", fitting.join(" or ")))
    }

    fn unknown(&self, name: &Name) -> Diagnostic {
        let column = name.last();
        let relation = match name.parts.as_slice() {
            [relation, _] => Some(relation),
            _ => None,
        };
        if let Some(relation) = relation
            && !self
                .relations()
                .iter()
                .any(|known| relation.matches(&known.text))
        {
            let known: Vec<&str> = self
                .relations()
                .iter()
                .map(|known| &known.text[..])
                .collect();
            let message = format!("no relation `{}` in FROM", relation.text);
            return Diagnostic::new(Code::UnknownRelation, message, relation.span)
                .label("not found")
                .note("available", known.join(", "))
                .suggest_nearest(&relation.text, known);
        }
        let here = |known: &&ScopeColumn| match relation {
            Some(relation) => known
                .relation
                .as_ref()
                .is_some_and(|r| relation.matches(&r.text)),
            None => true,
        };
        let known: Vec<&str> = self
            .columns
            .iter()
            .filter(here)
            .map(|c| &c.name[..])
            .collect();
        let relations: Vec<String> = match relation {
            Some(relation) => vec![relation.text.clone()],
            None => self
                .relations()
                .iter()
                .map(|known| known.text.clone())
                .collect(),
        };
        let of = if relations.is_empty() {
            String::new()
        } else {
            format!(" in {}", relations.join(", "))
        };
        let mut diagnostic = Diagnostic::new(
            Code::UnknownColumn,
            format!("no column `{}`{of}", column.text),
            column.span,
        )
        .label("not found");
        if !known.is_empty() {
            diagnostic = diagnostic.note("available", known.join(", "));
        }
        diagnostic.suggest_nearest(&column.text, known)
    }
}

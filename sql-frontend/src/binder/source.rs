//! Sources: what a URI and its options stand for.

use std::sync::Arc;

use super::Binder;
use super::problems::{Bound, Problems};
use crate::ast::{Literal, Property, PropertyValue, PropertyValueKind, Uri};
use crate::error::{Code, Diagnostic};
use crate::plan::Source;
use crate::plan::{Column, ScanKind};
use crate::span::Span;
use ferrisstreams_topology::connector::{
    ConnectorError, ConnectorErrorKind, DeclaredColumn, Options, SourceKind, SourceRequest,
};

/// A source that is named by its URI alone.
pub(super) fn undeclared(
    binder: &mut Binder<'_>,
    uri: &Uri,
    properties: &[Property],
) -> Bound<Arc<Source>> {
    let mut options = options(properties)?;
    let kind = take_kind(&mut options, properties)?;
    let request = SourceRequest {
        uri: uri.text.clone(),
        options,
        columns: Vec::new(),
        kind,
    };
    let place = Place {
        uri: uri.span.into(),
        properties,
    };
    binder.source(&uri.redacted(), request, &place)
}

/// Where a source is written, for what is wrong with it.
pub(crate) struct Place<'a> {
    pub(crate) uri: Span,
    pub(crate) properties: &'a [Property],
}

impl Binder<'_> {
    /// Asks the connectors for a source.
    pub(crate) fn source(
        &mut self,
        name: &str,
        request: SourceRequest,
        place: &Place<'_>,
    ) -> Bound<Arc<Source>> {
        let resolved = self
            .connectors
            .source(&request)
            .map_err(|e| told(&e, place))?;
        let columns = resolved.schema.fields().iter().map(|field| Column {
            name: field.name.clone(),
            data_type: field.data_type,
            nullable: field.nullable,
        });
        let kind = match request.kind.or(resolved.kind) {
            Some(SourceKind::Stream) => ScanKind::Stream,
            Some(SourceKind::Table) => ScanKind::Table,
            None => ScanKind::Open,
        };
        Ok(Arc::new(Source {
            name: name.to_owned(),
            location: resolved.source.describe().location,
            columns: columns.collect(),
            key: resolved.key.clone(),
            declared_key: request.declared_key(),
            kind,
            resolved,
        }))
    }
}

/// `WITH (kind = 'table')` says what a source that can be either is.
pub(crate) fn take_kind(
    options: &mut Options,
    properties: &[Property],
) -> Result<Option<SourceKind>, Diagnostic> {
    let Some(kind) = options.remove("kind") else {
        return Ok(None);
    };
    match &kind.to_ascii_lowercase()[..] {
        "stream" => Ok(Some(SourceKind::Stream)),
        "table" => Ok(Some(SourceKind::Table)),
        _ => {
            let place = property_span(properties, "kind").unwrap_or_default();
            let message = format!("kind is stream or table, not `{kind}`");
            Err(Diagnostic::new(Code::InvalidOption, message, place))
        }
    }
}

/// Properties as options: names in lower case, values as text.
pub(crate) fn options(properties: &[Property]) -> Bound<Options> {
    let mut options = Options::new();
    let mut problems = Vec::new();
    for property in properties {
        let name = property.name.text.to_ascii_lowercase();
        let value = match property_text(&property.value) {
            Ok(value) => value,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        if options.insert(name.clone(), value).is_some() {
            let message = format!("option `{name}` is given twice");
            problems.push(Diagnostic::new(
                Code::DuplicateClause,
                message,
                property.span,
            ));
        }
    }
    if problems.is_empty() {
        Ok(options)
    } else {
        Err(Problems(problems))
    }
}

/// The value of a property as text.
pub(crate) fn property_text(value: &PropertyValue) -> Result<String, Diagnostic> {
    match &value.kind {
        PropertyValueKind::Word(word) => Ok(word.text.clone()),
        PropertyValueKind::Literal(literal) => match literal {
            Literal::String(text)
            | Literal::Integer(text)
            | Literal::Decimal(text)
            | Literal::Float(text) => Ok(text.clone()),
            Literal::Boolean(value) => Ok(value.to_string()),
            Literal::Null => {
                let message = "an option cannot be NULL";
                Err(Diagnostic::new(Code::InvalidOption, message, value.span))
            }
        },
    }
}

/// Where the property of a name stands; case, `-`, `.` and `_` do not count.
pub(crate) fn property_span(properties: &[Property], name: &str) -> Option<Span> {
    let same = |property: &&Property| {
        let plain = |text: &str| text.to_ascii_lowercase().replace(['-', '.'], "_");
        plain(&property.name.text) == plain(name)
    };
    properties
        .iter()
        .find(same)
        .map(|property| property.span.into())
}

/// What a connector says, at the place that it means.
pub(crate) fn told(error: &ConnectorError, place: &Place<'_>) -> Diagnostic {
    let code = match error.kind {
        ConnectorErrorKind::Uri => Code::InvalidUri,
        ConnectorErrorKind::UnknownOption => Code::UnknownOption,
        ConnectorErrorKind::InvalidOption => Code::InvalidOption,
        ConnectorErrorKind::NotFound | ConnectorErrorKind::Unreachable => Code::SourceNotFound,
        ConnectorErrorKind::Unreadable => Code::SourceUnreadable,
        ConnectorErrorKind::NotSupported => Code::NotSupported,
    };
    let option = error.option.as_deref();
    let span = option.and_then(|name| property_span(place.properties, name));
    let mut diagnostic = Diagnostic::new(code, error.message.clone(), span.unwrap_or(place.uri));
    if let Some(help) = &error.help {
        diagnostic = diagnostic.help(help.clone());
    }
    diagnostic
}

/// A column as connectors see it.
pub(crate) fn declared(column: &Column, key: bool) -> DeclaredColumn {
    let field = ferrisstreams_topology::data::Field::new(&column.name, column.data_type);
    DeclaredColumn {
        field: if column.nullable {
            field
        } else {
            field.not_null()
        },
        key,
    }
}

//! Where dead letters go: to a stream that was declared, or to a URI.

use std::collections::BTreeSet;

use ferrisstreams_topology::connector::{
    ConnectorError, ConnectorErrorKind, Options, ResolvedSink, SinkRequest,
};

use super::Session;
use crate::binder::{Place, told};
use crate::catalog::Relation;
use crate::error::{Code, Diagnostic};
use crate::lowering::{Lowering, Result, Senders, letter_columns};
use crate::plan::{Column, schema};
use crate::span::Span;

impl Session {
    /// Has dead letters go where `on_error` says: to the place of a stream, or to a URI with all columns.
    pub(super) fn bind_letters(
        &self,
        lowering: &mut Lowering<'_>,
        to: &str,
        senders: &Senders,
    ) -> Result<()> {
        let from: BTreeSet<&str> = senders.values().map(|(_, source)| &source[..]).collect();
        let first = from.first().copied().unwrap_or_default();
        if to.contains("://") {
            let columns = letter_columns();
            let sink = self.letter_sink(to, Options::default(), &columns);
            let place = self.spans.get(first).copied().unwrap_or_default();
            let sink = sink.map_err(|e| told_at(&e, place))?;
            return lowering.bind_letters(to, &columns, &sink);
        }
        let declared = self
            .places
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(to));
        let Some((name, (uri, options))) = declared else {
            return Err(self.placed(self.no_such_stream(first, to), first));
        };
        let columns = match self.catalog.get(name) {
            Some(Relation::Source(source)) if !from.contains(&name[..]) => source.columns.clone(),
            found => {
                let what = match found {
                    Some(Relation::Table(_)) => "which is a table; declare a stream",
                    _ => "which they come from; declare another stream",
                };
                let message = format!("dead letters of `{first}` cannot go to `{to}`, {what}");
                return Err(self.placed(wrong(message), first));
            }
        };
        let sink = self.letter_sink(uri, options.clone(), &columns);
        let place = self.spans.get(name).copied().unwrap_or_default();
        let sink = sink.map_err(|e| told_at(&e, place))?;
        lowering
            .bind_letters(to, &columns, &sink)
            .map_err(|problem| self.placed(problem, name))
    }

    /// The sink at a place. Options that were taken when the stream was declared, and that only reading
    /// knows, do not count.
    fn letter_sink(
        &self,
        uri: &str,
        mut options: Options,
        columns: &[Column],
    ) -> std::result::Result<ResolvedSink, ConnectorError> {
        loop {
            let request = SinkRequest {
                uri: uri.to_owned(),
                options: options.clone(),
                schema: schema(columns),
                key: None,
            };
            match self.connectors.sink(&request) {
                Err(e)
                    if e.kind == ConnectorErrorKind::UnknownOption
                        && e.option
                            .as_ref()
                            .is_some_and(|name| options.remove(name).is_some()) => {}
                resolved => return resolved,
            }
        }
    }

    fn no_such_stream(&self, from: &str, to: &str) -> Diagnostic {
        let problem = match self.catalog.get(to) {
            Some(relation) => {
                let word = relation.word();
                wrong(format!(
                    "dead letters of `{from}` cannot go to `{to}`: rows of this {word} are nowhere but here"
                ))
            }
            None => wrong(format!(
                "dead letters of `{from}` go to `{to}`, which nobody declares"
            ))
            .suggest_nearest(to, self.places.keys().map(String::as_str)),
        };
        problem.help("name a stream that is declared with a URI, or a URI: on_error = 'dead_letter:file://bad.csv'")
    }
}

fn wrong(message: String) -> Diagnostic {
    Diagnostic::new(Code::InvalidOption, message, Span::default())
}

fn told_at(error: &ConnectorError, uri: Span) -> Diagnostic {
    told(
        error,
        &Place {
            uri,
            properties: &[],
        },
    )
}

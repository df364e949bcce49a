//! [`Diagnostic`]: what is wrong with a statement, and where.
//!
//! Plain data, independent of how it is shown; [`render`](super::render()) makes text of it.

use std::fmt;

use super::{Code, Severity, nearest};
use crate::span::Span;

/// An error or a warning at a place in a statement text.
///
/// The message is lower case and says what was tried, with which value; the primary span and its
/// label say where; further labels, notes and help follow.
///
/// ```
/// use ferrisstreams_sql_frontend::error::{Code, Diagnostic};
/// use ferrisstreams_sql_frontend::span::Span;
///
/// let diagnostic = Diagnostic::new(Code::UnknownColumn, "no column `amont` in orders", Span::new(7, 12))
///     .label("not found")
///     .note("available", "order_id, user_id, amount")
///     .suggest(Some("amount"));
/// assert_eq!(diagnostic.to_string(), "error[E0103]: no column `amont` in orders");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    inner: Box<Inner>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Inner {
    code: Code,
    message: String,
    primary: Label,
    secondary: Vec<Label>,
    notes: Vec<Note>,
}

/// A span with the words that stand under it; the words may be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place that is underlined.
    pub span: Span,
    /// What is said about it.
    pub text: String,
}

/// A line below the text, `= name: text`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What kind of note: `help`, `note`, `available`, `expected`.
    pub name: &'static str,
    /// What it says.
    pub text: String,
}

impl Diagnostic {
    /// A diagnostic of `code` at `span`, with a message in lower case.
    pub fn new(code: Code, message: impl Into<String>, span: impl Into<Span>) -> Self {
        let primary = Label {
            span: span.into(),
            text: String::new(),
        };
        Diagnostic {
            inner: Box::new(Inner {
                code,
                message: message.into(),
                primary,
                secondary: Vec::new(),
                notes: Vec::new(),
            }),
        }
    }

    /// SQL that is understood and not supported: `what` is the subject, as in "`MERGE`".
    pub fn not_supported(what: impl fmt::Display, span: impl Into<Span>) -> Self {
        let message = format!("{what} is not supported yet");
        Diagnostic::new(Code::NotSupported, message, span)
    }

    /// The same at another place.
    pub fn at(mut self, span: impl Into<Span>) -> Self {
        self.inner.primary.span = span.into();
        self
    }

    /// With words under the primary span.
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.inner.primary.text = text.into();
        self
    }

    /// With another labelled place.
    pub fn secondary(mut self, span: impl Into<Span>, text: impl Into<String>) -> Self {
        self.inner.secondary.push(Label {
            span: span.into(),
            text: text.into(),
        });
        self
    }

    /// With a line `= name: text` below.
    pub fn note(mut self, name: &'static str, text: impl Into<String>) -> Self {
        self.inner.notes.push(Note {
            name,
            text: text.into(),
        });
        self
    }

    /// With a line `= help: text` below.
    pub fn help(self, text: impl Into<String>) -> Self {
        self.note("help", text)
    }

    /// With the help "did you mean `candidate`?" where there is a candidate.
    pub fn suggest(self, candidate: Option<&str>) -> Self {
        match candidate {
            Some(candidate) => self.help(format!("did you mean `{candidate}`?")),
            None => self,
        }
    }

    /// With the help "did you mean ...?" for the candidate nearest to `name`, if one is near.
    pub fn suggest_nearest<'a>(
        self,
        name: &str,
        candidates: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        self.suggest(nearest(name, candidates))
    }

    /// The kind of mistake.
    pub fn code(&self) -> Code {
        self.inner.code
    }

    /// Whether it is an error or a warning.
    pub fn severity(&self) -> Severity {
        self.inner.code.severity()
    }

    /// What is wrong, in lower case.
    pub fn message(&self) -> &str {
        &self.inner.message
    }

    /// The place that is wrong.
    pub fn span(&self) -> Span {
        self.inner.primary.span
    }

    /// The place that is wrong, with the words under it.
    pub fn primary(&self) -> &Label {
        &self.inner.primary
    }

    /// Further places, in the order in which they were added.
    pub fn secondaries(&self) -> &[Label] {
        &self.inner.secondary
    }

    /// Notes and help, in the order in which they were added.
    pub fn notes(&self) -> &[Note] {
        &self.inner.notes
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}[{}]: {}",
            self.severity(),
            self.code(),
            self.message()
        )
    }
}

impl std::error::Error for Diagnostic {}

//! The one error type of the crate.
//!
//! A [`Error`] says what was tried and why it failed, and its [`ErrorKind`] says what the caller can
//! do about it. Broken invariants are panics, not errors.

use std::fmt;

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a caller can do about an [`Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The topology, a name or an option is wrong: change the program.
    Invalid,
    /// A record cannot be read or written: the policy of its source or query decides.
    BadRecord,
    /// The outside world did not answer as it should: try again later.
    Unavailable,
    /// Something that was named does not exist.
    NotFound,
    /// State on disk cannot be used by this program: rebuild it or use another name.
    State,
    /// The state directory cannot be read or written, for lack of space or rights.
    Storage,
    /// A query failed and was stopped.
    Failed,
    /// The call is not possible in the present state, after a close for instance.
    Closed,
}

/// What failed, and why.
pub struct Error {
    inner: Box<Inner>,
}

struct Inner {
    kind: ErrorKind,
    message: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of `kind` with a message that says what was tried, in lower case.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error {
            inner: Box::new(Inner {
                kind,
                message: message.into(),
                source: None,
            }),
        }
    }

    /// The same error with its cause.
    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.inner.source = Some(source.into());
        self
    }

    /// The same error, its message preceded by what was being done.
    pub fn context(mut self, doing: impl fmt::Display) -> Self {
        self.inner.message = format!("{doing}: {}", self.inner.message);
        self
    }

    /// What the caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        self.inner.kind
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Invalid, message)
    }

    pub(crate) fn state(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::State, message)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.inner.message)?;
        if let Some(source) = &self.inner.source {
            write!(f, ": {source}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {self}", self.inner.kind)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.inner.source {
            Some(source) => Some(&**source),
            None => None,
        }
    }
}

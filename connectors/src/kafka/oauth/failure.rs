//! Why there is no token, and what to do about it.

use crate::kafka::listener::TroubleKind;
use crate::kafka::security::NO_TOKEN;

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    /// What clients are told that it is.
    pub(super) kind: TroubleKind,
    /// In words, for [`security::remedy`](crate::kafka::security::remedy) too.
    pub(super) reason: String,
}

impl Failure {
    /// The provider does not answer, or cannot at the moment.
    pub(super) fn passing(from: &str, why: impl std::fmt::Display) -> Self {
        Failure {
            kind: TroubleKind::Suspect,
            reason: format!("{NO_TOKEN}{from}: {why}"),
        }
    }

    /// The provider will say the same again, unless something is changed.
    pub(super) fn lasting(from: &str, why: impl std::fmt::Display) -> Self {
        Failure {
            kind: TroubleKind::Refused,
            ..Failure::passing(from, why)
        }
    }
}

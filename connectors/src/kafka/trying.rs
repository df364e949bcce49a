//! What was heard of the brokers while a request is tried again and again.

use std::time::{Duration, Instant};

use super::listener::{Trouble, TroubleKind};

/// The time after which it is told that brokers do not answer, where they are waited for long, or after
/// which that is believed where nothing depends on it.
pub(super) const GLANCE: Duration = Duration::from_secs(2);

/// The time after which a suspicion is believed.
const CERTAIN: Duration = Duration::from_secs(5);

/// Why there is no answer yet.
#[derive(Debug, Default)]
pub(super) struct Trying {
    /// What was told last of why.
    reason: Option<String>,
    suspicion: Option<Suspicion>,
}

/// A broker hangs up as it does on clients of another protocol, or as one that is about to end. The library
/// does not tell again what it has told in this half minute, so that silence confirms it.
#[derive(Debug)]
struct Suspicion {
    since: Instant,
    reason: String,
    /// Nothing else was told since.
    is_last: bool,
    is_repeated: bool,
}

impl Trying {
    /// Notes what was heard; the reason of a refusal, if it is one.
    pub(super) fn hear(&mut self, trouble: Trouble) -> Option<String> {
        let Trouble { kind, reason } = trouble;
        match kind {
            TroubleKind::Refused => return Some(reason),
            TroubleKind::Suspect => match &mut self.suspicion {
                Some(suspicion) => {
                    suspicion.is_last = true;
                    suspicion.is_repeated = true;
                }
                None => {
                    self.suspicion = Some(Suspicion {
                        since: Instant::now(),
                        reason: reason.clone(),
                        is_last: true,
                        is_repeated: false,
                    });
                }
            },
            TroubleKind::Passing => {
                if let Some(suspicion) = &mut self.suspicion {
                    suspicion.is_last = false;
                }
            }
            // That none is left says less than why the first of them was not.
            TroubleKind::AllDown if self.reason.is_some() => return None,
            TroubleKind::AllDown => {}
        }
        self.reason = Some(reason);
        None
    }

    pub(super) fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// The reason of a suspicion that nothing contradicts.
    pub(super) fn suspicion(&self) -> Option<&str> {
        let found = self.suspicion.as_ref();
        let found = found.filter(|suspicion| suspicion.is_last || suspicion.is_repeated);
        found.map(|suspicion| &*suspicion.reason)
    }

    /// The same, where it has been there for long enough.
    pub(super) fn certain(&self) -> Option<&str> {
        let found = self.suspicion.as_ref();
        found.filter(|suspicion| suspicion.since.elapsed() >= CERTAIN)?;
        self.suspicion()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(troubles: &[(TroubleKind, &str)]) -> Trying {
        let mut trying = Trying::default();
        for (kind, reason) in troubles {
            let (kind, reason) = (*kind, (*reason).to_owned());
            assert_eq!(trying.hear(Trouble { kind, reason }), None);
        }
        trying
    }

    #[test]
    fn a_suspicion_stays_unless_something_else_is_told() {
        use TroubleKind::{AllDown, Passing, Suspect};
        for (troubles, certain) in [
            (&[][..], None),
            (&[(Passing, "reset")], None),
            (&[(Suspect, "ssl?"), (AllDown, "1/1 down")], Some("ssl?")),
            (&[(Suspect, "ssl?"), (Passing, "reset")], None),
            (
                &[(Suspect, "ssl?"), (Passing, "reset"), (Suspect, "ssl?")],
                Some("ssl?"),
            ),
            (
                &[(Suspect, "ssl?"), (Suspect, "ssl?"), (Passing, "reset")],
                Some("ssl?"),
            ),
        ] {
            let trying = heard(troubles);
            assert_eq!(trying.suspicion(), certain, "{troubles:?}");
            assert_eq!(trying.certain(), None, "not yet: {troubles:?}");
        }
    }

    #[test]
    fn a_refusal_is_told_at_once_and_that_all_are_down_only_where_nothing_else_is_known() {
        use TroubleKind::{AllDown, Passing, Refused};
        assert_eq!(heard(&[(AllDown, "down")]).reason(), Some("down"));
        let mut trying = heard(&[(Passing, "reset"), (AllDown, "down")]);
        assert_eq!(trying.reason(), Some("reset"));
        let (kind, reason) = (Refused, "no".to_owned());
        assert_eq!(trying.hear(Trouble { kind, reason }).as_deref(), Some("no"));
    }
}

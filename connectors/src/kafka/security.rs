//! What may be wrong where clients and brokers do not trust each other, and which property to look at.

/// States of a connection that stands.
const STANDING: [&str; 5] = [
    "SSL_HANDSHAKE",
    "APIVERSION_QUERY",
    "AUTH_HANDSHAKE",
    "AUTH_REQ",
    "UP",
];

/// A connection that ends in less than this was not wanted.
const UNWANTED_MS: u32 = 2_000;

/// What OpenSSL says of brokers that want another certificate of ours.
const ALERTS: [&str; 4] = [
    "alert certificate required",
    "alert bad certificate",
    "alert unknown ca",
    "alert certificate unknown",
];

/// True where a broker takes a connection and hangs up at once, as it does on clients of another protocol. It
/// tells them nothing; and one that is about to end does so too.
pub(super) fn is_suspicious(reason: &str) -> bool {
    let standing = || {
        let (_, time) = reason.rsplit_once("(after ")?;
        let (time, state) = time.split_once("ms in state ")?;
        let state = state.split([',', ')']).next()?;
        Some((time.parse::<u32>().ok()?, state))
    };
    standing().is_some_and(|(time, state)| time < UNWANTED_MS && STANDING.contains(&state))
}

/// True where a broker says that it does not take our certificate.
pub(super) fn is_alert(reason: &str) -> bool {
    ALERTS.iter().any(|words| reason.contains(words))
}

/// The words that every reason begins with for which there is no token.
pub(super) const NO_TOKEN: &str = "no token from ";

/// True where it was not the brokers who refused us.
pub(super) fn is_of_token(reason: &str) -> bool {
    reason.starts_with(NO_TOKEN)
}

/// What to do where there is no token.
fn remedy_for_token(reason: &str) -> &'static str {
    let has = |words: &[&str]| words.iter().any(|words| reason.contains(words));
    if has(&["certificate verify failed"]) {
        "check that https.ca.location (or https.ca.pem) has the authority that signed the provider's \
         certificate, and that the host name in sasl.oauthbearer.token.endpoint.url is in this certificate"
    } else if has(&["https.ca."]) {
        "is it in PEM form?"
    } else if has(&["invalid_scope"]) {
        "check sasl.oauthbearer.scope"
    } else if has(&["answers 401", "invalid_client", "unauthorized_client"]) {
        "check sasl.oauthbearer.client.id and sasl.oauthbearer.client.secret"
    } else if has(&["answers 400", "answers 403"]) {
        "check sasl.oauthbearer.client.id, sasl.oauthbearer.client.secret and sasl.oauthbearer.scope"
    } else if has(&["has expired"]) {
        "check the clock of this machine, and that of the provider"
    } else {
        "check sasl.oauthbearer.token.endpoint.url, and that the provider is there"
    }
}

/// What to do about a refusal, given in the words of the library.
pub(super) fn remedy(reason: &str) -> &'static str {
    let has = |words: &[&str]| words.iter().any(|words| reason.contains(words));
    if is_of_token(reason) {
        remedy_for_token(reason)
    } else if is_alert(reason) {
        "the brokers want a certificate of ours that they trust: check ssl.certificate.location and \
         ssl.key.location"
    } else if has(&["certificate verify failed", "verify broker certificate"]) {
        "check that ssl.ca.location (or ssl.ca.pem) has the authority that signed the brokers' certificate, \
         and that bootstrap.servers has a host name that is in this certificate"
    } else if has(&["not valid in current SASL state"]) {
        "check security.protocol: the listener in bootstrap.servers wants no user, so that it is plaintext \
         or ssl"
    } else if has(&["mechanism handshake failed"]) {
        "check sasl.mechanism"
    } else if has(&["invalid_token"]) {
        "the brokers do not take the token: check sasl.oauthbearer.token.endpoint.url and \
         sasl.oauthbearer.scope against the issuer, the audience and the keys that the brokers expect, or, for \
         tokens of one's own making, sasl.oauthbearer.config"
    } else if has(&["SASL authentication error"]) {
        "check sasl.username and sasl.password, or, for OAUTHBEARER, sasl.oauthbearer.config; and \
         sasl.mechanism, for which the user must be known"
    } else if is_suspicious(reason) || has(&["SSL handshake failed"]) {
        "check security.protocol and the port in bootstrap.servers: the listener there may expect another \
         protocol"
    } else {
        "check security.protocol, sasl.mechanism, sasl.username and sasl.password"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_has_its_remedy() {
        for (reason, told) in [
            (
                "SSL handshake failed: error:0A000086:SSL routines::certificate verify failed",
                "ssl.ca.location",
            ),
            (
                "SSL handshake failed: Disconnected: connecting to a PLAINTEXT broker listener?",
                "security.protocol and the port",
            ),
            (
                "Disconnected (after 3ms in state APIVERSION_QUERY, 1 identical error(s) suppressed)",
                "security.protocol and the port",
            ),
            (
                "error:0A00045C:SSL routines::tlsv13 alert certificate required: SSL alert number 116",
                "ssl.certificate.location and",
            ),
            (
                "SASL SCRAM-SHA-256 mechanism handshake failed: Broker: Request not valid in current SASL state",
                "wants no user",
            ),
            (
                "SASL SCRAM-SHA-1 mechanism handshake failed: Broker: Unsupported SASL mechanism",
                "check sasl.mechanism",
            ),
            (
                "SASL authentication error: Authentication failed (after 3ms in state AUTH_REQ)",
                "sasl.username and sasl.password",
            ),
            (
                "SASL authentication error: {\"status\":\"invalid_token\"} (after 3ms in state AUTH_REQ)",
                "the brokers do not take the token: check sasl.oauthbearer.token.endpoint.url",
            ),
            (
                "no token from https://a/: error:0A000086:SSL routines::certificate verify failed",
                "https.ca.location",
            ),
        ] {
            assert!(
                remedy(reason).contains(told),
                "{reason}: {}",
                remedy(reason)
            );
        }
    }

    #[test]
    fn a_connection_that_ends_as_soon_as_it_stands_is_suspicious() {
        for (reason, is_so) in [
            ("Disconnected (after 3ms in state APIVERSION_QUERY)", true),
            (
                "Disconnected: SSL connection closed by peer (after 0ms in state UP, 1 identical error(s) \
                 suppressed)",
                true,
            ),
            ("Disconnected (after 40000ms in state UP)", false),
            ("Connection refused (after 0ms in state CONNECT)", false),
            ("1/1 brokers are down", false),
            ("(after ms in state UP)", false),
        ] {
            assert_eq!(is_suspicious(reason), is_so, "{reason}");
        }
    }
}

//! What may be wrong where clients and brokers do not trust each other, and which property to look at.

/// What the library says where a client and a broker seem to speak different protocols: they only hang up.
/// A broker that is about to end does so too.
const SUSPICIOUS: [&str; 3] = [
    "incorrect security.protocol configuration",
    "verify that security.protocol is correctly configured",
    "connecting to a PLAINTEXT broker listener?",
];

/// What OpenSSL says of brokers that want another certificate of ours.
const ALERTS: [&str; 4] = [
    "alert certificate required",
    "alert bad certificate",
    "alert unknown ca",
    "alert certificate unknown",
];

/// True where a broker that hangs up may do so since it expects another protocol.
pub(super) fn is_suspicious(reason: &str) -> bool {
    SUSPICIOUS.iter().any(|words| reason.contains(words))
}

/// True where a broker says that it does not take our certificate.
pub(super) fn is_alert(reason: &str) -> bool {
    ALERTS.iter().any(|words| reason.contains(words))
}

/// What to do about a refusal, given in the words of the library.
pub(super) fn remedy(reason: &str) -> &'static str {
    let has = |words: &[&str]| words.iter().any(|words| reason.contains(words));
    if is_alert(reason) {
        "the brokers want a certificate of ours that they trust: check ssl.certificate.location and \
         ssl.key.location"
    } else if has(&["certificate verify failed", "verify broker certificate"]) {
        "check that ssl.ca.location (or ssl.ca.pem) has the authority that signed the brokers' certificate, \
         and that bootstrap.servers has a host name that is in this certificate"
    } else if is_suspicious(reason) || has(&["SSL handshake failed"]) {
        "check security.protocol and the port in bootstrap.servers: the listener there may expect another \
         protocol"
    } else if has(&["not valid in current SASL state"]) {
        "check security.protocol: the listener in bootstrap.servers wants no user, so that it is plaintext \
         or ssl"
    } else if has(&["mechanism handshake failed"]) {
        "check sasl.mechanism"
    } else if has(&["SASL authentication error"]) {
        "check sasl.username and sasl.password, or, for OAUTHBEARER, sasl.oauthbearer.config; and \
         sasl.mechanism, for which the user must be known"
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
                "Disconnected: verify that security.protocol is correctly configured, broker might require \
                 SASL authentication",
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
                "SASL authentication error: Authentication failed: Invalid username or password",
                "sasl.username and sasl.password",
            ),
        ] {
            assert!(
                remedy(reason).contains(told),
                "{reason}: {}",
                remedy(reason)
            );
        }
    }
}

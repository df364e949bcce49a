//! Where tokens come from, as the properties of clients say it.

use std::fmt;
use std::net::IpAddr;

use ureq::http::Uri;

use crate::kafka::properties::{Properties, Role, TOKENS};

pub(super) const ENDPOINT: &str = "sasl.oauthbearer.token.endpoint.url";
const METHOD: &str = "sasl.oauthbearer.method";
const EXTENSIONS: &str = "sasl.oauthbearer.extensions";
const UNSECURED: &str = "enable.sasl.oauthbearer.unsecure.jwt";

/// Names of a property, the usual one first.
const ID: [&str; 2] = [
    "sasl.oauthbearer.client.id",
    "sasl.oauthbearer.client.credentials.client.id",
];
const SECRET: [&str; 2] = [
    "sasl.oauthbearer.client.secret",
    "sasl.oauthbearer.client.credentials.client.secret",
];

/// Where tokens come from, and what is shown for them. Secrets are not shown.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(in crate::kafka) struct Settings {
    pub(super) endpoint: String,
    pub(super) client_id: String,
    pub(super) client_secret: String,
    pub(super) scope: Option<String>,
    pub(super) extensions: Vec<(String, String)>,
    pub(super) trust: Trust,
}

/// The authorities that may have signed the provider's certificate.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Trust {
    /// Those that the system trusts.
    System,
    /// Those in a file, or in the files of a directory.
    Location(String),
    /// Those in a text in PEM form.
    Text(String),
}

/// What is wrong with the properties, and what to do.
pub(in crate::kafka) type Wrong = (String, &'static str);

impl Settings {
    /// The settings of clients of a role; none where their tokens, if they have any, do not come from a
    /// provider.
    pub(in crate::kafka) fn of(
        properties: &Properties,
        role: Role,
    ) -> Result<Option<Settings>, Wrong> {
        let get = |name| properties.of(role, name).filter(|value| !value.is_empty());
        let is_oidc = get(METHOD).is_some_and(|method| method.eq_ignore_ascii_case("oidc"));
        if !is_oidc {
            let of_no_use = TOKENS.iter().filter(|name| **name != METHOD);
            let Some(name) = of_no_use.copied().find(|name| get(name).is_some()) else {
                return Ok(None);
            };
            let message = format!("{name} is of no use without sasl.oauthbearer.method = oidc");
            return Err((message, "set sasl.oauthbearer.method to oidc"));
        }
        check_mechanism(&get)?;
        let endpoint = required(&get, &[ENDPOINT])?;
        check_endpoint(endpoint)?;
        let trust = match (get("https.ca.location"), get("https.ca.pem")) {
            (Some(_), Some(_)) => {
                let message = "https.ca.location and https.ca.pem exclude each other".to_owned();
                return Err((message, "set one of them"));
            }
            // A word of the library's for the store of the system.
            (Some("probe") | None, None) => Trust::System,
            (Some(path), None) => Trust::Location(path.to_owned()),
            (None, Some(text)) => Trust::Text(text.to_owned()),
        };
        Ok(Some(Settings {
            endpoint: endpoint.to_owned(),
            client_id: required(&get, &ID)?.to_owned(),
            client_secret: required(&get, &SECRET)?.to_owned(),
            scope: get("sasl.oauthbearer.scope").map(str::to_owned),
            extensions: extensions(get(EXTENSIONS).unwrap_or_default())?,
            trust,
        }))
    }

    /// The address of the endpoint, without what may be secret in it.
    pub(super) fn shown(&self) -> &str {
        let end = self.endpoint.find(['?', '#']);
        &self.endpoint[..end.unwrap_or(self.endpoint.len())]
    }

    /// True where nobody else can hear what is said to the endpoint.
    pub(super) fn is_private(&self) -> bool {
        let uri = self.endpoint.parse::<Uri>();
        self.is_local() || uri.is_ok_and(|uri| uri.scheme_str() == Some("https"))
    }

    /// True where the endpoint is on this machine.
    pub(super) fn is_local(&self) -> bool {
        let uri = self.endpoint.parse::<Uri>();
        uri.is_ok_and(|uri| uri.host().is_some_and(is_loopback))
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("endpoint", &self.shown())
            .field("client_id", &self.client_id)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn required<'a>(
    get: &impl Fn(&'static str) -> Option<&'a str>,
    names: &[&'static str],
) -> Result<&'a str, Wrong> {
    let found = names.iter().find_map(|name| get(name));
    found.ok_or_else(|| {
        let message = format!("{} is missing", names[0]);
        (
            message,
            "sasl.oauthbearer.method = oidc needs sasl.oauthbearer.token.endpoint.url, \
             sasl.oauthbearer.client.id and sasl.oauthbearer.client.secret",
        )
    })
}

/// Sees to it that clients show tokens at all, and none that they make themselves.
fn check_mechanism<'a>(get: &impl Fn(&'static str) -> Option<&'a str>) -> Result<(), Wrong> {
    let mechanism = get("sasl.mechanism").or_else(|| get("sasl.mechanisms"));
    if mechanism != Some("OAUTHBEARER") {
        let message = match mechanism {
            Some(mechanism) => {
                format!("sasl.oauthbearer.method is oidc, and sasl.mechanism is {mechanism}")
            }
            None => "sasl.oauthbearer.method is oidc, and sasl.mechanism is missing".to_owned(),
        };
        return Err((message, "set sasl.mechanism to OAUTHBEARER"));
    }
    let protocol = get("security.protocol").unwrap_or("plaintext");
    if !protocol.to_ascii_lowercase().starts_with("sasl_") {
        let message = format!("sasl.oauthbearer.method is oidc, and security.protocol {protocol}");
        return Err((message, "set security.protocol to sasl_ssl"));
    }
    if get(UNSECURED) == Some("true") {
        let message = format!("{UNSECURED} and sasl.oauthbearer.method = oidc exclude each other");
        return Err((message, "leave one of them out"));
    }
    Ok(())
}

/// The address is not told: there may be a secret in it.
fn check_endpoint(endpoint: &str) -> Result<(), Wrong> {
    const HELP: &str = "it is like https://login.example.com/oauth2/token";
    let wrong = |what: &str| Err((format!("{ENDPOINT} {what}"), HELP));
    let Ok(uri) = endpoint.parse::<Uri>() else {
        return wrong("is no URL");
    };
    match uri.scheme_str() {
        Some("https" | "http") => {}
        Some(scheme) => return wrong(&format!("begins with {scheme}, which is not supported")),
        None => return wrong("does not begin with https://"),
    }
    if uri
        .authority()
        .is_some_and(|who| who.as_str().contains('@'))
    {
        return wrong(
            "has a user in it: sasl.oauthbearer.client.id and sasl.oauthbearer.client.secret are for that",
        );
    }
    Ok(())
}

/// Names and values with `=` between them and `,` behind them, as brokers may be told them.
fn extensions(text: &str) -> Result<Vec<(String, String)>, Wrong> {
    const HELP: &str = "it is like traceId=123,organizationId=emea, with names of letters alone";
    let wrong = |what: String| Err((format!("{EXTENSIONS}: {what}"), HELP));
    let mut found = Vec::new();
    let pairs = text.split(',').map(str::trim);
    for pair in pairs.filter(|pair| !pair.is_empty()) {
        let Some((name, value)) = pair.split_once('=') else {
            return wrong(format!("{pair:?} has no value"));
        };
        if name == "auth" || name.is_empty() || !name.bytes().all(|c| c.is_ascii_alphabetic()) {
            return wrong(format!("{name:?} can be no name"));
        }
        if !value.bytes().all(|c| c.is_ascii_graphic() || c == b' ') {
            return wrong(format!("the value of {name} is not ASCII"));
        }
        found.push((name.to_owned(), value.to_owned()));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: [(&str, &str); 6] = [
        ("security.protocol", "SASL_SSL"),
        ("sasl.mechanism", "OAUTHBEARER"),
        ("sasl.oauthbearer.method", "OIDC"),
        (ENDPOINT, "https://login.example.com/token?tenant=hunter2"),
        ("sasl.oauthbearer.client.id", "me"),
        ("sasl.oauthbearer.client.secret", "hunter2"),
    ];

    /// What is made of these properties and of others, which count over them.
    fn read(others: &[(&str, &str)]) -> Result<Option<Settings>, Wrong> {
        let mut properties = Properties::default();
        for (name, value) in WHOLE.iter().chain(others) {
            properties.set(name, value).expect(name);
        }
        Settings::of(&properties, Role::Consumer)
    }

    #[test]
    fn what_is_missing_or_wrong_is_told_by_its_name() {
        for (name, value, told) in [
            (
                ENDPOINT,
                "",
                "sasl.oauthbearer.token.endpoint.url is missing",
            ),
            (ENDPOINT, "::", "endpoint.url is no URL"),
            (
                ENDPOINT,
                "login.example.com",
                "does not begin with https://",
            ),
            (
                ENDPOINT,
                "ftp://a/b",
                "begins with ftp, which is not supported",
            ),
            (ENDPOINT, "https://me:hunter2@a/b", "has a user in it"),
            (ID[0], "", "sasl.oauthbearer.client.id is missing"),
            (SECRET[0], "", "sasl.oauthbearer.client.secret is missing"),
            ("sasl.mechanism", "PLAIN", "and sasl.mechanism is PLAIN"),
            ("security.protocol", "ssl", "and security.protocol ssl"),
            (UNSECURED, "true", "exclude each other"),
            (
                METHOD,
                "default",
                "is of no use without sasl.oauthbearer.method = oidc",
            ),
            (
                EXTENSIONS,
                "a=1,b",
                "sasl.oauthbearer.extensions: \"b\" has no value",
            ),
            (EXTENSIONS, "a1=1", "\"a1\" can be no name"),
            (EXTENSIONS, "auth=1", "\"auth\" can be no name"),
            (EXTENSIONS, "a=\u{e9}", "the value of a is not ASCII"),
        ] {
            let (message, help) = read(&[(name, value)]).expect_err(told);
            assert!(message.contains(told), "{name} {value}: {message}");
            assert!(
                !format!("{message} {help}").contains("hunter2"),
                "{message}"
            );
        }
        let both = [("https.ca.location", "/a"), ("https.ca.pem", "b")];
        assert!(
            read(&both)
                .expect_err("not both")
                .0
                .contains("https.ca.pem")
        );
    }

    #[test]
    fn settings_are_read_by_either_name_and_secrets_are_not_shown() {
        let whole = read(&[]).expect("it is in order").expect("it is asked for");
        let shown = format!("{whole:?}");
        assert!(shown.contains("https://login.example.com/token"), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
        assert_eq!(whole.trust, Trust::System);
        let others = [
            (SECRET[0], ""),
            (SECRET[1], "hunter3"),
            (EXTENSIONS, "traceId=1 2, tenant="),
            ("https.ca.location", "/etc/ca.pem"),
            ("consumer.sasl.oauthbearer.scope", "read"),
        ];
        let found = read(&others)
            .expect("it is in order")
            .expect("it is asked for");
        assert_eq!(found.client_secret, "hunter3");
        assert_eq!(found.scope.as_deref(), Some("read"));
        assert_eq!(found.trust, Trust::Location("/etc/ca.pem".to_owned()));
        let extensions = [("traceId", "1 2"), ("tenant", "")];
        let extensions = extensions.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(found.extensions, extensions);
    }

    #[test]
    fn it_is_known_who_can_listen() {
        for (endpoint, is_private) in [
            ("https://login.example.com/token", true),
            ("http://login.example.com/token", false),
            ("http://localhost:8080/token", true),
            ("http://127.0.0.1:8080/token", true),
            ("http://[::1]:8080/token", true),
            ("http://localhost.example.com/token", false),
        ] {
            let found = read(&[(ENDPOINT, endpoint)])
                .expect(endpoint)
                .expect(endpoint);
            assert_eq!(found.is_private(), is_private, "{endpoint}");
        }
    }
}

//! Asking the provider for a token.

use std::fs;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use ureq::http::{Response, StatusCode};
use ureq::tls::{PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};
use ureq::{Agent, Body, Error, Proxy};

use super::claims::claims;
use super::failure::Failure;
use super::settings::{Settings, Trust};
use crate::kafka::native::Token;

/// How long the provider may take to answer, from connecting on.
const LIMIT: Duration = Duration::from_secs(10);

/// The longest answer that is read. Tokens have some thousand bytes.
const LONGEST: u64 = 256 * 1024;

/// What is cited of an answer at most.
const CITED: usize = 200;

/// Asks for a token, and waits for it.
pub(super) fn fetch(settings: &Settings) -> Result<Token, Failure> {
    let from = settings.shown();
    let agent = agent(settings).map_err(|why| Failure::lasting(from, why))?;
    let mut form = vec![("grant_type", "client_credentials")];
    form.extend(settings.scope.as_deref().map(|scope| ("scope", scope)));
    // Not percent-encoded before, as RFC 6749 has it: librdkafka and Java's clients do not either.
    let who = format!("{}:{}", settings.client_id, settings.client_secret);
    let asked = agent
        .post(&settings.endpoint)
        .header(
            "Authorization",
            format!("Basic {}", BASE64_STANDARD.encode(who)),
        )
        .header("Accept", "application/json")
        .send_form(form);
    let mut answer = asked.map_err(|e| unanswered(settings, e))?;
    let body = read(&mut answer).map_err(|e| unanswered(settings, e))?;
    let body: Option<Value> = serde_json::from_slice(&body).ok();
    if !answer.status().is_success() {
        return Err(refused(settings, answer.status(), body.as_ref()));
    }
    let Some(body) = body else {
        return Err(Failure::lasting(from, "its answer is no JSON"));
    };
    token(settings, &body).map_err(|why| Failure::lasting(from, why))
}

fn agent(settings: &Settings) -> Result<Agent, String> {
    let tls = TlsConfig::builder()
        .provider(TlsProvider::NativeTls)
        .root_certs(roots(&settings.trust)?)
        .build();
    let proxy = match settings.is_local() {
        true => None,
        false => Proxy::try_from_env(),
    };
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_global(Some(LIMIT))
        .proxy(proxy)
        .user_agent("ferrisstreams")
        .tls_config(tls);
    Ok(config.build().new_agent())
}

/// Whom the provider's certificate must be from. Read for each token: authorities come and go.
fn roots(trust: &Trust) -> Result<RootCerts, String> {
    let (name, texts) = match trust {
        Trust::System => return Ok(RootCerts::PlatformVerifier),
        Trust::Text(text) => ("https.ca.pem", vec![text.clone().into_bytes()]),
        Trust::Location(path) => ("https.ca.location", texts(path)?),
    };
    let mut found = Vec::new();
    for item in texts.iter().flat_map(|text| parse_pem(text)) {
        if let Ok(PemItem::Certificate(certificate)) = item {
            found.push(certificate);
        }
    }
    match found.is_empty() {
        true => Err(format!("{name} has no certificate in PEM form")),
        false => Ok(RootCerts::new_with_certs(&found)),
    }
}

/// The text of a file, or those of all files of a directory.
fn texts(path: &str) -> Result<Vec<Vec<u8>>, String> {
    let unread = |e| format!("https.ca.location: cannot read {path}: {e}");
    if !Path::new(path).is_dir() {
        return Ok(vec![fs::read(path).map_err(unread)?]);
    }
    let mut texts = Vec::new();
    for entry in fs::read_dir(path).map_err(unread)? {
        let file = entry.map_err(unread)?.path();
        // What else is in the directory, such as a key that we may not read, is of no interest.
        texts.extend(fs::read(file));
    }
    Ok(texts)
}

fn read(answer: &mut Response<Body>) -> Result<Vec<u8>, Error> {
    answer.body_mut().with_config().limit(LONGEST).read_to_vec()
}

/// There is no answer, or no whole one.
fn unanswered(settings: &Settings, e: Error) -> Failure {
    let from = settings.shown();
    match e {
        Error::NativeTls(e) => Failure::lasting(from, e),
        Error::Tls(why) => Failure::lasting(from, why),
        Error::BodyExceedsLimit(_) => Failure::lasting(from, "its answer is too long"),
        Error::BadUri(_) => Failure::lasting(from, "that is no URL"),
        Error::Timeout(_) => Failure::passing(from, format!("no answer within {LIMIT:?}")),
        Error::HostNotFound => Failure::passing(from, "there is no such host"),
        // A certificate that is not believed comes as an error of the connection too.
        Error::Io(e) if e.to_string().contains("certificate") => Failure::lasting(from, e),
        Error::Io(e) => Failure::passing(from, e),
        e => Failure::passing(from, e),
    }
}

/// The answer is no. What it says is told, unless a secret is in it.
fn refused(settings: &Settings, status: StatusCode, body: Option<&Value>) -> Failure {
    let said = |name| body.and_then(|body| body.get(name)?.as_str());
    let mut why = format!("it answers {status}");
    for text in ["error", "error_description"].into_iter().filter_map(said) {
        let text: String = text
            .chars()
            .filter(|c| !c.is_control())
            .take(CITED)
            .collect();
        if !text.contains(&settings.client_secret) {
            why = format!("{why}: {text}");
        }
    }
    let from = settings.shown();
    if status.is_redirection() {
        return Failure::lasting(from, format!("{why}, and is not followed elsewhere"));
    }
    match status {
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => Failure::passing(from, why),
        status if status.is_server_error() => Failure::passing(from, why),
        _ => Failure::lasting(from, why),
    }
}

/// The token in an answer. Some providers put one that is a JWT under another name.
fn token(settings: &Settings, body: &Value) -> Result<Token, String> {
    let mut wrong = None;
    for name in ["access_token", "id_token"] {
        let Some(text) = body.get(name).and_then(Value::as_str) else {
            continue;
        };
        match claims(text) {
            Ok(found) => {
                let (who, expires) = (&found.principal, found.expires);
                let token = Token::new(text, who, &settings.extensions, expires);
                return token.map_err(|_| format!("its {name} has a zero byte"));
            }
            Err(what) => wrong = wrong.or(Some(format!("its {name} {what}"))),
        }
    }
    Err(wrong.unwrap_or_else(|| "its answer has no access_token".to_owned()))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;
    use crate::kafka::listener::TroubleKind;
    use crate::kafka::oauth::provider::{Provider, answer, grant, token};
    use crate::kafka::security::remedy;

    const HOUR: Duration = Duration::from_secs(3_600);

    #[test]
    fn a_token_is_asked_for_with_the_secret_of_the_client() {
        let provider = Provider::start(|_| Some(grant("me", HOUR)));
        let token = fetch(&provider.settings()).expect("there is one");
        assert!(format!("{token:?}").contains("\"me\""), "{token:?}");
        assert!(token.life() > HOUR - LIMIT && token.life() <= HOUR);
        let asked = provider.wait_for(1).remove(0);
        assert!(
            asked.starts_with("POST /token?tenant=hunter1 HTTP/1.1\r\n"),
            "{asked}"
        );
        let header = |wanted: &str| asked.lines().any(|line| line.eq_ignore_ascii_case(wanted));
        // What `printf ferris:hunter2 | base64` says.
        assert!(
            header("authorization: Basic ZmVycmlzOmh1bnRlcjI="),
            "{asked}"
        );
        assert!(
            header("content-type: application/x-www-form-urlencoded"),
            "{asked}"
        );
        let form = "grant_type=client_credentials&scope=read+%26+write";
        assert!(asked.replace("%20", "+").ends_with(form), "{asked}");
    }

    #[test]
    fn a_token_under_the_other_name_is_taken_where_the_first_is_no_jwt() {
        let body = format!(
            r#"{{"access_token":"opaque","id_token":"{}"}}"#,
            token("me", HOUR)
        );
        let provider = Provider::start(move |_| Some(answer("200 OK", &body)));
        let token = fetch(&provider.settings()).expect("there is one");
        assert!(format!("{token:?}").contains("\"me\""), "{token:?}");
    }

    /// What is told of an answer: the kind, what it is, and what to do.
    fn told(given: Option<String>) -> (TroubleKind, String, &'static str) {
        let provider = Provider::start(move |_| given.clone());
        let settings = provider.settings();
        let failure = fetch(&settings).expect_err("there is none");
        let what = failure
            .reason
            .strip_prefix(&format!("no token from {}: ", settings.shown()));
        let what = what.expect("it says from where").to_owned();
        (failure.kind, what, remedy(&failure.reason))
    }

    #[test]
    fn what_is_wrong_with_an_answer_is_told() {
        use TroubleKind::{Refused, Suspect};
        const URL: &str = "check sasl.oauthbearer.token.endpoint.url";
        const WHO: &str = "check sasl.oauthbearer.client.id and sasl.oauthbearer.client.secret";
        let granted = |token: &str| answer("200 OK", &format!(r#"{{"access_token":"{token}"}}"#));
        let long = "x".repeat(usize::try_from(LONGEST).expect("it is small") + 1);
        let elsewhere = "302 Found\r\nLocation: http://127.0.0.1:9/";
        for (given, kind, what, help) in [
            (None, Suspect, "", URL),
            (Some("SSH-2.0-x\r\n".to_owned()), Suspect, "", URL),
            (
                Some(answer("503 Busy", "")),
                Suspect,
                "it answers 503 Service Unavailable",
                URL,
            ),
            (
                Some(answer("429 Slow", "{}")),
                Suspect,
                "it answers 429 Too Many Requests",
                URL,
            ),
            (
                Some(answer("401 No", "<html>")),
                Refused,
                "it answers 401 Unauthorized",
                WHO,
            ),
            (
                Some(answer(
                    "400 No",
                    r#"{"error":"invalid_client","error_description":"who is\u0007 ferris?"}"#,
                )),
                Refused,
                "it answers 400 Bad Request: invalid_client: who is ferris?",
                WHO,
            ),
            (
                Some(answer(
                    "401 No",
                    r#"{"error":"invalid_client","error_description":"no hunter2 here"}"#,
                )),
                Refused,
                "it answers 401 Unauthorized: invalid_client",
                WHO,
            ),
            (
                Some(answer("400 No", r#"{"error":"invalid_scope"}"#)),
                Refused,
                "it answers 400 Bad Request: invalid_scope",
                "check sasl.oauthbearer.scope",
            ),
            (
                Some(answer("403 No", r#"{"error":7}"#)),
                Refused,
                "it answers 403 Forbidden",
                "sasl.oauthbearer.client.secret and sasl.oauthbearer.scope",
            ),
            (
                Some(answer("404 No", "")),
                Refused,
                "it answers 404 Not Found",
                URL,
            ),
            (
                Some(answer(elsewhere, "")),
                Refused,
                "it answers 302 Found, and is not followed elsewhere",
                URL,
            ),
            (
                Some(answer("200 OK", "<html>")),
                Refused,
                "its answer is no JSON",
                URL,
            ),
            (
                Some(answer("200 OK", "[]")),
                Refused,
                "its answer has no access_token",
                URL,
            ),
            (
                Some(answer("200 OK", &long)),
                Refused,
                "its answer is too long",
                URL,
            ),
            (
                Some(granted("opaque")),
                Refused,
                "its access_token is no JWT",
                URL,
            ),
            (
                Some(granted(&token("me", Duration::ZERO))),
                Refused,
                "its access_token has expired (exp)",
                "check the clock of this machine",
            ),
        ] {
            let (got_kind, got, got_help) = told(given.clone());
            assert!(got.starts_with(what), "{given:?}: {got}");
            assert!(what.is_empty() || got == what, "{given:?}: {got}");
            assert_eq!(got_kind, kind, "{given:?}: {got}");
            assert!(got_help.contains(help), "{given:?}: {got_help}");
            assert!(!got.contains("hunter"), "{got}");
        }
    }

    #[test]
    fn who_is_not_there_or_not_believed_is_told() {
        let nobody = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let address = nobody.local_addr().expect("it has one");
        drop(nobody);
        let mut settings = Provider::start(|_| None).settings();
        settings.endpoint = format!("http://{address}/");
        let failure = fetch(&settings).expect_err("nobody is there");
        assert_eq!(failure.kind, TroubleKind::Suspect);
        assert!(failure.reason.contains("refused"), "{failure:?}");
        for (trust, told) in [
            (
                Trust::Location("/nowhere/ca.pem".to_owned()),
                "https.ca.location: cannot read /nowhere/ca.pem: No such file",
            ),
            (
                Trust::Text("no".to_owned()),
                "https.ca.pem has no certificate in PEM form",
            ),
        ] {
            settings.trust = trust;
            let failure = fetch(&settings).expect_err("nobody is believed");
            assert_eq!(failure.kind, TroubleKind::Refused);
            assert!(failure.reason.contains(told), "{failure:?}");
        }
    }
}

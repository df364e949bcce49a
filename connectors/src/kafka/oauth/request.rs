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

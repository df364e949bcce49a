//! URIs: what a source or sink is named by.
//!
//! `scheme://authority/path?query`. What the parts mean is the connector's business: for `kafka://t`
//! the authority is a topic, `file://data/a.csv` is the relative path `data/a.csv`.

use std::fmt;

use ferrisstreams_topology::connector::{ConnectorError, ConnectorErrorKind, Options};

/// A URI, in parts.
#[derive(Clone, PartialEq, Eq)]
pub struct Uri {
    /// What stands before `://`, in lower case.
    pub scheme: String,
    /// What stands between `://` and the next `/` or `?`; may be empty.
    pub authority: String,
    /// What stands behind it, from its `/` on; may be empty.
    pub path: String,
    /// What stands behind the first `?`, where it was not taken for options.
    pub query: Option<String>,
}

impl Uri {
    /// Takes a URI apart.
    ///
    /// ```
    /// use ferrisstreams_connectors::Uri;
    ///
    /// let uri = Uri::parse("kafka://prod/orders?group=g")?;
    /// assert_eq!((&uri.scheme[..], &uri.authority[..], &uri.path[..]), ("kafka", "prod", "/orders"));
    /// assert_eq!(uri.query.as_deref(), Some("group=g"));
    /// assert_eq!(Uri::parse("orders.csv").unwrap_err().message, "`orders.csv` is no URI: it has no `://`");
    /// # Ok::<(), ferrisstreams_topology::connector::ConnectorError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Where there is no scheme, or control characters stand in it.
    pub fn parse(text: &str) -> Result<Uri, ConnectorError> {
        let Some((scheme, rest)) = text.split_once("://") else {
            let error = uri_error(format!("`{text}` is no URI: it has no `://`"));
            return Err(error.help("for example file:///data/orders.csv, or kafka://orders"));
        };
        if scheme.is_empty() || !scheme.bytes().all(is_scheme_byte) {
            let why = "letters and digits stand before `://`";
            return Err(uri_error(format!("`{}` is no URI: {why}", redact(text))));
        }
        if text.chars().any(char::is_control) {
            let shown = redact(text).escape_debug().to_string();
            return Err(uri_error(format!(
                "`{shown}` is no URI: it has control characters"
            )));
        }
        let (place, query) = match rest.split_once('?') {
            Some((place, query)) => (place, Some(query.to_owned())),
            None => (rest, None),
        };
        let (authority, path) = place.split_at(place.find('/').unwrap_or(place.len()));
        Ok(Uri {
            scheme: scheme.to_ascii_lowercase(),
            authority: authority.to_owned(),
            path: path.to_owned(),
            query,
        })
    }

    /// Everything behind `://`, as it was written.
    pub fn location(&self) -> String {
        let query = self.query.as_ref().map(|query| format!("?{query}"));
        format!(
            "{}{}{}",
            self.authority,
            self.path,
            query.unwrap_or_default()
        )
    }

    /// The URI without secrets: `***` for a password of the authority, and for what options of the
    /// query hold that are secrets by their name.
    pub fn redacted(&self) -> String {
        redact(&format!("{}://{}", self.scheme, self.location()))
    }

    /// Takes a query of the form `name=value&...` off the URI: options, by the names as written. A
    /// query of another form stays, as part of the [`location`](Uri::location).
    pub fn take_options(&mut self) -> Options {
        let Some(query) = &self.query else {
            return Options::new();
        };
        let pairs = query.split('&').map(|pair| pair.split_once('='));
        let options: Option<Options> = pairs
            .map(|pair| {
                let (name, value) = pair.filter(|(name, _)| !name.is_empty())?;
                Some((percent_decoded(name)?, percent_decoded(value)?))
            })
            .collect();
        match options {
            Some(options) => {
                self.query = None;
                options
            }
            None => Options::new(),
        }
    }
}

fn uri_error(message: String) -> ConnectorError {
    ConnectorError::new(ConnectorErrorKind::Uri, message)
}

fn is_scheme_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')
}

/// True for names of options whose values are not to be shown.
pub(crate) fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    [
        "password",
        "secret",
        "token",
        "passphrase",
        "credential",
        "jaas",
        "pem",
        "oauthbearer.config",
        "oauthbearer_config",
    ]
    .iter()
    .any(|word| name.contains(word))
}

fn redact(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    let (authority, rest) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let authority = match authority.rsplit_once('@') {
        Some((user, host)) => match user.split_once(':') {
            Some((user, _)) => format!("{user}:***@{host}"),
            None => format!("{user}@{host}"),
        },
        None => authority.to_owned(),
    };
    let (path, query) = rest.split_at(rest.find('?').unwrap_or(rest.len()));
    let pairs: Vec<String> = query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name, _)) if is_secret(name) => format!("{name}=***"),
            _ => pair.to_owned(),
        })
        .collect();
    format!("{scheme}://{authority}{path}{}", pairs.join("&"))
}

/// Text with `%20` and the like as the bytes that they stand for; none where that is no UTF-8, or a
/// `%` is not followed by two digits.
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        if *byte == b'%' {
            let (digits, tail) = rest.split_at_checked(2)?;
            let digits = std::str::from_utf8(digits).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = tail;
        } else {
            bytes.push(*byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// The URI without secrets.
impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.redacted())
    }
}

/// The URI without secrets.
impl fmt::Debug for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Uri({})", self.redacted())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts() {
        for (text, authority, path, query) in [
            ("file:///data/a.csv", "", "/data/a.csv", None),
            ("file://data/a.csv", "data", "/a.csv", None),
            ("KAFKA://t", "t", "", None),
            ("memory://x?format=csv", "x", "", Some("format=csv")),
            ("console://?format=csv", "", "", Some("format=csv")),
            ("pg://u:p@h:1/s.t", "u:p@h:1", "/s.t", None),
        ] {
            let uri = Uri::parse(text).expect(text);
            assert_eq!(uri.authority, authority, "{text}");
            assert_eq!(uri.path, path, "{text}");
            assert_eq!(uri.query.as_deref(), query, "{text}");
            assert_eq!(uri.scheme, uri.scheme.to_lowercase());
        }
    }

    #[test]
    fn what_is_no_uri_says_why() {
        for (text, message) in [
            ("", "`` is no URI: it has no `://`"),
            (
                "://x",
                "`://x` is no URI: letters and digits stand before `://`",
            ),
            (
                "a b://x",
                "`a b://x` is no URI: letters and digits stand before `://`",
            ),
            (
                "kafka://a\nb",
                "`kafka://a\\nb` is no URI: it has control characters",
            ),
        ] {
            assert_eq!(Uri::parse(text).expect_err(text).message, message);
        }
    }

    #[test]
    fn passwords_are_not_shown() {
        for (text, shown) in [
            ("pg://me:secret@db/t", "pg://me:***@db/t"),
            ("pg://me:se@cret@db?x=1", "pg://me:***@db?x=1"),
            (
                "kafka://t?sasl.password=p&a=b",
                "kafka://t?sasl.password=***&a=b",
            ),
            ("kafka://me@h/t", "kafka://me@h/t"),
        ] {
            let uri = Uri::parse(text).expect(text);
            assert_eq!(uri.to_string(), shown);
            assert!(!format!("{uri:?}").contains("se"), "{uri:?}");
        }
    }

    #[test]
    fn queries_are_options_where_they_look_like_it() {
        let mut uri = Uri::parse("memory://x?format=csv&null=%2D&delimiter=;").expect("a URI");
        let options = uri.take_options();
        assert_eq!(options["null"], "-");
        assert_eq!(options["delimiter"], ";");
        assert_eq!(uri.location(), "x");
        let mut uri = Uri::parse("file:///data/2024-??.csv").expect("a URI");
        assert!(uri.take_options().is_empty());
        assert_eq!(uri.location(), "/data/2024-??.csv");
    }
}

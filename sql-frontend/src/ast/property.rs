//! Properties: the options in `WITH (...)`, and those that SET gives.

use super::literal::Literal;
use super::name::Ident;
use crate::span::NodeSpan;

/// `name = value`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Property {
    /// Which property.
    pub name: PropertyName,
    /// Its value.
    pub value: PropertyValue,
    /// Where it stands.
    pub span: NodeSpan,
}

/// The name of a property: words with dots between them, or a string; case does not count.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PropertyName {
    /// The name as written, without quotes.
    pub text: String,
    /// Where it stands.
    pub span: NodeSpan,
}

/// The value of a property.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PropertyValue {
    /// Which value.
    pub kind: PropertyValueKind,
    /// Where it stands.
    pub span: NodeSpan,
}

/// The forms of a property's value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PropertyValueKind {
    /// A literal; a negative number carries its sign in its digits, a URI is a string.
    Literal(Literal),
    /// A word without quotes, as in `kind = table`.
    Word(Ident),
}

/// Parts of names whose values are never shown.
const SECRETS: &[&str] = &[
    "password",
    "secret",
    "token",
    "credential",
    "api_key",
    "api.key",
    "jaas",
    "private",
    "passphrase",
    "pem",
    "oauthbearer.config",
    "oauthbearer_config",
];

impl PropertyName {
    /// Whether this property is called `name`, in any case.
    pub fn is(&self, name: &str) -> bool {
        self.text.eq_ignore_ascii_case(name)
    }

    /// Whether the value is not to be shown: a password, a token, and the like.
    pub fn is_secret(&self) -> bool {
        let lower = self.text.to_ascii_lowercase();
        SECRETS.iter().any(|secret| lower.contains(secret))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_of_kafka_keep_secret_is_not_shown() {
        let is_secret = |text: &str| {
            let text = text.to_owned();
            PropertyName {
                text,
                span: NodeSpan::default(),
            }
            .is_secret()
        };
        for name in [
            "sasl.password",
            "SASL_PASSWORD",
            "ssl.key.pem",
            "ssl_key_password",
            "ssl.keystore.password",
            "sasl.oauthbearer.client.secret",
            "sasl_oauthbearer_config",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in [
            "sasl.username",
            "ssl.ca.location",
            "security.protocol",
            "topic",
        ] {
            assert!(!is_secret(name), "{name}");
        }
    }
}

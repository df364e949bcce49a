//! Names: of columns and relations, and the URIs that may stand for relations.

use crate::span::NodeSpan;

/// One word of a name.
///
/// An unquoted name compares without regard to case, a quoted one exactly. Equality of `Ident`s is
/// equality of spelling; [`matches`](Ident::matches) is that of SQL.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ident {
    /// The spelling, without quotes and with doubled quotes undone.
    pub text: String,
    /// Whether it was written in quotes.
    pub quoted: bool,
    /// Where it stands.
    pub span: NodeSpan,
}

impl Ident {
    /// An unquoted name that stands nowhere.
    pub fn new(text: impl Into<String>) -> Self {
        Ident {
            text: text.into(),
            quoted: false,
            span: NodeSpan::default(),
        }
    }

    /// A quoted name that stands nowhere.
    pub fn quoted(text: impl Into<String>) -> Self {
        Ident {
            quoted: true,
            ..Ident::new(text)
        }
    }

    /// Whether this name means the column, relation or function called `name`.
    ///
    /// ```
    /// use ferrisstreams_sql_frontend::ast::Ident;
    /// assert!(Ident::new("userid").matches("userId"));
    /// assert!(!Ident::quoted("userid").matches("userId"));
    /// ```
    pub fn matches(&self, name: &str) -> bool {
        if self.quoted {
            return self.text == name;
        }
        let lower = |text: &str| {
            text.chars()
                .flat_map(char::to_lowercase)
                .collect::<Vec<_>>()
        };
        self.text.eq_ignore_ascii_case(name) || lower(&self.text) == lower(name)
    }
}

/// A name of one or more words with dots between them: `orders`, `crm.users`, `o.user_id`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Name {
    /// The words, at least one.
    pub parts: Vec<Ident>,
    /// Where it stands.
    pub span: NodeSpan,
}

impl Name {
    /// The last word, which names the thing itself.
    pub fn last(&self) -> &Ident {
        self.parts.last().expect("a name has at least one word")
    }

    /// The one word of a name without dots.
    pub fn as_single(&self) -> Option<&Ident> {
        match self.parts.as_slice() {
            [part] => Some(part),
            _ => None,
        }
    }

    /// Whether it is the one unquoted word `word`, in any case.
    pub(crate) fn is_bare(&self, word: &str) -> bool {
        self.as_single()
            .is_some_and(|part| !part.quoted && part.text.eq_ignore_ascii_case(word))
    }
}

impl From<Ident> for Name {
    fn from(ident: Ident) -> Self {
        Name {
            span: ident.span,
            parts: vec![ident],
        }
    }
}

/// A URI that stands for a relation: `kafka://orders`, `file:///data/orders.csv`.
///
/// It may hold a password: [`redacted`](Uri::redacted) is the text to show.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Uri {
    /// The URI as written, without quotes.
    pub text: String,
    /// Where it stands.
    pub span: NodeSpan,
}

impl Uri {
    /// What stands before `://`.
    pub fn scheme(&self) -> &str {
        self.text.split("://").next().unwrap_or_default()
    }

    /// The URI with the password of its authority hidden.
    ///
    /// ```
    /// use ferrisstreams_sql_frontend::ast::Uri;
    /// let uri = Uri { text: "postgres://me:secret@db/t".into(), span: Default::default() };
    /// assert_eq!(uri.redacted(), "postgres://me:***@db/t");
    /// ```
    pub fn redacted(&self) -> String {
        let Some((scheme, rest)) = self.text.split_once("://") else {
            return self.text.clone();
        };
        let authority = &rest[..rest.find('/').unwrap_or(rest.len())];
        match authority
            .rsplit_once('@')
            .map(|(user, host)| (user.split_once(':'), host))
        {
            Some((Some((user, _)), host)) => {
                let after = &rest[authority.len()..];
                format!("{scheme}://{user}:***@{host}{after}")
            }
            _ => self.text.clone(),
        }
    }
}

/// A relation by its name or its URI, where either may stand.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum NameOrUri {
    /// By the name of a stream or table.
    Name(Name),
    /// By the URI of what lies outside.
    Uri(Uri),
}

impl NameOrUri {
    /// Where it stands.
    pub fn span(&self) -> NodeSpan {
        match self {
            NameOrUri::Name(name) => name.span,
            NameOrUri::Uri(uri) => uri.span,
        }
    }
}

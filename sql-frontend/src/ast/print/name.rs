//! Names, with quotes where they are needed.

use std::fmt::{self, Display, Formatter, Write};

use crate::ast::name::{Ident, Name, NameOrUri, Uri};
use crate::ast::print::literal::Quoted;
use crate::lexer::scan::{is_bare_uri, is_bare_word};
use crate::lexer::{Keyword, Reservation};

/// A name where reserved words are not allowed without quotes.
impl Display for Ident {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let is_reserved = Keyword::of(&self.text)
            .is_some_and(|keyword| keyword.reservation() == Reservation::Reserved);
        match is_reserved {
            true => write_quoted(&self.text, f),
            false => Label(self).fmt(f),
        }
    }
}

/// A name where any word is allowed: after a dot, `->`, or AS in a select list.
pub(super) struct Label<'a>(pub &'a Ident);

impl Display for Label<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match !self.0.quoted && is_bare_word(&self.0.text) {
            true => f.write_str(&self.0.text),
            false => write_quoted(&self.0.text, f),
        }
    }
}

fn write_quoted(text: &str, f: &mut Formatter<'_>) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        if c == '"' {
            f.write_char('"')?;
        }
        f.write_char(c)?;
    }
    f.write_char('"')
}

impl Display for Name {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (index, part) in self.parts.iter().enumerate() {
            match index {
                0 => part.fmt(f)?,
                _ => write!(f, ".{}", Label(part))?,
            }
        }
        Ok(())
    }
}

/// The URI as it was written, a password in it included.
impl Display for Uri {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match is_bare_uri(&self.text) {
            true => f.write_str(&self.text),
            false => Quoted(&self.text).fmt(f),
        }
    }
}

impl Display for NameOrUri {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            NameOrUri::Name(name) => name.fmt(f),
            NameOrUri::Uri(uri) => uri.fmt(f),
        }
    }
}

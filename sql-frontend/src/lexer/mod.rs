//! From text to tokens.
//!
//! The lexer needs to know nothing of where in a statement it is: a URI is told by its `://`, which
//! nothing else in SQL has. It does not know the grammar, and hands its errors over with the tokens.

mod keyword;
mod token;
pub(crate) mod scan;
mod foreign;
mod lex;

pub use keyword::{Keyword, Reservation};
pub use lex::{Lexed, lex};
pub use token::{Token, TokenKind};

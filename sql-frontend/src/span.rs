//! Places in a statement text: [`Span`], [`NodeSpan`] and the [`Source`] they point into.
//!
//! A span is two byte offsets and does not know its text; whoever shows it to a person brings the
//! [`Source`]. Nothing here reads files.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

/// A range of bytes in the text of a [`Source`], `start` included and `end` excluded.
///
/// Both ends lie between characters when the span comes from the lexer or the parser.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Offset of the first byte.
    pub start: usize,
    /// Offset after the last byte.
    pub end: usize,
}

impl Span {
    /// The span from `start` up to, not including, `end`.
    pub const fn new(start: usize, end: usize) -> Self {
        Span { start, end }
    }

    /// The smallest span that holds both, with what lies between them.
    ///
    /// ```
    /// use ferrisstreams_sql_frontend::span::Span;
    /// assert_eq!(Span::new(3, 5).to(Span::new(9, 12)), Span::new(3, 12));
    /// ```
    pub fn to(self, other: impl Into<Span>) -> Self {
        let other = other.into();
        Span::new(self.start.min(other.start), self.end.max(other.end))
    }

    /// Number of bytes.
    pub const fn len(self) -> usize {
        self.end.saturating_sub(self.start)
    }

    /// Whether the span holds no byte, as the place after the last token does.
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// The span of a syntax tree node, left out of comparisons.
///
/// All node spans are equal, so that two trees are equal when they say the same, wherever their
/// texts stood. It dereferences to [`Span`].
///
/// ```
/// use ferrisstreams_sql_frontend::span::{NodeSpan, Span};
/// let (a, b) = (NodeSpan::from(Span::new(0, 3)), NodeSpan::from(Span::new(7, 9)));
/// assert_eq!(a, b);
/// assert_eq!(b.start, 7);
/// ```
#[derive(Clone, Copy, Default)]
pub struct NodeSpan(Span);

impl PartialEq for NodeSpan {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for NodeSpan {}

impl Hash for NodeSpan {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

impl Deref for NodeSpan {
    type Target = Span;

    fn deref(&self) -> &Span {
        &self.0
    }
}

impl From<Span> for NodeSpan {
    fn from(span: Span) -> Self {
        NodeSpan(span)
    }
}

impl From<NodeSpan> for Span {
    fn from(span: NodeSpan) -> Self {
        span.0
    }
}

impl fmt::Debug for NodeSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}

/// A named text of SQL statements, a file or what was typed.
///
/// ```
/// use ferrisstreams_sql_frontend::span::{Location, Source, Span};
/// let source = Source::new("demo.sql", "SELECT a\nFROM t");
/// assert_eq!(source.location(14), Location { line: 2, column: 6 });
/// assert_eq!(source.slice(Span::new(14, 15)), "t");
/// ```
#[derive(Clone, Debug)]
pub struct Source {
    name: String,
    text: String,
    line_starts: Vec<usize>,
}

/// A line and a column, both counted from 1; columns count characters, not bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Location {
    /// Line, from 1.
    pub line: usize,
    /// Character in the line, from 1.
    pub column: usize,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

impl Source {
    /// A source called `name` in messages: a path, or a word such as `input`.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        let line_starts = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .collect();
        Source {
            name: name.into(),
            text,
            line_starts,
        }
    }

    /// What the source is called in messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text of a span, clamped to the source and to whole characters.
    pub fn slice(&self, span: impl Into<Span>) -> &str {
        let span = self.clamp(span.into());
        &self.text[span.start..span.end]
    }

    /// Line and column of a byte offset; an offset beyond the end counts as the end.
    pub fn location(&self, offset: usize) -> Location {
        let offset = self.floor(offset);
        let line = self.line_index(offset);
        let before = &self.text[self.line_starts[line]..offset];
        Location {
            line: line + 1,
            column: before.chars().count() + 1,
        }
    }

    /// The bytes of the lines, counted from 1 and both included, without the last line's end.
    ///
    /// Lines that the text does not have are clamped to its first and last.
    pub fn lines(&self, first: usize, last: usize) -> Span {
        let count = self.line_starts.len();
        let first = first.clamp(1, count);
        let last = last.clamp(first, count);
        let start = self.line_starts[first - 1];
        let end = match self.line_starts.get(last) {
            Some(next) => next - 1,
            None => self.text.len(),
        };
        let without_return = self.text[start..end].trim_end_matches('\r').len();
        Span::new(start, start + without_return)
    }

    /// The span with both ends inside the text and between characters.
    pub fn clamp(&self, span: Span) -> Span {
        let start = self.floor(span.start);
        Span::new(start, self.floor(span.end).max(start))
    }

    fn line_index(&self, offset: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= offset) - 1
    }

    fn floor(&self, offset: usize) -> usize {
        self.text.floor_char_boundary(offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_count_characters_and_are_clamped() {
        let source = Source::new("t", "a\nä b\n");
        assert_eq!(source.location(0).to_string(), "1:1");
        assert_eq!(source.location(5).to_string(), "2:3");
        assert_eq!(source.location(3).to_string(), "2:1");
        assert_eq!(source.location(99).to_string(), "3:1");
    }

    #[test]
    fn lines_have_no_line_end() {
        let source = Source::new("t", "one\ntwo\nthree");
        assert_eq!(source.slice(source.lines(2, 2)), "two");
        assert_eq!(source.slice(source.lines(2, 9)), "two\nthree");
        assert_eq!(source.slice(source.lines(0, 1)), "one");
        let source = Source::new("t", "one\r\ntwo\r\n");
        assert_eq!(source.slice(source.lines(2, 2)), "two");
    }

    #[test]
    fn slices_never_split_a_character() {
        let source = Source::new("t", "ä");
        assert_eq!(source.slice(Span::new(1, 2)), "ä");
        assert_eq!(source.slice(Span::new(5, 9)), "");
    }
}

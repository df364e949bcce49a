//! Diagnostics as text, in the look of rustc: the message, the lines, a caret under the span.
//!
//! The lines with their carets are drawn by the crate annotate-snippets; the notes below them are
//! ours, as they follow without a blank line.

use annotate_snippets::renderer::Style;
use annotate_snippets::{Annotation, AnnotationKind, Level, Renderer, Snippet};

use super::{Diagnostic, Note, Severity};
use crate::span::{Source, Span};

/// Columns after which a line of SQL is cut around its caret.
const WIDTH: usize = 140;

/// Whether text carries the escape sequences that colour it on a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Plain text, for files, pipes and tests.
    Never,
    /// With ANSI escape sequences.
    Always,
}

/// The diagnostic as lines of text, the last one ended too.
///
/// `source` must be the text that the diagnostic points into; a span beyond it is clamped.
///
/// ```
/// use ferrisstreams_sql_frontend::error::{Code, Colour, Diagnostic, render};
/// use ferrisstreams_sql_frontend::span::{Source, Span};
///
/// let source = Source::new("typo.sql", "SELECT\n  SUM(amont)\nFROM orders");
/// let diagnostic = Diagnostic::new(Code::UnknownColumn, "no column `amont` in orders", Span::new(13, 18))
///     .label("not found")
///     .suggest(Some("amount"));
/// assert_eq!(
///     render(&diagnostic, &source, Colour::Never),
///     "error[E0103]: no column `amont` in orders
///  --> typo.sql:2:7
///   |
/// 2 |   SUM(amont)
///   |       ^^^^^ not found
///   = help: did you mean `amount`?
/// "
/// );
/// ```
pub fn render(diagnostic: &Diagnostic, source: &Source, colour: Colour) -> String {
    let window = Window::of(diagnostic, source);
    let level = match diagnostic.severity() {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let message = one_line(diagnostic.message());
    let title = level
        .primary_title(message.as_str())
        .id(diagnostic.code().as_str());
    let report = [title.element(window.snippet(diagnostic, source))];
    let renderer = match colour {
        Colour::Never => Renderer::plain(),
        Colour::Always => Renderer::styled(),
    };
    let mut text = renderer.term_width(WIDTH).render(&report);
    text.push('\n');
    for note in diagnostic.notes() {
        push_note(&mut text, note, window.gutter(), colour);
    }
    text
}

/// All diagnostics in order, with an empty line between two.
pub fn render_all<'a>(
    diagnostics: impl IntoIterator<Item = &'a Diagnostic>,
    source: &Source,
    colour: Colour,
) -> String {
    let texts: Vec<String> = diagnostics
        .into_iter()
        .map(|diagnostic| render(diagnostic, source, colour))
        .collect();
    texts.join("\n")
}

/// The lines of the source that a diagnostic touches: only these are handed to be drawn, so that
/// the cost does not grow with the text.
struct Window {
    lines: Span,
    first_line: usize,
    last_line: usize,
}

impl Window {
    fn of(diagnostic: &Diagnostic, source: &Source) -> Self {
        let spans = std::iter::once(diagnostic.primary())
            .chain(diagnostic.secondaries())
            .map(|label| source.clamp(label.span));
        let whole = spans.reduce(|all, span| all.to(span)).unwrap_or_default();
        let first_line = source.location(whole.start).line;
        let last_line = source.location(whole.end).line;
        Window {
            lines: source.lines(first_line, last_line),
            first_line,
            last_line,
        }
    }

    fn snippet<'a>(
        &self,
        diagnostic: &'a Diagnostic,
        source: &'a Source,
    ) -> Snippet<'a, Annotation<'a>> {
        let primary = std::iter::once((AnnotationKind::Primary, diagnostic.primary()));
        let secondary = diagnostic
            .secondaries()
            .iter()
            .map(|label| (AnnotationKind::Context, label));
        let annotations = primary.chain(secondary).map(|(kind, label)| {
            let annotation = kind.span(self.place(source.clamp(label.span)));
            match label.text.as_str() {
                "" => annotation,
                text => annotation.label(one_line(text)),
            }
        });
        Snippet::source(source.slice(self.lines))
            .line_start(self.first_line)
            .path(source.name())
            .annotations(annotations)
    }

    /// The span as offsets into the window's text.
    fn place(&self, span: Span) -> std::ops::Range<usize> {
        let inside =
            |offset: usize| offset.clamp(self.lines.start, self.lines.end) - self.lines.start;
        inside(span.start)..inside(span.end)
    }

    /// Columns that the line numbers take.
    fn gutter(&self) -> usize {
        self.last_line.to_string().len()
    }
}

fn push_note(text: &mut String, note: &Note, gutter: usize, colour: Colour) {
    use std::fmt::Write;
    let (mark, bold) = match colour {
        Colour::Never => (Style::new(), Style::new()),
        Colour::Always => (
            annotate_snippets::renderer::DEFAULT_LINE_NUM_STYLE,
            annotate_snippets::renderer::DEFAULT_EMPHASIS_STYLE,
        ),
    };
    let indent = " ".repeat(gutter + 1);
    let (name, said) = (note.name, one_line(&note.text));
    writeln!(text, "{indent}{mark}={mark:#} {bold}{name}{bold:#}: {said}")
        .expect("writing to a string cannot fail");
}

/// Names that a user quoted may hold line ends and other controls: they are shown escaped.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_control() => line.extend(c.escape_default()),
            c => line.push(c),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    fn check(text: &str, diagnostic: Diagnostic, expected: &str) {
        let source = Source::new("q.sql", text);
        assert_eq!(render(&diagnostic, &source, Colour::Never), expected);
        let coloured = render(&diagnostic, &source, Colour::Always);
        assert!(coloured.contains("\u{1b}["), "{coloured}");
    }

    fn at(start: usize, end: usize, label: &str) -> Diagnostic {
        Diagnostic::new(Code::UnexpectedToken, "odd", Span::new(start, end)).label(label)
    }

    #[test]
    fn a_caret_stands_under_tabs_and_wide_characters() {
        check(
            "SELECT '日本語',\tx FROM t",
            at(20, 21, "here"),
            "error[E0201]: odd
 --> q.sql:1:15
  |
1 | SELECT '日本語',    x FROM t
  |                     ^ here
",
        );
    }

    #[test]
    fn a_span_over_lines_has_a_bar_beside_it() {
        check(
            "SELECT a\r\nFROM t\r\nWHERE x = 1\r\n",
            at(3, 14, "all of it").secondary(Span::new(18, 23), "and this"),
            "error[E0201]: odd
 --> q.sql:1:4
  |
1 |   SELECT a
  |  ____^
2 | | FROM t
  | |____^ all of it
3 |   WHERE x = 1
  |   ----- and this
",
        );
    }

    #[test]
    fn lines_between_two_labels_are_folded_and_notes_line_up() {
        let text = format!("first{}last", "\n".repeat(9));
        check(
            &text,
            at(0, 5, "")
                .secondary(Span::new(14, 18), "")
                .note("available", "a, b")
                .help("c"),
            "error[E0201]: odd
  --> q.sql:1:1
   |
 1 | first
   | ^^^^^
...
10 | last
   | ----
   = available: a, b
   = help: c
",
        );
    }

    #[test]
    fn the_end_of_the_text_can_be_pointed_at() {
        check(
            "SELECT",
            at(6, 6, "expected an expression"),
            "error[E0201]: odd
 --> q.sql:1:7
  |
1 | SELECT
  |       ^ expected an expression
",
        );
        let source = Source::new("q.sql", "");
        assert!(render(&at(7, 9, ""), &source, Colour::Never).contains("q.sql:1:1"));
    }

    #[test]
    fn a_long_line_is_cut_and_controls_are_escaped() {
        let text = format!("{}bad{}", "a, ".repeat(10_000), ", a".repeat(10_000));
        let diagnostic = Diagnostic::new(
            Code::UnknownColumn,
            "no \u{1b}[1m",
            Span::new(30_000, 30_003),
        );
        let shown = render(&diagnostic, &Source::new("q.sql", text), Colour::Never);
        assert!(
            shown.lines().all(|line| line.chars().count() < 200),
            "{shown}"
        );
        assert!(
            shown.contains("^^^") && !shown.contains('\u{1b}'),
            "{shown}"
        );
    }
}

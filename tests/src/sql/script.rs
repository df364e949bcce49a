//! Scripts: statements, rows that come and go, and what is expected of queries.
//!
//! A script is blocks with empty lines between them, comments (`# ...`) anywhere in between:
//!
//! ```text
//! statement
//! CREATE TABLE t (id INT PRIMARY KEY, name TEXT) FROM rows://t
//!
//! insert t
//! 1 | one
//! 2 | NULL
//!
//! query
//! SELECT COUNT(name) AS named FROM t
//! ----
//! 1
//!
//! delete t
//! 1 | one
//!
//! error
//! SELECT nam FROM t
//! ----
//! error[E0103]: ...
//! ```
//!
//! `statement` blocks must succeed; behind `----` stands what they answer, where it is checked. `query once` is a query
//! that only has an answer and no table. What is expected goes up to the next block, so that it may hold empty lines.

use std::fmt::Write;

use super::cells::{Cells, parse_cells};

/// A script, as it was read.
#[derive(Clone, Debug)]
pub struct Script {
    /// The blocks in order.
    pub blocks: Vec<Block>,
    /// What stands behind the last block: comments.
    end: String,
}

/// A block of a script.
#[derive(Clone, Debug)]
pub struct Block {
    /// The number of its first line.
    pub line: usize,
    /// What is done.
    pub kind: BlockKind,
    /// The comments and empty lines before it.
    before: String,
    /// Its lines up to `----`.
    lines: Vec<String>,
    /// What is expected, line by line; none where there is no `----`.
    pub expected: Option<Vec<String>>,
}

/// What a block does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockKind {
    /// Statements that must succeed.
    Statement,
    /// A query, answered once and kept up to date.
    Query,
    /// A query that is answered once.
    QueryOnce,
    /// Statements that are wrong.
    Error,
    /// Rows come to a table.
    Insert,
    /// Rows go from a table.
    Delete,
}

impl Script {
    /// Reads a script.
    ///
    /// # Panics
    ///
    /// Where a line stands outside of a block.
    #[must_use]
    pub fn parse(text: &str) -> Script {
        let lines: Vec<&str> = text.lines().collect();
        let mut blocks = Vec::new();
        let mut before = String::new();
        let mut at = 0;
        while at < lines.len() {
            let line = lines[at];
            let Some(kind) = kind_of(line) else {
                assert!(
                    line.trim().is_empty() || line.starts_with('#'),
                    "line {} is neither a block nor a comment: {line}",
                    at + 1
                );
                before.push_str(line);
                before.push('\n');
                at += 1;
                continue;
            };
            let (block, next) = Block::parse(&lines, at, kind, std::mem::take(&mut before));
            blocks.push(block);
            at = next;
        }
        Script {
            blocks,
            end: before,
        }
    }
}

/// The script as text, as it was read but for what is expected.
impl std::fmt::Display for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for block in &self.blocks {
            f.write_str(&block.before)?;
            for line in &block.lines {
                writeln!(f, "{line}")?;
            }
            let Some(expected) = &block.expected else {
                continue;
            };
            writeln!(f, "----")?;
            for line in expected {
                writeln!(f, "{line}")?;
            }
        }
        f.write_str(&self.end)
    }
}

fn kind_of(line: &str) -> Option<BlockKind> {
    let words: Vec<&str> = line.split(' ').collect();
    Some(match words[..] {
        ["statement"] => BlockKind::Statement,
        ["query"] => BlockKind::Query,
        ["query", "once"] => BlockKind::QueryOnce,
        ["error"] => BlockKind::Error,
        ["insert", _] => BlockKind::Insert,
        ["delete", _] => BlockKind::Delete,
        _ => return None,
    })
}

impl Block {
    /// Reads the block that begins at a line; the answer is also where the next one may begin.
    fn parse(lines: &[&str], start: usize, kind: BlockKind, before: String) -> (Block, usize) {
        let mut end = start + 1;
        while end < lines.len() && !lines[end].trim().is_empty() && lines[end] != "----" {
            end += 1;
        }
        let own = |range: &[&str]| {
            range
                .iter()
                .map(|line| (*line).to_owned())
                .collect::<Vec<String>>()
        };
        let mut block = Block {
            line: start + 1,
            kind,
            before,
            lines: own(&lines[start..end]),
            expected: None,
        };
        if lines.get(end) != Some(&"----") {
            return (block, end);
        }
        let first = end + 1;
        let ends = |at: usize| {
            let line = lines[at];
            kind_of(line).is_some() || line.starts_with('#')
        };
        let mut last = first;
        while last < lines.len() && !(lines[last - 1].is_empty() && ends(last)) {
            last += 1;
        }
        while last > first && lines[last - 1].is_empty() {
            last -= 1;
        }
        block.expected = Some(own(&lines[first..last]));
        (block, last)
    }

    /// The statements of the block.
    #[must_use]
    pub fn sql(&self) -> String {
        self.lines[1..].join("\n")
    }

    /// The table whose rows change.
    ///
    /// # Panics
    ///
    /// Where the block is about no table.
    #[must_use]
    pub fn table(&self) -> &str {
        let (_, table) = self.lines[0]
            .split_once(' ')
            .expect("insert and delete name a table");
        table
    }

    /// The rows that come or go.
    #[must_use]
    pub fn rows(&self) -> Vec<Cells> {
        self.lines[1..]
            .iter()
            .map(|line| parse_cells(line))
            .collect()
    }

    /// The difference to what came out, none where it is what is expected; line by line.
    #[must_use]
    pub fn difference(&self, actual: &[String]) -> Option<String> {
        let expected = self.expected.as_deref().unwrap_or_default();
        if expected == actual {
            return None;
        }
        let mut text = String::new();
        for line in expected.iter().filter(|line| !actual.contains(line)) {
            writeln!(text, "  - {line}").expect("writing to a string cannot fail");
        }
        for line in actual.iter().filter(|line| !expected.contains(line)) {
            writeln!(text, "  + {line}").expect("writing to a string cannot fail");
        }
        if text.is_empty() {
            text = format!("  expected {expected:?}\n  but found {actual:?}\n");
        }
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# A script.

statement
CREATE TABLE t (a INT)
  FROM rows://t

insert t
1 | x
2 | NULL

query
SELECT a FROM t
----
1
2

# Why.
error
SELECT b
----
error[E0103]: no column

error: again

delete t
1 | x
# The end.
";

    #[test]
    fn what_was_read_is_printed_as_it_was() {
        let mut script = Script::parse(TEXT);
        assert_eq!(script.to_string(), TEXT);
        let kinds: Vec<BlockKind> = script.blocks.iter().map(|block| block.kind).collect();
        use BlockKind::{Delete, Error, Insert, Query, Statement};
        assert_eq!(kinds, [Statement, Insert, Query, Error, Delete]);
        assert_eq!(
            script.blocks[0].sql(),
            "CREATE TABLE t (a INT)\n  FROM rows://t"
        );
        assert_eq!(script.blocks[1].rows()[1], [Some("2".to_owned()), None]);
        assert_eq!(script.blocks[3].expected.as_ref().unwrap().len(), 3);
        script.blocks[2].expected = Some(vec!["3".to_owned()]);
        assert_eq!(
            script.to_string(),
            TEXT.replace("----\n1\n2\n", "----\n3\n")
        );
    }

    #[test]
    fn differences_are_told_by_lines() {
        let script = Script::parse(TEXT);
        let query = &script.blocks[2];
        let lines = |lines: &[&str]| {
            lines
                .iter()
                .map(|line| (*line).to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(query.difference(&lines(&["1", "2"])), None);
        assert_eq!(
            query.difference(&lines(&["1", "3"])).unwrap(),
            "  - 2\n  + 3\n"
        );
        assert!(
            query
                .difference(&lines(&["1", "2", "2"]))
                .unwrap()
                .contains("but found")
        );
    }
}

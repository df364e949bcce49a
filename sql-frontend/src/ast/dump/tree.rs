//! The text that a dump grows in.

use std::fmt::{Display, Write};

/// Lines, each indented by the depth of its node.
#[derive(Default)]
pub(super) struct Tree {
    text: String,
    depth: usize,
}

impl Tree {
    /// A node without children.
    pub(super) fn leaf(&mut self, line: impl Display) {
        writeln!(self.text, "{:indent$}{line}", "", indent = 2 * self.depth)
            .expect("writing to a string cannot fail");
    }

    /// A node, and the children that `children` adds.
    pub(super) fn node(&mut self, line: impl Display, children: impl FnOnce(&mut Tree)) {
        self.leaf(line);
        self.depth += 1;
        children(self);
        self.depth -= 1;
    }

    /// A node for a list, and nothing where the list is empty.
    pub(super) fn list<T>(
        &mut self,
        line: impl Display,
        items: &[T],
        mut item: impl FnMut(&mut Tree, &T),
    ) {
        if !items.is_empty() {
            self.node(line, |tree| items.iter().for_each(|one| item(tree, one)));
        }
    }

    /// A node for a part that may be absent, and nothing where it is.
    pub(super) fn maybe<T>(
        &mut self,
        line: impl Display,
        part: Option<&T>,
        child: impl FnOnce(&mut Tree, &T),
    ) {
        if let Some(part) = part {
            self.node(line, |tree| child(tree, part));
        }
    }

    /// The lines so far.
    pub(super) fn into_text(self) -> String {
        self.text
    }
}

//! Rows computed from rows.

use std::fmt;

use ferrisstreams_topology::data::one_of_equals;
use ferrisstreams_topology::data::{RowBuffer, RowLayout, RowSpan, Schema, Slot};

use super::build::Builder;
use super::code::Code;
use super::eval::Eval;
use super::node::Node;
use super::text::TextNode;
use crate::plan::Scalar;

/// Expressions as code that makes a row of another row.
pub struct Projection {
    layout: RowLayout,
    items: Vec<Item>,
}

/// How a column is made.
enum Item {
    /// It is copied.
    Copy(Slot),
    /// It is computed.
    Compute(Code),
}

impl fmt::Debug for Projection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.items.len();
        f.debug_struct("Projection")
            .field("columns", &columns)
            .finish_non_exhaustive()
    }
}

impl Projection {
    /// Makes code of expressions over rows of `input`, which give rows of `output`.
    pub fn new(scalars: &[Scalar], input: &RowLayout, output: &Schema) -> Self {
        Projection::with_key(scalars, 0, input, output)
    }

    /// The same, where the first `key` columns are those of a key: values that are equal give equal bytes.
    pub fn with_key(scalars: &[Scalar], key: usize, input: &RowLayout, output: &Schema) -> Self {
        let layout = RowLayout::new(output);
        let builder = Builder { layout: input };
        let item = |(column, (scalar, slot)): (usize, (&Scalar, &Slot))| match builder.build(scalar)
        {
            Code::Float(node) if column < key => {
                Item::Compute(Code::Float(node.map(|value, _| Some(one_of_equals(value)))))
            }
            code => item(code, *slot),
        };
        let columns = scalars.iter().zip(layout.slots());
        let items = columns.enumerate().map(item).collect();
        Projection { items, layout }
    }

    /// Appends the row that is made of `row` to a buffer.
    #[inline]
    pub fn project(&self, row: &[u8], eval: &mut Eval, out: &mut RowBuffer) -> RowSpan {
        let mut writer = out.begin(&self.layout);
        for (column, item) in self.items.iter().enumerate() {
            match item {
                Item::Copy(slot) => writer.copy(column, row, *slot),
                Item::Compute(code) => code.write(row, eval, &mut writer, column),
            }
        }
        writer.finish()
    }
}

fn item(code: Code, to: Slot) -> Item {
    let slot = match &code {
        Code::Bool(Node::Column(slot))
        | Code::Int(Node::Column(slot))
        | Code::Wide(Node::Column(slot))
        | Code::Float(Node::Column(slot))
        | Code::Interval(Node::Column(slot))
        | Code::Text(TextNode::Column(slot)) => *slot,
        _ => return Item::Compute(code),
    };
    // A column that is widened is read and written.
    if slot.physical() == to.physical() {
        Item::Copy(slot)
    } else {
        Item::Compute(code)
    }
}

//! Names and types of the columns of a row.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::DataType;

/// A named, typed column.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Field {
    /// The name, as it was written.
    pub name: String,
    /// The type.
    pub data_type: DataType,
    /// Whether NULL may stand here.
    pub nullable: bool,
}

impl Field {
    /// A column that may be NULL.
    pub fn new(name: impl Into<String>, data_type: DataType) -> Self {
        Field {
            name: name.into(),
            data_type,
            nullable: true,
        }
    }

    /// The same column, declared NOT NULL.
    pub fn not_null(self) -> Self {
        Field {
            nullable: false,
            ..self
        }
    }
}

/// The columns of a row, in order. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Schema {
    fields: Arc<[Field]>,
}

impl Schema {
    /// A schema of the given columns.
    pub fn new(fields: Vec<Field>) -> Self {
        Schema {
            fields: fields.into(),
        }
    }

    /// The columns.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The number of columns.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// True where there is no column.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The type of column `index`.
    ///
    /// # Panics
    ///
    /// Where there is no such column.
    pub fn data_type(&self, index: usize) -> DataType {
        self.fields[index].data_type
    }

    /// The first column of exactly this name.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }

    /// The columns at `indices`, in that order.
    pub fn project(&self, indices: &[usize]) -> Schema {
        Schema::new(indices.iter().map(|&i| self.fields[i].clone()).collect())
    }
}

impl FromIterator<Field> for Schema {
    fn from_iter<I: IntoIterator<Item = Field>>(fields: I) -> Self {
        Schema::new(fields.into_iter().collect())
    }
}

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, field) in self.fields.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{} {}", field.name, field.data_type)?;
            if !field.nullable {
                f.write_str(" NOT NULL")?;
            }
        }
        Ok(())
    }
}

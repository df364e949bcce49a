//! The table of diagnostic codes.
//!
//! A code is stable: it never changes its meaning and is never used again for another one. Ranges:
//! E01xx names and binding, E02xx syntax, E03xx types, E04xx what is not supported, E05xx sources
//! and options, W09xx warnings.

use std::fmt;

/// How bad a [`Diagnostic`](super::Diagnostic) is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The statement is legal and likely not meant so.
    Warning,
    /// The statement cannot run.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Severity::Warning => "warning",
            Severity::Error => "error",
        })
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $sqlstate:literal;)*) => {
        /// What kind of mistake a [`Diagnostic`](super::Diagnostic) reports, with its stable code
        /// and its SQLSTATE.
        ///
        /// ```
        /// use ferrisstreams_sql_frontend::error::Code;
        /// assert_eq!(Code::UnknownColumn.as_str(), "E0103");
        /// assert_eq!(Code::UnknownColumn.sqlstate(), "42703");
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            /// All codes in the order of their numbers.
            pub const ALL: &[Code] = &[$(Code::$name,)*];

            /// The code as it is shown, `E0103` for instance.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Code::$name => $code,)*
                }
            }

            /// The five characters of SQLSTATE, as PostgreSQL has them for the same mistake.
            pub const fn sqlstate(self) -> &'static str {
                match self {
                    $(Code::$name => $sqlstate,)*
                }
            }
        }
    };
}

codes! {
    /// A stream, table or query of that name does not exist.
    UnknownRelation = "E0101", "42P01";
    /// A column name fits more than one column.
    AmbiguousColumn = "E0102", "42702";
    /// A column of that name does not exist.
    UnknownColumn = "E0103", "42703";
    /// A function of that name does not exist.
    UnknownFunction = "E0104", "42883";
    /// A type of that name does not exist.
    UnknownType = "E0105", "42704";
    /// A stream, table, connection or type of that name exists already.
    DuplicateRelation = "E0106", "42P07";
    /// Two columns of one relation have the same name.
    DuplicateColumn = "E0107", "42701";
    /// Two relations of one FROM clause have the same alias.
    DuplicateAlias = "E0108", "42712";
    /// A column is neither grouped nor inside an aggregate.
    UngroupedColumn = "E0109", "42803";
    /// An aggregate stands where there are no groups, or inside another one.
    MisplacedAggregate = "E0110", "42803";

    /// A token stands where the grammar allows none like it.
    UnexpectedToken = "E0201", "42601";
    /// The statement ends before it is complete.
    UnexpectedEnd = "E0202", "42601";
    /// A string has no closing quote.
    UnterminatedString = "E0203", "42601";
    /// A quoted identifier has no closing quote.
    UnterminatedIdentifier = "E0204", "42601";
    /// A block comment is not closed.
    UnterminatedComment = "E0205", "42601";
    /// A character that no token begins with.
    UnexpectedCharacter = "E0206", "42601";
    /// A number that runs into letters, or has a broken exponent.
    MalformedNumber = "E0207", "42601";
    /// A quoted identifier without a character between its quotes.
    EmptyIdentifier = "E0208", "42601";
    /// An expression, query or type is nested too deeply.
    NestedTooDeeply = "E0209", "54001";
    /// The text or the number of its statements is beyond what is read in one go.
    TextTooLong = "E0210", "54000";
    /// A reserved word is used as a name.
    ReservedWord = "E0211", "42939";
    /// A join that needs a condition has none, or one that takes none has one.
    JoinCondition = "E0212", "42601";
    /// A clause or option is given twice.
    DuplicateClause = "E0213", "42601";
    /// An operator is spelled as in another language.
    ForeignOperator = "E0214", "42601";
    /// Comparisons are chained, as in `a < b < c`.
    ChainedComparison = "E0215", "42601";
    /// A string stands where a relation, a name or an option is asked for.
    MisplacedString = "E0216", "42601";
    /// A double-quoted name stands where a string is asked for.
    MisplacedIdentifier = "E0217", "42601";
    /// A comma with nothing after it.
    TrailingComma = "E0218", "42601";
    /// Clauses stand in an order that SQL does not have, or contradict each other.
    MisplacedClause = "E0219", "42601";
    /// A length, precision or scale in a type is out of range.
    TypeParameter = "E0220", "22023";

    /// An operation or function does not take values of these types.
    TypeMismatch = "E0301", "42804";
    /// A literal cannot be read as a value of its type.
    InvalidLiteral = "E0302", "22P02";

    /// SQL that is understood and not supported yet.
    NotSupported = "E0401", "0A000";

    /// A URI that cannot be read.
    InvalidUri = "E0501", "42601";
    /// An option that its source, sink or statement does not know.
    UnknownOption = "E0502", "HV00D";
    /// An option with a value that it does not take.
    InvalidOption = "E0503", "22023";
    /// What a URI stands for is not there.
    SourceNotFound = "E0504", "HV00R";
    /// What a URI stands for cannot be read, or tells too little.
    SourceUnreadable = "E0505", "HV000";

    /// A comparison with NULL, which is never true.
    NullComparison = "W0901", "01000";
}

impl Code {
    /// Whether the code is that of an error or of a warning.
    pub fn severity(self) -> Severity {
        match self.as_str().as_bytes() {
            [b'W', ..] => Severity::Warning,
            _ => Severity::Error,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_sorted_and_well_formed() {
        let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
        let mut sorted = codes.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(codes, sorted);
        for code in Code::ALL {
            let (letter, digits) = code.as_str().split_at(1);
            assert!(matches!(letter, "E" | "W"), "{code}");
            assert!(digits.len() == 4 && digits.parse::<u32>().is_ok(), "{code}");
            assert_eq!(code.sqlstate().len(), 5, "{code}");
        }
    }

    #[test]
    fn warnings_are_told_by_their_letter() {
        assert_eq!(Code::NullComparison.severity(), Severity::Warning);
        assert_eq!(Code::UnknownColumn.severity(), Severity::Error);
    }
}

//! The words that the grammar knows, and how far each is kept from being a name.
//!
//! The list of reserved words is small on purpose: `key`, `value`, `date`, `timestamp`, `user`,
//! `type`, `window`, `status` and the like are ordinary column names.

/// How far a keyword is kept from being a name without quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reservation {
    /// A name wherever names stand.
    Free,
    /// A name, but an alias only after AS, since a clause could begin with it.
    NoAlias,
    /// Never a name without quotes, but for what follows a dot, `->` or AS in a select list.
    Reserved,
}

macro_rules! keywords {
    ($($name:ident $text:literal $class:ident,)*) => {
        /// A word of the grammar.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs, reason = "each is the word it is named by")]
        pub enum Keyword {
            $($name,)*
        }

        impl Keyword {
            /// All keywords in alphabetical order.
            pub const ALL: &[Keyword] = &[$(Keyword::$name,)*];

            /// The word in capitals.
            pub const fn text(self) -> &'static str {
                match self {
                    $(Keyword::$name => $text,)*
                }
            }

            /// How far it is kept from being a name.
            pub const fn reservation(self) -> Reservation {
                match self {
                    $(Keyword::$name => Reservation::$class,)*
                }
            }
        }
    };
}

keywords! {
    Add "ADD" Free,
    Advance "ADVANCE" Free,
    All "ALL" Reserved,
    Alter "ALTER" NoAlias,
    Analyze "ANALYZE" Free,
    And "AND" Reserved,
    Any "ANY" Free,
    Array "ARRAY" Free,
    As "AS" Reserved,
    Asc "ASC" NoAlias,
    Assert "ASSERT" Free,
    Ast "AST" Free,
    Asymmetric "ASYMMETRIC" Reserved,
    At "AT" Free,
    Begin "BEGIN" Free,
    Between "BETWEEN" Reserved,
    BigInt "BIGINT" Free,
    Bool "BOOL" Free,
    Boolean "BOOLEAN" Free,
    Both "BOTH" Reserved,
    By "BY" Free,
    Bytea "BYTEA" Free,
    Bytes "BYTES" Free,
    Cascade "CASCADE" Free,
    Case "CASE" Reserved,
    Cast "CAST" Free,
    Changes "CHANGES" Free,
    Char "CHAR" Free,
    Character "CHARACTER" Free,
    Check "CHECK" Free,
    Collate "COLLATE" NoAlias,
    Column "COLUMN" Free,
    Columns "COLUMNS" Free,
    Commit "COMMIT" Free,
    Connection "CONNECTION" Free,
    Connections "CONNECTIONS" Free,
    Connector "CONNECTOR" Free,
    Connectors "CONNECTORS" Free,
    Constraint "CONSTRAINT" Free,
    Copy "COPY" Free,
    Create "CREATE" Reserved,
    Cross "CROSS" Reserved,
    Cube "CUBE" Free,
    Current "CURRENT" Free,
    CurrentDate "CURRENT_DATE" Free,
    CurrentTime "CURRENT_TIME" Free,
    CurrentTimestamp "CURRENT_TIMESTAMP" Free,
    Data "DATA" Free,
    Database "DATABASE" Free,
    Date "DATE" Free,
    Day "DAY" Free,
    Days "DAYS" Free,
    Dec "DEC" Free,
    Decimal "DECIMAL" Free,
    Default "DEFAULT" Free,
    Define "DEFINE" Free,
    Delete "DELETE" Free,
    Desc "DESC" NoAlias,
    Describe "DESCRIBE" NoAlias,
    Descriptor "DESCRIPTOR" Free,
    Distinct "DISTINCT" Reserved,
    Double "DOUBLE" Free,
    Drop "DROP" NoAlias,
    Else "ELSE" Reserved,
    Emit "EMIT" NoAlias,
    End "END" Reserved,
    Enforced "ENFORCED" Free,
    Escape "ESCAPE" Free,
    Except "EXCEPT" Reserved,
    Exclude "EXCLUDE" Free,
    Execute "EXECUTE" Free,
    Exists "EXISTS" Free,
    Explain "EXPLAIN" NoAlias,
    Extended "EXTENDED" Free,
    Extract "EXTRACT" Free,
    False "FALSE" Reserved,
    Fetch "FETCH" NoAlias,
    Filter "FILTER" Free,
    Final "FINAL" Free,
    First "FIRST" Free,
    Float "FLOAT" Free,
    Float4 "FLOAT4" Free,
    Float8 "FLOAT8" Free,
    Following "FOLLOWING" Free,
    For "FOR" NoAlias,
    Foreign "FOREIGN" Free,
    From "FROM" Reserved,
    Full "FULL" Reserved,
    Function "FUNCTION" Free,
    Functions "FUNCTIONS" Free,
    Generated "GENERATED" Free,
    Grace "GRACE" Free,
    Grant "GRANT" Free,
    Group "GROUP" Reserved,
    Grouping "GROUPING" Free,
    Groups "GROUPS" Free,
    Having "HAVING" Reserved,
    Header "HEADER" Free,
    Headers "HEADERS" Free,
    Hopping "HOPPING" Free,
    Hour "HOUR" Free,
    Hours "HOURS" Free,
    If "IF" Free,
    Ignore "IGNORE" Free,
    ILike "ILIKE" Reserved,
    In "IN" Reserved,
    Index "INDEX" Free,
    Inner "INNER" Reserved,
    Insert "INSERT" NoAlias,
    Int "INT" Free,
    Int2 "INT2" Free,
    Int4 "INT4" Free,
    Int8 "INT8" Free,
    Integer "INTEGER" Free,
    Intersect "INTERSECT" Reserved,
    Interval "INTERVAL" Free,
    Into "INTO" Reserved,
    Is "IS" Reserved,
    IsNull "ISNULL" NoAlias,
    Join "JOIN" Reserved,
    Key "KEY" Free,
    Last "LAST" Free,
    Lateral "LATERAL" Free,
    Leading "LEADING" Reserved,
    Left "LEFT" Reserved,
    Like "LIKE" Reserved,
    Limit "LIMIT" Reserved,
    List "LIST" Free,
    LocalTime "LOCALTIME" Free,
    LocalTimestamp "LOCALTIMESTAMP" Free,
    Map "MAP" Free,
    Materialized "MATERIALIZED" Free,
    Merge "MERGE" Free,
    Microsecond "MICROSECOND" Free,
    Microseconds "MICROSECONDS" Free,
    Millisecond "MILLISECOND" Free,
    Milliseconds "MILLISECONDS" Free,
    Minute "MINUTE" Free,
    Minutes "MINUTES" Free,
    Month "MONTH" Free,
    Months "MONTHS" Free,
    Natural "NATURAL" Reserved,
    Next "NEXT" Free,
    No "NO" Free,
    Not "NOT" Reserved,
    NotNull "NOTNULL" NoAlias,
    Null "NULL" Reserved,
    Nulls "NULLS" Free,
    Numeric "NUMERIC" Free,
    Of "OF" Free,
    Offset "OFFSET" Reserved,
    On "ON" Reserved,
    Only "ONLY" Free,
    Optimized "OPTIMIZED" Free,
    Or "OR" Reserved,
    Order "ORDER" Reserved,
    Ordinality "ORDINALITY" Free,
    Others "OTHERS" Free,
    Outer "OUTER" Reserved,
    Over "OVER" NoAlias,
    Overlaps "OVERLAPS" NoAlias,
    Overlay "OVERLAY" Free,
    Partition "PARTITION" NoAlias,
    Pause "PAUSE" Free,
    Period "PERIOD" Free,
    Plan "PLAN" Free,
    Plugins "PLUGINS" Free,
    Position "POSITION" Free,
    Preceding "PRECEDING" Free,
    Precision "PRECISION" Free,
    Primary "PRIMARY" Free,
    Print "PRINT" Free,
    Properties "PROPERTIES" Free,
    Queries "QUERIES" Free,
    Range "RANGE" Free,
    Real "REAL" Free,
    Recursive "RECURSIVE" Free,
    References "REFERENCES" Free,
    Rename "RENAME" Free,
    Replace "REPLACE" Free,
    Respect "RESPECT" Free,
    Restrict "RESTRICT" Free,
    Resume "RESUME" Free,
    Retention "RETENTION" Free,
    Revoke "REVOKE" Free,
    Right "RIGHT" Reserved,
    Rollback "ROLLBACK" Free,
    Rollup "ROLLUP" Free,
    Row "ROW" Free,
    Rows "ROWS" Free,
    Run "RUN" Free,
    Schema "SCHEMA" Free,
    Second "SECOND" Free,
    Seconds "SECONDS" Free,
    Select "SELECT" Reserved,
    Sequence "SEQUENCE" Free,
    Session "SESSION" Free,
    Set "SET" Free,
    Sets "SETS" Free,
    Show "SHOW" NoAlias,
    Similar "SIMILAR" NoAlias,
    Sink "SINK" Free,
    Size "SIZE" Free,
    SmallInt "SMALLINT" Free,
    Some "SOME" Free,
    Source "SOURCE" Free,
    Stream "STREAM" Free,
    Streams "STREAMS" Free,
    String "STRING" Free,
    Struct "STRUCT" Free,
    Substring "SUBSTRING" Free,
    Symmetric "SYMMETRIC" Reserved,
    System "SYSTEM" Free,
    SystemTime "SYSTEM_TIME" Free,
    Table "TABLE" Free,
    Tables "TABLES" Free,
    TableSample "TABLESAMPLE" NoAlias,
    Temp "TEMP" Free,
    Temporary "TEMPORARY" Free,
    Terminate "TERMINATE" Free,
    Text "TEXT" Free,
    Then "THEN" Reserved,
    Ties "TIES" Free,
    Time "TIME" Free,
    Timestamp "TIMESTAMP" Free,
    TimestampTz "TIMESTAMPTZ" Free,
    TinyInt "TINYINT" Free,
    To "TO" Free,
    Topic "TOPIC" Free,
    Topics "TOPICS" Free,
    Topology "TOPOLOGY" Free,
    Trailing "TRAILING" Reserved,
    Trim "TRIM" Free,
    True "TRUE" Reserved,
    Truncate "TRUNCATE" Free,
    TryCast "TRY_CAST" Free,
    Tumbling "TUMBLING" Free,
    Type "TYPE" Free,
    Types "TYPES" Free,
    Unbounded "UNBOUNDED" Free,
    Undefine "UNDEFINE" Free,
    Union "UNION" Reserved,
    Unique "UNIQUE" Free,
    Unknown "UNKNOWN" Free,
    Unset "UNSET" Free,
    Update "UPDATE" Free,
    Use "USE" Free,
    Using "USING" Reserved,
    Uuid "UUID" Free,
    Values "VALUES" NoAlias,
    VarBinary "VARBINARY" Free,
    Varchar "VARCHAR" Free,
    Variables "VARIABLES" Free,
    Varying "VARYING" Free,
    View "VIEW" Free,
    Views "VIEWS" Free,
    Watermark "WATERMARK" Free,
    Week "WEEK" Free,
    Weeks "WEEKS" Free,
    When "WHEN" Reserved,
    Where "WHERE" Reserved,
    Window "WINDOW" NoAlias,
    With "WITH" Reserved,
    Within "WITHIN" NoAlias,
    Without "WITHOUT" Free,
    Year "YEAR" Free,
    Years "YEARS" Free,
    Zone "ZONE" Free,
}

/// Bytes of the longest keyword.
const MAX_BYTES: usize = 17;

impl Keyword {
    /// The keyword that `word` spells, in any case.
    ///
    /// ```
    /// use ferrisstreams_sql_frontend::lexer::Keyword;
    /// assert_eq!(Keyword::of("Select"), Some(Keyword::Select));
    /// assert_eq!(Keyword::of("orders"), None);
    /// ```
    pub fn of(word: &str) -> Option<Keyword> {
        let mut buffer = [0; MAX_BYTES];
        let upper = buffer.get_mut(..word.len())?;
        upper.copy_from_slice(word.as_bytes());
        upper.make_ascii_uppercase();
        let upper: &[u8] = upper;
        Keyword::ALL
            .binary_search_by(|keyword| keyword.text().as_bytes().cmp(upper))
            .ok()
            .map(|index| Keyword::ALL[index])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_fits_the_buffer() {
        for pair in Keyword::ALL.windows(2) {
            assert!(pair[0].text() < pair[1].text(), "{pair:?}");
        }
        let longest = Keyword::ALL
            .iter()
            .map(|keyword| keyword.text().len())
            .max();
        assert_eq!(longest, Some(MAX_BYTES));
    }

    #[test]
    fn every_keyword_is_found_in_any_case() {
        for keyword in Keyword::ALL {
            assert_eq!(Keyword::of(keyword.text()), Some(*keyword));
            assert_eq!(Keyword::of(&keyword.text().to_lowercase()), Some(*keyword));
        }
        assert_eq!(Keyword::of(""), None);
        assert_eq!(Keyword::of("ſelect"), None);
        assert_eq!(Keyword::of("a_word_longer_than_any_keyword"), None);
    }
}

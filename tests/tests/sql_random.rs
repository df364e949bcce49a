//! Random queries over random tables: what is maintained is what PostgreSQL answers over the same rows, before and
//! after rows come, change and go.
//!
//! Runs where `FERRIS_TEST_POSTGRES` is set. A failure names the seed, which makes the same tables and queries again.

use std::fmt::Write;

use ferrisstreams_tests::sql::{Cells, Maintained, rounded};
use ferrisstreams_tests::{Postgres, soak};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

const QUERIES: usize = 16;

/// The tables: two with a primary key, one in which rows may be there several times.
const TABLES: [(&str, &str); 3] = [
    (
        "t0",
        "id INT PRIMARY KEY, k INT, n INT, d DECIMAL(6,2), s TEXT, ok BOOLEAN, dt DATE",
    ),
    (
        "t1",
        "id INT PRIMARY KEY, k INT, n INT, d DECIMAL(6,2), s TEXT, ok BOOLEAN, dt DATE",
    ),
    (
        "t2",
        "id INT, k INT, n INT, d DECIMAL(6,2), s TEXT, ok BOOLEAN, dt DATE",
    ),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Int,
    Decimal,
    Text,
    Boolean,
    Date,
}

const COLUMNS: [(&str, Type); 7] = [
    ("id", Type::Int),
    ("k", Type::Int),
    ("n", Type::Int),
    ("d", Type::Decimal),
    ("s", Type::Text),
    ("ok", Type::Boolean),
    ("dt", Type::Date),
];

/// A column that an expression may be made of: its name as it is written, and its type.
type Columns = Vec<(String, Type)>;

#[test]
fn soak_random_queries_hold_what_postgres_answers() {
    let Some(postgres) = Postgres::shared() else {
        return;
    };
    let mut failures = Vec::new();
    for seed in 0..soak::rounds(20, 400) as u64 {
        let database = postgres.fresh_database("random");
        failures.extend(run(seed, &database));
    }
    assert!(
        failures.is_empty(),
        "{} failures:\n\n{}",
        failures.len(),
        failures.join("\n\n")
    );
}

/// Runs the queries of a seed; the answer is what went wrong.
fn run(seed: u64, postgres: &Postgres) -> Vec<String> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut setup = String::new();
    for (name, columns) in TABLES {
        postgres.query(&format!("CREATE TABLE {name} ({columns})"));
        writeln!(setup, "CREATE TABLE {name} ({columns}) FROM rows://{name};").expect("a string");
    }
    let queries: Vec<String> = (0..QUERIES).map(|_| query(&mut random)).collect();
    let mut failures = Vec::new();
    let mut maintained = Vec::new();
    for (at, query) in queries.iter().enumerate() {
        match Maintained::new(&setup, query, 1 + (at % 3) as u16) {
            Ok(one) => maintained.push((query, one)),
            Err(message) => failures.push(format!("seed {seed}: {query}\n{message}")),
        }
    }
    let mut rows = Rows::default();
    for step in 0..4 {
        let changes = rows.change(step, &mut random);
        postgres.query(&changes.iter().map(Change::sql).collect::<String>());
        for (_, one) in &maintained {
            changes.iter().for_each(|change| change.apply(one));
        }
        let answers = answers(postgres, maintained.iter().map(|(query, _)| &query[..]));
        let mut answers = answers.into_iter();
        maintained.retain_mut(|(query, one)| {
            let expected = answers.next().expect("there is an answer to each query");
            let message = match one.check().map(|rows| comparable(&rows)) {
                Ok(found) if found == expected => return true,
                Ok(found) => format!("expected {expected:?}\n  found    {found:?}"),
                Err(message) => message,
            };
            failures.push(format!("seed {seed}, step {step}: {query}\n  {message}"));
            false
        });
    }
    failures
}

/// What PostgreSQL answers to each query, in sorted lines. All are asked in one go, each row as one text: no value has
/// a character in it that would stand in quotes there, and none is empty.
fn answers<'a>(postgres: &Postgres, queries: impl Iterator<Item = &'a str>) -> Vec<Vec<String>> {
    let parts = queries
        .enumerate()
        .map(|(at, query)| format!("SELECT {at}, q::text FROM ({query}) AS q"));
    let parts: Vec<String> = parts.collect();
    let mut answers = vec![Vec::new(); parts.len()];
    for row in postgres.query(&parts.join("\nUNION ALL ")) {
        let [Some(query), Some(cells)] = &row[..] else {
            panic!("a number and a row are wanted: {row:?}");
        };
        let query: usize = query.parse().expect("the number of a query");
        answers[query].push(line(cells));
    }
    for answer in &mut answers {
        answer.sort_unstable();
    }
    answers
}

/// The cells of a row as PostgreSQL writes it: `(1,,t)`.
fn line(row: &str) -> String {
    let cells = row
        .strip_prefix('(')
        .and_then(|row| row.strip_suffix(')'))
        .expect("a row in parentheses");
    let cell = |cell: &str| match cell {
        "" => "NULL".to_owned(),
        "t" => "true".to_owned(),
        "f" => "false".to_owned(),
        text => rounded(text, 6),
    };
    cells.split(',').map(cell).collect::<Vec<_>>().join(" | ")
}

/// Lines with numbers rounded as those of PostgreSQL are.
fn comparable(rows: &[String]) -> Vec<String> {
    let mut lines: Vec<String> = rows
        .iter()
        .map(|row| {
            row.split(" | ")
                .map(|cell| rounded(cell, 6))
                .collect::<Vec<_>>()
                .join(" | ")
        })
        .collect();
    lines.sort_unstable();
    lines
}

/// The rows that the tables have.
#[derive(Default)]
struct Rows {
    tables: [Vec<Cells>; TABLES.len()],
    next: i64,
}

enum Change {
    Insert(usize, Cells),
    Delete(usize, Cells),
}

impl Rows {
    /// The changes of a step: none, many rows, all kinds of changes, everything goes.
    fn change(&mut self, step: usize, random: &mut StdRng) -> Vec<Change> {
        let mut changes = Vec::new();
        match step {
            0 => {}
            1 => {
                for _ in 0..random.random_range(5..40) {
                    changes.push(self.insert(random));
                }
            }
            2 => {
                for _ in 0..random.random_range(5..40) {
                    let table = random.random_range(0..TABLES.len());
                    changes.push(match random.random_range(0..3) {
                        0 if !self.tables[table].is_empty() => self.delete(table, random),
                        _ => self.insert(random),
                    });
                }
            }
            _ => {
                for table in 0..TABLES.len() {
                    while self.tables[table].len() > usize::from(step == 3 && table == 0) {
                        changes.push(self.delete(table, random));
                    }
                }
            }
        }
        changes
    }

    /// A new row, or one in the place of another of its key.
    fn insert(&mut self, random: &mut StdRng) -> Change {
        let table = random.random_range(0..TABLES.len());
        let rows = &mut self.tables[table];
        let old = (!rows.is_empty() && random.random_range(0..3) == 0)
            .then(|| random.random_range(0..rows.len()));
        let is_keyed = TABLES[table].1.contains("PRIMARY KEY");
        let mut row: Cells = COLUMNS.iter().map(|(_, of)| cell(*of, random)).collect();
        match old {
            Some(at) if is_keyed => {
                row[0].clone_from(&rows[at][0]);
                rows[at] = row.clone();
            }
            Some(at) => {
                row = rows[at].clone();
                rows.push(row.clone());
            }
            None => {
                self.next += 1;
                row[0] = Some(self.next.to_string());
                rows.push(row.clone());
            }
        }
        Change::Insert(table, row)
    }

    fn delete(&mut self, table: usize, random: &mut StdRng) -> Change {
        let at = random.random_range(0..self.tables[table].len());
        Change::Delete(table, self.tables[table].remove(at))
    }
}

impl Change {
    fn apply(&self, maintained: &Maintained) {
        let tables = maintained.tables();
        // A query need not read all tables, but all are declared.
        match self {
            Change::Insert(table, row) => {
                tables.insert(TABLES[*table].0, std::slice::from_ref(row))
            }
            Change::Delete(table, row) => {
                tables.delete(TABLES[*table].0, std::slice::from_ref(row))
            }
        }
        .expect("the row fits");
    }

    fn sql(&self) -> String {
        let literal = |(cell, (_, of)): (&Option<String>, &(&str, Type))| match (cell, of) {
            (None, _) => "NULL".to_owned(),
            (Some(text), Type::Int | Type::Decimal | Type::Boolean) => text.clone(),
            (Some(text), Type::Text | Type::Date) => format!("'{text}'"),
        };
        let literals = |row: &Cells| {
            row.iter()
                .zip(&COLUMNS)
                .map(literal)
                .collect::<Vec<String>>()
        };
        match self {
            Change::Insert(table, row) => {
                let (name, columns) = TABLES[*table];
                let values = literals(row).join(", ");
                let before = if columns.contains("PRIMARY KEY") {
                    format!("DELETE FROM {name} WHERE id = {};\n", literals(row)[0])
                } else {
                    String::new()
                };
                format!("{before}INSERT INTO {name} VALUES ({values});\n")
            }
            Change::Delete(table, row) => {
                let name = TABLES[*table].0;
                let same = |(value, (column, _)): (String, &(&str, Type))| {
                    format!("{column} IS NOT DISTINCT FROM {value}")
                };
                let same: Vec<String> = literals(row).into_iter().zip(&COLUMNS).map(same).collect();
                let same = same.join(" AND ");
                format!(
                    "DELETE FROM {name} WHERE ctid = (SELECT ctid FROM {name} WHERE {same} LIMIT 1);\n"
                )
            }
        }
    }
}

fn cell(of: Type, random: &mut StdRng) -> Option<String> {
    if random.random_range(0..6) == 0 {
        return None;
    }
    Some(match of {
        Type::Int => random.random_range(-2..6).to_string(),
        Type::Decimal => {
            let cents: i32 = random.random_range(-300..300);
            let sign = if cents < 0 { "-" } else { "" };
            format!("{sign}{}.{:02}", cents.abs() / 100, cents.abs() % 100)
        }
        Type::Text => pick(&["a", "b", "ab", "B", "a_b", "zz", "100%"], random).to_owned(),
        Type::Boolean => random.random::<bool>().to_string(),
        Type::Date => format!(
            "2024-0{}-1{}",
            random.random_range(1..4),
            random.random_range(0..3)
        ),
    })
}

fn pick<'a>(from: &[&'a str], random: &mut StdRng) -> &'a str {
    from.choose(random)
        .expect("there is something to choose from")
}

/// A query that may be kept as a table.
fn query(random: &mut StdRng) -> String {
    match random.random_range(0..10) {
        0..=2 => plain(random),
        3..=6 => grouped(random),
        7 => {
            let types: Vec<Type> = (0..random.random_range(1..3))
                .map(|_| any_type(random))
                .collect();
            let all = pick(&["ALL ", "ALL ", ""], random);
            let left = select(&types, random);
            format!("{left} UNION {all}{}", select(&types, random))
        }
        8 => format!(
            "SELECT DISTINCT {}",
            plain(random).trim_start_matches("SELECT ")
        ),
        _ => {
            let inner = summed(random);
            format!(
                "SELECT q.g AS c0, q.total AS c1 FROM ({inner}) AS q WHERE q.total > 1 OR q.g IS NULL"
            )
        }
    }
}

/// A SELECT of columns of some types.
fn select(types: &[Type], random: &mut StdRng) -> String {
    let (from, columns) = from(random);
    let items = types
        .iter()
        .enumerate()
        .map(|(at, of)| format!("{} AS c{at}", expr(*of, &columns, 1, random)));
    let items = items.collect::<Vec<_>>().join(", ");
    format!("SELECT {items} FROM {from}{}", filter(&columns, random))
}

fn plain(random: &mut StdRng) -> String {
    let types: Vec<Type> = (0..random.random_range(1..5))
        .map(|_| any_type(random))
        .collect();
    select(&types, random)
}

/// A SELECT with aggregates, by groups or over everything.
fn grouped(random: &mut StdRng) -> String {
    let (from, columns) = from(random);
    let groups: Vec<String> = (0..random.random_range(0..3))
        .filter_map(|_| column(any_type(random), &columns, random))
        .collect();
    let mut items = groups.clone();
    for _ in 0..random.random_range(1..4) {
        items.push(aggregate(&columns, random));
    }
    let items: Vec<String> = items
        .iter()
        .enumerate()
        .map(|(at, item)| format!("{item} AS c{at}"))
        .collect();
    let mut text = format!(
        "SELECT {} FROM {from}{}",
        items.join(", "),
        filter(&columns, random)
    );
    if !groups.is_empty() {
        write!(text, " GROUP BY {}", groups.join(", ")).expect("a string");
    }
    if random.random_range(0..3) == 0 {
        let argument = expr(Type::Int, &columns, 0, random);
        let having = pick(
            &[
                "COUNT(*) > 1",
                "SUM(?) >= 2",
                "MIN(?) < 2",
                "MAX(?) IS NULL OR COUNT(*) = 1",
            ],
            random,
        );
        write!(text, " HAVING {}", having.replace('?', &argument)).expect("a string");
    }
    text
}

/// Sums by groups, called `g` and `total`, for another query to read.
fn summed(random: &mut StdRng) -> String {
    let table = TABLES.choose(random).expect("there are tables").0;
    let group = pick(&["k", "n", "id"], random);
    format!("SELECT x.{group} AS g, SUM(x.n) AS total FROM {table} AS x GROUP BY x.{group}")
}

fn aggregate(columns: &Columns, random: &mut StdRng) -> String {
    let number = if random.random() {
        Type::Int
    } else {
        Type::Decimal
    };
    let comparable = *[Type::Int, Type::Decimal, Type::Text, Type::Date]
        .choose(random)
        .expect("types");
    let distinct = pick(&["", "", "DISTINCT "], random);
    let call = match random.random_range(0..7) {
        0 => "COUNT(*)".to_owned(),
        1 => format!(
            "COUNT({distinct}{})",
            expr(any_type(random), columns, 0, random)
        ),
        2 => format!("SUM({distinct}{})", expr(number, columns, 1, random)),
        3 => format!("AVG({distinct}{})", expr(number, columns, 0, random)),
        4 => format!("MIN({})", expr(comparable, columns, 1, random)),
        5 => format!("MAX({})", expr(comparable, columns, 1, random)),
        _ => format!(
            "{}({})",
            pick(&["BOOL_AND", "BOOL_OR"], random),
            expr(Type::Boolean, columns, 0, random)
        ),
    };
    if random.random_range(0..4) == 0 {
        format!(
            "{call} FILTER (WHERE {})",
            expr(Type::Boolean, columns, 1, random)
        )
    } else {
        call
    }
}

fn filter(columns: &Columns, random: &mut StdRng) -> String {
    if random.random_range(0..2) == 0 {
        return String::new();
    }
    format!(" WHERE {}", expr(Type::Boolean, columns, 2, random))
}

/// One relation or several that are joined, and the columns that they give.
fn from(random: &mut StdRng) -> (String, Columns) {
    let (mut text, mut columns) = relation("a", random);
    for alias in ["b", "c"].iter().take(random.random_range(0..5) / 2) {
        let (right, more) = relation(alias, random);
        let on = join_condition(&columns, &more, random);
        columns.extend(more);
        let kind = pick(
            &["JOIN", "JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"],
            random,
        );
        text = format!("{text} {kind} {right} ON {on}");
    }
    (text, columns)
}

fn relation(alias: &str, random: &mut StdRng) -> (String, Columns) {
    if random.random_range(0..6) == 0 {
        let columns = vec![
            (format!("{alias}.g"), Type::Int),
            (format!("{alias}.total"), Type::Int),
        ];
        return (format!("({}) AS {alias}", summed(random)), columns);
    }
    let table = TABLES.choose(random).expect("there are tables").0;
    let columns = COLUMNS
        .iter()
        .map(|(name, of)| (format!("{alias}.{name}"), *of))
        .collect();
    (format!("{table} AS {alias}"), columns)
}

/// An equality of both sides, and more.
fn join_condition(left: &Columns, right: &Columns, random: &mut StdRng) -> String {
    let side = |columns: &Columns, of: Type, random: &mut StdRng| column(of, columns, random);
    let of = if random.random_range(0..4) == 0 {
        any_type(random)
    } else {
        Type::Int
    };
    let of = if side(left, of, random).is_some() && side(right, of, random).is_some() {
        of
    } else {
        Type::Int
    };
    let one = side(left, of, random).expect("each relation has integers");
    let other = side(right, of, random).expect("each relation has integers");
    let mut on = match (of, random.random_range(0..4)) {
        (Type::Int, 0) => format!("{one} + 1 = {other}"),
        (Type::Int, 1) => format!("{other} = {one}"),
        _ => format!("{one} = {other}"),
    };
    if random.random_range(0..4) == 0 {
        let both: Columns = left.iter().chain(right).cloned().collect();
        write!(on, " AND {}", expr(Type::Boolean, &both, 1, random)).expect("a string");
    }
    on
}

fn any_type(random: &mut StdRng) -> Type {
    *[
        Type::Int,
        Type::Int,
        Type::Decimal,
        Type::Text,
        Type::Boolean,
        Type::Date,
    ]
    .choose(random)
    .expect("there are types")
}

fn column(of: Type, columns: &Columns, random: &mut StdRng) -> Option<String> {
    let fitting: Vec<&(String, Type)> = columns.iter().filter(|(_, other)| *other == of).collect();
    fitting.choose(random).map(|(name, _)| name.clone())
}

fn literal(of: Type, random: &mut StdRng) -> String {
    let text = loop {
        // NULL alone has no type.
        if let Some(text) = cell(of, random) {
            break text;
        }
    };
    match of {
        Type::Int | Type::Decimal | Type::Boolean => text,
        Type::Text => format!("'{text}'"),
        Type::Date => format!("DATE '{text}'"),
    }
}

/// An expression of a type, of at most so many levels.
fn expr(of: Type, columns: &Columns, depth: usize, random: &mut StdRng) -> String {
    if depth == 0 || random.random_range(0..3) == 0 {
        let column = column(of, columns, random).filter(|_| random.random_range(0..6) > 0);
        return column.unwrap_or_else(|| literal(of, random));
    }
    let mut part = |of: Type| expr(of, columns, depth - 1, random);
    let (one, other, condition) = (part(of), part(of), part(Type::Boolean));
    let choice = random.random_range(0..5);
    match (of, choice) {
        (_, 0) => format!("CASE WHEN {condition} THEN {one} ELSE {other} END"),
        (Type::Boolean, _) => predicate(columns, depth - 1, random),
        (_, 1) => format!("COALESCE({one}, {other})"),
        (Type::Int, 2) => format!("({one} - {other})"),
        (Type::Int, 3) => format!("({one} * 2)"),
        (Type::Int, _) => format!("({one} + {other})"),
        (Type::Decimal, 2) => format!("({one} * {other})"),
        (Type::Decimal, 3) => format!("(- {one})"),
        (Type::Decimal, _) => format!("({one} + {other})"),
        (Type::Text, 2) => format!("UPPER({one})"),
        (Type::Text, 3) => format!("({one} || 'x')"),
        (Type::Text, _) => format!("({one} || {other})"),
        (Type::Date, _) => format!("({one} + 1)"),
    }
}

fn predicate(columns: &Columns, depth: usize, random: &mut StdRng) -> String {
    let of = *[Type::Int, Type::Decimal, Type::Text, Type::Date]
        .choose(random)
        .expect("types");
    let mut part = |of: Type| expr(of, columns, depth, random);
    let (one, other, third) = (part(of), part(of), part(of));
    let (p, q) = (part(Type::Boolean), part(Type::Boolean));
    let op = pick(&["=", "<>", "<", "<=", ">", ">="], random);
    match random.random_range(0..9) {
        0 => format!("({p} AND {q})"),
        1 => format!("({p} OR {q})"),
        2 => format!("(NOT {p})"),
        3 => format!("({one} IS NULL)"),
        4 => format!("({one} IN ({other}, {third}))"),
        5 => format!("({one} BETWEEN {other} AND {third})"),
        6 => format!("({one} IS DISTINCT FROM {other})"),
        7 if of == Type::Text => format!("({one} LIKE '%b%')"),
        _ => format!("({one} {op} {other})"),
    }
}

//! Plans as text: one operator a line, its inputs below it.

use std::fmt::{self, Write};

use super::properties::{Changes, Key, is_mixed, properties};
use super::{
    Aggregate, ArithmeticOp, Column, CompareOp, JoinKind, JoinOn, Plan, PlanKind, Scalar,
    ScalarKind, ScanKind,
};

/// A plan as text, the same for the same plan.
///
/// Each line says what an operator does, whether its rows only come or change, and what tells them
/// apart.
pub fn print(plan: &Plan) -> String {
    let mut out = String::new();
    print_node(plan, 0, &mut out).expect("writing to a string");
    out
}

fn print_node(plan: &Plan, depth: usize, out: &mut String) -> fmt::Result {
    let names: Vec<&str> = plan.columns.iter().map(|column| &column.name[..]).collect();
    let inputs: Vec<Vec<&str>> = plan
        .inputs()
        .iter()
        .map(|input| {
            input
                .columns
                .iter()
                .map(|column| &column.name[..])
                .collect()
        })
        .collect();
    let over: Vec<&str> = inputs.concat();
    write!(out, "{:indent$}", "", indent = depth * 2)?;
    match &plan.kind {
        PlanKind::Scan {
            source,
            kind,
            filter,
            ..
        } => {
            let kind = match kind {
                ScanKind::Stream => "stream",
                ScanKind::Table => "table",
                ScanKind::Open => "stream or table",
            };
            write!(out, "scan {} as {kind}: {}", source.name, names.join(", "))?;
            if let Some(filter) = filter {
                write!(out, " where {}", show(filter, &names))?;
            }
        }
        PlanKind::Stream(stream) => write!(out, "stream {}: {}", stream.name, names.join(", "))?,
        PlanKind::Table(table) => write!(out, "table {}: {}", table.name, names.join(", "))?,
        PlanKind::Values(rows) => write!(out, "values: {} rows", rows.len())?,
        PlanKind::Filter { predicate, .. } => write!(out, "filter: {}", show(predicate, &over))?,
        PlanKind::Project { exprs, .. } => {
            let items = exprs.iter().zip(&names).map(|(expr, name)| {
                let shown = show(expr, &over);
                if shown == **name {
                    shown
                } else {
                    format!("{shown} as {name}")
                }
            });
            write!(out, "project: {}", items.collect::<Vec<_>>().join(", "))?;
        }
        PlanKind::Aggregate {
            groups, aggregates, ..
        } => {
            let items: Vec<String> = aggregates
                .iter()
                .map(|a| show_aggregate(a, &over))
                .collect();
            write!(out, "aggregate: {}", items.join(", "))?;
            let groups: Vec<String> = groups.iter().map(|group| show(group, &over)).collect();
            if !groups.is_empty() {
                write!(out, " by {}", groups.join(", "))?;
            }
        }
        PlanKind::Join {
            kind, on, residual, ..
        } => {
            write!(out, "{}", join_word(*kind))?;
            let pairs: Vec<String> = on.iter().map(|pair| show_pair(pair, &inputs)).collect();
            if !pairs.is_empty() {
                write!(out, " on {}", pairs.join(" and "))?;
            }
            if let Some(residual) = residual {
                write!(out, " where {}", show(residual, &over))?;
            }
        }
        PlanKind::UnionAll(_) => {
            write!(out, "union all")?;
            if is_mixed(plan) {
                write!(out, " of what can be read again and what cannot")?;
            }
        }
        PlanKind::Sort { keys, .. } => {
            let keys = keys.iter().map(|key| {
                let direction = if key.descending { " desc" } else { "" };
                format!("{}{direction}", show(&key.expr, &over))
            });
            write!(out, "sort: {}", keys.collect::<Vec<_>>().join(", "))?;
        }
        PlanKind::Limit { offset, limit, .. } => {
            write!(out, "limit:")?;
            if let Some(limit) = limit {
                write!(out, " {limit} rows")?;
            }
            if *offset > 0 {
                write!(out, " behind {offset}")?;
            }
        }
    }
    writeln!(out, "  [{}]", about(plan))?;
    for input in plan.inputs() {
        print_node(input, depth + 1, out)?;
    }
    Ok(())
}

fn about(plan: &Plan) -> String {
    let properties = properties(plan);
    let changes = match properties.changes {
        Changes::AppendOnly => return "append-only".to_owned(),
        Changes::Updating => "updating",
    };
    let key = match &properties.key {
        Key::Row => "the row".to_owned(),
        Key::Columns(columns) if columns.is_empty() => "none, one row".to_owned(),
        Key::Columns(columns) => {
            let name = |column: Option<usize>| match column {
                Some(at) => plan.columns[at].name.clone(),
                None => "hidden".to_owned(),
            };
            let names: Vec<String> = columns.iter().map(|column| name(column.column)).collect();
            names.join(", ")
        }
    };
    format!("{changes}, key: {key}")
}

fn join_word(kind: JoinKind) -> &'static str {
    match kind {
        JoinKind::Inner => "join",
        JoinKind::Left => "left join",
        JoinKind::Right => "right join",
        JoinKind::Full => "full join",
    }
}

fn show_pair(pair: &JoinOn, inputs: &[Vec<&str>]) -> String {
    format!(
        "{} = {}",
        show(&pair.left, &inputs[0]),
        show(&pair.right, &inputs[1])
    )
}

fn show_aggregate(aggregate: &Aggregate, names: &[&str]) -> String {
    let distinct = if aggregate.distinct { "distinct " } else { "" };
    let argument = match &aggregate.argument {
        Some(argument) => show(argument, names),
        None => "*".to_owned(),
    };
    let mut shown = format!("{}({distinct}{argument})", aggregate.function.name());
    if let Some(filter) = &aggregate.filter {
        shown += &format!(" filter ({})", show(filter, names));
    }
    shown
}

/// An expression over columns of these names.
fn show(scalar: &Scalar, names: &[&str]) -> String {
    Shown { scalar, names }.to_string()
}

struct Shown<'a> {
    scalar: &'a Scalar,
    names: &'a [&'a str],
}

impl Shown<'_> {
    fn part<'b>(&'b self, scalar: &'b Scalar) -> Shown<'b> {
        Shown {
            scalar,
            names: self.names,
        }
    }

    fn list(&self, scalars: &[Scalar], between: &str) -> String {
        let shown: Vec<String> = scalars.iter().map(|s| self.part(s).to_string()).collect();
        shown.join(between)
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let not = |negated: bool| if negated { "not " } else { "" };
        match &self.scalar.kind {
            ScalarKind::Column(at) => match self.names.get(*at) {
                Some(name) => f.write_str(name),
                None => write!(f, "#{at}"),
            },
            ScalarKind::Literal(value) => {
                if self.scalar.data_type.is_text()
                    && *value != ferrisstreams_topology::data::Value::Null
                {
                    write!(f, "'{}'", value.to_string().replace('\'', "''"))
                } else {
                    write!(f, "{value}")
                }
            }
            ScalarKind::Cast { input, forgiving } => {
                let word = if *forgiving { "try_cast" } else { "cast" };
                write!(
                    f,
                    "{word}({} as {})",
                    self.part(input),
                    self.scalar.data_type
                )
            }
            ScalarKind::Not(inner) => write!(f, "not ({})", self.part(inner)),
            ScalarKind::And(operands) => write!(f, "({})", self.list(operands, " and ")),
            ScalarKind::Or(operands) => write!(f, "({})", self.list(operands, " or ")),
            ScalarKind::Compare { op, left, right } => {
                write!(
                    f,
                    "{} {} {}",
                    self.part(left),
                    compare_symbol(*op),
                    self.part(right)
                )
            }
            ScalarKind::Distinct {
                left,
                right,
                negated,
            } => {
                let not = not(*negated);
                write!(
                    f,
                    "{} is {not}distinct from {}",
                    self.part(left),
                    self.part(right)
                )
            }
            ScalarKind::IsNull(inner) => write!(f, "{} is null", self.part(inner)),
            ScalarKind::Is(inner, value) => write!(f, "{} is {value}", self.part(inner)),
            ScalarKind::Negate(inner) => write!(f, "-({})", self.part(inner)),
            ScalarKind::Arithmetic { op, left, right } => {
                let symbol = arithmetic_symbol(*op);
                write!(f, "({} {symbol} {})", self.part(left), self.part(right))
            }
            ScalarKind::Case {
                branches,
                otherwise,
            } => {
                f.write_str("case")?;
                for (condition, result) in branches {
                    write!(
                        f,
                        " when {} then {}",
                        self.part(condition),
                        self.part(result)
                    )?;
                }
                if let Some(otherwise) = otherwise {
                    write!(f, " else {}", self.part(otherwise))?;
                }
                f.write_str(" end")
            }
            ScalarKind::InList {
                operand,
                list,
                negated,
            } => {
                let not = not(*negated);
                write!(
                    f,
                    "{} {not}in ({})",
                    self.part(operand),
                    self.list(list, ", ")
                )
            }
            ScalarKind::Like {
                operand,
                pattern,
                ignore_case,
                negated,
                ..
            } => {
                let word = if *ignore_case { "ilike" } else { "like" };
                let not = not(*negated);
                write!(
                    f,
                    "{} {not}{word} {}",
                    self.part(operand),
                    self.part(pattern)
                )
            }
            ScalarKind::Call {
                function,
                arguments,
            } => write!(f, "{}({})", function.name, self.list(arguments, ", ")),
        }
    }
}

fn compare_symbol(op: CompareOp) -> &'static str {
    match op {
        CompareOp::Equal => "=",
        CompareOp::NotEqual => "<>",
        CompareOp::Less => "<",
        CompareOp::LessOrEqual => "<=",
        CompareOp::Greater => ">",
        CompareOp::GreaterOrEqual => ">=",
    }
}

fn arithmetic_symbol(op: ArithmeticOp) -> &'static str {
    match op {
        ArithmeticOp::Add => "+",
        ArithmeticOp::Subtract => "-",
        ArithmeticOp::Multiply => "*",
        ArithmeticOp::Divide => "/",
        ArithmeticOp::Modulo => "%",
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.data_type)?;
        if !self.nullable {
            f.write_str(" NOT NULL")?;
        }
        Ok(())
    }
}

//! Expressions, with parentheses where precedence asks for them.

use std::fmt::{self, Display, Formatter};

use super::list::{Commas, Maybe, when};
use super::literal::Quoted;
use super::name::Label;
use crate::ast::expression::{
    Between, BinaryOp, Case, Cast, CastForm, Current, Expr, ExprKind, IsTest, Like, LikeForm,
    LogicalOp, MapEntry, Quantified, Quantifier, StructEntry, Substring, Trim, TrimSide,
    TypedLiteral, UnaryOp, WhenBranch,
};
use crate::ast::precedence::Precedence;

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ExprKind::Literal(literal) => literal.fmt(f),
            ExprKind::Typed(typed) => typed.fmt(f),
            ExprKind::Interval(interval) => interval.fmt(f),
            ExprKind::Column(name) => name.fmt(f),
            ExprKind::Current(current) => current.fmt(f),
            ExprKind::Case(case) => case.fmt(f),
            ExprKind::Cast(cast) => cast.fmt(f),
            ExprKind::Extract { field, operand } => write!(f, "EXTRACT({field} FROM {operand})"),
            ExprKind::Position { needle, haystack } => {
                write!(
                    f,
                    "POSITION({} IN {haystack})",
                    At(needle, Precedence::Concat)
                )
            }
            ExprKind::Substring(substring) => substring.fmt(f),
            ExprKind::Trim(trim) => trim.fmt(f),
            ExprKind::Call(call) => call.fmt(f),
            ExprKind::Exists(query) => write!(f, "EXISTS ({query})"),
            ExprKind::Query(query) => write!(f, "({query})"),
            ExprKind::Row(items) if items.len() > 1 => write!(f, "({})", Commas(items)),
            ExprKind::Row(items) => write!(f, "ROW({})", Commas(items)),
            ExprKind::Array(items) => write!(f, "ARRAY[{}]", Commas(items)),
            ExprKind::Map(entries) => write!(f, "MAP({})", Commas(entries)),
            ExprKind::Struct(entries) => write!(f, "STRUCT({})", Commas(entries)),
            _ => operation(self, f),
        }
    }
}

/// The forms with operands that may need parentheses.
fn operation(expr: &Expr, f: &mut Formatter<'_>) -> fmt::Result {
    let own = expr.precedence();
    match &expr.kind {
        ExprKind::Unary { op, operand } => unary(*op, operand, f),
        ExprKind::Binary { op, left, right } => {
            // Comparisons do not chain; all else groups to the left.
            let left_level = if op.is_comparison() {
                own.tighter()
            } else {
                own
            };
            write!(
                f,
                "{} {op} {}",
                At(left, left_level),
                At(right, own.tighter())
            )
        }
        ExprKind::Logical { op, operands } => logical(*op, operands, f),
        ExprKind::Is {
            operand,
            test,
            negated,
        } => {
            write!(
                f,
                "{} IS {}{test}",
                At(operand, own),
                when(*negated, "NOT ")
            )
        }
        ExprKind::DistinctFrom {
            left,
            right,
            negated,
        } => {
            let not = when(*negated, "NOT ");
            write!(
                f,
                "{} IS {not}DISTINCT FROM {}",
                At(left, own),
                At(right, own.tighter())
            )
        }
        ExprKind::Between(between) => between.fmt(f),
        ExprKind::InList {
            operand,
            list,
            negated,
        } => {
            let not = when(*negated, " NOT");
            write!(
                f,
                "{}{not} IN ({})",
                At(operand, own.tighter()),
                Commas(list)
            )
        }
        ExprKind::InQuery {
            operand,
            query,
            negated,
        } => {
            write!(
                f,
                "{}{} IN ({query})",
                At(operand, own.tighter()),
                when(*negated, " NOT")
            )
        }
        ExprKind::Like(like) => like.fmt(f),
        ExprKind::Quantified(quantified) => quantified.fmt(f),
        ExprKind::AtTimeZone { operand, zone } => {
            write!(
                f,
                "{} AT TIME ZONE {}",
                At(operand, own),
                At(zone, own.tighter())
            )
        }
        ExprKind::Subscript { operand, index } => match &operand.kind {
            // Without parentheses this would be the constructor.
            ExprKind::Column(name) if name.is_bare("array") => write!(f, "({operand})[{index}]"),
            // And this the type of an array.
            ExprKind::Cast(cast) if cast.form == CastForm::DoubleColon => {
                write!(f, "({operand})[{index}]")
            }
            _ => write!(f, "{}[{index}]", At(operand, own)),
        },
        ExprKind::Field { operand, field } => write!(f, "{}->{}", At(operand, own), Label(field)),
        _ => unreachable!("an expression without operands is printed by its caller"),
    }
}

/// An operand, in parentheses if it binds less tightly than the level.
pub(super) struct At<'a>(pub(super) &'a Expr, pub(super) Precedence);

impl Display for At<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0.precedence() < self.1 || is_quantifier_like(self.0) {
            true => write!(f, "({})", self.0),
            false => self.0.fmt(f),
        }
    }
}

/// A function called `any` or `some`, which after a comparison would be read as the quantifier.
fn is_quantifier_like(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Call(call) => call.name.is_bare("any") || call.name.is_bare("some"),
        _ => false,
    }
}

fn unary(op: UnaryOp, operand: &Expr, f: &mut Formatter<'_>) -> fmt::Result {
    match op {
        UnaryOp::Not => write!(f, "NOT {}", At(operand, Precedence::Not)),
        // Two signs in a row need a space: `--` begins a comment.
        UnaryOp::Minus
            if matches!(
                operand.kind,
                ExprKind::Unary {
                    op: UnaryOp::Minus,
                    ..
                }
            ) =>
        {
            write!(f, "- {}", At(operand, Precedence::Sign))
        }
        UnaryOp::Minus => write!(f, "-{}", At(operand, Precedence::Sign)),
        UnaryOp::Plus => write!(f, "+{}", At(operand, Precedence::Sign)),
    }
}

fn logical(op: LogicalOp, operands: &[Expr], f: &mut Formatter<'_>) -> fmt::Result {
    for (index, operand) in operands.iter().enumerate() {
        if index > 0 {
            write!(f, " {op} ")?;
        }
        At(operand, op.precedence().tighter()).fmt(f)?;
    }
    Ok(())
}

impl Display for BinaryOp {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BinaryOp::Add => "+",
            BinaryOp::Subtract => "-",
            BinaryOp::Multiply => "*",
            BinaryOp::Divide => "/",
            BinaryOp::Modulo => "%",
            BinaryOp::Concat => "||",
            BinaryOp::Equal => "=",
            BinaryOp::NotEqual => "<>",
            BinaryOp::Less => "<",
            BinaryOp::LessOrEqual => "<=",
            BinaryOp::Greater => ">",
            BinaryOp::GreaterOrEqual => ">=",
        })
    }
}

impl Display for LogicalOp {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LogicalOp::And => "AND",
            LogicalOp::Or => "OR",
        })
    }
}

impl Display for IsTest {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            IsTest::Null => "NULL",
            IsTest::True => "TRUE",
            IsTest::False => "FALSE",
            IsTest::Unknown => "UNKNOWN",
        })
    }
}

impl Display for TypedLiteral {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.data_type, Quoted(&self.text))
    }
}

impl Display for Current {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Current::Date => "CURRENT_DATE",
            Current::Time => "CURRENT_TIME",
            Current::Timestamp => "CURRENT_TIMESTAMP",
            Current::LocalTime => "LOCALTIME",
            Current::LocalTimestamp => "LOCALTIMESTAMP",
        })
    }
}

impl Display for Between {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let level = Precedence::Range.tighter();
        let not = when(self.negated, "NOT ");
        let symmetric = when(self.symmetric, "SYMMETRIC ");
        let (operand, low, high) = (
            At(&self.operand, level),
            At(&self.low, level),
            At(&self.high, level),
        );
        write!(f, "{operand} {not}BETWEEN {symmetric}{low} AND {high}")
    }
}

impl Display for Like {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let level = Precedence::Range.tighter();
        let form = match self.form {
            LikeForm::Like => "LIKE",
            LikeForm::ILike => "ILIKE",
            LikeForm::SimilarTo => "SIMILAR TO",
        };
        let not = when(self.negated, "NOT ");
        write!(
            f,
            "{} {not}{form} {}",
            At(&self.operand, level),
            At(&self.pattern, level)
        )?;
        match &self.escape {
            None => Ok(()),
            Some(escape) => write!(f, " ESCAPE {}", At(escape, level)),
        }
    }
}

impl Display for Quantified {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let quantifier = match self.quantifier {
            Quantifier::Any => "ANY",
            Quantifier::All => "ALL",
        };
        write!(
            f,
            "{} {} {quantifier} ",
            At(&self.left, Precedence::Range),
            self.op
        )?;
        match &self.right.kind {
            ExprKind::Query(query) => write!(f, "({query})"),
            _ => write!(f, "({})", self.right),
        }
    }
}

impl Display for Case {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("CASE")?;
        if let Some(operand) = &self.operand {
            write!(f, " {operand}")?;
        }
        for WhenBranch { condition, result } in &self.branches {
            write!(f, " WHEN {condition} THEN {result}")?;
        }
        write!(f, "{} END", Maybe("ELSE", &self.otherwise))
    }
}

impl Display for Cast {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (operand, data_type) = (&self.operand, &self.data_type);
        match self.form {
            CastForm::Cast => write!(f, "CAST({operand} AS {data_type})"),
            CastForm::TryCast => write!(f, "TRY_CAST({operand} AS {data_type})"),
            CastForm::DoubleColon => {
                write!(f, "{}::{data_type}", At(operand, Precedence::Postfix))
            }
        }
    }
}

impl Display for Substring {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (from, length) = (Maybe("FROM", &self.start), Maybe("FOR", &self.length));
        write!(f, "SUBSTRING({}{from}{length})", self.operand)
    }
}

impl Display for Trim {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let side = match self.side {
            None => "",
            Some(TrimSide::Both) => "BOTH ",
            Some(TrimSide::Leading) => "LEADING ",
            Some(TrimSide::Trailing) => "TRAILING ",
        };
        match &self.characters {
            None => write!(f, "TRIM({side}FROM {})", self.operand),
            Some(characters) => write!(f, "TRIM({side}{characters} FROM {})", self.operand),
        }
    }
}

impl Display for MapEntry {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} := {}", self.key, self.value)
    }
}

impl Display for StructEntry {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} := {}", self.name, self.value)
    }
}

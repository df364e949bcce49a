//! Types of operands: what is widened, and what open literals become.

use ferrisstreams_topology::data::{DataType, Value, cast};

use crate::error::{Code, Diagnostic};
use crate::plan::{Scalar, ScalarKind};
use crate::span::Span;

/// A bound expression, whose type is open if it is a string or NULL written out.
#[derive(Clone, Debug)]
pub(super) struct Operand {
    scalar: Scalar,
    unknown: bool,
}

impl Operand {
    /// An expression with a type.
    pub(super) fn known(scalar: Scalar) -> Self {
        Operand {
            scalar,
            unknown: false,
        }
    }

    /// NULL, of whatever type is wanted.
    pub(super) fn null(span: Span) -> Self {
        Operand {
            scalar: Scalar::literal(Value::Null, DataType::TEXT, span),
            unknown: true,
        }
    }

    /// A string written out, of whatever type is wanted.
    pub(super) fn text(text: &str, span: Span) -> Self {
        Operand {
            scalar: Scalar::literal(Value::Text(text.to_owned()), DataType::TEXT, span),
            unknown: true,
        }
    }

    /// True where the type is open.
    pub(super) fn is_unknown(&self) -> bool {
        self.unknown
    }

    /// The type; text where it is open.
    pub(super) fn data_type(&self) -> DataType {
        self.scalar.data_type
    }

    pub(super) fn span(&self) -> Span {
        self.scalar.span.into()
    }

    pub(super) fn scalar(&self) -> &Scalar {
        &self.scalar
    }

    /// The expression; text where the type is open.
    pub(super) fn typed(self) -> Scalar {
        self.scalar
    }
}

/// An operand as a value of a type that it can be widened to.
pub(super) fn coerce(operand: Operand, to: DataType) -> Result<Scalar, Diagnostic> {
    let span = operand.span();
    if operand.unknown {
        return open_literal(&operand.scalar, to, span);
    }
    if operand.scalar.data_type == to {
        return Ok(operand.scalar);
    }
    if !cast::is_implicitly_castable(operand.scalar.data_type, to) {
        let from = operand.scalar.data_type;
        let message = format!("{from} is not taken for {to}");
        return Err(Diagnostic::new(Code::TypeMismatch, message, span)
            .label(from.to_string())
            .help(format!("cast it: CAST(... AS {to})")));
    }
    Ok(cast_scalar(operand.scalar, to, false, span))
}

/// A string or NULL written out as a value of a type.
fn open_literal(literal: &Scalar, to: DataType, span: Span) -> Result<Scalar, Diagnostic> {
    let value = match literal.as_literal() {
        Some(Value::Text(text)) if !to.is_text() => Value::parse(text.trim(), to).map_err(|e| {
            let message = format!("'{text}' cannot be read as {to}");
            Diagnostic::new(Code::InvalidLiteral, message, span).label(e.to_string())
        })?,
        Some(value) => value.clone(),
        None => Value::Null,
    };
    Ok(Scalar::literal(value, to, span))
}

/// An operand cast as it is written.
pub(super) fn cast(
    operand: Operand,
    to: DataType,
    forgiving: bool,
    span: Span,
) -> Result<Scalar, Diagnostic> {
    if operand.unknown && (!forgiving || operand.scalar.as_literal() == Some(&Value::Null)) {
        // A length is applied by the cast, as of any other text.
        if !matches!(to, DataType::Varchar { length: Some(_) }) {
            return open_literal(&operand.scalar, to, span);
        }
    }
    let from = operand.scalar.data_type;
    if !cast::is_castable(from, to) {
        let message = format!("{from} cannot be cast to {to}");
        return Err(Diagnostic::new(Code::TypeMismatch, message, span).label(from.to_string()));
    }
    Ok(cast_scalar(operand.scalar, to, forgiving, span))
}

pub(super) fn cast_scalar(scalar: Scalar, to: DataType, forgiving: bool, span: Span) -> Scalar {
    if scalar.data_type == to {
        return scalar;
    }
    let widens = !forgiving && cast::is_implicitly_castable(scalar.data_type, to);
    Scalar {
        nullable: scalar.nullable || !widens,
        kind: ScalarKind::Cast {
            input: Box::new(scalar),
            forgiving,
        },
        data_type: to,
        span: span.into(),
    }
}

/// Two operands brought to a type that they can be compared in; decimals keep their scales.
pub(super) fn comparable(
    left: Operand,
    right: Operand,
    op: &str,
    span: Span,
) -> Result<(Scalar, Scalar), Diagnostic> {
    let left = beside(left, &right);
    let right = beside(right, &left);
    let (l, r) = (left.data_type(), right.data_type());
    let both_decimal = matches!((l, r), (DataType::Decimal { .. }, DataType::Decimal { .. }));
    if !left.unknown && !right.unknown && both_decimal {
        return Ok((left.scalar, right.scalar));
    }
    let [left, right] = coerce_all(vec![left, right], op, span)?
        .try_into()
        .expect("as many come out as went in");
    Ok((left, right))
}

/// An integer written out beside a decimal is a decimal of its digits, so that the other side need not
/// be cast for it.
fn beside(operand: Operand, other: &Operand) -> Operand {
    match operand.scalar.as_literal() {
        Some(Value::Integer(value)) if matches!(other.data_type(), DataType::Decimal { .. }) => {
            let digits = value.unsigned_abs().to_string().len() as u8;
            let (data_type, span) = (
                DataType::Decimal {
                    precision: digits,
                    scale: 0,
                },
                operand.span(),
            );
            let value = Value::Decimal {
                unscaled: i128::from(*value),
                scale: 0,
            };
            Operand::known(Scalar::literal(value, data_type, span))
        }
        _ => operand,
    }
}

/// Operands brought to one type; text where all are open.
pub(super) fn coerce_all(
    operands: Vec<Operand>,
    what: &str,
    span: Span,
) -> Result<Vec<Scalar>, Diagnostic> {
    let mut common: Option<(DataType, Span)> = None;
    for operand in operands.iter().filter(|operand| !operand.unknown) {
        let next = operand.data_type();
        common = Some(match common {
            None => (next, operand.span()),
            Some((so_far, place)) => match cast::common_type(so_far, next) {
                Some(wider) => (wider, place),
                None => {
                    let message = format!("{what} cannot take {so_far} and {next} together");
                    let diagnostic = Diagnostic::new(Code::TypeMismatch, message, span)
                        .secondary(place, so_far.to_string())
                        .secondary(operand.span(), next.to_string());
                    return Err(diagnostic.help("cast one of them"));
                }
            },
        });
    }
    let to = common.map_or(DataType::TEXT, |(common, _)| common);
    operands
        .into_iter()
        .map(|operand| coerce(operand, to))
        .collect()
}

/// The one type of expressions that were brought to one.
pub(super) fn common_type(scalars: &[Scalar]) -> DataType {
    scalars
        .first()
        .map_or(DataType::TEXT, |first| first.data_type)
}

/// Whether a value of a type can be put into a column of another: where it is widened, between
/// numbers, and where anything becomes text.
fn is_assignable(from: DataType, to: DataType) -> bool {
    cast::is_implicitly_castable(from, to) || (from.is_numeric() && to.is_numeric()) || to.is_text()
}

/// An operand as a value of a column that it is put into, cast as an assignment casts.
pub(super) fn assign(operand: Operand, to: DataType, column: &str) -> Result<Scalar, Diagnostic> {
    let (span, from) = (operand.span(), operand.data_type());
    if operand.unknown {
        if let (
            Some(Value::Text(text)),
            DataType::Varchar {
                length: Some(length),
            },
        ) = (operand.scalar.as_literal(), to)
            && text.chars().count() > length as usize
        {
            let message = format!("'{text}' is too long for column `{column}`, {to}");
            return Err(Diagnostic::new(Code::InvalidLiteral, message, span));
        }
        return coerce(operand, to);
    }
    if !is_assignable(from, to) {
        let message = format!("column `{column}` is {to}, and {from} is not taken for it");
        return Err(Diagnostic::new(Code::TypeMismatch, message, span)
            .label(from.to_string())
            .help(format!("cast it: CAST(... AS {to})")));
    }
    Ok(cast_scalar(operand.scalar, to, false, span))
}

//! Calls as scripts write them.

use ferrisstreams_sql_frontend::compiler::{self, Compiled, Eval};
use ferrisstreams_sql_frontend::functions::{self, ArgumentType, LookupError};
use ferrisstreams_sql_frontend::plan::{ArithmeticOp, CompareOp, Scalar, ScalarKind};
use ferrisstreams_topology::data::{
    DataType, Field, RowBuffer, RowLayout, Schema, Value, cast, decimal,
};

use super::types::{data_type, show};

/// A call of a script.
pub struct Call {
    name: String,
    arguments: Vec<Given>,
    /// The type that is cast to.
    target: Option<DataType>,
    made: Result<Scalar, String>,
}

#[derive(Clone)]
struct Given {
    value: Value,
    data_type: Option<DataType>,
}

impl Call {
    /// Reads a call: `name(literal type, ...)`.
    pub fn parse(text: &str) -> Result<Call, String> {
        let open = text.find('(').ok_or("no parenthesis")?;
        let name = text[..open].trim().to_owned();
        let inner = text[open + 1..]
            .trim_end()
            .strip_suffix(')')
            .ok_or("no closing parenthesis")?;
        let mut parts = split(inner);
        let casts = name == "cast" || name == "try_cast";
        let target = match casts {
            true => Some(data_type(&parts.pop().ok_or("no type")?).ok_or("no such type")?),
            false => None,
        };
        let arguments = parts
            .iter()
            .map(|part| Given::parse(part))
            .collect::<Result<Vec<_>, _>>()?;
        let mut call = Call {
            name,
            arguments,
            target,
            made: Err(String::new()),
        };
        let literals: Vec<Scalar> = call.arguments.iter().map(Given::literal).collect();
        call.made = call.make(literals);
        Ok(call)
    }

    /// The type of the result.
    pub fn data_type(&self) -> Option<DataType> {
        self.made.as_ref().ok().map(|scalar| scalar.data_type)
    }

    /// What comes of it, computed from constants.
    pub fn of_constants(&self) -> String {
        match &self.made {
            Err(message) => message.clone(),
            Ok(scalar) => match compiler::constant(scalar) {
                Ok(value) => show(&value),
                Err(message) => format!("error: {message}"),
            },
        }
    }

    /// What comes of it, computed from the columns of a row; none where it is not made.
    pub fn of_columns(&self) -> Option<String> {
        self.made.as_ref().ok()?;
        let types: Vec<DataType> = self
            .arguments
            .iter()
            .map(|given| given.data_type.unwrap_or(DataType::TEXT))
            .collect();
        let columns = types.iter().enumerate().map(|(at, data_type)| {
            // What is open stays written out: a column is never open.
            match self.arguments[at].data_type {
                Some(_) => Scalar::column(at, *data_type, true, Default::default()),
                None => self.arguments[at].literal(),
            }
        });
        let scalar = self
            .make(columns.collect())
            .expect("it was made of constants");
        let fields = types
            .iter()
            .map(|data_type| Field::new("c", *data_type))
            .collect();
        let layout = RowLayout::new(&Schema::new(fields));
        let mut rows = RowBuffer::new();
        let mut writer = rows.begin(&layout);
        for (at, given) in self.arguments.iter().enumerate() {
            given.value.write(&mut writer, at);
        }
        let row = writer.finish();
        Some(evaluate(&scalar, rows.get(row), &layout))
    }

    fn make(&self, operands: Vec<Scalar>) -> Result<Scalar, String> {
        if let Some(to) = self.target {
            return Ok(cast_to(operands[0].clone(), to, self.name == "try_cast"));
        }
        let types: Vec<ArgumentType> = self.arguments.iter().map(Given::argument_type).collect();
        let numbers = operands
            .iter()
            .all(|operand| operand.data_type.is_numeric());
        if let (Some(op), [left, right], true) = (arithmetic_op(&self.name), &operands[..], numbers)
        {
            return Ok(arithmetic(op, left, right));
        }
        if let (Some(op), [left, right]) = (compare_op(&self.name), &operands[..]) {
            return compare(op, left, right);
        }
        let resolved = match (arithmetic_op(&self.name), &operands[..]) {
            (Some(_), [left, right]) => {
                functions::lookup_operator(&self.name, left.data_type, right.data_type)
                    .ok_or("no form")?
            }
            _ => match functions::lookup(&self.name, &types) {
                Ok(resolved) => resolved,
                Err(LookupError::Unknown) => return Err("no function".to_owned()),
                Err(LookupError::NoOverload { .. }) => return Err("no form".to_owned()),
            },
        };
        let arguments = operands
            .into_iter()
            .zip(&self.arguments)
            .zip(&resolved.arguments)
            .map(|((operand, given), wanted)| match given.data_type {
                None => open(&given.value, *wanted),
                Some(_) => Ok(cast_to(operand, *wanted, false)),
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Scalar {
            kind: ScalarKind::Call {
                function: resolved.function,
                arguments,
            },
            data_type: resolved.result,
            nullable: true,
            span: Default::default(),
        })
    }
}

/// The value of an expression for a row, as scripts show it.
pub fn evaluate(scalar: &Scalar, row: &[u8], layout: &RowLayout) -> String {
    let mut eval = Eval::default();
    let code = Compiled::new(scalar, layout);
    let result = RowLayout::of([scalar.data_type.physical()]);
    let mut rows = RowBuffer::new();
    let mut writer = rows.begin(&result);
    code.write(row, &mut eval, &mut writer, 0);
    let span = writer.finish();
    match eval.take_failure() {
        Some(message) => format!("error: {message}"),
        None => show(&Value::read(
            rows.get(span),
            result.slot(0),
            scalar.data_type,
        )),
    }
}

impl Given {
    fn parse(text: &str) -> Result<Given, String> {
        let text = text.trim();
        let (literal, rest) = match text.strip_prefix('\'') {
            Some(quoted) => {
                let end = closing_quote(quoted).ok_or_else(|| format!("no quote closes {text}"))?;
                (Some(quoted[..end].replace("''", "'")), &quoted[end + 1..])
            }
            None => match text.split_once(' ') {
                Some((word, rest)) => (Some(word.to_owned()), rest),
                None => (Some(text.to_owned()), ""),
            },
        };
        let is_null = text.starts_with("NULL");
        let literal = literal.filter(|_| !is_null);
        let rest = rest.trim();
        if rest.is_empty() {
            let value = literal.map_or(Value::Null, Value::Text);
            return Ok(Given {
                value,
                data_type: None,
            });
        }
        let data_type = data_type(rest).ok_or_else(|| format!("no type {rest}"))?;
        let value = match literal {
            None => Value::Null,
            Some(literal) => {
                Value::parse(&literal, data_type).map_err(|e| format!("{literal}: {e}"))?
            }
        };
        Ok(Given {
            value,
            data_type: Some(data_type),
        })
    }

    fn argument_type(&self) -> ArgumentType {
        self.data_type
            .map_or(ArgumentType::Unknown, ArgumentType::Known)
    }

    fn literal(&self) -> Scalar {
        let data_type = self.data_type.unwrap_or(DataType::TEXT);
        Scalar::literal(self.value.clone(), data_type, Default::default())
    }
}

fn open(value: &Value, wanted: DataType) -> Result<Scalar, String> {
    let value = match value {
        Value::Text(text) if !wanted.is_text() => {
            Value::parse(text, wanted).map_err(|_| "no form".to_owned())?
        }
        other => other.clone(),
    };
    Ok(Scalar::literal(value, wanted, Default::default()))
}

/// The place of the quote that ends a literal.
fn closing_quote(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'\'' {
            if bytes.get(at + 1) != Some(&b'\'') {
                return Some(at);
            }
            at += 1;
        }
        at += 1;
    }
    None
}

/// Arguments between commas that stand neither in quotes nor in parentheses.
fn split(text: &str) -> Vec<String> {
    let (mut parts, mut part) = (Vec::new(), String::new());
    let (mut quoted, mut depth) = (false, 0);
    for c in text.chars() {
        match c {
            '\'' => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                parts.push(std::mem::take(&mut part));
                continue;
            }
            _ => {}
        }
        part.push(c);
    }
    if !part.trim().is_empty() {
        parts.push(part);
    }
    parts
}

/// An expression as another type.
pub fn cast_to(scalar: Scalar, to: DataType, forgiving: bool) -> Scalar {
    if scalar.data_type == to {
        return scalar;
    }
    Scalar {
        kind: ScalarKind::Cast {
            input: Box::new(scalar),
            forgiving,
        },
        data_type: to,
        nullable: true,
        span: Default::default(),
    }
}

fn arithmetic_op(symbol: &str) -> Option<ArithmeticOp> {
    Some(match symbol {
        "+" => ArithmeticOp::Add,
        "-" => ArithmeticOp::Subtract,
        "*" => ArithmeticOp::Multiply,
        "/" => ArithmeticOp::Divide,
        "%" => ArithmeticOp::Modulo,
        _ => return None,
    })
}

fn compare_op(symbol: &str) -> Option<CompareOp> {
    Some(match symbol {
        "=" => CompareOp::Equal,
        "<>" => CompareOp::NotEqual,
        "<" => CompareOp::Less,
        "<=" => CompareOp::LessOrEqual,
        ">" => CompareOp::Greater,
        ">=" => CompareOp::GreaterOrEqual,
        _ => return None,
    })
}

/// Arithmetic on numbers, with the types that SQL gives them.
pub fn arithmetic(op: ArithmeticOp, left: &Scalar, right: &Scalar) -> Scalar {
    let (l, r) = (left.data_type, right.data_type);
    let exact = matches!(l, DataType::Decimal { .. }) || matches!(r, DataType::Decimal { .. });
    let (left, right, data_type) = if exact && !l.is_float() && !r.is_float() {
        let size = |data_type| decimal::DecimalType::holding(data_type).expect("a number");
        let (a, b) = (size(l), size(r));
        let result = match op {
            ArithmeticOp::Add | ArithmeticOp::Subtract => decimal::add_type(a, b),
            ArithmeticOp::Multiply => decimal::mul_type(a, b),
            ArithmeticOp::Divide => decimal::div_type(a, b),
            ArithmeticOp::Modulo => decimal::rem_type(a, b),
        };
        let left = cast_to(left.clone(), a.into(), false);
        (left, cast_to(right.clone(), b.into(), false), result.into())
    } else {
        let common = cast::common_type(l, r).expect("numbers have a common type");
        let left = cast_to(left.clone(), common, false);
        (left, cast_to(right.clone(), common, false), common)
    };
    Scalar {
        kind: ScalarKind::Arithmetic {
            op,
            left: Box::new(left),
            right: Box::new(right),
        },
        data_type,
        nullable: true,
        span: Default::default(),
    }
}

fn compare(op: CompareOp, left: &Scalar, right: &Scalar) -> Result<Scalar, String> {
    let (l, r) = (left.data_type, right.data_type);
    let both_decimal = matches!((l, r), (DataType::Decimal { .. }, DataType::Decimal { .. }));
    let (left, right) = if both_decimal {
        (left.clone(), right.clone())
    } else {
        let common = cast::common_type(l, r).ok_or("no form")?;
        (
            cast_to(left.clone(), common, false),
            cast_to(right.clone(), common, false),
        )
    };
    let kind = ScalarKind::Compare {
        op,
        left: Box::new(left),
        right: Box::new(right),
    };
    Ok(Scalar::boolean(kind, true, Default::default()))
}

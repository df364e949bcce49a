//! A slow evaluator of expressions, over values on their own.
//!
//! It does what SQL says, one value at a time, by other ways than the compiler where there are any:
//! integers in 128 bits, casts through the text forms.

use std::cmp::Ordering;

use ferrisstreams_sql_frontend::plan::{ArithmeticOp, CompareOp, Scalar, ScalarKind};
use ferrisstreams_topology::data::decimal::{self, Decimal, DecimalType};
use ferrisstreams_topology::data::{DataType, Value, datetime};

/// The value of an expression for a row, and whether something failed on the way.
pub fn evaluate(scalar: &Scalar, row: &[Value]) -> (Value, bool) {
    let mut slow = Slow { row, failed: false };
    let value = slow.value(scalar);
    (value, slow.failed)
}

struct Slow<'a> {
    row: &'a [Value],
    failed: bool,
}

impl Slow<'_> {
    fn fail(&mut self) -> Value {
        self.failed = true;
        Value::Null
    }

    fn or_fail(&mut self, value: Option<Value>) -> Value {
        value.unwrap_or_else(|| self.fail())
    }

    fn value(&mut self, scalar: &Scalar) -> Value {
        match &scalar.kind {
            ScalarKind::Column(at) => self.row[*at].clone(),
            ScalarKind::Literal(value) => value.clone(),
            ScalarKind::Cast { input, forgiving } => {
                let value = self.value(input);
                if value.is_null() {
                    return value;
                }
                match cast(&value, input.data_type, scalar.data_type) {
                    None if *forgiving => Value::Null,
                    value => self.or_fail(value),
                }
            }
            ScalarKind::Not(operand) => boolean(self.truth(operand).map(|value| !value)),
            ScalarKind::And(operands) => self.connect(operands, false),
            ScalarKind::Or(operands) => self.connect(operands, true),
            ScalarKind::Compare { op, left, right } => {
                let order = self.order(left, right);
                boolean(order.map(|order| holds(*op, order)))
            }
            ScalarKind::Distinct {
                left,
                right,
                negated,
            } => {
                let (l, r) = (self.value(left), self.value(right));
                let same = match (l.is_null(), r.is_null()) {
                    (true, true) => true,
                    (false, false) => order(&l, &r).is_eq(),
                    _ => false,
                };
                Value::Boolean(same == *negated)
            }
            ScalarKind::IsNull(operand) => Value::Boolean(self.value(operand).is_null()),
            ScalarKind::Is(operand, wanted) => Value::Boolean(self.truth(operand) == Some(*wanted)),
            ScalarKind::Negate(operand) => self.negate(operand),
            ScalarKind::Arithmetic { op, left, right } => {
                self.arithmetic(*op, left, right, scalar.data_type)
            }
            ScalarKind::Case {
                branches,
                otherwise,
            } => {
                for (condition, result) in branches {
                    if self.truth(condition) == Some(true) {
                        return self.value(result);
                    }
                }
                otherwise
                    .as_ref()
                    .map_or(Value::Null, |otherwise| self.value(otherwise))
            }
            ScalarKind::InList {
                operand,
                list,
                negated,
            } => self.in_list(operand, list, *negated),
            ScalarKind::Like {
                operand,
                pattern,
                ignore_case,
                negated,
                ..
            } => self.like(operand, pattern, *ignore_case, *negated),
            ScalarKind::Call {
                function,
                arguments,
            } => self.call(function.name, arguments),
        }
    }

    fn truth(&mut self, scalar: &Scalar) -> Option<bool> {
        match self.value(scalar) {
            Value::Boolean(value) => Some(value),
            _ => None,
        }
    }

    fn connect(&mut self, operands: &[Scalar], decides: bool) -> Value {
        let mut result = Some(!decides);
        for operand in operands {
            match self.truth(operand) {
                Some(value) if value == decides => return Value::Boolean(decides),
                Some(_) => {}
                None => result = None,
            }
        }
        boolean(result)
    }

    fn order(&mut self, left: &Scalar, right: &Scalar) -> Option<Ordering> {
        let (left, right) = (self.value(left), self.value(right));
        (!left.is_null() && !right.is_null()).then(|| order(&left, &right))
    }

    fn negate(&mut self, operand: &Scalar) -> Value {
        let data_type = operand.data_type;
        let negated = match self.value(operand) {
            Value::Integer(value) => integer(-i128::from(value), data_type),
            Value::Decimal { unscaled, scale } => Some(Value::Decimal {
                unscaled: -unscaled,
                scale,
            }),
            Value::Double(value) => Some(Value::Double(-value)),
            Value::Real(value) => Some(Value::Real(-value)),
            Value::Interval(value) => datetime::negate(value).ok().map(Value::Interval),
            _ => return Value::Null,
        };
        self.or_fail(negated)
    }

    fn arithmetic(
        &mut self,
        op: ArithmeticOp,
        left: &Scalar,
        right: &Scalar,
        data_type: DataType,
    ) -> Value {
        let result = match (self.value(left), self.value(right)) {
            (Value::Integer(a), Value::Integer(b)) => {
                let (a, b) = (i128::from(a), i128::from(b));
                let divides = matches!(op, ArithmeticOp::Divide | ArithmeticOp::Modulo);
                if divides && b == 0 {
                    return self.fail();
                }
                let value = match op {
                    ArithmeticOp::Add => a + b,
                    ArithmeticOp::Subtract => a - b,
                    ArithmeticOp::Multiply => a * b,
                    ArithmeticOp::Divide => a / b,
                    ArithmeticOp::Modulo => a % b,
                };
                integer(value, data_type)
            }
            (Value::Double(a), Value::Double(b)) => double(op, a, b).map(Value::Double),
            (
                Value::Decimal {
                    unscaled: a,
                    scale: s,
                },
                Value::Decimal {
                    unscaled: b,
                    scale: t,
                },
            ) => {
                let (a, b) = (Decimal::new(a, s), Decimal::new(b, t));
                let to = DecimalType::holding(data_type).expect("a decimal");
                let result = match op {
                    ArithmeticOp::Add => decimal::add(a, b, to),
                    ArithmeticOp::Subtract => decimal::sub(a, b, to),
                    ArithmeticOp::Multiply => decimal::mul(a, b, to),
                    ArithmeticOp::Divide => decimal::div(a, b, to),
                    ArithmeticOp::Modulo => decimal::rem(a, b, to),
                };
                result.ok().map(|unscaled| Value::Decimal {
                    unscaled,
                    scale: to.scale,
                })
            }
            _ => return Value::Null,
        };
        self.or_fail(result)
    }

    fn in_list(&mut self, operand: &Scalar, list: &[Scalar], negated: bool) -> Value {
        let value = self.value(operand);
        if value.is_null() {
            return Value::Null;
        }
        let mut has_null = false;
        for item in list {
            let item = self.value(item);
            if item.is_null() {
                has_null = true;
            } else if order(&item, &value).is_eq() {
                return Value::Boolean(!negated);
            }
        }
        boolean((!has_null).then_some(negated))
    }

    fn like(
        &mut self,
        operand: &Scalar,
        pattern: &Scalar,
        ignore_case: bool,
        negated: bool,
    ) -> Value {
        let (Value::Text(text), Value::Text(pattern)) = (self.value(operand), self.value(pattern))
        else {
            return Value::Null;
        };
        let characters = |text: &str| -> Vec<char> {
            if ignore_case {
                text.to_lowercase().chars().collect()
            } else {
                text.chars().collect()
            }
        };
        match like(&characters(&pattern), &characters(&text)) {
            Some(matched) => Value::Boolean(matched != negated),
            None => self.fail(),
        }
    }

    fn call(&mut self, name: &str, arguments: &[Scalar]) -> Value {
        match name {
            "coalesce" => {
                for argument in arguments {
                    let value = self.value(argument);
                    if !value.is_null() {
                        return value;
                    }
                }
                return Value::Null;
            }
            "nullif" => {
                let value = self.value(&arguments[0]);
                if value.is_null() {
                    return value;
                }
                let other = self.value(&arguments[1]);
                let same = !other.is_null() && order(&value, &other).is_eq();
                return if same { Value::Null } else { value };
            }
            "greatest" | "least" => {
                let wanted = if name == "least" {
                    Ordering::Less
                } else {
                    Ordering::Greater
                };
                let values: Vec<Value> = arguments
                    .iter()
                    .map(|argument| self.value(argument))
                    .collect();
                let known = values.into_iter().filter(|value| !value.is_null());
                return known
                    .reduce(|best, value| {
                        if order(&value, &best) == wanted {
                            value
                        } else {
                            best
                        }
                    })
                    .unwrap_or(Value::Null);
            }
            _ => {}
        }
        let mut values = Vec::new();
        for argument in arguments {
            match self.value(argument) {
                Value::Null => return Value::Null,
                value => values.push(value),
            }
        }
        match (name, &values[..]) {
            ("upper", [Value::Text(text)]) => Value::Text(text.to_uppercase()),
            ("length", [Value::Text(text)]) => Value::Integer(text.chars().count() as i64),
            ("||", [Value::Text(a), Value::Text(b)]) => Value::Text(format!("{a}{b}")),
            ("left", [Value::Text(text), Value::Integer(count)]) => {
                let length = text.chars().count() as i64;
                let count = if *count < 0 {
                    (length + count).max(0)
                } else {
                    *count
                };
                Value::Text(text.chars().take(count as usize).collect())
            }
            other => panic!("no slow form of {other:?}"),
        }
    }
}

fn boolean(value: Option<bool>) -> Value {
    value.map_or(Value::Null, Value::Boolean)
}

fn integer(value: i128, data_type: DataType) -> Option<Value> {
    let value = i64::try_from(value).ok()?;
    data_type
        .holds_integer(value)
        .then_some(Value::Integer(value))
}

fn double(op: ArithmeticOp, a: f64, b: f64) -> Option<f64> {
    let value = match op {
        ArithmeticOp::Add => a + b,
        ArithmeticOp::Subtract => a - b,
        ArithmeticOp::Multiply => a * b,
        ArithmeticOp::Divide if b == 0.0 => return None,
        ArithmeticOp::Divide => a / b,
        ArithmeticOp::Modulo if b == 0.0 => return None,
        ArithmeticOp::Modulo => a % b,
    };
    let products = matches!(op, ArithmeticOp::Multiply | ArithmeticOp::Divide);
    let vanished = products && value == 0.0 && a != 0.0 && b != 0.0 && b.is_finite();
    let overflowed = value.is_infinite() && a.is_finite() && b.is_finite();
    (!vanished && !overflowed).then_some(value)
}

fn holds(op: CompareOp, order: Ordering) -> bool {
    match op {
        CompareOp::Equal => order == Ordering::Equal,
        CompareOp::NotEqual => order != Ordering::Equal,
        CompareOp::Less => order == Ordering::Less,
        CompareOp::LessOrEqual => order != Ordering::Greater,
        CompareOp::Greater => order == Ordering::Greater,
        CompareOp::GreaterOrEqual => order != Ordering::Less,
    }
}

fn order(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Boolean(a), Value::Boolean(b)) => a.cmp(b),
        (Value::Integer(a), Value::Integer(b)) => a.cmp(b),
        (
            Value::Decimal {
                unscaled: a,
                scale: s,
            },
            Value::Decimal {
                unscaled: b,
                scale: t,
            },
        ) => decimal::compare(Decimal::new(*a, *s), Decimal::new(*b, *t)),
        (Value::Double(a), Value::Double(b)) => {
            if a.is_nan() || b.is_nan() {
                a.is_nan().cmp(&b.is_nan())
            } else {
                a.partial_cmp(b).expect("both are numbers")
            }
        }
        (Value::Text(a), Value::Text(b)) => a.cmp(b),
        (Value::Bytes(a), Value::Bytes(b)) => a.cmp(b),
        (Value::Date(a), Value::Date(b)) => a.cmp(b),
        (Value::Timestamp(a), Value::Timestamp(b)) => a.cmp(b),
        (Value::Interval(a), Value::Interval(b)) => {
            a.approximate_micros().cmp(&b.approximate_micros())
        }
        other => panic!("{other:?} are not compared"),
    }
}

/// Pattern by pattern character, with `\` as the escape; none where that stands last.
fn like(pattern: &[char], text: &[char]) -> Option<bool> {
    if !pattern.contains(&'\\') {
        return Some(matches(pattern, text));
    }
    let mut escaped = false;
    for c in pattern {
        escaped = !escaped && *c == '\\';
    }
    (!escaped).then(|| matches(pattern, text))
}

fn matches(pattern: &[char], text: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some(('\\', rest)) => {
            !rest.is_empty() && text.first() == rest.first() && matches(&rest[1..], &text[1..])
        }
        Some(('%', rest)) => (0..=text.len()).any(|skipped| matches(rest, &text[skipped..])),
        Some(('_', rest)) => !text.is_empty() && matches(rest, &text[1..]),
        Some((c, rest)) => text.first() == Some(c) && matches(rest, &text[1..]),
    }
}

/// A value in another type, by its text wherever that says the same.
fn cast(value: &Value, from: DataType, to: DataType) -> Option<Value> {
    let text = value.to_string();
    match (value, to) {
        (_, _) if from == to => Some(value.clone()),
        (_, DataType::Varchar { length }) => {
            let most = length.map_or(usize::MAX, |length| length as usize);
            Some(Value::Text(text.chars().take(most).collect()))
        }
        (Value::Boolean(value), _) if to.is_integer() => Some(Value::Integer(i64::from(*value))),
        (Value::Integer(value), DataType::Boolean) => Some(Value::Boolean(*value != 0)),
        (Value::Double(value), _) if to.is_integer() => {
            let whole = value.round_ties_even();
            // Every double up to 2^100 is an integer of 128 bits.
            let fits = whole.abs() < 2f64.powi(100);
            if fits {
                integer(whole as i128, to)
            } else {
                None
            }
        }
        (Value::Decimal { .. }, _) if to.is_integer() => {
            let whole = Value::parse(
                &text,
                DataType::Decimal {
                    precision: 38,
                    scale: 0,
                },
            )
            .ok()?;
            let Value::Decimal { unscaled, .. } = whole else {
                return None;
            };
            integer(unscaled, to)
        }
        (Value::Timestamp(_), DataType::Date) => Value::parse(&text[..10], to).ok(),
        (Value::Text(text), _) => Value::parse(text.trim_ascii(), to).ok(),
        _ => Value::parse(&text, to).ok(),
    }
}

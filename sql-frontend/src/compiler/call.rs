//! Calls of functions: their arguments are gathered, and what they give is checked against its type.

use std::sync::Arc;

use ferrisstreams_topology::data::datetime::{MAX_DATE, MIN_DATE};
use ferrisstreams_topology::data::{DataType, Interval, MICROS_PER_DAY, Physical, decimal};

use super::arithmetic::range;
use super::code::{Class, Code};
use super::eval::{CallBody, Eval};
use super::held::Held;
use super::node::Node;
use super::text::TextNode;
use crate::functions::{Argument, Function, Implementation, Returned};

/// A call of a function that is not lazy.
pub(super) fn call(function: &Arc<Function>, arguments: Vec<Code>) -> Code {
    let body = match function.implementation {
        Implementation::Plain(body) => CallBody::Plain(body),
        Implementation::Prepared(prepare) => {
            let constants: Vec<Option<Argument<'_>>> =
                arguments.iter().map(Code::as_constant).collect();
            match prepare(function, &constants) {
                Ok(body) => CallBody::Prepared(body),
                Err(failure) => CallBody::Broken(failure),
            }
        }
        Implementation::Lazy(lazy) => unreachable!("{lazy:?} is compiled elsewhere"),
    };
    let site = Site {
        function: function.clone(),
        body,
    };
    match arguments.len() {
        0 => of_class(site, fixed::<0>(arguments)),
        1 => of_class(site, fixed::<1>(arguments)),
        2 => of_class(site, fixed::<2>(arguments)),
        3 => of_class(site, fixed::<3>(arguments)),
        4 => of_class(site, fixed::<4>(arguments)),
        _ => of_class(site, arguments),
    }
}

fn fixed<const N: usize>(arguments: Vec<Code>) -> [Code; N] {
    arguments
        .try_into()
        .unwrap_or_else(|_| unreachable!("they were counted"))
}

/// A function as it is called in one place.
struct Site {
    function: Arc<Function>,
    body: CallBody,
}

/// Arguments, of a number that is known beforehand or not.
trait Arguments: Send + Sync + 'static {
    /// What the function gives for a row; none for NULL.
    fn run(&self, site: &Site, row: &[u8], eval: &mut Eval) -> Option<Returned>;
}

impl<const N: usize> Arguments for [Code; N] {
    #[inline]
    fn run(&self, site: &Site, row: &[u8], eval: &mut Eval) -> Option<Returned> {
        let mut held = [Held::Value(Argument::Null); N];
        for (held, argument) in held.iter_mut().zip(self) {
            *held = argument.held(row, eval);
            if held.is_null() && !site.function.takes_null {
                return None;
            }
        }
        let outcome = eval.call(&site.function, &site.body, held);
        site.settle(outcome, eval)
    }
}

impl Arguments for Vec<Code> {
    fn run(&self, site: &Site, row: &[u8], eval: &mut Eval) -> Option<Returned> {
        let held: Vec<Held<'_>> = self
            .iter()
            .map(|argument| argument.held(row, eval))
            .collect();
        if !site.function.takes_null && held.iter().any(|held| held.is_null()) {
            return None;
        }
        let outcome = eval.call_many(&site.function, &site.body, &held);
        site.settle(outcome, eval)
    }
}

impl Site {
    #[inline]
    fn settle(
        &self,
        outcome: Result<Returned, crate::functions::Failure>,
        eval: &mut Eval,
    ) -> Option<Returned> {
        match outcome {
            Ok(Returned::Null) => None,
            Ok(value) => Some(value),
            Err(failure) => {
                eval.failed(|| format!("{}: {}", self.function.name, failure.message()))
            }
        }
    }

    #[cold]
    fn out_of_range<T>(&self, eval: &mut Eval) -> Option<T> {
        let Function { name, result, .. } = &*self.function;
        eval.failed(|| format!("{name}: out of range of {result}"))
    }
}

fn of_class(site: Site, arguments: impl Arguments) -> Code {
    match site.function.result.physical() {
        Physical::Bool => Code::Bool(node(site, arguments)),
        Physical::I8 | Physical::I16 | Physical::I32 | Physical::I64 => {
            Code::Int(node(site, arguments))
        }
        Physical::I128 => Code::Wide(node(site, arguments)),
        Physical::F32 | Physical::F64 => Code::Float(node(site, arguments)),
        Physical::Interval => Code::Interval(node(site, arguments)),
        Physical::Bytes => Code::Text(text(site, arguments)),
    }
}

fn node<T: FromReturned>(site: Site, arguments: impl Arguments) -> Node<T> {
    let limits = Limits::of(site.function.result);
    Node::code(move |row, eval| {
        let returned = arguments.run(&site, row, eval)?;
        T::take(returned, limits).or_else(|| site.out_of_range(eval))
    })
}

fn text(site: Site, arguments: impl Arguments) -> TextNode {
    TextNode::made(move |row, eval| match arguments.run(&site, row, eval)? {
        Returned::Written => Some(eval.keep_output()),
        other => unreachable!("{} gave {other:?}", site.function.name),
    })
}

/// The least and the greatest value of a type, as it stands in a row.
#[derive(Clone, Copy)]
struct Limits {
    least: i64,
    most: i64,
    precision: u8,
    is_real: bool,
}

impl Limits {
    fn of(data_type: DataType) -> Limits {
        let (min_date, max_date) = (i64::from(MIN_DATE), i64::from(MAX_DATE));
        let (mut precision, mut is_real) = (38, false);
        let (least, most) = match data_type {
            DataType::Date => (min_date, max_date),
            DataType::Time => (0, MICROS_PER_DAY - 1),
            DataType::Timestamp | DataType::TimestampTz => (
                min_date * MICROS_PER_DAY,
                (max_date + 1) * MICROS_PER_DAY - 1,
            ),
            DataType::Decimal { precision: p, .. } => {
                precision = p;
                (i64::MIN, i64::MAX)
            }
            DataType::Real => {
                is_real = true;
                (i64::MIN, i64::MAX)
            }
            other => range(other),
        };
        Limits {
            least,
            most,
            precision,
            is_real,
        }
    }
}

/// Results of a fixed width.
trait FromReturned: Class {
    /// What a function gave, if it lies in the range of its type.
    fn take(returned: Returned, limits: Limits) -> Option<Self>;
}

impl FromReturned for bool {
    #[inline]
    fn take(returned: Returned, _: Limits) -> Option<Self> {
        match returned {
            Returned::Integer(value) => Some(value != 0),
            other => unreachable!("a boolean is wanted, not {other:?}"),
        }
    }
}

impl FromReturned for i64 {
    #[inline]
    fn take(returned: Returned, limits: Limits) -> Option<Self> {
        let value = match returned {
            Returned::Integer(value) => value,
            Returned::Wide(value) => i64::try_from(value).ok()?,
            other => unreachable!("an integer is wanted, not {other:?}"),
        };
        let fits = limits.precision == 38 || decimal::fits(i128::from(value), limits.precision);
        (fits && value >= limits.least && value <= limits.most).then_some(value)
    }
}

impl FromReturned for i128 {
    #[inline]
    fn take(returned: Returned, limits: Limits) -> Option<Self> {
        let value = match returned {
            Returned::Integer(value) => i128::from(value),
            Returned::Wide(value) => value,
            other => unreachable!("a decimal is wanted, not {other:?}"),
        };
        decimal::fits(value, limits.precision).then_some(value)
    }
}

impl FromReturned for f64 {
    #[inline]
    fn take(returned: Returned, limits: Limits) -> Option<Self> {
        match returned {
            Returned::Float(value) if limits.is_real => Some(f64::from(value as f32)),
            Returned::Float(value) => Some(value),
            other => unreachable!("a floating-point number is wanted, not {other:?}"),
        }
    }
}

impl FromReturned for Interval {
    #[inline]
    fn take(returned: Returned, _: Limits) -> Option<Self> {
        match returned {
            Returned::Interval(value) => Some(value),
            other => unreachable!("an interval is wanted, not {other:?}"),
        }
    }
}

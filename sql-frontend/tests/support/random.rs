//! Random rows and random expressions over them, from a seed.

use ferrisstreams_sql_frontend::functions::{self, ArgumentType};
use ferrisstreams_sql_frontend::plan::{ArithmeticOp, CompareOp, Scalar, ScalarKind};
use ferrisstreams_topology::data::{DataType, Interval, Value};

use super::call::{arithmetic, cast_to};

const MONEY: DataType = DataType::Decimal {
    precision: 9,
    scale: 2,
};
const SHORT: DataType = DataType::Decimal {
    precision: 18,
    scale: 6,
};
const LONG: DataType = DataType::Decimal {
    precision: 25,
    scale: 4,
};
const HUGE: DataType = DataType::Decimal {
    precision: 38,
    scale: 10,
};

/// The types of the columns; there are two columns of each.
pub const TYPES: [DataType; 14] = [
    DataType::Boolean,
    DataType::TinyInt,
    DataType::Int,
    DataType::BigInt,
    MONEY,
    SHORT,
    LONG,
    HUGE,
    DataType::Double,
    DataType::TEXT,
    DataType::Date,
    DataType::Timestamp,
    DataType::Interval,
    DataType::Bytes,
];

const NUMBERS: std::ops::Range<usize> = 1..9;

/// Numbers from a seed.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Dice(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number less than `most`.
    pub fn below(&mut self, most: usize) -> usize {
        (self.next() % most as u64) as usize
    }

    /// One of some items.
    pub fn one_of<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }

    /// A value of a type: small and near the limits more often than elsewhere, NULL sometimes.
    pub fn value(&mut self, data_type: DataType) -> Value {
        if self.below(8) == 0 {
            return Value::Null;
        }
        let small = self.below(7) as i64 - 3;
        match data_type {
            DataType::Boolean => Value::Boolean(small > 0),
            DataType::TinyInt => Value::Integer(self.integer(i64::from(i8::MAX))),
            DataType::Int => Value::Integer(self.integer(i64::from(i32::MAX))),
            DataType::BigInt => Value::Integer(self.integer(i64::MAX)),
            DataType::Decimal { precision, scale } => {
                let most = 10i128.pow(u32::from(precision)) - 1;
                let any =
                    (i128::from(self.next()) << 60 | i128::from(self.next() >> 4)) % (most + 1);
                let unscaled = match self.below(4) {
                    0 => i128::from(small) * 10i128.pow(u32::from(scale)),
                    1 => i128::from(small),
                    2 => most * i128::from(small.signum()),
                    _ => any,
                };
                Value::Decimal { unscaled, scale }
            }
            DataType::Double => Value::Double(match self.below(4) {
                0 => small as f64,
                1 => self.one_of(&[
                    f64::NAN,
                    f64::INFINITY,
                    f64::MAX,
                    f64::MIN_POSITIVE,
                    -0.0,
                    0.1,
                ]),
                2 => f64::from_bits(self.next()),
                _ => self.next() as i64 as f64 / 1e9,
            }),
            DataType::Varchar { .. } => Value::Text(self.text()),
            DataType::Bytes => {
                Value::Bytes((0..self.below(3)).map(|_| self.next() as u8).collect())
            }
            DataType::Date => Value::Date(self.one_of(&[-719_162, 0, 19_782, 2_932_896])),
            DataType::Timestamp => Value::Timestamp(match self.below(3) {
                0 => small * 86_400_000_000,
                1 => small,
                _ => (self.next() % 2_000_000_000_000_000) as i64,
            }),
            DataType::Interval => Value::Interval(Interval {
                months: small as i32,
                days: self.below(62) as i32 - 31,
                micros: self.next() as i64 >> 20,
            }),
            other => panic!("no values of {other}"),
        }
    }

    fn integer(&mut self, most: i64) -> i64 {
        match self.below(4) {
            0 => most,
            1 => -most - 1,
            2 => (self.next() as i64).checked_rem(most).unwrap_or(0),
            _ => self.below(7) as i64 - 3,
        }
    }

    fn text(&mut self) -> String {
        let words = [
            "",
            "a",
            "ab",
            "Ab%",
            "äb",
            "_b",
            "12",
            " 7 ",
            "1.5",
            "true",
            "2024-02-29",
            "abab",
        ];
        match self.below(2) {
            0 => self.one_of(&words).to_owned(),
            _ => format!("{}{}", self.one_of(&words), self.one_of(&words)),
        }
    }

    /// An expression of a type over the columns of [`TYPES`], at most so deep.
    pub fn expression(&mut self, data_type: DataType, depth: usize) -> Scalar {
        if depth == 0 || self.below(6) == 0 {
            return self.leaf(data_type);
        }
        let depth = depth - 1;
        match self.below(5) {
            0 => return self.case(data_type, depth),
            1 => return self.choice(data_type, depth),
            _ => {}
        }
        match data_type {
            DataType::Boolean => self.predicate(depth),
            DataType::Varchar { .. } => self.text_expression(depth),
            DataType::Date | DataType::Timestamp | DataType::Interval | DataType::Bytes => {
                self.leaf(data_type)
            }
            number => self.number(number, depth),
        }
    }

    fn leaf(&mut self, data_type: DataType) -> Scalar {
        if self.below(3) == 0 {
            return Scalar::literal(self.value(data_type), data_type, Default::default());
        }
        let at = TYPES
            .iter()
            .position(|known| *known == data_type)
            .expect("a type of a column");
        Scalar::column(at * 2 + self.below(2), data_type, true, Default::default())
    }

    fn number(&mut self, wanted: DataType, depth: usize) -> Scalar {
        match self.below(4) {
            0 => made(
                ScalarKind::Negate(Box::new(self.expression(wanted, depth))),
                wanted,
            ),
            1 => {
                let text = self.expression(DataType::TEXT, depth);
                self.cast(text, wanted)
            }
            2 => {
                let other = TYPES[NUMBERS.start + self.below(NUMBERS.len())];
                let number = self.expression(other, depth);
                self.cast(number, wanted)
            }
            _ => {
                let mut kinds = [wanted, wanted];
                if let DataType::Decimal { .. } = wanted {
                    kinds[1] = self.one_of(&[MONEY, SHORT, LONG, HUGE, DataType::Int]);
                }
                let (left, right) = (
                    self.expression(kinds[0], depth),
                    self.expression(kinds[1], depth),
                );
                let op = self.one_of(&[
                    ArithmeticOp::Add,
                    ArithmeticOp::Subtract,
                    ArithmeticOp::Multiply,
                    ArithmeticOp::Divide,
                    ArithmeticOp::Modulo,
                ]);
                let result = arithmetic(op, &left, &right);
                cast_to(result, wanted, false)
            }
        }
    }

    fn cast(&mut self, scalar: Scalar, to: DataType) -> Scalar {
        let forgiving = self.below(2) == 0;
        cast_to(scalar, to, forgiving)
    }

    fn predicate(&mut self, depth: usize) -> Scalar {
        let any = self.one_of(&TYPES);
        let shallow = depth.min(self.below(2));
        let kind = match self.below(9) {
            0 => ScalarKind::Not(Box::new(self.expression(DataType::Boolean, depth))),
            1 => ScalarKind::And(self.several(DataType::Boolean, depth)),
            2 => ScalarKind::Or(self.several(DataType::Boolean, depth)),
            3 => ScalarKind::IsNull(Box::new(self.expression(any, depth))),
            4 => ScalarKind::Is(
                Box::new(self.expression(DataType::Boolean, depth)),
                self.below(2) == 0,
            ),
            5 => ScalarKind::InList {
                operand: Box::new(self.expression(any, depth)),
                list: self.several(any, shallow),
                negated: self.below(2) == 0,
            },
            6 => ScalarKind::Like {
                operand: Box::new(self.expression(DataType::TEXT, depth)),
                pattern: Box::new(self.expression(DataType::TEXT, depth.min(1))),
                escape: None,
                ignore_case: self.below(2) == 0,
                negated: self.below(2) == 0,
            },
            7 => {
                let (left, right) = self.pair(any, depth);
                ScalarKind::Distinct {
                    left,
                    right,
                    negated: self.below(2) == 0,
                }
            }
            _ => {
                let (left, right) = self.pair(any, depth);
                let op = self.one_of(&[
                    CompareOp::Equal,
                    CompareOp::NotEqual,
                    CompareOp::Less,
                    CompareOp::LessOrEqual,
                    CompareOp::Greater,
                    CompareOp::GreaterOrEqual,
                ]);
                ScalarKind::Compare { op, left, right }
            }
        };
        made(kind, DataType::Boolean)
    }

    /// Two expressions of one type, or decimals of two.
    fn pair(&mut self, data_type: DataType, depth: usize) -> (Box<Scalar>, Box<Scalar>) {
        let other = match data_type {
            DataType::Decimal { .. } => self.one_of(&[MONEY, SHORT, LONG, HUGE]),
            same => same,
        };
        let left = self.expression(data_type, depth);
        (Box::new(left), Box::new(self.expression(other, depth)))
    }

    fn several(&mut self, data_type: DataType, depth: usize) -> Vec<Scalar> {
        let count = if depth == 0 {
            2 + self.below(11)
        } else {
            2 + self.below(2)
        };
        (0..count)
            .map(|_| self.expression(data_type, depth))
            .collect()
    }

    fn case(&mut self, data_type: DataType, depth: usize) -> Scalar {
        let branches = (0..1 + self.below(2))
            .map(|_| {
                (
                    self.expression(DataType::Boolean, depth),
                    self.expression(data_type, depth),
                )
            })
            .collect();
        let otherwise = (self.below(2) == 0).then(|| Box::new(self.expression(data_type, depth)));
        made(
            ScalarKind::Case {
                branches,
                otherwise,
            },
            data_type,
        )
    }

    fn choice(&mut self, data_type: DataType, depth: usize) -> Scalar {
        let name = self.one_of(&["coalesce", "nullif", "greatest", "least"]);
        let arguments = vec![
            self.expression(data_type, depth),
            self.expression(data_type, depth),
        ];
        call(name, arguments)
    }

    fn text_expression(&mut self, depth: usize) -> Scalar {
        match self.below(4) {
            0 => call("upper", vec![self.expression(DataType::TEXT, depth)]),
            1 => {
                let parts = vec![
                    self.expression(DataType::TEXT, depth),
                    self.expression(DataType::TEXT, depth),
                ];
                call("||", parts)
            }
            2 => {
                let count = Scalar::literal(
                    Value::Integer(self.below(5) as i64 - 2),
                    DataType::BigInt,
                    Default::default(),
                );
                call("left", vec![self.expression(DataType::TEXT, depth), count])
            }
            _ => {
                let any = self.one_of(&TYPES);
                let value = self.expression(any, depth);
                let to = self.one_of(&[DataType::TEXT, DataType::Varchar { length: Some(2) }]);
                let short = self.cast(value, to);
                self.cast(short, DataType::TEXT)
            }
        }
    }
}

fn made(kind: ScalarKind, data_type: DataType) -> Scalar {
    Scalar {
        kind,
        data_type,
        nullable: true,
        span: Default::default(),
    }
}

fn call(name: &str, arguments: Vec<Scalar>) -> Scalar {
    let types: Vec<ArgumentType> = arguments
        .iter()
        .map(|argument| ArgumentType::Known(argument.data_type))
        .collect();
    let resolved = functions::lookup(name, &types).expect("a function");
    let kind = ScalarKind::Call {
        function: resolved.function,
        arguments,
    };
    made(kind, resolved.result)
}

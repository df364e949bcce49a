//! Layouts: which inputs the aggregates of a plan have, and how each of them finds its result.

use ferrisstreams_topology::data::{DataType, Slot};

use super::extreme::Extreme;
use super::float::FloatPlace;
use super::inputs::{Builder, Input, ROWS};
use super::number::Number;
use super::outcome::{Outcome, OutcomeKind};
use super::spread::{Spread, Sums};
use super::state::Extra;
use super::step::{Place, StepKind};
use crate::plan::{Aggregate, AggregateFunction, Scalar};

/// The layout of the state of some aggregates.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) inputs: Vec<Input>,
    /// One an aggregate.
    pub(super) outcomes: Vec<Outcome>,
    pub(super) words: usize,
    pub(super) extras: Vec<Extra>,
    /// Tells layouts apart.
    pub(super) description: String,
}

/// Lays the state of aggregates out whose arguments and filters stand in these slots.
pub(super) fn layout(aggregates: &[Aggregate], slots: &[Slot], retractable: bool) -> Layout {
    let mut slots = slots.iter();
    let mut builder = Builder::new(retractable);
    let mut outcomes = Vec::with_capacity(aggregates.len());
    let mut described = Vec::with_capacity(aggregates.len());
    for aggregate in aggregates {
        let mut slot = |expr: &Option<Scalar>| {
            expr.as_ref()
                .map(|_| *slots.next().expect("a slot for each argument and filter"))
        };
        let (argument, filter) = (slot(&aggregate.argument), slot(&aggregate.filter));
        if argument.is_none() && filter.is_none() {
            described.push("COUNT(*)".to_owned());
            outcomes.push(outcome(aggregate, ROWS, OutcomeKind::Count));
            continue;
        }
        let input = builder.input(aggregate, argument, filter);
        described.push(describe(aggregate, input));
        let mut steps = Steps {
            builder: &mut builder,
            input,
            distinct: is_distinct(aggregate),
        };
        outcomes.push(steps.outcome(aggregate));
    }
    let retractable = if retractable { "retractable " } else { "" };
    Layout {
        inputs: builder.inputs,
        outcomes,
        words: builder.words,
        extras: builder.extras,
        description: format!("{retractable}{}", described.join(", ")),
    }
}

fn describe(aggregate: &Aggregate, input: usize) -> String {
    let distinct = if is_distinct(aggregate) {
        "DISTINCT "
    } else {
        ""
    };
    let filtered = if aggregate.filter.is_some() {
        " FILTER"
    } else {
        ""
    };
    let argument = match &aggregate.argument {
        Some(argument) => format!("{} {input}", argument.data_type),
        None => format!("* {input}"),
    };
    format!(
        "{}({distinct}{argument}){filtered}",
        aggregate.function.name()
    )
}

/// Whether it matters that equal values count once.
fn is_distinct(aggregate: &Aggregate) -> bool {
    aggregate.distinct
        && !matches!(
            aggregate.function,
            AggregateFunction::CountRows
                | AggregateFunction::Min
                | AggregateFunction::Max
                | AggregateFunction::Every
                | AggregateFunction::Some
                | AggregateFunction::BitAnd
                | AggregateFunction::BitOr
        )
}

fn outcome(aggregate: &Aggregate, count: usize, kind: OutcomeKind) -> Outcome {
    Outcome {
        function: aggregate.function,
        data_type: aggregate.data_type,
        count,
        kind,
    }
}

/// The steps of one aggregate.
struct Steps<'a, 'b> {
    builder: &'a mut Builder<'b>,
    input: usize,
    distinct: bool,
}

impl Steps<'_, '_> {
    fn outcome(&mut self, aggregate: &Aggregate) -> Outcome {
        let Some(argument) = &aggregate.argument else {
            let count = self.word(StepKind::Count);
            return outcome(aggregate, count, OutcomeKind::Count);
        };
        let data_type = argument.data_type;
        if let AggregateFunction::Min | AggregateFunction::Max = aggregate.function {
            // They know themselves whether there is a value.
            let extreme = Box::new(self.extreme(aggregate.function, data_type));
            return outcome(aggregate, ROWS, OutcomeKind::Extreme(extreme));
        }
        let count = self.word(StepKind::Count);
        let kind = self.kind(aggregate.function, data_type, count);
        outcome(aggregate, count, kind)
    }

    fn kind(
        &mut self,
        function: AggregateFunction,
        data_type: DataType,
        count: usize,
    ) -> OutcomeKind {
        let spread = |sums, sample, root| {
            OutcomeKind::Spread(Spread {
                sums,
                count,
                sample,
                root,
            })
        };
        match function {
            AggregateFunction::CountRows | AggregateFunction::Count => OutcomeKind::Count,
            AggregateFunction::Sum => self.sum(data_type),
            AggregateFunction::Avg => self.average(data_type),
            AggregateFunction::Min | AggregateFunction::Max => {
                unreachable!("MIN and MAX do without a count")
            }
            AggregateFunction::Every => OutcomeKind::Every {
                trues: self.word(StepKind::Trues),
            },
            AggregateFunction::Some => OutcomeKind::Some {
                trues: self.word(StepKind::Trues),
            },
            AggregateFunction::BitAnd => self.bit_and(data_type),
            AggregateFunction::BitOr => self.bit_or(data_type),
            AggregateFunction::BitXor => OutcomeKind::Bits {
                word: self.word(StepKind::OddBits),
            },
            AggregateFunction::StddevPop => spread(self.sums(data_type), false, true),
            AggregateFunction::StddevSamp => spread(self.sums(data_type), true, true),
            AggregateFunction::VarPop => spread(self.sums(data_type), false, false),
            AggregateFunction::VarSamp => spread(self.sums(data_type), true, false),
        }
    }

    fn step(&mut self, kind: StepKind) -> Place {
        self.builder.step(self.input, self.distinct, kind)
    }

    fn word(&mut self, kind: StepKind) -> usize {
        self.step(kind).word
    }

    fn number(&mut self, kind: StepKind, data_type: DataType) -> Number {
        Number {
            word: self.word(kind),
            len: kind.words(),
            scale: data_type.as_decimal().map_or(0, |(_, scale)| scale),
        }
    }

    fn float_sum(&mut self) -> FloatPlace {
        let Place { word, extra } = self.step(StepKind::FloatSum);
        FloatPlace { word, extra }
    }

    fn extreme(&mut self, function: AggregateFunction, data_type: DataType) -> Extreme {
        let greatest = function == AggregateFunction::Max;
        self.builder.extreme(self.input, greatest, data_type)
    }

    fn sum(&mut self, data_type: DataType) -> OutcomeKind {
        match StepKind::sum(data_type) {
            StepKind::FloatSum => OutcomeKind::FloatSum(self.float_sum()),
            StepKind::IntervalSum => OutcomeKind::IntervalSum {
                word: self.word(StepKind::IntervalSum),
            },
            kind => OutcomeKind::Sum(self.number(kind, data_type)),
        }
    }

    fn average(&mut self, data_type: DataType) -> OutcomeKind {
        match StepKind::sum(data_type) {
            StepKind::FloatSum => OutcomeKind::FloatAverage(self.float_sum()),
            StepKind::IntervalSum => OutcomeKind::IntervalAverage {
                word: self.word(StepKind::IntervalSum),
            },
            kind => OutcomeKind::Average(self.number(kind, data_type)),
        }
    }

    fn sums(&mut self, data_type: DataType) -> Sums {
        match StepKind::squares(data_type) {
            StepKind::FloatSquares => Sums::Float {
                sum: self.float_sum(),
                squares: self.step(StepKind::FloatSquares).extra,
            },
            kind => Sums::Whole {
                sum: self.number(StepKind::sum(data_type), data_type),
                squares: self.number(kind, data_type),
            },
        }
    }

    fn bit_and(&mut self, data_type: DataType) -> OutcomeKind {
        if self.builder.retractable {
            let width = width(data_type);
            let word = self.word(StepKind::Bits(width));
            return OutcomeKind::CountedBitAnd { word, width };
        }
        OutcomeKind::BitAnd {
            word: self.word(StepKind::AnyZeroBit),
        }
    }

    fn bit_or(&mut self, data_type: DataType) -> OutcomeKind {
        if self.builder.retractable {
            let width = width(data_type);
            let word = self.word(StepKind::Bits(width));
            return OutcomeKind::CountedBitOr { word, width };
        }
        OutcomeKind::Bits {
            word: self.word(StepKind::AnyBit),
        }
    }
}

/// How many bits values of a type have.
fn width(data_type: DataType) -> u8 {
    (data_type.physical().width() * 8) as u8
}

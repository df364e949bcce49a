//! Layouts: which inputs the aggregates of a plan have, which steps these take, where in the state
//! each keeps what it gathers.
//!
//! Aggregates of one argument under one filter have one input, and a step that two of them need is
//! done once.

use ferrisstreams_topology::data::{DataType, Slot};

use super::exact_sum::ExactSum;
use super::extreme::{Extreme, Form};
use super::outcome::{FloatPlace, Number, Outcome, OutcomeKind, Spread};
use super::state::Extra;
use super::step::{Place, Step, StepKind};
use crate::plan::{Aggregate, AggregateFunction, Scalar};

/// The word of the state that counts rows.
pub(super) const ROWS: usize = 0;

/// What some aggregates gather: values under a filter.
#[derive(Debug, Clone)]
pub(super) struct Input {
    /// Where the value stands; none where it is the row itself.
    pub(super) argument: Option<Slot>,
    /// Where it stands whether the row counts.
    pub(super) filter: Option<Slot>,
    /// What is done with each value.
    pub(super) steps: Vec<Step>,
    /// What is done with each different value.
    pub(super) distinct_steps: Vec<Step>,
    /// The least and the greatest value.
    pub(super) extremes: Vec<Extreme>,
    /// The multiset of the values, and whether its bytes are turned over.
    pub(super) sets: Vec<(u16, bool)>,
}

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
    let mut builder = Builder {
        retractable,
        known: Vec::new(),
        inputs: Vec::new(),
        words: ROWS + 1,
        extras: Vec::new(),
        sets: 0,
    };
    let mut outcomes = Vec::with_capacity(aggregates.len());
    let mut described = Vec::with_capacity(aggregates.len());
    for aggregate in aggregates {
        let mut slot = |expr: &Option<Scalar>| {
            expr.as_ref().map(|_| *slots.next().expect("a slot for each argument and filter"))
        };
        let (argument, filter) = (slot(&aggregate.argument), slot(&aggregate.filter));
        let input = builder.input(aggregate, argument, filter);
        described.push(describe(aggregate, input));
        outcomes.push(builder.outcome(aggregate, input));
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
    let distinct = if is_distinct(aggregate) { "DISTINCT " } else { "" };
    let filtered = if aggregate.filter.is_some() { " FILTER" } else { "" };
    let argument = match &aggregate.argument {
        Some(argument) => format!("{} {input}", argument.data_type),
        None => format!("* {input}"),
    };
    format!("{}({distinct}{argument}){filtered}", aggregate.function.name())
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

struct Builder<'a> {
    retractable: bool,
    /// The expressions of the inputs.
    known: Vec<(Option<&'a Scalar>, Option<&'a Scalar>)>,
    inputs: Vec<Input>,
    words: usize,
    extras: Vec<Extra>,
    sets: u16,
}

impl<'a> Builder<'a> {
    fn input(&mut self, aggregate: &'a Aggregate, argument: Option<Slot>, filter: Option<Slot>) -> usize {
        let exprs = (aggregate.argument.as_ref(), aggregate.filter.as_ref());
        let mut parts = exprs.0.into_iter().chain(exprs.1);
        let known = self.known.iter().position(|known| *known == exprs);
        // What gives another value each time is not the same although it looks the same.
        if let Some(known) = known.filter(|_| parts.all(Scalar::is_deterministic)) {
            return known;
        }
        self.known.push(exprs);
        self.inputs.push(Input {
            argument,
            filter,
            steps: Vec::new(),
            distinct_steps: Vec::new(),
            extremes: Vec::new(),
            sets: Vec::new(),
        });
        self.inputs.len() - 1
    }

    fn outcome(&mut self, aggregate: &Aggregate, input: usize) -> Outcome {
        let distinct = is_distinct(aggregate);
        let kind = match &aggregate.argument {
            None if aggregate.filter.is_none() => OutcomeKind::Count { word: ROWS },
            None => OutcomeKind::Count {
                word: self.step(input, false, StepKind::Count).word,
            },
            Some(argument) => {
                let mut steps = Steps { builder: self, input, distinct };
                steps.outcome(aggregate.function, argument.data_type)
            }
        };
        Outcome {
            function: aggregate.function,
            data_type: aggregate.data_type,
            kind,
        }
    }

    /// Where a step of an input keeps what it gathers, which is there from now on.
    fn step(&mut self, input: usize, distinct: bool, kind: StepKind) -> Place {
        if distinct {
            self.any_set(input);
        }
        let input = &mut self.inputs[input];
        let steps = if distinct { &mut input.distinct_steps } else { &mut input.steps };
        if let Some(step) = steps.iter().find(|step| step.kind == kind) {
            return step.place;
        }
        let place = Place {
            word: self.words,
            extra: self.extras.len(),
        };
        self.words += kind.words();
        if kind.has_sum() {
            self.extras.push(Extra::Sum(ExactSum::default()));
        }
        steps.push(Step { kind, place });
        place
    }

    fn extreme(&mut self, input: usize, greatest: bool, data_type: DataType) -> Extreme {
        let known = self.inputs[input].extremes.iter().find(|known| known.greatest == greatest);
        if let Some(known) = known {
            return known.clone();
        }
        let mut extreme = Extreme::new(greatest, data_type, self.words, self.extras.len());
        self.words += 1 + Form::words(data_type);
        if Form::words(data_type) == 0 {
            self.extras.push(Extra::Bytes(None));
        }
        if self.retractable {
            extreme.set = Some(self.set(input, greatest));
        }
        self.inputs[input].extremes.push(extreme.clone());
        extreme
    }

    fn any_set(&mut self, input: usize) {
        if self.inputs[input].sets.is_empty() {
            self.set(input, false);
        }
    }

    fn set(&mut self, input: usize, turned: bool) -> u16 {
        let sets = &mut self.inputs[input].sets;
        if let Some((number, _)) = sets.iter().find(|(_, known)| *known == turned) {
            return *number;
        }
        let number = self.sets;
        self.sets += 1;
        sets.push((number, turned));
        number
    }
}

/// The steps of one aggregate.
struct Steps<'a, 'b> {
    builder: &'a mut Builder<'b>,
    input: usize,
    distinct: bool,
}

impl Steps<'_, '_> {
    fn step(&mut self, kind: StepKind) -> Place {
        self.builder.step(self.input, self.distinct, kind)
    }

    fn count(&mut self) -> usize {
        self.step(StepKind::Count).word
    }

    fn number(&mut self, kind: StepKind) -> Number {
        Number {
            word: self.step(kind).word,
            len: kind.words(),
        }
    }

    fn float_sum(&mut self) -> FloatPlace {
        let Place { word, extra } = self.step(StepKind::FloatSum);
        FloatPlace { word, extra }
    }

    fn outcome(&mut self, function: AggregateFunction, data_type: DataType) -> OutcomeKind {
        match function {
            AggregateFunction::CountRows | AggregateFunction::Count => {
                OutcomeKind::Count { word: self.count() }
            }
            AggregateFunction::Sum => self.sum(data_type),
            AggregateFunction::Avg => self.average(data_type),
            AggregateFunction::Min | AggregateFunction::Max => {
                let greatest = function == AggregateFunction::Max;
                let extreme = self.builder.extreme(self.input, greatest, data_type);
                OutcomeKind::Extreme(Box::new(extreme))
            }
            AggregateFunction::Every => OutcomeKind::Every {
                count: self.count(),
                trues: self.step(StepKind::Trues).word,
            },
            AggregateFunction::Some => OutcomeKind::Some {
                count: self.count(),
                trues: self.step(StepKind::Trues).word,
            },
            AggregateFunction::BitAnd | AggregateFunction::BitOr | AggregateFunction::BitXor => {
                self.bits(function, data_type)
            }
            AggregateFunction::StddevPop => self.variance(data_type, false, true),
            AggregateFunction::StddevSamp => self.variance(data_type, true, true),
            AggregateFunction::VarPop => self.variance(data_type, false, false),
            AggregateFunction::VarSamp => self.variance(data_type, true, false),
        }
    }

    fn sum(&mut self, data_type: DataType) -> OutcomeKind {
        let count = self.count();
        match StepKind::sum(data_type) {
            StepKind::FloatSum => OutcomeKind::FloatSum { sum: self.float_sum(), count },
            StepKind::IntervalSum => {
                let word = self.step(StepKind::IntervalSum).word;
                OutcomeKind::IntervalSum { word, count }
            }
            kind => OutcomeKind::Sum { sum: self.number(kind), count },
        }
    }

    fn average(&mut self, data_type: DataType) -> OutcomeKind {
        let count = self.count();
        match StepKind::sum(data_type) {
            StepKind::FloatSum => OutcomeKind::FloatAverage { sum: self.float_sum(), count },
            StepKind::IntervalSum => {
                let word = self.step(StepKind::IntervalSum).word;
                OutcomeKind::IntervalAverage { word, count }
            }
            kind => OutcomeKind::Average {
                sum: self.number(kind),
                count,
                scale: scale(data_type),
            },
        }
    }

    fn variance(&mut self, data_type: DataType, sample: bool, root: bool) -> OutcomeKind {
        let spread = Spread { count: self.count(), sample, root };
        match StepKind::squares(data_type) {
            StepKind::FloatSquares => OutcomeKind::FloatVariance {
                sum: self.float_sum(),
                squares: self.step(StepKind::FloatSquares).extra,
                spread,
            },
            kind => OutcomeKind::Variance {
                sum: self.number(StepKind::sum(data_type)),
                squares: self.number(kind),
                scale: scale(data_type),
                spread,
            },
        }
    }

    fn bits(&mut self, function: AggregateFunction, data_type: DataType) -> OutcomeKind {
        let count = self.count();
        let width = (data_type.physical().width() * 8) as u8;
        let counts = StepKind::Bits(width);
        match (function, self.builder.retractable) {
            (AggregateFunction::BitXor, _) => {
                let word = self.step(StepKind::OddBits).word;
                OutcomeKind::Bits { word, count }
            }
            (AggregateFunction::BitAnd, true) => {
                let word = self.step(counts).word;
                OutcomeKind::CountedBitAnd { word, width, count }
            }
            (AggregateFunction::BitAnd, false) => {
                let word = self.step(StepKind::AnyZeroBit).word;
                OutcomeKind::BitAnd { word, count }
            }
            (_, true) => {
                let word = self.step(counts).word;
                OutcomeKind::CountedBitOr { word, width, count }
            }
            (_, false) => {
                let word = self.step(StepKind::AnyBit).word;
                OutcomeKind::Bits { word, count }
            }
        }
    }
}

/// How many digits behind the point whole numbers stand for that values of a type are kept as.
fn scale(data_type: DataType) -> u8 {
    data_type.as_decimal().map_or(0, |(_, scale)| scale)
}

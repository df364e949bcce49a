//! Inputs: what aggregates gather, which steps they take for it, and where in the state each of
//! these keeps what it gathers.
//!
//! Aggregates of one argument under one filter have one input, and a step that two of them need is
//! done once.

use ferrisstreams_topology::data::{DataType, Slot};

use super::exact_sum::ExactSum;
use super::extreme::{Extreme, Form};
use super::state::Extra;
use super::step::{Place, Step, StepKind};
use crate::plan::{Aggregate, Scalar};

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

/// Gathers inputs, steps and their places.
pub(super) struct Builder<'a> {
    pub(super) retractable: bool,
    /// The expressions of the inputs.
    known: Vec<(Option<&'a Scalar>, Option<&'a Scalar>)>,
    pub(super) inputs: Vec<Input>,
    pub(super) words: usize,
    pub(super) extras: Vec<Extra>,
    sets: u16,
}

impl<'a> Builder<'a> {
    pub(super) fn new(retractable: bool) -> Self {
        Builder {
            retractable,
            known: Vec::new(),
            inputs: Vec::new(),
            words: ROWS + 1,
            extras: Vec::new(),
            sets: 0,
        }
    }

    /// The input of an aggregate, whose argument and filter stand in these slots.
    pub(super) fn input(
        &mut self,
        aggregate: &'a Aggregate,
        argument: Option<Slot>,
        filter: Option<Slot>,
    ) -> usize {
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

    /// Where a step of an input keeps what it gathers, which is there from now on.
    pub(super) fn step(&mut self, input: usize, distinct: bool, kind: StepKind) -> Place {
        if distinct {
            self.any_set(input);
        }
        let input = &mut self.inputs[input];
        let steps = if distinct {
            &mut input.distinct_steps
        } else {
            &mut input.steps
        };
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

    /// The least or the greatest value of an input, which is kept from now on.
    pub(super) fn extreme(&mut self, input: usize, greatest: bool, data_type: DataType) -> Extreme {
        let known = self.inputs[input]
            .extremes
            .iter()
            .find(|known| known.greatest == greatest);
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

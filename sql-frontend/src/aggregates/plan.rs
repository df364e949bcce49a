//! The aggregates of a `GROUP BY`, ready to run.

use std::sync::Arc;

use ferrisstreams_topology::Result;
use ferrisstreams_topology::codec::SharedCodec;
use ferrisstreams_topology::data::key::encode_rank;
use ferrisstreams_topology::data::{Field, Row, RowLayout, RowWriter, Schema, Slot};
use ferrisstreams_topology::dsl::{Aggregator, Multisets};

use super::codec::StateCodec;
use super::extreme::turn_over;
use super::inputs::{Input, ROWS};
use super::layout::{Layout, layout};
use super::outcome::{Outcome, Watched};
use super::state::AggState;
use super::step::Step;
use crate::plan::{Aggregate, Scalar};

/// What is done for some aggregates with each row of a group.
///
/// It gathers rows of the aggregates' arguments, not those of the table. A group has the key that its
/// rows were grouped by; one whose key has no columns is that of all rows, and stays when it has none.
#[derive(Debug)]
pub struct AggregatePlan {
    arguments: Vec<Scalar>,
    layout: Layout,
    initial: AggState,
    retractable: bool,
    /// The sums that may come to be more than their types hold.
    watched: Vec<Watched>,
}

impl AggregatePlan {
    /// The plan of these aggregates, `retractable` where rows can be taken back.
    pub fn new(aggregates: &[Aggregate], retractable: bool) -> Self {
        let exprs = aggregates
            .iter()
            .flat_map(|aggregate| aggregate.argument.iter().chain(&aggregate.filter));
        let mut arguments: Vec<Scalar> = Vec::new();
        let place = |expr: &Scalar| {
            // What gives another value each time is not the same although it looks the same.
            let known = arguments.iter().position(|known| known == expr);
            known
                .filter(|_| expr.is_deterministic())
                .unwrap_or_else(|| {
                    arguments.push(expr.clone());
                    arguments.len() - 1
                })
        };
        let places: Vec<usize> = exprs.map(place).collect();
        let slots = RowLayout::new(&schema_of(&arguments));
        let slots: Vec<Slot> = places.iter().map(|place| slots.slot(*place)).collect();
        let layout = layout(aggregates, &slots, retractable);
        let mut watched: Vec<Watched> = Vec::new();
        for sum in layout.outcomes.iter().filter_map(Outcome::watched) {
            if !watched.contains(&sum) {
                watched.push(sum);
            }
        }
        AggregatePlan {
            watched,
            initial: AggState::new(&vec![0; layout.words], layout.extras.clone()),
            layout,
            arguments,
            retractable,
        }
    }

    /// What the columns of the rows that are gathered are: the arguments and the filters of the
    /// aggregates, those that several have only once.
    pub fn arguments(&self) -> &[Scalar] {
        &self.arguments
    }

    /// The state of a group without rows.
    pub fn initial(&self) -> AggState {
        self.initial.clone()
    }

    /// The form in which a store keeps states. Its name says which aggregates they are of.
    pub fn state_codec(&self) -> SharedCodec<AggState> {
        Arc::new(StateCodec {
            words: self.layout.words,
            extras: self.layout.extras.clone().into(),
            description: self.layout.description.clone(),
        })
    }

    /// Whether the values of a group are kept in multisets.
    pub fn uses_multisets(&self) -> bool {
        self.layout
            .inputs
            .iter()
            .any(|input| !input.sets.is_empty())
    }

    /// Whether there may be a result that its type does not hold, which is found when it is made. Sums
    /// and averages of whole numbers are looked at when they change.
    pub fn can_fail(&self) -> bool {
        self.layout
            .outcomes
            .iter()
            .any(|outcome| outcome.can_fail())
    }

    /// Writes the results of the aggregates into the columns from `first_column` on.
    ///
    /// A result that its type does not hold is NULL; the answer then says what it was, but for what was
    /// told when the state changed.
    pub fn finish(
        &self,
        state: &AggState,
        writer: &mut RowWriter<'_>,
        first_column: usize,
    ) -> Option<String> {
        let mut failures = Vec::new();
        for (at, outcome) in self.layout.outcomes.iter().enumerate() {
            if let Err(failure) = outcome.write(state, writer, first_column + at)
                && outcome.can_fail()
            {
                failures.push(failure);
            }
        }
        told(failures)
    }

    /// Has the state gather a row with a weight of 1 or of -1.
    #[inline]
    fn gather(
        &self,
        key: &Row,
        row: &[u8],
        weight: i64,
        state: &mut AggState,
        sets: &mut Multisets<'_, Row>,
    ) -> Result<()> {
        state.add_count(ROWS, weight);
        for input in &self.layout.inputs {
            if input
                .filter
                .as_ref()
                .is_some_and(|filter| filter.bool(row) != Some(true))
            {
                continue;
            }
            let Some(argument) = &input.argument else {
                apply(&input.steps, state, row, None, weight);
                continue;
            };
            if argument.is_null(row) {
                continue;
            }
            apply(&input.steps, state, row, Some(argument), weight);
            if !input.sets.is_empty() {
                input.gather_in_sets(row, *argument, weight, state, (key, sets))?;
            } else {
                for extreme in &input.extremes {
                    extreme.enter(state, row, *argument);
                }
            }
        }
        Ok(())
    }
}

pub(super) fn schema_of(exprs: &[Scalar]) -> Schema {
    let field = |(at, expr): (usize, &Scalar)| Field::new(format!("c{at}"), expr.data_type);
    exprs.iter().enumerate().map(field).collect()
}

/// Several failures of one state as one.
fn told(failures: Vec<String>) -> Option<String> {
    (!failures.is_empty()).then(|| failures.join("; "))
}

#[inline]
fn apply(steps: &[Step], state: &mut AggState, row: &[u8], argument: Option<&Slot>, weight: i64) {
    for step in steps {
        step.apply(state, row, argument, weight);
    }
}

impl Input {
    /// Counts a value in the multisets, and does what is to be done where it is new or gone.
    fn gather_in_sets(
        &self,
        row: &[u8],
        argument: Slot,
        weight: i64,
        state: &mut AggState,
        (key, sets): (&Row, &mut Multisets<'_, Row>),
    ) -> Result<()> {
        let mut value = Vec::with_capacity(32);
        encode_rank(row, argument, &mut value);
        let (mut entered, mut left) = (false, false);
        let mut is_turned = false;
        for (number, turned) in &self.sets {
            if is_turned != *turned {
                turn_over(&mut value);
                is_turned = *turned;
            }
            let (before, after) = sets.add(key, *number, &value, weight)?;
            entered = before <= 0 && after > 0;
            left = before > 0 && after <= 0;
        }
        if entered || left {
            apply(&self.distinct_steps, state, row, Some(&argument), weight);
        }
        for extreme in &self.extremes {
            match extreme.set {
                // Without rows that are taken back, the set is for other aggregates.
                None => extreme.enter(state, row, argument),
                Some(_) if entered => extreme.enter(state, row, argument),
                Some(set) if left && extreme.is_kept(state, row, argument) => {
                    let first = sets.first(key, set)?;
                    extreme.replace(state, first)?;
                }
                Some(_) => {}
            }
        }
        Ok(())
    }
}

impl Aggregator<Row, Row> for AggregatePlan {
    type State = AggState;

    #[inline]
    fn failure(&self, state: &AggState) -> Option<String> {
        let holds = |watched: &Watched| watched.holds_short && watched.sum.is_short(state);
        if self.watched.iter().all(holds) {
            return None;
        }
        let outcomes = self.layout.outcomes.iter();
        told(
            outcomes
                .filter_map(|outcome| outcome.overflow(state))
                .collect(),
        )
    }

    #[inline]
    fn add(
        &self,
        key: &Row,
        value: &Row,
        state: &mut Option<AggState>,
        sets: &mut Multisets<'_, Row>,
    ) -> Result<()> {
        let group = state.get_or_insert_with(|| self.initial());
        self.gather(key, value.bytes(), 1, group, sets)?;
        drop_if_gone(key, state);
        Ok(())
    }

    #[inline]
    fn add_in_place(
        &self,
        key: &Row,
        value: &Row,
        state: &mut AggState,
        sets: &mut Multisets<'_, Row>,
    ) -> Result<bool> {
        // A row that comes after it was taken back may leave a group without rows.
        if !self.retractable {
            self.gather(key, value.bytes(), 1, state, sets)?;
        }
        Ok(!self.retractable)
    }

    fn subtract(
        &self,
        key: &Row,
        value: &Row,
        state: &mut Option<AggState>,
        sets: &mut Multisets<'_, Row>,
    ) -> Result<()> {
        assert!(
            self.retractable,
            "a row was taken back from aggregates of rows that stay"
        );
        let group = state.get_or_insert_with(|| self.initial());
        self.gather(key, value.bytes(), -1, group, sets)?;
        drop_if_gone(key, state);
        Ok(())
    }
}

/// A group without rows is gone, unless something of it is still to come. That of all rows, whose key
/// has no columns, stays.
#[inline]
fn drop_if_gone(key: &Row, group: &mut Option<AggState>) {
    if let Some(state) = group
        && state.rows() == 0
        && !key.bytes().is_empty()
        && state.is_nothing()
    {
        *group = None;
    }
}

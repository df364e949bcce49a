//! What evaluation needs besides code and rows.

use std::time::{SystemTime, UNIX_EPOCH};

use ferrisstreams_topology::time::Timestamp;

use super::held::Held;
use crate::functions::{Argument, Call, Failure, Function, Outcome, PreparedBody, Random};

/// Memory that is used again from row to row, the clock, and what failed.
#[derive(Debug, Default)]
pub struct Eval {
    /// Text and bytes that were computed for the row at hand.
    pub(super) scratch: Vec<u8>,
    /// What is being computed.
    work: Vec<u8>,
    /// Microseconds since 1970-01-01 00:00:00 UTC; where nobody set them, the system's clock.
    now: Option<i64>,
    failure: Option<String>,
    random: Random,
}

impl Eval {
    /// Sets the time that NOW() and its like give, in milliseconds since 1970-01-01 00:00:00 UTC.
    pub fn set_now(&mut self, now: Timestamp) {
        self.now = Some(now.saturating_mul(1000));
    }

    /// The first failure since this was last asked.
    #[inline]
    pub fn take_failure(&mut self) -> Option<String> {
        self.failure.take()
    }

    /// Notes a failure; the first one is kept.
    #[cold]
    pub(super) fn fail(&mut self, message: impl FnOnce() -> String) {
        if self.failure.is_none() {
            self.failure = Some(message());
        }
    }

    /// Notes a failure, and gives no value.
    #[cold]
    pub(super) fn failed<T>(&mut self, message: impl FnOnce() -> String) -> Option<T> {
        self.fail(message);
        None
    }

    /// Forgets the texts of the row before.
    #[inline]
    pub(super) fn begin(&mut self) {
        self.scratch.clear();
    }

    fn now(&self) -> i64 {
        self.now.unwrap_or_else(|| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH);
            since.map_or(0, |since| {
                i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
            })
        })
    }

    /// Appends what `write` makes of the texts so far to them, and tells where it stands.
    #[inline]
    pub(super) fn write<E>(
        &mut self,
        write: impl FnOnce(&[u8], &mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(usize, usize), E> {
        self.work.clear();
        write(&self.scratch, &mut self.work)?;
        Ok(self.keep())
    }

    /// Appends what was computed to the texts of the row.
    #[inline]
    fn keep(&mut self) -> (usize, usize) {
        let start = self.scratch.len();
        self.scratch.extend_from_slice(&self.work);
        (start, self.scratch.len())
    }

    /// Calls a function with arguments that `resolve` makes of the texts of the row.
    #[inline]
    pub(super) fn call<const N: usize>(
        &mut self,
        function: &Function,
        body: &CallBody,
        held: [Held<'_>; N],
    ) -> Outcome {
        let now = if function.volatile { self.now() } else { 0 };
        self.work.clear();
        let scratch = &self.scratch;
        let arguments = held.map(|held| held.argument(scratch));
        let mut call = Call {
            function,
            now,
            out: &mut self.work,
            random: &mut self.random,
        };
        body.run(&mut call, &arguments)
    }

    /// As [`Eval::call`], of any number of arguments.
    pub(super) fn call_many(
        &mut self,
        function: &Function,
        body: &CallBody,
        held: &[Held<'_>],
    ) -> Outcome {
        let now = if function.volatile { self.now() } else { 0 };
        self.work.clear();
        let scratch = &self.scratch;
        let arguments: Vec<Argument<'_>> = held.iter().map(|held| held.argument(scratch)).collect();
        let mut call = Call {
            function,
            now,
            out: &mut self.work,
            random: &mut self.random,
        };
        body.run(&mut call, &arguments)
    }

    /// Where the output of the last call stands.
    #[inline]
    pub(super) fn keep_output(&mut self) -> (usize, usize) {
        self.keep()
    }
}

/// What computes a function.
pub(super) enum CallBody {
    Plain(crate::functions::Body),
    Prepared(PreparedBody),
    /// It cannot be prepared, and fails for every row.
    Broken(Failure),
}

impl CallBody {
    #[inline]
    fn run(&self, call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
        match self {
            CallBody::Plain(body) => body(call, arguments),
            CallBody::Prepared(body) => body(call, arguments),
            CallBody::Broken(failure) => Err(failure.clone()),
        }
    }
}

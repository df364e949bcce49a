//! A step that goes by time, for tests.

use crate::error::Result;
use crate::processor::{Context, NextPunctuation, Processor};
use crate::record::Record;
use crate::run::Run;
use crate::time::Timestamp;

/// Passes words on, each with what is said of it: nothing, or that it is late. When time has come it says
/// what time it is.
pub(crate) struct Ticker {
    every: Timestamp,
    next: Timestamp,
}

impl Ticker {
    pub(crate) fn new(every: Timestamp) -> Self {
        Ticker { every, next: every }
    }

    fn wait(&mut self, now: Timestamp) {
        self.next = (now.max(0) / self.every + 1) * self.every;
    }
}

impl Processor for Ticker {
    fn start(&mut self, cx: &mut Context<'_>) -> Result<()> {
        self.wait(cx.stream_time);
        Ok(())
    }

    fn process(&mut self, _port: u8, run: Run, cx: &mut Context<'_>) -> Result<()> {
        let mut records: Vec<Record<String, String>> = run.take();
        for record in &mut records {
            if record.timestamp < cx.stream_time {
                record.value.push_str(" late");
            }
        }
        cx.forward(records);
        Ok(())
    }

    fn punctuate(&mut self, cx: &mut Context<'_>) -> Result<()> {
        let now = cx.stream_time;
        self.wait(now);
        let (key, value) = (
            "time".to_owned(),
            format!("time {now} of {}", cx.node().lane),
        );
        cx.forward(vec![Record::new(key, value, now)]);
        Ok(())
    }

    fn next_punctuation(&self) -> NextPunctuation {
        NextPunctuation {
            stream_time: Some(self.next),
            wall_clock: None,
        }
    }
}

//! Passes everything on: where streams are merged, and where a branch begins.

use crate::error::Result;
use crate::processor::{Context, Processor};
use crate::run::Run;

pub(crate) struct Pass;

impl Processor for Pass {
    fn process(&mut self, _port: u8, run: Run, cx: &mut Context<'_>) -> Result<()> {
        cx.pass(run);
        Ok(())
    }
}

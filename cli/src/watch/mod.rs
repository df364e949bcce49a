//! What is seen of a topology while it runs: progress, rates, tables as they change.

mod printer;
mod number;
mod gauge;
mod screen;
mod tables;
mod instance;

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use ferrisstreams::runtime::Embedded;
use ferrisstreams::sql::Program;

use self::gauge::{Gauge, Gauges};
use self::screen::Screen;
use crate::args::{Arguments, Command, Output};
use crate::failure::Failure;
use crate::script;

pub(crate) use self::instance::InstanceWatch;
pub(crate) use self::printer::Printer;

/// The least time between two pictures on a terminal.
const PICTURE: Duration = Duration::from_millis(200);
/// The least time between two lines where there is no terminal.
const LINE: Duration = Duration::from_secs(1);

/// True where a command draws on the terminal, so that nothing else may write there.
pub(crate) fn draws(arguments: &Arguments) -> bool {
    match &arguments.command {
        Command::Run(run) => draws_live(run.once, run.output),
        Command::Sql(_) | Command::Explain(_) => false,
    }
}

fn draws_live(once: bool, output: Output) -> bool {
    !once
        && output == Output::Table
        && std::io::stdout().is_terminal()
        && std::io::stderr().is_terminal()
}

/// Shows how a topology is, from time to time.
pub(crate) struct Watch<'a> {
    engine: &'a Embedded,
    program: &'a Program,
    gauges: Gauges,
    screen: Screen,
    draws: bool,
    next: Instant,
}

impl<'a> Watch<'a> {
    /// Begins to watch a topology that reads what is there and ends.
    pub(crate) fn once(engine: &'a Embedded, program: &'a Program) -> Self {
        Watch::new(engine, program, false)
    }

    /// Begins to watch a topology that runs until it is stopped.
    pub(crate) fn live(engine: &'a Embedded, program: &'a Program, output: Output) -> Self {
        Watch::new(engine, program, draws_live(false, output))
    }

    fn new(engine: &'a Embedded, program: &'a Program, draws: bool) -> Self {
        Watch {
            engine,
            program,
            gauges: Gauges::new(engine, program),
            screen: Screen::new(),
            draws,
            next: Instant::now() + PICTURE,
        }
    }

    /// Shows how far reading has come, where standard error is a terminal.
    pub(crate) fn progress(&mut self) -> Result<(), Failure> {
        if !std::io::stderr().is_terminal() || Instant::now() < self.next {
            return Ok(());
        }
        self.next = Instant::now() + PICTURE;
        let lines: Vec<String> = self
            .gauges
            .read(self.engine)
            .iter()
            .map(Gauge::line)
            .collect();
        Ok(self.screen.draw(&lines)?)
    }

    /// Shows tables and rates: a picture on a terminal, lines elsewhere.
    pub(crate) fn show(&mut self) -> Result<(), Failure> {
        if Instant::now() < self.next {
            return Ok(());
        }
        if self.draws {
            self.next = Instant::now() + PICTURE;
            return self.picture();
        }
        self.next = Instant::now() + LINE;
        for gauge in self.gauges.read(self.engine) {
            if gauge.is_news {
                script::eprint(&format!("{}\n", gauge.line()));
            }
        }
        Ok(())
    }

    fn picture(&mut self) -> Result<(), Failure> {
        let gauges = self.gauges.read(self.engine);
        let mut lines: Vec<String> = gauges.iter().map(Gauge::line).collect();
        let (width, height) = self.screen.size();
        let room = (width, height.saturating_sub(lines.len() + 2));
        lines.extend(tables::picture(
            self.program,
            || self.engine.snapshot(),
            room,
        )?);
        Ok(self.screen.draw(&lines)?)
    }

    /// Takes the picture away.
    pub(crate) fn clear(&mut self) -> Result<(), Failure> {
        Ok(self.screen.clear()?)
    }

    /// Says what was lost or could not be read.
    pub(crate) fn tell_losses(&mut self) {
        for line in gauge::losses(self.engine) {
            script::eprint(&format!("{line}\n"));
        }
    }

    /// Leaves the last state behind: how each table stands, and its rows.
    pub(crate) fn last(&mut self, output: Output) -> Result<(), Failure> {
        self.clear()?;
        for gauge in self.gauges.read(self.engine) {
            script::eprint(&format!("{}\n", gauge.line()));
        }
        self.tell_losses();
        tables::print(self.program, &self.engine.snapshot(), output)
    }
}

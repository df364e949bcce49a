//! Lines that are drawn over and over in the same place of a terminal.

use console::{Term, truncate_str};

/// A place at the end of the terminal that is drawn again and again.
pub(super) struct Screen {
    terminal: Term,
    drawn: usize,
}

impl Screen {
    /// A place on standard error, where nothing is drawn yet.
    pub(super) fn new() -> Self {
        Screen {
            terminal: Term::buffered_stderr(),
            drawn: 0,
        }
    }

    /// The width and height of the terminal.
    pub(super) fn size(&self) -> (usize, usize) {
        let (height, width) = self.terminal.size();
        (usize::from(width), usize::from(height))
    }

    /// Puts these lines where the last ones are; what does not fit the terminal is cut.
    pub(super) fn draw(&mut self, lines: &[String]) -> std::io::Result<()> {
        let (width, height) = self.size();
        let lines = &lines[..lines.len().min(height.saturating_sub(1))];
        self.terminal.clear_last_lines(self.drawn)?;
        for line in lines {
            self.terminal.write_line(&truncate_str(line, width, ""))?;
        }
        self.drawn = lines.len();
        self.terminal.flush()
    }

    /// Takes the lines away.
    pub(super) fn clear(&mut self) -> std::io::Result<()> {
        self.terminal.clear_last_lines(self.drawn)?;
        self.drawn = 0;
        self.terminal.flush()
    }
}

//! The smallest whole program: words of standard input, counted for ever in a state directory.
//!
//! ```text
//! echo "to be or not to be" | cargo run -p ferrisstreams-examples --bin word_count -- state/
//! ```

use std::error::Error;
use std::io::BufRead;

use ferrisstreams::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    let dir = std::env::args()
        .nth(1)
        .ok_or("usage: word_count STATE_DIRECTORY")?;
    let builder = StreamsBuilder::new();
    let lines: KStream<(), String> = builder.stream("lines", Consumed::plain());
    lines
        .flat_map_values(|_, line| {
            line.split_whitespace()
                .map(str::to_lowercase)
                .collect::<Vec<_>>()
        })
        .group_by(|_, word| word.clone(), Grouped::named("by-word"))
        .count(Materialized::named("counts"));
    let topology = builder.build()?;

    let mut app = Streams::embedded(&topology, dir)?;
    app.start()?;
    let input = app.input::<(), String>("lines")?;
    for line in std::io::stdin().lock().lines() {
        input.send(Record::new((), line?, 0))?;
    }
    input.end();
    app.wait(None)?;
    let counts = app.table::<String, i64>("counts")?;
    let mut rows = counts.snapshot()?;
    rows.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let lines: Vec<String> = rows
        .iter()
        .map(|(word, count)| format!("{count:6} {word}"))
        .collect();
    app.close(seconds(10))?;
    std::io::Write::write_all(&mut std::io::stdout(), (lines.join("\n") + "\n").as_bytes())?;
    Ok(())
}

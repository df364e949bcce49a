use super::script::check;
use super::{Text, out, table};
use ferrisstreams_topology::dsl::{Grouped, KTable, Materialized, StreamsBuilder};

/// A log of what was added and taken back.
fn log(table: &KTable<Text, Text>, named: &str) -> KTable<Option<Text>, Text> {
    let grouped = table.group_by(
        |key, value| {
            (
                (value != "none").then(|| value[..1].to_owned()),
                format!("{key}.{value}"),
            )
        },
        Grouped::named(named),
    );
    grouped.aggregate(
        Text::new,
        |_, row, log: Text| format!("{log}+{row}"),
        |_, row, log: Text| format!("{log}-{row}"),
        Materialized::named("log"),
    )
}

fn old_row_first(builder: &StreamsBuilder) {
    out(&log(&table(builder, "in"), "by-first").to_stream());
}

#[test]
fn script() {
    check("table_group_by", &[("old row first", old_row_first)]);
}

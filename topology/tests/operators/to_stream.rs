use super::script::check;
use super::{out, stream, table};
use ferrisstreams_topology::dsl::{Materialized, StreamsBuilder};

fn changes(builder: &StreamsBuilder) {
    out(&table(builder, "in").to_stream());
}

/// The changes of a table, as any stream.
fn and_on(builder: &StreamsBuilder) {
    let counts = stream(builder, "in")
        .group_by_key()
        .count(Materialized::named("counts"));
    let told = counts
        .to_stream()
        .filter(|_, n| n.is_some_and(|n| n % 2 == 0));
    out(&told.map_values(|_, n| n.map(|n| format!("even {n}"))));
}

#[test]
fn script() {
    check("to_stream", &[("changes", changes), ("and on", and_on)]);
}

use super::script::check;
use super::{out, table};
use ferrisstreams_topology::dsl::{Joined, StreamsBuilder};

fn joins_key(builder: &StreamsBuilder) {
    let mapped = table(builder, "in").map_values(|key, value| format!("{key}/{value}"));
    mapped.queryable_as("mapped");
    out(&mapped.to_stream());
}

/// A mapped table is looked up through its function.
fn looked_up(builder: &StreamsBuilder) {
    let mapped = table(builder, "in").map_values(|_, value| value.to_uppercase());
    let other = table(builder, "other");
    out(&other
        .join(&mapped, |l, r| format!("{l}{r}"), Joined::named("join"))
        .to_stream());
}

#[test]
fn script() {
    check(
        "table_map_values",
        &[("joins key", joins_key), ("looked up", looked_up)],
    );
}

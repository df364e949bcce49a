use super::script::check;
use super::{out, table};
use ferrisstreams_topology::dsl::{Grouped, Materialized, StreamsBuilder};

fn groups(builder: &StreamsBuilder) {
    let counts = table(builder, "in")
        .group_by(|_, value| (value.clone(), ()), Grouped::named("by-value"))
        .count(Materialized::named("counts"));
    out(&counts.map_values(|_, n| n.to_string()).to_stream());
}

/// A count of counts: what a group sends is taken back from another.
fn counts_of_counts(builder: &StreamsBuilder) {
    let counts = table(builder, "in")
        .group_by(|_, value| (value.clone(), ()), Grouped::named("by-value"))
        .count(Materialized::named("counts"));
    let spread = counts
        .group_by(|_, n| (n.to_string(), ()), Grouped::named("by-count"))
        .count(Materialized::named("spread"));
    out(&spread.map_values(|_, n| n.to_string()).to_stream());
}

#[test]
fn script() {
    check(
        "table_count",
        &[("groups", groups), ("counts of counts", counts_of_counts)],
    );
}

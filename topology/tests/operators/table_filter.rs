use super::script::check;
use super::{out, table};
use ferrisstreams_topology::dsl::{Grouped, Materialized, StreamsBuilder};

fn keeps(builder: &StreamsBuilder) {
    let kept = table(builder, "in").filter(|key, value| key != "no" && value.starts_with('a'));
    kept.queryable_as("kept");
    out(&kept.to_stream());
}

fn maps_what_it_keeps(builder: &StreamsBuilder) {
    let numbers = table(builder, "in").filter_map_values(|_, value| value.parse::<i64>().ok());
    numbers.queryable_as("numbers");
    out(&numbers.map_values(|_, n| format!("{}", n * 2)).to_stream());
}

/// What a filter takes back is taken back from a group.
fn before_a_group(builder: &StreamsBuilder) {
    let counts = table(builder, "in")
        .filter(|_, value| value.starts_with('a'))
        .group_by(|_, value| (value.clone(), ()), Grouped::named("by-value"))
        .count(Materialized::named("counts"));
    out(&counts.map_values(|_, n| n.to_string()).to_stream());
}

#[test]
fn script() {
    check(
        "table_filter",
        &[
            ("keeps", keeps),
            ("maps what it keeps", maps_what_it_keeps),
            ("before a group", before_a_group),
        ],
    );
}

use super::script::check;
use super::{out, stream};
use ferrisstreams_topology::dsl::{Grouped, Materialized, StreamsBuilder};

fn by_value(builder: &StreamsBuilder) {
    let grouped = stream(builder, "in").group_by(
        |_, value| (value != "none").then(|| value[..1].to_owned()),
        Grouped::named("by-value"),
    );
    let counts = grouped.count(Materialized::named("counts"));
    out(&counts.map_values(|_, n| n.to_string()).to_stream());
}

fn by_key(builder: &StreamsBuilder) {
    let counts = stream(builder, "in")
        .group_by_key()
        .count(Materialized::named("counts"));
    out(&counts.map_values(|_, n| n.to_string()).to_stream());
}

#[test]
fn script() {
    check("group_by", &[("by value", by_value), ("by key", by_key)]);
}

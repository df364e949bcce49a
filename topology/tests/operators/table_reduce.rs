use super::script::check;
use super::{Text, out, table};
use ferrisstreams_topology::dsl::{Grouped, Materialized, StreamsBuilder};

/// A set of letters; an empty one is no row.
fn sets(builder: &StreamsBuilder) {
    let sets = table(builder, "in")
        .group_by(
            |_, value| (value[..1].to_owned(), value[1..].to_owned()),
            Grouped::named("by-first"),
        )
        .reduce(
            |value, set| format!("{set}{value}"),
            |value, set: Text| Some(set.replacen(value, "", 1)).filter(|set| !set.is_empty()),
            Materialized::named("sets"),
        );
    out(&sets.to_stream());
}

#[test]
fn script() {
    check("table_reduce", &[("sets", sets)]);
}

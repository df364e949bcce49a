use super::script::check;
use super::{out, table};
use ferrisstreams_topology::dsl::{Grouped, Materialized, StreamsBuilder};

fn sums(builder: &StreamsBuilder) {
    let sums = table(builder, "in")
        .filter_map_values(|_, value| value.parse::<i64>().ok())
        .group_by(
            |key, n| (key[..1].to_owned(), *n),
            Grouped::named("by-first"),
        )
        .aggregate(
            || 100,
            |_, n, sum| sum + n,
            |_, n, sum| Some(sum - n).filter(|sum| *sum != 100),
            Materialized::named("sums"),
        );
    out(&sums.map_values(|_, n| n.to_string()).to_stream());
}

#[test]
fn script() {
    check("table_aggregate", &[("sums", sums)]);
}

use super::script::check;
use super::{Text, out};
use ferrisstreams_topology::dsl::{Consumed, Materialized, StreamsBuilder};

/// Nothing is the sum of what was cleared.
fn sums(builder: &StreamsBuilder) {
    let texts = builder.stream::<Text, Text>("in", Consumed::plain());
    let sums = texts.group_by_key().aggregate(
        || "0".to_owned(),
        |key, value, sum: Text| (value != "clear").then(|| format!("{sum}+{key}{value}")),
        Materialized::named("sums"),
    );
    out(&sums.to_stream());
}

#[test]
fn script() {
    check("aggregate", &[("sums", sums)]);
}

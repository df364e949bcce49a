use super::script::check;
use super::{Text, out};
use ferrisstreams_topology::dsl::{Consumed, KStream, Materialized, StreamsBuilder};

fn upserts(builder: &StreamsBuilder) {
    let all: KStream<Option<Text>, Option<Text>> = builder.stream("in", Consumed::plain());
    out(&all.to_table(Materialized::named("rows")).to_stream());
}

fn behind_a_new_key(builder: &StreamsBuilder) {
    let all: KStream<Text, Option<Text>> = builder.stream("in", Consumed::plain());
    let keyed = all.select_key(|key, _| (key != "none").then(|| key[..1].to_owned()));
    out(&keyed.to_table(Materialized::named("rows")).to_stream());
}

#[test]
fn script() {
    check(
        "to_table",
        &[("upserts", upserts), ("behind a new key", behind_a_new_key)],
    );
}

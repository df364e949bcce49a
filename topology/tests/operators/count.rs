use super::script::check;
use super::{Text, stream};
use ferrisstreams_topology::dsl::{Consumed, Materialized, Produced, StreamsBuilder};

fn texts(builder: &StreamsBuilder) {
    let texts = builder.stream::<Text, Text>("in", Consumed::plain());
    let counts = texts.group_by_key().count(Materialized::named("counts"));
    counts.to_stream().to("out", Produced::json());
}

fn optional_keys(builder: &StreamsBuilder) {
    let counts = stream(builder, "in")
        .group_by_key()
        .count(Materialized::named("counts"));
    counts.to_stream().to("out", Produced::json());
}

#[test]
fn script() {
    check(
        "count",
        &[("texts", texts), ("optional keys", optional_keys)],
    );
}

use super::script::check;
use super::{Text, out};
use ferrisstreams_topology::dsl::{Consumed, Materialized, StreamsBuilder};

fn concatenates(builder: &StreamsBuilder) {
    let texts = builder.stream::<Text, Text>("in", Consumed::plain());
    let all = texts.group_by_key().reduce(
        |value, all| format!("{all}{value}"),
        Materialized::named("all"),
    );
    out(&all.to_stream());
}

#[test]
fn script() {
    check("reduce", &[("concatenates", concatenates)]);
}

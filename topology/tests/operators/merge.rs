use super::script::check;
use super::{out, stream};
use ferrisstreams_topology::dsl::StreamsBuilder;

fn two_sources(builder: &StreamsBuilder) {
    out(&stream(builder, "one").merge(&stream(builder, "two")));
}

fn one_source_twice(builder: &StreamsBuilder) {
    let one = stream(builder, "in");
    out(&one
        .map_values(|_, v| format!("{v}1"))
        .merge(&one)
        .merge(&one.map_values(|_, v| format!("{v}2"))));
}

#[test]
fn script() {
    check(
        "merge",
        &[
            ("two sources", two_sources),
            ("one source twice", one_source_twice),
        ],
    );
}

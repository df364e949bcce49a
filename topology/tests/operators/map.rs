use super::script::check;
use super::{out, stream};
use ferrisstreams_topology::dsl::StreamsBuilder;

fn swaps(builder: &StreamsBuilder) {
    out(&stream(builder, "in").map(|key, value| (value.clone(), key.clone())));
}

#[test]
fn script() {
    check("map", &[("swaps", swaps)]);
}

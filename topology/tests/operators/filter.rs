use super::script::check;
use super::{out, stream};
use ferrisstreams_topology::dsl::StreamsBuilder;

fn keeps(builder: &StreamsBuilder) {
    out(&stream(builder, "in").filter(|key, value| key.is_some() && value != "drop"));
}

fn drops(builder: &StreamsBuilder) {
    out(&stream(builder, "in").filter_not(|key, value| key.is_none() || value == "drop"));
}

#[test]
fn script() {
    check("filter", &[("keeps", keeps), ("drops", drops)]);
}

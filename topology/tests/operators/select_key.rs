use super::script::check;
use super::{out, stream};
use ferrisstreams_topology::dsl::StreamsBuilder;

fn by_value(builder: &StreamsBuilder) {
    out(&stream(builder, "in")
        .select_key(|_, value| (value != "none").then(|| value[..1].to_owned())));
}

#[test]
fn script() {
    check("select_key", &[("by value", by_value)]);
}

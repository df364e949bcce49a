use super::script::check;
use super::{out, stream};
use ferrisstreams_topology::dsl::StreamsBuilder;

fn joins_key(builder: &StreamsBuilder) {
    out(&stream(builder, "in").map_values(|key, value| {
        let key = key.as_deref().unwrap_or("none");
        (value != "none").then(|| format!("{key}/{value}"))
    }));
}

fn several(builder: &StreamsBuilder) {
    out(&stream(builder, "in").flat_map_values(|_, value| {
        value
            .split('.')
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect::<Vec<_>>()
    }));
}

#[test]
fn script() {
    check(
        "map_values",
        &[("joins key", joins_key), ("several", several)],
    );
}

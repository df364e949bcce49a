use super::script::check;
use super::{out, stream};
use ferrisstreams_topology::dsl::StreamsBuilder;

fn ends_a_branch(builder: &StreamsBuilder) {
    let stream = stream(builder, "in");
    stream.for_each(|_, _| ());
    out(&stream);
}

#[test]
fn script() {
    check("for_each", &[("ends a branch", ends_a_branch)]);
}

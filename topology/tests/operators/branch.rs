use std::sync::Arc;

use super::script::check;
use super::{Text, stream};
use ferrisstreams_topology::dsl::{Predicate, Produced, StreamsBuilder};

fn contains(letter: char) -> Predicate<Option<Text>, Text> {
    Arc::new(move |_, value| value.contains(letter))
}

fn first_that_holds(builder: &StreamsBuilder) {
    let branches = stream(builder, "in").branch(vec![contains('a'), contains('b')]);
    for (branch, sink) in branches.iter().zip(["has-a", "has-b", "rest"]) {
        branch.to(sink, Produced::plain());
    }
}

fn no_predicate(builder: &StreamsBuilder) {
    let branches = stream(builder, "in").branch(Vec::new());
    assert_eq!(branches.len(), 1);
    branches[0].to("rest", Produced::plain());
}

#[test]
fn script() {
    check(
        "branch",
        &[
            ("first that holds", first_that_holds),
            ("no predicate", no_predicate),
        ],
    );
}

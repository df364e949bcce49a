use super::script::check;
use super::{Text, show, table};
use ferrisstreams_topology::dsl::{Grouped, Materialized, Produced, StreamsBuilder};

/// The first letter of a row; a row that begins with a dash has none.
fn first(row: &Text) -> Option<Text> {
    Some(row[..1].to_owned()).filter(|first| first != "-")
}

/// The second letter of a row.
fn second(row: &Text) -> Option<Text> {
    row.get(1..2).map(str::to_owned)
}

fn inner(builder: &StreamsBuilder) {
    let joined = table(builder, "l").join_on(
        &table(builder, "r"),
        first,
        second,
        |l, r| format!("{l}/{r}"),
        Materialized::named("joined"),
    );
    joined
        .to_stream()
        .select_key(|(l, r), _| format!("{l}{r}"))
        .to("out", Produced::plain());
}

fn left(builder: &StreamsBuilder) {
    let joined = table(builder, "l").left_join_on(
        &table(builder, "r"),
        first,
        second,
        |l, r| format!("{l}/{}", show(r)),
        Materialized::named("joined"),
    );
    let keyed = joined
        .to_stream()
        .select_key(|(l, r), _| format!("{l}{}", show(r.as_ref())));
    keyed.to("out", Produced::plain());
}

fn right(builder: &StreamsBuilder) {
    let joined = table(builder, "l").right_join_on(
        &table(builder, "r"),
        first,
        second,
        |l, r| format!("{}/{r}", show(l)),
        Materialized::named("joined"),
    );
    let keyed = joined
        .to_stream()
        .select_key(|(l, r), _| format!("{}{r}", show(l.as_ref())));
    keyed.to("out", Produced::plain());
}

fn full(builder: &StreamsBuilder) {
    let joined = table(builder, "l").outer_join_on(
        &table(builder, "r"),
        first,
        second,
        |l, r| format!("{}/{}", show(l), show(r)),
        Materialized::named("joined"),
    );
    let keyed = joined
        .to_stream()
        .select_key(|(l, r), _| format!("{}{}", show(l.as_ref()), show(r.as_ref())));
    keyed.to("out", Produced::plain());
}

fn with_itself(builder: &StreamsBuilder) {
    let both = table(builder, "l");
    let joined = both.join_on(
        &both,
        first,
        second,
        |l, r| format!("{l}/{r}"),
        Materialized::named("joined"),
    );
    let counts = joined
        .group_by(|_, value| (value.clone(), ()), Grouped::named("by-value"))
        .count(Materialized::named("counts"));
    counts
        .map_values(|_, n| n.to_string())
        .to_stream()
        .to("out", Produced::plain());
}

#[test]
fn script() {
    check(
        "join_on",
        &[
            ("inner", inner),
            ("left", left),
            ("right", right),
            ("full", full),
            ("with itself", with_itself),
        ],
    );
}

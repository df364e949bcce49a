use super::script::check;
use super::{Text, out, show, table};
use ferrisstreams_topology::dsl::{Grouped, Joined, KTable, Materialized, StreamsBuilder};

fn joined(
    builder: &StreamsBuilder,
    join: fn(&KTable<Text, Text>, &KTable<Text, Text>) -> KTable<Text, Text>,
) {
    let joined = join(&table(builder, "l"), &table(builder, "r"));
    joined.queryable_as("joined");
    out(&joined.to_stream());
}

fn inner(builder: &StreamsBuilder) {
    joined(builder, |l, r| {
        l.join(r, |l, r| format!("{l}{r}"), Joined::named("join"))
    });
}

fn left(builder: &StreamsBuilder) {
    joined(builder, |l, r| {
        l.left_join(r, |l, r| format!("{l}{}", show(r)), Joined::named("join"))
    });
}

fn right(builder: &StreamsBuilder) {
    joined(builder, |l, r| {
        l.right_join(r, |l, r| format!("{}{r}", show(l)), Joined::named("join"))
    });
}

fn outer(builder: &StreamsBuilder) {
    joined(builder, |l, r| {
        l.outer_join(
            r,
            |l, r| format!("{}{}", show(l), show(r)),
            Joined::named("join"),
        )
    });
}

fn with_itself(builder: &StreamsBuilder) {
    let both = table(builder, "l");
    out(&both
        .join(&both, |l, r| format!("{l}{r}"), Joined::named("join"))
        .to_stream());
}

fn three_tables(builder: &StreamsBuilder) {
    let [a, b, c] = ["a", "b", "c"].map(|name| table(builder, name));
    let two = a.outer_join(
        &b,
        |a, b| format!("{}{}", show(a), show(b)),
        Joined::named("two"),
    );
    let three = two.left_join(
        &c,
        |ab, c| format!("{ab}{}", show(c)),
        Joined::named("three"),
    );
    three.queryable_as("joined");
    out(&three.to_stream());
}

/// What a join takes back is taken back from a group.
fn before_a_group(builder: &StreamsBuilder) {
    let joined = table(builder, "l").left_join(
        &table(builder, "r"),
        |l, r| format!("{l}{}", show(r)),
        Joined::named("join"),
    );
    let counts = joined
        .group_by(|_, value| (value.clone(), ()), Grouped::named("by-value"))
        .count(Materialized::named("counts"));
    out(&counts.map_values(|_, n| n.to_string()).to_stream());
}

#[test]
fn script() {
    check(
        "table_table_join",
        &[
            ("inner", inner),
            ("left", left),
            ("right", right),
            ("outer", outer),
            ("with itself", with_itself),
            ("three tables", three_tables),
            ("before a group", before_a_group),
        ],
    );
}

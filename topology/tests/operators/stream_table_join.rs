use super::script::check;
use super::{Text, out, show, stream, table};
use ferrisstreams_topology::dsl::{Consumed, Joined, StreamsBuilder};

fn inner(builder: &StreamsBuilder) {
    let users = table(builder, "users");
    out(&stream(builder, "in").join(&users, |v, u| format!("{v}{u}"), Joined::named("join")));
}

fn left(builder: &StreamsBuilder) {
    let users = table(builder, "users");
    let joined = |v: &Text, u: Option<&Text>| format!("{v}{}", show(u));
    out(&stream(builder, "in").left_join(&users, joined, Joined::named("join")));
}

fn with_key(builder: &StreamsBuilder) {
    let users = table(builder, "users");
    let join = |key: &Option<Text>, v: &Text, u: Option<&Text>| {
        (v != "drop").then(|| format!("{}.{v}{}", show(key.as_ref()), show(u)))
    };
    out(&stream(builder, "in").join_with(&users, true, join, Joined::named("join")));
}

/// The same keys after a step that makes them anew.
fn behind_a_new_key(builder: &StreamsBuilder) {
    let users = table(builder, "users")
        .filter(|_, u| u != "hidden")
        .map_values(|_, u| u.to_lowercase());
    let orders = builder.stream::<Text, Text>("in", Consumed::plain());
    let joined = |v: &Text, u: Option<&Text>| format!("{v}{}", show(u));
    out(&orders.select_key(|k, _| k[..1].to_owned()).left_join(
        &users,
        joined,
        Joined::named("join"),
    ));
}

#[test]
fn script() {
    check(
        "stream_table_join",
        &[
            ("inner", inner),
            ("left", left),
            ("with key", with_key),
            ("behind a new key", behind_a_new_key),
        ],
    );
}

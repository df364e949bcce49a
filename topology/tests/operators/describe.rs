use super::script::check;
use super::{Text, out, show, stream, table};
use ferrisstreams_topology::dsl::{
    Consumed, Grouped, Joined, Materialized, Produced, StreamsBuilder,
};

/// A step of each kind: sources, exchanges, stores, views, sinks.
fn shop(builder: &StreamsBuilder) {
    let users = table(builder, "users");
    let named = users
        .filter(|_, name| !name.is_empty())
        .map_values(|_, name| name.to_uppercase());
    let orders = builder.stream::<Text, Text>("orders", Consumed::plain());
    let enriched = orders.select_key(|_, order| order.clone()).left_join(
        &named,
        |order, user| format!("{order}{}", show(user)),
        Joined::named("enrich"),
    );
    enriched.to("enriched \"all\"", Produced::plain());
    let spent = enriched
        .group_by(|_, order| order[..1].to_owned(), Grouped::named("by-first"))
        .count(Materialized::named("spent"));
    let spread = spent
        .group_by(|_, n| (*n, ()), Grouped::named("by-count"))
        .count(Materialized::named("spread"));
    spread
        .map_values(|_, n| n.to_string())
        .queryable_as("shown");
    users
        .join_on(
            &users,
            Text::clone,
            Text::clone,
            |l, r| format!("{l}{r}"),
            Materialized::named("pairs"),
        )
        .queryable_as("all pairs");
}

fn stateless(builder: &StreamsBuilder) {
    out(&stream(builder, "in")
        .filter(|_, _| true)
        .filter(|_, _| true));
}

#[test]
fn script() {
    check("describe", &[("shop", shop), ("stateless", stateless)]);
}

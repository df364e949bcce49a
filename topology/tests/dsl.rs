//! Every step of the typed DSL, by what it sends and what it keeps.

#![allow(
    clippy::unwrap_used,
    reason = "a test fails where something is not as it should be"
)]

use std::ops::Range;

use ferrisstreams_topology::codec::nullable;
use ferrisstreams_topology::codec::{Key, plain};
use ferrisstreams_topology::dsl::{
    Consumed, Grouped, Joined, KStream, KTable, Materialized, Produced, RunJoiner, StreamsBuilder,
};
use ferrisstreams_topology::record::Record;
use ferrisstreams_topology::test_driver::{TestInput, TopologyTestDriver};

type Text = String;

fn words(builder: &StreamsBuilder) -> KStream<Text, Text> {
    builder.stream("in", Consumed::plain())
}

fn table(builder: &StreamsBuilder, name: &str) -> KTable<Text, Text> {
    builder.table(name, Consumed::plain(), Materialized::named(name))
}

/// Runs records `key=value@time` (`key@time` deletes) of the inputs named in front, and gives what
/// the sink `out` got after each, in the same form.
fn run(builder: StreamsBuilder, script: &str) -> Vec<String> {
    let topology = builder.build().unwrap();
    let mut driver = TopologyTestDriver::new(&topology).unwrap();
    let mut got = Vec::new();
    for line in script.split_whitespace() {
        let (input, record) = line.split_once(':').unwrap();
        let input: TestInput<Text, Text> = driver.input(input);
        let (record, time) = record.rsplit_once('@').unwrap();
        let time = time.parse().unwrap();
        match record.split_once('=') {
            Some((key, value)) => driver.pipe(&input, key, value, time).unwrap(),
            None => driver.pipe_delete(&input, record, time).unwrap(),
        }
        got.push(sent(&mut driver));
    }
    got
}

fn sent(driver: &mut TopologyTestDriver) -> String {
    let form = Consumed::with(plain::<Text>(), nullable(plain::<Text>()));
    let sent = driver.read("out", &form).unwrap();
    let sent = sent.into_iter().map(|r| match r.value {
        Some(value) => format!("{}={value}@{}", r.key, r.timestamp),
        None => format!("{}@{}", r.key, r.timestamp),
    });
    sent.collect::<Vec<_>>().join(" ")
}

fn check(builder: StreamsBuilder, script: &str, want: &[&str]) {
    assert_eq!(run(builder, script), want);
}

fn out(stream: &KStream<Text, Text>) {
    stream.to("out", Produced::plain());
}

fn out_table(table: &KTable<Text, Text>) {
    table.to_stream().to("out", Produced::plain());
}

#[test]
fn stateless_steps_keep_time_and_order() {
    let builder = StreamsBuilder::new();
    let stream = words(&builder)
        .filter(|_, v| v != "drop")
        .filter_not(|k, _| k == "no")
        .map(|k, v| (format!("{k}{k}"), v.to_uppercase()))
        .map_values(|k, v| format!("{v}/{k}"))
        .flat_map_values(|_, v| [v.clone(), format!("{v}!")])
        .select_key(|_, v| v[..1].to_owned())
        .peek(|_, _| ());
    out(&stream);
    check(
        builder,
        "in:a=x@5 in:a=drop@6 in:no=y@7 in:b=z@1",
        &["X=X/aa@5 X=X/aa!@5", "", "", "Z=Z/bb@1 Z=Z/bb!@1"],
    );
}

#[test]
fn branches_are_tried_in_order_and_merge_keeps_each() {
    let builder = StreamsBuilder::new();
    let branches = words(&builder).branch(vec![
        std::sync::Arc::new(|_: &Text, v: &Text| v.contains('a')),
        std::sync::Arc::new(|_: &Text, v: &Text| v.contains('b')),
    ]);
    let named =
        |at: usize, name: &'static str| branches[at].map_values(move |_, v| format!("{name}.{v}"));
    out(&named(0, "first")
        .merge(&named(1, "second"))
        .merge(&named(2, "rest")));
    check(
        builder,
        "in:k=ab@1 in:k=b@2 in:k=c@3",
        &["k=first.ab@1", "k=second.b@2", "k=rest.c@3"],
    );
}

#[test]
fn an_aggregate_has_the_latest_time_that_it_was_made_of() {
    let builder = StreamsBuilder::new();
    let joined = words(&builder)
        .group_by(|_, v| v[..1].to_owned(), Grouped::named("by-first"))
        .reduce(|v, all| format!("{all},{v}"), Materialized::named("lists"));
    out_table(&joined);
    check(
        builder,
        "in:k=a1@10 in:k=a2@5 in:j=b1@1 in:k=a3@11",
        &["a=a1@10", "a=a1,a2@10", "b=b1@1", "a=a1,a2,a3@11"],
    );
}

#[test]
fn an_aggregate_of_none_removes_the_row() {
    let builder = StreamsBuilder::new();
    let sums = words(&builder).group_by_key().aggregate(
        Text::new,
        |_, v, sum: Text| (v != "clear").then(|| sum + v),
        Materialized::named("sums"),
    );
    out_table(&sums);
    check(
        builder,
        "in:k=a@1 in:k=b@2 in:k=clear@3 in:k=clear@4 in:k=c@5",
        &["k=a@1", "k=ab@2", "k@3", "", "k=c@5"],
    );
}

#[test]
fn a_filtered_table_takes_back_only_what_it_sent() {
    let builder = StreamsBuilder::new();
    out_table(
        &table(&builder, "t")
            .filter(|_, v| v.starts_with('a'))
            .map_values(|_, v| v.to_uppercase()),
    );
    check(
        builder,
        "t:k=x@1 t:k=a@2 t:k=ab@3 t:k=x@4 t:k=y@5 t:k=a@6 t:k@7 t:k@8",
        &["", "k=A@2", "k=AB@3", "k@4", "", "k=A@6", "k@7", ""],
    );
}

#[test]
fn a_row_moves_between_groups_old_first() {
    let builder = StreamsBuilder::new();
    let grouped =
        table(&builder, "t").group_by(|k, v| (v.clone(), k.clone()), Grouped::named("by-value"));
    let lists = grouped.aggregate(
        Text::new,
        |_, k, all: Text| format!("{all}+{k}"),
        |_, k, all: Text| format!("{all}-{k}"),
        Materialized::named("lists"),
    );
    out_table(&lists);
    check(
        builder,
        "t:k=a@1 t:k=a@2 t:k=b@3 t:k@9",
        &["a=+k@1", "a=+k-k+k@2", "a=+k-k+k-k@3 b=+k@3", "b=+k-k@9"],
    );
}

#[test]
fn a_group_without_rows_vanishes_from_a_count() {
    let builder = StreamsBuilder::new();
    let counts = table(&builder, "t")
        .group_by(|_, v| (v.clone(), ()), Grouped::named("by-value"))
        .count(Materialized::named("counts"))
        .map_values(|_, n| n.to_string());
    out_table(&counts);
    check(
        builder,
        "t:j=a@1 t:k=a@2 t:j=b@3 t:k=b@4",
        &["a=1@1", "a=2@2", "a=1@3 b=1@3", "a@4 b=2@4"],
    );
}

fn side(v: Option<&Text>) -> &str {
    v.map_or("-", Text::as_str)
}

#[test]
fn a_stream_meets_a_table_as_it_stands() {
    let builder = StreamsBuilder::new();
    let users = table(&builder, "t");
    let stream = words(&builder);
    let inner = stream.join(&users, |v, u| format!("{v}{u}"), Joined::named("inner"));
    let left = stream.left_join(
        &users,
        |v, u| format!("{v}?{}", side(u)),
        Joined::named("left"),
    );
    out(&inner.merge(&left));
    check(
        builder,
        "in:k=a@5 t:k=U@6 in:k=b@3 t:k=W@7 t:k@8 in:k=c@9",
        &["k=a?-@5", "", "k=bU@3 k=b?U@3", "", "", "k=c?-@9"],
    );
}

#[test]
fn optional_keys_are_looked_up_where_there_is_one() {
    let builder = StreamsBuilder::new();
    let users = table(&builder, "t");
    let stream = words(&builder).select_key(|k, _| (k != "null").then(|| k.clone()));
    let inner = stream.join(&users, |v, u| format!("{v}{u}"), Joined::named("inner"));
    let left = stream.left_join(
        &users,
        |v, u| format!("{v}?{}", side(u)),
        Joined::named("left"),
    );
    let both = inner.merge(&left);
    both.select_key(|k, _| k.clone().unwrap_or_default())
        .to("out", Produced::plain());
    check(
        builder,
        "t:k=U@1 in:null=a@2 in:k=b@3",
        &["", "=a?-@2", "k=bU@3 k=b?U@3"],
    );
}

type Join = fn(&KTable<Text, Text>, &KTable<Text, Text>) -> KTable<Text, Text>;

#[test]
fn tables_join_by_key() {
    let script = "l:k=a@1 r:k=x@2 l:k=b@3 r:k=y@0 l:k@5 r:k@6 r:k=z@7 l:k=c@8 r:k@9";
    let cases: [(Join, [&str; 9]); 4] = [
        (
            |l, r| l.join(r, |l, r| format!("{l}{r}"), Joined::named("j")),
            [
                "", "k=ax@2", "k=bx@3", "k=by@3", "k@5", "", "", "k=cz@8", "k@9",
            ],
        ),
        (
            |l, r| l.left_join(r, |l, r| format!("{l}{}", side(r)), Joined::named("j")),
            [
                "k=a-@1", "k=ax@2", "k=bx@3", "k=by@3", "k@5", "", "", "k=cz@8", "k=c-@9",
            ],
        ),
        (
            |l, r| l.right_join(r, |l, r| format!("{}{r}", side(l)), Joined::named("j")),
            [
                "", "k=ax@2", "k=bx@3", "k=by@3", "k=-y@5", "k@6", "k=-z@7", "k=cz@8", "k@9",
            ],
        ),
        (
            |l, r| {
                l.outer_join(
                    r,
                    |l, r| format!("{}{}", side(l), side(r)),
                    Joined::named("j"),
                )
            },
            [
                "k=a-@1", "k=ax@2", "k=bx@3", "k=by@3", "k=-y@5", "k@6", "k=-z@7", "k=cz@8",
                "k=c-@9",
            ],
        ),
    ];
    for (join, want) in cases {
        let builder = StreamsBuilder::new();
        let (l, r) = (table(&builder, "l"), table(&builder, "r"));
        out_table(&join(&l, &r));
        check(builder, script, &want);
    }
}

#[test]
fn tables_join_on_any_expression_many_to_many() {
    let script = "l:1=a@1 r:x=a@2 r:y=a@3 l:2=a@4 l:1=b@5 r:x=b@6 l:2@7 r:y@8 l:1@9 r:x@10";
    let name = |l: Option<&Text>, r: Option<&Text>| format!("{}{}", side(l), side(r));
    let builder = StreamsBuilder::new();
    let (l, r) = (table(&builder, "l"), table(&builder, "r"));
    let on = |v: &Text| v.clone();
    let inner = l.join_on(
        &r,
        on,
        on,
        move |l, r| name(Some(l), Some(r)),
        Materialized::named("j"),
    );
    inner
        .to_stream()
        .select_key(|(l, r), _| format!("{l}{r}"))
        .to("out", Produced::plain());
    check(
        builder,
        script,
        &[
            "",
            "1x=aa@2",
            "1y=aa@3",
            "2x=aa@4 2y=aa@4",
            "1x@5 1y@5",
            "2x@6 1x=bb@6",
            "2y@7",
            "",
            "1x@9",
            "",
        ],
    );
}

#[test]
fn an_outer_join_on_an_expression_keeps_what_has_no_partner() {
    let script = "l:1=a@1 r:x=a@2 r:y=a@3 l:1=b@5 r:x@6 l:1@7 r:y@8";
    let builder = StreamsBuilder::new();
    let (l, r) = (table(&builder, "l"), table(&builder, "r"));
    let on = |v: &Text| Some(v.clone());
    let joined = l.outer_join_on(
        &r,
        on,
        on,
        |l, r| format!("{}{}", side(l), side(r)),
        Materialized::named("j"),
    );
    joined
        .to_stream()
        .select_key(|(l, r), _| format!("{}{}", side(l.as_ref()), side(r.as_ref())))
        .to("out", Produced::plain());
    check(
        builder,
        script,
        &[
            "1-=a-@1",
            "1x=aa@2 1-@2",
            "1y=aa@3",
            "1x@5 -x=-a@5 1y@5 -y=-a@5 1-=b-@5",
            "-x@6",
            "1-@7",
            "-y@8",
        ],
    );
}

#[test]
fn a_table_joined_with_itself_shows_each_side_in_turn() {
    let builder = StreamsBuilder::new();
    let t = table(&builder, "t");
    out_table(&t.join(&t, |l, r| format!("{l}{r}"), Joined::named("self")));
    check(
        builder,
        "t:k=a@1 t:k=b@2 t:k@3",
        &["k=aa@1 k=aa@1", "k=bb@2 k=bb@2", "k@3"],
    );
}

#[test]
fn an_index_finds_rows_by_another_key() {
    let builder = StreamsBuilder::new();
    let index = table(&builder, "t").index(
        |_, v| Some(v[..1].to_owned()),
        Text::codec(),
        Materialized::named("by-first"),
    );
    let joined = words(&builder).join_index(
        &index,
        true,
        |_, v, row: Option<&Text>| Some(format!("{v}{}", side(row))),
        Joined::named("find"),
    );
    out(&joined);
    check(
        builder,
        "in:a=1@1 t:x=ab@2 t:y=ac@3 in:a=2@4 t:x=b@5 in:a=3@6 in:b=4@7 t:y@8 in:a=5@9",
        &[
            "a=1-@1",
            "",
            "",
            "a=2ab@4 a=2ac@4",
            "",
            "a=3ac@6",
            "b=4b@7",
            "",
            "a=5-@9",
        ],
    );
}

/// Joins into one text a run, of which each result is a stretch.
#[derive(Default)]
struct InOneText(String);

impl RunJoiner<Text, Text, Text, Text, Text> for InOneText {
    type Made = Range<usize>;

    fn join(&mut self, key: &Text, value: &Text, row: Option<&Text>) -> Option<Range<usize>> {
        let start = self.0.len();
        self.0 += &format!("{key}{value}{}", side(row));
        (value != "none").then_some(start..self.0.len())
    }

    fn finish(&mut self, made: Vec<Record<Text, Range<usize>>>) -> Vec<Record<Text, Text>> {
        let all = std::mem::take(&mut self.0);
        let text = |record: Record<Text, Range<usize>>| {
            let text = all[record.value.clone()].to_owned();
            record.with("joined".to_owned(), text)
        };
        made.into_iter().map(text).collect()
    }
}

#[test]
fn a_joiner_of_runs_gives_results_keys_of_their_own() {
    for (left, missing) in [(true, "joined=b5-@5"), (false, "")] {
        let builder = StreamsBuilder::new();
        let t = table(&builder, "t");
        let joined = Joined::named("join");
        out(&words(&builder).join_run(&t, left, InOneText::default, joined));
        check(
            builder,
            "t:a=x@1 in:a=1@2 in:a=none@3 in:a=2@4 in:b=5@5",
            &["", "joined=a1x@2", "", "joined=a2x@4", missing],
        );
    }
}

#[test]
fn a_joiner_of_runs_meets_all_rows_of_an_index() {
    for (left, missing) in [(true, "joined=b5-@5"), (false, "")] {
        let builder = StreamsBuilder::new();
        let by_first = Materialized::named("by-first");
        let first = |_: &Text, v: &Text| Some(v[..1].to_owned());
        let index = table(&builder, "t").index(first, Text::codec(), by_first);
        let joined = Joined::named("join");
        out(&words(&builder).join_index_run(&index, left, InOneText::default, joined));
        check(
            builder,
            "t:x=ab@1 t:y=ac@2 in:a=1@3 in:a=none@4 in:b=5@5",
            &["", "", "joined=a1ab@3 joined=a1ac@3", "", missing],
        );
    }
}

#[test]
fn a_table_made_of_a_stream_deletes_on_none() {
    let builder = StreamsBuilder::new();
    let made = words(&builder)
        .map_values(|_, v| (v != "gone").then(|| v.clone()))
        .to_table(Materialized::named("made"));
    out_table(&made);
    check(
        builder,
        "in:k=a@9 in:k=b@5 in:k=gone@6 in:k=gone@7",
        &["k=a@9", "k=b@5", "k@6", ""],
    );
}

#[test]
fn rows_become_several_rows_and_are_settled() {
    let builder = StreamsBuilder::new();
    let letters = table(&builder, "t").flat_map(
        |k, v: Text, out| {
            let letters = v.chars().enumerate();
            out.extend(letters.map(|(i, c)| (format!("{k}{i}"), c.to_string())));
        },
        Text::codec(),
    );
    out_table(&letters.repartition(Materialized::named("letters")));
    check(
        builder,
        "t:k=ab@1 t:k=xbc@2 t:k=x@3 t:k@4",
        &[
            "k0=a@1 k1=b@1",
            "k0=x@2 k1=b@2 k2=c@2",
            "k0=x@3 k1@3 k2@3",
            "k0@4",
        ],
    );
}

#[test]
fn tables_of_different_keys_unite() {
    let builder = StreamsBuilder::new();
    let (l, r) = (table(&builder, "l"), table(&builder, "r"));
    let all = l.union(&r).materialize(Materialized::named("all"));
    let counts = all
        .group_by(|_, v| (v.clone(), ()), Grouped::named("g"))
        .count(Materialized::named("n"));
    out_table(&counts.map_values(|_, n| n.to_string()));
    check(
        builder,
        "l:1=a@1 r:2=a@2 l:1=b@3",
        &["a=1@1", "a=2@2", "a=1@3 b=1@3"],
    );
}

#[test]
fn mistakes_are_told_all_at_once() {
    let builder = StreamsBuilder::new();
    let t = table(&builder, "t");
    let _ = table(&builder, "t");
    let loose = t.flat_map(|k, v: Text, out| out.push((v, k.clone())), Text::codec());
    words(&builder).join(&loose, |v, _| v.clone(), Joined::named("lost"));
    let e = builder.build().unwrap_err().to_string();
    assert!(e.contains("two stores have the name t"), "{e}");
    assert!(
        e.contains("join lost reads a table that is not kept"),
        "{e}"
    );
    let empty = StreamsBuilder::new().build().unwrap_err().to_string();
    assert_eq!(empty, "cannot build the topology: the topology is empty");
}

#[test]
fn a_description_is_the_same_each_time() {
    let build = || {
        let builder = StreamsBuilder::new();
        let users = table(&builder, "users");
        let stream = words(&builder).filter(|_, _| true);
        out(&stream.join(&users, |v, _| v.clone(), Joined::named("enrich")));
        builder.build().unwrap()
    };
    let text = build().describe();
    assert_eq!(text, build().describe());
    assert_eq!(build().to_mermaid(), build().to_mermaid());
    insta_like(
        &text,
        "\
Topology
  Sub-topology 0
    Source: users
      --> users.repartition
    Sink: users.repartition (exchange)
  Sub-topology 1
    Source: in
      --> in.filter
    Processor: in.filter (filter)
      --> enrich.repartition
    Sink: enrich.repartition (exchange)
  Sub-topology 2
    Source: users.repartition (exchange)
      --> users.repartition.to-table
    Source: enrich.repartition (exchange)
      --> enrich
    Processor: users.repartition.to-table (to-table) stores: users
      --> none
    Processor: enrich (join) reads: users
      --> enrich.to
    Sink: enrich.to at out
",
    );
}

fn insta_like(got: &str, want: &str) {
    assert_eq!(got, want, "\n{got}");
}

use super::script::check;
use super::{Text, out, stream, table};
use ferrisstreams_topology::ErrorPolicy;
use ferrisstreams_topology::dsl::{Consumed, KStream, Produced, StreamsBuilder};

fn numbers(builder: &StreamsBuilder, consumed: Consumed<Text, i64>) {
    let numbers: KStream<Text, i64> = builder.stream("in", consumed);
    numbers.to("out", Produced::json());
}

fn skips(builder: &StreamsBuilder) {
    numbers(builder, Consumed::json());
}

fn sends_dead_letters(builder: &StreamsBuilder) {
    numbers(
        builder,
        Consumed::json().on_error(ErrorPolicy::DeadLetter("dead".to_owned())),
    );
}

fn fails(builder: &StreamsBuilder) {
    numbers(builder, Consumed::json().on_error(ErrorPolicy::Fail));
}

fn takes_time_from_values(builder: &StreamsBuilder) {
    numbers(
        builder,
        Consumed::json().timestamp(|_, n, came| if *n == 0 { came } else { *n }),
    );
}

fn absent_values(builder: &StreamsBuilder) {
    let all: KStream<Option<Text>, Option<Text>> = builder.stream("in", Consumed::plain());
    out(&all);
}

fn two_readers(builder: &StreamsBuilder) {
    let one = stream(builder, "in");
    out(&one.map_values(|_, v| format!("1{v}")));
    out(&one.map_values(|_, v| format!("2{v}")));
}

fn a_table(builder: &StreamsBuilder) {
    out(&table(builder, "in").to_stream());
}

#[test]
fn script() {
    check(
        "source",
        &[
            ("skips", skips),
            ("sends dead letters", sends_dead_letters),
            ("fails", fails),
            ("takes time from values", takes_time_from_values),
            ("absent values", absent_values),
            ("two readers", two_readers),
            ("a table", a_table),
        ],
    );
}

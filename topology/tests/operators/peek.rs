use std::sync::Mutex;

use super::script::check;
use super::{out, stream};
use ferrisstreams_topology::dsl::StreamsBuilder;
use ferrisstreams_topology::test_driver::TopologyTestDriver;

fn passes_on(builder: &StreamsBuilder) {
    out(&stream(builder, "in")
        .peek(|_, _| ())
        .map_values(|_, value| format!("{value}!")));
}

#[test]
fn script() {
    check("peek", &[("passes on", passes_on)]);
}

#[test]
fn it_sees_each_record_once_and_before_what_follows() {
    static SEEN: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let builder = StreamsBuilder::new();
    let see = |step: &str, key: &str, value: &str| {
        SEEN.lock().unwrap().push(format!("{step} {key}={value}"))
    };
    let words =
        builder.stream::<String, String>("in", ferrisstreams_topology::dsl::Consumed::plain());
    words
        .peek(move |k, v| see("first", k, v))
        .filter(|_, v| v != "drop")
        .for_each(move |k, v| see("second", k, v));
    let topology = builder.build().unwrap();
    let mut driver = TopologyTestDriver::new(&topology).unwrap();
    let input = driver.input::<String, String>("in");
    driver.pipe(&input, "a", "x", 5).unwrap();
    driver.pipe(&input, "a", "drop", 3).unwrap();
    driver.restart().unwrap();
    driver.pipe(&input, "b", "y", 4).unwrap();
    let want = [
        "first a=x",
        "second a=x",
        "first a=drop",
        "first b=y",
        "second b=y",
    ];
    assert_eq!(*SEEN.lock().unwrap(), want);
}

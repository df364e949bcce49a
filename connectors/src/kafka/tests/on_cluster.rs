//! What URIs and options come to as topics of an application.

use ferrisstreams_topology::connector::{
    Connectors, DeclaredColumn, Options, SinkRequest, SourceKind, SourceRequest,
};
use ferrisstreams_topology::data::{DataType, Field, Schema};

use super::harness::mock;
use crate::Connections;
use crate::kafka::KafkaConnector;

fn options(given: &[(&str, &str)]) -> Options {
    let pairs = given.iter();
    pairs
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn connections(bootstrap: &str) -> Connections {
    let connections = Connections::new()
        .with(KafkaConnector)
        .kafka(options(&[("bootstrap.servers", bootstrap)]));
    let other = [
        ("type", "kafka"),
        ("bootstrap.servers", bootstrap),
        ("client.id", "me"),
    ];
    connections.connection("other", options(&other)).unwrap();
    connections
}

/// The topic that a source stands for, or why it stands for none.
fn source(connections: &Connections, uri: &str, given: &[(&str, &str)]) -> String {
    let resolved = connections.source(&SourceRequest {
        uri: uri.to_owned(),
        options: options(given),
        columns: vec![DeclaredColumn {
            field: Field::new("v", DataType::TEXT),
            key: false,
        }],
        kind: Some(SourceKind::Stream),
    });
    match resolved.unwrap().source.topic() {
        Ok(place) => {
            let place = place.expect("it is a topic");
            let skips = place.skips_untimed;
            format!("{} on {}; skips {skips}", place.topic, place.brokers)
        }
        Err(e) => e.to_string(),
    }
}

/// The same of a sink.
fn sink(connections: &Connections, uri: &str, given: &[(&str, &str)]) -> String {
    let resolved = connections.sink(&SinkRequest {
        uri: uri.to_owned(),
        options: options(given),
        schema: Schema::new(vec![Field::new("v", DataType::TEXT)]),
        key: None,
    });
    match resolved.unwrap().sink.topic() {
        Ok(place) => {
            let place = place.expect("it is a topic");
            format!("{} on {}", place.topic, place.brokers)
        }
        Err(e) => e.to_string(),
    }
}

#[test]
fn topics_are_told_to_applications() {
    let mock = mock(2);
    let bootstrap = mock.bootstrap_servers();
    let connections = connections(&bootstrap);
    let of = |given| source(&connections, "kafka://t", given);
    assert_eq!(of(&[]), format!("t on {bootstrap}; skips true"));
    let kept = format!("t on {bootstrap}; skips false");
    assert_eq!(of(&[("on_untimed", "keep")]), kept);
    assert_eq!(of(&[("timestamp", "v")]), kept);
    assert_eq!(
        sink(&connections, "kafka://t", &[]),
        format!("t on {bootstrap}")
    );
    let guarantee = [("guarantee", "at_least_once")];
    assert_eq!(
        sink(&connections, "kafka://t", &guarantee),
        format!("t on {bootstrap}")
    );
}

#[test]
fn what_no_application_does_is_refused() {
    let mock = mock(2);
    let connections = connections(&mock.bootstrap_servers());
    for (given, told) in [
        (
            ("from", "latest"),
            "from: it begins with the earliest record",
        ),
        (("from", "1000"), "from: it begins with the earliest record"),
        (("on_lost", "skip"), "on_lost = 'skip': it fails"),
        (("on_untimed", "fail"), "on_untimed = 'fail'"),
        (
            ("client.id", "me"),
            "client.id of topic t is not that of other topics",
        ),
    ] {
        let found = source(&connections, "kafka://t", &[given]);
        assert!(found.contains(told), "{given:?}: {found}");
    }
    let found = source(&connections, "kafka://other/t", &[]);
    assert!(found.contains("client.id of topic t"), "{found}");
    let found = sink(&connections, "kafka://other/t", &[]);
    assert!(found.contains("client.id of topic t"), "{found}");
    let found = sink(
        &connections,
        "kafka://missing",
        &[("connect_timeout", "1 second")],
    );
    assert!(found.contains("missing"), "{found}");
}

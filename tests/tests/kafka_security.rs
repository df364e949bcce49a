//! Clients that have to say who they are.

use std::time::Duration;

use ferrisstreams::prelude::*;
use ferrisstreams_tests::{KafkaBroker, Record as Written};

const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn who_has_the_password_is_let_in_and_who_has_not_is_told_what_to_look_at() {
    let Some(broker) = KafkaBroker::start() else {
        return;
    };
    let kafka = broker.kafka();
    let (words, out) = (
        kafka.unique_topic("sasl-words", 2),
        kafka.unique_topic("sasl-out", 2),
    );
    let builder = StreamsBuilder::new();
    let stream = builder.stream::<String, String>(&words, Consumed::plain());
    stream.to(&out, Produced::plain());
    let topology = builder.build().expect("the topology is in order");
    let as_user = |password: &str| {
        StreamsConfig::new(&words.replace("words", "app"))
            .bootstrap_servers(&broker.sasl_bootstrap())
            .property("security.protocol", "sasl_plaintext")
            .property("sasl.mechanism", "PLAIN")
            .property("sasl.username", "ferris")
            .property("sasl.password", password)
    };

    let refused = Streams::new(&topology, as_user("a-wrong-one")).expect_err("it is wrong");
    let told = format!("{refused} {refused:?}");
    assert!(told.contains("refuses us"), "{told}");
    assert!(told.contains("sasl.username and sasl.password"), "{told}");
    assert!(!told.contains("a-wrong-one"), "{told}");

    for guarantee in [
        ProcessingGuarantee::ExactlyOnce,
        ProcessingGuarantee::AtLeastOnce,
    ] {
        let config = as_user("hunter2").processing_guarantee(guarantee);
        let config = config.commit_interval(Duration::from_millis(50));
        assert!(!format!("{config:?}").contains("hunter2"));
        let mut app = Streams::new(&topology, config).expect("the password is right");
        assert!(!format!("{app:?}").contains("hunter2"));
        app.start().expect("it is started once");
        app.wait_until_running(LIMIT).expect("the broker is there");
        let before = kafka.read_committed(&out).len();
        kafka.produce(&words, [Written::new("k", "word")]);
        assert_eq!(
            kafka.wait_for_records(&out, before + 1, LIMIT).len(),
            before + 1
        );
        app.close().expect("it commits");
    }
}

#[test]
fn tokens_that_the_client_makes_for_itself_are_taken() {
    let Some(broker) = KafkaBroker::start() else {
        return;
    };
    let kafka = broker.kafka();
    let words = kafka.unique_topic("token-words", 2);
    let out = kafka.unique_topic("token-out", 2);
    let builder = StreamsBuilder::new();
    let stream = builder.stream::<String, String>(&words, Consumed::plain());
    stream.to(&out, Produced::plain());
    let topology = builder.build().expect("the topology is in order");
    let with_token = |config: &str| {
        StreamsConfig::new(&words.replace("words", "app"))
            .bootstrap_servers(&broker.sasl_bootstrap())
            .commit_interval(Duration::from_millis(50))
            .property("security.protocol", "sasl_plaintext")
            .property("sasl.mechanism", "OAUTHBEARER")
            .property("enable.sasl.oauthbearer.unsecure.jwt", "true")
            .property("sasl.oauthbearer.config", config)
    };
    kafka.produce(&words, [Written::new("k", "word")]);
    let config = with_token("principal=ferris");
    let mut app = Streams::new(&topology, config).expect("the token is taken");
    app.start().expect("it is started once");
    app.wait_until_running(LIMIT).expect("the broker is there");
    assert_eq!(kafka.wait_for_records(&out, 1, LIMIT).len(), 1);
    app.close().expect("it commits");
}

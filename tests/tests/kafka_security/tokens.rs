//! Clients that show tokens of a provider.

use std::time::{Duration, Instant};

use ferrisstreams::prelude::*;
use ferrisstreams_tests::{Ferris, Record as Written, TestDir};

use crate::provider::Provider;
use crate::secured::{
    LIMIT, Properties, Secured, assert_no_secret, but, config, passing, read_with_ferris, section,
};

/// A life so short that there is another token soon, and long enough for clients on a busy machine to show it
/// before that.
const LIFE: Duration = Duration::from_secs(10);

/// A time that is longer than any test.
const HOUR: Duration = Duration::from_secs(3_600);

#[test]
fn an_application_gets_new_tokens_while_it_runs() {
    let Some(secured) = Secured::start() else {
        return;
    };
    let kafka = secured.kafka();
    let brokers = secured.broker.listener("oauth");
    for guarantee in [
        ProcessingGuarantee::ExactlyOnce,
        ProcessingGuarantee::AtLeastOnce,
    ] {
        // The brokers look every four seconds whether there is a good one.
        let provider = Provider::start(&secured, LIFE);
        let (words, out) = (kafka.unique_topic("words", 2), kafka.unique_topic("out", 2));
        let config =
            config("tokens", &brokers, &provider.properties()).processing_guarantee(guarantee);
        assert_no_secret(&format!("{config:?}"));
        let mut app = Streams::new(&passing(&words, &out), config).expect("it is let in");
        assert_no_secret(&format!("{app:?}"));
        app.start().expect("it is started once");
        app.wait_until_running(LIMIT).expect("the broker is there");
        let begun = Instant::now();
        // With the third token the first is no good any more.
        for count in 1..=3 {
            // All clients of the application have one token at a time.
            let asked = provider.wait_for(count);
            let most = 2 + begun.elapsed().as_secs() * 5 / (4 * LIFE.as_secs());
            assert!(asked as u64 <= most, "{asked} tokens, {most} at most");
            kafka.produce(&words, [Written::new("k", "word")]);
            assert_eq!(kafka.wait_for_records(&out, count, LIMIT).len(), count);
        }
        app.close().expect("it commits");
    }
}

#[test]
fn ferris_reads_and_writes_with_a_token() {
    let Some(secured) = Secured::start() else {
        return;
    };
    let provider = Provider::start(&secured, HOUR);
    let kafka = secured.kafka();
    let (words, out) = (kafka.unique_topic("words", 2), kafka.unique_topic("out", 2));
    kafka.produce(&words, [Written::new("a", r#"{"k":"ferrous"}"#)]);
    let brokers = secured.broker.listener("oauth");
    let dir = TestDir::new();
    let settings = dir.write(
        "ferris.toml",
        section("kafka", &brokers, &provider.properties()),
    );
    let stream = format!("CREATE STREAM s (k TEXT) FROM kafka://{words};\n");

    assert!(read_with_ferris(&words, &settings).contains("ferrous"));
    // However many clients it has.
    assert_eq!(provider.wait_for(1), 1);

    for (number, options) in ["", "WITH (guarantee = 'at_least_once')"]
        .iter()
        .enumerate()
    {
        let insert = format!("{stream}INSERT INTO kafka://{out} {options} SELECT k FROM s;\n");
        let file = dir.write("pass.sql", insert);
        let done = Ferris::new(["run", "--once", "--config"])
            .arg(&settings)
            .arg(&file)
            .env("FERRIS_LOG", "debug")
            .run()
            .assert_success();
        assert_no_secret(&format!("{}{}", done.stdout, done.stderr));
        assert_eq!(
            kafka.wait_for_records(&out, number + 1, LIMIT).len(),
            number + 1
        );
    }

    let file = dir.write(
        "app.sql",
        format!("{stream}INSERT INTO kafka://{out} SELECT k FROM s;\n"),
    );
    let process = Ferris::new(["run", "--application-id", "tokens", "--config"])
        .arg(&settings)
        .arg(&file)
        .env("FERRIS_LOG", "debug")
        .start();
    assert_eq!(kafka.wait_for_records(&out, 3, LIMIT).len(), 3);
    process.interrupt();
    let done = process.wait(LIMIT).assert_success();
    assert_no_secret(&format!("{}{}", done.stdout, done.stderr));
}

/// What is wrong, the properties that are otherwise, and what is told.
fn mistakes(secured: &Secured) -> Vec<(&'static str, Properties, &'static [&'static str])> {
    let set = |name, value: &str| vec![(name, value.to_owned())];
    let nowhere = "https://127.0.0.1:1/token";
    let plaintext = format!("http://{}/token", secured.broker.listener("plaintext"));
    let brokers: &[&str] = &[
        "refuses us",
        "invalid_token",
        "the brokers do not take the token",
    ];
    vec![
        (
            "wrong secret",
            set("sasl.oauthbearer.client.secret", "hunter3"),
            &[
                "cannot be logged in to",
                "it answers 401 Unauthorized: invalid_client",
                "check sasl.oauthbearer.client.id and sasl.oauthbearer.client.secret",
            ],
        ),
        (
            "nobody there",
            set("sasl.oauthbearer.token.endpoint.url", nowhere),
            &[
                "no token from https://127.0.0.1:1/token",
                "refused",
                "check sasl.oauthbearer.token.endpoint.url",
            ],
        ),
        (
            "no provider there",
            set("sasl.oauthbearer.token.endpoint.url", &plaintext),
            &[
                "no token from http://",
                "check sasl.oauthbearer.token.endpoint.url",
            ],
        ),
        (
            "authority of others",
            set("https.ca.location", &secured.file("other-ca.pem")),
            &["certificate verify failed", "check that https.ca.location"],
        ),
        (
            "authorities of the system",
            set("https.ca.location", ""),
            &["certificate verify failed", "check that https.ca.location"],
        ),
        (
            "no authority there",
            set("https.ca.location", "/nowhere/ca.pem"),
            &["https.ca.location: cannot read /nowhere/ca.pem: No such file"],
        ),
        (
            "no secret",
            set("sasl.oauthbearer.client.secret", ""),
            &["can be made: sasl.oauthbearer.client.secret is missing"],
        ),
        (
            "no method",
            set("sasl.oauthbearer.method", ""),
            &["is of no use without sasl.oauthbearer.method = oidc"],
        ),
        (
            "another grant",
            set("sasl.oauthbearer.grant.type", "jwt-bearer"),
            &["sasl.oauthbearer.grant.type jwt-bearer is not supported"],
        ),
        (
            "key of others",
            set("sasl.oauthbearer.scope", "forged"),
            brokers,
        ),
        (
            "for others",
            set("sasl.oauthbearer.scope", "elsewhere"),
            brokers,
        ),
    ]
}

#[test]
fn who_gets_no_token_or_a_wrong_one_is_told_soon_what_to_look_at() {
    let Some(secured) = Secured::start() else {
        return;
    };
    let provider = Provider::start(&secured, HOUR);
    let kafka = secured.kafka();
    let (words, out) = (kafka.unique_topic("words", 1), kafka.unique_topic("out", 1));
    let topology = passing(&words, &out);
    let brokers = secured.broker.listener("oauth");
    for (what, others, told) in mistakes(&secured) {
        let config = config("mistaken", &brokers, &but(provider.properties(), others));
        assert_no_secret(&format!("{config:?}"));
        let begun = Instant::now();
        let Err(e) = Streams::new(&topology, config) else {
            panic!("{what}: it is let in");
        };
        let (shown, took) = (format!("{e} {e:?}"), begun.elapsed());
        assert_no_secret(&shown);
        for words in told {
            assert!(shown.contains(words), "{what}: no {words:?} in {shown}");
        }
        assert!(
            took < Duration::from_secs(12),
            "{what}: told after {took:?}"
        );
    }
}

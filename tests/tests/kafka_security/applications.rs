//! Applications over each kind of connection, exactly once and at least once.

use ferrisstreams::prelude::*;
use ferrisstreams_tests::Record as Written;

use crate::secured::{LIMIT, Properties, Secured, assert_no_secret, but, config, passing, text};

/// A listener, and properties by which clients get in.
fn ways_in(secured: &Secured) -> Vec<(&'static str, Properties)> {
    let pem = |file| text(secured.file(file));
    let in_text = vec![
        ("ssl.ca.location", String::new()),
        ("ssl.ca.pem", pem("ca.pem")),
    ];
    let all_in_text = vec![
        ("ssl.certificate.location", String::new()),
        ("ssl.certificate.pem", pem("client.pem")),
        ("ssl.key.location", String::new()),
        ("ssl.key.pem", pem("client.key")),
    ];
    let sasl = |mechanism| {
        let plaintext = vec![
            ("security.protocol", "sasl_plaintext".to_owned()),
            ("ssl.ca.location", String::new()),
        ];
        but(secured.user(mechanism), plaintext)
    };
    let token = vec![
        ("sasl.username", String::new()),
        ("sasl.password", String::new()),
        ("enable.sasl.oauthbearer.unsecure.jwt", "true".to_owned()),
        ("sasl.oauthbearer.config", "principal=ferris".to_owned()),
    ];
    vec![
        ("sasl", sasl("PLAIN")),
        ("sasl", but(sasl("OAUTHBEARER"), token)),
        ("tls", secured.tls()),
        ("tls", but(secured.tls(), in_text.clone())),
        ("mtls", secured.mutual_tls()),
        ("mtls", but(but(secured.mutual_tls(), in_text), all_in_text)),
        ("sasl_ssl", secured.user("PLAIN")),
        ("sasl_ssl", secured.user("SCRAM-SHA-256")),
        ("sasl_ssl", secured.user("SCRAM-SHA-512")),
    ]
}

#[test]
fn an_application_runs_over_whatever_listener_it_knows_the_secret_of() {
    let Some(secured) = Secured::start() else {
        return;
    };
    let kafka = secured.kafka();
    for (number, (listener, properties)) in ways_in(&secured).iter().enumerate() {
        let words = kafka.unique_topic("secured-words", 2);
        let out = kafka.unique_topic("secured-out", 2);
        let topology = passing(&words, &out);
        let brokers = secured.broker.listener(listener);
        for guarantee in [
            ProcessingGuarantee::ExactlyOnce,
            ProcessingGuarantee::AtLeastOnce,
        ] {
            let config = config(&format!("secured-{number}"), &brokers, properties)
                .processing_guarantee(guarantee);
            assert_no_secret(&format!("{config:?}"));
            let mut app = Streams::new(&topology, config)
                .unwrap_or_else(|e| panic!("{listener}, way {number}: {e}"));
            assert_no_secret(&format!("{app:?}"));
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
}

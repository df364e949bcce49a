//! Whom the broker sees in the certificate of a client.

use ferrisstreams::prelude::*;

use crate::secured::{LIMIT, Secured, config, passing};

#[test]
fn a_client_has_the_rights_of_the_name_in_its_certificate() {
    let Some(secured) = Secured::start() else {
        return;
    };
    let kafka = secured.kafka();
    for topic in ["barred", "out"] {
        kafka.create_topic(topic, 1, &[]);
    }
    let rule = "--add --deny-principal User:CN=ferris-client --operation Describe --topic barred";
    let rule: Vec<&str> = rule.split(' ').collect();
    kafka.tool("AclCommand", &rule).wait(LIMIT).assert_success();
    let topology = passing("barred", "out");
    for (listener, properties, is_barred) in [
        ("tls", secured.tls(), false),
        ("tls", secured.mutual_tls(), true),
        ("mtls", secured.mutual_tls(), true),
    ] {
        let brokers = secured.broker.listener(listener);
        match Streams::new(&topology, config("barred", &brokers, &properties)) {
            Ok(_) => assert!(!is_barred, "{listener}: nobody saw the certificate"),
            Err(e) => {
                let told = e.to_string();
                assert!(is_barred, "{listener}: {told}");
                assert!(told.contains("can grant our user Describe"), "{told}");
            }
        }
    }
}

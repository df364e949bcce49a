//! Clients that are set up wrongly: each is told soon what to look at.

use std::thread;
use std::time::{Duration, Instant};

use ferrisstreams::prelude::*;

use crate::secured::{Properties, Secured, assert_no_secret, but, config, passing};

/// A broker that does not answer at all is waited for longer.
const SOON: Duration = Duration::from_secs(12);

/// A client that is set up wrongly.
struct Mistake {
    what: &'static str,
    listener: &'static str,
    properties: Properties,
    /// What it says.
    told: &'static [&'static str],
}

/// The listener is another than the client thinks.
fn wrong_protocols(secured: &Secured) -> Vec<Mistake> {
    let mistake = |what, listener, properties, told| Mistake {
        what,
        listener,
        properties,
        told,
    };
    let other: &[&str] = &["refuses us", "check security.protocol and the port"];
    let no_user: &[&str] = &["refuses us", "check security.protocol", "wants no user"];
    let scram = || secured.user("SCRAM-SHA-256");
    let without_tls = || {
        let protocol = vec![("security.protocol", "sasl_plaintext".to_owned())];
        but(scram(), protocol)
    };
    vec![
        mistake("nothing to TLS", "tls", Vec::new(), other),
        mistake("nothing to SASL", "sasl", Vec::new(), other),
        mistake("TLS to plaintext", "plaintext", secured.tls(), other),
        mistake("TLS to SASL without", "sasl", secured.tls(), other),
        mistake("TLS to TLS with SASL", "sasl_ssl", secured.tls(), other),
        mistake("SASL without TLS", "sasl_ssl", without_tls(), other),
        mistake("SASL over TLS to TLS", "tls", scram(), no_user),
        mistake("SASL to plaintext", "plaintext", without_tls(), no_user),
    ]
}

/// The user or the mechanism is not known.
fn wrong_users(secured: &Secured) -> Vec<Mistake> {
    let mistake = |what, mechanism, others, told| Mistake {
        what,
        listener: "sasl_ssl",
        properties: but(secured.user(mechanism), others),
        told,
    };
    let password = || vec![("sasl.password", "hunter3".to_owned())];
    let wrong: &[&str] = &["refuses us", "check sasl.username and sasl.password"];
    vec![
        mistake("wrong password of PLAIN", "PLAIN", password(), wrong),
        mistake("wrong password", "SCRAM-SHA-256", password(), wrong),
        mistake("wrong password", "SCRAM-SHA-512", password(), wrong),
        mistake(
            "unknown user",
            "SCRAM-SHA-256",
            vec![("sasl.username", "nobody".to_owned())],
            wrong,
        ),
        mistake(
            "no user",
            "SCRAM-SHA-256",
            vec![("sasl.username", String::new())],
            &["can be made", "sasl.username and sasl.password must be set"],
        ),
        mistake(
            "mechanism of other brokers",
            "OAUTHBEARER",
            vec![
                ("enable.sasl.oauthbearer.unsecure.jwt", "true".to_owned()),
                ("sasl.oauthbearer.config", "principal=ferris".to_owned()),
            ],
            &[
                "Unsupported SASL mechanism",
                "PLAIN,SCRAM-SHA",
                "check sasl.mechanism",
            ],
        ),
        mistake(
            "no mechanism",
            "",
            Vec::new(),
            &["sasl.mechanism is missing", "SCRAM-SHA-256"],
        ),
        mistake(
            "mechanism that is not built in",
            "GSSAPI",
            Vec::new(),
            &["sasl.mechanism GSSAPI is not supported", "SCRAM-SHA-256"],
        ),
    ]
}

/// A certificate is not trusted, or not there.
fn wrong_certificates(secured: &Secured) -> Vec<Mistake> {
    let (tls, mutual) = (
        |others| but(secured.tls(), others),
        |others| but(secured.mutual_tls(), others),
    );
    let mistake = |what, listener, properties, told| Mistake {
        what,
        listener,
        properties,
        told,
    };
    let nowhere = || "/nowhere/at.pem".to_owned();
    let untrusted: &[&str] = &[
        "refuses us",
        "check that ssl.ca.location",
        "host name that is in this certificate",
    ];
    const UNREAD: &str = "cannot read /nowhere/at.pem: No such file";
    let key: &[&str] = &[
        "ssl.key.location failed",
        "is ssl.key.password its password?",
    ];
    let certificate: &[&str] = &["check ssl.certificate.location and ssl.key.location"];
    vec![
        mistake(
            "authority of others",
            "tls",
            tls(vec![("ssl.ca.location", secured.file("other-ca.pem"))]),
            untrusted,
        ),
        mistake(
            "authorities of the system",
            "sasl_ssl",
            but(
                secured.user("PLAIN"),
                vec![("ssl.ca.location", String::new())],
            ),
            untrusted,
        ),
        mistake(
            "name of others",
            "tls as localhost",
            secured.tls(),
            untrusted,
        ),
        mistake(
            "no such authority",
            "tls",
            tls(vec![("ssl.ca.location", nowhere())]),
            &["no client", "ssl.ca.location", UNREAD],
        ),
        mistake(
            "no authority in the file",
            "tls",
            tls(vec![("ssl.ca.location", secured.file("client.key"))]),
            &["ssl.ca.location failed", "is it in PEM form?"],
        ),
        mistake("no certificate", "mtls", secured.tls(), certificate),
        mistake(
            "certificate without its key",
            "mtls",
            tls(vec![(
                "ssl.certificate.location",
                secured.file("client.pem"),
            )]),
            certificate,
        ),
        mistake(
            "key without its certificate",
            "mtls",
            mutual(vec![("ssl.certificate.location", String::new())]),
            &["set ssl.certificate.location"],
        ),
        mistake(
            "key of another certificate",
            "mtls",
            mutual(vec![("ssl.certificate.location", secured.file("ca.pem"))]),
            certificate,
        ),
        mistake(
            "no such certificate",
            "mtls",
            mutual(vec![("ssl.certificate.location", nowhere())]),
            &["ssl.certificate.location", UNREAD],
        ),
        mistake(
            "no such key",
            "mtls",
            mutual(vec![("ssl.key.location", nowhere())]),
            &["ssl.key.location", UNREAD],
        ),
        mistake(
            "no password of the key",
            "mtls",
            mutual(vec![("ssl.key.password", String::new())]),
            key,
        ),
        mistake(
            "wrong password of the key",
            "mtls",
            mutual(vec![("ssl.key.password", "hunter3".to_owned())]),
            key,
        ),
    ]
}

impl Mistake {
    /// What is wrong with how it is told, if anything.
    fn check(&self, secured: &Secured, topology: &Topology) -> Result<(), String> {
        let what = self.what;
        let brokers = match self.listener.split_once(" as ") {
            Some((listener, host)) => {
                let brokers = secured.broker.listener(listener);
                brokers.replace("127.0.0.1", host)
            }
            None => secured.broker.listener(self.listener),
        };
        let config = config("mistaken", &brokers, &self.properties);
        assert_no_secret(&format!("{config:?}"));
        let begun = Instant::now();
        let Err(e) = Streams::new(topology, config) else {
            return Err(format!("{what}: it is let in"));
        };
        let (told, took) = (format!("{e} {e:?}"), begun.elapsed());
        assert_no_secret(&told);
        let missing = self.told.iter().find(|words| !told.contains(**words));
        match missing {
            Some(words) => Err(format!("{what}: no {words:?} in {e}")),
            None if took > SOON => Err(format!("{what}: told after {took:?}")),
            None => Ok(()),
        }
    }
}

#[test]
fn who_is_set_up_wrongly_is_told_soon_what_to_look_at() {
    let Some(secured) = Secured::start() else {
        return;
    };
    let (words, out) = (
        secured.kafka().unique_topic("refused-words", 1),
        secured.kafka().unique_topic("refused-out", 1),
    );
    let topology = passing(&words, &out);
    let mut mistakes = wrong_protocols(&secured);
    mistakes.extend(wrong_users(&secured));
    mistakes.extend(wrong_certificates(&secured));
    let wrong: Vec<String> = thread::scope(|scope| {
        let checks: Vec<_> = mistakes
            .iter()
            .map(|mistake| scope.spawn(|| mistake.check(&secured, &topology)))
            .collect();
        let ends = checks
            .into_iter()
            .map(|check| check.join().expect("a check"));
        ends.filter_map(Result::err).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

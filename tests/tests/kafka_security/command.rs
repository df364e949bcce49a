//! The command `ferris` where clients need a user and TLS, which a file of settings tells.

use ferrisstreams_tests::{Ferris, Record as Written, TestDir};

use crate::secured::{
    LIMIT, Properties, Secured, assert_no_secret, but, read_with_ferris, section,
};

#[test]
fn ferris_reads_and_writes_as_a_user_of_its_settings() {
    let Some(secured) = Secured::start() else {
        return;
    };
    let kafka = secured.kafka();
    let (words, out) = (
        kafka.unique_topic("command-words", 2),
        kafka.unique_topic("command-out", 2),
    );
    kafka.produce(&words, [Written::new("a", r#"{"k":"ferrous"}"#)]);
    let brokers = secured.broker.listener("sasl_ssl");
    let user = secured.user("SCRAM-SHA-256");
    let dir = TestDir::new();

    // The cluster of all topics that name none, by the variable that says where the file is.
    let settings = dir.write("ferris.toml", section("kafka", &brokers, &user));
    assert!(read_with_ferris(&words, &settings).contains("ferrous"));

    // A cluster with a name, that is written to as well.
    let mut connection = section("connections.secure", &brokers, &user);
    connection = connection.replace("]\n", "]\ntype = 'kafka'\n");
    let connection = dir.write("connections.toml", connection);
    let file = dir.write(
        "pass.sql",
        format!(
            "CREATE STREAM s (k TEXT) FROM kafka://secure/{words};\n\
             INSERT INTO kafka://secure/{out} SELECT k FROM s;\n"
        ),
    );
    let done = Ferris::new(["run", "--once", "--config"])
        .arg(&connection)
        .arg(&file)
        .env("FERRIS_LOG", "debug")
        .run()
        .assert_success();
    assert_no_secret(&format!("{}{}", done.stdout, done.stderr));
    assert_eq!(kafka.wait_for_records(&out, 1, LIMIT).len(), 1);

    // An application, with what is no secret from flags.
    let secret = ["sasl.username", "sasl.password"];
    let (secret, open): (Properties, Properties) = secured
        .user("SCRAM-SHA-512")
        .into_iter()
        .partition(|(name, _)| secret.contains(name));
    let settings = dir.write("secrets.toml", section("kafka", &brokers, &secret));
    let file = dir.write(
        "app.sql",
        format!(
            "CREATE STREAM s (k TEXT) FROM kafka://{words};\n\
             INSERT INTO kafka://{out} SELECT k FROM s;\n"
        ),
    );
    let mut ferris = Ferris::new(["run", "--application-id", "command", "--config"])
        .arg(&settings)
        .arg(&file)
        .env("FERRIS_LOG", "debug");
    for (name, value) in &open {
        ferris = ferris.arg("--property").arg(format!("{name}={value}"));
    }
    let process = ferris.start();
    kafka.produce(&words, [Written::new("b", r#"{"k":"nickel"}"#)]);
    assert_eq!(kafka.wait_for_records(&out, 3, LIMIT).len(), 3);
    process.interrupt();
    let done = process.wait(LIMIT).assert_success();
    assert_no_secret(&format!("{}{}", done.stdout, done.stderr));
}

#[test]
fn ferris_says_what_is_wrong_with_its_settings_and_no_secret() {
    let Some(secured) = Secured::start() else {
        return;
    };
    let words = secured.kafka().unique_topic("command-words", 2);
    let dir = TestDir::new();
    let stream = format!("CREATE STREAM s (k TEXT) FROM kafka://{words};\n");
    let file = dir.write(
        "app.sql",
        format!("{stream}INSERT INTO kafka://{words} SELECT k FROM s;"),
    );
    let brokers = secured.broker.listener("sasl_ssl");
    let scram = || secured.user("SCRAM-SHA-512");
    let property = |name, value: &str| vec![(name, value.to_owned())];
    for (name, properties, told) in [
        (
            "password",
            but(scram(), property("sasl.password", "hunter3")),
            "check sasl.username and sasl.password",
        ),
        (
            "authority",
            but(
                scram(),
                property("ssl.ca.location", &secured.file("other-ca.pem")),
            ),
            "check that ssl.ca.location",
        ),
        (
            "protocol",
            but(scram(), property("security.protocol", "ssl")),
            "check security.protocol",
        ),
    ] {
        let settings = dir.write(
            format!("{name}.toml"),
            section("kafka", &brokers, &properties),
        );
        for application in [&[][..], &["--application-id", "mistaken"]] {
            let mut ferris = Ferris::new(["run", "--config"]).arg(&settings).arg(&file);
            for argument in application {
                ferris = ferris.arg(argument);
            }
            let done = ferris.env("FERRIS_LOG", "debug").run().assert_code(2);
            assert!(done.stderr.contains(told), "{name}: {}", done.stderr);
            assert_no_secret(&format!("{}{}", done.stdout, done.stderr));
        }
    }
}

//! Why a client cannot be made: files and properties that it needs.

use std::fs::File;

use super::properties::Properties;

/// Why no client can be made: what the library says, or better words, and what to do.
pub(super) fn unmade(properties: &Properties, why: &str) -> (String, Option<&'static str>) {
    if let Some(missing) = missing_file(properties, why) {
        return (missing, None);
    }
    if why.contains("No provider for SASL mechanism") {
        let mechanism = properties
            .get("sasl.mechanism")
            .or_else(|| properties.get("sasl.mechanisms"));
        let message = match mechanism {
            Some(mechanism) => format!("sasl.mechanism {mechanism} is not supported"),
            None => "sasl.mechanism is missing".to_owned(),
        };
        let help = "sasl.mechanism is PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER";
        return (message, Some(help));
    }
    let has = |words: &str| why.contains(words);
    let help = if has("no certificate assigned") {
        Some("a key needs its certificate: set ssl.certificate.location or ssl.certificate.pem")
    } else if has("key values mismatch") {
        Some(
            "the key is not that of the certificate: check ssl.certificate.location and ssl.key.location",
        )
    } else if has("ssl.key.location failed") || has("ssl.key.pem failed") {
        Some("is it a key in PEM form, and is ssl.key.password its password?")
    } else if has("ssl.keystore.location") {
        Some("is it a store in PKCS#12 form, and is ssl.keystore.password its password?")
    } else if has("ssl.ca.") || has("ssl.certificate.") || has("ssl.crl.location") {
        Some("is it in PEM form?")
    } else {
        None
    };
    (why.to_owned(), help)
}

/// The file that the library could not read, if that is the reason; it does not say so itself.
fn missing_file(properties: &Properties, why: &str) -> Option<String> {
    const FILES: [&str; 5] = [
        "ssl.ca.location",
        "ssl.certificate.location",
        "ssl.key.location",
        "ssl.keystore.location",
        "ssl.crl.location",
    ];
    let property = FILES.into_iter().find(|property| why.contains(property))?;
    let path = properties.get(property)?;
    let e = File::open(path).err()?;
    Some(format!("{property}: cannot read {path}: {e}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_cannot_be_made_says_which_property_to_look_at() {
        let mut properties = Properties::default();
        let location = ("ssl.ca.location", "/nowhere/ca.pem");
        properties.set(location.0, location.1).expect("it may be");
        let (message, _) = unmade(&properties, "ssl.ca.location failed: error:05880002");
        let told = "ssl.ca.location: cannot read /nowhere/ca.pem: No such file or directory";
        assert!(message.starts_with(told), "{message}");
        let gssapi = "No provider for SASL mechanism GSSAPI: recompile librdkafka";
        assert_eq!(unmade(&properties, gssapi).0, "sasl.mechanism is missing");
        properties
            .set("sasl.mechanisms", "GSSAPI")
            .expect("it may be");
        let (message, help) = unmade(&properties, gssapi);
        assert_eq!(message, "sasl.mechanism GSSAPI is not supported");
        assert!(help.expect("there are others").contains("SCRAM-SHA-256"));
        let (message, help) = unmade(&properties, "ssl.key.location failed: PEM lib");
        assert_eq!(message, "ssl.key.location failed: PEM lib");
        assert!(help.expect("it is known").contains("ssl.key.password"));
    }
}

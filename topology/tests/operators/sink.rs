use super::script::check;
use super::{Text, stream, table};
use ferrisstreams_topology::codec::json;
use ferrisstreams_topology::dsl::{Consumed, Produced, StreamsBuilder};

fn forms(builder: &StreamsBuilder) {
    let stream = stream(builder, "in");
    stream.to("plain", Produced::plain());
    stream.to("json", Produced::json());
    stream.to("json-keys", Produced::with(json(), json()));
}

fn shared(builder: &StreamsBuilder) {
    stream(builder, "in").to("out", Produced::plain());
    table(builder, "rows")
        .to_stream()
        .to("out", Produced::plain());
}

/// Numbers that are no number have no form in JSON.
fn what_cannot_be_written(builder: &StreamsBuilder) {
    let texts = builder.stream::<Text, Text>("in", Consumed::plain());
    let codec = words();
    texts.to(
        "out",
        Produced::with(ferrisstreams_topology::codec::plain(), codec),
    );
}

/// Texts without spaces.
pub fn words() -> ferrisstreams_topology::codec::SharedCodec<Text> {
    std::sync::Arc::new(Words)
}

struct Words;

impl ferrisstreams_topology::codec::Codec<Text> for Words {
    fn encode(&self, value: &Text, out: &mut Vec<u8>) -> ferrisstreams_topology::Result<()> {
        if value.contains(' ') {
            let kind = ferrisstreams_topology::ErrorKind::BadRecord;
            return Err(ferrisstreams_topology::Error::new(
                kind,
                "a word has no spaces",
            ));
        }
        out.extend_from_slice(value.as_bytes());
        Ok(())
    }

    fn decode(&self, bytes: &[u8]) -> ferrisstreams_topology::Result<Text> {
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }

    fn name(&self) -> String {
        "words".to_owned()
    }
}

#[test]
fn script() {
    check(
        "sink",
        &[
            ("forms", forms),
            ("shared", shared),
            ("what cannot be written", what_cannot_be_written),
        ],
    );
}

use super::script::check;
use super::{out, stream};
use ferrisstreams_topology::dsl::StreamsBuilder;

fn letters(builder: &StreamsBuilder) {
    out(&stream(builder, "in").flat_map(|key, value| {
        let key = key.clone().unwrap_or_default();
        let letters: Vec<char> = value.chars().collect();
        letters
            .into_iter()
            .map(move |letter| (letter.to_string(), key.clone()))
    }));
}

#[test]
fn script() {
    check("flat_map", &[("letters", letters)]);
}

//! Lengths.

use ferrisstreams_topology::data::DataType;

use super::argument::{Argument, Outcome, Returned};
use super::function::Call;
use super::signature::{BYTES, Entry, Gives, TEXT, entry, form};

const GIVES: Gives = Gives::Is(DataType::Int);

pub(super) const FUNCTIONS: &[Entry] = &[
    entry(
        &["length", "len", "char_length", "character_length"],
        "the number of characters, or of bytes",
        &[
            form(&[TEXT], GIVES, characters),
            form(&[BYTES], GIVES, bytes),
        ],
    ),
    entry(
        &["octet_length"],
        "the number of bytes",
        &[form(&[TEXT], GIVES, bytes), form(&[BYTES], GIVES, bytes)],
    ),
    entry(
        &["bit_length"],
        "the number of bits",
        &[form(&[TEXT], GIVES, bits), form(&[BYTES], GIVES, bits)],
    ),
];

fn characters(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    Ok(Returned::Integer(count(arguments[0].bytes()) as i64))
}

/// The number of characters of text in UTF-8.
#[inline]
pub(crate) fn count(text: &[u8]) -> usize {
    // All bytes but those that go on a character begin one.
    text.iter().filter(|byte| (**byte as i8) >= -0x40).count()
}

fn bytes(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    Ok(Returned::Integer(arguments[0].bytes().len() as i64))
}

fn bits(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    Ok(Returned::Integer(arguments[0].bytes().len() as i64 * 8))
}

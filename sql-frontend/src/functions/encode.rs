//! Bytes as text and as numbers, and back.

use ferrisstreams_topology::data::DataType;

use super::argument::{Argument, Failure, Outcome, Returned};
use super::base64;
use super::function::Call;
use super::signature::{BYTES, Entry, Gives, TEXT, entry, form};

const IS_TEXT: Gives = Gives::Is(DataType::TEXT);
const IS_BYTES: Gives = Gives::Is(DataType::Bytes);

pub(super) const FUNCTIONS: &[Entry] = &[
    entry(
        &["encode"],
        "bytes as text in hex, base64, utf8 or ascii; or a text in one of them as in another",
        &[
            form(&[BYTES, TEXT], IS_TEXT, from_bytes),
            form(&[TEXT, TEXT, TEXT], IS_TEXT, recode),
        ],
    ),
    entry(
        &["from_bytes"],
        "bytes as text in hex, base64, utf8 or ascii",
        &[form(&[BYTES, TEXT], IS_TEXT, from_bytes)],
    ),
    entry(
        &["decode", "to_bytes"],
        "the bytes of a text in hex, base64, utf8 or ascii",
        &[form(&[TEXT, TEXT], IS_BYTES, to_bytes)],
    ),
    entry(
        &["to_hex"],
        "the bytes of the number or the bytes in hex",
        &[
            form(&[super::signature::BIGINT], IS_TEXT, hex_number),
            form(&[BYTES], IS_TEXT, hex),
        ],
    ),
    entry(
        &["int_from_bytes"],
        "the INT in four bytes, BIG_ENDIAN or LITTLE_ENDIAN",
        &[
            form(&[BYTES], Gives::Is(DataType::Int), number),
            form(&[BYTES, TEXT], Gives::Is(DataType::Int), number),
        ],
    ),
    entry(
        &["bigint_from_bytes"],
        "the BIGINT in eight bytes, BIG_ENDIAN or LITTLE_ENDIAN",
        &[
            form(&[BYTES], Gives::Is(DataType::BigInt), number),
            form(&[BYTES, TEXT], Gives::Is(DataType::BigInt), number),
        ],
    ),
    entry(
        &["double_from_bytes"],
        "the DOUBLE in eight bytes, BIG_ENDIAN or LITTLE_ENDIAN",
        &[
            form(&[BYTES], Gives::Is(DataType::Double), number),
            form(&[BYTES, TEXT], Gives::Is(DataType::Double), number),
        ],
    ),
];

#[derive(Clone, Copy)]
enum Encoding {
    Hex,
    Base64,
    Utf8,
    Ascii,
}

fn encoding(name: &str) -> Result<Encoding, Failure> {
    Ok(match &name.to_ascii_lowercase()[..] {
        "hex" => Encoding::Hex,
        "base64" => Encoding::Base64,
        "utf8" | "utf-8" => Encoding::Utf8,
        "ascii" => Encoding::Ascii,
        _ => {
            return Err(format!("no encoding '{name}'; there are hex, base64, utf8, ascii").into());
        }
    })
}

const HEX: &[u8; 16] = b"0123456789abcdef";

fn write_hex(out: &mut Vec<u8>, bytes: &[u8]) {
    for byte in bytes {
        out.push(HEX[usize::from(byte >> 4)]);
        out.push(HEX[usize::from(byte & 15)]);
    }
}

fn write_encoded(out: &mut Vec<u8>, bytes: &[u8], encoding: Encoding) -> Result<(), Failure> {
    match encoding {
        Encoding::Hex => write_hex(out, bytes),
        Encoding::Base64 => base64::encode(out, bytes),
        Encoding::Ascii if !bytes.is_ascii() => return Err("the bytes are no ASCII".into()),
        Encoding::Utf8 if std::str::from_utf8(bytes).is_err() => {
            return Err("the bytes are no UTF-8".into());
        }
        Encoding::Ascii | Encoding::Utf8 => out.extend_from_slice(bytes),
    }
    Ok(())
}

fn write_decoded(out: &mut Vec<u8>, text: &str, encoding: Encoding) -> Result<(), Failure> {
    match encoding {
        Encoding::Hex => read_hex(out, text),
        Encoding::Base64 => base64::decode(out, text.as_bytes())
            .ok_or_else(|| format!("'{text}' cannot be read as base64").into()),
        Encoding::Ascii if !text.is_ascii() => Err(format!("'{text}' is no ASCII").into()),
        Encoding::Ascii | Encoding::Utf8 => {
            out.extend_from_slice(text.as_bytes());
            Ok(())
        }
    }
}

fn read_hex(out: &mut Vec<u8>, text: &str) -> Result<(), Failure> {
    let digits = text
        .strip_prefix("0x")
        .or_else(|| text.strip_prefix("\\x"))
        .unwrap_or(text);
    let digits = digits.as_bytes();
    let digit = |byte: u8| char::from(byte).to_digit(16);
    // As of a number, a zero before the first digit may be left out.
    let (first, rest) = digits.split_at(digits.len() % 2);
    let first = first.iter().map(|byte| (b'0', *byte));
    let pairs = first.chain(rest.chunks_exact(2).map(|pair| (pair[0], pair[1])));
    for (high, low) in pairs {
        match digit(high).zip(digit(low)) {
            Some((high, low)) => out.push((high << 4 | low) as u8),
            None => return Err(format!("'{text}' cannot be read as hex").into()),
        }
    }
    Ok(())
}

fn from_bytes(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    write_encoded(
        call.out,
        arguments[0].bytes(),
        encoding(arguments[1].text())?,
    )?;
    Ok(Returned::Written)
}

fn to_bytes(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    write_decoded(
        call.out,
        arguments[0].text(),
        encoding(arguments[1].text())?,
    )?;
    Ok(Returned::Written)
}

fn recode(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    let mut bytes = Vec::new();
    write_decoded(
        &mut bytes,
        arguments[0].text(),
        encoding(arguments[1].text())?,
    )?;
    write_encoded(call.out, &bytes, encoding(arguments[2].text())?)?;
    Ok(Returned::Written)
}

fn hex(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    write_hex(call.out, arguments[0].bytes());
    Ok(Returned::Written)
}

fn hex_number(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    let number = arguments[0].integer();
    call.out.extend_from_slice(format!("{number:x}").as_bytes());
    Ok(Returned::Written)
}

/// The bytes, the most significant one first.
fn big_endian<const N: usize>(arguments: &[Argument<'_>]) -> Result<[u8; N], Failure> {
    let bytes = arguments[0].bytes();
    let Ok(mut bytes) = <[u8; N]>::try_from(bytes) else {
        return Err(format!("{N} bytes are wanted, not {}", bytes.len()).into());
    };
    match arguments
        .get(1)
        .map(|order| order.text().to_ascii_uppercase())
        .as_deref()
    {
        None | Some("BIG_ENDIAN") => {}
        Some("LITTLE_ENDIAN") => bytes.reverse(),
        Some(other) => {
            return Err(format!("the order is BIG_ENDIAN or LITTLE_ENDIAN, not '{other}'").into());
        }
    }
    Ok(bytes)
}

fn number(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    Ok(match call.function.result {
        DataType::Int => Returned::Integer(i64::from(i32::from_be_bytes(big_endian(arguments)?))),
        DataType::BigInt => Returned::Integer(i64::from_be_bytes(big_endian(arguments)?)),
        _ => Returned::Float(f64::from_be_bytes(big_endian(arguments)?)),
    })
}

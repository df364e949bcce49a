//! Parts of URLs, and text as it stands in them.

use ferrisstreams_topology::data::DataType;

use super::argument::{Argument, Outcome, Returned};
use super::function::Call;
use super::signature::{Entry, Gives, TEXT, entry, form};

const GIVES: Gives = Gives::Is(DataType::TEXT);

pub(super) const FUNCTIONS: &[Entry] = &[
    entry(
        &["url_encode_param"],
        "the text as the value of a parameter of a URL",
        &[form(&[TEXT], GIVES, encode_param)],
    ),
    entry(
        &["url_decode_param"],
        "the text of a parameter's value in a URL",
        &[form(&[TEXT], GIVES, decode_param)],
    ),
    entry(
        &["url_extract_protocol"],
        "the URL's scheme",
        &[form(&[TEXT], GIVES, protocol)],
    ),
    entry(
        &["url_extract_host"],
        "the URL's host",
        &[form(&[TEXT], GIVES, host)],
    ),
    entry(
        &["url_extract_port"],
        "the URL's port, if it says one",
        &[form(&[TEXT], Gives::Is(DataType::Int), port)],
    ),
    entry(
        &["url_extract_path"],
        "the URL's path",
        &[form(&[TEXT], GIVES, path)],
    ),
    entry(
        &["url_extract_query"],
        "the URL's query",
        &[form(&[TEXT], GIVES, query)],
    ),
    entry(
        &["url_extract_fragment"],
        "the URL's fragment",
        &[form(&[TEXT], GIVES, fragment)],
    ),
    entry(
        &["url_extract_parameter"],
        "the value of a parameter in the URL's query",
        &[form(&[TEXT, TEXT], GIVES, parameter)],
    ),
];

/// The parts of a URL, as RFC 3986 divides it.
struct Url<'a> {
    scheme: Option<&'a str>,
    authority: Option<&'a str>,
    path: &'a str,
    query: Option<&'a str>,
    fragment: Option<&'a str>,
}

fn divide(url: &str) -> Url<'_> {
    let (rest, fragment) = match url.split_once('#') {
        Some((rest, fragment)) => (rest, Some(fragment)),
        None => (url, None),
    };
    let (rest, query) = match rest.split_once('?') {
        Some((rest, query)) => (rest, Some(query)),
        None => (rest, None),
    };
    let is_scheme = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    };
    let (scheme, rest) = match rest.split_once(':') {
        Some((scheme, rest)) if is_scheme(scheme) => (Some(scheme), rest),
        _ => (None, rest),
    };
    let (authority, path) = match rest.strip_prefix("//") {
        Some(rest) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            (Some(authority), path)
        }
        None => (None, rest),
    };
    Url {
        scheme,
        authority,
        path,
        query,
        fragment,
    }
}

/// Host and port of an authority.
fn host_and_port(authority: &str) -> (&str, Option<&str>) {
    let address = authority
        .rsplit_once('@')
        .map_or(authority, |(_, address)| address);
    match address.rsplit_once(':') {
        // The colons of an IPv6 address stand in brackets.
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (address, None),
    }
}

fn give(call: &mut Call<'_>, part: Option<&str>) -> Outcome {
    Ok(match part {
        None => Returned::Null,
        Some(part) => {
            call.out.extend_from_slice(part.as_bytes());
            Returned::Written
        }
    })
}

fn protocol(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    give(call, divide(arguments[0].text()).scheme)
}

fn host(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    let host = divide(arguments[0].text())
        .authority
        .map(|authority| host_and_port(authority).0);
    give(call, host)
}

fn port(_: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    let authority = divide(arguments[0].text()).authority;
    let port = authority.and_then(|authority| host_and_port(authority).1);
    match port.filter(|port| !port.is_empty()) {
        None => Ok(Returned::Null),
        Some(digits) => match digits.parse::<u16>() {
            Ok(port) => Ok(Returned::Integer(i64::from(port))),
            Err(_) => Err(format!("'{digits}' is no port").into()),
        },
    }
}

fn path(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    give(call, Some(divide(arguments[0].text()).path))
}

fn query(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    give(call, divide(arguments[0].text()).query)
}

fn fragment(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    give(call, divide(arguments[0].text()).fragment)
}

fn parameter(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    let (url, wanted) = (divide(arguments[0].text()), arguments[1].text());
    for pair in url.query.unwrap_or_default().split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let mut decoded = Vec::new();
        decode(&mut decoded, name)?;
        if decoded == wanted.as_bytes() && !pair.is_empty() {
            decode(call.out, value)?;
            return Ok(Returned::Written);
        }
    }
    Ok(Returned::Null)
}

fn encode_param(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    for &byte in arguments[0].bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' => {
                call.out.push(byte);
            }
            b' ' => call.out.push(b'+'),
            _ => call
                .out
                .extend_from_slice(format!("%{byte:02X}").as_bytes()),
        }
    }
    Ok(Returned::Written)
}

fn decode_param(call: &mut Call<'_>, arguments: &[Argument<'_>]) -> Outcome {
    decode(call.out, arguments[0].text())?;
    Ok(Returned::Written)
}

fn decode(out: &mut Vec<u8>, text: &str) -> Result<(), super::argument::Failure> {
    let start = out.len();
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'+' => out.push(b' '),
            b'%' => match digit(bytes.get(at + 1)).zip(digit(bytes.get(at + 2))) {
                Some((high, low)) => {
                    out.push((high << 4 | low) as u8);
                    at += 2;
                }
                None => return Err(format!("'{text}' has a % without two digits").into()),
            },
            byte => out.push(byte),
        }
        at += 1;
    }
    if std::str::from_utf8(&out[start..]).is_err() {
        return Err(format!("'{text}' is no UTF-8 when it is decoded").into());
    }
    Ok(())
}

//! What a token says of itself. Whether it is true is for the brokers to find out.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::Value;

/// With padding or without.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Who a token is for, and up to when.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Claims {
    pub(super) principal: String,
    pub(super) expires: SystemTime,
}

/// The claims of a token in JWT form; what is wrong with it otherwise, without a piece of it.
pub(super) fn claims(token: &str) -> Result<Claims, &'static str> {
    let mut parts = token.split('.');
    let (Some(_), Some(payload), Some(_), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err("is no JWT");
    };
    // The library would show what it does not take.
    let is_clean = |c: u8| c.is_ascii_alphanumeric() || b"-_=.".contains(&c);
    if !token.bytes().all(is_clean) {
        return Err("is no JWT");
    }
    let payload = BASE64.decode(payload).map_err(|_| "is no JWT")?;
    let payload: Value = serde_json::from_slice(&payload).map_err(|_| "is no JWT")?;
    let expires = payload.get("exp").and_then(Value::as_f64);
    let expires = expires.ok_or("does not say when it expires (exp)")?;
    let life = Duration::try_from_secs_f64(expires).map_err(|_| "expires at no time (exp)")?;
    let expires = UNIX_EPOCH.checked_add(life);
    let principal = payload.get("sub").and_then(Value::as_str);
    let principal = principal.filter(|sub| !sub.is_empty() && !sub.contains('\0'));
    let claims = Claims {
        principal: principal
            .ok_or("does not say who it is for (sub)")?
            .to_owned(),
        expires: expires.ok_or("expires at no time (exp)")?,
    };
    if claims.expires <= SystemTime::now() {
        return Err("has expired (exp)");
    }
    Ok(claims)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(payload: &str) -> String {
        format!("e30.{}.c2ln", BASE64.encode(payload))
    }

    #[test]
    fn a_token_says_who_it_is_for_and_up_to_when() {
        let found = claims(&token(r#"{"sub":"me?","exp":4000000000.5,"aud":["a"]}"#));
        let expires = UNIX_EPOCH + Duration::from_millis(4_000_000_000_500);
        let principal = "me?".to_owned();
        assert_eq!(found, Ok(Claims { principal, expires }));
        let bare = token(r#"{"exp":4000000000,"sub":"a"}"#).replace('=', "");
        assert_eq!(
            claims(&bare).map(|found| found.principal),
            Ok("a".to_owned())
        );
    }

    #[test]
    fn what_is_wrong_with_a_token_is_told() {
        for (token, told) in [
            ("opaque".to_owned(), "is no JWT"),
            ("a.b".to_owned(), "is no JWT"),
            ("e30.e30.".to_owned(), "does not say when it expires (exp)"),
            ("e30.e30.a.b".to_owned(), "is no JWT"),
            (format!("{}\u{1}", token("{}")), "is no JWT"),
            ("e30.!!.a".to_owned(), "is no JWT"),
            (token("nothing"), "is no JWT"),
            (token("[]"), "does not say when it expires (exp)"),
            (
                token(r#"{"sub":"me","exp":"soon"}"#),
                "does not say when it expires (exp)",
            ),
            (
                token(r#"{"sub":"me","exp":-1}"#),
                "expires at no time (exp)",
            ),
            (
                token(r#"{"sub":"me","exp":1e300}"#),
                "expires at no time (exp)",
            ),
            (token(r#"{"sub":"me","exp":1e18}"#), "is taken"),
            (token(r#"{"sub":"me","exp":1000}"#), "has expired (exp)"),
            (
                token(r#"{"exp":4000000000}"#),
                "does not say who it is for (sub)",
            ),
            (
                token(r#"{"sub":"","exp":4000000000}"#),
                "does not say who it is for (sub)",
            ),
            (
                token(r#"{"sub":7,"exp":4000000000}"#),
                "does not say who it is for (sub)",
            ),
        ] {
            let found = claims(&token).err().unwrap_or("is taken");
            assert_eq!(found, told, "{token}");
        }
    }
}

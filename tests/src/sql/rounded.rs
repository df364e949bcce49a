//! Numbers as text, rounded: what is compared where two systems keep different scales.

/// The number that a text says, rounded half up, away from zero, to `places` behind the point and without zeros at its
/// end. What is no number stays as it is.
///
/// ```
/// use ferrisstreams_tests::sql::rounded;
///
/// assert_eq!(rounded("4.5000000000000000", 6), "4.5");
/// assert_eq!(rounded("-0.0000005", 6), "-0.000001");
/// assert_eq!(rounded("-1.5e-3", 6), "-0.0015");
/// assert_eq!(rounded("NaN", 6), "NaN");
/// ```
#[must_use]
pub fn rounded(text: &str, places: usize) -> String {
    digits(text).map_or_else(|| text.to_owned(), |number| number.round(places))
}

/// A decimal number: digits without a sign, of which `scale` stand behind the point.
struct Number {
    negative: bool,
    digits: Vec<u8>,
    scale: usize,
}

fn digits(text: &str) -> Option<Number> {
    let (negative, bare) = match text.strip_prefix('-') {
        Some(bare) => (true, bare),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match bare.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (bare, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = || whole.bytes().chain(fraction.bytes());
    if all().next().is_none() || !all().all(|byte| byte.is_ascii_digit()) || exponent.abs() > 400 {
        return None;
    }
    let mut digits: Vec<u8> = all().map(|byte| byte - b'0').collect();
    let mut scale = i32::try_from(fraction.len()).ok()? - exponent;
    while scale < 0 {
        digits.push(0);
        scale += 1;
    }
    Some(Number {
        negative,
        digits,
        scale: usize::try_from(scale).ok()?,
    })
}

impl Number {
    fn round(mut self, places: usize) -> String {
        while self.digits.len() <= self.scale {
            self.digits.insert(0, 0);
        }
        if self.scale > places {
            let dropped = self
                .digits
                .split_off(self.digits.len() - (self.scale - places));
            self.scale = places;
            if dropped[0] >= 5 {
                self.add_one();
            }
        }
        while self.scale > 0 && self.digits.last() == Some(&0) {
            self.digits.pop();
            self.scale -= 1;
        }
        let point = self.digits.len() - self.scale;
        let text = |digits: &[u8]| -> String {
            digits
                .iter()
                .map(|digit| char::from(digit + b'0'))
                .collect()
        };
        let whole = text(&self.digits[..point]);
        let whole = whole.trim_start_matches('0');
        let mut out = String::new();
        if self.negative && self.digits.iter().any(|digit| *digit != 0) {
            out.push('-');
        }
        out.push_str(if whole.is_empty() { "0" } else { whole });
        if self.scale > 0 {
            out.push('.');
            out.push_str(&text(&self.digits[point..]));
        }
        out
    }

    fn add_one(&mut self) {
        for digit in self.digits.iter_mut().rev() {
            if *digit < 9 {
                *digit += 1;
                return;
            }
            *digit = 0;
        }
        self.digits.insert(0, 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_by_their_digits() {
        for (text, expected) in [
            ("0", "0"),
            ("-0.0", "0"),
            ("100", "100"),
            ("1e3", "1000"),
            ("1.5e+2", "150"),
            ("9.9999999", "10"),
            ("0.33333333333333333333", "0.333333"),
            ("0.6666666", "0.666667"),
            (
                "12345678901234567890123456789012345678.5",
                "12345678901234567890123456789012345678.5",
            ),
            (".5", "0.5"),
            ("007.10", "7.1"),
            ("abc", "abc"),
            ("", ""),
            ("-", "-"),
            ("1-2", "1-2"),
        ] {
            assert_eq!(rounded(text, 6), expected, "{text}");
        }
    }
}

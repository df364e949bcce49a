//! Reading digits.

use crate::data::ParseError;

/// A text that is read from its start.
pub(super) struct Reader<'a> {
    pub(super) rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Reader { rest: text }
    }

    /// Takes a byte if it is there.
    #[inline]
    pub(super) fn take(&mut self, byte: u8) -> bool {
        match self.rest.split_first() {
            Some((first, rest)) if *first == byte => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    pub(super) fn expect(&mut self, byte: u8) -> Result<(), ParseError> {
        if self.take(byte) {
            Ok(())
        } else {
            Err(ParseError::Malformed)
        }
    }

    /// Takes a number of `least` to `most` digits, at most nine.
    #[inline]
    pub(super) fn number(&mut self, least: usize, most: usize) -> Result<u32, ParseError> {
        let mut value = 0;
        let mut count = 0;
        while count < most
            && let Some(digit) = self.rest.get(count).map(|byte| byte.wrapping_sub(b'0'))
            && digit <= 9
        {
            value = value * 10 + u32::from(digit);
            count += 1;
        }
        if count < least {
            return Err(ParseError::Malformed);
        }
        self.rest = &self.rest[count..];
        Ok(value)
    }

    /// Takes the digits behind a point as millionths, rounded.
    pub(super) fn millionths(&mut self) -> Result<i64, ParseError> {
        let digits = self
            .rest
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        if digits == 0 {
            return Err(ParseError::Malformed);
        }
        let mut value = 0;
        for at in 0..6 {
            let digit = if at < digits { self.rest[at] - b'0' } else { 0 };
            value = value * 10 + i64::from(digit);
        }
        if digits > 6 && self.rest[6] >= b'5' {
            value += 1;
        }
        self.rest = &self.rest[digits..];
        Ok(value)
    }

    pub(super) fn end(&self) -> Result<(), ParseError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(ParseError::Malformed)
        }
    }
}

//! States of groups as bytes.
//!
//! Words follow one another as numbers of variable length, small ones of either sign in one byte.
//! What a word means is not written down; the name of the codec says for which aggregates it is.

use ferrisstreams_topology::codec::Codec;
use ferrisstreams_topology::{Error, ErrorKind, Result};
use smallvec::SmallVec;

use super::exact_sum::ExactSum;
use super::state::{AggState, Extra};

/// The codec of the states of a plan.
pub(super) struct StateCodec {
    /// How many words a state has.
    pub(super) words: usize,
    /// What a state has beside words, as in that of no row.
    pub(super) extras: Box<[Extra]>,
    /// The aggregates.
    pub(super) description: String,
}

impl Codec<AggState> for StateCodec {
    fn encode(&self, state: &AggState, out: &mut Vec<u8>) -> Result<()> {
        for word in &state.words()[..self.words] {
            put_word(out, *word);
        }
        for extra in state.extras() {
            match extra {
                Extra::Sum(sum) => {
                    let (low, limbs) = sum.parts();
                    put_number(out, u64::from(low));
                    put_number(out, limbs.len() as u64);
                    limbs.iter().for_each(|limb| put_word(out, *limb));
                }
                Extra::Bytes(None) => put_number(out, 0),
                Extra::Bytes(Some(bytes)) => {
                    put_number(out, bytes.len() as u64 + 1);
                    out.extend_from_slice(bytes);
                }
            }
        }
        Ok(())
    }

    fn decode(&self, bytes: &[u8]) -> Result<AggState> {
        let mut input = Input { rest: bytes };
        self.read(&mut input)
            .filter(|_| input.rest.is_empty())
            .ok_or_else(|| {
                let message = format!(
                    "cannot read a group of {} from {} bytes",
                    self.name(),
                    bytes.len()
                );
                Error::new(ErrorKind::BadRecord, message)
            })
    }

    fn heap_bytes(&self, state: &AggState) -> usize {
        state.heap_bytes()
    }

    fn name(&self) -> String {
        format!("aggregates/1 ({})", self.description)
    }
}

impl StateCodec {
    fn read(&self, input: &mut Input<'_>) -> Option<AggState> {
        let words: Option<SmallVec<[u64; 16]>> = (0..self.words).map(|_| input.word()).collect();
        let extras: Option<Vec<Extra>> = self.extras.iter().map(|like| input.extra(like)).collect();
        Some(AggState::new(&words?, extras?))
    }
}

/// Seven bits a byte, the lowest first; the highest bit says that another byte follows.
#[inline]
fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// A word read as a signed number, its sign in the lowest bit.
#[inline]
fn put_word(out: &mut Vec<u8>, word: u64) {
    let signed = word as i64;
    put_number(out, ((signed << 1) ^ (signed >> 63)) as u64);
}

struct Input<'a> {
    rest: &'a [u8],
}

impl Input<'_> {
    #[inline]
    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.rest.split_first()?;
            self.rest = rest;
            let bits = u64::from(byte & 0x7f);
            if bits << shift >> shift != bits {
                return None;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    #[inline]
    fn word(&mut self) -> Option<u64> {
        let number = self.number()?;
        Some((number >> 1) ^ (number & 1).wrapping_neg())
    }

    fn extra(&mut self, like: &Extra) -> Option<Extra> {
        match like {
            Extra::Sum(_) => {
                let low = u32::try_from(self.number()?).ok()?;
                let len = usize::try_from(self.number()?).ok()?;
                if len > self.rest.len() {
                    return None;
                }
                let limbs: Option<SmallVec<[u64; 8]>> = (0..len).map(|_| self.word()).collect();
                ExactSum::from_parts(low, &limbs?).map(Extra::Sum)
            }
            Extra::Bytes(_) => {
                let Some(len) = self.number()?.checked_sub(1) else {
                    return Some(Extra::Bytes(None));
                };
                let (bytes, rest) = self.rest.split_at_checked(usize::try_from(len).ok()?)?;
                self.rest = rest;
                Some(Extra::Bytes(Some(bytes.into())))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_beyond_64_bits_are_refused() {
        let mut input = Input { rest: &[0xff; 11] };
        assert_eq!(input.number(), None);
        let mut last = [0xff; 10];
        last[9] = 0x02;
        assert_eq!(Input { rest: &last }.number(), None);
        last[9] = 0x01;
        assert_eq!(Input { rest: &last }.number(), Some(u64::MAX));
    }

    fn word() -> impl Strategy<Value = u64> {
        prop_oneof![any::<u64>(), (-70i64..70).prop_map(|n| n as u64)]
    }

    fn states() -> impl Strategy<Value = AggState> {
        let sum = (any::<f64>(), any::<f64>()).prop_map(|(a, b)| {
            let mut sum = ExactSum::default();
            [a, b]
                .into_iter()
                .filter(|f| f.is_finite())
                .for_each(|f| sum.add(f, false));
            Extra::Sum(sum)
        });
        let bytes = proptest::option::of(proptest::collection::vec(any::<u8>(), 0..200));
        let bytes = bytes.prop_map(|bytes| Extra::Bytes(bytes.map(Into::into)));
        let words = proptest::collection::vec(word(), 4);
        (words, sum, bytes).prop_map(|(words, sum, bytes)| AggState::new(&words, vec![sum, bytes]))
    }

    proptest! {
        #[test]
        fn states_read_back(state in states(), junk in proptest::collection::vec(any::<u8>(), 0..40)) {
            let codec = StateCodec {
                words: 4,
                extras: [Extra::Sum(ExactSum::default()), Extra::Bytes(None)].into(),
                description: String::new(),
            };
            let mut bytes = Vec::new();
            codec.encode(&state, &mut bytes).expect("it has a form");
            prop_assert_eq!(&codec.decode(&bytes).expect("what was written"), &state);
            for len in 0..bytes.len() {
                prop_assert!(codec.decode(&bytes[..len]).is_err());
            }
            bytes.push(0);
            let refused = codec.decode(&bytes).expect_err("a byte too many");
            prop_assert_eq!(refused.kind(), ErrorKind::BadRecord);
            // Whatever stands on disk, reading it ends.
            let _ = codec.decode(&junk);
        }
    }
}

//! Ids: unlike any other, and in the order of the time at which they were made.
//!
//! `dec_01JD3Q8Z0000000000000000AB` is a word for what it names, and a ULID: 48 bits of milliseconds since 1970 and 80 bits
//! of chance, in Crockford's base 32.

use super::environment::{Environment, NoRandomness};
use crate::base::text::pairs;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// The two characters of each ten bits.
static PAIRS: [[u8; 2]; 1_024] = pairs(ALPHABET);
/// How many characters behind the word.
const LENGTH: usize = 26;
/// So many of them are of one number.
const PART: usize = 12;
const PART_BITS: usize = 5 * PART;

/// A new id behind a word such as `dec`.
///
/// # Errors
/// The system has no random bytes.
pub fn new(word: &str, environment: &dyn Environment) -> Result<String, NoRandomness> {
    let mut bytes = [0; 16];
    environment.random(&mut bytes)?;
    let time = u128::from(environment.now().millis().unsigned_abs()) << 80;
    let chance = u128::from_be_bytes(bytes) & ((1 << 80) - 1);
    Ok(text(word, time | chance))
}

/// The id of a number. Those of one word are in the order of their numbers.
#[must_use]
pub fn text(word: &str, number: u128) -> String {
    // In parts of twelve characters, which are numbers that the processor has, and two by two.
    let mut text = [0_u8; LENGTH];
    let parts = text.rchunks_mut(PART).zip([number, number >> PART_BITS, number >> PART_BITS >> PART_BITS]);
    for (places, part) in parts {
        let mut part = part as u64;
        for place in places.as_chunks_mut::<2>().0.iter_mut().rev() {
            *place = PAIRS[(part & 1_023) as usize];
            part >>= 10;
        }
    }
    let mut id = String::with_capacity(word.len() + 1 + LENGTH);
    id.push_str(word);
    id.push('_');
    id.push_str(std::str::from_utf8(&text).unwrap_or_default());
    id
}

/// The word and the number of an id: what [`text`] makes it of again. None of another text.
#[must_use]
pub fn parts(id: &str) -> Option<(&str, u128)> {
    let (word, digits) = id.split_at_checked(id.len().checked_sub(LENGTH + 1)?)?;
    let (first, digits) = digits.strip_prefix('_')?.as_bytes().split_first()?;
    // 128 bits are 25 digits of five and three more.
    let mut number = u128::from(value(*first).filter(|value| *value < 8)?);
    for part in digits.chunks(PART) {
        let part_of = |part: u64, digit: &u8| Some(part << 5 | u64::from(value(*digit)?));
        number = number << (5 * part.len()) | u128::from(part.iter().try_fold(0, part_of)?);
    }
    Some((word, number))
}

/// What a digit stands for.
fn value(digit: u8) -> Option<u8> {
    const NONE: u8 = u8::MAX;
    const VALUES: [u8; 256] = {
        let mut values = [NONE; 256];
        let mut value = 0;
        while value < ALPHABET.len() {
            values[ALPHABET[value] as usize] = value as u8;
            value += 1;
        }
        values
    };
    Some(VALUES[usize::from(digit)]).filter(|value| *value != NONE)
}

/// Whether a text is written as the ids of a word are.
#[must_use]
pub fn is_id(word: &str, text: &str) -> bool {
    let Some(rest) = text.strip_prefix(word).and_then(|rest| rest.strip_prefix('_')) else { return false };
    rest.len() == LENGTH && rest.bytes().all(|byte| ALPHABET.contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::timestamp::Timestamp;

    #[derive(Debug)]
    struct Fixed(&'static str, u8);

    impl Environment for Fixed {
        fn now(&self) -> Timestamp {
            Timestamp::parse(self.0).expect("it is a time")
        }

        fn random(&self, buffer: &mut [u8]) -> Result<(), NoRandomness> {
            buffer.fill(self.1);
            Ok(())
        }
    }

    #[test]
    fn ids_are_in_the_order_of_time() {
        let id = |time, chance| new("dec", &Fixed(time, chance)).expect("there is chance");
        assert_eq!(id("1970-01-01T00:00:00Z", 0), "dec_00000000000000000000000000");
        assert_eq!(id("1970-01-01T00:00:00.001Z", 0), "dec_00000000010000000000000000");
        assert_eq!(id("1970-01-01T00:00:00Z", 0xff), "dec_0000000000ZZZZZZZZZZZZZZZZ");
        // All places at once: 48 bits of time, and 0x5a ten times.
        assert_eq!(id("2026-11-20T10:00:00.123Z", 0x5a), "dec_01M7W6C3BVB9D5MPJTB9D5MPJT");
        assert!(id("2026-11-20T10:00:00Z", 0xff) < id("2026-11-20T10:00:00.001Z", 0));
    }

    #[test]
    fn what_is_an_id() {
        let id = new("dec", &Fixed("2026-11-20T10:00:00Z", 7)).expect("there is chance");
        assert!(is_id("dec", &id));
        for other in [&id[1..], &id[..id.len() - 1], &id.to_lowercase(), &format!("{id}0"), ""] {
            assert!(!is_id("dec", other), "{other}");
        }
        assert!(!is_id("gate", &id));
    }

    #[test]
    fn an_id_is_a_word_and_a_number() {
        for number in
            [0, 1, 31, 32, 1 << 60, (1 << 60) - 1, 1 << 120, u128::MAX, 0x0123_4567_89ab_cdef_0011_2233_4455_6677]
        {
            let id = text("permit", number);
            assert!(is_id("permit", &id));
            assert_eq!(parts(&id), Some(("permit", number)));
        }
        assert_eq!(parts("a_b_00000000000000000000000001"), Some(("a_b", 1)));
        assert_eq!(parts("_00000000000000000000000001"), Some(("", 1)));
        for other in [
            "",
            "_",
            "00000000000000000000000001",
            "dec_0000000000000000000000001",
            "dec-00000000000000000000000001",
            // Not one more than 128 bits have, not small letters, none that are not in the alphabet.
            "dec_80000000000000000000000000",
            "dec_0000000000000000000000000a",
            "dec_0000000000000000000000000I",
            "dec_0000000000000000000000000\u{e9}",
            "\u{e9}0000000000000000000000000",
        ] {
            assert_eq!(parts(other), None, "{other}");
        }
    }
}

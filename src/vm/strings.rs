//! Finding a string's number by its text: an open-addressed table over texts that lie elsewhere.
//!
//! Only strings of programs and stores are ever put in, never those of requests. The seed is fixed, so that nothing
//! depends on chance.

/// A table of numbers, found by the texts that they stand for.
#[derive(Clone, Debug, Default)]
pub struct StringIndex {
    /// Hash and number; the number `EMPTY` marks a free place. The length is zero or a power of two.
    places: Vec<(u32, u32)>,
    len: usize,
}

const EMPTY: u32 = u32::MAX;

impl StringIndex {
    /// A table with room for so many.
    #[must_use]
    pub fn with_capacity(count: usize) -> StringIndex {
        let mut index = StringIndex::default();
        index.grow(count);
        index
    }

    /// The number whose text this is; `text_of` gives the text of a number that was inserted.
    #[inline]
    pub fn find<'t>(&self, text: &str, text_of: impl Fn(u32) -> &'t str) -> Option<u32> {
        self.find_hashed(hash(text.as_bytes()), text, text_of)
    }

    /// The same for who looks in several tables and knows the [`hash`] of the text.
    #[inline]
    pub fn find_hashed<'t>(&self, hash: u32, text: &str, text_of: impl Fn(u32) -> &'t str) -> Option<u32> {
        let mask = self.places.len().checked_sub(1)?;
        let mut at = hash as usize & mask;
        loop {
            let (other, number) = self.places[at];
            if number == EMPTY {
                return None;
            }
            if other == hash && text_of(number) == text {
                return Some(number);
            }
            at = (at + 1) & mask;
        }
    }

    /// Puts in a number whose text is not there yet.
    pub fn insert(&mut self, text: &str, number: u32) {
        if (self.len + 1) * 2 > self.places.len() {
            self.grow(self.len + 1);
        }
        self.put(hash(text.as_bytes()), number);
        self.len += 1;
    }

    fn put(&mut self, hash: u32, number: u32) {
        let mask = self.places.len() - 1;
        let mut at = hash as usize & mask;
        while self.places[at].1 != EMPTY {
            at = (at + 1) & mask;
        }
        self.places[at] = (hash, number);
    }

    /// At most half of the places are ever taken.
    fn grow(&mut self, count: usize) {
        let size = (count * 2).next_power_of_two().max(8);
        let old = std::mem::replace(&mut self.places, vec![(0, EMPTY); size]);
        for (hash, number) in old {
            if number != EMPTY {
                self.put(hash, number);
            }
        }
    }
}

/// A quick hash of good spread: eight bytes at a time, each folded in by a wide multiplication.
#[inline]
#[must_use]
pub fn hash(bytes: &[u8]) -> u32 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut state = 0x2545_f491_4f6c_dd1d ^ bytes.len() as u64;
    let fold = |state: u64, word: u64| {
        let product = u128::from(state ^ word) * u128::from(FACTOR);
        product as u64 ^ (product >> 64) as u64
    };
    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        let mut word = [0; 8];
        word.copy_from_slice(chunk);
        state = fold(state, u64::from_le_bytes(word));
    }
    let rest = chunks.remainder();
    let mut word = [0; 8];
    word[..rest.len()].copy_from_slice(rest);
    state = fold(state, u64::from_le_bytes(word));
    (state >> 32) as u32 ^ state as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_put_in_and_nothing_else() {
        let texts: Vec<String> = (0..5_000).map(|number| format!("name-{number}")).collect();
        let mut index = StringIndex::default();
        assert_eq!(index.find("name-1", |_| ""), None);
        for (at, text) in texts.iter().enumerate() {
            index.insert(text, at as u32);
        }
        for (at, text) in texts.iter().enumerate() {
            assert_eq!(index.find(text, |number| &texts[number as usize]), Some(at as u32));
        }
        for text in ["", "name-", "name-5000", "NAME-1"] {
            assert_eq!(index.find(text, |number| &texts[number as usize]), None);
        }
        assert_eq!(index.len, 5_000);
    }
}

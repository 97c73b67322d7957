//! Where the quotes and the escapes of a JSON text stand, found sixty-four bytes at a time: a bit for each byte. Who goes from
//! quote to quote then has not to look at what is between.

/// How many bytes have their bits in one word.
const WORD: usize = 64;

/// The marks of a text.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// Quotes that begin or end a string.
    quotes: Vec<u64>,
    /// Backslashes that begin an escape.
    escapes: Vec<u64>,
    has_other_escapes: bool,
}

impl Marks {
    /// Marks a text, in the room of the one before. `None` if it has control characters, which canonical JSON has not.
    pub(super) fn of(&mut self, text: &[u8]) -> Option<()> {
        let (blocks, rest) = text.as_chunks::<WORD>();
        let mut last = [b' '; WORD];
        last.get_mut(..rest.len())?.copy_from_slice(rest);
        let last = if rest.is_empty() { None } else { Some(&last) };
        let count = text.len().div_ceil(WORD);
        self.quotes.resize(count, 0);
        self.escapes.resize(count, 0);
        let mut is_behind_escape = false;
        let (mut has_control, mut others) = (false, 0);
        let places = self.quotes.iter_mut().zip(&mut self.escapes);
        for (block, (quotes_at, escapes_at)) in blocks.iter().chain(last).zip(places) {
            let found = classify(block);
            has_control |= found.has_control;
            let escapes = escapes(found.backslashes, is_behind_escape);
            let escaped = escapes.wrapping_shl(1) | u64::from(is_behind_escape);
            is_behind_escape = escapes.leading_zeros() == 0;
            others |= escaped & !(found.quotes | found.backslashes);
            *quotes_at = found.quotes & !escaped;
            *escapes_at = escapes;
        }
        self.has_other_escapes = others != 0;
        (!has_control).then_some(())
    }

    /// Whether something else than quotes and backslashes is escaped.
    pub(super) fn has_other_escapes(&self) -> bool {
        self.has_other_escapes
    }

    /// All quotes, from the first on.
    pub(super) fn quotes(&self) -> Places<'_> {
        Places::from(&self.quotes, 0)
    }

    /// The first quote at a place or behind it.
    pub(super) fn quote(&self, from: usize) -> Option<usize> {
        Places::from(&self.quotes, from).next()
    }

    /// The escapes from a place on.
    pub(super) fn escapes(&self, from: usize) -> Places<'_> {
        Places::from(&self.escapes, from)
    }
}

/// Places that are marked, in order.
#[derive(Clone, Debug)]
pub(super) struct Places<'m> {
    words: &'m [u64],
    /// The place of the first bit of `word`.
    base: usize,
    /// What is left of the word that we are in.
    word: u64,
}

impl<'m> Places<'m> {
    fn from(words: &'m [u64], from: usize) -> Places<'m> {
        let (first, bit) = (from.div_euclid(WORD), from.rem_euclid(WORD));
        let words = words.get(first..).unwrap_or_default();
        let (word, words) = words.split_first().map_or((0, words), |(word, words)| (*word, words));
        let kept = u64::MAX.wrapping_shl(u32::try_from(bit).unwrap_or(0));
        Places { words, base: first.saturating_mul(WORD), word: word & kept }
    }
}

impl Iterator for Places<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.word == 0 {
            let (word, words) = self.words.split_first()?;
            (self.word, self.words) = (*word, words);
            self.base = self.base.saturating_add(WORD);
        }
        let bit = self.word.trailing_zeros() as usize;
        self.word &= self.word.wrapping_sub(1);
        Some(self.base.saturating_add(bit))
    }
}

/// The backslashes that begin an escape: every other one of those that stand together, from the first on, or from the second
/// where the first is escaped itself.
#[inline]
fn escapes(backslashes: u64, is_first_escaped: bool) -> u64 {
    if backslashes == 0 {
        return 0;
    }
    const ODD: u64 = 0xaaaa_aaaa_aaaa_aaaa;
    let free = backslashes & !u64::from(is_first_escaped);
    // A subtraction borrows through each row of backslashes, so that what is behind it tells whether the row began at an
    // even or at an odd place; and with that which of them begin something.
    let codes = (free.wrapping_shl(1) | ODD).wrapping_sub(free) ^ ODD;
    codes & backslashes & !u64::from(is_first_escaped)
}

/// What stands in a block, a bit for each byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Block {
    quotes: u64,
    backslashes: u64,
    has_control: bool,
}

#[inline(always)]
fn classify(block: &[u8; WORD]) -> Block {
    let has_control = block.iter().fold(false, |any, &byte| any | (byte < 0x20));
    Block { quotes: find(block, b'"'), backslashes: find(block, b'\\'), has_control }
}

/// The bytes that are this one. Written so that bytes are compared many at once, without asking for any processor.
#[inline(always)]
fn find(block: &[u8; WORD], of: u8) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let mut found = [0_u8; WORD];
    found.iter_mut().zip(block).for_each(|(found, byte)| *found = if *byte == of { 0xff } else { 0 });
    let (words, _) = found.as_chunks::<8>();
    // Of each row of eight bytes another bit is kept, so that all rows have room in one: with a bit for each byte, but those
    // of a column together.
    let bits = (0..).zip(words).fold(0, |bits, (row, word)| bits | u64::from_le_bytes(*word) & ONES.wrapping_shl(row));
    transposed(bits)
}

/// Eight rows of eight bits as columns: squares of one, two and four bits change places with those across.
#[inline(always)]
fn transposed(bits: u64) -> u64 {
    [(7, 0x00aa_00aa_00aa_00aa), (14, 0x0000_cccc_0000_cccc), (28, 0x0000_0000_f0f0_f0f0_u64)].into_iter().fold(
        bits,
        |bits, (by, squares)| {
            let changed = (bits ^ bits.wrapping_shr(by)) & squares;
            bits ^ changed ^ changed.wrapping_shl(by)
        },
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same, a byte after the other.
    fn slowly(text: &[u8]) -> (Vec<usize>, Vec<usize>) {
        let (mut quotes, mut escapes, mut at) = (Vec::new(), Vec::new(), 0);
        while at < text.len() {
            match text[at] {
                b'\\' => {
                    escapes.push(at);
                    at += 1;
                }
                b'"' => quotes.push(at),
                _ => {}
            }
            at += 1;
        }
        (quotes, escapes)
    }

    proptest! {
        #[test]
        fn what_is_marked_is_what_stands_there(text in "[a\"\\\\é]{0,300}", from in 0..300_usize) {
            let mut marks = Marks::default();
            prop_assert_eq!(marks.of(text.as_bytes()), Some(()));
            let (quotes, escapes) = slowly(text.as_bytes());
            prop_assert_eq!(marks.quotes().collect::<Vec<_>>(), quotes);
            let others = |at_end: bool| escapes.iter().any(|at| {
                text.as_bytes().get(at + 1).map_or(at_end, |escaped| !matches!(escaped, b'"' | b'\\'))
            });
            // Of an escape at the end nothing is known.
            prop_assert!(marks.has_other_escapes() == others(false) || marks.has_other_escapes() == others(true));
            let behind: Vec<usize> = escapes.into_iter().filter(|at| *at >= from).collect();
            prop_assert_eq!(marks.escapes(from).collect::<Vec<_>>(), behind);
        }

        #[test]
        fn no_byte_is_taken_for_another(bytes in prop::collection::vec(
            prop_oneof![Just(b'"'), Just(b'\\'), Just(0x1f_u8), Just(0x20), Just(0xa2), Just(0xdc), any::<u8>()], WORD
        )) {
            let block = <[u8; WORD]>::try_from(bytes).expect("there are as many");
            let bits = |byte: u8| (0..).zip(&block).filter(|(_, of)| **of == byte).map(|(bit, _)| 1_u64 << bit).sum();
            let has_control = block.iter().any(|byte| *byte < 0x20);
            prop_assert_eq!(classify(&block), Block { quotes: bits(b'"'), backslashes: bits(b'\\'), has_control });
        }
    }

    #[test]
    fn rows_of_backslashes_go_on_over_the_end_of_a_word() {
        for before in 0..130 {
            for row in 0..70 {
                let text = format!("{}{}\"", "x".repeat(before), "\\".repeat(row));
                let mut marks = Marks::default();
                marks.of(text.as_bytes()).expect("there are no control characters");
                let (quotes, escapes) = slowly(text.as_bytes());
                assert_eq!((marks.quotes().collect(), marks.escapes(0).collect()), (quotes, escapes), "{before} {row}");
            }
        }
    }

    #[test]
    fn control_characters_are_seen_wherever_they_stand() {
        for at in 0..200 {
            let mut text = "x".repeat(200).into_bytes();
            text[at] = 0x1f;
            assert_eq!(Marks::default().of(&text), None, "{at}");
        }
    }
}

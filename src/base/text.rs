//! Texts that are put together of many short pieces, as canonical JSON is.
//!
//! A [`String`] makes sure of its room before each piece, and a colon costs as much as a sentence. A [`Text`] has room that
//! is there: a piece whose length is known where it is written costs a comparison and the stores. What writes pieces takes
//! either, by [`Pieces`].

use std::mem;

/// What stands where nothing is yet. No zero: allocators look for pages of those, which is slower than to fill a few bytes.
const BLANK: u8 = b' ';

/// What takes pieces, one behind the other.
pub trait Pieces {
    /// Appends a piece.
    fn push_str(&mut self, piece: &str);

    /// Appends a character.
    fn push(&mut self, character: char);

    /// Appends characters of ASCII; of anything else, nothing.
    fn push_ascii(&mut self, piece: &[u8]);
}

impl Pieces for String {
    #[inline]
    fn push_str(&mut self, piece: &str) {
        String::push_str(self, piece);
    }

    #[inline]
    fn push(&mut self, character: char) {
        String::push(self, character);
    }

    #[inline]
    fn push_ascii(&mut self, piece: &[u8]) {
        String::push_str(self, std::str::from_utf8(piece).unwrap_or_default());
    }
}

/// A text whose bytes are wanted when it is whole.
#[derive(Debug, Default)]
pub struct Text {
    /// What is used of it, and blanks.
    room: Vec<u8>,
    used: usize,
}

impl Text {
    /// An empty one with room for so many bytes.
    #[must_use]
    pub fn with_room(bytes: usize) -> Text {
        let mut room = Vec::with_capacity(bytes);
        room.resize(bytes, BLANK);
        Text { room, used: 0 }
    }

    /// Empties it. Of its room so many bytes are kept for the next one.
    pub fn clear(&mut self, kept: usize) {
        self.used = 0;
        self.room.truncate(kept);
        self.room.shrink_to(kept);
    }

    /// What is in it: UTF-8.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.room.get(..self.used).unwrap_or_default()
    }

    /// The same, and nothing behind it.
    #[must_use]
    pub fn into_bytes(mut self) -> Vec<u8> {
        self.room.truncate(self.used);
        self.room
    }

    /// What is cut off is as long as the piece, which the compiler sees: so it copies a known piece by a store or two.
    #[inline(always)]
    fn push_bytes(&mut self, piece: &[u8]) {
        let rest = self.room.get_mut(self.used..);
        match rest.and_then(|rest| rest.split_at_mut_checked(piece.len())) {
            Some((place, _)) => {
                // Not `copy_from_slice`: that is a call, for which every piece is one of any length.
                place.iter_mut().zip(piece).for_each(|(to, from)| *to = *from);
                self.used += piece.len();
            }
            None => self.push_grown(piece),
        }
    }

    #[cold]
    #[inline(never)]
    fn push_grown(&mut self, piece: &[u8]) {
        let mut room = mem::take(&mut self.room);
        room.truncate(self.used);
        room.extend_from_slice(piece);
        self.used = room.len();
        // All that is there already, or twice as much.
        room.resize(room.capacity().max(room.len().saturating_mul(2)), BLANK);
        self.room = room;
    }
}

impl Pieces for Text {
    #[inline(always)]
    fn push_str(&mut self, piece: &str) {
        self.push_bytes(piece.as_bytes());
    }

    #[inline(always)]
    fn push(&mut self, character: char) {
        self.push_bytes(character.encode_utf8(&mut [0; 4]).as_bytes());
    }

    #[inline(always)]
    fn push_ascii(&mut self, piece: &[u8]) {
        if piece.is_ascii() {
            self.push_bytes(piece);
        }
    }
}

/// All pairs of digits, in the order of the numbers that they say. To look up two at once takes half the steps.
#[must_use]
pub const fn pairs<const DIGITS: usize, const PAIRS: usize>(digits: &[u8; DIGITS]) -> [[u8; 2]; PAIRS] {
    assert!(PAIRS == DIGITS * DIGITS, "each has two digits");
    let mut pairs = [[0; 2]; PAIRS];
    let mut number = 0;
    while number < PAIRS {
        pairs[number] = [digits[number / DIGITS], digits[number % DIGITS]];
        number += 1;
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(out: &mut impl Pieces, times: usize) {
        for piece in ["", "a", "{\"b\":", "é漢😀", "a longer piece, which is copied"].iter().cycle().take(times) {
            out.push_str(piece);
            out.push(',');
            out.push('漢');
            out.push_ascii(b"0123");
            out.push_ascii(&[b'0', 0xc3]);
        }
    }

    #[test]
    fn it_is_what_a_string_is() {
        for (room, times) in [(0, 0), (0, 1), (1, 40), (64, 40), (4_096, 40)] {
            let (mut text, mut string) = (Text::with_room(room), String::new());
            write(&mut text, times);
            write(&mut string, times);
            assert_eq!(text.as_bytes(), string.as_bytes());
            assert_eq!(text.into_bytes(), string.into_bytes());
        }
    }

    #[test]
    fn what_was_in_it_is_gone() {
        let mut text = Text::default();
        write(&mut text, 40);
        text.clear(16);
        assert_eq!((text.as_bytes(), text.room.len()), (&[][..], 16));
        write(&mut text, 3);
        let mut other = String::new();
        write(&mut other, 3);
        assert_eq!(text.as_bytes(), other.as_bytes());
    }
}

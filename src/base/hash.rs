//! Digests of contents: SHA-256 and how it is written.

use std::fmt;

use sha2::{Digest as _, Sha256};

use super::text::{Pieces, pairs};

/// What stands before the digits.
const PREFIX: &str = "sha256:";

/// A SHA-256 digest; shown as `sha256:` and 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Digest {
        Digest(Sha256::digest(bytes).into())
    }

    /// The digest of some bytes in parts, one behind the other.
    #[must_use]
    pub fn of_parts(parts: &[&[u8]]) -> Digest {
        let hash = parts.iter().fold(Sha256::new(), |hash, part| hash.chain_update(part));
        Digest(hash.finalize().into())
    }
}

/// A digest in the making, of bytes that come one behind the other. It can be kept and gone on from more than once.
#[derive(Clone, Default)]
pub struct Hasher(Sha256);

impl Hasher {
    /// Goes on with some bytes.
    pub fn add(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all that was added.
    #[must_use]
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hasher")
    }
}

impl Digest {
    /// The digest of a text as it is shown; no other way of writing it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Digest> {
        let digits = text.strip_prefix(PREFIX)?;
        let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
        let mut bytes = [0; 32];
        if pairs.len() != bytes.len() || !rest.is_empty() {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(pairs) {
            let digit = |digit: u8| char::from(digit).to_digit(16).filter(|_| !digit.is_ascii_uppercase());
            *byte = (digit(pair[0])? << 4 | digit(pair[1])?) as u8;
        }
        Some(Digest(bytes))
    }
}

/// All digits at once: entries of the log have many digests, and a call of the formatter for each byte is most of the work.
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PREFIX)?;
        f.write_str(std::str::from_utf8(&self.digits()).unwrap_or_default())
    }
}

/// The two digits of each byte.
static PAIRS: [[u8; 2]; 256] = pairs(b"0123456789abcdef");

impl Digest {
    /// Appends it as it is shown.
    #[inline]
    pub fn push(&self, out: &mut impl Pieces) {
        out.push_str(PREFIX);
        out.push_ascii(&self.digits());
    }

    /// Its digits.
    #[inline]
    pub(crate) fn digits(&self) -> [u8; 64] {
        let mut text = [0; 64];
        for (pair, byte) in text.as_chunks_mut::<2>().0.iter_mut().zip(self.0) {
            *pair = PAIRS[usize::from(byte)];
        }
        text
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back() {
        let digest = Digest::of(b"x");
        let text = digest.to_string();
        assert_eq!(text, "sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881");
        assert_eq!(Digest::parse(&text), Some(digest));
        let mut pushed = ">".to_owned();
        digest.push(&mut pushed);
        assert_eq!(pushed, format!(">{text}"));
        for other in
            [&text[1..], &text[..text.len() - 1], &format!("{text}0"), &text.to_uppercase(), &text.replace('2', "g")]
        {
            assert_eq!(Digest::parse(other), None, "{other}");
        }
    }
}

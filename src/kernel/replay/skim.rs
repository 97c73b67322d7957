//! Reading entries as fast as they can be taken apart: where the members of a body stand, and nothing built.
//!
//! It does not check that an entry is canonical, which is what a verification does. What is told apart here is either
//! compared byte by byte with what ought to stand there, or read strictly by whoever takes it; so a text that is no entry
//! can't be taken for a decision that is right. Keys stand in order and so none stands twice.

use crate::base::limits::ENTRY_BYTES_MAX;
use crate::vm::json::{find_special, first_special};

macro_rules! names {
    ($($name:ident $text:literal)*) => {
        /// The members that a body of a decision may have, in their order in the log.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Name {
            $($name,)*
        }

        impl Name {
            const COUNT: usize = [$($text),*].len();
            const TEXTS: [&'static str; Name::COUNT] = [$($text),*];

            /// As it stands in the log.
            pub(super) fn text(self) -> &'static str {
                match self {
                    $(Name::$name => $text,)*
                }
            }
        }
    };
}

names! {
    Answer "answer"
    Bundle "bundle"
    Codes "codes"
    Committed "committed"
    Digests "digests"
    Enforced "enforced"
    Error "error"
    Facts "facts"
    Gate "gate"
    Gates "gates"
    Given "given"
    Kind "kind"
    Mode "mode"
    Obligations "obligations"
    Of "of"
    Principal "principal"
    Registry "registry"
    Request "request"
    Rules "rules"
    Shadow "shadow"
    Trouble "trouble"
}

/// A part of a text: from, to.
type Place = (usize, usize);

/// The same in an entry, which has fewer bytes than that; nothing begins where the entry does.
type Short = (u32, u32);

/// An entry, taken apart.
#[derive(Clone, Debug)]
pub(super) struct Skimmed {
    /// Where it stands in the log.
    pub(super) at: u64,
    /// All of it.
    pub(super) text: String,
    places: [Short; Name::COUNT],
    id: Place,
    kind: Place,
    /// Whether the body has a member that decisions don't have.
    pub(super) is_strange: bool,
}

impl Skimmed {
    /// Takes an entry apart. Gives its bytes back if it is not written as entries are.
    pub(super) fn read(at: u64, bytes: Vec<u8>) -> Result<Skimmed, Vec<u8>> {
        if bytes.len() > ENTRY_BYTES_MAX {
            return Err(bytes);
        }
        let text = String::from_utf8(bytes).map_err(std::string::FromUtf8Error::into_bytes)?;
        let mut skimmed =
            Skimmed { at, text, places: [(0, 0); Name::COUNT], id: (0, 0), kind: (0, 0), is_strange: false };
        match skimmed.places() {
            Some(()) => Ok(skimmed),
            None => Err(skimmed.text.into_bytes()),
        }
    }

    fn places(&mut self) -> Option<()> {
        let mut skim = Skim { bytes: self.text.as_bytes(), at: 0 };
        skim.expect(b"{\"body\":")?;
        let (places, text) = (&mut self.places, &self.text);
        let mut next = 0;
        let mut is_strange = false;
        skim.object(|(from, to), value| {
            let name = text.get(from..to);
            let found = Name::TEXTS.iter().skip(next).position(|known| Some(*known) == name);
            match found {
                Some(found) => {
                    next = found.saturating_add(next);
                    if let Some(place) = places.get_mut(next) {
                        *place = (u32::try_from(value.0).unwrap_or(0), u32::try_from(value.1).unwrap_or(0));
                    }
                }
                None => is_strange = true,
            }
        })?;
        self.is_strange = is_strange;
        skim.expect(b",\"id\":")?;
        self.id = skim.string()?;
        skim.expect(b",\"index\":")?;
        skim.value()?;
        skim.expect(b",\"kind\":")?;
        self.kind = skim.string()?;
        skim.expect(b",\"links\":")?;
        skim.value()?;
        skim.expect(b",\"time\":")?;
        skim.value()?;
        skim.expect(b",\"version\":1}")?;
        (skim.at == skim.bytes.len()).then_some(())
    }

    fn text_at(&self, (from, to): Place) -> &str {
        self.text.get(from..to).unwrap_or_default()
    }

    /// The id, as it is written.
    pub(super) fn id(&self) -> &str {
        self.text_at(self.id)
    }

    /// The name of the kind.
    pub(super) fn kind(&self) -> &str {
        self.text_at(self.kind)
    }

    /// The text of a member of the body.
    pub(super) fn member(&self, name: Name) -> Option<&str> {
        let &(from, to) = self.places.get(name as usize)?;
        (from > 0).then(|| self.text.get(from as usize..to as usize).unwrap_or_default())
    }
}

/// What a string in the log stands for, where it is written behind its first quote and before its last one; appended.
///
/// Eight bytes are taken at once, and as many are gone on by as stood before the next escape.
pub(super) fn unescape(inside: &str, out: &mut Vec<u8>) -> Option<()> {
    let inside = inside.as_bytes();
    let (mut from, mut to) = (0_usize, out.len());
    // What it stands for is never longer.
    out.resize(to.checked_add(inside.len())?.checked_add(WORD)?, 0);
    while from < inside.len() {
        let plain = match inside.get(from..).and_then(<[u8]>::first_chunk::<WORD>) {
            Some(word) => {
                *out.get_mut(to..)?.first_chunk_mut::<WORD>()? = *word;
                first_special(*word).unwrap_or(WORD)
            }
            None => {
                let rest = inside.get(from..)?;
                let plain = find_special(rest);
                out.get_mut(to..to.checked_add(plain)?)?.copy_from_slice(rest.get(..plain)?);
                plain
            }
        };
        (from, to) = (from.checked_add(plain)?, to.checked_add(plain)?);
        if plain == WORD || from == inside.len() {
            continue;
        }
        let &[b'\\', escape, ref rest @ ..] = inside.get(from..)? else { return None };
        // Nearly all are quotes.
        if matches!(escape, b'"' | b'\\') {
            *out.get_mut(to)? = escape;
            (from, to) = (from.checked_add(2)?, to.checked_add(1)?);
            continue;
        }
        let (character, length) = match escape {
            b'b' => ('\u{8}', 2),
            b'f' => ('\u{c}', 2),
            b'n' => ('\n', 2),
            b'r' => ('\r', 2),
            b't' => ('\t', 2),
            b'u' => {
                let digits = std::str::from_utf8(rest.get(..4)?).ok()?;
                (char::from(u8::from_str_radix(digits, 16).ok()?), 6)
            }
            _ => return None,
        };
        let mut bytes = [0; 4];
        for &byte in character.encode_utf8(&mut bytes).as_bytes() {
            *out.get_mut(to)? = byte;
            to = to.checked_add(1)?;
        }
        from = from.checked_add(length)?;
    }
    out.truncate(to);
    Some(())
}

/// How many bytes are looked at at once.
const WORD: usize = 8;

struct Skim<'t> {
    bytes: &'t [u8],
    at: usize,
}

impl Skim<'_> {
    fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn step(&mut self, by: usize) {
        self.at = self.at.saturating_add(by);
    }

    fn expect(&mut self, what: &[u8]) -> Option<()> {
        if !self.rest().starts_with(what) {
            return None;
        }
        self.step(what.len());
        Some(())
    }

    /// Passes a string; gives where its inside is.
    fn string(&mut self) -> Option<Place> {
        self.expect(b"\"")?;
        let from = self.at;
        loop {
            self.step(find_special(self.rest()));
            match self.peek()? {
                b'"' => {
                    let to = self.at;
                    self.step(1);
                    return Some((from, to));
                }
                b'\\' => self.step(2),
                _ => return None,
            }
        }
    }

    /// Passes a value; gives where it is.
    fn value(&mut self) -> Option<Place> {
        let from = self.at;
        match self.peek()? {
            b'"' => _ = self.string()?,
            b'{' | b'[' => {
                let mut depth: usize = 0;
                loop {
                    let found = self.rest().iter().position(|byte| matches!(byte, b'"' | b'{' | b'[' | b'}' | b']'))?;
                    self.step(found);
                    match self.peek()? {
                        b'"' => _ = self.string()?,
                        b'{' | b'[' => {
                            depth = depth.checked_add(1)?;
                            self.step(1);
                        }
                        _ => {
                            depth = depth.checked_sub(1)?;
                            self.step(1);
                            if depth == 0 {
                                break;
                            }
                        }
                    }
                }
            }
            _ => {
                let length = self.rest().iter().position(|byte| matches!(byte, b',' | b'}' | b']'))?;
                self.step(length);
            }
        }
        Some((from, self.at))
    }

    /// Passes an object, and shows where the inside of each key, and each value, is. Keys are plain and in order.
    fn object(&mut self, mut member: impl FnMut(Place, Place)) -> Option<()> {
        self.expect(b"{")?;
        if self.expect(b"}").is_some() {
            return Some(());
        }
        let mut before: &[u8] = b"";
        loop {
            let (from, to) = self.string()?;
            let key = self.bytes.get(from..to)?;
            if key <= before || key.iter().any(|byte| !byte.is_ascii() || *byte == b'\\') {
                return None;
            }
            before = key;
            self.expect(b":")?;
            let value = self.value()?;
            member((from, to), value);
            if self.expect(b"}").is_some() {
                return Some(());
            }
            self.expect(b",")?;
        }
    }
}

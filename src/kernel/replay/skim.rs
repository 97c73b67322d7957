//! Reading entries as fast as they can be taken apart: where the members of a body stand, and nothing built.
//!
//! It does not check that an entry is canonical, which is what a verification does. What is told apart here is either
//! compared byte by byte with what ought to stand there, or read strictly by whoever takes it; so a text that is no entry
//! can't be taken for a decision that is right. Keys stand in order and so none stands twice.
//!
//! The entries of a round lie in one [`Page`], and so does what was asked, without the escapes of the log: a page is used
//! again and again, and nothing is allocated for a single entry.

use super::marks::{Marks, Places};
use crate::base::limits::ENTRY_BYTES_MAX;

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

/// Entries, one behind the other.
#[derive(Debug, Default)]
pub(super) struct Page {
    text: String,
    /// Requests and facts, as they were.
    asked: Vec<u8>,
    entries: Vec<Skimmed>,
    marks: Marks,
}

/// An entry, taken apart.
#[derive(Clone, Debug)]
struct Skimmed {
    at: u64,
    /// All of it, on its page.
    text: Place,
    places: [Short; Name::COUNT],
    id: Place,
    kind: Place,
    request: Option<Place>,
    facts: Option<Place>,
    is_strange: bool,
}

/// An entry on its page.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look<'p> {
    page: &'p Page,
    entry: &'p Skimmed,
}

impl Page {
    /// Forgets all entries and keeps the room.
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.asked.clear();
        self.entries.clear();
    }

    /// Takes an entry apart and keeps it, under a number. `None` if it is not written as entries are.
    pub(super) fn add(&mut self, at: u64, bytes: &[u8]) -> Option<u32> {
        if bytes.len() > ENTRY_BYTES_MAX {
            return None;
        }
        let text = std::str::from_utf8(bytes).ok()?;
        self.marks.of(bytes)?;
        let from = self.text.len();
        let to = from.checked_add(text.len())?;
        let mut skimmed = Skimmed {
            at,
            text: (from, to),
            places: [(0, 0); Name::COUNT],
            id: (0, 0),
            kind: (0, 0),
            request: None,
            facts: None,
            is_strange: false,
        };
        skimmed.find(text, &self.marks)?;
        if !skimmed.has(Name::Committed) && !skimmed.has(Name::Given) {
            skimmed.request = skimmed.unescape(Name::Request, text, &self.marks, &mut self.asked);
            skimmed.facts = skimmed.unescape(Name::Facts, text, &self.marks, &mut self.asked);
        }
        self.text.push_str(text);
        self.entries.push(skimmed);
        u32::try_from(self.entries.len().checked_sub(1)?).ok()
    }

    /// Forgets the entry that was added last.
    pub(super) fn forget(&mut self) {
        if let Some(last) = self.entries.pop() {
            self.text.truncate(last.text.0);
            let asked = [last.request, last.facts].into_iter().flatten().map(|(from, _)| from).min();
            self.asked.truncate(asked.unwrap_or(self.asked.len()));
        }
    }

    /// An entry that was kept.
    pub(super) fn get(&self, number: u32) -> Option<Look<'_>> {
        Some(Look { page: self, entry: self.entries.get(number as usize)? })
    }
}

impl<'p> Look<'p> {
    /// Where it stands in the log.
    pub(super) fn at(self) -> u64 {
        self.entry.at
    }

    /// All of it.
    pub(super) fn text(self) -> &'p str {
        let (from, to) = self.entry.text;
        self.page.text.get(from..to).unwrap_or_default()
    }

    /// Whether the body has a member that decisions don't have.
    pub(super) fn is_strange(self) -> bool {
        self.entry.is_strange
    }

    /// The id, as it is written.
    pub(super) fn id(self) -> &'p str {
        self.part(self.entry.id)
    }

    /// The name of the kind.
    pub(super) fn kind(self) -> &'p str {
        self.part(self.entry.kind)
    }

    /// The text of a member of the body.
    pub(super) fn member(self, name: Name) -> Option<&'p str> {
        let &(from, to) = self.entry.places.get(name as usize)?;
        (from > 0).then(|| self.part((from as usize, to as usize)))
    }

    /// The request, as it was, if nothing of the entry is hidden and it can be read.
    pub(super) fn request(self) -> Option<&'p [u8]> {
        self.page.asked_at(self.entry.request?)
    }

    /// The facts, in the same way.
    pub(super) fn facts(self) -> Option<&'p [u8]> {
        self.page.asked_at(self.entry.facts?)
    }

    fn part(self, (from, to): Place) -> &'p str {
        self.text().get(from..to).unwrap_or_default()
    }
}

impl Page {
    fn asked_at(&self, (from, to): Place) -> Option<&[u8]> {
        self.asked.get(from..to)
    }
}

impl Skimmed {
    fn find(&mut self, text: &str, marks: &Marks) -> Option<()> {
        let mut skim = Skim { bytes: text.as_bytes(), at: 0, quotes: marks.quotes() };
        skim.expect(b"{")?;
        skim.key(b"body")?;
        let places = &mut self.places;
        let mut next = 0;
        let mut is_strange = false;
        skim.object(|key, value| {
            let found = Name::TEXTS.iter().skip(next).position(|known| known.as_bytes() == key);
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
        skim.expect(b",")?;
        skim.key(b"id")?;
        self.id = skim.string()?;
        skim.expect(b",")?;
        skim.key(b"index")?;
        skim.value()?;
        skim.expect(b",")?;
        skim.key(b"kind")?;
        self.kind = skim.string()?;
        skim.expect(b",")?;
        skim.key(b"links")?;
        skim.value()?;
        skim.expect(b",")?;
        skim.key(b"time")?;
        skim.value()?;
        skim.expect(b",")?;
        skim.key(b"version")?;
        skim.expect(b"1}")?;
        (skim.at == skim.bytes.len()).then_some(())
    }

    fn has(&self, name: Name) -> bool {
        self.places.get(name as usize).is_some_and(|(from, _)| *from > 0)
    }

    /// Appends what a member that is a text was. Where it is now, if it is one.
    fn unescape(&self, name: Name, text: &str, marks: &Marks, asked: &mut Vec<u8>) -> Option<Place> {
        let &(from, to) = self.places.get(name as usize)?;
        let inside = text.get(from as usize..to as usize)?.strip_prefix(TEXT)?.strip_suffix("\"}")?;
        let start = asked.len();
        let first = (from as usize).checked_add(TEXT.len())?;
        let end = first.checked_add(inside.len())?;
        if marks.quote(first) != Some(end) {
            return None;
        }
        match unescape(text.as_bytes(), (first, end), marks, asked) {
            Some(()) => Some((start, asked.len())),
            None => {
                asked.truncate(start);
                None
            }
        }
    }
}

/// What a value stands for that is a string.
pub(super) fn text_of(value: &str) -> Option<String> {
    let mut marks = Marks::default();
    marks.of(value.as_bytes())?;
    let (first, end) = (1, value.len().checked_sub(1)?);
    if marks.quotes().take(3).ne([0, end]) {
        return None;
    }
    let mut text = Vec::new();
    unescape(value.as_bytes(), (first, end), &marks, &mut text)?;
    String::from_utf8(text).ok()
}

/// What stands before a text.
const TEXT: &str = "{\"text\":\"";

/// How many bytes are copied at once.
const CHUNK: usize = 16;

/// What a string in the log stands for, where it is written behind its first quote and before its last one; appended.
fn unescape(text: &[u8], (from, end): Place, marks: &Marks, out: &mut Vec<u8>) -> Option<()> {
    let (mut from, mut to) = (from, out.len());
    // What it stands for is never longer.
    out.resize(to.checked_add(end.checked_sub(from)?)?.checked_add(CHUNK)?, 0);
    for next in marks.escapes(from).take_while(|next| *next < end) {
        let length = next.checked_sub(from)?;
        copy(text.get(from..)?, length, out.get_mut(to..)?)?;
        to = to.checked_add(length)?;
        let &[_, escape, ref rest @ ..] = text.get(next..end)? else { return None };
        // Nearly all are quotes.
        if matches!(escape, b'"' | b'\\') {
            *out.get_mut(to)? = escape;
            (from, to) = (next.checked_add(2)?, to.checked_add(1)?);
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
        from = next.checked_add(length)?;
    }
    let length = end.checked_sub(from)?;
    copy(text.get(from..)?, length, out.get_mut(to..)?)?;
    out.truncate(to.checked_add(length)?);
    Some(())
}

/// Copies so many bytes; what lies behind them in `to` may be overwritten.
#[inline]
fn copy(from: &[u8], length: usize, to: &mut [u8]) -> Option<()> {
    match (from.first_chunk::<CHUNK>(), to.first_chunk_mut::<CHUNK>()) {
        (Some(from), Some(to)) if length <= CHUNK => *to = *from,
        _ => to.get_mut(..length)?.copy_from_slice(from.get(..length)?),
    }
    Some(())
}

// INVARIANT: `quotes` are those from `at` on, as far as they stand outside of what was passed.
struct Skim<'t> {
    bytes: &'t [u8],
    at: usize,
    quotes: Places<'t>,
}

impl<'t> Skim<'t> {
    fn rest(&self) -> &'t [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn step(&mut self, by: usize) {
        self.at = self.at.saturating_add(by);
    }

    /// Passes something in which there are no quotes.
    fn expect(&mut self, what: &[u8]) -> Option<()> {
        if !self.rest().starts_with(what) {
            return None;
        }
        self.step(what.len());
        Some(())
    }

    /// Passes a key with its colon.
    fn key(&mut self, key: &[u8]) -> Option<()> {
        let (from, to) = self.string()?;
        if self.bytes.get(from..to) != Some(key) {
            return None;
        }
        self.expect(b":")
    }

    /// Passes a string; gives where its inside is.
    #[inline]
    fn string(&mut self) -> Option<Place> {
        if self.quotes.next()? != self.at {
            return None;
        }
        let from = self.at.saturating_add(1);
        let to = self.quotes.next()?;
        self.at = to.saturating_add(1);
        Some((from, to))
    }

    /// Passes a value; gives where it is.
    fn value(&mut self) -> Option<Place> {
        let from = self.at;
        match self.peek()? {
            b'"' => _ = self.string()?,
            b'{' | b'[' => {
                let mut depth: usize = 0;
                loop {
                    match self.peek()? {
                        b'"' => _ = self.string()?,
                        b'{' | b'[' => {
                            depth = depth.checked_add(1)?;
                            self.step(1);
                        }
                        b'}' | b']' => {
                            depth = depth.checked_sub(1)?;
                            self.step(1);
                            if depth == 0 {
                                break;
                            }
                        }
                        _ => self.step(1),
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

    /// Passes an object, and shows the inside of each key, and where each value is. Keys are plain and in order.
    fn object(&mut self, mut member: impl FnMut(&[u8], Place)) -> Option<()> {
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
            member(key, value);
            if self.expect(b"}").is_some() {
                return Some(());
            }
            self.expect(b",")?;
        }
    }
}

//! Reading entries as fast as they can be taken apart: where the members of a body stand, and nothing built.
//!
//! It does not check that an entry is canonical, which is what a verification does. What is told apart here is either
//! compared byte by byte with what ought to stand there, or read strictly by whoever takes it; so a text that is no entry
//! can't be taken for a decision that is right. Keys stand in order and so none stands twice.
//!
//! The entries of a round lie in one [`Page`], and so does what was asked, without the escapes of the log: a page is used
//! again and again, and nothing is allocated for a single entry.

use std::ops::Range;

use super::marks::{Marks, Places};
use crate::base::limits::ENTRY_BYTES_MAX;
use crate::base::short::copy;

macro_rules! names {
    ($($name:ident $text:literal)*) => {
        /// The members that a body of a decision may have, in their order in the log.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Name {
            $($name,)*
        }

        impl Name {
            const COUNT: usize = [$($text),*].len();
            #[cfg(test)]
            const ALL: [Name; Name::COUNT] = [$(Name::$name),*];
            /// Their texts, to be compared at once.
            const WORDS: [u128; Name::COUNT] = [$(word($text.as_bytes())),*];

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

/// A key of fewer bytes than a word has, as a number. No other key is the same: none has a zero in it.
const fn word(key: &[u8]) -> u128 {
    match key {
        [] => 0,
        [first, rest @ ..] => *first as u128 | word(rest).wrapping_shl(8),
    }
}

/// A part of a text: from, to.
type Place = (usize, usize);

/// The same in an entry, which has fewer bytes than that; nothing begins where the entry does.
type Short = (u32, u32);

/// Entries, one behind the other.
#[derive(Debug, Default)]
pub(super) struct Page {
    text: String,
    /// Requests and facts, as they were: so many bytes of it.
    asked: Vec<u8>,
    asked_len: usize,
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
    text: &'p str,
}

impl Page {
    /// Begins anew, with entries as they are in the store, one behind the other; in `rows` is room for others then. If they
    /// are no text as a whole they stay where they are: then the page is empty, and has to be given each of them.
    pub(super) fn begin(&mut self, rows: &mut Vec<u8>) -> bool {
        self.asked_len = 0;
        self.entries.clear();
        self.text.clear();
        match String::from_utf8(std::mem::take(rows)) {
            Ok(text) => {
                *rows = std::mem::replace(&mut self.text, text).into_bytes();
                true
            }
            Err(other) => {
                *rows = other.into_bytes();
                false
            }
        }
    }

    /// Appends an entry that is not on the page yet. Where it is then, if it is a text.
    pub(super) fn give(&mut self, bytes: &[u8]) -> Option<Range<usize>> {
        let text = std::str::from_utf8(bytes).ok()?;
        let from = self.text.len();
        self.text.push_str(text);
        Some(from..self.text.len())
    }

    /// What lies somewhere on the page.
    pub(super) fn bytes(&self, of: Range<usize>) -> Option<&[u8]> {
        self.text.as_bytes().get(of)
    }

    /// Takes an entry on the page apart, and keeps it under a number. `None` if it is not written as entries are.
    pub(super) fn add(&mut self, at: u64, of: Range<usize>) -> Option<u32> {
        let place = (of.start, of.end);
        let text = self.text.get(of)?;
        if text.len() > ENTRY_BYTES_MAX {
            return None;
        }
        self.marks.of(text.as_bytes())?;
        let mut skimmed = Skimmed {
            at,
            text: place,
            places: [(0, 0); Name::COUNT],
            id: (0, 0),
            kind: (0, 0),
            request: None,
            facts: None,
            is_strange: false,
        };
        skimmed.find(text, &self.marks)?;
        if !skimmed.has(Name::Committed) && !skimmed.has(Name::Given) {
            let asked = &mut (&mut self.asked, &mut self.asked_len);
            skimmed.request = skimmed.unescape(Name::Request, text, &self.marks, asked);
            skimmed.facts = skimmed.unescape(Name::Facts, text, &self.marks, asked);
        }
        self.entries.push(skimmed);
        u32::try_from(self.entries.len().checked_sub(1)?).ok()
    }

    /// Forgets the entry that was added last.
    pub(super) fn forget(&mut self) {
        if let Some(last) = self.entries.pop() {
            let asked = [last.request, last.facts].into_iter().flatten().map(|(from, _)| from).min();
            self.asked_len = asked.unwrap_or(self.asked_len);
        }
    }

    /// An entry that was kept.
    pub(super) fn get(&self, number: u32) -> Option<Look<'_>> {
        let entry = self.entries.get(number as usize)?;
        let (from, to) = entry.text;
        Some(Look { page: self, entry, text: self.text.get(from..to)? })
    }
}

impl<'p> Look<'p> {
    /// Where it stands in the log.
    pub(super) fn at(self) -> u64 {
        self.entry.at
    }

    /// All of it.
    pub(super) fn text(self) -> &'p str {
        self.text
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
        self.text.get(from..to).unwrap_or_default()
    }
}

impl Page {
    fn asked_at(&self, (from, to): Place) -> Option<&[u8]> {
        self.asked.get(from..to)
    }
}

/// Room for what is unescaped, and how much of it is used.
type Asked<'p> = (&'p mut Vec<u8>, &'p mut usize);

impl Skimmed {
    fn find(&mut self, text: &str, marks: &Marks) -> Option<()> {
        let mut skim = Skim { bytes: text.as_bytes(), at: 0, quotes: marks.quotes() };
        skim.expect(b"{")?;
        skim.key(b"\"body\":")?;
        let places = &mut self.places;
        let mut next: usize = 0;
        let mut is_strange = false;
        skim.object(|key, word, value| {
            let found = Name::WORDS.iter().skip(next).position(|known| *known == word);
            let Some(place) = found.and_then(|found| places.get_mut(found.checked_add(next)?)) else {
                is_strange = true;
                return key.iter().all(|byte| byte.is_ascii() && *byte != b'\\').then_some(false);
            };
            *place = (u32::try_from(value.0).ok()?, u32::try_from(value.1).ok()?);
            next = found.unwrap_or(0).saturating_add(next).saturating_add(1);
            Some(true)
        })?;
        self.is_strange = is_strange;
        skim.expect(b",")?;
        skim.key(b"\"id\":")?;
        self.id = skim.string()?;
        skim.expect(b",")?;
        skim.key(b"\"index\":")?;
        skim.value()?;
        skim.expect(b",")?;
        skim.key(b"\"kind\":")?;
        self.kind = skim.string()?;
        skim.expect(b",")?;
        skim.key(b"\"links\":")?;
        skim.value()?;
        skim.expect(b",")?;
        skim.key(b"\"time\":")?;
        skim.value()?;
        skim.expect(b",")?;
        skim.key(b"\"version\":")?;
        skim.expect(b"1}")?;
        (skim.at == skim.bytes.len()).then_some(())
    }

    fn has(&self, name: Name) -> bool {
        self.places.get(name as usize).is_some_and(|(from, _)| *from > 0)
    }

    /// Appends what a member that is a text was. Where it is now, if it is one.
    fn unescape(&self, name: Name, text: &str, marks: &Marks, asked: &mut Asked<'_>) -> Option<Place> {
        let &(from, to) = self.places.get(name as usize)?;
        let inside = text.get(from as usize..to as usize)?.strip_prefix(TEXT)?.strip_suffix("\"}")?;
        let first = (from as usize).checked_add(TEXT.len())?;
        let end = first.checked_add(inside.len())?;
        if marks.quote(first) != Some(end) {
            return None;
        }
        let (room, used) = asked;
        let start = **used;
        // What it stands for is never longer.
        let needed = start.checked_add(inside.len())?.checked_add(CHUNK)?;
        if room.len() < needed {
            room.resize(needed, 0);
        }
        let length = unescape(text.as_bytes(), (first, end), marks, room.get_mut(start..)?)?;
        **used = start.checked_add(length)?;
        Some((start, **used))
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
    let mut text = vec![0; value.len()];
    let length = unescape(value.as_bytes(), (first, end), &marks, &mut text)?;
    text.truncate(length);
    String::from_utf8(text).ok()
}

/// What stands before a text.
const TEXT: &str = "{\"text\":\"";

/// As long as most pieces between two escapes are.
const CHUNK: usize = 16;

/// What a string in the log stands for, where it is written behind its first quote and before its last one: written to `out`,
/// which is at least as long, and longer by a chunk best. Gives how many bytes it is.
fn unescape(text: &[u8], place: Place, marks: &Marks, out: &mut [u8]) -> Option<usize> {
    if marks.has_other_escapes() {
        unescape_all(text, place, marks, out)
    } else {
        unescape_quotes(text, place, marks, out)
    }
}

/// The same where nothing but quotes and backslashes is escaped: what is behind each backslash begins the next piece. The
/// quote that ends the string is not behind an escape.
#[inline(never)]
fn unescape_quotes(text: &[u8], (from, end): Place, marks: &Marks, out: &mut [u8]) -> Option<usize> {
    let (mut from, mut to) = (from, 0_usize);
    for next in marks.escapes(from).take_while(|next| *next < end) {
        let length = next.wrapping_sub(from);
        if !copy::<CHUNK>(text.get(from..)?, length, out.get_mut(to..)?) {
            return None;
        }
        (from, to) = (next.wrapping_add(1), to.wrapping_add(length));
    }
    let length = end.checked_sub(from)?;
    copy::<CHUNK>(text.get(from..)?, length, out.get_mut(to..)?).then_some(to.checked_add(length)?)
}

/// The same, whatever is escaped.
#[inline(never)]
fn unescape_all(text: &[u8], (from, end): Place, marks: &Marks, out: &mut [u8]) -> Option<usize> {
    let (mut from, mut to) = (from, 0_usize);
    for next in marks.escapes(from).take_while(|next| *next < end) {
        let length = next.checked_sub(from)?;
        if !copy::<CHUNK>(text.get(from..)?, length, out.get_mut(to..)?) {
            return None;
        }
        to = to.checked_add(length)?;
        let behind = next.checked_add(1)?;
        let (character, length) = match *text.get(behind)? {
            b'"' | b'\\' => {
                from = behind;
                continue;
            }
            b'b' => ('\u{8}', 1),
            b'f' => ('\u{c}', 1),
            b'n' => ('\n', 1),
            b'r' => ('\r', 1),
            b't' => ('\t', 1),
            b'u' => {
                let digits = text.get(behind.checked_add(1)?..behind.checked_add(5)?)?;
                (char::from(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?), 5)
            }
            _ => return None,
        };
        let mut bytes = [0; 4];
        for &byte in character.encode_utf8(&mut bytes).as_bytes() {
            *out.get_mut(to)? = byte;
            to = to.checked_add(1)?;
        }
        from = behind.checked_add(length)?;
    }
    let length = end.checked_sub(from)?;
    copy::<CHUNK>(text.get(from..)?, length, out.get_mut(to..)?).then_some(to.checked_add(length)?)
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
    #[inline]
    fn expect<const N: usize>(&mut self, what: &[u8; N]) -> Option<()> {
        if self.rest().first_chunk() != Some(what) {
            return None;
        }
        self.step(N);
        Some(())
    }

    /// Passes a key with its quotes and its colon.
    #[inline]
    fn key<const N: usize>(&mut self, key: &[u8; N]) -> Option<()> {
        let at = self.at;
        self.expect(key)?;
        let ends = [at, at.checked_add(N)?.checked_sub(2)?];
        ([self.quotes.next()?, self.quotes.next()?] == ends).then_some(())
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

    /// Passes an object, and shows of each member the inside of its key, the same as a word, or 0 if it is longer than one,
    /// and where its value is. `member` says whether it knows the key, and nothing if it can't be one; those that are known
    /// come in order. The others do, too.
    fn object(&mut self, mut member: impl FnMut(&[u8], u128, Place) -> Option<bool>) -> Option<()> {
        self.expect(b"{")?;
        if self.expect(b"}").is_some() {
            return Some(());
        }
        let (mut before, mut was_known): (&[u8], bool) = (b"", true);
        loop {
            let (from, to) = self.string()?;
            let key = self.bytes.get(from..to)?;
            self.expect(b":")?;
            let word = self.word(from, to);
            let value = self.value()?;
            let is_known = member(key, word, value)?;
            if !(is_known && was_known) && key <= before {
                return None;
            }
            (before, was_known) = (key, is_known);
            if self.expect(b"}").is_some() {
                return Some(());
            }
            self.expect(b",")?;
        }
    }

    /// A part of the text as a word; 0 if it is longer than one, or empty.
    #[inline]
    fn word(&self, from: usize, to: usize) -> u128 {
        let length = to.saturating_sub(from);
        match self.bytes.get(from..).and_then(|rest| rest.first_chunk::<16>()) {
            Some(chunk) if (1..16).contains(&length) => {
                let behind = u32::try_from(length).map_or(0, |length| length.saturating_mul(8));
                u128::from_le_bytes(*chunk) & !u128::MAX.wrapping_shl(behind)
            }
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::json::canonical;

    const ENTRY: &str = concat!(
        r#"{"body":{"answer":"ALLOW","facts":{"text":"{}"},"#,
        r#""request":{"text":"{\"a\":\"\\\\\\n\",\"b\":[1]}"}},"#,
        r#""id":"x","index":7,"kind":"decision","links":["y"],"time":"t","version":1}"#
    );

    #[test]
    fn the_keys_that_are_known_are_in_order_and_fit_into_words() {
        let texts = Name::ALL.map(Name::text);
        assert!(texts.is_sorted(), "{texts:?}");
        assert!(texts.iter().all(|text| text.len() < 16), "{texts:?}");
        let numbers = Name::ALL.map(|name| name as usize);
        assert!(numbers.into_iter().eq(0..Name::COUNT));
    }

    fn page(rows: &[&[u8]]) -> (Page, Vec<Option<u32>>, bool) {
        let (mut page, mut room) = (Page::default(), rows.concat());
        let is_text = page.begin(&mut room);
        let mut start = 0;
        let numbers = (0..).zip(rows).map(|(at, row)| {
            let of = start..start + row.len();
            start = of.end;
            let of = if is_text { Some(of) } else { page.give(row) };
            of.and_then(|of| page.add(at, of))
        });
        let numbers = numbers.collect();
        (page, numbers, is_text)
    }

    #[test]
    fn entries_are_taken_apart_whether_all_are_texts_or_not() {
        for (other, is_text) in [(&b"\xff"[..], false), (b"no entry", true)] {
            let (page, numbers, found) = page(&[ENTRY.as_bytes(), other, ENTRY.as_bytes()]);
            assert_eq!((numbers, found), (vec![Some(0), None, Some(1)], is_text));
            for (number, at) in [(0, 0), (1, 2)] {
                let look = page.get(number).expect("it was kept");
                assert_eq!((look.at(), look.text(), look.id(), look.kind()), (at, ENTRY, "x", "decision"));
                assert_eq!(look.member(Name::Answer), Some("\"ALLOW\""));
                assert_eq!(look.member(Name::Bundle), None);
                assert_eq!(look.facts(), Some(&b"{}"[..]));
                assert_eq!(look.request(), Some(&br#"{"a":"\\\n","b":[1]}"#[..]));
                assert!(!look.is_strange());
            }
        }
    }

    #[test]
    fn a_character_is_not_put_together_of_two_entries() {
        let (half, rest) = ENTRY.split_at(20);
        let texts = [half.as_bytes(), b"\xc3", b"\xa9", rest.as_bytes()].concat();
        // As a whole it is a text, but neither half is.
        let (_, numbers, is_text) = page(&[&texts[..21], &texts[21..]]);
        assert_eq!((numbers, is_text), (vec![None, None], true));
    }

    /// The same body with its members in all orders of two, and twice.
    #[test]
    fn members_stand_in_order_and_once_whether_they_are_known_or_not() {
        let names = ["answer", "answers", "bundle", "shadow", "zzzzzzzzzzzzzzzzzzzzz", "a"];
        let known = ["answer", "bundle", "shadow"];
        for first in names {
            for second in names {
                let entry = format!(
                    r#"{{"body":{{"{first}":1,"{second}":[2]}},"id":"","index":0,"kind":"","links":[],"time":0,"version":1}}"#
                );
                let (page, numbers, _) = page(&[entry.as_bytes()]);
                let found = numbers.first().copied().flatten();
                assert_eq!(found.is_some(), first < second, "{entry}");
                if let Some(look) = found.and_then(|number| page.get(number)) {
                    let all_known = known.contains(&first) && known.contains(&second);
                    assert_eq!(look.is_strange(), !all_known, "{entry}");
                }
            }
        }
    }

    #[test]
    fn strings_come_back() {
        for text in
            ["", "a", "\"", "\\", "a\"b\\c\n\r\t\u{8}\u{c}\u{1}\u{1f}é😀", &"\"\\x".repeat(40), &"x".repeat(200)]
        {
            let written = canonical(&text.into());
            assert_eq!(text_of(&written).as_deref(), Some(text), "{written}");
        }
        for other in ["", "\"", "1", "\"a\"b\"", "\"\\x\"", "\"\\u00\"", "\"\\u12ff\"", "\"\\\"", "\"a"] {
            assert_eq!(text_of(other), None, "{other}");
        }
    }
}

//! A strict pull reader of JSON (RFC 8259) over bytes: the only door through which requests and entities come in.
//!
//! It knows no types and builds nothing: its caller asks for what the schema expects, and gets slices of the document.
//! It allocates nothing, never panics, and never repairs. Where RFC 8259 leaves a choice, the strict one is made:
//!
//! | | |
//! | --- | --- |
//! | encoding | UTF-8, checked once at the start; a byte-order mark is refused |
//! | lone surrogates, raw control characters | refused |
//! | the same key twice in one object | refused, by the caller for what it decodes, by [`Reader::skip`] for the rest |
//! | nesting | at most [`JSON_DEPTH_MAX`] deep |
//! | numbers | their text is given, of any size; who reads it decides whether it fits exactly; `-0` is 0 |
//! | what follows the document | white space only |
//!
//! An error is a kind and the offset of a byte. The path to it (`context.items[3]`) is found by a second pass, in
//! [`path`], so that a good document pays nothing for it.

pub mod keys;
pub mod path;

use std::fmt;

use crate::base::limits::JSON_DEPTH_MAX;
use keys::Keys;

/// What is wrong with a document, whatever its schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum JsonFault {
    /// The bytes are not UTF-8.
    NotUtf8,
    /// A byte-order mark stands first.
    ByteOrderMark,
    /// The document ends in the midst of a value.
    UnexpectedEnd,
    /// Something else should stand here.
    Unexpected,
    /// A number is not written as JSON demands.
    BadNumber,
    /// An escape is none of JSON's.
    BadEscape,
    /// Half of a surrogate pair stands alone.
    LoneSurrogate,
    /// A control character stands in a string unescaped.
    ControlCharacter,
    /// The nesting is too deep.
    TooDeep,
    /// The same key stands twice in an object.
    DuplicateKey,
    /// Something follows the document.
    TrailingData,
}

impl fmt::Display for JsonFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            JsonFault::NotUtf8 => "the document is not UTF-8",
            JsonFault::ByteOrderMark => "the document starts with a byte-order mark",
            JsonFault::UnexpectedEnd => "the document ends too early",
            JsonFault::Unexpected => "this is not JSON",
            JsonFault::BadNumber => "this is not a JSON number",
            JsonFault::BadEscape => "this is not a JSON escape",
            JsonFault::LoneSurrogate => "half of a surrogate pair stands alone",
            JsonFault::ControlCharacter => "a control character has to be escaped",
            JsonFault::TooDeep => "the nesting is too deep",
            JsonFault::DuplicateKey => "the same key stands twice in one object",
            JsonFault::TrailingData => "something follows the document",
        })
    }
}

/// A fault and where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonError {
    /// What is wrong.
    pub fault: JsonFault,
    /// The offset of the byte, from 0.
    pub offset: usize,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (byte {})", self.fault, self.offset)
    }
}

impl std::error::Error for JsonError {}

/// What a value looks like from its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Shape {
    /// `{`.
    Object,
    /// `[`.
    Array,
    /// `"`.
    String,
    /// `-` or a digit.
    Number,
    /// `true` or `false`.
    Bool,
    /// `null`.
    Null,
}

/// A string of the document: the characters between its quotes, checked, perhaps with escapes.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    raw: &'a str,
    escaped: bool,
}

impl<'a> Text<'a> {
    /// The string, if it has no escapes and so is a slice of the document.
    #[inline]
    #[must_use]
    pub fn plain(self) -> Option<&'a str> {
        (!self.escaped).then_some(self.raw)
    }

    /// The string; `buffer` is used (and cleared) only if there are escapes.
    #[inline]
    #[must_use]
    pub fn read<'b>(self, buffer: &'b mut String) -> &'b str
    where
        'a: 'b,
    {
        if !self.escaped {
            return self.raw;
        }
        buffer.clear();
        buffer.extend(self.characters());
        buffer
    }

    /// The characters between the quotes, as written.
    #[inline]
    #[must_use]
    pub fn raw(self) -> &'a str {
        self.raw
    }

    /// The characters of the string.
    #[must_use]
    pub fn characters(self) -> Characters<'a> {
        Characters { rest: self.raw }
    }

    /// The one among these that the string is.
    #[inline]
    #[must_use]
    pub fn one_of<'n>(self, names: &[&'n str]) -> Option<&'n str> {
        names.iter().copied().find(|name| self.is(name))
    }

    /// Whether the string is this one.
    #[inline]
    #[must_use]
    pub fn is(self, other: &str) -> bool {
        if self.escaped { self.characters().eq(other.chars()) } else { self.raw == other }
    }
}

/// What stands next in an object, for who expects a certain key.
#[derive(Clone, Copy, Debug)]
pub enum NextKey<'a> {
    /// Its end, which was taken.
    End,
    /// The key that was expected.
    Expected,
    /// A key, perhaps the same one, written in another way.
    Other(Text<'a>),
}

/// What stands next in an object of which all members are known.
#[derive(Clone, Copy, Debug)]
pub enum KnownKey<'a> {
    /// Its end, which was taken.
    End,
    /// One of the keys.
    At {
        /// Which.
        place: usize,
        /// Where it stands.
        start: usize,
    },
    /// None of them.
    Unknown(Text<'a>),
}

/// The characters of a checked string, escapes resolved.
#[derive(Clone, Debug)]
pub struct Characters<'a> {
    rest: &'a str,
}

impl Characters<'_> {
    fn unit(&mut self) -> u32 {
        let (digits, rest) = self.rest.split_at_checked(4).unwrap_or((self.rest, ""));
        self.rest = rest;
        u32::from_str_radix(digits, 16).unwrap_or(0xfffd)
    }
}

impl Iterator for Characters<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let first = characters.next()?;
        if first != '\\' {
            self.rest = characters.as_str();
            return Some(first);
        }
        let escape = characters.next()?;
        self.rest = characters.as_str();
        Some(match escape {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let mut unit = self.unit();
                if (0xd800..0xdc00).contains(&unit) {
                    self.rest = self.rest.strip_prefix("\\u").unwrap_or("");
                    unit = 0x1_0000 + ((unit - 0xd800) << 10) + (self.unit() & 0x3ff);
                }
                // The reader has refused lone surrogates, so that every unit is a character.
                char::from_u32(unit).unwrap_or('\u{fffd}')
            }
            itself => itself,
        })
    }
}

/// A reader, at some place of a document.
//
// INVARIANT: `at` is a boundary of a character of `text`; `depth` counts the objects and arrays that are open.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    is_odd: bool,
}

impl<'a> Reader<'a> {
    /// A reader before the first value of a document.
    pub fn new(bytes: &'a [u8]) -> Result<Reader<'a>, JsonError> {
        if bytes.starts_with(b"\xef\xbb\xbf") {
            return Err(JsonError { fault: JsonFault::ByteOrderMark, offset: 0 });
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Reader { text, at: 0, depth: 0, is_odd: false }),
            Err(error) => Err(JsonError { fault: JsonFault::NotUtf8, offset: error.valid_up_to() }),
        }
    }

    /// The offset of the next byte.
    #[inline]
    #[must_use]
    pub fn offset(&self) -> usize {
        self.at
    }

    /// Goes back (or forth) to a value whose offset [`Reader::offset`] has told behind [`Reader::peek`], at this depth.
    pub fn seek(&mut self, offset: usize) {
        self.at = if self.text.is_char_boundary(offset) { offset } else { self.text.len() };
    }

    /// Whether something of what was taken is written in another way than canonical JSON has it: white space, an escape that
    /// is none there or is longer there, a number with more digits than it needs or with an exponent, `null`.
    #[inline]
    #[must_use]
    pub fn is_odd(&self) -> bool {
        self.is_odd
    }

    /// The whole document.
    #[inline]
    #[must_use]
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// The document between two offsets.
    #[inline]
    #[must_use]
    pub fn slice(&self, start: usize, end: usize) -> &'a str {
        self.text.get(start..end).unwrap_or("")
    }

    #[inline]
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[cold]
    fn fail<T>(&self, fault: JsonFault) -> Result<T, JsonError> {
        Err(JsonError { fault, offset: self.at })
    }

    /// That something else should stand here, or that the document ends here.
    #[cold]
    fn unexpected<T>(&self) -> Result<T, JsonError> {
        self.fail(if self.at >= self.text.len() { JsonFault::UnexpectedEnd } else { JsonFault::Unexpected })
    }

    #[inline]
    fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.byte() {
            self.at += 1;
            self.is_odd = true;
        }
    }

    /// Skips white space and says what value stands next; takes nothing of it.
    #[inline]
    pub fn peek(&mut self) -> Result<Shape, JsonError> {
        self.skip_space();
        Ok(match self.byte() {
            Some(b'{') => Shape::Object,
            Some(b'[') => Shape::Array,
            Some(b'"') => Shape::String,
            Some(b'-' | b'0'..=b'9') => Shape::Number,
            Some(b't' | b'f') => Shape::Bool,
            Some(b'n') => Shape::Null,
            _ => return self.unexpected(),
        })
    }

    /// Takes the byte, which has to stand next.
    #[inline]
    fn take(&mut self, byte: u8) -> Result<(), JsonError> {
        // Most documents have no white space where it would have to be skipped.
        if self.byte() != Some(byte) {
            self.skip_space();
            if self.byte() != Some(byte) {
                return self.unexpected();
            }
        }
        self.at += 1;
        Ok(())
    }

    #[inline]
    fn open(&mut self, byte: u8) -> Result<(), JsonError> {
        self.skip_space();
        if self.depth >= JSON_DEPTH_MAX {
            return self.fail(JsonFault::TooDeep);
        }
        self.take(byte)?;
        self.depth += 1;
        Ok(())
    }

    /// Takes the byte that closes what is open if it stands next.
    #[inline]
    fn close(&mut self, byte: u8) -> bool {
        self.skip_space();
        if self.byte() != Some(byte) {
            return false;
        }
        self.at += 1;
        self.depth -= 1;
        true
    }

    /// Opens an object and reads its first key, up to its value; none: the object is empty and taken.
    #[inline]
    pub fn first_key(&mut self) -> Result<Option<Text<'a>>, JsonError> {
        self.open(b'{')?;
        if self.close(b'}') { Ok(None) } else { self.key().map(Some) }
    }

    /// Reads the next key of an object whose last value was taken; none: it is at its end, and taken.
    #[inline]
    pub fn next_key(&mut self) -> Result<Option<Text<'a>>, JsonError> {
        if self.close(b'}') {
            return Ok(None);
        }
        self.take(b',')?;
        self.key().map(Some)
    }

    /// The first or the next key of an object of few members, which are written `"key":` here; `probable` is the place of the
    /// one that probably stands there.
    #[inline]
    pub fn key_of(&mut self, is_first: bool, probable: usize, keys: &[&str]) -> Result<KnownKey<'a>, JsonError> {
        let expected = keys.get(probable).copied().unwrap_or("");
        let before = self.at;
        if is_first {
            self.open(b'{')?;
        } else if self.byte() == Some(b',') {
            self.at += 1;
            if self.byte() == Some(b' ') {
                self.at += 1;
                self.is_odd = true;
            }
        }
        if is_first || self.at > before {
            if self.take_expected(expected) {
                return Ok(KnownKey::At { place: probable, start: self.at - expected.len() });
            }
            for (place, key) in keys.iter().enumerate() {
                if self.take_expected(key) {
                    return Ok(KnownKey::At { place, start: self.at - key.len() });
                }
            }
        }
        if !is_first {
            self.at = before;
        }
        self.key_of_slowly(is_first, keys)
    }

    /// The same where something else stands; of the first key only the brace was taken.
    #[inline(never)]
    fn key_of_slowly(&mut self, is_first: bool, keys: &[&str]) -> Result<KnownKey<'a>, JsonError> {
        let key = match is_first {
            true if self.close(b'}') => None,
            true => Some(self.key()?),
            false => self.next_key()?,
        };
        Ok(key.map_or(KnownKey::End, |text| self.find_key(text, keys)))
    }

    fn find_key(&self, text: Text<'a>, keys: &[&str]) -> KnownKey<'a> {
        match keys.iter().position(|key| text.is(key.trim_matches(['"', ':']))) {
            Some(place) => KnownKey::At { place, start: self.key_start(text).saturating_sub(1) },
            None => KnownKey::Unknown(text),
        }
    }

    /// As [`Reader::first_key`], for who knows which key probably stands first: it is written `"key":` here.
    #[inline]
    pub fn first_key_or(&mut self, expected: &str) -> Result<NextKey<'a>, JsonError> {
        self.open(b'{')?;
        if self.take_expected(expected) {
            return Ok(NextKey::Expected);
        }
        Ok(if self.close(b'}') { NextKey::End } else { NextKey::Other(self.key()?) })
    }

    /// As [`Reader::next_key`], for who knows of a few keys, the most probable first, written in the same way. Says which of
    /// them was taken.
    #[inline]
    pub fn next_key_among<'k>(
        &mut self,
        count: usize,
        expected: impl Fn(usize) -> &'k str,
    ) -> Result<(NextKey<'a>, usize), JsonError> {
        let before = self.at;
        if self.byte() == Some(b',') {
            self.at += 1;
            if self.byte() == Some(b' ') {
                self.at += 1;
                self.is_odd = true;
            }
            for which in 0..count {
                if self.take_expected(expected(which)) {
                    return Ok((NextKey::Expected, which));
                }
            }
            self.at = before;
        } else if self.byte() == Some(b'}') {
            self.at += 1;
            self.depth -= 1;
            return Ok((NextKey::End, 0));
        }
        Ok((self.next_key_slowly()?, 0))
    }

    #[inline(never)]
    fn next_key_slowly(&mut self) -> Result<NextKey<'a>, JsonError> {
        Ok(self.next_key()?.map_or(NextKey::End, NextKey::Other))
    }

    /// Takes a key and its colon if they stand next exactly so. A key without escapes is all that can be written so.
    #[inline]
    fn take_expected(&mut self, expected: &str) -> bool {
        let (rest, expected) = (self.text.as_bytes().get(self.at..).unwrap_or_default(), expected.as_bytes());
        // The first character behind the quote tells most keys apart.
        let stands = rest.get(1) == expected.get(1) && !expected.is_empty() && begins(rest, expected);
        if stands {
            self.at += expected.len();
        }
        stands
    }

    fn key(&mut self) -> Result<Text<'a>, JsonError> {
        let key = self.string()?;
        self.take(b':')?;
        Ok(key)
    }

    /// The offset behind the quote of a string of this document.
    #[inline]
    #[must_use]
    pub fn key_start(&self, key: Text<'a>) -> usize {
        (key.raw.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize)
    }

    /// Opens an array; whether it has a first element, which stands next.
    #[inline]
    pub fn first_element(&mut self) -> Result<bool, JsonError> {
        self.open(b'[')?;
        Ok(!self.close(b']'))
    }

    /// Whether an array, whose last element was taken, has another one, which stands next.
    #[inline]
    pub fn next_element(&mut self) -> Result<bool, JsonError> {
        if self.close(b']') {
            return Ok(false);
        }
        self.take(b',')?;
        Ok(true)
    }

    /// Takes a string.
    #[inline]
    pub fn string(&mut self) -> Result<Text<'a>, JsonError> {
        self.take(b'"')?;
        let start = self.at;
        self.at = start + find_special(self.text.as_bytes().get(start..).unwrap_or_default());
        let escaped = self.byte() != Some(b'"');
        if escaped {
            self.behind_special()?;
        }
        let raw = self.slice(start, self.at);
        self.at += 1;
        Ok(Text { raw, escaped })
    }

    /// Goes on to the end of a string at whose first special character we are, which is not that end.
    #[cold]
    fn behind_special(&mut self) -> Result<(), JsonError> {
        loop {
            match self.byte() {
                Some(b'"') => return Ok(()),
                Some(b'\\') => self.escape()?,
                Some(_) => return self.fail(JsonFault::ControlCharacter),
                None => return self.unexpected(),
            }
            self.at += find_special(self.text.as_bytes().get(self.at..).unwrap_or_default());
        }
    }

    /// Checks an escape.
    fn escape(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        self.at += 1;
        match self.byte() {
            Some(escape @ (b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't')) => {
                self.is_odd |= escape == b'/';
                self.at += 1;
                Ok(())
            }
            Some(b'u') => {
                self.is_odd |= !is_escaped_by_code(self.text.as_bytes().get(self.at..).unwrap_or_default());
                self.at += 1;
                let lone = Err(JsonError { fault: JsonFault::LoneSurrogate, offset: start });
                match self.unit()? {
                    0xd800..0xdc00 => {
                        if !self.text.as_bytes()[self.at..].starts_with(b"\\u") {
                            return lone;
                        }
                        self.at += 2;
                        if (0xdc00..0xe000).contains(&self.unit()?) { Ok(()) } else { lone }
                    }
                    0xdc00..0xe000 => lone,
                    _ => Ok(()),
                }
            }
            Some(_) => self.fail(JsonFault::BadEscape),
            None => self.unexpected(),
        }
    }

    /// Takes the four digits of an escape.
    fn unit(&mut self) -> Result<u32, JsonError> {
        let mut unit = 0;
        for _ in 0..4 {
            let Some(digit) = self.byte() else { return self.unexpected() };
            let Some(digit) = char::from(digit).to_digit(16) else { return self.fail(JsonFault::BadEscape) };
            unit = unit * 16 + digit;
            self.at += 1;
        }
        Ok(unit)
    }

    #[inline]
    fn digits(&mut self) -> bool {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.byte() {
            self.at += 1;
        }
        self.at > start
    }

    /// Takes a number: its text.
    #[inline]
    pub fn number(&mut self) -> Result<&'a str, JsonError> {
        self.skip_space();
        let start = self.at;
        if self.byte() == Some(b'-') {
            self.at += 1;
        }
        if self.byte() == Some(b'0') {
            self.at += 1;
        } else if !self.digits() {
            return self.bad_number();
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            if !self.digits() {
                return self.bad_number();
            }
        }
        if let Some(b'e' | b'E') = self.byte() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.byte() {
                self.at += 1;
            }
            if !self.digits() {
                return self.bad_number();
            }
        }
        if let Some(b'0'..=b'9' | b'.' | b'+' | b'-' | b'a'..=b'z' | b'A'..=b'Z') = self.byte() {
            return self.bad_number();
        }
        let text = self.slice(start, self.at);
        self.is_odd |= text == "-0" || text.contains(['e', 'E']) || text.contains('.') && text.ends_with('0');
        Ok(text)
    }

    /// Takes a whole number of few digits if one stands next; else takes nothing, and [`Reader::number`] has to tell what
    /// stands there.
    #[inline]
    pub fn small_int(&mut self) -> Option<i64> {
        self.skip_space();
        let mut at = self.at;
        let bytes = self.text.as_bytes();
        let negative = bytes.get(at) == Some(&b'-');
        at += usize::from(negative);
        let start = at;
        let mut number: i64 = 0;
        while let Some(digit @ b'0'..=b'9') = bytes.get(at).copied() {
            number = number.wrapping_mul(10).wrapping_add(i64::from(digit - b'0'));
            at += 1;
        }
        let count = at - start;
        let ends = matches!(bytes.get(at), Some(b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t'));
        // Eighteen digits always fit. A zero stands alone.
        if !ends || count == 0 || count > 18 || count > 1 && bytes.get(start) == Some(&b'0') {
            return None;
        }
        self.at = at;
        self.is_odd |= negative && number == 0;
        Some(if negative { -number } else { number })
    }

    #[cold]
    fn bad_number<T>(&self) -> Result<T, JsonError> {
        if self.at >= self.text.len() { self.unexpected() } else { self.fail(JsonFault::BadNumber) }
    }

    #[inline]
    fn word(&mut self, word: &str) -> Result<(), JsonError> {
        self.skip_space();
        if !self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            return self.unexpected();
        }
        self.at += word.len();
        Ok(())
    }

    /// Takes `true` or `false`.
    #[inline]
    pub fn bool(&mut self) -> Result<bool, JsonError> {
        self.skip_space();
        if self.byte() == Some(b't') { self.word("true").map(|()| true) } else { self.word("false").map(|()| false) }
    }

    /// Takes `null`.
    #[inline]
    pub fn null(&mut self) -> Result<(), JsonError> {
        self.is_odd = true;
        self.word("null")
    }

    /// Takes `null` if it stands next.
    #[inline]
    pub fn try_null(&mut self) -> Result<bool, JsonError> {
        self.skip_space();
        if self.byte() != Some(b'n') {
            return Ok(false);
        }
        self.null().map(|()| true)
    }

    /// Takes any value and checks it, keys included.
    pub fn skip(&mut self, keys: &mut Keys) -> Result<(), JsonError> {
        match self.peek()? {
            Shape::Object => {
                let mark = keys.mark();
                let mut key = self.first_key()?;
                while let Some(name) = key {
                    keys.push(self.key_start(name), name);
                    self.skip(keys)?;
                    key = self.next_key()?;
                }
                match keys.close(mark, self.text) {
                    None => Ok(()),
                    Some(offset) => Err(JsonError { fault: JsonFault::DuplicateKey, offset: offset - 1 }),
                }
            }
            Shape::Array => {
                let mut more = self.first_element()?;
                while more {
                    self.skip(keys)?;
                    more = self.next_element()?;
                }
                Ok(())
            }
            Shape::String => self.string().map(drop),
            Shape::Number => self.number().map(drop),
            Shape::Bool => self.bool().map(drop),
            Shape::Null => self.null(),
        }
    }

    /// Takes any value that will be read again, keys unchecked.
    pub fn pass(&mut self) -> Result<(), JsonError> {
        match self.peek()? {
            Shape::Object => {
                let mut key = self.first_key()?;
                while key.is_some() {
                    self.pass()?;
                    key = self.next_key()?;
                }
                Ok(())
            }
            Shape::Array => {
                let mut more = self.first_element()?;
                while more {
                    self.pass()?;
                    more = self.next_element()?;
                }
                Ok(())
            }
            Shape::String => self.string().map(drop),
            Shape::Number => self.number().map(drop),
            Shape::Bool => self.bool().map(drop),
            Shape::Null => self.null(),
        }
    }

    /// Takes any value that will be read again, looking only for its end: nothing within it is checked.
    pub fn pass_unread(&mut self) -> Result<(), JsonError> {
        if !matches!(self.peek()?, Shape::Object | Shape::Array) {
            return self.pass();
        }
        let mut depth = 0_usize;
        loop {
            match self.byte() {
                Some(b'"') => {
                    self.string()?;
                    continue;
                }
                Some(b'{' | b'[') => depth += 1,
                Some(b'}' | b']') => {
                    depth -= 1;
                    if depth == 0 {
                        self.at += 1;
                        return Ok(());
                    }
                }
                // Where the document is ASCII one byte is one character; elsewhere only strings may be otherwise.
                Some(byte) if byte.is_ascii() => {}
                _ => return self.unexpected(),
            }
            self.at += 1;
        }
    }

    /// Makes sure that nothing but white space follows.
    pub fn finish(&mut self) -> Result<(), JsonError> {
        self.skip_space();
        if self.at < self.text.len() { self.fail(JsonFault::TrailingData) } else { Ok(()) }
    }
}

/// Whether a text begins with a key. Most are short, and a call for each would take longer than to compare them.
#[inline]
fn begins(text: &[u8], key: &[u8]) -> bool {
    let Some(text) = text.get(..key.len()) else { return false };
    match key.len() {
        4..8 => text.first_chunk::<4>() == key.first_chunk() && text.last_chunk::<4>() == key.last_chunk(),
        8..=16 => text.first_chunk::<8>() == key.first_chunk() && text.last_chunk::<8>() == key.last_chunk(),
        _ => text == key,
    }
}

/// Whether what stands behind a backslash is the only way to escape a character: a control character that has no letter.
fn is_escaped_by_code(escape: &[u8]) -> bool {
    match escape {
        [b'u', b'0', b'0', b'0', low, ..] => matches!(low, b'0'..=b'7' | b'b' | b'e' | b'f'),
        [b'u', b'0', b'0', b'1', low, ..] => matches!(low, b'0'..=b'9' | b'a'..=b'f'),
        _ => false,
    }
}

/// Checks a whole document.
pub fn check(bytes: &[u8]) -> Result<(), JsonError> {
    let mut reader = Reader::new(bytes)?;
    reader.skip(&mut Keys::default())?;
    reader.finish()
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// The place of the first quote, backslash or control character, or the length.
#[inline]
pub(crate) fn find_special(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    // Most strings are short. Long ones are worth the wide registers.
    for (at, word) in words.iter().take(SHORT_WORDS).enumerate() {
        if let Some(place) = first_special(*word) {
            return at * 8 + place;
        }
    }
    if words.len() > SHORT_WORDS {
        find_special_far(bytes, SHORT_WORDS * 8)
    } else {
        find_special_slowly(rest, words.len() * 8)
    }
}

/// How many words are looked at one by one first.
const SHORT_WORDS: usize = 4;

#[inline(never)]
fn find_special_far(bytes: &[u8], mut at: usize) -> usize {
    let (chunks, _) = bytes.get(at..).unwrap_or_default().as_chunks::<32>();
    for chunk in chunks {
        if chunk.iter().fold(false, |any, &byte| any | is_special(byte)) {
            break;
        }
        at += 32;
    }
    let (words, rest) = bytes.get(at..).unwrap_or_default().as_chunks::<8>();
    for word in words {
        match first_special(*word) {
            Some(place) => return at + place,
            None => at += 8,
        }
    }
    find_special_slowly(rest, at)
}

fn find_special_slowly(rest: &[u8], at: usize) -> usize {
    at + rest.iter().position(|&byte| is_special(byte)).unwrap_or(rest.len())
}

#[inline]
fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// The place of the first such character among eight bytes, all looked at in one.
#[inline]
pub(crate) fn first_special(chunk: [u8; 8]) -> Option<usize> {
    let word = u64::from_le_bytes(chunk);
    // A borrow can only reach bytes above the first hit, so that the first hit is exact. Bytes of characters beyond ASCII
    // are none: none of the three masks has their highest bit.
    let control = word.wrapping_sub(ONES * 0x20);
    let quote = (word ^ (ONES * 0x22)).wrapping_sub(ONES);
    let backslash = (word ^ (ONES * 0x5c)).wrapping_sub(ONES);
    let hits = (control | quote | backslash) & !word & HIGHS;
    (hits != 0).then_some((hits.trailing_zeros() / 8) as usize)
}

//! Reading canonical JSON: a text is what [`canonical`](super::canonical) writes, or it is refused. Two texts that differ
//! never mean the same, so nobody can change a byte and say that nothing was changed.
//!
//! Nothing is built and nothing allocated, but for keys that are not plain ASCII: a log of a million entries is read in
//! this way.

use std::fmt;

use serde_json::Value;

use crate::base::limits::ENTRY_DEPTH_MAX;
use crate::vm::canonical::key_order;

/// The largest number, on both sides of zero: every reader of JSON takes it exactly.
pub const NUMBER_MAX: u64 = 1 << 53;

/// A text is not canonical JSON of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotCanonical {
    /// Where, in bytes from its beginning.
    pub at: usize,
}

impl fmt::Display for NotCanonical {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "it is not canonical JSON at byte {}", self.at)
    }
}

impl std::error::Error for NotCanonical {}

/// Checks that a text is one canonical value.
///
/// # Errors
/// It is not.
pub fn check(text: &str) -> Result<(), NotCanonical> {
    let mut scanner = Scanner { text, at: 0 };
    scanner.value(0)?;
    scanner.end()
}

/// Checks that a text is one canonical object, and shows each member: its key as it is written, without the quotes, and
/// the text of its value.
///
/// # Errors
/// It is not.
pub fn members<'t>(text: &'t str, mut member: impl FnMut(&'t str, &'t str)) -> Result<(), NotCanonical> {
    let mut scanner = Scanner { text, at: 0 };
    scanner.object(0, &mut member)?;
    scanner.end()
}

/// Whether a value can be written: its numbers are integers that are not too large, and it does not nest too deep.
#[must_use]
pub fn can_be_written(value: &Value) -> bool {
    can_be_written_within(value, 0)
}

/// The same of a value that lies so deep in another one.
pub(in crate::kernel) fn can_be_written_within(value: &Value, depth: usize) -> bool {
    fn at_depth(value: &Value, depth: usize) -> bool {
        let inside = depth.saturating_add(1);
        match value {
            Value::Number(number) => number.as_i64().is_some_and(|number| number.unsigned_abs() <= NUMBER_MAX),
            Value::Array(values) => depth < ENTRY_DEPTH_MAX && values.iter().all(|value| at_depth(value, inside)),
            Value::Object(members) => depth < ENTRY_DEPTH_MAX && members.values().all(|value| at_depth(value, inside)),
            Value::Null | Value::Bool(_) | Value::String(_) => true,
        }
    }
    at_depth(value, depth)
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Scanner<'t> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn wrong<T>(&self) -> Result<T, NotCanonical> {
        Err(NotCanonical { at: self.at })
    }

    fn step(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    fn expect(&mut self, byte: u8) -> Result<(), NotCanonical> {
        if self.peek() != Some(byte) {
            return self.wrong();
        }
        self.step();
        Ok(())
    }

    fn end(&self) -> Result<(), NotCanonical> {
        if self.at == self.text.len() { Ok(()) } else { self.wrong() }
    }

    /// What was passed since `start`. Both ends are beside ASCII characters.
    fn since(&self, start: usize) -> &'t str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    fn value(&mut self, depth: usize) -> Result<(), NotCanonical> {
        match self.peek() {
            Some(b'{') => self.object(depth, &mut |_, _| {}),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(|_| ()),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            Some(b'n') => self.word("null"),
            _ => self.wrong(),
        }
    }

    fn word(&mut self, word: &str) -> Result<(), NotCanonical> {
        word.bytes().try_for_each(|byte| self.expect(byte))
    }

    fn number(&mut self) -> Result<(), NotCanonical> {
        let is_negative = self.peek() == Some(b'-');
        if is_negative {
            self.step();
        }
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.step();
        }
        let digits = self.since(start);
        let is_zero = digits == "0";
        let number = digits.parse::<u64>().ok().filter(|number| *number <= NUMBER_MAX);
        if number.is_none() || is_zero && is_negative || !is_zero && digits.starts_with('0') {
            return Err(NotCanonical { at: start });
        }
        Ok(())
    }

    /// Passes a string; gives what is between the quotes, and whether it stands for itself and is ASCII.
    fn string(&mut self) -> Result<(&'t str, bool), NotCanonical> {
        self.expect(b'"')?;
        let start = self.at;
        let mut is_plain = true;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    is_plain = false;
                    self.step();
                    self.escape()?;
                }
                None | Some(0..=0x1f) => return self.wrong(),
                Some(byte) => {
                    is_plain &= byte.is_ascii();
                    self.step();
                }
            }
        }
        let inside = self.since(start);
        self.step();
        Ok((inside, is_plain))
    }

    /// What is behind a backslash. Characters that have a short escape are not written with a long one.
    fn escape(&mut self) -> Result<(), NotCanonical> {
        match self.peek() {
            Some(b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.step();
                Ok(())
            }
            Some(b'u') => {
                let start = self.at.saturating_add(1);
                let digits = self.text.get(start..start.saturating_add(4));
                let is_control = digits.is_some_and(|digits| match digits.as_bytes() {
                    [b'0', b'0', b'0', low] => matches!(low, b'0'..=b'7' | b'b' | b'e' | b'f'),
                    [b'0', b'0', b'1', low] => matches!(low, b'0'..=b'9' | b'a'..=b'f'),
                    _ => false,
                });
                if !is_control {
                    return self.wrong();
                }
                self.at = start.saturating_add(4);
                Ok(())
            }
            _ => self.wrong(),
        }
    }

    fn array(&mut self, depth: usize) -> Result<(), NotCanonical> {
        if depth >= ENTRY_DEPTH_MAX {
            return self.wrong();
        }
        self.expect(b'[')?;
        if self.peek() == Some(b']') {
            self.step();
            return Ok(());
        }
        loop {
            self.value(depth.saturating_add(1))?;
            if self.peek() == Some(b']') {
                self.step();
                return Ok(());
            }
            self.expect(b',')?;
        }
    }

    fn object(&mut self, depth: usize, member: &mut dyn FnMut(&'t str, &'t str)) -> Result<(), NotCanonical> {
        if depth >= ENTRY_DEPTH_MAX {
            return self.wrong();
        }
        self.expect(b'{')?;
        if self.peek() == Some(b'}') {
            self.step();
            return Ok(());
        }
        let mut before: Option<(&'t str, bool)> = None;
        loop {
            let start = self.at;
            let key = self.string()?;
            if before.is_some_and(|before| !is_before(before, key)) {
                return Err(NotCanonical { at: start });
            }
            before = Some(key);
            self.expect(b':')?;
            let start = self.at;
            self.value(depth.saturating_add(1))?;
            member(key.0, self.since(start));
            if self.peek() == Some(b'}') {
                self.step();
                return Ok(());
            }
            self.expect(b',')?;
        }
    }
}

/// Whether a key comes before another one and is not the same. Both are as written, with whether they are plain.
fn is_before((one, one_is_plain): (&str, bool), (other, other_is_plain): (&str, bool)) -> bool {
    if one_is_plain && other_is_plain {
        return one < other;
    }
    let (one, other) = (unescaped(one), unescaped(other));
    key_order(&one, &other).is_lt()
}

/// The text that a string without its quotes stands for. It was passed by [`Scanner::string`].
fn unescaped(inside: &str) -> String {
    serde_json::from_str(&format!("\"{inside}\"")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, json};

    use super::*;
    use crate::kernel::json::canonical;

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-(1_i64 << 53)..=1 << 53).prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            "[\\x00-\\x22\\\\]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec((any::<String>(), inner), 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(value in value()) {
            prop_assert!(can_be_written(&value));
            prop_assert_eq!(check(&canonical(&value)), Ok(()));
        }

        /// Whatever is read is what would be written for its value: there is no second way.
        #[test]
        fn what_is_read_is_what_is_written(value in value(), at: prop::sample::Index, byte: u8, insert: bool) {
            let mut bytes = canonical(&value).into_bytes();
            let at = at.index(bytes.len());
            if insert { bytes.insert(at, byte) } else { bytes[at] = byte }
            if let Ok(text) = String::from_utf8(bytes) && check(&text).is_ok() {
                let value: Value = serde_json::from_str(&text).expect("canonical JSON is JSON");
                prop_assert_eq!(canonical(&value), text);
            }
        }
    }

    #[test]
    fn other_ways_of_writing_are_refused() {
        for text in [
            "",
            " 1",
            "1 ",
            "1.0",
            "1e3",
            "+1",
            "01",
            "-0",
            "-",
            "9007199254740993",
            "-9007199254740993",
            "nul",
            "True",
            "\"",
            "\"\n\"",
            "\"\\/\"",
            "\"\\u000a\"",
            "\"\\u001F\"",
            "\"\\u0041\"",
            "\"\\u00e9\"",
            "\"\\ud800\"",
            "[1, 2]",
            "[1,]",
            "[",
            "{\"a\":1,\"a\":1}",
            "{\"b\":1,\"a\":1}",
            "{\"a\" :1}",
            "{\"a\":1,}",
            "{a:1}",
            "{",
            "[1]]",
            // By UTF-16 units the first of these keys comes last.
            "{\"\u{ffff}\":1,\"\u{10000}\":1}",
            "{\"\\n\":1,\"\\n\":1}",
            "{\"\\n\":1,\"\\t\":1}",
        ] {
            assert!(check(text).is_err(), "{text:?}");
        }
        for text in
            ["{\"\u{10000}\":1,\"\u{ffff}\":1}", "{\"\\t\":1,\"\\n\":1}", "9007199254740992", "-9007199254740992", "0"]
        {
            assert_eq!(check(text), Ok(()), "{text:?}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert_eq!(check(&nested(ENTRY_DEPTH_MAX)), Ok(()));
        assert_eq!(check(&nested(ENTRY_DEPTH_MAX + 1)), Err(NotCanonical { at: ENTRY_DEPTH_MAX }));
        let value = |depth| serde_json::from_str(&nested(depth)).expect("it is JSON");
        assert!(can_be_written(&value(ENTRY_DEPTH_MAX)));
        assert!(!can_be_written(&value(ENTRY_DEPTH_MAX + 1)));
        for number in [json!(1.5), json!(u64::MAX), json!((1_i64 << 53) + 1)] {
            assert!(!can_be_written(&number), "{number}");
        }
    }

    #[test]
    fn members_are_shown() {
        let mut seen = Vec::new();
        members("{\"a\":[1,2],\"b\":{\"c\":\"d\"}}", |key, value| seen.push((key, value))).expect("it is canonical");
        assert_eq!(seen, [("a", "[1,2]"), ("b", "{\"c\":\"d\"}")]);
        assert!(members("[]", |_, _| {}).is_err());
    }
}

//! Whether a document is written as a log writes it, found while it is decoded.
//!
//! A log keeps what was asked as canonical text on the wire; digests are of the same text with its numbers in quotes (see
//! [`canonical`](crate::vm::canonical)). So of a document that is written so the digests can be had from its own bytes, and
//! nothing has to be built for them that no rule reads.
//!
//! What neighbours may rely on: if [`Trace::is_odd`] is not set behind a decoding that was traced, the canonical text of
//! what was decoded is the document itself, but for the quotes. What is doubtful is odd: it costs time to take a canonical
//! document for another one, and would be a lie the other way round.
//!
//! What can be seen without a schema (white space, escapes, how numbers are written) is noted by the
//! [`Reader`](crate::vm::json::Reader); the rest here.

use std::fmt::{Display, Write as _};
use std::ops::Range;

use crate::base::hash::{Digest, Hasher};
use crate::base::short::copy;
use crate::vm::digest::Digests;

/// What is noted of the documents of a question.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    /// Whether anybody wants to know.
    pub is_on: bool,
    /// Whether something may be written in another way.
    pub is_odd: bool,
    /// Where numbers stand: of the request, and from `of_facts` on of the facts.
    numbers: Vec<Range<u32>>,
    of_facts: usize,
    /// Where advisory members of the context stand.
    advisory: Vec<Range<u32>>,
}

/// Room for the text that digests are of.
#[derive(Clone, Debug, Default)]
pub struct Room {
    text: Vec<u8>,
    /// What is left out of it for a binding.
    cuts: Vec<Range<usize>>,
}

impl Trace {
    /// Forgets all.
    pub fn begin(&mut self, is_on: bool) {
        self.is_on = is_on;
        self.is_odd = !is_on;
        self.numbers.clear();
        self.of_facts = 0;
        self.advisory.clear();
    }

    /// What follows are the facts.
    pub fn begin_facts(&mut self) {
        self.of_facts = self.numbers.len();
    }

    /// A number stands here.
    #[inline]
    pub fn number(&mut self, from: usize, to: usize) {
        if self.is_on {
            self.numbers.push(from as u32..to as u32);
        }
    }

    /// An advisory member of the context stands here, from the quote of its key on.
    pub fn advisory(&mut self, from: usize, to: usize) {
        if self.is_on {
            self.advisory.push(from as u32..to as u32);
        }
    }

    /// How many numbers there are so far.
    pub fn count(&self) -> usize {
        self.numbers.len()
    }

    /// A value stands here as this text, and is written canonically so.
    pub fn written(&mut self, text: Option<&str>, value: impl Display, buffer: &mut String) {
        if self.is_on && !self.is_odd {
            buffer.clear();
            self.is_odd |= write!(buffer, "{value}").is_err() || text != Some(buffer.as_str());
        }
    }

    /// The digests of both documents, if they are written as a log writes them.
    pub fn digests(&mut self, request: &[u8], facts: &[u8], room: &mut Room) -> Option<Digests> {
        if self.is_odd {
            return None;
        }
        let (of_request, of_facts) = self.numbers.split_at_mut(self.of_facts);
        // The parties are read behind what stands behind them.
        for ranges in [&mut *of_request, of_facts, &mut self.advisory] {
            ranges.sort_unstable_by_key(|range| range.start);
        }
        let Room { text, cuts } = room;
        let quoted = quote(request, of_request, text);
        cut(quoted, of_request, &self.advisory, cuts);
        let (request, binding) = both(quoted, cuts);
        Some(Digests { request, binding, facts: Digest::of(quote(facts, of_facts, text)) })
    }
}

/// As long as most pieces between two numbers are.
const CHUNK: usize = 32;

/// The document with its numbers in quotes. There is room for it in `text`, in which what lies behind it is of others.
fn quote<'t>(document: &'t [u8], numbers: &[Range<u32>], text: &'t mut Vec<u8>) -> &'t [u8] {
    if numbers.is_empty() {
        return document;
    }
    let length = numbers.len().saturating_mul(2).saturating_add(document.len());
    let room = length.saturating_add(CHUNK);
    if text.len() < room {
        text.resize(room, 0);
    }
    let (mut from, mut to) = (0_usize, 0_usize);
    let ends = numbers.iter().flat_map(|number| [number.start as usize, number.end as usize]);
    for end in ends {
        let length = end.saturating_sub(from);
        copy::<CHUNK>(document.get(from..).unwrap_or_default(), length, text.get_mut(to..).unwrap_or_default());
        to = to.saturating_add(length);
        if let Some(quote) = text.get_mut(to) {
            *quote = b'"';
        }
        (from, to) = (end, to.saturating_add(1));
    }
    let rest = document.get(from..).unwrap_or_default();
    copy::<CHUNK>(rest, rest.len(), text.get_mut(to..).unwrap_or_default());
    text.get(..length).unwrap_or_default()
}

/// Where advisory members stand in the text with its quotes, each with one comma.
fn cut(text: &[u8], numbers: &[Range<u32>], advisory: &[Range<u32>], cuts: &mut Vec<Range<usize>>) {
    cuts.clear();
    // A number begins before another place or ends before it, as no member begins or ends within one.
    let quoted = |at: u32| {
        let before = |at: u32| numbers.partition_point(|number| number.start < at);
        before(at).saturating_mul(2).saturating_add(at as usize)
    };
    for member in advisory {
        let (mut from, mut to) = (quoted(member.start), quoted(member.end));
        let is_first = text.get(..from).is_some_and(|before| before.ends_with(b"{"))
            || cuts.last().is_some_and(|cut| cut.end == from && text.get(from.saturating_sub(1)) == Some(&b','));
        let follows = text.get(to) == Some(&b',');
        if !is_first {
            from = from.saturating_sub(1);
        } else if follows {
            to = to.saturating_add(1);
        }
        cuts.push(from..to);
    }
}

/// The digest of a text, and of what is left of it.
fn both(text: &[u8], cuts: &[Range<usize>]) -> (Digest, Digest) {
    let Some(first) = cuts.first() else {
        let digest = Digest::of(text);
        return (digest, digest);
    };
    // Both begin in the same way.
    let (same, rest) = text.split_at_checked(first.start).unwrap_or((text, &[]));
    let mut hasher = Hasher::default();
    hasher.add(same);
    let mut left = hasher.clone();
    hasher.add(rest);
    let mut from = first.end;
    for cut in cuts.iter().skip(1) {
        left.add(text.get(from..cut.start).unwrap_or_default());
        from = cut.end;
    }
    left.add(text.get(from..).unwrap_or_default());
    (hasher.finish(), left.finish())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_are_put_into_quotes(pieces in prop::collection::vec(("[a-z]{0,80}", "[0-9]{1,40}"), 0..6), end in "[a-z]{0,80}") {
            let (mut document, mut expected, mut numbers) = (String::new(), String::new(), Vec::new());
            for (text, number) in pieces {
                document.push_str(&text);
                numbers.push(document.len() as u32..(document.len() + number.len()) as u32);
                document.push_str(&number);
                expected.push_str(&format!("{text}\"{number}\""));
            }
            document.push_str(&end);
            expected.push_str(&end);
            // What was there before does not show.
            let mut room = vec![b'#'; 300];
            let quoted = quote(document.as_bytes(), &numbers, &mut room);
            prop_assert_eq!(std::str::from_utf8(quoted), Ok(expected.as_str()));
        }
    }

    #[test]
    fn what_is_left_out_leaves_an_object() {
        // Members that are advisory, the text, what is left.
        for (advisory, expected) in [
            (&[][..], r#"{"a":"1","b":[],"c":"-2","d":"x"}"#),
            (&["a"][..], r#"{"b":[],"c":"-2","d":"x"}"#),
            (&["b"], r#"{"a":"1","c":"-2","d":"x"}"#),
            (&["d"], r#"{"a":"1","b":[],"c":"-2"}"#),
            (&["a", "b"], r#"{"c":"-2","d":"x"}"#),
            (&["b", "c"], r#"{"a":"1","d":"x"}"#),
            (&["a", "c"], r#"{"b":[],"d":"x"}"#),
            (&["c", "d"], r#"{"a":"1","b":[]}"#),
            (&["a", "b", "c"], r#"{"d":"x"}"#),
            (&["b", "c", "d"], r#"{"a":"1"}"#),
            (&["a", "b", "c", "d"], "{}"),
        ] {
            let members = [("a", "1", true), ("b", "[]", false), ("c", "-2", true), ("d", "\"x\"", false)];
            let mut trace = Trace::default();
            trace.begin(true);
            let mut document = "{".to_owned();
            for (name, value, is_number) in members {
                if document.len() > 1 {
                    document.push(',');
                }
                let from = document.len();
                document.push_str(&format!("\"{name}\":"));
                let start = document.len();
                document.push_str(value);
                if is_number {
                    trace.number(start, document.len());
                }
                if advisory.contains(&name) {
                    trace.advisory(from, document.len());
                }
            }
            document.push('}');
            trace.begin_facts();
            let digests = trace.digests(document.as_bytes(), b"{}", &mut Room::default()).expect("nothing is odd");
            assert_eq!(digests.binding, Digest::of(expected.as_bytes()), "{advisory:?}");
            assert_eq!(digests.request, Digest::of(br#"{"a":"1","b":[],"c":"-2","d":"x"}"#));
            assert_eq!(digests.facts, Digest::of(b"{}"));
        }
    }
}

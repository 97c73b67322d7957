//! Canonical objects whose members are known beforehand, written as text at once: no tree is built of them and nothing is
//! sorted.
//!
//! Whoever writes gives the members in the order of their names. That they do is looked at wherever tests run; that what
//! they write is what [`push`](super::push) would have written of the same values, a test beside each of them holds.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use crate::base::hash::Digest;
use crate::base::text::Pieces;
use crate::data::timestamp::Timestamp;
use crate::vm::canonical::{key_order, push_number, push_string};

/// An object that is being written.
#[derive(Debug)]
pub(in crate::kernel) struct Object<'o, O> {
    out: &'o mut O,
    last: Option<&'static str>,
}

impl<'o, O: Pieces> Object<'o, O> {
    /// Begins one, behind what is there.
    pub(in crate::kernel) fn new(out: &'o mut O) -> Object<'o, O> {
        out.push('{');
        Object { out, last: None }
    }

    /// Begins a member: its value is what is appended next. Where the name is known it costs a few stores.
    #[inline(always)]
    pub(in crate::kernel) fn member(&mut self, name: &'static str) -> &mut O {
        debug_assert!(self.last.is_none_or(|last| key_order(last, name).is_lt()), "`{name}` is not behind the others");
        debug_assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "`{name}` is no plain name");
        if self.last.is_some() {
            self.out.push(',');
        }
        self.out.push('"');
        self.out.push_str(name);
        self.out.push_str("\":");
        self.last = Some(name);
        self.out
    }

    /// A member that is a text.
    #[inline]
    pub(in crate::kernel) fn text(&mut self, name: &'static str, text: &str) {
        push_string(self.member(name), text);
    }

    /// A member that is a word of ours, in which nothing is escaped.
    #[inline]
    pub(in crate::kernel) fn word(&mut self, name: &'static str, word: &'static str) {
        debug_assert!(word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)), "`{word}`");
        let out = self.member(name);
        out.push('"');
        out.push_str(word);
        out.push('"');
    }

    /// A member that is a digest.
    pub(in crate::kernel) fn digest(&mut self, name: &'static str, digest: &Digest) {
        let out = self.member(name);
        out.push('"');
        digest.push(out);
        out.push('"');
    }

    /// A member that is a time.
    pub(in crate::kernel) fn time(&mut self, name: &'static str, time: Timestamp) {
        let out = self.member(name);
        out.push('"');
        time.push(out);
        out.push('"');
    }

    /// A member that is a number, which has to be one that an entry may have.
    pub(in crate::kernel) fn number(&mut self, name: &'static str, number: u64) {
        push_number(self.member(name), number);
    }

    /// A member that is an array, of items that `push` appends.
    pub(in crate::kernel) fn all<T>(&mut self, name: &'static str, items: &[T], push: impl Fn(&mut O, &T)) {
        let out = self.member(name);
        out.push('[');
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            push(out, item);
        }
        out.push(']');
    }

    /// Ends it.
    pub(in crate::kernel) fn end(self) {
        self.out.push('}');
    }
}

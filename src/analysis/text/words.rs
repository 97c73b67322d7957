//! Machines of plain texts: constants, beginnings, ends, what is within, order, length.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::automata::{Automata, Classes, Fate, Key, Machine};
use crate::data::pattern::Pattern;

/// The state of a machine that will never accept, or always; states that are places in a text are less.
const NEVER: u32 = u32::MAX;
const ALWAYS: u32 = u32::MAX - 1;

fn simple_fate(state: u32) -> Fate {
    match state {
        NEVER => Fate::Never,
        ALWAYS => Fate::Always,
        _ => Fate::Open,
    }
}

/// What a text is compared for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    /// The word is the text.
    Exactly,
    /// The word begins with the text.
    StartsWith,
    /// The word is less.
    Before,
    /// The word is greater.
    After,
    /// The word is the path, or below it; the path of the root is the empty text here.
    PathIn,
}

/// Compares from the first byte on. The state is how many bytes were equal, all of them so far.
#[derive(Debug)]
pub(super) struct Compared {
    /// How.
    pub(super) comparison: Comparison,
    /// With what.
    pub(super) text: Arc<str>,
}

impl Machine for Compared {
    fn start(&self, _: &mut Automata) -> Key {
        match self.comparison {
            Comparison::StartsWith if self.text.is_empty() => vec![ALWAYS],
            Comparison::Before if self.text.is_empty() => vec![NEVER],
            _ => vec![0],
        }
    }

    fn step(&self, _: &mut Automata, key: &[u32], byte: u8) -> Key {
        let [place] = *key else { return vec![NEVER] };
        if place >= ALWAYS {
            return vec![place];
        }
        let constant = |holds| if holds { ALWAYS } else { NEVER };
        let next = match (self.text.as_bytes().get(place as usize), self.comparison) {
            (None, Comparison::Exactly | Comparison::Before) => NEVER,
            (None, Comparison::StartsWith | Comparison::After) => ALWAYS,
            (None, Comparison::PathIn) => constant(byte == b'/'),
            (Some(own), Comparison::Before) if byte != *own => constant(byte < *own),
            (Some(own), Comparison::After) if byte != *own => constant(byte > *own),
            (Some(own), _) if byte != *own => NEVER,
            (Some(_), comparison) => {
                let next = place + 1;
                match comparison {
                    Comparison::StartsWith if next as usize == self.text.len() => ALWAYS,
                    Comparison::Before if next as usize == self.text.len() => NEVER,
                    _ => next,
                }
            }
        };
        vec![next]
    }

    fn accepts(&self, _: &Automata, key: &[u32]) -> bool {
        let [place] = *key else { return false };
        if place >= ALWAYS {
            return place == ALWAYS;
        }
        match self.comparison {
            Comparison::Exactly | Comparison::StartsWith | Comparison::PathIn => place as usize == self.text.len(),
            Comparison::Before => (place as usize) < self.text.len(),
            Comparison::After => false,
        }
    }

    fn fate(&self, _: &Automata, key: &[u32]) -> Fate {
        key.first().map_or(Fate::Open, |state| simple_fate(*state))
    }

    fn split(&self, _: &Automata, classes: &mut Classes) {
        match self.comparison {
            Comparison::Exactly | Comparison::StartsWith => classes.each(self.text.as_bytes()),
            Comparison::PathIn => {
                classes.each(self.text.as_bytes());
                classes.each(b"/");
            }
            Comparison::Before | Comparison::After => {
                let mut marks = [0_u32; 257];
                for &byte in self.text.as_bytes() {
                    marks[usize::from(byte)] = 1;
                    marks[usize::from(byte) + 1] = 1;
                }
                let mut sum = 0;
                for mark in &mut marks {
                    sum += *mark;
                    *mark = sum;
                }
                classes.by(|byte| marks[usize::from(byte)]);
            }
        }
    }
}

/// Looks for a text, anywhere or at the end. The state is how much of the text the bytes so far end with.
#[derive(Debug)]
pub(super) struct Searched {
    text: Arc<str>,
    at_end: bool,
    /// For each length of a match that failed: the next shorter one.
    shorter: Vec<u32>,
}

impl Searched {
    /// The words that have the text within.
    pub(super) fn within(text: &Arc<str>) -> Searched {
        Searched { text: text.clone(), at_end: false, shorter: borders(text.as_bytes()) }
    }

    /// The words that end with the text.
    pub(super) fn at_end(text: &Arc<str>) -> Searched {
        Searched { text: text.clone(), at_end: true, shorter: borders(text.as_bytes()) }
    }
}

/// For each length of a beginning of the text: the longest shorter beginning that it ends with (Knuth, Morris, Pratt).
pub(super) fn borders(text: &[u8]) -> Vec<u32> {
    let mut shorter = vec![0; text.len() + 1];
    for at in 1..text.len() {
        let mut length = shorter[at] as usize;
        while length > 0 && text[at] != text[length] {
            length = shorter[length] as usize;
        }
        shorter[at + 1] = if text[at] == text[length] { length as u32 + 1 } else { 0 };
    }
    shorter
}

/// How much of the text the bytes end with after one more.
pub(super) fn advance(text: &[u8], shorter: &[u32], matched: u32, byte: u8) -> u32 {
    let mut length = matched as usize;
    loop {
        if text.get(length) == Some(&byte) {
            return length as u32 + 1;
        }
        if length == 0 {
            return 0;
        }
        length = shorter[length] as usize;
    }
}

impl Machine for Searched {
    fn start(&self, _: &mut Automata) -> Key {
        vec![if self.text.is_empty() { ALWAYS } else { 0 }]
    }

    fn step(&self, _: &mut Automata, key: &[u32], byte: u8) -> Key {
        let [matched] = *key else { return vec![NEVER] };
        if matched == ALWAYS {
            return vec![ALWAYS];
        }
        let next = advance(self.text.as_bytes(), &self.shorter, matched, byte);
        vec![if !self.at_end && next as usize == self.text.len() { ALWAYS } else { next }]
    }

    fn accepts(&self, _: &Automata, key: &[u32]) -> bool {
        key.first().is_some_and(|matched| *matched == ALWAYS || *matched as usize == self.text.len())
    }

    fn fate(&self, _: &Automata, key: &[u32]) -> Fate {
        key.first().map_or(Fate::Open, |state| simple_fate(*state))
    }

    fn split(&self, _: &Automata, classes: &mut Classes) {
        classes.each(self.text.as_bytes());
    }
}

/// Walks the automaton of a pattern.
#[derive(Debug)]
pub(super) struct Matched(pub(super) Pattern);

impl Machine for Matched {
    fn start(&self, _: &mut Automata) -> Key {
        vec![self.0.start()]
    }

    fn step(&self, _: &mut Automata, key: &[u32], byte: u8) -> Key {
        key.iter().map(|place| self.0.step(*place, byte)).collect()
    }

    fn accepts(&self, _: &Automata, key: &[u32]) -> bool {
        key.iter().all(|place| self.0.accepts(*place))
    }

    fn fate(&self, _: &Automata, key: &[u32]) -> Fate {
        if key.iter().any(|place| self.0.is_dead(*place)) { Fate::Never } else { Fate::Open }
    }

    fn split(&self, _: &Automata, classes: &mut Classes) {
        classes.by(|byte| u32::from(self.0.class(byte)));
    }
}

/// What is counted of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counted {
    /// Its code points: all bytes but those that continue one.
    Characters,
    /// Its bytes.
    Bytes,
    /// Its names, of a path: runs of other bytes between slashes.
    Names,
}

/// Counts up to a number, and accepts what has that many. The state is the count, and whether a name has begun.
#[derive(Debug)]
pub(super) struct AtLeast {
    /// What is counted.
    pub(super) counted: Counted,
    /// How far.
    pub(super) least: u32,
}

impl Machine for AtLeast {
    fn start(&self, _: &mut Automata) -> Key {
        vec![0, 0]
    }

    fn step(&self, _: &mut Automata, key: &[u32], byte: u8) -> Key {
        let [count, within] = *key else { return Vec::new() };
        if count >= self.least {
            return vec![self.least, 0];
        }
        let (more, within) = match self.counted {
            Counted::Characters => (byte & 0xc0 != 0x80, 0),
            Counted::Bytes => (true, 0),
            Counted::Names => (byte != b'/' && within == 0, u32::from(byte != b'/')),
        };
        let count = count + u32::from(more);
        vec![count, if count >= self.least { 0 } else { within }]
    }

    fn accepts(&self, _: &Automata, key: &[u32]) -> bool {
        key.first().is_some_and(|count| *count >= self.least)
    }

    fn fate(&self, inner: &Automata, key: &[u32]) -> Fate {
        if self.accepts(inner, key) { Fate::Always } else { Fate::Open }
    }

    fn split(&self, _: &Automata, classes: &mut Classes) {
        match self.counted {
            Counted::Characters => classes.by(|byte| u32::from(byte & 0xc0 == 0x80)),
            Counted::Bytes => {}
            Counted::Names => classes.each(b"/"),
        }
    }
}

/// All words, or none.
#[derive(Debug)]
pub(super) struct Constant(pub(super) bool);

impl Machine for Constant {
    fn start(&self, _: &mut Automata) -> Key {
        Vec::new()
    }

    fn step(&self, _: &mut Automata, _: &[u32], _: u8) -> Key {
        Vec::new()
    }

    fn accepts(&self, _: &Automata, _: &[u32]) -> bool {
        self.0
    }

    fn fate(&self, _: &Automata, _: &[u32]) -> Fate {
        if self.0 { Fate::Always } else { Fate::Never }
    }

    fn split(&self, _: &Automata, _: &mut Classes) {}
}

/// Any of many constants, or anything that begins with one of many texts: one walk down a tree, for they come by the
/// thousand. The state is the node.
#[derive(Debug)]
pub(super) struct Listed {
    nodes: Vec<Node>,
    bytes: Vec<u8>,
}

#[derive(Debug, Default)]
struct Node {
    next: BTreeMap<u8, u32>,
    ends: bool,
    begins: bool,
}

impl Listed {
    /// Of texts, each with whether longer words are meant too.
    pub(super) fn new<'t>(texts: impl IntoIterator<Item = (&'t str, bool)>) -> Listed {
        let mut listed = Listed { nodes: vec![Node::default()], bytes: Vec::new() };
        let mut bytes = [false; 256];
        for (text, longer) in texts {
            let mut at = 0;
            for &byte in text.as_bytes() {
                bytes[usize::from(byte)] = true;
                let new = listed.nodes.len() as u32;
                at = *listed.nodes[at].next.entry(byte).or_insert(new) as usize;
                if at == new as usize {
                    listed.nodes.push(Node::default());
                }
            }
            listed.nodes[at].ends = true;
            listed.nodes[at].begins |= longer;
        }
        listed.bytes = (0..=255).filter(|byte| bytes[usize::from(*byte)]).collect();
        listed
    }

    fn settled(&self, node: u32) -> u32 {
        if self.nodes[node as usize].begins { ALWAYS } else { node }
    }
}

impl Machine for Listed {
    fn start(&self, _: &mut Automata) -> Key {
        vec![self.settled(0)]
    }

    fn step(&self, _: &mut Automata, key: &[u32], byte: u8) -> Key {
        let [node] = *key else { return vec![NEVER] };
        if node >= ALWAYS {
            return vec![node];
        }
        vec![self.nodes[node as usize].next.get(&byte).map_or(NEVER, |next| self.settled(*next))]
    }

    fn accepts(&self, _: &Automata, key: &[u32]) -> bool {
        match key {
            [ALWAYS] => true,
            [node] => self.nodes.get(*node as usize).is_some_and(|node| node.ends),
            _ => false,
        }
    }

    fn fate(&self, _: &Automata, key: &[u32]) -> Fate {
        key.first().map_or(Fate::Open, |state| simple_fate(*state))
    }

    fn split(&self, _: &Automata, classes: &mut Classes) {
        classes.each(&self.bytes);
    }
}

/// Well-formed UTF-8: no overlong forms, no surrogates, nothing past U+10FFFF. The state is what must follow.
#[derive(Debug)]
pub(super) struct WellFormed;

impl WellFormed {
    /// What must follow after one more byte; nothing where the bytes are not well-formed.
    fn after(state: u32, byte: u8) -> Option<u32> {
        Some(match (state, byte) {
            (0, 0..=0x7f) => 0,
            (0, 0xc2..=0xdf) => 1,
            (0, 0xe1..=0xec | 0xee | 0xef) => 2,
            (0, 0xf1..=0xf3) => 3,
            (0, 0xe0) => 4,
            (0, 0xed) => 5,
            (0, 0xf0) => 6,
            (0, 0xf4) => 7,
            (1, 0x80..=0xbf) => 0,
            (2, 0x80..=0xbf) => 1,
            (3, 0x80..=0xbf) => 2,
            (4, 0xa0..=0xbf) | (5, 0x80..=0x9f) => 1,
            (6, 0x90..=0xbf) | (7, 0x80..=0x8f) => 2,
            _ => return None,
        })
    }
}

impl Machine for WellFormed {
    fn start(&self, _: &mut Automata) -> Key {
        vec![0]
    }

    fn step(&self, _: &mut Automata, key: &[u32], byte: u8) -> Key {
        vec![key.first().and_then(|state| WellFormed::after(*state, byte)).unwrap_or(NEVER)]
    }

    fn accepts(&self, _: &Automata, key: &[u32]) -> bool {
        key == [0]
    }

    fn fate(&self, _: &Automata, key: &[u32]) -> Fate {
        key.first().map_or(Fate::Open, |state| simple_fate(*state))
    }

    fn split(&self, _: &Automata, classes: &mut Classes) {
        for state in 0..8 {
            classes.by(|byte| WellFormed::after(state, byte).unwrap_or(NEVER));
        }
    }
}

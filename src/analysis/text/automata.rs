//! Deterministic automata over bytes, made as far as they are walked.
//!
//! A [`Machine`] says what its states are and where bytes lead; [`Automata`] numbers the states that were seen and keeps
//! the steps that were taken. A machine may walk others within it, by their ids. All machines read well-formed UTF-8:
//! what they say of other bytes means nothing, and the domain of a variable rules those out.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::Arc;

/// An automaton.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct AutoId(pub(super) u32);

/// A state as its machine writes it: a few numbers, of which those of inner automata are states by number.
pub(super) type Key = Vec<u32>;

/// What is known of all words that lead through a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Nothing.
    Open,
    /// None of them is accepted.
    Never,
    /// All of them are.
    Always,
}

/// How states follow each other.
pub(super) trait Machine: Debug + Send + Sync {
    /// Before any byte.
    fn start(&self, inner: &mut Automata) -> Key;
    /// After one more byte.
    fn step(&self, inner: &mut Automata, key: &[u32], byte: u8) -> Key;
    /// Whether the word may end here.
    fn accepts(&self, inner: &Automata, key: &[u32]) -> bool;
    /// What comes, as far as it is known.
    fn fate(&self, inner: &Automata, key: &[u32]) -> Fate;
    /// Tells bytes apart that lead to different states somewhere.
    fn split(&self, inner: &Automata, classes: &mut Classes);
}

/// A partition of the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Classes {
    of: [u8; 256],
    count: usize,
}

impl Classes {
    /// One class.
    pub(super) fn one() -> Classes {
        Classes { of: [0; 256], count: 1 }
    }

    /// Tells bytes apart that the function gives different numbers.
    pub(super) fn by(&mut self, number: impl Fn(u8) -> u32) {
        let mut known: HashMap<(u8, u32), u8> = HashMap::new();
        for byte in 0..=255 {
            let class = &mut self.of[usize::from(byte)];
            let next = u8::try_from(known.len()).unwrap_or(u8::MAX);
            *class = *known.entry((*class, number(byte))).or_insert(next);
        }
        self.count = known.len();
    }

    /// Tells each of these bytes from all others.
    pub(super) fn each(&mut self, bytes: &[u8]) {
        let mut named = [0; 256];
        for &byte in bytes {
            named[usize::from(byte)] = u32::from(byte) + 1;
        }
        self.by(|byte| named[usize::from(byte)]);
    }

    /// Tells bytes apart that these classes do.
    pub(super) fn with(&mut self, other: &Classes) {
        self.by(|byte| u32::from(other.of(byte)));
    }

    /// The class of a byte.
    pub(super) fn of(&self, byte: u8) -> u8 {
        self.of[usize::from(byte)]
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.count
    }
}

#[derive(Clone, Debug)]
struct Automaton {
    machine: Arc<dyn Machine>,
    classes: Classes,
    keys: Vec<Key>,
    places: HashMap<Key, u32>,
    /// By state and class; `UNKNOWN` until the step was taken.
    next: Vec<u32>,
    ends: Vec<(bool, Fate)>,
}

const UNKNOWN: u32 = u32::MAX;

/// All automata.
#[derive(Clone, Debug, Default)]
pub(super) struct Automata {
    all: Vec<Automaton>,
}

impl Automata {
    /// Takes a machine; its start is state 0.
    pub(super) fn add(&mut self, machine: Arc<dyn Machine>) -> AutoId {
        let mut classes = Classes::one();
        machine.split(self, &mut classes);
        let start = machine.start(self);
        let id = AutoId(u32::try_from(self.all.len()).unwrap_or(u32::MAX));
        let (keys, places) = (Vec::new(), HashMap::new());
        self.all.push(Automaton { machine, classes, keys, places, next: Vec::new(), ends: Vec::new() });
        self.state(id, start);
        id
    }

    /// Forgets all but the first so many; no other may be made of what is forgotten.
    pub(super) fn forget(&mut self, len: usize) {
        self.all.truncate(len);
    }

    /// Where each automaton begins.
    pub(super) const START: u32 = 0;

    fn state(&mut self, id: AutoId, key: Key) -> u32 {
        let automaton = &self.all[id.0 as usize];
        if let Some(known) = automaton.places.get(&key) {
            return *known;
        }
        let ends = (automaton.machine.accepts(self, &key), automaton.machine.fate(self, &key));
        let automaton = &mut self.all[id.0 as usize];
        let state = u32::try_from(automaton.keys.len()).unwrap_or(UNKNOWN);
        automaton.next.extend(std::iter::repeat_n(UNKNOWN, automaton.classes.count()));
        automaton.ends.push(ends);
        automaton.keys.push(key.clone());
        automaton.places.insert(key, state);
        state
    }

    /// Where a byte leads.
    pub(super) fn step(&mut self, id: AutoId, state: u32, byte: u8) -> u32 {
        let automaton = &self.all[id.0 as usize];
        let place = state as usize * automaton.classes.count() + usize::from(automaton.classes.of(byte));
        let known = automaton.next[place];
        if known != UNKNOWN {
            return known;
        }
        let (machine, key) = (automaton.machine.clone(), automaton.keys[state as usize].clone());
        let key = machine.step(self, &key, byte);
        let next = self.state(id, key);
        self.all[id.0 as usize].next[place] = next;
        next
    }

    /// Whether a word may end in the state.
    pub(super) fn accepts(&self, id: AutoId, state: u32) -> bool {
        self.all[id.0 as usize].ends[state as usize].0
    }

    /// What is known of the words through the state.
    pub(super) fn fate(&self, id: AutoId, state: u32) -> Fate {
        self.all[id.0 as usize].ends[state as usize].1
    }

    /// Which bytes it tells apart.
    pub(super) fn classes(&self, id: AutoId) -> &Classes {
        &self.all[id.0 as usize].classes
    }

    /// Whether it accepts the word.
    pub(super) fn reads(&mut self, id: AutoId, word: &[u8]) -> bool {
        let end = word.iter().fold(Automata::START, |state, byte| self.step(id, state, *byte));
        self.accepts(id, end)
    }
}

//! Machines of paths: the texts that `data::path` gives back, and the parts of those.

use super::automata::{AutoId, Automata, Classes, Fate, Key, Machine};

/// The normal texts of paths, exactly: they begin with `/`, no name is empty, `.` or `..`, no byte is NUL.
#[derive(Debug)]
pub(super) struct Paths;

const BEGIN: u32 = 0;
const ROOT: u32 = 1;
const SLASH: u32 = 2;
/// As many dots as the number is above it, and nothing else, since the slash.
const DOTS: u32 = 3;
const NAME: u32 = 6;
const WRONG: u32 = 7;

impl Machine for Paths {
    fn start(&self, _: &mut Automata) -> Key {
        vec![BEGIN]
    }

    fn step(&self, _: &mut Automata, key: &[u32], byte: u8) -> Key {
        let [state] = *key else { return vec![WRONG] };
        vec![match (state, byte) {
            (BEGIN, b'/') => ROOT,
            (BEGIN | WRONG, _) | (_, 0) => WRONG,
            (NAME, b'/') => SLASH,
            (_, b'/') => WRONG,
            (ROOT | SLASH, b'.') => DOTS + 1,
            (4, b'.') => DOTS + 2,
            _ => NAME,
        }]
    }

    fn accepts(&self, _: &Automata, key: &[u32]) -> bool {
        matches!(key, [ROOT | NAME])
    }

    fn fate(&self, _: &Automata, key: &[u32]) -> Fate {
        if key == [WRONG] { Fate::Never } else { Fate::Open }
    }

    fn split(&self, _: &Automata, classes: &mut Classes) {
        classes.each(b"/.\0");
    }
}

/// The last name lies in a language. The state is that of the inner automaton since the last slash.
#[derive(Debug)]
pub(super) struct Name(pub(super) AutoId);

impl Machine for Name {
    fn start(&self, _: &mut Automata) -> Key {
        vec![Automata::START]
    }

    fn step(&self, inner: &mut Automata, key: &[u32], byte: u8) -> Key {
        if byte == b'/' {
            return vec![Automata::START];
        }
        key.iter().map(|state| inner.step(self.0, *state, byte)).collect()
    }

    fn accepts(&self, inner: &Automata, key: &[u32]) -> bool {
        key.iter().all(|state| inner.accepts(self.0, *state))
    }

    fn fate(&self, _: &Automata, _: &[u32]) -> Fate {
        Fate::Open
    }

    fn split(&self, inner: &Automata, classes: &mut Classes) {
        classes.with(inner.classes(self.0));
        classes.each(b"/");
    }
}

/// There is an extension, and it lies in a language. The state is whether the name has begun, how far the extension
/// has (0: there is none, 1: it would be empty, 2: it is not), and that of the inner automaton since the last dot.
#[derive(Debug)]
pub(super) struct Extension(pub(super) AutoId);

impl Machine for Extension {
    fn start(&self, _: &mut Automata) -> Key {
        vec![0, 0, Automata::START]
    }

    fn step(&self, inner: &mut Automata, key: &[u32], byte: u8) -> Key {
        let [begun, extension, state] = *key else { return Vec::new() };
        match (byte, extension) {
            (b'/', _) => vec![0, 0, Automata::START],
            (b'.', _) => vec![1, begun, Automata::START],
            (_, 0) => vec![1, 0, Automata::START],
            _ => vec![1, 2, inner.step(self.0, state, byte)],
        }
    }

    fn accepts(&self, inner: &Automata, key: &[u32]) -> bool {
        matches!(*key, [_, 2, state] if inner.accepts(self.0, state))
    }

    fn fate(&self, _: &Automata, _: &[u32]) -> Fate {
        Fate::Open
    }

    fn split(&self, inner: &Automata, classes: &mut Classes) {
        classes.with(inner.classes(self.0));
        classes.each(b"/.");
    }
}

/// There is a parent, and it lies in a language. The state is how far the path is (0: nothing, 1: the root, 2: below
/// it, 3: below it, past another slash), that of the inner automaton after all bytes, and that at the last slash.
#[derive(Debug)]
pub(super) struct Parent(pub(super) AutoId);

impl Machine for Parent {
    fn start(&self, _: &mut Automata) -> Key {
        vec![0, Automata::START, Automata::START]
    }

    fn step(&self, inner: &mut Automata, key: &[u32], byte: u8) -> Key {
        let [far, all, parent] = *key else { return Vec::new() };
        let next = inner.step(self.0, all, byte);
        match (far, byte) {
            // The parent of what stands right below the root is the slash itself.
            (0, _) => vec![1, next, next],
            (1, _) => vec![2, next, parent],
            (_, b'/') => vec![3, next, all],
            _ => vec![far, next, parent],
        }
    }

    fn accepts(&self, inner: &Automata, key: &[u32]) -> bool {
        matches!(*key, [2 | 3, _, parent] if inner.accepts(self.0, parent))
    }

    fn fate(&self, _: &Automata, _: &[u32]) -> Fate {
        Fate::Open
    }

    fn split(&self, inner: &Automata, classes: &mut Classes) {
        classes.with(inner.classes(self.0));
        classes.each(b"/");
    }
}

//! The address that the host of a URL is, read out of its text as a word of `Domain::Address`.
//!
//! An IPv4 address is four numbers, each two hexadecimal digits of the word. In an IPv6 address it shows only later how
//! many zeros `::` stands for and how many digits a group has, so that all possibilities are followed at once, each with
//! its state of the inner automaton. One of `::ffff:0:0/96` is the IPv4 address within it.

use super::super::automata::{AutoId, Automata, Classes, Fate, Key, Machine};
use super::Phase;

/// The host is an address, and its word lies in a language.
///
/// The state is the phase, and behind it: in a host without brackets the number of the octet, its value, the inner
/// state before it, and that behind it (`NONE` where this is no address); between brackets all threads, sorted; and
/// behind the host the inner state, if it is an address.
#[derive(Debug)]
pub(in super::super) struct HostAddress(pub(in super::super) AutoId);

const NONE: u32 = u32::MAX;
/// No digit of the octet was read.
const NO_DIGIT: u32 = 256;

/// How an IPv6 address may be read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Thread {
    /// As the IPv4 address within it.
    v4: bool,
    /// How many digits of the 32 were read, those that are not written included.
    digits: u32,
    /// How many are still to come in this group.
    left: u32,
    place: Place,
    /// `::` was read.
    gap: bool,
    /// All digits were those of `::ffff:0:0/96`.
    mapped: bool,
    inner: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Start,
    Group,
    Colon,
    FirstColon,
    Gap,
}

impl Thread {
    fn key(self) -> [u32; 3] {
        let place = [Place::Start, Place::Group, Place::Colon, Place::FirstColon, Place::Gap]
            .iter()
            .position(|place| *place == self.place)
            .unwrap_or(0) as u32;
        let flags = u32::from(self.v4) | u32::from(self.gap) << 1 | u32::from(self.mapped) << 2;
        [self.digits << 16 | self.left << 12 | place << 8 | flags, self.inner, 0]
    }

    fn of(key: &[u32]) -> Option<Thread> {
        let [packed, inner, _] = *key else { return None };
        let place = match packed >> 8 & 15 {
            0 => Place::Start,
            1 => Place::Group,
            2 => Place::Colon,
            3 => Place::FirstColon,
            _ => Place::Gap,
        };
        let flag = |at: u32| packed >> at & 1 == 1;
        let (digits, left) = (packed >> 16, packed >> 12 & 15);
        Some(Thread { v4: flag(0), digits, left, place, gap: flag(1), mapped: flag(2), inner })
    }
}

impl HostAddress {
    /// The thread after a digit of the 32; nothing where it ends.
    fn fed(&self, inner: &mut Automata, mut thread: Thread, digit: u32) -> Option<Thread> {
        if thread.digits >= 32 {
            return None;
        }
        if thread.digits < 24 {
            thread.mapped &= digit == if thread.digits < 20 { 0 } else { 15 };
        }
        // Each address is read by one of the two kinds.
        let other_kind = if thread.v4 { !thread.mapped } else { thread.mapped && thread.digits == 23 };
        if other_kind {
            return None;
        }
        if !thread.v4 || thread.digits >= 24 {
            thread.inner = inner.step(self.0, thread.inner, hexadecimal(digit));
            if inner.fate(self.0, thread.inner) == Fate::Never {
                return None;
            }
        }
        thread.digits += 1;
        Some(thread)
    }

    fn zeros(&self, inner: &mut Automata, thread: Thread, count: u32) -> Option<Thread> {
        (0..count).try_fold(thread, |thread, _| self.fed(inner, thread, 0))
    }

    /// What becomes of a thread.
    fn read(&self, inner: &mut Automata, thread: Thread, byte: u8, out: &mut Vec<Thread>) {
        match (thread.place, char::from(byte).to_digit(16)) {
            (Place::Group, Some(digit)) if thread.left > 0 => {
                let thread = Thread { left: thread.left - 1, ..thread };
                out.extend(self.fed(inner, thread, digit));
            }
            (Place::Group | Place::FirstColon, Some(_)) => {}
            (_, Some(digit)) => {
                for length in 1..=if digit == 0 { 1 } else { 4 } {
                    let thread = Thread { place: Place::Group, left: length - 1, ..thread };
                    let padded = self.zeros(inner, thread, 4 - length);
                    out.extend(padded.and_then(|thread| self.fed(inner, thread, digit)));
                }
            }
            (_, None) if byte != b':' => {}
            (Place::Start, None) => out.push(Thread { place: Place::FirstColon, ..thread }),
            (Place::Group, None) if thread.left == 0 && thread.digits < 32 => {
                out.push(Thread { place: Place::Colon, ..thread });
            }
            (Place::Colon | Place::FirstColon, None) if !thread.gap => {
                // A single group of zeros is written out.
                let mut next = self.zeros(inner, Thread { place: Place::Gap, gap: true, ..thread }, 8);
                while let Some(thread) = next {
                    out.push(thread);
                    next = self.zeros(inner, thread, 4);
                }
            }
            _ => {}
        }
    }

    fn bracket(&self, inner: &mut Automata) -> Key {
        let threads = [false, true].map(|v4| {
            let inner = inner.step(self.0, Automata::START, if v4 { b'4' } else { b'6' });
            Thread { v4, digits: 0, left: 0, place: Place::Start, gap: false, mapped: true, inner }
        });
        let mut key = vec![Phase::Bracket as u32];
        key.extend(threads.iter().flat_map(|thread| thread.key()));
        key
    }

    fn between_brackets(&self, inner: &mut Automata, key: &[u32], byte: u8) -> Key {
        let threads = key.get(1..).unwrap_or_default().chunks(3).filter_map(Thread::of);
        if byte == b']' {
            let end = threads.into_iter().find(|thread| {
                thread.digits == 32 && thread.left == 0 && matches!(thread.place, Place::Group | Place::Gap)
            });
            let mut key = vec![Phase::BracketEnd as u32];
            key.extend(end.map(|thread| thread.inner));
            return key;
        }
        let mut after = Vec::new();
        for thread in threads {
            self.read(inner, thread, byte, &mut after);
        }
        after.sort_unstable();
        after.dedup();
        let mut key = vec![Phase::Bracket as u32];
        key.extend(after.into_iter().flat_map(Thread::key));
        key
    }

    fn host(&self, inner: &mut Automata) -> Key {
        vec![Phase::Host as u32, 0, NO_DIGIT, inner.step(self.0, Automata::START, b'4'), NONE]
    }

    fn octet(&self, inner: &mut Automata, key: &[u32], byte: u8) -> Key {
        let no = vec![Phase::Host as u32];
        let [_, octet, value, before, behind] = *key else { return no };
        match byte {
            b'.' if value != NO_DIGIT && octet < 3 => vec![Phase::Host as u32, octet + 1, NO_DIGIT, behind, NONE],
            b'0'..=b'9' => {
                let digit = u32::from(byte - b'0');
                let value = match value {
                    NO_DIGIT => digit,
                    0 => return no,
                    value => value * 10 + digit,
                };
                if value > 255 {
                    return no;
                }
                let behind = inner.step(self.0, before, hexadecimal(value >> 4));
                let behind = inner.step(self.0, behind, hexadecimal(value & 15));
                vec![Phase::Host as u32, octet, value, before, behind]
            }
            _ => no,
        }
    }
}

fn hexadecimal(digit: u32) -> u8 {
    char::from_digit(digit, 16).map_or(b'0', |digit| digit as u8)
}

/// The inner state behind a host that is an address.
fn settled(key: &[u32]) -> Option<u32> {
    match *key {
        [phase, 3, value, _, behind] if phase == Phase::Host as u32 && value != NO_DIGIT => Some(behind),
        [phase, state] if Phase::of(phase) > Phase::Bracket => Some(state),
        _ => None,
    }
}

impl Machine for HostAddress {
    fn start(&self, _: &mut Automata) -> Key {
        vec![Phase::Scheme as u32]
    }

    fn step(&self, inner: &mut Automata, key: &[u32], byte: u8) -> Key {
        let Some(before) = key.first().map(|phase| Phase::of(*phase)) else { return Vec::new() };
        let phase = before.after(byte);
        match (before, phase) {
            (_, Phase::Host) if before != Phase::Host || byte == b'@' => self.host(inner),
            (Phase::Host, Phase::Host) => self.octet(inner, key, byte),
            (Phase::Host, Phase::Bracket) => self.bracket(inner),
            (Phase::Bracket, _) => self.between_brackets(inner, key, byte),
            _ => {
                let mut next = vec![phase as u32];
                next.extend(settled(key));
                next
            }
        }
    }

    fn accepts(&self, inner: &Automata, key: &[u32]) -> bool {
        settled(key).is_some_and(|state| inner.accepts(self.0, state))
    }

    fn fate(&self, _: &Automata, key: &[u32]) -> Fate {
        match key {
            // Behind the host all is known; before the path it may still turn out to be a user name.
            [phase, ..] if Phase::of(*phase) == Phase::Wrong => Fate::Never,
            [phase] if Phase::of(*phase) == Phase::Bracket || Phase::of(*phase) >= Phase::Path => Fate::Never,
            _ => Fate::Open,
        }
    }

    fn split(&self, _: &Automata, classes: &mut Classes) {
        Phase::split(classes);
        // The inner automaton reads digits only.
        classes.each(b"0123456789abcdefABCDEF.");
    }
}

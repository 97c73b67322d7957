//! Machines of the parts of URLs, in the normal texts that `data::url` gives back.
//!
//! A normal text is read once from left to right. What stands before the path may turn out to be a user name and a
//! password at an `@`, so that whatever is known of a host and a port is forgotten there.

use std::sync::Arc;

use super::automata::{AutoId, Automata, Classes, Fate, Key, Machine};
use super::words::{advance, borders};

pub(super) mod addresses;
pub(super) mod domain;
pub(super) mod within;

/// In which part of a URL the reader stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub(super) enum Phase {
    /// Within the scheme.
    Scheme,
    /// Behind the colon of it.
    Colon,
    /// Behind the first slash.
    Slash,
    /// In a host, or in a user name.
    Host,
    /// Between brackets.
    Bracket,
    /// Behind the closing one.
    BracketEnd,
    /// In a port, or in a password.
    Port,
    /// In the path.
    Path,
    /// In the query.
    Query,
    /// In the fragment.
    Fragment,
    /// In nothing: this is no URL.
    Wrong,
}

use Phase::{Bracket, BracketEnd, Colon, Fragment, Host, Path, Port, Query, Scheme, Slash, Wrong};

impl Phase {
    const ALL: [Phase; 11] = [Scheme, Colon, Slash, Host, Bracket, BracketEnd, Port, Path, Query, Fragment, Wrong];

    /// The phase of a number.
    pub(super) fn of(number: u32) -> Phase {
        Phase::ALL.get(number as usize).copied().unwrap_or(Wrong)
    }

    /// Where a byte leads.
    pub(super) fn after(self, byte: u8) -> Phase {
        match (self, byte) {
            (Scheme, b':') => Colon,
            (Colon, b'/') => Slash,
            (Slash, b'/') => Host,
            (Colon | Slash | Wrong, _) => Wrong,
            (Scheme, _) => Scheme,
            (Host | BracketEnd | Port, b'/') => Path,
            (Host | BracketEnd | Port | Path, b'?') => Query,
            (Host | BracketEnd | Port | Path | Query, b'#') => Fragment,
            (Host | BracketEnd, b':') => Port,
            (Host | BracketEnd | Port, b'@') => Host,
            (Host, b'[') => Bracket,
            (Bracket, b']') => BracketEnd,
            (BracketEnd, _) => Wrong,
            (phase, _) => phase,
        }
    }

    /// Tells the bytes apart that lead from phase to phase.
    pub(super) fn split(classes: &mut Classes) {
        classes.each(b":/?#@[]");
    }
}

/// A part that is a piece of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// What stands before the colon.
    Scheme,
    /// The host without brackets.
    Host,
    /// The path, which may be empty.
    Path,
    /// What follows the question mark, if there is one.
    Query,
    /// What follows the number sign, if there is one.
    Fragment,
}

/// A piece lies in a language. The state is the phase, whether the piece has begun, and that of the inner automaton.
#[derive(Debug)]
pub(super) struct Pieces(pub(super) Piece, pub(super) AutoId);

impl Machine for Pieces {
    fn start(&self, _: &mut Automata) -> Key {
        let always = matches!(self.0, Piece::Scheme | Piece::Host | Piece::Path);
        vec![Scheme as u32, u32::from(always), Automata::START]
    }

    fn step(&self, inner: &mut Automata, key: &[u32], byte: u8) -> Key {
        let [phase, begun, state] = *key else { return Vec::new() };
        let (before, phase) = (Phase::of(phase), Phase::of(phase).after(byte));
        let within = match self.0 {
            Piece::Scheme => phase == Scheme,
            Piece::Host => before == phase && matches!(phase, Host | Bracket),
            // The slash that begins it is a part of it.
            Piece::Path => phase == Path,
            Piece::Query => before == Query && phase == Query,
            Piece::Fragment => before == Fragment,
        };
        let begun = match self.0 {
            Piece::Query => begun | u32::from(phase == Query),
            Piece::Fragment => begun | u32::from(phase == Fragment),
            Piece::Scheme | Piece::Host | Piece::Path => begun,
        };
        let state = match self.0 {
            // What was read was a user name.
            Piece::Host if phase == Host && byte == b'@' => Automata::START,
            _ if within => inner.step(self.1, state, byte),
            _ => state,
        };
        vec![phase as u32, begun, state]
    }

    fn accepts(&self, inner: &Automata, key: &[u32]) -> bool {
        matches!(*key, [phase, 1, state] if Phase::of(phase) != Wrong && inner.accepts(self.1, state))
    }

    fn fate(&self, inner: &Automata, key: &[u32]) -> Fate {
        let [phase, begun, state] = *key else { return Fate::Open };
        let phase = Phase::of(phase);
        // A host is only known for one at its end.
        let settled = begun == 1 && (self.0 != Piece::Host || phase >= Path);
        match phase {
            Wrong => Fate::Never,
            Fragment if begun == 0 => Fate::Never,
            // Whether the whole is a URL is another question.
            _ if settled && inner.fate(self.1, state) == Fate::Never => Fate::Never,
            _ => Fate::Open,
        }
    }

    fn split(&self, inner: &Automata, classes: &mut Classes) {
        classes.with(inner.classes(self.1));
        Phase::split(classes);
    }
}

/// There is a user name or a password. The state is the phase, and whether there is an `@` that ends them.
#[derive(Debug)]
pub(super) struct Credentials;

impl Machine for Credentials {
    fn start(&self, _: &mut Automata) -> Key {
        vec![Scheme as u32, 0]
    }

    fn step(&self, _: &mut Automata, key: &[u32], byte: u8) -> Key {
        let [phase, found] = *key else { return Vec::new() };
        let phase = Phase::of(phase).after(byte);
        vec![phase as u32, found | u32::from(phase == Host && byte == b'@')]
    }

    fn accepts(&self, _: &Automata, key: &[u32]) -> bool {
        matches!(key, [_, 1])
    }

    fn fate(&self, _: &Automata, key: &[u32]) -> Fate {
        match *key {
            [_, 1] => Fate::Always,
            [phase, _] if Phase::of(phase) >= Path => Fate::Never,
            _ => Fate::Open,
        }
    }

    fn split(&self, _: &Automata, classes: &mut Classes) {
        Phase::split(classes);
    }
}

/// The schemes with a port of their own, and what the state of one is that is no beginning of such.
const SCHEMES: [(&str, u32); 5] = [("http", 80), ("https", 443), ("ws", 80), ("wss", 443), ("ftp", 21)];
const OTHER: u32 = u32::MAX;

/// A beginning of a scheme as a number: which of the schemes begin so, and how long it is.
pub(super) fn scheme_after(state: u32, byte: u8) -> u32 {
    if state == OTHER {
        return OTHER;
    }
    let length = state & 7;
    let mut left = 0;
    for (place, (scheme, _)) in SCHEMES.iter().enumerate() {
        if state >> (3 + place) & 1 == 1 && scheme.as_bytes().get(length as usize) == Some(&byte) {
            left |= 8 << place;
        }
    }
    if left == 0 { OTHER } else { left | (length + 1) }
}

/// Before the first byte of a scheme.
pub(super) const SCHEME_START: u32 = 0b1111_1000;

/// The scheme's own port; 0 where it has none.
pub(super) fn port_of_scheme(state: u32) -> u32 {
    let exact = SCHEMES.iter().enumerate().find(|(place, (scheme, _))| {
        state != OTHER && state >> (3 + place) & 1 == 1 && scheme.len() == (state & 7) as usize
    });
    exact.map_or(0, |(_, (_, port))| *port)
}

/// Tells bytes apart that lead to different schemes.
pub(super) fn split_schemes(classes: &mut Classes) {
    classes.each(b"htpswf");
}

/// The port, also if it is the scheme's own, is at least so much. The state is the phase, the scheme (behind it: its
/// port), how many digits were read, and how they compare to the first digits of the bound (0: less, 1: equal, 2:
/// greater). Ports have no leading zeros.
#[derive(Debug)]
pub(super) struct PortAtLeast {
    bound: u32,
    digits: Vec<u8>,
}

impl PortAtLeast {
    /// At least this.
    pub(super) fn new(bound: i64) -> PortAtLeast {
        // Above all ports there is no difference.
        let bound = u32::try_from(bound.clamp(0, 99_999)).unwrap_or(0);
        PortAtLeast { bound, digits: bound.to_string().into_bytes() }
    }
}

impl Machine for PortAtLeast {
    fn start(&self, _: &mut Automata) -> Key {
        vec![Scheme as u32, SCHEME_START, 0, 1]
    }

    fn step(&self, _: &mut Automata, key: &[u32], byte: u8) -> Key {
        let [phase, scheme, read, order] = *key else { return Vec::new() };
        let (before, phase) = (Phase::of(phase), Phase::of(phase).after(byte));
        match phase {
            Scheme => vec![phase as u32, scheme_after(scheme, byte), 0, 1],
            Colon => vec![phase as u32, port_of_scheme(scheme), 0, 1],
            Host => vec![phase as u32, scheme, 0, 1],
            Port if before == Port => {
                let own = self.digits.get(read as usize).copied().unwrap_or(0);
                let order = match order {
                    1 if byte < own => 0,
                    1 if byte > own => 2,
                    order => order,
                };
                // A password may be longer.
                vec![phase as u32, scheme, (read + 1).min(6), order]
            }
            _ => vec![phase as u32, scheme, read, order],
        }
    }

    fn accepts(&self, _: &Automata, key: &[u32]) -> bool {
        let [phase, scheme, read, order] = *key else { return false };
        match Phase::of(phase) {
            Scheme | Colon | Slash | Wrong => false,
            _ if read == 0 => scheme > 0 && scheme >= self.bound,
            _ if read as usize != self.digits.len() => read as usize > self.digits.len(),
            _ => order >= 1,
        }
    }

    fn fate(&self, inner: &Automata, key: &[u32]) -> Fate {
        match *key {
            [phase, ..] if Phase::of(phase) == Wrong => Fate::Never,
            [phase, ..] if Phase::of(phase) >= Path => {
                if self.accepts(inner, key) {
                    Fate::Always
                } else {
                    Fate::Never
                }
            }
            _ => Fate::Open,
        }
    }

    fn split(&self, _: &Automata, classes: &mut Classes) {
        Phase::split(classes);
        split_schemes(classes);
        // What is not a digit is in a password, and forgotten.
        let digits = self.digits.clone();
        for own in digits {
            classes.by(|byte| if byte < own { 0 } else { 1 + u32::from(byte > own) });
        }
    }
}

/// A host lies in a domain, as `data::url::host_in_domain` has it: it is the domain, or ends with it behind a dot and
/// is no address. The state is how much of `.` and the domain the host ends with, how much of the domain it is (or
/// nothing), and what its last label is.
#[derive(Debug)]
pub(super) struct InDomain {
    /// A dot and the domain, in lower case.
    dotted: Vec<u8>,
    shorter: Vec<u32>,
}

const EMPTY: u32 = 0;
const DIGITS: u32 = 1;
const ZERO: u32 = 2;
const HEXADECIMAL: u32 = 3;
const NAME: u32 = 4;

/// What a label is after one more byte. All but a `NAME` are numbers to the standard.
pub(super) fn label_after(label: u32, byte: u8) -> u32 {
    match (label, byte) {
        (_, b'.') => EMPTY,
        (EMPTY, b'0') => ZERO,
        (EMPTY | DIGITS | ZERO, b'0'..=b'9') => DIGITS,
        (ZERO, b'x' | b'X') => HEXADECIMAL,
        (HEXADECIMAL, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => HEXADECIMAL,
        _ => NAME,
    }
}

/// Whether the label makes the host a number.
pub(super) fn is_number(label: u32) -> bool {
    label != NAME
}

impl InDomain {
    /// The hosts in this domain.
    pub(super) fn new(domain: &Arc<str>) -> InDomain {
        let dotted = format!(".{}", domain.to_ascii_lowercase()).into_bytes();
        let shorter = borders(&dotted);
        InDomain { dotted, shorter }
    }
}

impl Machine for InDomain {
    fn start(&self, _: &mut Automata) -> Key {
        vec![0, 0, EMPTY]
    }

    fn step(&self, _: &mut Automata, key: &[u32], byte: u8) -> Key {
        let [ends, equal, label] = *key else { return Vec::new() };
        let byte = byte.to_ascii_lowercase();
        let still = equal != OTHER && self.dotted.get(equal as usize + 1) == Some(&byte);
        let equal = if still { equal + 1 } else { OTHER };
        vec![advance(&self.dotted, &self.shorter, ends, byte), equal, label_after(label, byte)]
    }

    fn accepts(&self, _: &Automata, key: &[u32]) -> bool {
        let [ends, equal, label] = *key else { return false };
        let domain = self.dotted.len() - 1;
        domain > 0 && (equal as usize == domain || ends as usize == domain + 1 && !is_number(label))
    }

    fn fate(&self, _: &Automata, _: &[u32]) -> Fate {
        Fate::Open
    }

    fn split(&self, _: &Automata, classes: &mut Classes) {
        let mut named = [false; 256];
        for &byte in &self.dotted {
            named[usize::from(byte)] = true;
        }
        classes.by(|byte| {
            let byte = byte.to_ascii_lowercase();
            if named[usize::from(byte)] { u32::from(byte) + 1 } else { 0 }
        });
        classes.each(b".0xX");
        classes.by(|byte| u32::from(byte.is_ascii_digit()) + 2 * u32::from(byte.is_ascii_hexdigit()));
    }
}

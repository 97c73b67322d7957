//! The texts that `data::url` gives back as normal forms.
//!
//! This is wider than the truth in three points: how long labels and hosts are, what stands in labels that begin with
//! `xn--`, and which run of zeros of an IPv6 address is written as `::`. So a word is asked for at the real parser
//! before it is given to anybody; that there is none holds all the more.

use super::super::automata::{Automata, Classes, Fate, Key, Machine};
use super::{Phase, SCHEME_START, is_number, label_after, port_of_scheme, scheme_after, split_schemes};

/// The normal texts of URLs, and some that are none.
///
/// The state is the phase; the scheme, behind it its port; how `file` is spelt so far; and what a phase needs, see
/// [`Urls::authority`] and [`Urls::path`].
#[derive(Debug)]
pub(in super::super) struct Urls;

const WRONG: &[u32] = &[Phase::Wrong as u32];
/// No more of it can be right.
const DEAD: u32 = 99;
/// What was read so far of user name and password: nothing, a name, a colon without one, a colon behind one, a password.
const NOTHING: u32 = 0;
const USER: u32 = 1;
const COLON: u32 = 2;
const USER_COLON: u32 = 3;
const PASSWORD: u32 = 4;

fn in_userinfo(byte: u8) -> bool {
    in_path(byte) && !matches!(byte, b'/' | b':' | b';' | b'=' | b'@' | b'[' | b']' | b'|')
}

fn in_path(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'#' | b'<' | b'>' | b'?' | b'\\' | b'^' | b'`' | b'{' | b'}')
}

fn in_query(byte: u8, special: bool) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'#' | b'<' | b'>' | b'\\') && !(special && byte == b'\'')
}

fn in_fragment(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'`')
}

fn userinfo_after(state: u32, byte: u8) -> u32 {
    match (state, byte) {
        (NOTHING, b':') => COLON,
        (USER, b':') => USER_COLON,
        (NOTHING | USER, _) if in_userinfo(byte) => USER,
        (COLON | USER_COLON | PASSWORD, _) if in_userinfo(byte) => PASSWORD,
        _ => DEAD,
    }
}

/// The numbers of an IPv4 address: eight times how many were read before this one, and how this one may go on. Nothing
/// was read of it (0), it is whole (1), it is `1` (2), `2` (3), `3` to `9` (4), two digits and any third (5), `25` (6).
fn octet_after(state: u32, byte: u8) -> u32 {
    if state == NO_ADDRESS {
        return state;
    }
    let (number, value) = (state / 8, state % 8);
    let value = match (byte, value) {
        (b'.', 1..) if number < 3 => return (number + 1) * 8,
        (b'0', 0) => 1,
        (b'1', 0) => 2,
        (b'2', 0) => 3,
        (b'3'..=b'9', 0) => 4,
        (b'0'..=b'9', 2) | (b'0'..=b'4', 3) => 5,
        (b'5', 3) => 6,
        (b'6'..=b'9', 3) | (b'0'..=b'9', 4 | 5) | (b'0'..=b'5', 6) => 1,
        _ => return NO_ADDRESS,
    };
    number * 8 + value
}

const NO_ADDRESS: u32 = 99;

/// A host of labels: `[label, octet]`.
fn host_after(label: u32, octet: u32, byte: u8) -> [u32; 2] {
    let allowed = matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.');
    if label == DEAD || !allowed || byte == b'.' && label == 0 {
        return [DEAD, 0];
    }
    [label_after(label, byte), octet_after(octet, byte)]
}

fn is_host(label: u32, octet: u32) -> bool {
    let v4 = octet != NO_ADDRESS && octet / 8 == 3 && !octet.is_multiple_of(8);
    label != DEAD && label != 0 && (!is_number(label) || v4)
}

/// The text of an IPv6 address: `[groups, digits of this one, whether it is zero, whether :: was read, place]`, where the
/// place is the start (0), a group (1), behind a colon (2), behind the first (3), or behind `::` (4).
fn v6_after(state: &[u32], byte: u8) -> Option<[u32; 5]> {
    let [groups, digits, zero, gap, place] = *state else { return None };
    match (byte, place) {
        (b'0'..=b'9' | b'a'..=b'f', 1) => (digits < 4 && zero == 0).then_some([groups, digits + 1, 0, gap, 1]),
        (b'0'..=b'9' | b'a'..=b'f', 0 | 2 | 4) => {
            (groups < 8).then_some([groups + 1, 1, u32::from(byte == b'0'), gap, 1])
        }
        (b':', 0) => Some([0, 0, 0, 0, 3]),
        (b':', 1) => Some([groups, 0, 0, gap, 2]),
        (b':', 2 | 3) => (gap == 0).then_some([groups, 0, 0, 1, 4]),
        _ => None,
    }
}

fn is_v6(state: &[u32]) -> bool {
    match *state {
        [8, _, _, 0, 1] => true,
        [groups, _, _, 1, 1 | 4] => groups <= 6,
        _ => false,
    }
}

/// A port: `[digits, order, own]`: how many, how they compare to those of 65535 (0: less, 1: equal, 2: greater), and
/// whether they begin the scheme's own.
fn port_after(state: &[u32], own_port: u32, byte: u8) -> [u32; 3] {
    let [digits, order, own] = *state else { return [DEAD, 0, 0] };
    if digits == DEAD || !byte.is_ascii_digit() || digits == 5 || (digits == 1 && order == 3) {
        return [DEAD, 0, 0];
    }
    // A port that begins with a zero is zero.
    if digits == 0 && byte == b'0' {
        return [1, 3, 0];
    }
    let most = b"65535".get(digits as usize).copied().unwrap_or(0);
    let order = match order {
        1 if byte < most => 0,
        1 if byte > most => 2,
        order => order,
    };
    let own_text = own_port.to_string();
    let still = own == 1 && own_text.as_bytes().get(digits as usize) == Some(&byte);
    [digits + 1, order, u32::from(still)]
}

fn is_port(state: &[u32], own_port: u32) -> bool {
    match *state {
        [0 | DEAD, ..] => false,
        [1, 3, _] => true,
        [digits, order, own] => {
            (digits < 5 || order < 2) && !(own == 1 && own_port.to_string().len() == digits as usize)
        }
        _ => false,
    }
}

/// A segment of a path: `[dots, kind, escape]`: how many dots this piece of it consists of (3: of something else), whether
/// it is the first piece (0) or not (1), or a `;` was read in it (2), and what was read of an escape: nothing, `%`, `%2`,
/// `%5`. Pieces end with the segment, and at `%2f` and `%5c`.
fn segment_after(state: &[u32], byte: u8) -> Option<[u32; 3]> {
    let [dots, kind, escape] = *state else { return None };
    let more = |dots: u32| (dots + 1).min(3);
    match (escape, byte) {
        (_, b'/') => is_segment(state).then_some([0, 0, 0]),
        (2, b'e' | b'E') => Some([more(dots), kind, 0]),
        (2, b'f' | b'F') | (3, b'c' | b'C') => (kind == 2 || dots != 2).then_some([0, 1, 0]),
        (1, b'2') => Some([dots, kind, 2]),
        (1, b'5') => Some([dots, kind, 3]),
        (0, b'%') => Some([dots, kind, 1]),
        (_, b'%') => Some([3, kind, 1]),
        (0, b'.') => Some([more(dots), kind, 0]),
        (0, b';') => (kind == 2 || dots != 2).then_some([3, 2, 0]),
        (_, b';') => Some([3, 2, 0]),
        _ => Some([3, kind, 0]),
    }
}

/// Whether a segment may end here: it is neither `.` nor `..`, and hides none.
fn is_segment(state: &[u32]) -> bool {
    match *state {
        // An escape that was not finished is no dot.
        [_, kind, escape] if escape > 0 || kind == 2 => true,
        [dots, kind, _] => dots != 2 && !(dots == 1 && kind == 0),
        _ => false,
    }
}

impl Urls {
    fn scheme(key: &[u32], byte: u8) -> Option<Key> {
        let [_, scheme, file, length] = *key else { return None };
        if byte == b':' {
            return (length > 0 && file != 4).then(|| vec![Phase::Colon as u32, port_of_scheme(scheme)]);
        }
        let allowed = byte.is_ascii_lowercase() || length > 0 && matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.');
        let file = if file != DEAD && b"file".get(file as usize) == Some(&byte) { file + 1 } else { DEAD };
        allowed.then(|| vec![Phase::Scheme as u32, scheme_after(scheme, byte), file, 1])
    }

    fn fresh_host(port: u32, userinfo: u32) -> Key {
        vec![Phase::Host as u32, port, userinfo, 0, 0]
    }

    /// `[phase, port, userinfo, …]`, where the rest is of [`host_after`] or [`port_after`]: until an `@` comes, this may
    /// be a user name and a password as well as a host and a port.
    fn authority(key: &[u32], phase: Phase, byte: u8) -> Option<Key> {
        let [before, port, userinfo, rest @ ..] = key else { return None };
        let (before, port, userinfo) = (Phase::of(*before), *port, *userinfo);
        if byte == b'@' {
            return matches!(userinfo, USER | PASSWORD).then(|| Urls::fresh_host(port, DEAD));
        }
        if phase == Phase::Bracket {
            return matches!((userinfo, rest), (NOTHING | DEAD, [0, 0]))
                .then(|| vec![phase as u32, port, 0, 0, 0, 0, 0]);
        }
        if phase >= Phase::Path {
            return Urls::authority_ends(key).then(|| Urls::behind(phase, port)).flatten();
        }
        let userinfo = userinfo_after(userinfo, byte);
        let own = match (before, rest) {
            (Phase::Host, [label, octet]) if phase == Phase::Port => {
                let digits = if is_host(*label, *octet) { 0 } else { DEAD };
                vec![digits, 1, u32::from(port > 0)]
            }
            (Phase::Host, [label, octet]) => host_after(*label, *octet, byte).to_vec(),
            _ => port_after(rest, port, byte).to_vec(),
        };
        let dead = userinfo == DEAD && own.first() == Some(&DEAD);
        (!dead).then(|| [&[phase as u32, port, userinfo][..], &own].concat())
    }

    /// Whether host and port, as far as there are any, are whole.
    fn authority_ends(key: &[u32]) -> bool {
        match key {
            [phase, _, _, label, octet] if *phase == Phase::Host as u32 => is_host(*label, *octet),
            [phase, port, _, rest @ ..] if *phase == Phase::Port as u32 => is_port(rest, *port),
            [phase, _] => *phase == Phase::BracketEnd as u32,
            _ => false,
        }
    }

    /// Where path, query or fragment begins.
    fn behind(phase: Phase, port: u32) -> Option<Key> {
        let special = u32::from(port > 0);
        match phase {
            Phase::Path => Some(vec![phase as u32, special, 0, 0, 0]),
            // Only where the standard does not know the scheme may the path be empty.
            Phase::Query | Phase::Fragment if special == 0 => Some(vec![phase as u32, special]),
            _ => None,
        }
    }

    fn next(key: &[u32], byte: u8) -> Option<Key> {
        let [before, rest @ ..] = key else { return None };
        let before = Phase::of(*before);
        let phase = before.after(byte);
        match before {
            Phase::Scheme => Urls::scheme(key, byte),
            Phase::Colon => (phase == Phase::Slash).then(|| vec![phase as u32, rest.first().copied().unwrap_or(0)]),
            Phase::Slash => {
                (phase == Phase::Host).then(|| Urls::fresh_host(rest.first().copied().unwrap_or(0), NOTHING))
            }
            Phase::Host | Phase::Port => Urls::authority(key, phase, byte),
            Phase::Bracket => match rest {
                [port, state @ ..] if byte == b']' => is_v6(state).then(|| vec![phase as u32, *port]),
                [port, state @ ..] => v6_after(state, byte).map(|state| [&[phase as u32, *port][..], &state].concat()),
                [] => None,
            },
            Phase::BracketEnd => {
                let port = rest.first().copied().unwrap_or(0);
                match phase {
                    Phase::Port => Some(vec![phase as u32, port, DEAD, 0, 1, u32::from(port > 0)]),
                    _ => Urls::behind(phase, port),
                }
            }
            Phase::Path => {
                let [special, segment @ ..] = rest else { return None };
                match phase {
                    Phase::Path if in_path(byte) => {
                        segment_after(segment, byte).map(|segment| [&[phase as u32, *special][..], &segment].concat())
                    }
                    Phase::Query | Phase::Fragment if is_segment(segment) => Some(vec![phase as u32, *special]),
                    _ => None,
                }
            }
            Phase::Query | Phase::Fragment => {
                let special = rest.first() == Some(&1);
                let allowed = match (before, phase) {
                    (Phase::Query, Phase::Fragment) => true,
                    (Phase::Query, _) => in_query(byte, special),
                    _ => in_fragment(byte),
                };
                allowed.then(|| vec![phase as u32, u32::from(special)])
            }
            Phase::Wrong => None,
        }
    }
}

impl Machine for Urls {
    fn start(&self, _: &mut Automata) -> Key {
        vec![Phase::Scheme as u32, SCHEME_START, 0, 0]
    }

    fn step(&self, _: &mut Automata, key: &[u32], byte: u8) -> Key {
        Urls::next(key, byte).unwrap_or_else(|| WRONG.to_vec())
    }

    fn accepts(&self, _: &Automata, key: &[u32]) -> bool {
        let [phase, rest @ ..] = key else { return false };
        match (Phase::of(*phase), rest) {
            (Phase::Host | Phase::Port | Phase::BracketEnd, [0, ..]) => Urls::authority_ends(key),
            (Phase::Path, [_, segment @ ..]) => is_segment(segment),
            (Phase::Query | Phase::Fragment, _) => true,
            _ => false,
        }
    }

    fn fate(&self, _: &Automata, key: &[u32]) -> Fate {
        if key == WRONG { Fate::Never } else { Fate::Open }
    }

    fn split(&self, _: &Automata, classes: &mut Classes) {
        Phase::split(classes);
        split_schemes(classes);
        classes.each(b"file0123456789abcdefxEFC%;.+-_'=|`^{}&");
        classes.by(|byte| u32::from(byte.is_ascii_lowercase()) + 2 * u32::from(byte.is_ascii_uppercase()));
        classes.by(|byte| {
            u32::from(in_userinfo(byte))
                | u32::from(in_path(byte)) << 1
                | u32::from(in_query(byte, true)) << 2
                | u32::from(in_query(byte, false)) << 3
                | u32::from(in_fragment(byte)) << 4
        });
    }
}

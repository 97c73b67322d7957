//! The URLs within one, as `data::url::is_within` has it.

use super::super::automata::{Automata, Classes, Fate, Key, Machine};
use crate::data::ip::IpAddr;
use crate::data::url::{HostKind, Url};

/// The URLs within one.
///
/// Normal texts with the same scheme, host and port and without credentials begin with the same bytes; only an IPv4
/// address has two forms. The state is which beginning is read, and how much of it; then, with `PATH` in front, how
/// many characters of the path were equal, and how a character that is percent-encoded has begun; or `IN` or `OUT`.
#[derive(Debug)]
pub(in super::super) struct UrlIn {
    beginnings: Vec<Vec<u8>>,
    path: Vec<Character>,
}

/// A byte, and whether it is percent-encoded and has to be.
type Character = (u8, bool);

const PATH: u32 = 16;
const IN: u32 = 17;
const OUT: u32 = 18;
/// No percent sign was read.
const PLAIN: u32 = 0;
/// It was, and nothing else.
const PERCENT: u32 = 1;

impl UrlIn {
    /// The URLs within this one, if it is one.
    pub(in super::super) fn new(base: &str) -> Option<UrlIn> {
        let base = Url::parse(base).ok()?;
        let view = base.view();
        let port = view.port().map_or(String::new(), |port| format!(":{port}"));
        let mut hosts = vec![view.host_in_brackets().to_owned()];
        if let Some(address) = view.ip().filter(|address| !address.is_v6()) {
            hosts = vec![address.to_string(), mapped(address)];
        }
        debug_assert!(hosts.len() == 1 || view.host_kind() != HostKind::Name);
        let scheme = view.scheme();
        let beginnings = hosts.iter().map(|host| format!("{scheme}://{host}{port}").into_bytes()).collect();
        let path = view.path();
        let path = characters(path.strip_suffix('/').unwrap_or(path).as_bytes());
        Some(UrlIn { beginnings, path })
    }

    fn path_after(&self, equal: u32, character: Character) -> u32 {
        if self.path.get(equal as usize) == Some(&character) { equal + 1 } else { OUT }
    }

    /// How much of the path is equal when it ends here.
    fn flushed(&self, equal: u32, begun: u32) -> u32 {
        match begun {
            PLAIN => equal,
            PERCENT => self.path_after(equal, (b'%', false)),
            high => match self.path_after(equal, (b'%', false)) {
                OUT => OUT,
                equal => self.path_after(equal, (high as u8, false)),
            },
        }
    }
}

/// `::ffff:…`, as URLs have it.
fn mapped(address: IpAddr) -> String {
    format!("[::ffff:{:x}:{:x}]", address.bits() >> 16, address.bits() & 0xffff)
}

fn decoded(high: u8, low: u8) -> Option<Character> {
    let (high, low) = (char::from(high).to_digit(16)?, char::from(low).to_digit(16)?);
    let byte = (high * 16 + low) as u8;
    Some((byte, !byte.is_ascii_alphanumeric() && !matches!(byte, b'-' | b'.' | b'_' | b'~')))
}

fn characters(mut rest: &[u8]) -> Vec<Character> {
    let mut all = Vec::new();
    while let Some((&byte, tail)) = rest.split_first() {
        let encoded = match *rest {
            [b'%', high, low, ..] => decoded(high, low),
            _ => None,
        };
        rest = if encoded.is_some() { rest.get(3..).unwrap_or_default() } else { tail };
        all.push(encoded.unwrap_or((byte, false)));
    }
    all
}

impl Machine for UrlIn {
    fn start(&self, _: &mut Automata) -> Key {
        // Of the beginnings that are still possible.
        vec![(1 << self.beginnings.len()) - 1, 0, 0]
    }

    fn step(&self, _: &mut Automata, key: &[u32], byte: u8) -> Key {
        let [kind, count, begun] = *key else { return vec![OUT, 0, 0] };
        if kind == IN || kind == OUT {
            return key.to_vec();
        }
        let end = matches!(byte, b'/' | b'?' | b'#');
        if kind < PATH {
            let whole = |place: usize| self.beginnings[place].len() == count as usize;
            let (mut left, mut complete) = (0, false);
            for place in (0..self.beginnings.len()).filter(|place| kind >> place & 1 == 1) {
                complete |= whole(place);
                left |= u32::from(self.beginnings[place].get(count as usize) == Some(&byte)) << place;
            }
            return match (complete, byte) {
                (true, b'/') if self.path.is_empty() => vec![IN, 0, 0],
                (true, b'/') => self.in_path(0, PLAIN, byte),
                (true, _) if end && self.path.is_empty() => vec![IN, 0, 0],
                (true, _) => vec![OUT, 0, 0],
                _ if left == 0 => vec![OUT, 0, 0],
                _ => vec![left, count + 1, 0],
            };
        }
        self.in_path(count, begun, byte)
    }

    fn accepts(&self, _: &Automata, key: &[u32]) -> bool {
        match *key {
            [IN, ..] => true,
            [PATH, equal, begun] => self.flushed(equal, begun) as usize == self.path.len(),
            [kind, count, _] if kind < PATH => {
                self.path.is_empty()
                    && (0..self.beginnings.len())
                        .any(|place| kind >> place & 1 == 1 && self.beginnings[place].len() == count as usize)
            }
            _ => false,
        }
    }

    fn fate(&self, _: &Automata, key: &[u32]) -> Fate {
        match key {
            [IN, ..] => Fate::Always,
            [OUT, ..] => Fate::Never,
            _ => Fate::Open,
        }
    }

    fn split(&self, _: &Automata, classes: &mut Classes) {
        for beginning in &self.beginnings {
            classes.each(beginning);
        }
        let bytes: Vec<u8> = self.path.iter().map(|(byte, _)| *byte).collect();
        classes.each(&bytes);
        classes.each(b"/?#%0123456789abcdefABCDEF");
    }
}

impl UrlIn {
    fn in_path(&self, equal: u32, begun: u32, byte: u8) -> Key {
        let constant = |holds| vec![if holds { IN } else { OUT }, 0, 0];
        if begun == PLAIN && equal as usize == self.path.len() {
            return constant(matches!(byte, b'/' | b'?' | b'#'));
        }
        if matches!(byte, b'?' | b'#') {
            return constant(self.flushed(equal, begun) as usize == self.path.len());
        }
        let next = |equal: u32, begun: u32| if equal == OUT { vec![OUT, 0, 0] } else { vec![PATH, equal, begun] };
        match (begun, byte) {
            (PLAIN, b'%') => next(equal, PERCENT),
            (PLAIN, _) => next(self.path_after(equal, (byte, false)), PLAIN),
            (PERCENT, _) if byte.is_ascii_hexdigit() => next(equal, u32::from(byte)),
            (PERCENT, _) => self.again(self.flushed(equal, begun), byte),
            (high, _) => match decoded(high as u8, byte) {
                Some(character) => next(self.path_after(equal, character), PLAIN),
                None => self.again(self.flushed(equal, begun), byte),
            },
        }
    }

    /// After characters that turned out to be plain ones.
    fn again(&self, equal: u32, byte: u8) -> Key {
        if equal == OUT { vec![OUT, 0, 0] } else { self.in_path(equal, PLAIN, byte) }
    }
}

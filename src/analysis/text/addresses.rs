//! Machines of addresses and networks, written as words: `4` and 8 hexadecimal digits or `6` and 32 of them, and for
//! a network `/` and the length of its prefix in two more. Also how those words are made and read.

use super::automata::{Automata, Classes, Fate, Key, Machine};
use crate::analysis::text::Class;
use crate::data::ip::{IpAddr, IpNet, SPECIAL_V4, SPECIAL_V6};

/// The word of an address.
#[must_use]
pub fn address_word(address: IpAddr) -> String {
    if address.is_v6() { format!("6{:032x}", address.bits()) } else { format!("4{:08x}", address.bits()) }
}

/// The word of a network.
#[must_use]
pub fn net_word(net: IpNet) -> String {
    format!("{}/{:02x}", address_word(net.address()), net.prefix())
}

/// The address of a word.
#[must_use]
pub fn address_of(word: &str) -> Option<IpAddr> {
    let v6 = match word.len() {
        9 if word.starts_with('4') => false,
        33 if word.starts_with('6') => true,
        _ => return None,
    };
    let bits = u128::from_str_radix(word.get(1..)?, 16).ok()?;
    IpAddr::from_parts(v6, bits).filter(|address| address_word(*address) == word)
}

/// The network of a word.
#[must_use]
pub fn net_of(word: &str) -> Option<IpNet> {
    let (address, prefix) = word.split_once('/')?;
    let net = IpNet::new(address_of(address)?, u8::from_str_radix(prefix, 16).ok()?).ok()?;
    (net_word(net) == word).then_some(net)
}

fn digit(byte: u8) -> Option<u32> {
    match byte {
        b'0'..=b'9' => Some(u32::from(byte - b'0')),
        b'a'..=b'f' => Some(u32::from(byte - b'a') + 10),
        _ => None,
    }
}

const WRONG: &[u32] = &[u32::MAX];

/// The words of addresses, or of networks, exactly. The state is the family, how many digits were read, whether all
/// were those of `::ffff:0:0/96` (whose addresses are of version 4), the number of the last bit that is set, counted
/// from 1, and of the prefix how many digits were read, and which.
#[derive(Debug)]
pub(super) struct Addresses {
    /// Whether a prefix follows.
    pub(super) nets: bool,
}

impl Addresses {
    fn digits(family: u32) -> u32 {
        if family == 4 { 8 } else { 32 }
    }
}

impl Machine for Addresses {
    fn start(&self, _: &mut Automata) -> Key {
        vec![0, 0, 1, 0, 0, 0]
    }

    fn step(&self, _: &mut Automata, key: &[u32], byte: u8) -> Key {
        let [family, read, mapped, last, prefix_read, prefix] = *key else { return WRONG.to_vec() };
        let wrong = WRONG.to_vec();
        if family == 0 {
            return match byte {
                b'4' => vec![4, 0, 0, 0, 0, 0],
                b'6' => vec![6, 0, 1, 0, 0, 0],
                _ => wrong,
            };
        }
        let width = Addresses::digits(family);
        if read == width {
            return if self.nets && byte == b'/' { vec![family, read + 1, 0, last, 0, 0] } else { wrong };
        }
        let Some(digit) = digit(byte) else { return wrong };
        if read > width {
            // The first digit has no more than eight values.
            return match prefix_read {
                0 if digit <= 8 => vec![family, read, 0, last, 1, digit],
                1 if prefix * 16 + digit >= last && prefix * 16 + digit <= width * 4 => {
                    vec![family, read, 0, 0, 2, 0]
                }
                _ => wrong,
            };
        }
        let mapped = u32::from(mapped == 1 && digit == if (20..24).contains(&read) { 15 } else { 0 });
        if mapped == 1 && read == 23 {
            return wrong;
        }
        // Without a prefix it does not matter.
        let last = if !self.nets || digit == 0 { last } else { read * 4 + 4 - digit.trailing_zeros() };
        vec![family, read + 1, mapped, last, 0, 0]
    }

    fn accepts(&self, _: &Automata, key: &[u32]) -> bool {
        match *key {
            [family, _, _, _, prefix_read, _] if self.nets => family != 0 && prefix_read == 2,
            [family, read, ..] => family != 0 && read == Addresses::digits(family),
            _ => false,
        }
    }

    fn fate(&self, _: &Automata, key: &[u32]) -> Fate {
        if key == WRONG { Fate::Never } else { Fate::Open }
    }

    fn split(&self, _: &Automata, classes: &mut Classes) {
        classes.each(b"0123456789abcdef/");
    }
}

/// A set of blocks of addresses.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    /// Of each, whether it is of version 6, its first address and its prefix.
    blocks: Vec<(bool, u128, u8)>,
    /// Whether all others are meant.
    others: bool,
    /// Of networks: how long the prefix is at least.
    prefix: Option<u8>,
}

impl Blocks {
    /// The addresses in a network.
    pub(super) fn of(net: IpNet) -> Blocks {
        let address = net.address();
        Blocks { blocks: vec![(address.is_v6(), address.bits(), net.prefix())], ..Blocks::default() }
    }

    /// The networks within one.
    pub(super) fn within(net: IpNet) -> Blocks {
        Blocks { prefix: Some(net.prefix()), ..Blocks::of(net) }
    }

    /// The addresses of a class, as `data::ip` has it.
    pub(super) fn class(class: Class) -> Blocks {
        let v4 = |bits: u32, prefix| (false, u128::from(bits), prefix);
        let v6 = |first: u16, prefix| (true, u128::from(first) << 112, prefix);
        let blocks = match class {
            Class::Loopback => vec![v4(0x7f00_0000, 8), (true, 1, 128)],
            Class::Private => vec![v4(0x0a00_0000, 8), v4(0xac10_0000, 12), v4(0xc0a8_0000, 16), v6(0xfc00, 7)],
            Class::LinkLocal => vec![v4(0xa9fe_0000, 16), v6(0xfe80, 10)],
            Class::Multicast => vec![v4(0xe000_0000, 4), v6(0xff00, 8)],
            Class::Unspecified => vec![v4(0, 32), (true, 0, 128)],
            Class::V6 => vec![v6(0, 0)],
            Class::Global => {
                // All but these: what is listed, multicast and beyond, and everything outside 2000::/3.
                let listed = SPECIAL_V4.iter().map(|(first, prefix)| (false, *first, *prefix));
                let listed = listed.chain(SPECIAL_V6.iter().map(|(first, prefix)| (true, *first, *prefix)));
                let outside = [v4(0xe000_0000, 3), v6(0, 3), v6(0x4000, 2), v6(0x8000, 1)];
                return Blocks { blocks: listed.chain(outside).collect(), others: true, prefix: None };
            }
        };
        Blocks { blocks, ..Blocks::default() }
    }

    /// Of the blocks that are still possible: those that are with one more digit, and whether one is sure.
    fn narrowed(&self, possible: u32, family: u32, read: u32, digit: u32) -> (u32, bool) {
        let (mut left, mut sure) = (0, false);
        for (place, (v6, first, prefix)) in self.blocks.iter().enumerate() {
            if possible >> place & 1 == 0 || (family == 6) != *v6 {
                continue;
            }
            let known = u32::from(*prefix).saturating_sub(read * 4).min(4);
            let own = (first >> (Addresses::digits(family) * 4 - read * 4 - 4)) as u32 & 15;
            if own >> (4 - known) == digit >> (4 - known) {
                left |= 1 << place;
                sure |= u32::from(*prefix) <= read * 4 + 4;
            }
        }
        (left, sure)
    }
}

/// In: a block is sure. Out: none is possible.
const IN: u32 = u32::MAX - 1;
const OUT: u32 = u32::MAX - 2;

// The state is the family, how many digits were read, and a bit for each block that is possible, or `IN` or `OUT`. Of
// networks, whose prefix counts too, `IN` is followed by how many digits were read since the slash, and the first.
impl Machine for Blocks {
    fn start(&self, _: &mut Automata) -> Key {
        vec![0, 0, 0]
    }

    fn step(&self, _: &mut Automata, key: &[u32], byte: u8) -> Key {
        let [family, read, possible] = *key else { return vec![OUT, 0, 0] };
        match family {
            OUT => vec![OUT, 0, 0],
            IN => {
                let Some(least) = self.prefix else { return vec![IN, 0, 0] };
                let value = digit(byte).unwrap_or(0);
                match (byte, read) {
                    (b'/', _) => vec![IN, 1, 0],
                    (_, 0) => vec![IN, 0, 0],
                    (_, 1) => vec![IN, 2, value],
                    _ if possible * 16 + value >= u32::from(least) => vec![IN, 3, 0],
                    _ => vec![OUT, 0, 0],
                }
            }
            0 => {
                let family = u32::from(byte.wrapping_sub(b'0'));
                let mut possible = 0;
                if !matches!(family, 4 | 6) {
                    return vec![OUT, 0, 0];
                }
                for (place, (v6, _, prefix)) in self.blocks.iter().enumerate() {
                    if *v6 == (family == 6) {
                        if *prefix == 0 {
                            return vec![IN, 0, 0];
                        }
                        possible |= 1 << place;
                    }
                }
                if possible == 0 { vec![OUT, 0, 0] } else { vec![family, 0, possible] }
            }
            _ => {
                let Some(digit) = digit(byte).filter(|_| read < Addresses::digits(family)) else {
                    return vec![OUT, 0, 0];
                };
                match self.narrowed(possible, family, read, digit) {
                    (_, true) => vec![IN, 0, 0],
                    (0, _) => vec![OUT, 0, 0],
                    (left, _) => vec![family, read + 1, left],
                }
            }
        }
    }

    fn accepts(&self, _: &Automata, key: &[u32]) -> bool {
        let within = match key {
            [IN, read, _] => self.prefix.is_none() || *read == 3,
            _ => false,
        };
        within != self.others
    }

    fn fate(&self, _: &Automata, key: &[u32]) -> Fate {
        match (key, self.others) {
            ([OUT, ..], false) => Fate::Never,
            ([OUT, ..], true) => Fate::Always,
            ([IN, ..], true) => Fate::Never,
            ([IN, ..], false) if self.prefix.is_none() => Fate::Always,
            _ => Fate::Open,
        }
    }

    fn split(&self, _: &Automata, classes: &mut Classes) {
        classes.each(b"0123456789abcdef/");
    }
}

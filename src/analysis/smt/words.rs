//! Regular expressions of words, and what is said of words, as SMT-LIB has it.
//!
//! A word is the sequence of its bytes of UTF-8, each a character from U+0100 on. So all texts can be said (SMT-LIB ends
//! at U+2FFFF, Unicode does not), the order is that of code points, a length is one in bytes as limits are, and no
//! character is one that solvers write in a way of their own.

use std::fmt::Write as _;

use easy_smt::SExpr;

use super::script::Script;

/// How many digits and characters are counted one by one.
pub(super) const COUNTED_MAX: i64 = 64;

impl Script<'_> {
    /// A word.
    pub(super) fn literal(&self, bytes: &[u8]) -> SExpr {
        let mut text = String::from("\"");
        for byte in bytes {
            let _ = write!(text, "\\u{{{:x}}}", 0x100 + u32::from(*byte));
        }
        text.push('"');
        self.smt.atom(text)
    }

    /// The word alone, as an expression.
    pub(super) fn exactly(&self, bytes: &[u8]) -> SExpr {
        self.call("str.to_re", [self.literal(bytes)])
    }

    /// All words, well-formed or not.
    pub(super) fn all(&self) -> SExpr {
        self.smt.atom("re.all")
    }

    /// No word.
    pub(super) fn none(&self) -> SExpr {
        self.smt.atom("re.none")
    }

    /// The words of one byte between these.
    pub(super) fn range(&self, low: u8, high: u8) -> SExpr {
        if low == high {
            return self.exactly(&[low]);
        }
        self.call("re.range", [self.literal(&[low]), self.literal(&[high])])
    }

    /// The words of one byte of which this is so.
    pub(super) fn byte(&self, is_one: impl Fn(u8) -> bool) -> SExpr {
        let mut ranges = Vec::new();
        let mut first = None;
        for byte in 0..=u8::MAX {
            if is_one(byte) {
                first.get_or_insert(byte);
            }
            let ends = first.is_some() && (byte == u8::MAX || !is_one(byte + 1));
            if let Some(low) = first.filter(|_| ends) {
                ranges.push(self.range(low, byte));
                first = None;
            }
        }
        self.any_of(ranges)
    }

    /// The words of one byte that is none of these.
    pub(super) fn byte_but(&self, others: &[u8]) -> SExpr {
        self.byte(|byte| !others.contains(&byte))
    }

    /// One of them.
    pub(super) fn any_of(&self, parts: Vec<SExpr>) -> SExpr {
        match parts[..] {
            [] => self.none(),
            [only] => only,
            _ => self.call("re.union", parts),
        }
    }

    /// One behind the other.
    pub(super) fn chain(&self, parts: impl IntoIterator<Item = SExpr>) -> SExpr {
        let parts: Vec<SExpr> = parts.into_iter().collect();
        match parts[..] {
            [] => self.exactly(b""),
            [only] => only,
            _ => self.call("re.++", parts),
        }
    }

    pub(super) fn star(&self, part: SExpr) -> SExpr {
        self.call("re.*", [part])
    }

    pub(super) fn plus(&self, part: SExpr) -> SExpr {
        self.call("re.+", [part])
    }

    pub(super) fn optional(&self, part: SExpr) -> SExpr {
        self.call("re.opt", [part])
    }

    /// So many times.
    pub(super) fn times(&self, part: SExpr, least: u64, most: Option<u64>) -> SExpr {
        let number = |number: u64| self.smt.atom(number.to_string());
        match most {
            Some(0) => self.exactly(b""),
            Some(most) if most < least => self.none(),
            Some(most) => {
                let head = ["_", "re.loop"].map(|word| self.smt.atom(word));
                let head = self.smt.list([head[0], head[1], number(least), number(most)].to_vec());
                self.smt.list(vec![head, part])
            }
            None if least == 0 => self.star(part),
            None => self.chain([self.times(part, least, Some(least)), self.star(part)]),
        }
    }

    /// Whether a word is one of an expression.
    pub(super) fn is_in(&self, word: SExpr, expression: SExpr) -> SExpr {
        self.call("str.in_re", [word, expression])
    }

    /// One character of UTF-8, and only what is well-formed.
    pub(super) fn character(&self) -> SExpr {
        let more = || self.range(0x80, 0xbf);
        self.any_of(vec![
            self.range(0, 0x7f),
            self.chain([self.range(0xc2, 0xdf), more()]),
            self.chain([self.range(0xe0, 0xe0), self.range(0xa0, 0xbf), more()]),
            self.chain([self.byte(|byte| matches!(byte, 0xe1..=0xec | 0xee | 0xef)), more(), more()]),
            self.chain([self.range(0xed, 0xed), self.range(0x80, 0x9f), more()]),
            self.chain([self.range(0xf0, 0xf0), self.range(0x90, 0xbf), more(), more()]),
            self.chain([self.range(0xf1, 0xf3), more(), more(), more()]),
            self.chain([self.range(0xf4, 0xf4), self.range(0x80, 0x8f), more(), more()]),
        ])
    }

    /// The decimal numbers without leading zeros that are at least this, of at most five digits.
    pub(super) fn decimal_at_least(&self, least: u32) -> SExpr {
        let digit = || self.range(b'0', b'9');
        let text = least.to_string().into_bytes();
        let mut cases = vec![self.exactly(&text)];
        for (at, own) in text.iter().enumerate() {
            if *own < b'9' {
                let rest = (at + 1..text.len()).map(|_| digit());
                let head = [self.exactly(&text[..at]), self.range(own + 1, b'9')];
                cases.push(self.chain(head.into_iter().chain(rest)));
            }
        }
        for longer in text.len()..5 {
            cases.push(self.chain([self.range(b'1', b'9')].into_iter().chain((0..longer).map(|_| digit()))));
        }
        self.any_of(cases)
    }

    /// The words of addresses in a block, as `text::addresses` writes them.
    pub(super) fn block(&self, v6: bool, first: u128, prefix: u8) -> SExpr {
        let width = if v6 { 32_u8 } else { 8 };
        let mut parts = vec![self.exactly(if v6 { b"6" } else { b"4" })];
        for place in 0..width {
            let own = u8::try_from(first >> (u32::from(width - 1 - place) * 4) & 15).unwrap_or(0);
            let known = prefix.saturating_sub(place * 4).min(4);
            parts.push(match known {
                4 => self.exactly(format!("{own:x}").as_bytes()),
                0 => {
                    parts.push(self.times(
                        self.hexadecimal(0, 15),
                        u64::from(width - place),
                        Some(u64::from(width - place)),
                    ));
                    break;
                }
                _ => self.hexadecimal(own >> (4 - known) << (4 - known), own | (15 >> known)),
            });
        }
        self.chain(parts)
    }

    /// One hexadecimal digit between these.
    pub(super) fn hexadecimal(&self, low: u8, high: u8) -> SExpr {
        self.byte(|byte| {
            char::from(byte).to_digit(16).is_some_and(|digit| (low.into()..=high.into()).contains(&digit))
                && !byte.is_ascii_uppercase()
        })
    }

    /// Whether a word is that of an address, with something like this behind it.
    pub(super) fn is_address(&self, text: SExpr, behind: SExpr) -> SExpr {
        let any = self.any_of(vec![self.block(false, 0, 0), self.block(true, 0, 0)]);
        // What is in ::ffff:0:0/96 is an address of version 4, and is written as one.
        let mapped = self.literal(b"600000000000000000000ffff");
        let is_mapped = self.call("str.prefixof", [mapped, text]);
        self.all_hold(vec![self.is_in(text, self.chain([any, behind])), self.not(is_mapped)])
    }

    /// The ends of the words of networks. Which bits are not set behind a prefix is said when it matters.
    pub(super) fn prefixes(&self) -> SExpr {
        let any = self.chain([self.hexadecimal(0, 8), self.hexadecimal(0, 15)]);
        self.chain([self.exactly(b"/"), any])
    }

    /// The words of networks with this prefix.
    pub(super) fn networks(&self, v6: bool, prefix: u8) -> SExpr {
        let width = if v6 { 32_u8 } else { 8 };
        let whole = u64::from(prefix.min(width * 4) / 4);
        let mut parts = vec![self.exactly(if v6 { b"6" } else { b"4" })];
        parts.push(self.times(self.hexadecimal(0, 15), whole, Some(whole)));
        if whole < width.into() {
            // Of a digit that the prefix ends in, the bits behind it are not set.
            let unset = 15_u8 >> (prefix % 4);
            let digits = (0..16_u8).filter(|digit| digit & unset == 0).map(|digit| self.hexadecimal(digit, digit));
            parts.push(self.any_of(digits.collect()));
            parts.push(self.exactly("0".repeat(usize::from(width).saturating_sub(whole as usize + 1)).as_bytes()));
        }
        parts.push(self.exactly(format!("/{prefix:02x}").as_bytes()));
        self.chain(parts)
    }
}

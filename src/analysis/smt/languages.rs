//! Languages as SMT-LIB. All are said exactly, but for three that may hold of more words or of fewer than they do: URLs
//! within another where a path is percent-encoded or a host is an address, addresses of hosts, and patterns that look
//! around or take too many characters to write down.

use easy_smt::SExpr;

use super::pattern;
use super::script::{Place, Script, Word};
use crate::analysis::text::{Class, Lang, LangId, View};
use crate::data::ip::{IpNet, SPECIAL_V4, SPECIAL_V6};
use crate::data::path::Path;
use crate::data::url::Url;

impl Script<'_> {
    /// Whether a word that is there lies in a language.
    pub(super) fn language(&mut self, place: &Place, word: Word, language: LangId) -> SExpr {
        let context = self.context;
        let text = word.text;
        match context.texts.described(language) {
            Lang::Exactly(other) => self.equal(text, self.literal(other.as_bytes())),
            Lang::StartsWith(other) => self.call("str.prefixof", [self.literal(other.as_bytes()), text]),
            Lang::EndsWith(other) => self.call("str.suffixof", [self.literal(other.as_bytes()), text]),
            Lang::Contains(other) => self.call("str.contains", [text, self.literal(other.as_bytes())]),
            Lang::Before(other) => self.call("str.<", [text, self.literal(other.as_bytes())]),
            Lang::Glob(source) => {
                let source = crate::data::pattern::glob_to_regex(source).ok();
                self.pattern(text, source.as_deref())
            }
            Lang::Regex(source) => self.pattern(text, Some(source)),
            Lang::AtLeast(measure, least) => self.is_at_least(place, *measure, *least),
            Lang::Has(view) => self.word(&place.part(*view)).is_there,
            Lang::Part(view, inner) => self.lies_in(&place.part(*view), *inner),
            Lang::InNet(net) => self.is_in(text, self.within(*net)),
            Lang::Is(class) => self.is_of(text, *class),
            Lang::NetIn(net) => {
                let width = net.address().width();
                let prefixes = (net.prefix()..=width).map(|prefix| self.exactly(format!("/{prefix:02x}").as_bytes()));
                let within = self.chain([self.within(*net), self.any_of(prefixes.collect())]);
                self.is_in(text, within)
            }
            Lang::UrlIn(base) => match Url::parse(base) {
                Ok(base) => self.is_within(place, base.view()),
                Err(_) => self.smt.false_(),
            },
            Lang::HostIn(domain) => self.host_in(place, domain),
            Lang::HasCredentials => {
                let credentials = self.url(place).credentials;
                self.not(self.equal(credentials, self.literal(b"")))
            }
            Lang::PathIn(base) => match Path::parse(base) {
                Ok(base) => {
                    let base = if base.as_str() == "/" { "" } else { base.as_str() };
                    self.is_below(text, base.as_bytes())
                }
                Err(_) => self.smt.false_(),
            },
        }
    }

    /// Whether a text is this one, or goes on with a slash.
    pub(super) fn is_below(&self, text: SExpr, base: &[u8]) -> SExpr {
        let mut below = base.to_vec();
        below.push(b'/');
        let same = self.equal(text, self.literal(base));
        self.one_holds(vec![same, self.call("str.prefixof", [self.literal(&below), text])])
    }

    fn pattern(&mut self, text: SExpr, source: Option<&str>) -> SExpr {
        match source.and_then(|source| pattern::expression(self, source)) {
            Some(expression) => self.is_in(text, expression),
            None => self.declare("b", "Bool"),
        }
    }

    fn host_in(&mut self, place: &Place, domain: &str) -> SExpr {
        let host = self.word(&place.part(View::Host));
        let domain = domain.to_ascii_lowercase();
        if domain.is_empty() {
            return self.smt.false_();
        }
        let same = self.equal(host.text, self.literal(domain.as_bytes()));
        // A host whose last label is a number is an address, and an address lies in nothing else.
        let last = domain.rsplit('.').next().unwrap_or_default();
        let hexadecimal = last.strip_prefix("0x").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()));
        if last.bytes().all(|byte| byte.is_ascii_digit()) || hexadecimal {
            return same;
        }
        let below = self.call("str.suffixof", [self.literal(format!(".{domain}").as_bytes()), host.text]);
        self.one_holds(vec![same, below])
    }

    fn within(&self, net: IpNet) -> SExpr {
        self.block(net.address().is_v6(), net.address().bits(), net.prefix())
    }

    fn is_of(&self, text: SExpr, class: Class) -> SExpr {
        let v4 = |bits: u32, prefix| self.block(false, u128::from(bits), prefix);
        let v6 = |first: u16, prefix| self.block(true, u128::from(first) << 112, prefix);
        let blocks = match class {
            Class::Loopback => vec![v4(0x7f00_0000, 8), self.block(true, 1, 128)],
            Class::Private => vec![v4(0x0a00_0000, 8), v4(0xac10_0000, 12), v4(0xc0a8_0000, 16), v6(0xfc00, 7)],
            Class::LinkLocal => vec![v4(0xa9fe_0000, 16), v6(0xfe80, 10)],
            Class::Multicast => vec![v4(0xe000_0000, 4), v6(0xff00, 8)],
            Class::Unspecified => vec![v4(0, 32), self.block(true, 0, 128)],
            Class::V6 => vec![v6(0, 0)],
            Class::Global => {
                let listed = SPECIAL_V4.iter().map(|(first, prefix)| self.block(false, *first, *prefix));
                let listed = listed.chain(SPECIAL_V6.iter().map(|(first, prefix)| self.block(true, *first, *prefix)));
                let special = self.is_in(text, self.any_of(listed.collect()));
                let rest = vec![v4(0, 1), v4(0x8000_0000, 2), v4(0xc000_0000, 3), v6(0x2000, 3)];
                return self.all_hold(vec![self.is_in(text, self.any_of(rest)), self.not(special)]);
            }
        };
        self.is_in(text, self.any_of(blocks))
    }
}

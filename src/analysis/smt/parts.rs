//! Parts of URLs and paths: a word is cut into pieces, each a word of its own, which make it up again.

use easy_smt::SExpr;

use super::script::{Place, Script, Word};
use crate::analysis::text::View;
use crate::data::url::UrlView;

/// The pieces of a URL, in their order, with the marks that belong to them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pieces {
    scheme: SExpr,
    /// With the `@` behind them, or nothing.
    pub(super) credentials: SExpr,
    /// With its brackets.
    host: SExpr,
    /// With the colon before it, or nothing.
    port: SExpr,
    path: SExpr,
    /// With the question mark, or nothing.
    query: SExpr,
    /// With the number sign, or nothing.
    fragment: SExpr,
}

/// The ports of schemes that have one.
const PORTS: [(&str, i128); 5] = [("http", 80), ("https", 443), ("ws", 80), ("wss", 443), ("ftp", 21)];

impl Script<'_> {
    /// A part of a word. Whether it is there is exact but for the address of a host, and so is what it is.
    pub(super) fn part(&mut self, whole: &Place, view: View) -> Word {
        let word = self.word(whole);
        let empty = self.literal(b"");
        let (text, is_there) = match view {
            View::Name => {
                let (text, before) = (self.declare("p", "String"), self.declare("p", "String"));
                let parts = [
                    self.equal(word.text, self.call("str.++", [before, text])),
                    self.is_in(before, self.chain([self.all(), self.exactly(b"/")])),
                    self.is_in(text, self.star(self.byte(|byte| byte != b'/'))),
                ];
                let so = self.all_hold(parts.to_vec());
                self.assert_if(word.is_there, so);
                (text, self.smt.true_())
            }
            View::Extension => {
                let name = self.word(&whole.part(View::Name)).text;
                let (text, stem) = (self.declare("p", "String"), self.declare("p", "String"));
                let dot = self.exactly(b".");
                let behind = || self.plus(self.byte(|byte| byte != b'.'));
                let some = self.plus(self.byte(|_| true));
                let is_there = self.is_in(name, self.chain([some, dot, behind()]));
                let parts = vec![
                    self.equal(name, self.call("str.++", [stem, self.literal(b"."), text])),
                    self.is_in(text, behind()),
                    self.not(self.equal(stem, empty)),
                ];
                let so = self.all_hold(parts);
                let both = self.all_hold(vec![word.is_there, is_there]);
                self.assert_if(both, so);
                (text, is_there)
            }
            View::Parent => {
                let name = self.word(&whole.part(View::Name)).text;
                let text = self.declare("p", "String");
                let slash = self.literal(b"/");
                let is_there = self.not(self.equal(word.text, slash));
                let below_root = [self.equal(text, slash), self.equal(word.text, self.call("str.++", [slash, name]))];
                let below = [
                    self.not(self.equal(text, empty)),
                    self.equal(word.text, self.call("str.++", [text, slash, name])),
                ];
                let so = self.one_holds(vec![self.all_hold(below_root.to_vec()), self.all_hold(below.to_vec())]);
                let both = self.all_hold(vec![word.is_there, is_there]);
                self.assert_if(both, so);
                (text, is_there)
            }
            View::Scheme => (self.url(whole).scheme, self.smt.true_()),
            View::UrlPath => (self.url(whole).path, self.smt.true_()),
            View::Query => {
                let piece = self.url(whole).query;
                self.behind_mark(piece, b"?")
            }
            View::Fragment => {
                let piece = self.url(whole).fragment;
                self.behind_mark(piece, b"#")
            }
            View::Host => {
                let host = self.url(whole).host;
                let text = self.declare("p", "String");
                let bracket = self.literal(b"[");
                let is_bracketed = self.call("str.prefixof", [bracket, host]);
                let inner = self.equal(host, self.call("str.++", [bracket, text, self.literal(b"]")]));
                let so = self.choice(is_bracketed, inner, self.equal(host, text));
                self.assert_if(word.is_there, so);
                (text, self.smt.true_())
            }
            View::HostAddress => {
                let text = self.declare("p", "String");
                let is_there = self.declare("b", "Bool");
                let domain = self.is_address(text, self.exactly(b""));
                self.assert(domain);
                (text, is_there)
            }
        };
        let is_there = self.all_hold(vec![word.is_there, is_there]);
        let is_there = self.named(is_there);
        Word { text, is_there }
    }

    /// A piece without the mark before it.
    fn behind_mark(&mut self, piece: SExpr, mark: &[u8]) -> (SExpr, SExpr) {
        let text = self.declare("p", "String");
        let is_there = self.not(self.equal(piece, self.literal(b"")));
        let so = self.equal(piece, self.call("str.++", [self.literal(mark), text]));
        self.assert_if(is_there, so);
        (text, is_there)
    }

    /// The pieces of a URL.
    pub(super) fn url(&mut self, place: &Place) -> Pieces {
        if let Some(known) = self.pieces.get(place) {
            return *known;
        }
        let word = self.word(place);
        let all = [(); 7].map(|()| self.declare("u", "String"));
        let [scheme, credentials, host, port, path, query, fragment] = all;
        let without = |bytes: &'static [u8]| self.byte(move |byte| !bytes.contains(&byte));
        let mark = |mark: &[u8], rest: SExpr| self.optional(self.chain([self.exactly(mark), rest]));
        let name = self.plus(without(b"@:/?#[]"));
        let bracketed = self.chain([self.exactly(b"["), self.plus(without(b"[]")), self.exactly(b"]")]);
        let digits = self.times(self.range(b'0', b'9'), 0, Some(4));
        let number = self.any_of(vec![self.exactly(b"0"), self.chain([self.range(b'1', b'9'), digits])]);
        let parts = vec![
            self.equal(
                word.text,
                self.call("str.++", [scheme, self.literal(b"://"), credentials, host, port, path, query, fragment]),
            ),
            self.is_in(scheme, self.plus(without(b":/?#"))),
            self.is_in(credentials, self.optional(self.chain([self.star(without(b"@/?#")), self.exactly(b"@")]))),
            self.is_in(host, self.any_of(vec![name, bracketed])),
            self.is_in(port, mark(b":", number)),
            self.is_in(path, mark(b"/", self.star(without(b"?#")))),
            self.is_in(query, mark(b"?", self.star(without(b"#")))),
            self.is_in(fragment, mark(b"#", self.all())),
        ];
        let so = self.all_hold(parts);
        self.assert_if(word.is_there, so);
        let pieces = Pieces { scheme, credentials, host, port, path, query, fragment };
        self.pieces.insert(place.clone(), pieces);
        pieces
    }

    /// What is known of the port of a URL.
    pub(super) fn port(&mut self, place: &Place, size: SExpr) {
        let within = self.call("<=", [self.int(-1), size, self.int(65_535)]);
        self.assert(within);
        let pieces = self.url(place);
        let is_given = self.not(self.equal(pieces.port, self.literal(b"")));
        let own = PORTS.iter().rev().fold(self.int(-1), |rest, (scheme, port)| {
            self.choice(self.equal(pieces.scheme, self.literal(scheme.as_bytes())), self.int(*port), rest)
        });
        let given = self.call(">=", [size, self.int(0)]);
        let so = self.choice(is_given, given, self.equal(size, own));
        self.assert(so);
    }

    /// Whether the port of a URL is at least this, by its digits.
    pub(super) fn port_at_least(&mut self, place: &Place, least: i64) -> SExpr {
        let pieces = self.url(place);
        let least = u32::try_from(least.clamp(0, 99_999)).unwrap_or(0);
        let digits = self.chain([self.exactly(b":"), self.decimal_at_least(least)]);
        let mut cases = vec![self.is_in(pieces.port, digits)];
        let none = self.equal(pieces.port, self.literal(b""));
        for (scheme, _) in PORTS.iter().filter(|(_, port)| *port >= i128::from(least)) {
            let same = self.equal(pieces.scheme, self.literal(scheme.as_bytes()));
            cases.push(self.all_hold(vec![none, same]));
        }
        self.one_holds(cases)
    }

    /// Whether a URL lies within another.
    pub(super) fn is_within(&mut self, place: &Place, base: UrlView<'_>) -> SExpr {
        let pieces = self.url(place);
        let port = base.port().map(|port| format!(":{port}")).unwrap_or_default();
        let is = |piece: SExpr, text: &str| self.equal(piece, self.literal(text.as_bytes()));
        let mut parts = vec![is(pieces.scheme, base.scheme()), is(pieces.credentials, ""), is(pieces.port, &port)];
        if base.ip().is_none() {
            parts.push(is(pieces.host, base.host()));
        } else {
            // An address can be written as one of version 6 too.
            let same = is(pieces.host, base.host_in_brackets());
            let other = self.declare("b", "Bool");
            parts.push(self.one_holds(vec![same, other]));
        }
        let path = base.path().strip_suffix('/').unwrap_or(base.path());
        let below = self.is_below(pieces.path, path.as_bytes());
        let coded = self.declare("b", "Bool");
        let is_coded = if path.contains('%') {
            self.smt.true_()
        } else {
            self.call("str.contains", [pieces.path, self.literal(b"%")])
        };
        parts.push(self.choice(is_coded, coded, below));
        self.all_hold(parts)
    }
}

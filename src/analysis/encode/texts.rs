//! Text, addresses, URLs and paths: questions about words.

use std::fmt::Write as _;
use std::sync::Arc;

use super::{Encoder, Val};
use crate::analysis::context::Context;
use crate::analysis::formula::{Atom, F};
use crate::analysis::numbers::{Linear, Source};
use crate::analysis::text::{Class, Lang, Measure, TextVar, View};
use crate::analysis::value::{Choice, Sym, Word, either};
use crate::data::ip::{IpAddr, IpNet};
use crate::data::path;
use crate::data::pattern::Pattern as TextPattern;
use crate::data::url::{self, Url};
use crate::types::operator::Operator;
use crate::types::typed::{Expr, PatternSource};

/// An address as a word: its version and its digits.
#[must_use]
pub fn address_word(address: IpAddr) -> String {
    if address.is_v6() { format!("6{:032x}", address.bits()) } else { format!("4{:08x}", address.bits()) }
}

/// A network as a word: its address, and the length of its prefix.
#[must_use]
pub fn net_word(net: IpNet) -> String {
    let mut word = address_word(net.address());
    let _ = write!(word, "/{:02x}", net.prefix());
    word
}

/// The address that a word stands for.
#[must_use]
pub fn word_address(word: &str) -> Option<IpAddr> {
    let (version, digits) = word.split_at_checked(1)?;
    IpAddr::from_parts(version == "6", u128::from_str_radix(digits, 16).ok()?)
}

/// The network that a word stands for.
#[must_use]
pub fn word_net(word: &str) -> Option<IpNet> {
    let (address, prefix) = word.split_once('/')?;
    IpNet::new(word_address(address)?, u8::from_str_radix(prefix, 16).ok()?).ok()
}

/// When a word is less than another.
pub(super) fn before(cx: &mut Context, one: &Word, other: &Word) -> F {
    match (one, other) {
        (Word::Known(one), Word::Known(other)) => F::constant(one < other),
        (Word::Variable(one), Word::Known(other)) => is(cx, *one, Lang::Before(other.clone())),
        (Word::Known(one), Word::Variable(other)) => {
            let less = is(cx, *other, Lang::Before(one.clone()));
            let same = is(cx, *other, Lang::Exactly(one.clone()));
            cx.formulas.both(!less, !same)
        }
        (Word::Variable(one), Word::Variable(other)) => cx.formulas.atom(Atom::Before(*one, *other)),
    }
}

/// When the word of a variable lies in a language.
fn is(cx: &mut Context, variable: TextVar, language: Lang) -> F {
    let language = cx.texts.language(language);
    cx.formulas.atom(Atom::In(variable, language))
}

fn words(sym: &Sym) -> Choice<Word> {
    match sym {
        Sym::Text(choice) => choice.clone(),
        _ => Vec::new(),
    }
}

impl<'a> Encoder<'_, 'a> {
    pub(super) fn matches(&mut self, text: &Expr, source: &PatternSource) -> Val {
        let text = self.value(text);
        let mut cases = Vec::new();
        for (when, word) in words(&text.sym) {
            let holds = match word {
                Word::Known(word) => {
                    let pattern = match source {
                        PatternSource::Glob(source) => TextPattern::glob(source),
                        PatternSource::Regex(source) => TextPattern::regex(source),
                    };
                    match pattern {
                        Ok(pattern) => F::constant(pattern.is_match(&word)),
                        Err(_) => self.world.unknown("a pattern", std::slice::from_ref(&text.sym)),
                    }
                }
                Word::Variable(variable) => is(&mut self.world.cx, variable, source.into()),
            };
            cases.push(self.world.cx.formulas.both(when, holds));
        }
        Val { sym: Sym::Bool(self.world.cx.formulas.or(cases)), error: text.error }
    }

    pub(super) fn text(&mut self, operator: Operator, one: &Sym, other: &Sym) -> Sym {
        use Operator as O;
        match operator {
            O::StringLength => self.measured(one, |text| text.chars().count(), Source::Characters, 1 << 20),
            O::PathDepth => self.measured(one, |text| path::components(text).count(), Source::Depth, 4_096),
            O::UrlText | O::PathText => one.clone(),
            O::UrlScheme => self.part(one, View::Scheme),
            O::UrlHost => self.part(one, View::Host),
            O::UrlPath => self.part(one, View::UrlPath),
            O::PathName => self.part(one, View::Name),
            O::UrlQuery => self.perhaps(one, View::Query),
            O::UrlFragment => self.perhaps(one, View::Fragment),
            O::UrlHostAddress => self.perhaps(one, View::HostAddress),
            O::PathExtension => self.perhaps(one, View::Extension),
            O::PathParent => self.perhaps(one, View::Parent),
            O::UrlPort => self.port(one),
            _ => Sym::Bool(self.question(operator, one, other)),
        }
    }

    fn question(&mut self, operator: Operator, one: &Sym, other: &Sym) -> F {
        let others = if takes_one(operator) { vec![(F::TRUE, Word::Known("".into()))] } else { words(other) };
        let mut cases = Vec::new();
        for (when, a) in words(one) {
            for (and, b) in &others {
                let both = self.world.cx.formulas.both(when, *and);
                if both == F::FALSE {
                    continue;
                }
                let holds = match (&a, b) {
                    (Word::Known(a), Word::Known(b)) => F::constant(concrete(operator, a, b)),
                    (Word::Variable(a), Word::Known(b)) => match language(operator, b) {
                        Some(language) => is(&mut self.world.cx, *a, language),
                        None => F::FALSE,
                    },
                    (a, b) => {
                        let key = [Sym::Text(vec![(F::TRUE, a.clone())]), Sym::Text(vec![(F::TRUE, b.clone())])];
                        let reason = format!("`{}` with a second operand that is no constant", named(operator));
                        self.world.unknown(&reason, &key)
                    }
                };
                cases.push(self.world.cx.formulas.both(both, holds));
            }
        }
        self.world.cx.formulas.or(cases)
    }

    /// A number that is a function of a text.
    fn measured(&mut self, text: &Sym, known: fn(&str) -> usize, source: fn(TextVar) -> Source, most: i128) -> Sym {
        let mut all = Vec::new();
        for (when, word) in words(text) {
            let sum = match word {
                Word::Known(word) => Linear::constant(i128::try_from(known(&word)).unwrap_or(most)),
                Word::Variable(variable) => Linear::variable(self.world.cx.numbers.function(source(variable), 0, most)),
            };
            all.push((when, sum));
        }
        Sym::Number(all)
    }

    fn part(&mut self, text: &Sym, view: View) -> Sym {
        let mut all: Choice<Word> = Vec::new();
        for (when, word) in words(text) {
            let part = match word {
                Word::Known(word) => Word::Known(part_of(&word, view).unwrap_or_default().into()),
                Word::Variable(variable) => Word::Variable(self.world.cx.texts.part(variable, view)),
            };
            match all.iter_mut().find(|(_, known)| *known == part) {
                Some((before, _)) => *before = self.world.cx.formulas.either(*before, when),
                None => all.push((when, part)),
            }
        }
        Sym::Text(all)
    }

    fn perhaps(&mut self, text: &Sym, view: View) -> Sym {
        let mut present = Vec::new();
        for (when, word) in words(text) {
            let has = match word {
                Word::Known(word) => F::constant(part_of(&word, view).is_some()),
                Word::Variable(variable) => is(&mut self.world.cx, variable, Lang::Has(view)),
            };
            present.push(self.world.cx.formulas.both(when, has));
        }
        let present = self.world.cx.formulas.or(present);
        Sym::perhaps(present, self.part(text, view))
    }

    fn port(&mut self, text: &Sym) -> Sym {
        let mut result = Sym::absent();
        for (when, word) in words(text) {
            let port = match word {
                Word::Known(word) => match Url::parse(&word).ok().and_then(|url| url.view().effective_port()) {
                    Some(port) => Sym::perhaps(F::TRUE, Sym::number(port.into())),
                    None => Sym::absent(),
                },
                Word::Variable(variable) => {
                    let has = is(&mut self.world.cx, variable, Lang::AtLeast(Measure::Port, 0));
                    let number = self.world.cx.numbers.function(Source::Port(variable), 0, 65_535);
                    Sym::perhaps(has, Sym::sum(Linear::variable(number)))
                }
            };
            result = either(&mut self.world.cx, when, &port, &result).unwrap_or(result);
        }
        result
    }
}

fn takes_one(operator: Operator) -> bool {
    use Operator as O;
    matches!(
        operator,
        O::IpIsLoopback
            | O::IpIsPrivate
            | O::IpIsLinkLocal
            | O::IpIsMulticast
            | O::IpIsUnspecified
            | O::IpIsGlobal
            | O::IpIsV6
            | O::UrlHasCredentials
    )
}

fn named(operator: Operator) -> &'static str {
    match operator {
        Operator::StringStartsWith => "starts_with",
        Operator::StringEndsWith => "ends_with",
        Operator::StringContains => "contains",
        Operator::UrlHostInDomain => "host_in",
        _ => "in",
    }
}

/// The words of which the answer is yes, given the second operand.
fn language(operator: Operator, other: &Arc<str>) -> Option<Lang> {
    use Operator as O;
    Some(match operator {
        O::StringStartsWith => Lang::StartsWith(other.clone()),
        O::StringEndsWith => Lang::EndsWith(other.clone()),
        O::StringContains => Lang::Contains(other.clone()),
        O::IpInNet => Lang::InNet(word_net(other)?),
        O::NetInNet => Lang::NetIn(word_net(other)?),
        O::IpIsLoopback => Lang::Is(Class::Loopback),
        O::IpIsPrivate => Lang::Is(Class::Private),
        O::IpIsLinkLocal => Lang::Is(Class::LinkLocal),
        O::IpIsMulticast => Lang::Is(Class::Multicast),
        O::IpIsUnspecified => Lang::Is(Class::Unspecified),
        O::IpIsGlobal => Lang::Is(Class::Global),
        O::IpIsV6 => Lang::Is(Class::V6),
        O::UrlHasCredentials => Lang::HasCredentials,
        O::UrlInUrl => Lang::UrlIn(other.clone()),
        O::UrlHostInDomain => Lang::HostIn(other.clone()),
        O::PathInPath => Lang::PathIn(other.clone()),
        _ => return None,
    })
}

/// The answer for known words.
fn concrete(operator: Operator, one: &str, other: &str) -> bool {
    use Operator as O;
    let address = |of: fn(IpAddr) -> bool| word_address(one).is_some_and(of);
    match operator {
        O::StringStartsWith => one.starts_with(other),
        O::StringEndsWith => one.ends_with(other),
        O::StringContains => one.contains(other),
        O::IpInNet => word_net(other).zip(word_address(one)).is_some_and(|(net, address)| net.contains(address)),
        O::NetInNet => word_net(other).zip(word_net(one)).is_some_and(|(net, inner)| net.contains_net(inner)),
        O::IpIsLoopback => address(IpAddr::is_loopback),
        O::IpIsPrivate => address(IpAddr::is_private),
        O::IpIsLinkLocal => address(IpAddr::is_link_local),
        O::IpIsMulticast => address(IpAddr::is_multicast),
        O::IpIsUnspecified => address(IpAddr::is_unspecified),
        O::IpIsGlobal => address(IpAddr::is_global),
        O::IpIsV6 => address(IpAddr::is_v6),
        O::UrlHasCredentials => Url::parse(one).is_ok_and(|url| url.view().has_credentials()),
        O::UrlInUrl => match (Url::parse(one), Url::parse(other)) {
            (Ok(one), Ok(other)) => url::is_within(one.view(), other.view()),
            _ => false,
        },
        O::UrlHostInDomain => Url::parse(one).is_ok_and(|url| url.view().host_in_domain(other)),
        O::PathInPath => path::is_within(one, other),
        _ => false,
    }
}

/// A part of a known word.
#[must_use]
pub fn part_of(word: &str, view: View) -> Option<String> {
    match view {
        View::Name => Some(path::name(word).to_owned()),
        View::Extension => path::extension(word).map(str::to_owned),
        View::Parent => path::parent(word).map(str::to_owned),
        _ => {
            let url = Url::parse(word).ok()?;
            let of = url.view();
            match view {
                View::Scheme => Some(of.scheme().to_owned()),
                View::Host => Some(of.host().to_owned()),
                View::UrlPath => Some(of.path().to_owned()),
                View::Query => of.query().map(str::to_owned),
                View::Fragment => of.fragment().map(str::to_owned),
                _ => of.ip().map(address_word),
            }
        }
    }
}

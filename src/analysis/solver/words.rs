//! What languages, parts and measures say of a given word, by the very functions of `data` that the machine computes
//! with. The solver holds each word that it was given against this, so that no model rests on automata alone.

use std::borrow::Cow;

use crate::analysis::text::{Class, Domain, Lang, LangId, Measure, Texts, View};
use crate::data::ip::{IpAddr, IpNet};
use crate::data::path;
use crate::data::pattern::Pattern;
use crate::data::url::{self, Url, UrlView};

/// Whether a word lies in a language.
pub(super) fn lies_in(texts: &Texts, language: LangId, word: &str) -> bool {
    match texts.described(language) {
        Lang::Exactly(text) => word == &**text,
        Lang::StartsWith(text) => word.starts_with(&**text),
        Lang::EndsWith(text) => word.ends_with(&**text),
        Lang::Contains(text) => word.contains(&**text),
        Lang::Glob(source) => Pattern::glob(source).is_ok_and(|pattern| pattern.is_match(word)),
        Lang::Regex(source) => Pattern::regex(source).is_ok_and(|pattern| pattern.is_match(word)),
        Lang::Before(text) => word < &**text,
        Lang::AtLeast(measure, least) => measured(*measure, word).is_some_and(|size| size >= i128::from(*least)),
        Lang::Has(view) => part(*view, word).is_some(),
        Lang::Part(view, language) => part(*view, word).is_some_and(|part| lies_in(texts, *language, &part)),
        Lang::InNet(net) => address(word).is_some_and(|address| net.contains(address)),
        Lang::Is(class) => address(word).is_some_and(|address| is_of(*class, address)),
        Lang::NetIn(net) => network(word).is_some_and(|inner| net.contains_net(inner)),
        Lang::UrlIn(base) => with_url(word, |url| {
            let base = Url::parse(base).ok()?;
            Some(url::is_within(url, base.view()))
        })
        .unwrap_or(false),
        Lang::HostIn(domain) => with_url(word, |url| Some(url.host_in_domain(domain))).unwrap_or(false),
        Lang::HasCredentials => with_url(word, |url| Some(url.has_credentials())).unwrap_or(false),
        Lang::PathIn(base) => path::is_within(word, base),
    }
}

/// The part of a word, if it has that part.
pub(super) fn part(view: View, word: &str) -> Option<Cow<'_, str>> {
    match view {
        View::Scheme => with_url(word, |url| owned(Some(url.scheme()))),
        View::Host => with_url(word, |url| owned(Some(url.host()))),
        View::UrlPath => with_url(word, |url| owned(Some(url.path()))),
        View::Query => with_url(word, |url| owned(url.query())),
        View::Fragment => with_url(word, |url| owned(url.fragment())),
        View::HostAddress => with_url(word, |url| url.ip().map(|address| Cow::Owned(address_word(address)))),
        View::Name => Some(Cow::Borrowed(path::name(word))),
        View::Extension => path::extension(word).map(Cow::Borrowed),
        View::Parent => path::parent(word).map(Cow::Borrowed),
    }
}

fn owned(part: Option<&str>) -> Option<Cow<'static, str>> {
    part.map(|part| Cow::Owned(part.to_owned()))
}

/// The size of a word, if it has one.
pub(super) fn measured(measure: Measure, word: &str) -> Option<i128> {
    match measure {
        Measure::Characters => i128::try_from(word.chars().count()).ok(),
        Measure::Depth => i128::try_from(path::components(word).count()).ok(),
        Measure::Port => with_url(word, |url| url.effective_port().map(i128::from)),
    }
}

/// A word of a domain, for variables of which nothing is asked.
pub(super) fn simplest(domain: Domain) -> &'static str {
    match domain {
        Domain::Any(_) => "",
        Domain::Path => "/",
        Domain::Url => "a://a",
        Domain::Address => "400000000",
        Domain::Net => "400000000/00",
    }
}

fn with_url<T>(word: &str, of: impl FnOnce(UrlView<'_>) -> Option<T>) -> Option<T> {
    of(Url::parse(word).ok()?.view())
}

fn address(word: &str) -> Option<IpAddr> {
    let (is_v6, digits) = match (word.strip_prefix('4'), word.strip_prefix('6')) {
        (Some(digits), _) if digits.len() == 8 => (false, digits),
        (_, Some(digits)) if digits.len() == 32 => (true, digits),
        _ => return None,
    };
    IpAddr::from_parts(is_v6, u128::from_str_radix(digits, 16).ok()?)
}

fn address_word(address: IpAddr) -> String {
    if address.is_v6() { format!("6{:032x}", address.bits()) } else { format!("4{:08x}", address.bits()) }
}

fn network(word: &str) -> Option<IpNet> {
    let (first, prefix) = word.split_once('/')?;
    IpNet::new(address(first)?, u8::from_str_radix(prefix, 16).ok()?).ok()
}

fn is_of(class: Class, address: IpAddr) -> bool {
    match class {
        Class::Loopback => address.is_loopback(),
        Class::Private => address.is_private(),
        Class::LinkLocal => address.is_link_local(),
        Class::Multicast => address.is_multicast(),
        Class::Unspecified => address.is_unspecified(),
        Class::Global => address.is_global(),
        Class::V6 => address.is_v6(),
    }
}

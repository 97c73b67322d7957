//! What languages and parts mean for a word that is there: the operations of `data` themselves.
//!
//! The automata are held against this by tests, and each word that a search finds is, before it is given to anybody.

use super::addresses::{address_of, address_word, net_of};
use super::{Class, Domain, Lang, LangId, Measure, View};
use crate::base::limits::{PATH_BYTES_MAX, URL_BYTES_MAX};
use crate::data::path::{self, Path};
use crate::data::pattern::Pattern;
use crate::data::url::{self, Url};

/// Whether the word is one that a variable of the domain may stand for.
#[must_use]
pub fn is_of(domain: Domain, word: &str) -> bool {
    match domain {
        Domain::Any(bytes_max) => word.len() <= bytes_max as usize,
        Domain::Path => word.len() <= PATH_BYTES_MAX && Path::parse(word).is_ok_and(|path| path.as_str() == word),
        Domain::Url => word.len() <= URL_BYTES_MAX && Url::parse(word).is_ok_and(|url| url.as_str() == word),
        Domain::Address => address_of(word).is_some(),
        Domain::Net => net_of(word).is_some(),
    }
}

/// A part of a word, if the word has it.
#[must_use]
pub fn part_of(view: View, word: &str) -> Option<String> {
    match view {
        View::Name => Some(path::name(word).to_owned()),
        View::Extension => path::extension(word).map(str::to_owned),
        View::Parent => path::parent(word).map(str::to_owned),
        View::Scheme | View::Host | View::UrlPath | View::Query | View::Fragment | View::HostAddress => {
            let url = Url::parse(word).ok()?;
            let url = url.view();
            match view {
                View::Scheme => Some(url.scheme().to_owned()),
                View::Host => Some(url.host().to_owned()),
                View::UrlPath => Some(url.path().to_owned()),
                View::Query => url.query().map(str::to_owned),
                View::HostAddress => url.ip().map(address_word),
                _ => url.fragment().map(str::to_owned),
            }
        }
    }
}

/// Whether a word lies in a language; `languages` has those that it is made of.
#[must_use]
pub fn holds(languages: &[Lang], language: LangId, word: &str) -> bool {
    let Some(language) = languages.get(language.0 as usize) else { return false };
    match language {
        Lang::Exactly(text) => word == &**text,
        Lang::StartsWith(text) => word.starts_with(&**text),
        Lang::EndsWith(text) => word.ends_with(&**text),
        Lang::Contains(text) => word.contains(&**text),
        Lang::Glob(source) => Pattern::glob(source).is_ok_and(|pattern| pattern.is_match(word)),
        Lang::Regex(source) => Pattern::regex(source).is_ok_and(|pattern| pattern.is_match(word)),
        Lang::Before(text) => word < &**text,
        Lang::AtLeast(Measure::Characters, least) => word.chars().count() as i64 >= *least,
        Lang::AtLeast(Measure::Bytes, least) => word.len() as i64 >= *least,
        Lang::AtLeast(Measure::Depth, least) => path::components(word).count() as i64 >= *least,
        Lang::AtLeast(Measure::Port, least) => {
            let port = Url::parse(word).ok().and_then(|url| url.view().effective_port());
            port.is_some_and(|port| i64::from(port) >= *least)
        }
        Lang::Has(view) => part_of(*view, word).is_some(),
        Lang::Part(view, inner) => part_of(*view, word).is_some_and(|part| holds(languages, *inner, &part)),
        Lang::InNet(net) => address_of(word).is_some_and(|address| net.contains(address)),
        Lang::Is(class) => address_of(word).is_some_and(|address| match class {
            Class::Loopback => address.is_loopback(),
            Class::Private => address.is_private(),
            Class::LinkLocal => address.is_link_local(),
            Class::Multicast => address.is_multicast(),
            Class::Unspecified => address.is_unspecified(),
            Class::Global => address.is_global(),
            Class::V6 => address.is_v6(),
        }),
        Lang::NetIn(net) => net_of(word).is_some_and(|other| net.contains_net(other)),
        Lang::UrlIn(base) => match (Url::parse(word), Url::parse(base)) {
            (Ok(word), Ok(base)) => url::is_within(word.view(), base.view()),
            _ => false,
        },
        Lang::HostIn(domain) => Url::parse(word).is_ok_and(|url| url.view().host_in_domain(domain)),
        Lang::HasCredentials => Url::parse(word).is_ok_and(|url| url.view().has_credentials()),
        Lang::PathIn(base) => Path::parse(base).is_ok_and(|base| path::is_within(word, base.as_str())),
    }
}

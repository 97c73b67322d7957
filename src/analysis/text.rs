//! Texts as the analysis sees them: variables that stand for words, and languages that a word may lie in.

mod addresses;
mod automata;
mod catalogue;
mod concrete;
mod find;
mod lemmas;
mod paths;
mod problem;
mod search;
mod solve;
#[cfg(test)]
mod tests;
mod urls;
mod words;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::analysis::budget::Reason;
use crate::data::ip::IpNet;
use crate::types::typed::PatternSource;

pub use addresses::{address_of, address_word, net_of, net_word};
pub use concrete::{is_of, part_of};

use find::Finder;

/// A variable that stands for a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TextVar(pub u32);

/// A language, stored once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LangId(pub u32);

/// Which words a variable may stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Domain {
    /// All texts of at most so many bytes of UTF-8.
    Any(u32),
    /// The texts of paths.
    Path,
    /// The texts of URLs.
    Url,
    /// Addresses: `4` and eight hexadecimal digits, or `6` and 32 of them, in lower case.
    Address,
    /// Networks: an address, `/`, and the length of the prefix in two hexadecimal digits.
    Net,
}

/// A part of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum View {
    /// Of a URL, as are the next.
    Scheme,
    /// Of a URL.
    Host,
    /// Of a URL.
    UrlPath,
    /// Of some URLs.
    Query,
    /// Of some URLs.
    Fragment,
    /// Of URLs whose host is one, as a word of [`Domain::Address`].
    HostAddress,
    /// Of a path: its last component.
    Name,
    /// Of some paths.
    Extension,
    /// Of all paths but the root: a path.
    Parent,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Measure {
    /// Code points of a text.
    Characters,
    /// Bytes of a text in UTF-8.
    Bytes,
    /// Components of a path.
    Depth,
    /// The port of a URL, its scheme's own if none is given; URLs without one have less than any.
    Port,
}

/// A class of addresses, as `data::ip` has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// See `data::ip`, as for all.
    Loopback,
    /// Private.
    Private,
    /// Link-local.
    LinkLocal,
    /// Multicast.
    Multicast,
    /// All zeros.
    Unspecified,
    /// Global.
    Global,
    /// Of version 6.
    V6,
}

/// A set of words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lang {
    /// This word alone.
    Exactly(Arc<str>),
    /// The words that begin so.
    StartsWith(Arc<str>),
    /// The words that end so.
    EndsWith(Arc<str>),
    /// The words that have this within.
    Contains(Arc<str>),
    /// Globs, as `data::pattern` has them.
    Glob(Arc<str>),
    /// Regular expressions, likewise.
    Regex(Arc<str>),
    /// The words that are less than this one, by code point.
    Before(Arc<str>),
    /// The words that measure so much or more.
    AtLeast(Measure, i64),
    /// The words that have the part.
    Has(View),
    /// The words that have the part, and the part lies in the language.
    Part(View, LangId),
    /// Of addresses: those in this network.
    InNet(IpNet),
    /// Of addresses.
    Is(Class),
    /// Of networks: those that lie within this one.
    NetIn(IpNet),
    /// Of URLs: those within this one (a URL's normal text), as `data::url` has it.
    UrlIn(Arc<str>),
    /// Of URLs: those whose host is this domain or below it.
    HostIn(Arc<str>),
    /// Of URLs: those with a user name or a password.
    HasCredentials,
    /// Of paths: those within this one, as `data::path` has it.
    PathIn(Arc<str>),
}

impl From<&PatternSource> for Lang {
    fn from(source: &PatternSource) -> Lang {
        match source {
            PatternSource::Glob(source) => Lang::Glob(source.clone()),
            PatternSource::Regex(source) => Lang::Regex(source.clone()),
        }
    }
}

/// Something that holds of words or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TextAtom {
    /// The word lies in the language.
    In(TextVar, LangId),
    /// The words are equal.
    Same(TextVar, TextVar),
    /// The first word is less than the second, by code point.
    Before(TextVar, TextVar),
}

/// Whether words can make literals true together.
///
/// An atom about the part of a word that has no such part is false, whatever it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextVerdict {
    /// These do: a word for each variable that is named by a literal, and for those that these are parts of.
    Words(BTreeMap<TextVar, String>),
    /// None do, and already the literals at these places can't be true together.
    Conflict(Vec<usize>),
    /// It is not known.
    Undecided(Reason),
}

/// What always holds of languages of one variable, for whoever decides on their truth.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lemmas {
    /// Of each, at least one is so.
    pub clauses: Vec<Vec<(LangId, bool)>>,
    /// Of each, at most one language has the word.
    pub at_most_one: Vec<Vec<LangId>>,
}

/// Where a variable's word comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Origin {
    Own(Domain),
    Part(TextVar, View),
}

/// All variables and languages.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    variables: Vec<Origin>,
    parts: HashMap<(TextVar, View), TextVar>,
    languages: Vec<Lang>,
    places: HashMap<Lang, LangId>,
    finder: Finder,
}

impl Texts {
    /// A new variable.
    pub fn variable(&mut self, domain: Domain) -> TextVar {
        self.variables.push(Origin::Own(domain));
        TextVar(u32::try_from(self.variables.len() - 1).unwrap_or(u32::MAX))
    }

    /// The variable that stands for a part of another's word; the same for the same part. It means something only
    /// where the word has that part.
    pub fn part(&mut self, of: TextVar, view: View) -> TextVar {
        if let Some(known) = self.parts.get(&(of, view)) {
            return *known;
        }
        self.variables.push(Origin::Part(of, view));
        let new = TextVar(u32::try_from(self.variables.len() - 1).unwrap_or(u32::MAX));
        self.parts.insert((of, view), new);
        new
    }

    /// Of what a variable stands for a part, and for which, if it does.
    #[must_use]
    pub fn whole(&self, variable: TextVar) -> Option<(TextVar, View)> {
        match self.variables[variable.0 as usize] {
            Origin::Own(_) => None,
            Origin::Part(whole, view) => Some((whole, view)),
        }
    }

    /// The domain of a variable that stands for no part.
    #[must_use]
    pub fn domain(&self, variable: TextVar) -> Option<Domain> {
        match self.variables[variable.0 as usize] {
            Origin::Own(domain) => Some(domain),
            Origin::Part(..) => None,
        }
    }

    /// A language.
    pub fn language(&mut self, language: Lang) -> LangId {
        if let Some(known) = self.places.get(&language) {
            return *known;
        }
        let id = LangId(u32::try_from(self.languages.len()).unwrap_or(u32::MAX));
        self.languages.push(language.clone());
        self.places.insert(language, id);
        id
    }

    /// What a language is.
    #[must_use]
    pub fn described(&self, language: LangId) -> &Lang {
        &self.languages[language.0 as usize]
    }

    /// Whether a word lies in a language, by the operations that a decision uses.
    #[must_use]
    pub fn holds(&self, language: LangId, word: &str) -> bool {
        concrete::holds(&self.languages, language, word)
    }
}

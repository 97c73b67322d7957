//! From languages to automata: each made once, on first use.

use std::collections::HashMap;
use std::sync::Arc;

use super::addresses::{Addresses, Blocks};
use super::automata::{AutoId, Automata, Machine};
use super::paths::{Extension, Name, Parent, Paths};
use super::urls::addresses::HostAddress;
use super::urls::domain::Urls;
use super::urls::within::UrlIn;
use super::urls::{Credentials, InDomain, Piece, Pieces, PortAtLeast};
use super::words::{AtLeast, Compared, Comparison, Constant, Counted, Listed, Matched, Searched, WellFormed};
use super::{Domain, Lang, LangId, Measure, View};
use crate::analysis::budget::Reason;
use crate::data::path::Path;
use crate::data::pattern::Pattern;

/// What an automaton is of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Spec {
    /// A language without others in it.
    Plain(Lang),
    /// The words with a part in the language of an automaton.
    Part(View, AutoId),
    /// The words that a variable may stand for, but for their length.
    Domain(Domain),
    /// The words that are greater than this one.
    After(Arc<str>),
    /// The words of more bytes than that.
    LongerThan(u32),
    /// The hosts in this domain.
    Host(Arc<str>),
    /// All words.
    All,
}

/// All automata, by what they are of.
#[derive(Clone, Debug, Default)]
pub(super) struct Catalogue {
    pub(super) automata: Automata,
    made: HashMap<Spec, Result<AutoId, Reason>>,
    specs: Vec<Option<Spec>>,
}

impl Catalogue {
    /// The automaton of it.
    pub(super) fn get(&mut self, spec: Spec) -> Result<AutoId, Reason> {
        if let Some(known) = self.made.get(&spec) {
            return *known;
        }
        let made = machine(&spec).map(|machine| self.automata.add(machine));
        if made.is_ok() {
            self.specs.push(Some(spec.clone()));
        }
        self.made.insert(spec, made);
        made
    }

    /// What an automaton is of.
    pub(super) fn spec(&self, id: AutoId) -> Option<&Spec> {
        self.specs.get(id.0 as usize)?.as_ref()
    }

    /// An automaton of all of these constants, and all that begins with one of these texts (`true`), which is to be
    /// forgotten soon: there are as many such lists as there are sets of constants.
    pub(super) fn passing(&mut self, texts: &[(Arc<str>, bool)]) -> AutoId {
        self.specs.push(None);
        self.automata.add(Arc::new(Listed::new(texts.iter().map(|(text, longer)| (&**text, *longer)))))
    }

    /// How many automata there are.
    pub(super) fn len(&self) -> usize {
        self.specs.len()
    }

    /// Forgets all automata but the first so many.
    pub(super) fn forget(&mut self, len: usize) {
        for spec in self.specs.drain(len.min(self.specs.len())..).flatten() {
            self.made.remove(&spec);
        }
        self.automata.forget(len);
    }

    /// The automaton of a language.
    pub(super) fn language(&mut self, languages: &[Lang], id: LangId) -> Result<AutoId, Reason> {
        let spec = match &languages[id.0 as usize] {
            // A language names only such as were there before it.
            Lang::Part(view, inner) => Spec::Part(*view, self.language(languages, *inner)?),
            Lang::Has(view) => Spec::Part(*view, self.get(Spec::All)?),
            Lang::HostIn(domain) => Spec::Part(View::Host, self.get(Spec::Host(domain.clone()))?),
            plain => Spec::Plain(plain.clone()),
        };
        self.get(spec)
    }

    /// The words that have parts of parts in the language of an automaton; the outermost view comes first.
    pub(super) fn behind(&mut self, views: &[View], inner: AutoId) -> Result<AutoId, Reason> {
        views.iter().rev().try_fold(inner, |inner, view| self.get(Spec::Part(*view, inner)))
    }
}

fn machine(spec: &Spec) -> Result<Arc<dyn Machine>, Reason> {
    Ok(match spec {
        Spec::Host(domain) => Arc::new(InDomain::new(domain)),
        Spec::All => Arc::new(Constant(true)),
        Spec::Plain(language) => return plain(language),
        Spec::Part(view, inner) => part(*view, *inner),
        Spec::Domain(domain) => match domain {
            Domain::Any(_) => Arc::new(WellFormed),
            Domain::Path => Arc::new(Paths),
            Domain::Url => Arc::new(Urls),
            Domain::Address => Arc::new(Addresses { nets: false }),
            Domain::Net => Arc::new(Addresses { nets: true }),
        },
        Spec::After(text) => compared(Comparison::After, text),
        Spec::LongerThan(bytes) => Arc::new(AtLeast { counted: Counted::Bytes, least: bytes.saturating_add(1) }),
    })
}

fn compared(comparison: Comparison, text: &Arc<str>) -> Arc<dyn Machine> {
    Arc::new(Compared { comparison, text: text.clone() })
}

fn plain(language: &Lang) -> Result<Arc<dyn Machine>, Reason> {
    Ok(match language {
        Lang::Exactly(text) => compared(Comparison::Exactly, text),
        Lang::StartsWith(text) => compared(Comparison::StartsWith, text),
        Lang::EndsWith(text) => Arc::new(Searched::at_end(text)),
        Lang::Contains(text) => Arc::new(Searched::within(text)),
        Lang::Glob(source) => Arc::new(Matched(Pattern::glob(source).map_err(|_| Reason::Pattern)?)),
        Lang::Regex(source) => Arc::new(Matched(Pattern::regex(source).map_err(|_| Reason::Pattern)?)),
        Lang::Before(text) => compared(Comparison::Before, text),
        Lang::AtLeast(Measure::Port, least) => Arc::new(PortAtLeast::new(*least)),
        Lang::AtLeast(measure @ (Measure::Characters | Measure::Bytes | Measure::Depth), least) => {
            let counted = match measure {
                Measure::Bytes => Counted::Bytes,
                Measure::Depth => Counted::Names,
                _ => Counted::Characters,
            };
            // No word has more than fit.
            let least = u32::try_from((*least).max(0)).unwrap_or(u32::MAX);
            Arc::new(AtLeast { counted, least })
        }
        Lang::InNet(net) => Arc::new(Blocks::of(*net)),
        Lang::Is(class) => Arc::new(Blocks::class(*class)),
        Lang::NetIn(net) => Arc::new(Blocks::within(*net)),
        Lang::UrlIn(base) => Arc::new(UrlIn::new(base).ok_or(Reason::Pattern)?),
        Lang::HasCredentials => Arc::new(Credentials),
        Lang::PathIn(base) => {
            let base = Path::parse(base).map_err(|_| Reason::Pattern)?;
            let base = if base.as_str() == "/" { "" } else { base.as_str() };
            compared(Comparison::PathIn, &base.into())
        }
        Lang::Has(_) | Lang::Part(..) | Lang::HostIn(_) => return Err(Reason::Pattern),
    })
}

fn part(view: View, inner: AutoId) -> Arc<dyn Machine> {
    match view {
        View::Scheme => Arc::new(Pieces(Piece::Scheme, inner)),
        View::Host => Arc::new(Pieces(Piece::Host, inner)),
        View::UrlPath => Arc::new(Pieces(Piece::Path, inner)),
        View::Query => Arc::new(Pieces(Piece::Query, inner)),
        View::Fragment => Arc::new(Pieces(Piece::Fragment, inner)),
        View::HostAddress => Arc::new(HostAddress(inner)),
        View::Name => Arc::new(Name(inner)),
        View::Extension => Arc::new(Extension(inner)),
        View::Parent => Arc::new(Parent(inner)),
    }
}

//! A word that lies in some languages and not in others, of one variable.
//!
//! What was found once is kept, also that there is none.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::automata::AutoId;
use super::catalogue::{Catalogue, Spec};
use super::concrete::{holds, is_of, part_of};
use super::search::{least, shortest};
use super::{Domain, Lang, LangId, View};
use crate::analysis::budget::{Budget, Reason};
use crate::base::limits::{PATH_BYTES_MAX, URL_BYTES_MAX};

/// How many words that the real parser refuses are tried.
const REFUSED_MAX: usize = 16;
/// From how many constants on a list is made of them.
const LISTED_MIN: usize = 8;
/// How many texts that a word has to have within are many.
const WITHIN_MANY: usize = 5;
/// How many steps a search for a word that reads better may take.
const STEPS_OF_TASTE: u64 = 300_000;

/// What URLs look like, for the most part: a host that is a name, and nothing but a path behind it; or of this scheme.
const TASTES: [&str; 2] = ["https://[a-z][a-z0-9-]*(\\.[a-z][a-z0-9-]*)*/[^?#]*", "https://.*"];

/// What is asked of one word.
#[derive(Clone, Debug)]
pub(super) struct Wishes {
    /// Of which variable it is; this is one of the automata too.
    pub(super) domain: Domain,
    /// How many bytes it may have.
    pub(super) bytes_max: usize,
    /// Which automata accept it, and which don't.
    pub(super) automata: Vec<(AutoId, bool)>,
}

/// How many bytes the words of a domain may have.
pub(super) fn bytes_max(domain: Domain) -> usize {
    match domain {
        Domain::Any(bytes) => bytes as usize,
        Domain::Path => PATH_BYTES_MAX,
        Domain::Url => URL_BYTES_MAX,
        Domain::Address => 33,
        Domain::Net => 36,
    }
}

/// An automaton of a constant, or of all that begins with a text (`true`).
type Listable = (AutoId, Arc<str>, bool);
/// What was asked.
type Question = (Domain, usize, Vec<(AutoId, bool)>);

/// Automata, and answers.
#[derive(Clone, Debug, Default)]
pub(super) struct Finder {
    pub(super) catalogue: Catalogue,
    known: HashMap<Question, Option<String>>,
}

impl Finder {
    /// A short word that fulfils the wishes, and is one of the domain by the real parser.
    pub(super) fn find(&mut self, wishes: &Wishes, budget: &mut Budget) -> Result<Option<String>, Reason> {
        let mut wanted = wishes.automata.clone();
        wanted.sort_unstable();
        wanted.dedup();
        if wanted.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return Ok(None);
        }
        budget.spend(1 + wanted.len() as u64)?;
        let question = (wishes.domain, wishes.bytes_max, wanted);
        if let Some(known) = self.known.get(&question) {
            return Ok(known.clone());
        }
        let answer = self.answer(wishes.domain, wishes.bytes_max, &question.2, budget)?;
        self.known.insert(question, answer.clone());
        Ok(answer)
    }

    fn answer(
        &mut self,
        domain: Domain,
        bytes_max: usize,
        wanted: &[(AutoId, bool)],
        budget: &mut Budget,
    ) -> Result<Option<String>, Reason> {
        if let Some(text) = wanted.iter().find_map(|(id, sign)| self.constant(*id).filter(|_| *sign)) {
            budget.spend((text.len() as u64 + 1) * (1 + wanted.len() as u64 / 8))?;
            let fits = text.len() <= bytes_max
                && is_of(domain, &text)
                && wanted.iter().all(|(id, sign)| self.catalogue.automata.reads(*id, text.as_bytes()) == *sign);
            return Ok(fits.then(|| text.to_string()));
        }
        if domain == Domain::Url
            && let Some(word) = self.tasteful(domain, bytes_max, wanted, budget)?
        {
            return Ok(Some(word));
        }
        // Of many texts within one the automata multiply, and the shortest word is not worth that.
        let within = |id: &AutoId| matches!(self.catalogue.spec(*id), Some(Spec::Plain(Lang::Contains(_))));
        if wanted.iter().filter(|(id, sign)| *sign && within(id)).count() >= WITHIN_MANY
            && let Some(word) = self.guessed(domain, bytes_max, wanted)
        {
            return Ok(Some(word));
        }
        self.accepted(domain, bytes_max, wanted, budget)
    }

    /// What a word begins with, has within and ends with, one behind the other, if that does.
    fn guessed(&mut self, domain: Domain, bytes_max: usize, wanted: &[(AutoId, bool)]) -> Option<String> {
        let (mut begin, mut within, mut end) = ("", String::new(), "");
        for spec in wanted.iter().filter(|(_, sign)| *sign).filter_map(|(id, _)| self.catalogue.spec(*id)) {
            match spec {
                Spec::Plain(Lang::StartsWith(text)) if text.len() > begin.len() => begin = text,
                Spec::Plain(Lang::EndsWith(text)) if text.len() > end.len() => end = text,
                Spec::Plain(Lang::Contains(text)) if !within.contains(&**text) => within.push_str(text),
                _ => {}
            }
        }
        let word = format!("{begin}{within}{end}");
        let fits = word.len() <= bytes_max
            && is_of(domain, &word)
            && wanted.iter().all(|(id, sign)| self.catalogue.automata.reads(*id, word.as_bytes()) == *sign);
        fits.then_some(word)
    }

    /// A URL as one knows them, if there is one and it does not take long.
    fn tasteful(
        &mut self,
        domain: Domain,
        bytes_max: usize,
        wanted: &[(AutoId, bool)],
        budget: &mut Budget,
    ) -> Result<Option<String>, Reason> {
        for taste in TASTES {
            let mut nicer = wanted.to_vec();
            nicer.push((self.catalogue.get(Spec::Plain(Lang::Regex(taste.into())))?, true));
            let mut own = Budget::new(budget.steps_left.min(STEPS_OF_TASTE));
            let before = own.steps_left;
            let word = self.accepted(domain, bytes_max, &nicer, &mut own);
            budget.spend(before - own.steps_left)?;
            if let Ok(Some(word)) = word {
                return Ok(Some(word));
            }
        }
        Ok(None)
    }

    /// The shortest word that the real parser takes.
    fn accepted(
        &mut self,
        domain: Domain,
        bytes_max: usize,
        wanted: &[(AutoId, bool)],
        budget: &mut Budget,
    ) -> Result<Option<String>, Reason> {
        let mut wanted = wanted.to_vec();
        for _ in 0..REFUSED_MAX {
            let Some(word) = self.shortest(&wanted, bytes_max, budget)? else { return Ok(None) };
            if is_of(domain, &word) {
                return Ok(Some(word));
            }
            // It is the host that makes for a refusal, and what is refused in one URL is so in all.
            let host =
                host_text(&word).filter(|host| domain == Domain::Url && !is_of(domain, &format!("https://{host}/")));
            let refused = match host {
                Some(host) => {
                    let inner = host.trim_start_matches('[').trim_end_matches(']');
                    let host = self.catalogue.get(Spec::Plain(Lang::Exactly(inner.into())))?;
                    self.catalogue.get(Spec::Part(View::Host, host))?
                }
                None => self.catalogue.get(Spec::Plain(Lang::Exactly(word.into())))?,
            };
            if wanted.contains(&(refused, false)) {
                break;
            }
            wanted.push((refused, false));
        }
        Err(Reason::Texts)
    }

    fn shortest(
        &mut self,
        wanted: &[(AutoId, bool)],
        bytes_max: usize,
        budget: &mut Budget,
    ) -> Result<Option<String>, Reason> {
        let made = self.catalogue.len();
        let word = match self.with_lists(wanted) {
            Ok(listed) => shortest(&mut self.catalogue.automata, &listed, bytes_max, budget),
            Err(reason) => Err(reason),
        };
        self.catalogue.forget(made);
        text(word?)
    }

    /// The least word that fulfils the wishes, by code point; it need not be one by the real parser.
    pub(super) fn least(&mut self, wishes: &Wishes, budget: &mut Budget) -> Result<Option<String>, Reason> {
        text(least(&mut self.catalogue.automata, &wishes.automata, wishes.bytes_max, budget)?)
    }

    /// Whether a word lies in a language by the operations of `data`, where patterns are compiled once.
    pub(super) fn holds(&mut self, languages: &[Lang], id: LangId, word: &str) -> bool {
        match &languages[id.0 as usize] {
            Lang::Part(view, inner) => part_of(*view, word).is_some_and(|part| self.holds(languages, *inner, &part)),
            Lang::Glob(_) | Lang::Regex(_) => match self.catalogue.language(languages, id) {
                Ok(automaton) => self.catalogue.automata.reads(automaton, word.as_bytes()),
                Err(_) => false,
            },
            _ => holds(languages, id, word),
        }
    }

    /// The constant that an automaton is of.
    pub(super) fn constant(&self, id: AutoId) -> Option<Arc<str>> {
        match self.catalogue.spec(id) {
            Some(Spec::Plain(Lang::Exactly(text))) => Some(text.clone()),
            _ => None,
        }
    }

    /// The same wishes, with one automaton in place of many constants and beginnings that the word must not have.
    fn with_lists(&mut self, wanted: &[(AutoId, bool)]) -> Result<Vec<(AutoId, bool)>, Reason> {
        let mut groups: BTreeMap<Vec<View>, Vec<Listable>> = BTreeMap::new();
        for (id, _) in wanted.iter().filter(|(_, sign)| !sign) {
            if let Some((views, text, longer)) = self.listable(*id) {
                groups.entry(views).or_default().push((*id, text, longer));
            }
        }
        let mut wanted = wanted.to_vec();
        for (views, texts) in groups.into_iter().filter(|(_, texts)| texts.len() >= LISTED_MIN) {
            let listed: BTreeSet<AutoId> = texts.iter().map(|(id, ..)| *id).collect();
            wanted.retain(|(id, sign)| *sign || !listed.contains(id));
            let texts: Vec<_> = texts.into_iter().map(|(_, text, longer)| (text, longer)).collect();
            let inner = self.catalogue.passing(&texts);
            let listed = self.catalogue.behind(&views, inner)?;
            wanted.push((listed, false));
        }
        Ok(wanted)
    }

    fn listable(&self, id: AutoId) -> Option<(Vec<View>, Arc<str>, bool)> {
        let (mut views, mut id) = (Vec::new(), id);
        loop {
            match self.catalogue.spec(id)? {
                Spec::Part(view, inner) => {
                    views.push(*view);
                    id = *inner;
                }
                Spec::Plain(Lang::Exactly(text)) => return Some((views, text.clone(), false)),
                Spec::Plain(Lang::StartsWith(text)) => return Some((views, text.clone(), true)),
                _ => return None,
            }
        }
    }
}

/// The host in what looks like a URL, in its brackets if it has some.
pub(super) fn host_text(word: &str) -> Option<&str> {
    let (_, rest) = word.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    if host.starts_with('[') { host.split_inclusive(']').next() } else { host.split(':').next() }
}

fn text(word: Option<Vec<u8>>) -> Result<Option<String>, Reason> {
    // The domains hold well-formed texts only.
    word.map(|word| String::from_utf8(word).map_err(|_| Reason::Texts)).transpose()
}

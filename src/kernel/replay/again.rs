//! One decision again: what was asked is taken out of its entry, decided, and everything that the entry says of the answer is
//! held against what comes out.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::{Map, Value};

use super::skim::{Look, Name, text_of};
use super::told::{Constants, MEMBERS, Told, ToldDigests};
use super::{Finding, Gap, Lost, Outcome};
use crate::base::hash::Digest;
use crate::kernel::ask::{Peek, peek};
use crate::kernel::engine::Active;
use crate::kernel::entry::Entry;
use crate::kernel::json::canonical;
use crate::kernel::log::LogError;
use crate::kernel::log::commitment::{Revealed, reveal_from};
use crate::kernel::present::{self, Given, Unpresented};
use crate::kernel::record::{self, asked};
use crate::kernel::touch::Touched;
use crate::vm::decision::Decision;
use crate::vm::input::Document;
use crate::vm::machine::{Question, Scratch};

/// Contents that entries have commitments to; `None` where they are not there any more.
pub(super) type Contents = BTreeMap<Digest, Option<Vec<u8>>>;

/// What a thread uses again and again.
#[derive(Debug, Default)]
pub(super) struct Room {
    pub(super) scratch: Scratch,
    /// What was asked of an entry of which something is hidden.
    pub(super) request: Vec<u8>,
    pub(super) facts: Vec<u8>,
    told: ToldDigests,
    constants: Constants,
}

/// Decides an entry of a decision again. `None` if what comes out is what it says.
pub(super) fn again(
    entry: Look<'_>,
    version: &Result<std::sync::Arc<Active>, Lost>,
    contents: &Contents,
    room: &mut Room,
) -> Option<Finding> {
    let tried = catch_unwind(AssertUnwindSafe(|| match outcome(entry, version, contents, room) {
        Ok(outcome) => outcome,
        Err(lost) => Some(Outcome::NotReplayed(lost)),
    }));
    let outcome = tried.unwrap_or_else(|_| {
        // What it was halfway through is not gone on with.
        *room = Room::default();
        Some(Outcome::NotReplayed(Lost::new(Gap::Panicked, "")))
    });
    outcome.map(|outcome| Finding { index: entry.at(), id: Some(entry.id().to_owned()), outcome })
}

fn outcome(
    entry: Look<'_>,
    version: &Result<std::sync::Arc<Active>, Lost>,
    contents: &Contents,
    room: &mut Room,
) -> Result<Option<Outcome>, Lost> {
    if entry.is_strange() {
        return Ok(different(vec!["a member that decisions don't have"]));
    }
    if entry.member(Name::Trouble).is_some() {
        return trouble(entry);
    }
    if !is_enforced_rightly(entry) {
        return Ok(different(vec!["enforced"]));
    }
    let active = version.as_ref().map_err(Clone::clone)?;
    if entry.member(Name::Committed).is_some() || entry.member(Name::Given).is_some() {
        return hidden(entry, active, contents, room);
    }
    let (request, facts) = texts(entry)?;
    let question = Question { facts: Some(facts), ..Question::strict(request) };
    let redecided = active.machine.redecide(&active.store, question, &mut room.scratch);
    let mut is_same = entry.member(Name::Digests).map(str::as_bytes) == Some(room.told.of(&redecided.digests));
    let decision = match room.constants.find(active.bundle, &redecided) {
        Ok(constant) => {
            if is_same && constant.is(entry) {
                return Ok(None);
            }
            redecided.decision()
        }
        Err(key) => {
            let decision = redecided.decision();
            let told = Told::of(&decision);
            is_same &= told.is(entry);
            if let Some(key) = key {
                room.constants.add(key, told);
            }
            if is_same {
                return Ok(None);
            }
            decision
        }
    };
    // What is written by the kernel has the last word.
    let mut told = record::told(&decision);
    let mut differs =
        |member: &Name| entry.member(*member) != told.remove(member.text()).as_ref().map(canonical).as_deref();
    Ok(different(MEMBERS.into_iter().filter(|member| differs(member)).map(Name::text).collect()))
}

fn different(members: Vec<&'static str>) -> Option<Outcome> {
    if members.is_empty() { None } else { Some(Outcome::Different(members)) }
}

/// A denial of the kernel's own: nothing was decided. It has to be a denial.
fn trouble(entry: Look<'_>) -> Result<Option<Outcome>, Lost> {
    let wrong = [(Name::Answer, "\"DENY\""), (Name::Kind, "\"error\"")].into_iter();
    let wrong = wrong.filter(|(member, text)| entry.member(*member) != Some(*text));
    let wrong: Vec<&'static str> = wrong.map(|(member, _)| member.text()).collect();
    if !wrong.is_empty() {
        return Ok(different(wrong));
    }
    let why = entry.member(Name::Trouble).and_then(text_of).unwrap_or_default();
    Err(Lost { gap: Gap::Kernel, why })
}

/// Whether something else than the answer could have been done: more than was answered only where people were asked, and
/// nothing that was denied. Whether they agreed is told by entries of their own.
fn is_enforced_rightly(entry: Look<'_>) -> bool {
    match (entry.member(Name::Enforced), entry.member(Name::Answer)) {
        (None | Some("\"DENY\""), _) => true,
        (Some("\"REQUIRE_APPROVAL\""), Some("\"ALLOW\"")) => true,
        (Some("\"ALLOW\""), Some("\"REQUIRE_APPROVAL\"")) => entry.member(Name::Gate).is_some(),
        // What rules deny may run where its capability is permissive; what is in error or violates an invariant may not.
        (Some("\"ALLOW\""), Some("\"DENY\"")) => {
            entry.member(Name::Mode) == Some("\"permissive\"")
                && matches!(entry.member(Name::Kind), Some("\"denied\"" | "\"not_permitted\""))
        }
        _ => false,
    }
}

fn decide(active: &Active, request: &[u8], facts: Option<&[u8]>, scratch: &mut Scratch) -> Decision {
    let question = Question { facts, ..Question::strict(request) };
    active.machine.redecided(&active.store, question, scratch)
}

/// The request and the facts of an entry that has no commitments.
fn texts<'p>(entry: Look<'p>) -> Result<(&'p [u8], &'p [u8]), Lost> {
    if entry.member(Name::Request).is_none() || entry.member(Name::Facts).is_none() {
        return Err(Lost::new(Gap::Damaged, "it does not say what was asked"));
    }
    let unreadable = || Lost::new(Gap::Damaged, "a text can't be read");
    Ok((entry.request().ok_or_else(unreadable)?, entry.facts().ok_or_else(unreadable)?))
}

/// What was asked: a request, or what was given for one, and facts, if there are any. What is hidden is put into the room.
pub(super) fn read_asked<'p>(
    entry: Look<'p>,
    contents: &Contents,
    request: &'p mut Vec<u8>,
    facts: &'p mut Vec<u8>,
) -> Result<(&'p [u8], Option<&'p [u8]>), Lost> {
    if entry.member(Name::Committed).is_none() && entry.member(Name::Given).is_none() {
        return texts(entry).map(|(request, facts)| (request, Some(facts)));
    }
    let (body, _) = revealed(entry, contents)?;
    let documents = match body.get("given") {
        Some(given) => documents(given)?,
        None => {
            let lost = || Lost::new(Gap::Damaged, "it does not say what was asked");
            let asked = asked(&body).ok_or_else(lost)?;
            (asked.request.into_bytes(), Some(asked.facts.into_bytes()))
        }
    };
    *request = documents.0;
    facts.clear();
    facts.extend(documents.1.iter().flatten());
    Ok((request, documents.1.is_some().then_some(facts)))
}

/// The body of an entry with commitments, in which what is behind them is put back, and where something of the answer was
/// erased.
fn revealed(entry: Look<'_>, contents: &Contents) -> Result<(Map<String, Value>, Vec<String>), Lost> {
    let damaged = |why: String| Lost { gap: Gap::Damaged, why };
    let read = Entry::read(entry.text().as_bytes()).map_err(|fault| damaged(fault.to_string()))?;
    let revealed = reveal_from(read, &mut |digest| match contents.get(&digest) {
        Some(content) => Ok(content.clone()),
        None => Err(LogError::LikeCommitment(digest.to_string())),
    });
    let Revealed { entry, erased } = revealed.map_err(|fault| damaged(fault.to_string()))?;
    match ["request", "facts", "given"].into_iter().find(|member| is_erased(&erased, member)) {
        Some(what) => Err(Lost::new(Gap::Erased, what)),
        None => Ok((entry.body, erased)),
    }
}

fn is_erased(erased: &[String], member: &str) -> bool {
    let place = format!("/{member}");
    let inside = format!("{place}/");
    erased.iter().any(|erased| *erased == place || erased.starts_with(&inside))
}

/// An entry with commitments.
fn hidden(entry: Look<'_>, active: &Active, contents: &Contents, room: &mut Room) -> Result<Option<Outcome>, Lost> {
    let (body, erased) = revealed(entry, contents)?;
    let is_erased = |member: &str| is_erased(&erased, member);
    let differ = match body.get("given") {
        Some(given) => refused(active, &body, given, &is_erased, &mut room.scratch)?,
        None => {
            let asked = asked(&body).ok_or_else(|| Lost::new(Gap::Damaged, "it does not say what was asked"))?;
            let (request, facts) = (asked.request.as_bytes(), asked.facts.as_bytes());
            differences(&decide(active, request, Some(facts), &mut room.scratch), &body, &is_erased)
        }
    };
    if !differ.is_empty() {
        return Ok(different(differ));
    }
    // What remains of the answer is right. What was erased of it can't be held against anything.
    match MEMBERS.into_iter().map(Name::text).find(|member| is_erased(member)) {
        Some(member) => Err(Lost::new(Gap::Erased, member)),
        None => Ok(None),
    }
}

/// The members of a body that are not what is said of a decision.
fn differences(decision: &Decision, body: &Map<String, Value>, is_erased: &dyn Fn(&str) -> bool) -> Vec<&'static str> {
    let mut told = record::told(decision);
    let differs = |member: &&'static str| match (told.remove(*member), body.get(*member)) {
        (Some(told), Some(found)) if is_erased(member) => !is_what_remains(&told, found),
        (told, found) => told.as_ref() != found,
    };
    MEMBERS.into_iter().map(Name::text).filter(differs).collect()
}

/// Whether a value is another one, but for what was erased of it.
fn is_what_remains(told: &Value, found: &Value) -> bool {
    match (told, found) {
        (_, Value::Object(members)) if members.len() == 1 && members.contains_key("commitment") => true,
        (Value::Object(told), Value::Object(found)) => {
            told.len() == found.len()
                && told.iter().all(|(name, told)| found.get(name).is_some_and(|found| is_what_remains(told, found)))
        }
        (Value::Array(told), Value::Array(found)) => {
            told.len() == found.len() && told.iter().zip(found).all(|(told, found)| is_what_remains(told, found))
        }
        (told, found) => told == found,
    }
}

/// A request, or facts, that could not be read. They can't be today either, for the same reason.
fn refused(
    active: &Active,
    body: &Map<String, Value>,
    given: &Value,
    is_erased: &dyn Fn(&str) -> bool,
    scratch: &mut Scratch,
) -> Result<Vec<&'static str>, Lost> {
    let (request, facts) = documents(given)?;
    // The embedder's facts may have been no facts at all: then nothing was decided with them.
    if let Err(Unpresented::Refused(why)) = present::facts(facts.as_deref(), None) {
        let mut decision = Decision::refused(why);
        decision.digests.bundle = Some(active.bundle);
        let differ = differences(&decision, body, is_erased);
        if !differ.contains(&"error") {
            return Ok(differ);
        }
    }
    let mut decision = decide(active, &request, facts.as_deref(), scratch);
    decision.digests.bundle.get_or_insert(active.bundle);
    let mut differ = differences(&decision, body, is_erased);
    if decision.digests.request.is_some() {
        // It can be read after all.
        differ.push("given");
    }
    if let (false, Peek::Kept(touched)) = (differ.is_empty(), peek(active, &request)) {
        return kept(active, &touched, (&request, facts.as_deref()), body, is_erased).unwrap_or(Ok(differ));
    }
    Ok(differ)
}

/// A request that was denied for what the kernel kept at that moment. That is not known any more; but a denial has to be what
/// comes of some state of it: one record that is named was not there, or was there already. `None` if it is what comes of
/// none.
fn kept(
    active: &Active,
    touched: &Touched,
    documents: (&[u8], Option<&[u8]>),
    body: &Map<String, Value>,
    is_erased: &dyn Fn(&str) -> bool,
) -> Option<Result<Vec<&'static str>, Lost>> {
    let said = |member: &str| body.get("error")?.get(member)?.as_str();
    let document = if said("in") == Some("facts") { Document::Facts } else { Document::Request };
    let odd = said("path").map(|path| (document, path));
    if odd.is_none() && is_erased("error") {
        return Some(Err(Lost::new(Gap::Erased, "error")));
    }
    // How attributes of records were taken depends on which call it was that asked.
    let calls = [Given::Refused, Given::Replaced, Given::Proposed];
    for (odd, given) in [None, odd].into_iter().flat_map(|odd| calls.map(|given| (odd, given))) {
        let Some(refusal) = present::refusal(active, touched, given, documents, odd) else { continue };
        let mut decision = Decision::refused(refusal.why);
        decision.digests.bundle = Some(active.bundle);
        if differences(&decision, body, is_erased).is_empty() {
            return Some(if refusal.is_supposed { Err(Lost::new(Gap::Kept, "")) } else { Ok(Vec::new()) });
        }
    }
    None
}

/// The request and the facts that were given.
fn documents(given: &Value) -> Result<(Vec<u8>, Option<Vec<u8>>), Lost> {
    let request = given.get("request").ok_or_else(|| Lost::new(Gap::Damaged, "it does not say what was given"))?;
    Ok((bytes(request)?, given.get("facts").map(bytes).transpose()?))
}

/// What was given, as it was.
fn bytes(given: &Value) -> Result<Vec<u8>, Lost> {
    if let Some(text) = given.get("text").and_then(Value::as_str) {
        return Ok(text.as_bytes().to_vec());
    }
    if given.get("bytes").is_some() {
        return Err(Lost::new(Gap::NotKept, "it was longer than anybody may give"));
    }
    let hex = given.get("hex").and_then(Value::as_str).and_then(|hex| {
        let (pairs, rest) = hex.as_bytes().as_chunks::<2>();
        let byte = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        if rest.is_empty() { pairs.iter().map(byte).collect() } else { None }
    });
    hex.ok_or_else(|| Lost::new(Gap::Damaged, "what was given can't be read"))
}

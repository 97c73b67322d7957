//! Deciding a row with the new policy, and holding the answer against the old one.

use super::gates::{self, Gate, Step};
use super::row::{self, Recorded, Row};
use super::shadow::Shadow;
use super::tally::{Change, Example, Lost, RuleKey, Tally, Told, Unreplayed};
use crate::base::limits::{EXAMPLE_BYTES_MAX, ROW_BYTES_MAX};
use crate::vm::decide::{Answer, Kind};
use crate::vm::decision::{Decision, ErrorReport, effect_name};
use crate::vm::decode::Options;
use crate::vm::input::{Document, InputError, InputErrorKind};
use crate::vm::machine::{Decided, Machine, Question, Scratch};
use crate::vm::run::Unmetered;
use crate::vm::store::Store;

/// A policy with entities.
#[derive(Clone, Copy, Debug)]
pub struct Side<'m> {
    machine: &'m Machine,
    store: &'m Store,
    options: Options,
}

impl<'m> Side<'m> {
    /// A policy that reads requests strictly.
    #[must_use]
    pub fn new(machine: &'m Machine, store: &'m Store) -> Side<'m> {
        Side { machine, store, options: Options::STRICT }
    }

    /// The same, which reads requests in another way.
    #[must_use]
    pub fn reading(self, options: Options) -> Side<'m> {
        Side { options, ..self }
    }

    fn question<'q>(&self, request: &'q [u8], facts: Option<&'q [u8]>) -> Question<'q> {
        Question { request, facts, options: self.options }
    }

    /// Why, and nothing more.
    fn kind(&self, request: &[u8], facts: Option<&[u8]>, scratch: &mut Scratch) -> Result<Kind, Box<InputError>> {
        let decoded = self.machine.decode(self.store, self.question(request, facts), scratch)?;
        Ok(self.machine.answer(self.store, &decoded, scratch, Unmetered).0.kind)
    }

    fn decision(&self, request: &[u8], facts: Option<&[u8]>, scratch: &mut Scratch) -> Decision {
        self.machine.decision_with(self.store, self.question(request, facts), scratch)
    }
}

/// What decides rows again.
#[derive(Clone, Copy, Debug)]
pub struct Judge<'m> {
    new: Side<'m>,
    old: Option<Side<'m>>,
    facts: Option<&'m [u8]>,
    shadow: Option<Shadow<'m>>,
}

/// What a thread uses again and again.
#[derive(Debug, Default)]
pub struct Room {
    new: Scratch,
    old: Scratch,
}

/// What was decided before: by the old policy, or as the row says.
#[derive(Clone, Copy, Debug)]
enum Before<'r> {
    Decided(Kind),
    Recorded(Recorded<'r>),
}

impl Before<'_> {
    fn answer(&self) -> Answer {
        match self {
            Before::Decided(kind) => kind.answer(),
            Before::Recorded(recorded) => recorded.answer,
        }
    }

    fn kind(&self) -> Option<Kind> {
        match self {
            Before::Decided(kind) => Some(*kind),
            Before::Recorded(recorded) => recorded.kind,
        }
    }
}

impl<'m> Judge<'m> {
    /// A policy, whose answers are held against those that the rows have.
    #[must_use]
    pub fn new(new: Side<'m>) -> Judge<'m> {
        Judge { new, old: None, facts: None, shadow: None }
    }

    /// The same, held against those of another policy, whatever the rows say.
    #[must_use]
    pub fn against(self, old: Side<'m>) -> Judge<'m> {
        Judge { old: Some(old), ..self }
    }

    /// The same, with facts for rows that have none.
    #[must_use]
    pub fn with_facts(self, facts: &'m [u8]) -> Judge<'m> {
        Judge { facts: Some(facts), ..self }
    }

    /// The same, which counts beside that what shadow policies of the old policy say.
    #[must_use]
    pub fn with_shadow(self, shadow: Shadow<'m>) -> Judge<'m> {
        Judge { shadow: Some(shadow), ..self }
    }

    /// Judges a line of a file, which has that number.
    pub fn line(&self, number: u64, line: &[u8], room: &mut Room, tally: &mut Tally) {
        if line.len() > ROW_BYTES_MAX {
            return tally.lose(number, Unreplayed { lost: Lost::TooLong, why: String::new() });
        }
        match row::read(line) {
            Ok(row) => self.row(number, &row, room, tally),
            Err(why) => tally.lose(number, Unreplayed { lost: Lost::Malformed, why }),
        }
    }

    /// Judges a row, which has that number: a line of a file, or an entry of a log.
    pub fn row(&self, number: u64, row: &Row<'_>, room: &mut Room, tally: &mut Tally) {
        let row = Row { facts: row.facts.or(self.facts), ..*row };
        let Row { request, facts, recorded } = row;
        let before = match (self.old, recorded) {
            (Some(old), _) => match answered(old.kind(request, facts, &mut room.old), None) {
                Ok(kind) => Before::Decided(kind),
                Err(lost) => return tally.lose(number, lost),
            },
            (None, Some(recorded)) => Before::Recorded(recorded),
            (None, None) => {
                return tally.lose(number, Unreplayed { lost: Lost::NothingRecorded, why: String::new() });
            }
        };
        let kind = match answered(self.new.kind(request, facts, &mut room.new), before.kind()) {
            Ok(kind) => kind,
            Err(lost) => return tally.lose(number, lost),
        };
        if let (Some(shadow), Some(old)) = (&self.shadow, self.old)
            && shadow.watches(request)
        {
            shadow.count(&old.decision(request, facts, &mut room.old), tally);
        }
        let change = match change(before.answer(), kind.answer()) {
            Some(change) => change,
            None if kind == Kind::Approval => match self.gates(request, facts, &before, room) {
                Some(change) => change,
                None => return tally.same(),
            },
            None => return tally.same(),
        };
        let new = told(&self.new.decision(request, facts, &mut room.new));
        let old = match (&before, self.old) {
            (Before::Recorded(recorded), _) => Told::from(recorded),
            (Before::Decided(kind), None) => Told::from(*kind),
            (Before::Decided(_), Some(old)) => told(&old.decision(request, facts, &mut room.old)),
        };
        tell(number, change, &row, old, new, tally);
    }

    /// How the gates have changed, where both ask somebody and it is known whom.
    fn gates(&self, request: &[u8], facts: Option<&[u8]>, before: &Before<'_>, room: &mut Room) -> Option<Change> {
        let old = match (before, self.old) {
            (Before::Recorded(recorded), _) => gates::read(recorded.gates?)?,
            (Before::Decided(_), old) => gates::of(&old?.decision(request, facts, &mut room.old)),
        };
        let new = gates::of(&self.new.decision(request, facts, &mut room.new));
        gates_change(&old, &new)
    }
}

/// Judges a row that somebody else has decided again, which has that number: an entry of a log.
pub fn decided(number: u64, row: &Row<'_>, decided: &mut Decided<'_>, tally: &mut Tally) {
    let Some(recorded) = &row.recorded else {
        return tally.lose(number, Unreplayed { lost: Lost::NothingRecorded, why: String::new() });
    };
    let outcome = match decided.input_error() {
        Some(error) => Err(Box::new(error.clone())),
        None => Ok(decided.kind()),
    };
    let kind = match answered(outcome, recorded.kind) {
        Ok(kind) => kind,
        Err(lost) => return tally.lose(number, lost),
    };
    let gates_changed = |decided: &mut Decided<'_>| {
        let old = recorded.gates.and_then(gates::read).filter(|_| kind == Kind::Approval)?;
        gates_change(&old, &gates::of(&decided.decision()))
    };
    match change(recorded.answer, kind.answer()).or_else(|| gates_changed(decided)) {
        Some(change) => tell(number, change, row, Told::from(recorded), told(&decided.decision()), tally),
        None => tally.same(),
    }
}

/// What has flipped is told with everything that is known of it.
fn tell(number: u64, change: Change, row: &Row<'_>, old: Told, new: Told, tally: &mut Tally) {
    let Row { request, facts, .. } = *row;
    let rules = responsible(change, &old, &new);
    let fits = request.len() <= EXAMPLE_BYTES_MAX && facts.is_none_or(|facts| facts.len() <= EXAMPLE_BYTES_MAX);
    let text = |bytes: &[u8]| fits.then(|| String::from_utf8_lossy(bytes).into_owned());
    let (subject, action) = (row::party(request, "subject"), row::action(request));
    let example = tally.is_wanted(change, number).then(|| Example {
        subject: subject.clone(),
        action: action.clone(),
        resource: row::party(request, "resource"),
        request: text(request),
        facts: facts.and_then(text),
        old,
        new,
    });
    tally.change(number, change, subject, action, rules, example);
}

impl From<&Recorded<'_>> for Told {
    fn from(recorded: &Recorded<'_>) -> Told {
        Told {
            answer: recorded.answer,
            kind: recorded.kind,
            rules: recorded.rules.map(row::rules_of).unwrap_or_default(),
            gates: recorded.gates.and_then(gates::read).unwrap_or_default(),
            why: None,
        }
    }
}

impl From<Kind> for Told {
    fn from(kind: Kind) -> Told {
        let (rules, gates) = (Vec::new(), Vec::new());
        Told { answer: kind.answer(), kind: Some(kind), rules, gates, why: None }
    }
}

/// What gates have become of others; `None` if they ask the same.
fn gates_change(old: &[Gate], new: &[Gate]) -> Option<Change> {
    match gates::step(old, new) {
        Step::Same => None,
        Step::Tighter => Some(Change::Tightened),
        Step::Looser => Some(Change::Loosened),
    }
}

/// The kind of what came out; or why that says nothing of the policy. What was an error before is one still, whatever of.
fn answered(outcome: Result<Kind, Box<InputError>>, before: Option<Kind>) -> Result<Kind, Unreplayed> {
    let error = match outcome {
        Ok(kind) => return Ok(kind),
        Err(_) if before == Some(Kind::Error) => return Ok(Kind::Error),
        Err(error) => error,
    };
    let lost = match (error.document, error.kind) {
        (Document::Facts, _) => Lost::Facts,
        (_, InputErrorKind::UnknownEntity) => Lost::Entities,
        _ => return Ok(Kind::Error),
    };
    Err(Unreplayed { lost, why: error.to_string() })
}

/// What an answer has become of another one; `None` if it is the same.
fn change(old: Answer, new: Answer) -> Option<Change> {
    match (old, new) {
        (Answer::Deny, Answer::Allow) => Some(Change::DenyToAllow),
        (Answer::Deny, Answer::RequireApproval) => Some(Change::DenyToApproval),
        (Answer::RequireApproval, Answer::Allow) => Some(Change::ApprovalToAllow),
        (Answer::Allow, Answer::RequireApproval) => Some(Change::AllowToApproval),
        (Answer::RequireApproval, Answer::Deny) => Some(Change::ApprovalToDeny),
        (Answer::Allow, Answer::Deny) => Some(Change::AllowToDeny),
        (Answer::Deny, Answer::Deny)
        | (Answer::RequireApproval, Answer::RequireApproval)
        | (Answer::Allow, Answer::Allow) => None,
    }
}

/// The rules that a change comes of: those that determine one decision and not the other, but for allowances where something
/// else was in the way; and where other gates are asked, their rules.
fn responsible(change: Change, old: &Told, new: &Told) -> Vec<RuleKey> {
    let mut rules = Vec::new();
    for (is_new, one, other) in [(true, new, old), (false, old, new)] {
        let allows = matches!(other.kind, None | Some(Kind::NotPermitted));
        let counts = |(id, effect): &&(String, String)| match effect.as_str() {
            "allow" => allows,
            "require_approval" if matches!(change, Change::Loosened | Change::Tightened) => is_new,
            _ => !other.rules.iter().any(|rule| rule.0 == *id && rule.1 == *effect),
        };
        let found = one.rules.iter().filter(counts);
        rules.extend(found.map(|(id, effect)| RuleKey { is_new, id: id.clone(), effect: effect.clone() }));
    }
    rules
}

fn told(decision: &Decision) -> Told {
    let rule = |id: &str, effect: &str| (id.to_owned(), effect.to_owned());
    let mut rules: Vec<_> = decision.rules.iter().map(|told| rule(&told.id, effect_name(told.effect))).collect();
    let why = match &decision.error {
        Some(ErrorReport::Input { code, path, message, .. }) => {
            rules.push(rule(code, "error"));
            Some(if path.is_empty() { message.clone() } else { format!("{path}: {message}") })
        }
        Some(ErrorReport::Evaluation { kind, .. }) => {
            rules.iter_mut().for_each(|(_, effect)| effect.push_str(" error"));
            Some(kind.sentence().to_owned())
        }
        None => decision.rules.iter().find_map(|rule| rule.message.clone()),
    };
    Told { answer: decision.answer(), kind: Some(decision.kind), rules, gates: gates::of(decision), why }
}

//! Admitting a request: everything between that it came and that somebody may act on it.
//!
//! ```text
//! prepare ─▶ judge ─▶ conclude ─▶ DENY
//!                        ├──────▶ REQUIRE_APPROVAL, and people are asked
//!                        └──────▶ ALLOW, and what follows from it
//! ```
//!
//! To judge is pure. To conclude is a part of a transaction: the entry of the decision, the gate or its end, and what
//! follows from an ALLOW (a permit, a scope, a step of a record) are stored together or not at all. What follows is given
//! by whoever asked; it is called only if the answer is ALLOW, at most once.
//!
//! A request that touches what the kernel keeps is judged within the transaction too, so that nothing is changed between
//! the decision and what follows from it.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::cell::RefCell;
use std::sync::Arc;

use super::approvals;
use super::engine::{Active, Shared};
use super::error::KernelError;
use super::gate::{Effects, Gate, GateState, Refused, Today};
use super::log::append::Event;
use super::modes::{Mode, Modes};
use super::present::{self, Given, Presented, Unpresented};
use super::record::plain::{Came, Plain};
use super::record::{self, Principal};
use super::scopes;
use super::store::Tx;
use super::touch::Touched;
use crate::base::hash::Digest;
use crate::bytecode::schema::{Field, Type};
use crate::vm::asked::{Asked, Party};
use crate::vm::decide::{Answer, Kind};
use crate::vm::decision::{Decision, EntityName, ErrorReport};
use crate::vm::machine::{Question, Recorded, Scratch};

/// The field by which somebody says which step a governed record is to make.
const TO: &str = "to";

/// What somebody wants to be decided.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// Who.
    pub(super) who: Principal,
    /// The request, as it came.
    pub(super) request: Vec<u8>,
    /// The embedder's facts, as they came.
    pub(super) facts: Option<Vec<u8>>,
    /// The gate that is to be spent. Without one, that which waits for this request of theirs, if any does.
    pub(super) gate: Option<String>,
    /// What becomes of attributes of governed records.
    pub(super) given: Given,
    /// What else happens if it is allowed, where it is a change of a record.
    pub(super) effects: Option<Effects>,
    /// How capabilities are enforced.
    pub(super) modes: Arc<Modes>,
}

/// What was asked, in canonical form.
#[derive(Clone, Debug)]
pub(super) struct Said {
    /// The action, by its name on the wire.
    pub(super) action: String,
    pub(super) subject: EntityName,
    pub(super) resource: EntityName,
    /// The state that a governed record is asked to step to.
    pub(super) to: Option<String>,
    /// What the caller gave beside these: an object.
    pub(super) context: String,
    /// All of it, as a document that can be decided again.
    pub(super) request: String,
}

/// A request that was judged. It is large, and handed on a few times: so in a box.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    pub(super) decision: Decision,
    telling: Telling,
    /// What was asked, if it could be read.
    said: Option<Said>,
    /// Where people have to agree: what is decided today of whom to ask, and what it comes to once they have.
    today: Option<Box<Today>>,
    approved: Option<Box<Decision>>,
    /// The scope that it runs in.
    scope: Option<String>,
}

/// How the decision is told.
#[derive(Clone, Debug)]
enum Telling {
    /// By this event.
    Event(Box<Event>),
    /// At once, as everything in it may be read: with these facts, and the version of the registry.
    Plain { facts: String, registry: u64 },
}

impl Telling {
    /// Whether what is agreed to can't be told from the entry.
    fn hides_binding(&self) -> bool {
        matches!(self, Telling::Event(event) if event.sensitive.iter().any(|place| place == record::BINDING_PLACE))
    }
}

impl Judged {
    /// Writes down a decision that nothing follows from, because the kernel itself refuses what was allowed. Gives the id of
    /// its entry.
    pub(super) fn overruled(self, tx: &mut dyn Tx, shared: &Shared, who: &Principal) -> Result<String, KernelError> {
        let came = Came { enforced: Some(Answer::Deny), ..Came::default() };
        tell(tx, shared, who, (&self.decision, self.said.as_ref()), self.telling, came)
    }
}

/// Writes down a decision and what came of it. Gives the id of its entry.
fn tell(
    tx: &mut dyn Tx,
    shared: &Shared,
    who: &Principal,
    (decision, said): (&Decision, Option<&Said>),
    telling: Telling,
    came: Came<'_>,
) -> Result<String, KernelError> {
    let (log, environment) = (&shared.log, &*shared.environment);
    match telling {
        Telling::Event(mut event) => {
            came.add_to(&mut event);
            Ok(log.append(tx, environment, *event)?.id)
        }
        Telling::Plain { facts, registry } => {
            let request = &said.ok_or_else(damaged)?.request;
            Ok(Plain { who, registry, request, facts: &facts, decision, came }.append(log, tx, environment)?)
        }
    }
}

/// An ALLOW, for what follows from it.
#[derive(Debug)]
pub(super) struct Allowed<'a> {
    pub(super) active: &'a Active,
    /// Who asked.
    pub(super) who: &'a Principal,
    /// Whether something has to be done by whoever acts on it.
    pub(super) obliges: bool,
    /// The id of the entry of the decision.
    pub(super) entry: &'a str,
    pub(super) said: &'a Said,
    pub(super) binding: Digest,
    /// The gate that was spent for it.
    pub(super) gate: Option<&'a str>,
    /// The scope that it runs in.
    pub(super) scope: Option<&'a str>,
}

/// What a request came to.
#[derive(Debug)]
pub(super) struct Concluded<T> {
    pub(super) answer: Answer,
    /// The decision; that which the gate comes to, where one was spent.
    pub(super) decision: Decision,
    pub(super) entry: String,
    /// The gate that waits, or was spent.
    pub(super) gate: Option<Gate>,
    /// How it was enforced.
    pub(super) mode: Mode,
    /// Why it is denied although the decision is another one.
    pub(super) trouble: Option<KernelError>,
    /// What followed from an ALLOW, and only from one.
    pub(super) followed: Option<T>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Judges a request that touches nothing that is kept.
pub(super) fn judge_plain(
    active: &Arc<Active>,
    shared: &Shared,
    clock: bool,
    wanted: &Wanted,
) -> Result<Box<Judged>, KernelError> {
    let now = clock.then(|| shared.environment.now());
    match present::facts(wanted.facts.as_deref(), now) {
        Ok(facts) => judge(active, wanted, Documents { request: &wanted.request, facts, scope: None, is_sure: false }),
        Err(Unpresented::Refused(why)) => Ok(unreadable(active, wanted, why)),
        Err(Unpresented::Failed(error)) => Err(error),
    }
}

/// Judges a request by what is kept at this moment.
pub(super) fn judge_in(
    tx: &mut dyn Tx,
    active: &Arc<Active>,
    shared: &Shared,
    touched: &Touched,
    wanted: &Wanted,
) -> Result<Box<Judged>, KernelError> {
    let documents = (&wanted.request[..], wanted.facts.as_deref());
    match present::present(tx, active, touched, wanted.given, documents, shared.environment.now()) {
        Ok(Presented { request, facts, scope, is_sure }) => {
            judge(active, wanted, Documents { request: &request, facts, scope, is_sure })
        }
        Err(Unpresented::Refused(why)) => Ok(unreadable(active, wanted, why)),
        Err(Unpresented::Failed(error)) => Err(error),
    }
}

/// What is judged: see [`Presented`].
struct Documents<'d> {
    request: &'d [u8],
    facts: String,
    scope: Option<String>,
    is_sure: bool,
}

fn judge(active: &Arc<Active>, wanted: &Wanted, documents: Documents<'_>) -> Result<Box<Judged>, KernelError> {
    let Documents { request, facts, scope, is_sure } = documents;
    let question = Question { facts: Some(facts.as_bytes()), ..Question::strict(request) };
    let mut scratch = SCRATCH.take();
    let mut recorded = active.machine.recorded(&active.store, question, &mut scratch);
    let approved = recorded.approved().map(Box::new);
    let Recorded { decision, asked, .. } = recorded;
    SCRATCH.set(scratch);
    let wants_today = wanted.gate.is_some() || decision.answer() == Answer::RequireApproval;
    let today =
        wants_today.then(|| Today::new(&decision, approved.as_deref()).with(wanted.effects.as_ref())).map(Box::new);
    let Some(asked) = asked else {
        let mut decision = decision;
        decision.digests.bundle.get_or_insert(active.bundle);
        let registry = Some(active.registry);
        let event = record::refused(&wanted.who, registry, request, Some(facts.as_bytes()), &decision);
        let telling = Telling::Event(Box::new(event));
        return Ok(Box::new(Judged { decision, telling, said: None, today, approved: None, scope: None }));
    };
    let event = (!active.secrets.are_none())
        .then(|| record::decided(&wanted.who, active.registry, &active.secrets, &asked, &decision));
    let (to, request) = (step(active, &asked), asked.request());
    let Asked { action, subject, resource, context, facts } = asked;
    let name = |Party { ty, id, .. }: Party<'_>| EntityName { ty: ty.to_owned(), id };
    let said = Said {
        action: action.name.to_string(),
        subject: name(subject),
        resource: name(resource),
        to,
        context: context.into_text(),
        request,
    };
    // What the machine read has to be what was looked for in the store: else something was not given that had to be.
    let touched = active.touches.action(&said.action).ok_or_else(damaged)?;
    let is_whole = (is_sure || !touched.records) && (touched.scope.is_none() || is_found(&said, scope.as_deref()));
    if !is_whole && decision.answer() != Answer::Deny {
        return Err(damaged());
    }
    let telling = match event {
        None => Telling::Plain { facts: facts.into_text(), registry: active.registry },
        Some(event) => Telling::Event(Box::new(event)),
    };
    Ok(Box::new(Judged { decision, telling, said: Some(said), today, approved, scope }))
}

/// The state that a governed record is asked to step to: the field `to`, if it is one of its lifecycle.
fn step(active: &Active, asked: &Asked<'_>) -> Option<String> {
    let lifecycle = active.machine.record_type(asked.resource.ty)?.entity_type().governed_by?;
    let schema = active.machine.image().schema();
    let is_state = |field: &Field| match schema.ty(field.ty) {
        Type::Optional(inner) => *schema.ty(*inner) == Type::Enum(lifecycle),
        ty => *ty == Type::Enum(lifecycle),
    };
    let mut fields = asked.context.iter().chain(asked.facts.iter());
    let (_, to) = fields.find(|(field, _)| *field.name == *TO && is_state(field))?;
    serde_json::from_str(to).ok()
}

/// Whether the scope that was looked for is the one that is named. One that is not kept is not found.
fn is_found(said: &Said, found: Option<&str>) -> bool {
    let Some(terms) = scopes::terms(&said.context) else { return false };
    found.is_none() || found == terms.scope.as_deref()
}

/// A denial of what could not be read.
fn unreadable(active: &Active, wanted: &Wanted, why: ErrorReport) -> Box<Judged> {
    let mut decision = Decision::refused(why);
    decision.digests.bundle = Some(active.bundle);
    let facts = wanted.facts.as_deref();
    let event = record::refused(&wanted.who, Some(active.registry), &wanted.request, facts, &decision);
    let today = wanted.gate.is_some().then(|| Box::new(Today::unreadable()));
    let telling = Telling::Event(Box::new(event));
    Box::new(Judged { decision, telling, said: None, today, approved: None, scope: None })
}

fn damaged() -> KernelError {
    KernelError::Damaged("a canonical text".to_owned())
}

/// Stores what a request came to.
pub(super) fn conclude<T>(
    tx: &mut dyn Tx,
    shared: &Shared,
    active: &Active,
    wanted: &Wanted,
    judged: Box<Judged>,
    follow: impl FnOnce(&mut dyn Tx, &Allowed<'_>) -> Result<T, KernelError>,
) -> Result<Concluded<T>, KernelError> {
    let Judged { decision, telling, said, today, approved, scope } = *judged;
    let (who, now) = (&wanted.who, shared.environment.now());
    let answer = decision.answer();
    let binding = decision.digests.binding;
    // The gate that is to be spent, or that waits for this very request.
    let waiting = match (&wanted.gate, answer, binding) {
        (Some(id), _, _) => Some(approvals::load(tx, id)?.ok_or(KernelError::UnknownGate)?),
        (None, Answer::RequireApproval, Some(binding)) => {
            let bound = wanted.effects.as_ref().map_or(binding, |effects| effects.bind(binding));
            approvals::waiting(tx, who, bound, now)?
        }
        _ => None,
    };
    let spent = match (waiting, today) {
        (Some(waiting), Some(today)) => {
            let told = waiting.gate.spend(&who.name(), &today, active.directory(), now);
            Some((waiting, told))
        }
        (Some(_), None) => return Err(damaged()),
        (None, _) => None,
    };
    let refused = spent.as_ref().and_then(|(_, told)| told.refused);
    let mode = enforced(wanted, said.as_ref(), &decision);
    // An answer without a gate is what policy says, or what its mode makes of that. With one it is what the gate comes to.
    let (answer, trouble) = match (&spent, refused) {
        (None, _) if mode == Mode::Permissive => (Answer::Allow, None),
        (None, _) => (answer, None),
        (Some(_), None) => (Answer::Allow, None),
        (Some(_), Some(Refused::NotAgreed)) => (Answer::RequireApproval, None),
        (Some(_), Some(_)) if answer == Answer::Deny => (Answer::Deny, None),
        (Some(_), Some(refused)) => (Answer::Deny, Some(KernelError::Gate(refused))),
    };
    let is_other = answer != decision.answer();
    let came = Came {
        gate: spent.as_ref().map(|(waiting, _)| (&*waiting.gate.id, &*waiting.gate.decision)),
        enforced: is_other.then_some(answer),
        mode: (is_other && mode == Mode::Permissive).then_some(mode),
    };
    let is_secret = telling.hides_binding();
    let entry = tell(tx, shared, who, (&decision, said.as_ref()), telling, came)?;
    let mut gate = None;
    let mut outcome = decision;
    if let Some((waiting, told)) = spent {
        let is_spent = told.gate.state == GateState::Spent;
        gate = Some(approvals::keep(tx, shared, waiting, told, None)?);
        if is_spent && let Some(approved) = approved {
            outcome = Decision { digests: outcome.digests, ..*approved };
        }
    } else if answer == Answer::RequireApproval {
        let said = said.as_ref().ok_or_else(damaged)?;
        gate = Some(approvals::open(tx, shared, active, (wanted, said), (&outcome, is_secret), &entry)?);
    }
    let followed = match (answer, said, binding) {
        (Answer::Allow, Some(said), Some(binding)) => {
            let gate = gate.as_ref().map(|gate| gate.id.as_str());
            let (scope, obliges) = (scope.as_deref(), !outcome.obligations.is_empty());
            Some(follow(tx, &Allowed { active, who, obliges, entry: &entry, said: &said, binding, gate, scope })?)
        }
        (Answer::Allow, ..) => return Err(damaged()),
        _ => None,
    };
    Ok(Concluded { answer, decision: outcome, entry, gate, mode, trouble, followed })
}

/// How an answer is enforced. Permissive is only what rules deny, or nobody allows: never an error, a violated invariant or
/// an approval that is missing.
fn enforced(wanted: &Wanted, said: Option<&Said>, decision: &Decision) -> Mode {
    let is_policy = matches!(decision.kind, Kind::Denied | Kind::NotPermitted);
    match said {
        Some(said) if is_policy && wanted.gate.is_none() => wanted.modes.of(&said.action, &wanted.who),
        _ => Mode::Strict,
    }
}

//! Governing: whatever somebody does to the kernel itself is decided by a policy, `std.kernel`, as everything else is.
//!
//! The policy is compiled into the kernel. Whoever acts is asked for by it as a `Principal`, with the operator that they were
//! appointed as, if they were ([`operators`]); the operators are those of the transaction in which the act is done.
//!
//! What neighbours may rely on:
//!
//! - An act and the decision on it are in one transaction. The decision is an entry with the member `of`: `kernel`, and
//!   the entry of the act has a link `allowed` to it.
//! - What is denied is not done, and the denial is durable all the same. Whoever asked learns nothing else: what is wrong
//!   with an act is only told to those who may do it.
//! - Whatever fails on the way, nothing is done.
//! - Every decision can be made again: the bundle is kept in the store by its name, and so is every version of the operators.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects))]

pub mod act;
pub mod operators;

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock};

use serde_json::{Map, Value, json};

use super::engine::{Active, Kernel, Shared, put};
use super::error::KernelError;
use super::log::append::Event;
use super::record::{self, Principal};
use super::store::{Object, Query, Tx};
use crate::base::hash::Digest;
use crate::base::limits::PAGE_MAX;
use crate::bytecode::bundle::LoadOptions;
use crate::vm::canonical::Form;
use crate::vm::decide::Answer;
use crate::vm::decision::{Decision, EntityName};
use crate::vm::machine::{Machine, Question, Recorded, Scratch};
use crate::vm::store::Store;
use crate::vm::store::directory::Directory;
use act::Act;

/// The policy, as `pdl build` makes it of `stdlib/kernel.pdl`. A test builds it again.
pub const BUNDLE: &[u8] = include_bytes!("std-kernel.pdlb");
/// The package that it is.
pub const PACKAGE: &str = "std-kernel";

/// The type of whoever acts, in the policy.
const SUBJECT: &str = "Principal";

/// What governing has in memory.
#[derive(Debug, Default)]
pub(super) struct Governing {
    /// The operators of the last act. They are used again if they are still those of the store.
    kept: Mutex<Option<Arc<Active>>>,
}

/// Why somebody may not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forbidden {
    /// The entry of the decision; none if it was only asked whether it would be allowed.
    pub entry: String,
    /// The codes of the rules that denied.
    pub codes: Vec<String>,
    /// What they say.
    pub messages: Vec<String>,
}

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it is not allowed")?;
        if !self.messages.is_empty() {
            write!(f, ": {}", self.messages.join("; "))?;
        }
        if !self.entry.is_empty() {
            write!(f, " ({})", self.entry)?;
        }
        Ok(())
    }
}

/// Loads a bundle that is to govern.
///
/// # Errors
/// It does not verify, or is another package.
pub fn load(bundle: &[u8]) -> Result<Machine, KernelError> {
    let machine = Machine::load(bundle, &LoadOptions::UNSIGNED)?;
    match machine.origin() {
        Some(origin) if &*origin.manifest.package == PACKAGE => Ok(machine),
        _ => Err(KernelError::Damaged("the policy of the kernel is another package".to_owned())),
    }
}

/// The machine of the policy that is compiled in.
pub(super) fn machine() -> Result<Arc<Machine>, KernelError> {
    static MACHINE: OnceLock<Result<Arc<Machine>, KernelError>> = OnceLock::new();
    MACHINE.get_or_init(|| load(BUNDLE).map(Arc::new)).clone()
}

/// The name of a bundle.
pub(super) fn name(machine: &Machine) -> Result<Digest, KernelError> {
    let origin = machine.origin();
    origin.map(|origin| origin.name).ok_or_else(|| KernelError::Damaged("a bundle without a name".to_owned()))
}

/// How a principal is called among operators: `Person::"ann"`.
pub(super) fn id_of(who: &Principal) -> String {
    EntityName { ty: who.ty().to_owned(), id: who.id().to_owned() }.to_string()
}

/// Whether two versions of entities say something else of somebody.
pub(super) fn is_about(who: &Principal, before: Option<&Active>, after: &Active) -> bool {
    let said = |active: &Active| -> Option<String> {
        let image = active.machine.image();
        let types = &image.schema().entity_types;
        let ty = types.iter().position(|ty| *ty.name == *who.ty() || *ty.qualified == *who.ty())?;
        let row = active.store.find(image, u32::try_from(ty).ok()?, who.id())?.row.stored_at()?;
        let is_there = active.store.is_registered(row);
        is_there.then(|| active.store.canonical(image, Form::Wire, |other| other == row))
    };
    before.and_then(said) != said(after)
}

/// Decides an act, and gives the event that tells of it.
fn decide(active: &Active, who: &Principal, act: &Act) -> (Event, Decision) {
    let (request, facts) = (request_of(active, who, act).to_string(), Value::Object(act.facts.clone()).to_string());
    let (request, facts) = (request.as_bytes(), Some(facts.as_bytes()));
    let question = Question { facts, ..Question::strict(request) };
    let mut scratch = Scratch::default();
    let Recorded { mut decision, asked, .. } = active.machine.recorded(&active.store, question, &mut scratch);
    let event = match asked {
        Some(asked) => record::decided(who, active.registry, &active.secrets, &asked, &decision),
        None => {
            decision.digests.bundle.get_or_insert(active.bundle);
            record::refused(who, Some(active.registry), request, facts, &decision)
        }
    };
    (event, decision)
}

/// The request that the policy is asked.
fn request_of(active: &Active, who: &Principal, act: &Act) -> Value {
    let operator = EntityName { ty: operators::TYPE.to_owned(), id: id_of(who) };
    let mut properties = Map::new();
    if Directory::new(active.machine.image(), &active.store).is_registered(&operator) {
        properties.insert("operator".to_owned(), operator.id.clone().into());
    }
    let (ty, resource) = &act.resource;
    let mut request = json!({
        "subject": { "type": SUBJECT, "id": operator.id, "properties": properties },
        "action": { "name": act.action },
        "resource": { "type": ty, "id": resource },
    });
    if let (Some(members), false) = (request.as_object_mut(), act.context.is_empty()) {
        members.insert("context".to_owned(), act.context.clone().into());
    }
    request
}

/// Whether somebody may do something now, and the id of the entry of the decision; it has to be committed in either case.
///
/// The inner error is what is to be told to whoever asked, with an entry that says it, too: then nothing may be done.
///
/// # Errors
/// The store or the log failed: the transaction has to.
pub(super) fn permit(
    tx: &mut dyn Tx,
    shared: &Shared,
    who: &Principal,
    act: &Act,
) -> Result<Result<String, KernelError>, KernelError> {
    let (event, decision) = match operators::current(tx, shared) {
        Ok(active) => {
            let (event, decision) = decide(&active, who, act);
            (event, Ok(decision))
        }
        Err(trouble) => (record::trouble(who, &trouble.to_string()), Err(trouble)),
    };
    let entry = tell(tx, shared, event)?;
    Ok(decision.and_then(|decision| allowed(who, decision, entry)))
}

/// The entry, if the answer is `ALLOW`. Whoever may not is told so by the name that they have everywhere else: to the policy
/// they are a principal that has this name as its id.
fn allowed(who: &Principal, decision: Decision, entry: String) -> Result<String, KernelError> {
    match decision.answer() {
        Answer::Allow => Ok(entry),
        Answer::Deny | Answer::RequireApproval => {
            let name = id_of(who);
            let subject = EntityName { ty: SUBJECT.to_owned(), id: name.clone() }.to_string();
            let messages = decision.rules.iter().filter_map(|rule| rule.message.as_ref());
            let messages = messages.map(|message| message.replace(&subject, &name)).collect();
            Err(KernelError::Forbidden(Forbidden { entry, codes: decision.codes, messages }))
        }
    }
}

/// Appends an event of governing.
fn tell(tx: &mut dyn Tx, shared: &Shared, mut event: Event) -> Result<String, KernelError> {
    event.body.insert("of".to_owned(), "kernel".into());
    Ok(shared.log.append(tx, &*shared.environment, event)?.id)
}

/// Does something if somebody may, with the id of the entry that says so. The inner error is one that is committed.
pub(super) fn governed<T>(
    tx: &mut dyn Tx,
    shared: &Shared,
    who: &Principal,
    act: &Act,
    work: impl FnOnce(&mut dyn Tx, &str) -> Result<T, KernelError>,
) -> Result<Result<T, KernelError>, KernelError> {
    match permit(tx, shared, who, act)? {
        Ok(allowed) => work(tx, &allowed).map(Ok),
        Err(why) => Ok(Err(why)),
    }
}

impl Kernel {
    /// Does something to the kernel in one transaction, if somebody may.
    pub(super) fn govern<T: Send + 'static>(
        &self,
        who: &Principal,
        act: Act,
        work: impl FnOnce(&mut dyn Tx, &Shared, &str) -> Result<T, KernelError> + Send + 'static,
    ) -> Result<T, KernelError> {
        let (shared, who) = (Arc::clone(&self.shared), who.clone());
        self.writer.submit(move |tx| governed(tx, &shared, &who, &act, |tx, allowed| work(tx, &shared, allowed)))?
    }

    /// Tells whoever may do something why it can't be done, and all others that they may not.
    pub(super) fn refuse_act<T: Send + 'static>(
        &self,
        who: &Principal,
        act: Act,
        why: KernelError,
    ) -> Result<T, KernelError> {
        self.govern(who, act, move |_, _, _| Err(why))
    }

    /// Decides whether somebody may do something that changes nothing in the store, such as to verify the log. Gives the
    /// id of the decision's entry, which is durable.
    ///
    /// # Errors
    /// [`KernelError::Forbidden`], or why it could not be decided.
    pub fn permit(&self, who: &Principal, act: Act) -> Result<String, KernelError> {
        self.govern(who, act, |_, _, allowed| Ok(allowed.to_owned()))
    }
}

impl Kernel {
    /// The same of an act that only looks, and at nothing that is secret: that it is allowed is no entry, so that a log can
    /// be verified that can't be written any more, and is the same afterwards. A denial is one.
    pub(super) fn permit_quietly(&self, who: &Principal, act: Act) -> Result<(), KernelError> {
        let (shared, asked, what) = (Arc::clone(&self.shared), who.clone(), act.clone());
        let answer = self.read(move |tx| {
            let active = operators::current(tx, &shared)?;
            Ok(decide(&active, &asked, &what).1.answer())
        });
        // Where it can't be decided either, that is an entry.
        if answer == Ok(Answer::Allow) { Ok(()) } else { self.permit(who, act).map(drop) }
    }
}

/// How much somebody may see of what is kept of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// Everything.
    All,
    /// What has to do with them.
    Own,
}

impl Sight {
    /// What may be seen of nothing but the whole.
    pub(super) fn all(self) -> Option<()> {
        (self == Sight::All).then_some(())
    }
}

/// How much somebody may see; nothing, if it can't be decided.
fn sight(tx: &mut dyn Tx, shared: &Shared, who: &Principal, of: &str) -> Option<Sight> {
    let active = operators::current(tx, shared).ok()?;
    let may = |concerned| decide(&active, who, &Act::read_state(of, concerned)).1.answer() == Answer::Allow;
    if may(false) {
        return Some(Sight::All);
    }
    may(true).then_some(Sight::Own)
}

impl Kernel {
    /// Looks at what is kept of a kind. `work` is given how much may be seen, and gives `None` for what may not.
    ///
    /// That somebody may look is no entry: lists are asked for again and again, and change nothing. A denial is one.
    pub(super) fn look<T: Send + 'static>(
        &self,
        who: &Principal,
        of: &'static str,
        work: impl FnOnce(&mut dyn Tx, &Shared, Sight) -> Result<Option<T>, KernelError> + Send + 'static,
    ) -> Result<T, KernelError> {
        let (shared, who) = (Arc::clone(&self.shared), who.clone());
        self.writer.submit(move |tx| {
            let sight = sight(tx, &shared, &who, of);
            let seen = sight.map_or(Ok(None), |sight| work(tx, &shared, sight))?;
            let seen: Result<T, KernelError> = match seen {
                Some(seen) => Ok(seen),
                None => permit(tx, &shared, &who, &Act::read_state(of, false))?.and_then(|_| Err(unseen(of))),
            };
            Ok::<_, KernelError>(seen)
        })?
    }

    /// The same of what nobody sees a part of.
    pub(super) fn look_at_all<T: Send + 'static>(
        &self,
        who: &Principal,
        of: &'static str,
        work: impl FnOnce(&mut dyn Tx, &Shared) -> Result<T, KernelError> + Send + 'static,
    ) -> Result<T, KernelError> {
        self.look(who, of, |tx, shared, sight| sight.all().map(|()| work(tx, shared)).transpose())
    }

    /// Objects of a kind as far as somebody may see them, as many as are asked for. `own` is whether one has to do with
    /// whoever looks; of those that it has not, nobody hears.
    pub(super) fn look_through<T: Send + 'static>(
        &self,
        who: &Principal,
        of: &'static str,
        mut query: Query,
        read: fn(Object) -> Result<T, KernelError>,
        own: impl Fn(&mut dyn Tx, &T) -> Result<bool, KernelError> + Clone + Send + 'static,
    ) -> Result<Vec<T>, KernelError> {
        let wanted = usize::try_from(query.limit).unwrap_or(usize::MAX);
        let mut seen = Vec::new();
        query.limit = PAGE_MAX;
        // In rounds, between which others come to their turn.
        loop {
            let (round, own) = (query.clone(), own.clone());
            let (mut part, last) = self.look(who, of, move |tx, _, sight| {
                let objects = tx.find(&round)?;
                let is_full = u32::try_from(objects.len()).is_ok_and(|count| count >= round.limit);
                let last = objects.last().filter(|_| is_full).map(|object| object.key.clone());
                let mut part = Vec::new();
                for object in objects {
                    let one = read(object)?;
                    if sight == Sight::All || own(tx, &one)? {
                        part.push(one);
                    }
                }
                Ok(Some((part, last)))
            })?;
            part.truncate(wanted.saturating_sub(seen.len()));
            seen.append(&mut part);
            match last {
                Some(last) if seen.len() < wanted => query.after = Some(last),
                _ => return Ok(seen),
            }
        }
    }
}

/// Whoever may see all of a kind was shown nothing of it.
fn unseen(of: &str) -> KernelError {
    KernelError::Damaged(format!("what is kept of {of}"))
}

/// Keeps the bundle that governs, so that its decisions can be made again.
pub(super) fn keep_bundle(tx: &mut dyn Tx) -> Result<(), KernelError> {
    const KIND: &str = "bundle";
    let machine = machine()?;
    let name = name(&machine)?;
    if tx.get(KIND, &name.to_string())?.is_some() {
        return Ok(());
    }
    let content = tx.put_content(BUNDLE)?;
    let version = machine.origin().map(|origin| origin.manifest.version.to_string());
    let body = json!({
        "bundle": name.to_string(), "package": PACKAGE, "version": version, "content": content.to_string(),
    });
    put(tx, KIND, &name.to_string(), 0, "kernel", None, &body)
}

/// Entities under the schema of a machine.
pub(super) fn entities(machine: &Arc<Machine>, document: &[u8], version: u64) -> Result<Active, KernelError> {
    let store: Store = super::registry::load(machine, document)?;
    Ok(super::registry::active(Arc::clone(machine), store, version))
}

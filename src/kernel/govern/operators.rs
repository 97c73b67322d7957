//! Operators: who was appointed to govern the kernel, and every version of them that there ever was.
//!
//! They are a registry of their own, apart from the entities of the policy that is governed: nothing that is loaded there
//! makes an operator. The first ones are given when the store is begun ([`Settings::founders`]); all later ones are appointed
//! by those who are there, which is an act as any other. Each version is a whole document, kept by its digest.
//!
//! [`Settings::founders`]: crate::kernel::Settings::founders

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

use serde_json::{Map, Value, json};

use super::act::Act;
use super::{allowed, decide, entities, governed, id_of, keep_bundle, machine, name};
use crate::base::hash::Digest;
use crate::base::limits::OPERATORS_MAX;
use crate::bytecode::bundle::LoadOptions;
use crate::kernel::engine::{Active, Kernel, Shared, put};
use crate::kernel::entry::Kind;
use crate::kernel::error::KernelError;
use crate::kernel::log::append::Event;
use crate::kernel::record::Principal;
use crate::kernel::registry::text;
use crate::kernel::store::{Object, Query, Tx};
use crate::vm::machine::Machine;
use crate::vm::store::fault::EntitiesRefused;

/// The type of operators in `std.kernel`.
pub(super) const TYPE: &str = "Operator";
const KIND: &str = "operators";

/// What somebody was appointed for.
macro_rules! roles {
    ($($(#[$doc:meta])* $role:ident $name:literal)*) => {
        /// What somebody was appointed for; what each role gives is a table of `std.kernel`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Role {
            $($(#[$doc])* $role,)*
        }

        impl Role {
            /// All of them, in the order of the policy.
            pub const ALL: &[Role] = &[$(Role::$role),*];

            /// Its name in the policy.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Role::$role => $name,)*
                }
            }

            /// The one of a name.
            #[must_use]
            pub fn of_name(name: &str) -> Option<Role> {
                match name {
                    $($name => Some(Role::$role),)*
                    _ => None,
                }
            }
        }
    };
}

roles! {
    /// Appoints, and lets a capability be enforced less.
    Admin "admin"
    /// Activates bundles.
    PolicyManager "policy_manager"
    /// Changes the registry.
    RegistryManager "registry_manager"
    /// Stops what goes wrong.
    Responder "responder"
    /// Reads everything and changes nothing.
    Auditor "auditor"
    /// Erases what has to be forgotten.
    PrivacyOfficer "privacy_officer"
    /// Does what has to be done from time to time.
    Caretaker "caretaker"
}

/// Somebody who was appointed, or is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operator {
    /// Who.
    pub principal: Principal,
    /// For what.
    pub roles: BTreeSet<Role>,
    /// A program, and no person.
    pub automated: bool,
    /// Does nothing for now.
    pub suspended: bool,
}

impl Operator {
    /// A person with some roles.
    #[must_use]
    pub fn person(principal: Principal, roles: &[Role]) -> Operator {
        Operator { principal, roles: roles.iter().copied().collect(), automated: false, suspended: false }
    }

    /// A program with some roles.
    #[must_use]
    pub fn program(principal: Principal, roles: &[Role]) -> Operator {
        Operator { automated: true, ..Operator::person(principal, roles) }
    }

    /// What it says beside who it is.
    fn appointment(&self) -> Value {
        let roles: Vec<&str> = self.roles.iter().map(|role| role.name()).collect();
        json!({ "roles": roles, "automated": self.automated, "suspended": self.suspended })
    }

    fn entity(&self) -> Value {
        json!({ "type": TYPE, "id": id_of(&self.principal), "properties": self.appointment() })
    }

    /// Whether this one can appoint others.
    fn appoints(&self) -> bool {
        self.roles.contains(&Role::Admin) && !self.automated && !self.suspended
    }
}

/// One change of operators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Somebody is this from now on, whatever they were before.
    Appoint(Operator),
    /// Somebody is no operator any more.
    Remove(Principal),
}

impl Change {
    fn principal(&self) -> &Principal {
        match self {
            Change::Appoint(operator) => &operator.principal,
            Change::Remove(principal) => principal,
        }
    }

    fn told(&self) -> Value {
        let mut told = match self {
            Change::Appoint(operator) => operator.appointment(),
            Change::Remove(_) => json!({ "removed": true }),
        };
        if let Some(members) = told.as_object_mut() {
            members.insert("principal".to_owned(), self.principal().to_json());
        }
        told
    }
}

/// A version as it is stored.
struct Found {
    version: u64,
    written: u64,
    body: Map<String, Value>,
}

fn damaged() -> KernelError {
    KernelError::Damaged("the operators".to_owned())
}

fn key(version: u64) -> String {
    format!("{version:020}")
}

fn read(object: &Object) -> Result<Found, KernelError> {
    let version = object.key.parse().map_err(|_| damaged())?;
    let body = serde_json::from_slice(&object.body).map_err(|_| damaged())?;
    Ok(Found { version, written: object.version, body })
}

/// The current version; `None` if nobody was ever appointed.
fn find(tx: &mut dyn Tx) -> Result<Option<Found>, KernelError> {
    let (kind, state) = (KIND.to_owned(), Some("current".to_owned()));
    match &tx.find(&Query { kind, state, due_until_ms: None, after: None, limit: 2 })?[..] {
        [] => Ok(None),
        [one] => read(one).map(Some),
        _ => Err(damaged()),
    }
}

/// Makes a version ready to decide with the machine of a bundle.
fn build(tx: &mut dyn Tx, found: &Found, machine: &Arc<Machine>) -> Result<Active, KernelError> {
    let snapshot = text(&found.body, "snapshot").and_then(Digest::parse).ok_or_else(damaged)?;
    let document = tx.content(snapshot)?.ok_or_else(damaged)?;
    let active = entities(machine, &document, found.version)?;
    let is_own = text(&found.body, "bundle") == Some(&active.bundle.to_string());
    let digest = text(&found.body, "digest").and_then(Digest::parse).ok_or_else(damaged)?;
    if is_own && !active.is_version(digest) {
        return Err(damaged());
    }
    Ok(active)
}

/// The digest and the document of a version, as they are stored; `None` if there is no such version.
pub(in crate::kernel) fn stored(tx: &mut dyn Tx, version: u64) -> Result<Option<(Digest, Vec<u8>)>, KernelError> {
    let Some(object) = tx.get(KIND, &key(version))? else { return Ok(None) };
    let found = read(&object)?;
    let digest = text(&found.body, "digest").and_then(Digest::parse).ok_or_else(damaged)?;
    let snapshot = text(&found.body, "snapshot").and_then(Digest::parse).ok_or_else(damaged)?;
    Ok(Some((digest, tx.content(snapshot)?.ok_or_else(damaged)?)))
}

/// The operators of this moment of a transaction. Where nobody was ever appointed there are none.
pub(in crate::kernel) fn current(tx: &mut dyn Tx, shared: &Shared) -> Result<Arc<Active>, KernelError> {
    let machine = machine()?;
    let Some(found) = find(tx)? else { return entities(&machine, b"[]", 0).map(Arc::new) };
    let mut kept = shared.governing.kept.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(kept) = &*kept
        && kept.registry == found.version
        && text(&found.body, "digest") == Some(&kept.registry_digest().to_string())
    {
        return Ok(Arc::clone(kept));
    }
    let active = Arc::new(build(tx, &found, &machine)?);
    *kept = Some(Arc::clone(&active));
    Ok(active)
}

/// Begins or takes over the operators of a store: those of another version of the policy are read with this one, and the
/// founders are appointed if nobody ever was. The inner error is committed.
pub(in crate::kernel) fn open(tx: &mut dyn Tx, shared: &Shared) -> Result<Result<(), KernelError>, KernelError> {
    keep_bundle(tx)?;
    let founders = &shared.settings.founders;
    match find(tx)? {
        Some(found) => take_over(tx, shared, &found).map(Ok),
        None if founders.is_empty() => Ok(Ok(())),
        None => found_kernel(tx, shared, founders),
    }
}

fn take_over(tx: &mut dyn Tx, shared: &Shared, found: &Found) -> Result<(), KernelError> {
    let machine = machine()?;
    if text(&found.body, "bundle") == Some(&name(&machine)?.to_string()) {
        return Ok(());
    }
    let mut next = build(tx, found, &machine)?;
    next.registry = found.version.checked_add(1).ok_or(KernelError::UnknownVersion)?;
    let who = kernel("upgrade")?;
    write(tx, shared, &next, &who, &[], None)
}

/// The kernel as somebody who acts.
fn kernel(id: &str) -> Result<Principal, KernelError> {
    Principal::new("Kernel", id).ok_or_else(damaged)
}

/// Founding by some: the operators that there would be, the changes that make them, and the act.
fn founding(founders: &[Operator]) -> Result<(Active, Vec<Change>, Act), KernelError> {
    let changes: Vec<Change> = founders.iter().cloned().map(Change::Appoint).collect();
    let next = changed(&entities(&machine()?, b"[]", 0)?, &changes)?;
    let act = Act::found(appointments(&changes), admins(&next)?, false);
    Ok((next, changes, act))
}

/// Whether a kernel can be founded by these, before there is one.
///
/// # Errors
/// [`KernelError::Forbidden`] with the reasons, or what else is wrong with them.
pub fn check_founders(founders: &[Operator]) -> Result<(), KernelError> {
    let (_, _, act) = founding(founders)?;
    let who = kernel("founding")?;
    let (_, decision) = decide(&entities(&machine()?, b"[]", 0)?, &who, &act);
    allowed(&who, decision, String::new()).map(|_| ())
}

fn found_kernel(
    tx: &mut dyn Tx,
    shared: &Shared,
    founders: &[Operator],
) -> Result<Result<(), KernelError>, KernelError> {
    let (next, changes, act) = founding(founders)?;
    let who = kernel("founding")?;
    governed(tx, shared, &who, &act, |tx, allowed| write(tx, shared, &next, &who, &changes, Some(allowed)))
}

fn appointments(changes: &[Change]) -> Vec<Value> {
    let appointed = changes.iter().filter_map(|change| match change {
        Change::Appoint(operator) => Some(operator.appointment()),
        Change::Remove(_) => None,
    });
    appointed.collect()
}

/// The operators behind some changes.
fn changed(before: &Active, changes: &[Change]) -> Result<Active, KernelError> {
    let (mut upsert, mut remove) = (Vec::new(), Vec::new());
    for change in changes {
        match change {
            Change::Appoint(operator) => upsert.push(operator.entity()),
            Change::Remove(principal) => remove.push(json!({ "type": TYPE, "id": id_of(principal) })),
        }
    }
    let patch = json!({ "upsert": upsert, "remove": remove }).to_string();
    let (image, plan) = (before.machine.image(), before.machine.plan());
    let store = before.store.patch(image, plan, patch.as_bytes()).map_err(EntitiesRefused::from)?;
    if store.len() > OPERATORS_MAX {
        return Err(KernelError::TooManyOperators(store.len()));
    }
    let version = before.registry.checked_add(1).ok_or(KernelError::UnknownVersion)?;
    Ok(crate::kernel::registry::active(Arc::clone(&before.machine), store, version))
}

/// How many people can appoint.
fn admins(active: &Active) -> Result<usize, KernelError> {
    Ok(list(active)?.iter().filter(|operator| operator.appoints()).count())
}

/// The operators as they are told of.
fn list(active: &Active) -> Result<Vec<Operator>, KernelError> {
    let all: Vec<Value> = serde_json::from_str(&active.entities()).map_err(|_| damaged())?;
    all.iter().map(|entity| operator(entity).ok_or_else(damaged)).collect()
}

fn operator(entity: &Value) -> Option<Operator> {
    let id = entity.get("id")?.as_str()?;
    let properties = entity.get("properties")?;
    let roles = properties.get("roles")?.as_array()?;
    let roles: Option<BTreeSet<Role>> = roles.iter().map(|role| Role::of_name(role.as_str()?)).collect();
    let flag = |name: &str| properties.get(name)?.as_bool();
    Some(Operator {
        principal: principal_of(id)?,
        roles: roles?,
        automated: flag("automated")?,
        suspended: flag("suspended")?,
    })
}

/// Who is called so; the inverse of [`id_of`].
fn principal_of(name: &str) -> Option<Principal> {
    // No quotation mark in the id stands behind two colons: it has a backslash before it.
    let at = name.rfind("::\"")?;
    let (ty, id) = (name.get(..at)?, name.get(at.checked_add(3)?..)?.strip_suffix('"')?);
    let (mut plain, mut characters) = (String::new(), id.chars());
    while let Some(character) = characters.next() {
        plain.push(if character == '\\' { characters.next()? } else { character });
    }
    Principal::new(ty, &plain)
}

/// The document of the operators that all changes come to, as entries tell of them; `None` if one can't be read.
pub(in crate::kernel) fn of_changes<'c>(changes: impl Iterator<Item = &'c Value>) -> Option<Vec<u8>> {
    let mut all = BTreeMap::new();
    for change in changes {
        let principal = Principal::from_json(change.get("principal")?)?;
        if change.get("removed").is_some() {
            all.remove(&id_of(&principal));
            continue;
        }
        let roles = change.get("roles")?.as_array()?;
        let roles: Option<BTreeSet<Role>> = roles.iter().map(|role| Role::of_name(role.as_str()?)).collect();
        let flag = |name: &str| change.get(name)?.as_bool();
        let operator =
            Operator { principal, roles: roles?, automated: flag("automated")?, suspended: flag("suspended")? };
        all.insert(id_of(&operator.principal), operator.entity());
    }
    Some(Value::Array(all.into_values().collect()).to_string().into_bytes())
}

/// Writes a version: its object, its content, its entry.
fn write(
    tx: &mut dyn Tx,
    shared: &Shared,
    next: &Active,
    who: &Principal,
    changes: &[Change],
    allowed: Option<&str>,
) -> Result<(), KernelError> {
    let previous = find(tx)?;
    if previous.as_ref().map_or(0, |found| found.version).checked_add(1) != Some(next.registry) {
        return Err(KernelError::Damaged("the operators were changed by somebody else".to_owned()));
    }
    let snapshot = tx.put_content(next.entities().as_bytes())?;
    let mut body = json!({
        "bundle": next.bundle.to_string(), "digest": next.registry_digest().to_string(), "snapshot": snapshot.to_string(),
    });
    let mut told = body.as_object().cloned().unwrap_or_else(Map::new);
    told.insert("version".to_owned(), next.registry.into());
    told.insert("principal".to_owned(), who.to_json());
    told.insert("changes".to_owned(), changes.iter().map(Change::told).collect());
    let mut event = Event::new(Kind::OperatorsChanged, told);
    if let Some(allowed) = allowed {
        event = event.link("allowed", allowed);
    }
    if let Some(found) = &previous {
        event = event.link("parent", text(&found.body, "entry").ok_or_else(damaged)?);
    }
    let entry = shared.log.append(tx, &*shared.environment, event)?;
    if let Some(members) = body.as_object_mut() {
        members.insert("entry".to_owned(), entry.id.into());
        members.insert("time".to_owned(), entry.time.to_string().into());
    }
    if let Some(found) = previous {
        let before = tx.get(KIND, &key(found.version))?.ok_or_else(damaged)?;
        tx.put(&Object { state: "past".to_owned(), version: found.written, ..before })?;
    }
    put(tx, KIND, &key(next.registry), 0, "current", None, &body)
}

impl Kernel {
    /// Appoints, changes and removes operators, all of it or nothing. Gives the new version of the operators.
    ///
    /// # Errors
    /// [`KernelError::Forbidden`], what is wrong with the changes, or why they could not be stored.
    pub fn change_operators(&self, who: &Principal, changes: &[Change]) -> Result<u64, KernelError> {
        let (shared, who, changes) = (Arc::clone(&self.shared), who.clone(), changes.to_vec());
        self.writer.submit(move |tx| {
            let planned = current(tx, &shared).and_then(|before| {
                let next = changed(&before, &changes)?;
                let admins = admins(&next)?;
                Ok((next, admins))
            });
            let (appointments, admins) = match &planned {
                Ok((_, admins)) => (appointments(&changes), *admins),
                // Nothing comes of it, and whoever may is told why.
                Err(_) => (Vec::new(), 1),
            };
            let touches_self = changes.iter().any(|change| *change.principal() == who);
            let act = Act::change_operators(appointments, admins, touches_self);
            governed(tx, &shared, &who, &act, |tx, allowed| {
                let (next, _) = planned?;
                write(tx, &shared, &next, &who, &changes, Some(allowed))?;
                Ok(next.registry)
            })
        })?
    }

    /// Who is appointed now.
    ///
    /// # Errors
    /// [`KernelError::Forbidden`], or the store can't be read.
    pub fn operators(&self, who: &Principal) -> Result<Vec<Operator>, KernelError> {
        self.look_at_all(who, KIND, |tx, shared| list(&*current(tx, shared)?))
    }

    /// The policy and the operators of a version, ready to decide again what was decided with them; version 0 is that of
    /// nobody. `bundle` is the name of the policy that decided.
    ///
    /// # Errors
    /// There is no such version, or it can't be made any more.
    pub fn operators_version(&self, bundle: Digest, version: u64) -> Result<Active, KernelError> {
        let bytes = self.bundle(bundle)?.ok_or(KernelError::UnknownBundle(bundle))?;
        let machine = Arc::new(Machine::load(&bytes, &LoadOptions::UNSIGNED)?);
        self.read(move |tx| match (version, tx.get(KIND, &key(version))?) {
            (0, _) => entities(&machine, b"[]", 0),
            (_, Some(object)) => build(tx, &read(&object)?, &machine),
            (_, None) => Err(KernelError::UnknownVersion),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_roles_are_those_of_the_policy() {
        let machine = machine().expect("the policy loads");
        let schema = machine.image().schema();
        let roles = schema.enums.iter().find(|one| one.name.ends_with("Role")).expect("it has roles");
        let names: Vec<&str> = roles.variants.iter().map(|name| &**name).collect();
        assert_eq!(names, Role::ALL.iter().map(|role| role.name()).collect::<Vec<_>>());
        assert!(Role::ALL.iter().all(|role| Role::of_name(role.name()) == Some(*role)));
    }

    #[test]
    fn principals_have_names_of_their_own() {
        let odd = ["", "ann", "a\"b", "\\", "\"", "::\"", "a::\"b", "\\\"", "é\n", "x\\::\"y"];
        let mut names = BTreeSet::new();
        for ty in odd {
            for id in odd {
                let principal = Principal::new(ty, id).expect("it is short");
                let name = id_of(&principal);
                assert_eq!(principal_of(&name).as_ref(), Some(&principal), "{name}");
                assert!(names.insert(name));
            }
        }
        for wrong in ["", "Person", "Person::", "Person::\"", "Person::\"ann", "Person::\"ann\\\""] {
            assert_eq!(principal_of(wrong), None, "{wrong}");
        }
    }
}

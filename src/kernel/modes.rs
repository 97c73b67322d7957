//! How capabilities are enforced: strictly, unless an admin has made one permissive, for now.
//!
//! A capability is the name of an action on the wire. Where it is permissive, what a rule denies may run all the same, and
//! its entry says so: that is how a policy is tried on what happens before it counts. What decides that is the pipeline; here
//! is what it looks at.
//!
//! What neighbours may rely on:
//!
//! - A change is an act that `std.kernel` decides, and an entry. When [`Kernel::set_mode`] has returned, every decision that
//!   begins is enforced so; when the store is opened again, too.
//! - What is not known to be permissive is strict: a capability that nobody has named, and everything, if the store can't be
//!   read.
//! - Nobody makes a capability permissive for themselves: whoever did is enforced strictly.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use serde_json::{Map, Value, json};

use super::engine::{Kernel, put};
use super::entry::Kind;
use super::error::KernelError;
use super::govern::act::Act;
use super::log::append::Event;
use super::record::Principal;
use super::registry::text;
use super::store::{Object, Query, Tx};
use crate::data::timestamp::Timestamp;
use crate::vm::store::directory::Directory;

const KIND: &str = "mode";

/// How a capability is enforced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// What is denied does not run.
    Strict,
    /// What a rule denies, or nobody allows, runs all the same, and the log says so.
    Permissive,
}

impl Mode {
    /// Its name in the log and in the policy.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Mode::Strict => "strict",
            Mode::Permissive => "permissive",
        }
    }

    /// The one of a name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Mode> {
        [Mode::Strict, Mode::Permissive].into_iter().find(|mode| mode.name() == name)
    }
}

/// How a capability is enforced, and who has it so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enforced {
    /// The name of the action.
    pub capability: String,
    /// How.
    pub mode: Mode,
    /// Who has said so last.
    pub by: Principal,
    /// Since when.
    pub since: Timestamp,
    /// The entry of that.
    pub entry: String,
}

/// What is permissive, and who has made it so: one snapshot of it for a decision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Modes {
    permissive: BTreeMap<String, Principal>,
}

impl Modes {
    /// How a capability is enforced for somebody.
    #[must_use]
    pub fn of(&self, capability: &str, who: &Principal) -> Mode {
        match self.permissive.get(capability) {
            Some(by) if by != who => Mode::Permissive,
            _ => Mode::Strict,
        }
    }
}

impl Kernel {
    /// Has a capability enforced so from now on. Gives the id of the entry.
    ///
    /// # Errors
    /// [`KernelError::Forbidden`]; [`KernelError::UnknownCapability`] where one is to be permissive that the active bundle
    /// does not have; or it could not be stored.
    pub fn set_mode(&self, who: &Principal, capability: &str, mode: Mode) -> Result<String, KernelError> {
        let _change = self.change.lock().unwrap_or_else(PoisonError::into_inner);
        let act = Act::change_mode(capability, mode);
        if mode == Mode::Permissive && !self.has_capability(capability) {
            return self.refuse_act(who, act, KernelError::UnknownCapability(capability.to_owned()));
        }
        let (name, by) = (capability.to_owned(), who.clone());
        let written = self.govern(who, act, move |tx, shared, allowed| {
            let before = tx.get(KIND, &name)?;
            let body = json!({ "capability": name, "mode": mode.name(), "principal": by.to_json() });
            let told = body.as_object().cloned().unwrap_or_else(Map::new);
            let mut event = Event::new(Kind::ModeChanged, told.clone()).link("allowed", allowed);
            if let Some(before) = &before {
                event = event.link("parent", &read(before)?.entry);
            }
            let entry = shared.log.append(tx, &*shared.environment, event)?;
            let mut kept = told;
            kept.insert("entry".to_owned(), entry.id.clone().into());
            kept.insert("since".to_owned(), entry.time.to_string().into());
            let version = before.map_or(0, |object| object.version);
            put(tx, KIND, &name, version, mode.name(), None, &Value::Object(kept))?;
            Ok(entry.id)
        });
        if !matches!(written, Err(KernelError::Forbidden(_))) {
            self.reload_modes();
        }
        written
    }

    fn has_capability(&self, name: &str) -> bool {
        let active = self.active();
        // The name on the wire, by which it is kept.
        active.is_ok_and(|active| {
            let action = Directory::new(active.machine.image(), &active.store).action(name);
            action.is_some_and(|action| *action.name == *name)
        })
    }

    /// What decisions that begin now are enforced by.
    #[must_use]
    pub fn modes(&self) -> Arc<Modes> {
        Arc::clone(&self.modes.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// How a capability is enforced for somebody now.
    #[must_use]
    pub fn mode_of(&self, capability: &str, who: &Principal) -> Mode {
        self.modes().of(capability, who)
    }

    /// Every capability of which somebody has ever said how it is enforced, in the order of their names.
    ///
    /// # Errors
    /// [`KernelError::Forbidden`], or the store can't be read.
    pub fn enforced(&self, who: &Principal) -> Result<Vec<Enforced>, KernelError> {
        self.look_at_all(who, "modes", |tx, _| all(tx, None))
    }

    /// Takes the modes from the store. If they can't be read, all is strict.
    pub(super) fn reload_modes(&self) {
        let found = self.writer.submit(|tx| all(tx, Some(Mode::Permissive))).unwrap_or_default();
        let permissive = found.into_iter().map(|one| (one.capability, one.by)).collect();
        *self.modes.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Modes { permissive });
    }
}

fn all(tx: &mut dyn Tx, mode: Option<Mode>) -> Result<Vec<Enforced>, KernelError> {
    let (kind, state) = (KIND.to_owned(), mode.map(|mode| mode.name().to_owned()));
    let found = tx.find(&Query { kind, state, due_until_ms: None, after: None, limit: u32::MAX })?;
    found.iter().map(read).collect()
}

fn read(object: &Object) -> Result<Enforced, KernelError> {
    let read = || {
        let body: Map<String, Value> = serde_json::from_slice(&object.body).ok()?;
        let mode = Mode::of_name(text(&body, "mode")?).filter(|mode| mode.name() == object.state)?;
        let by = Principal::from_json(body.get("principal")?)?;
        let since = Timestamp::parse(text(&body, "since")?).ok()?;
        Some(Enforced { capability: object.key.clone(), mode, by, since, entry: text(&body, "entry")?.to_owned() })
    };
    read().ok_or_else(|| KernelError::Damaged(format!("the mode of {}", object.key)))
}

//! Acts: what can be done to the kernel, as `std.kernel` has them, with what it is done to and what has to be known of it.

use std::fmt;

use serde_json::{Map, Value, json};

use crate::data::duration::Duration;
use crate::kernel::modes::Mode;
use crate::kernel::running::Outcome;

/// What somebody wants to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Act {
    pub(in crate::kernel) action: &'static str,
    /// The type and the id of what it is done to.
    pub(in crate::kernel) resource: (&'static str, String),
    /// What whoever acts says.
    pub(in crate::kernel) context: Map<String, Value>,
    /// What the kernel says.
    pub(in crate::kernel) facts: Map<String, Value>,
}

impl Act {
    fn new(action: &'static str, ty: &'static str, id: impl fmt::Display) -> Act {
        Act { action, resource: (ty, id.to_string()), context: Map::new(), facts: Map::new() }
    }

    fn says(mut self, name: &str, value: Value) -> Act {
        self.context.insert(name.to_owned(), value);
        self
    }

    fn knows(mut self, name: &str, value: Value) -> Act {
        self.facts.insert(name.to_owned(), value);
        self
    }

    /// To approve or deny at a gate. `asked` is whether the gate asks whoever votes.
    #[must_use]
    pub fn vote(gate: &str, asked: bool) -> Act {
        Act::new("vote", "Gate", gate).knows("asked", asked.into())
    }

    /// To withdraw a gate. `concerned` is whether it was opened for whoever does.
    #[must_use]
    pub fn withdraw(gate: &str, concerned: bool) -> Act {
        Act::new("withdraw", "Gate", gate).knows("concerned", concerned.into())
    }

    /// To read what is kept of one kind: gates, scopes, permits, records, entities and the like. `concerned` is whether all
    /// that is shown has to do with whoever reads.
    #[must_use]
    pub fn read_state(of: &str, concerned: bool) -> Act {
        Act::new("read_state", "State", of).knows("concerned", concerned.into())
    }

    /// To have a capability enforced in another way.
    #[must_use]
    pub fn change_mode(capability: &str, to: Mode) -> Act {
        Act::new("change_mode", "Capability", capability).says("to", to.name().into())
    }

    /// To let a bundle decide. `touches_self` is whether the entities then say something else of whoever does.
    #[must_use]
    pub fn activate(bundle: impl fmt::Display, touches_self: bool) -> Act {
        Act::new("activate", "Bundle", bundle).knows("touches_self", touches_self.into())
    }

    /// To change or replace entities. `touches_self` is whether they then say something else of whoever does.
    #[must_use]
    pub fn patch_registry(touches_self: bool) -> Act {
        Act::new("patch_registry", "Registry", "entities").knows("touches_self", touches_self.into())
    }

    /// To read the log; `contents` is whether sensitive values are to be shown.
    #[must_use]
    pub fn read_log(contents: bool) -> Act {
        Act::new("read_log", "Log", "log").says("contents", contents.into())
    }

    /// To verify the log.
    #[must_use]
    pub fn verify_log() -> Act {
        Act::new("verify_log", "Log", "log")
    }

    /// To export the log.
    #[must_use]
    pub fn export_log() -> Act {
        Act::new("export_log", "Log", "log")
    }

    /// To erase the sensitive values of an entry. `own` is whether it tells of whoever does.
    #[must_use]
    pub fn erase(entry: &str, reason: &str, own: bool) -> Act {
        Act::new("erase", "Entry", entry).says("reason", reason.into()).knows("own", own.into())
    }

    /// To end a scope before its time.
    #[must_use]
    pub fn revoke_scope(scope: &str, reason: &str) -> Act {
        Act::new("revoke_scope", "Scope", scope).says("reason", reason.into())
    }

    /// To say what became of work that was started with a permit and never ended.
    #[must_use]
    pub fn settle(permit: &str, outcome: Outcome, reason: &str) -> Act {
        Act::new("settle", "Permit", permit).says("to", outcome.name().into()).says("reason", reason.into())
    }

    /// To end what has run out of time.
    #[must_use]
    pub fn sweep() -> Act {
        Act::new("sweep", "Permits", "permits")
    }

    /// To remove what has ended of one kind and is older.
    #[must_use]
    pub fn tidy(of: &str, older_than: Duration) -> Act {
        Act::new("tidy", "State", of).says("older_than", older_than.to_string().into())
    }

    /// To hand out events.
    #[must_use]
    pub fn deliver() -> Act {
        Act::new("deliver", "Outbox", "events")
    }

    pub(super) fn change_operators(appointments: Vec<Value>, admins: usize, touches_self: bool) -> Act {
        Act::appointing("change_operators", appointments, admins).knows("touches_self", touches_self.into())
    }

    pub(super) fn found(appointments: Vec<Value>, admins: usize, founded: bool) -> Act {
        Act::appointing("found", appointments, admins).knows("founded", founded.into())
    }

    fn appointing(action: &'static str, appointments: Vec<Value>, admins: usize) -> Act {
        let act = Act::new(action, "Operators", "operators");
        act.knows("appointments", appointments.into()).knows("admins", json!(admins))
    }
}

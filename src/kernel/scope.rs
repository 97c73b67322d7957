//! Scopes: bounded grants, as `std.scopes` has them, and how what is left of them is counted.
//!
//! Whether something may run in a scope is a decision of policy, made of the scope as it is. What policy can't do is to
//! count: so before something runs, its attempt and its cost are **reserved** in the transaction that issues the permit, and
//! when it has ended they are **settled**.
//!
//! ```text
//! reserve ─▶ spent (what it really cost)       the attempt is used, the money too
//!        └─▶ failed                            the attempt is used, the money comes back
//!        └─▶ never begun                       both come back
//!        └─▶ nobody said in time how it ended  both are used: the money may be gone
//! ```
//!
//! What neighbours may rely on: [`Scope::reserve`] never leaves more used and reserved than the scope has, whatever was
//! decided before; the numbers never wrap; a scope that is over never comes back.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::json::canonical;
use super::record::Principal;
use crate::data::decimal::Decimal;
use crate::data::timestamp::Timestamp;
use crate::vm::canonical::push_string;

/// What has become of a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScopeStatus {
    /// Something may run in it.
    Active,
    /// All its attempts are used.
    Exhausted,
    /// Its time is over.
    Expired,
    /// Somebody took it back.
    Revoked,
}

impl ScopeStatus {
    /// All of them.
    pub const ALL: [ScopeStatus; 4] =
        [ScopeStatus::Active, ScopeStatus::Exhausted, ScopeStatus::Expired, ScopeStatus::Revoked];

    /// The state of `std.scopes.ScopeStatus`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            ScopeStatus::Active => "active",
            ScopeStatus::Exhausted => "exhausted",
            ScopeStatus::Expired => "expired",
            ScopeStatus::Revoked => "revoked",
        }
    }

    /// The state of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<ScopeStatus> {
        ScopeStatus::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// A scope: the record `std.scopes.Scope`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Its id, `scope_…`.
    pub id: String,
    /// What it was made for.
    pub incident: String,
    /// The actions that may run in it, by their names on the wire.
    pub allowed_actions: BTreeSet<String>,
    /// What everything in it may cost.
    pub max_cost: Decimal,
    /// How often something may run in it.
    pub max_attempts: u32,
    /// The last moment at which something may be reserved.
    pub expires_at: Timestamp,
    /// What it is for, in words.
    pub intent: String,
    /// The agents that it may be about.
    pub target_agents: BTreeSet<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
    /// Who has asked the kernel for it: whoever has made it, or a gateway in their name.
    pub principal: Option<Principal>,
    /// How often something has run in it.
    pub attempts_used: u32,
    /// What that has cost.
    pub cost_used: Decimal,
    /// How much runs now.
    pub attempts_reserved: u32,
    /// What that may cost.
    pub cost_reserved: Decimal,
    /// What has become of it.
    pub status: ScopeStatus,
}

/// What is set aside for something that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// What it may cost.
    pub cost: Decimal,
}

/// How something that ran has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It ran, and cost this much.
    Spent(Decimal),
    /// It ran and failed, and cost nothing.
    Failed,
    /// It never began.
    NeverBegun,
    /// Nobody said in time.
    Unknown,
}

/// Why nothing can be reserved, or settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScopeRefused {
    /// It is exhausted, expired or revoked.
    Over(ScopeStatus),
    /// No attempt is left that nobody has reserved.
    NoAttempts,
    /// Too little money is left that nobody has reserved.
    TooExpensive,
    /// A cost below zero.
    BadCost,
    /// Nothing was reserved that could be settled.
    NotReserved,
    /// A number is too large.
    Overflow,
    /// Nothing leads from the one state to the other.
    NoSuchStep(ScopeStatus, ScopeStatus),
}

impl fmt::Display for ScopeRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ScopeRefused::Over(status) => write!(f, "the scope is {}", status.name()),
            ScopeRefused::NoAttempts => f.write_str("no attempt is left in the scope"),
            ScopeRefused::TooExpensive => f.write_str("the scope has too little left for that cost"),
            ScopeRefused::BadCost => f.write_str("a cost can't be below zero"),
            ScopeRefused::NotReserved => f.write_str("nothing was reserved that could be settled"),
            ScopeRefused::Overflow => f.write_str("a number of the scope is too large"),
            ScopeRefused::NoSuchStep(from, to) => {
                write!(f, "no scope steps from {} to {}", from.name(), to.name())
            }
        }
    }
}

impl std::error::Error for ScopeRefused {}

const NOTHING: Decimal = Decimal::ZERO;

impl Scope {
    /// What it is at a moment: what is stored, unless that is `active`; then its time comes before its attempts. It is the
    /// function `status_at` of `std.scopes`.
    #[must_use]
    pub fn status_at(&self, now: Timestamp) -> ScopeStatus {
        if self.status != ScopeStatus::Active {
            self.status
        } else if now > self.expires_at {
            ScopeStatus::Expired
        } else if self.attempts_used.saturating_add(self.attempts_reserved) >= self.max_attempts {
            ScopeStatus::Exhausted
        } else {
            ScopeStatus::Active
        }
    }

    /// The scope with one attempt, and what it may cost, set aside.
    ///
    /// # Errors
    /// It has not that much left, or is over.
    pub fn reserve(&self, cost: Decimal, now: Timestamp) -> Result<(Scope, Reservation), ScopeRefused> {
        if cost < NOTHING {
            return Err(ScopeRefused::BadCost);
        }
        match self.status_at(now) {
            ScopeStatus::Active => {}
            // What is stored is not over: others are at it, and may give back what they have reserved.
            ScopeStatus::Exhausted if self.status == ScopeStatus::Active => return Err(ScopeRefused::NoAttempts),
            over => return Err(ScopeRefused::Over(over)),
        }
        let cost_reserved = sum(self.cost_reserved, cost)?;
        if sum(self.cost_used, cost_reserved)? > self.max_cost {
            return Err(ScopeRefused::TooExpensive);
        }
        let attempts_reserved = self.attempts_reserved.checked_add(1).ok_or(ScopeRefused::Overflow)?;
        Ok((Scope { attempts_reserved, cost_reserved, ..self.clone() }, Reservation { cost }))
    }

    /// The scope after something has ended that was reserved. A revoked scope is settled like any other: what was spent is
    /// known, and it stays revoked.
    ///
    /// More may have been spent than was reserved; that is recorded as it is, and exhausts the scope.
    ///
    /// # Errors
    /// Nothing of that cost is reserved, or a cost is below zero.
    pub fn settle(&self, reservation: Reservation, ended: Ended) -> Result<Scope, ScopeRefused> {
        let attempts_reserved = self.attempts_reserved.checked_sub(1).ok_or(ScopeRefused::NotReserved)?;
        let cost_reserved = self.cost_reserved.checked_sub(reservation.cost).map_err(|_| ScopeRefused::Overflow)?;
        if cost_reserved < NOTHING {
            return Err(ScopeRefused::NotReserved);
        }
        let (attempts, cost) = match ended {
            Ended::Spent(cost) if cost < NOTHING => return Err(ScopeRefused::BadCost),
            Ended::Spent(cost) => (1, cost),
            Ended::Failed => (1, NOTHING),
            Ended::NeverBegun => (0, NOTHING),
            Ended::Unknown => (1, reservation.cost),
        };
        let attempts_used = self.attempts_used.checked_add(attempts).ok_or(ScopeRefused::Overflow)?;
        let cost_used = sum(self.cost_used, cost)?;
        let is_exhausted = attempts_used >= self.max_attempts || cost_used > self.max_cost;
        let status =
            if self.status == ScopeStatus::Active && is_exhausted { ScopeStatus::Exhausted } else { self.status };
        Ok(Scope { attempts_used, cost_used, attempts_reserved, cost_reserved, status, ..self.clone() })
    }

    /// The scope, taken back. Whatever has become of it before, from then on it is revoked.
    #[must_use]
    pub fn revoke(&self) -> Scope {
        Scope { status: ScopeStatus::Revoked, ..self.clone() }
    }

    /// The scope, ended in a way that policy allows: as the lifecycle `std.scopes.ScopeStatus` has it, whatever policy says.
    ///
    /// # Errors
    /// There is no such step.
    pub fn end(&self, to: ScopeStatus) -> Result<Scope, ScopeRefused> {
        match (self.status, to) {
            (_, ScopeStatus::Revoked) => Ok(self.revoke()),
            (ScopeStatus::Active, ScopeStatus::Exhausted | ScopeStatus::Expired) => {
                Ok(Scope { status: to, ..self.clone() })
            }
            (_, ScopeStatus::Active | ScopeStatus::Exhausted | ScopeStatus::Expired) => {
                Err(ScopeRefused::NoSuchStep(self.status, to))
            }
        }
    }

    /// The scope as the store keeps it. Decimals are strings, so that nobody rounds them.
    #[must_use]
    pub fn to_body(&self) -> Value {
        let mut members = Map::new();
        let mut add = |name: &str, value: Value| _ = members.insert(name.to_owned(), value);
        add("id", self.id.clone().into());
        add("incident", self.incident.clone().into());
        add("allowed_actions", self.allowed_actions.iter().cloned().collect());
        add("max_cost", self.max_cost.to_string().into());
        add("max_attempts", self.max_attempts.into());
        add("expires_at", self.expires_at.to_string().into());
        add("intent", self.intent.clone().into());
        add("target_agents", self.target_agents.iter().cloned().collect());
        add("created_at", self.created_at.to_string().into());
        add("created_by", self.created_by.clone().into());
        add("attempts_used", self.attempts_used.into());
        add("cost_used", self.cost_used.to_string().into());
        add("attempts_reserved", self.attempts_reserved.into());
        add("cost_reserved", self.cost_reserved.to_string().into());
        add("status", self.status.name().into());
        if let Some(principal) = &self.principal {
            add(PRINCIPAL, principal.to_json());
        }
        members.into()
    }

    /// The scope of a body; none if it is not one, its numbers make no sense, or it is not written in the one way.
    #[must_use]
    pub fn from_body(text: &[u8]) -> Option<Scope> {
        let body: Body = serde_json::from_slice(text).ok()?;
        let decimal = |text: &str| Decimal::parse(text).ok().filter(|decimal| *decimal >= NOTHING);
        let (max_cost, cost_used) = (decimal(&body.max_cost)?, decimal(&body.cost_used)?);
        let cost_reserved = decimal(&body.cost_reserved)?;
        let expires_at = Timestamp::parse(&body.expires_at).ok()?;
        let created_at = Timestamp::parse(&body.created_at).ok()?;
        let status = ScopeStatus::parse(&body.status)?;
        let scope = Scope {
            id: body.id,
            incident: body.incident,
            allowed_actions: body.allowed_actions,
            max_cost,
            max_attempts: body.max_attempts,
            expires_at,
            intent: body.intent,
            target_agents: body.target_agents,
            created_at,
            created_by: body.created_by,
            principal: match &body.principal {
                Some(principal) => Some(Principal::from_json(principal)?),
                None => None,
            },
            attempts_used: body.attempts_used,
            cost_used,
            attempts_reserved: body.attempts_reserved,
            cost_reserved,
            status,
        };
        (canonical(&scope.to_body()).as_bytes() == text).then_some(scope)
    }

    /// The scope as a fact: a JSON object as a context of a request has it, decimals as numbers.
    #[must_use]
    pub fn to_fact(&self) -> String {
        let mut out = String::from("{");
        let Value::Object(members) = self.to_body() else { return out };
        // Who has asked is nothing that policy knows of.
        for (name, value) in members.iter().filter(|(name, _)| *name != PRINCIPAL) {
            if out.len() > 1 {
                out.push(',');
            }
            push_string(&mut out, name);
            out.push(':');
            match value {
                Value::String(decimal) if DECIMALS.contains(&name.as_str()) => out.push_str(decimal),
                value => out.push_str(&canonical(value)),
            }
        }
        out.push('}');
        out
    }
}

/// The member that is the kernel's alone.
const PRINCIPAL: &str = "principal";
/// The members that are decimals.
const DECIMALS: [&str; 3] = ["max_cost", "cost_used", "cost_reserved"];

/// As it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    id: String,
    incident: String,
    allowed_actions: BTreeSet<String>,
    max_cost: String,
    max_attempts: u32,
    expires_at: String,
    intent: String,
    target_agents: BTreeSet<String>,
    created_at: String,
    created_by: String,
    attempts_used: u32,
    cost_used: String,
    attempts_reserved: u32,
    cost_reserved: String,
    status: String,
    principal: Option<Value>,
}

fn sum(one: Decimal, other: Decimal) -> Result<Decimal, ScopeRefused> {
    one.checked_add(other).map_err(|_| ScopeRefused::Overflow)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: u32) -> Timestamp {
        Timestamp::parse(&format!("2026-11-20T10:00:{seconds:02}Z")).expect("it is a time")
    }

    fn usd(text: &str) -> Decimal {
        Decimal::parse(text).expect("it is a decimal")
    }

    fn scope() -> Scope {
        Scope {
            id: "scope_01JD3Q8Z0000000000000000AB".to_owned(),
            incident: "INC-1".to_owned(),
            allowed_actions: BTreeSet::from(["restart".to_owned()]),
            max_cost: usd("0.5"),
            max_attempts: 2,
            expires_at: at(30),
            intent: "it leaks".to_owned(),
            target_agents: BTreeSet::new(),
            created_at: at(0),
            created_by: "ann".to_owned(),
            principal: Principal::new("Person", "ann"),
            attempts_used: 0,
            cost_used: Decimal::ZERO,
            attempts_reserved: 0,
            cost_reserved: Decimal::ZERO,
            status: ScopeStatus::Active,
        }
    }

    #[test]
    fn what_is_reserved_is_not_reserved_again() {
        let (one, first) = scope().reserve(usd("0.3"), at(1)).expect("there is enough");
        assert_eq!(one.reserve(usd("0.200001"), at(1)), Err(ScopeRefused::TooExpensive));
        let (two, second) = one.reserve(usd("0.2"), at(1)).expect("that much is left");
        assert_eq!(two.reserve(Decimal::ZERO, at(1)), Err(ScopeRefused::NoAttempts));
        let two = two.settle(first, Ended::Spent(usd("0.25"))).expect("it was reserved");
        assert_eq!((two.attempts_used, two.attempts_reserved), (1, 1));
        assert_eq!((two.cost_used, two.cost_reserved), (usd("0.25"), usd("0.2")));
        let two = two.settle(second, Ended::NeverBegun).expect("it was reserved");
        assert_eq!((two.attempts_used, two.attempts_reserved, two.cost_used), (1, 0, usd("0.25")));
        assert_eq!(two.status, ScopeStatus::Active);
    }

    #[test]
    fn how_it_ended_is_what_it_costs() {
        for (ended, attempts, cost) in [
            (Ended::Spent(usd("0.1")), 1, "0.1"),
            (Ended::Failed, 1, "0"),
            (Ended::NeverBegun, 0, "0"),
            (Ended::Unknown, 1, "0.3"),
        ] {
            let (reserved, reservation) = scope().reserve(usd("0.3"), at(1)).expect("there is enough");
            let settled = reserved.settle(reservation, ended).expect("it was reserved");
            assert_eq!((settled.attempts_used, settled.cost_used), (attempts, usd(cost)), "{ended:?}");
            assert_eq!((settled.attempts_reserved, settled.cost_reserved), (0, Decimal::ZERO), "{ended:?}");
        }
    }

    #[test]
    fn more_than_was_reserved_exhausts() {
        let (reserved, reservation) = scope().reserve(usd("0.3"), at(1)).expect("there is enough");
        let settled = reserved.settle(reservation, Ended::Spent(usd("0.6"))).expect("it was reserved");
        assert_eq!((settled.cost_used, settled.status), (usd("0.6"), ScopeStatus::Exhausted));
        assert_eq!(settled.reserve(Decimal::ZERO, at(1)), Err(ScopeRefused::Over(ScopeStatus::Exhausted)));
    }

    #[test]
    fn what_is_over_stays_over() {
        assert!(scope().reserve(Decimal::ZERO, at(30)).is_ok());
        assert_eq!(scope().reserve(Decimal::ZERO, at(31)), Err(ScopeRefused::Over(ScopeStatus::Expired)));
        let (reserved, reservation) = scope().reserve(usd("0.3"), at(1)).expect("there is enough");
        let revoked = reserved.revoke();
        assert_eq!(revoked.reserve(Decimal::ZERO, at(1)), Err(ScopeRefused::Over(ScopeStatus::Revoked)));
        let settled = revoked.settle(reservation, Ended::Spent(usd("0.6"))).expect("it was reserved");
        assert_eq!((settled.status, settled.cost_used), (ScopeStatus::Revoked, usd("0.6")));
        assert_eq!(settled.settle(reservation, Ended::Failed), Err(ScopeRefused::NotReserved));
        assert_eq!(scope().reserve(usd("-0.1"), at(1)), Err(ScopeRefused::BadCost));
    }

    #[test]
    fn nothing_leads_back() {
        use ScopeStatus::{Active, Exhausted, Expired, Revoked};
        for from in ScopeStatus::ALL {
            let before = Scope { status: from, ..scope() };
            for to in ScopeStatus::ALL {
                let is_step = to == Revoked || from == Active && matches!(to, Exhausted | Expired);
                let ended = before.end(to).map(|scope| scope.status);
                assert_eq!(ended, if is_step { Ok(to) } else { Err(ScopeRefused::NoSuchStep(from, to)) });
            }
        }
    }

    #[test]
    fn bodies_come_back_and_others_do_not() {
        let text = canonical(&scope().to_body());
        assert_eq!(Scope::from_body(text.as_bytes()), Some(scope()));
        for other in [
            text.replace("\"max_cost\":\"0.5\"", "\"max_cost\":\"-0.5\""),
            text.replace("\"max_cost\":\"0.5\"", "\"max_cost\":0.5"),
            text.replace("\"status\":\"active\"", "\"status\":\"ACTIVE\""),
            text.replace("\"max_attempts\":2", "\"max_attempts\":-2"),
            text.replace("\"intent\":\"it leaks\",", ""),
            text.replace('}', ",\"x\":1}"),
            text.replace(',', ", "),
        ] {
            assert_ne!(other, text);
            assert_eq!(Scope::from_body(other.as_bytes()), None, "{other}");
        }
        assert!(scope().to_fact().contains("\"max_cost\":0.5,"));
        let most = Scope { max_cost: Decimal::MAX, ..scope() };
        assert!(most.to_fact().contains("\"max_cost\":9223372036854.775807,"));
    }

    proptest! {
        /// Whatever is reserved and settled in whatever order: never more than the scope has.
        #[test]
        fn nothing_is_overspent(steps in prop::collection::vec((0_u8..5, 0_i64..400_000), 1..60)) {
            let (mut scope, mut open) = (Scope { max_attempts: 5, ..scope() }, Vec::new());
            for (step, millionths) in steps {
                let cost = Decimal(millionths);
                if step == 0 {
                    if let Ok((reserved, reservation)) = scope.reserve(cost, at(1)) {
                        scope = reserved;
                        open.push(reservation);
                    }
                } else if let Some(reservation) = open.pop() {
                    let ended = match step {
                        1 => Ended::Spent(cost.min(reservation.cost)),
                        2 => Ended::Failed,
                        3 => Ended::NeverBegun,
                        _ => Ended::Unknown,
                    };
                    scope = scope.settle(reservation, ended).expect("it was reserved");
                }
                prop_assert!(scope.attempts_used + scope.attempts_reserved <= scope.max_attempts);
                prop_assert!(Decimal(scope.cost_used.0 + scope.cost_reserved.0) <= scope.max_cost);
                prop_assert_eq!(scope.attempts_reserved as usize, open.len());
                let reserved: i64 = open.iter().map(|reservation| reservation.cost.0).sum();
                prop_assert_eq!(scope.cost_reserved, Decimal(reserved));
            }
        }
    }
}

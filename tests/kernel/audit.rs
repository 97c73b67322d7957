//! An auditor, who has nothing but the log: from its beginning on it is told again what became of every permit, gate and
//! scope, and everything that must never happen is looked for. What is stored has to be what came out of that.
//!
//! It is written from the pages on the kernel and shares no code with what it judges, but for reading entries and bodies.

use std::collections::{BTreeMap, BTreeSet};

use pdl::Digest;
use pdl::data::decimal::Decimal;
use pdl::data::timestamp::Timestamp;
use pdl::kernel::entry::{Entry, Kind};
use pdl::kernel::gate::Gate;
use pdl::kernel::scope::Scope;
use pdl::kernel::store::{Object, Query, StoreError, Tx};
use serde_json::{Map, Value};

/// What is wrong, in words.
pub type Audit<T> = Result<T, String>;

macro_rules! hold {
    ($holds:expr, $($words:tt)*) => {
        if !$holds {
            return Err(format!($($words)*));
        }
    };
}
pub(crate) use hold;

/// A decision, as the log has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// What policy said.
    pub said: String,
    /// What was answered.
    pub answered: String,
    pub principal: Value,
    /// `None` where it is secret, or nothing was bound.
    pub binding: Option<String>,
    pub gate: Option<String>,
    /// What followed from it: permits, scopes, and the like.
    pub followed: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PermitLine {
    pub decision: String,
    pub state: String,
    expires: Timestamp,
    gate: Option<String>,
    reserved: Option<(String, Decimal)>,
}

/// What one rule asks for: whom, and how many.
type Wants = BTreeMap<String, (Value, i64)>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateLine {
    pub state: String,
    requester: Value,
    /// `None` where it is secret.
    binding: Option<String>,
    expires: Timestamp,
    wants: Wants,
    /// Who has agreed: the rule, the group that it asked then, the voter.
    agreed: Vec<(String, Value, Value)>,
    votes: usize,
    /// How many permits spent it.
    pub permits: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeLine {
    pub status: String,
    max_attempts: u64,
    max_cost: Decimal,
    expires: Timestamp,
    pub used: (u64, Decimal),
    pub reserved: (u64, Decimal),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordLine {
    pub status: String,
    pub version: u64,
    entry: String,
    /// `None` where it is secret.
    digest: Option<String>,
}

/// Everything that the log tells.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    pub decisions: BTreeMap<String, Decided>,
    pub permits: BTreeMap<String, PermitLine>,
    pub gates: BTreeMap<String, GateLine>,
    pub scopes: BTreeMap<String, ScopeLine>,
    /// By type and id.
    pub records: BTreeMap<(String, String), RecordLine>,
    /// How actions are enforced, and who has said so.
    modes: BTreeMap<String, (String, Value)>,
    /// The last decision.
    latest: Option<String>,
    /// The newest version of the registry.
    registry: u64,
    /// The newest version of the operators.
    operators: u64,
    /// Decisions that allowed something to be done to the kernel itself.
    acts: BTreeSet<String>,
    /// How many entries were read.
    pub size: u64,
    seen: BTreeSet<String>,
    /// What has to come next.
    next: Vec<Next>,
    last: Option<Timestamp>,
    /// How much later than it was judged something may be told of, in milliseconds: where the time goes on by itself, it
    /// does so between the two.
    slack: i64,
}

/// What has to come next, since it happens in the same transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Next {
    /// A gate is opened for this decision.
    Opens(String),
    /// This gate is closed so; before, it may be told of whom else it asks.
    Closes(String, &'static str),
    /// Something follows from this decision, which was an ALLOW.
    Follows(String),
    /// This decision, which was no denial, is taken back: a record can't be changed so.
    Refuses(String),
    /// This permit is issued for a decision, after its scope was reserved.
    Permits(String),
    /// This is settled: the scope, how, what it costs, how many attempts, the decision.
    Settles { scope: String, kind: Kind, cost: Option<Decimal>, attempts: u64, reserved: Decimal, decision: String },
    /// This scope is over.
    Ends(String, &'static str),
}

fn text(body: &Map<String, Value>, name: &str) -> Audit<String> {
    let text = body.get(name).and_then(Value::as_str).map(str::to_owned);
    text.ok_or_else(|| format!("no {name} in {body:?}"))
}

fn time(body: &Map<String, Value>, name: &str) -> Audit<Timestamp> {
    Timestamp::parse(&text(body, name)?).map_err(|why| why.to_string())
}

fn money(body: &Map<String, Value>, name: &str) -> Audit<Decimal> {
    Decimal::parse(&text(body, name)?).map_err(|why| why.to_string())
}

fn count(body: &Map<String, Value>, name: &str) -> Audit<u64> {
    body.get(name).and_then(Value::as_u64).ok_or_else(|| format!("no {name} in {body:?}"))
}

fn plus(one: Decimal, other: Decimal) -> Audit<Decimal> {
    one.checked_add(other).map_err(|why| why.to_string())
}

fn minus(one: Decimal, other: Decimal) -> Audit<Decimal> {
    one.checked_sub(other).map_err(|why| why.to_string())
}

fn link(entry: &Entry) -> Audit<String> {
    entry.links.get("decision").cloned().ok_or_else(|| "it belongs to no decision".to_owned())
}

impl Ledger {
    /// Of a log whose clock did not stand still.
    pub fn of_moving_time(slack: i64) -> Ledger {
        Ledger { slack, ..Ledger::default() }
    }

    /// The earliest moment at which it may have been judged.
    fn judged(&self, entry: &Entry) -> Timestamp {
        Timestamp::from_millis(entry.time.millis().saturating_sub(self.slack)).unwrap_or(entry.time)
    }

    /// Reads on, to the end of the log. Gives what is new.
    pub fn read_on(&mut self, tx: &mut dyn Tx) -> Audit<Vec<Entry>> {
        let rows = tx.entries(self.size, u32::MAX).map_err(|why| why.to_string())?;
        let mut entries = Vec::with_capacity(rows.len());
        for (_, bytes) in rows {
            let entry = Entry::read(&bytes).map_err(|why| why.to_string())?;
            let told = self.read(&entry);
            told.map_err(|why| format!("{} {} at {}: {why}", entry.kind.name(), entry.id, self.size))?;
            self.size += 1;
            entries.push(entry);
        }
        hold!(self.next.is_empty(), "behind the last entry there is missing: {:?}", self.next);
        Ok(entries)
    }

    fn read(&mut self, entry: &Entry) -> Audit<()> {
        hold!(entry.index == self.size, "it says that it is entry {}", entry.index);
        hold!((self.size == 0) == (entry.kind == Kind::KernelCreated), "the log begins once");
        hold!(self.last.is_none_or(|last| last <= entry.time), "the time goes back to {}", entry.time);
        self.last = Some(entry.time);
        for (name, id) in &entry.links {
            hold!(self.seen.contains(id), "its {name} {id} is no entry before it");
        }
        hold!(self.seen.insert(entry.id.clone()), "there is another entry of this id");
        let body = &entry.body;
        let waited = !self.next.is_empty();
        match entry.kind {
            Kind::Decision => self.decision(entry, waited),
            Kind::GateOpened => self.opened(entry),
            Kind::GateVoted => self.voted(entry, waited),
            Kind::GateClosed => self.closed(entry, waited),
            Kind::PermitIssued => self.issued(entry),
            Kind::PermitStarted | Kind::PermitCompleted | Kind::PermitFailed => self.stepped(entry, waited),
            Kind::PermitAbandoned | Kind::PermitExpired => self.stepped(entry, waited),
            Kind::ScopeCreated => self.scope_created(entry),
            Kind::ScopeReserved => self.reserved(entry),
            Kind::ScopeCommitted | Kind::ScopeRefunded => self.settled(entry),
            Kind::ScopeEnded => self.ended(entry, waited),
            Kind::RecordCreated | Kind::RecordStepped => self.changed(entry),
            Kind::RecordRefused => self.unchanged(entry, waited),
            Kind::OperatorsChanged => {
                let version = count(body, "version")?;
                hold!(version == self.operators + 1, "version {version} of the operators behind {}", self.operators);
                self.operators = version;
                self.allowed(entry)
            }
            Kind::ModeChanged => {
                let who = body.get("principal").cloned().ok_or("nobody changed it")?;
                self.modes.insert(text(body, "capability")?, (text(body, "mode")?, who));
                self.allowed(entry)
            }
            Kind::BundleActivated | Kind::ContentErased => self.allowed(entry),
            Kind::RegistryChanged => {
                let version = count(body, "version")?;
                hold!(version == self.registry + 1, "version {version} of the registry behind {}", self.registry);
                self.registry = version;
                self.allowed(entry)
            }
            _ => {
                hold!(!waited, "there should be {:?}", self.next);
                Ok(())
            }
        }
    }

    /// What is done to the kernel itself was allowed before.
    fn allowed(&self, entry: &Entry) -> Audit<()> {
        let is_allowed = entry.links.get("allowed").is_some_and(|id| self.acts.contains(id));
        hold!(is_allowed && self.next.is_empty(), "nobody allowed {}", entry.id);
        Ok(())
    }

    /// Takes what has to come next, if it is that.
    fn take(&mut self, is: impl Fn(&Next) -> bool) -> Option<Next> {
        self.next.first().is_some_and(is).then(|| self.next.remove(0))
    }

    fn decision(&mut self, entry: &Entry, waited: bool) -> Audit<()> {
        let judged = self.judged(entry);
        hold!(!waited, "there should be {:?}", self.next);
        let body = &entry.body;
        let said = text(body, "answer")?;
        let answered = text(body, "enforced").unwrap_or_else(|_| said.clone());
        let gate = body.get("gate").map(|_| text(body, "gate")).transpose()?;
        let principal = body.get("principal").cloned().ok_or("nobody asked")?;
        let binding = body.get("digests").and_then(|digests| digests.get("binding")?.as_str()).map(str::to_owned);
        if let Some(registry) = body.get("registry") {
            let newest = if body.contains_key("of") { self.operators } else { self.registry };
            hold!(registry.as_u64().is_some_and(|registry| registry <= newest), "by a registry of later");
        } else {
            hold!(answered == "DENY", "nothing says what decided it");
        }
        match (said.as_str(), answered.as_str()) {
            // Without a gate it is a record that can't be changed so.
            ("ALLOW" | "REQUIRE_APPROVAL", "DENY") if gate.is_none() => self.next.push(Next::Refuses(entry.id.clone())),
            ("ALLOW" | "REQUIRE_APPROVAL", "DENY") => {}
            ("REQUIRE_APPROVAL", "ALLOW") => hold!(gate.is_some(), "nobody approved it"),
            ("DENY", "ALLOW") => {
                let is_permissive = text(body, "mode").is_ok_and(|mode| mode == "permissive");
                let kind = text(body, "kind")?;
                hold!(is_permissive && gate.is_none(), "a denial was made an ALLOW");
                let is_of_others = |(mode, by): &(String, Value)| mode == "permissive" && *by != principal;
                hold!(self.modes.values().any(is_of_others), "nobody else has made anything permissive");
                hold!(["denied", "not_permitted"].contains(&kind.as_str()), "nothing permits what is {kind}");
            }
            (said, answered) => hold!(said == answered, "{said} was made {answered}"),
        }
        if let Some(id) = &gate {
            let line = self.gates.get(id).ok_or("there is no such gate")?;
            let is_ours = line.requester == principal || answered == "DENY";
            hold!(is_ours, "{principal} used the gate of {}", line.requester);
            if answered == "ALLOW" {
                hold!(line.binding.is_none() || binding == line.binding, "it is another request");
                hold!(judged < line.expires, "the gate is over since {}", line.expires);
                self.next.push(Next::Closes(id.clone(), "spent"));
            }
        }
        // What the kernel decides of itself is done, without a permit.
        let is_of_kernel = body.contains_key("of");
        if is_of_kernel && answered == "ALLOW" {
            self.acts.insert(entry.id.clone());
        }
        match answered.as_str() {
            "ALLOW" if !is_of_kernel => self.next.push(Next::Follows(entry.id.clone())),
            "REQUIRE_APPROVAL" if gate.is_none() => self.next.push(Next::Opens(entry.id.clone())),
            _ => {}
        }
        if answered == "REQUIRE_APPROVAL"
            && let Some(line) = gate.as_ref().and_then(|id| self.gates.get_mut(id))
        {
            // Whoever agreed counts no more, or others are asked.
            line.state = "pending".to_owned();
        }
        self.latest = Some(entry.id.clone());
        let decided = Decided { said, answered, principal, binding, gate, followed: 0 };
        self.decisions.insert(entry.id.clone(), decided);
        Ok(())
    }

    fn follow(&mut self, decision: &str) -> Audit<()> {
        let is_due = self.take(|next| matches!(next, Next::Follows(id) if id == decision)).is_some();
        let line = self.decisions.get_mut(decision).ok_or("there is no such decision")?;
        line.followed += 1;
        hold!(is_due, "nothing should follow from it, but {:?}", self.next);
        hold!(line.answered == "ALLOW" && line.followed == 1, "{} things follow from {}", line.followed, line.answered);
        Ok(())
    }

    fn opened(&mut self, entry: &Entry) -> Audit<()> {
        let body = &entry.body;
        let (id, again) = (text(body, "gate")?, body.get("again") == Some(&Value::Bool(true)));
        let mut wants = Wants::new();
        for asked in body.get("asked").and_then(Value::as_array).ok_or("it asks nobody")? {
            let asked = asked.as_object().ok_or("it asks nobody")?;
            let quorum = i64::try_from(count(asked, "quorum")?).map_err(|why| why.to_string())?;
            hold!(quorum > 0, "nobody has to agree");
            wants.insert(text(asked, "rule")?, (asked.get("from").cloned().ok_or("of nobody")?, quorum));
        }
        hold!(!wants.is_empty(), "it asks nobody");
        let requester = body.get("requester").cloned().ok_or("nobody asked")?;
        let binding = body.get("binding").and_then(Value::as_str).map(str::to_owned);
        // Both are made of the same, and neither is to be guessed at where the other is hidden.
        let is_shown = body.get("shown").is_some_and(Value::is_string);
        hold!(is_shown == binding.is_some(), "it hides one digest and not the other");
        let expires = time(body, "expires")?;
        if again {
            hold!(!matches!(self.next.first(), Some(Next::Opens(_))), "it was opened before");
            let line = self.gates.get_mut(&id).ok_or("there is no such gate")?;
            hold!(line.is_open(), "it is {}", line.state);
            hold!(expires <= line.expires, "it ends later than was said");
            hold!(line.requester == requester && line.binding == binding, "it became another one");
            // Asked anew, they have to be counted anew.
            line.state = "pending".to_owned();
            (line.wants, line.expires) = (wants, expires);
            return Ok(());
        }
        let decision = link(entry)?;
        hold!(self.take(|next| *next == Next::Opens(decision.clone())).is_some(), "no decision asks for it");
        let line = self.decisions.get(&decision).ok_or("there is no such decision")?;
        hold!(line.principal == requester, "{} asked", line.principal);
        // What a change does beside its request is agreed to as well, and then it is hidden.
        hold!(binding.is_none() || line.binding == binding, "it is of another request");
        hold!(expires >= self.judged(entry), "it is over before it begins");
        let line = GateLine {
            state: "pending".to_owned(),
            requester,
            binding,
            expires,
            wants,
            agreed: Vec::new(),
            votes: 0,
            permits: 0,
        };
        hold!(self.gates.insert(id, line).is_none(), "it was opened before");
        Ok(())
    }

    fn voted(&mut self, entry: &Entry, waited: bool) -> Audit<()> {
        let judged = self.judged(entry);
        hold!(!waited, "there should be {:?}", self.next);
        let body = &entry.body;
        let id = text(body, "gate")?;
        let line = self.gates.get_mut(&id).ok_or("there is no such gate")?;
        if body.get("counts") != Some(&Value::Bool(true)) {
            hold!(body.contains_key("why"), "nothing says why it does not count");
            return Ok(());
        }
        hold!(line.is_open() && judged < line.expires, "it is {} until {}", line.state, line.expires);
        let (rule, voter) = (text(body, "rule")?, body.get("voter").cloned().ok_or("nobody voted")?);
        let (from, _) = line.wants.get(&rule).ok_or("nobody was asked that")?;
        hold!(body.get("binding").and_then(Value::as_str) == line.binding.as_deref(), "they saw another request");
        hold!(voter != line.requester, "who asked has voted");
        line.votes += 1;
        if text(body, "verdict")? == "deny" {
            self.next.push(Next::Closes(id, "denied"));
            return Ok(());
        }
        let vote = (rule, from.clone(), voter);
        hold!(!line.agreed.contains(&vote), "they have voted before");
        line.agreed.push(vote);
        Ok(())
    }

    fn closed(&mut self, entry: &Entry, waited: bool) -> Audit<()> {
        let judged = self.judged(entry);
        let body = &entry.body;
        let (id, state) = (text(body, "gate")?, text(body, "state")?);
        if waited {
            let is_due = self.take(|next| matches!(next, Next::Closes(gate, to) if *gate == id && *to == state));
            hold!(is_due.is_some(), "there should be {:?}", self.next);
        } else {
            hold!(state != "spent", "nobody was allowed to spend it");
        }
        let latest = self.latest.as_ref().and_then(|id| self.decisions.get(id));
        let latest = latest.filter(|decided| decided.gate.as_ref() == Some(&id));
        let line = self.gates.get_mut(&id).ok_or("there is no such gate")?;
        hold!(line.is_open(), "it is {} already", line.state);
        match state.as_str() {
            "approved" => hold!(line.state == "pending" && line.is_met(), "not enough have agreed"),
            "spent" => {
                // Where today nobody is asked, nobody has to have agreed.
                let asks_nobody = latest.is_some_and(|decided| decided.said == "ALLOW");
                hold!(asks_nobody || line.is_met(), "not enough have agreed");
                hold!(judged < line.expires, "it is over since {}", line.expires);
            }
            "expired" => hold!(entry.time >= line.expires, "it is not over until {}", line.expires),
            "denied" => {
                let is_denied = waited || latest.is_some_and(|decided| decided.answered == "DENY");
                hold!(is_denied, "nobody denied it");
            }
            "withdrawn" => {}
            other => return Err(format!("there is no state {other}")),
        }
        line.state = state;
        Ok(())
    }

    fn issued(&mut self, entry: &Entry) -> Audit<()> {
        let (body, decision) = (&entry.body, link(entry)?);
        let id = text(body, "permit")?;
        let reserved = match self.next.first() {
            Some(Next::Permits(of)) if *of == decision => {
                self.next.remove(0);
                self.permits.remove(&decision).and_then(|line| line.reserved)
            }
            _ => {
                self.follow(&decision)?;
                None
            }
        };
        let gate = body.get("gate").map(|_| text(body, "gate")).transpose()?;
        let line = self.decisions.get(&decision).ok_or("there is no such decision")?;
        hold!(line.gate == gate, "it is for the gate {gate:?}, and the decision for {:?}", line.gate);
        if let Some(gate) = &gate {
            let line = self.gates.get_mut(gate).ok_or("there is no such gate")?;
            line.permits += 1;
            hold!(
                line.state == "spent" && line.permits == 1,
                "the gate is {}, of {} permits",
                line.state,
                line.permits
            );
        }
        let expires = time(body, "expires")?;
        hold!(expires > self.judged(entry), "it is over before it begins");
        let line = PermitLine { decision, state: "issued".to_owned(), expires, gate, reserved };
        hold!(self.permits.insert(id, line).is_none(), "it was issued before");
        Ok(())
    }

    fn stepped(&mut self, entry: &Entry, waited: bool) -> Audit<()> {
        let judged = self.judged(entry);
        hold!(!waited, "there should be {:?}", self.next);
        let id = text(&entry.body, "permit")?;
        let line = self.permits.get_mut(&id).ok_or("there is no such permit")?;
        hold!(link(entry)? == line.decision, "it belongs to {}", line.decision);
        let (to, settled) = match (line.state.as_str(), entry.kind) {
            ("issued", Kind::PermitStarted) => {
                hold!(judged < line.expires, "it is over since {}", line.expires);
                ("started", None)
            }
            ("issued", Kind::PermitExpired) => {
                hold!(entry.time >= line.expires, "it is not over until {}", line.expires);
                ("expired", Some((Kind::ScopeRefunded, true, 0)))
            }
            // What it cost is known to whoever ran it.
            ("started", Kind::PermitCompleted) => ("completed", Some((Kind::ScopeCommitted, false, 1))),
            ("started", Kind::PermitFailed) => ("failed", Some((Kind::ScopeRefunded, true, 1))),
            ("started", Kind::PermitAbandoned) => ("abandoned", Some((Kind::ScopeCommitted, true, 1))),
            (state, _) => return Err(format!("it is {state} already")),
        };
        line.state = to.to_owned();
        if let (Some((kind, is_exact, attempts)), Some((scope, reserved))) = (settled, &line.reserved) {
            let (scope, reserved, decision) = (scope.clone(), *reserved, line.decision.clone());
            let cost = is_exact.then_some(reserved);
            self.next.push(Next::Settles { scope, kind, cost, attempts, reserved, decision });
        }
        Ok(())
    }

    /// A record was made, or is another one by now.
    fn changed(&mut self, entry: &Entry) -> Audit<()> {
        let (body, decision) = (&entry.body, link(entry)?);
        self.follow(&decision)?;
        let key = (text(body, "type")?, text(body, "id")?);
        let before = self.records.get(&key);
        hold!((entry.kind == Kind::RecordCreated) == before.is_none(), "it was {before:?}");
        hold!(entry.links.get("before") == before.map(|line| &line.entry), "it is linked to another change");
        let version = count(body, "version")?;
        hold!(version == before.map_or(0, |line| line.version) + 1, "version {version} behind {before:?}");
        let from = body.get("from").and_then(Value::as_str);
        hold!(from == before.map(|line| line.status.as_str()), "it was {before:?}, and not {from:?}");
        let digest = body.get("digest").and_then(Value::as_str).map(str::to_owned);
        let line = RecordLine { status: text(body, "to")?, version, entry: entry.id.clone(), digest };
        self.records.insert(key, line);
        Ok(())
    }

    /// A transaction of changes was undone.
    fn unchanged(&mut self, entry: &Entry, waited: bool) -> Audit<()> {
        let decision = link(entry)?;
        let is_due = self.take(|next| *next == Next::Refuses(decision.clone())).is_some();
        hold!(is_due || !waited, "there should be {:?}", self.next);
        let line = self.decisions.get(&decision).ok_or("there is no such decision")?;
        hold!(line.answered != "ALLOW" && line.followed == 0, "it was undone, and allowed");
        Ok(())
    }

    fn scope_created(&mut self, entry: &Entry) -> Audit<()> {
        let (body, decision) = (&entry.body, link(entry)?);
        self.follow(&decision)?;
        let line = ScopeLine {
            status: text(body, "status")?,
            max_attempts: count(body, "max_attempts")?,
            max_cost: money(body, "max_cost")?,
            expires: time(body, "expires_at")?,
            used: (count(body, "attempts_used")?, money(body, "cost_used")?),
            reserved: (count(body, "attempts_reserved")?, money(body, "cost_reserved")?),
        };
        let nothing = (0, Decimal::ZERO);
        hold!(line.status == "active" && line.used == nothing && line.reserved == nothing, "it was used: {line:?}");
        hold!(self.scopes.insert(text(body, "id")?, line).is_none(), "it was made before");
        Ok(())
    }

    fn reserved(&mut self, entry: &Entry) -> Audit<()> {
        let judged = self.judged(entry);
        let (body, decision) = (&entry.body, link(entry)?);
        self.follow(&decision)?;
        let (id, cost) = (text(body, "scope")?, money(body, "cost")?);
        let line = self.scopes.get_mut(&id).ok_or("there is no such scope")?;
        hold!(line.status == "active", "the scope is {}", line.status);
        hold!(judged <= line.expires, "the scope is over since {}", line.expires);
        hold!(cost >= Decimal::ZERO, "nothing costs {cost}");
        line.reserved = (line.reserved.0 + 1, plus(line.reserved.1, cost)?);
        hold!(line.used.0 + line.reserved.0 <= line.max_attempts, "more attempts than there are: {line:?}");
        hold!(plus(line.used.1, line.reserved.1)? <= line.max_cost, "more money than there is: {line:?}");
        // Until the permit is told of, it is kept under the decision.
        let (state, expires) = ("issued".to_owned(), entry.time);
        let line = PermitLine { decision: decision.clone(), state, expires, gate: None, reserved: Some((id, cost)) };
        self.permits.insert(decision.clone(), line);
        self.next.push(Next::Permits(decision));
        Ok(())
    }

    fn settled(&mut self, entry: &Entry) -> Audit<()> {
        let due = self.take(|next| matches!(next, Next::Settles { .. }));
        let Some(Next::Settles { scope, kind, cost, attempts, reserved, decision }) = due else {
            return Err("nothing has ended that it could be of".to_owned());
        };
        let body = &entry.body;
        let said = (text(body, "scope")?, count(body, "attempts")?, money(body, "cost")?);
        hold!(entry.kind == kind && link(entry)? == decision, "something else has ended");
        hold!(said.0 == scope && said.1 == attempts, "something else has ended");
        hold!(cost.is_none_or(|cost| cost == said.2), "it cost {cost:?}");
        let spent = if kind == Kind::ScopeCommitted { said.2 } else { Decimal::ZERO };
        hold!(spent >= Decimal::ZERO, "nothing costs {spent}");
        let line = self.scopes.get_mut(&scope).ok_or("there is no such scope")?;
        let left = line.reserved.0.checked_sub(1).ok_or("nothing is reserved")?;
        line.reserved = (left, minus(line.reserved.1, reserved)?);
        hold!(line.reserved.1 >= Decimal::ZERO, "less was reserved: {line:?}");
        line.used = (line.used.0 + attempts, plus(line.used.1, spent)?);
        let is_over = line.used.0 >= line.max_attempts || line.used.1 > line.max_cost;
        if is_over && line.status == "active" {
            self.next.push(Next::Ends(scope, "exhausted"));
        }
        Ok(())
    }

    fn ended(&mut self, entry: &Entry, waited: bool) -> Audit<()> {
        let (id, status) = (text(&entry.body, "scope")?, text(&entry.body, "status")?);
        let is_due = self.take(|next| matches!(next, Next::Ends(scope, to) if *scope == id && *to == status)).is_some();
        let line = self.scopes.get(&id).ok_or("there is no such scope")?.clone();
        if entry.links.contains_key("decision") {
            self.follow(&link(entry)?)?;
        } else if !is_due {
            hold!(!waited, "there should be {:?}", self.next);
            hold!(status == "expired" && entry.time > line.expires, "nobody made it {status}");
        }
        hold!(line.status == "active" || status == "revoked", "it is {} already", line.status);
        hold!(status != "active", "no scope comes back");
        if let Some(line) = self.scopes.get_mut(&id) {
            line.status = status;
        }
        Ok(())
    }
}

impl GateLine {
    fn is_open(&self) -> bool {
        ["pending", "approved"].contains(&self.state.as_str())
    }

    /// Whether for each rule as many have agreed as have to. Who of them still counts the log does not say.
    fn is_met(&self) -> bool {
        self.wants.iter().all(|(rule, (from, quorum))| {
            let of_rule = |(voted, group, _): &&(String, Value, Value)| voted == rule && group == from;
            let voters: BTreeSet<String> =
                self.agreed.iter().filter(of_rule).map(|(.., who)| who.to_string()).collect();
            voters.len() as i64 >= *quorum
        })
    }
}

fn all(tx: &mut dyn Tx, kind: &str) -> Result<Vec<Object>, StoreError> {
    tx.find(&Query { kind: kind.to_owned(), state: None, due_until_ms: None, after: None, limit: u32::MAX })
}

/// Holds what is stored against what the log tells: neither has anything that the other has not.
pub fn compare(ledger: &Ledger, tx: &mut dyn Tx) -> Audit<()> {
    let of = |error: StoreError| error.to_string();
    let permits = all(tx, "permit").map_err(of)?;
    hold!(permits.len() == ledger.permits.len(), "{} permits are stored", permits.len());
    for object in permits {
        let state = ledger.permits.get(&object.key).map(|line| &line.state);
        hold!(state == Some(&object.state), "the permit {} is {}, and not {state:?}", object.key, object.state);
    }
    let gates = all(tx, "gate").map_err(of)?;
    hold!(gates.len() == ledger.gates.len(), "{} gates are stored", gates.len());
    for object in gates {
        let gate = Gate::from_body(&object.body).ok_or_else(|| format!("what is the gate {}?", object.key))?;
        let line = ledger.gates.get(&object.key).ok_or_else(|| format!("nobody opened the gate {}", object.key))?;
        hold!(line.state == object.state, "the gate {} is {}, and not {}", object.key, object.state, line.state);
        let is_so = gate.state.name() == object.state && gate.votes.len() == line.votes;
        hold!(is_so && gate.expires == line.expires, "the gate {} is {gate:?}, and not {line:?}", object.key);
    }
    for object in all(tx, "asking").map_err(of)? {
        let body: Value = serde_json::from_slice(&object.body).map_err(|why| why.to_string())?;
        let gate = body.get("gate").and_then(Value::as_str).unwrap_or_default();
        let is_open = ledger.gates.get(gate).is_some_and(GateLine::is_open);
        hold!(is_open, "the gate {gate} waits, and is over");
    }
    compare_records(ledger, tx)?;
    for object in all(tx, "mode").map_err(of)? {
        let mode = ledger.modes.get(&object.key).map(|(mode, _)| mode);
        hold!(mode == Some(&object.state), "{} is {}, and not {mode:?}", object.key, object.state);
    }
    let scopes = all(tx, "scope").map_err(of)?;
    hold!(scopes.len() == ledger.scopes.len(), "{} scopes are stored", scopes.len());
    for object in scopes {
        let scope = Scope::from_body(&object.body).ok_or_else(|| format!("what is the scope {}?", object.key))?;
        let line = ledger.scopes.get(&object.key).ok_or_else(|| format!("nobody made the scope {}", object.key))?;
        let stored = (u64::from(scope.attempts_used), scope.cost_used);
        let reserved = (u64::from(scope.attempts_reserved), scope.cost_reserved);
        let is_so = line.used == stored && line.reserved == reserved && scope.status.name() == line.status;
        hold!(is_so, "the scope {} is {scope:?}, and not {line:?}", object.key);
        // What is reserved is reserved by somebody who may still run, or runs.
        let open = ledger.permits.values().filter(|permit| ["issued", "started"].contains(&permit.state.as_str()));
        let open: Vec<_> =
            open.filter_map(|permit| permit.reserved.as_ref()).filter(|(id, _)| *id == object.key).collect();
        hold!(open.len() as u64 == line.reserved.0, "{open:?} are open in the scope {}", object.key);
    }
    Ok(())
}

fn compare_records(ledger: &Ledger, tx: &mut dyn Tx) -> Audit<()> {
    let of = |error: StoreError| error.to_string();
    let mut count = 0;
    for ty in all(tx, "record-type").map_err(of)? {
        for object in all(tx, &format!("record:{}", ty.key)).map_err(of)? {
            count += 1;
            let key = (ty.key.clone(), object.key);
            let line = ledger.records.get(&key).ok_or_else(|| format!("nobody made {key:?}"))?;
            let body: Value = serde_json::from_slice(&object.body).map_err(|why| why.to_string())?;
            let digest = body["properties"].as_str().map(|text| Digest::of(text.as_bytes()).to_string());
            let is_so = (&object.state, object.version) == (&line.status, line.version) && body["entry"] == line.entry;
            let is_same = is_so && line.digest.as_ref().is_none_or(|told| Some(told) == digest.as_ref());
            hold!(is_same, "{key:?} is {body}, and not {line:?}");
        }
    }
    hold!(count == ledger.records.len(), "{count} records are stored");
    Ok(())
}

/// Something that somebody was told has been done, and may rely on from then on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ack {
    /// The entry, the answer, the permit and the gate that came with it.
    Decided {
        entry: String,
        answer: String,
        permit: Option<String>,
        gate: Option<String>,
    },
    /// A vote on a gate counts.
    Voted(String),
    Withdrawn(String),
    Started(String),
    /// The permit, and how it ended.
    Ended(String, String),
    /// A scope was made.
    Made(String),
}

impl Ack {
    /// One line, for whoever listens to another process.
    pub fn line(&self) -> String {
        let or = |id: &Option<String>| id.clone().unwrap_or_else(|| "-".to_owned());
        match self {
            Ack::Decided { entry, answer, permit, gate } => {
                format!("ack decided {entry} {answer} {} {}\n", or(permit), or(gate))
            }
            Ack::Voted(gate) => format!("ack voted {gate}\n"),
            Ack::Withdrawn(gate) => format!("ack withdrawn {gate}\n"),
            Ack::Started(permit) => format!("ack started {permit}\n"),
            Ack::Ended(permit, how) => format!("ack ended {permit} {how}\n"),
            Ack::Made(scope) => format!("ack made {scope}\n"),
        }
    }

    /// That of a whole line; something else may stand before it.
    pub fn of_line(line: &str) -> Option<Ack> {
        let words: Vec<&str> = line.split_once("ack ")?.1.strip_suffix('\n')?.split(' ').collect();
        let id = |word: &str| (word != "-").then(|| word.to_owned());
        Some(match words[..] {
            ["decided", entry, answer, permit, gate] => {
                Ack::Decided { entry: entry.to_owned(), answer: answer.to_owned(), permit: id(permit), gate: id(gate) }
            }
            ["voted", gate] => Ack::Voted(gate.to_owned()),
            ["withdrawn", gate] => Ack::Withdrawn(gate.to_owned()),
            ["started", permit] => Ack::Started(permit.to_owned()),
            ["ended", permit, how] => Ack::Ended(permit.to_owned(), how.to_owned()),
            ["made", scope] => Ack::Made(scope.to_owned()),
            _ => return None,
        })
    }
}

/// Holds what people were told against what the log tells.
pub fn kept(ledger: &Ledger, acks: &[Ack]) -> Audit<()> {
    let (mut votes, mut once) = (BTreeMap::<&str, usize>::new(), BTreeSet::new());
    for ack in acks {
        let is_once = match ack {
            Ack::Decided { entry, answer, permit, gate } => {
                let line = ledger.decisions.get(entry).ok_or_else(|| format!("{ack:?} is not in the log"))?;
                hold!(line.answered == *answer, "{ack:?}, and the log says {}", line.answered);
                hold!(permit.is_some() == (answer == "ALLOW"), "{ack:?}: with an ALLOW comes a permit");
                if let Some(permit) = permit {
                    let of = ledger.permits.get(permit).map(|line| &line.decision);
                    hold!(of == Some(entry), "{ack:?}, and the permit is of {of:?}");
                }
                let gate = gate.as_ref().map(|gate| ledger.gates.get(gate));
                hold!(gate.is_none_or(|gate| gate.is_some()), "{ack:?}: there is no such gate");
                let is_spent = gate.flatten().is_none_or(|gate| gate.state == "spent" && gate.permits == 1);
                hold!(answer != "ALLOW" || is_spent, "{ack:?}: the gate is not spent");
                permit.is_none() || once.insert(("permit", permit.as_deref().unwrap_or_default()))
            }
            Ack::Voted(gate) => {
                let count = votes.entry(gate).or_default();
                *count += 1;
                let kept = ledger.gates.get(gate).map_or(0, |line| line.votes);
                hold!(*count <= kept, "{ack:?}: {kept} votes are kept");
                true
            }
            Ack::Withdrawn(gate) => {
                let state = ledger.gates.get(gate).map(|line| line.state.as_str());
                hold!(state == Some("withdrawn"), "{ack:?}, and it is {state:?}");
                once.insert(("withdrawn", gate))
            }
            Ack::Started(permit) => {
                let state = ledger.permits.get(permit).map(|line| line.state.as_str());
                hold!(!matches!(state, None | Some("issued" | "expired")), "{ack:?}, and it is {state:?}");
                once.insert(("started", permit))
            }
            Ack::Ended(permit, how) => {
                let state = ledger.permits.get(permit).map(|line| &line.state);
                hold!(state == Some(how), "{ack:?}, and it is {state:?}");
                once.insert(("ended", permit))
            }
            Ack::Made(scope) => {
                hold!(ledger.scopes.contains_key(scope), "{ack:?}: there is no such scope");
                once.insert(("made", scope))
            }
        };
        hold!(is_once, "{ack:?}, for the second time");
    }
    Ok(())
}

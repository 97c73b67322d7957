//! The model: what the pages say of decisions, gates, permits and scopes, in as few words as can be. It knows the policy of
//! the house by heart, and keeps everything in lists. It is written from `docs/kernel`, `docs/language/approvals.md` and
//! the page of `std.scopes`, and from nothing in the kernel.

use std::collections::{BTreeMap, BTreeSet};

use super::house::{AGENTS, AUDIT, BAD, BOARD, CHIEFS, Does, PEOPLE, Registry, Want, dear};
use super::jobs::Job;

/// Who does something: an agent, a person, or somebody whom nobody knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    Agent(usize),
    Person(usize),
    Nobody,
}

impl Who {
    pub fn name(self) -> (&'static str, &'static str) {
        match self {
            Who::Agent(at) => ("Agent", AGENTS[at]),
            Who::Person(at) => ("Person", PEOPLE[at]),
            Who::Nobody => ("Person", "nobody"),
        }
    }
}

/// What a rule asks for. Times are in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asks {
    pub rule: &'static str,
    pub team: usize,
    pub quorum: usize,
    pub within: i64,
    pub escalates: Option<(usize, i64)>,
    pub distinct: bool,
}

/// What policy says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// A rule denies it, or none allows it.
    Deny,
    /// It can't be asked, or an invariant is violated.
    Error,
    Allow,
    Ask(Vec<Asks>),
}

/// What is bound of a request, and with it what a job was like; and whether it is for a change that does more.
pub type Key = (Want, Option<Job>, bool);

/// What policy says of a request now, and what people would agree to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    pub said: Said,
    pub key: Key,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Pending,
    Approved,
    Denied,
    Expired,
    Withdrawn,
    Spent,
}

impl State {
    pub fn name(self) -> &'static str {
        match self {
            State::Pending => "pending",
            State::Approved => "approved",
            State::Denied => "denied",
            State::Expired => "expired",
            State::Withdrawn => "withdrawn",
            State::Spent => "spent",
        }
    }
}

#[derive(Clone, Debug)]
pub struct Gate {
    pub id: String,
    pub who: Who,
    pub want: Want,
    /// What people agree to.
    key: Key,
    pub asks: Vec<Asks>,
    /// Of which rules it was written down that another group is asked.
    told: BTreeSet<&'static str>,
    /// Who, of what rule, and as one of which team.
    pub votes: Vec<(usize, &'static str, usize)>,
    opened: i64,
    expires: i64,
    pub state: State,
}

#[derive(Clone, Debug)]
pub struct Permit {
    pub id: String,
    pub token: String,
    pub want: Want,
    key: Key,
    pub state: &'static str,
    due: i64,
    /// The scope, by its place, and the cost.
    reserved: Option<(usize, i64)>,
}

#[derive(Clone, Debug)]
pub struct Scope {
    pub id: String,
    maker: usize,
    max_attempts: i64,
    max_cents: i64,
    expires: i64,
    pub used: (i64, i64),
    pub reserved: (i64, i64),
    pub status: &'static str,
}

/// What a request comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Comes {
    Denied,
    /// By the kernel, although policy does not.
    Barred,
    /// It waits for this gate; for a new one, if there is none.
    Waits(Option<usize>),
    /// It may run, for the approval of a gate where that was needed.
    Runs(Option<usize>),
}

#[derive(Clone, Debug)]
pub struct Model {
    /// In seconds.
    pub now: i64,
    pub bundle: usize,
    pub registry: Registry,
    pub gates: Vec<Gate>,
    pub permits: Vec<Permit>,
    pub scopes: Vec<Scope>,
    pub jobs: BTreeMap<u8, Job>,
    /// What evidence is kept.
    pub proofs: BTreeSet<u8>,
    /// How often it was announced that a job made a step.
    pub announced: usize,
    /// Which actions are enforced permissively, and who has made them so; nobody of the house, where it is `None`.
    pub permissive: BTreeMap<&'static str, Option<Who>>,
}

const START_WITHIN: i64 = 60;
const RUN_WITHIN: i64 = 600;

impl Model {
    pub fn new() -> Model {
        Model {
            now: 0,
            bundle: 0,
            registry: Registry::new(),
            gates: Vec::new(),
            permits: Vec::new(),
            scopes: Vec::new(),
            jobs: BTreeMap::new(),
            proofs: BTreeSet::new(),
            announced: 0,
            permissive: BTreeMap::new(),
        }
    }

    // ---- Policy ----

    /// What policy says. A job is made in a change and nowhere else.
    pub fn judge(&self, want: &Want, frozen: u8, is_change: bool) -> Judged {
        Judged { said: self.policy(want, frozen, is_change), key: self.key(want, is_change) }
    }

    fn policy(&self, want: &Want, frozen: u8, is_change: bool) -> Said {
        let Some(limit) = self.registry.limits[want.agent()] else { return Said::Error };
        let large = |quorum, within, escalates| Asks {
            rule: "house.large",
            team: BOARD,
            quorum,
            within,
            escalates,
            distinct: false,
        };
        let mut asks = Vec::new();
        match want {
            Want::Pay { .. } if frozen > 1 => return Said::Error,
            Want::Pay { cents, .. } if BAD.contains(cents) => return Said::Error,
            Want::Pay { cents, .. } => {
                if *cents > limit || frozen > 0 || (self.bundle == 1 && *cents > 40_000) {
                    return Said::Deny;
                }
                if self.bundle == 1 {
                    asks.extend((*cents >= 20_000).then(|| large(1, 1_200, None)));
                } else {
                    asks.extend((*cents >= 10_000).then(|| large(2, 3_600, Some((CHIEFS, 600)))));
                    let huge = Asks { rule: "house.huge", team: AUDIT, distinct: true, ..large(1, 1_800, None) };
                    asks.extend((*cents >= 30_000).then_some(huge));
                }
            }
            Want::Restart { scope, cents, incident, .. } => {
                let Some(scope) = self.scope_of(scope.as_deref()).map(|at| &self.scopes[at]) else { return Said::Deny };
                if !incident || !self.has_room(scope, *cents) {
                    return Said::Deny;
                }
                asks.extend((*cents >= 100).then(|| Asks { rule: "house.costly", ..large(1, 120, None) }));
            }
            Want::Job { job, does, proof, .. } => match (does, self.jobs.get(job)) {
                (Does::Order { cents, .. }, None) if is_change && *cents > 0 => {}
                (Does::Order { .. }, _) | (_, None) => return Said::Error,
                (Does::Amend { .. }, Some(_)) => {}
                (Does::Look, Some(_)) => asks.push(Asks { rule: "house.looked", ..large(1, 1_200, None) }),
                (Does::Step { to: "done", .. }, Some(_)) if proof.is_none() => return Said::Deny,
                (Does::Step { to, .. }, Some(job)) => {
                    let is_dear = *to == "done" && job.cents >= dear(self.bundle);
                    asks.extend(is_dear.then(|| Asks { rule: "house.dear", ..large(1, 1_200, None) }));
                }
            },
        }
        if asks.is_empty() { Said::Allow } else { Said::Ask(asks) }
    }

    /// What is bound of a request: not what is said beside it, where the bundle has it so, and nothing that only the
    /// embedder says; but for what a change does to a job, and tells of it.
    fn key(&self, want: &Want, is_change: bool) -> Key {
        let (mut key, mut was, mut does_more) = (want.clone(), None, false);
        match &mut key {
            Want::Pay { note, .. } if self.bundle != 2 => *note = 0,
            Want::Pay { .. } | Want::Restart { .. } => {}
            Want::Job { job, does, proof, .. } => {
                *proof = None;
                match does {
                    Does::Amend { .. } | Does::Step { .. } if is_change => does_more = true,
                    Does::Amend { cents } => *cents = 0,
                    Does::Step { cents, .. } => *cents = None,
                    Does::Order { .. } | Does::Look => {}
                }
                was = self.jobs.get(job).map(|job| Job { version: 0, ..job.clone() });
            }
        }
        (key, was, does_more)
    }

    // ---- Requests ----

    pub fn decide(&mut self, who: Who, want: &Want, frozen: u8) -> Comes {
        let judged = self.judge(want, frozen, false);
        let by = self.permissive.get(want.action());
        match judged.said {
            // What rules deny runs all the same, where somebody else has it so; but there has to be room in its scope.
            Said::Deny if by.is_some_and(|by| *by != Some(who)) => match want {
                Want::Restart { scope, cents, .. }
                    if self.scope_of(scope.as_deref()).is_some_and(|at| !self.has_room(&self.scopes[at], *cents)) =>
                {
                    Comes::Barred
                }
                _ => Comes::Runs(None),
            },
            _ => self.conclude(who, &judged),
        }
    }

    /// What something that was judged comes to.
    pub fn conclude(&mut self, who: Who, judged: &Judged) -> Comes {
        match judged.said {
            Said::Deny | Said::Error => Comes::Denied,
            Said::Allow => Comes::Runs(None),
            Said::Ask(_) => {
                let waits = |gate: &Gate| gate.who == who && gate.key == judged.key && self.is_open(gate);
                match self.gates.iter().position(waits) {
                    Some(at) => self.spend(at, who, judged),
                    None => Comes::Waits(None),
                }
            }
        }
    }

    /// The use of a gate by its id.
    pub fn spend_by_id(&mut self, at: usize, who: Who, judged: &Judged) -> Comes {
        // What a change does beside its request is not known here.
        if self.gates[at].key.2 { Comes::Barred } else { self.spend(at, who, judged) }
    }

    /// The use of a gate for a request, which is decided again.
    pub fn spend(&mut self, at: usize, who: Who, judged: &Judged) -> Comes {
        let (Judged { said, key }, now) = (judged.clone(), self.now);
        let is_denied = matches!(said, Said::Deny | Said::Error);
        let barred = if is_denied { Comes::Denied } else { Comes::Barred };
        // Of what was asked for nothing is kept once it has ended: it is not decided again.
        if !matches!(self.gates[at].state, State::Pending | State::Approved) {
            return Comes::Barred;
        }
        if self.lapse(at) || who != self.gates[at].who {
            return barred;
        }
        let gate = &mut self.gates[at];
        if is_denied || key != gate.key {
            gate.state = State::Denied;
            return barred;
        }
        if let Said::Ask(asks) = said {
            let carried: Vec<&str> = gate
                .asks
                .iter()
                .filter(|old| asks.iter().any(|new| is_carried(old, new)))
                .map(|old| old.rule)
                .collect();
            gate.told.retain(|rule| carried.contains(rule));
            if asks != gate.asks {
                let ends = asks.iter().map(|asks| gate.opened + asks.within).min().unwrap_or(gate.expires);
                gate.expires = gate.expires.min(ends);
                gate.asks = asks;
            }
            if now >= gate.expires {
                gate.state = State::Expired;
                return Comes::Barred;
            }
            if !self.is_agreed(at) {
                self.gates[at].state = State::Pending;
                return Comes::Waits(Some(at));
            }
        }
        self.gates[at].state = State::Spent;
        Comes::Runs(Some(at))
    }

    pub fn opened(&mut self, id: &str, who: Who, want: &Want, judged: Judged) -> bool {
        let Judged { said: Said::Ask(asks), key } = judged else { return false };
        let expires = asks.iter().map(|asks| self.now + asks.within).min().unwrap_or(self.now);
        self.gates.push(Gate {
            id: id.to_owned(),
            who,
            want: want.clone(),
            key,
            asks,
            told: BTreeSet::new(),
            votes: Vec::new(),
            opened: self.now,
            expires,
            state: State::Pending,
        });
        true
    }

    // ---- Gates ----

    fn is_open(&self, gate: &Gate) -> bool {
        matches!(gate.state, State::Pending | State::Approved) && self.now < gate.expires
    }

    /// Whether a gate is over; and writes it down.
    fn lapse(&mut self, at: usize) -> bool {
        let is_open = self.is_open(&self.gates[at]);
        let gate = &mut self.gates[at];
        if !is_open && matches!(gate.state, State::Pending | State::Approved) {
            gate.state = State::Expired;
        }
        !is_open
    }

    /// Why somebody may not vote for a rule.
    fn kept_from(&self, gate: &Gate, voter: Who, asks: &Asks) -> Vec<&'static str> {
        let Who::Person(voter) = voter else { return vec!["not_an_approver"] };
        let mut why = Vec::new();
        let agent = gate.want.agent();
        if self.registry.limits[agent].is_none() {
            why.push("owners_unknown");
        }
        if gate.who == Who::Person(voter) {
            why.push("requester");
        }
        let of_requester = match gate.who {
            Who::Agent(at) if self.registry.limits[at].is_some() => self.registry.owners[at],
            _ => None,
        };
        if self.registry.owners[agent] == Some(voter) || of_requester == Some(voter) {
            why.push("owner");
        }
        let escalated = asks.escalates.filter(|(_, after)| gate.opened + after <= self.now);
        let mut teams = [Some(asks.team), escalated.map(|(team, _)| team)].into_iter().flatten();
        if !teams.any(|team| self.registry.teams[voter][team]) {
            why.push("not_asked");
        }
        why
    }

    /// Whether enough have agreed to everything, by who is who now.
    fn is_agreed(&self, at: usize) -> bool {
        let gate = &self.gates[at];
        gate.asks.iter().all(|asks| {
            let counts = |(voter, rule, team): &&(usize, &str, usize)| {
                let elsewhere = |(other, of, _): &(usize, &str, usize)| {
                    other == voter && of != rule && gate.asks.iter().any(|asks| asks.rule == *of)
                };
                *rule == asks.rule
                    && *team == asks.team
                    && self.kept_from(gate, Who::Person(*voter), asks).is_empty()
                    && !(asks.distinct && gate.votes.iter().any(elsewhere))
            };
            let agreed: BTreeSet<usize> = gate.votes.iter().filter(counts).map(|(voter, ..)| *voter).collect();
            agreed.len() >= asks.quorum
        })
    }

    /// Whether a gate asks somebody for nothing: then they have no business at it, and nothing is done.
    fn is_stranger(&self, at: usize, voter: Who) -> bool {
        let gate = &self.gates[at];
        let is_kept = |asks| {
            let why = self.kept_from(gate, voter, asks);
            why.contains(&"not_asked") || why.contains(&"not_an_approver")
        };
        gate.asks.iter().all(is_kept)
    }

    /// A vote. Gives why it does not count; it counts if nothing keeps it from that.
    pub fn vote(&mut self, at: usize, voter: Who, rule: &str, deny: bool, is_seen: bool) -> Vec<&'static str> {
        if self.is_stranger(at, voter) {
            return vec!["forbidden"];
        }
        let was = self.gates[at].state;
        let mut why = Vec::new();
        if self.lapse(at) {
            why.push(if was == State::Pending || was == State::Approved { "expired" } else { was.name() });
        }
        if !is_seen {
            why.push("other_binding");
        }
        let gate = &self.gates[at];
        let Some(asks) = gate.asks.iter().find(|asks| asks.rule == rule).copied() else {
            why.push("no_such_rule");
            return why;
        };
        why.extend(self.kept_from(gate, voter, &asks));
        if let (Who::Person(voter), false) = (voter, deny) {
            let before = || gate.votes.iter().filter(move |(other, ..)| *other == voter);
            if before().any(|(_, rule, team)| *rule == asks.rule && *team == asks.team) {
                why.push("duplicate");
            }
            let is_distinct =
                |of: &str| gate.asks.iter().any(|other| other.rule == of && (other.distinct || asks.distinct));
            if before().any(|(_, rule, _)| *rule != asks.rule && is_distinct(rule)) {
                why.push("not_distinct");
            }
        }
        if let (true, Who::Person(voter)) = (why.is_empty(), voter) {
            if deny {
                self.gates[at].state = State::Denied;
            } else {
                self.gates[at].votes.push((voter, asks.rule, asks.team));
                if self.is_agreed(at) {
                    self.gates[at].state = State::Approved;
                }
            }
        }
        why
    }

    pub fn withdraw(&mut self, at: usize, who: Who) -> bool {
        // Whoever has no business at it changes nothing, and writes nothing down.
        if who != self.gates[at].who || self.lapse(at) {
            return false;
        }
        self.gates[at].state = State::Withdrawn;
        true
    }

    // ---- Permits ----

    pub fn issued(&mut self, id: &str, token: &str, want: &Want) {
        let reserved = match want {
            Want::Restart { scope, cents, .. } => self.scope_of(scope.as_deref()).map(|at| (at, *cents)),
            Want::Pay { .. } | Want::Job { .. } => None,
        };
        if let Some((at, cents)) = reserved {
            let reserved = &mut self.scopes[at].reserved;
            *reserved = (reserved.0 + 1, reserved.1 + cents);
        }
        self.permits.push(Permit {
            id: id.to_owned(),
            token: token.to_owned(),
            want: want.clone(),
            key: self.key(want, false),
            state: "issued",
            due: self.now + START_WITHIN,
            reserved,
        });
    }

    /// Whether something may be started.
    pub fn start(&mut self, at: usize, want: &Want) -> bool {
        let is_same = self.permits[at].key == self.key(want, false) && self.registry.limits[want.agent()].is_some();
        let permit = &mut self.permits[at];
        let starts = permit.state == "issued" && self.now < permit.due && is_same;
        if starts {
            (permit.state, permit.due) = ("started", self.now + RUN_WITHIN);
        }
        starts
    }

    /// Whether it can be said that what was started ran, at a cost if one is given.
    pub fn complete(&mut self, at: usize, cents: Option<i64>) -> bool {
        let ends = self.permits[at].state == "started" && cents.is_none_or(|cents| cents >= 0);
        if ends {
            self.end(at, "completed", 1, |reserved| cents.unwrap_or(reserved));
        }
        ends
    }

    pub fn fail(&mut self, at: usize) -> bool {
        let ends = self.permits[at].state == "started";
        if ends {
            self.end(at, "failed", 1, |_| 0);
        }
        ends
    }

    fn end(&mut self, at: usize, state: &'static str, attempts: i64, cost: impl Fn(i64) -> i64) {
        let permit = &mut self.permits[at];
        permit.state = state;
        if let Some((at, reserved)) = permit.reserved {
            let scope = &mut self.scopes[at];
            scope.reserved = (scope.reserved.0 - 1, scope.reserved.1 - reserved);
            scope.used = (scope.used.0 + attempts, scope.used.1 + cost(reserved));
            if scope.status == "active" && (scope.used.0 >= scope.max_attempts || scope.used.1 > scope.max_cents) {
                scope.status = "exhausted";
            }
        }
    }

    // ---- Scopes ----

    /// Whether something of that cost may still run in a scope.
    fn has_room(&self, scope: &Scope, cents: i64) -> bool {
        let fits = scope.used.1 + scope.reserved.1 + cents <= scope.max_cents;
        self.scope_now(scope) == "active" && cents >= 0 && fits
    }

    pub fn scope_of(&self, id: Option<&str>) -> Option<usize> {
        id.and_then(|id| self.scopes.iter().position(|scope| scope.id == id))
    }

    fn scope_now(&self, scope: &Scope) -> &'static str {
        match scope.status {
            "active" if self.now > scope.expires => "expired",
            "active" if scope.used.0 + scope.reserved.0 >= scope.max_attempts => "exhausted",
            status => status,
        }
    }

    /// Whether somebody may make a scope.
    pub fn may_make(&self, agent: usize, attempts: i64, cents: i64, ttl: i64) -> bool {
        let fits = (1..=64).contains(&attempts) && (0..=10_000).contains(&cents) && (60..=3_600).contains(&ttl);
        fits && self.registry.limits[agent].is_some()
    }

    pub fn made(&mut self, id: &str, agent: usize, attempts: i64, cents: i64, ttl: i64) {
        self.scopes.push(Scope {
            id: id.to_owned(),
            maker: agent,
            max_attempts: attempts,
            max_cents: cents,
            expires: self.now + ttl,
            used: (0, 0),
            reserved: (0, 0),
            status: "active",
        });
    }

    /// Whether a scope ends so.
    pub fn end_scope(&mut self, at: usize, agent: usize, to: &'static str) -> bool {
        let scope = &self.scopes[at];
        let is_step = match to {
            "revoked" => true,
            "expired" => scope.status == "active" && self.now > scope.expires,
            // With all its attempts used it is exhausted already.
            _ => false,
        };
        let ends = is_step && scope.maker == agent && self.registry.limits[agent].is_some();
        if ends {
            self.scopes[at].status = to;
        }
        ends
    }

    // ---- Time ----

    /// What time has ended: permits with what became of them, gates, scopes, each by id.
    pub fn sweep(&mut self) -> (Vec<(String, &'static str)>, Vec<String>, Vec<String>) {
        let mut permits = Vec::new();
        for at in 0..self.permits.len() {
            match self.permits[at].state {
                _ if self.now < self.permits[at].due => continue,
                "issued" => self.end(at, "expired", 0, |_| 0),
                "started" => self.end(at, "abandoned", 1, |reserved| reserved),
                _ => continue,
            }
            permits.push((self.permits[at].id.clone(), self.permits[at].state));
        }
        let mut gates = Vec::new();
        for at in 0..self.gates.len() {
            if !matches!(self.gates[at].state, State::Pending | State::Approved) {
                continue;
            }
            let is_over = self.lapse(at);
            let (gate, now) = (&mut self.gates[at], self.now);
            let due = |asks: &&Asks| asks.escalates.is_some_and(|(_, after)| gate.opened + after <= now);
            let due: Vec<&'static str> = gate.asks.iter().filter(due).map(|asks| asks.rule).collect();
            let news = due.into_iter().filter(|rule| gate.told.insert(rule)).count();
            if is_over || news > 0 {
                gates.push(gate.id.clone());
            }
        }
        let mut scopes = Vec::new();
        for scope in &mut self.scopes {
            if scope.status == "active" && self.now > scope.expires {
                scope.status = "expired";
                scopes.push(scope.id.clone());
            }
        }
        (permits, gates, scopes)
    }
}

/// Whether whom a rule escalates to is the same as before.
fn is_carried(old: &Asks, new: &Asks) -> bool {
    old.rule == new.rule && old.escalates == new.escalates
}

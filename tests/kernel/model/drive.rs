//! Does to a kernel and to the model the same, and holds each answer, the log and what is stored against one another.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use pdl::data::decimal::Decimal;
use pdl::kernel::ask::Verdict;
use pdl::kernel::engine::Active;
use pdl::kernel::entry::{Entry, Kind};
use pdl::kernel::environment::Environment;
use pdl::kernel::gate::Verdict as Vote;
use pdl::kernel::govern::operators::{Operator, Role};
use pdl::kernel::log::commitment::reveal;
use pdl::kernel::permit::StepRefused;
use pdl::kernel::reading::Against;
use pdl::kernel::record::{self, Principal};
use pdl::kernel::scope::{ScopeRefused, ScopeStatus};
use pdl::kernel::store::memory::Memory;
use pdl::kernel::store::sqlite::{Options, Sqlite};
use pdl::kernel::store::{Store, Tx};
use pdl::kernel::{Kernel, KernelError};
use pdl::{Answer, Digest};
use proptest::prelude::*;

use super::super::audit::{Audit, Ledger, compare, hold};
use super::super::house::{World, reader, settings, who};
use super::house::{AGENTS, BAD, BUNDLES, Does, PEOPLE, TEAMS, Want, money, request};
use super::plain::{Comes, Judged, Model, Said, Who};

/// Something that somebody does. Numbers choose among what there is at that moment.
#[derive(Clone, Debug)]
pub enum Op {
    Pay {
        who: u8,
        agent: u8,
        order: u8,
        cents: i64,
        note: u8,
        memo: bool,
        frozen: u8,
    },
    Restart {
        who: u8,
        agent: u8,
        scope: u8,
        cents: i64,
        incident: bool,
    },
    Garbage,
    Vote {
        gate: u8,
        voter: u8,
        rule: u8,
        deny: bool,
        is_seen: bool,
    },
    Withdraw {
        gate: u8,
        who: Option<u8>,
    },
    Spend {
        gate: u8,
        who: Option<u8>,
        frozen: u8,
    },
    Start {
        permit: u8,
        other: Option<u8>,
        note: u8,
        is_broken: bool,
    },
    Complete {
        permit: u8,
        cents: Option<i64>,
    },
    Fail {
        permit: u8,
    },
    Make {
        agent: u8,
        attempts: i64,
        cents: i64,
        ttl: i64,
    },
    End {
        scope: u8,
        agent: u8,
        to: ScopeStatus,
    },
    Sweep,
    Turn(i64),
    Limit {
        agent: u8,
        cents: Option<i64>,
    },
    Owner {
        agent: u8,
        owner: Option<u8>,
    },
    Team {
        person: u8,
        team: u8,
        is_in: bool,
    },
    BadPatch,
    Bundle(u8),
    BadBundle,
    Reopen,
    /// Everybody votes for a gate who is asked.
    Agree {
        gate: u8,
    },
    /// Somebody who agreed is among those who are asked no more; and then, the gate is to be spent.
    Leave {
        gate: u8,
        vote: u8,
        spends: bool,
    },
    Change {
        who: u8,
        agent: u8,
        moves: Vec<(u8, Does, Option<u8>)>,
    },
    /// A change that people were asked for is tried again, once those have agreed who are asked.
    Again {
        change: u8,
        agrees: bool,
        /// What is set is something else than what they were asked for.
        is_other: bool,
    },
    Mode {
        by: u8,
        action: u8,
        permissive: bool,
    },
    /// There is no chance for what is done next, after so many numbers.
    RunDry(u8),
}

/// Who does it: mostly the agents, whose requests they are; and among voters mostly people.
fn asker() -> impl Strategy<Value = u8> {
    prop_oneof![5 => Just(0), 2 => Just(1), 3 => 2_u8..8]
}

fn voter() -> impl Strategy<Value = u8> {
    prop_oneof![3 => Just(2), 3 => Just(3), 2 => Just(4), 2 => Just(5), 2 => Just(6), 2 => 0_u8..9]
}

pub fn op() -> impl Strategy<Value = Op> {
    let cents = prop::sample::select(
        &[5_000, 5_000, 10_000, 10_000, 15_000, 25_000, 35_000, 45_000, 60_000, BAD[0], BAD[1]][..],
    );
    let dear = prop::sample::select(&[-1_i64, 0, 25, 50, 100, 130, 300][..]);
    let frozen = || prop_oneof![18 => Just(0_u8), 1 => Just(1), 1 => Just(2)];
    let seconds = prop::sample::select(&[1_i64, 1, 1, 5, 5, 29, 30, 31, 60, 61, 300, 601, 601, 3_600][..]);
    let pay = (asker(), 0_u8..2, 0_u8..2, cents, 0_u8..3, any::<bool>(), frozen()).prop_map(
        |(who, agent, order, cents, note, memo, frozen)| Op::Pay { who, agent, order, cents, note, memo, frozen },
    );
    let restart = (asker(), 0_u8..2, any::<u8>(), dear.clone(), prop::bool::weighted(0.9))
        .prop_map(|(who, agent, scope, cents, incident)| Op::Restart { who, agent, scope, cents, incident });
    let vote = (any::<u8>(), voter(), 0_u8..4, prop::bool::weighted(0.06), prop::bool::weighted(0.95))
        .prop_map(|(gate, voter, rule, deny, is_seen)| Op::Vote { gate, voter, rule, deny, is_seen });
    let by = || prop::option::weighted(0.2, 0_u8..9);
    let start = (any::<u8>(), prop::option::weighted(0.15, any::<u8>()), 0_u8..8, prop::bool::weighted(0.05))
        .prop_map(|(permit, other, note, is_broken)| Op::Start { permit, other, note, is_broken });
    let status = prop::sample::select(&ScopeStatus::ALL[..]);
    let limit = prop::option::weighted(0.85, prop::sample::select(&[4_000_i64, 20_000, 50_000, 90_000][..]));
    prop_oneof![
        14 => pay,
        14 => restart,
        1 => Just(Op::Garbage),
        26 => vote,
        1 => (any::<u8>(), by()).prop_map(|(gate, who)| Op::Withdraw { gate, who }),
        10 => (any::<u8>(), by(), frozen()).prop_map(|(gate, who, frozen)| Op::Spend { gate, who, frozen }),
        16 => start,
        8 => (any::<u8>(), prop::option::of(dear)).prop_map(|(permit, cents)| Op::Complete { permit, cents }),
        4 => any::<u8>().prop_map(|permit| Op::Fail { permit }),
        7 => (0_u8..2, 0_i64..5, prop::sample::select(&[50_i64, 150, 400, 400, 20_000][..]), prop::sample::select(&[60_i64, 600, 3_600, 7_200][..]))
            .prop_map(|(agent, attempts, cents, ttl)| Op::Make { agent, attempts, cents, ttl }),
        2 => (any::<u8>(), 0_u8..2, status).prop_map(|(scope, agent, to)| Op::End { scope, agent, to }),
        6 => Just(Op::Sweep),
        9 => seconds.prop_map(Op::Turn),
        2 => (0_u8..2, limit).prop_map(|(agent, cents)| Op::Limit { agent, cents }),
        1 => (0_u8..2, prop::option::of(0_u8..6)).prop_map(|(agent, owner)| Op::Owner { agent, owner }),
        4 => (0_u8..6, 0_u8..3, any::<bool>()).prop_map(|(person, team, is_in)| Op::Team { person, team, is_in }),
        1 => Just(Op::BadPatch),
        2 => (0_u8..3).prop_map(Op::Bundle),
        1 => Just(Op::BadBundle),
        2 => Just(Op::Reopen),
        7 => any::<u8>().prop_map(|gate| Op::Agree { gate }),
        4 => (any::<u8>(), any::<u8>(), prop::bool::weighted(0.7))
            .prop_map(|(gate, vote, spends)| Op::Leave { gate, vote, spends }),
        22 => (asker(), 0_u8..2, prop::collection::vec(moving(), 1..4))
            .prop_map(|(who, agent, moves)| Op::Change { who, agent, moves }),
        8 => (any::<u8>(), prop::bool::weighted(0.6), prop::bool::weighted(0.2))
            .prop_map(|(change, agrees, is_other)| Op::Again { change, agrees, is_other }),
        5 => (0_u8..4, 0_u8..5, prop::bool::weighted(0.6))
            .prop_map(|(by, action, permissive)| Op::Mode { by, action, permissive }),
        8 => (0_u8..8).prop_map(Op::RunDry),
    ]
}

/// What happens to which job, and what shows that it is right.
fn moving() -> impl Strategy<Value = (u8, Does, Option<u8>)> {
    let cents = || prop::sample::select(&[0_i64, 2_500, 2_500, 7_500, 12_000, 12_000, 12_000, 12_000][..]);
    let status = prop_oneof![9 => Just("wanted"), 1 => Just("running")];
    let to = prop::sample::select(
        &["running", "running", "running", "done", "done", "done", "done", "wanted", "dropped"][..],
    );
    let does = prop_oneof![
        3 => (status, cents()).prop_map(|(status, cents)| Does::Order { status, cents }),
        1 => cents().prop_map(|cents| Does::Amend { cents }),
        6 => (to, prop::option::weighted(0.15, cents())).prop_map(|(to, cents)| Does::Step { to, cents }),
        1 => Just(Does::Look),
    ];
    (any::<u8>(), does, prop::option::weighted(0.8, 0_u8..6))
}

/// Where the kernel's store lies.
#[derive(Debug)]
pub enum Place {
    Memory,
    File(PathBuf),
}

/// A kernel, and the model beside it.
pub struct Run<'c> {
    kernel: Option<Kernel>,
    place: Place,
    world: Arc<World>,
    pub(super) model: Model,
    pub(super) ledger: Ledger,
    /// What decided, by the version of the registry.
    actives: BTreeMap<u64, Arc<Active>>,
    /// The changes that people were asked for: for which gate, who wanted it, and what.
    pub(super) asked: Vec<(usize, Who, Vec<Want>)>,
    /// After how many numbers there is none, for what is done next.
    dry: Option<u8>,
    /// What was so before something for which there may be no chance.
    before: Option<Model>,
    pub(super) counts: &'c mut BTreeMap<String, u64>,
}

fn open(place: &Place, store: Option<Box<dyn Store>>, world: &Arc<World>) -> Kernel {
    let store: Box<dyn Store> = match (place, store) {
        (Place::Memory, Some(store)) => store,
        (Place::Memory, None) => Box::new(Memory::new()),
        (Place::File(path), None) => Box::new(Sqlite::create(path, &Options::PLAIN).expect("it is made")),
        (Place::File(path), Some(store)) => {
            drop(store);
            Box::new(Sqlite::open(path, &Options::PLAIN).expect("it is there"))
        }
    };
    let world: Arc<dyn Environment> = Arc::<World>::clone(world);
    let mut settings = settings();
    settings.founders.push(Operator::person(principal(KIM), &[Role::Admin]));
    Kernel::open(store, world, settings).expect("it opens")
}

/// One of the people of the house, who is an admin.
pub const KIM: Who = Who::Person(3);

pub fn principal(who: Who) -> Principal {
    let (ty, id) = who.name();
    self::who(ty, id)
}

pub fn olga() -> Principal {
    who("Person", "olga")
}

/// Somebody: first the agents, then the people, and behind them whom nobody knows.
pub fn somebody(at: u8) -> Who {
    match usize::from(at) {
        at if at < AGENTS.len() => Who::Agent(at),
        at if at < AGENTS.len() + PEOPLE.len() => Who::Person(at - AGENTS.len()),
        _ => Who::Nobody,
    }
}

/// One of several, the later ones more often: small numbers are the last ones.
pub fn one_of(number: u8, count: usize) -> Option<usize> {
    let back = (usize::from(number) * usize::from(number) / 256) * count / 256;
    count.checked_sub(1 + back)
}

impl Run<'_> {
    pub fn new(place: Place, counts: &mut BTreeMap<String, u64>) -> Run<'_> {
        let world = World::new();
        let kernel = open(&place, None, &world);
        let model = Model::new();
        kernel.activate(&olga(), &BUNDLES[0], Some(&model.registry.document())).expect("it is activated");
        let mut run = Run {
            kernel: Some(kernel),
            place,
            world,
            model,
            ledger: Ledger::default(),
            actives: BTreeMap::new(),
            asked: Vec::new(),
            dry: None,
            before: None,
            counts,
        };
        run.read_on().unwrap_or_else(|why| panic!("{why}"));
        run
    }

    pub(super) fn kernel(&self) -> &Kernel {
        self.kernel.as_ref().expect("it is open")
    }

    pub(super) fn count(&mut self, what: &str) {
        *self.counts.entry(what.to_owned()).or_default() += 1;
    }

    /// Does something, and looks what came of it.
    pub fn step(&mut self, op: &Op) -> Audit<()> {
        let is_several = matches!(op, Op::Sweep | Op::Agree { .. } | Op::Leave { .. } | Op::Again { .. });
        let may_lack = !is_several && !matches!(op, Op::RunDry(_) | Op::Reopen);
        if let Some(after) = self.dry.take().filter(|_| may_lack) {
            self.before = Some(self.model.clone());
            self.world.run_dry(after);
        }
        self.act(op)?;
        self.before = None;
        hold!(!self.world.fill_up(), "nobody was told that there is no chance");
        let news = self.read_on()?;
        self.same(matches!(op, Op::Reopen | Op::Sweep | Op::Change { .. } | Op::Mode { .. }))?;
        if let Op::Turn(_) | Op::Reopen = op {
            hold!(news.is_empty(), "nobody did anything, and the log says {news:?}");
        }
        Ok(())
    }

    /// Whether there was no chance for what was just done. Then it was refused, and nothing has changed.
    pub(super) fn lacked(&mut self, is_refused: bool) -> Audit<bool> {
        if self.before.is_none() || !self.world.fill_up() {
            return Ok(false);
        }
        self.model = self.before.take().ok_or("it is there")?;
        self.count("failed halfway");
        hold!(is_refused, "there was no chance, and it was done");
        Ok(true)
    }

    /// The same of an answer, which has an entry all the same.
    pub(super) fn lacked_for(&mut self, verdict: &Verdict) -> Audit<bool> {
        let is_denied = verdict.answer() == Answer::Deny && verdict.trouble.is_some();
        let is_lacking = self.lacked(is_denied && verdict.permit.is_none() && verdict.gate.is_none())?;
        // Where it was denied for something else, it is the entry of that for which there was no chance.
        let is_told = verdict.entry.is_some() || !matches!(verdict.trouble, Some(KernelError::Log(_)));
        hold!(!is_lacking || is_told, "a denial without an entry");
        Ok(is_lacking)
    }

    pub(super) fn read_on(&mut self) -> Audit<Vec<Entry>> {
        let mut ledger = std::mem::take(&mut self.ledger);
        let read = self.kernel().read(move |tx: &mut dyn Tx| {
            let news = ledger.read_on(tx);
            Ok((ledger, news))
        });
        let (ledger, news) = read.map_err(|why| why.to_string())?;
        self.ledger = ledger;
        let active = self.kernel().active().map_err(|why| why.to_string())?;
        self.actives.insert(active.registry, active);
        news
    }

    fn act(&mut self, op: &Op) -> Audit<()> {
        match op.clone() {
            Op::Pay { who, agent, order, cents, note, memo, frozen } => {
                let want = Want::Pay { agent: agent.into(), order, cents, note, memo };
                self.decide(somebody(who), &want, frozen)
            }
            Op::Restart { who, agent, scope, cents, incident } => {
                let scope = one_of(scope, self.model.scopes.len()).filter(|_| scope < 250);
                let scope = scope.map(|at| self.model.scopes[at].id.clone());
                let want = Want::Restart { agent: agent.into(), scope, cents, incident };
                self.decide(somebody(who), &want, 0)
            }
            Op::Garbage => {
                let verdict = self.kernel().decide(&principal(Who::Agent(0)), b"{\"subject\":", None);
                if self.lacked_for(&verdict)? {
                    return Ok(());
                }
                self.answered(&verdict, Who::Agent(0), &Comes::Denied)
            }
            Op::Vote { gate, voter, rule, deny, is_seen } => self.vote(gate, somebody(voter), rule, deny, is_seen),
            Op::Withdraw { gate, who } => self.withdraw(gate, who),
            Op::Spend { gate, who, frozen } => self.spend(gate, who, frozen),
            Op::Start { permit, other, note, is_broken } => self.start(permit, other, note, is_broken),
            Op::Complete { permit, cents } => self.complete(permit, cents),
            Op::Fail { permit } => self.fail(permit),
            Op::Make { agent, attempts, cents, ttl } => self.make(agent.into(), attempts, cents, ttl),
            Op::End { scope, agent, to } => self.end(scope, agent.into(), to),
            Op::Sweep => self.sweep(),
            Op::Turn(seconds) => {
                self.world.turn(seconds);
                self.model.now += seconds;
                Ok(())
            }
            Op::Reopen => {
                let kernel = self.kernel.take().expect("it is open");
                let store = kernel.close().map_err(|why| why.to_string())?;
                self.kernel = Some(open(&self.place, Some(store), &self.world));
                Ok(())
            }
            Op::Agree { gate } => self.agree(gate),
            Op::Leave { gate, vote, spends } => self.leave(gate, vote, spends),
            Op::Change { who, agent, moves } => self.change(somebody(who), agent.into(), &moves),
            Op::Again { change, agrees, is_other } => self.again(change, agrees, is_other),
            Op::Mode { by, action, permissive } => self.set_mode(by, action, permissive),
            Op::RunDry(after) => {
                self.dry = Some(after);
                Ok(())
            }
            op => self.govern(&op),
        }
    }

    // ---- Requests ----

    fn decide(&mut self, who: Who, want: &Want, frozen: u8) -> Audit<()> {
        let verdict = self.kernel().decide(&principal(who), &want.text(), want.facts(frozen).as_deref());
        if self.lacked_for(&verdict)? {
            return Ok(());
        }
        let judged = self.model.judge(want, frozen, false);
        let comes = self.model.decide(who, want, frozen);
        if matches!(want, Want::Pay { cents, .. } if BAD.contains(cents)) && self.model.permissive.contains_key("pay") {
            self.count("denied although permissive");
        }
        if comes == Comes::Runs(None) && judged.said == Said::Deny {
            self.count("ran although denied");
        }
        self.answered(&verdict, who, &comes)?;
        self.follows(&verdict, who, want, judged, &comes)
    }

    pub(super) fn spend(&mut self, gate: u8, by: Option<u8>, frozen: u8) -> Audit<()> {
        let Some(at) = one_of(gate, self.model.gates.len()) else {
            let verdict = self.kernel().spend(&principal(Who::Agent(0)), "gate_0", None);
            if self.lacked_for(&verdict)? {
                return Ok(());
            }
            hold!(verdict.trouble == Some(KernelError::UnknownGate), "{:?}", verdict.trouble);
            return self.answered(&verdict, Who::Agent(0), &Comes::Barred);
        };
        let gate = &self.model.gates[at];
        let (who, want, id) = (by.map_or(gate.who, somebody), gate.want.clone(), gate.id.clone());
        let verdict = self.kernel().spend(&principal(who), &id, want.facts(frozen).as_deref());
        if self.lacked_for(&verdict)? {
            return Ok(());
        }
        let judged = self.model.judge(&want, frozen, false);
        let comes = self.model.spend_by_id(at, who, &judged);
        self.count(&format!("spent: {}", self.model.gates[at].state.name()));
        self.answered(&verdict, who, &comes)?;
        self.follows(&verdict, who, &want, judged, &comes)
    }

    /// Holds an answer against that of the model, and against its entry.
    pub(super) fn answered(&mut self, verdict: &Verdict, who: Who, comes: &Comes) -> Audit<()> {
        let (answer, is_barred) = match comes {
            Comes::Denied => (Answer::Deny, false),
            Comes::Barred => (Answer::Deny, true),
            Comes::Waits(_) => (Answer::RequireApproval, false),
            Comes::Runs(_) => (Answer::Allow, false),
        };
        let what = match comes {
            Comes::Waits(Some(_)) => "waits for the same",
            Comes::Runs(Some(_)) => "approved",
            Comes::Barred => "barred",
            _ => answer.name(),
        };
        self.count(what);
        let (is, why) = (verdict.answer(), &verdict.trouble);
        hold!(is == answer && why.is_some() == is_barred, "it should be {comes:?} and is {is:?}, {why:?}");
        hold!(verdict.permit.is_some() == (answer == Answer::Allow), "a permit comes with ALLOW: {:?}", verdict.permit);
        self.read_on()?;
        let entry = verdict.entry.as_ref().ok_or("an answer without an entry")?;
        let decided = self.ledger.decisions.get(entry).ok_or("an answer whose entry is not in the log")?;
        let (ty, id) = who.name();
        let asked = decided.principal == serde_json::json!({ "type": ty, "id": id });
        hold!(asked && decided.answered == answer.name(), "the log has it otherwise: {decided:?}");
        Ok(())
    }

    /// What comes with an answer.
    pub(super) fn follows(
        &mut self,
        verdict: &Verdict,
        who: Who,
        want: &Want,
        judged: Judged,
        comes: &Comes,
    ) -> Audit<()> {
        let gate = verdict.gate.as_ref();
        match comes {
            Comes::Waits(None) => {
                let gate = gate.ok_or("people are asked, and no gate is there")?;
                hold!(self.model.gates.iter().all(|other| other.id != gate.id), "the gate is an old one");
                hold!(self.model.opened(&gate.id, who, want, judged), "nobody is to be asked");
            }
            Comes::Waits(Some(at)) | Comes::Runs(Some(at)) => {
                let id = &self.model.gates[*at].id;
                hold!(gate.is_some_and(|gate| gate.id == *id), "the gate {id} is meant, and not {gate:?}");
            }
            Comes::Runs(None) | Comes::Denied | Comes::Barred => {}
        }
        if let Some(permit) = &verdict.permit {
            let claims = permit.claims();
            hold!(claims.gate.as_ref() == gate.map(|gate| &gate.id), "the permit is of the gate {:?}", claims.gate);
            self.model.issued(&claims.id, permit.token(), want);
        }
        Ok(())
    }

    // ---- Gates ----

    fn vote(&mut self, gate: u8, voter: Who, rule: u8, deny: bool, is_seen: bool) -> Audit<()> {
        one_of(gate, self.model.gates.len()).map_or(Ok(()), |at| self.vote_on(at, voter, rule, deny, is_seen))
    }

    pub(super) fn vote_on(&mut self, at: usize, voter: Who, rule: u8, deny: bool, is_seen: bool) -> Audit<()> {
        let asks = &self.model.gates[at].asks;
        let rule = asks.get(usize::from(rule) % 3).map_or("house.none", |asks| asks.rule);
        let rule = if asks.len() == 1 { asks[0].rule } else { rule };
        let id = self.model.gates[at].id.clone();
        let stored =
            self.kernel().gate(&reader(), &id).map_err(|why| why.to_string())?.ok_or("there is no such gate")?;
        let binding = if is_seen { stored.binding } else { Digest::of(b"something else") };
        let verdict = if deny { Vote::Deny } else { Vote::Approve };
        let voted = self.kernel().vote(&principal(voter), &id, rule, verdict, binding);
        if self.lacked(voted.is_err())? {
            return Ok(());
        }
        let why = self.model.vote(at, voter, rule, deny, is_seen);
        match voted {
            Ok(_) => {
                self.count("votes that count");
                hold!(why.is_empty(), "the vote counts although: {why:?}");
            }
            Err(KernelError::Gate(refused)) => {
                self.count(&format!("vote: {}", refused.name()));
                hold!(why.contains(&refused.name()), "the vote is refused for {}, and not {why:?}", refused.name());
            }
            Err(KernelError::Forbidden(_)) => {
                self.count("vote: forbidden");
                hold!(why == ["forbidden"], "the vote is forbidden, and not {why:?}");
            }
            Err(other) => return Err(other.to_string()),
        }
        Ok(())
    }

    fn withdraw(&mut self, gate: u8, by: Option<u8>) -> Audit<()> {
        let Some(at) = one_of(gate, self.model.gates.len()) else { return Ok(()) };
        let who = by.map_or(self.model.gates[at].who, somebody);
        let withdrawn = self.kernel().withdraw(&principal(who), &self.model.gates[at].id);
        if self.lacked(withdrawn.is_err())? {
            return Ok(());
        }
        let expected = self.model.withdraw(at, who);
        self.count(if expected { "withdrawn" } else { "not withdrawn" });
        hold!(withdrawn.is_ok() == expected, "it is withdrawn: {withdrawn:?}");
        Ok(())
    }

    // ---- Permits ----

    fn start(&mut self, permit: u8, other: Option<u8>, note: u8, is_broken: bool) -> Audit<()> {
        let Some(at) = one_of(permit, self.model.permits.len()) else { return Ok(()) };
        let mut want = match other.and_then(|other| one_of(other, self.model.permits.len())) {
            Some(other) => self.model.permits[other].want.clone(),
            None => self.model.permits[at].want.clone(),
        };
        // Something else is said beside it: now and then.
        if let Want::Pay { note: said, .. } = &mut want
            && note < 3
        {
            *said = note;
        }
        let mut token = self.model.permits[at].token.clone();
        if is_broken {
            let place = token.len() / 2;
            let other = if token.as_bytes()[place] == b'A' { "B" } else { "A" };
            token.replace_range(place..=place, other);
        }
        let started = self.kernel().start(&principal(Who::Agent(1)), &token, &want.text());
        if self.lacked(started.is_err())? {
            return Ok(());
        }
        if is_broken {
            self.count("start: broken");
            hold!(matches!(started, Err(KernelError::Token(_))), "a broken token: {started:?}");
            return Ok(());
        }
        let expected = self.model.start(at, &want);
        let why = match &started {
            Ok(_) => "started".to_owned(),
            Err(KernelError::Step(why)) => format!("start: {why:?}"),
            Err(KernelError::Request(_)) => "start: unreadable".to_owned(),
            Err(other) => return Err(format!("nothing starts for {other}")),
        };
        self.count(&why);
        hold!(started.is_ok() == expected, "{why}, and not {expected}");
        Ok(())
    }

    fn complete(&mut self, permit: u8, cents: Option<i64>) -> Audit<()> {
        let Some(at) = one_of(permit, self.model.permits.len()) else { return Ok(()) };
        let (bot, token) = (principal(Who::Agent(0)), &self.model.permits[at].token);
        let done = match cents {
            Some(cents) => self.kernel().complete_at_cost(&bot, token, Decimal(cents * 10_000)),
            None => self.kernel().complete(&bot, token),
        };
        if self.lacked(done.is_err())? {
            return Ok(());
        }
        let expected = self.model.complete(at, cents);
        self.ended("completed", &done, expected)
    }

    fn fail(&mut self, permit: u8) -> Audit<()> {
        let Some(at) = one_of(permit, self.model.permits.len()) else { return Ok(()) };
        let done = self.kernel().fail(&principal(Who::Agent(0)), &self.model.permits[at].token);
        if self.lacked(done.is_err())? {
            return Ok(());
        }
        let expected = self.model.fail(at);
        self.ended("failed", &done, expected)
    }

    fn ended(&mut self, how: &str, done: &Result<(), KernelError>, expected: bool) -> Audit<()> {
        let what = match done {
            Ok(()) => how.to_owned(),
            Err(KernelError::Step(why @ (StepRefused::NotStarted | StepRefused::Ended))) => format!("{how}: {why:?}"),
            Err(KernelError::Scope(ScopeRefused::BadCost)) => format!("{how}: no cost"),
            Err(other) => return Err(format!("nothing ends for {other}")),
        };
        self.count(&what);
        hold!(done.is_ok() == expected, "{what}, and not {expected}");
        Ok(())
    }

    // ---- Scopes ----

    fn make(&mut self, agent: usize, attempts: i64, cents: i64, ttl: i64) -> Audit<()> {
        let context = format!(
            r#""incident":"inc-1","allowed_actions":["restart"],"intent":"it leaks","max_attempts":{attempts},
            "max_cost":{},"target_agents":["w"],"ttl":"{ttl}s""#,
            money(cents)
        );
        let who = Who::Agent(agent);
        let text = request("open_scope", agent, r#"{"type":"Service","id":"web"}"#, &context);
        let scoping = self.kernel().create_scope(&principal(who), &text, None);
        if self.lacked_for(&scoping.verdict)? {
            return Ok(());
        }
        let may = self.model.may_make(agent, attempts, cents, ttl);
        self.scoped(&scoping.verdict, who, may)?;
        hold!(scoping.scope.is_some() == may, "a scope: {:?}", scoping.scope);
        if let Some(scope) = scoping.scope {
            self.model.made(&scope.id, agent, attempts, cents, ttl);
        }
        Ok(())
    }

    fn end(&mut self, scope: u8, agent: usize, to: ScopeStatus) -> Audit<()> {
        let Some(at) = one_of(scope, self.model.scopes.len()) else { return Ok(()) };
        let context = format!(r#""scope_id":"{}","to":"{}""#, self.model.scopes[at].id, to.name());
        let who = Who::Agent(agent);
        let text = request("end_scope", agent, r#"{"type":"Service","id":"web"}"#, &context);
        let scoping = self.kernel().end_scope(&principal(who), &text, None);
        if self.lacked_for(&scoping.verdict)? {
            return Ok(());
        }
        let ends = self.model.end_scope(at, agent, to.name());
        self.scoped(&scoping.verdict, who, ends)?;
        hold!(scoping.scope.is_some() == ends, "a scope: {:?}", scoping.scope);
        Ok(())
    }

    /// No permit comes with an ALLOW that is carried out at once.
    fn scoped(&mut self, verdict: &Verdict, who: Who, may: bool) -> Audit<()> {
        self.count(if may { "a scope was changed" } else { "no scope was changed" });
        hold!(verdict.permit.is_none(), "there is a permit to change a scope");
        let (is, why) = (verdict.answer(), &verdict.trouble);
        let expected = if may { Answer::Allow } else { Answer::Deny };
        hold!(is == expected && why.is_none(), "it is {is:?}, {why:?}");
        self.read_on()?;
        let decided = verdict.entry.as_ref().and_then(|entry| self.ledger.decisions.get(entry));
        let decided = decided.ok_or("an answer without an entry")?;
        let is_so = decided.answered == expected.name() && decided.followed == usize::from(may);
        hold!(is_so && decided.principal["id"] == who.name().1, "the log has it otherwise: {decided:?}");
        Ok(())
    }

    // ---- Everything else ----

    fn sweep(&mut self) -> Audit<()> {
        let mut swept = self.kernel().sweep(&olga()).map_err(|why| why.to_string())?;
        let (mut permits, mut gates, mut scopes) = self.model.sweep();
        let mut told: Vec<(String, &str)> =
            swept.permits.iter().map(|(id, state)| (id.clone(), state.name())).collect();
        for (list, what) in [(&mut gates, "gates"), (&mut scopes, "scopes")] {
            list.sort();
            self.counts.entry(format!("swept {what}")).and_modify(|count| *count += list.len() as u64).or_default();
        }
        for (_, state) in &permits {
            self.count(&format!("swept: {state}"));
        }
        permits.sort();
        told.sort();
        swept.gates.sort();
        swept.scopes.sort();
        hold!(swept.failed.is_empty(), "it can't be swept: {:?}", swept.failed);
        hold!(told == permits, "{told:?} are swept, and not {permits:?}");
        hold!(swept.gates == gates, "{:?} are swept, and not {gates:?}", swept.gates);
        hold!(swept.scopes == scopes, "{:?} are swept, and not {scopes:?}", swept.scopes);
        Ok(())
    }

    pub(super) fn govern(&mut self, op: &Op) -> Audit<()> {
        let registry = &mut self.model.registry;
        let upsert = |entity: String| format!(r#"{{"upsert":[{entity}]}}"#);
        let patch = match *op {
            Op::Limit { agent, cents } => {
                let agent = usize::from(agent);
                let was = std::mem::replace(&mut registry.limits[agent], cents);
                match (registry.agent(agent), was) {
                    (Some(entity), _) => upsert(entity),
                    (None, Some(_)) => format!(r#"{{"remove":[{{"type":"Agent","id":"{}"}}]}}"#, AGENTS[agent]),
                    (None, None) => return Ok(()),
                }
            }
            Op::Owner { agent, owner } => {
                let agent = usize::from(agent);
                registry.owners[agent] = owner.map(usize::from);
                match registry.agent(agent) {
                    Some(entity) => upsert(entity),
                    None => return Ok(()),
                }
            }
            Op::Team { person, team, is_in } => {
                let (person, team) = (usize::from(person), usize::from(team) % TEAMS.len());
                registry.teams[person][team] = is_in;
                upsert(registry.person(person))
            }
            Op::BadPatch => {
                let bad = br#"{"upsert":[{"type":"Agent","id":"bot","properties":{"limit":"all"}}]}"#;
                let patched = self.kernel().patch_entities(&olga(), bad);
                if self.lacked(patched.is_err())? {
                    return Ok(());
                }
                hold!(matches!(patched, Err(KernelError::Entities(_))), "a patch that breaks the schema: {patched:?}");
                return Ok(());
            }
            Op::Bundle(at) => {
                let activated = self.kernel().activate(&olga(), &BUNDLES[usize::from(at)], None);
                if self.lacked(activated.is_err())? {
                    return Ok(());
                }
                self.model.bundle = at.into();
                return activated.map(|_| ()).map_err(|why| why.to_string());
            }
            _ => {
                let mut bytes = BUNDLES[1].clone();
                let place = bytes.len() / 2;
                bytes[place] ^= 1;
                let activated = self.kernel().activate(&olga(), &bytes, None);
                if self.lacked(activated.is_err())? {
                    return Ok(());
                }
                hold!(activated.is_err(), "a bundle that does not verify: {activated:?}");
                return Ok(());
            }
        };
        let patched = self.kernel().patch_entities(&olga(), patch.as_bytes());
        if self.lacked(patched.is_err())? {
            return Ok(());
        }
        patched.map(|_| ()).map_err(|why| why.to_string())
    }

    /// The log, what is stored and the model say the same.
    fn same(&mut self, is_whole: bool) -> Audit<()> {
        let (model, ledger) = (&self.model, &self.ledger);
        hold!(ledger.gates.len() == model.gates.len(), "there are {} gates", ledger.gates.len());
        for gate in &model.gates {
            let state = ledger.gates.get(&gate.id).map(|line| line.state.as_str());
            hold!(state == Some(gate.state.name()), "the gate {} is {state:?}, and not {:?}", gate.id, gate.state);
        }
        hold!(ledger.permits.len() == model.permits.len(), "there are {} permits", ledger.permits.len());
        for permit in &model.permits {
            let state = ledger.permits.get(&permit.id).map(|line| line.state.as_str());
            hold!(state == Some(permit.state), "the permit {} is {state:?}, and not {}", permit.id, permit.state);
        }
        hold!(ledger.scopes.len() == model.scopes.len(), "there are {} scopes", ledger.scopes.len());
        for scope in &model.scopes {
            let line = ledger.scopes.get(&scope.id).ok_or_else(|| format!("there is no scope {}", scope.id))?;
            let plain = |(attempts, cents): (i64, i64)| (attempts as u64, Decimal(cents * 10_000));
            let is_so = line.used == plain(scope.used) && line.reserved == plain(scope.reserved);
            hold!(is_so && line.status == scope.status, "{line:?} is not {scope:?}");
        }
        self.same_jobs()?;
        if !is_whole {
            return Ok(());
        }
        self.same_beside_jobs()?;
        let ledger = &self.ledger;
        let ledger = ledger.clone();
        let compared = self.kernel().read(move |tx: &mut dyn Tx| Ok(compare(&ledger, tx)));
        compared.map_err(|why| why.to_string())?
    }

    /// What has to hold of the whole log at the end: it verifies, and every decision in it is the right one.
    pub fn finish(mut self) -> Audit<()> {
        self.same(true)?;
        let against = Against { known: &[], trusted: &[], threads: 1 };
        let report = self.kernel().verify_log(&olga(), &against, &mut |_| {}).map_err(|why| why.to_string())?;
        hold!(report.is_sound() && report.size == self.ledger.size, "{:?}", report.findings);
        let read = |tx: &mut dyn Tx| {
            let rows = tx.entries_of(Kind::Decision.name(), 0, u32::MAX)?;
            let entries =
                rows.into_iter().map(|(_, bytes)| Ok(reveal(tx, Entry::read(&bytes).expect("it is one"))?.entry));
            entries.collect::<Result<Vec<Entry>, KernelError>>()
        };
        for Entry { id, body, .. } in self.kernel().read(read).map_err(|why| why.to_string())? {
            let body = &body;
            let (Some(version), Some(asked)) = (body.get("registry").and_then(|it| it.as_u64()), record::asked(body))
            else {
                hold!(body["answer"] == "DENY", "nothing says what {id} was");
                continue;
            };
            let governing = body.get("of").and_then(|_| Digest::parse(body["bundle"].as_str()?));
            let governing = governing.map(|bundle| self.kernel().operators_version(bundle, version));
            let governing = governing.transpose().map_err(|why| why.to_string())?.map(Arc::new);
            let active = match &governing {
                Some(active) => active,
                None => self.actives.get(&version).ok_or("nothing of that version ever decided")?,
            };
            let again = active.again(&asked);
            let is_same = body["answer"] == again.answer().name() && body["kind"] == again.kind.name();
            hold!(is_same, "{id} was {}, and is {:?} again", body["answer"], again.answer());
            hold!(body["bundle"] == active.bundle.to_string(), "{id} was decided by another bundle");
            self.counts.entry("replayed".to_owned()).and_modify(|count| *count += 1).or_insert(1);
        }
        // One of them is made once more from what is stored.
        let (version, active) = self.actives.iter().nth(self.actives.len() / 2).ok_or("nothing ever decided")?;
        let stored = self.kernel().version(&reader(), *version).map_err(|why| why.to_string())?;
        let is_same = stored.bundle == active.bundle && stored.entities() == active.entities();
        hold!(is_same, "version {version} of the registry is not what it was");
        Ok(())
    }
}

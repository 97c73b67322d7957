//! Gates with a policy, people and time.

use proptest::prelude::*;

use super::*;
use crate::base::limits::GATE_OWNERS_MAX;
use crate::bytecode::assemble::assemble;
use crate::bytecode::verify::{Limits, verify};
use crate::kernel::entry::Kind as EntryKind;
use crate::vm::canonical::Form;
use crate::vm::decide::Kind;
use crate::vm::decode::{Options, World};
use crate::vm::digest::canonical_in;
use crate::vm::machine::{Machine, Question, Scratch};
use crate::vm::store::Store;
use crate::vm::store::directory::Directory;

/// `needed` people of the shop have to agree, after an hour also of those on call, within four; where it is to be reviewed,
/// one of security as well who votes on nothing else, within a day. Nothing may be done to what is frozen.
const PROGRAM: &str = "
    entity Team
    entity Person = acme.Person approver in { Team } { manager: Person? @owner }
    entity Agent in { Team } { owner: Person @owner }
    entity Origin presented { keepers: Set(Person, 4)? @owner }
    entity Service presented { keepers: Set(Person, 4)? @owner origin: Origin? @owner }
    action deploy subject { Agent } resource { Service } {
        commit: String cost: Decimal note: String? @advisory frozen: Bool @kernel needed: Int @kernel review: Bool @kernel
    }
    fn always entry deploy -> Bool {
        const r0, true
        return r0
    }
    fn frozen entry deploy -> Bool {
        read r0, context.frozen
        return r0
    }
    fn review entry deploy -> Bool {
        read r0, context.review
        return r0
    }
    fn asks entry deploy -> Bool {
        read r0, context.needed
        const r1, 0
        less r2, r1, r0
        return r2
    }
    fn needed entry deploy -> Int {
        read r0, context.needed
        return r0
    }
    fn one -> Int {
        const r0, 1
        return r0
    }
    fn commit entry deploy -> String {
        read r0, context.commit
        return r0
    }
    fn shop -> entity { Team } {
        const r0, entity Team \"shop\"
        return r0
    }
    fn oncall -> entity { Team } {
        const r0, entity Team \"oncall\"
        return r0
    }
    fn security -> entity { Team } {
        const r0, entity Team \"security\"
        return r0
    }
    entry deploy {
        rule allow m.all condition always
        rule deny m.frozen condition frozen
        rule require_approval m.owners condition asks {
            text \"ship \" value commit
            gate shop quorum needed within 14400000 escalate oncall after 3600000
        }
        rule require_approval m.security condition review { gate security quorum one within 86400000 distinct }
    }";

const HOUR: i64 = 3_600_000;

/// Who is where.
#[derive(Clone, Copy, Debug)]
struct Registry {
    shop: &'static [&'static str],
    oncall: &'static [&'static str],
    security: &'static [&'static str],
    /// Of the agent that asks.
    owner: &'static str,
    /// Who is not registered.
    gone: &'static str,
}

const PEOPLE: [&str; 9] = ["ann", "ben", "cat", "dan", "own", "boss", "kit", "req", "out"];

const REGISTRIES: [Registry; 4] = [
    Registry {
        shop: &["ann", "ben", "cat", "own", "boss", "kit", "req"],
        oncall: &["dan"],
        security: &["ann", "ben", "kit", "own"],
        owner: "own",
        gone: "",
    },
    // The one is no longer in the shop, the other is; a third is on call as well.
    Registry {
        shop: &["ben", "dan", "boss", "own"],
        oncall: &["dan", "ann"],
        security: &["ann"],
        owner: "own",
        gone: "",
    },
    // The agent has changed hands.
    Registry { shop: &["ann", "ben", "cat", "own", "boss"], oncall: &["dan"], security: &[], owner: "ben", gone: "" },
    // Somebody has left.
    Registry { shop: &["ann", "ben", "cat"], oncall: &["cat", "dan"], security: &["ben"], owner: "own", gone: "cat" },
];

impl Registry {
    fn json(&self) -> String {
        let mut all: Vec<String> =
            ["shop", "oncall", "security"].map(|team| format!(r#"{{"type":"Team","id":"{team}"}}"#)).to_vec();
        for person in PEOPLE.into_iter().filter(|person| *person != self.gone) {
            let teams = [("shop", self.shop), ("oncall", self.oncall), ("security", self.security)];
            let teams: Vec<String> = (teams.iter())
                .filter(|(_, members)| members.contains(&person))
                .map(|(team, _)| format!(r#"{{"type":"Team","id":"{team}"}}"#))
                .collect();
            let properties = if person == "own" { r#"{"manager":"boss"}"# } else { "{}" };
            all.push(format!(
                r#"{{"type":"Person","id":"{person}","properties":{properties},"in":[{}]}}"#,
                teams.join(",")
            ));
        }
        let teams = r#"[{"type":"Team","id":"shop"}]"#;
        all.push(format!(r#"{{"type":"Agent","id":"ci","properties":{{"owner":"{}"}},"in":{teams}}}"#, self.owner));
        format!("[{}]", all.join(","))
    }
}

fn machine() -> Machine {
    let program = assemble(PROGRAM).unwrap_or_else(|error| panic!("{error}"));
    let program = verify(program, &Limits::STANDARD).unwrap_or_else(|error| panic!("{error}"));
    let machine = Machine::new(program).expect("it runs");
    machine.load_entities(REGISTRIES[0].json().as_bytes()).unwrap_or_else(|faults| panic!("{faults:?}"));
    machine
}

const REQUEST: &str = r#"{"subject":{"type":"Agent","id":"ci"},"action":{"name":"deploy"},
    "resource":{"type":"Service","id":"web","properties":{"keepers":["kit"]}},
    "context":{"commit":"4f2b","cost":1.50,"note":"hurry"}}"#;

#[derive(Clone, Copy, Debug)]
struct Facts {
    frozen: bool,
    needed: i64,
    review: bool,
}

const TWO: Facts = Facts { frozen: false, needed: 2, review: false };
const BOTH: Facts = Facts { frozen: false, needed: 1, review: true };

impl Facts {
    fn json(self) -> String {
        format!(r#"{{"frozen":{},"needed":{},"review":{}}}"#, self.frozen, self.needed, self.review)
    }
}

fn person(id: &str) -> EntityName {
    EntityName { ty: "Person".to_owned(), id: id.to_owned() }
}

fn at(ms: i64) -> Timestamp {
    later(Timestamp::parse("2026-11-20T10:00:00Z").expect("it is a time"), ms)
}

fn wire(machine: &Machine, request: &str, facts: Facts) -> String {
    let store = machine.entities();
    let world = World { image: machine.image(), plan: machine.plan(), store: &store };
    let facts = facts.json();
    canonical_in(world, Options::STRICT, Form::Wire, request.as_bytes(), Some(facts.as_bytes()))
        .expect("it is sound")
        .request
}

fn decide(machine: &Machine, request: &str, facts: Facts) -> (Decision, Today) {
    let (mut scratch, facts) = (Scratch::default(), facts.json());
    let question = Question { facts: Some(facts.as_bytes()), ..Question::strict(request.as_bytes()) };
    let mut decided = machine.decide(question, &mut scratch);
    let (decision, approved) = (decided.record(), decided.approved());
    let today = Today::new(&decision, approved.as_ref());
    (decision, today)
}

fn open_as(machine: &Machine, requester: &str, request: &str, facts: Facts) -> Result<(Gate, Note), OpenRefused> {
    let request = wire(machine, request, facts);
    let store = machine.entities();
    Gate::open(Opening {
        id: "gate_1".to_owned(),
        entry: "ent_1".to_owned(),
        requester: person(requester),
        effects: None,
        is_secret: false,
        decision: &decide(machine, &request, facts).0,
        request,
        directory: Directory::new(machine.image(), &store),
        now: at(0),
    })
}

fn open(machine: &Machine, facts: Facts) -> Gate {
    open_as(machine, "req", REQUEST, facts).expect("people can be asked").0
}

fn ballot(gate: &Gate, voter: &str, rule: &str, verdict: Verdict) -> Ballot {
    Ballot { voter: person(voter), rule: rule.to_owned(), verdict, binding: gate.binding }
}

fn kinds(told: &Told) -> Vec<EntryKind> {
    told.notes.iter().map(|note| note.kind).collect()
}

/// A gate with its machine, to which things happen.
struct Case {
    machine: Machine,
    gate: Gate,
}

impl Case {
    fn new(facts: Facts) -> Case {
        let machine = machine();
        let gate = open(&machine, facts);
        Case { machine, gate }
    }

    fn step(&mut self, step: impl FnOnce(&Gate, Directory<'_>) -> Told) -> Told {
        let store = self.machine.entities();
        let told = step(&self.gate, Directory::new(self.machine.image(), &store));
        self.gate = told.gate.clone();
        let body = self.gate.to_body();
        assert_eq!(Gate::from_body(body.as_bytes()).as_ref(), Some(&self.gate), "{body}");
        told
    }

    fn vote(&mut self, voter: &str, rule: &str, ms: i64) -> Option<Refused> {
        let ballot = ballot(&self.gate, voter, rule, Verdict::Approve);
        self.step(|gate, directory| gate.vote(&ballot, directory, at(ms))).refused
    }

    fn spend(&mut self, facts: Facts, ms: i64) -> Option<Refused> {
        let today = decide(&self.machine, &self.gate.request, facts).1;
        self.step(|gate, directory| gate.spend(&person("req"), &today, directory, at(ms))).refused
    }

    fn load(&self, registry: Registry) {
        self.machine.load_entities(registry.json().as_bytes()).expect("they are sound");
    }
}

#[test]
fn two_agree_and_it_is_spent_once() {
    let mut case = Case::new(TWO);
    assert_eq!(case.spend(TWO, 1), Some(Refused::NotAgreed));
    assert_eq!(case.vote("ann", "m.owners", 1), None);
    assert_eq!((case.gate.state, case.vote("ann", "m.owners", 2)), (GateState::Pending, Some(Refused::Duplicate)));
    let yes = ballot(&case.gate, "ben", "m.owners", Verdict::Approve);
    let told = case.step(|gate, directory| gate.vote(&yes, directory, at(3)));
    assert_eq!((told.refused, kinds(&told)), (None, vec![EntryKind::GateVoted, EntryKind::GateClosed]));
    assert_eq!(case.gate.state, GateState::Approved);
    let today = decide(&case.machine, &case.gate.request, TWO).1;
    let by_other = case.step(|gate, directory| gate.spend(&person("ann"), &today, directory, at(4)));
    assert_eq!(by_other.refused, Some(Refused::NotRequester));
    assert_eq!((case.spend(TWO, 5), case.gate.state), (None, GateState::Spent));
    assert_eq!(case.spend(TWO, 6), Some(Refused::Over(GateState::Spent)));
    assert_eq!(case.vote("cat", "m.owners", 7), Some(Refused::Over(GateState::Spent)));
}

#[test]
fn whose_request_it_is_does_not_vote() {
    use Ineligible::{NotApprover, NotAsked, Owner, Requester};
    let mut case = Case::new(TWO);
    for (voter, why) in
        [("req", Requester), ("own", Owner), ("boss", Owner), ("kit", Owner), ("dan", NotAsked), ("eve", NotApprover)]
    {
        let before = case.gate.clone();
        let cast = ballot(&case.gate, voter, "m.owners", Verdict::Deny);
        let told = case.step(|gate, directory| gate.vote(&cast, directory, at(1)));
        assert_eq!(told.refused, Some(Refused::Ineligible(why)), "{voter}");
        assert_eq!((kinds(&told), &case.gate), (vec![EntryKind::GateVoted], &before), "{voter}");
        assert_eq!(told.notes[0].body["counts"], false);
        assert_eq!(told.notes[0].body["why"], why.name());
    }
    let qualified = EntityName { ty: "acme.Person".to_owned(), id: "req".to_owned() };
    let cast = Ballot { voter: qualified, ..ballot(&case.gate, "", "m.owners", Verdict::Approve) };
    let told = case.step(|gate, directory| gate.vote(&cast, directory, at(1)));
    assert_eq!(told.refused, Some(Refused::Ineligible(Requester)), "by whatever name");
    let agent = EntityName { ty: "Agent".to_owned(), id: "ci".to_owned() };
    let cast = Ballot { voter: agent, ..ballot(&case.gate, "", "m.owners", Verdict::Approve) };
    let told = case.step(|gate, directory| gate.vote(&cast, directory, at(1)));
    assert_eq!(told.refused, Some(Refused::Ineligible(NotApprover)));
}

#[test]
fn owners_of_the_requester_and_of_what_came_along_do_not_vote() {
    let machine = machine();
    // The agent is `ann`'s; who asks is `own`, whose manager is `boss`.
    let registry = Registry { owner: "ann", ..REGISTRIES[0] };
    machine.load_entities(registry.json().as_bytes()).expect("they are sound");
    let store = machine.entities();
    let directory = Directory::new(machine.image(), &store);
    let why = |gate: &Gate, voter| gate.eligibility(&person(voter), "m.owners", directory, at(1));
    let gate = open_as(&machine, "own", REQUEST, TWO).expect("people can be asked").0;
    assert_eq!(why(&gate, "own"), Err(Ineligible::Requester));
    assert_eq!(why(&gate, "boss"), Err(Ineligible::Owner));
    assert_eq!(why(&gate, "ann"), Err(Ineligible::Owner));
    assert_eq!(why(&gate, "ben"), Ok(()));
    let gate = open_as(&machine, "req", REQUEST, TWO).expect("people can be asked").0;
    assert_eq!((why(&gate, "own"), why(&gate, "boss")), (Ok(()), Ok(())));
    // A service that came along names another one, which names its keepers.
    let origin = r#"{"origin":{"type":"Origin","id":"old","properties":{"keepers":["ben"]}}}"#;
    let request = REQUEST.replace(r#"{"keepers":["kit"]}"#, origin);
    let gate = open_as(&machine, "req", &request, TWO).expect("people can be asked").0;
    assert_eq!(why(&gate, "ben"), Err(Ineligible::Owner));
    assert_eq!(why(&gate, "kit"), Ok(()));
    assert_eq!(gate.eligibility(&person("ben"), "m.none", directory, at(1)), Err(Ineligible::NotAsked));
}

#[test]
fn nobody_votes_where_owners_are_not_known() {
    let mut case = Case::new(TWO);
    let all = REGISTRIES[0].json();
    let (without, _) = all.rsplit_once(r#",{"type":"Agent""#).expect("it is last");
    case.machine.load_entities(format!("{without}]").as_bytes()).expect("they are sound");
    assert_eq!(case.vote("ann", "m.owners", 1), Some(Refused::Ineligible(Ineligible::OwnersUnknown)));
    // The first has a manager, who has one, and so on.
    let chain = |count: usize| -> String {
        let one = |at: usize| {
            format!(r#",{{"type":"Person","id":"m{at}","properties":{{"manager":"m{}"}}}}"#, (at + 1) % count)
        };
        let people: String = (0..count).map(one).collect();
        all.replace(r#""owner":"own""#, r#""owner":"m0""#).replace("}]}]", &format!("}}]}}{people}]"))
    };
    // Those that are followed are the agent's and the keeper.
    case.machine.load_entities(chain(GATE_OWNERS_MAX).as_bytes()).expect("they are sound");
    assert_eq!(case.vote("ann", "m.owners", 1), Some(Refused::Ineligible(Ineligible::OwnersUnknown)));
    case.machine.load_entities(chain(GATE_OWNERS_MAX - 1).as_bytes()).expect("they are sound");
    assert_eq!(case.vote("ann", "m.owners", 1), None);
}

#[test]
fn what_is_agreed_to_is_what_was_seen() {
    let mut case = Case::new(TWO);
    let mut cast = ballot(&case.gate, "ann", "m.owners", Verdict::Approve);
    cast.binding = Digest::of(b"another");
    let told = case.step(|gate, directory| gate.vote(&cast, directory, at(1)));
    assert_eq!((told.refused, case.gate.votes.len()), (Some(Refused::OtherBinding), 0));
    assert_eq!(case.vote("ann", "m.none", 1), Some(Refused::NoSuchRule));
    // What runs has to be what was agreed to as well.
    assert_eq!((case.vote("ann", "m.owners", 1), case.vote("ben", "m.owners", 1)), (None, None));
    let other = wire(&case.machine, &REQUEST.replace("4f2b", "4f2c"), TWO);
    let today = decide(&case.machine, &other, TWO).1;
    let told = case.step(|gate, directory| gate.spend(&person("req"), &today, directory, at(2)));
    assert_eq!((told.refused, case.gate.state), (Some(Refused::OtherBinding), GateState::Denied));
    // What is advisory is not agreed to.
    let other = wire(&case.machine, &REQUEST.replace("hurry", "wait"), TWO);
    assert_eq!(decide(&case.machine, &other, TWO).0.digests.binding, Some(case.gate.binding));
}

#[test]
fn one_denial_ends_it() {
    let mut case = Case::new(TWO);
    assert_eq!((case.vote("ann", "m.owners", 1), case.vote("ben", "m.owners", 1)), (None, None));
    // Also when enough have agreed, and by one of them.
    let no = ballot(&case.gate, "ann", "m.owners", Verdict::Deny);
    let told = case.step(|gate, directory| gate.vote(&no, directory, at(2)));
    assert_eq!((told.refused, case.gate.state), (None, GateState::Denied));
    assert_eq!(case.vote("cat", "m.owners", 3), Some(Refused::Over(GateState::Denied)));
    assert_eq!(case.spend(TWO, 3), Some(Refused::Over(GateState::Denied)));
}

#[test]
fn what_policy_denies_by_now_stays_denied() {
    let mut case = Case::new(TWO);
    assert_eq!((case.vote("ann", "m.owners", 1), case.vote("ben", "m.owners", 1)), (None, None));
    assert_eq!(case.spend(Facts { frozen: true, ..TWO }, 2), Some(Refused::DeniedNow(Kind::Denied)));
    assert_eq!(case.spend(TWO, 3), Some(Refused::Over(GateState::Denied)));
}

#[test]
fn time_counts_by_itself() {
    let mut case = Case::new(TWO);
    assert_eq!(case.gate.expires, at(4 * HOUR));
    let early = case.step(|gate, _| gate.expire(at(4 * HOUR - 1)));
    assert_eq!((early.refused, early.notes.len()), (Some(Refused::NotYet), 0));
    assert_eq!((case.vote("ann", "m.owners", 1), case.vote("ben", "m.owners", 1)), (None, None));
    assert_eq!(case.gate.state_at(at(4 * HOUR)), GateState::Expired);
    let approved = case.gate.clone();
    assert_eq!(case.spend(TWO, 4 * HOUR), Some(Refused::Over(GateState::Expired)));
    assert_eq!(case.gate.state, GateState::Expired);
    case.gate = approved.clone();
    let late = ballot(&case.gate, "cat", "m.owners", Verdict::Approve);
    let told = case.step(|gate, directory| gate.vote(&late, directory, at(4 * HOUR)));
    assert_eq!(told.refused, Some(Refused::Over(GateState::Expired)));
    assert_eq!(kinds(&told), [EntryKind::GateClosed, EntryKind::GateVoted]);
    case.gate = approved;
    let told = case.step(|gate, _| gate.expire(at(4 * HOUR)));
    assert_eq!((told.refused, case.gate.state), (None, GateState::Expired));
    let told = case.step(|gate, _| gate.expire(at(4 * HOUR)));
    assert_eq!((told.refused, told.notes.len()), (Some(Refused::Over(GateState::Expired)), 0));
}

#[test]
fn others_are_asked_after_a_time() {
    let mut case = Case::new(TWO);
    assert_eq!(case.gate.due(), Some(at(HOUR)));
    let early = case.step(|gate, _| gate.escalate(at(HOUR - 1)));
    assert_eq!(early.refused, Some(Refused::NotYet));
    assert_eq!(case.vote("dan", "m.owners", HOUR - 1), Some(Refused::Ineligible(Ineligible::NotAsked)));
    // From then on they may, whether anybody was told or not; those who were asked first may still.
    assert_eq!(case.vote("dan", "m.owners", HOUR), None);
    let told = case.step(|gate, _| gate.escalate(at(HOUR)));
    assert_eq!((told.refused, kinds(&told)), (None, vec![EntryKind::GateEscalated]));
    assert_eq!(case.gate.due(), Some(at(4 * HOUR)));
    let again = case.step(|gate, _| gate.escalate(at(HOUR)));
    assert_eq!(again.refused, Some(Refused::NotYet));
    assert_eq!((case.vote("ann", "m.owners", HOUR), case.gate.state), (None, GateState::Approved));
}

#[test]
fn who_asked_may_withdraw_and_nobody_else() {
    let mut case = Case::new(TWO);
    let told = case.step(|gate, directory| gate.withdraw(&person("own"), directory, at(1)));
    assert_eq!((told.refused, told.notes.len()), (Some(Refused::NotRequester), 0));
    let told = case.step(|gate, directory| gate.withdraw(&person("req"), directory, at(1)));
    assert_eq!((told.refused, kinds(&told)), (None, vec![EntryKind::GateClosed]));
    assert_eq!(case.vote("ann", "m.owners", 1), Some(Refused::Over(GateState::Withdrawn)));
    assert_eq!((case.gate.due(), case.gate.state_at(at(9 * HOUR))), (None, GateState::Withdrawn));
}

#[test]
fn votes_of_different_people() {
    let mut case = Case::new(BOTH);
    assert_eq!(case.vote("ann", "m.owners", 1), None);
    assert_eq!(case.vote("ann", "m.security", 1), Some(Refused::NotDistinct));
    assert_eq!(case.vote("ben", "m.security", 1), None);
    assert_eq!(case.gate.state, GateState::Approved);
    assert_eq!(case.vote("ben", "m.owners", 1), Some(Refused::NotDistinct));
    // Who is to say no may do so anywhere.
    let no = ballot(&case.gate, "ann", "m.security", Verdict::Deny);
    let told = case.step(|gate, directory| gate.vote(&no, directory, at(2)));
    assert_eq!((told.refused, case.gate.state), (None, GateState::Denied));
}

#[test]
fn today_others_are_asked() {
    let mut case = Case::new(TWO);
    assert_eq!((case.vote("ann", "m.owners", 1), case.vote("ben", "m.owners", 1)), (None, None));
    let today = decide(&case.machine, &case.gate.request, Facts { needed: 3, ..TWO }).1;
    let told = case.step(|gate, directory| gate.spend(&person("req"), &today, directory, at(2)));
    assert_eq!((told.refused, kinds(&told)), (Some(Refused::NotAgreed), vec![EntryKind::GateOpened]));
    assert_eq!(case.gate.state, GateState::Pending);
    let three = Facts { needed: 3, ..TWO };
    assert_eq!(case.vote("cat", "m.owners", 3), None);
    assert_eq!((case.gate.state, case.gate.expires), (GateState::Approved, at(4 * HOUR)));
    // Somebody has left the shop: what they said counts no longer.
    case.load(REGISTRIES[1]);
    assert_eq!(case.spend(three, 4), Some(Refused::NotAgreed));
    assert_eq!(case.gate.state, GateState::Pending);
    case.load(REGISTRIES[0]);
    // Where nobody has to agree any more, nobody has to have.
    assert_eq!(case.spend(Facts { needed: 0, ..TWO }, 5), None);
}

#[test]
fn who_voted_on_two_things_counts_for_neither_that_wants_different_people() {
    let (owners, security) = (Facts { needed: 1, ..TWO }, Facts { needed: 0, ..BOTH });
    let mut case = Case::new(owners);
    assert_eq!(case.vote("ben", "m.owners", 1), None);
    // For a while the shop is not asked, and so nothing keeps its people from voting on the other thing.
    case.load(Registry { security: &[], ..REGISTRIES[0] });
    assert_eq!(case.spend(security, 2), Some(Refused::NotAgreed));
    case.load(REGISTRIES[0]);
    assert_eq!(case.vote("ben", "m.security", 3), None);
    assert_eq!(case.gate.state, GateState::Approved);
    // Now both are, and one person has voted on both.
    assert_eq!(case.spend(BOTH, 4), Some(Refused::NotAgreed));
    assert_eq!(case.vote("ann", "m.security", 5), None);
    assert_eq!(case.spend(BOTH, 6), None);
}

#[test]
fn what_was_said_to_one_group_is_not_said_to_another() {
    let mut case = Case::new(TWO);
    assert_eq!((case.vote("ann", "m.owners", 1), case.vote("ben", "m.owners", 1)), (None, None));
    // As if the rule had asked another group when the one of them voted.
    case.gate.votes[0].from.id = "security".to_owned();
    assert_eq!(case.spend(TWO, 2), Some(Refused::NotAgreed));
    // They may say it once more, and still are one person.
    assert_eq!(case.vote("ann", "m.owners", 3), None);
    case.gate.votes[0].from.id = "shop".to_owned();
    assert_eq!(case.spend(Facts { needed: 3, ..TWO }, 4), Some(Refused::NotAgreed));
    assert_eq!(case.spend(TWO, 5), None);
}

#[test]
fn a_gate_that_others_are_asked_for_does_not_last_longer() {
    let mut case = Case::new(Facts { needed: 0, ..BOTH });
    assert_eq!(case.gate.expires, at(24 * HOUR));
    assert_eq!(case.vote("ben", "m.security", 5 * HOUR), None);
    // What the shop is asked for today has its time from the beginning, and that is over.
    assert_eq!(case.spend(BOTH, 5 * HOUR), Some(Refused::Over(GateState::Expired)));
    assert_eq!(case.gate.state, GateState::Expired);
}

/// Nor is it given more time where those who are asked instead would have more.
#[test]
fn a_gate_never_ends_later_than_was_said() {
    let mut case = Case::new(TWO);
    assert_eq!(case.gate.expires, at(4 * HOUR));
    let security = Facts { needed: 0, ..BOTH };
    assert_eq!(case.spend(security, HOUR), Some(Refused::NotAgreed));
    assert_eq!((case.gate.asked.len(), case.gate.asked[0].within_ms), (1, 24 * HOUR));
    assert_eq!(case.gate.expires, at(4 * HOUR));
    assert_eq!(case.vote("ben", "m.security", 4 * HOUR), Some(Refused::Over(GateState::Expired)));
}

#[test]
fn what_can_not_be_asked_is_not() {
    let machine = machine();
    let refused = |facts| open_as(&machine, "req", REQUEST, facts).err();
    assert_eq!(refused(Facts { needed: 0, ..TWO }), Some(OpenRefused::NotRequired));
    assert_eq!(refused(Facts { frozen: true, ..TWO }), Some(OpenRefused::NotRequired));
    assert_eq!(refused(Facts { needed: 4_096, ..TWO }), None);
    assert_eq!(refused(Facts { needed: 4_097, ..TWO }), Some(OpenRefused::QuorumTooHigh));
    assert_eq!(refused(Facts { needed: i64::MAX, ..TWO }), Some(OpenRefused::QuorumTooHigh));
    let request = wire(&machine, REQUEST, TWO);
    let store = machine.entities();
    let (decision, _) = decide(&machine, &request, TWO);
    let opening = |request: String, decision| Opening {
        id: "gate_1".to_owned(),
        entry: "ent_1".to_owned(),
        requester: person("req"),
        effects: None,
        is_secret: false,
        request,
        decision,
        directory: Directory::new(machine.image(), &store),
        now: at(0),
    };
    let renamed = request.replace("\"deploy\"", "\"destroy\"");
    for other in [format!(" {request}"), REQUEST.to_owned(), renamed, request.replace("\"note\"", "\"commit\"")] {
        assert_eq!(Gate::open(opening(other, &decision)).err(), Some(OpenRefused::BadRequest));
    }
    let unbound = Decision { digests: crate::vm::decision::Digests::default(), ..decision.clone() };
    assert_eq!(Gate::open(opening(request, &unbound)).err(), Some(OpenRefused::NoBinding));
}

#[test]
fn what_people_are_shown() {
    let machine = machine();
    let gate = open_as(&machine, "req", REQUEST, BOTH).expect("people can be asked").0;
    let expected = format!(
        "asked by: Person::\"req\"\n\
         subject: Agent::\"ci\"\n\
         action: deploy\n\
         resource: Service::\"web\"\n\
         resource.keepers: [{{\"id\": \"kit\", \"type\": \"Person\"}}]\n\
         context.commit: \"4f2b\"\n\
         context.cost: 1.5\n\
         said beside it, and no part of what is agreed to:\n\
         context.note: \"hurry\"\n\
         needed: 1 of Team::\"shop\", from 2026-11-20T11:00:00Z on also Team::\"oncall\", for m.owners\n\
         because: \"ship 4f2b\"\n\
         needed: 1 of Team::\"security\", for m.security, who vote on nothing else here\n\
         until: 2026-11-20T14:00:00Z\n\
         binding: {}\n",
        gate.binding
    );
    assert_eq!(gate.shown(), expected);
    // Nothing that is asked for writes lines of its own, or turns them around.
    let request = REQUEST.replace("4f2b", r#"x\"\nuntil: \u202eforever\u200b\\u{a0}\u00a0\t"#);
    let gate = open_as(&machine, "req", &request, BOTH).expect("people can be asked").0;
    let shown = gate.shown();
    assert_eq!(shown.lines().count(), expected.lines().count());
    assert!(shown.contains(r#"context.commit: "x\"\nuntil: \u{202e}forever\u{200b}\\u{a0}\u{a0}\u{9}""#), "{shown}");
    assert!(shown.contains(r#"because: "ship x\"\nuntil: \u{202e}forever"#), "{shown}");
}

#[test]
fn bodies_come_back_and_others_do_not() {
    let mut case = Case::new(BOTH);
    assert_eq!(case.vote("ann", "m.owners", 1), None);
    let text = case.gate.to_body();
    assert_eq!(Gate::from_body(text.as_bytes()), Some(case.gate));
    for other in [
        text.replace("\"state\":\"pending\"", "\"state\":\"PENDING\""),
        text.replace("\"quorum\":1", "\"quorum\":0"),
        text.replace("\"quorum\":1", "\"quorum\":4098"),
        text.replace("\"within_ms\":14400000", "\"within_ms\":-1"),
        text.replace("\"told\":0", "\"told\":2"),
        text.replace("\"verdict\":\"approve\"", "\"verdict\":\"yes\""),
        text.replace("\"binding\":\"sha256:", "\"binding\":\"sha512:"),
        text.replace("T14:00:00Z", "T14:00:00.0Z"),
        text.replace("{\"asked\"", "{ \"asked\""),
        text.replace("\"id\":\"gate_1\",", ""),
        text.replace("\"id\":\"gate_1\"", "\"id\":\"gate_1\",\"x\":1"),
        text[1..].to_owned(),
    ] {
        assert_ne!(other, text);
        assert_eq!(Gate::from_body(other.as_bytes()), None, "{other}");
    }
    for state in GateState::ALL {
        assert_eq!(GateState::parse(state.name()), Some(state));
    }
}

/// Whoever stands for what a gate should be: names instead of entities, and nothing else.
struct Model {
    state: GateState,
    asked: Facts,
    votes: Vec<(&'static str, &'static str)>,
    expires: i64,
}

impl Model {
    fn eligible(registry: &Registry, voter: &str, rule: &str, ms: i64) -> bool {
        let concerned =
            |voter| ["req", "kit", registry.owner].contains(&voter) || voter == "boss" && registry.owner == "own";
        let is_in = match rule {
            "m.owners" => registry.shop.contains(&voter) || ms >= HOUR && registry.oncall.contains(&voter),
            _ => registry.security.contains(&voter),
        };
        voter != registry.gone && !concerned(voter) && is_in
    }

    fn asks(&self, rule: &str) -> bool {
        match rule {
            "m.owners" => self.asked.needed > 0,
            "m.security" => self.asked.review,
            _ => false,
        }
    }

    fn agreed(&self, registry: &Registry, rule: &str, ms: i64) -> i64 {
        let elsewhere =
            |voter: &str| self.votes.iter().any(|(other, of)| *other == voter && *of != rule && self.asks(of));
        let counts = |voter: &str| {
            self.votes.iter().any(|(by, of)| *by == voter && *of == rule)
                && Model::eligible(registry, voter, rule, ms)
                && !(rule == "m.security" && elsewhere(voter))
        };
        PEOPLE.iter().filter(|voter| counts(voter)).count() as i64
    }

    fn all_agreed(&self, registry: &Registry, ms: i64) -> bool {
        let owners = self.agreed(registry, "m.owners", ms) >= self.asked.needed;
        owners && (!self.asked.review || self.agreed(registry, "m.security", ms) >= 1)
    }

    fn tick(&mut self, ms: i64) -> bool {
        if !self.state.is_final() && ms >= self.expires {
            self.state = GateState::Expired;
        }
        !self.state.is_final()
    }

    fn vote(&mut self, registry: &Registry, (voter, rule): (&'static str, &'static str), verdict: Verdict, ms: i64) {
        if !self.tick(ms) || !self.asks(rule) || !Model::eligible(registry, voter, rule, ms) {
            return;
        }
        match verdict {
            Verdict::Deny => self.state = GateState::Denied,
            // One of the two rules wants votes of different people, so nobody votes on both.
            Verdict::Approve
                if self.votes.iter().any(|(other, of)| *other == voter && (*of == rule || self.asks(of))) => {}
            Verdict::Approve => {
                self.votes.push((voter, rule));
                if self.all_agreed(registry, ms) {
                    self.state = GateState::Approved;
                }
            }
        }
    }

    fn spend(&mut self, registry: &Registry, today: Facts, ms: i64) {
        if !self.tick(ms) {
            return;
        }
        if today.frozen {
            self.state = GateState::Denied;
            return;
        }
        if today.needed > 0 || today.review {
            self.asked = today;
            self.expires = self.expires.min(if today.needed > 0 { 4 * HOUR } else { 24 * HOUR });
            if !self.tick(ms) {
                return;
            }
            if !self.all_agreed(registry, ms) {
                self.state = GateState::Pending;
                return;
            }
        }
        self.state = GateState::Spent;
    }
}

#[derive(Clone, Debug)]
enum Event {
    Vote(usize, &'static str, Verdict, bool),
    Wait(i64),
    Load(usize),
    Withdraw(usize),
    Spend(Facts),
    Sweep,
}

fn facts() -> impl Strategy<Value = Facts> {
    (prop::bool::weighted(0.05), 0_i64..4, prop::bool::weighted(0.4)).prop_map(|(frozen, needed, review)| Facts {
        frozen,
        needed,
        review,
    })
}

fn event() -> impl Strategy<Value = Event> {
    let verdict = prop_oneof![19 => Just(Verdict::Approve), 1 => Just(Verdict::Deny)];
    let rule = prop_oneof![6 => Just("m.owners"), 3 => Just("m.security"), 1 => Just("m.none")];
    prop_oneof![
        12 => (0..PEOPLE.len(), rule, verdict, prop::bool::weighted(0.95))
            .prop_map(|(voter, rule, verdict, seen)| Event::Vote(voter, rule, verdict, seen)),
        2 => (0_i64..80).prop_map(|minutes| Event::Wait(minutes * 60_000)),
        2 => (0..REGISTRIES.len()).prop_map(Event::Load),
        1 => (0..PEOPLE.len()).prop_map(Event::Withdraw),
        3 => facts().prop_map(Event::Spend),
        1 => Just(Event::Sweep),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Whatever happens in whatever order, the gate is where the model says, and so never spent but by those who may.
    #[test]
    fn a_gate_is_where_it_should_be(first in facts(), events in prop::collection::vec(event(), 1..40)) {
        let first = Facts { frozen: false, needed: if first.review { first.needed } else { first.needed.max(1) }, ..first };
        let machine = machine();
        let stores: Vec<Store> = REGISTRIES
            .iter()
            .map(|registry| Store::load(machine.image(), machine.plan(), registry.json().as_bytes()).expect("sound"))
            .collect();
        let mut gate = open(&machine, first);
        let expires = if first.needed > 0 { 4 * HOUR } else { 24 * HOUR };
        let mut model = Model { state: GateState::Pending, asked: first, votes: Vec::new(), expires };
        let (mut ms, mut place, mut spent) = (0, 0, 0);
        for event in events {
            let (registry, before) = (REGISTRIES[place], gate.state_at(at(ms)));
            let directory = Directory::new(machine.image(), &stores[place]);
            let told = match event {
                Event::Vote(voter, rule, verdict, seen) => {
                    let mut cast = ballot(&gate, PEOPLE[voter], rule, verdict);
                    if seen {
                        model.vote(&registry, (PEOPLE[voter], rule), verdict, ms);
                    } else {
                        model.tick(ms);
                        cast.binding = Digest::of(b"another");
                    }
                    let told = gate.vote(&cast, directory, at(ms));
                    prop_assert!(kinds(&told).contains(&EntryKind::GateVoted));
                    told
                }
                Event::Wait(more) => {
                    ms += more;
                    continue;
                }
                Event::Load(other) => {
                    place = other;
                    continue;
                }
                Event::Withdraw(by) => {
                    if model.tick(ms) && PEOPLE[by] == "req" {
                        model.state = GateState::Withdrawn;
                    }
                    gate.withdraw(&person(PEOPLE[by]), directory, at(ms))
                }
                Event::Spend(facts) => {
                    model.spend(&registry, facts, ms);
                    machine.load_entities(registry.json().as_bytes()).expect("they are sound");
                    let today = decide(&machine, &gate.request, facts).1;
                    let told = gate.spend(&person("req"), &today, directory, at(ms));
                    spent += usize::from(told.refused.is_none());
                    prop_assert_eq!(told.refused.is_none(), told.gate.state == GateState::Spent && before != GateState::Spent);
                    told
                }
                Event::Sweep => {
                    model.tick(ms);
                    let told = gate.expire(at(ms));
                    prop_assert_eq!(told.gate.state, gate.state_at(at(ms)));
                    gate.escalate(at(ms))
                }
            };
            prop_assert_eq!(told.gate.state, model.state);
            // What is over stays as it is, to the letter.
            if before.is_final() && gate.state == before {
                prop_assert_eq!(&told.gate, &gate);
                prop_assert!(told.refused.is_some());
            }
            gate = told.gate;
            prop_assert_eq!(Gate::from_body(gate.to_body().as_bytes()), Some(gate.clone()));
        }
        prop_assert!(spent <= 1);
    }
}

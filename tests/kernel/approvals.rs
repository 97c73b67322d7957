//! Approvals as whoever asks and whoever agrees see them: a gate is opened, voted on, and spent once.

use std::sync::Arc;

use pdl::Answer;
use pdl::data::duration::Duration;
use pdl::data::timestamp::Timestamp;
use pdl::kernel::ask::Verdict;
use pdl::kernel::entry::Kind;
use pdl::kernel::environment::{Environment, NoRandomness};
use pdl::kernel::gate::{Gate, GateState, Ineligible, Refused, Verdict as Vote};
use pdl::kernel::modes::Mode;
use pdl::kernel::replay;
use pdl::kernel::retain::Old;
use pdl::kernel::store::memory::Memory;
use pdl::kernel::{Kernel, KernelError};
use pdl::vm::decide::Kind as DecisionKind;

use super::house::{World, bundle, kinds, log, open, reader, who};

const SHOP: &str = r#"module house
entity Agent in Team { limit: Decimal  owner: Person? @owner }
entity Team {}
approver entity Person in Team {}
presented entity Order {}
action lend { subject: Person  resource: Order }

obligation notify(who: String)

action pay {
    subject:  Agent
    resource: Order
    context { cost: Decimal  note: String? @advisory }
}

policy paying on pay {
    allow within_limit when context.cost <= subject.limit

    require approval large
        when    context.cost >= 100.0
        from    Team::"board"
        quorum  2
        within  1h
        because "{subject} pays {context.cost}"
        oblige  notify("board")
}

policy lending on lend {
    allow everybody
    require approval lent from Team::"board"
}
"#;

const ENTITIES: &[u8] = br#"[
    {"type":"Agent","id":"bot","properties":{"limit":500,"owner":"zoe"}},
    {"type":"Team","id":"board"},
    {"type":"Person","id":"ann","in":[{"type":"Team","id":"board"}]},
    {"type":"Person","id":"ben","in":[{"type":"Team","id":"board"}]},
    {"type":"Person","id":"zoe","in":[{"type":"Team","id":"board"}]},
    {"type":"Person","id":"eve"}
]"#;

fn ready(world: &Arc<World>) -> Kernel {
    let kernel = open(Memory::new(), world);
    kernel.activate(&who("Person", "olga"), &bundle(SHOP), Some(ENTITIES)).expect("it is activated");
    kernel
}

fn request(cost: u32) -> Vec<u8> {
    format!(
        r#"{{"subject":{{"type":"Agent","id":"bot"}},"action":{{"name":"pay"}},
        "resource":{{"type":"Order","id":"o1"}},"context":{{"cost":{cost}}}}}"#
    )
    .into_bytes()
}

fn ask(kernel: &Kernel, cost: u32) -> Verdict {
    kernel.decide(&who("Agent", "bot"), &request(cost), None)
}

fn vote(kernel: &Kernel, gate: &Gate, person: &str, vote: Vote) -> Result<Gate, KernelError> {
    kernel.vote(&who("Person", person), &gate.id, &gate.asked[0].rule, vote, gate.binding)
}

fn opened(kernel: &Kernel) -> Gate {
    let verdict = ask(kernel, 100);
    assert_eq!((&verdict.trouble, &verdict.permit), (&None, &None));
    assert_eq!(verdict.answer(), Answer::RequireApproval, "{:?}", verdict.decision);
    verdict.gate.expect("people are asked")
}

#[test]
fn whoever_is_asked_and_whoever_asked_see_the_gate() {
    let world = World::new();
    let kernel = ready(&world);
    let gate = opened(&kernel);
    let entries = log(&kernel).len();
    // Who asked, who may vote, and operators whose role it is. The agent's owner is one of the board.
    let seers = [("Agent", "bot"), ("Person", "ann"), ("Person", "zoe"), ("Person", "olga"), ("Person", "arthur")];
    for (ty, id) in seers {
        let seer = who(ty, id);
        assert_eq!(kernel.gate(&seer, &gate.id), Ok(Some(gate.clone())), "{id}");
        assert_eq!(kernel.gates(&seer, Some(GateState::Pending), None, 9), Ok(vec![gate.clone()]), "{id}");
    }
    assert_eq!(log(&kernel).len(), entries);
    for (ty, id) in [("Person", "eve"), ("Person", "bot"), ("Agent", "ann")] {
        let (other, entries) = (who(ty, id), log(&kernel).len());
        assert_eq!(kernel.gates(&other, None, None, 9), Ok(vec![]), "{id}");
        assert_eq!(log(&kernel).len(), entries, "{id}");
        assert!(matches!(kernel.gate(&other, &gate.id), Err(KernelError::Forbidden(_))), "{id}");
        assert_eq!(kernel.gate(&other, "gate_0"), Ok(None), "{id}");
        assert_eq!(log(&kernel).len(), entries + 1, "{id}");
    }
    // Whoever has voted goes on seeing it, also when nobody asks them any more.
    vote(&kernel, &gate, "ann", Vote::Approve).expect("it counts");
    let gone = br#"{"upsert":[{"type":"Person","id":"ann"}],"remove":[]}"#;
    kernel.patch_entities(&who("Person", "olga"), gone).expect("it is changed");
    assert!(matches!(kernel.gate(&who("Person", "ann"), &gate.id), Ok(Some(_))));
}

#[test]
fn gates_that_are_over_and_old_are_removed() {
    let world = World::new();
    let kernel = ready(&world);
    let gate = opened(&kernel);
    let olga = who("Person", "olga");
    world.turn(60);
    assert_eq!(kernel.tidy(&olga, Old::Gates, Duration(1)), Ok(0), "it waits");
    vote(&kernel, &gate, "ann", Vote::Deny).expect("it counts");
    assert_eq!(kernel.tidy(&olga, Old::Gates, Duration(60_000)), Ok(0), "it is too young");
    assert_eq!(kernel.tidy(&olga, Old::Gates, Duration(59_999)), Ok(1));
    assert_eq!(kernel.gate(&olga, &gate.id), Ok(None));
    assert_ne!(opened(&kernel).id, gate.id);
}

#[test]
fn two_people_agree_and_it_runs_once() {
    let world = World::new();
    let kernel = ready(&world);
    let before = log(&kernel).len();
    let gate = opened(&kernel);
    assert_eq!((gate.state, gate.asked[0].quorum), (GateState::Pending, 2));
    assert_eq!(vote(&kernel, &gate, "ann", Vote::Approve).map(|gate| gate.state), Ok(GateState::Pending));
    // Whoever asks again is told of the same gate, and nobody is asked twice.
    let again = ask(&kernel, 100);
    assert_eq!((again.answer(), again.gate.as_ref().map(|gate| &gate.id)), (Answer::RequireApproval, Some(&gate.id)));
    assert_eq!(vote(&kernel, &gate, "ann", Vote::Approve), Err(KernelError::Gate(Refused::Duplicate)));
    assert_eq!(vote(&kernel, &gate, "ben", Vote::Approve).map(|gate| gate.state), Ok(GateState::Approved));
    let spent = ask(&kernel, 100);
    assert_eq!((spent.answer(), &spent.trouble), (Answer::Allow, &None));
    let permit = spent.permit.expect("it is allowed");
    assert_eq!(permit.claims().gate.as_ref(), Some(&gate.id));
    let decision = spent.decision.expect("it was decided");
    assert_eq!(decision.answer(), Answer::Allow);
    assert_eq!(decision.obligations.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["notify"]);
    assert_eq!(kernel.gate(&reader(), &gate.id).map(|gate| gate.map(|gate| gate.state)), Ok(Some(GateState::Spent)));
    // The next time people are asked anew.
    let next = ask(&kernel, 100);
    assert_eq!(next.answer(), Answer::RequireApproval);
    assert_ne!(next.gate.expect("people are asked").id, gate.id);
    use Kind::{Decision, GateClosed, GateOpened, GateVoted, PermitIssued};
    assert_eq!(
        kinds(&kernel, before),
        [
            Decision,
            GateOpened,
            // Each vote is allowed by the kernel's own policy.
            Decision,
            GateVoted,
            Decision,
            Decision,
            GateVoted,
            Decision,
            GateVoted,
            GateClosed,
            Decision,
            GateClosed,
            PermitIssued,
            Decision,
            GateOpened
        ]
    );
    // The log has what policy said, and what came of it.
    let entries = log(&kernel);
    let entry = &entries[before + 10];
    assert_eq!((&entry.body["answer"], &entry.body["enforced"]), (&"REQUIRE_APPROVAL".into(), &"ALLOW".into()));
    assert_eq!((&entry.body["gate"], &entry.links["gate"]), (&gate.id.into(), &gate.decision));
}

#[test]
fn who_may_not_agree_does_not_count() {
    let world = World::new();
    let kernel = ready(&world);
    let gate = opened(&kernel);
    let refused = vote(&kernel, &gate, "zoe", Vote::Approve);
    assert_eq!(refused, Err(KernelError::Gate(Refused::Ineligible(Ineligible::Owner))));
    // And the attempt is in the log, as that of anybody whom the gate does not ask.
    let voted = log(&kernel).into_iter().filter(|entry| entry.kind == Kind::GateVoted);
    assert_eq!(voted.map(|entry| entry.body["counts"].clone()).collect::<Vec<_>>(), [false]);
    for person in ["eve", "nobody"] {
        let before = log(&kernel).len();
        assert!(matches!(vote(&kernel, &gate, person, Vote::Deny), Err(KernelError::Forbidden(_))), "{person}");
        assert_eq!(log(&kernel)[before].body["answer"], "DENY");
    }
    assert_eq!(vote(&kernel, &gate, "ann", Vote::Deny).map(|gate| gate.state), Ok(GateState::Denied));
    let late = vote(&kernel, &gate, "ben", Vote::Approve);
    assert_eq!(late, Err(KernelError::Gate(Refused::Over(GateState::Denied))));
    assert_eq!(kernel.spend(&who("Agent", "bot"), &gate.id, None).answer(), Answer::Deny);
    let unknown = kernel.vote(&who("Person", "ann"), "gate_0", "house.large", Vote::Approve, gate.binding);
    assert_eq!(unknown, Err(KernelError::UnknownGate));
}

/// Whoever does it does not agree to it, whoever asked for it.
#[test]
fn the_subject_does_not_vote() {
    let kernel = ready(&World::new());
    let text = r#"{"subject":{"type":"Person","id":"ann"},"action":{"name":"lend"},
        "resource":{"type":"Order","id":"o1"}}"#;
    let gate = kernel.decide(&who("Agent", "bot"), text.as_bytes(), None).gate.expect("people are asked");
    let own = vote(&kernel, &gate, "ann", Vote::Approve);
    assert_eq!(own, Err(KernelError::Gate(Refused::Ineligible(Ineligible::Subject))));
    assert_eq!(vote(&kernel, &gate, "ben", Vote::Approve).map(|gate| gate.state), Ok(GateState::Approved));
}

/// A gate that is over answers to nobody who asks again, though nobody has swept it.
#[test]
fn who_asks_again_behind_the_end_asks_anew() {
    let world = World::new();
    let kernel = ready(&world);
    let gate = opened(&kernel);
    vote(&kernel, &gate, "ann", Vote::Approve).expect("it counts");
    world.turn(3_600);
    let again = opened(&kernel);
    assert!(again.id != gate.id && again.votes.is_empty());
    assert_eq!(vote(&kernel, &again, "ben", Vote::Approve).map(|gate| gate.state), Ok(GateState::Pending));
}

fn approved(kernel: &Kernel) -> Gate {
    let gate = opened(kernel);
    vote(kernel, &gate, "ann", Vote::Approve).expect("it counts");
    vote(kernel, &gate, "ben", Vote::Approve).expect("it counts")
}

#[test]
fn what_is_denied_by_now_stays_denied() {
    let world = World::new();
    let kernel = ready(&world);
    let gate = approved(&kernel);
    let poorer = br#"{"upsert":[{"type":"Agent","id":"bot","properties":{"limit":50,"owner":"zoe"}}]}"#;
    kernel.patch_entities(&who("Person", "olga"), poorer).expect("it holds");
    let denied = kernel.spend(&who("Agent", "bot"), &gate.id, None);
    assert_eq!((denied.answer(), &denied.permit, &denied.trouble), (Answer::Deny, &None, &None));
    assert_eq!(denied.gate.map(|gate| gate.state), Some(GateState::Denied));
    // That it would be allowed again later does not bring the approval back.
    let richer = br#"{"upsert":[{"type":"Agent","id":"bot","properties":{"limit":500,"owner":"zoe"}}]}"#;
    kernel.patch_entities(&who("Person", "olga"), richer).expect("it holds");
    let late = kernel.spend(&who("Agent", "bot"), &gate.id, None);
    assert_eq!(late.answer(), Answer::Deny);
    assert_eq!(late.trouble, Some(KernelError::Gate(Refused::Over(GateState::Denied))));
}

#[test]
fn whoever_left_the_board_has_not_agreed() {
    let world = World::new();
    let kernel = ready(&world);
    let gate = approved(&kernel);
    let gone = br#"{"upsert":[{"type":"Person","id":"ben"}]}"#;
    kernel.patch_entities(&who("Person", "olga"), gone).expect("it holds");
    let waits = kernel.spend(&who("Agent", "bot"), &gate.id, None);
    assert_eq!((waits.answer(), waits.permit), (Answer::RequireApproval, None));
    assert_eq!(waits.gate.map(|gate| gate.state), Some(GateState::Pending));
}

#[test]
fn only_who_asked_spends_or_takes_back() {
    let world = World::new();
    let kernel = ready(&world);
    let gate = approved(&kernel);
    let other = who("Agent", "other");
    let stolen = kernel.spend(&other, &gate.id, None);
    assert_eq!((stolen.answer(), stolen.permit), (Answer::Deny, None));
    assert_eq!(stolen.trouble, Some(KernelError::Gate(Refused::NotRequester)));
    assert!(matches!(kernel.withdraw(&other, &gate.id), Err(KernelError::Forbidden(_))));
    let bot = who("Agent", "bot");
    assert_eq!(kernel.withdraw(&bot, &gate.id).map(|gate| gate.state), Ok(GateState::Withdrawn));
    assert_eq!(kernel.spend(&bot, &gate.id, None).answer(), Answer::Deny);
    // Another amount is another request: nobody has agreed to it.
    assert_eq!(ask(&kernel, 101).answer(), Answer::RequireApproval);
}

#[test]
fn time_ends_it_and_the_sweep_writes_that_down() {
    let world = World::new();
    let kernel = ready(&world);
    let gate = approved(&kernel);
    world.turn(3_600);
    let late = kernel.spend(&who("Agent", "bot"), &gate.id, None);
    assert_eq!((late.answer(), late.permit), (Answer::Deny, None));
    assert_eq!(late.trouble, Some(KernelError::Gate(Refused::Over(GateState::Expired))));
    let second = opened(&kernel);
    assert_ne!(second.id, gate.id);
    world.turn(3_600);
    let swept = kernel.sweep(&who("Person", "olga")).expect("the store is there");
    assert_eq!(swept.gates, std::slice::from_ref(&second.id));
    assert_eq!(kernel.sweep(&who("Person", "olga")).expect("the store is there").gates, [""; 0]);
    assert_eq!(kernel.gates(&reader(), Some(GateState::Expired), None, 9).expect("it is there").len(), 2);
}

#[test]
fn a_gate_outlives_the_process() {
    let world = World::new();
    let kernel = ready(&world);
    let gate = opened(&kernel);
    vote(&kernel, &gate, "ann", Vote::Approve).expect("it counts");
    let store = kernel.close().expect("it closes");
    let world_again: Arc<dyn Environment> = Arc::<World>::clone(&world);
    let kernel = Kernel::open(store, world_again, super::house::settings()).expect("it opens");
    vote(&kernel, &gate, "ben", Vote::Approve).expect("it counts");
    assert_eq!(ask(&kernel, 100).answer(), Answer::Allow);
}

#[test]
fn a_gate_that_has_ended_forgets_what_people_were_shown() {
    let world = World::new();
    let kernel = ready(&world);
    let gate = opened(&kernel);
    assert!(gate.shown().contains("context.cost: 100"), "{}", gate.shown());
    let kept = kernel.withdraw(&who("Agent", "bot"), &gate.id).expect("it waits");
    assert_eq!((kept.request.as_str(), kept.described.as_str(), &kept.asked[0].message), ("", "", &None));
    assert_eq!((kept.binding, kept.requester), (gate.binding, gate.requester));
    assert_eq!(kernel.gate(&reader(), &gate.id).expect("it is there").map(|gate| gate.request), Some(String::new()));
}

#[test]
fn an_operator_whose_role_it_is_withdraws_for_others() {
    let world = World::new();
    let kernel = ready(&world);
    let gate = opened(&kernel);
    let withdrawn = kernel.withdraw(&who("Person", "olga"), &gate.id).expect("she is a responder");
    assert_eq!((withdrawn.state, withdrawn.requester), (GateState::Withdrawn, gate.requester));
    let last = log(&kernel).pop().expect("there are some");
    let allowed = log(&kernel).into_iter().find(|entry| entry.id == last.links["allowed"]).expect("it is there");
    assert_eq!((last.kind, &allowed.body["of"]), (Kind::GateClosed, &"kernel".into()));
}

#[test]
fn what_is_permissive_runs_although_rules_deny_it_and_nothing_else_does() {
    let world = World::new();
    let kernel = ready(&world);
    let olga = who("Person", "olga");
    assert_eq!(ask(&kernel, 501).answer(), Answer::Deny);
    kernel.set_mode(&olga, "pay", Mode::Permissive).expect("she is an admin");
    let verdict = ask(&kernel, 501);
    assert_eq!((verdict.answer(), verdict.mode, &verdict.gate), (Answer::Allow, Mode::Permissive, &None));
    assert_eq!(verdict.decision.as_ref().map(|decision| decision.answer()), Some(Answer::Deny));
    let permit = verdict.permit.expect("it may run");
    kernel.start(&who("Agent", "bot"), permit.token(), &request(501)).expect("it starts");
    let entries = log(&kernel);
    let entry = entries.iter().find(|entry| Some(&entry.id) == verdict.entry.as_ref()).expect("it is there");
    let said = ["answer", "enforced", "mode"].map(|name| entry.body[name].as_str());
    assert_eq!(said, [Some("DENY"), Some("ALLOW"), Some("permissive")]);
    // Approvals are still asked for, and what can't be read is still denied.
    assert_eq!(ask(&kernel, 100).answer(), Answer::RequireApproval);
    let unknown = String::from_utf8(request(501)).expect("it is text").replace("bot", "nobody");
    let denied = kernel.decide(&who("Agent", "bot"), unknown.as_bytes(), None);
    assert_eq!((denied.answer(), denied.mode, denied.permit), (Answer::Deny, Mode::Strict, None));
    // Who made it so is not served by it.
    assert_eq!(kernel.decide(&olga, &request(501), None).answer(), Answer::Deny);
    kernel.set_mode(&olga, "pay", Mode::Strict).expect("she may");
    assert_eq!(ask(&kernel, 501).answer(), Answer::Deny);
    let options = replay::Options { threads: std::num::NonZeroUsize::MIN, ..replay::Options::default() };
    let report = kernel.replay(&olga, &options, &mut |_| {}).expect("it can be read");
    assert!(report.is_whole(), "{report:?}");
}

/// What violates an invariant, and what can't be decided, runs for nobody.
#[test]
fn what_is_permissive_lets_no_error_and_no_violation_pass() {
    let kernel = open(Memory::new(), &World::new());
    let olga = who("Person", "olga");
    let text = SHOP.replace(
        "policy paying on pay {",
        r#"invariant lucky on pay { require context.cost != 13.0 code UNLUCKY because "not {context.cost}" }
        policy paying on pay {
            deny astray when context.cost == 12.0 and context.cost * 1000000000000.0 > 0.0"#,
    );
    kernel.activate(&olga, &bundle(&text), Some(ENTITIES)).expect("it is activated");
    kernel.set_mode(&olga, "pay", Mode::Permissive).expect("she is an admin");
    assert_eq!(ask(&kernel, 11).answer(), Answer::Allow);
    for (cost, why) in [(13, DecisionKind::Violated), (12, DecisionKind::Error)] {
        let verdict = ask(&kernel, cost);
        assert_eq!(verdict.decision.as_ref().map(|decision| decision.kind), Some(why));
        assert_eq!((verdict.answer(), verdict.mode, &verdict.permit), (Answer::Deny, Mode::Strict, &None));
    }
    assert_eq!((ask(&kernel, 501).answer(), ask(&kernel, 501).mode), (Answer::Allow, Mode::Permissive));
}

/// A clock that is never looked at twice at the same moment.
#[derive(Debug)]
struct Restless(Arc<World>);

impl Environment for Restless {
    fn now(&self) -> Timestamp {
        self.0.turn(1);
        self.0.now()
    }

    fn random(&self, buffer: &mut [u8]) -> Result<(), NoRandomness> {
        self.0.random(buffer)
    }
}

#[test]
fn what_is_done_at_once_is_of_one_moment() {
    let world: Arc<dyn Environment> = Arc::new(Restless(World::new()));
    let kernel = Kernel::open(Box::new(Memory::new()), world, super::house::settings()).expect("it opens");
    kernel.activate(&who("Person", "olga"), &bundle(SHOP), Some(ENTITIES)).expect("it is activated");
    let before = log(&kernel).len();
    let gate = opened(&kernel);
    let entries = log(&kernel);
    let [decision, opening] = &entries[before..] else { panic!("a decision, and a gate") };
    assert_eq!((decision.time, opening.time), (gate.opened, gate.opened));
    // And the next thing is of another one.
    vote(&kernel, &gate, "ann", Vote::Approve).expect("it counts");
    assert!(log(&kernel).last().expect("there is one").time > gate.opened);
}

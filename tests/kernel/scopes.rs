//! Scopes as whoever runs something in one sees them: made by a decision, reserved with a permit, settled at its end.

use std::sync::Arc;
use std::thread;

use pdl::Answer;
use pdl::data::decimal::Decimal;
use pdl::data::duration::Duration;
use pdl::kernel::ask::Verdict;
use pdl::kernel::entry::Kind;
use pdl::kernel::permit::{Permit, PermitState, StepRefused};
use pdl::kernel::retain::Old;
use pdl::kernel::running::Outcome;
use pdl::kernel::scope::{Scope, ScopeRefused, ScopeStatus};
use pdl::kernel::store::memory::Memory;
use pdl::kernel::{Kernel, KernelError};

use super::house::{World, bundle, log, open, reader, who};

const HOUSE: &str = r#"module house
use std.scopes.{scope_creating, scope_stepping, scoped}
include std.scopes(attempts_most = 64)
presented entity Agent {}
presented entity Service {}
action restart in scoped { subject: Agent  resource: Service }
action open_scope in scope_creating { subject: Agent  resource: Service }
action end_scope in scope_stepping { subject: Agent  resource: Service }
policy mending on restart { allow everybody }
action free { subject: Agent  resource: Service }
policy giving on free { allow anybody_at_all }
policy opening on open_scope { allow anybody }
policy ending on end_scope {
    allow makers when context.scope is present and context.scope.created_by == subject.id
}
"#;

fn ready(world: &Arc<World>) -> Kernel {
    let kernel = open(Memory::new(), world);
    kernel.activate(&who("Person", "olga"), &bundle(HOUSE), None).expect("it is activated");
    kernel
}

fn usd(text: &str) -> Decimal {
    Decimal::parse(text).expect("it is a decimal")
}

fn request(action: &str, agent: &str, context: &str) -> Vec<u8> {
    format!(
        r#"{{"subject":{{"type":"Agent","id":"{agent}"}},"action":{{"name":"{action}"}},
        "resource":{{"type":"Service","id":"web"}},"context":{context}}}"#
    )
    .into_bytes()
}

fn made(kernel: &Kernel, attempts: u32, cost: &str) -> Scope {
    let context = format!(
        r#"{{"incident":"inc-1","allowed_actions":["restart"],"intent":"it leaks","max_attempts":{attempts},
        "max_cost":{cost},"target_agents":["web-1"]}}"#
    );
    let scoping = kernel.create_scope(&who("Agent", "bot"), &request("open_scope", "bot", &context), None);
    assert_eq!((scoping.verdict.answer(), &scoping.verdict.trouble), (Answer::Allow, &None));
    assert_eq!(scoping.verdict.permit, None);
    scoping.scope.expect("it was made")
}

fn run(kernel: &Kernel, scope: &str, cost: &str) -> Verdict {
    let context = format!(r#"{{"scope_id":"{scope}","incident":"inc-1","cost":{cost},"target_agents":["web-1"]}}"#);
    kernel.decide(&who("Agent", "bot"), &request("restart", "bot", &context), Some(br#"{"risk":"medium"}"#))
}

fn denied_for(verdict: &Verdict) -> Vec<String> {
    assert_eq!((verdict.answer(), &verdict.permit, &verdict.trouble), (Answer::Deny, &None, &None));
    verdict.decision.as_ref().expect("it was decided").codes.clone()
}

fn context_of(scope: &str, cost: &str) -> Vec<u8> {
    let context = format!(r#"{{"scope_id":"{scope}","incident":"inc-1","cost":{cost},"target_agents":["web-1"]}}"#);
    request("restart", "bot", &context)
}

#[test]
fn a_scope_runs_out() {
    let world = World::new();
    let kernel = ready(&world);
    let scope = made(&kernel, 2, "1.5");
    assert_eq!((scope.created_by.as_str(), scope.status), ("bot", ScopeStatus::Active));
    let bot = who("Agent", "bot");
    let first = run(&kernel, &scope.id, "1").permit.expect("it is allowed");
    // What is reserved can't be reserved again, before anything has run.
    assert_eq!(denied_for(&run(&kernel, &scope.id, "0.500001")), ["cost_ceiling_exceeded"]);
    kernel.start(&bot, first.token(), &context_of(&scope.id, "1")).expect("it starts");
    kernel.complete_at_cost(&bot, first.token(), usd("0.75")).expect("it ran");
    let second = run(&kernel, &scope.id, "0.75").permit.expect("that much is left");
    assert_eq!(denied_for(&run(&kernel, &scope.id, "0")), ["scope_exhausted"]);
    kernel.start(&bot, second.token(), &context_of(&scope.id, "0.75")).expect("it starts");
    kernel.fail(&bot, second.token()).expect("it ran");
    // A failed call burns no money, but an attempt.
    let stored = kernel.scope(&reader(), &scope.id).expect("it is there").expect("it is there");
    assert_eq!((stored.attempts_used, stored.cost_used, stored.status), (2, usd("0.75"), ScopeStatus::Exhausted));
    assert_eq!(stored.cost_reserved, Decimal::ZERO);
    assert_eq!(denied_for(&run(&kernel, &scope.id, "0")), ["scope_exhausted"]);
    let of_scopes: Vec<Kind> =
        log(&kernel).into_iter().map(|entry| entry.kind).filter(|kind| kind.name().starts_with("scope.")).collect();
    use Kind::{ScopeCommitted, ScopeCreated, ScopeEnded, ScopeRefunded, ScopeReserved};
    let expected = [ScopeCreated, ScopeReserved, ScopeCommitted, ScopeReserved, ScopeRefunded, ScopeEnded];
    assert_eq!(of_scopes, expected);
}

#[test]
fn a_scope_is_what_the_kernel_has() {
    let world = World::new();
    let kernel = ready(&world);
    let scope = made(&kernel, 1, "1");
    assert_eq!(denied_for(&run(&kernel, "scope_of_nobody", "0")), ["scope_not_found"]);
    // The embedder does not give one, nor does a caller.
    let facts = format!(r#"{{"risk":"low","scope":{}}}"#, scope.to_fact());
    let bot = who("Agent", "bot");
    let given = kernel.decide(&bot, &context_of(&scope.id, "0"), Some(facts.as_bytes()));
    assert_eq!(given.answer(), Answer::Deny);
    assert!(given.decision.expect("it was decided").to_json().contains("kernel_field"));
    // Named among the properties of the action, it is the same one.
    let properties = format!(
        r#"{{"subject":{{"type":"Agent","id":"bot"}},
        "action":{{"name":"house.restart","properties":{{"scope\u005fid":"{}","incident":"inc-1"}}}},
        "resource":{{"type":"Service","id":"web"}},"context":{{"cost":0.25,"target_agents":["web-1"]}}}}"#,
        scope.id
    );
    let verdict = kernel.decide(&bot, properties.as_bytes(), Some(br#"{"risk":"low"}"#));
    assert_eq!((verdict.answer(), &verdict.trouble), (Answer::Allow, &None));
    let stored = kernel.scope(&reader(), &scope.id).expect("it is there").expect("it is there");
    assert_eq!((stored.attempts_reserved, stored.cost_reserved), (1, usd("0.25")));
}

#[test]
fn what_never_began_or_never_ended_is_settled_by_time() {
    let world = World::new();
    let kernel = ready(&world);
    let scope = made(&kernel, 2, "1");
    let bot = who("Agent", "bot");
    let unused = run(&kernel, &scope.id, "0.25").permit.expect("it is allowed");
    let begun = run(&kernel, &scope.id, "0.5").permit.expect("it is allowed");
    kernel.start(&bot, begun.token(), &context_of(&scope.id, "0.5")).expect("it starts");
    world.turn(60);
    assert_eq!(kernel.sweep(&who("Person", "olga")).expect("it sweeps").permits.len(), 1);
    let stored = kernel.scope(&reader(), &scope.id).expect("it is there").expect("it is there");
    assert_eq!((stored.attempts_used, stored.attempts_reserved), (0, 1), "{unused:?}");
    assert_eq!(stored.cost_reserved, usd("0.5"));
    world.turn(600);
    let swept = kernel.sweep(&who("Person", "olga")).expect("it sweeps");
    assert_eq!((swept.permits.len(), &swept.scopes, &swept.failed), (1, &vec![scope.id.clone()], &vec![]));
    let stored = kernel.scope(&reader(), &scope.id).expect("it is there").expect("it is there");
    // Nobody said how it ended: the money may be gone.
    assert_eq!((stored.attempts_used, stored.cost_used), (1, usd("0.5")));
    assert_eq!((stored.cost_reserved, stored.status), (Decimal::ZERO, ScopeStatus::Expired));
}

#[test]
fn many_at_once_do_not_overspend() {
    let world = World::new();
    let kernel = ready(&world);
    let scope = made(&kernel, 40, "1");
    let allowed: usize = thread::scope(|threads| {
        let runners: Vec<_> = (0..8)
            .map(|_| {
                let (kernel, id) = (&kernel, &scope.id);
                threads.spawn(move || (0..8).filter(|_| run(kernel, id, "0.07").answer() == Answer::Allow).count())
            })
            .collect();
        runners.into_iter().map(|runner| runner.join().expect("it ran")).sum()
    });
    assert_eq!(allowed, 14);
    let stored = kernel.scope(&reader(), &scope.id).expect("it is there").expect("it is there");
    assert_eq!((stored.attempts_reserved, stored.cost_reserved), (14, usd("0.98")));
}

#[test]
fn its_maker_ends_it_and_nobody_else() {
    let world = World::new();
    let kernel = ready(&world);
    let scope = made(&kernel, 3, "1");
    let end = |agent: &str, to: &str| {
        let context = format!(r#"{{"scope_id":"{}","to":"{to}"}}"#, scope.id);
        kernel.end_scope(&who("Agent", agent), &request("end_scope", agent, &context), None)
    };
    assert_eq!(end("eve", "revoked").verdict.answer(), Answer::Deny);
    assert_eq!(end("bot", "exhausted").verdict.answer(), Answer::Deny);
    let ended = end("bot", "revoked");
    assert_eq!(
        (ended.verdict.answer(), ended.scope.map(|scope| scope.status)),
        (Answer::Allow, Some(ScopeStatus::Revoked))
    );
    assert_eq!(denied_for(&run(&kernel, &scope.id, "0")), ["scope_revoked"]);
    // An action that makes no scope makes none.
    let scoping = kernel.create_scope(&who("Agent", "bot"), &context_of(&scope.id, "0"), Some(br#"{"risk":"low"}"#));
    assert_eq!((scoping.verdict.answer(), scoping.scope), (Answer::Deny, None));
    assert_eq!(kernel.scopes(&reader(), None, None, 9).expect("they are there").len(), 1);
    assert_eq!(kernel.scopes(&reader(), Some(ScopeStatus::Active), None, 9).expect("they are there").len(), 0);
    assert!(matches!(kernel.scope(&reader(), "scope_0"), Ok(None)));
    let refused = kernel.complete_at_cost(&who("Agent", "bot"), "pdlp1.x.y", Decimal::ZERO);
    assert!(matches!(refused, Err(KernelError::Token(_))));
}

#[test]
fn nothing_costs_less_than_nothing() {
    let world = World::new();
    let kernel = ready(&world);
    let (scope, bot) = (made(&kernel, 1, "1"), who("Agent", "bot"));
    let permit = run(&kernel, &scope.id, "0.5").permit.expect("it is allowed");
    kernel.start(&bot, permit.token(), &context_of(&scope.id, "0.5")).expect("it starts");
    let refused = Err(KernelError::Scope(ScopeRefused::BadCost));
    assert_eq!(kernel.complete_at_cost(&bot, permit.token(), usd("-0.01")), refused);
    // Nor what runs in no scope.
    let making = request("free", "bot", "{}");
    let permit = kernel.decide(&bot, &making, None).permit.expect("it is allowed");
    kernel.start(&bot, permit.token(), &making).expect("it starts");
    assert_eq!(kernel.complete_at_cost(&bot, permit.token(), usd("-0.01")), refused);
    assert_eq!(kernel.complete(&bot, permit.token()), Ok(()));
}

/// Something that was started and that nobody has ended.
fn begun(kernel: &Kernel, scope: &Scope) -> Permit {
    let permit = run(kernel, &scope.id, "0.5").permit.expect("it is allowed");
    kernel.start(&who("Agent", "bot"), permit.token(), &context_of(&scope.id, "0.5")).expect("it starts");
    permit
}

#[test]
fn a_responder_says_what_became_of_what_nobody_ended() {
    let world = World::new();
    let kernel = ready(&world);
    let scope = made(&kernel, 5, "2");
    let (olga, why) = (who("Person", "olga"), "the host is gone; the service restarted");
    let settle = |permit: &Permit, outcome| kernel.settle_permit(&olga, &permit.claims().id, outcome, why);
    let left = || {
        let scope = kernel.scope(&reader(), &scope.id).expect("it is there").expect("it is there");
        (scope.attempts_used, scope.attempts_reserved, scope.cost_used, scope.cost_reserved)
    };
    let (ran, dear, failed) = (begun(&kernel, &scope), begun(&kernel, &scope), begun(&kernel, &scope));
    // Nobody but an operator whose role it is, and not without a reason.
    let entries = log(&kernel).len();
    for (by, why) in [(who("Agent", "bot"), why), (who("Person", "arthur"), why), (olga.clone(), "")] {
        let refused = kernel.settle_permit(&by, &ran.claims().id, Outcome::Failed, why);
        assert!(matches!(refused, Err(KernelError::Forbidden(_))), "{refused:?}");
    }
    assert_eq!(log(&kernel).len(), entries + 3);
    assert_eq!(settle(&ran, Outcome::Completed(Some(usd("-1")))), Err(KernelError::Scope(ScopeRefused::BadCost)));
    assert_eq!(left(), (0, 3, Decimal::ZERO, usd("1.5")));
    settle(&ran, Outcome::Completed(None)).expect("it was started");
    settle(&dear, Outcome::Completed(Some(usd("0.25")))).expect("it was started");
    let told = log(&kernel).into_iter().rfind(|entry| entry.kind == Kind::PermitCompleted).expect("it is told");
    assert_eq!((told.body["reason"].as_str(), &told.body["principal"]["id"]), (Some(why), &"olga".into()));
    let allowed = log(&kernel).into_iter().find(|entry| entry.id == told.links["allowed"]).expect("it is there");
    assert_eq!((allowed.body["of"].as_str(), allowed.body["answer"].as_str()), (Some("kernel"), Some("ALLOW")));
    settle(&failed, Outcome::Failed).expect("it was started");
    assert_eq!(left(), (3, 0, usd("0.75"), Decimal::ZERO));
    // Once, and nothing that was not started, or that time has ended.
    assert_eq!(settle(&ran, Outcome::Failed), Err(KernelError::Step(StepRefused::Ended)));
    assert_eq!(kernel.complete(&who("Agent", "bot"), failed.token()), Err(KernelError::Step(StepRefused::Ended)));
    let unused = run(&kernel, &scope.id, "0.5").permit.expect("it is allowed");
    assert_eq!(settle(&unused, Outcome::Failed), Err(KernelError::Step(StepRefused::NotStarted)));
    let nothing = kernel.settle_permit(&olga, "permit_0", Outcome::Failed, why);
    assert_eq!(nothing, Err(KernelError::UnknownPermit));
    let late = begun(&kernel, &scope);
    world.turn(600);
    kernel.sweep(&olga).expect("it sweeps");
    assert_eq!(settle(&late, Outcome::Failed), Err(KernelError::Step(StepRefused::Ended)));
}

#[test]
fn what_is_over_and_old_is_removed_and_the_log_stays() {
    let world = World::new();
    let kernel = ready(&world);
    let (olga, bot, age) = (who("Person", "olga"), who("Agent", "bot"), Duration(50_000));
    let (scope, revoked, busy) = (made(&kernel, 5, "2"), made(&kernel, 1, "1"), made(&kernel, 1, "1"));
    let ended = begun(&kernel, &scope);
    kernel.complete(&bot, ended.token()).expect("it was started");
    let long = begun(&kernel, &busy);
    for scope in [&revoked, &busy] {
        kernel.revoke_scope(&olga, &scope.id, "it went wrong").expect("she is a responder");
    }
    world.turn(100);
    let young = begun(&kernel, &scope);
    kernel.complete(&bot, young.token()).expect("it was started");
    let before = log(&kernel);
    assert!(matches!(kernel.tidy(&bot, Old::Permits, age), Err(KernelError::Forbidden(_))));
    // Not what is younger, and not what is not over.
    assert_eq!(kernel.tidy(&olga, Old::Permits, Duration(100_000)), Ok(0));
    assert_eq!(kernel.tidy(&olga, Old::Permits, age), Ok(1));
    let states = [&ended, &long, &young].map(|permit| kernel.permit_state(&olga, &permit.claims().id));
    assert_eq!(states, [Ok(None), Ok(Some(PermitState::Started)), Ok(Some(PermitState::Completed))]);
    assert_eq!(kernel.complete(&bot, ended.token()), Err(KernelError::UnknownPermit));
    // A scope stays while something runs in it, for that has to be settled.
    assert_eq!(kernel.tidy(&olga, Old::Scopes, age), Ok(1));
    kernel.complete(&bot, long.token()).expect("it was started");
    assert_eq!(kernel.tidy(&olga, Old::Scopes, age), Ok(1));
    let left: Vec<String> =
        kernel.scopes(&olga, None, None, 9).expect("she may").into_iter().map(|one| one.id).collect();
    assert_eq!(left, [scope.id]);
    assert_eq!(kernel.tidy(&olga, Old::Permits, age), Ok(1));
    // That somebody looked and found nothing is no entry, and nothing that was written is another.
    let entries = log(&kernel);
    assert_eq!(kernel.tidy(&olga, Old::Scopes, age), Ok(0));
    assert_eq!((log(&kernel).len(), &entries[..before.len()]), (entries.len(), &before[..]));
    // Nobody hears that there is nothing who may not look.
    assert!(matches!(kernel.tidy(&bot, Old::Scopes, age), Err(KernelError::Forbidden(_))));
}

#[test]
fn whoever_is_no_operator_sees_what_is_theirs() {
    let world = World::new();
    let kernel = ready(&world);
    let scope = made(&kernel, 2, "1");
    let permit = run(&kernel, &scope.id, "0.5").permit.expect("it is allowed");
    let (bot, other, entries) = (who("Agent", "bot"), who("Person", "bot"), log(&kernel).len());
    for seer in [&bot, &who("Person", "olga"), &who("Person", "arthur")] {
        let scopes = kernel.scopes(seer, None, None, 9).expect("they may look");
        assert_eq!(scopes.iter().map(|scope| &scope.id).collect::<Vec<_>>(), [&scope.id], "{seer:?}");
        assert!(kernel.scope(seer, &scope.id).expect("they may look").is_some(), "{seer:?}");
        let permits = kernel.permits(seer, None, None, 9).expect("they may look");
        assert_eq!(permits.iter().map(|permit| &permit.id).collect::<Vec<_>>(), [&permit.claims().id], "{seer:?}");
        assert_eq!(kernel.permit_state(seer, &permit.claims().id), Ok(Some(PermitState::Issued)), "{seer:?}");
    }
    // Somebody else of the same id has nothing, and that they may look at that is no entry either.
    assert_eq!(kernel.scopes(&other, None, None, 9), Ok(vec![]));
    assert_eq!(kernel.permits(&other, None, None, 9), Ok(vec![]));
    assert_eq!(kernel.scope(&other, "scope_0"), Ok(None));
    assert_eq!(log(&kernel).len(), entries);
    // What is not theirs is refused, and that is one.
    assert!(matches!(kernel.scope(&other, &scope.id), Err(KernelError::Forbidden(_))));
    assert!(matches!(kernel.permit_state(&other, &permit.claims().id), Err(KernelError::Forbidden(_))));
    assert_eq!(log(&kernel).len(), entries + 2);
    // No more than was asked for, in their order.
    let more: Vec<String> = (0..3)
        .map(|_| {
            world.turn(1);
            made(&kernel, 2, "1").id
        })
        .collect();
    let ids = |seer, after, limit| -> Vec<String> {
        let scopes = kernel.scopes(seer, None, after, limit).expect("they may look");
        scopes.into_iter().map(|scope| scope.id).collect()
    };
    for seer in [&bot, &reader()] {
        assert_eq!(ids(seer, Some(scope.id.clone()), 2), more[..2]);
        assert_eq!(ids(seer, Some(more[1].clone()), 9), more[2..]);
        assert_eq!(ids(seer, None, 0), [""; 0]);
    }
}

#[test]
fn a_responder_takes_a_scope_back() {
    let world = World::new();
    let kernel = ready(&world);
    let scope = made(&kernel, 2, "1");
    let permit = run(&kernel, &scope.id, "0.5").permit.expect("it is allowed");
    let refused = kernel.revoke_scope(&who("Agent", "bot"), &scope.id, "I like to");
    assert!(matches!(refused, Err(KernelError::Forbidden(_))));
    let olga = who("Person", "olga");
    assert!(matches!(kernel.revoke_scope(&olga, &scope.id, ""), Err(KernelError::Forbidden(_))));
    assert_eq!(kernel.revoke_scope(&olga, "scope_0", "it went wrong"), Err(KernelError::UnknownScope));
    let revoked = kernel.revoke_scope(&olga, &scope.id, "it went wrong").expect("she is a responder");
    assert_eq!(revoked.status, ScopeStatus::Revoked);
    assert_eq!(denied_for(&run(&kernel, &scope.id, "0")), ["scope_revoked"]);
    // What runs is settled, and the scope stays what it is.
    let bot = who("Agent", "bot");
    let started = kernel.start(&bot, permit.token(), &context_of(&scope.id, "0.5"));
    started.expect("what was permitted before may run");
    kernel.complete(&bot, permit.token()).expect("it ran");
    let stored = kernel.scope(&reader(), &scope.id).expect("it is there").expect("it is there");
    assert_eq!((stored.cost_used, stored.status), (usd("0.5"), ScopeStatus::Revoked));
}

//! The orchestrator, acted out: a contract is proposed, approved by people and carried out by a job, step by step; what the
//! job did is audited; and what may not happen does not.
//!
//! Whoever tells the story is the embedder: it says what happens to the records, and policy and kernel say whether it may.

use pdl::Answer;
use pdl::kernel::gate::Verdict as Vote;
use pdl::kernel::outbox::OutboxEvent;
use pdl::kernel::records::change::{Changed, Move};
use serde_json::{Value, json};

use super::super::house::{reader, who};
use super::story::{Story, making, on};

const HOUSE: &str = include_str!("orchestrator.pdl");
const ENTITIES: &str = r#"[
    {"type":"Group","id":"founders"},
    {"type":"Group","id":"auditors"},
    {"type":"Person","id":"ann","in":[{"type":"Group","id":"founders"}]},
    {"type":"Person","id":"ben","in":[{"type":"Group","id":"founders"}]}
]"#;
const HEALTH: &str = r#"{"captured_at":"2026-11-20T10:00:00Z",
    "capabilities":{"search":"HEALTHY","ranking":"HEALTHY"},"system_health":{}}"#;
const STEPS: &str = r#"[
    {"step_index":0,"step_type":"capability_enable","target":"search",
     "parameters":{"target_lifecycle":"LAUNCHED","rollback_action":"disable"}},
    {"step_index":1,"step_type":"configuration_update","target":"ranking",
     "parameters":{"key":"k","old_value":"1","new_value":"2","rollback_action":"restore"}}]"#;

fn contract(story: &Story, id: &str) -> Move {
    let now = story.world_now();
    let properties = json!({
        "status": "ELIGIBLE", "title": "Launch search", "description": "", "risk_level": "medium",
        "source": "ops_alert", "form": "list", "affected_capabilities": ["search", "ranking"], "eligibility": "MAY",
        "proposed_for": [{"type": "Person", "id": "ben"}], "version": 1, "created_at": now.0, "expires_at": now.1,
        "proposed_changes": [
            {"type": "capability_enable", "capability_name": "search",
             "parameters": {"target_lifecycle": "LAUNCHED", "rollback_action": "disable"}},
            {"type": "configuration_update", "scope": "ranking",
             "parameters": {"key": "k", "old_value": "1", "new_value": "2", "rollback_action": "restore"}},
        ],
        "confidence": 1,
    });
    making("Agent", "propose", ("Contract", id), &properties.to_string(), "{}")
}

impl Story {
    /// Now, and when a contract of now expires.
    fn world_now(&self) -> (String, String) {
        use pdl::data::duration::Duration;
        use pdl::kernel::environment::Environment as _;
        let now = self.world.now();
        let later = now.checked_add(Duration(72 * 3_600_000)).expect("it is a time");
        (now.to_string(), later.to_string())
    }

    fn after(&self, seconds: i64) -> String {
        use pdl::data::duration::Duration;
        use pdl::kernel::environment::Environment as _;
        self.world.now().checked_add(Duration(seconds * 1_000)).expect("it is a time").to_string()
    }
}

fn to_contract(id: &str, to: &str, set: &str) -> Move {
    Move::step(on("Agent", "step_contract", ("Contract", id), &format!(r#"{{"to":"{to}"}}"#)), set)
}

/// What the audit of a contract's job came to, stored in the contract.
fn judged(id: &str, verdict: &str) -> Move {
    let set = format!(r#"{{"audit_verdict":"{verdict}"}}"#);
    Move::step(on("Agent", "record_verdict", ("Contract", id), "{}"), set)
        .knowing(format!(r#"{{"verdict":"{verdict}"}}"#))
}

/// The job of a contract, as the contract's changes make it.
fn job(story: &Story, id: &str, contract: &str, steps: &str) -> Move {
    let (now, until) = (story.after(0), story.after(3_600));
    let properties = format!(
        r#"{{"status":"PENDING","contract_id":"{contract}","steps":{steps},"results":[],"health_before":{HEALTH},
        "created_at":"{now}","timeout_at":"{until}"}}"#
    );
    making("Agent", "create_job", ("Job", id), &properties, "{}").knowing(r#"{"contract_jobs":0}"#)
}

/// The contract becomes active with its job: both, or neither.
fn activation(story: &Story, contract: &str, job_id: &str, steps: &str) -> [Move; 2] {
    let facts = format!(r#"{{"job":{{"type":"Job","id":"{job_id}"}}}}"#);
    let active = to_contract(contract, "ACTIVE", &format!(r#"{{"job_id":"{job_id}","version":3}}"#)).knowing(facts);
    [job(story, job_id, contract, steps), active]
}

/// A job ends with an event: that it did is what its audit is triggered by.
fn to_job(story: &Story, id: &str, to: &str) -> Move {
    let now = story.after(0);
    let context = format!(r#"{{"to":"{to}"}}"#);
    let request = on("Agent", "step_job", ("Job", id), &context);
    match to {
        "RUNNING" => Move::step(request, format!(r#"{{"started_at":"{now}"}}"#)),
        _ => Move::step(request, format!(r#"{{"completed_at":"{now}"}}"#))
            .announcing("job.ended", json!({ "job": id, "status": to }).to_string()),
    }
}

fn may_run(story: &Story, id: &str, contract: &str, step: u32) -> (Answer, Vec<String>) {
    let request = on("Agent", "run_step", ("Job", id), &format!(r#"{{"step_index":{step}}}"#));
    let facts = format!(
        r#"{{"handlers":["capability_enable","configuration_update"],"attempts":0,
        "contract":{{"type":"Contract","id":"{contract}"}}}}"#
    );
    let verdict = story.kernel().decide(&who("Agent", "a"), request.as_bytes(), Some(facts.as_bytes()));
    assert_eq!((&verdict.trouble, verdict.permit.is_some()), (&None, verdict.answer() == Answer::Allow));
    (verdict.answer(), verdict.decision.expect("it was decided").codes)
}

/// What came of a step, behind what came of those before it.
fn result(story: &Story, id: &str, step: u32, status: &str) -> Move {
    let began = story.after(-5);
    let mut results = story.attribute("Job", id, "results");
    let evidence = "as the log has it";
    let one = json!({ "step_index": step, "status": status, "started_at": began, "evidence": evidence });
    results.as_array_mut().expect("it is a list").push(one);
    let set = format!(r#"{{"results":{results},"health_after":{HEALTH}}}"#);
    let context = format!(r#"{{"step_index":{step},"status":"{status}"}}"#);
    Move::step(on("Agent", "record_step", ("Job", id), &context), set)
        .knowing(format!(r#"{{"started_at":"{began}","health_after":{HEALTH}}}"#))
}

fn approved(story: &Story, id: &str) {
    story.done(&[known(contract(story, id))]);
    // Who has agreed, and when, is known once they have.
    let by_approval = |set: &Value| {
        ["approved_by", "activation_window_start", "activation_window_end"]
            .into_iter()
            .fold(to_contract(id, "APPROVED", &set.to_string()), Move::leaving_open)
    };
    let mut set = json!({ "version": 2, "activation_window_hours": 24 });
    let Changed::Undone { verdict, .. } = story.change(&[by_approval(&set)]) else { panic!("people are asked") };
    assert_eq!(verdict.answer(), Answer::RequireApproval);
    assert_eq!(story.status("Contract", id), "ELIGIBLE");
    let gate = verdict.gate.expect("people are asked");
    let vote = |person: &str| {
        story.kernel().vote(&who("Person", person), &gate.id, &gate.asked[0].rule, Vote::Approve, gate.binding)
    };
    // Not whoever it is for.
    assert!(vote("ben").is_err());
    assert!(vote("ann").is_ok());
    set["approved_by"] = json!({ "type": "Person", "id": "ann" });
    set["activation_window_start"] = story.after(0).into();
    set["activation_window_end"] = story.after(24 * 3_600).into();
    story.done(&[by_approval(&set)]);
}

/// Delivers, and has every job that has ended audited: what is decided of it is the verdict.
fn audited(story: &Story) -> Vec<(String, Answer)> {
    let mut verdicts = Vec::new();
    let delivered = story.kernel().deliver(&reader(), &mut |event: &OutboxEvent| {
        assert_eq!(event.name, "job.ended");
        let contract = story.attribute("Job", &event.id, "contract_id");
        let facts = json!({ "contract": { "type": "Contract", "id": contract } }).to_string();
        let request = on("Agent", "audit_job", ("Job", &event.id), "{}");
        let verdict = story.kernel().decide(&who("Agent", "a"), request.as_bytes(), Some(facts.as_bytes()));
        assert_eq!(verdict.trouble, None);
        verdicts.push((event.id.clone(), verdict.answer()));
        Ok::<_, String>(())
    });
    assert_eq!(delivered.expect("the store is there").stopped, None);
    verdicts
}

#[test]
fn a_contract_is_carried_out() {
    let mut story = Story::new(HOUSE, ENTITIES);
    // Whoever may not, may not, whatever else is so.
    let may_not = contract(&story, "c1").knowing(r#"{"eligibility":"MAY_NOT"}"#);
    assert_eq!(story.denied(&[may_not]), ["MayNotVerdictError"]);
    approved_contract(&mut story);

    // Another plan than the contract's: the job is not made either.
    let other = STEPS.replace("LAUNCHED", "PREVIEW");
    assert_eq!(story.denied(&activation(&story, "c1", "j1", &other)), ["PLAN_DIFFERS"]);
    assert_eq!((story.record("Job", "j1"), story.status("Contract", "c1").as_str()), (None, "APPROVED"));
    story.done(&activation(&story, "c1", "j1", STEPS));
    assert_eq!(story.status("Contract", "c1"), "ACTIVE");
    assert_eq!(story.attribute("Contract", "c1", "job_id"), "j1");

    assert_eq!(may_run(&story, "j1", "c1", 0), (Answer::Deny, vec!["JOB_NOT_RUNNING".to_owned()]));
    story.done(&[to_job(&story, "j1", "RUNNING")]);
    assert_eq!(may_run(&story, "j1", "c1", 1), (Answer::Deny, vec!["EXEC-001".to_owned()]));
    assert_eq!(may_run(&story, "j1", "c1", 0), (Answer::Allow, vec![]));
    story.world.turn(10);
    assert_eq!(story.denied(&[result(&story, "j1", 1, "COMPLETED").proving("{}")]), ["JOB-002"]);
    assert_eq!(story.denied(&[result(&story, "j1", 0, "COMPLETED")]), ["JOB-004"]);
    story.done(&[result(&story, "j1", 0, "COMPLETED").proving(r#"{"output":"launched"}"#)]);

    // The process ends in the middle of the job, and another one goes on.
    story.reopen();
    assert_eq!(story.denied(&[result(&story, "j1", 0, "COMPLETED").proving("{}")]), ["JOB-002"]);
    assert_eq!(story.denied(&[to_job(&story, "j1", "COMPLETED")]), ["STEPS_MISSING"]);
    assert_eq!(may_run(&story, "j1", "c1", 1), (Answer::Allow, vec![]));
    story.world.turn(10);
    story.done(&[result(&story, "j1", 1, "COMPLETED").proving(r#"{"output":2}"#)]);
    assert_eq!(audited(&story), []);
    story.done(&[to_job(&story, "j1", "COMPLETED")]);
    assert_eq!(story.denied(&[to_job(&story, "j1", "RUNNING")]), ["JOB-003"]);
    assert_eq!(story.denied(&[result(&story, "j1", 2, "COMPLETED").proving("{}")]), ["JOB-003", "JOB-002"]);

    // That it has ended triggers its audit; the verdict completes the contract, and nothing else does.
    assert_eq!(audited(&story), [("j1".to_owned(), Answer::Allow)]);
    let complete = || to_contract("c1", "COMPLETED", r#"{"version":4}"#);
    assert_eq!(story.denied(&[complete()]), ["CONTRACT-004"]);
    let within = complete().knowing(r#"{"verdict":"PASS","within_job":"j1"}"#);
    assert_eq!(story.denied(&[within]), ["EXEC-005"]);
    story.done(&[judged("c1", "PASS").proving(r#"{"audit":"PASS"}"#)]);
    // It stands in the contract from then on, whatever somebody says of it.
    assert_eq!(story.denied(&[judged("c1", "FAIL")]), ["VERDICT_STANDS"]);
    assert_eq!(story.attribute("Contract", "c1", "audit_verdict"), "PASS");
    story.done(&[complete()]);
    assert_eq!(story.denied(&[to_contract("c1", "FAILED", "{}")]), ["CONTRACT-005"]);
    let history = story.kernel().history(&reader(), "Contract", "c1", None, 99).expect("it is there");
    let states: Vec<&Value> = history.iter().rev().map(|entry| &entry.body["to"]).collect();
    assert_eq!(states, ["ELIGIBLE", "APPROVED", "ACTIVE", "ACTIVE", "COMPLETED"]);
    story.end(0);
}

/// The way of a contract until people have agreed, with what is refused on it.
fn approved_contract(story: &mut Story) {
    let unapproved = |story: &Story| story.denied(&activation(story, "c0", "j0", STEPS));
    story.done(&[known(contract(story, "c0"))]);
    assert_eq!(unapproved(story)[0], "CONTRACT-001");
    assert_eq!(story.record("Job", "j0"), None);
    approved(story, "c1");
}

fn known(one: Move) -> Move {
    one.knowing(r#"{"eligibility":"MAY"}"#)
}

#[test]
fn a_job_fails_and_another_is_cancelled() {
    let story = Story::new(HOUSE, ENTITIES);
    for (contract, job) in [("c1", "j1"), ("c2", "j2")] {
        approved(&story, contract);
        story.done(&activation(&story, contract, job, STEPS));
    }
    assert_eq!(story.denied(&[to_job(&story, "j1", "FAILED")]), ["InvalidJobTransitionError"]);
    story.done(&[to_job(&story, "j1", "RUNNING")]);
    story.world.turn(10);
    story.done(&[result(&story, "j1", 0, "FAILED").proving(r#"{"error":"it broke"}"#)]);
    assert_eq!(may_run(&story, "j1", "c1", 1), (Answer::Deny, vec!["EXEC-003".to_owned()]));
    assert_eq!(story.denied(&[to_job(&story, "j1", "COMPLETED")]), ["STEPS_FAILED"]);
    // The job and its contract fail together.
    let failed = to_contract("c1", "FAILED", r#"{"version":4}"#);
    story.done(&[to_job(&story, "j1", "FAILED"), failed]);
    story.done(&[to_job(&story, "j2", "CANCELLED")]);
    // Both are audited, in the order in which they ended: people have to look at both, for neither has completed.
    assert_eq!(
        audited(&story),
        [("j1".to_owned(), Answer::RequireApproval), ("j2".to_owned(), Answer::RequireApproval)]
    );
    story.done(&[judged("c2", "INCONCLUSIVE")]);
    let complete = to_contract("c2", "COMPLETED", r#"{"version":4}"#).knowing(r#"{"verdict":"PASS"}"#);
    assert_eq!(story.denied(&[complete]), ["CONTRACT-004"]);
    // On one that has failed with its job, no verdict is stored any more.
    assert_eq!(story.denied(&[judged("c1", "FAIL")]), ["CONTRACT_NOT_ACTIVE"]);
    story.end(0);
}

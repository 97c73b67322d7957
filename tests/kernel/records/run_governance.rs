//! The governance of runs, acted out: a run goes through its phases, what its domains have to acknowledge is expected and
//! reconciled, policies judge it once, and what it teaches is kept.

use pdl::kernel::outbox::OutboxEvent;
use pdl::kernel::records::Record;
use pdl::kernel::records::change::Move;
use serde_json::{Value, json};

use super::super::house::reader;
use super::story::{Story, making, on};

const HOUSE: &str = include_str!("run_governance.pdl");

/// What is expected of every run: who, what, by when, and whether it says that the run is alive.
const EXPECTED: [(&str, &str, &str, bool); 4] = [
    ("incidents", "create_incident", "5s", false),
    ("policies", "evaluate_policy", "5s", false),
    ("logs", "start_trace", "5s", false),
    ("orchestrator", "finalize_run", "35s", true),
];

fn begin(id: &str) -> Move {
    making("Worker", "begin", ("Run", id), r#"{"status":"CREATED","run_status":"queued"}"#, "{}")
}

fn advance(id: &str, to: &str, status: Option<&str>) -> Move {
    let (context, set) = match status {
        Some(status) => (json!({ "to": to, "run_status": status }), json!({ "run_status": status })),
        None => (json!({ "to": to }), json!({})),
    };
    let request = on("Worker", "advance", ("Run", id), &context.to_string());
    Move::step(request, set.to_string()).knowing(r#"{"missing_acks":0}"#)
}

fn expect(story: &Story, run: &str, (domain, deed, deadline, is_alive): (&str, &str, &str, bool)) -> Move {
    let since = story.now();
    let properties = json!({
        "status": "pending", "domain": domain, "action": deed, "run": run, "deadline": deadline, "since": since,
    });
    let context = json!({ "domain": domain, "action": deed, "deadline": deadline, "is_liveness_check": is_alive });
    let id = format!("{run}-{deed}");
    making("Worker", "expect", ("Expected", &id), &properties.to_string(), &context.to_string())
        .knowing(r#"{"durable":true,"local":false}"#)
}

fn acknowledge(run: &str, deed: &str, to: &str) -> Move {
    let context = format!(r#"{{"to":"{to}"}}"#);
    Move::step(on("Worker", "acknowledge", ("Expected", &format!("{run}-{deed}")), &context), "{}")
        .proving(json!({ "result_id": format!("{run}-{deed}") }).to_string())
}

/// Closes the books: what is expected and acknowledged is what is stored of it.
fn close(story: &Story, run: &str) -> Move {
    let stored = story.kernel().records(&reader(), "Expected", None, None, 99).expect("the store is there");
    let of_it = |record: &&Record| record.id.starts_with(&format!("{run}-"));
    let (mut expectations, mut acks) = (Vec::new(), Vec::new());
    for record in stored.iter().filter(of_it) {
        let duty: Value = serde_json::from_str(&record.properties).expect("it is JSON");
        let (stands, ack) = match record.status.as_str() {
            "acked" => ("ACKED", Some("SUCCESS")),
            "failed" => ("FAILED", Some("FAILED")),
            _ => ("PENDING", None),
        };
        expectations.push(json!({
            "domain": duty["domain"], "action": duty["action"], "status": stands, "created": duty["since"],
            "deadline": duty["deadline"],
        }));
        if let Some(ack) = ack {
            acks.push(json!({
                "domain": duty["domain"], "action": duty["action"], "status": ack, "result_id": record.id,
            }));
        }
    }
    let facts = json!({ "expectations": expectations, "acks": acks }).to_string();
    Move::step(on("Worker", "close", ("Run", run), "{}"), "{}").knowing(facts)
}

fn evaluate(story: &Story, run: &str, outcome: &str, confidence: u8, ended_as: &str) -> Move {
    let properties = json!({ "status": "judged", "outcome": outcome, "confidence": confidence });
    let context = json!({ "outcome": outcome, "confidence": confidence });
    let evaluations = usize::from(story.record("Evaluation", run).is_some());
    making("Worker", "evaluate", ("Evaluation", run), &properties.to_string(), &context.to_string())
        .knowing(json!({ "ended_as": ended_as, "evaluations": evaluations }).to_string())
}

impl Story {
    fn now(&self) -> String {
        use pdl::kernel::environment::Environment as _;
        self.world.now().to_string()
    }
}

/// A run that has begun, with all that is expected of it.
fn begun(story: &Story, run: &str) {
    let mut moves = vec![begin(run)];
    moves.extend(EXPECTED.map(|expected| expect(story, run, expected)));
    story.done(&moves);
}

#[test]
fn a_run_ends_well() {
    let mut story = Story::new(HOUSE, "[]");
    begun(&story, "r1");
    // Every step asks for what it asks for.
    assert_eq!(story.denied(&[advance("r1", "AUTHORIZED", None)]), ["AUTHORIZATION_NOT_GRANTED"]);
    let authorized = |decision: &str| {
        let facts = json!({ "missing_acks": 0, "authorization": decision }).to_string();
        advance("r1", "AUTHORIZED", None).knowing(facts)
    };
    assert_eq!(story.denied(&[authorized("granted")]), ["AUTHORIZATION_NOT_GRANTED"]);
    story.done(&[authorized("GRANTED")]);
    assert_eq!(story.denied(&[advance("r1", "GOVERNANCE_CHECK", Some("running"))]), ["PhaseTransitionError"]);
    assert_eq!(story.denied(&[advance("r1", "EXECUTING", None)]), ["PhaseStatusInvariantError"]);
    story.done(&[advance("r1", "EXECUTING", Some("running"))]);
    story.done(&[advance("r1", "GOVERNANCE_CHECK", None)]);
    let missing = advance("r1", "FINALIZING", None).knowing(r#"{"missing_acks":3}"#);
    assert_eq!(story.denied(&[missing]), ["ACKS_MISSING"]);
    assert_eq!(story.status("Run", "r1"), "GOVERNANCE_CHECK");

    // What is expected is kept where a restart does not lose it.
    story.reopen();
    let acknowledged = ["create_incident", "evaluate_policy", "start_trace"];
    story.done(&acknowledged.map(|deed| acknowledge("r1", deed, "acked")));
    story.done(&[advance("r1", "FINALIZING", None)]);
    assert_eq!(story.denied(&[close(&story, "r1")]), ["STALE", "INCOMPLETE"]);
    // What was acknowledged stays so.
    assert!(story.refused(&[acknowledge("r1", "start_trace", "failed")]).to_string().contains("stays as it is"));
    story.done(&[acknowledge("r1", "finalize_run", "acked")]);

    // The books are closed, the run completed and judged together; that it was is told.
    let completed = advance("r1", "COMPLETED", Some("succeeded")).announcing("run.completed", r#"{"run":"r1"}"#);
    let wrong = evaluate(&story, "r1", "advisory", 1, "succeeded");
    assert_eq!(story.denied(&[close(&story, "r1"), completed.clone(), wrong]), ["WRONG_OUTCOME"]);
    assert_eq!((story.status("Run", "r1").as_str(), story.record("Evaluation", "r1")), ("FINALIZING", None));
    let judged = evaluate(&story, "r1", "no_violation", 1, "succeeded");
    story.done(&[close(&story, "r1"), completed, judged]);
    assert_eq!(story.denied(&[advance("r1", "FAILED", Some("failed"))]), ["PhaseTransitionError"]);
    let again = evaluate(&story, "r1", "no_violation", 1, "succeeded");
    let changed = story.change(&[again]);
    let refused = changed.undone().and_then(|verdict| verdict.decision.as_ref()).expect("it was decided");
    assert!(refused.to_json().contains("given_twice"), "{}", refused.to_json());

    // What it teaches is noted when one hears that it has ended, and steps as lessons do.
    let delivery = story.kernel().deliver(&reader(), &mut |event: &OutboxEvent| {
        let facts = json!({
            "ended_as": "succeeded", "consumed_before": 10, "consumed": 5, "limit": 100, "duration": "2s",
        });
        let lesson = |facts: &Value| {
            making("Worker", "learn", ("Lesson", &event.id), r#"{"status":"pending"}"#, "{}").knowing(facts.to_string())
        };
        let mut dear = facts.clone();
        dear["consumed"] = 20.into();
        assert_eq!(story.denied(&[lesson(&dear)]), ["NOT_CHEAP"]);
        story.done(&[lesson(&facts)]);
        Ok::<_, String>(())
    });
    assert_eq!(delivery.expect("the store is there").delivered, 1);
    let triage = |to: &str| Move::step(on("Worker", "triage", ("Lesson", "r1"), &format!(r#"{{"to":"{to}"}}"#)), "{}");
    story.done(&[triage("deferred")]);
    assert_eq!(story.denied(&[triage("dismissed")]), ["ILLEGAL_STEP"]);
    story.done(&[triage("pending"), triage("converted_to_draft")]);
    assert_eq!(story.denied(&[triage("pending")]), ["ILLEGAL_STEP"]);
    story.end(1);
}

#[test]
fn a_run_fails_and_its_books_stay_open() {
    let story = Story::new(HOUSE, "[]");
    // An expectation that is none makes no run.
    let mut moves = vec![begin("r1")];
    moves.extend(EXPECTED.map(|expected| expect(&story, "r1", expected)));
    moves.push(expect(&story, "r1", ("logs", "complete_trace", "5s", false)));
    assert_eq!(story.denied(&moves), ["UNEXPECTED"]);
    assert_eq!((story.record("Run", "r1"), story.record("Expected", "r1-start_trace")), (None, None));
    begun(&story, "r1");
    story.done(&[acknowledge("r1", "create_incident", "failed"), acknowledge("r1", "finalize_run", "acked")]);
    assert_eq!(story.denied(&[close(&story, "r1")]), ["INCOMPLETE"]);
    story.world.turn(6);
    assert_eq!(story.denied(&[close(&story, "r1")]), ["INCOMPLETE", "DEADLINE_VIOLATED"]);
    // A run may fail from wherever it is, and what it ended as has to go with that.
    assert_eq!(story.denied(&[advance("r1", "FAILED", Some("succeeded"))]), ["PhaseStatusInvariantError"]);
    let judged = evaluate(&story, "r1", "violation_incident", 0, "failed_policy");
    story.done(&[advance("r1", "FAILED", Some("failed_policy")), judged]);
    assert_eq!(story.attribute("Run", "r1", "run_status"), "failed_policy");
    story.end(0);
}

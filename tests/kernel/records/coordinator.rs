//! The transaction coordinator, acted out: what a run leaves in three domains is written together with how far the
//! transaction is, taken back in reverse if anything fails, and told to others only once it is committed.

use pdl::kernel::KernelError;
use pdl::kernel::outbox::OutboxEvent;
use pdl::kernel::records::change::Move;
use pdl::kernel::records::refused::RecordRefused;
use serde_json::{Value, json};

use super::super::house::reader;
use super::story::{Story, making, on};

const HOUSE: &str = include_str!("coordinator.pdl");

const UNTRIED: &str = r#"{"status":"NOT_STARTED","incident":"untried","policy":"untried","trace":"untried",
    "traced":true,"skip_events":false,"undone":[],"undo_failed":[],"published":[]}"#;

fn make(action: &str, ty: &str, id: &str, properties: &str) -> Move {
    making("Coordinator", action, (ty, id), properties, "{}")
}

fn begun(story: &Story, id: &str) {
    story.done(&[make("begin", "Transaction", id, UNTRIED)]);
}

fn to(id: &str, phase: &str) -> Move {
    Move::step(on("Coordinator", "step", ("Transaction", id), &format!(r#"{{"to":"{phase}"}}"#)), "{}")
}

/// What came of writing to a domain.
fn note(id: &str, domain: &str, attribute: &str, result: &str) -> Move {
    let context = format!(r#"{{"domain":"{domain}","result":"{result}"}}"#);
    let set = format!(r#"{{"{attribute}":"{result}"}}"#);
    Move::step(on("Coordinator", "note", ("Transaction", id), &context), set)
}

/// A domain is written, that it was is noted, and the transaction steps: all of it, or nothing.
fn incident(id: &str) -> [Move; 3] {
    let written = r#"{"status":"written","run":"r1","outcome":"FAILURE"}"#;
    let incident = make("write_incident", "Incident", &format!("{id}-i"), written);
    [incident, note(id, "incidents", "incident", "succeeded"), to(id, "INCIDENT_CREATED")]
}

fn evaluation(id: &str) -> [Move; 3] {
    let written = r#"{"status":"written","run":"r1"}"#;
    let evaluation = make("write_evaluation", "Evaluation", &format!("{id}-e"), written);
    [evaluation, note(id, "policies", "policy", "succeeded"), to(id, "POLICY_EVALUATED")]
}

fn trace(id: &str) -> [Move; 3] {
    let trace = make("write_trace", "Trace", &format!("{id}-t"), r#"{"status":"written","run":"r1"}"#);
    [trace, note(id, "traces", "trace", "succeeded"), to(id, "TRACE_COMPLETED")]
}

/// The commit, with the events that tell of it.
fn commit(id: &str) -> Move {
    let incident = format!("{id}-i");
    to(id, "COMMITTED")
        .announcing("run.completed", json!({ "run_id": "r1", "incident_id": incident }).to_string())
        .announcing("incident.created", json!({ "run_id": "r1", "outcome": "FAILURE" }).to_string())
        .announcing("policy.evaluated", json!({ "run_id": "r1", "policy_id": format!("{id}-e") }).to_string())
}

/// That an event has gone out. The last one ends the transaction.
fn published(story: &Story, event: &OutboxEvent) -> Vec<Move> {
    let name = event.name.replace('.', "_");
    let mut all = story.attribute("Transaction", &event.id, "published");
    all.as_array_mut().expect("it is a list").push(name.clone().into());
    let context = format!(r#"{{"event":"{name}"}}"#);
    let request = on("Coordinator", "publish", ("Transaction", &event.id), &context);
    let publish = Move::step(request, json!({ "published": all }).to_string());
    if name == "policy_evaluated" { vec![publish, to(&event.id, "EVENTS_PUBLISHED")] } else { vec![publish] }
}

/// Takes a domain back: what was written stands there as taken back, it is acknowledged, and the transaction knows.
fn undo(story: &Story, id: &str, domain: &str) -> [Move; 3] {
    let mut undone = story.attribute("Transaction", id, "undone");
    undone.as_array_mut().expect("it is a list").push(domain.into());
    let request = on("Coordinator", "undo", ("Transaction", id), &format!(r#"{{"domain":"{domain}"}}"#));
    let undo = Move::step(request, json!({ "undone": undone }).to_string());
    let (action, record, deed) = match domain {
        "incidents" => ("take_incident_back", ("Incident", format!("{id}-i")), "create_incident"),
        _ => ("take_evaluation_back", ("Evaluation", format!("{id}-e")), "evaluate_policy"),
    };
    let back = on("Coordinator", action, (record.0, &record.1), r#"{"to":"taken_back"}"#);
    let acknowledged = json!({
        "status": "acknowledged", "domain": domain, "deed": deed, "ack": "ROLLED_BACK",
        "reason": "Transaction rollback due to downstream failure",
    });
    let acknowledgement = make("acknowledge", "Acknowledgement", &format!("{id}-{domain}"), &acknowledged.to_string());
    [undo, Move::step(back, "{}"), acknowledgement]
}

fn events(story: &Story) -> Vec<(String, bool)> {
    let events = story.kernel().events(&reader(), None, 0, 99).expect("the store is there");
    events.into_iter().map(|event| (event.name, event.delivered)).collect()
}

#[test]
fn all_domains_are_written_and_then_it_is_told() {
    let mut story = Story::new(HOUSE, "[]");
    begun(&story, "t1");
    // Nothing is passed over, and nothing comes before its turn.
    assert_eq!(story.denied(&[to("t1", "INCIDENT_CREATED")]), ["TransactionFailed"]);
    assert_eq!(story.denied(&evaluation("t1")), ["TransactionFailed"]);
    assert_eq!(story.record("Evaluation", "t1-e"), None);
    story.done(&incident("t1"));
    assert_eq!(story.denied(&incident("t1")[1..]), ["NOTED_BEFORE"]);
    assert_eq!(story.denied(&[commit("t1")]), ["TransactionFailed"]);
    assert_eq!(events(&story), []);

    // The process ends between two domains: what was written is, and what was not is not.
    story.reopen();
    assert_eq!(story.status("Transaction", "t1"), "INCIDENT_CREATED");
    story.done(&evaluation("t1"));
    story.done(&trace("t1"));
    assert_eq!(story.status("Trace", "t1-t"), "written");
    // Nothing is told before the commit, and nothing taken back behind it.
    let early = on("Coordinator", "publish", ("Transaction", "t1"), r#"{"event":"run_completed"}"#);
    assert_eq!(story.denied(&[Move::step(early, "{}")]), ["NOT_COMMITTED"]);
    story.done(&[commit("t1")]);
    assert_eq!(story.denied(&undo(&story, "t1", "incidents")), ["COMMITTED", "UNDO_OUT_OF_ORDER"]);
    assert_eq!(events(&story).len(), 3);

    // The second is not taken at first, and the third waits behind it.
    let mut is_down = true;
    let mut taken = Vec::new();
    let mut deliver = |story: &Story| {
        let delivery = story.kernel().deliver(&reader(), &mut |event: &OutboxEvent| {
            taken.push(event.name.clone());
            if event.name == "incident.created" && std::mem::take(&mut is_down) {
                return Err("nobody answers");
            }
            story.done(&published(story, event));
            Ok(())
        });
        delivery.expect("the store is there").delivered
    };
    assert_eq!(deliver(&story), 1);
    assert_eq!(story.denied(&[to("t1", "EVENTS_PUBLISHED")]), ["EVENTS_MISSING"]);
    story.reopen();
    assert_eq!(deliver(&story), 2);
    assert_eq!(taken, ["run.completed", "incident.created", "incident.created", "policy.evaluated"]);
    assert_eq!(story.status("Transaction", "t1"), "EVENTS_PUBLISHED");
    assert_eq!(
        story.attribute("Transaction", "t1", "published"),
        json!(["incident_created", "policy_evaluated", "run_completed"])
    );
    // And there it stays, whatever else is allowed.
    let note = note("t1", "traces", "trace", "failed");
    assert_eq!(story.denied(std::slice::from_ref(&note)), ["NOTED_BEFORE", "OVER"]);
    story.end(0);
}

#[test]
fn what_failed_is_taken_back_in_reverse_and_nothing_is_told() {
    let mut story = Story::new(HOUSE, "[]");
    begun(&story, "t1");
    story.done(&incident("t1"));
    story.done(&evaluation("t1"));
    story.done(&[note("t1", "traces", "trace", "failed")]);
    assert_eq!(story.denied(&[commit("t1")]), ["TransactionFailed"]);
    assert_eq!(story.denied(&[to("t1", "ROLLED_BACK")]), ["NOT_UNDONE"]);
    // The last that was written is taken back first.
    assert_eq!(story.denied(&undo(&story, "t1", "incidents")), ["UNDO_OUT_OF_ORDER"]);
    assert_eq!(story.status("Incident", "t1-i"), "written");
    story.done(&undo(&story, "t1", "policies"));
    story.reopen();
    assert_eq!(story.denied(&undo(&story, "t1", "policies")), ["UNDONE_BEFORE"]);
    assert_eq!(story.denied(&[to("t1", "COMMITTED")]), ["TransactionFailed", "UNDOING"]);
    story.done(&undo(&story, "t1", "incidents"));
    story.done(&[to("t1", "ROLLED_BACK")]);
    assert_eq!(story.attribute("Transaction", "t1", "undone"), json!(["incidents", "policies"]));
    let last = note("t1", "incidents", "incident", "untried");
    assert_eq!(story.denied(&[last]), ["NOTED_BEFORE", "NOTHING_TO_NOTE", "OVER"]);
    // What was written is there still, as taken back, and each taking back is acknowledged: policies first.
    assert_eq!((story.status("Incident", "t1-i"), story.status("Evaluation", "t1-e")), taken_back());
    let acknowledgements =
        story.kernel().records(&reader(), "Acknowledgement", None, None, 9).expect("the store is there");
    let entry = |id: &str| {
        let found = acknowledgements.iter().find(|record| record.id == id).expect("it is acknowledged");
        assert!(found.properties.contains("\"ack\":\"ROLLED_BACK\""), "{}", found.properties);
        let history = story.kernel().history(&reader(), "Acknowledgement", &found.id, None, 1).expect("it is there");
        history[0].index
    };
    assert!(entry("t1-policies") < entry("t1-incidents"));
    assert_eq!(events(&story), []);
    let delivery = story.kernel().deliver(&reader(), &mut |_| Ok::<_, String>(())).expect("the store is there");
    assert_eq!(delivery.delivered, 0);
    story.end(0);
}

fn taken_back() -> (String, String) {
    ("taken_back".to_owned(), "taken_back".to_owned())
}

/// The same in one transaction of the kernel: then nothing has to be taken back.
#[test]
fn all_at_once_or_not_at_all() {
    let story = Story::new(HOUSE, "[]");
    let begin = || make("begin", "Transaction", "t1", UNTRIED);
    let write = |middle: [Move; 3]| {
        let mut moves = vec![begin()];
        moves.extend(incident("t1"));
        moves.extend(middle);
        moves.extend(trace("t1"));
        moves.push(commit("t1"));
        moves
    };
    // The policies gave nothing: there is no step for that, and so there is nothing.
    let [_, _, step] = evaluation("t1");
    let [first, ..] = evaluation("t1");
    let failed = write([first, note("t1", "policies", "policy", "failed"), step]);
    assert_eq!(story.denied(&failed), ["TransactionFailed"]);
    for (ty, id) in [("Transaction", "t1"), ("Incident", "t1-i"), ("Evaluation", "t1-e"), ("Trace", "t1-t")] {
        assert_eq!(story.record(ty, id), None);
    }
    assert_eq!(events(&story), []);
    assert_eq!(story.done(&write(evaluation("t1"))).len(), 11);
    assert_eq!((story.status("Transaction", "t1").as_str(), events(&story).len()), ("COMMITTED", 3));
    // Where policy has nothing against it, the lifecycle has.
    let incident_again = on("Coordinator", "take_incident_back", ("Incident", "t1-i"), r#"{"to":"written"}"#);
    let illegal = RecordRefused::Illegal { from: "written".to_owned(), to: "written".to_owned() };
    assert_eq!(story.refused(&[Move::step(incident_again, "{}")]), KernelError::Record(illegal));
    let phase: Value = story.attribute("Transaction", "t1", "status");
    assert_eq!(phase, "COMMITTED");
    story.end(0);
}

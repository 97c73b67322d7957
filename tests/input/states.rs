//! Governed records by themselves: which of their invariants are asked, and what is said of them.

use pdl::build::{Sources, build};
use pdl::data::timestamp::Timestamp;
use pdl::vm::decision::RuleReport;
use pdl::vm::input::InputErrorKind;
use pdl::vm::machine::{Machine, Question, Scratch};
use pdl::vm::records::State;
use pdl::vm::value::FaultKind;
use pdl::{InputError, LoadOptions};

const POLICY: &str = r#"module shop
entity Person { level: Int }
presented entity Agent { trusted: Bool }

lifecycle RefundState {
    requested -> approved | refused
    approved -> paid
    final refused, paid
}

record type Refund governed by RefundState {
    amount:   Int
    original: Int
    by:       Person
    until:    Timestamp
    note:     String?

    invariant no_more_than_was_paid {
        require resource.amount <= resource.original
        code    TOO_LARGE
        because "{resource.amount} for {resource.original} of {resource}"
    }

    invariant not_doubled_beyond_bounds {
        require double(resource.amount) < 9_000_000_000_000_000_000
    }

    invariant by_whom_it_may_be {
        let level = resource.by.level
        unless resource.amount < 10
        require level > 2
    }

    invariant not_too_late {
        when resource.status != paid
        require context.now < resource.until
    }

    invariant only_trusted {
        require subject.trusted
        because "{subject} is not trusted"
    }

    invariant not_without_reason {
        require context.reason != "" or resource.amount < 10
    }
}

lifecycle LampState {
    off -> on
    on -> off
}

record type Lamp governed by LampState {}

fn double(n: Int) -> Int = n * 2

action group acting {
    subject:  Agent
    resource: Refund
    context { reason: String  now: Timestamp @kernel }
}

action approve in acting {
    subject:  Agent
    resource: Refund
    context { reason: String  now: Timestamp @kernel }
}

action pay in acting {
    subject:  Agent
    resource: Refund
    context { now: Timestamp @kernel  reason: String  fast: Bool }
}

/// On all actions on it, and of nothing else: no other than one within.
invariant outside on acting {
    require resource.original > 0
    because "{subject} asks for something of nothing"
}

/// A guard of one action.
invariant paid_once on pay {
    require resource.status == approved
}

policy p on acting {
    allow always when subject.trusted
    deny never when resource.amount < 0
}
"#;

fn machine() -> Machine {
    let built = build(&Sources { package: "shop", version: "1.0.0", files: &[("shop.pdl", POLICY)] });
    let built = built.unwrap_or_else(|error| panic!("{error}"));
    let machine = Machine::load(&built.bundle, &LoadOptions::UNSIGNED).expect("it is sound");
    let people = br#"[{"type":"Person","id":"ann","properties":{"level":3}},{"type":"Person","id":"bob","properties":{"level":1}}]"#;
    machine.load_entities(people).expect("they are sound");
    machine
}

fn properties(change: &str) -> String {
    let mut all = serde_json::json!({
        "status": "requested", "amount": 20, "original": 30, "by": "ann", "until": "2026-01-31T12:00:00Z",
    });
    let change: serde_json::Value = serde_json::from_str(change).expect("it is JSON");
    for (name, value) in change.as_object().expect("an object") {
        all[name] = value.clone();
    }
    all.to_string()
}

fn read<'m>(machine: &'m Machine, properties: &str) -> Result<State<'m>, Box<InputError>> {
    let refund = machine.record_type("Refund").expect("it is governed");
    let now = Timestamp::parse("2026-01-31T11:59:59Z").expect("it is a time");
    refund.state(&machine.entities(), "r \"1\"", properties.as_bytes(), now, &mut Scratch::default())
}

fn violations(machine: &Machine, change: &str) -> Vec<RuleReport> {
    read(machine, &properties(change)).unwrap_or_else(|error| panic!("{change}: {error}")).violations
}

fn names(violations: &[RuleReport]) -> Vec<&str> {
    violations.iter().map(|violation| violation.id.strip_prefix("shop.").expect("of the module")).collect()
}

#[test]
fn invariants_that_read_only_the_record_are_asked() {
    let machine = machine();
    let refund = machine.record_type("shop.Refund").expect("by its qualified name too");
    let ids: Vec<&str> = refund.invariants().collect();
    let expected =
        ["no_more_than_was_paid", "not_doubled_beyond_bounds", "by_whom_it_may_be", "not_too_late", "outside"];
    assert_eq!(ids, expected.map(|name| format!("shop.{name}")));
    for (change, expected) in [
        ("{}", &[][..]),
        (r#"{"amount":31}"#, &["no_more_than_was_paid"]),
        (r#"{"amount":0,"original":0}"#, &["outside"]),
        (r#"{"by":"bob"}"#, &["by_whom_it_may_be"]),
        (r#"{"by":"bob","amount":9}"#, &[]),
        (r#"{"until":"2026-01-31T11:59:59Z"}"#, &["not_too_late"]),
        (r#"{"until":"2026-01-31T11:59:59Z","status":"paid"}"#, &[]),
        (r#"{"amount":-5}"#, &[]),
        (r#"{"amount":40,"by":"bob"}"#, &["no_more_than_was_paid", "by_whom_it_may_be"]),
    ] {
        assert_eq!(names(&violations(&machine, change)), expected, "{change}");
    }
}

#[test]
fn a_violation_says_what_a_decision_would() {
    let machine = machine();
    let found = violations(&machine, r#"{"amount":31}"#);
    let request = format!(
        r#"{{"subject":{{"type":"Agent","id":"a","properties":{{"trusted":true}}}},"action":{{"name":"approve"}},
            "resource":{{"type":"Refund","id":"r \"1\"","properties":{}}},"context":{{"reason":"x"}}}}"#,
        properties(r#"{"amount":31}"#)
    );
    let facts = br#"{"now":"2026-01-31T11:59:59Z"}"#;
    let question = Question { facts: Some(facts), ..Question::strict(request.as_bytes()) };
    assert_eq!(found, machine.decide(question, &mut Scratch::default()).decision().rules);
    assert_eq!(found[0].message.as_deref(), Some(r#"31 for 30 of Refund::"r \"1\"""#));
    assert_eq!(found[0].code.as_deref(), Some("TOO_LARGE"));
    assert!(found[0].at.as_deref().is_some_and(|at| at.starts_with("shop.pdl:")), "{found:?}");
    // A message that reads what is not there is left out.
    let outside = &violations(&machine, r#"{"amount":0,"original":0}"#)[0];
    assert_eq!((&outside.message, outside.error), (&None, None));
}

#[test]
fn an_invariant_that_is_an_error_is_violated() {
    let machine = machine();
    let change = r#"{"amount":9000000000000000000,"original":9000000000000000000}"#;
    let found = violations(&machine, change);
    assert_eq!(names(&found), ["not_doubled_beyond_bounds"]);
    assert_eq!((found[0].error, &found[0].message), (Some(FaultKind::Overflow), &None));
}

#[test]
fn a_record_is_read_as_strictly_as_a_request() {
    let machine = machine();
    let state =
        read(&machine, &properties(r#"{"until":"2026-01-31T13:00:00+01:00","note":null}"#)).expect("it is right");
    let expected = r#"{"amount":20,"by":{"id":"ann","type":"Person"},"original":30,"status":"requested","until":"2026-01-31T12:00:00Z"}"#;
    assert_eq!((state.properties.text(), state.status), (expected, "requested"));
    let names: Vec<&str> = state.properties.iter().map(|(field, _)| &*field.name).collect();
    assert_eq!(names, ["amount", "by", "original", "status", "until"]);
    for (text, kind, path) in [
        (properties(r#"{"amount":"20"}"#), InputErrorKind::WrongType, "properties.amount"),
        (properties(r#"{"status":"gone"}"#), InputErrorKind::UnknownVariant, "properties.status"),
        (properties(r#"{"by":"eve"}"#), InputErrorKind::UnknownEntity, "properties.by"),
        (properties(r#"{"other":1}"#), InputErrorKind::UnknownField, "properties.other"),
        (properties("{}").replace("\"amount\":20,", ""), InputErrorKind::MissingField, "properties.amount"),
        (properties("{}") + ",\"id\":\"other\"", InputErrorKind::DuplicateKey, "id"),
        (properties("{}") + ",\"in\":[]", InputErrorKind::UnknownField, "in"),
        (properties("{}") + "}", InputErrorKind::Malformed, ""),
        ("[]".to_owned(), InputErrorKind::WrongType, "properties"),
        (String::new(), InputErrorKind::Malformed, "properties"),
        (format!("{{\"note\":\"{}\"}}", "x".repeat(1 << 20)), InputErrorKind::TooLarge, ""),
    ] {
        let error = read(&machine, &text).map(|state| state.status).expect_err("it is refused");
        assert_eq!((error.kind, error.path.as_str()), (kind, path), "{text:.200}: {error}");
    }
    let amount = read(&machine, &properties(r#"{"amount":"20"}"#)).expect_err("it is refused");
    assert_eq!(properties(r#"{"amount":"20"}"#).find("\"20\""), Some(amount.offset));
}

#[test]
fn lifecycles_say_which_steps_there_are() {
    let machine = machine();
    let types: Vec<&str> = machine.record_types().map(|ty| &*ty.entity_type().name).collect();
    assert_eq!(types, ["Refund", "Lamp"]);
    assert!(machine.record_type("Person").is_none() && machine.record_type("Nothing").is_none());
    let states = machine.record_type("Refund").expect("it is governed").lifecycle();
    assert_eq!(states.name(), "shop.RefundState");
    assert_eq!(states.all().collect::<Vec<_>>(), ["requested", "approved", "refused", "paid"]);
    assert_eq!(states.initial().collect::<Vec<_>>(), ["requested"]);
    assert_eq!(states.finals().collect::<Vec<_>>(), ["refused", "paid"]);
    assert!(states.is_initial("requested") && states.is_final("paid") && !states.is_final("approved"));
    let steps: Vec<(&str, &str)> = (states.all().flat_map(|from| states.all().map(move |to| (from, to))))
        .filter(|&(from, to)| states.may_step(from, to))
        .collect();
    assert_eq!(steps, [("requested", "approved"), ("requested", "refused"), ("approved", "paid")]);
    assert!(!states.may_step("gone", "paid") && !states.may_step("approved", "gone"));
}

/// Invariants are compiled for actions: without one, nothing is known to hold, and nothing is let through.
#[test]
fn a_record_on_which_there_is_no_action_is_refused() {
    let machine = machine();
    let lamp = machine.record_type("Lamp").expect("it is governed");
    assert_eq!(lamp.invariants().count(), 0);
    let state = lamp.state(&machine.entities(), "l", br#"{"status":"on"}"#, Timestamp::EPOCH, &mut Scratch::default());
    assert_eq!(state.map(|state| state.status).expect_err("it is refused").kind, InputErrorKind::UnknownAction);
}

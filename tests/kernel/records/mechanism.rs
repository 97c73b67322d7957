//! The mechanism itself, in a house whose policy allows nearly everything.

use std::thread;

use pdl::data::duration::Duration;
use pdl::kernel::entry::{Entry, Kind};
use pdl::kernel::gate::{Gate, GateState, Refused, Verdict as Vote};
use pdl::kernel::govern::operators::{Change, Operator, Role};
use pdl::kernel::log::commitment::reveal;
use pdl::kernel::modes::Mode;
use pdl::kernel::record::Principal;
use pdl::kernel::records::change::{Changed, Move};
use pdl::kernel::retain::Old;
use pdl::kernel::{Kernel, KernelError};
use pdl::{Answer, Digest};

use super::super::house::{World, bundle, kinds, log, reader, who};
use super::{ENTITIES, PLAIN, SHOP, change, denied, done, making, on, ready, refused, stored, to};

#[test]
fn a_record_is_made_stepped_and_ends() {
    let kernel = ready(&World::new());
    let before = log(&kernel).len();
    let made = done(&kernel, &[making("r1", PLAIN)]).remove(0);
    let expected = r#"{"amount":12.5,"iban":"DE02","status":"requested"}"#;
    assert_eq!((made.ty.as_str(), made.status.as_str(), made.version), ("house.Refund", "requested", 1));
    assert_eq!((made.properties.as_str(), made.is_final), (expected, false));
    let step =
        Move::step(on("step", "r1", r#"{"to":"approved"}"#), r#"{"note":"fine","owner":{"type":"Person","id":"ann"}}"#);
    let approved = done(&kernel, &[step]).remove(0);
    assert_eq!(
        approved.properties,
        r#"{"amount":12.5,"iban":"DE02","note":"fine","owner":{"id":"ann","type":"Person"},"status":"approved"}"#
    );
    // What is null is absent from then on, and what is not named stays.
    done(&kernel, &[Move::step(on("amend", "r1", "{}"), r#"{"note":null,"amount":7}"#)]);
    let paid = done(&kernel, &[to("r1", "paid")]).remove(0);
    assert_eq!((paid.version, paid.is_final), (4, true));
    assert_eq!(stored(&kernel, "r1").as_ref(), Some(&paid));
    assert_eq!(paid.properties, r#"{"amount":7,"iban":"DE02","owner":{"id":"ann","type":"Person"},"status":"paid"}"#);
    use Kind::{Decision, RecordCreated, RecordStepped};
    let stepped = [Decision, RecordStepped];
    assert_eq!(kinds(&kernel, before), [&[Decision, RecordCreated], &stepped[..], &stepped, &stepped].concat());
    // Its history is in the log, the last change first.
    let history = kernel.history(&reader(), "Refund", "r1", None, 9).expect("it is there");
    let told: Vec<_> = history.iter().map(|entry| (&entry.body["from"], &entry.body["to"])).take(3).collect();
    let text = |text: &str| serde_json::Value::from(text);
    let (requested, approved, paid) = (text("requested"), text("approved"), text("paid"));
    assert_eq!(told, [(&approved, &paid), (&approved, &approved), (&requested, &approved)]);
    assert_eq!((history.len(), history[3].kind, history[3].body.get("from")), (4, RecordCreated, None));
    assert_eq!(history[1].body["attributes"]["text"], r#"{"amount":7,"note":null}"#);
    assert!(history.iter().all(|entry| entry.links.contains_key("decision")));
    // Nothing that is sensitive can be read there, nor be guessed by a digest without a salt.
    let entry = serde_json::to_string(&history[3].body).expect("it is JSON");
    assert!(!entry.contains("DE02"), "{entry}");
    let digest = Digest::of(expected.as_bytes()).to_string();
    assert!(!entry.contains(&digest), "{entry}");
    let two = kernel.history(&reader(), "Refund", "r1", Some(history[2].id.clone()), 9).expect("it is there");
    assert_eq!(two, history[2..]);
}

/// Whatever policy allows: a step that the lifecycle does not have can't be stored.
#[test]
fn illegal_steps_can_not_be_stored() {
    let kernel = ready(&World::new());
    done(&kernel, &[making("r1", PLAIN)]);
    let made = stored(&kernel, "r1");
    let states = ["requested", "paid"];
    for state in states {
        assert_eq!(
            refused(&kernel, &[to("r1", state)]),
            format!("the lifecycle has no step from requested to {state}")
        );
    }
    assert!(denied(&kernel, &[to("r1", "gone")]).contains("unknown_variant"));
    for status in ["paid", "refused"] {
        let properties = PLAIN.replace("requested", status);
        assert_eq!(refused(&kernel, &[making("r2", &properties)]), format!("no record begins as {status}"));
    }
    // An optional step that is not taken changes no status; nor does one that is set aside from it.
    done(&kernel, &[Move::step(on("review", "r1", "{}"), "{}")]);
    let set = Move::step(on("amend", "r1", "{}"), r#"{"st\u0061tus":"approved"}"#);
    assert!(refused(&kernel, &[set]).contains("the status is stepped to, and not set"));
    assert_eq!(stored(&kernel, "r1").map(|record| record.status), made.map(|record| record.status));
    assert_eq!(stored(&kernel, "r2"), None);
    // What is final stays as it is, its attributes too.
    done(&kernel, &[to("r1", "refused")]);
    for last in [to("r1", "requested"), to("r1", "refused"), Move::step(on("amend", "r1", "{}"), "{}")] {
        assert_eq!(refused(&kernel, &[last]), "the record is refused and stays as it is");
    }
    assert_eq!(stored(&kernel, "r1").map(|record| record.version), Some(3));
}

#[test]
fn attributes_are_typed_and_invariants_hold() {
    let kernel = ready(&World::new());
    done(&kernel, &[making("r1", PLAIN)]);
    let amend = |set: &str| refused(&kernel, &[Move::step(on("amend", "r1", "{}"), set)]);
    for (set, part) in [
        (r#"{"amount":"7"}"#, "properties.amount"),
        (r#"{"amount":null}"#, "amount"),
        (r#"{"colour":"red"}"#, "colour"),
        (r#"{"owner":{"type":"Person","id":"eve"}}"#, "properties.owner"),
        (r#"{"owner":{"type":"Agent","id":"eve"}}"#, "properties.owner"),
        (r#"{"note":"a","n\u006fte":"b"}"#, "`note` is set twice"),
        (r#"{"note":{"a":1,"a":2}}"#, "properties.note"),
        ("[]", "no JSON object"),
        ("", "no JSON object"),
        ("{} {}", "no JSON object"),
    ] {
        let why = amend(set);
        assert!(why.starts_with("the attributes are refused: ") && why.contains(part), "{set}: {why}");
    }
    // The old one is as it has to be; it is the new one that counts.
    assert_eq!(amend(r#"{"amount":0}"#), "the record would violate house.positive");
    assert_eq!(stored(&kernel, "r1").map(|record| record.version), Some(1));
    assert!(denied(&kernel, &[making("r2", &PLAIN.replace("12.50", "0"))]).contains("NOT_POSITIVE"));
}

#[test]
fn all_happens_or_nothing() {
    let kernel = ready(&World::new());
    done(&kernel, &[making("r1", PLAIN), making("r2", PLAIN)]);
    let before = log(&kernel).len();
    // Later moves see what those before them did.
    done(&kernel, &[to("r1", "approved"), making("r3", PLAIN), to("r3", "refused"), to("r1", "refused")]);
    let (at, moves) = (log(&kernel).len(), [to("r2", "approved").announcing("approved", "{}"), to("r3", "approved")]);
    assert_eq!(at - before, 8);
    let Changed::Undone { at: which, verdict } = change(&kernel, &moves) else { panic!("it was done") };
    assert_eq!((which, verdict.answer()), (1, Answer::Deny));
    assert_eq!(stored(&kernel, "r2").map(|record| (record.status, record.version)), Some(("requested".to_owned(), 1)));
    assert_eq!(kernel.events(&reader(), None, 0, 9), Ok(vec![]));
    // Only what stopped it is told, and that it was undone.
    let entries = log(&kernel).split_off(at);
    assert_eq!(entries.iter().map(|entry| entry.kind).collect::<Vec<_>>(), [Kind::Decision, Kind::RecordRefused]);
    assert_eq!((&entries[0].body["answer"], &entries[0].body["enforced"]), (&"ALLOW".into(), &"DENY".into()));
    assert_eq!((&entries[1].body["move"], &entries[1].body["moves"]), (&1.into(), &2.into()));
    assert_eq!(entries[1].links.get("decision"), verdict.entry.as_ref());
    assert_eq!(verdict.entry.as_ref(), Some(&entries[0].id));
    // The same of what policy denies.
    let at = log(&kernel).len();
    let forbidden = Move::step(on("step", "r2", r#"{"to":"approved","reason":"forbidden"}"#), "{}");
    assert!(denied(&kernel, &[making("r9", PLAIN), forbidden]).contains("FORBIDDEN"));
    assert_eq!((kinds(&kernel, at), stored(&kernel, "r9")), (vec![Kind::Decision, Kind::RecordRefused], None));
    // A transaction has its bounds.
    assert_eq!(refused(&kernel, &[]), "one transaction can't make 0 changes");
    let many: Vec<Move> = (0..65).map(|n| making(&format!("m{n}"), PLAIN)).collect();
    assert_eq!(refused(&kernel, &many), "one transaction can't make 65 changes");
    assert_eq!(done(&kernel, &many[..64]).len(), 64);
}

#[test]
fn people_are_asked_and_the_second_time_it_is_done() {
    let kernel = ready(&World::new());
    done(
        &kernel,
        &[making("r1", &PLAIN.replace("12.50", "100").replace("requested", "approved")), making("r2", PLAIN)],
    );
    let both = [to("r2", "approved"), to("r1", "paid")];
    let Changed::Undone { at: 1, verdict } = change(&kernel, &both) else { panic!("people are asked") };
    assert_eq!((verdict.answer(), &verdict.permit), (Answer::RequireApproval, &None));
    assert_eq!(stored(&kernel, "r2").map(|record| record.version), Some(1));
    let gate = verdict.gate.expect("people are asked");
    assert!(gate.request.contains("\"amount\":100"), "{}", gate.request);
    let voted = kernel.vote(&who("Person", "ann"), &gate.id, &gate.asked[0].rule, Vote::Approve, gate.binding);
    assert_eq!(voted.map(|gate| gate.state), Ok(GateState::Approved));
    // An approval that stands is not spent by a transaction that is undone.
    let stopped = [to("r1", "paid"), to("r2", "paid")];
    assert_eq!(refused(&kernel, &stopped), "the lifecycle has no step from requested to paid");
    assert_eq!(kernel.gate(&reader(), &gate.id).map(|gate| gate.map(|gate| gate.state)), Ok(Some(GateState::Approved)));
    assert_eq!(done(&kernel, &both).len(), 2);
    assert_eq!(kernel.gate(&reader(), &gate.id).map(|gate| gate.map(|gate| gate.state)), Ok(Some(GateState::Spent)));
    assert_eq!(stored(&kernel, "r1").map(|record| record.status).as_deref(), Some("paid"));
}

/// What is denied may run where a capability is permissive; but it changes nothing that the kernel itself keeps.
#[test]
fn no_mode_changes_a_record() {
    let kernel = ready(&World::new());
    done(&kernel, &[making("r1", PLAIN)]);
    kernel.set_mode(&reader(), "step", Mode::Permissive).expect("she is an admin");
    let forbidden = on("step", "r1", r#"{"to":"approved","reason":"forbidden"}"#);
    let verdict = kernel.decide(&who("Agent", "bot"), forbidden.as_bytes(), None);
    assert_eq!((verdict.answer(), verdict.mode), (Answer::Allow, Mode::Permissive));
    assert!(denied(&kernel, &[Move::step(forbidden, "{}")]).contains("FORBIDDEN"));
    assert_eq!(stored(&kernel, "r1").map(|record| record.version), Some(1));
}

/// People agree to what a change does to the record, and what is told of it, and to nothing else.
#[test]
fn what_is_set_and_told_is_a_part_of_what_people_agree_to() {
    let kernel = ready(&World::new());
    let approved = PLAIN.replace("12.50", "100").replace("requested", "approved");
    done(&kernel, &[making("r1", &approved)]);
    let paid = |set: &str| Move::step(on("step", "r1", r#"{"to":"paid"}"#), set);
    let told = |payload: &str| paid(r#"{"note":"fine","amount":100}"#).announcing("paid", payload);
    let asked = |one: Move| {
        let Changed::Undone { verdict, .. } = change(&kernel, &[one]) else { panic!("it was done") };
        assert_eq!(verdict.answer(), Answer::RequireApproval);
        verdict.gate.expect("people are asked")
    };
    let gate = asked(told(r#"{"to":"DE\u202e02"}"#));
    assert!(gate.has_effects && gate.is_secret);
    let shown = gate.shown();
    let lines = "sets: {\"note\": \"fine\", \"amount\": 100}\ntells: \"paid\" {\"to\": \"DE\\u{202e}02\"}\n";
    assert!(shown.contains(lines), "{shown}");
    // The same, written in another way, waits for the same.
    let same = paid(r#" { "amount" : 100, "n\u006fte": "fine" } "#).announcing("paid", r#"{ "to": "DE\u202e02" }"#);
    assert_eq!(asked(same).id, gate.id);
    let vote = |gate: &Gate| {
        let voted = kernel.vote(&who("Person", "ann"), &gate.id, &gate.asked[0].rule, Vote::Approve, gate.binding);
        assert_eq!(voted.map(|gate| gate.state), Ok(GateState::Approved));
    };
    vote(&gate);
    // Whatever else is set or told, or if less is, other people are asked about something else.
    for other in [
        told(r#"{"to":"DE02"}"#),
        told(r#"{"to":"DE\u202e02"}"#).announcing("more", "{}"),
        paid(r#"{"note":"fine","amount":100}"#),
        paid(r#"{"note":"fine","amount":100000}"#).announcing("paid", r#"{"to":"DE\u202e02"}"#),
        paid("{}").announcing("paid", r#"{"to":"DE\u202e02"}"#),
        paid("no object"),
        paid("{}"),
    ] {
        assert_ne!(asked(other).id, gate.id);
    }
    // Leave to run something is not what they were asked for, and their gate stays as it is.
    let by_id = kernel.spend(&who("Agent", "bot"), &gate.id, None);
    assert_eq!((by_id.answer(), &by_id.permit), (Answer::Deny, &None));
    assert_eq!(by_id.trouble, Some(KernelError::Gate(Refused::HasEffects)));
    let by_request = kernel.decide(&who("Agent", "bot"), on("step", "r1", r#"{"to":"paid"}"#).as_bytes(), None);
    assert_eq!((by_request.answer(), by_request.permit), (Answer::RequireApproval, None));
    assert_ne!(by_request.gate.map(|gate| gate.id).as_ref(), Some(&gate.id));
    assert_eq!(done(&kernel, &[told(r#"{"to":"DE\u202e02"}"#)])[0].status, "paid");
    assert_eq!(kernel.gate(&reader(), &gate.id).map(|gate| gate.map(|gate| gate.state)), Ok(Some(GateState::Spent)));
    // What is bound can be computed by who is told all of it; in the log it can't be guessed at.
    let entries = log(&kernel);
    let opened =
        entries.iter().find(|entry| entry.body.get("gate") == Some(&gate.id.clone().into())).expect("it is told");
    assert_eq!(opened.body["committed"], serde_json::json!(["/binding", "/shown"]));
    let decided = entries.iter().find(|entry| entry.id == gate.decision).expect("it is told");
    let decided = kernel.read({
        let decided = decided.clone();
        move |tx| Ok(reveal(tx, decided)?.entry)
    });
    let binding = decided.expect("it is kept").body["digests"]["binding"].as_str().expect("it is a text").to_owned();
    let to = "DE\u{202e}02";
    let events = format!(r#"[{{"name":"paid","payload":{{"to":"{to}"}}}}]"#);
    let bound = format!(r#"{{"binding":"{binding}","events":{events},"set":{{"amount":100,"note":"fine"}}}}"#);
    assert_eq!(gate.binding, Digest::of(bound.as_bytes()));
}

/// What is known only once people have agreed they leave open, by its name, and nothing else.
#[test]
fn what_is_left_open_is_set_to_anything_and_all_else_is_not() {
    let kernel = ready(&World::new());
    done(&kernel, &[making("r1", &PLAIN.replace("12.50", "100").replace("requested", "approved"))]);
    let paid = |amount: u32, note: &str| {
        let set = format!(r#"{{"amount":{amount},"note":"{note}"}}"#);
        Move::step(on("step", "r1", r#"{"to":"paid"}"#), set)
    };
    let asked = |one: Move| {
        let Changed::Undone { verdict, .. } = change(&kernel, &[one]) else { panic!("it was done") };
        verdict.gate.expect("people are asked")
    };
    let gate = asked(paid(100, "").leaving_open("note").leaving_open("note"));
    let shown = gate.shown();
    let lines = "sets: {\"amount\": 100}\nsets to whatever it will be by then: [\"note\"]\n";
    assert!(shown.contains(lines), "{shown}");
    kernel.vote(&who("Person", "ann"), &gate.id, &gate.asked[0].rule, Vote::Approve, gate.binding).expect("it counts");
    let others = [
        paid(100, "ann has agreed"),
        paid(101, "ann has agreed").leaving_open("note"),
        paid(100, "ann has agreed").leaving_open("note").leaving_open("amount"),
        paid(100, "ann has agreed").leaving_open("amount"),
        // What nobody was shown is not open, though nothing was said of it either.
        Move::step(on("step", "r1", r#"{"to":"paid"}"#), r#"{"amount":100,"iban":"DE03"}"#)
            .leaving_open("note")
            .leaving_open("iban"),
    ];
    for other in others {
        assert_ne!(asked(other).id, gate.id);
    }
    let many = (0..65).fold(paid(100, ""), |one, _| one.leaving_open("note"));
    assert!(refused(&kernel, &[many]).contains("at most 64 can be left open"));
    let long = paid(100, "").leaving_open("n".repeat(129));
    assert!(refused(&kernel, &[long]).contains("at most 64 can be left open"));
    let paid = done(&kernel, &[paid(100, "ann has agreed").leaving_open("note")]).remove(0);
    assert!(paid.properties.contains("\"note\":\"ann has agreed\""), "{}", paid.properties);
}

#[test]
fn what_was_approved_of_another_record_is_not_approved_of_this_one() {
    let kernel = ready(&World::new());
    done(&kernel, &[making("r1", &PLAIN.replace("12.50", "100").replace("requested", "approved"))]);
    let Changed::Undone { verdict, .. } = change(&kernel, &[to("r1", "paid")]) else { panic!("people are asked") };
    let gate = verdict.gate.expect("people are asked");
    kernel.vote(&who("Person", "ann"), &gate.id, &gate.asked[0].rule, Vote::Approve, gate.binding).expect("it counts");
    done(&kernel, &[Move::step(on("amend", "r1", "{}"), r#"{"amount":100000}"#)]);
    let Changed::Undone { verdict, .. } = change(&kernel, &[to("r1", "paid")]) else { panic!("people are asked") };
    assert_eq!(verdict.answer(), Answer::RequireApproval);
    assert_ne!(verdict.gate.expect("people are asked anew").id, gate.id);
}

#[test]
fn of_those_who_step_at_once_one_wins() {
    let kernel = ready(&World::new());
    let race = |id: &str, states: [&str; 2]| -> usize {
        thread::scope(|threads| {
            let runners: Vec<_> = (0..8)
                .zip(states.into_iter().cycle())
                .map(|(n, state)| {
                    let moves = [to(id, state), making(&format!("{id}-{state}-{n}"), PLAIN)];
                    let kernel = &kernel;
                    threads.spawn(move || usize::from(change(kernel, &moves).answer() == Answer::Allow))
                })
                .collect();
            runners.into_iter().map(|runner| runner.join().expect("it ran")).sum()
        })
    };
    for n in 0..8 {
        let id = format!("r{n}");
        done(&kernel, &[making(&id, PLAIN)]);
        assert_eq!(race(&id, ["approved", "approved"]), 1);
        assert_eq!(race(&id, ["paid", "refused"]), 1);
        assert_eq!(stored(&kernel, &id).map(|record| (record.version, record.is_final)), Some((3, true)));
    }
    // Of those who lost, nothing is left.
    assert_eq!(kernel.records(&reader(), "Refund", None, None, 999).map(|records| records.len()), Ok(24));
}

#[test]
fn evidence_is_erased_with_its_entry_or_by_its_age() {
    let world = World::new();
    let kernel = ready(&world);
    let (olga, pia) = (reader(), who("Person", "pia"));
    let appointed = Change::Appoint(Operator::person(pia.clone(), &[Role::PrivacyOfficer]));
    kernel.change_operators(&olga, &[appointed]).expect("she is an admin");
    done(&kernel, &[making("r1", PLAIN).proving("1"), making("r2", PLAIN).proving("2")]);
    world.turn(60);
    done(&kernel, &[making("r3", PLAIN).proving("3")]);
    let entries = log(&kernel);
    let made: Vec<&Entry> = entries.iter().filter(|entry| entry.kind == Kind::RecordCreated).collect();
    let commitment = |entry: &Entry| entry.body["evidence"]["commitment"].as_str().and_then(Digest::parse);
    let kept = || {
        let one = |entry: &&Entry| kernel.evidence(&olga, commitment(entry).expect("it is hidden")).expect("she may");
        made.iter().map(one).collect::<Vec<_>>()
    };
    let texts = |texts: [Option<&str>; 3]| texts.map(|text| text.map(str::to_owned)).to_vec();
    assert_eq!(kept(), texts([Some("1"), Some("2"), Some("3")]));
    kernel.erase(&pia, &made[0].id, "the person asked for it").expect("she may");
    assert_eq!(kept(), texts([None, Some("2"), Some("3")]));
    // Who tidies all else has to leave it.
    let tidy = |by: &Principal| kernel.tidy(by, Old::Evidence, Duration(30_000));
    assert!(matches!(tidy(&olga), Err(KernelError::Forbidden(_))));
    assert_eq!(tidy(&pia), Ok(2));
    assert_eq!((kept(), tidy(&pia)), (texts([None, None, Some("3")]), Ok(0)));
    // That it is gone is told, of the one that was still there; of its other secrets nothing is lost.
    let told = log(&kernel).pop().expect("it is told");
    assert_eq!((told.kind, &told.links["erased"]), (Kind::ContentErased, &made[1].id));
    let contents = told.body["contents"].as_object().expect("it says what");
    assert!(contents.len() == 1 && contents.contains_key("/evidence"), "{contents:?}");
    assert!(told.links.contains_key("allowed") && told.body["reason"] == "older than 30s");
    assert_eq!(log(&kernel)[..entries.len()], entries[..]);
}

#[test]
fn evidence_is_kept_and_known_by_a_commitment() {
    let kernel = ready(&World::new());
    let photo = r#"{"photo":1.5}"#;
    done(&kernel, &[making("r1", PLAIN).proving(photo), making("r2", PLAIN).proving(photo)]);
    let shown = |id: &str| {
        let entry = kernel.history(&reader(), "Refund", id, None, 1).expect("it is there").remove(0);
        (entry.body["evidence"]["commitment"].as_str().and_then(Digest::parse).expect("it is hidden"), entry)
    };
    let ((one, entry), (other, _)) = (shown("r1"), shown("r2"));
    for commitment in [one, other] {
        assert_eq!(kernel.evidence(&reader(), commitment).expect("it is there").as_deref(), Some(photo));
    }
    // Whoever can guess what it was can't try: the same evidence is known by something else each time.
    assert_ne!(one, other);
    assert_eq!(kernel.evidence(&reader(), Digest::of(photo.as_bytes())), Ok(None));
    assert!(!log(&kernel).iter().any(|entry| String::from_utf8_lossy(&entry.to_bytes()).contains("photo")));
    // Other contents are not evidence: nobody reads what is committed to by way of it.
    let commitment = entry.body["digest"]["commitment"].as_str().and_then(Digest::parse).expect("it is hidden");
    assert_eq!(kernel.evidence(&reader(), commitment), Ok(None));
    for (evidence, part) in [("{", "no JSON"), ("", "no JSON"), (&format!("[{}]", "1,".repeat(600_000)), "at most")] {
        let why = refused(&kernel, &[making("r3", PLAIN).proving(evidence)]);
        assert!(why.starts_with("the evidence is refused: ") && why.contains(part), "{why}");
    }
    // A policy that asks for it gets the digits of the commitment, and nobody else says what it is.
    let asked = || Move::step(on("prove_it", "r1", "{}"), "{}");
    let said = denied(&kernel, &[asked()]);
    assert!(said.contains("\"kind\":\"not_permitted\""), "{said}");
    let forged = asked().knowing(r#"{"evid\u0065nce":"0000"}"#);
    assert_eq!(refused(&kernel, std::slice::from_ref(&forged)), "only the kernel says what `evidence` is");
    assert_eq!(refused(&kernel, &[forged.proving("1")]), "only the kernel says what `evidence` is");
    assert_eq!(done(&kernel, &[asked().proving("1")])[0].version, 2);
    let decided = log(&kernel).into_iter().rfind(|entry| entry.kind == Kind::Decision).expect("it was");
    let hex = shown("r1").0.to_string().replace("sha256:", "");
    assert!(decided.body["facts"]["text"].as_str().is_some_and(|facts| facts.contains(&hex)));
}

#[test]
fn a_bundle_that_does_not_fit_the_records_is_refused() {
    let kernel = ready(&World::new());
    done(&kernel, &[making("r1", PLAIN), making("r2", PLAIN), to("r2", "refused")]);
    let activate = |kernel: &Kernel, text: &str| {
        let activated = kernel.activate(&who("Person", "olga"), &bundle(text), Some(ENTITIES));
        activated.map(|_| ()).map_err(|why| why.to_string())
    };
    let old = kernel.active().expect("it is there").bundle;
    let other_type = SHOP.replace("amount: Decimal", "amount: Decimal  colour: String");
    let other_state = SHOP.replace("requested", "wanted");
    let gone = SHOP.replace("Refund", "Money");
    for (text, part) in
        [(&other_type, "colour"), (&other_state, "requested"), (&gone, "no such type of records any more")]
    {
        let why = activate(&kernel, text).expect_err("it does not fit");
        assert!(
            why.starts_with("the bundle does not fit the stored house.Refund \"r1\": ") && why.contains(part),
            "{why}"
        );
        assert_eq!(kernel.active().expect("it is there").bundle, old);
    }
    // Stricter invariants hold from the next change on.
    assert_eq!(activate(&kernel, &SHOP.replace("amount > 0.0", "amount > 20.0")), Ok(()));
    let amend = Move::step(on("amend", "r1", "{}"), r#"{"amount":13}"#);
    assert!(denied(&kernel, &[amend]).contains("NOT_POSITIVE"));
    assert_eq!(activate(&kernel, SHOP), Ok(()));
    // What is final may stay without a type, and comes back with it.
    done(&kernel, &[to("r1", "refused")]);
    assert_eq!(activate(&kernel, &gone), Ok(()));
    assert_eq!(
        kernel.record(&reader(), "house.Refund", "r1").map(|record| record.map(|record| record.version)),
        Ok(Some(2))
    );
    assert_eq!(kernel.record(&reader(), "Refund", "r1"), Ok(None));
    assert!(activate(&kernel, &other_type).is_err());
    assert_eq!(activate(&kernel, SHOP), Ok(()));
    assert_eq!(refused(&kernel, &[to("r1", "approved")]), "the record is refused and stays as it is");
}

#[test]
fn records_are_found_by_type_and_status() {
    let kernel = ready(&World::new());
    done(&kernel, &[making("b", PLAIN), making("a", PLAIN), making("c", PLAIN), to("a", "refused")]);
    let ids = |status: Option<&str>, after: Option<&str>, limit: u32| {
        let records =
            kernel.records(&reader(), "Refund", status, after.map(str::to_owned), limit).expect("the store is there");
        records.into_iter().map(|record| record.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(None, None, 9), ["a", "b", "c"]);
    assert_eq!(ids(Some("requested"), None, 1), ["b"]);
    assert_eq!(ids(Some("requested"), Some("b"), 9), ["c"]);
    assert_eq!(kernel.record_types(&reader()), Ok(vec!["house.Refund".to_owned()]));
    assert!(matches!(kernel.history(&reader(), "Refund", "z", None, 9), Err(KernelError::Record(_))));
    // No permit changes a record: leave to run something is another thing.
    let verdict = kernel.decide(&who("Agent", "bot"), on("amend", "a", "{}").as_bytes(), None);
    assert_eq!((verdict.answer(), verdict.permit.is_some()), (Answer::Allow, true));
    assert_eq!(stored(&kernel, "a").map(|record| record.version), Some(2));
}

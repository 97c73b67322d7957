//! Only the kernel says what a record is: attributes that somebody else gives are refused wherever they stand.

use pdl::kernel::records::change::Move;
use pdl::kernel::store::memory::Memory;

use super::super::house::{World, bundle, open, who};
use super::{ENTITIES, PLAIN, SHOP, denied, done, making, on, ready, refused, stored, to};

const NAMED: &str = r#"{"type":"Refund","id":"r2"}"#;
const FORGED: &str = r#"{"type":"Refund","id":"r2","properties":{"status":"paid","amount":1,"iban":"x"}}"#;
/// The same with keys that are written otherwise.
const ESCAPED: &str = r#"{"type":"house.Refund","id":"r2","pr\u006fperties":{"status":"paid","amount":1,"iban":"x"}}"#;
const TWICE: &str =
    r#"{"type":"Refund","type":"Agent","id":"r2","properties":{"status":"paid","amount":1,"iban":"x"}}"#;

/// A place in a request, and the move that has something there.
type Form<'f> = (&'f str, &'f dyn Fn(&str) -> Move);

#[test]
fn forged_attributes_are_refused_wherever_they_stand() {
    let kernel = ready(&World::new());
    done(&kernel, &[making("r1", PLAIN), making("r2", PLAIN)]);
    let version = stored(&kernel, "r1").map(|record| record.version);
    let request = |subject: &str, resource: &str, action: &str, context: &str| {
        format!(r#"{{"subject":{subject},"action":{action},"resource":{resource},"context":{context}}}"#)
    };
    let (agent, one) = (r#"{"type":"Agent","id":"bot"}"#, r#"{"type":"Refund","id":"r1"}"#);
    let compare = r#"{"name":"compare"}"#;
    let forms: [Form<'_>; 9] = [
        ("resource", &|forged| Move::step(request(agent, forged, r#"{"name":"amend"}"#, "{}"), "{}")),
        ("subject", &|forged| Move::step(request(forged, one, r#"{"name":"look"}"#, "{}"), "{}")),
        ("context", &|forged| Move::step(request(agent, one, compare, &format!(r#"{{"other":{forged}}}"#)), "{}")),
        ("record", &|forged| {
            let context = format!(r#"{{"other":{NAMED},"parcel":{{"refund":{forged},"refunds":[]}}}}"#);
            Move::step(request(agent, one, compare, &context), "{}")
        }),
        ("list", &|forged| {
            let context = format!(r#"{{"other":{NAMED},"parcel":{{"refunds":[{NAMED},{forged}]}}}}"#);
            Move::step(request(agent, one, compare, &context), "{}")
        }),
        ("map", &|forged| {
            let context = format!(r#"{{"other":{NAMED},"by_name":{{"a":{forged}}}}}"#);
            Move::step(request(agent, one, compare, &context), "{}")
        }),
        ("action", &|forged| {
            let action = format!(r#"{{"name":"compare","properties":{{"other":{forged}}}}}"#);
            Move::step(request(agent, one, &action, "{}"), "{}")
        }),
        ("facts", &|forged| {
            Move::step(on("step", "r1", r#"{"to":"approved"}"#), "{}").knowing(format!(r#"{{"other":{forged}}}"#))
        }),
        ("facts in full", &|forged| {
            let context = format!(r#"{{"other":{NAMED}}}"#);
            Move::step(request(agent, one, compare, &context), "{}").knowing(format!(r#"{{"seen":{forged}}}"#))
        }),
    ];
    for (place, make) in forms {
        for forged in [FORGED, ESCAPED] {
            let said = denied(&kernel, &[make(forged)]);
            assert!(said.contains("kernel_field"), "{place}: {said}");
        }
        let said = denied(&kernel, &[make(TWICE)]);
        assert!(said.contains("\"kind\":\"error\""), "{place}: {said}");
        // A record that is not there is none.
        let said = denied(&kernel, &[make(&NAMED.replace("r2", "r3"))]);
        assert!(said.contains("unknown_entity"), "{place}: {said}");
        assert_eq!(stored(&kernel, "r1").map(|record| record.version), version, "{place}");
    }
    // Without the forgery each of them is done, but for what is not allowed twice.
    for (place, make) in forms {
        done(&kernel, &[make(NAMED)]);
        assert!(stored(&kernel, "r1").map(|record| record.version) >= version, "{place}");
    }
}

#[test]
fn a_record_that_is_made_is_made_once_and_alone() {
    let kernel = ready(&World::new());
    done(&kernel, &[making("r2", PLAIN)]);
    assert!(denied(&kernel, &[making("r2", PLAIN)]).contains("given_twice"));
    assert!(denied(&kernel, &[making("r3", PLAIN), making("r3", PLAIN)]).contains("given_twice"));
    assert_eq!(stored(&kernel, "r3"), None);
    // What is proposed is the resource, and nothing else.
    let proposing = |properties: &str| {
        Move::create(format!(
            r#"{{"subject":{{"type":"Agent","id":"bot"}},"action":{{"name":"compare"}},
            "resource":{{"type":"Refund","id":"r3","properties":{PLAIN}}},"context":{{"other":{properties}}}}}"#
        ))
    };
    assert!(denied(&kernel, &[proposing(FORGED)]).contains("kernel_field"));
    assert_eq!(done(&kernel, &[proposing(NAMED)])[0].id, "r3");
    // One that is not there is not stepped, and one that is proposed twice is not read.
    assert!(denied(&kernel, &[to("r4", "approved")]).contains("unknown_entity"));
    let twice = PLAIN.replace("{", r#"{"status":"approved","#);
    assert!(denied(&kernel, &[making("r4", &twice)]).contains("duplicate_key"));
    let nothing = Move::create(on("request", "r4", "{}"));
    assert!(denied(&kernel, &[nothing]).contains("missing_field"));
    // A step is to be one; so `to` says what is proposed, or nothing.
    let other = Move::create(format!(
        r#"{{"subject":{{"type":"Agent","id":"bot"}},"action":{{"name":"step"}},
        "resource":{{"type":"Refund","id":"r4","properties":{PLAIN}}},"context":{{"to":"approved"}}}}"#
    ));
    assert!(refused(&kernel, &[other]).contains("is to begin as approved"));
    let agent = Move::step(
        r#"{"subject":{"type":"Agent","id":"bot"},"action":{"name":"request"},"resource":{"type":"Agent","id":"x"}}"#,
        "{}",
    );
    assert!(denied(&kernel, &[agent]).contains("error"));
    assert_eq!(stored(&kernel, "r4"), None);
}

/// A record in a record would be as somebody gave it, and not as it is.
#[test]
fn records_do_not_hold_records() {
    let kernel = open(Memory::new(), &World::new());
    let receipt = "record type Receipt governed by RefundState { parcels: List<Parcel> max 4 }
        action file { subject: Agent  resource: Receipt }
        policy filing on file { allow clerks }";
    let text = format!("{SHOP}{receipt}");
    kernel.activate(&who("Person", "olga"), &bundle(&text), Some(ENTITIES)).expect("it is activated");
    let filed = r#"{"subject":{"type":"Agent","id":"bot"},"action":{"name":"file"},
        "resource":{"type":"Receipt","id":"r1","properties":{"status":"requested","parcels":[]}}}"#;
    let why = refused(&kernel, &[Move::create(filed)]);
    assert_eq!(why, "records of the type Receipt can't be kept: in parcels there can be other records");
}

//! A change that runs in a scope uses it up, in the same transaction.

use pdl::Answer;
use pdl::data::decimal::Decimal;
use pdl::kernel::records::change::Move;
use pdl::kernel::store::memory::Memory;

use super::super::house::{World, bundle, open, reader, who};
use super::change;

const HOUSE: &str = r#"module house
use std.scopes.{scope_creating, scoped}
include std.scopes()
presented entity Agent {}
lifecycle Door { shut -> ajar  ajar -> shut }
record type Gate governed by Door {}
action build { subject: Agent  resource: Gate }
action turn in scoped { subject: Agent  resource: Gate  context { to: Door } }
action open_scope in scope_creating { subject: Agent  resource: Gate }
policy anything on build | turn | open_scope { allow anybody }
"#;

#[test]
fn a_change_in_a_scope_uses_it_up() {
    let kernel = open(Memory::new(), &World::new());
    kernel.activate(&who("Person", "olga"), &bundle(HOUSE), None).expect("it is activated");
    let bot = who("Agent", "bot");
    let request = |action: &str, properties: &str, context: &str| {
        format!(
            r#"{{"subject":{{"type":"Agent","id":"bot"}},"action":{{"name":"{action}"}},
            "resource":{{"type":"Gate","id":"g"{properties}}},"context":{context}}}"#
        )
    };
    let build = Move::create(request("build", r#","properties":{"status":"shut"}"#, "{}"));
    assert_eq!(change(&kernel, &[build]).answer(), Answer::Allow);
    let terms = r#"{"incident":"i","allowed_actions":["turn"],"intent":"air","max_attempts":2,"max_cost":1,
        "target_agents":["g"]}"#;
    let scoping = kernel.create_scope(&bot, request("open_scope", "", terms).as_bytes(), None);
    let scope = scoping.scope.unwrap_or_else(|| panic!("{:?}", scoping.verdict)).id;
    let turn = |to: &str| {
        let context =
            format!(r#"{{"scope_id":"{scope}","incident":"i","cost":0.25,"target_agents":["g"],"to":"{to}"}}"#);
        Move::step(request("turn", "", &context), "{}").knowing(r#"{"risk":"low"}"#)
    };
    let used = || {
        let scope = kernel.scope(&reader(), &scope).expect("it is there").expect("it is there");
        (
            scope.attempts_used,
            scope.cost_used.to_string(),
            scope.attempts_reserved,
            scope.cost_reserved == Decimal::ZERO,
        )
    };
    // What is undone costs nothing.
    assert_eq!(change(&kernel, &[turn("ajar"), turn("ajar")]).answer(), Answer::Deny);
    assert_eq!(used().0, 0);
    assert_eq!(change(&kernel, &[turn("ajar"), turn("shut")]).answer(), Answer::Allow);
    assert_eq!(used(), (2, "0.5".to_owned(), 0, true));
    let changed = change(&kernel, &[turn("ajar")]);
    let decision = changed.undone().and_then(|verdict| verdict.decision.as_ref()).expect("it was decided");
    assert_eq!(decision.codes, ["scope_exhausted"]);
}

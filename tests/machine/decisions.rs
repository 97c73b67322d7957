//! From requests to decisions: kinds, determining rules, errors, gates, obligations, shadow rules, the index.

use pdl::bytecode::program::{ConstantId, Effect, FunctionId, Gate, Index, Input, Key, MessagePart, Rule, SiteId};
use pdl::bytecode::schema::{Obligation, Type};
use pdl::vm::decide::{Answer, Kind};
use pdl::vm::decision::Decision;
use pdl::vm::machine::{Machine, Question, Scratch};
use pdl::vm::run::Steps;
use proptest::prelude::*;

use super::harness::{Builder, Literal, literal};

const TEAMS: &[u8] = br#"[{"type":"Team","id":"a","properties":{"level":1,"label":"first"}}]"#;

/// A policy on `act`, whose rules read `amount` (input 0), `tag` (1), the subject (2) and the resource (3).
struct Policy {
    builder: Builder,
}

impl Policy {
    fn new(strings: &[&str]) -> Policy {
        let mut builder = Builder::new([].iter(), strings);
        let entry = &mut builder.program.entries[0];
        entry.inputs = vec![Input::Context(0), Input::Context(1), Input::Subject, Input::Resource];
        Policy { builder }
    }

    fn int(&mut self, value: i64) -> u32 {
        self.builder.constant(&Literal::Int(value)).0
    }

    /// A function of the entry that gives a Bool.
    fn condition(&mut self, listing: &str) -> FunctionId {
        let bool = self.builder.ty(Type::Bool);
        self.builder.function(Some(0), false, &[], bool, listing)
    }

    fn int_function(&mut self, listing: &str) -> FunctionId {
        let int = self.builder.type_of(&Literal::Int(0));
        self.builder.function(Some(0), false, &[], int, listing)
    }

    fn team(&mut self, id: &str) -> FunctionId {
        let literal = Literal::Entity(id.to_owned());
        let (ty, constant) = (self.builder.type_of(&literal), self.builder.constant(&literal).0);
        self.builder.function(Some(0), false, &[], ty, &format!("const 0 {constant}\nreturn 0"))
    }

    /// `amount > bound`.
    fn above(&mut self, bound: i64) -> FunctionId {
        let bound = self.int(bound);
        self.condition(&format!("read 0 0\nconst 1 {bound}\nless 2 1 0\nreturn 2"))
    }

    /// `amount + amount > bound`: an error of this site for a large amount.
    fn twice_above(&mut self, bound: i64, site: u32) -> FunctionId {
        let bound = self.int(bound);
        self.condition(&format!("read 0 0\nint_add 0 0 0 @{site}\nconst 1 {bound}\nless 2 1 0\nreturn 2"))
    }

    fn rule(&mut self, id: &str, effect: Effect, condition: FunctionId) -> &mut Rule {
        let id = self.builder.string(id);
        let rules = &mut self.builder.program.entries[0].rules;
        let site = SiteId(500 + rules.len() as u32);
        rules.push(Rule {
            id,
            effect,
            shadow: false,
            condition,
            may_fail: false,
            code: None,
            message: vec![],
            gate: None,
            obligations: vec![],
            site,
        });
        rules.last_mut().expect("just pushed")
    }

    fn machine(self) -> Machine {
        let count = self.builder.program.entries[0].rules.len() as u32;
        self.machine_with(Index { keys: vec![], rest: (0..count).collect() })
    }

    fn machine_with(mut self, index: Index) -> Machine {
        self.builder.program.entries[0].index = index;
        let machine = Machine::new(self.builder.verified()).expect("a machine");
        machine.load_entities(TEAMS).expect("entities");
        machine
    }
}

fn request(amount: i64, tag: &str) -> String {
    format!(
        r#"{{"subject":{{"type":"Guest","id":"g","properties":{{"level":3}}}},"action":{{"name":"act"}},"resource":{{"type":"Team","id":"a"}},"context":{{"amount":{amount},"tag":"{tag}"}}}}"#
    )
}

/// The decision; the quick answer and the full one have to agree, and no more steps be taken than certified.
fn ask(machine: &Machine, request: &str) -> Decision {
    let mut scratch = Scratch::default();
    let store = machine.entities();
    if let Ok(decoded) = machine.decode(&store, Question::strict(request.as_bytes()), &mut scratch) {
        let (_, steps) = machine.answer(&store, &decoded, &mut scratch, Steps::default());
        let cost = machine.image().program.entries[decoded.action as usize].cost;
        assert!(steps.0 <= cost, "{} steps where {cost} are certified", steps.0);
    }
    let mut decided = machine.decide(Question::strict(request.as_bytes()), &mut scratch);
    let kind = decided.kind();
    let decision = decided.decision();
    assert_eq!(kind, decision.kind);
    decision
}

fn ids(decision: &Decision) -> Vec<&str> {
    decision.rules.iter().map(|rule| rule.id.as_str()).collect()
}

/// Each rule applies from an amount on: allowed above 0, approval above 10, denied above 20, violated above 30.
fn ladder() -> Machine {
    let mut policy = Policy::new(&["m.allow", "m.allow2", "m.approve", "m.deny", "m.deny2", "m.violate", "a"]);
    let [allow, approve, deny, violate] = [0, 10, 20, 30].map(|bound| policy.above(bound));
    let (from, two) = (policy.team("a"), policy.int(2));
    let quorum = policy.int_function(&format!("const 0 {two}\nreturn 0"));
    policy.rule("m.deny", Effect::Deny, deny);
    policy.rule("m.allow", Effect::Allow, allow);
    policy.rule("m.violate", Effect::Violation, violate);
    policy.rule("m.approve", Effect::RequireApproval, approve).gate =
        Some(Gate { from, quorum, within_ms: Some(60_000), escalations: vec![(from, 9)], distinct: true });
    policy.rule("m.allow2", Effect::Allow, allow);
    policy.rule("m.deny2", Effect::Deny, deny);
    policy.machine()
}

#[test]
fn kinds_stand_above_one_another() {
    let machine = ladder();
    let kind = |amount| {
        let decision = ask(&machine, &request(amount, ""));
        (decision.kind, ids(&decision).join(" "))
    };
    assert_eq!(kind(0), (Kind::NotPermitted, String::new()));
    assert_eq!(kind(1), (Kind::Allowed, "m.allow m.allow2".into()));
    assert_eq!(kind(11), (Kind::Approval, "m.approve".into()));
    assert_eq!(kind(21), (Kind::Denied, "m.deny m.deny2".into()));
    assert_eq!(kind(31), (Kind::Violated, "m.deny m.violate m.deny2".into()));
}

#[test]
fn answers_follow_from_kinds() {
    for (kind, answer) in [
        (Kind::Error, Answer::Deny),
        (Kind::Violated, Answer::Deny),
        (Kind::Denied, Answer::Deny),
        (Kind::NotPermitted, Answer::Deny),
        (Kind::Approval, Answer::RequireApproval),
        (Kind::Allowed, Answer::Allow),
    ] {
        assert_eq!(kind.answer(), answer);
    }
}

#[test]
fn an_approval_names_its_gate() {
    let json = ask(&ladder(), &request(11, "")).to_json();
    assert_eq!(
        json,
        r#"{"decision":"REQUIRE_APPROVAL","kind":"approval","rules":[{"id":"m.approve","effect":"require_approval"}],"codes":[],"gates":[{"id":"m.approve","from":{"type":"Team","id":"a"},"quorum":2,"within_ms":60000,"escalations":[{"to":{"type":"Team","id":"a"},"after_ms":9}],"distinct":true}],"obligations":[],"shadow":[]}"#
    );
}

#[test]
fn an_error_in_any_rule_is_an_error_even_where_another_rule_denies() {
    for effect in [Effect::Allow, Effect::Deny, Effect::Violation] {
        let mut policy = Policy::new(&["m.deny", "m.fail", "m.fail2", "m.violate"]);
        let (deny, late, early) = (policy.above(0), policy.twice_above(0, 9), policy.twice_above(0, 7));
        policy.rule("m.violate", Effect::Violation, deny);
        policy.rule("m.deny", Effect::Deny, deny);
        policy.rule("m.fail", effect, late);
        policy.rule("m.fail2", effect, early);
        let machine = policy.machine();
        assert_eq!(ask(&machine, &request(1, "")).kind, Kind::Violated);
        let mut decision = ask(&machine, &request(i64::MAX, ""));
        decision.locate(|site| Some(format!("m.pdl:{}:1", site.0)));
        assert_eq!(decision.kind, Kind::Error);
        // Of several, that of the smallest site.
        assert_eq!(ids(&decision), ["m.fail2"]);
        assert!(
            decision.to_json().contains(
                r#""error":{"code":"overflow","message":"a result is out of the range of its type","rule":"m.fail2","at":"m.pdl:7:1"}"#
            ),
            "{}",
            decision.to_json()
        );
    }
}

#[test]
fn a_quorum_below_one_is_an_error_where_its_rule_matters() {
    let mut policy = Policy::new(&["m.allow", "m.approve", "m.deny", "a"]);
    let (allow, approve, deny) = (policy.above(0), policy.above(5), policy.above(10));
    let (from, nine) = (policy.team("a"), policy.int(9));
    // The quorum is 9 - amount: 3 for 6, 0 for 9, an error for none.
    let quorum = policy.int_function(&format!("read 0 0\nconst 1 {nine}\nint_subtract 2 1 0 @3\nreturn 2"));
    policy.rule("m.allow", Effect::Allow, allow);
    policy.rule("m.approve", Effect::RequireApproval, approve).gate =
        Some(Gate { from, quorum, within_ms: None, escalations: vec![], distinct: false });
    policy.rule("m.deny", Effect::Deny, deny);
    let machine = policy.machine();
    assert_eq!(ask(&machine, &request(1, "")).kind, Kind::Allowed);
    assert_eq!(ask(&machine, &request(6, "")).gates[0].quorum, 3);
    let decision = ask(&machine, &request(9, ""));
    assert_eq!((decision.kind, decision.gates.len()), (Kind::Error, 0));
    assert!(decision.to_json().contains("quorum_too_small"));
    // A denial makes the quorum irrelevant.
    assert_eq!(ask(&machine, &request(11, "")).kind, Kind::Denied);
}

#[test]
fn messages_codes_obligations_and_shadow_rules_are_told() {
    let mut policy = Policy::new(&["m.allow", "m.shadow", "m.fails", "CODE", "amount ", " for ", " by "]);
    let string = policy.builder.ty(Type::String { bytes_max: 65_536 });
    let (allow, shadow, fails) = (policy.above(0), policy.above(1), policy.twice_above(0, 4));
    let amount = policy.int_function("read 0 0\nreturn 0");
    let tag = policy.builder.function(Some(0), false, &[], string, "read 0 1\nreturn 0");
    let guest = policy.builder.ty(Type::Entity(vec![super::harness::GUEST]));
    let subject = policy.builder.function(Some(0), false, &[], guest, "read 0 2\nreturn 0");
    let int = policy.builder.type_of(&Literal::Int(0));
    policy.builder.program.schema.obligations.push(Obligation {
        name: "notify".into(),
        parameters: vec![("who".into(), guest), ("amount".into(), int), ("tag".into(), string)],
    });
    let [before, middle, end, code] = ["amount ", " for ", " by ", "CODE"].map(|text| policy.builder.string(text));
    let rule = policy.rule("m.allow", Effect::Allow, allow);
    rule.code = Some(code);
    rule.obligations = vec![(0, vec![subject, amount, tag])];
    rule.message = vec![
        MessagePart::Text(before),
        MessagePart::Value(amount),
        MessagePart::Text(middle),
        MessagePart::Value(tag),
        MessagePart::Text(end),
        MessagePart::Value(subject),
    ];
    policy.rule("m.shadow", Effect::Deny, shadow).shadow = true;
    policy.rule("m.fails", Effect::Deny, fails).shadow = true;
    let machine = policy.machine();
    assert_eq!(
        ask(&machine, &request(5, r#"\"x\"\n"#)).to_json(),
        r#"{"decision":"ALLOW","kind":"allowed","rules":[{"id":"m.allow","effect":"allow","message":"amount 5 for \"x\"\n by Guest::\"g\"","code":"CODE"}],"codes":["CODE"],"gates":[],"obligations":[{"name":"notify","rule":"m.allow","arguments":{"who":{"type":"Guest","id":"g"},"amount":5,"tag":"\"x\"\n"}}],"shadow":[{"id":"m.shadow","effect":"deny"},{"id":"m.fails","effect":"deny"}]}"#
    );
    let decision = ask(&machine, &request(i64::MAX, ""));
    assert_eq!(decision.kind, Kind::Allowed);
    assert!(decision.to_json().ends_with(r#"{"id":"m.fails","effect":"deny","error":"overflow"}]}"#));
    // A long message is cut, between characters.
    let decision = ask(&machine, &request(5, &"é".repeat(10_000)));
    let message = decision.rules[0].message.as_ref().expect("a message");
    assert!(message.ends_with("é…") && message.len() < 4_200);
}

/// Arguments of every type, as they stand in JSON.
#[test]
fn values_of_every_type_are_told() {
    let cases = [
        ("true", "true"),
        ("-7", "-7"),
        ("1.50", "1.5"),
        ("\"x\"", "\"x\""),
        ("dur(90000)", "\"1m30s\""),
        ("ts(2026-01-01T00:00:00Z)", "\"2026-01-01T00:00:00Z\""),
        ("ip(::1)", "\"::1\""),
        ("net(10.0.0.0/8)", "\"10.0.0.0/8\""),
        ("url(https://a.example/)", "\"https://a.example/\""),
        ("path(/a)", "\"/a\""),
        ("b", "\"b\""),
        ("Team(a)", r#"{"type":"Team","id":"a"}"#),
        ("absent(1)", "null"),
        ("some(1)", "1"),
        ("set{-5, 10, 9}", "[-5,9,10]"),
        ("set{\"b\", \"a\"}", r#"["a","b"]"#),
        ("list[2, 1, 2]", "[2,1,2]"),
        ("map{\"k\": 1, \"j\": 2}", r#"{"j":2,"k":1}"#),
        ("rec(1, some(\"x\"))", r#"{"x":1,"y":"x"}"#),
        ("rec(1, absent(\"x\"))", r#"{"x":1}"#),
    ];
    let literals: Vec<Literal> = cases.iter().map(|(text, _)| sorted(literal(text).0)).collect();
    let mut policy = Policy { builder: Builder::new(literals.iter(), &["m.allow"]) };
    policy.builder.program.entries[0].inputs = vec![Input::Context(0)];
    let (mut parameters, mut arguments) = (Vec::new(), Vec::new());
    for (at, literal) in literals.iter().enumerate() {
        let (ty, constant) = (policy.builder.type_of(literal), policy.builder.constant(literal).0);
        parameters.push((format!("p{at}").into(), ty));
        let listing = format!("const 0 {constant}\nreturn 0");
        arguments.push(policy.builder.function(Some(0), false, &[], ty, &listing));
    }
    policy.builder.program.schema.obligations.push(Obligation { name: "tell".into(), parameters });
    let allow = policy.above(0);
    policy.rule("m.allow", Effect::Allow, allow).obligations = vec![(0, arguments)];
    let decision = ask(&policy.machine(), &request(1, ""));
    for ((text, expected), (_, datum)) in cases.iter().zip(&decision.obligations[0].arguments) {
        assert_eq!(datum.to_json(), *expected, "{text}");
    }
}

/// Constants have their sets in order.
fn sorted(literal: Literal) -> Literal {
    match literal {
        Literal::Set(mut items) => {
            items.sort_by_key(|item| match item {
                Literal::Int(value) => (*value, String::new()),
                other => (0, format!("{other:?}")),
            });
            Literal::Set(items)
        }
        Literal::Map(mut entries) => {
            entries.sort_by(|(left, _), (right, _)| left.cmp(right));
            Literal::Map(entries)
        }
        other => other,
    }
}

#[test]
fn threads_decide_while_entities_change() {
    let mut policy = Policy::new(&["m.allow"]);
    let int = policy.builder.type_of(&Literal::Int(0));
    policy.builder.program.selectors.push(pdl::bytecode::program::Selector { columns: vec![(0, 0)], ty: int });
    let condition = policy.condition("read 0 3\nattribute 1 0 0\nread 2 0\nless_equal 3 2 1\nreturn 3");
    policy.rule("m.allow", Effect::Allow, condition);
    let machine = policy.machine();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut scratch = Scratch::default();
                let request = request(1, "");
                for _ in 0..300 {
                    // The level is always at least 1, before, between and after the changes.
                    let decided = machine.decide(Question::strict(request.as_bytes()), &mut scratch);
                    assert_eq!(decided.kind(), Kind::Allowed);
                }
            });
        }
        for level in 1..100 {
            let patch = format!(r#"{{"upsert":[{{"type":"Team","id":"a","properties":{{"level":{level}}}}}]}}"#);
            machine.patch_entities(patch.as_bytes()).expect("a patch");
        }
    });
}

#[test]
fn an_obligation_that_fails_makes_the_decision_an_error() {
    let mut policy = Policy::new(&["m.allow", "m.other"]);
    let allow = policy.above(0);
    let int = policy.builder.type_of(&Literal::Int(0));
    let twice = policy.int_function("read 0 0\nint_add 0 0 0 @8\nreturn 0");
    let schema = &mut policy.builder.program.schema;
    schema.obligations.push(Obligation { name: "pay".into(), parameters: vec![("amount".into(), int)] });
    policy.rule("m.other", Effect::Allow, allow);
    policy.rule("m.allow", Effect::Allow, allow).obligations = vec![(0, vec![twice])];
    let machine = policy.machine();
    assert_eq!(ask(&machine, &request(4, "")).obligations[0].arguments[0].1.to_json(), "8");
    let decision = ask(&machine, &request(i64::MAX, ""));
    assert_eq!((decision.kind, ids(&decision)), (Kind::Error, vec!["m.allow"]));
}

/// What the request comes to once all gates are met.
fn approved(machine: &Machine, request: &str) -> Option<Decision> {
    machine.decide(Question::strict(request.as_bytes()), &mut Scratch::default()).approved()
}

#[test]
fn what_is_approved_is_allowed_by_both_sorts_of_rules() {
    let machine = ladder();
    let decision = approved(&machine, &request(11, "")).expect("it requires approval");
    assert_eq!((decision.kind, ids(&decision)), (Kind::Allowed, vec!["m.allow", "m.approve", "m.allow2"]));
    assert_eq!(decision.gates, []);
    // Of all else nothing is made.
    for amount in [0, 1, 21, 31] {
        assert_eq!(approved(&machine, &request(amount, "")), None, "{amount}");
    }
    assert_eq!(approved(&machine, "{}"), None);
}

#[test]
fn obligations_of_what_is_approved_are_those_of_both_sorts_of_rules() {
    let mut policy = Policy::new(&["m.pay", "m.ask", "m.other", "A", "B", "a"]);
    let (one, from) = (policy.int(1), policy.team("a"));
    let quorum = policy.int_function(&format!("const 0 {one}\nreturn 0"));
    let (above, int) = (policy.above(0), policy.builder.type_of(&Literal::Int(0)));
    let amount = policy.int_function("read 0 0\nreturn 0");
    let twice = policy.int_function("read 0 0\nint_add 0 0 0 @8\nreturn 0");
    let [pay_code, ask_code] = ["A", "B"].map(|text| policy.builder.string(text));
    let schema = &mut policy.builder.program.schema;
    schema.obligations.push(Obligation { name: "pay".into(), parameters: vec![("amount".into(), int)] });
    let ask_rule = policy.rule("m.ask", Effect::RequireApproval, above);
    ask_rule.gate = Some(Gate { from, quorum, within_ms: None, escalations: vec![], distinct: false });
    ask_rule.obligations = vec![(0, vec![amount])];
    ask_rule.code = Some(ask_code);
    let pay_rule = policy.rule("m.pay", Effect::Allow, above);
    pay_rule.obligations = vec![(0, vec![twice])];
    pay_rule.code = Some(pay_code);
    policy.rule("m.other", Effect::Allow, above);
    let machine = policy.machine();
    let told = |decision: &Decision| -> Vec<String> {
        let tell = |(_, datum): &(String, _)| pdl::vm::decision::Datum::to_json(datum);
        decision.obligations.iter().map(|of| format!("{} {}", of.rule, tell(&of.arguments[0]))).collect()
    };
    let asked = ask(&machine, &request(4, ""));
    assert_eq!((asked.kind, told(&asked)), (Kind::Approval, vec!["m.ask 4".to_owned()]));
    let decision = approved(&machine, &request(4, "")).expect("it requires approval");
    assert_eq!((decision.kind, told(&decision)), (Kind::Allowed, vec!["m.ask 4".to_owned(), "m.pay 8".to_owned()]));
    assert_eq!(decision.codes, ["B", "A"]);
    // An obligation that nobody had to know before can't be told: that denies, whoever has agreed.
    assert_eq!(ask(&machine, &request(i64::MAX, "")).kind, Kind::Approval);
    let decision = approved(&machine, &request(i64::MAX, "")).expect("it requires approval");
    assert_eq!((decision.kind, decision.answer(), ids(&decision)), (Kind::Error, Answer::Deny, vec!["m.pay"]));
    assert_eq!(decision.obligations, []);
}

#[test]
fn a_faulty_request_is_denied_with_its_path() {
    let decision = ask(&ladder(), &request(1, "").replace("\"amount\":1", "\"amount\":1.5"));
    assert_eq!((decision.kind, decision.answer()), (Kind::Error, Answer::Deny));
    let json = decision.to_json();
    assert!(json.contains(r#""path":"context.amount""#), "{json}");
    let mut scratch = Scratch::default();
    assert_eq!(ladder().decide(Question::strict(b"\xff"), &mut scratch).answer(), Answer::Deny);
}

#[test]
fn entities_are_replaced_while_decisions_go_on() {
    let mut policy = Policy::new(&["m.allow"]);
    let int = policy.builder.type_of(&Literal::Int(0));
    policy.builder.program.selectors.push(pdl::bytecode::program::Selector { columns: vec![(0, 0)], ty: int });
    let two = policy.int(2);
    let condition = policy.condition(&format!("read 0 3\nattribute 1 0 0\nconst 2 {two}\nless_equal 3 2 1\nreturn 3"));
    policy.rule("m.allow", Effect::Allow, condition);
    let machine = policy.machine();
    let kind = || ask(&machine, &request(1, "")).kind;
    assert_eq!(kind(), Kind::NotPermitted);
    machine.patch_entities(br#"{"upsert":[{"type":"Team","id":"a","properties":{"level":2}}]}"#).expect("a patch");
    assert_eq!(kind(), Kind::Allowed);
    assert!(machine.load_entities(b"[{]").is_err());
    assert_eq!(kind(), Kind::Allowed);
    machine.load_entities(b"[]").expect("no entities");
    assert_eq!(kind(), Kind::Error);
}

/// Whether an entity that the program names is registered is not known to the verifier.
#[test]
fn an_attribute_of_an_entity_that_is_not_registered_is_an_error() {
    let mut policy = Policy::new(&["m.deny", "m.ghost", "ghost"]);
    let int = policy.builder.type_of(&Literal::Int(0));
    policy.builder.program.selectors.push(pdl::bytecode::program::Selector { columns: vec![(0, 0)], ty: int });
    let deny = policy.above(0);
    let ghost = policy.builder.constant(&Literal::Entity("ghost".into())).0;
    let level = policy.condition(&format!("const 0 {ghost}\nattribute 1 0 0\nread 2 0\nless 3 1 2\nreturn 3"));
    policy.rule("m.deny", Effect::Deny, deny);
    policy.rule("m.ghost", Effect::Deny, level);
    let decision = ask(&policy.machine(), &request(1, ""));
    assert_eq!((decision.kind, ids(&decision)), (Kind::Error, vec!["m.ghost"]));
    assert!(decision.to_json().contains("unknown_entity"));
}

/// One rule for each key, found by the index or looked at always: the same decision.
fn indexed(use_index: bool) -> Machine {
    let names: Vec<String> = (0..24).map(|at| format!("m.r{at:02}")).collect();
    let mut strings: Vec<&str> = names.iter().map(String::as_str).collect();
    strings.extend(["x", "y", "z"]);
    let mut policy = Policy::new(&strings);
    let amount = policy.int_function("read 0 0\nreturn 0");
    // amount * amount: an error for large amounts.
    let square = policy.int_function("read 0 0\nint_multiply 0 0 0 @2\nreturn 0");
    let string = policy.builder.ty(Type::String { bytes_max: 65_536 });
    let tag = policy.builder.function(Some(0), false, &[], string, "read 0 1\nreturn 0");
    let set_ty = policy.builder.ty(Type::Set(string, 8));
    let set = policy.builder.function(Some(0), false, &[], set_ty, "read 0 1\nmake_set 1 0 1\nreturn 1");
    let tags: Vec<u32> =
        ["x", "y", "z"].iter().map(|tag| policy.builder.constant(&Literal::Text((*tag).to_owned())).0).collect();
    let (mut equal, mut member) = (Vec::new(), Vec::new());
    let (mut below, mut above) = (Vec::new(), Vec::new());
    let mut names = names.iter();
    let mut rule = |policy: &mut Policy, condition: FunctionId| {
        let place = policy.builder.program.entries[0].rules.len() as u32;
        policy.rule(names.next().expect("a name"), Effect::Deny, condition);
        place
    };
    for bound in [-5_i64, 0, 5] {
        for &tag in &tags {
            let k = policy.int(bound);
            let condition = policy.condition(&format!(
                "read 0 0\nequal_const 0 0 {k}\nread 1 1\nequal_const 1 1 {tag}\nand 0 0 1\nreturn 0"
            ));
            equal.push((vec![ConstantId(k), ConstantId(tag)], vec![rule(&mut policy, condition)]));
        }
        let k = policy.int(bound);
        let condition =
            policy.condition(&format!("read 0 0\nint_multiply 0 0 0 @2\nconst 1 {k}\nless_equal 2 0 1\nreturn 2"));
        below.push((ConstantId(k), rule(&mut policy, condition)));
        let condition = policy.condition(&format!("read 0 0\nconst 1 {k}\nless_equal 2 1 0\nreturn 2"));
        above.push((ConstantId(k), rule(&mut policy, condition)));
    }
    for &tag in &tags {
        let condition = policy.condition(&format!("read 0 1\nmake_set 1 0 1\ncontains_const 2 1 {tag}\nreturn 2"));
        member.push((ConstantId(tag), vec![rule(&mut policy, condition)]));
    }
    if !use_index {
        return policy.machine();
    }
    equal.sort();
    member.sort();
    policy.machine_with(Index {
        keys: vec![
            Key::Equal { values: vec![amount, tag], buckets: equal },
            Key::Member { set, buckets: member },
            Key::Below { value: square, rules: below },
            Key::Above { value: amount, rules: above },
        ],
        rest: vec![],
    })
}

proptest! {
    #[test]
    fn the_index_changes_no_decision(
        amount in prop_oneof![-7_i64..8, Just(i64::MAX)],
        tag in prop_oneof![Just("x"), Just("y"), Just("z"), Just("w")],
    ) {
        let request = request(amount, tag);
        prop_assert_eq!(ask(&indexed(true), &request), ask(&indexed(false), &request));
    }
}

//! Explanations, held against the machine: a pinned world has exactly the machine's answer, and no nearer request than
//! the one that is told gets the answer that it is told for.

use std::path::Path;

use pdl::analysis::decision::decide;
use pdl::analysis::explain::{Explanation, Given, Holds, Nearest, explain};
use pdl::analysis::pin::{self, Asked, Registry};
use pdl::analysis::question::{Found, Question};
use pdl::analysis::request::{Json, Request};
use pdl::types::typed::Answer;

use crate::analysis::house::House;
use crate::check::{check, sources_of};
use crate::generate::package::Sketch;
use crate::generate::random::Random;
use crate::generate::worlds::Values;

fn json(text: &str) -> Json {
    Json::parse(text.as_bytes()).expect("it is JSON")
}

/// How requests of a package came out: the same as the machine, not told apart, not decided.
#[derive(Default, Debug)]
struct Count {
    same: usize,
    vague: usize,
    undecided: usize,
    answers: [usize; 3],
}

/// Pins worlds to random requests and asks what they answer.
fn pinned(house: &House, random: &mut Random, requests: usize, count: &mut Count) -> Result<(), String> {
    let values = Values::of(&house.policy);
    for _ in 0..requests {
        let world = values.world(random);
        let made = values.request(random, &world);
        let documents = values.documents(random, &made);
        let request = Request {
            request: documents.request.to_string(),
            facts: documents.facts.to_string(),
            entities: values.entities_json(&world).to_string(),
        };
        let (told, decision) = house.ask(&request);
        let asked = Asked { request: json(&request.request), facts: json(&request.facts) };
        let registry = Registry::read(&house.policy, &json(&request.entities));
        let kind = asked.kind(&house.policy).ok_or("the kind is not known")?;
        let (mut question, (decided, pins)) = Question::new(&[&house.policy], &kind, 300_000_u64, |world| {
            let decided = decide(world, 0);
            (decided, pin::request(world, 0, &asked, &registry))
        });
        let vague = !question.world.blurred.is_empty() || !pins.doubts.is_empty();
        count.vague += usize::from(vague);
        for (at, answer) in [Answer::Deny, Answer::RequireApproval, Answer::Allow].into_iter().enumerate() {
            let mut all = pins.all();
            all.push(decided.answers(&mut question.world, answer));
            let found = question.find(&all);
            let fits = match &found {
                Found::Some(_) => answer == told || vague,
                Found::None(_) => answer != told,
                Found::Undecided(_) => {
                    count.undecided += 1;
                    true
                }
            };
            if !fits {
                // Which pins are to blame: those without which the answer is possible.
                let goal = decided.answers(&mut question.world, told);
                for pin in &pins.fields {
                    let mut all: Vec<_> = pins.registry.iter().copied().chain([goal]).collect();
                    all.extend(pins.fields.iter().filter(|other| other.path != pin.path).map(|other| other.formula));
                    if matches!(question.find(&all), Found::Some(_)) {
                        println!("without {}: {:?}", pin.path, pin.sym);
                    }
                }
                println!("pins alone are possible: {}", matches!(question.find(&pins.all()), Found::Some(_)));
                return Err(format!("{answer:?} is {found:?}, the machine says {told:?}\n{request:#?}\n{decision}"));
            }
            count.answers[at] += usize::from(answer == told);
        }
        count.same += usize::from(!vague);
    }
    Ok(())
}

#[test]
fn pins_agree_with_the_machine_on_examples() {
    let mut count = Count::default();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let paths = ["examples/first/policy.pdl", "tests/cases/cli/why/gate", "examples/payments", "examples/coding-agent"];
    for (seed, path) in paths.into_iter().enumerate() {
        let (policy, _, _) = check(&sources_of(&root.join(path)));
        let house = House::new(policy.expect("it is sound")).unwrap_or_else(|fault| panic!("{path}: {fault}"));
        let mut random = Random::new(seed as u64 + 1);
        pinned(&house, &mut random, 25, &mut count).unwrap_or_else(|fault| panic!("{path}: {fault}"));
    }
    assert!(count.same >= 60 && count.undecided == 0, "{count:?}");
    assert!(count.answers.iter().all(|count| *count > 0), "{count:?}");
}

#[test]
fn pins_agree_with_the_machine_on_random_programs() {
    let cases = std::env::var("PDL_CASES").ok().map_or(150, |text| text.parse().expect("a number"));
    let mut count = Count::default();
    for seed in 1..=cases {
        let mut random = Random::new(seed);
        let (policy, _) = Sketch::random(&mut random).settle().unwrap_or_else(|text| panic!("case {seed}: {text}"));
        let Ok(house) = House::new(policy) else { continue };
        if let Err(fault) = pinned(&house, &mut random, 3, &mut count) {
            panic!("case {seed}: {fault}");
        }
    }
    println!("{count:?}");
    assert!(count.same >= cases as usize / 4, "{count:?}");
}

const SMALL: &str = "module small
entity Team
entity Agent in Team { level: Int in 0..=5 }
presented entity Thing { size: Int in 0..=4, open: Bool }
enum Mode { slow, fast, wild }
action go {
    subject: Agent
    resource: Thing
    context { amount: Int in 0..=9, mode: Mode, note: Int? @kernel }
}
policy p on go {
    allow some
        when subject in Team::\"t\" and subject.level >= 2
        when context.amount + resource.size <= 7 or resource.open and context.mode == fast
    deny wild when context.mode == wild
    deny odd when context.amount == 6 and resource.size == 1
}
";

const ENTITIES: &str = r#"[ { "type": "Team", "id": "t" },
    { "type": "Agent", "id": "in", "properties": { "level": 3 }, "in": [ { "type": "Team", "id": "t" } ] },
    { "type": "Agent", "id": "low", "properties": { "level": 1 }, "in": [ { "type": "Team", "id": "t" } ] } ]"#;

type Fields = (i64, &'static str, i64, bool);

fn small(who: &str, (amount, mode, size, open): Fields) -> Request {
    Request {
        request: format!(
            r#"{{ "subject": {{ "type": "Agent", "id": "{who}" }}, "action": {{ "name": "go" }},
                "resource": {{ "type": "Thing", "id": "x", "properties": {{ "size": {size}, "open": {open} }} }},
                "context": {{ "amount": {amount}, "mode": "{mode}" }} }}"#
        ),
        facts: "{}".to_owned(),
        entities: ENTITIES.to_owned(),
    }
}

fn explained(house: &House, request: &Request) -> Explanation {
    let asked = Asked { request: json(&request.request), facts: json(&request.facts) };
    let registry = Registry::read(&house.policy, &json(&request.entities));
    let kind = asked.kind(&house.policy).expect("it is known");
    let mut machine = |near: &Json| house.ask(&Request { request: near.to_string(), ..request.clone() }).0;
    let told = house.told(request);
    let given = Given { answer: told.answer, matched: told.rules.clone(), failed: None };
    explain(&house.policy, &kind, (&asked, &registry), &given, 1_000_000, &mut machine).expect("it is decided")
}

#[test]
fn no_request_is_nearer_than_the_nearest() {
    let house = House::of(SMALL);
    let all = || {
        (0..=9).flat_map(|amount| {
            ["slow", "fast", "wild"].into_iter().flat_map(move |mode| {
                (0..=4).flat_map(move |size| [false, true].map(|open| (amount, mode, size, open)))
            })
        })
    };
    let allowed: Vec<Fields> = all().filter(|fields| house.ask(&small("in", *fields)).0 == Answer::Allow).collect();
    let mut random = Random::new(7);
    let denied: Vec<Fields> = all().filter(|fields| !allowed.contains(fields)).collect();
    for _ in 0..25 {
        let from = *random.pick(&denied);
        let differ = |to: &Fields| {
            usize::from(from.0 != to.0)
                + usize::from(from.1 != to.1)
                + usize::from(from.2 != to.2)
                + usize::from(from.3 != to.3)
        };
        let fewest = allowed.iter().map(differ).min().expect("something is allowed");
        let explanation = explained(&house, &small("in", from));
        let [(Answer::Allow, Nearest::Found(found))] = &explanation.nearest[..] else {
            panic!("{from:?}: {:?}", explanation.nearest)
        };
        for near in found {
            assert_eq!(near.changes.len(), fewest, "{from:?}: {near:?}");
            // Where one number alone is otherwise there is no nearer one.
            if let [change] = &near.changes[..]
                && change.path == "context.amount"
            {
                let to: i64 = change.after.as_ref().expect("it is there").to_string().parse().expect("a number");
                let nearest = (allowed.iter())
                    .filter(|to| (to.1, to.2, to.3) == (from.1, from.2, from.3))
                    .map(|to| (to.0 - from.0).abs())
                    .min();
                assert_eq!(Some((to - from.0).abs()), nearest, "{from:?}: {near:?}");
            }
        }
    }
}

#[test]
fn what_the_caller_does_not_control_stays() {
    let house = House::of(SMALL);
    let explanation = explained(&house, &small("low", (1, "slow", 1, false)));
    assert_eq!(
        explanation.nearest,
        [(Answer::Allow, Nearest::Never), (Answer::RequireApproval, Nearest::Never)],
        "a level is the registry's"
    );
    let [some, wild, odd] = &explanation.rules[..] else { panic!("three rules") };
    assert_eq!(some.condition.misses(true), 1);
    assert_eq!([some.condition.holds, wild.condition.holds, odd.condition.holds], [Holds::No; 3]);
    let level = format!("{:?}", some.condition);
    assert!(level.contains(r#"("subject.level", "1")"#), "{level}");
}

#[test]
fn an_attribute_that_one_party_gives_is_the_others_too() {
    let house = House::of(
        "module m\nentity A { tag: String @presented, level: Int }\naction go { subject: A resource: A }\n\
         policy p on go { allow yes when subject.tag == \"new\" and resource.tag == \"new\" and subject.level == 1 }\n",
    );
    let request = Request {
        request: r#"{ "subject": { "type": "A", "id": "a" }, "action": { "name": "go" },
            "resource": { "type": "A", "id": "a", "properties": { "tag": "new" } } }"#
            .to_owned(),
        facts: "{}".to_owned(),
        entities: r#"[ { "type": "A", "id": "a", "properties": { "tag": "old", "level": 1 } } ]"#.to_owned(),
    };
    let explanation = explained(&house, &request);
    let [rule] = &explanation.rules[..] else { panic!("one rule") };
    assert_eq!((rule.condition.holds, explanation.nearest.len()), (Holds::Yes, 0));
}

#[test]
fn what_is_not_followed_is_not_told() {
    let house = House::of(
        "module m\npresented entity A {}\naction go { subject: A resource: A context { n: Int, m: Int } }\n\
         policy p on go { allow yes when context.n * context.m > 6 and context.n < 5 or context.m == 9 }\n",
    );
    let request = Request {
        request: r#"{ "subject": { "type": "A", "id": "a" }, "action": { "name": "go" },
            "resource": { "type": "A", "id": "b" }, "context": { "n": 1, "m": 2 } }"#
            .to_owned(),
        facts: "{}".to_owned(),
        entities: "[]".to_owned(),
    };
    let explanation = explained(&house, &request);
    let told = format!("{:?}", explanation.rules[0].condition);
    assert!(!told.contains("Error"), "{told}");
    assert!(!explanation.doubts.is_empty(), "a product is known only in part");
    assert!(!explanation.nearest.iter().any(|(answer, near)| *answer == Answer::Allow && *near == Nearest::Never));
}

#[test]
fn rows_of_a_table_read_its_parameters() {
    let house = House::of(
        "module m\npresented entity A {}\ntable most(n: Int, quick: Bool) -> Int {\n    _, true => n * 2,\n    _, _ => n,\n}\n\
         action go { subject: A resource: A context { n: Int in 0..=9, quick: Bool } }\n\
         policy p on go { allow yes when most(context.n, context.quick) == 8 }\n",
    );
    for (n, quick, holds) in [(4, true, Holds::Yes), (4, false, Holds::No), (8, false, Holds::Yes)] {
        let request = Request {
            request: format!(
                r#"{{ "subject": {{ "type": "A", "id": "a" }}, "action": {{ "name": "go" }},
                    "resource": {{ "type": "A", "id": "b" }}, "context": {{ "n": {n}, "quick": {quick} }} }}"#
            ),
            facts: "{}".to_owned(),
            entities: "[]".to_owned(),
        };
        assert_eq!(explained(&house, &request).rules[0].condition.holds, holds, "{n} {quick}");
    }
}

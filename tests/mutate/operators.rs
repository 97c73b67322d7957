//! What is changed in which ways, operator by operator: everything of a kind that a few lines give, in order.

use std::collections::BTreeSet;

use pdl::diagnostic::compact;
use pdl::mutate::{Kind, Mutant};
use pdl::types::typed::TypedPolicy;

use super::own;
use crate::check::check;

const WORLD: &str = "module m
enum Risk { low, medium, high }
entity Team
approver entity Person in Team
entity Agent in Team { level: Int in 0..=10, tags: Set<String> }
entity Job { risk: Risk, paused: Bool }
obligation tell(cost: Int in 0..=9)
action run {
    subject: Agent
    resource: Job
    context { cost: Int in 0..=100, price: Decimal, since: Timestamp, until: Timestamp, note: String?, sizes: List<Int> }
}
";

fn policy(text: &str) -> TypedPolicy {
    let (policy, found, sources) = check(&[("m.pdl".to_owned(), format!("{WORLD}{text}"))]);
    policy.unwrap_or_else(|| panic!("{}", compact::render(&sources, &found)))
}

/// Everything of some kinds that the lines behind the world give.
fn of(kinds: &[Kind], text: &str) -> Vec<String> {
    let is_meant = |mutant: &&Mutant| kinds.contains(&mutant.kind);
    own(&policy(text)).iter().filter(is_meant).map(|mutant| mutant.name.to_string()).collect()
}

/// A rule with this condition: what it gives of a kind.
fn when(kind: Kind, condition: &str) -> Vec<String> {
    let names = of(&[kind], &format!("policy p on run {{ allow a when {condition} }}"));
    names.into_iter().map(|name| name.strip_prefix("m.p.a: ").expect("the rule").to_owned()).collect()
}

/// Conditions of a rule: of which kind, and what it gives.
const CONDITIONS: &[(Kind, &str, &[&str])] = &[
    (
        Kind::Comparison,
        "context.cost < 5",
        &["`context.cost < 5` becomes `context.cost <= 5`", "`context.cost < 5` becomes `context.cost >= 5`"],
    ),
    (
        Kind::Comparison,
        "context.cost > 5",
        &["`context.cost > 5` becomes `context.cost >= 5`", "`context.cost > 5` becomes `context.cost <= 5`"],
    ),
    (
        Kind::Comparison,
        "resource.risk >= medium",
        &[
            "`resource.risk >= medium` becomes `resource.risk > medium`",
            "`resource.risk >= medium` becomes `resource.risk < medium`",
        ],
    ),
    (Kind::Comparison, "resource.risk == low", &["`resource.risk == low` becomes `resource.risk != low`"]),
    (
        Kind::Comparison,
        "context.cost > 0 and context.cost != 7",
        &[
            "`context.cost > 0` becomes `context.cost >= 0`",
            "`context.cost > 0` becomes `context.cost <= 0`",
            "`context.cost != 7` becomes `context.cost == 7`",
        ],
    ),
    (
        Kind::Condition,
        r#"resource.paused and context.cost > 5 and "x" in subject.tags"#,
        &[
            "the condition is negated",
            "`resource.paused` is dropped",
            "`resource.paused` becomes `not resource.paused`",
            "`context.cost > 5` is dropped",
            "`and context.cost > 5` becomes `or …`",
            r#"`"x" in subject.tags` is dropped"#,
            r#"`and "x" in subject.tags` becomes `or …`"#,
            r#"`"x" in subject.tags` becomes `not ("x" in subject.tags)`"#,
        ],
    ),
    (
        Kind::Condition,
        "resource.paused or context.note is present",
        &[
            "`resource.paused` is dropped",
            "the condition is negated",
            "`resource.paused` becomes `not resource.paused`",
            "`context.note is present` is dropped",
            "`or context.note is present` becomes `and …`",
            "`context.note is present` becomes `not (context.note is present)`",
        ],
    ),
    (
        Kind::Condition,
        "resource.paused implies context.cost > 5",
        &[
            "`resource.paused` is dropped",
            "the condition is negated",
            "`resource.paused` becomes `not resource.paused`",
            "`context.cost > 5` is dropped",
            "`implies context.cost > 5` becomes `and …`",
        ],
    ),
    (
        Kind::Condition,
        "not (resource.paused and not (context.cost == 5))",
        &[
            "`not (resource.paused and not (context.cost == 5))` becomes `resource.paused and not (context.cost == 5)`",
            "`resource.paused` is dropped",
            "`resource.paused` becomes `not resource.paused`",
            "`not (context.cost == 5)` is dropped",
            "`and not (context.cost == 5)` becomes `or …`",
            "`not (context.cost == 5)` becomes `context.cost == 5`",
        ],
    ),
    (Kind::Condition, r#"subject in Team::"x""#, &[r#"`subject in Team::"x"` becomes `not (subject in Team::"x")`"#]),
    (
        Kind::Condition,
        "any(size in context.sizes: size > 3)",
        &["`any(size in context.sizes: size > 3)` becomes `not any(size in context.sizes: size > 3)`"],
    ),
    (
        Kind::Quantifier,
        r#"any(size in context.sizes: size > 3) and all(tag in subject.tags: tag starts_with "x")"#,
        &[
            "`any` becomes `all` in `any(size in context.sizes: size > 3)`",
            r#"`all` becomes `any` in `all(tag in subject.tags: tag starts_with "x")`"#,
        ],
    ),
    (
        Kind::Branch,
        "if resource.paused then context.cost > 5 else context.cost > 6",
        &["the branches of `if resource.paused` are swapped"],
    ),
    (Kind::Default, r#"(context.note ?? "none") == "some""#, &[r#"`context.note ?? "none"` becomes `"none"`"#]),
    (
        Kind::Arithmetic,
        "context.cost + 3 > subject.level * 2 and abs(context.cost - 50) > 3",
        &[
            "`+` becomes `-` in `context.cost + 3`",
            "`subject.level * 2` becomes `subject.level`",
            "`abs(context.cost - 50)` becomes `context.cost - 50`",
            "`-` becomes `+` in `context.cost - 50`",
        ],
    ),
    (
        Kind::Arithmetic,
        "context.until - context.since > 1h and context.since + 1h < context.until",
        &[
            "`context.until - context.since` becomes `context.since - context.until`",
            "`+` becomes `-` in `context.since + 1h`",
        ],
    ),
    (
        Kind::Arithmetic,
        r#"min(context.cost, subject.level) > 1 and subject.tags contains_all {"a", "b"}"#,
        &[
            "`min` becomes `max` in `min(context.cost, subject.level)`",
            r#"`contains_all` becomes `contains_any` in `subject.tags contains_all {"a", "b"}`"#,
        ],
    ),
    (
        Kind::Constant,
        "context.cost >= 90 + 3 or context.cost == 0",
        &["`93` becomes `94`", "`93` becomes `92`", "`0` becomes `1`", "`0` becomes `-1`"],
    ),
    (Kind::Constant, "context.price > 0.50", &["`0.5` becomes `0.500001`", "`0.5` becomes `0.499999`"]),
    (
        Kind::Constant,
        r#"context.until - context.since > 1h and context.since < timestamp"2026-01-01T00:00:00Z""#,
        &[
            "`1h` becomes `1h1ms`",
            "`1h` becomes `59m59s999ms`",
            r#"`timestamp"2026-01-01T00:00:00Z"` becomes `timestamp"2026-01-01T00:00:00.001Z"`"#,
            r#"`timestamp"2026-01-01T00:00:00Z"` becomes `timestamp"2025-12-31T23:59:59.999Z"`"#,
        ],
    ),
    (
        Kind::Constant,
        "resource.risk == low or resource.risk >= high",
        &["`low` becomes `medium`", "`high` becomes `medium`"],
    ),
    (
        Kind::Constant,
        r#"context.note is present and context.note == "some" and subject in Team::"x""#,
        &[r#"`"some"` becomes `"somx"`"#, r#"`Team::"x"` becomes `Team::"y"`"#],
    ),
    (
        Kind::Constant,
        r#"resource.risk in {low, high} and "x" in subject.tags"#,
        &["the element `low` is dropped", "the element `high` is dropped", r#"`"x"` becomes `"y"`"#],
    ),
    (
        Kind::Row,
        "(match resource.risk { low => 1, medium | high => 2 }) > 1",
        &[
            "in the arm `low` `1` becomes `2`",
            "in the arm `low` `1` becomes `0`",
            "in the arm `medium | high` `2` becomes `3`",
            "in the arm `medium | high` `2` becomes `1`",
        ],
    ),
    (
        Kind::Constant,
        "context.sizes == [1, 2] or {subject.level, context.cost} contains 3",
        &[
            "the element `1` is dropped",
            "the element `2` is dropped",
            "the element `subject.level` is dropped",
            "the element `context.cost` is dropped",
            "`3` becomes `4`",
            "`3` becomes `2`",
        ],
    ),
    (
        Kind::Pattern,
        "(match context.cost { 0..=10 => 1, 11 => 2, 12..=20 => 2, _ => 3 }) > 1",
        &[
            "in the arm `0..=10` `0..=10` becomes `0..=11`",
            "in the arm `0..=10` `0..=10` becomes `0..=9`",
            "in the arm `0..=10` `0..=10` becomes `1..=10`",
            "in the arm `11` `11` becomes `12`",
            "in the arm `11` `11` becomes `10`",
            "in the arm `12..=20` `12..=20` becomes `12..=21`",
            "in the arm `12..=20` `12..=20` becomes `12..=19`",
            "in the arm `12..=20` `12..=20` becomes `13..=20`",
        ],
    ),
];

/// Items: of which kinds, and what they give.
const ITEMS: &[(&[Kind], &str, &[&str])] = &[
    (
        &[Kind::Rule, Kind::Code, Kind::Shadow, Kind::Obligation],
        r#"policy p on run { allow a oblige tell(3) deny d code "x-1" } shadow policy s on run { deny e when resource.paused } invariant i on run { require not resource.paused code PAUSED }"#,
        &[
            "m.p.a: the rule is removed",
            "m.p.a: the obligation `tell` is dropped",
            "m.p.d: the rule is removed",
            "m.p.d: the code `x-1` becomes `x-x`",
            "m.s: the shadow policy counts",
            "m.s.e: the rule is removed",
            "m.i: the invariant is removed",
            "m.i: the code `PAUSED` becomes `PAUSEX`",
        ],
    ),
    (
        &[Kind::Gate],
        r#"policy p on run { let needed = max(context.cost, 1) allow a require approval g from Team::"x" quorum needed }"#,
        &["m.p.g: `quorum needed` becomes `quorum needed + 1`", "m.p.g: `distinct` is added"],
    ),
    (
        &[Kind::Gate, Kind::Constant],
        r#"policy p on run { allow a require approval g from Team::"x" quorum 2 within 4h escalate to Team::"y" after 1h distinct }"#,
        &[
            "m.p.g: `within 4h` is dropped",
            r#"m.p.g: `escalate to Team::"y" after 1h` is dropped"#,
            "m.p.g: `distinct` is dropped",
            r#"m.p.g: `Team::"x"` becomes `Team::"y"`"#,
            "m.p.g: `2` becomes `3`",
            "m.p.g: `2` becomes `1`",
            "m.p.g: `4h` becomes `4h1ms`",
            "m.p.g: `4h` becomes `3h59m59s999ms`",
            r#"m.p.g: `Team::"y"` becomes `Team::"x"`"#,
            "m.p.g: `1h` becomes `1h1ms`",
            "m.p.g: `1h` becomes `59m59s999ms`",
        ],
    ),
    (
        &[Kind::Gate, Kind::Constant],
        r#"policy p on run { allow a require approval g from Team::"x" }"#,
        &["m.p.g: `distinct` is added", "m.p.g: `1` becomes `2`", r#"m.p.g: `Team::"x"` becomes `Team::"y"`"#],
    ),
    (
        &[Kind::Row, Kind::Pattern],
        "table t(risk: Risk, cost: Int in 0..=100) -> Int in 0..=3 { low, _ => 0, medium | high, 0..=10 => 1, medium, _ => 2, high, 11..=50 => 3, high, _ => 3 } policy p on run { allow a when t(resource.risk, context.cost) > 0 }",
        &[
            "m.t(low, _): `0` becomes `1`",
            "m.t(medium | high, 0..=10): `medium` is dropped",
            "m.t(medium | high, 0..=10): `high` is dropped",
            "m.t(medium | high, 0..=10): `0..=10` becomes `0..=11`",
            "m.t(medium | high, 0..=10): `0..=10` becomes `0..=9`",
            "m.t(medium | high, 0..=10): `0..=10` becomes `1..=10`",
            "m.t(medium | high, 0..=10): the row is removed",
            "m.t(medium | high, 0..=10): `1` becomes `2`",
            "m.t(medium | high, 0..=10): `1` becomes `0`",
            "m.t(medium, _): `2` becomes `3`",
            "m.t(medium, _): `2` becomes `1`",
            "m.t(high, 11..=50): `3` becomes `2`",
            "m.t(high, _): `3` becomes `2`",
        ],
    ),
    (
        &[Kind::Argument],
        "fn f(one: Int, other: Int, third: Bool) -> Bool = one > other and third policy p on run { allow a when f(context.cost, 3, true) }",
        &["m.p.a: `context.cost` and `3` are swapped in `f(context.cost, 3, true)`"],
    ),
    (
        &[Kind::Lifecycle, Kind::Constant],
        "lifecycle State { new -> done final done } record type Task governed by State { } action step { subject: Agent resource: Task context { to: State } } policy p on step { allow a when resource.status -> context.to deny b when resource.status is final }",
        &[
            "m.State: the step `new -> new` is added",
            "m.State: the step `new -> done` is removed",
            "m.State: the step `done -> new` is added",
            "m.State: the step `done -> done` is added",
            "m.p.b: the element `done` is dropped",
            "m.p.b: the element `new` is added",
        ],
    ),
];

#[test]
fn conditions_change_in_every_way() {
    for (kind, condition, expected) in CONDITIONS {
        assert_eq!(when(*kind, condition), *expected, "{kind} of {condition}");
    }
}

#[test]
fn items_change_in_every_way() {
    for (kinds, text, expected) in ITEMS {
        assert_eq!(of(kinds, text), *expected, "{kinds:?} of {text}");
    }
}

/// What cannot be told apart is not changed: bounds beyond what a number can be, rows that give what others would.
#[test]
fn nothing_is_changed_that_stays_the_same() {
    const NONE: &[&str] = &[];
    assert_eq!(
        when(Kind::Constant, "subject.level < 10 and subject.level > 8 and context.cost > 0 - 1"),
        ["`10` becomes `11`", "`10` becomes `9`", "`8` becomes `9`", "`8` becomes `7`", "`-1` becomes `0`"]
    );
    let table = "table t(cost: Int in 0..=100) -> Int { 0..=9 => 1, 10..=19 => 2, 20..=100 => 2 }";
    assert_eq!(
        of(&[Kind::Pattern], &format!("{table} policy p on run {{ allow a when t(context.cost) > 1 }}")),
        ["m.t(0..=9): `0..=9` becomes `0..=10`",]
    );
    assert_eq!(of(&[Kind::Condition], "policy p on run { allow a }"), NONE);
    assert_eq!(of(&[Kind::Parameter], "policy p on run { allow a }"), NONE);
    let unasked = "lifecycle State { new -> done final done } record type Task governed by State { }";
    assert_eq!(of(&[Kind::Lifecycle], unasked), NONE);
}

#[test]
fn values_of_parameters_change() {
    let gate = "module gate(limit: Int in 1..=9 = 9, strict: Bool = true)
        use m.{Agent, Job, run}
        policy g on run { deny d when context.cost > limit and strict }";
    let files =
        [("m.pdl", format!("{WORLD}include gate include gate(limit = 3) as other")), ("gate.pdl", gate.to_owned())];
    let (policy, found, sources) = check(&files.map(|(name, text)| (name.to_owned(), text)));
    let policy = policy.unwrap_or_else(|| panic!("{}", compact::render(&sources, &found)));
    let names: Vec<String> = own(&policy)
        .iter()
        .filter(|mutant| mutant.kind == Kind::Parameter)
        .map(|mutant| mutant.name.to_string())
        .collect();
    assert_eq!(
        names,
        [
            "gate(limit): `9` becomes `8`",
            "gate(strict): `true` becomes `false`",
            "other(limit): `3` becomes `4`",
            "other(limit): `3` becomes `2`",
            "other(strict): `true` becomes `false`",
        ]
    );
}

/// Every operator is tried above.
#[test]
fn every_kind_is_shown() {
    let shown = CONDITIONS.iter().map(|(kind, ..)| kind).chain(ITEMS.iter().flat_map(|(kinds, ..)| *kinds));
    let shown: BTreeSet<&Kind> = shown.chain(&[Kind::Parameter]).collect();
    let all: BTreeSet<&Kind> = Kind::ALL.iter().collect();
    assert_eq!(shown, all);
}

/// The manual has them all, in order, in the same words.
#[test]
fn the_manual_names_every_kind() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/language/tests.md");
    let page = std::fs::read_to_string(page).expect("the page can be read");
    let rows = page.lines().skip_while(|line| *line != "| kind | what is changed |").skip(2);
    let rows: Vec<&str> = rows.take_while(|line| line.starts_with('|')).collect();
    let expected: Vec<String> =
        Kind::ALL.iter().map(|kind| format!("| `{}` | {} |", kind.name(), kind.what())).collect();
    assert_eq!(rows, expected);
}

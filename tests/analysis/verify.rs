//! What is found out about one policy: failures that others ran into, and each of them has to be flagged.
//!
//! A case has the policy behind `== policy`, and behind `== expect` a line for each finding that is not *proved*, and for
//! each claim. `UPDATE_CASES=1` writes what was found; read it before you keep it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use pdl::analysis::diff::{Decide, Told};
use pdl::analysis::request::Request;
use pdl::analysis::verify::{About, Finding, Forgetful, Kept, Memory, Options, Verdict, Witness, verify};
use pdl::compile::claims::{ClaimId, Instrumented, instrument};
use pdl::types::typed::{FunctionBody, TypedPolicy};
use pdl::vm::machine::{Question, Scratch};

use crate::analysis::house::{House, try_typed};

/// A policy, and a copy of it that tells which claims a request refutes.
struct Claiming {
    house: House,
    claims: Option<(Instrumented, House)>,
}

impl Decide for Claiming {
    fn decide(&mut self, _: usize, request: &Request) -> Told {
        self.house.told(request)
    }
}

impl Witness for Claiming {
    fn refutes(&mut self, prove: usize, claim: usize, request: &Request) -> bool {
        let Some((instrumented, house)) = &self.claims else { return false };
        let answer = house.told(request).answer;
        let mut scratch = Scratch::default();
        let asked = Question { facts: Some(request.facts.as_bytes()), ..Question::strict(request.request.as_bytes()) };
        let decision = house.machine.decide(asked, &mut scratch).decision();
        let matched = decision.shadow.iter().filter(|rule| rule.error.is_none()).map(|rule| rule.id.as_str());
        instrumented.refuted(answer, matched).contains(&ClaimId { prove, claim })
    }
}

/// What is to be said of a policy, a line for each.
fn flagged(text: &str) -> Result<String, String> {
    let policy = match try_typed(text) {
        Ok(policy) => policy,
        // What the checker refuses already need not be proved.
        Err(told) if told.starts_with("E05") || told.starts_with("E06") => {
            return Ok(format!("refused {}\n", &told[..5]));
        }
        Err(told) => return Err(told),
    };
    let house = House::new(policy)?;
    let claims = match instrument(&house.policy) {
        Some(instrumented) => Some((instrumented.clone(), House::new(instrumented.policy)?)),
        None => None,
    };
    let policy = house.policy.clone();
    let mut lines = String::new();
    for finding in verify(&policy, Options::default(), &mut Claiming { house, claims }, &mut Forgetful) {
        let verdict = match &finding.verdict {
            Verdict::Proved if !matches!(finding.about, About::Claim | About::Table) => continue,
            Verdict::Proved => "proved".to_owned(),
            Verdict::Refuted(None) => "refuted".to_owned(),
            Verdict::Refuted(Some(example)) => format!("refuted, answer {:?}", example.told.answer),
            Verdict::Undecided(reason) => format!("undecided, {reason}"),
        };
        let _ = writeln!(lines, "{} {}: {verdict}: {}", finding.about.name(), finding.name, finding.text);
    }
    Ok(lines)
}

#[test]
fn known_failures_are_flagged() {
    let update = std::env::var_os("UPDATE_CASES").is_some();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/analysis/verify");
    let entries = fs::read_dir(folder).expect("there are cases");
    let mut names: Vec<PathBuf> = entries.map(|entry| entry.expect("it can be read").path()).collect();
    names.sort();
    assert!(names.len() >= 40, "there are cases");
    let mut faults = String::new();
    for path in &names {
        let text = fs::read_to_string(path).expect("a case can be read");
        let (head, rest) = text.split_once("== policy\n").expect("a case has a policy");
        let (policy, expected) = rest.split_once("== expect\n").expect("a case says what is expected");
        match flagged(policy) {
            Ok(found) if found == expected => {}
            Ok(found) if update => {
                fs::write(path, format!("{head}== policy\n{policy}== expect\n{found}")).expect("a case can be written");
            }
            found => {
                let _ = writeln!(faults, "{}\n{head}expected:\n{expected}found:\n{found:?}", path.display());
            }
        }
    }
    assert!(faults.is_empty(), "{faults}");
}

/// A table over what is limited; the checker sees that it is complete.
const TABLES: &str = "
module m
enum Tier { free, paid, team }
entity User
presented entity File
action read { subject: User resource: File context { days: Int in 0..=100, tier: Tier } }
table price(days: Int in 0..=100, tier: Tier) -> Int {
    0..=30, free => 0,
    31..=100, free => 1,
    _, paid | team => 2,
}
policy p on read { allow ok when price(context.days, context.tier) < 2 }
";

fn tables(policy: &TypedPolicy) -> Vec<(String, Verdict)> {
    let house = House::new(policy.clone()).expect("it is a policy");
    let mut machine = Claiming { house, claims: None };
    let found = verify(policy, Options::default(), &mut machine, &mut Forgetful);
    found.into_iter().filter(|one| one.about == About::Table).map(|one| (one.text, one.verdict)).collect()
}

#[test]
fn a_table_without_one_of_its_rows_is_refuted() {
    let whole = try_typed(TABLES).expect("it is a policy");
    let found = tables(&whole);
    assert!(matches!(&found[..], [(text, Verdict::Proved)] if text == "`price` has a row for each case"), "{found:?}");
    for (row, case) in [(0, "0, free"), (1, "31, free"), (2, "0, ")] {
        let mut lacking = whole.clone();
        let FunctionBody::Table(rows) = &mut lacking.functions[0].body else { panic!("it is a table") };
        rows.remove(row);
        let found = tables(&lacking);
        let text = format!("`price` has a row for each case; none takes {case}");
        assert!(matches!(&found[..], [(told, Verdict::Refuted(None))] if told.starts_with(&text)), "{found:?}");
    }
}

/// Remembers, and which questions were asked anew and which were answered.
#[derive(Default)]
struct Notes {
    known: BTreeMap<String, Kept>,
    asked: BTreeSet<String>,
    answered: RefCell<BTreeSet<String>>,
}

impl Notes {
    /// What is known, and nothing of what was asked.
    fn next(self) -> Notes {
        Notes { known: self.known, ..Notes::default() }
    }
}

impl Memory for Notes {
    fn recall(&self, question: &str) -> Option<Kept> {
        let known = self.known.get(question)?;
        self.answered.borrow_mut().insert(question.to_owned());
        Some(known.clone())
    }

    fn keep(&mut self, question: &str, answer: &Kept) {
        self.asked.insert(question.to_owned());
        self.known.insert(question.to_owned(), answer.clone());
    }
}

/// Two actions with a rule each that fails, one that never matches, and claims of which one is refuted.
const TWO: &str = "
module m
entity User
presented entity File { size: Int, frozen: Bool }
action read { subject: User resource: File context { add: Int } }
action write { subject: User resource: File context { add: Int } }
policy reads on read {
    allow small when resource.size + context.add < 10
    deny frozen when resource.frozen
    deny never when resource.size - context.add > 5 and resource.size - context.add < 5
}
policy writes on write {
    allow little when resource.size + context.add < 20
    deny cold when resource.frozen
}
invariant bounded on write { require resource.size < 1000 }
prove reading on read { never allow when resource.frozen }
prove writing on write {
    never allow when resource.frozen
    never allow when resource.size > 15
}
";

fn asked(text: &str, notes: &mut Notes) -> Vec<String> {
    let house = House::new(try_typed(text).expect("it is a policy")).expect("it can be compiled");
    let instrumented = instrument(&house.policy).expect("it has claims");
    let claims = Some((instrumented.clone(), House::new(instrumented.policy).expect("it can be compiled")));
    let policy = house.policy.clone();
    let found = verify(&policy, Options::default(), &mut Claiming { house, claims }, notes);
    let told = |one: Finding| format!("{} {} {} {:?}", one.about.name(), one.name, one.text, one.verdict);
    found.into_iter().map(told).collect()
}

#[test]
fn what_is_known_is_not_asked_again() {
    let mut notes = Notes::default();
    let first = asked(TWO, &mut notes);
    assert!(notes.answered.borrow().is_empty() && notes.asked.len() > 10, "{:?}", notes.asked);
    let all = notes.asked.clone();

    let mut notes = notes.next();
    assert_eq!(asked(TWO, &mut notes), first);
    // What was found out by a stronger question need not be answered.
    assert!(notes.asked.is_empty() && notes.answered.borrow().is_subset(&all), "{:?}", notes.asked);

    // One rule is another: all that is asked anew is of its action, and as much as before.
    let mut notes = notes.next();
    asked(&TWO.replace("< 20", "< 21"), &mut notes);
    let is_of = |question: &String, action: &str| match action {
        "write" => ["m.little", "m.cold", "m.bounded", "m.writing"].iter().any(|name| question.contains(name)),
        _ => ["m.small", "m.frozen", "m.never", "m.reading"].iter().any(|name| question.contains(name)),
    };
    let of_write = all.iter().filter(|question| is_of(question, "write")).count();
    assert!(notes.asked.iter().all(|question| is_of(question, "write")), "{:?}", notes.asked);
    assert_eq!(notes.asked.len(), of_write);
    let answered = notes.answered.borrow().clone();
    assert!(!answered.is_empty() && answered.iter().all(|question| is_of(question, "read")), "{answered:?}");

    // A claim that comes first moves the others and changes none of their answers.
    let mut notes = notes.next();
    let other = "\nprove first on read { always deny when resource.size > 5 }\nprove reading";
    let more = asked(&TWO.replace("\nprove reading", other), &mut notes);
    assert!(notes.asked.iter().all(|question| is_of(question, "read") || question.contains("m.first")));
    assert_eq!(more, asked(&TWO.replace("\nprove reading", other), &mut Notes::default()));

    // More steps may find out more.
    let house = House::new(try_typed(TWO).expect("it is a policy")).expect("it can be compiled");
    let (policy, mut notes) = (house.policy.clone(), notes.next());
    let options = Options { steps: 2_000_000, ..Options::default() };
    verify(&policy, options, &mut Claiming { house, claims: None }, &mut notes);
    assert!(notes.answered.borrow().is_empty());
}

#[test]
fn what_is_known_is_shown_only_if_the_machine_says_so() {
    let mut notes = Notes::default();
    let honest = asked(TWO, &mut notes);
    let shown = notes.known.values().filter(|kept| matches!(kept, Kept::Something(Some(_)))).count();
    assert!(shown >= 4, "{:?}", notes.known);
    // Whatever is said to be refuted by a request is asked anew, where the machine does not agree.
    let request = |text: &str| Request { request: text.to_owned(), facts: "{}".to_owned(), entities: "[]".to_owned() };
    let other = "{ \"subject\": { \"type\": \"User\", \"id\": \"a\" }, \"action\": { \"name\": \"write\" }, \"resource\": \
        { \"type\": \"File\", \"id\": \"a\", \"properties\": { \"size\": 1, \"frozen\": true } }, \"context\": { \"add\": 0 } }";
    for lie in ["", "{}", "null", "\u{0}", other] {
        let mut hostile = Notes { known: notes.known.clone(), ..Notes::default() };
        for (question, kept) in &mut hostile.known {
            if question.contains("claim") || question.ends_with("fails") || question.ends_with("breaks") {
                *kept = Kept::Something(Some(request(lie)));
            }
        }
        let told = asked(TWO, &mut hostile);
        assert!(told.iter().all(|line| !line.contains(&format!("request: {lie:?}"))), "{told:?}");
        assert_eq!(verdicts(&told), verdicts(&honest), "{lie}");
    }
    // That a request is not shown at all is no answer to a question that shows one.
    for kept in notes.known.values_mut() {
        if let Kept::Something(request) = kept {
            *request = None;
        }
    }
    assert_eq!(verdicts(&asked(TWO, &mut notes)), verdicts(&honest));
}

/// Without the requests: another may be found where others were asked for before.
fn verdicts(told: &[String]) -> Vec<&str> {
    told.iter().map(|line| line.split_once("(Some(Example").map_or(&**line, |(verdict, _)| verdict)).collect()
}

//! The programs that the verifier's suite accepts, with entities and random requests for them.

use pdl::bytecode::assemble::{Case, Expectation, assemble_suite};

/// Entities of the suite's schema.
pub const ENTITIES: &[u8] = br#"[
    {"type":"Team","id":"shop"},{"type":"Team","id":"core"},
    {"type":"Person","id":"ann","properties":{"level":7},"in":[{"type":"Team","id":"shop"}]},
    {"type":"Agent","id":"ci","properties":{"level":5,"name":"CI","owner":"ann","skills":["deploy","x"]},
     "in":[{"type":"Team","id":"core"}]}]"#;

/// The kernel's facts.
pub const FACTS: &[u8] = br#"{"now":"2026-11-21T10:00:00Z"}"#;

/// Every program that is accepted; together they have every instruction.
pub fn accepted() -> Vec<Case> {
    let text = std::fs::read_to_string("tests/cases/bytecode/accept.pdlasm").expect("the suite can be read");
    let cases = assemble_suite(&text).expect("the suite is assembly");
    cases.into_iter().filter(|case| case.expectation == Expectation::Accept).collect()
}

/// Numbers that only look random.
#[derive(Debug)]
pub struct Chance(pub u64);

impl Chance {
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % bound.max(1)
    }

    pub fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }

    fn some(&mut self, choices: &[&str], max: usize) -> String {
        let mut chosen: Vec<&str> = choices.iter().copied().filter(|_| self.below(2) == 0).collect();
        chosen.truncate(max);
        chosen.join(",")
    }
}

const TEXTS: &[&str] = &["\"prod\"", "\"x\"", "\"\"", "\"ab\"", "\"staging-é\"", "\"prod-1\""];

/// A request that is right by the suite's schema.
pub fn request(chance: &mut Chance) -> String {
    let subject = chance.of(&[
        r#"{"type":"Agent","id":"ci"}"#,
        r#"{"type":"Agent","id":"ci","properties":{"level":2}}"#,
        r#"{"type":"Person","id":"ann"}"#,
    ]);
    let kind = chance.of(&["webapp", "page", "app"]);
    let state = chance.of(&["pending", "running", "done"]);
    let note = chance.of(&["", r#","note":"none""#, r#","note":"hm""#]);
    let maybe = chance.of(&["", r#","maybe":5"#, r#","maybe":-9223372036854775808"#]);
    let numbers = ["0", "5", "-7", "9223372036854775807", "-9223372036854775808"];
    let cost = chance.of(&["0", "1.5", "0.000001", "-2.25", "9223372036854.775807"]);
    let (count, cpu) = (chance.of(&numbers), chance.of(&["0", "42", "100"]));
    let wait = chance.of(&["PT0S", "PT1H", "-PT5M", "P1D"]);
    let peer = chance.of(&["10.0.0.1", "8.8.8.8", "::1", "fe80::1", "127.0.0.1"]);
    let net = chance.of(&["10.0.0.0/8", "0.0.0.0/0", "2001:db8::/32"]);
    let site = chance.of(&["https://example.com/a/b?q=1#f", "http://10.0.0.1:8080/", "https://u:p@x.example/"]);
    let file = chance.of(&["/", "/srv/app/main.rs", "/srv/../etc/passwd", "/a.b/c"]);
    let (tags, more) = (chance.some(TEXTS, 8), chance.some(TEXTS, 8));
    let (names, text) = (chance.some(TEXTS, 8), chance.of(TEXTS));
    let prices = chance.some(&[r#""x":1"#, r#""prod":-3"#, r#""é":9223372036854775807"#], 8);
    let teams = chance.some(&[r#""shop""#, r#""core""#], 4);
    let ready = chance.of(&["true", "false"]);
    format!(
        r#"{{"subject":{subject},"action":{{"name":"deploy"}},"resource":{{"type":"Service","id":"web","properties":{{"kind":"{kind}","state":"{state}","limits":{{"cpu":{cpu}{note}}}}}}},"context":{{"cost":{cost},"count":{count},"wait":"{wait}","peer":"{peer}","net":"{net}","site":"{site}","file":"{file}","tags":[{tags}],"more":[{more}],"names":[{names}],"prices":{{{prices}}},"text":{text},"ready":{ready},"teams":[{teams}]{maybe}}}}}"#
    )
}

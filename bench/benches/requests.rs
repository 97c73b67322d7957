//! How many requests of a file are decided again in a second of one core, beside a bare loop that decides them and one that
//! reads the lines alone.
//!
//! The tool calls, each in a line with its decision. Nothing flips in the first rows, every request in the last.
//!
//! `cargo bench --bench requests`

use std::hint::black_box;

use pdl::LoadOptions;
use pdl::build::{Sources, build};
use pdl::replay::{Judge, Room, Side, Tally, row};
use pdl::vm::machine::{Machine, Question, Scratch};
use pdl::vm::run::Unmetered;
use pdl_bench::{Samples, machine, measure};
use serde_json::{Value, json};

const TOOLS: &str = include_str!("../policies/tool_calls.pdl");
const TOOL_REQUESTS: &str = include_str!("../data/tool-calls/requests.jsonl");

fn loaded(text: &str) -> Machine {
    let sources = Sources { package: "bench", version: "1.0.0", files: &[("tool_calls.pdl", text)] };
    let bundle = build(&sources).unwrap_or_else(|error| panic!("{error}")).bundle;
    Machine::load(&bundle, &LoadOptions::UNSIGNED).expect("it loads")
}

fn show(name: &str, samples: &Samples) {
    println!("  {name:<34} {:>28}  {:>7.0}k/s", samples.show(), 1e6 / samples.median());
}

fn main() {
    machine();
    let policy = loaded(TOOLS);
    let store = policy.entities();
    let mut scratch = Scratch::default();
    let calls = TOOL_REQUESTS.lines().map(|line| tool_call(&serde_json::from_str(line).expect("JSON")).to_string());
    let requests: Vec<String> = calls.collect();
    let line = |request: &String, scratch: &mut Scratch| {
        let decision = policy.decide(Question::strict(request.as_bytes()), scratch).decision().to_json();
        format!("{{\"request\":{request},\"decision\":{decision}}}")
    };
    let lines: Vec<String> = requests.iter().map(|request| line(request, &mut scratch)).collect();
    let bytes: usize = lines.iter().map(String::len).sum();
    println!("{} requests, {} bytes a line", lines.len(), bytes / lines.len());
    let batch = 20 * lines.len();
    let at = |list: &[String], number: usize| -> Vec<u8> { list[number % list.len()].clone().into_bytes() };
    let (requests, lines): (Vec<Vec<u8>>, Vec<Vec<u8>>) =
        (0..lines.len()).map(|number| (at(&requests, number), at(&lines, number))).unzip();

    let bare = measure(20, batch, |number| {
        let question = Question::strict(&requests[number % requests.len()]);
        let decoded = policy.decode(&store, black_box(question), &mut scratch).expect("it can be read");
        black_box(policy.answer(&store, &decoded, &mut scratch, Unmetered).0.kind);
    });
    show("decide", &bare);
    let read = measure(20, batch, |number| {
        black_box(row::read(black_box(&lines[number % lines.len()])).expect("it is a line").recorded.is_some());
    });
    show("read a line", &read);

    let (mut room, mut tally) = (Room::default(), Tally::new(3));
    let judge = Judge::new(Side::new(&policy, &store));
    let recorded = measure(20, batch, |number| {
        judge.line(number as u64, &lines[number % lines.len()], &mut room, &mut tally);
    });
    assert_eq!(tally.rows, tally.same);
    show("replay, as recorded", &recorded);
    let both = judge.against(Side::new(&policy, &store));
    let against = measure(20, batch, |number| {
        both.line(number as u64, &requests[number % requests.len()], &mut room, &mut tally);
    });
    assert_eq!(tally.rows, tally.same);
    show("replay against another policy", &against);

    // Nobody allows anything any more: whatever was allowed flips and is told.
    let other = loaded(&format!("{TOOLS}\npolicy nothing on {} {{ deny everything }}\n", actions(&policy)));
    let (store, mut tally) = (other.entities(), Tally::new(3));
    let judge = Judge::new(Side::new(&other, &store));
    let flips = measure(20, batch, |number| {
        judge.line(number as u64, &lines[number % lines.len()], &mut room, &mut tally);
    });
    show(&format!("replay, {} of 100 flip", 100 * tally.changes() / tally.rows), &flips);
}

/// All actions of a policy, as they are written behind `on`.
fn actions(policy: &Machine) -> String {
    let names: Vec<&str> = policy.image().schema().actions.iter().map(|action| &*action.name).collect();
    names.join(" | ")
}

/// The tool call as PDL has it: names of actions are names, and sets have no duplicates.
fn tool_call(call: &Value) -> Value {
    let tool = call["tool"].as_str().expect("a tool");
    let mut context = call.clone();
    for name in ["domains", "attachments", "fields"] {
        if let Some(Value::Array(items)) = context["args"].get_mut(name) {
            let mut seen = Vec::new();
            items.retain(|item| {
                let new = !seen.contains(item);
                seen.push(item.clone());
                new
            });
        }
    }
    json!({
        "subject": { "type": "Agent", "id": call["agent"]["id"] },
        "action": { "name": tool.replace('.', "_") },
        "resource": { "type": "Tool", "id": tool },
        "context": context,
    })
}

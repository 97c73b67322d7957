//! Compiles a policy in this process and asks it: `cargo run --example compile`.

use pdl::build::{Sources, build};
use pdl::{LoadOptions, Machine, Question, Scratch};

const POLICY: &str = include_str!("first/policy.pdl");
const REQUEST: &[u8] = br#"{
    "subject":  { "type": "Agent", "id": "helper", "properties": { "verified": true } },
    "action":   { "name": "read" },
    "resource": { "type": "Mailbox", "id": "support", "properties": { "archived": false } } }"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let built = build(&Sources { package: "first", version: "0.0.0", files: &[("policy.pdl", POLICY)] })?;
    let machine = Machine::load(&built.bundle, &LoadOptions::UNSIGNED)?;
    let mut scratch = Scratch::default();
    println!("{}", machine.decide(Question::strict(REQUEST), &mut scratch).record().to_json());
    Ok(())
}

//! Decides requests as an embedding program does: a bundle, the entities, a request; an answer and its reasons.
//!
//! ```text
//! pdl build examples/first/policy.pdl -o first.pdlb
//! cargo run --example embed --no-default-features -- first.pdlb entities.json request.json
//! ```

use std::error::Error;
use std::{env, fs};

use pdl::{Answer, LoadOptions, Machine, Question, Scratch};

/// What to do about each request, a line for each. All arguments are paths.
pub fn run(bundle: &str, entities: &str, requests: &[String]) -> Result<String, Box<dyn Error>> {
    // A kernel demands signatures: `LoadOptions::signed_by(keys, 2)`.
    let machine = Machine::load(&fs::read(bundle)?, &LoadOptions::UNSIGNED)?;
    machine.load_entities(&fs::read(entities)?)?;

    let mut scratch = Scratch::default();
    let mut told = String::new();
    for request in requests {
        let request = fs::read(request)?;
        let mut decided = machine.decide(Question::strict(&request), &mut scratch);
        told += &match decided.answer() {
            Answer::Allow => "go ahead\n".to_owned(),
            Answer::RequireApproval => format!("ask first: {}\n", decided.decision().to_json()),
            Answer::Deny => format!("no: {}\n", decided.decision().to_json()),
        };
    }
    Ok(told)
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [bundle, entities, requests @ ..] = &arguments[..] else {
        return Err("usage: embed BUNDLE ENTITIES REQUEST…".into());
    };
    print!("{}", run(bundle, entities, requests)?);
    Ok(())
}

//! A kernel in thirty lines: loads a bundle, decides a request, and acts on the answer.
//!
//! ```sh
//! pdl build examples/first/policy.pdl -o first.pdlb
//! cargo run --no-default-features --example embed -- first.pdlb request.json
//! ```

use std::error::Error;
use std::process::ExitCode;

use pdl::bytecode::bundle::{LoadOptions, read};
use pdl::vm::decide::Answer;
use pdl::vm::machine::{Machine, Question, Scratch};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(bundle), Some(request)) = (arguments.next(), arguments.next()) else {
        return Err("usage: embed BUNDLE REQUEST".into());
    };
    // A kernel that runs bundles of others demands signatures here.
    let bundle = read(&std::fs::read(bundle)?, &LoadOptions::UNSIGNED)?;
    let machine = Machine::new(bundle.program)?.with_bundle(bundle.name);
    // Kept from one decision to the next: then deciding allocates nothing.
    let mut scratch = Scratch::default();
    let request = std::fs::read(request)?;
    let mut decided = machine.decide(Question::strict(&request), &mut scratch);
    match decided.answer() {
        Answer::Allow => println!("go ahead"),
        Answer::RequireApproval => println!("ask first: {}", decided.decision().to_json()),
        Answer::Deny => println!("no: {}", decided.decision().to_json()),
    }
    Ok(ExitCode::SUCCESS)
}

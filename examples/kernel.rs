//! Puts the Execution Kernel around work, as an embedding program does: what is denied never runs, and all of it is in a log.
//!
//! ```text
//! pdl build examples/first/policy.pdl -o first.pdlb
//! cargo run --example kernel --no-default-features --features kernel -- kernel.db first.pdlb entities.json request.json
//! ```

use std::error::Error;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, fs};

use pdl::data::duration::Duration;
use pdl::data::timestamp::Timestamp;
use pdl::kernel::environment::{Environment, NoRandomness};
use pdl::kernel::govern::operators::{Operator, Role};
use pdl::kernel::permit::Issuer;
use pdl::kernel::record::Principal;
use pdl::kernel::store::sqlite::{Options, Sqlite};
use pdl::kernel::{Kernel, Settings};
use pdl::{Answer, LoadOptions};

/// The kernel knows neither clock nor chance: it is given both.
#[derive(Debug)]
struct System;

impl Environment for System {
    fn now(&self) -> Timestamp {
        let millis = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        i64::try_from(millis).ok().and_then(Timestamp::from_millis).unwrap_or(Timestamp::MAX)
    }

    fn random(&self, buffer: &mut [u8]) -> Result<(), NoRandomness> {
        getrandom::fill(buffer).map_err(|_| NoRandomness)
    }
}

/// What became of each request, a line for each. All arguments are paths.
pub fn run(store: &str, bundle: &str, entities: &str, requests: &[String]) -> Result<String, Box<dyn Error>> {
    let mut key = [0; 32];
    System.random(&mut key)?;
    // Whoever embeds the kernel says who it is that calls, and who governs it at first.
    let operator = Principal::new("Person", "olga").ok_or("the name is too long")?;
    let settings = Settings {
        // A kernel demands signatures: `LoadOptions::signed_by(keys, 2)`.
        bundles: LoadOptions::UNSIGNED,
        founders: vec![Operator::person(operator.clone(), &[Role::Admin, Role::PolicyManager])],
        // Executors have the same key. It is given to both, and kept in no store.
        issuer: Issuer::shared(&key).ok_or("the key is too short")?,
        start_within: Duration(60_000),
        run_within: Duration(600_000),
        origin: "example.com/kernel".to_owned(),
        signer: None,
    };
    let kernel = Kernel::open(Box::new(Sqlite::create(store, &Options::PLAIN)?), Arc::new(System), settings)?;
    kernel.activate(&operator, &fs::read(bundle)?, Some(&fs::read(entities)?))?;

    let agent = Principal::new("Agent", "ci").ok_or("the name is too long")?;
    let mut told = String::new();
    for request in requests {
        let done = kernel.invoke(&agent, &fs::read(request)?, None, |permit| {
            // Here the money moves, the code runs, the message leaves. What goes wrong is told by an error.
            Ok::<_, String>(format!("{} ran", permit.claims().action))
        });
        told += &match (done.outcome, done.verdict.answer(), &done.verdict.gate) {
            (Some(outcome), ..) => format!("{}\n", outcome?),
            (None, Answer::RequireApproval, Some(gate)) => format!("people are asked: {}", gate.shown()),
            (None, ..) => match done.verdict.trouble.or(done.trouble) {
                Some(trouble) => format!("denied: {trouble}\n"),
                None => "denied\n".to_owned(),
            },
        };
    }
    Ok(told)
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [store, bundle, entities, requests @ ..] = &arguments[..] else {
        return Err("usage: kernel STORE BUNDLE ENTITIES REQUEST…".into());
    };
    print!("{}", run(store, bundle, entities, requests)?);
    Ok(())
}

//! `pdl build`: sources to a bundle.

use std::time::Instant;

use serde_json::json;

use super::args::{BuildArgs, Format};
use super::files;
use super::load;
use super::output::Output;
use super::policy::{self, Warnings};
use super::report;
use super::status::{Failure, Status};
use crate::bytecode::bundle::{self, SignaturePolicy};

/// Compiles a package, verifies what came out as any reader would, and writes it.
pub fn run(args: &BuildArgs, output: &mut Output) -> Result<Status, Failure> {
    let start = Instant::now();
    let path = args.path.clone().map_or_else(load::around_here, Ok)?;
    let built = policy::build(&path, Warnings::Shown, output)?;
    let mut bytes = built.bundle()?;
    if args.strip {
        bytes = bundle::strip(&bytes).map_err(|error| policy::refused(&args.output, &error))?;
    }
    let loaded = policy::read(&args.output, &bytes, &SignaturePolicy::None)?;
    let program = loaded.program.program();
    let costs = program.schema.actions.iter().zip(&program.entries).map(|(action, entry)| (&action.name, entry.cost));
    let highest = costs.clone().max_by_key(|&(_, cost)| cost);
    let is_stdout = files::is_stdin(&args.output);
    if is_stdout {
        output.bytes(&bytes)?;
    } else {
        files::replace(&args.output, &bytes)?;
        let name = loaded.name.to_string();
        let told = match args.format {
            Format::Human => format!("{name}  {}\n", args.output.display()),
            Format::Json => {
                let costs: serde_json::Map<_, _> = costs.map(|(name, cost)| (name.to_string(), json!(cost))).collect();
                let file = args.output.display().to_string();
                let document = json!({ "name": name, "file": file, "bytes": bytes.len(), "costs": costs });
                format!("{document:#}\n")
            }
        };
        output.data(&told)?;
    }
    if args.format == Format::Human {
        let actions = report::count(program.entries.len(), "action");
        let cost = highest
            .map_or_else(String::new, |(name, cost)| format!(", at most {} steps ({name})", report::thousands(cost)));
        let size = report::thousands(bytes.len() as u64);
        let time = start.elapsed().as_millis();
        output.say(&format!("built {}: {size} bytes, {actions}{cost} in {time} ms\n", built.name));
    }
    Ok(Status::Success)
}

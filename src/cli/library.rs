//! `pdl std`: the standard library that ships inside the command, to be read.

use serde_json::json;

use super::args::{Format, StdArgs};
use super::output::Output;
use super::status::{Failure, Status};
use crate::data::similar::best_match;
use crate::document::library::Library;
use crate::types::stdlib;

/// Lists the modules, or prints one of them or what ships with it.
pub fn run(args: &StdArgs, output: &mut Output) -> Result<Status, Failure> {
    let text = match &args.module {
        None => list(args.format),
        Some(name) => one(name, args)?,
    };
    output.data(&text)?;
    Ok(Status::Success)
}

fn list(format: Format) -> String {
    let library = Library::standard();
    if format == Format::Json {
        let module = |module: &crate::document::library::Module| {
            json!({
                "module": &*module.name,
                "about": module.summary(),
                "entities": stdlib::entities(&module.name).is_some(),
            })
        };
        let modules: Vec<_> = library.modules.iter().map(module).collect();
        return format!("{:#}\n", json!({ "modules": modules }));
    }
    let width = library.names().map(str::len).max().unwrap_or(0);
    let modules = library.modules.iter();
    modules.map(|module| format!("{:width$}  {}\n", module.name, module.summary())).collect()
}

fn one(name: &str, args: &StdArgs) -> Result<String, Failure> {
    let full = if name.starts_with("std.") { name.to_owned() } else { format!("std.{name}") };
    let Some(source) = stdlib::source(&full) else {
        let failure = Failure::new(format!("the standard library has no module `{name}`"));
        return Err(match best_match(&full, stdlib::names()) {
            Some(best) => failure.help(format!("did you mean `{best}`?")),
            None => failure.help("`pdl std` lists its modules"),
        });
    };
    let entities = stdlib::entities(&full);
    if args.entities && entities.is_none() {
        return Err(Failure::new(format!("no entities ship with `{full}`")));
    }
    Ok(match (args.format, entities.filter(|_| args.entities)) {
        (Format::Human, None) => source.to_owned(),
        // They are JSON, whatever form is asked for.
        (_, Some(entities)) => entities.to_owned(),
        (Format::Json, None) => {
            let library = Library::standard();
            let module = library.modules.iter().find(|module| *module.name == *full);
            let about = module.map(|module| module.summary()).unwrap_or_default();
            let document = json!({ "module": full, "about": about, "entities": entities.is_some(), "source": source });
            format!("{document:#}\n")
        }
    })
}

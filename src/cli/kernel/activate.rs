//! `pdl kernel activate`: another policy decides from now on.

use serde_json::json;

use super::super::args::Format;
use super::super::args::kernel::ActivateArgs;
use super::super::eval;
use super::super::files;
use super::super::output::Output;
use super::super::place::Place;
use super::super::policy;
use super::super::status::{Failure, Status};
use super::super::trouble;

/// Activates a bundle, or what sources compile to.
pub fn run(args: &ActivateArgs, output: &mut Output) -> Result<Status, Failure> {
    let paths = args.entities.iter().chain(args.policy.as_ref());
    if paths.filter(|path| files::is_stdin(path)).count() > 1 {
        return Err(Failure::usage("only one of the paths can be `-`, standard input"));
    }
    let entities = match &args.entities[..] {
        [] => None,
        paths => Some(eval::joined_entities(paths)?),
    };
    let (entities, names) = entities.unzip();
    let bundle = args.policy.as_ref().map(|path| policy::bundle_of(path, output)).transpose()?;
    let kernel = Place::new(&args.act.place.store).open()?;
    let who = &args.act.who;
    let done = match (&bundle, args.kept) {
        (Some(bundle), _) => kernel.activate(who, bundle, entities.as_deref()).map(|_| ()),
        (None, Some(name)) => kernel.activate_kept(who, name, entities.as_deref()),
        (None, None) => return Err(Failure::usage("name a policy, or one that is kept with `--kept`")),
    };
    done.map_err(|error| trouble::of_entities(&error, &names.unwrap_or_else(|| "the registry".to_owned())))?;
    let active = kernel.active().map_err(|error| trouble::kernel(&error))?;
    match args.act.place.format {
        Format::Human => {
            output.say(&format!("{} decides, with version {} of the registry", active.bundle, active.registry));
            if active.store().is_empty() {
                output.hint("the registry has no entities yet; they come with `--entities` or `pdl registry load`");
            }
        }
        Format::Json => {
            let document = json!({ "bundle": active.bundle.to_string(), "registry": active.registry });
            output.data(&format!("{document:#}\n"))?;
        }
    }
    Ok(Status::Success)
}

//! `pdl init`: a small package to begin with, which checks, and of which all tests pass.

use std::fs;
use std::path::Path;

use super::args::{Format, InitArgs};
use super::files::{self, Access};
use super::manifest;
use super::output::Output;
use super::status::{Failure, Status};

const POLICY: &str = include_str!("init/agents.pdl");
const ENTITIES: &str = include_str!("init/entities.json");
const REQUEST: &str = include_str!("init/request.json");

/// Writes the package; where one of its files is there already, nothing is written at all.
pub fn run(args: &InitArgs, output: &mut Output) -> Result<Status, Failure> {
    let name = match &args.name {
        Some(name) if manifest::is_name(name) => name.clone(),
        Some(name) => {
            let help = "use letters, digits, `-`, `_` and `.`, with a letter first; `std` is taken";
            return Err(Failure::usage(format!("`{name}` can't be the name of a package")).help(help));
        }
        None => name_of(&args.path),
    };
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nlanguage = \"{}\"\n",
        manifest::EDITIONS.last().copied().unwrap_or_default()
    );
    let contents: [(&str, &str); 4] = [
        (manifest::FILE_NAME, &manifest),
        ("agents.pdl", POLICY),
        ("entities.json", ENTITIES),
        ("request.json", REQUEST),
    ];
    for (file, _) in contents {
        files::refuse_existing(&args.path.join(file))?;
    }
    fs::create_dir_all(&args.path).map_err(|error| Failure::io("make the folder", &args.path, &error))?;
    for (file, text) in contents {
        files::create(&args.path.join(file), text.as_bytes(), Access::Everybody)?;
    }
    let written = contents.map(|(file, _)| args.path.join(file).display().to_string());
    if args.format == Format::Json {
        output.data(&format!("{:#}\n", serde_json::json!({ "package": name, "files": written })))?;
        return Ok(Status::Success);
    }
    for file in written {
        output.data(&format!("{file}\n"))?;
    }
    output.say(&format!(
        "wrote the package {name}; go on with\n\
         \n    pdl test {path}\
         \n    pdl eval --policy {path} --entities {entities} --request {request}\n",
        path = args.path.display(),
        entities = args.path.join("entities.json").display(),
        request = args.path.join("request.json").display(),
    ));
    Ok(Status::Success)
}

/// The name of the folder, as far as it may name a package.
fn name_of(path: &Path) -> String {
    let folder = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name: String =
        folder.chars().map(|character| if character.is_ascii_alphanumeric() { character } else { '-' }).collect();
    let name = name.trim_matches('-').to_ascii_lowercase();
    if manifest::is_name(&name) { name } else { "policy".to_owned() }
}

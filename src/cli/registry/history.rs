//! `pdl registry history`: which versions there were, since when, and by whom.

use serde_json::{Value, json};

use super::super::args::Format;
use super::super::args::kernel::RegistryHistoryArgs;
use super::super::entries::{self, principal};
use super::super::output::Output;
use super::super::place::Place;
use super::super::status::{Failure, Status};
use super::super::table;
use crate::kernel::entry::{Entry, Kind};
use crate::kernel::log::search::Search;

/// Lists the versions as the log has them, the newest first.
pub fn run(args: &RegistryHistoryArgs, output: &mut Output) -> Result<Status, Failure> {
    let kernel = Place::new(&args.act.place.store).open()?;
    let search = Search { kinds: vec![Kind::RegistryChanged], limit: args.limit, ..Search::default() };
    let (entries, next) = entries::find(&kernel, &args.act.who, search)?;
    match args.act.place.format {
        Format::Human => {
            let rows: Vec<Vec<String>> = entries.iter().map(row).collect();
            output.data(&table::text(output, &["VERSION", "SINCE", "BY", "HOW", "BUNDLE"], &rows))?;
            if next.is_some() {
                output.hint("there are more: `-n NUMBER`");
            }
        }
        Format::Json => {
            let list: Vec<Value> = entries.iter().map(document).collect();
            output.data(&format!("{:#}\n", json!({ "versions": list })))?;
        }
    }
    Ok(Status::Success)
}

fn how(entry: &Entry) -> &'static str {
    match (entry.links.contains_key("bundle"), entry.body.contains_key("patch")) {
        (true, _) => "activated",
        (false, true) => "patched",
        (false, false) => "loaded",
    }
}

fn row(entry: &Entry) -> Vec<String> {
    let member = |name: &str| entry.body.get(name).map_or_else(String::new, entries::plain);
    let by = principal(entry).unwrap_or_default();
    vec![member("version"), table::time(entry.time), by, how(entry).to_owned(), member("bundle")]
}

fn document(entry: &Entry) -> Value {
    json!({
        "version": entry.body.get("version"),
        "time": entry.time.to_string(),
        "principal": entry.body.get("principal"),
        "how": how(entry),
        "bundle": entry.body.get("bundle"),
        "digest": entry.body.get("digest"),
        "entry": entry.id,
    })
}

//! Entries of the log, for people: a line each, with what matters of what each kind says.

use serde_json::Value;

use super::output::Output;
use super::status::Failure;
use super::{table, trouble};
use crate::kernel::Kernel;
use crate::kernel::entry::Entry;
use crate::kernel::log::search::{Page, Search};
use crate::kernel::record::Principal;
use crate::vm::decision::EntityName;

/// Looks for entries in the log of a kernel. Gives them, the newest first, and where to go on.
pub fn find(kernel: &Kernel, who: &Principal, search: Search) -> Result<(Vec<Entry>, Option<u64>), Failure> {
    find_by(search, |search| kernel.search(who, search).map_err(|error| trouble::kernel(&error)))
}

/// The same wherever pages of them come from, in as many steps as it takes.
pub fn find_by(
    mut search: Search,
    mut page: impl FnMut(&Search) -> Result<Page, Failure>,
) -> Result<(Vec<Entry>, Option<u64>), Failure> {
    let mut found = Vec::new();
    while search.limit > 0 {
        let page = page(&search)?;
        search.limit = search.limit.saturating_sub(u32::try_from(page.entries.len()).unwrap_or(u32::MAX));
        search.before = page.next;
        found.extend(page.entries);
        if page.next.is_none() {
            break;
        }
    }
    Ok((found, search.before))
}

/// A table of entries.
#[must_use]
pub fn table(output: &Output, entries: &[Entry]) -> String {
    let row = |entry: &Entry| {
        let (index, time) = (entry.index.to_string(), table::time(entry.time));
        vec![index, time, entry.kind.name().to_owned(), told(entry), entry.id.clone()]
    };
    let rows: Vec<Vec<String>> = entries.iter().map(row).collect();
    table::text(output, &["INDEX", "TIME", "KIND", "WHAT", "ENTRY"], &rows)
}

/// Who did it, as the entry says.
#[must_use]
pub fn principal(entry: &Entry) -> Option<String> {
    entity(entry.body.get("principal")?)
}

/// An entity where a value is one: `{"type":"Team","id":"shop"}`.
#[must_use]
pub fn entity(value: &Value) -> Option<String> {
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    Some(EntityName { ty: text("type")?, id: text("id")? }.to_string())
}

/// A value of a body as a word: a text as it is, all else as JSON.
#[must_use]
pub fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The members of bodies that people look for, in the order in which they are told.
const WORDS: &[&str] = &[
    "answer",
    "enforced",
    "action",
    "gate",
    "state",
    "status",
    "to",
    "permit",
    "scope",
    "cost",
    "record",
    "capability",
    "mode",
    "package",
    "version",
    "verdict",
    "voter",
    "why",
    "reason",
    "trouble",
];

/// What an entry tells, in a few words.
fn told(entry: &Entry) -> String {
    let mut words = Vec::new();
    for name in WORDS {
        let Some(value) = entry.body.get(*name) else { continue };
        let word = entity(value).unwrap_or_else(|| plain(value));
        words.push(match *name {
            "enforced" => format!("enforced as {word}"),
            "version" if !entry.body.contains_key("package") => format!("version {word}"),
            "voter" => format!("by {word}"),
            "to" => format!("to {word}"),
            "why" => format!("({word})"),
            "cost" => format!("for {word}"),
            _ => word,
        });
        if *name == "answer" {
            words.extend(asked(entry));
        }
    }
    words.extend(principal(entry).map(|principal| format!("by {principal}")));
    words.join(" ")
}

/// What was asked, of a decision whose request could be read. Of what was done to the kernel itself, who asked is told as
/// its principal already.
fn asked(entry: &Entry) -> Option<String> {
    let text = entry.body.get("request")?.get("text")?.as_str()?;
    let asked = super::eval::asked(text.as_bytes())?;
    if entry.body.get("of").and_then(Value::as_str) != Some("kernel") {
        return Some(asked);
    }
    let request: Value = serde_json::from_str(text).ok()?;
    let action = request.get("action")?.get("name")?.as_str()?;
    Some(format!("{action} {}", entity(request.get("resource")?)?))
}

//! Regions of pages that people write: what stands between two comments of Markdown comes from a source, so that no
//! table is typed twice.
//!
//! ```text
//! <!-- pdl: table std.scopes.cost_estimate -->
//! <!-- pdl: end -->
//! ```

use std::sync::Arc;

use crate::data::similar::best_match;
use crate::document::library::Library;
use crate::document::markdown::{code, first_sentence, paragraphs};
use crate::document::names::declared;
use crate::document::types::Writer;
use crate::document::{entities, fields::Of, lifecycle};
use crate::syntax::ast::{Const, Doc, Invariant, Item, ItemKind, Policy};
use crate::types::stdlib;

/// What may stand before a name.
const SORTS: &[&str] = &[
    "about",
    "action",
    "claims",
    "constants",
    "entities",
    "entity",
    "enum",
    "function",
    "group",
    "invariant",
    "invariants",
    "lifecycle",
    "obligation",
    "parameters",
    "policy",
    "record",
    "rules",
    "table",
];

/// A page whose regions are filled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filled {
    /// The page.
    pub text: String,
    /// Its regions, in order.
    pub regions: Vec<Region>,
}

/// A region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// The line of the comment that opens it, from 1.
    pub line: usize,
    /// What it asks for: `table std.scopes.cost_estimate`.
    pub asks: String,
    /// Whether something else stood there.
    pub changed: bool,
}

/// What is wrong with a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1.
    pub line: usize,
    /// One sentence.
    pub message: String,
    /// What can be done.
    pub help: Option<String>,
}

/// Fills the regions of a page.
///
/// # Errors
/// All faults: what is not known, what is not ended; and a page that has no regions.
pub fn fill(library: &Library, page: &str) -> Result<Filled, Vec<Fault>> {
    let mut out = String::with_capacity(page.len());
    let mut regions = Vec::new();
    let mut faults = Vec::new();
    let mut open: Option<Open> = None;
    let mut fence: Option<String> = None;
    for (number, line) in (1..).zip(page.split_inclusive('\n')) {
        let marker = marker(line);
        if open.is_none() && is_fence(line, &mut fence) {
            out.push_str(line);
            continue;
        }
        match (marker, &mut open) {
            (Some("end"), Some(_)) => {
                if let Some(region) = open.take() {
                    regions.push(region.close(&mut out));
                    out.push_str(line);
                }
            }
            (Some("end"), None) => {
                faults.push(Fault { line: number, message: "this ends no region".to_owned(), help: None });
            }
            (Some(asks), before) => {
                if let Some(before) = before {
                    faults.push(before.unended());
                }
                out.push_str(line);
                if !line.ends_with('\n') {
                    out.push('\n');
                }
                let text = written(library, asks).unwrap_or_else(|(message, help)| {
                    faults.push(Fault { line: number, message, help });
                    String::new()
                });
                open = Some(Open { line: number, asks: asks.to_owned(), old: String::new(), text });
            }
            (None, Some(region)) => region.old.push_str(line),
            (None, None) => out.push_str(line),
        }
    }
    if let Some(region) = open {
        faults.push(region.unended());
    }
    if regions.is_empty() && faults.is_empty() {
        let help = "write `<!-- pdl: table a.module.a_table -->` and `<!-- pdl: end -->` around where it belongs";
        faults.push(Fault { line: 1, message: "no region is here to be filled".to_owned(), help: Some(help.into()) });
    }
    faults.sort_by_key(|fault| fault.line);
    if faults.is_empty() { Ok(Filled { text: out, regions }) } else { Err(faults) }
}

struct Open {
    line: usize,
    asks: String,
    old: String,
    text: String,
}

impl Open {
    fn close(self, out: &mut String) -> Region {
        let text = format!("\n{}\n", self.text);
        out.push_str(&text);
        Region { line: self.line, changed: text != self.old, asks: self.asks }
    }

    fn unended(&self) -> Fault {
        let message = format!("the region `{}` is not ended", self.asks);
        Fault { line: self.line, message, help: Some("write `<!-- pdl: end -->` where it ends".to_owned()) }
    }
}

/// What a comment of ours asks for.
fn marker(line: &str) -> Option<&str> {
    Some(line.trim().strip_prefix("<!-- pdl:")?.strip_suffix("-->")?.trim())
}

/// Whether a line is one of a block of code, the fences included; keeps the fence that is open.
fn is_fence(line: &str, fence: &mut Option<String>) -> bool {
    let ticks: String = line.trim_start().chars().take_while(|&c| c == '`').collect();
    match fence {
        Some(open) => {
            if ticks.len() >= open.len() && line.trim() == ticks {
                *fence = None;
            }
            true
        }
        None if ticks.len() >= 3 => {
            *fence = Some(ticks);
            true
        }
        None => false,
    }
}

type Unknown = (String, Option<String>);

/// What a region asks for.
fn written(library: &Library, asks: &str) -> Result<String, Unknown> {
    let Some((sort, name)) = asks.split_once(' ').map(|(sort, name)| (sort, name.trim())) else {
        let help = Some("write what it is and its name, as in `table std.scopes.cost_estimate`".to_owned());
        return Err((format!("`{asks}` names nothing"), help));
    };
    if !SORTS.contains(&sort) {
        let best = best_match(sort, SORTS.iter().copied());
        let help = best.map_or_else(|| format!("it is one of {}", SORTS.join(", ")), did_you_mean);
        return Err((format!("there is no region of a `{sort}`"), Some(help)));
    }
    let (name, words) = match name.split_once(' ') {
        Some((name, words)) if sort == "about" => (name, Some(words.trim().trim_matches('"'))),
        _ => (name, None),
    };
    if matches!(sort, "about" | "constants" | "entities" | "parameters" | "rules" | "invariants") {
        let place = library.place(name).ok_or_else(|| unknown_module(library, name))?;
        return of_module(&Writer::new(library, place, &[]), sort, name, words);
    }
    let count = library.modules.len();
    let module = (0..count)
        .filter(|&at| name.strip_prefix(&*library.modules[at].name).is_some_and(|rest| rest.starts_with('.')))
        .max_by_key(|&at| library.modules[at].name.len());
    let Some(at) = module else {
        let before = name.rsplit_once('.').map_or(name, |(before, _)| before);
        return Err(unknown_module(library, before));
    };
    let writer = Writer::new(library, at, &[]);
    let rest = name.get(library.modules[at].name.len() + 1..).unwrap_or_default();
    let items = || writer.module().file.items.iter().filter(|item| is_sort(item, sort));
    let named = |item: &&Item| declared(item).is_some_and(|(_, found)| &*found.text == rest);
    match items().find(named) {
        Some(item) => Ok(of_item(&writer, item)),
        None => {
            let known = items().filter_map(declared).map(|(_, name)| &*name.text);
            let help = best_match(rest, known).map(did_you_mean);
            Err((format!("the module `{}` has no {sort} `{rest}`", writer.module().name), help))
        }
    }
}

fn did_you_mean(best: &str) -> String {
    format!("did you mean `{best}`?")
}

fn unknown_module(library: &Library, name: &str) -> Unknown {
    (format!("there is no module `{name}`"), best_match(name, library.names()).map(did_you_mean))
}

fn is_sort(item: &Item, sort: &str) -> bool {
    match &item.kind {
        ItemKind::Action(action) => (if action.is_group { "group" } else { "action" }) == sort,
        ItemKind::Prove(_) => sort == "claims",
        ItemKind::Enum(_) => sort == "enum",
        ItemKind::Record(_) | ItemKind::GovernedRecord(_) => sort == "record",
        ItemKind::Entity(_) => sort == "entity",
        ItemKind::Obligation(_) => sort == "obligation",
        ItemKind::Function(_) => sort == "function",
        ItemKind::Table(_) => sort == "table",
        ItemKind::Lifecycle(_) => sort == "lifecycle",
        ItemKind::Policy(_) => sort == "policy",
        ItemKind::Invariant(_) => sort == "invariant",
        ItemKind::Const(_) | ItemKind::Use(_) | ItemKind::Include(_) | ItemKind::Test(_) | ItemKind::Error => false,
    }
}

fn of_module(writer: &Writer<'_>, sort: &str, name: &str, words: Option<&str>) -> Result<String, Unknown> {
    let file = &writer.module().file;
    let header = file.module.as_ref();
    let text = match sort {
        "about" => {
            let doc = header.map(|header| &header.doc);
            let Some(words) = words else {
                return doc
                    .map(|doc| paragraphs(doc, 2))
                    .filter(|text| !text.is_empty())
                    .ok_or_else(|| nothing(name, sort));
            };
            let said = doc.and_then(|doc| said_with(doc, words));
            return said.map(|doc| paragraphs(&doc, 2)).ok_or_else(|| {
                (format!("nothing that is said above the module `{name}` has the words \"{words}\""), None)
            });
        }
        "parameters" => {
            let parameters = header.map_or(&[][..], |header| &header.parameters);
            if parameters.is_empty() { String::new() } else { writer.parameters(parameters) }
        }
        "rules" => {
            let policies: Vec<(&Item, &Policy)> = file.items.iter().filter_map(policy).collect();
            match policies[..] {
                [(_, only)] => writer.rule_table(only),
                _ => policies
                    .iter()
                    .map(|(item, policy)| introduced(writer, item, policy))
                    .collect::<Vec<_>>()
                    .join("\n"),
            }
        }
        "constants" => {
            let all = file.items.iter().filter_map(|item| match &item.kind {
                ItemKind::Const(one) => Some((item, one)),
                _ => None,
            });
            let all: Vec<(&Item, &Const)> = all.collect();
            if all.is_empty() { String::new() } else { writer.constants(&all) }
        }
        "entities" => stdlib::entities(name).and_then(entities::tables).unwrap_or_default(),
        _ => {
            let invariants: Vec<&Invariant> = file.items.iter().flat_map(invariants).collect();
            if invariants.is_empty() { String::new() } else { writer.invariant_table(&invariants) }
        }
    };
    if text.is_empty() { Err(nothing(name, sort)) } else { Ok(text) }
}

fn nothing(module: &str, sort: &str) -> Unknown {
    match sort {
        "about" => (format!("nothing is said above the module `{module}`"), None),
        "entities" => (format!("no entities ship with the module `{module}`"), None),
        _ => (format!("the module `{module}` has no {sort}"), None),
    }
}

/// The paragraph of a comment in which some words stand, in whatever case, and the list or the table below it.
fn said_with(doc: &Doc, words: &str) -> Option<Doc> {
    let words = words.to_lowercase();
    let mut paragraphs = doc.split(|line| line.trim().is_empty()).filter(|lines| !lines.is_empty());
    let has_words = |lines: &&[Arc<str>]| lines.join(" ").to_lowercase().contains(&words);
    let mut said = paragraphs.find(has_words)?.to_vec();
    let goes_on = |lines: &&[Arc<str>]| {
        let first = lines.first().map_or("", |line| &**line);
        first.starts_with("- ") || first.starts_with("| ") || first.starts_with(' ')
    };
    for lines in paragraphs.take_while(goes_on) {
        said.push("".into());
        said.extend_from_slice(lines);
    }
    Some(said)
}

/// The rules of one policy among several.
fn introduced(writer: &Writer<'_>, item: &Item, policy: &Policy) -> String {
    let word = if policy.shadow.is_some() { "Shadow policy" } else { "Policy" };
    let (name, on) = (code(&policy.name.text), writer.paths(&policy.on, "and"));
    let said = first_sentence(&item.doc);
    let said = if said.is_empty() { said } else { format!(" {said}") };
    format!("{word} {name}, on {on}.{said}\n\n{}", writer.rule_table(policy))
}

fn policy(item: &Item) -> Option<(&Item, &Policy)> {
    match &item.kind {
        ItemKind::Policy(policy) => Some((item, policy)),
        _ => None,
    }
}

fn invariants(item: &Item) -> Vec<&Invariant> {
    match &item.kind {
        ItemKind::Invariant(invariant) => vec![invariant],
        ItemKind::GovernedRecord(record) => record.invariants.iter().map(|(_, invariant)| invariant).collect(),
        _ => Vec::new(),
    }
}

fn of_item(writer: &Writer<'_>, item: &Item) -> String {
    match &item.kind {
        ItemKind::Enum(one) => writer.variants(one),
        ItemKind::Record(one) => writer.fields(Of::Record, &one.fields),
        ItemKind::GovernedRecord(one) => writer.governed(one),
        ItemKind::Entity(one) => writer.entity(one),
        ItemKind::Action(one) => writer.action(one),
        ItemKind::Obligation(one) => writer.parameters(&one.parameters),
        ItemKind::Function(one) => writer.function(item, one),
        ItemKind::Table(one) => writer.table(one),
        ItemKind::Lifecycle(one) => lifecycle::steps(one),
        ItemKind::Policy(one) => writer.rule_table(one),
        ItemKind::Invariant(one) => writer.invariant_table(&[one]),
        ItemKind::Prove(one) => writer.claims(one),
        ItemKind::Const(_) | ItemKind::Use(_) | ItemKind::Include(_) | ItemKind::Test(_) | ItemKind::Error => {
            String::new()
        }
    }
}

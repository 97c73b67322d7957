//! The page of a module, and the index of pages.

use crate::document::library::{Library, Module};
use crate::document::markdown::{self, block, code, paragraphs};
use crate::document::names::{Place, declared, dotted, heading};
use crate::document::types::{Writer, page_name};
use crate::document::{entities, fields::Of, lifecycle};
use crate::syntax::ast::{Const, Include, Item, ItemKind, ModuleHeader};
use crate::types::stdlib;

/// The name of the page that lists the others.
pub const INDEX: &str = "README.md";

/// From so many headings on a page says at its top what is where.
const CONTENTS_MIN: usize = 6;

/// A page: the name of its file, and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The name of the file.
    pub file: String,
    /// The module, nothing of the index.
    pub module: Option<String>,
    /// Markdown.
    pub text: String,
}

/// The pages of some modules by their places, in their order.
#[must_use]
pub fn pages(library: &Library, places: &[usize]) -> Vec<Page> {
    places
        .iter()
        .filter_map(|&place| {
            let module = library.modules.get(place)?;
            let text = page(&Writer::new(library, place, places));
            Some(Page { file: page_name(module), module: Some(module.name.to_string()), text })
        })
        .collect()
}

/// The index of the pages of some modules.
#[must_use]
pub fn index(title: &str, library: &Library, places: &[usize]) -> Page {
    let mut text = format!("# {title}\n\n{}", written("the `///` comments of the sources"));
    let modules = places.iter().filter_map(|&place| library.modules.get(place));
    let (own, others): (Vec<&Module>, Vec<&Module>) = modules.partition(|module| module.own);
    let is_mixed = !own.is_empty() && !others.is_empty();
    for (head, modules) in [("module", own), (if is_mixed { "used module" } else { "module" }, others)] {
        if !modules.is_empty() {
            let row = |module: &&Module| {
                let link = markdown::linked(&module.name, Some(&page_name(module)));
                vec![link, module.summary()]
            };
            let rows: Vec<Vec<String>> = modules.iter().map(row).collect();
            text.push_str(&format!("\n{}", markdown::table(&[head, "about"], &rows)));
        }
    }
    Page { file: INDEX.to_owned(), module: None, text }
}

/// That nobody changes a page by hand.
fn written(from: &str) -> String {
    format!("<!-- Written by `pdl doc` from {from}: change those, not this. -->\n")
}

fn page(writer: &Writer<'_>) -> String {
    let module = writer.module();
    let mut sections = vec![format!("# {}\n\n{}", code(&module.name), written("the source and its `///` comments"))];
    if let Some(header) = &module.file.module {
        sections.push(paragraphs(&header.doc, 1));
    }
    sections.push(contents(writer));
    sections.push(usage(writer));
    let mut items = module.file.items.iter().enumerate().peekable();
    while let Some((at, item)) = items.next() {
        if let ItemKind::Const(one) = &item.kind {
            let mut all: Vec<(&Item, &Const)> = vec![(item, one)];
            while let Some((_, next)) = items.next_if(|(_, next)| matches!(next.kind, ItemKind::Const(_))) {
                if let ItemKind::Const(one) = &next.kind {
                    all.push((next, one));
                }
            }
            sections.push(format!("## Constants\n\n{}", writer.constants(&all)));
            continue;
        }
        sections.push(section(writer, at, item));
    }
    sections.push(shipped(module));
    sections.push(tests(module));
    sections.retain(|section| !section.is_empty());
    sections.join("\n")
}

/// What a page has, by sort, where there is much of it.
fn contents(writer: &Writer<'_>) -> String {
    const SORTS: &[(&str, &str)] = &[
        ("Enum", "Enums"),
        ("Lifecycle", "Lifecycles"),
        ("Record", "Records"),
        ("Governed record", "Governed records"),
        ("Entity type", "Entity types"),
        ("Action group", "Action groups"),
        ("Action", "Actions"),
        ("Obligation", "Obligations"),
        ("Table", "Tables"),
        ("Function", "Functions"),
        ("Policy", "Policies"),
        ("Invariant", "Invariants"),
        ("Claims", "Claims"),
    ];
    let items = || writer.module().file.items.iter().enumerate();
    let mut count = 0;
    let mut out = String::new();
    for (word, plural) in SORTS {
        let links = items().filter_map(|(item, found)| {
            let (sort, name) = declared(found)?;
            let target = writer.target(Place { module: writer.at, item });
            (sort == *word).then(|| markdown::linked(&name.text, target.as_deref()))
        });
        let links: Vec<String> = links.collect();
        count += links.len();
        if !links.is_empty() {
            out.push_str(&format!("- {plural}: {}\n", links.join(", ")));
        }
    }
    if count < CONTENTS_MIN { String::new() } else { out }
}

/// How the module is made use of, and what it makes use of itself.
fn usage(writer: &Writer<'_>) -> String {
    let module = writer.module();
    let mut parts = Vec::new();
    let decides = module.file.items.iter().any(|item| {
        matches!(item.kind, ItemKind::Policy(_) | ItemKind::Invariant(_))
            || matches!(&item.kind, ItemKind::GovernedRecord(record) if !record.invariants.is_empty())
    });
    let header = module.file.module.as_ref().filter(|header| !header.parameters.is_empty());
    if let Some(header) = header {
        let table = writer.parameters(&header.parameters);
        parts.push(format!("## How to include it\n\n{}\n{table}", block("pdl", &include_line(header))));
    } else if !module.own && decides {
        let line = format!("include {}", module.name);
        parts.push(format!("## How to include it\n\n{}", block("pdl", &line)));
    }
    let includes: Vec<String> = module
        .file
        .items
        .iter()
        .filter(|item| matches!(item.kind, ItemKind::Include(_)))
        .map(|item| writer.excerpts.lines(item.span))
        .collect();
    if !includes.is_empty() {
        parts.push(format!("## What it includes\n\n{}", block("pdl", &includes.join("\n"))));
        let notes = module.file.items.iter().filter_map(|item| match &item.kind {
            ItemKind::Include(Include { path, .. }) if !item.doc.is_empty() => Some((path, &item.doc)),
            _ => None,
        });
        for (path, doc) in notes {
            parts.push(format!("{}: {}\n", code(&dotted(&path.parts)), markdown::inline(doc)));
        }
    }
    parts.join("\n")
}

/// `include` with the parameters that have to be given.
fn include_line(header: &ModuleHeader) -> String {
    let name = dotted(&header.path.parts);
    let needed = header.parameters.iter().filter(|parameter| parameter.default.is_none());
    let needed: Vec<String> = needed.map(|parameter| format!("{} = …", parameter.name.text)).collect();
    match needed.len() {
        0 => format!("include {name}"),
        1 | 2 => format!("include {name}({})", needed.join(", ")),
        _ => format!("include {name}(\n    {},\n)", needed.join(",\n    ")),
    }
}

/// An item under its heading.
fn section(writer: &Writer<'_>, at: usize, item: &Item) -> String {
    debug_assert!(at < writer.module().file.items.len());
    let Some((word, name)) = declared(item) else { return String::new() };
    let mut parts = vec![format!("## {}\n", heading(word, &name.text)), paragraphs(&item.doc, 2)];
    parts.push(body(writer, item));
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

/// What stands below the heading of an item and what is said of it.
fn body(writer: &Writer<'_>, item: &Item) -> String {
    match &item.kind {
        ItemKind::Enum(one) => writer.variants(one),
        ItemKind::Record(one) => writer.fields(Of::Record, &one.fields),
        ItemKind::GovernedRecord(one) => {
            let mut out = writer.governed(one);
            for (doc, invariant) in &one.invariants {
                out.push_str(&format!("\n### {}\n\n", heading("Invariant", &invariant.name.text)));
                let said = paragraphs(doc, 3);
                if !said.is_empty() {
                    out.push_str(&format!("{said}\n"));
                }
                out.push_str(&writer.invariant(invariant));
            }
            out
        }
        ItemKind::Entity(one) => writer.entity(one),
        ItemKind::Action(one) => writer.action(one),
        ItemKind::Obligation(one) if one.parameters.is_empty() => String::new(),
        ItemKind::Obligation(one) => writer.parameters(&one.parameters),
        ItemKind::Function(one) => writer.function(item, one),
        ItemKind::Table(one) => writer.whole_table(one),
        ItemKind::Lifecycle(one) => lifecycle::steps(one),
        ItemKind::Policy(one) => writer.policy(one),
        ItemKind::Invariant(one) => writer.invariant(one),
        ItemKind::Prove(one) => format!("On {}.\n\n{}", writer.paths(&one.on, "and"), writer.claims(one)),
        ItemKind::Use(_) | ItemKind::Include(_) | ItemKind::Const(_) | ItemKind::Test(_) | ItemKind::Error => {
            String::new()
        }
    }
}

/// The entities that ship with a module of the standard library.
fn shipped(module: &Module) -> String {
    let tables = stdlib::entities(&module.name).filter(|_| !module.own).and_then(entities::tables);
    tables.map(|tables| format!("## Entities that ship with it\n\n{tables}")).unwrap_or_default()
}

/// The names of the tests.
fn tests(module: &Module) -> String {
    let mut out = String::new();
    for item in &module.file.items {
        if let ItemKind::Test(test) = &item.kind {
            let doc = markdown::inline(&item.doc);
            let said = if doc.is_empty() { String::new() } else { format!(": {doc}") };
            out.push_str(&format!("- {}{said}\n", markdown::escaped(&test.name)));
        }
    }
    if out.is_empty() { out } else { format!("## What is tested\n\n{out}") }
}

//! The standard library: modules written in PDL itself, in `stdlib/`, that ship inside the binary.
//!
//! `std.time` is `stdlib/time.pdl`. Only the modules that a package names are parsed and checked. A module may have
//! entities that ship with it, in `stdlib/NAME.entities.json`: for whoever loads them, not part of any bundle.

include!(concat!(env!("OUT_DIR"), "/standard_library.rs"));

/// The names of all modules, sorted.
pub fn names() -> impl Iterator<Item = &'static str> {
    MODULES.iter().map(|(name, _)| *name)
}

/// The source of a module, by its dotted name.
#[must_use]
pub fn source(name: &str) -> Option<&'static str> {
    find(MODULES, name)
}

/// The entities that ship with a module, as the document that is loaded.
#[must_use]
pub fn entities(name: &str) -> Option<&'static str> {
    find(ENTITIES, name)
}

fn find(table: &[(&str, &'static str)], name: &str) -> Option<&'static str> {
    let at = table.binary_search_by(|(known, _)| known.cmp(&name)).ok()?;
    Some(table[at].1)
}

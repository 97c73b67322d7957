//! The standard library: modules written in PDL itself, in `stdlib/`, that ship inside the binary.
//!
//! `std.time` is `stdlib/time.pdl`. Only the modules that a package names are parsed and checked.

include!(concat!(env!("OUT_DIR"), "/standard_library.rs"));

/// The names of all modules, sorted.
pub fn names() -> impl Iterator<Item = &'static str> {
    MODULES.iter().map(|(name, _)| *name)
}

/// The source of a module, by its dotted name.
#[must_use]
pub fn source(name: &str) -> Option<&'static str> {
    let at = MODULES.binary_search_by(|(known, _)| known.cmp(&name)).ok()?;
    Some(MODULES[at].1)
}

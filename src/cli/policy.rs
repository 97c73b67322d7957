//! From a path to a policy that can decide: the same way for sources as for bundles, through a bundle that is verified.

use std::path::{Path, PathBuf};

use super::args::ReportFormat;
use super::files;
use super::key;
use super::load::tree::{self, Tree};
use super::load::{self, Loaded};
use super::output::Output;
use super::report;
use super::status::Failure;
use crate::base::limits::{BUNDLE_BYTES_MAX, SOURCE_BYTES_MAX};
use crate::base::span::SourceMap;
use crate::build;
use crate::bytecode::bundle::{self, ListedSection, LoadOptions, LoadedBundle, MAGIC, PublicKey, SignaturePolicy};
use crate::bytecode::verify::Limits;
use crate::compile::{Compiled, compile};
use crate::diagnostic::{Diagnostics, render};
use crate::types::check::check;
use crate::types::typed::TypedPolicy;
use crate::vm::machine::Machine;

/// What is said of a policy that is not faulty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warnings {
    /// Its warnings are shown.
    Shown,
    /// They are `pdl check`'s to show.
    Hidden,
}

/// A package that was checked and compiled.
#[derive(Debug)]
pub struct Built {
    /// What it is called in talk.
    pub name: String,
    /// The typed tree.
    pub policy: TypedPolicy,
    /// Its sources under the names by which a person finds them.
    pub sources: SourceMap,
    /// Its program, and where its sites are.
    pub compiled: Compiled,
}

/// Checks and compiles what is at a path: sources, or what a bundle there was compiled from. Faults are shown, and end in
/// a failure.
pub fn build(path: &Path, warnings: Warnings, output: &mut Output) -> Result<Built, Failure> {
    let (tree, inside) = tree::of(path)?;
    let mut sink = Diagnostics::default();
    match look_at(&*tree, &inside)? {
        (Some(bytes), true) => recompiled(path, &bytes, output),
        (bytes, _) => {
            let loaded = loaded(&*tree, &inside, bytes, &mut sink)?;
            compile_loaded(loaded, warnings, sink, output)
        }
    }
}

/// The package at a path whose contents may have been read already.
fn loaded(tree: &dyn Tree, path: &Path, bytes: Option<Vec<u8>>, sink: &mut Diagnostics) -> Result<Loaded, Failure> {
    match bytes {
        Some(bytes) => Ok(load::single(tree, path, &bytes, sink)),
        None => load::load_in(tree, path, sink),
    }
}

/// Compiles the sources that a bundle carries. They are not part of its name, so that they have to come to its program, or
/// they would tell of another one.
fn recompiled(path: &Path, bytes: &[u8], output: &mut Output) -> Result<Built, Failure> {
    let bundle = read(path, bytes, &SignaturePolicy::None)?;
    let name = files::shown(path);
    let Some(sources) = &bundle.sources else {
        return Err(Failure::new(format!("`{name}` does not have its sources: they were left out"))
            .help("what a policy means is found out from its sources: build it without `--strip`"));
    };
    let mut sink = Diagnostics::default();
    let loaded = load::carried(&name, &bundle, sources, &mut sink);
    let built = compile_loaded(loaded, Warnings::Hidden, sink, output)?;
    if program_of(&built.bundle()?)? != program_of(bytes)? {
        let compiler = &bundle.manifest.compiler;
        return Err(Failure::new(format!("the sources in `{name}` are not those of its program")).help(format!(
            "it was compiled by {compiler}, this is pdl {}; otherwise its sources were exchanged",
            env!("CARGO_PKG_VERSION")
        )));
    }
    Ok(built)
}

fn compile_loaded(
    loaded: Loaded,
    warnings: Warnings,
    mut sink: Diagnostics,
    output: &mut Output,
) -> Result<Built, Failure> {
    let (name, sources) = (loaded.name.clone(), loaded.sources.clone());
    let built = compiled(loaded, &mut sink);
    let counts = sink.counts();
    if built.is_none() || warnings == Warnings::Shown {
        let list = sink.finish();
        output.talk(&report::text(ReportFormat::Human, &sources, &list, counts, output.color_talk()));
    }
    built.ok_or_else(|| Failure::new(format!("`{name}` is faulty: {}", render::summary(counts))))
}

/// Checks and compiles what was loaded; `None` if there are faults.
pub fn compiled(loaded: Loaded, sink: &mut Diagnostics) -> Option<Built> {
    let Loaded { package, name, sources } = loaded;
    let policy = check(&package?, sink)?;
    let compiled = compile(&policy, sink)?;
    Some(Built { name, policy, sources, compiled })
}

impl Built {
    /// The bundle: the same bytes for the same sources, wherever they lie.
    pub fn bundle(&self) -> Result<Vec<u8>, Failure> {
        build::bundle(&self.policy, &self.compiled)
            .map_err(|error| Failure::new(format!("`{}` can't be a bundle: {error}", self.name)))
    }
}

/// The machine for a bundle's program, without entities.
pub fn machine(bundle: LoadedBundle) -> Result<Machine, Failure> {
    Machine::from_bundle(bundle).map_err(|error| Failure::new(error.to_string()))
}

/// The machine of a policy from a bundle, a source file, a package or standard input. Nothing runs that is not signed as demanded.
pub fn open(path: &Path, demanded: &SignaturePolicy, output: &mut Output) -> Result<Machine, Failure> {
    let bundle = bundle_of(path, output)?;
    machine(read(path, &bundle, demanded)?)
}

/// The bytes of a bundle: those of a file that is one, or what a source file, a package or standard input compiles to.
pub fn bundle_of(path: &Path, output: &mut Output) -> Result<Vec<u8>, Failure> {
    let (tree, inside) = tree::of(path)?;
    let mut sink = Diagnostics::default();
    match look_at(&*tree, &inside)? {
        (Some(bytes), true) => Ok(bytes),
        (bytes, _) => {
            let loaded = loaded(&*tree, &inside, bytes, &mut sink)?;
            compile_loaded(loaded, Warnings::Hidden, sink, output)?.bundle()
        }
    }
}

/// The bytes of a bundle file.
pub fn bundle_bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    files::read(path, BUNDLE_BYTES_MAX)
}

/// Reads and verifies a bundle that was just made.
pub fn loaded_bundle(bytes: &[u8]) -> Result<LoadedBundle, Failure> {
    bundle::read(bytes, &LoadOptions::UNSIGNED).map_err(|error| Failure::new(format!("the bundle is refused: {error}")))
}

/// The sections that decide, each by its digest: two bundles in which these are the same answer every request alike.
pub fn program_of(bytes: &[u8]) -> Result<Vec<ListedSection>, Failure> {
    let sections = loaded_bundle(bytes)?.manifest.sections;
    Ok(sections.into_iter().filter(|section| section.mandatory).collect())
}

/// Reads and verifies a bundle.
pub fn read(path: &Path, bytes: &[u8], demanded: &SignaturePolicy) -> Result<LoadedBundle, Failure> {
    let options = LoadOptions { signatures: demanded.clone(), limits: Limits::STANDARD };
    bundle::read(bytes, &options).map_err(|error| refused(path, &error))
}

/// The failure for a bundle that is refused.
#[must_use]
pub fn refused(path: &Path, error: &bundle::BundleError) -> Failure {
    Failure::new(format!("`{}` is refused: {error}", files::shown(path)))
}

/// The keys that all have to have signed, each counted once; no keys demand nothing.
pub fn demanded(keys: &[PathBuf]) -> Result<SignaturePolicy, Failure> {
    if keys.is_empty() {
        return Ok(SignaturePolicy::None);
    }
    let read = |path: &PathBuf| key::read_public(path).map(|key| PublicKey(key.to_bytes()));
    let mut keys = keys.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    keys.sort();
    keys.dedup();
    Ok(SignaturePolicy::Demand { at_least: keys.len(), keys })
}

/// The contents of a path if they had to be read, and whether they are a bundle: by what they begin with, or by the name.
fn look_at(tree: &dyn Tree, path: &Path) -> Result<(Option<Vec<u8>>, bool), Failure> {
    if tree.is_folder(path) {
        return Ok((None, false));
    }
    if files::is_stdin(path) {
        let bytes = files::read(path, BUNDLE_BYTES_MAX)?;
        let is_bundle = bytes.starts_with(&MAGIC);
        return Ok((Some(bytes), is_bundle));
    }
    if path.extension().is_some_and(|extension| extension == "pdlb") || tree.begins_with(path, &MAGIC)? {
        return Ok((Some(tree.read(path, BUNDLE_BYTES_MAX)?), true));
    }
    Ok((Some(tree.read_up_to(path, SOURCE_BYTES_MAX)?), false))
}

//! From a path to a policy that can decide: the same way for sources as for bundles, through a bundle that is verified.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::args::ReportFormat;
use super::files;
use super::key;
use super::load;
use super::output::Output;
use super::report;
use super::status::Failure;
use crate::base::limits::{BUNDLE_BYTES_MAX, SOURCE_BYTES_MAX};
use crate::base::span::SourceMap;
use crate::build;
use crate::bytecode::bundle::{self, LoadOptions, LoadedBundle, MAGIC, PublicKey, SignaturePolicy};
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

/// Checks and compiles the sources at a path. Faults are shown, and end in a failure.
pub fn build(path: &Path, warnings: Warnings, output: &mut Output) -> Result<Built, Failure> {
    let mut sink = Diagnostics::default();
    let loaded = load::load(path, &mut sink)?;
    compile_loaded(loaded, warnings, sink, output)
}

fn compile_loaded(
    loaded: load::Loaded,
    warnings: Warnings,
    mut sink: Diagnostics,
    output: &mut Output,
) -> Result<Built, Failure> {
    let load::Loaded { package, name, sources } = loaded;
    let policy = package.as_ref().and_then(|package| check(package, &mut sink));
    let compiled = policy.as_ref().and_then(|policy| compile(policy, &mut sink));
    let counts = sink.counts();
    if compiled.is_none() || warnings == Warnings::Shown {
        let list = sink.finish();
        output.talk(&report::text(ReportFormat::Human, &sources, &list, counts, output.color_talk()));
    }
    match (policy, compiled) {
        (Some(policy), Some(compiled)) => Ok(Built { name, policy, sources, compiled }),
        _ => Err(Failure::new(format!("`{name}` is faulty: {}", render::summary(counts)))),
    }
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
    match look_at(path)? {
        (Some(bytes), true) => Ok(bytes),
        (Some(bytes), false) => {
            let mut sink = Diagnostics::default();
            let loaded = load::single(path, &bytes, &mut sink);
            compile_loaded(loaded, Warnings::Hidden, sink, output)?.bundle()
        }
        (None, _) => build(path, Warnings::Hidden, output)?.bundle(),
    }
}

/// The bytes of a bundle file.
pub fn bundle_bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    files::read(path, BUNDLE_BYTES_MAX)
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
fn look_at(path: &Path) -> Result<(Option<Vec<u8>>, bool), Failure> {
    if load::is_folder(path) {
        return Ok((None, false));
    }
    if files::is_stdin(path) {
        let bytes = files::read(path, BUNDLE_BYTES_MAX)?;
        let is_bundle = bytes.starts_with(&MAGIC);
        return Ok((Some(bytes), is_bundle));
    }
    let mut start = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAGIC.len() as u64).read_to_end(&mut start))
        .map_err(|error| Failure::io("read", path, &error))?;
    if start == MAGIC || path.extension().is_some_and(|extension| extension == "pdlb") {
        return Ok((Some(bundle_bytes(path)?), true));
    }
    let bytes = files::read_up_to(path, SOURCE_BYTES_MAX).map_err(|error| Failure::io("read", path, &error))?;
    Ok((Some(bytes), false))
}

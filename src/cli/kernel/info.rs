//! `pdl kernel info`: what decides, and what there is.

use serde_json::{Value, json};

use super::super::args::Format;
use super::super::args::kernel::PlaceArgs;
use super::super::output::Output;
use super::super::place::Place;
use super::super::status::{Failure, Status};
use super::super::{table, trouble};
use crate::bytecode::bundle::{self, LoadOptions};
use crate::kernel::engine::Active;
use crate::kernel::log::checkpoint;
use crate::kernel::permit::PermitState;
use crate::kernel::store::Query;
use crate::kernel::{Kernel, KernelError};

/// Says it. A kernel in which nothing decides is worth knowing of, and no failure.
pub fn run(args: &PlaceArgs, output: &mut Output) -> Result<Status, Failure> {
    let place = Place::new(&args.store);
    let origin = place.settings()?.origin;
    let kernel = place.open()?;
    let failed = |error: KernelError| trouble::kernel(&error);
    let (entries, signed) =
        kernel.read(|tx| Ok((tx.log_size()?, checkpoint::current(tx)?.map_or(0, |kept| kept.size)))).map_err(failed)?;
    let issued = count(&kernel, "permit", PermitState::Issued.name()).map_err(failed)?;
    let started = count(&kernel, "permit", PermitState::Started.name()).map_err(failed)?;
    let active = kernel.active();
    let policy = active.as_ref().ok().map(|active| package(&kernel, active)).transpose().map_err(failed)?;
    let text = match args.format {
        Format::Human => {
            let mut facts = vec![("folder", place.folder().display().to_string()), ("log", origin)];
            facts.push(("entries", format!("{entries}, of which {signed} are signed for")));
            match (&active, policy) {
                (Ok(active), Some((package, version))) => {
                    facts.push(("policy", format!("{package} {version}")));
                    facts.push(("bundle", active.bundle.to_string()));
                    facts.push(("registry", format!("version {}, {}", active.registry, active.registry_digest())));
                }
                (Ok(_), None) => {}
                (Err(error), _) => facts.push(("policy", format!("none decides: {error}"))),
            }
            facts.push(("permits", format!("{issued} not used, {started} running")));
            table::facts(&facts)
        }
        Format::Json => {
            let decides = match (&active, policy) {
                (Ok(active), Some((package, version))) => json!({
                    "package": package, "version": version, "bundle": active.bundle.to_string(),
                    "registry": active.registry, "registry_digest": active.registry_digest().to_string(),
                }),
                _ => Value::Null,
            };
            let trouble = active.as_ref().err().map(ToString::to_string);
            let document = json!({
                "folder": place.folder().display().to_string(),
                "origin": origin,
                "entries": entries,
                "signed": signed,
                "active": decides,
                "trouble": trouble,
                "permits": { "issued": issued, "started": started },
            });
            format!("{document:#}\n")
        }
    };
    output.data(&text)?;
    Ok(Status::Success)
}

/// What the package of the active bundle is called, with its version.
fn package(kernel: &Kernel, active: &Active) -> Result<(String, String), KernelError> {
    let bytes = kernel.bundle(active.bundle)?.ok_or(KernelError::UnknownBundle(active.bundle))?;
    let loaded = bundle::read(&bytes, &LoadOptions::UNSIGNED)
        .map_err(|error| KernelError::Damaged(format!("the bundle {}: {error}", active.bundle)))?;
    Ok((loaded.manifest.package.to_string(), loaded.manifest.version.to_string()))
}

/// How many objects of a kind are in a state.
fn count(kernel: &Kernel, kind: &'static str, state: &'static str) -> Result<usize, KernelError> {
    kernel.read(move |tx| {
        let (kind, state) = (kind.to_owned(), Some(state.to_owned()));
        Ok(tx.find(&Query { kind, state, due_until_ms: None, after: None, limit: u32::MAX })?.len())
    })
}

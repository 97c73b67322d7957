//! `pdl kernel spend`: what a gate was opened for is decided again, and permitted if everybody has agreed who has to today.

use super::super::args::kernel::SpendArgs;
use super::super::files;
use super::super::output::Output;
use super::super::place::Place;
use super::super::status::{Failure, Status};
use super::super::trouble;
use super::decide::{self, Next};
use super::keep::Keep;
use crate::base::limits::REQUEST_BYTES_MAX;
use crate::kernel::KernelError;

/// Spends a gate, once.
pub fn run(args: &SpendArgs, output: &mut Output) -> Result<Status, Failure> {
    let facts = args.facts.as_ref().map(|path| files::read(path, REQUEST_BYTES_MAX)).transpose()?;
    let kernel = Place::new(&args.act.place.store).open()?;
    // Whether they may spend it is another question than whether they may see what it is for.
    let gate = match kernel.gate(&args.act.who, &args.gate) {
        Err(KernelError::Forbidden(_)) => None,
        gate => gate.map_err(|error| trouble::kernel(&error))?,
    };
    let request = gate.map(|gate| gate.request).unwrap_or_default();
    let keep = Keep::new(args.permit.as_deref())?;
    let verdict = kernel.spend(&args.act.who, &args.gate, facts.as_deref());
    let kept = keep.map_or(Ok(None), |keep| keep.fill(&verdict))?;
    decide::tell(&verdict, request.as_bytes(), None, Next::Spend(kept), args.act.place.format, output)
}

//! The fact that only the kernel knows of a move: what its evidence is known by. That is salted, so whoever sees it can't try
//! what the evidence was.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use serde_json::Value;

use super::change::Move;
use super::refused::RecordRefused;
use crate::base::hash::Digest;
use crate::base::limits::EVIDENCE_BYTES_MAX;
use crate::bytecode::schema::{Schema, Type, TypeId};
use crate::kernel::ask::{Peek, peek};
use crate::kernel::engine::Active;
use crate::kernel::environment::Environment;
use crate::kernel::error::KernelError;
use crate::kernel::log::commitment::{Sealed, seal};
use crate::kernel::members::{self, object};

/// The fact.
const EVIDENCE: &str = "evidence";

/// What an entry has of some evidence, and what is kept of it.
pub(super) fn sealed(one: &Move, environment: &dyn Environment) -> Result<Option<Sealed>, KernelError> {
    let Some(evidence) = &one.evidence else { return Ok(None) };
    check(evidence)?;
    Ok(Some(seal(&Value::String(evidence.clone()), environment)?))
}

/// The embedder's facts, with what the evidence is known by where the action has such a fact: 64 digits in hexadecimal. What
/// can't be read stays as it is, for the machine to refuse.
pub(super) fn with_evidence(
    active: &Active,
    one: &Move,
    sealed: Option<&Sealed>,
) -> Result<Option<Vec<u8>>, KernelError> {
    if !asks_for_it(active, &one.request) {
        return Ok(one.facts.clone());
    }
    let given = one.facts.as_deref().unwrap_or(b"{}");
    let Ok(facts) = members::read(given) else { return Ok(one.facts.clone()) };
    if facts.iter().any(|(name, _)| name == EVIDENCE) {
        return Err(RecordRefused::Fact(EVIDENCE).into());
    }
    let digest = sealed.map(|sealed| hex(sealed.commitment));
    let digest = digest.map(|digest| (EVIDENCE.to_owned(), format!("\"{digest}\"")));
    let facts = facts.into_iter().map(|(name, value)| (name, value.get().to_owned()));
    Ok(Some(object(facts.chain(digest)).into_bytes()))
}

fn check(evidence: &str) -> Result<(), RecordRefused> {
    if evidence.len() > EVIDENCE_BYTES_MAX {
        let why = format!("it has {} bytes, and at most {EVIDENCE_BYTES_MAX} are kept", evidence.len());
        return Err(RecordRefused::Evidence(why));
    }
    match serde_json::from_str::<serde::de::IgnoredAny>(evidence) {
        Ok(_) => Ok(()),
        Err(why) => Err(RecordRefused::Evidence(format!("it is no JSON: {why}"))),
    }
}

/// The digits of a digest.
fn hex(digest: Digest) -> String {
    digest.0.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn asks_for_it(active: &Active, request: &[u8]) -> bool {
    let Peek::Kept(touched) = peek(active, request) else { return false };
    let schema = active.machine.image().schema();
    let action = usize::try_from(touched.action).ok().and_then(|at| schema.actions.get(at));
    let fields = action.map_or(&[][..], |action| &action.context);
    fields.iter().any(|field| field.kernel && *field.name == *EVIDENCE && is_text(schema, field.ty))
}

fn is_text(schema: &Schema, ty: TypeId) -> bool {
    match schema.ty(ty) {
        Type::Optional(inner) => is_text(schema, *inner),
        ty => matches!(ty, Type::String { .. }),
    }
}

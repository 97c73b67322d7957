//! Whether a bundle fits the records that are kept.
//!
//! A bundle whose schema can't read them would leave them where nobody can decide of them. So every record of a type that
//! it has has to be one of that type: its attributes of their types, its status one of the lifecycle's. A type that it does
//! not have may have no record that is not final; what is final stays where it is. Its invariants are not asked of what is
//! kept: stricter ones hold from the next change on.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use super::refused::RecordRefused;
use super::{Record, kind, read, types};
use crate::base::limits::PAGE_MAX;
use crate::data::timestamp::Timestamp;
use crate::kernel::error::KernelError;
use crate::kernel::store::{Query, Tx};
use crate::vm::machine::{Machine, Scratch};
use crate::vm::records::RecordType;
use crate::vm::store::Store;

/// Refuses a bundle, with its entities, that does not fit.
pub(in crate::kernel) fn check(
    tx: &mut dyn Tx,
    machine: &Machine,
    store: &Store,
    now: Timestamp,
) -> Result<(), KernelError> {
    let mut scratch = Scratch::default();
    for name in types(tx)? {
        let ty = machine.record_types().find(|ty| *ty.entity_type().qualified == *name);
        let mut after = None;
        loop {
            let query = Query { kind: kind(&name), state: None, due_until_ms: None, after, limit: PAGE_MAX };
            let found = tx.find(&query)?;
            let Some(last) = found.last() else { break };
            after = Some(last.key.clone());
            for object in found {
                let record = read(&name, object)?;
                if let Err(why) = fits(ty.as_ref(), store, &record, now, &mut scratch) {
                    return Err(RecordRefused::Misfit { ty: record.ty, id: record.id, why }.into());
                }
            }
        }
    }
    Ok(())
}

fn fits(
    ty: Option<&RecordType<'_>>,
    store: &Store,
    record: &Record,
    now: Timestamp,
    scratch: &mut Scratch,
) -> Result<(), String> {
    let Some(ty) = ty else {
        let why = || format!("it is {}, and there is no such type of records any more", record.status);
        return if record.is_final { Ok(()) } else { Err(why()) };
    };
    let properties = record.properties.as_bytes();
    let state = ty.state(store, &record.id, properties, now, scratch).map_err(|fault| fault.to_string())?;
    if state.status == record.status { Ok(()) } else { Err(format!("its status is not {}", record.status)) }
}

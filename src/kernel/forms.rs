//! The form of what the kernel keeps in a store, beside that of the store itself.
//!
//! A store of an earlier form is brought to that of today when it is opened, in the transaction that opens it: should that
//! fail, it is as it was, and is not opened. One of a later form is refused, and nothing of it is changed.
//!
//! | form | what came |
//! | --- | --- |
//! | 1 | |
//! | 2 | evidence is salted, and says of which entry it is |

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use serde_json::{Map, Value};

use super::engine::put;
use super::error::KernelError;
use super::records;
use super::store::{Object, StoreError, Tx};
use super::writer::WriteError;

/// The form of today.
pub(super) const FORM: u64 = 2;
/// The member that says it; a store without it is of the first form.
pub(super) const MEMBER: &str = "form";

/// Brings a store to the form of today. `object` says what there is, with this body.
pub(super) fn bring_up(tx: &mut dyn Tx, object: &Object, mut body: Map<String, Value>) -> Result<(), KernelError> {
    let form = body.get(MEMBER).map_or(Some(1), Value::as_u64);
    match form {
        Some(FORM) => return Ok(()),
        Some(1) => records::former::bring_up(tx)?,
        Some(later) if later > FORM => {
            let why = format!("what the kernel keeps in it is of form {later}, and this one knows {FORM}");
            return Err(WriteError::Store(StoreError::Unknown(why)).into());
        }
        _ => return Err(KernelError::Damaged("the form of the store".to_owned())),
    }
    body.insert(MEMBER.to_owned(), FORM.into());
    put(tx, &object.kind, &object.key, object.version, &object.state, object.due_ms, &body.into())
}

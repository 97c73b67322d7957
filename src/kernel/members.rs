//! JSON objects as the texts of their members: what has to be looked at is read, and all else stays as it was written.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::fmt;

use serde::Deserializer as _;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::vm::canonical::push_string;

/// Room for small objects, so that they need not grow.
const OBJECT_BYTES_USUAL: usize = 128;

/// The members of an object as they stand, also those that stand twice.
pub(crate) type Members<'d> = Vec<(String, &'d RawValue)>;

/// The members of a text that is an object, and nothing behind it.
pub(crate) fn read(text: &[u8]) -> Result<Members<'_>, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    let members = reader.deserialize_map(InOrder)?;
    reader.end()?;
    Ok(members)
}

/// The member of a name, if it stands there once.
pub(super) fn one<'d>(members: &[(String, &'d RawValue)], name: &str) -> Option<&'d RawValue> {
    let mut found = members.iter().filter(|(key, _)| key == name);
    let (_, value) = found.next()?;
    found.next().is_none().then_some(*value)
}

/// The text of a member that is a string.
pub(super) fn text(value: &RawValue) -> Option<String> {
    serde_json::from_str(value.get()).ok()
}

/// An object of members whose values are texts of JSON.
pub(super) fn object<K: AsRef<str>, V: AsRef<str>>(members: impl IntoIterator<Item = (K, V)>) -> String {
    let mut out = String::with_capacity(OBJECT_BYTES_USUAL);
    out.push('{');
    for (key, value) in members {
        if out.len() > 1 {
            out.push(',');
        }
        push_string(&mut out, key.as_ref());
        out.push(':');
        out.push_str(value.as_ref());
    }
    out.push('}');
    out
}

struct InOrder;

impl<'d> Visitor<'d> for InOrder {
    type Value = Members<'d>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'d>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(members)
    }
}

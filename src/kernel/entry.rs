//! An entry of the log: what happened, when, and which earlier entries it belongs to.
//!
//! ```json
//! {"body":{"answer":"ALLOW"},"id":"ent_01JD…","index":17,"kind":"decision","links":{"bundle":"ent_01JC…"},
//!  "time":"2026-11-20T10:00:00Z","version":1}
//! ```
//!
//! Its bytes are canonical JSON, and the leaf of the tree is the hash of these. The index is where it stands in the log, so
//! that entries can't change places unnoticed by somebody who has no more than the entries. [`read::Header`] reads them
//! back, and takes nothing that would have been written otherwise.

pub mod read;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::json::push_members;
use crate::base::text::{Pieces, Text};
use crate::data::timestamp::Timestamp;
use crate::vm::canonical::{key_order, push_number, push_string};

/// The version of the form of entries.
pub const VERSION: i64 = 1;
/// Room for most entries, so that it need not grow.
const BYTES_USUAL: usize = 2_048;

/// What happened. The names are what the log has and are never changed.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident $name:literal)*) => {
        /// What an entry tells of.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind {
            $($(#[$doc])* $kind,)*
        }

        impl Kind {
            /// All of them.
            pub const ALL: &[Kind] = &[$(Kind::$kind),*];

            /// The name in the log.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Kind::$kind => $name,)*
                }
            }

            /// The one of a name.
            #[must_use]
            pub fn of_name(name: &str) -> Option<Kind> {
                match name {
                    $($name => Some(Kind::$kind),)*
                    _ => None,
                }
            }
        }
    };
}

kinds! {
    /// The log begins.
    KernelCreated "kernel.created"
    /// Another bundle decides from now on.
    BundleActivated "bundle.activated"
    /// Entities were changed.
    RegistryChanged "registry.changed"
    /// Operators were appointed, changed or removed.
    OperatorsChanged "operators.changed"
    /// A capability is enforced in another way.
    ModeChanged "mode.changed"
    /// A request was decided.
    Decision "decision"
    /// People are asked.
    GateOpened "gate.opened"
    /// Somebody voted.
    GateVoted "gate.voted"
    /// Another group is asked as well.
    GateEscalated "gate.escalated"
    /// Nobody is asked any more: approved, denied, expired, withdrawn or spent.
    GateClosed "gate.closed"
    /// Something may run, once.
    PermitIssued "permit.issued"
    /// It runs.
    PermitStarted "permit.started"
    /// It ran.
    PermitCompleted "permit.completed"
    /// It ran and failed.
    PermitFailed "permit.failed"
    /// It began and nobody said how it ended.
    PermitAbandoned "permit.abandoned"
    /// Nobody used it in time.
    PermitExpired "permit.expired"
    /// A scope was made.
    ScopeCreated "scope.created"
    /// An attempt and its cost were set aside.
    ScopeReserved "scope.reserved"
    /// They were used.
    ScopeCommitted "scope.committed"
    /// They were given back.
    ScopeRefunded "scope.refunded"
    /// A scope is over: exhausted, expired or revoked.
    ScopeEnded "scope.ended"
    /// A record was made.
    RecordCreated "record.created"
    /// A record was changed.
    RecordStepped "record.stepped"
    /// A change of records was undone, or not begun: all that was asked with it.
    RecordRefused "record.refused"
    /// Content was forgotten.
    ContentErased "content.erased"
    /// The oldest entries were dropped.
    LogCompacted "log.compacted"
}

/// An entry.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its place in the log, from 0.
    pub index: u64,
    /// Its id.
    pub id: String,
    /// What it tells of.
    pub kind: Kind,
    /// When.
    pub time: Timestamp,
    /// The ids of entries that it belongs to, by what they are to it.
    pub links: BTreeMap<String, String>,
    /// What happened.
    pub body: Map<String, Value>,
}

impl Entry {
    /// The bytes that the log keeps.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Text::with_room(BYTES_USUAL);
        let envelope = Envelope { index: self.index, id: &self.id, kind: self.kind, time: self.time };
        let mut links: Vec<(&str, &str)> = self.links.iter().map(|(name, id)| (&**name, &**id)).collect();
        links.sort_unstable_by(|(one, _), (other, _)| key_order(one, other));
        envelope.push(&mut out, &links, |out| push_members(out, &self.body));
        out.into_bytes()
    }
}

/// What an entry has around its body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Envelope<'e> {
    pub(super) index: u64,
    pub(super) id: &'e str,
    pub(super) kind: Kind,
    pub(super) time: Timestamp,
}

impl Envelope<'_> {
    /// Appends the text of an entry: with these links, in the order of their names, and the body that `push_body` appends.
    pub(super) fn push<O: Pieces>(self, out: &mut O, links: &[(&str, &str)], push_body: impl FnOnce(&mut O)) {
        debug_assert!(links.is_sorted_by(|(one, _), (other, _)| key_order(one, other).is_lt()), "{links:?}");
        // The members in the order of their names.
        out.push_str("{\"body\":");
        push_body(out);
        out.push_str(",\"id\":");
        push_string(out, self.id);
        out.push_str(",\"index\":");
        push_number(out, self.index);
        out.push_str(",\"kind\":\"");
        out.push_str(self.kind.name());
        out.push_str("\",\"links\":{");
        for (at, (name, id)) in links.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            push_string(out, name);
            out.push(':');
            push_string(out, id);
        }
        out.push_str("},\"time\":\"");
        self.time.push(out);
        out.push_str("\",\"version\":");
        push_number(out, VERSION.unsigned_abs());
        out.push('}');
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn kinds_have_names_of_their_own() {
        let names: BTreeSet<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        assert_eq!(names.len(), Kind::ALL.len());
        assert!(Kind::ALL.iter().all(|kind| Kind::of_name(kind.name()) == Some(*kind)));
        assert_eq!(Kind::of_name("decisions"), None);
    }

    #[test]
    fn the_form_of_an_entry() {
        let entry = Entry {
            index: 17,
            id: "ent_01".to_owned(),
            kind: Kind::Decision,
            time: Timestamp::parse("2026-11-20T11:00:00+01:00").expect("it is a time"),
            links: BTreeMap::from([("bundle".to_owned(), "ent_00".to_owned())]),
            body: Map::from_iter([("b".to_owned(), 1.into()), ("a".to_owned(), "x".into())]),
        };
        let text = String::from_utf8(entry.to_bytes()).expect("it is text");
        assert_eq!(
            text,
            "{\"body\":{\"a\":\"x\",\"b\":1},\"id\":\"ent_01\",\"index\":17,\"kind\":\"decision\",\
             \"links\":{\"bundle\":\"ent_00\"},\"time\":\"2026-11-20T10:00:00Z\",\"version\":1}"
        );
    }
}

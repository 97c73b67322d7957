//! What a change of a record does beside what policy sees: what is set, and what is told. People agree to it as they do to
//! the request, so it is shown to them, and bound.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::show::{canonical, push_line, push_quoted, push_value, read};
use crate::base::hash::Digest;
use crate::kernel::outbox::Announcement;
use crate::vm::canonical::push_object;
use crate::vm::decision::Datum;

/// The effects of a change that is asked for, if it has any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effects {
    /// The members of the canonical text that is bound.
    members: Vec<(String, String)>,
    /// What people are shown of them.
    described: String,
}

impl Effects {
    /// Those of what is set, an object, but for attributes that are left open, and of what is announced. None if there is
    /// nothing of the kind.
    #[must_use]
    pub fn of(set: Option<&str>, open: &[String], announced: &[Announcement]) -> Option<Effects> {
        let open: BTreeSet<&str> = open.iter().map(|name| &**name).collect();
        let set = set.map(value).map(|set| match set {
            Datum::Object(members) => {
                Datum::Object(members.into_iter().filter(|(name, _)| !open.contains(&**name)).collect())
            }
            unread => unread,
        });
        let set = set.filter(|set| *set != Datum::Object(Vec::new()));
        if set.is_none() && open.is_empty() && announced.is_empty() {
            return None;
        }
        let (mut members, mut described) = (Vec::new(), String::new());
        if let Some(set) = set {
            push_line(&mut described, "sets", |out| push_value(out, &set));
            members.push(("set".to_owned(), text(&set)));
        }
        if !open.is_empty() {
            let names = Datum::Array(open.into_iter().map(|name| Datum::Text(name.to_owned())).collect());
            push_line(&mut described, "sets to whatever it will be by then", |out| push_value(out, &names));
            members.push(("open".to_owned(), text(&names)));
        }
        let mut events = Vec::new();
        for Announcement { name, payload } in announced {
            let payload = value(payload);
            push_line(&mut described, "tells", |out| {
                push_quoted(out, name);
                out.push(' ');
                push_value(out, &payload);
            });
            events.push(Datum::Object(vec![
                ("name".to_owned(), Datum::Text(name.clone())),
                ("payload".to_owned(), payload),
            ]));
        }
        if !events.is_empty() {
            members.push(("events".to_owned(), text(&Datum::Array(events))));
        }
        Some(Effects { members, described })
    }

    /// What people agree to who agree to a request of this binding, and to these effects of it.
    #[must_use]
    pub fn bind(&self, binding: Digest) -> Digest {
        let mut quoted = String::new();
        // Writing to a string cannot fail.
        let _ = write!(quoted, "\"{binding}\"");
        let mut out = String::new();
        push_object(&mut out, [("binding".to_owned(), quoted)].into_iter().chain(self.members.clone()).collect());
        Digest::of(out.as_bytes())
    }

    /// What people are shown of them.
    pub(super) fn described(&self) -> &str {
        &self.described
    }
}

/// A document with its numbers as they stand. One that can't be read is a text here, and refused when it is to be done.
fn value(document: &str) -> Datum {
    read(document).filter(|value| canonical(value).is_some()).unwrap_or_else(|| Datum::Text(document.to_owned()))
}

fn text(value: &Datum) -> String {
    // What is read has one.
    canonical(value).unwrap_or_default()
}

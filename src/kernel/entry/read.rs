//! Reading entries: strictly, so that bytes that are read are the only ones that could have been written.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value};

use super::{Entry, Kind, VERSION};
use crate::base::limits::ENTRY_BYTES_MAX;
use crate::data::timestamp::Timestamp;
use crate::kernel::id;
use crate::kernel::json::scan::{self, NotCanonical};

/// The word before the ids of entries.
pub const ID_WORD: &str = "ent";

/// Why bytes are not an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// They are more than an entry may have.
    TooLong,
    /// They are not canonical JSON.
    NotCanonical(NotCanonical),
    /// They have other members than an entry has.
    Members,
    /// The index is not a number from 0 on.
    Index,
    /// The id is not written as those of entries are.
    Id,
    /// There is no such kind.
    Kind,
    /// A link has no name, or does not lead to an id.
    Links,
    /// The time is not one, or not in UTC.
    Time,
    /// The version is not one that is known.
    Version,
    /// The body is not an object.
    Body,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Malformed::TooLong => "it is longer than an entry may be",
            Malformed::NotCanonical(fault) => return fault.fmt(f),
            Malformed::Members => "its members are not those of an entry",
            Malformed::Index => "its index is not one",
            Malformed::Id => "its id is not one of an entry",
            Malformed::Kind => "there is no such kind of entry",
            Malformed::Links => "its links do not lead from names to ids",
            Malformed::Time => "its time is not one",
            Malformed::Version => "its version is not known",
            Malformed::Body => "its body is not an object",
        })
    }
}

impl std::error::Error for Malformed {}

/// What can be said of an entry without building anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'t> {
    /// Its place in the log, as it says.
    pub index: u64,
    /// Its id.
    pub id: &'t str,
    /// What it tells of.
    pub kind: Kind,
    /// When.
    pub time: Timestamp,
    /// The text of its links.
    pub links: &'t str,
    /// The text of its body.
    pub body: &'t str,
}

impl<'t> Header<'t> {
    /// Reads the bytes of an entry, all of them: what is not looked at closer is canonical JSON at least.
    ///
    /// # Errors
    /// They are not what would be written for any entry.
    pub fn read(bytes: &'t [u8]) -> Result<Header<'t>, Malformed> {
        if bytes.len() > ENTRY_BYTES_MAX {
            return Err(Malformed::TooLong);
        }
        let text = std::str::from_utf8(bytes)
            .map_err(|fault| Malformed::NotCanonical(NotCanonical { at: fault.valid_up_to() }))?;
        const KEYS: [&str; 7] = ["body", "id", "index", "kind", "links", "time", "version"];
        let mut values = [""; KEYS.len()];
        let (mut count, mut are_ours) = (0_usize, true);
        scan::members(text, |key, value| {
            are_ours &= KEYS.get(count) == Some(&key);
            if let Some(place) = values.get_mut(count) {
                *place = value;
            }
            count = count.saturating_add(1);
        })
        .map_err(Malformed::NotCanonical)?;
        if !are_ours || count != KEYS.len() {
            return Err(Malformed::Members);
        }
        let [body, id, index, kind, links, time, version] = values;
        if version.parse() != Ok(VERSION) {
            return Err(Malformed::Version);
        }
        if !body.starts_with('{') {
            return Err(Malformed::Body);
        }
        let time = plain(time).ok_or(Malformed::Time)?;
        let read = Timestamp::parse(time).map_err(|_| Malformed::Time)?;
        if read.to_string() != time {
            return Err(Malformed::Time);
        }
        let mut are_links = true;
        scan::members(links, |name, id| are_links &= !name.is_empty() && id.starts_with('"') && id != "\"\"")
            .map_err(|_| Malformed::Links)?;
        Ok(Header {
            index: index.parse().map_err(|_| Malformed::Index)?,
            id: plain(id).filter(|id| id::is_id(ID_WORD, id)).ok_or(Malformed::Id)?,
            kind: plain(kind).and_then(Kind::of_name).ok_or(Malformed::Kind)?,
            time: read,
            links: if are_links { links } else { return Err(Malformed::Links) },
            body,
        })
    }
}

impl Entry {
    /// Reads what [`Entry::to_bytes`] wrote, and nothing else.
    ///
    /// # Errors
    /// The bytes are not what would be written for any entry.
    pub fn read(bytes: &[u8]) -> Result<Entry, Malformed> {
        let header = Header::read(bytes)?;
        let body: Map<String, Value> = serde_json::from_str(header.body).map_err(|_| Malformed::Body)?;
        let links: BTreeMap<String, String> = serde_json::from_str(header.links).map_err(|_| Malformed::Links)?;
        let Header { index, id, kind, time, .. } = header;
        Ok(Entry { index, id: id.to_owned(), kind, time, links, body })
    }
}

/// What a string that stands for itself stands for.
fn plain(text: &str) -> Option<&str> {
    text.strip_prefix('"')?.strip_suffix('"').filter(|inside| !inside.contains('\\'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn entry() -> Entry {
        Entry {
            index: 17,
            id: "ent_01JD3Q8Z0000000000000000AB".to_owned(),
            kind: Kind::Decision,
            time: Timestamp::parse("2026-11-20T10:00:00.5Z").expect("it is a time"),
            links: BTreeMap::from([("bundle".to_owned(), "ent_00".to_owned())]),
            body: Map::from_iter([("b".to_owned(), json!({ "é": [1, null] })), ("a".to_owned(), "x\n".into())]),
        }
    }

    #[test]
    fn entries_come_back() {
        let entry = entry();
        assert_eq!(Entry::read(&entry.to_bytes()), Ok(entry.clone()));
        for kind in Kind::ALL {
            let entry = Entry { kind: *kind, ..entry.clone() };
            assert_eq!(Entry::read(&entry.to_bytes()), Ok(entry));
        }
    }

    #[test]
    fn what_is_no_entry_is_told_apart() {
        let text = String::from_utf8(entry().to_bytes()).expect("it is text");
        for (from, to, fault) in [
            ("\"body\":{", "\"body\":[", None),
            ("{\"a\":\"x\\n\",\"b\":{\"é\":[1,null]}}", "[]", Some(Malformed::Body)),
            ("\"index\":17", "\"index\":-17", Some(Malformed::Index)),
            ("\"index\":17", "\"index\":\"17\"", Some(Malformed::Index)),
            ("\"index\":17", "\"index\":017", None),
            ("ent_01JD", "ent_01jd", Some(Malformed::Id)),
            ("\"decision\"", "\"decisions\"", Some(Malformed::Kind)),
            ("{\"bundle\":\"ent_00\"}", "{\"bundle\":7}", Some(Malformed::Links)),
            ("{\"bundle\":\"ent_00\"}", "{\"\":\"ent_00\"}", Some(Malformed::Links)),
            ("{\"bundle\":\"ent_00\"}", "{\"bundle\":\"\"}", Some(Malformed::Links)),
            ("{\"bundle\":\"ent_00\"}", "[]", Some(Malformed::Links)),
            ("10:00:00.500Z", "10:00:00.5Z", Some(Malformed::Time)),
            ("10:00:00.500Z", "11:00:00.500+01:00", Some(Malformed::Time)),
            ("\"version\":1", "\"version\":2", Some(Malformed::Version)),
            ("\"version\":1", "\"version\":1,\"with\":1", Some(Malformed::Members)),
            ("\"kind\":\"decision\",", "", Some(Malformed::Members)),
            ("\"id\":", "\"ie\":", Some(Malformed::Members)),
        ] {
            let changed = text.replace(from, to);
            assert_ne!(changed, text, "{from} is in it");
            match (Entry::read(changed.as_bytes()), fault) {
                (Err(Malformed::NotCanonical(_)), None) => {}
                (Err(found), Some(fault)) if found == fault => {}
                (read, fault) => panic!("{changed} is {read:?} and not {fault:?}"),
            }
        }
        let long = Entry { body: Map::from_iter([("a".to_owned(), "x".repeat(ENTRY_BYTES_MAX).into())]), ..entry() };
        assert_eq!(Entry::read(&long.to_bytes()), Err(Malformed::TooLong));
        assert!(matches!(Entry::read(b"\xff"), Err(Malformed::NotCanonical(NotCanonical { at: 0 }))));
    }

    proptest! {
        /// What is read after a change is what would be written: no two texts are one entry.
        #[test]
        fn no_two_texts_are_one_entry(at: prop::sample::Index, byte: u8) {
            let mut bytes = entry().to_bytes();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if let Ok(read) = Entry::read(&bytes) {
                prop_assert_eq!(read.to_bytes(), bytes);
            }
        }
    }
}

//! The kernel's facts: the time is the environment's, all others are what the embedder says.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::fmt;

use serde::Deserializer as _;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::data::timestamp::Timestamp;
use crate::vm::canonical::push_string;

/// The fact that only the kernel gives.
pub const NOW: &str = "now";

/// Why there are no facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FactsRefused {
    /// The document is no JSON object.
    Malformed(String),
    /// It gives a fact that only the kernel gives.
    Reserved(&'static str),
}

impl fmt::Display for FactsRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FactsRefused::Malformed(why) => write!(f, "the facts are no JSON object: {why}"),
            FactsRefused::Reserved(name) => write!(f, "only the kernel says what `{name}` is"),
        }
    }
}

impl std::error::Error for FactsRefused {}

/// The facts of a decision: a JSON object of what the embedder says, and `now`. What a key is written like does not matter,
/// and a key that stands twice stays twice, so that the machine refuses it.
///
/// # Errors
/// The embedder's document is no object, or speaks for the kernel.
pub fn assemble(given: Option<&[u8]>, now: Timestamp) -> Result<String, FactsRefused> {
    let mut out = "{\"now\":".to_owned();
    push_string(&mut out, &now.to_string());
    if let Some(given) = given {
        let mut reader = serde_json::Deserializer::from_slice(given);
        let members = reader.deserialize_map(Members).and_then(|members| reader.end().map(|()| members));
        for (key, value) in members.map_err(|why| FactsRefused::Malformed(why.to_string()))? {
            if key == NOW {
                return Err(FactsRefused::Reserved(NOW));
            }
            out.push(',');
            push_string(&mut out, &key);
            out.push(':');
            out.push_str(value.get());
        }
    }
    out.push('}');
    Ok(out)
}

/// Reads the members of an object as they stand, also those that stand twice.
struct Members;

impl<'d> Visitor<'d> for Members {
    type Value = Vec<(String, &'d RawValue)>;

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

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(given: &str) -> Result<String, FactsRefused> {
        assemble(Some(given.as_bytes()), Timestamp::EPOCH)
    }

    #[test]
    fn the_time_is_added_to_what_is_said() {
        assert_eq!(assemble(None, Timestamp::EPOCH).as_deref(), Ok("{\"now\":\"1970-01-01T00:00:00Z\"}"));
        let both = facts(" { \"spent\" : 0.10, \"a\\u0062\": [ {} ] } ");
        assert_eq!(both.as_deref(), Ok("{\"now\":\"1970-01-01T00:00:00Z\",\"spent\":0.10,\"ab\":[ {} ]}"));
        assert_eq!(facts("{\"a\":1,\"a\":2}").as_deref(), Ok("{\"now\":\"1970-01-01T00:00:00Z\",\"a\":1,\"a\":2}"));
    }

    #[test]
    fn nobody_else_says_what_time_it_is() {
        for given in ["{\"now\":\"2030-01-01T00:00:00Z\"}", "{\"a\":1,\"n\\u006fw\":null}"] {
            assert_eq!(facts(given), Err(FactsRefused::Reserved("now")), "{given}");
        }
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for given in ["", "[]", "null", "{\"a\":1", "{} {}", "{\"a\":}", "\u{feff}{}"] {
            assert!(matches!(facts(given), Err(FactsRefused::Malformed(_))), "{given}");
        }
        assert!(assemble(Some(b"{\"a\":\"\xff\"}"), Timestamp::EPOCH).is_err());
    }
}

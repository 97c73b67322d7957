//! JSON in which numbers keep every digit that they came with. Decimals of policies have up to nineteen, and a binary number
//! has room for fifteen.

use std::fmt;

use serde::ser::{Serialize, SerializeMap as _, SerializeSeq as _, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::entries;
use crate::kernel::members;
use crate::vm::decision::Decision;

/// A value.
#[derive(Clone, Debug)]
pub enum Exact {
    /// What is no number and holds none.
    Plain(Value),
    /// A number, as it was written.
    Number(Box<RawValue>),
    /// Several values.
    List(Vec<Exact>),
    /// Members, in the order in which they came.
    Object(Vec<(String, Exact)>),
}

impl Exact {
    /// Reads a text; null, if it is no JSON.
    #[must_use]
    pub fn read(text: &str) -> Exact {
        Exact::of(text.trim()).unwrap_or(Exact::Plain(Value::Null))
    }

    fn of(text: &str) -> Option<Exact> {
        Some(match text.as_bytes().first()? {
            b'{' => {
                let members = members::read(text.as_bytes()).ok()?;
                let member = |(name, value): (String, &RawValue)| Some((name, Exact::of(value.get())?));
                Exact::Object(members.into_iter().map(member).collect::<Option<_>>()?)
            }
            b'[' => {
                let values: Vec<&RawValue> = serde_json::from_str(text).ok()?;
                Exact::List(values.into_iter().map(|value| Exact::of(value.get())).collect::<Option<_>>()?)
            }
            b'-' | b'0'..=b'9' => Exact::Number(serde_json::from_str(text).ok()?),
            _ => Exact::Plain(serde_json::from_str(text).ok()?),
        })
    }

    /// A decision, or null where there is none.
    #[must_use]
    pub fn of_decision(decision: Option<&Decision>) -> Exact {
        decision.map_or(Exact::Plain(Value::Null), |decision| Exact::read(&decision.to_json()))
    }

    /// The same with a member; in the place of the one that has this name, if there is one.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Exact>) -> Exact {
        if let Exact::Object(members) = &mut self {
            match members.iter_mut().find(|(other, _)| other == name) {
                Some((_, old)) => *old = value.into(),
                None => members.push((name.to_owned(), value.into())),
            }
        }
        self
    }

    /// The members, of an object.
    #[must_use]
    pub fn members(&self) -> &[(String, Exact)] {
        match self {
            Exact::Object(members) => members,
            _ => &[],
        }
    }

    /// A member, of an object that has it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Exact> {
        self.members().iter().find(|(other, _)| other == name).map(|(_, value)| value)
    }

    /// For people: JSON, with entities as they are written in policies.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Exact::List(values) => format!("[{}]", values.iter().map(Exact::shown).collect::<Vec<_>>().join(", ")),
            Exact::Object(members) => {
                let entity = || {
                    let [(_, Exact::Plain(_)), (_, Exact::Plain(_))] = &members[..] else { return None };
                    entries::entity(&serde_json::to_value(self).ok()?)
                };
                let member = |(name, value): &(String, Exact)| format!("{name}: {}", value.shown());
                let members = || members.iter().map(member).collect::<Vec<_>>().join(", ");
                entity().unwrap_or_else(|| format!("{{ {} }}", members()))
            }
            Exact::Plain(_) | Exact::Number(_) => self.to_string(),
        }
    }
}

impl From<Value> for Exact {
    fn from(value: Value) -> Exact {
        match value {
            Value::Array(values) => Exact::List(values.into_iter().map(Exact::from).collect()),
            Value::Object(members) => {
                Exact::Object(members.into_iter().map(|(name, value)| (name, Exact::from(value))).collect())
            }
            plain => Exact::Plain(plain),
        }
    }
}

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Exact::Plain(value) => value.serialize(serializer),
            Exact::Number(number) => number.serialize(serializer),
            Exact::List(values) => {
                let mut list = serializer.serialize_seq(Some(values.len()))?;
                for value in values {
                    list.serialize_element(value)?;
                }
                list.end()
            }
            Exact::Object(members) => {
                let mut object = serializer.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    object.serialize_entry(name, value)?;
                }
                object.end()
            }
        }
    }
}

impl fmt::Display for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = if f.alternate() { serde_json::to_string_pretty(self) } else { serde_json::to_string(self) };
        f.write_str(&text.map_err(|_| fmt::Error)?)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn no_digit_is_lost() {
        for text in [
            "-9223372036854.775808",
            "[9223372036854.775807,0.100000,18446744073709551616,1e400]",
            r#"{"b":9223372036854.775807,"a":[{"c":"\n","d":null}],"b":true}"#,
        ] {
            assert_eq!(Exact::read(text).to_string(), text);
        }
        for text in ["", "{", "[1,]", "01", "nothing"] {
            assert_eq!(Exact::read(text).to_string(), "null", "{text}");
        }
    }

    #[test]
    fn members_are_put_in_their_places() {
        let document = Exact::from(json!({ "a": null, "b": 1 })).with("a", Exact::read("0.10")).with("c", json!([]));
        assert_eq!(document.to_string(), r#"{"a":0.10,"b":1,"c":[]}"#);
        assert_eq!(format!("{document:#}"), "{\n  \"a\": 0.10,\n  \"b\": 1,\n  \"c\": []\n}");
        assert_eq!(document.members().len(), 3);
    }

    #[test]
    fn people_see_entities_and_all_digits() {
        let text = r#"{"to":{"type":"Team","id":"shop"},"sum":9223372036854.775807,"of":[{"type":1,"id":"x"}]}"#;
        let shown = r#"{ to: Team::"shop", sum: 9223372036854.775807, of: [{ type: 1, id: "x" }] }"#;
        assert_eq!(Exact::read(text).shown(), shown);
    }
}

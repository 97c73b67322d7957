//! Whom a decision asks, to be held against whom another one asks.

use std::fmt;

use super::row::texts;
use crate::base::limits::GATE_WITHIN_DEFAULT_MS;
use crate::data::duration::Duration;
use crate::vm::decision::{Decision, EntityName, GateReport};
use crate::vm::json::{JsonError, Reader, Shape};

/// How one set of gates is to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// They ask the same, by whatever rules.
    Same,
    /// Everything that was asked is asked still, and more.
    Tighter,
    /// Something that was asked is not asked any more: of fewer, of others, or for longer.
    Looser,
}

/// What a gate asks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gate {
    from: EntityName,
    quorum: i64,
    within_ms: i64,
    escalations: Vec<(EntityName, i64)>,
    distinct: bool,
}

impl Gate {
    /// Whether whoever satisfies this gate has satisfied the other one.
    fn covers(&self, other: &Gate) -> bool {
        let is_known = |step: &(EntityName, i64)| {
            other.escalations.iter().any(|(group, after)| *group == step.0 && *after <= step.1)
        };
        self.from == other.from
            && self.quorum >= other.quorum
            && self.within_ms <= other.within_ms
            && self.distinct >= other.distinct
            && self.escalations.iter().all(is_known)
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} within {}", self.quorum, self.from, Duration(self.within_ms))?;
        for (group, after) in &self.escalations {
            write!(f, ", then {group} after {}", Duration(*after))?;
        }
        if self.distinct { f.write_str(", who voted on no other gate") } else { Ok(()) }
    }
}

impl From<&GateReport> for Gate {
    fn from(gate: &GateReport) -> Gate {
        Gate {
            from: gate.from.clone(),
            quorum: gate.quorum,
            within_ms: gate.within_ms.unwrap_or(GATE_WITHIN_DEFAULT_MS),
            escalations: gate.escalations.clone(),
            distinct: gate.distinct,
        }
    }
}

/// The gates of a decision.
#[must_use]
pub fn of(decision: &Decision) -> Vec<Gate> {
    sorted(decision.gates.iter().map(Gate::from).collect())
}

/// The gates of an array as decisions have it in JSON; `None` if it is not one.
#[must_use]
pub fn read(text: &str) -> Option<Vec<Gate>> {
    let mut reader = Reader::new(text.as_bytes()).ok()?;
    let mut gates = Vec::new();
    let mut more = reader.first_element().ok()?;
    while more {
        gates.push(gate(&mut reader).ok()??);
        more = reader.next_element().ok()?;
    }
    Some(sorted(gates))
}

/// How gates are to those that there were.
#[must_use]
pub fn step(old: &[Gate], new: &[Gate]) -> Step {
    if old == new {
        return Step::Same;
    }
    // Gates that ask one group for votes on different gates are not covered by one gate.
    let mut free: Vec<&Gate> = new.iter().collect();
    for gate in old {
        match free.iter().position(|other| other.covers(gate)) {
            Some(at) => drop(free.swap_remove(at)),
            None => return Step::Looser,
        }
    }
    Step::Tighter
}

fn sorted(mut gates: Vec<Gate>) -> Vec<Gate> {
    gates.sort();
    gates
}

fn gate(reader: &mut Reader<'_>) -> Result<Option<Gate>, JsonError> {
    let (mut from, mut quorum, mut within_ms) = (None, None, None);
    let (mut escalations, mut distinct) = (Vec::new(), false);
    let mut key = reader.first_key()?;
    while let Some(name) = key {
        match name.one_of(&["from", "quorum", "within_ms", "escalations", "distinct"]) {
            Some("from") => from = entity(reader)?,
            Some("quorum") => quorum = number(reader)?,
            Some("within_ms") => within_ms = number(reader)?,
            Some("distinct") => distinct = reader.bool()?,
            Some("escalations") => {
                let mut more = reader.first_element()?;
                while more {
                    let Some(step) = escalation(reader)? else { return Ok(None) };
                    escalations.push(step);
                    more = reader.next_element()?;
                }
            }
            _ => reader.pass()?,
        }
        key = reader.next_key()?;
    }
    let (Some(from), Some(quorum)) = (from, quorum) else { return Ok(None) };
    let within_ms = within_ms.unwrap_or(GATE_WITHIN_DEFAULT_MS);
    Ok(Some(Gate { from, quorum, within_ms, escalations, distinct }))
}

fn escalation(reader: &mut Reader<'_>) -> Result<Option<(EntityName, i64)>, JsonError> {
    let (mut to, mut after) = (None, None);
    let mut key = reader.first_key()?;
    while let Some(name) = key {
        match name.one_of(&["to", "after_ms"]) {
            Some("to") => to = entity(reader)?,
            Some("after_ms") => after = number(reader)?,
            _ => reader.pass()?,
        }
        key = reader.next_key()?;
    }
    Ok(to.zip(after))
}

fn entity(reader: &mut Reader<'_>) -> Result<Option<EntityName>, JsonError> {
    let [ty, id] = texts(reader, ["type", "id"])?;
    Ok(ty.zip(id).map(|(ty, id)| EntityName { ty, id }))
}

/// A number; a log has large ones as texts.
fn number(reader: &mut Reader<'_>) -> Result<Option<i64>, JsonError> {
    match reader.peek()? {
        Shape::Number => Ok(reader.number()?.parse().ok()),
        Shape::String => Ok(reader.string()?.raw().parse().ok()),
        _ => reader.pass().map(|()| None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gates(members: &[&str]) -> Vec<Gate> {
        let gate = |more: &&str| format!(r#"{{"id":"r","from":{{"type":"Team","id":"a"}},{more}}}"#);
        let text = format!("[{}]", members.iter().map(gate).collect::<Vec<_>>().join(","));
        read(&text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn fewer_others_or_longer_is_looser() {
        let two = gates(&[r#""quorum":2,"within_ms":1000"#]);
        for (more, expected) in [
            (r#""quorum":2,"within_ms":1000"#, Step::Same),
            (r#""quorum":3,"within_ms":1000"#, Step::Tighter),
            (r#""quorum":2,"within_ms":999"#, Step::Tighter),
            (r#""quorum":2,"within_ms":1000,"distinct":true"#, Step::Tighter),
            (r#""quorum":1,"within_ms":1000"#, Step::Looser),
            (r#""quorum":2,"within_ms":1001"#, Step::Looser),
            (r#""quorum":2"#, Step::Looser),
            (
                r#""quorum":2,"within_ms":1000,"escalations":[{"to":{"type":"Team","id":"b"},"after_ms":5}]"#,
                Step::Looser,
            ),
        ] {
            assert_eq!(step(&two, &gates(&[more])), expected, "{more}");
        }
        let one = r#""quorum":1,"within_ms":null"#;
        assert_eq!(step(&gates(&[one]), &gates(&[one, one])), Step::Tighter);
        assert_eq!(step(&gates(&[one, one]), &gates(&[one])), Step::Looser);
        assert_eq!(step(&gates(&[one]), &[]), Step::Looser);
    }

    #[test]
    fn what_is_no_gate_is_not_read() {
        for text in ["", "{}", "[3]", "[{}]", r#"[{"from":{"type":"Team"},"quorum":1}]"#] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}

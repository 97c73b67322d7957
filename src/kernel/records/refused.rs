//! Why a governed record is not changed, whatever policy says.

use std::fmt;

/// Why not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordRefused {
    /// No change was asked for, or more than one transaction makes.
    Moves(usize),
    /// The resource is of this type, and the kernel keeps no such records.
    NotGoverned(String),
    /// An attribute can hold a governed record. Records name one another by their ids.
    Holds {
        /// The type.
        ty: String,
        /// The attribute.
        attribute: String,
    },
    /// A record that is to be made is there already.
    Exists(String),
    /// A record that is to be changed is not there.
    Unknown(String),
    /// A record is to be made in a state that is not initial.
    NotInitial(String),
    /// A record is to be made in another state than is asked for.
    OtherState {
        /// The state that is asked for.
        asked: String,
        /// That of what is proposed.
        proposed: String,
    },
    /// It is in a final state, and stays as it is.
    Final(String),
    /// The lifecycle has no such step.
    Illegal {
        /// The state that it is in.
        from: String,
        /// The state that is asked for.
        to: String,
    },
    /// What is to be set can't be read, or the attributes would not be of their types.
    Attributes(String),
    /// These invariants would not hold.
    Violated(Vec<String>),
    /// Only the kernel says this, by the fact of this name.
    Fact(&'static str),
    /// The evidence is no JSON, or too large.
    Evidence(String),
    /// An event is no JSON, or too large, or there are too many.
    Event(String),
    /// A bundle does not fit a record that is kept.
    Misfit {
        /// The type of the record.
        ty: String,
        /// Its id.
        id: String,
        /// Why.
        why: String,
    },
    /// It was approved and allowed, and what it waits for was used up within the same transaction.
    UsedUp,
}

impl fmt::Display for RecordRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RecordRefused::Moves(count) => write!(f, "one transaction can't make {count} changes"),
            RecordRefused::NotGoverned(ty) => write!(f, "{ty} is no type of governed records"),
            RecordRefused::Holds { ty, attribute } => {
                write!(f, "records of the type {ty} can't be kept: in {attribute} there can be other records")
            }
            RecordRefused::Exists(id) => write!(f, "there is a record {id:?} already"),
            RecordRefused::Unknown(id) => write!(f, "there is no record {id:?}"),
            RecordRefused::NotInitial(state) => write!(f, "no record begins as {state}"),
            RecordRefused::OtherState { asked, proposed } => {
                write!(f, "the record is to begin as {asked}, and what is proposed is {proposed}")
            }
            RecordRefused::Final(state) => write!(f, "the record is {state} and stays as it is"),
            RecordRefused::Illegal { from, to } => write!(f, "the lifecycle has no step from {from} to {to}"),
            RecordRefused::Attributes(why) => write!(f, "the attributes are refused: {why}"),
            RecordRefused::Violated(rules) => write!(f, "the record would violate {}", rules.join(", ")),
            RecordRefused::Fact(name) => write!(f, "only the kernel says what `{name}` is"),
            RecordRefused::Evidence(why) => write!(f, "the evidence is refused: {why}"),
            RecordRefused::Event(why) => write!(f, "an event is refused: {why}"),
            RecordRefused::Misfit { ty, id, why } => {
                write!(f, "the bundle does not fit the stored {ty} {id:?}: {why}")
            }
            RecordRefused::UsedUp => f.write_str("the approval was used up within the same transaction"),
        }
    }
}

impl std::error::Error for RecordRefused {}

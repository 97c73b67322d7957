//! Values, and errors as values.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pdl::base::span::Span;
use pdl::data::arithmetic::ArithmeticError;
use pdl::data::decimal::Decimal;
use pdl::data::duration::Duration;
use pdl::data::ip::{IpAddr, IpNet};
use pdl::data::path::Path;
use pdl::data::timestamp::Timestamp;
use pdl::data::url::Url;
use pdl::types::typed::{Const, EntityTypeId, EnumId};

/// A value. Its order is that of sets here; nothing outside sees it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    Absent,
    Bool(bool),
    Int(i64),
    Decimal(Decimal),
    String(Arc<str>),
    Duration(Duration),
    Timestamp(Timestamp),
    Ip(IpAddr),
    Net(IpNet),
    Url(Url),
    Path(Path),
    Enum(EnumId, u32),
    Entity(Entity),
    Record(Vec<Value>),
    Set(BTreeSet<Value>),
    List(Vec<Value>),
    Map(BTreeMap<Arc<str>, Value>),
}

/// An entity: known by type and id; where it came with its attributes, it has them.
#[derive(Clone, Debug)]
pub struct Entity {
    pub ty: EntityTypeId,
    pub id: Arc<str>,
    pub attributes: Option<Arc<Vec<Value>>>,
}

impl Entity {
    pub fn registered(ty: EntityTypeId, id: &str) -> Entity {
        Entity { ty, id: id.into(), attributes: None }
    }

    fn key(&self) -> (EntityTypeId, &str) {
        (self.ty, &self.id)
    }
}

impl PartialEq for Entity {
    fn eq(&self, other: &Entity) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Entity {}

impl PartialOrd for Entity {
    fn partial_cmp(&self, other: &Entity) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entity {
    fn cmp(&self, other: &Entity) -> Ordering {
        self.key().cmp(&other.key())
    }
}

/// An error. The smallest of several is the one that is reported: source order first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// Where; an unknown entity has no place, and stands behind all others.
    pub span: Option<Span>,
    /// Which instance of the module; of a module without parameters always 0.
    pub instance: usize,
    pub kind: FaultKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultKind {
    Overflow,
    Inexact,
    Absent,
    TooManyElements,
    QuorumTooSmall,
    UnknownEntity,
}

impl FaultKind {
    pub fn name(self) -> &'static str {
        match self {
            FaultKind::Overflow => "overflow",
            FaultKind::Inexact => "inexact",
            FaultKind::Absent => "absent",
            FaultKind::TooManyElements => "too_many_elements",
            FaultKind::QuorumTooSmall => "quorum_too_small",
            FaultKind::UnknownEntity => "unknown_entity",
        }
    }
}

impl From<ArithmeticError> for FaultKind {
    fn from(error: ArithmeticError) -> FaultKind {
        match error {
            ArithmeticError::Overflow => FaultKind::Overflow,
            ArithmeticError::Inexact => FaultKind::Inexact,
        }
    }
}

impl Fault {
    /// The one that counts.
    pub fn earlier(self, other: Fault) -> Fault {
        let key = |fault: &Fault| (fault.span.is_none(), fault.clone());
        if key(&other) < key(&self) { other } else { self }
    }
}

/// What an expression gives.
pub type Outcome = Result<Value, Fault>;

/// All values, or the error that counts.
pub fn all(outcomes: Vec<Outcome>) -> Result<Vec<Value>, Fault> {
    let mut values = Vec::new();
    let mut fault: Option<Fault> = None;
    for outcome in outcomes {
        match outcome {
            Ok(value) => values.push(value),
            Err(new) => fault = Some(fault.map_or(new.clone(), |old| old.earlier(new))),
        }
    }
    fault.map_or(Ok(values), Err)
}

impl From<&Const> for Value {
    fn from(value: &Const) -> Value {
        let many = |items: &[Const]| items.iter().map(Value::from).collect::<Vec<_>>();
        match value {
            Const::Absent => Value::Absent,
            Const::Bool(value) => Value::Bool(*value),
            Const::Int(value) => Value::Int(*value),
            Const::Decimal(value) => Value::Decimal(*value),
            Const::String(value) => Value::String(value.clone()),
            Const::Duration(value) => Value::Duration(*value),
            Const::Timestamp(value) => Value::Timestamp(*value),
            Const::Ip(value) => Value::Ip(*value),
            Const::Net(value) => Value::Net(*value),
            Const::Url(value) => Value::Url(value.clone()),
            Const::Path(value) => Value::Path(value.clone()),
            Const::Enum(of, variant) => Value::Enum(*of, *variant),
            Const::Entity(ty, id) => Value::Entity(Entity::registered(*ty, id)),
            Const::Record(_, fields) => Value::Record(many(fields)),
            Const::Set(items) => Value::Set(many(items).into_iter().collect()),
            Const::List(items) => Value::List(many(items)),
            Const::Map(items) => Value::Map(items.iter().map(|(key, value)| (key.clone(), value.into())).collect()),
        }
    }
}

//! Types, as the checker computes with them.

use crate::types::typed::{EntityTypeId, EnumId, RecordId};

/// A type. Bounds and intervals are part of it: `Int in 0..=10` is a subtype of `Int`, `Set<T> max 4` of `Set<T> max 9`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// True or false.
    Bool,
    /// A 64-bit integer within bounds.
    Int(Interval),
    /// A 64-bit count of millionths.
    Decimal,
    /// Text of at most so many bytes of UTF-8.
    String(u32),
    /// A signed span of time in milliseconds.
    Duration,
    /// A moment in milliseconds since 1970, UTC.
    Timestamp,
    /// An IPv4 or IPv6 address.
    IpAddr,
    /// A network: address and prefix length.
    IpNet,
    /// A parsed, normalised URL.
    Url,
    /// A parsed, normalised absolute path.
    Path,
    /// A variant of an enum; the states of a lifecycle are an enum too.
    Enum(EnumId),
    /// A record.
    Record(RecordId),
    /// An entity of one of these types, sorted; empty: of any type, of which nothing can be read but `id`.
    Entity(Vec<EntityTypeId>),
    /// A set of at most so many elements. Elements are scalars (no collections, records or optionals).
    Set(Box<Type>, u32),
    /// A list of at most so many elements.
    List(Box<Type>, u32),
    /// A map from strings, of at most so many entries.
    Map(Box<Type>, u32),
    /// Perhaps absent; never nested.
    Optional(Box<Type>),
    /// Of something faulty, already reported: fits everything, and nothing is said about it again.
    Unknown,
}

/// All integers from `low` to `high`, both included; never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Interval {
    /// The least.
    pub low: i64,
    /// The greatest.
    pub high: i64,
}

impl Interval {
    /// All 64-bit integers.
    pub const FULL: Interval = Interval { low: i64::MIN, high: i64::MAX };
}

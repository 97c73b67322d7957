//! What a program says of the world: enums, records, entity types, actions, obligations, and the type table.
//!
//! Requests and entities are decoded and validated by it, whatever the rules read.

/// Index into `Schema::types`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeId(pub u32);

/// A type. The type table holds each once; parts come before wholes (`TypeId`s inside are smaller), so it has no cycles,
/// except through records and entity types, which are named by their own numbers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    /// JSON true or false.
    Bool,
    /// A JSON integer within these bounds, both included.
    Int {
        /// The least.
        low: i64,
        /// The greatest.
        high: i64,
    },
    /// A JSON number that is a multiple of 10⁻⁶ and fits.
    Decimal,
    /// A JSON string of at most so many bytes of UTF-8.
    String {
        /// The bound.
        bytes_max: u32,
    },
    /// A JSON string in ISO 8601 or literal form; milliseconds.
    Duration,
    /// A JSON string in RFC 3339; milliseconds since 1970.
    Timestamp,
    /// A JSON string.
    Ip,
    /// A JSON string.
    Net,
    /// A JSON string.
    Url,
    /// A JSON string.
    Path,
    /// A JSON string: the variant's name. Index into `Schema::enums`.
    Enum(u32),
    /// A JSON object. Index into `Schema::records`.
    Record(u32),
    /// A JSON object `{"type", "id"}` (of presented types with `properties`), or, where only one type may stand there and
    /// it is registered, also a string: the id. Indices into `Schema::entity_types`, sorted; none: any type (not decodable:
    /// of subjects and resources seen by rules of a group only).
    Entity(Vec<u32>),
    /// A JSON array without duplicates.
    Set(TypeId, u32),
    /// A JSON array.
    List(TypeId, u32),
    /// A JSON object.
    Map(TypeId, u32),
    /// Left out, or null, when absent.
    Optional(TypeId),
}

/// A field of a record, an attribute, a field of a context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The name.
    pub name: Box<str>,
    /// The type.
    pub ty: TypeId,
    /// Given by the kernel (context only).
    pub kernel: bool,
    /// Not bound by approvals, not read by rules (context only).
    pub advisory: bool,
    /// The request may give it (attributes of registered types only).
    pub presented: bool,
    /// Whoever it names does not count as an approver (attributes only).
    pub owner: bool,
    /// The log keeps a commitment only.
    pub sensitive: bool,
}

/// An enum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enum {
    /// The qualified name.
    pub name: Box<str>,
    /// The variants, in order.
    pub variants: Vec<Box<str>>,
    /// Of a lifecycle.
    pub lifecycle: Option<Lifecycle>,
}

/// The steps of a lifecycle; states are variants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lifecycle {
    /// Initial states, sorted.
    pub initial: Vec<u32>,
    /// Final states, sorted.
    pub finals: Vec<u32>,
    /// For each state, in order, the states it may step to, sorted.
    pub steps: Vec<Vec<u32>>,
}

/// A record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The qualified name.
    pub name: Box<str>,
    /// The fields, in order.
    pub fields: Vec<Field>,
}

/// An entity type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntityType {
    /// The name on the wire.
    pub name: Box<str>,
    /// The qualified name, accepted on the wire too.
    pub qualified: Box<str>,
    /// Attributes come with the request; no hierarchy.
    pub presented: bool,
    /// May approve.
    pub approver: bool,
    /// The types of direct parents, sorted.
    pub parents: Vec<u32>,
    /// The attributes, in order.
    pub attributes: Vec<Field>,
    /// Of a governed record: index of its lifecycle's enum.
    pub governed_by: Option<u32>,
}

/// An action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// The name on the wire.
    pub name: Box<str>,
    /// The qualified name, accepted on the wire too.
    pub qualified: Box<str>,
    /// Entity types, sorted.
    pub subject: Vec<u32>,
    /// Entity types, sorted.
    pub resource: Vec<u32>,
    /// The context, in order.
    pub context: Vec<Field>,
}

/// An obligation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obligation {
    /// The name in decisions.
    pub name: Box<str>,
    /// Names and types of its arguments.
    pub parameters: Vec<(Box<str>, TypeId)>,
}

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schema {
    /// The type table.
    pub types: Vec<Type>,
    /// Enums.
    pub enums: Vec<Enum>,
    /// Records; a record's fields never contain the record itself.
    pub records: Vec<Record>,
    /// Entity types.
    pub entity_types: Vec<EntityType>,
    /// Actions.
    pub actions: Vec<Action>,
    /// Obligations.
    pub obligations: Vec<Obligation>,
}

impl Schema {
    /// The type of an id that this schema gave.
    #[must_use]
    pub fn ty(&self, id: TypeId) -> &Type {
        &self.types[id.0 as usize]
    }
}

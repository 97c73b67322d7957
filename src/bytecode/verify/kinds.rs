//! What the verifier knows of a slot: a kind, interned so that it is small and `Copy`, and which states the slot may be in.
//!
//! Kinds form a lattice with `Kind::NEVER` below all: bounds of strings and collections join to the larger, entity types to
//! their union. Intervals of `Int` are no part of a kind: they are checked on input and by the checker of the language, and
//! nothing that the verifier promises rests on them.

use std::collections::HashMap;

use crate::base::limits;
use crate::bytecode::info::OperandType;
use crate::bytecode::schema::{Schema, Type, TypeId};
use crate::bytecode::verify::schema::{Size, Sizes};

/// The kind of a value, without its being absent or an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Kind(u32);

impl Kind {
    /// Of no value: only an error or nothing can be there. Below every kind.
    pub(super) const NEVER: Kind = Kind(0);
    pub(super) const BOOL: Kind = Kind(1);
    pub(super) const INT: Kind = Kind(2);
    pub(super) const DECIMAL: Kind = Kind(3);
    pub(super) const DURATION: Kind = Kind(4);
    pub(super) const TIMESTAMP: Kind = Kind(5);
    pub(super) const IP: Kind = Kind(6);
    pub(super) const NET: Kind = Kind(7);
    pub(super) const URL: Kind = Kind(8);
    pub(super) const PATH: Kind = Kind(9);
    pub(super) const URL_STRING: Kind = Kind(10);
    pub(super) const PATH_STRING: Kind = Kind(11);
    pub(super) const ID_STRING: Kind = Kind(12);
}

/// What a kind is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Data {
    Never,
    Bool,
    Int,
    Decimal,
    Duration,
    Timestamp,
    Ip,
    Net,
    Url,
    Path,
    String(u32),
    Enum(u32),
    Record(u32),
    Entity(Box<[u32]>),
    Set(Kind, u32),
    /// The elements may be absent.
    List(Cell, u32),
    Map(Cell, u32),
    /// Over elements like this; at most so many.
    Iterator(Cell, u32),
    /// With nodes like these.
    Graph(Kind),
}

/// Which states a slot may be in, as bits.
pub(super) mod state {
    pub const ERROR: u8 = 1;
    pub const FALSE: u8 = 2;
    pub const TRUE: u8 = 4;
    pub const ABSENT: u8 = 8;
    /// Has a value, of another kind than Bool.
    pub const VALUE: u8 = 16;
    /// Was never written.
    pub const UNASSIGNED: u8 = 32;
    pub const PRESENT: u8 = FALSE | TRUE | VALUE;
}

/// What is known of a slot: its kind and the states it may be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Cell {
    pub kind: Kind,
    pub states: u8,
}

impl Cell {
    pub(super) const UNASSIGNED: Cell = Cell { kind: Kind::NEVER, states: state::UNASSIGNED };
    pub(super) const ABSENT: Cell = Cell { kind: Kind::NEVER, states: state::ABSENT };
    pub(super) const ERROR: Cell = Cell { kind: Kind::NEVER, states: state::ERROR };

    /// Certainly a value of the kind.
    pub(super) const fn of(kind: Kind) -> Cell {
        let states = match kind {
            Kind::NEVER => 0,
            Kind::BOOL => state::TRUE | state::FALSE,
            _ => state::VALUE,
        };
        Cell { kind, states }
    }

    pub(super) const fn or(self, states: u8) -> Cell {
        Cell { kind: self.kind, states: self.states | states }
    }

    /// The same slot once it is known to be in none of these states.
    pub(super) fn without(self, states: u8) -> Cell {
        let states = self.states & !states;
        let kind = if states & state::PRESENT == 0 { Kind::NEVER } else { self.kind };
        Cell { kind, states }
    }

    pub(super) const fn may_be(self, states: u8) -> bool {
        self.states & states != 0
    }
}

struct Info {
    data: Data,
    /// How many bytes of text it may have at most.
    text: u64,
    /// How many elements, those within elements counted too.
    elements: u64,
    depth: u32,
}

/// All kinds of one program.
pub(super) struct Kinds {
    infos: Vec<Info>,
    ids: HashMap<Data, Kind>,
    types: Vec<Cell>,
    records: Vec<Size>,
    /// How many entity types were looked at since somebody asked: lists of them can be long.
    effort: usize,
}

impl Kinds {
    /// The kinds of a schema that was found sane: numbers in range, parts before wholes, no cycles.
    pub(super) fn new(schema: &Schema, sizes: &Sizes) -> Kinds {
        let mut kinds = Kinds {
            infos: Vec::with_capacity(64),
            ids: HashMap::with_capacity(64),
            types: Vec::with_capacity(schema.types.len()),
            records: sizes.records.clone(),
            effort: 0,
        };
        for data in [
            Data::Never,
            Data::Bool,
            Data::Int,
            Data::Decimal,
            Data::Duration,
            Data::Timestamp,
            Data::Ip,
            Data::Net,
            Data::Url,
            Data::Path,
            Data::String(limits::URL_BYTES_MAX as u32),
            Data::String(limits::PATH_BYTES_MAX as u32),
            Data::String(limits::ID_BYTES_MAX),
        ] {
            kinds.intern(data);
        }
        for ty in &schema.types {
            let cell = kinds.of_type(ty);
            kinds.types.push(cell);
        }
        kinds
    }

    fn of_type(&mut self, ty: &Type) -> Cell {
        let data = match ty {
            Type::Bool => return Cell::of(Kind::BOOL),
            Type::Int { .. } => return Cell::of(Kind::INT),
            Type::Decimal => return Cell::of(Kind::DECIMAL),
            Type::Duration => return Cell::of(Kind::DURATION),
            Type::Timestamp => return Cell::of(Kind::TIMESTAMP),
            Type::Ip => return Cell::of(Kind::IP),
            Type::Net => return Cell::of(Kind::NET),
            Type::Url => return Cell::of(Kind::URL),
            Type::Path => return Cell::of(Kind::PATH),
            Type::Optional(inner) => return self.ty(*inner).or(state::ABSENT),
            Type::String { bytes_max } => Data::String(*bytes_max),
            Type::Enum(of) => Data::Enum(*of),
            Type::Record(of) => Data::Record(*of),
            Type::Entity(types) => Data::Entity(types.clone().into_boxed_slice()),
            Type::Set(inner, max) => Data::Set(self.ty(*inner).kind, *max),
            Type::List(inner, max) => Data::List(self.ty(*inner), *max),
            Type::Map(inner, max) => Data::Map(self.ty(*inner), *max),
        };
        Cell::of(self.intern(data))
    }

    /// What a value of a type of the table is.
    pub(super) fn ty(&self, id: TypeId) -> Cell {
        self.types.get(id.0 as usize).copied().unwrap_or(Cell::UNASSIGNED)
    }

    pub(super) fn data(&self, kind: Kind) -> &Data {
        &self.infos[kind.0 as usize].data
    }

    pub(super) fn text(&self, kind: Kind) -> u64 {
        self.infos[kind.0 as usize].text
    }

    pub(super) fn elements(&self, kind: Kind) -> u64 {
        self.infos[kind.0 as usize].elements
    }

    /// How deep values of the kind are nested.
    pub(super) fn depth(&self, kind: Kind) -> u32 {
        self.infos[kind.0 as usize].depth
    }

    /// How many entity types were looked at since this was asked last.
    pub(super) fn take_effort(&mut self) -> usize {
        std::mem::take(&mut self.effort)
    }

    pub(super) fn intern(&mut self, data: Data) -> Kind {
        if let Data::Entity(types) = &data {
            self.effort += types.len();
        }
        if let Some(kind) = self.ids.get(&data) {
            return *kind;
        }
        let (text, elements, depth) = match &data {
            Data::String(max) => (u64::from(*max), 0, 0),
            Data::Url => (limits::URL_BYTES_MAX as u64, 0, 0),
            Data::Path => (limits::PATH_BYTES_MAX as u64, 0, 0),
            Data::Record(of) => {
                let size = self.records.get(*of as usize).copied().unwrap_or_default();
                (0, size.elements, size.depth)
            }
            Data::Set(inner, max) => self.collection(*inner, *max),
            Data::List(inner, max) | Data::Map(inner, max) | Data::Iterator(inner, max) => {
                self.collection(inner.kind, *max)
            }
            _ => (0, 0, 0),
        };
        let kind = Kind(self.infos.len() as u32);
        self.infos.push(Info { data: data.clone(), text, elements, depth });
        self.ids.insert(data, kind);
        kind
    }

    fn collection(&self, inner: Kind, max: u32) -> (u64, u64, u32) {
        let info = &self.infos[inner.0 as usize];
        (0, u64::from(max).saturating_mul(info.elements.saturating_add(1)), info.depth + 1)
    }

    /// Whether every value of `below` is one of `above` too.
    pub(super) fn fits(&mut self, below: Kind, above: Kind) -> bool {
        below == above || below == Kind::NEVER || self.join(below, above) == Some(above)
    }

    /// Whether everything that the slot may be, errors aside, is of the shape.
    pub(super) fn cell_fits(&mut self, cell: Cell, shape: Cell) -> bool {
        let absent_too = state::ABSENT & cell.states & !shape.states == 0;
        absent_too && self.fits(cell.kind, shape.kind)
    }

    /// The least kind above both; nothing if they are not of one type.
    pub(super) fn join(&mut self, left: Kind, right: Kind) -> Option<Kind> {
        if left == right || right == Kind::NEVER {
            return Some(left);
        }
        if left == Kind::NEVER {
            return Some(right);
        }
        let joined = match (self.data(left), self.data(right)) {
            (Data::String(a), Data::String(b)) => return Some(if a >= b { left } else { right }),
            (Data::Entity(a), Data::Entity(b)) => {
                if a.is_empty() {
                    return Some(left);
                }
                if b.is_empty() {
                    return Some(right);
                }
                let mut union = [&a[..], &b[..]].concat();
                union.sort_unstable();
                union.dedup();
                Data::Entity(union.into_boxed_slice())
            }
            (Data::Set(a, m), Data::Set(b, n)) => {
                let (a, b, max) = (*a, *b, *m.max(n));
                Data::Set(self.join(a, b)?, max)
            }
            (Data::List(a, m), Data::List(b, n)) => {
                let (a, b, max) = (*a, *b, *m.max(n));
                Data::List(self.join_cells(a, b)?, max)
            }
            (Data::Map(a, m), Data::Map(b, n)) => {
                let (a, b, max) = (*a, *b, *m.max(n));
                Data::Map(self.join_cells(a, b)?, max)
            }
            (Data::Iterator(a, m), Data::Iterator(b, n)) => {
                let (a, b, max) = (*a, *b, *m.max(n));
                Data::Iterator(self.join_cells(a, b)?, max)
            }
            (Data::Graph(a), Data::Graph(b)) => {
                let (a, b) = (*a, *b);
                Data::Graph(self.join(a, b)?)
            }
            _ => return None,
        };
        Some(self.intern(joined))
    }

    pub(super) fn join_cells(&mut self, left: Cell, right: Cell) -> Option<Cell> {
        Some(Cell { kind: self.join(left.kind, right.kind)?, states: left.states | right.states })
    }

    /// A kind above this one whose bounds don't grow any more: what a loop makes of a slot that changes with its turns.
    pub(super) fn widen(&mut self, kind: Kind) -> Kind {
        let widened = match self.data(kind) {
            Data::String(_) => Data::String(limits::STRING_BYTES_MAX),
            Data::Set(inner, _) => Data::Set(*inner, limits::COLLECTION_MAX),
            Data::List(inner, _) => Data::List(*inner, limits::COLLECTION_MAX),
            Data::Map(inner, _) => Data::Map(*inner, limits::COLLECTION_MAX),
            _ => return kind,
        };
        self.intern(widened)
    }

    /// What an operand that the table gives a type has to be, or is; nothing for `Any`, iterators and graphs.
    pub(super) fn operand(ty: OperandType) -> Option<Cell> {
        let kind = match ty {
            OperandType::None | OperandType::Any | OperandType::Iterator | OperandType::Graph => return None,
            OperandType::Bool => Kind::BOOL,
            OperandType::Int => Kind::INT,
            OperandType::Decimal => Kind::DECIMAL,
            OperandType::String => Kind::URL_STRING,
            OperandType::Duration => Kind::DURATION,
            OperandType::Timestamp => Kind::TIMESTAMP,
            OperandType::Ip => Kind::IP,
            OperandType::Net => Kind::NET,
            OperandType::Url => Kind::URL,
            OperandType::Path => Kind::PATH,
            OperandType::OptionalInt => return Some(Cell::of(Kind::INT).or(state::ABSENT)),
            OperandType::OptionalString => return Some(Cell::of(Kind::URL_STRING).or(state::ABSENT)),
            OperandType::OptionalIp => return Some(Cell::of(Kind::IP).or(state::ABSENT)),
            OperandType::OptionalPath => return Some(Cell::of(Kind::PATH).or(state::ABSENT)),
        };
        Some(Cell::of(kind))
    }

    pub(super) fn is_scalar(&self, kind: Kind) -> bool {
        match self.data(kind) {
            Data::Record(_) | Data::Set(..) | Data::List(..) | Data::Map(..) | Data::Iterator(..) | Data::Graph(_) => {
                false
            }
            Data::Never
            | Data::Bool
            | Data::Int
            | Data::Decimal
            | Data::Duration
            | Data::Timestamp
            | Data::Ip
            | Data::Net
            | Data::Url
            | Data::Path
            | Data::String(_)
            | Data::Enum(_)
            | Data::Entity(_) => true,
        }
    }
}

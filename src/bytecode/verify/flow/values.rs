//! The rules of instructions on entities and collections.

use crate::base::limits;
use crate::bytecode::info::OperandType;
use crate::bytecode::op::{Op, Slot};
use crate::bytecode::verify::error::Reason;
use crate::bytecode::verify::flow::{Flow, row};
use crate::bytecode::verify::kinds::{Cell, Data, Kind, state};

impl Flow<'_> {
    pub(super) fn entities(&mut self, op: Op) -> Result<(), Reason> {
        match op {
            Op::Attribute { a, b, s } => {
                let cell = self.entity(b)?;
                let selector = &self.program.selectors[s.get() as usize];
                let mut failing = 0;
                if let Data::Entity(types) = self.kinds.data(cell.kind) {
                    // Of other types than those of the selector, which a test of the type has ruled out, it fails.
                    let mut columns = selector.columns.iter();
                    let found = types.iter().all(|of| columns.by_ref().any(|(column, _)| column == of));
                    if types.is_empty() || !found {
                        failing = state::ERROR;
                    }
                    self.work.spend(selector.columns.len())?;
                }
                let result = self.kinds.ty(selector.ty).or(failing);
                self.give(a, &[cell], result)
            }
            Op::EntityId { a, b } => {
                let cell = self.entity(b)?;
                self.give(a, &[cell], Cell::of(Kind::ID_STRING))
            }
            Op::EntityIn { a, b, c } => {
                let (b, c) = (self.entity(b)?, self.entity(c)?);
                self.give(a, &[b, c], Cell::of(Kind::BOOL))
            }
            Op::EntityInAny { a, b, c } => {
                let (b, c) = (self.entity(b)?, self.value(c)?);
                let inner = self.set_of(c)?;
                if !matches!(self.kinds.data(inner), Data::Entity(_) | Data::Never) {
                    return Err(Reason::OperandType);
                }
                self.give(a, &[b, c], Cell::of(Kind::BOOL))
            }
            Op::IsType { a, b, .. } => {
                let cell = self.entity(b)?;
                self.give(a, &[cell], Cell::of(Kind::BOOL))
            }
            Op::Narrow { a, b, t } => {
                let cell = self.entity(b)?;
                let wanted = self.program.type_sets[t.get() as usize].as_slice();
                let types: Box<[u32]> = match self.kinds.data(cell.kind) {
                    Data::Entity(known) if !known.is_empty() => {
                        wanted.iter().copied().filter(|ty| known.contains(ty)).collect()
                    }
                    _ => wanted.into(),
                };
                // An entity of none of the types can only give an error.
                let result =
                    if types.is_empty() { Cell::ERROR } else { Cell::of(self.kinds.intern(Data::Entity(types))) };
                self.set(a, result.or(state::ERROR))
            }
            Op::StepsTo { a, b, c } => {
                let (b, c) = (self.value(b)?, self.value(c)?);
                let kind = self.one_type(b.kind, c.kind)?;
                match *self.kinds.data(kind) {
                    Data::Never => {}
                    Data::Enum(of) if self.program.schema.enums[of as usize].lifecycle.is_some() => {}
                    Data::Enum(_) => return Err(Reason::NoLifecycle),
                    _ => return Err(Reason::OperandType),
                }
                self.give(a, &[b, c], Cell::of(Kind::BOOL))
            }
            _ => self.by_table(op),
        }
    }

    pub(super) fn entity(&mut self, slot: Slot) -> Result<Cell, Reason> {
        let cell = self.value(slot)?;
        match self.kinds.data(cell.kind) {
            Data::Entity(_) | Data::Never => Ok(cell),
            _ => Err(Reason::OperandType),
        }
    }

    /// The kind of the elements of a set.
    pub(super) fn set_of(&self, cell: Cell) -> Result<Kind, Reason> {
        match self.kinds.data(cell.kind) {
            Data::Set(inner, _) => Ok(*inner),
            Data::Never => Ok(Kind::NEVER),
            _ => Err(Reason::OperandType),
        }
    }

    /// Instructions on collections; nothing for others.
    pub(super) fn collections(&mut self, op: Op) -> Result<Option<()>, Reason> {
        match op {
            Op::Size { a, b } => {
                let cell = self.value(b)?;
                match self.kinds.data(cell.kind) {
                    Data::Never | Data::Set(..) | Data::List(..) | Data::Map(..) => {}
                    _ => return Err(Reason::OperandType),
                }
                self.give(a, &[cell], Cell::of(Kind::INT))?;
            }
            Op::Contains { a, b, c } => {
                let (b, c) = (self.value(b)?, self.value(c)?);
                self.check_element(b, c)?;
                self.give(a, &[b, c], Cell::of(Kind::BOOL))?;
            }
            Op::ContainsConst { a, b, k } => {
                let (b, k) = (self.value(b)?, self.constant(k.get()));
                if k.may_be(state::ABSENT) {
                    return Err(Reason::OperandAbsent);
                }
                self.check_element(b, k)?;
                self.give(a, &[b], Cell::of(Kind::BOOL))?;
            }
            Op::InConst { a, b, k } => {
                let (b, k) = (self.value(b)?, self.constant(k.get()));
                let Data::Set(inner, _) = *self.kinds.data(k.kind) else { return Err(Reason::OperandType) };
                self.one_type(inner, b.kind)?;
                self.give(a, &[b], Cell::of(Kind::BOOL))?;
            }
            Op::MapHasKey { a, b, c } => {
                let (b, c) = (self.value(b)?, self.typed(c, OperandType::String)?);
                self.map_of(b)?;
                self.give(a, &[b, c], Cell::of(Kind::BOOL))?;
            }
            Op::MapGet { a, b, c } => {
                let (b, c) = (self.value(b)?, self.typed(c, OperandType::String)?);
                let value = self.map_of(b)?;
                self.give(a, &[b, c], value.or(state::ABSENT))?;
            }
            Op::ContainsAll { a, b, c } | Op::ContainsAny { a, b, c } => {
                let (b, c) = (self.value(b)?, self.value(c)?);
                let (left, right) = (self.set_of(b)?, self.set_of(c)?);
                self.one_type(left, right)?;
                self.give(a, &[b, c], Cell::of(Kind::BOOL))?;
            }
            Op::SetUnion { a, b, c } | Op::SetIntersect { a, b, c } | Op::SetExcept { a, b, c } => {
                let (b, c) = (self.value(b)?, self.value(c)?);
                let result = self.combined(op, b, c)?;
                self.give(a, &[b, c], result)?;
            }
            Op::ListGet { a, b, c } => {
                let (b, c) = (self.value(b)?, self.typed(c, OperandType::Int)?);
                let element = match self.kinds.data(b.kind) {
                    Data::List(inner, _) => *inner,
                    Data::Never => Cell::of(Kind::NEVER),
                    _ => return Err(Reason::OperandType),
                };
                self.give(a, &[b, c], element.or(state::ABSENT))?;
            }
            Op::MakeSet { a, b, n } => self.make_set(a, b, n)?,
            Op::MakeList { a, b, n } => self.make_list(a, b, n)?,
            Op::MakeMap { a, b, n } => self.make_map(a, b, n)?,
            Op::MakeRecord { a, b, r } => self.make_record(a, b, r.get())?,
            Op::Field { a, b, n } => {
                let cell = self.value(b)?;
                let field = match self.kinds.data(cell.kind) {
                    Data::Record(of) => {
                        let fields = &self.program.schema.records[*of as usize].fields;
                        let field = fields.get(usize::from(n)).ok_or(Reason::FieldRange)?;
                        self.kinds.ty(field.ty)
                    }
                    Data::Never => Cell::of(Kind::NEVER),
                    _ => return Err(Reason::OperandType),
                };
                self.give(a, &[cell], field)?;
            }
            _ => return Ok(None),
        }
        Ok(Some(()))
    }

    /// Instructions on graphs. A graph is in one slot only and is judged once, so that what was paid for with its links
    /// pays for the judgement.
    pub(super) fn graphs(&mut self, op: Op) -> Result<(), Reason> {
        match op {
            Op::Graph { a } => {
                let kind = self.kinds.intern(Data::Graph(Kind::NEVER));
                self.set(a, Cell::of(kind))
            }
            Op::Link { a, b, c } => {
                let (graph, nodes) = self.graph(a)?;
                let (node, edges) = (self.value(b)?, self.value(c)?);
                let to = match self.kinds.data(edges.kind) {
                    Data::Set(to, _) => *to,
                    Data::List(to, _) if !to.may_be(state::ABSENT) => to.kind,
                    Data::Never => Kind::NEVER,
                    _ => return Err(Reason::OperandType),
                };
                if !self.kinds.is_scalar(node.kind) {
                    return Err(Reason::OperandType);
                }
                let nodes = self.one_type(nodes, node.kind)?;
                let nodes = self.one_type(nodes, to)?;
                let kind = self.kinds.intern(Data::Graph(nodes));
                self.give(a, &[graph, node, edges], Cell::of(kind))
            }
            Op::Acyclic { a, b } => {
                let (graph, _) = self.graph(b)?;
                self.set(b, Cell::UNASSIGNED)?;
                self.give(a, &[graph], Cell::of(Kind::BOOL))
            }
            _ => Err(Reason::OperandType),
        }
    }

    /// A slot with a graph, or the error that became of one; and the kind of its nodes.
    fn graph(&self, slot: Slot) -> Result<(Cell, Kind), Reason> {
        let cell = self.slots[usize::from(slot.0)];
        if cell.may_be(state::UNASSIGNED) {
            return Err(Reason::Unassigned);
        }
        match self.kinds.data(cell.kind) {
            Data::Graph(nodes) => Ok((cell, *nodes)),
            Data::Never if cell.states == state::ERROR => Ok((cell, Kind::NEVER)),
            _ => Err(Reason::OperandType),
        }
    }

    pub(super) fn map_of(&self, cell: Cell) -> Result<Cell, Reason> {
        match self.kinds.data(cell.kind) {
            Data::Map(inner, _) => Ok(*inner),
            Data::Never => Ok(Cell::of(Kind::NEVER)),
            _ => Err(Reason::OperandType),
        }
    }

    pub(super) fn check_element(&mut self, collection: Cell, element: Cell) -> Result<(), Reason> {
        let inner = match self.kinds.data(collection.kind) {
            Data::Set(inner, _) => *inner,
            Data::List(inner, _) => inner.kind,
            Data::Never => Kind::NEVER,
            _ => return Err(Reason::OperandType),
        };
        self.one_type(inner, element.kind).map(|_| ())
    }

    /// What union, intersection and difference give.
    pub(super) fn combined(&mut self, op: Op, left: Cell, right: Cell) -> Result<Cell, Reason> {
        let (a, m) = self.set_and_bound(left)?;
        let (b, n) = self.set_and_bound(right)?;
        let both = self.one_type(a, b)?;
        let (inner, max, failing) = match op {
            Op::SetUnion { .. } => (both, m.saturating_add(n).min(limits::COLLECTION_MAX), state::ERROR),
            Op::SetIntersect { .. } => (a, m.min(n), 0),
            _ => (a, m, 0),
        };
        Ok(Cell::of(self.kinds.intern(Data::Set(inner, max))).or(failing))
    }

    pub(super) fn set_and_bound(&self, cell: Cell) -> Result<(Kind, u32), Reason> {
        match self.kinds.data(cell.kind) {
            Data::Set(inner, max) => Ok((*inner, *max)),
            Data::Never => Ok((Kind::NEVER, 0)),
            _ => Err(Reason::OperandType),
        }
    }

    pub(super) fn make_set(&mut self, out: Slot, first: Slot, count: u16) -> Result<(), Reason> {
        self.work.spend(usize::from(count))?;
        let (mut inner, mut errors) = (Kind::NEVER, 0);
        for at in 0..usize::from(count) {
            let cell = self.value(row(first, at))?;
            if !self.kinds.is_scalar(cell.kind) {
                return Err(Reason::OperandType);
            }
            inner = self.one_type(inner, cell.kind)?;
            errors |= certain(cell);
        }
        let kind = self.kinds.intern(Data::Set(inner, u32::from(count)));
        self.made(out, kind, errors)
    }

    pub(super) fn make_list(&mut self, out: Slot, first: Slot, count: u16) -> Result<(), Reason> {
        self.work.spend(usize::from(count))?;
        let (mut inner, mut errors) = (Cell { kind: Kind::NEVER, states: 0 }, 0);
        for at in 0..usize::from(count) {
            let cell = self.assigned(row(first, at))?;
            inner = self.kinds.join_cells(inner, cell).ok_or(Reason::OperandsDiffer)?;
            errors |= certain(cell);
        }
        let kind = self.kinds.intern(Data::List(shape(inner), u32::from(count)));
        self.made(out, kind, errors)
    }

    pub(super) fn make_map(&mut self, out: Slot, first: Slot, count: u16) -> Result<(), Reason> {
        self.work.spend(usize::from(count))?;
        let (mut inner, mut errors) = (Cell { kind: Kind::NEVER, states: 0 }, 0);
        for at in 0..usize::from(count) {
            let key = self.typed(row(first, 2 * at), OperandType::String)?;
            if self.kinds.text(key.kind) > u64::from(limits::ID_BYTES_MAX) {
                return Err(Reason::OperandType);
            }
            let value = self.assigned(row(first, 2 * at + 1))?;
            inner = self.kinds.join_cells(inner, value).ok_or(Reason::OperandsDiffer)?;
            errors |= certain(key) | certain(value);
        }
        let kind = self.kinds.intern(Data::Map(shape(inner), u32::from(count)));
        self.made(out, kind, errors)
    }

    pub(super) fn make_record(&mut self, out: Slot, first: Slot, record: u32) -> Result<(), Reason> {
        let program = self.program;
        let fields = &program.schema.records[record as usize].fields;
        self.work.spend(fields.len())?;
        let mut errors = 0;
        for (at, field) in fields.iter().enumerate() {
            let cell = self.assigned(row(first, at))?;
            let shape = self.kinds.ty(field.ty);
            if !self.kinds.cell_fits(cell, shape) {
                return Err(Reason::OperandType);
            }
            errors |= certain(cell);
        }
        let kind = self.kinds.intern(Data::Record(record));
        self.made(out, kind, errors)
    }

    pub(super) fn made(&mut self, out: Slot, kind: Kind, errors: u8) -> Result<(), Reason> {
        if errors & CERTAIN != 0 {
            return self.set(out, Cell::ERROR);
        }
        self.set(out, Cell::of(kind).or(errors))
    }
}

/// A mark beside the states: certainly an error.
const CERTAIN: u8 = 128;

fn certain(cell: Cell) -> u8 {
    if cell.states == state::ERROR { state::ERROR | CERTAIN } else { cell.states & state::ERROR }
}

/// What elements of a collection may be: no errors, those spread to the whole.
fn shape(cell: Cell) -> Cell {
    Cell::of(cell.kind).or(cell.states & state::ABSENT)
}

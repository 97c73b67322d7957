//! Abstract interpretation: follows every path through a function with what is known of its slots.
//!
//! States meet where paths do. Code runs forward but for `loop`; where that brings something new to its `next`, the body
//! is followed again, with bounds of strings and collections widened, until nothing changes. All of it spends `Work`.

mod charge;
mod values;

use crate::base::limits;
use crate::bytecode::info::{OperandType, Role};
use crate::bytecode::op::{Op, Slot};
use crate::bytecode::program::{ConstantValue, Input, Program};
use crate::bytecode::verify::Work;
use crate::bytecode::verify::cost;
use crate::bytecode::verify::error::{Place, Reason, VerifyError};
use crate::bytecode::verify::kinds::{Cell, Data, Kind, Kinds, state};

/// What is known of a function once it was followed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Summary {
    /// What it gives.
    pub result: Cell,
    /// What it costs, without memo functions.
    pub cost: u64,
    /// Slots of its frame and those of the functions that it calls.
    pub stack_slots: u32,
    /// 1 and the depth of what it calls.
    pub call_depth: u32,
}

/// Follows all functions, in order.
pub(super) fn check(
    program: &Program,
    kinds: &mut Kinds,
    constants: &[Cell],
    work: &mut Work,
) -> Result<Vec<Summary>, VerifyError> {
    let mut flow = Flow {
        program,
        kinds,
        constants,
        work,
        summaries: Vec::with_capacity(program.functions.len()),
        slots: Vec::new(),
        reached: false,
        labels: Vec::new(),
        states: Vec::new(),
        costs: Vec::new(),
        start: 0,
        end: 0,
        function: 0,
        result: Cell { kind: Kind::NEVER, states: 0 },
    };
    for function in 0..program.functions.len() {
        flow.follow(function)?;
    }
    Ok(flow.summaries)
}

/// No state was kept for an instruction yet.
const NO_STATE: u32 = u32::MAX;

struct Flow<'a> {
    program: &'a Program,
    kinds: &'a mut Kinds,
    constants: &'a [Cell],
    work: &'a mut Work,
    summaries: Vec<Summary>,
    /// The slots here, if this place is reached.
    slots: Vec<Cell>,
    reached: bool,
    /// For each instruction of the function where its state begins in `states`.
    labels: Vec<u32>,
    states: Vec<Cell>,
    costs: Vec<cost::Step>,
    start: u32,
    end: u32,
    function: usize,
    result: Cell,
}

impl Flow<'_> {
    fn follow(&mut self, function: usize) -> Result<(), VerifyError> {
        let program = self.program;
        let of = &program.functions[function];
        (self.function, self.start, self.end) = (function, of.code_start, of.code_end);
        let length = (of.code_end - of.code_start) as usize;
        self.slots.clear();
        self.slots.resize(usize::from(of.slots), Cell::UNASSIGNED);
        for (slot, parameter) in self.slots.iter_mut().zip(&of.parameters) {
            *slot = self.kinds.ty(*parameter).or(state::ERROR);
        }
        self.labels.clear();
        self.labels.resize(length, NO_STATE);
        self.states.clear();
        self.costs.clear();
        self.costs.resize(length, cost::Step::default());
        self.reached = true;
        self.result = Cell { kind: Kind::NEVER, states: 0 };
        let mut at = of.code_start;
        while at < of.code_end {
            let place = Place::Instruction { function: function as u32, at };
            let refuse = |reason| VerifyError::new(reason, place);
            self.meet(at).map_err(refuse)?;
            self.work.spend(1 + self.kinds.take_effort()).map_err(refuse)?;
            at = if self.reached { self.step(at).map_err(refuse)? } else { at + 1 };
        }
        let mut summary = Summary {
            result: self.result,
            cost: cost::function(program, of, &self.costs),
            stack_slots: u32::from(of.slots),
            call_depth: 1,
        };
        for op in &program.code[of.code_start as usize..of.code_end as usize] {
            if let Op::Call { f: callee, .. } = op {
                summary.add_callee(of.slots, &self.summaries[callee.get() as usize]);
            } else if let Op::Force { f: callee, .. } = op {
                summary.add_callee(of.slots, &self.summaries[*callee as usize]);
            }
        }
        self.summaries.push(summary);
        Ok(())
    }

    /// Joins what comes from before with what jumps brought here.
    fn meet(&mut self, at: u32) -> Result<(), Reason> {
        let label = self.labels[(at - self.start) as usize];
        let is_loop = matches!(self.program.code[at as usize], Op::Next { .. });
        if label == NO_STATE {
            if is_loop && self.reached {
                self.bring(at, false)?;
            }
            return Ok(());
        }
        if self.reached {
            self.bring(at, false)?;
        }
        let first = label as usize;
        self.work.spend(self.slots.len())?;
        self.resume(first);
        self.reached = true;
        Ok(())
    }

    fn resume(&mut self, first: usize) {
        let end = first + self.slots.len();
        self.slots.copy_from_slice(&self.states[first..end]);
    }

    /// Joins the slots here into the state of an instruction; says whether that changed it.
    fn bring(&mut self, to: u32, widen: bool) -> Result<bool, Reason> {
        self.work.spend(self.slots.len())?;
        let label = &mut self.labels[(to - self.start) as usize];
        if *label == NO_STATE {
            *label = u32::try_from(self.states.len()).map_err(|_| Reason::TooComplex)?;
            self.states.extend_from_slice(&self.slots);
            return Ok(true);
        }
        let first = *label as usize;
        let mut changed = false;
        for (old, new) in self.states[first..first + self.slots.len()].iter_mut().zip(&self.slots) {
            if old == new {
                continue;
            }
            let joined = match self.kinds.join(old.kind, new.kind) {
                Some(kind) if widen && kind != old.kind => Cell { kind: self.kinds.widen(kind), states: 0 },
                Some(kind) => Cell { kind, states: 0 },
                // Slots are used again for other types: what is there cannot be read behind the meeting.
                None => Cell::UNASSIGNED,
            };
            let states = old.states | new.states;
            let joined = match joined.or(states) {
                cell if cell.may_be(state::UNASSIGNED) => Cell::UNASSIGNED,
                cell => cell,
            };
            if self.kinds.depth(joined.kind) > limits::JSON_DEPTH_MAX as u32 {
                return Err(Reason::TypeDepth);
            }
            changed |= *old != joined;
            *old = joined;
        }
        Ok(changed)
    }

    /// Brings the slots to a target, with one of them narrowed to some states; not at all if none of them is possible.
    fn bring_narrowed(&mut self, to: u32, slot: Slot, states: u8) -> Result<(), Reason> {
        let before = self.slots[usize::from(slot.0)];
        let narrowed = before.without(!states);
        if narrowed.states != 0 {
            self.slots[usize::from(slot.0)] = narrowed;
            self.bring(to, false)?;
            self.slots[usize::from(slot.0)] = before;
        }
        Ok(())
    }

    /// Goes on with a slot that is in none of these states; not at all if it can be in no other.
    fn go_on_without(&mut self, slot: Slot, states: u8) {
        let narrowed = self.slots[usize::from(slot.0)].without(states);
        self.slots[usize::from(slot.0)] = narrowed;
        self.reached = narrowed.states != 0;
    }

    fn assigned(&self, slot: Slot) -> Result<Cell, Reason> {
        let cell = self.slots[usize::from(slot.0)];
        if cell.may_be(state::UNASSIGNED) {
            return Err(Reason::Unassigned);
        }
        if matches!(self.kinds.data(cell.kind), Data::Iterator(..) | Data::Graph(_)) {
            return Err(Reason::OperandType);
        }
        Ok(cell)
    }

    /// A slot that has a value or an error.
    fn value(&self, slot: Slot) -> Result<Cell, Reason> {
        let cell = self.assigned(slot)?;
        if cell.may_be(state::ABSENT) { Err(Reason::OperandAbsent) } else { Ok(cell) }
    }

    fn typed(&mut self, slot: Slot, ty: OperandType) -> Result<Cell, Reason> {
        let cell = self.value(slot)?;
        match Kinds::operand(ty) {
            Some(_) if cell.kind == Kind::NEVER => Ok(cell),
            Some(shape) if shape.kind == cell.kind => Ok(cell),
            Some(_) if ty == OperandType::String && matches!(self.kinds.data(cell.kind), Data::String(_)) => Ok(cell),
            _ => Err(Reason::OperandType),
        }
    }

    fn set(&mut self, slot: Slot, cell: Cell) -> Result<(), Reason> {
        if self.kinds.depth(cell.kind) > limits::JSON_DEPTH_MAX as u32 {
            return Err(Reason::TypeDepth);
        }
        self.slots[usize::from(slot.0)] = cell;
        Ok(())
    }

    /// Sets what an instruction gives: an error if an operand is one.
    fn give(&mut self, slot: Slot, operands: &[Cell], result: Cell) -> Result<(), Reason> {
        let mut given = result;
        for operand in operands {
            if operand.states == state::ERROR {
                return self.set(slot, Cell::ERROR);
            }
            given = given.or(operand.states & state::ERROR);
        }
        self.set(slot, given)
    }

    fn one_type(&mut self, left: Kind, right: Kind) -> Result<Kind, Reason> {
        self.kinds.join(left, right).ok_or(Reason::OperandsDiffer)
    }

    fn constant(&self, id: u32) -> Cell {
        self.constants[id as usize]
    }

    /// Follows one instruction; gives the next one in order.
    fn step(&mut self, at: u32) -> Result<u32, Reason> {
        let op = self.program.code[at as usize];
        self.charge(at, op)?;
        match op {
            Op::Jump { to } => {
                self.bring(to, false)?;
                self.reached = false;
            }
            Op::JumpTrue { a, to } => self.branch(a, to, state::TRUE)?,
            Op::JumpFalse { a, to } => self.branch(a, to, state::FALSE)?,
            Op::JumpError { a, to } => {
                self.assigned(a)?;
                self.bring_narrowed(to, a, state::ERROR)?;
                self.go_on_without(a, state::ERROR);
            }
            Op::JumpAbsent { a, to } => {
                self.assigned(a)?;
                self.bring_narrowed(to, a, state::ABSENT)?;
                self.go_on_without(a, state::ABSENT);
            }
            Op::Switch { a, s } => self.switch(a, s)?,
            Op::Return { a } => {
                let cell = self.assigned(a)?;
                let shape = self.kinds.ty(self.program.functions[self.function].result);
                if !self.kinds.cell_fits(cell, shape) {
                    return Err(Reason::ResultType);
                }
                self.result = self.kinds.join_cells(self.result, cell).ok_or(Reason::ResultType)?;
                self.reached = false;
            }
            Op::Next { a, to } => {
                let Data::Iterator(_, bound) = *self.kinds.data(self.iterator(a)?.kind) else {
                    return Err(Reason::OperandType);
                };
                self.costs[(at - self.start) as usize].turns = bound;
                self.bring(to, false)?;
            }
            Op::Loop { to } => {
                if self.bring(to, true)? {
                    let first = self.labels[(to - self.start) as usize] as usize;
                    self.resume(first);
                    return Ok(to);
                }
                self.reached = false;
            }
            Op::Call { a, b, f } => self.call(a, b, f.get())?,
            _ => self.compute(op)?,
        }
        Ok(at + 1)
    }

    fn branch(&mut self, slot: Slot, to: u32, states: u8) -> Result<(), Reason> {
        self.typed(slot, OperandType::Bool)?;
        self.bring_narrowed(to, slot, states)?;
        self.go_on_without(slot, states);
        Ok(())
    }

    fn switch(&mut self, slot: Slot, switch: u32) -> Result<(), Reason> {
        let cell = self.value(slot)?;
        let table = &self.program.switches[switch as usize];
        if cell.kind != Kind::NEVER && *self.kinds.data(cell.kind) != Data::Enum(table.of) {
            return Err(Reason::OperandType);
        }
        let Some((error, variants)) = table.targets.split_last() else { return Err(Reason::SwitchSize) };
        for to in variants {
            self.bring_narrowed(*to, slot, state::VALUE)?;
        }
        self.bring_narrowed(*error, slot, state::ERROR)?;
        self.reached = false;
        Ok(())
    }

    fn call(&mut self, out: Slot, first: Slot, callee: u32) -> Result<(), Reason> {
        let program = self.program;
        let of = &program.functions[callee as usize];
        self.work.spend(of.parameters.len())?;
        for (at, parameter) in of.parameters.iter().enumerate() {
            let argument = self.assigned(row(first, at))?;
            let shape = self.kinds.ty(*parameter);
            if !self.kinds.cell_fits(argument, shape) {
                return Err(Reason::ArgumentType);
            }
        }
        self.set(out, self.summaries[callee as usize].result)
    }

    fn iterator(&self, slot: Slot) -> Result<Cell, Reason> {
        let cell = self.slots[usize::from(slot.0)];
        if cell.may_be(state::UNASSIGNED) {
            return Err(Reason::Unassigned);
        }
        if matches!(self.kinds.data(cell.kind), Data::Iterator(..)) { Ok(cell) } else { Err(Reason::OperandType) }
    }

    /// Instructions that go on with the next one.
    fn compute(&mut self, op: Op) -> Result<(), Reason> {
        match op {
            Op::Move { a, b } => {
                let cell = self.assigned(b)?;
                self.set(a, cell)
            }
            Op::Const { a, k } => self.set(a, self.constant(k)),
            Op::Read { a, i } => self.read(a, i),
            Op::Raise { a, b } => {
                if self.assigned(b)?.states & !state::ERROR != 0 {
                    return Err(Reason::NotAnError);
                }
                self.set(a, Cell::ERROR)
            }
            Op::Unwrap { a, b } => {
                let cell = self.assigned(b)?;
                let failing = if cell.may_be(state::ABSENT) { state::ERROR } else { 0 };
                self.set(a, cell.without(state::ABSENT).or(failing))
            }
            Op::IsPresent { a, b } => {
                let cell = self.assigned(b)?;
                let mut states = cell.states & state::ERROR;
                states |= if cell.may_be(state::PRESENT) { state::TRUE } else { 0 };
                states |= if cell.may_be(state::ABSENT) { state::FALSE } else { 0 };
                self.set(a, truth(states))
            }
            Op::Force { a, f } => self.set(a, self.summaries[f as usize].result),
            Op::Iterate { a, b } => self.iterate(a, b),
            Op::Element { a, b } => {
                let Data::Iterator(element, _) = *self.kinds.data(self.iterator(b)?.kind) else {
                    return Err(Reason::OperandType);
                };
                self.set(a, element)
            }
            Op::And { a, b, c } => {
                let (b, c) = (self.typed(b, OperandType::Bool)?, self.typed(c, OperandType::Bool)?);
                self.set(a, truth(kleene(b.states, c.states, state::FALSE, state::TRUE)))
            }
            Op::Or { a, b, c } => {
                let (b, c) = (self.typed(b, OperandType::Bool)?, self.typed(c, OperandType::Bool)?);
                self.set(a, truth(kleene(b.states, c.states, state::TRUE, state::FALSE)))
            }
            Op::Not { a, b } => {
                let cell = self.typed(b, OperandType::Bool)?;
                let mut states = cell.states & state::ERROR;
                states |= if cell.may_be(state::TRUE) { state::FALSE } else { 0 };
                states |= if cell.may_be(state::FALSE) { state::TRUE } else { 0 };
                self.set(a, truth(states))
            }
            Op::Equal { a, b, c } | Op::NotEqual { a, b, c } => {
                let (b, c) = (self.assigned(b)?, self.assigned(c)?);
                self.one_type(b.kind, c.kind)?;
                self.give(a, &[b, c], Cell::of(Kind::BOOL))
            }
            Op::EqualConst { a, b, k } => {
                let (b, k) = (self.assigned(b)?, self.constant(k.get()));
                self.one_type(b.kind, k.kind)?;
                self.give(a, &[b], Cell::of(Kind::BOOL))
            }
            Op::Less { a, b, c } | Op::LessEqual { a, b, c } => {
                let (b, c) = (self.value(b)?, self.value(c)?);
                let kind = self.one_type(b.kind, c.kind)?;
                match self.kinds.data(kind) {
                    Data::Never
                    | Data::Int
                    | Data::Decimal
                    | Data::Duration
                    | Data::Timestamp
                    | Data::String(_)
                    | Data::Enum(_) => self.give(a, &[b, c], Cell::of(Kind::BOOL)),
                    _ => Err(Reason::OperandType),
                }
            }
            Op::IntDivide { a, b, k } => {
                let zero = !matches!(self.program.constants[k.get() as usize].value, ConstantValue::Int(by) if by != 0);
                self.divide(a, b, zero, OperandType::Int)
            }
            Op::DecimalDivide { a, b, k } => {
                let by = &self.program.constants[k.get() as usize].value;
                let zero = !matches!(by, ConstantValue::Decimal(by) if by.0 != 0);
                self.divide(a, b, zero, OperandType::Decimal)
            }
            Op::Attribute { .. }
            | Op::EntityId { .. }
            | Op::EntityIn { .. }
            | Op::EntityInAny { .. }
            | Op::IsType { .. }
            | Op::Narrow { .. }
            | Op::StepsTo { .. } => self.entities(op),
            Op::Graph { .. } | Op::Link { .. } | Op::Acyclic { .. } => self.graphs(op),
            _ => match self.collections(op)? {
                Some(()) => Ok(()),
                None => self.by_table(op),
            },
        }
    }

    fn divide(&mut self, out: Slot, slot: Slot, zero: bool, ty: OperandType) -> Result<(), Reason> {
        let cell = self.typed(slot, ty)?;
        if zero {
            return Err(Reason::DivisorZero);
        }
        let kind = if ty == OperandType::Int { Kind::INT } else { Kind::DECIMAL };
        self.give(out, &[cell], Cell::of(kind).or(state::ERROR))
    }

    fn read(&mut self, out: Slot, input: u32) -> Result<(), Reason> {
        let program = self.program;
        let entry = program.functions[self.function].entry.ok_or(Reason::ReadPure)?;
        let action = program.schema.actions.get(entry as usize).ok_or(Reason::EntryCount)?;
        let cell = match program.entries[entry as usize].inputs[input as usize] {
            Input::Subject => Cell::of(self.kinds.intern(Data::Entity(action.subject.clone().into_boxed_slice()))),
            Input::Resource => Cell::of(self.kinds.intern(Data::Entity(action.resource.clone().into_boxed_slice()))),
            Input::Context(field) => {
                let field = action.context.get(field as usize).ok_or(Reason::InputRange)?;
                if field.advisory {
                    return Err(Reason::ReadAdvisory);
                }
                self.kinds.ty(field.ty)
            }
        };
        self.set(out, cell)
    }

    fn iterate(&mut self, out: Slot, slot: Slot) -> Result<(), Reason> {
        let cell = self.value(slot)?;
        if cell.may_be(state::ERROR) {
            return Err(Reason::OperandError);
        }
        let (element, bound) = match *self.kinds.data(cell.kind) {
            Data::Set(inner, max) => (Cell::of(inner), max),
            Data::List(inner, max) => (inner, max),
            Data::Map(_, max) => (Cell::of(Kind::ID_STRING), max),
            _ => return Err(Reason::OperandType),
        };
        let kind = self.kinds.intern(Data::Iterator(element, bound));
        self.set(out, Cell::of(kind))
    }

    /// Instructions of which the table says all.
    fn by_table(&mut self, op: Op) -> Result<(), Reason> {
        let info = op.info();
        let mut operands = [Cell::of(Kind::NEVER).or(state::VALUE); 3];
        let mut count = 0;
        let mut out = None;
        let mut of_path = false;
        for (operand, number) in info.operands.iter().zip(op.operands().as_slice()) {
            let slot = Slot(*number as u16);
            match operand.role {
                Role::Out => out = Some((slot, Kinds::operand(operand.ty).ok_or(Reason::OperandType)?)),
                Role::Input => {
                    operands[count] = self.typed(slot, operand.ty)?;
                    count += 1;
                    of_path |= operand.ty == OperandType::Path;
                }
                _ => {}
            }
        }
        let Some((slot, mut result)) = out else { return Err(Reason::OperandType) };
        if of_path && result.kind == Kind::URL_STRING {
            result.kind = Kind::PATH_STRING;
        }
        let failing = if info.fails { state::ERROR } else { 0 };
        self.give(slot, &operands[..count], result.or(failing))
    }
}

impl Summary {
    fn add_callee(&mut self, own_slots: u16, callee: &Summary) {
        self.stack_slots = self.stack_slots.max(callee.stack_slots.saturating_add(u32::from(own_slots)));
        self.call_depth = self.call_depth.max(callee.call_depth.saturating_add(1));
    }
}

fn truth(states: u8) -> Cell {
    let kind = if states & state::PRESENT == 0 { Kind::NEVER } else { Kind::BOOL };
    Cell { kind, states }
}

/// States of `and`, and with both swapped of `or`: `strong` decides alone, `weak` needs both.
fn kleene(left: u8, right: u8, strong: u8, weak: u8) -> u8 {
    let mut states = 0;
    if (left | right) & strong != 0 {
        states |= strong;
    }
    if left & right & weak != 0 {
        states |= weak;
    }
    let fails = |a: u8, b: u8| a & state::ERROR != 0 && b & (weak | state::ERROR) != 0;
    if fails(left, right) || fails(right, left) {
        states |= state::ERROR;
    }
    states
}

fn row(first: Slot, at: usize) -> Slot {
    Slot(first.0.wrapping_add(at as u16))
}

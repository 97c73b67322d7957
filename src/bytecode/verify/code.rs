//! Is the code of every function sane by itself: operands in range, jumps ahead and inside, loops nested and closed.
//!
//! One pass finds the loops, one looks at every instruction. Nothing here knows of types.

use crate::base::limits;
use crate::bytecode::info::Role;
use crate::bytecode::op::{Op, Slot};
use crate::bytecode::program::{Function, Program};
use crate::bytecode::verify::Work;
use crate::bytecode::verify::error::{Place, Reason, VerifyError};

/// A loop: from its `next` to its `loop`, both included.
#[derive(Clone, Copy)]
struct Loop {
    head: u32,
    end: u32,
    iterator: Slot,
}

/// Room that is used again for every function.
#[derive(Default)]
struct Room {
    /// For each instruction of the function the head of the innermost loop whose body it is in, plus one; 0: in none.
    bodies: Vec<u32>,
    open: Vec<Loop>,
}

pub(super) fn check(program: &Program, work: &mut Work) -> Result<(), VerifyError> {
    let mut room = Room::default();
    for (number, function) in program.functions.iter().enumerate() {
        let number = number as u32;
        find_loops(program, function, &mut room).map_err(|(reason, at)| refuse(reason, number, at))?;
        let last = function.code_end - 1;
        if !matches!(program.code[last as usize], Op::Return { .. }) {
            return Err(refuse(Reason::FallsOff, number, last));
        }
        room.open.clear();
        for at in function.code_start..function.code_end {
            check_instruction(program, number, at, &mut room, work).map_err(|reason| refuse(reason, number, at))?;
        }
    }
    Ok(())
}

fn refuse(reason: Reason, function: u32, at: u32) -> VerifyError {
    VerifyError::new(reason, Place::Instruction { function, at })
}

/// Checks how `next` and `loop` are paired, and fills in `bodies`.
fn find_loops(program: &Program, function: &Function, room: &mut Room) -> Result<(), (Reason, u32)> {
    room.bodies.clear();
    room.open.clear();
    for at in function.code_start..function.code_end {
        room.bodies.push(room.open.last().map_or(0, |open| open.head + 1));
        match program.code[at as usize] {
            Op::Next { a, to } => {
                let closed = to > at + 1
                    && to < function.code_end
                    && program.code[to as usize - 1] == Op::Loop { to: at }
                    && room.open.last().is_none_or(|open| to <= open.end);
                if !closed {
                    return Err((Reason::LoopForm, at));
                }
                if room.open.len() >= limits::LOOP_DEPTH_MAX {
                    return Err((Reason::LoopDepth, at));
                }
                room.open.push(Loop { head: at, end: to - 1, iterator: a });
            }
            Op::Loop { .. } => match room.open.pop() {
                Some(open) if open.end == at => {}
                _ => return Err((Reason::LoopForm, at)),
            },
            _ => {}
        }
    }
    Ok(())
}

fn check_instruction(program: &Program, caller: u32, at: u32, room: &mut Room, work: &mut Work) -> Result<(), Reason> {
    let function = &program.functions[caller as usize];
    let op = program.code[at as usize];
    let jump = |to: u32| {
        if to < function.code_start || to >= function.code_end {
            return Err(Reason::JumpRange);
        }
        if to <= at {
            return Err(Reason::JumpBackward);
        }
        // The innermost loop around the target has to be around this instruction too.
        let head = room.bodies[(to - function.code_start) as usize];
        if head > at { Err(Reason::JumpIntoLoop) } else { Ok(()) }
    };
    for (operand, operand_number) in op.info().operands.iter().zip(op.operands().as_slice()) {
        let number = *operand_number as usize;
        let within = |length: usize, reason: Reason| if number < length { Ok(()) } else { Err(reason) };
        match operand.role {
            Role::Out => {
                within(usize::from(function.slots), Reason::SlotRange)?;
                if room.open.iter().any(|open| usize::from(open.iterator.0) == number) {
                    return Err(Reason::IteratorOverwritten);
                }
            }
            // Of a call without arguments the slot may be one past the last.
            Role::Input if matches!(op, Op::Call { .. } | Op::MakeRecord { .. }) => {
                within(usize::from(function.slots) + 1, Reason::SlotRange)?;
            }
            Role::Input => within(usize::from(function.slots), Reason::SlotRange)?,
            Role::Count => {}
            Role::Constant | Role::Constant24 => within(program.constants.len(), Reason::ConstantRange)?,
            Role::Target if matches!(op, Op::Loop { .. }) => {}
            Role::Target => jump(*operand_number)?,
            Role::Function | Role::Function24 => check_callee(program, *operand_number, caller, &op)?,
            Role::Switch => {
                within(program.switches.len(), Reason::SwitchRange)?;
                let targets = &program.switches[number].targets;
                work.spend(targets.len())?;
                targets.iter().try_for_each(|to| jump(*to))?;
            }
            Role::EntryInput => check_input(program, function, number)?,
            Role::Pattern => within(program.patterns.len(), Reason::PatternRange)?,
            Role::Selector => within(program.selectors.len(), Reason::SelectorRange)?,
            Role::TypeSet => within(program.type_sets.len(), Reason::TypeSetRange)?,
            Role::Record => within(program.schema.records.len(), Reason::RecordRange)?,
        }
    }
    check_rows(program, function, op)?;
    match op {
        Op::Next { a, to } => {
            if room.open.iter().any(|open| open.iterator == a) {
                return Err(Reason::IteratorOverwritten);
            }
            room.open.push(Loop { head: at, end: to - 1, iterator: a });
        }
        Op::Loop { .. } => {
            room.open.pop();
        }
        Op::Element { b, .. } if !room.open.iter().any(|open| open.iterator == b) => {
            return Err(Reason::ElementOutside);
        }
        _ => {}
    }
    Ok(())
}

/// Operands that are several slots in a row.
fn check_rows(program: &Program, function: &Function, op: Op) -> Result<(), Reason> {
    let (first, count) = match op {
        Op::Call { b, f, .. } => (b, program.functions[f.get() as usize].parameters.len()),
        Op::MakeRecord { b, r, .. } => (b, program.schema.records[r.get() as usize].fields.len()),
        Op::MakeSet { b, n, .. } | Op::MakeList { b, n, .. } => (b, nonzero(n)?),
        Op::MakeMap { b, n, .. } => (b, 2 * nonzero(n)?),
        _ => return Ok(()),
    };
    let end = usize::from(first.0) + count;
    if end <= usize::from(function.slots) { Ok(()) } else { Err(Reason::SlotRange) }
}

fn nonzero(count: u16) -> Result<usize, Reason> {
    if count > 0 && u32::from(count) <= limits::COLLECTION_MAX {
        Ok(usize::from(count))
    } else {
        Err(Reason::CountZero)
    }
}

fn check_callee(program: &Program, callee: u32, caller: u32, op: &Op) -> Result<(), Reason> {
    let of = program.functions.get(callee as usize).ok_or(Reason::FunctionRange)?;
    if callee >= caller {
        return Err(Reason::CallCycle);
    }
    if of.memo != matches!(op, Op::Force { .. }) {
        return Err(Reason::CallMemo);
    }
    if of.entry.is_some() && of.entry != program.functions[caller as usize].entry {
        return Err(Reason::CallEntry);
    }
    Ok(())
}

fn check_input(program: &Program, function: &Function, number: usize) -> Result<(), Reason> {
    let entry = function.entry.ok_or(Reason::ReadPure)?;
    let inputs = program.entries.get(entry as usize).map_or(&[][..], |entry| &entry.inputs);
    if number < inputs.len() { Ok(()) } else { Err(Reason::InputRange) }
}

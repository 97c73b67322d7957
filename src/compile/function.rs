//! One function under construction: its instructions, slots and jumps.
//!
//! Jumps are relative to the function while it is built, and moved when it is put behind the code that is there.

use crate::base::limits;
use crate::base::span::Span;
use crate::bytecode::op::{Op, Slot};
use crate::bytecode::program::{Function, FunctionId, SiteId, Switch, SwitchId};
use crate::bytecode::schema::TypeId;
use crate::compile::pool::Pool;

/// A place that a jump goes to, once it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Label(u32);

/// The function.
#[derive(Debug, Default)]
pub(super) struct Builder {
    ops: Vec<Op>,
    faults: Vec<(u32, SiteId)>,
    /// Where each label is; `u32::MAX` until it is placed. Jumps hold numbers of labels until the function is finished.
    labels: Vec<u32>,
    switches: Vec<SwitchId>,
    slots_used: u32,
    slots_max: u32,
}

/// What a finished function declares.
#[derive(Clone, Debug)]
pub(super) struct Signature {
    pub(super) entry: Option<u32>,
    pub(super) memo: bool,
    pub(super) parameters: Vec<TypeId>,
    pub(super) result: TypeId,
    pub(super) span: Span,
}

impl Builder {
    /// A new slot, above all that are in use. Past the limit it wraps; `finish` reports it.
    pub(super) fn slot(&mut self) -> Slot {
        let slot = Slot(self.slots_used as u16);
        self.slots_used += 1;
        self.slots_max = self.slots_max.max(self.slots_used);
        slot
    }

    /// How many slots are in use, to give back later ones by `release`.
    pub(super) fn mark(&self) -> u32 {
        self.slots_used
    }

    /// Gives back the slots that were taken since the mark.
    pub(super) fn release(&mut self, mark: u32) {
        self.slots_used = mark;
    }

    pub(super) fn emit(&mut self, op: Op) {
        self.ops.push(op);
    }

    /// Emits an instruction that may fail by itself.
    pub(super) fn emit_failing(&mut self, op: Op, site: SiteId) {
        self.faults.push((self.ops.len() as u32, site));
        self.ops.push(op);
    }

    pub(super) fn label(&mut self) -> Label {
        self.labels.push(u32::MAX);
        Label(self.labels.len() as u32 - 1)
    }

    /// Puts a label before the next instruction.
    pub(super) fn place(&mut self, label: Label) {
        self.labels[label.0 as usize] = self.ops.len() as u32;
    }

    pub(super) fn jump(&mut self, to: Label) {
        self.emit(Op::Jump { to: to.0 });
    }

    pub(super) fn jump_true(&mut self, a: Slot, to: Label) {
        self.emit(Op::JumpTrue { a, to: to.0 });
    }

    pub(super) fn jump_false(&mut self, a: Slot, to: Label) {
        self.emit(Op::JumpFalse { a, to: to.0 });
    }

    pub(super) fn jump_error(&mut self, a: Slot, to: Label) {
        self.emit(Op::JumpError { a, to: to.0 });
    }

    pub(super) fn jump_absent(&mut self, a: Slot, to: Label) {
        self.emit(Op::JumpAbsent { a, to: to.0 });
    }

    pub(super) fn next(&mut self, a: Slot, to: Label) {
        self.emit(Op::Next { a, to: to.0 });
    }

    pub(super) fn end_loop(&mut self, to: Label) {
        self.emit(Op::Loop { to: to.0 });
    }

    /// A jump table; its targets are labels until the function is finished.
    pub(super) fn switch(&mut self, pool: &mut Pool, a: Slot, of: u32, targets: &[Label]) {
        let id = pool.switch(Switch { of, targets: targets.iter().map(|label| label.0).collect() });
        self.switches.push(id);
        self.emit(Op::Switch { a, s: id.0 });
    }

    /// Puts the function behind all others.
    pub(super) fn finish(mut self, pool: &mut Pool, signature: Signature) -> FunctionId {
        let base = pool.code.len() as u32;
        for op in &mut self.ops {
            match op {
                Op::Jump { to }
                | Op::JumpTrue { to, .. }
                | Op::JumpFalse { to, .. }
                | Op::JumpError { to, .. }
                | Op::JumpAbsent { to, .. }
                | Op::Next { to, .. }
                | Op::Loop { to } => *to = base + self.labels[*to as usize],
                _ => {}
            }
        }
        for switch in self.switches {
            for target in &mut pool.switches[switch.0 as usize].targets {
                *target = base + self.labels[*target as usize];
            }
        }
        if self.slots_max > limits::FRAME_SLOTS_MAX {
            pool.overflows.push((signature.span, "this needs more room than a function has".to_owned()));
        }
        pool.code.append(&mut self.ops);
        pool.fault_sites.extend(self.faults.into_iter().map(|(at, site)| (base + at, site)));
        pool.functions.push(Function {
            entry: signature.entry,
            memo: signature.memo,
            parameters: signature.parameters,
            result: signature.result,
            slots: self.slots_max.min(limits::FRAME_SLOTS_MAX) as u16,
            code_start: base,
            code_end: pool.code.len() as u32,
        });
        FunctionId(pool.functions.len() as u32 - 1)
    }
}

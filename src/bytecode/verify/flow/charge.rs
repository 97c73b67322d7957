//! What instructions cost, by the kinds that their operands have where they stand.

use crate::bytecode::info::{CostClass, Role};
use crate::bytecode::op::Op;
use crate::bytecode::verify::error::Reason;
use crate::bytecode::verify::flow::Flow;
use crate::bytecode::verify::kinds::{Kind, Kinds};

impl Flow<'_> {
    /// Notes what the instruction costs with the kinds that its operands have here.
    pub(super) fn charge(&mut self, at: u32, op: Op) -> Result<(), Reason> {
        let info = op.info();
        let steps = match info.cost {
            CostClass::Free => 0,
            CostClass::Unit => 1,
            CostClass::Call => match op {
                Op::Call { f, .. } => self.summaries[f.get() as usize].cost.saturating_add(1),
                _ => 1,
            },
            CostClass::Text => {
                let bytes = self.inputs(op, Kinds::text);
                bytes.div_ceil(64).saturating_add(1)
            }
            CostClass::Elements => self.elements(op)?.saturating_add(1),
        };
        let step = &mut self.costs[(at - self.start) as usize];
        step.steps = step.steps.max(steps);
        Ok(())
    }

    pub(super) fn inputs(&self, op: Op, size: impl Fn(&Kinds, Kind) -> u64) -> u64 {
        let mut all = 0_u64;
        for (operand, number) in op.info().operands.iter().zip(op.operands().as_slice()) {
            if operand.role == Role::Input {
                all = all.saturating_add(size(self.kinds, self.slots[*number as usize].kind));
            }
        }
        all
    }

    pub(super) fn elements(&mut self, op: Op) -> Result<u64, Reason> {
        let (first, count, more) = match op {
            Op::MakeSet { b, n, .. } | Op::MakeList { b, n, .. } => (b, usize::from(n), u64::from(n)),
            Op::MakeMap { b, n, .. } => (b, 2 * usize::from(n), u64::from(n)),
            Op::MakeRecord { b, r, .. } => {
                let fields = self.program.schema.records[r.get() as usize].fields.len();
                (b, fields, fields as u64)
            }
            Op::EqualConst { k, .. } | Op::ContainsConst { k, .. } | Op::InConst { k, .. } => {
                let constant = self.kinds.elements(self.constant(k.get()).kind);
                return Ok(self.inputs(op, Kinds::elements).saturating_add(constant));
            }
            _ => return Ok(self.inputs(op, Kinds::elements)),
        };
        self.work.spend(count)?;
        let mut all = more;
        for at in 0..count {
            all = all.saturating_add(self.kinds.elements(self.slots[usize::from(first.0) + at].kind));
        }
        Ok(all)
    }
}

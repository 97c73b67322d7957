//! Which functions may give an error.

use crate::bytecode::info::Role;
use crate::bytecode::op::Op;
use crate::bytecode::program::{ConstantId, ConstantValue, Program};

/// What is known of every function.
#[derive(Clone, Copy)]
pub(super) struct Flags<'a> {
    /// It has, or reaches, an instruction that may fail.
    pub(super) fails: &'a [bool],
    /// It, or one that it reaches, may ask for an attribute of an entity that the program names: whether that is
    /// registered is not known before a store is, so the verifier could not count it among what may fail.
    pub(super) meets_unknown: &'a [bool],
}

/// Finds both; a function calls only functions with smaller ids.
pub(super) fn failing(program: &Program) -> (Vec<bool>, Vec<bool>) {
    let (mut fails, mut unknown) = (Vec::new(), Vec::new());
    let names = naming_constants(program);
    let sites = &program.fault_sites;
    for function in &program.functions {
        let first = sites.partition_point(|&(at, _)| at < function.code_start);
        let own = sites.get(first).is_some_and(|&(at, _)| at < function.code_end);
        let code = program.code.get(function.code_start as usize..function.code_end as usize).unwrap_or(&[]);
        let reaches = |flags: &[bool]| {
            code.iter().any(|op| match op {
                Op::Call { f, .. } => flags.get(f.get() as usize).copied().unwrap_or(true),
                Op::Force { f, .. } => flags.get(*f as usize).copied().unwrap_or(true),
                _ => false,
            })
        };
        let (below_fails, below_unknown) = (reaches(&fails), reaches(&unknown));
        fails.push(own || below_fails);
        unknown.push(lets_names_go(code, &names) || below_unknown);
    }
    (fails, unknown)
}

/// For each constant whether an entity is a part of it.
fn naming_constants(program: &Program) -> Vec<bool> {
    let mut names: Vec<bool> = Vec::with_capacity(program.constants.len());
    for constant in &program.constants {
        let part = |id: &ConstantId| names.get(id.0 as usize).copied().unwrap_or(false);
        names.push(match &constant.value {
            ConstantValue::Entity(..) => true,
            ConstantValue::Set(parts) | ConstantValue::List(parts) | ConstantValue::Record(parts) => {
                parts.iter().any(part)
            }
            ConstantValue::Map(entries) => entries.iter().any(|(_, id)| part(id)),
            _ => false,
        });
    }
    names
}

/// Whether a function does more with an entity that the program names than to compare it.
fn lets_names_go(code: &[Op], names: &[bool]) -> bool {
    let named: Vec<u32> = code
        .iter()
        .filter_map(|op| match op {
            Op::Const { a, k } if names.get(*k as usize).copied().unwrap_or(false) => Some(u32::from(a.0)),
            _ => None,
        })
        .collect();
    let compares = |op: &Op| {
        matches!(
            op,
            Op::Equal { .. }
                | Op::NotEqual { .. }
                | Op::EqualConst { .. }
                | Op::EntityIn { .. }
                | Op::EntityInAny { .. }
                | Op::Contains { .. }
                | Op::ContainsConst { .. }
                | Op::ContainsAll { .. }
                | Op::ContainsAny { .. }
                | Op::InConst { .. }
        )
    };
    !named.is_empty()
        && code.iter().any(|op| {
            let operands = op.operands();
            let reads = operands.as_slice().iter().zip(op.info().operands);
            // Calls and the like read more slots than the first.
            let takes_row = matches!(
                op,
                Op::Call { .. } | Op::MakeSet { .. } | Op::MakeList { .. } | Op::MakeMap { .. } | Op::MakeRecord { .. }
            );
            takes_row
                || !compares(op) && reads.filter(|(_, of)| of.role == Role::Input).any(|(slot, _)| named.contains(slot))
        })
}

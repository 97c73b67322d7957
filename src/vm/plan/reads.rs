//! What the functions of an entry read of requests and entities.

use crate::bytecode::op::Op;
use crate::bytecode::program::{Entry, FunctionId, Input, Program};

/// Finds what functions read. Each function is walked once for each entry that reaches it.
pub(super) struct Reads<'p> {
    program: &'p Program,
    /// The last entry that reached each function.
    seen: Vec<u32>,
    entry: u32,
}

impl<'p> Reads<'p> {
    pub(super) fn new(program: &'p Program) -> Reads<'p> {
        Reads { program, seen: vec![0; program.functions.len()], entry: 0 }
    }

    pub(super) fn of(&mut self, entry: &Entry, roots: &[FunctionId]) -> (Vec<bool>, Vec<Vec<bool>>) {
        let schema = &self.program.schema;
        let action = schema.actions.get(self.entry as usize);
        self.entry += 1;
        let mut context = vec![false; action.map_or(0, |action| action.context.len())];
        for input in &entry.inputs {
            if let Input::Context(field) = input
                && let Some(read) = context.get_mut(*field as usize)
            {
                *read = true;
            }
        }
        let mut attributes: Vec<Vec<bool>> =
            schema.entity_types.iter().map(|entity| vec![false; entity.attributes.len()]).collect();
        let mut open: Vec<u32> = roots.iter().map(|id| id.0).collect();
        while let Some(id) = open.pop() {
            let (Some(seen), Some(function)) =
                (self.seen.get_mut(id as usize), self.program.functions.get(id as usize))
            else {
                continue;
            };
            if *seen == self.entry {
                continue;
            }
            *seen = self.entry;
            let code = self.program.code.get(function.code_start as usize..function.code_end as usize).unwrap_or(&[]);
            for op in code {
                match op {
                    Op::Call { f, .. } => open.push(f.get()),
                    Op::Force { f, .. } => open.push(*f),
                    Op::Attribute { s, .. } => {
                        let selector = self.program.selectors.get(s.get() as usize);
                        for &(ty, attribute) in selector.iter().flat_map(|selector| &selector.columns) {
                            if let Some(read) =
                                attributes.get_mut(ty as usize).and_then(|ty| ty.get_mut(attribute as usize))
                            {
                                *read = true;
                            }
                        }
                    }
                    _ => {}
                }
            }
        }
        (context, attributes)
    }
}

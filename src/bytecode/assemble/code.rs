//! Functions and their instructions, by the instruction table.

use std::collections::HashMap;

use crate::bytecode::assemble::names::Table;
use crate::bytecode::assemble::{Assembler, Parse};
use crate::bytecode::info::{OpInfo, Role, by_mnemonic};
use crate::bytecode::op::Op;
use crate::bytecode::program::{Function, Input, SiteId, Switch};

/// What is known of a function while it is read.
#[derive(Default)]
struct Body {
    entry: Option<u32>,
    labels: HashMap<String, u32>,
    /// Instructions whose target is still a label, and where in the source to complain.
    jumps: Vec<(u32, String, u32)>,
    /// Jump tables, likewise, by their place in the table.
    tables: Vec<(u32, usize, String, u32)>,
    slots: u32,
}

impl Assembler<'_> {
    pub(super) fn declare_function(&mut self) -> Parse {
        let _name = self.cursor.name()?;
        let mut parameters = Vec::new();
        if self.cursor.take("(") {
            while !self.cursor.take(")") {
                parameters.push(self.ty()?);
                self.cursor.take(",");
            }
        }
        let memo = self.cursor.take("memo");
        let entry = if self.cursor.take("entry") { Some(self.reference(Table::Action)?) } else { None };
        let slots = if self.cursor.take("slots") { Some(self.cursor.number()?) } else { None };
        self.cursor.expect("->")?;
        let result = self.ty()?;
        let code_start = self.program.code.len() as u32;
        let mut body = Body { entry, slots: parameters.len() as u32, ..Body::default() };
        self.cursor.expect("{")?;
        while !self.cursor.take("}") {
            self.instruction(&mut body)?;
        }
        self.resolve(&body)?;
        let slots = slots.unwrap_or_else(|| u16::try_from(body.slots).unwrap_or(u16::MAX));
        let code_end = self.program.code.len() as u32;
        let function = Function { entry, memo, parameters, result, slots, code_start, code_end };
        self.program.functions.push(function);
        Ok(())
    }

    fn instruction(&mut self, body: &mut Body) -> Parse {
        let at = self.program.code.len() as u32;
        if self.cursor.is_followed_by(":") {
            let label = self.cursor.name()?;
            self.cursor.expect(":")?;
            if body.labels.insert(label, at).is_some() {
                return Err(self.cursor.error("the label is there twice"));
            }
            return Ok(());
        }
        let mnemonic = self.cursor.word()?;
        let info =
            by_mnemonic(mnemonic).ok_or_else(|| self.cursor.error(&format!("there is no instruction `{mnemonic}`")))?;
        let mut numbers = [0; 3];
        for (place, operand) in info.operands.iter().enumerate() {
            if place > 0 {
                self.cursor.expect(",")?;
            }
            numbers[place] = self.operand(operand.role, at, body)?;
        }
        let op = Op::from_numbers(info.code, &numbers[..info.operands.len()])
            .ok_or_else(|| self.cursor.error("an operand does not fit"))?;
        self.count_slots(op, info, body);
        self.program.code.push(op);
        self.site(info, at)
    }

    /// The site of an instruction that may fail: the one given, or the next.
    fn site(&mut self, info: &OpInfo, at: u32) -> Parse {
        let site = if self.cursor.take("@") {
            if self.cursor.take("none") {
                return Ok(());
            }
            self.cursor.number()?
        } else if info.fails {
            self.program.site_count
        } else {
            return Ok(());
        };
        self.program.site_count = self.program.site_count.max(site.saturating_add(1));
        self.program.fault_sites.push((at, SiteId(site)));
        Ok(())
    }

    fn count_slots(&self, op: Op, info: &OpInfo, body: &mut Body) {
        let row = match op {
            Op::MakeSet { n, .. } | Op::MakeList { n, .. } => u32::from(n),
            Op::MakeMap { n, .. } => 2 * u32::from(n),
            Op::MakeRecord { r, .. } => {
                self.program.schema.records.get(r.get() as usize).map_or(0, |record| record.fields.len() as u32)
            }
            Op::Call { f, .. } => {
                self.program.functions.get(f.get() as usize).map_or(0, |function| function.parameters.len() as u32)
            }
            _ => 1,
        };
        for (operand, number) in info.operands.iter().zip(op.operands().as_slice()) {
            match operand.role {
                Role::Out => body.slots = body.slots.max(number + 1),
                Role::Input => body.slots = body.slots.max(number + row),
                _ => {}
            }
        }
    }

    fn operand(&mut self, role: Role, at: u32, body: &mut Body) -> Parse<u32> {
        match role {
            Role::Out | Role::Input => {
                let word = self.cursor.word()?;
                let number = word.strip_prefix('r').and_then(|digits| digits.parse().ok());
                number.ok_or_else(|| self.cursor.error("a slot is expected, as `r0`"))
            }
            Role::Count => match self.cursor.take_raw()? {
                Some(number) => Ok(number),
                None => self.cursor.number(),
            },
            Role::Constant | Role::Constant24 => Ok(self.constant()?.0),
            Role::Target => match self.cursor.take_raw()? {
                Some(number) => Ok(number),
                None => {
                    let label = self.cursor.name()?;
                    let line = self.cursor.error("").line;
                    body.jumps.push((at, label, line));
                    Ok(0)
                }
            },
            Role::Function | Role::Function24 => self.reference(Table::Function),
            Role::Switch => self.switch(body),
            Role::EntryInput => self.input(body),
            Role::Pattern => Ok(self.pattern()?.0),
            Role::Selector => Ok(self.selector()?.0),
            Role::TypeSet => Ok(self.type_set()?.0),
            Role::Record => self.reference(Table::Record),
        }
    }

    /// A jump table: a number, or an enum and the labels for its variants and for errors.
    fn switch(&mut self, body: &mut Body) -> Parse<u32> {
        if let Some(number) = self.cursor.take_raw()? {
            return Ok(number);
        }
        let of = self.reference(Table::Enum)?;
        let table = self.program.switches.len() as u32;
        let mut targets = Vec::new();
        self.cursor.expect("{")?;
        while !self.cursor.take("}") {
            if let Some(number) = self.cursor.take_raw()? {
                targets.push(number);
                continue;
            }
            let label = self.cursor.name()?;
            let line = self.cursor.error("").line;
            body.tables.push((table, targets.len(), label, line));
            targets.push(0);
        }
        self.program.switches.push(Switch { of, targets });
        Ok(table)
    }

    /// A jump table outside of functions: an enum and numbers of instructions.
    pub(super) fn declare_switch(&mut self) -> Parse {
        let of = self.reference(Table::Enum)?;
        let mut targets = Vec::new();
        self.cursor.expect("{")?;
        while !self.cursor.take("}") {
            targets.push(self.cursor.number()?);
        }
        self.program.switches.push(Switch { of, targets });
        Ok(())
    }

    /// An input of the function's entry, added to it if it is not there.
    fn input(&mut self, body: &Body) -> Parse<u32> {
        if let Some(number) = self.cursor.take_raw()? {
            return Ok(number);
        }
        let Some(entry) = body.entry else { return Err(self.cursor.error("a pure function has no inputs")) };
        let input = self.input_name(entry)?;
        let Some(entry) = self.program.entries.get_mut(entry as usize) else {
            return Err(self.cursor.error("there is no such entry"));
        };
        let at = entry.inputs.iter().position(|known| *known == input).unwrap_or_else(|| {
            entry.inputs.push(input);
            entry.inputs.len() - 1
        });
        Ok(at as u32)
    }

    /// `subject`, `resource`, `context.cost`, or `context` and a number or name.
    pub(super) fn input_name(&mut self, entry: u32) -> Parse<Input> {
        let word = self.cursor.word()?;
        let field = match word {
            "subject" => return Ok(Input::Subject),
            "resource" => return Ok(Input::Resource),
            "context" => match self.cursor.take_raw()? {
                Some(number) => return Ok(Input::Context(number)),
                None => self.cursor.name()?,
            },
            _ => match word.strip_prefix("context.") {
                Some(field) => field.to_owned(),
                None => return Err(self.cursor.error("`subject`, `resource` or `context` is expected")),
            },
        };
        let context = self.program.schema.actions.get(entry as usize).map_or(&[][..], |action| &action.context);
        let at = context.iter().position(|known| *known.name == *field);
        at.map(|at| Input::Context(at as u32)).ok_or_else(|| self.cursor.error("there is no such field"))
    }

    /// Puts the places of labels where the labels were named.
    fn resolve(&mut self, body: &Body) -> Parse {
        let find = |label: &str, line: u32| {
            let message = format!("there is no label `{label}`");
            body.labels.get(label).copied().ok_or(super::AssembleError { line, message })
        };
        for (at, label, line) in &body.jumps {
            let target = find(label, *line)?;
            let op = &mut self.program.code[*at as usize];
            let info = op.info();
            let mut numbers = [0; 3];
            let count = info.operands.len();
            numbers[..count].copy_from_slice(op.operands().as_slice());
            for (operand, number) in info.operands.iter().zip(&mut numbers) {
                if operand.role == Role::Target {
                    *number = target;
                }
            }
            if let Some(resolved) = Op::from_numbers(info.code, &numbers[..count]) {
                *op = resolved;
            }
        }
        for (table, place, label, line) in &body.tables {
            self.program.switches[*table as usize].targets[*place] = find(label, *line)?;
        }
        Ok(())
    }
}

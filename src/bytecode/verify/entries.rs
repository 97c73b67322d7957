//! Are the entries sane: inputs, rules with what belongs to them, the index, bounds and cost.

use std::cmp::Ordering;

use crate::bytecode::program::{
    ConstantId, Effect, Entry, FunctionId, Index, Input, Key, MessagePart, Program, Rule, StringId,
};
use crate::bytecode::verify::error::{Place, Reason, VerifyError};
use crate::bytecode::verify::flow::Summary;
use crate::bytecode::verify::kinds::{Cell, Data, Kind, Kinds, state};
use crate::bytecode::verify::schema::ascends;
use crate::bytecode::verify::tables::compare;
use crate::bytecode::verify::{EntryBounds, Work};

/// What the code of a program comes to.
pub(super) struct Flowed<'a> {
    pub program: &'a Program,
    pub constants: &'a [Cell],
    pub summaries: &'a [Summary],
}

/// What an entry comes to.
#[derive(Clone, Debug, Default)]
pub(super) struct Certified {
    pub bounds: EntryBounds,
    pub cost: u64,
}

/// Inputs have to be in range before code is followed.
pub(super) fn check_inputs(program: &Program) -> Result<(), VerifyError> {
    if program.entries.len() != program.schema.actions.len() {
        return Err(VerifyError::program(Reason::EntryCount));
    }
    for (at, (entry, action)) in program.entries.iter().zip(&program.schema.actions).enumerate() {
        let refuse = |reason| VerifyError::item(reason, "entry", at);
        let mut inputs = entry.inputs.clone();
        inputs.sort_unstable();
        if !ascends(&inputs) {
            return Err(refuse(Reason::InputTwice));
        }
        let fields = action.context.len();
        if inputs.iter().any(|input| matches!(input, Input::Context(field) if *field as usize >= fields)) {
            return Err(refuse(Reason::InputRange));
        }
    }
    Ok(())
}

/// Checks the entries, `may_fail` and costs aside, and computes what they come to.
pub(super) fn check(flowed: &Flowed, kinds: &mut Kinds, work: &mut Work) -> Result<Vec<Certified>, VerifyError> {
    let mut reach = Reach::new(flowed.program);
    let mut certified = Vec::with_capacity(flowed.program.entries.len());
    for (number, entry) in flowed.program.entries.iter().enumerate() {
        let mut roots =
            Roots { flowed, kinds, entry: number as u32, certified: Certified::default(), functions: vec![] };
        for (at, rule) in entry.rules.iter().enumerate() {
            let place = Place::Rule { entry: number as u32, rule: at as u32 };
            roots.rule(rule).map_err(|reason| VerifyError::new(reason, place))?;
        }
        let refuse = |reason| VerifyError::item(reason, "entry", number);
        roots.index(&entry.index).map_err(refuse)?;
        check_places(flowed.program, entry, work).map_err(refuse)?;
        let Roots { certified: mut whole, functions, .. } = roots;
        let memos = reach.memo_costs(flowed, number as u32, &functions, work).map_err(refuse)?;
        whole.cost = whole.cost.saturating_add(memos);
        certified.push(whole);
    }
    Ok(certified)
}

/// Whether a condition can be an error.
pub(super) fn may_fail(flowed: &Flowed, rule: &Rule) -> bool {
    let summary = flowed.summaries.get(rule.condition.0 as usize);
    summary.is_none_or(|summary| summary.result.may_be(state::ERROR))
}

/// The functions that an entry starts, and what they add up to.
struct Roots<'a, 'k> {
    flowed: &'a Flowed<'a>,
    kinds: &'k mut Kinds,
    entry: u32,
    certified: Certified,
    functions: Vec<u32>,
}

impl Roots<'_, '_> {
    fn add_cost(&mut self, steps: u64) {
        self.certified.cost = self.certified.cost.saturating_add(steps);
    }

    /// A function that the entry starts: what it gives. Its cost counts; of memo functions later, once.
    fn root(&mut self, id: FunctionId) -> Result<Cell, Reason> {
        let function = self.flowed.program.functions.get(id.0 as usize).ok_or(Reason::FunctionRange)?;
        let of_another = function.entry.is_some_and(|entry| entry != self.entry);
        if of_another || !function.parameters.is_empty() {
            return Err(Reason::RootFunction);
        }
        let summary = self.flowed.summaries.get(id.0 as usize).ok_or(Reason::FunctionRange)?;
        self.functions.push(id.0);
        self.add_cost(if function.memo { 1 } else { summary.cost.saturating_add(1) });
        let bounds = &mut self.certified.bounds;
        bounds.stack_slots = bounds.stack_slots.max(summary.stack_slots);
        bounds.call_depth = bounds.call_depth.max(summary.call_depth);
        Ok(summary.result)
    }

    fn string(&self, id: StringId) -> Result<(), Reason> {
        if (id.0 as usize) < self.flowed.program.strings.len() { Ok(()) } else { Err(Reason::StringRange) }
    }

    fn rule(&mut self, rule: &Rule) -> Result<(), Reason> {
        self.string(rule.id)?;
        rule.code.map_or(Ok(()), |code| self.string(code))?;
        if rule.site.0 >= self.flowed.program.site_count {
            return Err(Reason::SiteRange);
        }
        let condition = self.root(rule.condition)?;
        let is_bool = matches!(condition.kind, Kind::BOOL | Kind::NEVER);
        if !is_bool || condition.may_be(state::ABSENT) {
            return Err(Reason::ConditionType);
        }
        for part in &rule.message {
            match part {
                MessagePart::Text(id) => self.string(*id)?,
                MessagePart::Value(id) => self.message_value(*id)?,
            }
        }
        if rule.gate.is_some() != (rule.effect == Effect::RequireApproval) {
            return Err(Reason::GateMissing);
        }
        self.gate(rule)?;
        self.obligations(rule)
    }

    fn message_value(&mut self, id: FunctionId) -> Result<(), Reason> {
        let value = self.root(id)?;
        if !self.kinds.is_scalar(value.kind) {
            return Err(Reason::MessageType);
        }
        Ok(())
    }

    fn gate(&mut self, rule: &Rule) -> Result<(), Reason> {
        let Some(gate) = &rule.gate else { return Ok(()) };
        self.group(gate.from)?;
        let quorum = self.root(gate.quorum)?;
        if !matches!(quorum.kind, Kind::INT | Kind::NEVER) || quorum.may_be(state::ABSENT) {
            return Err(Reason::GateType);
        }
        for (group, _) in &gate.escalations {
            self.group(*group)?;
        }
        let in_order = gate.escalations.windows(2).all(|pair| pair[0].1 < pair[1].1);
        let times = gate.within_ms.iter().chain(gate.escalations.iter().map(|(_, after)| after));
        if !in_order || times.copied().any(|time| time < 0) { Err(Reason::GateTime) } else { Ok(()) }
    }

    fn group(&mut self, id: FunctionId) -> Result<(), Reason> {
        let group = self.root(id)?;
        match self.kinds.data(group.kind) {
            Data::Entity(_) | Data::Never if !group.may_be(state::ABSENT) => Ok(()),
            _ => Err(Reason::GateType),
        }
    }

    fn obligations(&mut self, rule: &Rule) -> Result<(), Reason> {
        if !rule.obligations.is_empty() && !matches!(rule.effect, Effect::Allow | Effect::RequireApproval) {
            return Err(Reason::ObligationEffect);
        }
        for (of, arguments) in &rule.obligations {
            let of = self.flowed.program.schema.obligations.get(*of as usize).ok_or(Reason::ObligationRange)?;
            if arguments.len() != of.parameters.len() {
                return Err(Reason::ObligationArguments);
            }
            for (argument, (_, ty)) in arguments.iter().zip(&of.parameters) {
                let value = self.root(*argument)?;
                // Whoever discharges the obligation looks at all of it.
                self.add_cost(self.kinds.elements(value.kind));
                let shape = self.kinds.ty(*ty);
                if !self.kinds.cell_fits(value, shape) {
                    return Err(Reason::ObligationArguments);
                }
            }
        }
        Ok(())
    }

    /// Types, order and cost of the index.
    fn index(&mut self, index: &Index) -> Result<(), Reason> {
        for key in &index.keys {
            match key {
                Key::Equal { values, buckets } => self.equal(values, buckets)?,
                Key::Member { set, buckets } => self.member(*set, buckets)?,
                Key::Below { value, rules } | Key::Above { value, rules } => self.range(*value, rules)?,
            }
        }
        Ok(())
    }

    fn constant(&mut self, id: ConstantId, kind: Kind) -> Result<(), Reason> {
        let constant = *self.flowed.constants.get(id.0 as usize).ok_or(Reason::ConstantRange)?;
        let of_kind = self.kinds.is_scalar(constant.kind) && self.kinds.join(constant.kind, kind).is_some();
        if of_kind && !constant.may_be(state::ABSENT) { Ok(()) } else { Err(Reason::IndexType) }
    }

    fn equal(&mut self, values: &[FunctionId], buckets: &[(Vec<ConstantId>, Vec<u32>)]) -> Result<(), Reason> {
        let mut of = Vec::with_capacity(values.len());
        for value in values {
            let cell = self.root(*value)?;
            if !self.kinds.is_scalar(cell.kind) {
                return Err(Reason::IndexType);
            }
            of.push(cell.kind);
        }
        if values.is_empty() || buckets.is_empty() || buckets.windows(2).any(|pair| pair[0].0 >= pair[1].0) {
            return Err(Reason::IndexOrder);
        }
        for (constants, _) in buckets {
            if constants.len() != of.len() {
                return Err(Reason::IndexType);
            }
            for (constant, kind) in constants.iter().zip(&of) {
                self.constant(*constant, *kind)?;
            }
        }
        self.add_cost(search_steps(buckets.len()));
        Ok(())
    }

    fn member(&mut self, set: FunctionId, buckets: &[(ConstantId, Vec<u32>)]) -> Result<(), Reason> {
        let cell = self.root(set)?;
        let (kind, bound) = match self.kinds.data(cell.kind) {
            Data::Set(inner, bound) => (*inner, *bound),
            Data::Never => (Kind::NEVER, 0),
            _ => return Err(Reason::IndexType),
        };
        if buckets.is_empty() || buckets.windows(2).any(|pair| pair[0].0 >= pair[1].0) {
            return Err(Reason::IndexOrder);
        }
        for (constant, _) in buckets {
            self.constant(*constant, kind)?;
        }
        self.add_cost(search_steps(buckets.len()).saturating_mul(u64::from(bound)).saturating_add(1));
        Ok(())
    }

    fn range(&mut self, value: FunctionId, rules: &[(ConstantId, u32)]) -> Result<(), Reason> {
        let cell = self.root(value)?;
        match self.kinds.data(cell.kind) {
            Data::Never | Data::Int | Data::Decimal | Data::Duration | Data::Timestamp => {}
            _ => return Err(Reason::IndexType),
        }
        let constants = &self.flowed.program.constants;
        for (constant, _) in rules {
            self.constant(*constant, cell.kind)?;
        }
        let ascending = rules.windows(2).all(|pair| {
            let [(a, x), (b, y)] = [pair[0], pair[1]];
            match compare(&constants[a.0 as usize].value, &constants[b.0 as usize].value) {
                Some(Ordering::Less) => true,
                Some(Ordering::Equal) => x < y,
                _ => false,
            }
        });
        if rules.is_empty() || !ascending {
            return Err(Reason::IndexOrder);
        }
        self.add_cost(search_steps(rules.len()));
        Ok(())
    }
}

/// Steps of a search by halves among so many.
fn search_steps(count: usize) -> u64 {
    u64::from(usize::BITS - count.leading_zeros()) + 1
}

/// Every rule is in exactly one place of the index.
fn check_places(program: &Program, entry: &Entry, work: &mut Work) -> Result<(), Reason> {
    let _ = program;
    work.spend(entry.rules.len())?;
    // Under which key each rule was seen, from 1; 0 is nowhere.
    let mut seen = vec![0_usize; entry.rules.len()];
    let mut count = 0;
    let mut see = |rule: u32, key: usize, again: bool| match seen.get_mut(rule as usize) {
        Some(seen) if *seen == 0 => {
            *seen = key;
            count += 1;
            Ok(())
        }
        Some(seen) if again && *seen == key => Ok(()),
        _ => Err(Reason::IndexRules),
    };
    let list = |rules: &[u32]| if ascends(rules) { Ok(()) } else { Err(Reason::IndexOrder) };
    list(&entry.index.rest)?;
    entry.index.rest.iter().try_for_each(|rule| see(*rule, usize::MAX, false))?;
    for (key, number) in entry.index.keys.iter().zip(1..) {
        match key {
            Key::Equal { buckets, .. } => {
                for (_, rules) in buckets {
                    list(rules)?;
                    rules.iter().try_for_each(|rule| see(*rule, number, true))?;
                }
            }
            Key::Member { buckets, .. } => {
                for (_, rules) in buckets {
                    list(rules)?;
                    rules.iter().try_for_each(|rule| see(*rule, number, false))?;
                }
            }
            Key::Below { rules, .. } | Key::Above { rules, .. } => {
                rules.iter().try_for_each(|(_, rule)| see(*rule, number, false))?;
            }
        }
    }
    if count == entry.rules.len() { Ok(()) } else { Err(Reason::IndexRules) }
}

/// Which functions call which, flat, and which of them were seen for the entry at hand.
struct Reach {
    callees: Vec<u32>,
    /// Where the callees of each function begin; one more for the end.
    starts: Vec<u32>,
    seen: Vec<u32>,
}

impl Reach {
    fn new(program: &Program) -> Reach {
        use crate::bytecode::op::Op;
        let mut reach = Reach { callees: vec![], starts: vec![0], seen: vec![u32::MAX; program.functions.len()] };
        for function in &program.functions {
            let first = reach.callees.len();
            for op in &program.code[function.code_start as usize..function.code_end as usize] {
                match op {
                    Op::Call { f, .. } => reach.callees.push(f.get()),
                    Op::Force { f, .. } => reach.callees.push(*f),
                    _ => {}
                }
            }
            reach.callees[first..].sort_unstable();
            // Duplicates within the tail that this function added.
            let mut kept = first;
            for at in first..reach.callees.len() {
                if at == first || reach.callees[at] != reach.callees[kept - 1] {
                    reach.callees[kept] = reach.callees[at];
                    kept += 1;
                }
            }
            reach.callees.truncate(kept);
            reach.starts.push(kept as u32);
        }
        reach
    }

    /// The cost of all memo functions that these functions, and what they call, can force; each once.
    fn memo_costs(&mut self, flowed: &Flowed, entry: u32, roots: &[u32], work: &mut Work) -> Result<u64, Reason> {
        let mut cost = 0_u64;
        let mut open: Vec<u32> = Vec::new();
        for root in roots {
            open.push(*root);
            while let Some(function) = open.pop() {
                let at = function as usize;
                if self.seen[at] == entry {
                    continue;
                }
                self.seen[at] = entry;
                if flowed.program.functions[at].memo {
                    cost = cost.saturating_add(flowed.summaries[at].cost);
                }
                let callees = &self.callees[self.starts[at] as usize..self.starts[at + 1] as usize];
                work.spend(callees.len() + 1)?;
                open.extend(callees.iter().filter(|callee| self.seen[**callee as usize] != entry));
            }
        }
        Ok(cost)
    }
}

//! Expressions to instructions.
//!
//! `lower` puts the value of an expression into a slot and says whether it may be an error. Where control flow hangs on a
//! value that may be one, the error is carried on; everywhere else the instructions carry it by themselves.

mod loops;

use std::collections::HashMap;

use crate::bytecode::op::{Op, Slot, U24};
use crate::bytecode::program::{FunctionId, Input};
use crate::compile::function::{Builder, Label, Signature};
use crate::compile::matching;
use crate::compile::pool::{FunctionKey, Pool, strip_optional};
use crate::compile::shape::{Shape, Shapes, Unit};
use crate::data::pattern;
use crate::types::operator::Operator;
use crate::types::ty::Type;
use crate::types::typed::{
    ActionDef, Const, Expr, ExprKind, FunctionBody, FunctionId as TypedFunctionId, LetDef, LocalId, PatternSource,
    TypedPolicy,
};

/// What the functions of one action share.
#[derive(Debug)]
pub(super) struct ActionState<'a> {
    pub(super) entry: u32,
    pub(super) action: &'a ActionDef,
    pub(super) inputs: Vec<Input>,
    pub(super) shapes: Shapes,
    memos: HashMap<Memo, (FunctionId, bool)>,
    values: HashMap<Shape, (FunctionId, bool)>,
}

impl<'a> ActionState<'a> {
    pub(super) fn new(entry: u32, action: &'a ActionDef) -> ActionState<'a> {
        ActionState {
            entry,
            action,
            inputs: Vec::new(),
            shapes: Shapes::default(),
            memos: HashMap::new(),
            values: HashMap::new(),
        }
    }

    /// The number of an input.
    fn input(&mut self, input: Input) -> u32 {
        if let Some(place) = self.inputs.iter().position(|&known| known == input) {
            return place as u32;
        }
        self.inputs.push(input);
        self.inputs.len() as u32 - 1
    }
}

/// What is computed at most once for an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Memo {
    Shape(Shape),
    Let(u32, u32, LocalId),
}

/// What a local is.
#[derive(Clone, Copy, Debug)]
enum Binding<'a> {
    /// In a slot; whether it may be an error.
    Slot(Slot, bool),
    /// By need.
    Let(&'a LetDef),
}

/// The lowering of one policy, invariant or function.
#[derive(Debug)]
pub(super) struct Lowering<'a, 'p> {
    pub(super) policy: &'a TypedPolicy,
    pub(super) pool: &'p mut Pool,
    pub(super) state: Option<&'p mut ActionState<'a>>,
    pub(super) unit: Unit,
    locals: HashMap<LocalId, Binding<'a>>,
}

impl<'a, 'p> Lowering<'a, 'p> {
    pub(super) fn new(
        policy: &'a TypedPolicy,
        pool: &'p mut Pool,
        state: Option<&'p mut ActionState<'a>>,
        unit: Unit,
        lets: &'a [LetDef],
    ) -> Lowering<'a, 'p> {
        let locals = lets.iter().map(|def| (def.local, Binding::Let(def))).collect();
        Lowering { policy, pool, state, unit, locals }
    }

    /// Counts what the expression and the lets it reads ask for, before anything is lowered.
    pub(super) fn count(&mut self, expr: &'a Expr) {
        let locals = &self.locals;
        let is_let = |local| matches!(locals.get(&local), Some(Binding::Let(_)));
        if let Some(state) = &mut self.state {
            state.shapes.count(expr, self.unit, &is_let);
        }
    }

    /// A function of the action, without parameters, that gives the value of the expression; the same one for the same
    /// expression where that can't fail.
    pub(super) fn value_function(&mut self, expr: &'a Expr) -> (FunctionId, bool) {
        let shape = if expr.fallible { None } else { self.shape(expr) };
        if let Some(known) = shape.and_then(|shape| self.state.as_ref()?.values.get(&shape)) {
            return *known;
        }
        let made = self.build(expr, false, None);
        if let (Some(shape), Some(state)) = (shape, &mut self.state) {
            state.values.insert(shape, made);
        }
        made
    }

    /// The shape of an expression of an action.
    pub(super) fn shape(&mut self, expr: &'a Expr) -> Option<Shape> {
        let locals = &self.locals;
        let is_let = |local| matches!(locals.get(&local), Some(Binding::Let(_)));
        self.state.as_mut()?.shapes.of(expr, self.unit, &is_let)
    }

    /// The expression that a local stands for, if it is a `let`.
    pub(super) fn let_value(&self, local: LocalId) -> Option<&'a Expr> {
        match self.locals.get(&local) {
            Some(Binding::Let(def)) => Some(&def.value),
            _ => None,
        }
    }

    fn build(&mut self, expr: &'a Expr, memo: bool, skip: Option<Shape>) -> (FunctionId, bool) {
        let mut builder = Builder::default();
        let slot = builder.slot();
        let may_fail = self.lower_unless(&mut builder, expr, slot, skip);
        builder.emit(Op::Return { a: slot });
        let entry = self.state.as_ref().map(|state| state.entry);
        let result = self.pool.schema.type_id(&expr.ty);
        let signature = Signature { entry, memo, parameters: Vec::new(), result, span: expr.span };
        (builder.finish(self.pool, signature), may_fail)
    }

    fn force(&mut self, b: &mut Builder, memo: Memo, expr: &'a Expr, dst: Slot) -> bool {
        let known = self.state.as_ref().and_then(|state| state.memos.get(&memo).copied());
        let (function, may_fail) = known.unwrap_or_else(|| {
            let skip = if let Memo::Shape(shape) = memo { Some(shape) } else { None };
            let made = self.build(expr, true, skip);
            if let Some(state) = &mut self.state {
                state.memos.insert(memo, made);
            }
            made
        });
        b.emit(Op::Force { a: dst, f: function.0 });
        may_fail
    }

    /// Puts the value of the expression into the slot; whether it may be an error.
    pub(super) fn lower(&mut self, b: &mut Builder, expr: &'a Expr, dst: Slot) -> bool {
        self.lower_unless(b, expr, dst, None)
    }

    fn lower_unless(&mut self, b: &mut Builder, expr: &'a Expr, dst: Slot, skip: Option<Shape>) -> bool {
        if let Some(state) = &mut self.state {
            let locals = &self.locals;
            let is_let = |local| matches!(locals.get(&local), Some(Binding::Let(_)));
            if let Some(shape) = state.shapes.shared(expr, self.unit, &is_let)
                && skip != Some(shape)
            {
                return self.force(b, Memo::Shape(shape), expr, dst);
            }
        }
        let mark = b.mark();
        let may_fail = self.lower_kind(b, expr, dst);
        b.release(mark);
        may_fail
    }

    fn lower_kind(&mut self, b: &mut Builder, expr: &'a Expr, dst: Slot) -> bool {
        match &expr.kind {
            ExprKind::Const(value) => self.constant(b, value, &expr.ty, dst),
            ExprKind::Local(local) => self.local(b, *local, dst),
            ExprKind::Parameter(id) => {
                let policy = self.policy;
                let value = &policy.instances[self.unit.instance as usize].arguments[id.0 as usize];
                self.constant(b, value, &expr.ty, dst)
            }
            ExprKind::Subject => self.read(b, Input::Subject, dst),
            ExprKind::Resource => self.read(b, Input::Resource, dst),
            ExprKind::Context(name) => {
                let state = self.state.as_ref().expect("only actions have a context");
                let place = state.action.context.iter().position(|field| field.name == *name);
                self.read(b, Input::Context(place.expect("the checker found the field") as u32), dst)
            }
            ExprKind::ActionName => {
                let name = self.state.as_ref().expect("only rules have an action").action.wire.clone();
                self.constant(b, &Const::String(name), &expr.ty, dst)
            }
            ExprKind::Attribute(entity, name) => {
                let may_fail = self.lower(b, entity, dst);
                let Type::Entity(types) = &entity.ty else { unreachable!("attributes are entities'") };
                let selector = self.pool.selector(self.policy, types, name);
                b.emit(Op::Attribute { a: dst, b: dst, s: U24::new(selector.0).unwrap_or_default() });
                may_fail
            }
            ExprKind::Field(record, place) => {
                let may_fail = self.lower(b, record, dst);
                b.emit(Op::Field { a: dst, b: dst, n: *place as u16 });
                may_fail
            }
            ExprKind::Operator(operator, operands) => self.operator(b, expr, *operator, operands, dst),
            ExprKind::Matches(text, source) => {
                let may_fail = self.lower(b, text, dst);
                let regex = match source {
                    PatternSource::Regex(regex) => regex.to_string(),
                    PatternSource::Glob(glob) => {
                        pattern::glob_to_regex(glob).expect("the checker has compiled every pattern")
                    }
                };
                let p = self.pool.pattern(&regex);
                b.emit(Op::Matches { a: dst, b: dst, p: U24::new(p.0).unwrap_or_default() });
                may_fail
            }
            ExprKind::IsPresent(value) => {
                let may_fail = self.lower(b, value, dst);
                b.emit(Op::IsPresent { a: dst, b: dst });
                may_fail
            }
            ExprKind::Narrowed(value) => {
                let may_fail = expr.fallible | self.lower(b, value, dst);
                if matches!(value.ty, Type::Optional(_)) {
                    let site = self.pool.site(expr.span, self.unit.instance);
                    b.emit_failing(Op::Unwrap { a: dst, b: dst }, site);
                }
                if let (Type::Entity(types), true) = (&expr.ty, *strip_optional(&value.ty) != expr.ty) {
                    let site = self.pool.site(expr.span, self.unit.instance);
                    let t = self.pool.type_set(types);
                    b.emit_failing(Op::Narrow { a: dst, b: dst, t: U24::new(t.0).unwrap_or_default() }, site);
                }
                may_fail
            }
            ExprKind::Default(value, default) => self.default(b, expr, value, default, dst),
            ExprKind::IsType(entity, types) => {
                let may_fail = self.lower(b, entity, dst);
                let t = self.pool.type_set(types);
                b.emit(Op::IsType { a: dst, b: dst, t: U24::new(t.0).unwrap_or_default() });
                may_fail
            }
            ExprKind::StepsTo(_, from, to) => {
                let from_fails = self.lower(b, from, dst);
                let other = b.slot();
                let to_fails = self.lower(b, to, other);
                b.emit(Op::StepsTo { a: dst, b: dst, c: other });
                from_fails | to_fails
            }
            ExprKind::If(condition, yes, no) => self.branch(b, condition, yes, no, dst),
            ExprKind::Match(scrutinee, arms) => {
                let value = b.slot();
                let fails = self.lower(b, scrutinee, value);
                let rows: Vec<_> = arms.iter().map(|(pattern, value)| (std::slice::from_ref(pattern), value)).collect();
                matching::rows(self, b, &[matching::Column { slot: value, ty: &scrutinee.ty, fails }], &rows, dst)
            }
            ExprKind::Call(function, arguments) => self.call(b, expr, *function, arguments, dst),
            ExprKind::Quantifier(quantifier, local, over, body) => {
                self.quantifier(b, *quantifier, *local, over, body, dst)
            }
            ExprKind::Acyclic(local, over, node, edges) => self.acyclic(b, *local, over, node, edges, dst),
            ExprKind::Set(items) => {
                let (first, fails) = self.values(b, items.iter());
                b.emit(Op::MakeSet { a: dst, b: first, n: items.len() as u16 });
                fails
            }
            ExprKind::List(items) => {
                let (first, fails) = self.values(b, items.iter());
                b.emit(Op::MakeList { a: dst, b: first, n: items.len() as u16 });
                fails
            }
            ExprKind::Record(record, items) => {
                let (first, fails) = self.values(b, items.iter());
                b.emit(Op::MakeRecord { a: dst, b: first, r: U24::new(record.0).unwrap_or_default() });
                fails
            }
            ExprKind::Map(items) => {
                let slots: Vec<(Slot, Slot)> = items.iter().map(|_| (b.slot(), b.slot())).collect();
                let mut fails = false;
                for ((key, value), &(key_slot, value_slot)) in items.iter().zip(&slots) {
                    let ty = Type::String(key.len() as u32);
                    self.constant(b, &Const::String(key.clone()), &ty, key_slot);
                    fails |= self.lower(b, value, value_slot);
                }
                b.emit(Op::MakeMap { a: dst, b: slots[0].0, n: items.len() as u16 });
                fails
            }
        }
    }

    pub(super) fn constant(&mut self, b: &mut Builder, value: &Const, ty: &Type, dst: Slot) -> bool {
        let k = self.pool.constant(value, ty);
        b.emit(Op::Const { a: dst, k: k.0 });
        false
    }

    fn local(&mut self, b: &mut Builder, local: LocalId, dst: Slot) -> bool {
        match self.locals[&local] {
            Binding::Slot(slot, may_fail) => {
                if slot != dst {
                    b.emit(Op::Move { a: dst, b: slot });
                }
                may_fail
            }
            Binding::Let(def) if is_cheap(&def.value) => self.lower(b, &def.value, dst),
            Binding::Let(def) => {
                let memo = Memo::Let(self.unit.number, self.unit.instance, local);
                self.force(b, memo, &def.value, dst)
            }
        }
    }

    fn read(&mut self, b: &mut Builder, input: Input, dst: Slot) -> bool {
        let i = self.state.as_mut().expect("only actions have inputs").input(input);
        b.emit(Op::Read { a: dst, i });
        false
    }

    /// The values in slots that follow each other: the first of them.
    fn values(&mut self, b: &mut Builder, items: impl ExactSizeIterator<Item = &'a Expr>) -> (Slot, bool) {
        let slots: Vec<Slot> = (0..items.len()).map(|_| b.slot()).collect();
        let mut fails = false;
        for (item, &slot) in items.zip(&slots) {
            fails |= self.lower(b, item, slot);
        }
        (slots.first().copied().unwrap_or(Slot(0)), fails)
    }

    /// A Bool that is known while compiling, once the module's parameters have their values.
    fn known(&self, expr: &Expr) -> Option<bool> {
        match &expr.kind {
            ExprKind::Const(Const::Bool(value)) => Some(*value),
            ExprKind::Parameter(id) => {
                match self.policy.instances[self.unit.instance as usize].arguments[id.0 as usize] {
                    Const::Bool(value) => Some(value),
                    _ => None,
                }
            }
            ExprKind::Operator(Operator::Not, operands) => self.known(&operands[0]).map(|value| !value),
            _ => None,
        }
    }

    fn branch(&mut self, b: &mut Builder, condition: &'a Expr, yes: &'a Expr, no: &'a Expr, dst: Slot) -> bool {
        if let Some(value) = self.known(condition) {
            return self.lower(b, if value { yes } else { no }, dst);
        }
        let (otherwise, failed, end) = (b.label(), b.label(), b.label());
        let test = b.slot();
        let test_fails = self.lower(b, condition, test);
        if test_fails {
            b.jump_error(test, failed);
        }
        b.jump_false(test, otherwise);
        let yes_fails = self.lower(b, yes, dst);
        b.jump(end);
        b.place(otherwise);
        let no_fails = self.lower(b, no, dst);
        if test_fails {
            b.jump(end);
        }
        self.raise(b, test_fails, failed, test, dst);
        b.place(end);
        test_fails | yes_fails | no_fails
    }

    /// Where an error was found in a slot: makes it the result. Whoever falls through has jumped to the end before.
    pub(super) fn raise(&mut self, b: &mut Builder, fails: bool, failed: Label, from: Slot, dst: Slot) {
        b.place(failed);
        if fails {
            b.emit(Op::Raise { a: dst, b: from });
        }
    }

    fn default(&mut self, b: &mut Builder, expr: &'a Expr, value: &'a Expr, default: &'a Expr, dst: Slot) -> bool {
        let (absent, end) = (b.label(), b.label());
        let value_fails = self.lower(b, value, dst);
        if value_fails {
            // An error stays as it is, but its slot must be of the result's type.
            let fine = b.label();
            let failed = b.label();
            b.jump_error(dst, failed);
            b.jump(fine);
            b.place(failed);
            b.emit(Op::Raise { a: dst, b: dst });
            b.jump(end);
            b.place(fine);
        }
        b.jump_absent(dst, absent);
        if !matches!(expr.ty, Type::Optional(_)) {
            let site = self.pool.site(expr.span, self.unit.instance);
            b.emit_failing(Op::Unwrap { a: dst, b: dst }, site);
        }
        b.jump(end);
        b.place(absent);
        let default_fails = self.lower(b, default, dst);
        b.place(end);
        value_fails | default_fails
    }

    fn call(
        &mut self,
        b: &mut Builder,
        expr: &'a Expr,
        function: TypedFunctionId,
        arguments: &'a [Expr],
        dst: Slot,
    ) -> bool {
        let slots: Vec<Slot> = arguments.iter().map(|_| b.slot()).collect();
        let fallible: Vec<bool> = arguments.iter().zip(&slots).map(|(item, &slot)| self.lower(b, item, slot)).collect();
        let (id, may_fail) = self.function(function, fallible);
        let first = slots.first().copied().unwrap_or(Slot(0));
        match U24::new(id.0) {
            Some(f) => b.emit(Op::Call { a: dst, b: first, f }),
            None => self.pool.overflows.push((expr.span, "the package has too many functions".to_owned())),
        }
        may_fail
    }

    /// The function, lowered for these arguments and this instance.
    fn function(&mut self, function: TypedFunctionId, fallible: Vec<bool>) -> (FunctionId, bool) {
        let policy = self.policy;
        let def = &policy.functions[function.index()];
        let instance = (!policy.modules[def.module.index()].parameters.is_empty()).then_some(self.unit.instance);
        let key = FunctionKey { function, fallible: fallible.clone(), instance };
        if let Some(&known) = self.pool.function_places.get(&key) {
            return known;
        }
        let mut inner = Lowering::new(policy, self.pool, None, self.unit, &[]);
        let mut b = Builder::default();
        let mut columns = Vec::new();
        for (parameter, &fails) in def.parameters.iter().zip(&fallible) {
            let slot = b.slot();
            inner.locals.insert(parameter.local, Binding::Slot(slot, fails));
            columns.push(matching::Column { slot, ty: &parameter.ty, fails });
        }
        let dst = b.slot();
        let may_fail = match &def.body {
            FunctionBody::Expr(body) => inner.lower(&mut b, body, dst),
            FunctionBody::Table(rows) => {
                let rows: Vec<_> = rows.iter().map(|row| (&row.patterns[..], &row.value)).collect();
                matching::rows(&mut inner, &mut b, &columns, &rows, dst)
            }
        };
        b.emit(Op::Return { a: dst });
        let parameters = def.parameters.iter().map(|parameter| self.pool.schema.type_id(&parameter.ty)).collect();
        let result = self.pool.schema.type_id(&def.result);
        let signature = Signature { entry: None, memo: false, parameters, result, span: def.span };
        let made = (b.finish(self.pool, signature), may_fail);
        self.pool.function_places.insert(key, made);
        made
    }

    fn connective(&mut self, b: &mut Builder, operator: Operator, operands: &'a [Expr], dst: Slot) -> bool {
        let (left, right) = (&operands[0], &operands[1]);
        // The value of the left side that settles the result: false of `and`, `implies`; true of `or`.
        let settles = operator == Operator::Or;
        let result_when_settled = operator != Operator::And;
        match self.known(left) {
            Some(value) if value == settles => {
                return self.constant(b, &Const::Bool(result_when_settled), &Type::Bool, dst);
            }
            Some(_) => return self.lower(b, right, dst),
            None => {}
        }
        match (operator, self.known(right)) {
            (Operator::And, Some(true)) | (Operator::Or, Some(false)) => return self.lower(b, left, dst),
            (Operator::And, Some(false)) => return self.constant(b, &Const::Bool(false), &Type::Bool, dst),
            (Operator::Or | Operator::Implies, Some(true)) => {
                return self.constant(b, &Const::Bool(true), &Type::Bool, dst);
            }
            _ => {}
        }
        let end = b.label();
        let left_fails = self.lower(b, left, dst);
        if operator == Operator::Implies {
            b.emit(Op::Not { a: dst, b: dst });
        }
        if operator == Operator::And {
            b.jump_false(dst, end);
        } else {
            b.jump_true(dst, end);
        }
        let right_fails = if left_fails {
            let other = b.slot();
            let right_fails = self.lower(b, right, other);
            b.emit(match operator {
                Operator::And => Op::And { a: dst, b: dst, c: other },
                _ => Op::Or { a: dst, b: dst, c: other },
            });
            right_fails
        } else {
            self.lower(b, right, dst)
        };
        b.place(end);
        left_fails | right_fails
    }

    fn operator(
        &mut self,
        b: &mut Builder,
        expr: &'a Expr,
        operator: Operator,
        operands: &'a [Expr],
        dst: Slot,
    ) -> bool {
        match operator {
            Operator::And | Operator::Or | Operator::Implies => return self.connective(b, operator, operands, dst),
            _ => {}
        }
        if let Some(fails) = self.with_constant(b, expr, operator, operands, dst) {
            return fails;
        }
        let first_fails = self.lower(b, &operands[0], dst);
        let (second, second_fails) = match operands.get(1) {
            Some(operand) => {
                let slot = b.slot();
                let fails = self.lower(b, operand, slot);
                (slot, fails)
            }
            None => (dst, false),
        };
        let op = plain(operator, dst, dst, second);
        if fails_by_itself(operator) {
            let site = self.pool.site(expr.span, self.unit.instance);
            b.emit_failing(op, site);
        } else {
            b.emit(op);
        }
        expr.fallible | first_fails | second_fails
    }

    /// The instructions that have a constant in them.
    fn with_constant(
        &mut self,
        b: &mut Builder,
        expr: &'a Expr,
        operator: Operator,
        operands: &'a [Expr],
        dst: Slot,
    ) -> Option<bool> {
        let constant = |this: &Self, at: usize| this.constant_of(operands.get(at)?);
        let (value, at) = match operator {
            Operator::IntDivide | Operator::DecimalDivide => (constant(self, 1)?, 1),
            Operator::Equal | Operator::NotEqual | Operator::Contains => match constant(self, 1) {
                Some(value) => (value, 1),
                None => (constant(self, 0)?, 0),
            },
            _ => return None,
        };
        let k = U24::new(self.pool.constant(&value, &operands[at].ty).0)?;
        let fails = self.lower(b, &operands[1 - at], dst);
        match (operator, at) {
            (Operator::IntDivide, _) => {
                let site = self.pool.site(expr.span, self.unit.instance);
                b.emit_failing(Op::IntDivide { a: dst, b: dst, k }, site);
            }
            (Operator::DecimalDivide, _) => {
                let site = self.pool.site(expr.span, self.unit.instance);
                b.emit_failing(Op::DecimalDivide { a: dst, b: dst, k }, site);
            }
            (Operator::Contains, 1) => b.emit(Op::ContainsConst { a: dst, b: dst, k }),
            (Operator::Contains, _) if matches!(value, Const::Set(_)) => b.emit(Op::InConst { a: dst, b: dst, k }),
            (Operator::Contains, _) => {
                let list = b.slot();
                b.emit(Op::Const { a: list, k: k.get() });
                b.emit(Op::Contains { a: dst, b: list, c: dst });
            }
            (Operator::Equal, _) => b.emit(Op::EqualConst { a: dst, b: dst, k }),
            _ => {
                b.emit(Op::EqualConst { a: dst, b: dst, k });
                b.emit(Op::Not { a: dst, b: dst });
            }
        }
        Some(expr.fallible | fails)
    }
}

/// What is as cheap to compute again as to fetch: constants and short paths.
fn is_cheap(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Const(_)
        | ExprKind::Local(_)
        | ExprKind::Parameter(_)
        | ExprKind::Subject
        | ExprKind::Resource
        | ExprKind::Context(_)
        | ExprKind::ActionName => true,
        ExprKind::Attribute(inner, _) | ExprKind::Field(inner, _) => is_cheap(inner),
        _ => false,
    }
}

/// Operations whose instruction is marked `fails`.
fn fails_by_itself(operator: Operator) -> bool {
    use Operator as O;
    matches!(
        operator,
        O::IntAdd
            | O::IntSubtract
            | O::IntMultiply
            | O::IntDivide
            | O::IntNegate
            | O::IntAbs
            | O::IntToDecimal
            | O::DecimalAdd
            | O::DecimalSubtract
            | O::DecimalMultiply
            | O::DecimalDivide
            | O::DecimalNegate
            | O::DecimalAbs
            | O::DurationAdd
            | O::DurationSubtract
            | O::DurationMultiply
            | O::DurationNegate
            | O::TimestampAdd
            | O::TimestampSubtract
            | O::SetUnion
    )
}

/// The instruction of an operation whose operands all lie in slots.
fn plain(operator: Operator, a: Slot, b: Slot, c: Slot) -> Op {
    macro_rules! table {
        (two { $($two:ident)* } one { $($one:ident)* } swapped { $($from:ident => $to:ident)* } none { $($none:ident)* }) => {
            match operator {
                $(Operator::$two => Op::$two { a, b, c },)*
                $(Operator::$one => Op::$one { a, b },)*
                $(Operator::$from => Op::$to { a, b: c, c: b },)*
                $(Operator::$none)|* => unreachable!("lowered elsewhere"),
            }
        };
    }
    table! {
        two {
            Equal NotEqual Less LessEqual IntAdd IntSubtract IntMultiply IntMin IntMax
            DecimalAdd DecimalSubtract DecimalMultiply DecimalMin DecimalMax
            DurationAdd DurationSubtract DurationMultiply TimestampAdd TimestampSubtract TimestampDifference
            StringStartsWith StringEndsWith StringContains IpInNet NetInNet UrlInUrl UrlHostInDomain PathInPath
            Contains MapHasKey ContainsAll ContainsAny SetUnion SetIntersect SetExcept ListGet MapGet
            EntityIn EntityInAny
        }
        one {
            Not IntNegate IntAbs IntToDecimal DecimalNegate DecimalAbs DecimalTruncate DurationNegate
            TimestampYear TimestampMonth TimestampDay TimestampHour TimestampMinute TimestampSecond TimestampWeekday
            StringLength IpIsLoopback IpIsPrivate IpIsLinkLocal IpIsMulticast IpIsUnspecified IpIsGlobal IpIsV6
            UrlScheme UrlHost UrlPort UrlPath UrlQuery UrlFragment UrlHasCredentials UrlHostAddress UrlText
            PathName PathExtension PathParent PathText PathDepth Size EntityId
        }
        swapped { Greater => Less  GreaterEqual => LessEqual }
        none { And Or Implies IntDivide DecimalDivide }
    }
}

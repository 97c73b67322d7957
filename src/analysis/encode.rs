//! From typed expressions to symbolic values.
//!
//! This says what the language means once more, after the reference evaluator of the tests and the compiler, and is held
//! against the machine on random programs. Errors are values here too: each value comes with the condition under which
//! it is an error, and logic on them is strong Kleene logic.

mod collections;
mod leaves;
mod numbers;
mod operators;
mod spell;
mod texts;
mod tree;

pub use spell::Otherwise;
pub use tree::{Joint, Read, Tree};

pub use texts::{address_word, net_word, word_address, word_net};

use std::collections::HashMap;
use std::sync::Arc;

pub use crate::analysis::encode::leaves::{Bound, Leaf, negated};
use crate::analysis::formula::F;
use crate::analysis::numbers::Linear;
use crate::analysis::value::{Choice, Shape, Sym, either};
use crate::analysis::world::World;
use crate::types::operator::Operator;
use crate::types::ty::Type;
use crate::types::typed::{
    Const, EntityTypeId, Expr, ExprKind, FunctionBody, FunctionId, LetDef, LocalId, ObligationId, Pattern, TableRow,
    TypedPolicy,
};

/// A value, and when it is an error instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Val {
    /// The value, where it is no error.
    pub sym: Sym,
    /// When it is one.
    pub error: F,
}

impl Val {
    /// What is never an error.
    #[must_use]
    pub fn sure(sym: Sym) -> Val {
        Val { sym, error: F::FALSE }
    }
}

/// The three things that a condition may come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Truth {
    /// When it is true.
    pub yes: F,
    /// When it is false.
    pub no: F,
    /// When it is an error.
    pub error: F,
}

/// Encodes expressions of one instance of a module, on one side of a world.
#[derive(Debug)]
pub struct Encoder<'w, 'a> {
    /// The world.
    pub world: &'w mut World<'a>,
    side: usize,
    policy: &'a TypedPolicy,
    instance: usize,
    lets: HashMap<LocalId, &'a Expr>,
    let_names: HashMap<LocalId, &'a str>,
    locals: HashMap<LocalId, Val>,
    names: HashMap<LocalId, String>,
    leaves: Vec<Leaf>,
    /// Within a quantifier: what is said there is about one element, not about the request.
    quiet: u32,
}

impl<'w, 'a> Encoder<'w, 'a> {
    /// An encoder of an instance, with these `let`s.
    pub fn new(world: &'w mut World<'a>, side: usize, instance: usize, lets: &'a [LetDef]) -> Encoder<'w, 'a> {
        let policy = world.sides[side];
        let let_names = lets.iter().map(|def| (def.local, &*def.name)).collect();
        let lets = lets.iter().map(|def| (def.local, &def.value)).collect();
        Encoder {
            world,
            side,
            policy,
            instance,
            lets,
            let_names,
            locals: HashMap::new(),
            names: HashMap::new(),
            leaves: Vec::new(),
            quiet: 0,
        }
    }

    /// What a condition comes to.
    pub fn condition(&mut self, expr: &Expr) -> Truth {
        let value = self.value(expr);
        self.truth(&value)
    }

    /// The name of an obligation in decisions.
    #[must_use]
    pub fn obligation(&self, id: ObligationId) -> Arc<str> {
        self.policy.obligations[id.index()].wire.clone()
    }

    /// The conditions without parts that were met, with what they come to.
    pub fn take_leaves(&mut self) -> Vec<Leaf> {
        std::mem::take(&mut self.leaves)
    }

    fn truth(&mut self, value: &Val) -> Truth {
        let truth = value.sym.truth();
        let formulas = &mut self.world.cx.formulas;
        Truth { yes: formulas.both(!value.error, truth), no: formulas.both(!value.error, !truth), error: value.error }
    }

    fn bool(&mut self, yes: F, no: F) -> Val {
        let error = self.world.cx.formulas.both(!yes, !no);
        Val { sym: Sym::Bool(yes), error }
    }

    /// A value of a type of which nothing is known.
    fn blurred(&mut self, reason: &str, ty: &Type, error: F) -> Val {
        self.world.blurred.insert(reason.to_owned());
        let mut types = vec![None; self.world.sides.len()];
        types[self.side] = Some(ty);
        let number = self.world.terms().count() + self.world.cx.formulas.len();
        let value = self.world.anything(&format!("?{number}").into(), &types);
        Val { sym: value.into_iter().nth(self.side).flatten().unwrap_or_else(Sym::absent), error }
    }

    fn pick(&mut self, condition: F, yes: Val, no: Val, ty: &Type) -> Val {
        let error = self.world.cx.formulas.ite(condition, yes.error, no.error);
        // What is always an error has no value to be chosen.
        if yes.error == F::TRUE || condition == F::FALSE {
            return Val { sym: no.sym, error };
        }
        if no.error == F::TRUE || condition == F::TRUE {
            return Val { sym: yes.sym, error };
        }
        match either(&mut self.world.cx, condition, &yes.sym, &no.sym) {
            Some(sym) => Val { sym, error },
            None => self.blurred("a value with very many alternatives", ty, error),
        }
    }

    /// The value of an expression.
    pub fn value(&mut self, expr: &Expr) -> Val {
        let value = self.value_of(expr);
        self.note(expr, &value);
        value
    }

    fn value_of(&mut self, expr: &Expr) -> Val {
        match &expr.kind {
            ExprKind::Const(value) => Val::sure(self.constant(value)),
            ExprKind::Local(local) => self.local(*local),
            ExprKind::Parameter(id) => {
                let value = &self.policy.instances[self.instance].arguments[id.index()];
                Val::sure(self.constant(value))
            }
            ExprKind::Subject => Val::sure(Sym::Entity(vec![(F::TRUE, self.world.subject)])),
            ExprKind::Resource => Val::sure(Sym::Entity(vec![(F::TRUE, self.world.resource)])),
            ExprKind::Context(name) => match self.world.context(self.side, name) {
                Some(sym) => Val::sure(sym),
                None => self.blurred("a field that the action does not have", &expr.ty, F::FALSE),
            },
            ExprKind::ActionName => {
                let name = self.world.action[self.side].map(|at| self.policy.actions[at].wire.clone());
                Val::sure(Sym::text(&name.unwrap_or_default()))
            }
            ExprKind::Attribute(inner, name) => self.attribute(inner, name, &expr.ty),
            ExprKind::Field(inner, place) => self.field(inner, *place, &expr.ty),
            ExprKind::Operator(operator, operands) => self.operator(expr, *operator, operands),
            ExprKind::Matches(text, source) => self.matches(text, source),
            ExprKind::IsPresent(inner) => {
                let value = self.value(inner);
                let present = match &value.sym {
                    Sym::Optional(present, _) => *present,
                    _ => F::TRUE,
                };
                Val { sym: Sym::Bool(present), error: value.error }
            }
            ExprKind::Narrowed(inner) => {
                let value = self.value(inner);
                match value.sym {
                    Sym::Optional(present, Some(sym)) => {
                        let error = self.world.cx.formulas.either(value.error, !present);
                        Val { sym: (*sym).clone(), error }
                    }
                    Sym::Optional(_, None) => self.blurred("", &expr.ty, F::TRUE),
                    sym => Val { sym, error: value.error },
                }
            }
            ExprKind::Default(inner, default) => {
                let value = self.value(inner);
                match value.sym {
                    Sym::Optional(present, Some(sym)) => {
                        let other = self.value(default);
                        let found = Val { sym: (*sym).clone(), error: F::FALSE };
                        let picked = self.pick(present, found, other, &expr.ty);
                        let error = self.world.cx.formulas.either(value.error, picked.error);
                        Val { sym: picked.sym, error }
                    }
                    Sym::Optional(_, None) => {
                        let other = self.value(default);
                        let error = self.world.cx.formulas.either(value.error, other.error);
                        Val { sym: other.sym, error }
                    }
                    sym => Val { sym, error: value.error },
                }
            }
            ExprKind::IsType(inner, types) => self.is_type(inner, types),
            ExprKind::StepsTo(of, from, to) => self.steps_to(*of, from, to),
            ExprKind::If(condition, yes, no) => {
                let condition = self.condition(condition);
                let yes = self.value(yes);
                let no = self.value(no);
                let picked = self.pick(condition.yes, yes, no, &expr.ty);
                let error = self.world.cx.formulas.either(condition.error, picked.error);
                Val { sym: picked.sym, error }
            }
            ExprKind::Match(scrutinee, arms) => {
                let value = [self.value(scrutinee)];
                let arms: Vec<(&[Pattern], &Expr)> =
                    arms.iter().map(|(pattern, arm)| (std::slice::from_ref(pattern), arm)).collect();
                let text = [self.shown(scrutinee)];
                self.rows(&value, &text, &arms, &expr.ty)
            }
            ExprKind::Call(function, arguments) => self.call(*function, arguments),
            ExprKind::Quantifier(quantifier, local, over, body) => self.quantifier(*quantifier, *local, over, body),
            ExprKind::Acyclic(local, over, node, edges) => self.acyclic(*local, over, node, edges),
            ExprKind::Set(items) => self.a_set(items),
            ExprKind::List(items) => self.a_list(items),
            ExprKind::Map(items) => self.a_map(items),
            ExprKind::Record(id, items) => self.a_record(*id, items),
        }
    }

    fn local(&mut self, local: LocalId) -> Val {
        if let Some(known) = self.locals.get(&local) {
            return known.clone();
        }
        let Some(expr) = self.lets.get(&local).copied() else {
            return Val { sym: Sym::absent(), error: F::TRUE };
        };
        let value = self.value(expr);
        self.locals.insert(local, value.clone());
        value
    }

    /// A constant.
    pub fn constant(&mut self, value: &Const) -> Sym {
        match value {
            Const::Absent => Sym::absent(),
            Const::Bool(value) => Sym::Bool(F::constant(*value)),
            Const::Int(value) => Sym::number((*value).into()),
            Const::Decimal(value) => Sym::number(value.0.into()),
            Const::Duration(value) => Sym::number(value.0.into()),
            Const::Timestamp(value) => Sym::number(value.millis().into()),
            Const::String(text) => Sym::text(text),
            Const::Ip(address) => Sym::text(&address_word(*address)),
            Const::Net(net) => Sym::text(&net_word(*net)),
            Const::Url(url) => Sym::text(url.as_str()),
            Const::Path(path) => Sym::text(path.as_str()),
            Const::Enum(of, variant) => {
                Sym::Variant(vec![(F::TRUE, self.policy.enums[of.index()].variants[*variant as usize].clone())])
            }
            Const::Entity(ty, id) => Sym::Entity(vec![(F::TRUE, self.world.literal(self.side, *ty, id))]),
            Const::Record(of, values) => {
                let values = values.iter().map(|value| self.constant(value)).collect();
                self.record(*of, values)
            }
            Const::Set(items) => {
                let values = items.iter().map(|item| self.constant(item)).collect();
                collections::fixed(Shape::Set, values)
            }
            Const::List(items) => {
                let values = items.iter().map(|item| self.constant(item)).collect();
                collections::fixed(Shape::List, values)
            }
            Const::Map(items) => {
                let items: Vec<(Arc<str>, Sym)> =
                    items.iter().map(|(key, value)| (key.clone(), self.constant(value))).collect();
                collections::fixed_map(items)
            }
        }
    }

    fn attribute(&mut self, inner: &Expr, name: &Arc<str>, ty: &Type) -> Val {
        let of = self.value(inner);
        let Sym::Entity(choice) = of.sym else { return self.blurred("an attribute", ty, of.error) };
        let mut result: Option<Val> = None;
        for (when, term) in choice {
            let (known, presented) = (self.world.term(term).known, self.world.term(term).presented);
            let Some(sym) = self.world.attribute(self.side, term, name) else { continue };
            let error = if presented { F::FALSE } else { !known };
            let value = Val { sym, error };
            result = Some(match result {
                None => value,
                Some(before) => self.pick(when, value, before, ty),
            });
        }
        match result {
            Some(value) => Val { error: self.world.cx.formulas.either(of.error, value.error), ..value },
            None => self.blurred("an attribute", ty, of.error),
        }
    }

    fn field(&mut self, inner: &Expr, place: u32, ty: &Type) -> Val {
        let of = self.value(inner);
        let name = match &inner.ty {
            Type::Record(id) => {
                self.policy.records[id.index()].fields.get(place as usize).map(|field| field.name.clone())
            }
            _ => None,
        };
        match name.and_then(|name| of.sym.field(&name).cloned()) {
            Some(sym) => Val { sym, error: of.error },
            None => self.blurred("a field", ty, of.error),
        }
    }

    fn is_type(&mut self, inner: &Expr, types: &[EntityTypeId]) -> Val {
        let of = self.value(inner);
        let Sym::Entity(choice) = of.sym else { return self.blurred("the type of an entity", &Type::Bool, of.error) };
        let mut cases = Vec::new();
        for (when, term) in choice {
            let name = &self.world.term(term).ty;
            if types.iter().any(|ty| self.policy.entity_types[ty.index()].wire == *name) {
                cases.push(when);
            }
        }
        Val { sym: Sym::Bool(self.world.cx.formulas.or(cases)), error: of.error }
    }

    fn steps_to(&mut self, of: crate::types::typed::EnumId, from: &Expr, to: &Expr) -> Val {
        let (from, to) = (self.value(from), self.value(to));
        let error = self.world.cx.formulas.either(from.error, to.error);
        let def = &self.policy.enums[of.index()];
        let (Sym::Variant(from), Sym::Variant(to), Some(lifecycle)) = (from.sym, to.sym, &def.lifecycle) else {
            return self.blurred("a step", &Type::Bool, error);
        };
        let place = |name: &Arc<str>| def.variants.iter().position(|variant| variant == name);
        let mut cases = Vec::new();
        for (when, one) in &from {
            for (and, other) in &to {
                let (Some(one), Some(other)) = (place(one), place(other)) else { continue };
                let other = u32::try_from(other).unwrap_or(u32::MAX);
                if lifecycle.steps.get(one).is_some_and(|steps| steps.contains(&other)) {
                    cases.push(self.world.cx.formulas.both(*when, *and));
                }
            }
        }
        Val { sym: Sym::Bool(self.world.cx.formulas.or(cases)), error }
    }

    fn call(&mut self, function: FunctionId, arguments: &[Expr]) -> Val {
        let policy = self.policy;
        let def = &policy.functions[function.index()];
        let values: Vec<Val> = arguments.iter().map(|argument| self.value(argument)).collect();
        let texts: Vec<String> = arguments.iter().map(|argument| self.shown(argument)).collect();
        // The rows of a table read its parameters too, not only its patterns.
        let mut kept = Vec::with_capacity(values.len());
        for ((parameter, value), text) in def.parameters.iter().zip(&values).zip(&texts) {
            kept.push((
                parameter.local,
                self.locals.insert(parameter.local, value.clone()),
                self.names.insert(parameter.local, text.clone()),
            ));
        }
        let result = match &def.body {
            FunctionBody::Expr(body) => self.value(body),
            FunctionBody::Table(rows) => {
                let rows: Vec<(&[Pattern], &Expr)> = rows.iter().map(|row| (&row.patterns[..], &row.value)).collect();
                self.rows(&values, &texts, &rows, &def.result)
            }
        };
        for (local, value, name) in kept {
            restore(&mut self.locals, local, value);
            restore(&mut self.names, local, name);
        }
        result
    }

    /// Rows from the top, patterns from the left; an error is the result as soon as a pattern has to look at it.
    fn rows(&mut self, values: &[Val], texts: &[String], rows: &[(&[Pattern], &Expr)], ty: &Type) -> Val {
        // From below: the last row always matches where no row before it does.
        let mut result: Option<Val> = None;
        for (patterns, value) in rows.iter().rev() {
            let found = self.value(value);
            let mut matched = F::TRUE;
            let mut failed = F::FALSE;
            for (place, (pattern, value)) in patterns.iter().zip(values).enumerate() {
                if matches!(pattern, Pattern::Any) {
                    continue;
                }
                let looked = self.world.cx.formulas.both(matched, value.error);
                failed = self.world.cx.formulas.either(failed, looked);
                let fits = self.fits(pattern, &value.sym, texts.get(place).map(String::as_str));
                matched = self.world.cx.formulas.and([matched, !value.error, fits]);
            }
            let picked = match result {
                None => found,
                Some(below) => self.pick(matched, found, below, ty),
            };
            let error = self.world.cx.formulas.either(failed, picked.error);
            result = Some(Val { sym: picked.sym, error });
        }
        result.unwrap_or(Val { sym: Sym::absent(), error: F::TRUE })
    }

    /// When some row of a table takes these values.
    pub fn taken(&mut self, rows: &[TableRow], values: &[Sym]) -> F {
        let mut cases = Vec::with_capacity(rows.len());
        for row in rows {
            let fits: Vec<F> =
                row.patterns.iter().zip(values).map(|(pattern, value)| self.fits(pattern, value, None)).collect();
            cases.push(self.world.cx.formulas.and(fits));
        }
        self.world.cx.formulas.or(cases)
    }

    /// When a value fits a pattern.
    fn fits(&mut self, pattern: &Pattern, value: &Sym, text: Option<&str>) -> F {
        let fits = self.fits_plainly(pattern, value, text);
        self.note_pattern(pattern, text, fits);
        fits
    }

    fn fits_plainly(&mut self, pattern: &Pattern, value: &Sym, text: Option<&str>) -> F {
        match pattern {
            Pattern::Any => F::TRUE,
            Pattern::Or(parts) => {
                let parts: Vec<F> = parts.iter().map(|part| self.fits(part, value, text)).collect();
                self.world.cx.formulas.or(parts)
            }
            Pattern::Const(constant) => {
                let constant = self.constant(constant);
                self.world.equal(value, &constant)
            }
            Pattern::Range(low, high) => {
                let (present, value) = match value {
                    Sym::Optional(present, Some(value)) => (*present, (**value).clone()),
                    Sym::Optional(_, None) => return F::FALSE,
                    value => (F::TRUE, value.clone()),
                };
                let mut parts = vec![present];
                for (bound, operator) in [(low, Operator::GreaterEqual), (high, Operator::LessEqual)] {
                    if let Some(bound) = bound {
                        let bound = self.constant(bound);
                        parts.push(self.compare(operator, &value, &bound, None));
                    }
                }
                self.world.cx.formulas.and(parts)
            }
            Pattern::Present | Pattern::Absent => {
                let present = match value {
                    Sym::Optional(present, _) => *present,
                    _ => F::TRUE,
                };
                if matches!(pattern, Pattern::Present) { present } else { !present }
            }
        }
    }

    /// The sums that a number may be.
    fn sums(sym: &Sym) -> Option<&Choice<Linear>> {
        match sym {
            Sym::Number(choice) => Some(choice),
            _ => None,
        }
    }
}

fn restore<K: std::hash::Hash + Eq, V>(map: &mut HashMap<K, V>, key: K, value: Option<V>) {
    match value {
        Some(value) => map.insert(key, value),
        None => map.remove(&key),
    };
}

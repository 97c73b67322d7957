//! Expressions.

use std::collections::{BTreeMap, HashMap};

use pdl::base::span::Span;
use pdl::data::pattern::Pattern as TextPattern;
use pdl::types::operator::Operator;
use pdl::types::typed::{
    Const, Expr, ExprKind, FunctionBody, FunctionId, LetDef, LocalId, Pattern, PatternSource, Quantifier, TypedPolicy,
};

use crate::reference::operators::{self, kleene_and, kleene_or};
use crate::reference::value::{Fault, FaultKind, Outcome, Value, all};
use crate::reference::world::{Request, World};

/// Where an expression is evaluated.
#[derive(Clone, Debug)]
pub struct Scope<'a> {
    pub policy: &'a TypedPolicy,
    pub world: &'a World,
    pub request: &'a Request,
    /// The instance of the module.
    pub instance: usize,
    /// What counts as the instance in errors.
    pub site_instance: usize,
    /// Values of `let`s, parameters and variables. An error is a value, so that having them ready is having them by need.
    pub locals: HashMap<LocalId, Outcome>,
}

impl<'a> Scope<'a> {
    /// A scope with `let`s.
    pub fn new(
        policy: &'a TypedPolicy,
        world: &'a World,
        request: &'a Request,
        instance: usize,
        lets: &[LetDef],
    ) -> Scope<'a> {
        let mut scope = Scope { policy, world, request, instance, site_instance: instance, locals: HashMap::new() };
        for def in lets {
            let value = scope.value(&def.value);
            scope.locals.insert(def.local, value);
        }
        scope
    }

    fn fault(&self, span: Span, kind: FaultKind) -> Fault {
        Fault { span: Some(span), instance: self.site_instance, kind }
    }

    fn values<'e>(&mut self, items: impl IntoIterator<Item = &'e Expr>) -> Result<Vec<Value>, Fault> {
        all(items.into_iter().map(|item| self.value(item)).collect())
    }

    /// The value of a condition.
    pub fn holds(&mut self, expr: &Expr) -> Result<bool, Fault> {
        self.value(expr).map(|value| value == Value::Bool(true))
    }

    /// The value of an expression.
    pub fn value(&mut self, expr: &Expr) -> Outcome {
        match &expr.kind {
            ExprKind::Const(value) => Ok(value.into()),
            ExprKind::Local(local) => self.locals[local].clone(),
            ExprKind::Parameter(id) => Ok((&self.policy.instances[self.instance].arguments[id.index()]).into()),
            ExprKind::Subject => Ok(Value::Entity(self.request.subject.entity.clone())),
            ExprKind::Resource => Ok(Value::Entity(self.request.resource.entity.clone())),
            ExprKind::Context(name) => {
                let fields = &self.policy.actions[self.request.action.index()].context;
                let place = fields.iter().position(|field| field.name == *name).expect("the checker found it");
                Ok(self.request.context[place].clone())
            }
            ExprKind::ActionName => Ok(Value::String(self.policy.actions[self.request.action.index()].wire.clone())),
            ExprKind::Attribute(inner, name) => {
                let Value::Entity(entity) = self.value(inner)? else { unreachable!("attributes are entities'") };
                let found = self.world.attribute(self.policy, self.request, &entity, name);
                found.ok_or(Fault { span: None, instance: 0, kind: FaultKind::UnknownEntity })
            }
            ExprKind::Field(inner, place) => {
                let Value::Record(fields) = self.value(inner)? else { unreachable!("fields are records'") };
                Ok(fields[*place as usize].clone())
            }
            ExprKind::Operator(operator, operands) => self.operator(expr, *operator, operands),
            ExprKind::Matches(text, source) => {
                let Value::String(text) = self.value(text)? else { unreachable!("only text matches") };
                let pattern = match source {
                    PatternSource::Glob(source) => TextPattern::glob(source),
                    PatternSource::Regex(source) => TextPattern::regex(source),
                };
                Ok(Value::Bool(pattern.expect("the checker compiled it").is_match(&text)))
            }
            ExprKind::IsPresent(inner) => Ok(Value::Bool(self.value(inner)? != Value::Absent)),
            ExprKind::Narrowed(inner) => match self.value(inner)? {
                Value::Absent => Err(self.fault(expr.span, FaultKind::Absent)),
                value => Ok(value),
            },
            ExprKind::Default(inner, default) => match self.value(inner)? {
                Value::Absent => self.value(default),
                value => Ok(value),
            },
            ExprKind::IsType(inner, types) => {
                let Value::Entity(entity) = self.value(inner)? else { unreachable!("only entities are of types") };
                Ok(Value::Bool(types.contains(&entity.ty)))
            }
            ExprKind::StepsTo(of, from, to) => {
                let [Value::Enum(_, from), Value::Enum(_, to)] = self.values([&**from, &**to])?[..] else {
                    unreachable!("only states step")
                };
                let lifecycle = self.policy.enums[of.index()].lifecycle.as_ref().expect("a lifecycle");
                Ok(Value::Bool(lifecycle.steps[from as usize].contains(&to)))
            }
            ExprKind::If(condition, yes, no) => {
                if self.holds(condition)? {
                    self.value(yes)
                } else {
                    self.value(no)
                }
            }
            ExprKind::Match(scrutinee, arms) => {
                let value = [self.value(scrutinee)];
                let arms: Vec<_> = arms.iter().map(|(pattern, arm)| (std::slice::from_ref(pattern), arm)).collect();
                self.rows(&value, &arms)
            }
            ExprKind::Call(function, arguments) => {
                let arguments = arguments.iter().map(|argument| self.value(argument)).collect();
                self.call(*function, arguments)
            }
            ExprKind::Quantifier(quantifier, local, over, body) => self.quantifier(*quantifier, *local, over, body),
            ExprKind::Acyclic(local, over, node, edges) => self.acyclic(*local, over, node, edges),
            ExprKind::Set(items) => Ok(Value::Set(self.values(items)?.into_iter().collect())),
            ExprKind::List(items) => Ok(Value::List(self.values(items)?)),
            ExprKind::Record(_, items) => Ok(Value::Record(self.values(items)?)),
            ExprKind::Map(items) => {
                let values = self.values(items.iter().map(|(_, value)| value))?;
                Ok(Value::Map(items.iter().map(|(key, _)| key.clone()).zip(values).collect()))
            }
        }
    }

    fn operator(&mut self, expr: &Expr, operator: Operator, operands: &[Expr]) -> Outcome {
        match operator {
            Operator::And => self.kleene(operands, kleene_and, false),
            Operator::Or => self.kleene(operands, kleene_or, true),
            Operator::Implies => {
                let left = self.value(&operands[0]).map(negated);
                if left == Ok(Value::Bool(true)) {
                    return left;
                }
                kleene_or(left, self.value(&operands[1]))
            }
            _ => {
                let values = self.values(operands)?;
                operators::apply(self.world, operator, &values).map_err(|kind| self.fault(expr.span, kind))
            }
        }
    }

    // What settles the result spares the rest, which narrowing may have made meaningless.
    fn kleene(&mut self, operands: &[Expr], join: fn(Outcome, Outcome) -> Outcome, settles: bool) -> Outcome {
        let mut result = Ok(Value::Bool(!settles));
        for operand in operands {
            result = join(result, self.value(operand));
            if result == Ok(Value::Bool(settles)) {
                return result;
            }
        }
        result
    }

    fn call(&mut self, function: FunctionId, arguments: Vec<Outcome>) -> Outcome {
        let def = &self.policy.functions[function.index()];
        let with_parameters = !self.policy.modules[def.module.index()].parameters.is_empty();
        let mut inner = Scope {
            site_instance: if with_parameters { self.instance } else { 0 },
            locals: def.parameters.iter().map(|parameter| parameter.local).zip(arguments.iter().cloned()).collect(),
            ..self.clone()
        };
        match &def.body {
            FunctionBody::Expr(body) => inner.value(body),
            FunctionBody::Table(rows) => {
                let rows: Vec<_> = rows.iter().map(|row| (&row.patterns[..], &row.value)).collect();
                inner.rows(&arguments, &rows)
            }
        }
    }

    /// Rows from the top, patterns from the left; an error is the result as soon as a pattern has to look at it.
    fn rows(&mut self, values: &[Outcome], rows: &[(&[Pattern], &Expr)]) -> Outcome {
        'rows: for (patterns, value) in rows {
            for (pattern, outcome) in patterns.iter().zip(values) {
                if matches!(pattern, Pattern::Any) {
                    continue;
                }
                if !matches(pattern, outcome.as_ref().map_err(Clone::clone)?) {
                    continue 'rows;
                }
            }
            return self.value(value);
        }
        unreachable!("some row always matches")
    }

    fn elements(&mut self, over: &Expr) -> Result<Vec<Value>, Fault> {
        Ok(match self.value(over)? {
            Value::Set(items) => items.into_iter().collect(),
            Value::List(items) => items,
            Value::Map(items) => items.into_keys().map(Value::String).collect(),
            _ => unreachable!("quantifiers run over collections"),
        })
    }

    /// Takes away what leads to nothing that is left, until nothing changes: a node on a cycle always stays.
    fn acyclic(&mut self, local: LocalId, over: &Expr, node: &Expr, edges: &Expr) -> Outcome {
        let mut parts = Vec::new();
        for element in self.elements(over)? {
            self.locals.insert(local, Ok(element));
            parts.push(self.value(node));
            parts.push(self.value(edges));
        }
        self.locals.remove(&local);
        let mut left: BTreeMap<Value, Vec<Value>> = BTreeMap::new();
        for pair in all(parts)?.chunks(2) {
            let to: Vec<Value> = match &pair[1] {
                Value::Set(items) => items.iter().cloned().collect(),
                Value::List(items) => items.clone(),
                _ => unreachable!("edges are collections"),
            };
            left.entry(pair[0].clone()).or_default().extend(to);
        }
        loop {
            let ends: Vec<Value> = left
                .iter()
                .filter(|(_, to)| !to.iter().any(|next| left.contains_key(next)))
                .map(|(node, _)| node.clone())
                .collect();
            if ends.is_empty() {
                return Ok(Value::Bool(left.is_empty()));
            }
            left.retain(|node, _| !ends.contains(node));
        }
    }

    fn quantifier(&mut self, quantifier: Quantifier, local: LocalId, over: &Expr, body: &Expr) -> Outcome {
        let mut bodies = Vec::new();
        for element in self.elements(over)? {
            self.locals.insert(local, Ok(element));
            bodies.push(self.value(body));
        }
        self.locals.remove(&local);
        match quantifier {
            Quantifier::Any => bodies.into_iter().fold(Ok(Value::Bool(false)), kleene_or),
            Quantifier::All => bodies.into_iter().fold(Ok(Value::Bool(true)), kleene_and),
            Quantifier::Count => {
                let count = all(bodies)?.into_iter().filter(|body| *body == Value::Bool(true)).count();
                Ok(Value::Int(count as i64))
            }
        }
    }
}

pub fn negated(value: Value) -> Value {
    Value::Bool(value != Value::Bool(true))
}

fn matches(pattern: &Pattern, value: &Value) -> bool {
    match pattern {
        Pattern::Any => true,
        Pattern::Or(parts) => parts.iter().any(|part| matches(part, value)),
        Pattern::Const(constant) => *value == Value::from(constant),
        Pattern::Range(low, high) => {
            let at_least = |low: &Const| *value >= Value::from(low);
            let at_most = |high: &Const| *value <= Value::from(high);
            *value != Value::Absent && low.as_ref().is_none_or(at_least) && high.as_ref().is_none_or(at_most)
        }
        Pattern::Present => *value != Value::Absent,
        Pattern::Absent => *value == Value::Absent,
    }
}

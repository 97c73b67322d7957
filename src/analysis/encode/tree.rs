//! A condition as the tree that it is written as: its parts with what they come to, and what each of them reads.

use super::{Encoder, Truth, Val, negated, restore};
use crate::analysis::value::Sym;
use crate::types::operator::Operator;
use crate::types::ty::Type;
use crate::types::typed::{Expr, ExprKind, FunctionBody};

/// What joins the parts of a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Joint {
    /// All of them.
    All,
    /// One of them.
    Any,
    /// Not the one part.
    Not,
    /// If the first, then the second.
    Implies,
    /// The one part has a name: that of a `let` or of a function.
    Named,
    /// It has no parts.
    Leaf,
}

/// A condition.
#[derive(Clone, Debug)]
pub struct Tree {
    /// How it is made of its parts.
    pub joint: Joint,
    /// As PDL; of what has a name, the name.
    pub text: String,
    /// What it comes to.
    pub truth: Truth,
    /// Its parts.
    pub parts: Vec<Tree>,
    /// Of a leaf: what it reads.
    pub reads: Vec<Read>,
}

/// Something that a condition reads.
#[derive(Clone, Debug)]
pub struct Read {
    /// As PDL.
    pub text: String,
    /// Its value, and when that is an error.
    pub value: Val,
    /// Its type.
    pub ty: Type,
    /// It is what a call comes to, not what stands in the request.
    pub computed: bool,
}

impl<'a> Encoder<'_, 'a> {
    /// The tree of a condition.
    pub fn tree(&mut self, expr: &Expr) -> Tree {
        match &expr.kind {
            ExprKind::Operator(Operator::And, parts) => self.joined(expr, Joint::All, parts),
            ExprKind::Operator(Operator::Or, parts) => self.joined(expr, Joint::Any, parts),
            ExprKind::Operator(Operator::Implies, parts) => self.joined(expr, Joint::Implies, parts),
            ExprKind::Operator(Operator::Not, parts) if parts.len() == 1 => {
                let mut tree = self.joined(expr, Joint::Not, parts);
                // The opposite of a leaf is a leaf.
                if let [part] = &tree.parts[..]
                    && part.joint == Joint::Leaf
                {
                    let opposite = parts.first().and_then(|part| self.opposite(part));
                    tree.text = opposite.unwrap_or_else(|| negated(&part.text));
                    tree.joint = Joint::Leaf;
                    tree.reads = part.reads.clone();
                    tree.parts.clear();
                }
                tree
            }
            ExprKind::Local(local) if !self.names.contains_key(local) => {
                let Some(value) = self.lets.get(local).copied() else { return self.leaf(expr) };
                let part = self.tree(value);
                let name = self.let_names.get(local).map_or_else(|| self.shown(expr), ToString::to_string);
                Tree { joint: Joint::Named, text: name, truth: part.truth, parts: vec![part], reads: Vec::new() }
            }
            ExprKind::Call(function, arguments) => {
                let policy = self.policy;
                let def = &policy.functions[function.index()];
                let FunctionBody::Expr(body) = &def.body else { return self.leaf(expr) };
                let text = self.shown(expr);
                let mut kept = Vec::with_capacity(arguments.len());
                let values: Vec<(Val, String)> =
                    arguments.iter().map(|argument| (self.value(argument), self.shown(argument))).collect();
                for (parameter, (value, text)) in def.parameters.iter().zip(values) {
                    kept.push((
                        parameter.local,
                        self.locals.insert(parameter.local, value),
                        self.names.insert(parameter.local, text),
                    ));
                }
                let part = self.tree(body);
                for (local, value, name) in kept {
                    restore(&mut self.locals, local, value);
                    restore(&mut self.names, local, name);
                }
                Tree { joint: Joint::Named, text, truth: part.truth, parts: vec![part], reads: Vec::new() }
            }
            _ => self.leaf(expr),
        }
    }

    fn joined(&mut self, expr: &Expr, joint: Joint, parts: &[Expr]) -> Tree {
        let truth = self.condition(expr);
        let mut all = Vec::with_capacity(parts.len());
        for part in parts {
            let part = self.tree(part);
            // `a or b or c` is one list, however it is nested.
            if part.joint == joint && matches!(joint, Joint::All | Joint::Any) {
                all.extend(part.parts);
            } else {
                all.push(part);
            }
        }
        let parts = all;
        Tree { joint, text: self.shown(expr), truth, parts, reads: Vec::new() }
    }

    fn leaf(&mut self, expr: &Expr) -> Tree {
        let truth = self.condition(expr);
        let mut reads = Vec::new();
        self.reads(expr, &mut reads);
        Tree { joint: Joint::Leaf, text: self.shown(expr), truth, parts: Vec::new(), reads }
    }

    /// What an expression reads: paths as far as they go, and calls with what goes into them.
    fn reads(&mut self, expr: &Expr, all: &mut Vec<Read>) {
        match &expr.kind {
            ExprKind::Const(_) | ExprKind::Parameter(_) | ExprKind::ActionName => {}
            ExprKind::Subject
            | ExprKind::Resource
            | ExprKind::Context(_)
            | ExprKind::Attribute(..)
            | ExprKind::Field(..) => self.read(expr, all),
            ExprKind::Narrowed(inner) | ExprKind::IsPresent(inner) => self.reads(inner, all),
            ExprKind::Local(local) => match (self.names.get(local), self.lets.get(local).copied()) {
                (Some(_), _) => self.read(expr, all),
                (None, Some(value)) => self.reads(value, all),
                // The variable of a quantifier is nobody yet.
                (None, None) => {}
            },
            ExprKind::Default(one, other) | ExprKind::StepsTo(_, one, other) => {
                self.reads(one, all);
                self.reads(other, all);
            }
            ExprKind::IsType(inner, _) | ExprKind::Matches(inner, _) => self.reads(inner, all),
            ExprKind::Operator(_, operands) => operands.iter().for_each(|operand| self.reads(operand, all)),
            ExprKind::If(condition, yes, no) => {
                for part in [condition, yes, no] {
                    self.reads(part, all);
                }
            }
            ExprKind::Match(of, arms) => {
                self.reads(of, all);
                arms.iter().for_each(|(_, arm)| self.reads(arm, all));
            }
            ExprKind::Call(_, arguments) => {
                if !matches!(expr.ty, Type::Bool) {
                    self.read(expr, all);
                }
                arguments.iter().for_each(|argument| self.reads(argument, all));
            }
            ExprKind::Quantifier(_, _, over, _) | ExprKind::Acyclic(_, over, ..) => self.reads(over, all),
            ExprKind::Set(items) | ExprKind::List(items) => items.iter().for_each(|item| self.reads(item, all)),
            ExprKind::Record(_, items) => items.iter().for_each(|item| self.reads(item, all)),
            ExprKind::Map(items) => items.iter().for_each(|(_, item)| self.reads(item, all)),
        }
    }

    fn read(&mut self, expr: &Expr, all: &mut Vec<Read>) {
        let text = self.shown(expr);
        let value = self.value(expr);
        if self.is_plain(&text) || all.iter().any(|known| known.text == text) || matches!(value.sym, Sym::Record(_)) {
            return;
        }
        all.push(Read { text, value, ty: expr.ty.clone(), computed: matches!(expr.kind, ExprKind::Call(..)) });
    }

    /// What stands for a constant says nothing by itself.
    fn is_plain(&self, text: &str) -> bool {
        text.is_empty() || text.starts_with(|c: char| c.is_ascii_digit() || c == '"' || c == '-')
    }
}

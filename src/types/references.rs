//! Which names an expression or a type mentions, for the order of dependencies.
//!
//! It knows no scopes: a variable is mentioned like a constant. Nothing here recurses.

use crate::syntax::ast::{Expr, ExprKind, Name, Path, Pattern, PatternKind, Type, TypeKind};

/// A mention.
#[derive(Clone, Debug)]
pub enum Mention<'a> {
    /// `a.b.c`: names joined by dots, which may be a path, or fields of something.
    Chain(Vec<&'a Name>),
    /// `f(…)`
    Call(&'a Path),
}

enum Task<'a> {
    Expr(&'a Expr),
    Pattern(&'a Pattern),
}

/// Calls `found` with every mention in an expression, in no particular order.
pub fn of_expr<'a>(expr: &'a Expr, found: &mut impl FnMut(Mention<'a>)) {
    let mut tasks = vec![Task::Expr(expr)];
    while let Some(task) = tasks.pop() {
        match task {
            Task::Expr(expr) => expr_step(expr, &mut tasks, found),
            Task::Pattern(pattern) => pattern_step(pattern, &mut tasks, found),
        }
    }
}

/// Calls `found` with every mention in a type, its bounds included.
pub fn of_type<'a>(ty: &'a Type, found: &mut impl FnMut(Mention<'a>)) {
    let mut types = vec![ty];
    while let Some(ty) = types.pop() {
        match &ty.kind {
            TypeKind::Name(path) => found(Mention::Chain(path.parts.iter().collect())),
            TypeKind::Range(inner, low, high) => {
                types.push(inner);
                of_expr(low, found);
                of_expr(high, found);
            }
            TypeKind::Generic(_, arguments) => types.extend(arguments),
            TypeKind::Max(inner, bound) => {
                types.push(inner);
                of_expr(bound, found);
            }
            TypeKind::Optional(inner) => types.push(inner),
            TypeKind::Error => {}
        }
    }
}

fn expr_step<'a>(expr: &'a Expr, tasks: &mut Vec<Task<'a>>, found: &mut impl FnMut(Mention<'a>)) {
    let mut all = |exprs: &[&'a Expr]| tasks.extend(exprs.iter().map(|expr| Task::Expr(expr)));
    match &expr.kind {
        ExprKind::Literal(_) | ExprKind::Entity(..) | ExprKind::EmptyBraces | ExprKind::Error => {}
        ExprKind::Name(name) => found(Mention::Chain(vec![name])),
        ExprKind::Field(inner, _) => match chain(expr) {
            Some(names) => found(Mention::Chain(names)),
            None => all(&[inner]),
        },
        ExprKind::Call(path, arguments) => {
            found(Mention::Call(path));
            tasks.extend(arguments.iter().map(Task::Expr));
        }
        ExprKind::Set(elements) | ExprKind::List(elements) => tasks.extend(elements.iter().map(Task::Expr)),
        ExprKind::Record(fields) => tasks.extend(fields.iter().map(|field| Task::Expr(&field.value))),
        ExprKind::Map(entries) => {
            tasks.extend(entries.iter().flat_map(|(key, value)| [Task::Expr(key), Task::Expr(value)]));
        }
        ExprKind::Unary(_, inner) | ExprKind::Is(inner, _) | ExprKind::Paren(inner) => all(&[inner]),
        ExprKind::Index(left, right) | ExprKind::Binary(_, left, right, _) | ExprKind::Matches(left, right) => {
            all(&[left, right]);
        }
        ExprKind::Quantifier(_, _, over, body) => all(&[over, body]),
        ExprKind::If(condition, then, otherwise) => all(&[condition, then, otherwise]),
        ExprKind::Acyclic(_, over, node, edges) => all(&[over, node, edges]),
        ExprKind::Match(inner, arms) => {
            all(&[inner]);
            tasks.extend(arms.iter().flat_map(|arm| [Task::Pattern(&arm.pattern), Task::Expr(&arm.value)]));
        }
    }
}

fn pattern_step<'a>(pattern: &'a Pattern, tasks: &mut Vec<Task<'a>>, found: &mut impl FnMut(Mention<'a>)) {
    match &pattern.kind {
        PatternKind::Or(patterns) => tasks.extend(patterns.iter().map(Task::Pattern)),
        PatternKind::Name(path) => found(Mention::Chain(path.parts.iter().collect())),
        PatternKind::Any
        | PatternKind::Literal(_)
        | PatternKind::Range(..)
        | PatternKind::Present
        | PatternKind::Absent
        | PatternKind::Error => {}
    }
}

/// `a.b.c` as names, if it is nothing but names.
fn chain(expr: &Expr) -> Option<Vec<&Name>> {
    let mut names = Vec::new();
    let mut at = expr;
    loop {
        match &at.kind {
            ExprKind::Field(inner, name) => {
                names.push(name);
                at = inner;
            }
            ExprKind::Name(name) => {
                names.push(name);
                names.reverse();
                return Some(names);
            }
            _ => return None,
        }
    }
}

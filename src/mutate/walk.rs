//! The expressions of an item in one fixed order, so that one of them can be found again by its number.

use crate::types::typed::{Effect, Expr, ExprKind, FunctionBody, FunctionDef, InvariantDef, PolicyDef};

macro_rules! walks {
    ($parts:ident $of_function:ident $of_policy:ident $of_invariant:ident $iter:ident $($mutable:tt)?) => {
        /// The direct parts of an expression, in source order.
        pub(super) fn $parts(expr: & $($mutable)? Expr) -> Vec<& $($mutable)? Expr> {
            match & $($mutable)? expr.kind {
                ExprKind::Const(_)
                | ExprKind::Local(_)
                | ExprKind::Parameter(_)
                | ExprKind::Subject
                | ExprKind::Resource
                | ExprKind::Context(_)
                | ExprKind::ActionName => Vec::new(),
                ExprKind::Attribute(a, _)
                | ExprKind::Field(a, _)
                | ExprKind::Matches(a, _)
                | ExprKind::IsPresent(a)
                | ExprKind::Narrowed(a)
                | ExprKind::IsType(a, _) => vec![a],
                ExprKind::Default(a, b) | ExprKind::StepsTo(_, a, b) | ExprKind::Quantifier(_, _, a, b) => vec![a, b],
                ExprKind::If(a, b, c) | ExprKind::Acyclic(_, a, b, c) => vec![a, b, c],
                ExprKind::Match(scrutinee, arms) => {
                    let mut parts: Vec<& $($mutable)? Expr> = vec![scrutinee];
                    parts.extend(arms.$iter().map(|(_, value)| value));
                    parts
                }
                ExprKind::Operator(_, parts)
                | ExprKind::Call(_, parts)
                | ExprKind::Set(parts)
                | ExprKind::List(parts)
                | ExprKind::Record(_, parts) => parts.$iter().collect(),
                ExprKind::Map(entries) => entries.$iter().map(|(_, part)| part).collect(),
            }
        }

        /// The expressions of a function: its body, or the results of its rows.
        pub(super) fn $of_function(def: & $($mutable)? FunctionDef) -> Vec<& $($mutable)? Expr> {
            match & $($mutable)? def.body {
                FunctionBody::Expr(body) => vec![body],
                FunctionBody::Table(rows) => rows.$iter().map(|row| & $($mutable)? row.value).collect(),
            }
        }

        /// The expressions of a policy, messages left out: of its `let`s, then of each rule condition, gate, obligations.
        pub(super) fn $of_policy(def: & $($mutable)? PolicyDef) -> Vec<& $($mutable)? Expr> {
            let mut found: Vec<& $($mutable)? Expr> = def.lets.$iter().map(|def| & $($mutable)? def.value).collect();
            for rule in def.rules.$iter() {
                found.push(& $($mutable)? rule.condition);
                if let Effect::RequireApproval(gate) = & $($mutable)? rule.effect {
                    found.extend([& $($mutable)? gate.from, & $($mutable)? gate.quorum]);
                    found.extend(& $($mutable)? gate.within);
                    for (group, after) in gate.escalations.$iter() {
                        found.extend([group, after]);
                    }
                }
                found.extend(rule.obligations.$iter().flat_map(|(_, arguments)| arguments.$iter()));
            }
            found
        }

        /// The expressions of an invariant: of its `let`s, and when it is violated.
        pub(super) fn $of_invariant(def: & $($mutable)? InvariantDef) -> Vec<& $($mutable)? Expr> {
            let mut found: Vec<& $($mutable)? Expr> = def.lets.$iter().map(|def| & $($mutable)? def.value).collect();
            found.push(& $($mutable)? def.violated);
            found
        }
    };
}

walks! { parts of_function of_policy of_invariant iter }
walks! { parts_mut of_function_mut of_policy_mut of_invariant_mut iter_mut mut }

/// The expression of a number: they are counted from 0, each before its parts.
pub(super) fn nth_mut(roots: Vec<&mut Expr>, number: u32) -> Option<&mut Expr> {
    fn find<'a>(expr: &'a mut Expr, left: &mut u32) -> Option<&'a mut Expr> {
        if *left == 0 {
            return Some(expr);
        }
        *left -= 1;
        parts_mut(expr).into_iter().find_map(|part| find(part, left))
    }
    let mut left = number;
    roots.into_iter().find_map(|root| find(root, &mut left))
}

/// Says of every operation in an expression that it may fail, and of every value that is taken to be there.
pub(super) fn may_fail(expr: &mut Expr) {
    expr.fallible |= matches!(expr.kind, ExprKind::Operator(..) | ExprKind::Narrowed(_));
    parts_mut(expr).into_iter().for_each(may_fail);
}

/// Calls `then` for an expression and everything below.
pub(super) fn for_each<'a>(expr: &'a Expr, then: &mut dyn FnMut(&'a Expr)) {
    then(expr);
    parts(expr).into_iter().for_each(|part| for_each(part, then));
}

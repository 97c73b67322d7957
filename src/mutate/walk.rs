//! The expressions of an item in one fixed order, so that one of them can be found again by its number.

use crate::types::typed::{Effect, Expr, ExprKind, FunctionBody, FunctionDef, InvariantDef, PolicyDef};

macro_rules! walks {
    ($of_function:ident $of_policy:ident $of_invariant:ident $iter:ident $($mutable:tt)?) => {
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

walks! { of_function of_policy of_invariant iter }
walks! { of_function_mut of_policy_mut of_invariant_mut iter_mut mut }

/// The expression of a number: they are counted from 0, each before its parts.
pub(super) fn nth_mut(roots: Vec<&mut Expr>, number: u32) -> Option<&mut Expr> {
    fn find<'a>(expr: &'a mut Expr, left: &mut u32) -> Option<&'a mut Expr> {
        if *left == 0 {
            return Some(expr);
        }
        *left -= 1;
        expr.parts_mut().into_iter().find_map(|part| find(part, left))
    }
    let mut left = number;
    roots.into_iter().find_map(|root| find(root, &mut left))
}

/// Says of every operation in an expression that it may fail, and of every value that is taken to be there.
pub(super) fn may_fail(expr: &mut Expr) {
    expr.fallible |= matches!(expr.kind, ExprKind::Operator(..) | ExprKind::Narrowed(_));
    expr.for_each_part_mut(&mut may_fail);
}

/// Calls `then` for an expression and everything below.
pub(super) fn for_each<'a>(expr: &'a Expr, then: &mut dyn FnMut(&'a Expr)) {
    then(expr);
    expr.for_each_part(&mut |part| for_each(part, then));
}

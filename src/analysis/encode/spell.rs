//! Where a function or lifecycle means something else in the other version, a condition that uses it reads alike in both
//! and is not alike. Such a condition is spelt out: each result of the function takes the place of its call, each status
//! is asked for by name, so that what is said is PDL of either version.
//!
//! What is spelt out is only noted, as something that can be said; what the condition comes to is not made of it.

use std::collections::BTreeSet;

use super::Encoder;
use crate::types::operator::Operator;
use crate::types::ty::Type;
use crate::types::typed::{Const, EnumId, Expr, ExprKind, FunctionBody, FunctionDef, FunctionId, LocalId, Pattern};

/// What one side's names mean that mean something else on the other side.
#[derive(Clone, Debug, Default)]
pub struct Otherwise {
    /// Functions.
    pub functions: BTreeSet<FunctionId>,
    /// Lifecycles.
    pub lifecycles: BTreeSet<EnumId>,
}

/// A table with more rows is not spelt out.
const RESULTS_MAX: usize = 64;

/// What a condition uses that means something else on the other side.
enum Use {
    Call(FunctionId, Vec<Expr>),
    Step(EnumId, Vec<Expr>),
}

impl Encoder<'_, '_> {
    /// Notes in its place what a condition says without what means something else on the other side. Whether it did: not
    /// where nothing of that kind is used, or where it can't be taken apart.
    pub(super) fn spell_out(&mut self, expr: &Expr) -> bool {
        let Some(otherwise) = self.world.otherwise.get(self.side).cloned() else { return false };
        let mut whole = expr.clone();
        self.write_out(&mut whole);
        match found(&mut whole, &otherwise) {
            None => false,
            Some(Use::Step(of, statuses)) => {
                statuses.iter().for_each(|status| self.each_variant(of, status));
                true
            }
            Some(Use::Call(function, arguments)) => {
                let policy = self.policy;
                let def = &policy.functions[function.index()];
                let results = match &def.body {
                    FunctionBody::Expr(body) => vec![body],
                    FunctionBody::Table(rows) => {
                        for (place, argument) in arguments.iter().enumerate() {
                            let (value, text) = (self.value(argument), self.shown(argument));
                            for pattern in rows.iter().filter_map(|row| row.patterns.get(place)) {
                                if !matches!(pattern, Pattern::Any) {
                                    self.fits(pattern, &value.sym, Some(&text));
                                }
                            }
                        }
                        rows.iter().map(|row| &row.value).collect()
                    }
                };
                let mut all = results.len() <= RESULTS_MAX;
                let mut told: Vec<&Const> = Vec::new();
                for result in results.into_iter().take(RESULTS_MAX) {
                    if let ExprKind::Const(value) = &result.kind {
                        if told.contains(&value) {
                            continue;
                        }
                        told.push(value);
                    }
                    let mut result = result.clone();
                    let mut spelt = whole.clone();
                    if pass(&mut result, def, &arguments) && replace(&mut spelt, &result, &otherwise) {
                        let _ = self.value(&spelt);
                    } else {
                        all = false;
                    }
                }
                all
            }
        }
    }

    /// Puts what they stand for in the place of `let`s.
    fn write_out(&self, expr: &mut Expr) {
        while let ExprKind::Local(local) = &expr.kind {
            let Some(value) = self.stands_for(*local) else { return };
            *expr = value.clone();
        }
        parts(expr).into_iter().for_each(|part| self.write_out(part));
    }

    fn stands_for(&self, local: LocalId) -> Option<&Expr> {
        // A parameter may have the number of a `let`; it has a name while its function is read.
        if self.names.contains_key(&local) {
            return None;
        }
        self.lets.get(&local).copied()
    }

    fn each_variant(&mut self, of: EnumId, status: &Expr) {
        if matches!(status.kind, ExprKind::Const(_)) {
            return;
        }
        let variants = self.policy.enums[of.index()].variants.len();
        for variant in 0..u32::try_from(variants).unwrap_or(u32::MAX) {
            let kind = ExprKind::Const(Const::Enum(of, variant));
            let named = Expr { kind, ty: Type::Enum(of), span: status.span, fallible: false };
            let kind = ExprKind::Operator(Operator::Equal, vec![status.clone(), named]);
            let _ = self.value(&Expr { kind, ty: Type::Bool, span: status.span, fallible: status.fallible });
        }
    }
}

/// The first use of what means something else.
fn found(expr: &mut Expr, otherwise: &Otherwise) -> Option<Use> {
    match &expr.kind {
        ExprKind::Call(function, arguments) if otherwise.functions.contains(function) => {
            Some(Use::Call(*function, arguments.clone()))
        }
        ExprKind::StepsTo(of, from, to) if otherwise.lifecycles.contains(of) => {
            Some(Use::Step(*of, vec![(**from).clone(), (**to).clone()]))
        }
        _ => parts(expr).into_iter().find_map(|part| found(part, otherwise)),
    }
}

/// Puts the result in the place of the call that [`found`] finds.
fn replace(expr: &mut Expr, result: &Expr, otherwise: &Otherwise) -> bool {
    if matches!(&expr.kind, ExprKind::Call(function, _) if otherwise.functions.contains(function)) {
        *expr = result.clone();
        return true;
    }
    parts(expr).into_iter().any(|part| replace(part, result, otherwise))
}

/// Puts the arguments in the place of the parameters. Not where the function binds names of its own.
fn pass(expr: &mut Expr, def: &FunctionDef, arguments: &[Expr]) -> bool {
    match &expr.kind {
        ExprKind::Quantifier(..) | ExprKind::Acyclic(..) => false,
        ExprKind::Local(local) => {
            let place = def.parameters.iter().position(|parameter| parameter.local == *local);
            let Some(argument) = place.and_then(|place| arguments.get(place)) else { return false };
            *expr = argument.clone();
            true
        }
        _ => parts(expr).into_iter().all(|part| pass(part, def, arguments)),
    }
}

/// The parts of an expression that are read in the same names as it.
fn parts(expr: &mut Expr) -> Vec<&mut Expr> {
    match &expr.kind {
        ExprKind::Quantifier(..) | ExprKind::Acyclic(..) => Vec::new(),
        _ => expr.parts_mut(),
    }
}

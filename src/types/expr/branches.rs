//! `if` and `match`.

use crate::base::span::Span;
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast;
use crate::types::expr::{Checked, Checker};
use crate::types::narrow::{self, Fact, Truth, Values, Variants};
use crate::types::relate;
use crate::types::ty::Type;
use crate::types::typed::{Const, Expr, ExprKind, Pattern};
use crate::types::{exhaustive, interval};

impl Checker<'_, '_> {
    /// `if condition then yes else no`
    pub(super) fn if_else(
        &mut self,
        condition: &ast::Expr,
        yes: &ast::Expr,
        no: &ast::Expr,
        span: Span,
        expected: Option<&Type>,
    ) -> Checked {
        let test = self.condition(condition);
        if !test.is_unknown() && (test.truth.never() || test.truth.always()) {
            let (answer, dead, branch) =
                if test.truth.never() { ("false", yes.span, "then") } else { ("true", no.span, "else") };
            self.session.sink.push(
                Diagnostic::error(Code::Unreachable, dead, format!("the `{branch}` branch can never be reached"))
                    .label("never reached")
                    .secondary(test.expr.span, format!("always {answer}"))
                    .help("keep the other branch alone"),
            );
        }
        let hint = expected.cloned();
        let one = self.under(test.truth.yes.as_ref(), |checker| checker.infer(yes, hint.as_ref()));
        let hint = hint.or_else(|| (!one.is_unknown()).then(|| one.expr.ty.clone()));
        let two = self.under(test.truth.no.as_ref(), |checker| checker.infer(no, hint.as_ref()));
        if test.is_unknown() || one.is_unknown() || two.is_unknown() {
            return Checked::unknown(span);
        }
        let Some(ty) = relate::join(&one.expr.ty, &two.expr.ty) else {
            let fault = self.branches_differ(&one, &two);
            return self.fail(fault);
        };
        let truth = if ty == Type::Bool && !test.expr.fallible {
            Truth::or(Truth::and(test.truth.clone(), one.truth), Truth::and(test.truth.negated(), two.truth))
        } else {
            Truth::default()
        };
        let fallible = test.expr.fallible || one.expr.fallible || two.expr.fallible;
        let kind = ExprKind::If(Box::new(test.expr), Box::new(one.expr), Box::new(two.expr));
        Checked { expr: Expr { kind, ty, span, fallible }, truth }
    }

    fn branches_differ(&self, one: &Checked, two: &Checked) -> Diagnostic {
        let world = self.world();
        let (first, second) = (world.show_plain(&one.expr.ty), world.show_plain(&two.expr.ty));
        Diagnostic::error(
            Code::TypeMismatch,
            two.expr.span,
            format!("this is `{second}`, but the branch before it is `{first}`"),
        )
        .label(format!("`{second}`"))
        .secondary(one.expr.span, format!("`{first}`"))
        .help("all branches have to be of one type")
    }

    /// `match value { pattern => result, }`
    pub(super) fn match_arms(
        &mut self,
        value: &ast::Expr,
        arms: &[ast::MatchArm],
        span: Span,
        expected: Option<&Type>,
    ) -> Checked {
        let value = self.infer(value, None);
        if let Some(constant) = value.value() {
            let text = format!("this `match` always takes the same arm: its value is {}", self.show_const(constant));
            self.session.sink.push(
                Diagnostic::error(Code::Unreachable, value.expr.span, text)
                    .label("constant")
                    .help("keep the result of that arm alone"),
            );
        }
        let ty = value.expr.ty.clone();
        let path = narrow::path_of(&value.expr);
        let mut left = match &ty {
            Type::Enum(id) => Some(self.variants_of(&value.expr, *id)),
            _ => None,
        };
        let possible = left.clone();
        let mut rows: Vec<Option<Pattern>> = Vec::with_capacity(arms.len());
        let mut results: Vec<Checked> = Vec::with_capacity(arms.len());
        let mut common: Option<Type> = None;
        let mut good = !value.is_unknown();
        for arm in arms {
            let pattern = self.pattern(&arm.pattern, &ty);
            let fact = pattern.as_ref().and_then(|pattern| self.pattern_fact(pattern, &ty, left.as_mut()));
            let facts = path.clone().zip(fact).map(|pair| vec![pair]);
            let hint = expected.cloned().or_else(|| common.clone());
            let result = self.under(facts.as_ref(), |checker| checker.infer(&arm.value, hint.as_ref()));
            good &= !result.is_unknown() && pattern.is_some();
            let joined = match &common {
                None => Some(result.expr.ty.clone()),
                Some(common) => relate::join(common, &result.expr.ty),
            };
            match (joined, results.first()) {
                (None, Some(first)) => {
                    let fault = self.branches_differ(first, &result);
                    self.fail(fault);
                    good = false;
                }
                (joined, _) => common = joined.or(common),
            }
            rows.push(pattern);
            results.push(result);
        }
        if !value.is_unknown() && value.value().is_none() {
            self.check_arms(&ty, possible.as_ref(), arms, &rows, span);
        }
        let Some(common) = common.filter(|_| good) else { return Checked::unknown(span) };
        let fallible = value.expr.fallible || results.iter().any(|result| result.expr.fallible);
        let arms = rows.into_iter().flatten().zip(results.into_iter().map(|result| result.expr)).collect();
        Expr { kind: ExprKind::Match(Box::new(value.expr), arms), ty: common, span, fallible }.into()
    }

    // What an arm says of the value, given what the arms above left of it.
    fn pattern_fact(&self, pattern: &Pattern, ty: &Type, left: Option<&mut Variants>) -> Option<Fact> {
        match ty {
            Type::Enum(id) => {
                let left = left?;
                let count = self.world().enums[id.index()].variants.len();
                let mut named = Vec::new();
                let taken = if variants_named(pattern, &mut named) {
                    left.clone()
                } else {
                    let named = Variants::of(count, named);
                    left.without(&left.without(&named))
                };
                *left = left.without(&taken);
                (!taken.is_empty()).then_some(Fact::values(Values::Enum(taken)))
            }
            Type::Int(bounds) => {
                let hull = int_hull(pattern)?;
                Some(Fact::values(Values::Int(interval::intersect(hull, *bounds)?)))
            }
            Type::Optional(_) => match pattern {
                Pattern::Present => Some(Fact::presence(true)),
                Pattern::Absent => Some(Fact::presence(false)),
                _ => None,
            },
            Type::Bool => match pattern {
                Pattern::Const(Const::Bool(value)) => Some(Fact::values(Values::Bool(*value))),
                _ => None,
            },
            _ => None,
        }
    }

    fn check_arms(
        &mut self,
        ty: &Type,
        possible: Option<&Variants>,
        arms: &[ast::MatchArm],
        rows: &[Option<Pattern>],
        span: Span,
    ) {
        let mut patterns: Vec<Vec<Pattern>> = Vec::with_capacity(rows.len() + 1);
        // Variants that can't be here are as good as taken by a row above all others.
        let mut above = 0;
        if let (Some(possible), Type::Enum(id)) = (possible, ty) {
            let count = self.world().enums[id.index()].variants.len();
            let gone: Vec<Pattern> = Variants::all(count)
                .without(possible)
                .iter()
                .map(|variant| Pattern::Const(Const::Enum(*id, variant)))
                .collect();
            if !gone.is_empty() {
                above = 1;
                patterns.push(vec![Pattern::Or(gone)]);
            }
        }
        for row in rows {
            let Some(row) = row else { return };
            patterns.push(vec![row.clone()]);
        }
        let column = self.column(ty);
        let report = exhaustive::check(&[column], &patterns);
        let spans: Vec<Span> = arms.iter().map(|arm| arm.pattern.span).collect();
        self.report_rows(&report, above, &spans, span, "arm");
    }
}

// The variants that a pattern names; true if it takes everything.
fn variants_named(pattern: &Pattern, into: &mut Vec<u32>) -> bool {
    match pattern {
        Pattern::Any => true,
        Pattern::Const(Const::Enum(_, variant)) => {
            into.push(*variant);
            false
        }
        Pattern::Or(patterns) => patterns.iter().any(|pattern| variants_named(pattern, into)),
        _ => false,
    }
}

fn int_hull(pattern: &Pattern) -> Option<crate::types::ty::Interval> {
    match pattern {
        Pattern::Const(Const::Int(value)) => Some(interval::exactly(*value)),
        Pattern::Range(low, high) => {
            let end = |bound: &Option<Const>, open| match bound {
                Some(Const::Int(value)) => Some(*value),
                None => Some(open),
                _ => None,
            };
            interval::between(end(low, i64::MIN)?, end(high, i64::MAX)?)
        }
        Pattern::Or(patterns) => {
            let hulls: Option<Vec<_>> = patterns.iter().map(int_hull).collect();
            hulls?.into_iter().reduce(interval::hull)
        }
        _ => None,
    }
}

//! Builtin operations.

use std::sync::Arc;

use super::{Encoder, Truth, Val};
use crate::analysis::formula::F;
use crate::analysis::value::{Sym, Word, pairwise};
use crate::data::timestamp::Timestamp;
use crate::types::operator::Operator;
use crate::types::ty::Type;
use crate::types::typed::Expr;

/// The numbers of 64 bits.
pub(super) const WHOLE: (i128, i128) = (i64::MIN as i128, i64::MAX as i128);
const TIMES: (i128, i128) = (Timestamp::MIN.millis() as i128, Timestamp::MAX.millis() as i128);

impl<'a> Encoder<'_, 'a> {
    pub(super) fn operator(&mut self, expr: &Expr, operator: Operator, operands: &[Expr]) -> Val {
        use Operator as O;
        match operator {
            O::And => self.logic(operands, false),
            O::Or => self.logic(operands, true),
            O::Implies => self.implication(operands),
            _ => {
                let values: Vec<Val> = operands.iter().map(|operand| self.value(operand)).collect();
                let error = self.world.cx.formulas.or(values.iter().map(|value| value.error));
                let syms: Vec<Sym> = values.into_iter().map(|value| value.sym).collect();
                let value = self.apply(expr, operator, operands, &syms);
                Val { error: self.world.cx.formulas.either(error, value.error), ..value }
            }
        }
    }

    /// `and`, `or`: what settles the result does so wherever it stands.
    fn logic(&mut self, operands: &[Expr], settles: bool) -> Val {
        let truths: Vec<Truth> = operands.iter().map(|operand| self.condition(operand)).collect();
        let formulas = &mut self.world.cx.formulas;
        let (yes, no) = if settles {
            (formulas.or(truths.iter().map(|truth| truth.yes)), formulas.and(truths.iter().map(|truth| truth.no)))
        } else {
            (formulas.and(truths.iter().map(|truth| truth.yes)), formulas.or(truths.iter().map(|truth| truth.no)))
        };
        self.bool(yes, no)
    }

    fn implication(&mut self, operands: &[Expr]) -> Val {
        let [left, right] = operands else { return Val { sym: Sym::Bool(F::FALSE), error: F::TRUE } };
        let (left, right) = (self.condition(left), self.condition(right));
        let yes = self.world.cx.formulas.either(left.no, right.yes);
        let no = self.world.cx.formulas.both(left.yes, right.no);
        self.bool(yes, no)
    }

    fn apply(&mut self, expr: &Expr, operator: Operator, operands: &[Expr], values: &[Sym]) -> Val {
        use Operator as O;
        let ty = &expr.ty;
        let Some(first) = values.first() else { return self.blurred("an operation", ty, F::FALSE) };
        let second = values.get(1).unwrap_or(first);
        let sure = |truth: F| Val::sure(Sym::Bool(truth));
        match operator {
            O::And | O::Or | O::Implies => self.blurred("an operation", ty, F::FALSE),
            O::Not => sure(!first.truth()),
            O::Equal => sure(self.world.equal(first, second)),
            O::NotEqual => sure(!self.world.equal(first, second)),
            O::Less | O::LessEqual | O::Greater | O::GreaterEqual => {
                let ty = operands.first().map(|operand| &operand.ty);
                sure(self.compare(operator, first, second, ty))
            }

            O::IntAdd | O::DecimalAdd | O::DurationAdd => self.add(first, second, 1, WHOLE, ty),
            O::IntSubtract | O::DecimalSubtract | O::DurationSubtract => self.add(first, second, -1, WHOLE, ty),
            O::TimestampAdd => self.add(first, second, 1, TIMES, ty),
            O::TimestampSubtract => self.add(first, second, -1, TIMES, ty),
            O::TimestampDifference => self.add(first, second, -1, WHOLE, ty),
            O::IntMultiply | O::DurationMultiply => self.multiply(first, second, ty),
            O::DecimalMultiply => self.multiply_decimals(first, second, ty),
            O::IntDivide => self.divide_int(first, second, ty),
            O::DecimalDivide => self.divide_decimals(first, second, ty),
            O::IntNegate | O::DecimalNegate | O::DurationNegate => self.negate(first, ty),
            O::IntAbs | O::DecimalAbs => self.distance(first, ty),
            O::IntMin | O::DecimalMin => self.extreme(first, second, false, ty),
            O::IntMax | O::DecimalMax => self.extreme(first, second, true, ty),
            O::IntToDecimal => self.as_decimal(first, ty),
            O::DecimalTruncate => self.truncated(first, ty),
            O::TimestampYear
            | O::TimestampMonth
            | O::TimestampDay
            | O::TimestampHour
            | O::TimestampMinute
            | O::TimestampSecond
            | O::TimestampWeekday => self.calendar(operator, first, ty),

            O::StringLength
            | O::StringStartsWith
            | O::StringEndsWith
            | O::StringContains
            | O::IpInNet
            | O::NetInNet
            | O::IpIsLoopback
            | O::IpIsPrivate
            | O::IpIsLinkLocal
            | O::IpIsMulticast
            | O::IpIsUnspecified
            | O::IpIsGlobal
            | O::IpIsV6
            | O::UrlScheme
            | O::UrlHost
            | O::UrlPort
            | O::UrlPath
            | O::UrlQuery
            | O::UrlFragment
            | O::UrlHasCredentials
            | O::UrlHostAddress
            | O::UrlInUrl
            | O::UrlHostInDomain
            | O::UrlText
            | O::PathInPath
            | O::PathName
            | O::PathExtension
            | O::PathParent
            | O::PathText
            | O::PathDepth => Val::sure(self.text(operator, first, second)),

            O::Size
            | O::Contains
            | O::MapHasKey
            | O::ContainsAll
            | O::ContainsAny
            | O::SetUnion
            | O::SetIntersect
            | O::SetExcept
            | O::ListGet
            | O::MapGet => self.collection(operator, first, second, ty),

            O::EntityId => self.id(first, ty),
            O::EntityIn => sure(self.entity_in(first, second)),
            O::EntityInAny => {
                let Sym::Many(of) = second else { return self.blurred("a set of entities", ty, F::FALSE) };
                let of = of.clone();
                let mut cases = Vec::new();
                for item in &of.items {
                    let within = self.entity_in(first, &item.element);
                    cases.push(self.world.cx.formulas.both(item.there, within));
                }
                let holds = self.world.cx.formulas.or(cases);
                self.world.asked(&of, holds, "in one of", values);
                sure(self.world.perhaps(&of, holds, "the one that it is in", values))
            }
        }
    }

    fn id(&mut self, entity: &Sym, ty: &Type) -> Val {
        let Sym::Entity(choice) = entity else { return self.blurred("the id of an entity", ty, F::FALSE) };
        let mut words: Vec<(F, Word)> = Vec::new();
        for (when, term) in choice {
            let word = self.world.term(*term).id.clone();
            match words.iter_mut().find(|(_, known)| *known == word) {
                Some((before, _)) => *before = self.world.cx.formulas.either(*before, *when),
                None => words.push((*when, word)),
            }
        }
        Val::sure(Sym::Text(words))
    }

    fn entity_in(&mut self, one: &Sym, other: &Sym) -> F {
        let (Sym::Entity(one), Sym::Entity(other)) = (one, other) else {
            return self.world.unknown("membership of what is no entity", &[one.clone(), other.clone()]);
        };
        let mut cases = Vec::new();
        for (when, a) in one {
            for (and, b) in other {
                let both = self.world.cx.formulas.both(*when, *and);
                if both != F::FALSE {
                    let within = self.world.is_in(*a, *b);
                    cases.push(self.world.cx.formulas.both(both, within));
                }
            }
        }
        self.world.cx.formulas.or(cases)
    }

    /// `<`, `<=`, `>`, `>=`: all are made of "less than".
    pub(super) fn compare(&mut self, operator: Operator, one: &Sym, other: &Sym, ty: Option<&Type>) -> F {
        use Operator as O;
        match operator {
            O::Greater => return self.compare(O::Less, other, one, ty),
            O::LessEqual => return !self.compare(O::Less, other, one, ty),
            O::GreaterEqual => return !self.compare(O::Less, one, other, ty),
            _ => {}
        }
        match (one, other) {
            (Sym::Number(one), Sym::Number(other)) => {
                pairwise(&mut self.world.cx, one, other, |cx, one, other| match one.plus(other, -1) {
                    Some(difference) => cx.formulas.at_most(&cx.numbers, &difference, -1),
                    None => cx.formulas.free(),
                })
            }
            (Sym::Text(one), Sym::Text(other)) => pairwise(&mut self.world.cx, one, other, super::texts::before),
            (Sym::Variant(one), Sym::Variant(other)) => {
                let names = match ty {
                    Some(Type::Enum(id)) => &self.policy.enums[id.index()].variants[..],
                    _ => &[],
                };
                let place = |name: &Arc<str>| names.iter().position(|known| known == name);
                pairwise(&mut self.world.cx, one, other, |_, one, other| F::constant(place(one) < place(other)))
            }
            _ => self.world.unknown("the order of values", &[one.clone(), other.clone()]),
        }
    }
}

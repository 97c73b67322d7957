//! Arithmetic. Sums are computed as they are in mathematics; where they leave the range of their type is an error.

use super::operators::WHOLE;
use super::{Encoder, Val};
use crate::analysis::formula::F;
use crate::analysis::numbers::{Linear, Source};
use crate::analysis::value::{CHOICES_MAX, Choice, Sym, either};
use crate::data::timestamp::Timestamp;
use crate::types::operator::Operator;
use crate::types::ty::Type;

/// Decimals count millionths.
const MILLION: i128 = 1_000_000;
const DAY: i128 = 86_400_000;
const MANY: &str = "a number with very many alternatives";

impl Encoder<'_, '_> {
    /// Applies an operation to all alternatives of two numbers.
    fn each(
        &mut self,
        one: &Sym,
        other: &Sym,
        ty: &Type,
        mut apply: impl FnMut(&mut Self, &Linear, &Linear) -> Option<(Linear, F)>,
    ) -> Val {
        let (Some(one), Some(other)) = (Self::sums(one).cloned(), Self::sums(other).cloned()) else {
            return self.blurred("a number", ty, F::FALSE);
        };
        let mut all: Choice<Linear> = Vec::new();
        let mut errors = Vec::new();
        for (when, a) in &one {
            for (and, b) in &other {
                let both = self.world.cx.formulas.both(*when, *and);
                if both == F::FALSE {
                    continue;
                }
                let (result, error) = match apply(self, a, b) {
                    Some(known) => known,
                    None => {
                        let error = self.world.cx.formulas.free();
                        let number =
                            self.world.unknown_number("a product of two numbers of the request", WHOLE.0, WHOLE.1);
                        (number, error)
                    }
                };
                errors.push(self.world.cx.formulas.both(both, error));
                match all.iter_mut().find(|(_, known)| *known == result) {
                    Some((before, _)) => *before = self.world.cx.formulas.either(*before, both),
                    None => all.push((both, result)),
                }
            }
        }
        let error = self.world.cx.formulas.or(errors);
        if all.len() > CHOICES_MAX {
            return self.blurred(MANY, ty, error);
        }
        Val { sym: Sym::Number(all), error }
    }

    /// When a sum is outside of a range.
    fn outside(&mut self, sum: &Linear, range: (i128, i128)) -> F {
        let cx = &mut self.world.cx;
        let above = !cx.formulas.at_most(&cx.numbers, sum, range.1);
        let below = cx.formulas.at_most(&cx.numbers, sum, range.0 - 1);
        cx.formulas.either(above, below)
    }

    pub(super) fn add(&mut self, one: &Sym, other: &Sym, sign: i128, range: (i128, i128), ty: &Type) -> Val {
        self.each(one, other, ty, |encoder, a, b| {
            let sum = a.plus(b, sign)?;
            let error = encoder.outside(&sum, range);
            Some((sum, error))
        })
    }

    pub(super) fn multiply(&mut self, one: &Sym, other: &Sym, ty: &Type) -> Val {
        self.each(one, other, ty, |encoder, a, b| {
            if a.as_constant().is_none() && b.as_constant().is_none() {
                return Some(encoder.world.product(a, b, 1));
            }
            let product = product(a, b)?;
            let error = encoder.outside(&product, WHOLE);
            Some((product, error))
        })
    }

    pub(super) fn as_decimal(&mut self, value: &Sym, ty: &Type) -> Val {
        self.multiply(value, &Sym::number(MILLION), ty)
    }

    pub(super) fn negate(&mut self, value: &Sym, ty: &Type) -> Val {
        self.add(&Sym::number(0), value, -1, WHOLE, ty)
    }

    /// `abs`
    pub(super) fn distance(&mut self, value: &Sym, ty: &Type) -> Val {
        let negative = self.compare(Operator::Less, value, &Sym::number(0), None);
        let negated = self.negate(value, ty);
        let error = self.world.cx.formulas.both(negative, negated.error);
        match either(&mut self.world.cx, negative, &negated.sym, value) {
            Some(sym) => Val { sym, error },
            None => self.blurred(MANY, ty, error),
        }
    }

    /// `min`, `max`
    pub(super) fn extreme(&mut self, one: &Sym, other: &Sym, greatest: bool, ty: &Type) -> Val {
        let less = self.compare(Operator::Less, one, other, None);
        let (yes, no) = if greatest { (other, one) } else { (one, other) };
        match either(&mut self.world.cx, less, yes, no) {
            Some(sym) => Val::sure(sym),
            None => self.blurred(MANY, ty, F::FALSE),
        }
    }

    /// Quotient and rest of a sum by a positive constant: `sum = by * quotient + rest`, `0 <= rest < by`.
    fn parted(&mut self, sum: &Linear, by: i128) -> Option<(Linear, Linear)> {
        if let Some(known) = sum.as_constant() {
            return Some((Linear::constant(known.div_euclid(by)), Linear::constant(known.rem_euclid(by))));
        }
        let key = (sum.clone(), by);
        if let Some(known) = self.world.parted.get(&key) {
            return Some(known.clone());
        }
        let (low, high) = self.world.cx.numbers.range(sum)?;
        let quotient = Linear::variable(self.world.cx.numbers.variable(low.div_euclid(by), high.div_euclid(by)));
        let rest = sum.plus(&quotient, -by)?;
        let cx = &mut self.world.cx;
        let at_most = cx.formulas.at_most(&cx.numbers, &rest, by - 1);
        let below = cx.formulas.at_most(&cx.numbers, &rest, -1);
        self.world.axioms.extend([at_most, !below]);
        self.world.parted.insert(key, (quotient.clone(), rest.clone()));
        Some((quotient, rest))
    }

    /// Division by a constant, rounded toward zero.
    fn divided(&mut self, sum: &Linear, by: i128) -> Option<Choice<Linear>> {
        let (sum, by) = match by {
            0 => return None,
            by if by < 0 => (sum.times(-1)?, by.checked_neg()?),
            by => (sum.clone(), by),
        };
        if let Some(known) = sum.as_constant() {
            return Some(vec![(F::TRUE, Linear::constant(known / by))]);
        }
        let negative = {
            let cx = &mut self.world.cx;
            cx.formulas.at_most(&cx.numbers, &sum, -1)
        };
        let (up, _) = self.parted(&sum, by)?;
        if negative == F::FALSE {
            return Some(vec![(F::TRUE, up)]);
        }
        // Of what is negative: minus the quotient of what is left of it without the sign.
        let (down, _) = self.parted(&sum.times(-1)?, by)?;
        Some(vec![(!negative, up), (negative, down.times(-1)?)])
    }

    fn quotient(&mut self, value: &Sym, by: i128, ty: &Type) -> Val {
        let Some(choice) = Self::sums(value).cloned() else { return self.blurred("a number", ty, F::FALSE) };
        let mut all = Vec::new();
        for (when, sum) in choice {
            let Some(parts) = self.divided(&sum, by) else { return self.blurred("a quotient", ty, F::FALSE) };
            for (and, part) in parts {
                let both = self.world.cx.formulas.both(when, and);
                if both != F::FALSE {
                    all.push((both, part));
                }
            }
        }
        Val::sure(Sym::Number(all))
    }

    pub(super) fn divide_int(&mut self, one: &Sym, other: &Sym, ty: &Type) -> Val {
        let by = match Self::sums(other).map(|choice| &choice[..]) {
            Some([(_, by)]) => by.as_constant(),
            _ => None,
        };
        let Some(by) = by else { return self.blurred("a quotient", ty, F::FALSE) };
        let value = self.quotient(one, by, ty);
        let mut errors = Vec::new();
        for (when, sum) in Self::sums(&value.sym).cloned().unwrap_or_default() {
            let outside = self.outside(&sum, WHOLE);
            errors.push(self.world.cx.formulas.both(when, outside));
        }
        Val { error: self.world.cx.formulas.or(errors), ..value }
    }

    /// `truncate(d)`
    pub(super) fn truncated(&mut self, value: &Sym, ty: &Type) -> Val {
        self.quotient(value, MILLION, ty)
    }

    /// A product of decimals counts millionths of millionths; what does not come out even is an error.
    pub(super) fn multiply_decimals(&mut self, one: &Sym, other: &Sym, ty: &Type) -> Val {
        self.each(one, other, ty, |encoder, a, b| {
            if a.as_constant().is_none() && b.as_constant().is_none() {
                return Some(encoder.world.product(a, b, MILLION));
            }
            let product = product(a, b)?;
            encoder.even(&product, MILLION)
        })
    }

    pub(super) fn divide_decimals(&mut self, one: &Sym, other: &Sym, ty: &Type) -> Val {
        self.each(one, other, ty, |encoder, a, b| {
            let by = b.as_constant().filter(|by| *by != 0)?;
            let scaled = a.times(MILLION)?;
            let scaled = if by < 0 { scaled.times(-1)? } else { scaled };
            encoder.even(&scaled, by.checked_abs()?)
        })
    }

    /// A quotient that is an error where it does not come out even, or is too large.
    fn even(&mut self, sum: &Linear, by: i128) -> Option<(Linear, F)> {
        let (quotient, rest) = self.parted(sum, by)?;
        let uneven = {
            let cx = &mut self.world.cx;
            !cx.formulas.equals(&cx.numbers, &rest, 0)
        };
        let outside = self.outside(&quotient, WHOLE);
        Some((quotient, self.world.cx.formulas.either(uneven, outside)))
    }

    /// The parts of a timestamp.
    pub(super) fn calendar(&mut self, part: Operator, value: &Sym, ty: &Type) -> Val {
        self.each(value, &Sym::number(0), ty, |encoder, time, _| Some((encoder.part_of(part, time)?, F::FALSE)))
    }

    fn part_of(&mut self, part: Operator, time: &Linear) -> Option<Linear> {
        if let Some(known) = time.as_constant() {
            let parts = Timestamp::from_millis(i64::try_from(known).ok()?)?.parts();
            let value: i64 = match part {
                Operator::TimestampYear => parts.year.into(),
                Operator::TimestampMonth => parts.month.into(),
                Operator::TimestampDay => parts.day.into(),
                Operator::TimestampHour => parts.hour.into(),
                Operator::TimestampMinute => parts.minute.into(),
                Operator::TimestampSecond => parts.second.into(),
                _ => parts.weekday.into(),
            };
            return Some(Linear::constant(value.into()));
        }
        match part {
            Operator::TimestampHour => self.unit_of(time, DAY, 3_600_000),
            Operator::TimestampMinute => self.unit_of(time, 3_600_000, 60_000),
            Operator::TimestampSecond => self.unit_of(time, 60_000, 1_000),
            Operator::TimestampWeekday => {
                // The first of January 1970 was a Thursday, the fourth day.
                let (day, _) = self.parted(time, DAY)?;
                let (_, rest) = self.parted(&day.plus(&Linear::constant(3), 1)?, 7)?;
                rest.plus(&Linear::constant(1), 1)
            }
            _ => {
                let of = self.world.named_sum(time)?;
                let numbers = &mut self.world.cx.numbers;
                Some(Linear::variable(match part {
                    Operator::TimestampYear => numbers.function(Source::Year(of), 0, 9_999),
                    Operator::TimestampMonth => numbers.function(Source::Month(of), 1, 12),
                    _ => numbers.function(Source::Day(of), 1, 31),
                }))
            }
        }
    }

    /// How many units there are in what is left of a time by a larger unit.
    fn unit_of(&mut self, time: &Linear, larger: i128, unit: i128) -> Option<Linear> {
        let (_, rest) = self.parted(time, larger)?;
        // The rest is below the larger unit, which bounds alone do not show.
        let key = (rest.clone(), unit);
        if !self.world.parted.contains_key(&key) {
            let quotient = Linear::variable(self.world.cx.numbers.variable(0, larger / unit - 1));
            let left = rest.plus(&quotient, -unit)?;
            let cx = &mut self.world.cx;
            let at_most = cx.formulas.at_most(&cx.numbers, &left, unit - 1);
            let below = cx.formulas.at_most(&cx.numbers, &left, -1);
            self.world.axioms.extend([at_most, !below]);
            self.world.parted.insert(key.clone(), (quotient, left));
        }
        self.world.parted.get(&key).map(|(quotient, _)| quotient.clone())
    }
}

fn product(one: &Linear, other: &Linear) -> Option<Linear> {
    match (one.as_constant(), other.as_constant()) {
        (Some(factor), _) => other.times(factor),
        (_, Some(factor)) => one.times(factor),
        _ => None,
    }
}

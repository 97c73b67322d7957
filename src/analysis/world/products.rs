//! Products of two numbers of the request.
//!
//! The theory of numbers knows sums alone, so a product is a number of its own, the same for the same two. What it has to
//! obey is not written out: a model is looked at, and where a product in it is another than that of the two, a law is
//! added that says so of these two numbers, and of all that are smaller or greater. So often is that done and no more:
//! what is found then may not exist.

use super::World;
use crate::analysis::formula::F;
use crate::analysis::numbers::Linear;
use crate::analysis::solver::Model;

/// The numbers of 64 bits.
const WHOLE: (i128, i128) = (i64::MIN as i128, i64::MAX as i128);

/// So many laws are added to one world.
const LAWS_MAX: usize = 256;

/// Two numbers, and what is known of their product.
#[derive(Clone, Debug)]
pub(super) struct Product {
    one: Linear,
    other: Linear,
    /// The product is divided by this; where it does not come out even it is an error, as where it is too large.
    by: i128,
    value: Linear,
    error: F,
}

impl World<'_> {
    /// The product of two sums, divided by something, and when it is an error.
    pub fn product(&mut self, one: &Linear, other: &Linear, by: i128) -> (Linear, F) {
        let (mut one, mut other, mut by) = (one.clone(), other.clone(), by);
        for factor in [&mut one, &mut other] {
            if by > 1
                && let Some(part) = divided(factor, by)
            {
                *factor = part;
                by = 1;
            }
        }
        if other < one {
            std::mem::swap(&mut one, &mut other);
        }
        if let Some(known) =
            self.products.iter().find(|known| (&known.one, &known.other, known.by) == (&one, &other, by))
        {
            return (known.value.clone(), known.error);
        }
        let numbers = &self.cx.numbers;
        let corners = numbers.range(&one).zip(numbers.range(&other)).and_then(|((a, b), (c, d))| {
            let all = [a.checked_mul(c)?, a.checked_mul(d)?, b.checked_mul(c)?, b.checked_mul(d)?];
            Some((all.into_iter().min()?, all.into_iter().max()?))
        });
        const REASON: &str = "a product of two numbers of the request";
        let (value, error) = match corners {
            Some((low, high)) if by == 1 && low >= WHOLE.0 && high <= WHOLE.1 => {
                (self.unknown_number(REASON, low, high), F::FALSE)
            }
            _ => {
                let error = self.cx.formulas.free();
                (self.unknown_number(REASON, WHOLE.0, WHOLE.1), error)
            }
        };
        self.products.push(Product { one, other, by, value: value.clone(), error });
        (value, error)
    }

    /// What holds of products and does not in a model; none if it can be so, or if enough was said.
    pub(super) fn laws_of_products(&mut self, model: &Model) -> Vec<F> {
        let mut laws = Vec::new();
        for product in self.products.clone() {
            if self.product_laws < LAWS_MAX
                && let Some(new) = self.laws_of_product(&product, model)
            {
                self.product_laws += new.len();
                laws.extend(new);
            }
        }
        laws
    }

    /// Nothing if the product is what it should be, or is too large to be looked at.
    fn laws_of_product(&mut self, product: &Product, model: &Model) -> Option<Vec<F>> {
        let Product { one, other, by, value, error } = product;
        let (a, b) = (model.sum(&self.cx, one)?, model.sum(&self.cx, other)?);
        let result = a.checked_mul(b)?;
        let quotient = result.checked_div_euclid(*by)?;
        let is_even = result.checked_rem_euclid(*by)? == 0;
        let fits = is_even && (WHOLE.0..=WHOLE.1).contains(&quotient);
        let fails = model.holds(&self.cx, *error);
        if fails != fits && (fails || model.sum(&self.cx, value)? == quotient) {
            return None;
        }
        let mut laws = Vec::new();
        let (is_a, is_b) = (self.is(one, a), self.is(other, b));
        let then = if fits {
            let same = self.is(value, quotient);
            self.cx.formulas.both(!*error, same)
        } else {
            *error
        };
        laws.push(self.cx.formulas.or([!is_a, !is_b, then]));
        if a >= 0 && b >= 0 {
            let greater = [self.at_least(one, a), self.at_least(other, b)];
            let above = self.at_least(value, quotient.checked_add(i128::from(!is_even))?);
            laws.push(self.cx.formulas.or([!greater[0], !greater[1], *error, above]));
            laws.push(self.small(product, a, b, Some(quotient)));
            if *by == 1 && fails && fits {
                // An error takes more than the one number and what the other would have to be with it.
                let most = |with: i128| WHOLE.1.checked_div(with.max(1));
                laws.push(self.small(product, a, most(a)?, None));
                laws.push(self.small(product, most(b)?, b, None));
            }
        }
        Some(laws)
    }

    /// Where neither number is negative and they are at most these, the product is at most this, and no error if these
    /// have none.
    fn small(&mut self, product: &Product, a: i128, b: i128, most: Option<i128>) -> F {
        let Product { one, other, by, value, error } = product;
        let none = [self.at_least(one, 0), self.at_least(other, 0)];
        let more = [self.at_least(one, a.saturating_add(1)), self.at_least(other, b.saturating_add(1))];
        let mut then = Vec::new();
        if let Some(most) = most {
            let most = !self.at_least(value, most.saturating_add(1));
            let least = self.at_least(value, 0);
            let within = self.cx.formulas.both(most, least);
            then.push(self.cx.formulas.either(*error, within));
        }
        if *by == 1 && a.checked_mul(b).is_some_and(|most| most <= WHOLE.1) {
            then.push(!*error);
        }
        let then = self.cx.formulas.and(then);
        self.cx.formulas.or([!none[0], !none[1], more[0], more[1], then])
    }

    fn is(&mut self, sum: &Linear, value: i128) -> F {
        self.cx.formulas.equals(&self.cx.numbers, sum, value)
    }

    fn at_least(&mut self, sum: &Linear, value: i128) -> F {
        match value.checked_sub(1) {
            Some(below) => !self.cx.formulas.at_most(&self.cx.numbers, sum, below),
            None => F::TRUE,
        }
    }
}

/// A sum divided by what divides all of it.
fn divided(sum: &Linear, by: i128) -> Option<Linear> {
    let part = |value: i128| (value.checked_rem(by)? == 0).then(|| value / by);
    let terms = sum.terms.iter().map(|(variable, factor)| Some((*variable, part(*factor)?))).collect::<Option<_>>()?;
    Some(Linear { constant: part(sum.constant)?, terms })
}

//! `Decimal`: a fixed-point number, a 64-bit count of millionths.
//!
//! | | |
//! | --- | --- |
//! | unit | 10⁻⁶ |
//! | range | −9223372036854.775808 to 9223372036854.775807 |
//! | text | `-?(0\|[1-9][0-9]*)(\.[0-9]+)?`; in JSON also with an exponent (RFC 8259, section 6) |
//! | canonical text | no exponent, no trailing zeros, no `-0`: `0.1`, `5`, `-0.5` |
//!
//! Nothing is ever rounded. A literal, a product or a quotient that is not a whole count of millionths is an
//! error ([`ArithmeticError::Inexact`]), and so is one that is out of range. No function here allocates.
//!
//! ```
//! use pdl::data::decimal::Decimal;
//!
//! let price = Decimal::parse("19.90").unwrap();
//! assert_eq!(price.to_string(), "19.9");
//! assert_eq!(price.checked_mul(Decimal::parse("3").unwrap()).unwrap().to_string(), "59.7");
//! ```

use std::fmt;

use super::arithmetic::ArithmeticError;

/// How many millionths make one.
const SCALE: i64 = 1_000_000;
/// How many digits a decimal has after its point.
const FRACTION_DIGITS: i64 = 6;
/// The most digits that a 64-bit count can have.
const COUNT_DIGITS_MAX: i64 = 19;

/// A count of millionths. See the module for range and text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Decimal(pub i64);

/// Why a text is not a decimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DecimalError {
    /// The text is not a number of the expected form.
    Malformed,
    /// The number is out of range.
    Overflow,
    /// The number has more than six digits after the point that count.
    Inexact,
}

impl fmt::Display for DecimalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DecimalError::Malformed => "not a decimal number",
            DecimalError::Overflow => "the decimal number is out of range",
            DecimalError::Inexact => "the decimal number has more than six digits after the point",
        })
    }
}

impl std::error::Error for DecimalError {}

/// Whether a text may end in an exponent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Exponent {
    Refused,
    Allowed,
}

impl Decimal {
    /// Zero.
    pub const ZERO: Decimal = Decimal(0);
    /// The least decimal.
    pub const MIN: Decimal = Decimal(i64::MIN);
    /// The greatest decimal.
    pub const MAX: Decimal = Decimal(i64::MAX);

    /// Reads a decimal without exponent, as sources write it: `12`, `-12.5`, `0.000001`.
    ///
    /// More than six digits after the point are accepted where the surplus ones are zeros.
    pub fn parse(text: &str) -> Result<Decimal, DecimalError> {
        read(text.as_bytes(), Exponent::Refused)
    }

    /// Reads a JSON number, exponents included: `1e2` is 100, `1.50` is 1.5, `1e-7` is inexact.
    pub fn parse_json(text: &str) -> Result<Decimal, DecimalError> {
        read(text.as_bytes(), Exponent::Allowed)
    }

    /// The decimal that equals an integer.
    #[inline]
    pub fn from_int(value: i64) -> Result<Decimal, ArithmeticError> {
        value.checked_mul(SCALE).map(Decimal).ok_or(ArithmeticError::Overflow)
    }

    /// The integer that equals this decimal, if there is one.
    #[inline]
    pub fn to_int(self) -> Option<i64> {
        if self.0 % SCALE == 0 { Some(self.0 / SCALE) } else { None }
    }

    /// The integer that is left when the digits behind the point are dropped: rounded toward zero.
    #[inline]
    #[must_use]
    pub fn truncate(self) -> i64 {
        self.0 / SCALE
    }

    /// `self + other`.
    #[inline]
    pub fn checked_add(self, other: Decimal) -> Result<Decimal, ArithmeticError> {
        self.0.checked_add(other.0).map(Decimal).ok_or(ArithmeticError::Overflow)
    }

    /// `self - other`.
    #[inline]
    pub fn checked_sub(self, other: Decimal) -> Result<Decimal, ArithmeticError> {
        self.0.checked_sub(other.0).map(Decimal).ok_or(ArithmeticError::Overflow)
    }

    /// `-self`.
    #[inline]
    pub fn checked_neg(self) -> Result<Decimal, ArithmeticError> {
        self.0.checked_neg().map(Decimal).ok_or(ArithmeticError::Overflow)
    }

    /// The magnitude of `self`.
    #[inline]
    pub fn checked_abs(self) -> Result<Decimal, ArithmeticError> {
        self.0.checked_abs().map(Decimal).ok_or(ArithmeticError::Overflow)
    }

    /// `self * other`. A product both out of range and inexact is an overflow.
    #[inline]
    pub fn checked_mul(self, other: Decimal) -> Result<Decimal, ArithmeticError> {
        let product = i128::from(self.0) * i128::from(other.0);
        exact(product, i128::from(SCALE))
    }

    /// `self / divisor`, exactly. A quotient both out of range and inexact is an overflow, and so is a division
    /// by zero, which the checker refuses.
    #[inline]
    pub fn checked_div_const(self, divisor: Decimal) -> Result<Decimal, ArithmeticError> {
        if divisor.0 == 0 {
            return Err(ArithmeticError::Overflow);
        }
        exact(i128::from(self.0) * i128::from(SCALE), i128::from(divisor.0))
    }
}

/// `numerator / denominator` as a count. The magnitudes are below 2¹²⁷, and the denominator is not zero.
fn exact(numerator: i128, denominator: i128) -> Result<Decimal, ArithmeticError> {
    let count = i64::try_from(numerator / denominator).map_err(|_| ArithmeticError::Overflow)?;
    if numerator % denominator != 0 {
        return Err(ArithmeticError::Inexact);
    }
    Ok(Decimal(count))
}

/// Reads the grammar of a JSON number; see `parse` and `parse_json`.
fn read(text: &[u8], exponent: Exponent) -> Result<Decimal, DecimalError> {
    let (negative, rest) = match text {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let (whole, rest) = digits(rest)?;
    if whole.len() > 1 && whole[0] == b'0' {
        return Err(DecimalError::Malformed);
    }
    let (fraction, rest) = match rest {
        [b'.', rest @ ..] => digits(rest)?,
        rest => (&[][..], rest),
    };
    let power = match rest {
        [] => 0,
        [b'e' | b'E', rest @ ..] if exponent == Exponent::Allowed => read_power(rest)?,
        _ => return Err(DecimalError::Malformed),
    };

    // The significant digits are those from the first to the last that is not zero. `count` is right as long as
    // there are few enough of them for it to matter.
    let mut count: i128 = 0;
    let mut significant: i64 = 0;
    let mut pending_zeros: i64 = 0;
    for &digit in whole.iter().chain(fraction) {
        if digit == b'0' {
            pending_zeros += i64::from(significant > 0);
            continue;
        }
        significant += pending_zeros + 1;
        if significant <= COUNT_DIGITS_MAX {
            for _ in 0..=pending_zeros {
                count *= 10;
            }
            count += i128::from(digit - b'0');
        }
        pending_zeros = 0;
    }
    if significant == 0 {
        return Ok(Decimal::ZERO);
    }
    let shift = power.saturating_add(pending_zeros + FRACTION_DIGITS - fraction.len() as i64);
    if shift.saturating_add(significant) > COUNT_DIGITS_MAX {
        return Err(DecimalError::Overflow);
    }
    if shift < 0 {
        return Err(DecimalError::Inexact);
    }
    for _ in 0..shift {
        count *= 10;
    }
    let count = if negative { -count } else { count };
    i64::try_from(count).map(Decimal).map_err(|_| DecimalError::Overflow)
}

/// Splits off the leading digits, of which there has to be at least one.
fn digits(text: &[u8]) -> Result<(&[u8], &[u8]), DecimalError> {
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if length == 0 { Err(DecimalError::Malformed) } else { Ok(text.split_at(length)) }
}

/// Reads what follows the `e` of a number. A power too large for 64 bits saturates; the outcome is the same.
fn read_power(text: &[u8]) -> Result<i64, DecimalError> {
    let (negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let (digits, rest) = digits(text)?;
    if !rest.is_empty() {
        return Err(DecimalError::Malformed);
    }
    // Far beyond any power that can be met by a text that fits in memory, and far from the edge of 64 bits.
    const POWER_MAX: i64 = i64::MAX / 16;
    let power = digits
        .iter()
        .fold(0i64, |power, digit| power.saturating_mul(10).saturating_add(i64::from(digit - b'0')).min(POWER_MAX));
    Ok(if negative { -power } else { power })
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.in_text(|text| f.write_str(text))
    }
}

impl Decimal {
    /// Appends it as it is shown.
    pub fn push(self, out: &mut String) {
        self.in_text(|text| out.push_str(text));
    }

    /// All digits at once: the log of a kernel has many numbers, and the formatter takes most of the time of them.
    fn in_text<T>(self, take: impl FnOnce(&str) -> T) -> T {
        /// A sign, the digits of the largest number and its point.
        const MOST: usize = 21;
        const POINT: usize = MOST - FRACTION_DIGITS as usize - 1;
        let magnitude = self.0.unsigned_abs();
        let (mut units, mut fraction) = (magnitude / SCALE as u64, magnitude % SCALE as u64);
        let mut text = [b'0'; MOST];
        let mut put = |at: usize, number: &mut u64| {
            text[at] = b'0' + (*number % 10) as u8;
            *number /= 10;
        };
        let end = if fraction == 0 { POINT } else { MOST - trailing_zeros(fraction) };
        (POINT + 1..MOST).rev().for_each(|at| put(at, &mut fraction));
        let mut start = POINT;
        while start == POINT || units > 0 {
            start -= 1;
            put(start, &mut units);
        }
        text[POINT] = b'.';
        if self.0 < 0 {
            start -= 1;
            text[start] = b'-';
        }
        take(std::str::from_utf8(&text[start..end]).unwrap_or_default())
    }
}

/// How many zeros a number ends in that is not zero.
fn trailing_zeros(mut number: u64) -> usize {
    let mut zeros = 0;
    while number.is_multiple_of(10) {
        number /= 10;
        zeros += 1;
    }
    zeros
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn source_forms() {
        for (text, count, canonical) in [
            ("0", 0, "0"),
            ("-0", 0, "0"),
            ("-0.0", 0, "0"),
            ("5", 5_000_000, "5"),
            ("-12.5", -12_500_000, "-12.5"),
            ("0.10", 100_000, "0.1"),
            ("-0.5", -500_000, "-0.5"),
            ("0.000001", 1, "0.000001"),
            ("1.2300000000", 1_230_000, "1.23"),
            ("10", 10_000_000, "10"),
            ("100.001", 100_001_000, "100.001"),
            ("9223372036854.775807", i64::MAX, "9223372036854.775807"),
            ("-9223372036854.775808", i64::MIN, "-9223372036854.775808"),
        ] {
            assert_eq!(Decimal::parse(text), Ok(Decimal(count)), "{text}");
            assert_eq!(Decimal(count).to_string(), canonical);
            assert_eq!(Decimal::parse_json(text), Ok(Decimal(count)), "{text}");
        }
        for text in ["", "-", "+1", ".5", "5.", "05", "00", "-01", "1e2", "1 ", " 1", "1_000", "1,5", "١", "--1", "0x1"]
        {
            assert_eq!(Decimal::parse(text), Err(DecimalError::Malformed), "{text}");
        }
        assert_eq!(Decimal::parse("0.1234567"), Err(DecimalError::Inexact));
        assert_eq!(Decimal::parse("9223372036854.775808"), Err(DecimalError::Overflow));
        assert_eq!(Decimal::parse("-9223372036854.775809"), Err(DecimalError::Overflow));
        assert_eq!(Decimal::parse("99999999999999999999999999999999999999999999"), Err(DecimalError::Overflow));
        assert_eq!(Decimal::parse("1.00000000000000000000000000000000000000000001"), Err(DecimalError::Inexact));
    }

    #[test]
    fn json_exponents() {
        for (text, canonical) in [
            ("1e2", "100"),
            ("1E+2", "100"),
            ("1.50", "1.5"),
            ("15e-1", "1.5"),
            ("1e-6", "0.000001"),
            ("10000000e-7", "1"),
            ("1000000000000000000000e-20", "10"),
            ("0.0000000000000000000001e22", "1"),
            ("0e999999999999999999999999", "0"),
            ("-0.0e-999999999999999999999999", "0"),
            ("1e00", "1"),
        ] {
            assert_eq!(Decimal::parse_json(text).map(|value| value.to_string()), Ok(canonical.to_owned()), "{text}");
        }
        for text in ["1e", "1e+", "e1", "1e1.5", "1e1 ", "1.e1", "01e1"] {
            assert_eq!(Decimal::parse_json(text), Err(DecimalError::Malformed), "{text}");
        }
        assert_eq!(Decimal::parse_json("0.1234567"), Err(DecimalError::Inexact));
        assert_eq!(Decimal::parse_json("1e-7"), Err(DecimalError::Inexact));
        assert_eq!(Decimal::parse_json("1e-99999999999999999999"), Err(DecimalError::Inexact));
        assert_eq!(Decimal::parse_json("1e99999999999999999999"), Err(DecimalError::Overflow));
        assert_eq!(Decimal::parse_json("1e13"), Err(DecimalError::Overflow));
        assert_eq!(Decimal::parse_json("9e12"), Ok(Decimal(9_000_000_000_000_000_000)));
    }

    #[test]
    fn operations() {
        assert_eq!(decimal("0.1").checked_add(decimal("0.2")), Ok(decimal("0.3")));
        assert_eq!(decimal("0.1").checked_mul(decimal("0.2")), Ok(decimal("0.02")));
        assert_eq!(decimal("0.001").checked_mul(decimal("0.0001")), Err(ArithmeticError::Inexact));
        assert_eq!(decimal("5000000").checked_mul(decimal("5000000")), Err(ArithmeticError::Overflow));
        assert_eq!(decimal("1").checked_div_const(decimal("8")), Ok(decimal("0.125")));
        assert_eq!(decimal("-1").checked_div_const(decimal("0.5")), Ok(decimal("-2")));
        assert_eq!(decimal("1").checked_div_const(decimal("3")), Err(ArithmeticError::Inexact));
        assert_eq!(decimal("1").checked_div_const(Decimal::ZERO), Err(ArithmeticError::Overflow));
        assert_eq!(Decimal::MAX.checked_div_const(decimal("0.000001")), Err(ArithmeticError::Overflow));
        assert_eq!(Decimal::MIN.checked_div_const(decimal("-1")), Err(ArithmeticError::Overflow));
        assert_eq!(Decimal::MAX.checked_add(Decimal(1)), Err(ArithmeticError::Overflow));
        assert_eq!(Decimal::MIN.checked_sub(Decimal(1)), Err(ArithmeticError::Overflow));
        assert_eq!(Decimal::MIN.checked_neg(), Err(ArithmeticError::Overflow));
        assert_eq!(Decimal::from_int(i64::MAX), Err(ArithmeticError::Overflow));
        assert_eq!(Decimal::from_int(-3), Ok(decimal("-3")));
        for (text, expected) in [("0.999999", 0), ("-0.999999", 0), ("2", 2), ("2.5", 2), ("-2.5", -2)] {
            assert_eq!(decimal(text).truncate(), expected, "{text}");
        }
        assert_eq!(Decimal::MAX.truncate(), 9_223_372_036_854);
        assert_eq!(Decimal::MIN.truncate(), -9_223_372_036_854);
        assert_eq!(decimal("-3").to_int(), Some(-3));
        assert_eq!(decimal("3.5").to_int(), None);
    }

    proptest! {
        #[test]
        fn canonical_text_reads_back(count: i64) {
            let text = Decimal(count).to_string();
            prop_assert_eq!(Decimal::parse(&text), Ok(Decimal(count)));
            prop_assert_eq!(Decimal::parse_json(&text), Ok(Decimal(count)));
        }

        #[test]
        fn exponents_shift_the_point(count: i64, power in 0usize..30) {
            let zeros = "0".repeat(power);
            prop_assert_eq!(Decimal::parse_json(&format!("{count}{zeros}e-{}", power + 6)), Ok(Decimal(count)));
        }

        #[test]
        fn quotients_undo_products(left in -1_000_000_000i64..1_000_000_000, right in -1_000_000_000i64..1_000_000_000) {
            if let Ok(product) = Decimal(left).checked_mul(Decimal(right)) && right != 0 {
                prop_assert_eq!(product.checked_div_const(Decimal(right)), Ok(Decimal(left)));
            }
        }
    }
}

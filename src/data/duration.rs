//! `Duration`: a length of time, a 64-bit count of milliseconds, possibly negative.
//!
//! | | |
//! | --- | --- |
//! | unit | 1 ms |
//! | range | ±2⁶³ ms, about 292 million years |
//! | text | compact: `-?` and counts with the units `w d h m s ms`, each at most once and in this order: `1h30m`, `500ms` |
//! | in JSON | the compact form, or an ISO 8601 duration of `nW`, or of `nD`, `nH`, `nM`, `n.nnnS`: `PT4H`, `P1DT2H`, `PT0.5S` |
//! | canonical text | compact, in the largest units: `90m` is written `1h30m`, a zero is `0ms` |
//!
//! A day is 24 hours and a week 7 days. Years and months have no fixed length and are refused. No function here
//! allocates.

use std::fmt;

use super::arithmetic::ArithmeticError;

/// A count of milliseconds. See the module for range and text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Duration(pub i64);

/// Why a text is not a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DurationError {
    /// The text is of neither form, or has years or months.
    Malformed,
    /// The duration is out of range.
    Overflow,
    /// The duration is not a whole count of milliseconds.
    Inexact,
}

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DurationError::Malformed => "not a duration",
            DurationError::Overflow => "the duration is out of range",
            DurationError::Inexact => "the duration is finer than a millisecond",
        })
    }
}

impl std::error::Error for DurationError {}

/// The units of the compact form, longest first.
const UNITS: [(&str, i64); 6] = [("w", WEEK), ("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", SECOND), ("ms", 1)];
const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;

impl Duration {
    /// No time at all.
    pub const ZERO: Duration = Duration(0);

    /// Reads the compact form, as sources write it: `30s`, `1h30m`, `-5m`.
    ///
    /// A count has no leading zeros and may exceed the next unit: `90m` is fine.
    pub fn parse(text: &str) -> Result<Duration, DurationError> {
        let (negative, mut rest) = sign(text.as_bytes());
        let mut sum = Sum::default();
        let mut units = &UNITS[..];
        while !rest.is_empty() || units.len() == UNITS.len() {
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let (count, after) = rest.split_at(digits);
            if count.is_empty() || (count.len() > 1 && count[0] == b'0') {
                return Err(DurationError::Malformed);
            }
            let name = after.iter().take_while(|byte| byte.is_ascii_lowercase()).count();
            let (name, after) = after.split_at(name);
            let place = units.iter().position(|(unit, _)| unit.as_bytes() == name).ok_or(DurationError::Malformed)?;
            sum.add(count, units[place].1);
            units = &units[place + 1..];
            rest = after;
        }
        sum.finish(negative)
    }

    /// Reads an ISO 8601 duration: weeks alone, or days, hours, minutes and seconds in this order, of which only
    /// the seconds may have a fraction. A leading `-` negates the whole.
    pub fn parse_iso(text: &str) -> Result<Duration, DurationError> {
        let (negative, rest) = sign(text.as_bytes());
        let [b'P', rest @ ..] = rest else { return Err(DurationError::Malformed) };
        let mut sum = Sum::default();
        if let [weeks @ .., b'W'] = rest
            && is_digits(weeks)
        {
            sum.add(weeks, WEEK);
            return sum.finish(negative);
        }
        let (date, time) = match rest.iter().position(|&byte| byte == b'T') {
            Some(at) => (&rest[..at], Some(&rest[at + 1..])),
            None => (rest, None),
        };
        match date {
            [] if time.is_some() => {}
            [days @ .., b'D'] if is_digits(days) => sum.add(days, DAY),
            _ => return Err(DurationError::Malformed),
        }
        match time {
            Some([]) => return Err(DurationError::Malformed),
            Some(time) => read_iso_time(time, &mut sum)?,
            None => {}
        }
        sum.finish(negative)
    }

    /// Reads either form, as JSON documents may hold it.
    pub fn parse_json(text: &str) -> Result<Duration, DurationError> {
        if text.starts_with('P') || text.starts_with("-P") { Duration::parse_iso(text) } else { Duration::parse(text) }
    }

    /// `self + other`.
    #[inline]
    pub fn checked_add(self, other: Duration) -> Result<Duration, ArithmeticError> {
        self.0.checked_add(other.0).map(Duration).ok_or(ArithmeticError::Overflow)
    }

    /// `self - other`.
    #[inline]
    pub fn checked_sub(self, other: Duration) -> Result<Duration, ArithmeticError> {
        self.0.checked_sub(other.0).map(Duration).ok_or(ArithmeticError::Overflow)
    }

    /// `-self`.
    #[inline]
    pub fn checked_neg(self) -> Result<Duration, ArithmeticError> {
        self.0.checked_neg().map(Duration).ok_or(ArithmeticError::Overflow)
    }

    /// The magnitude of `self`.
    #[inline]
    pub fn checked_abs(self) -> Result<Duration, ArithmeticError> {
        self.0.checked_abs().map(Duration).ok_or(ArithmeticError::Overflow)
    }

    /// `self`, `factor` times.
    #[inline]
    pub fn checked_mul(self, factor: i64) -> Result<Duration, ArithmeticError> {
        self.0.checked_mul(factor).map(Duration).ok_or(ArithmeticError::Overflow)
    }
}

/// A sum of milliseconds that notes what went wrong, so that a malformed rest is still reported as such.
#[derive(Default)]
struct Sum {
    millis: i128,
    overflow: bool,
    inexact: bool,
}

impl Sum {
    /// Adds a count, given as ASCII digits, of a unit.
    fn add(&mut self, digits: &[u8], unit: i64) {
        // More than any result may hold, and small enough that a handful of such summands stays within 128 bits.
        const COUNT_MAX: i128 = 1 << 64;
        let mut count: i128 = 0;
        for digit in digits {
            count = (count * 10 + i128::from(digit - b'0')).min(COUNT_MAX);
        }
        self.overflow |= count == COUNT_MAX;
        self.millis += count * i128::from(unit);
    }

    fn finish(self, negative: bool) -> Result<Duration, DurationError> {
        let millis = if negative { -self.millis } else { self.millis };
        match i64::try_from(millis) {
            Ok(_) if self.inexact => Err(DurationError::Inexact),
            Ok(millis) if !self.overflow => Ok(Duration(millis)),
            _ => Err(DurationError::Overflow),
        }
    }
}

fn sign(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    }
}

fn is_digits(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}

/// Reads what follows the `T` of an ISO 8601 duration.
fn read_iso_time(mut rest: &[u8], sum: &mut Sum) -> Result<(), DurationError> {
    let mut units = &[(b'H', HOUR), (b'M', MINUTE), (b'S', SECOND)][..];
    while !rest.is_empty() {
        let end = rest.iter().position(u8::is_ascii_uppercase).ok_or(DurationError::Malformed)?;
        let place = units.iter().position(|&(name, _)| name == rest[end]).ok_or(DurationError::Malformed)?;
        let (count, unit) = (&rest[..end], units[place].1);
        match count.iter().position(|&byte| byte == b'.') {
            Some(point) if unit == SECOND && is_digits(&count[..point]) && is_digits(&count[point + 1..]) => {
                sum.add(&count[..point], SECOND);
                let (millis, finer) = fraction_millis(&count[point + 1..]);
                sum.millis += i128::from(millis);
                sum.inexact |= finer;
            }
            None if is_digits(count) => sum.add(count, unit),
            _ => return Err(DurationError::Malformed),
        }
        units = &units[place + 1..];
        rest = &rest[end + 1..];
    }
    Ok(())
}

/// The milliseconds that the digits after a decimal point of seconds say, and whether they say more than that.
pub(super) fn fraction_millis(digits: &[u8]) -> (i64, bool) {
    let place = |at: usize| digits.get(at).map_or(0, |digit| i64::from(digit - b'0'));
    let millis = place(0) * 100 + place(1) * 10 + place(2);
    (millis, digits.iter().skip(3).any(|&digit| digit != b'0'))
}

/// A duration as people read it: weeks only where it is nothing but weeks, for nobody counts `30d` as `4w2d`.
///
/// It can be read back, too. The canonical form, which digests are made of, is that of the duration itself.
#[derive(Clone, Copy, Debug)]
pub struct Shown(pub Duration);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shown(duration) = *self;
        let units = if duration.0 % WEEK == 0 { &UNITS[..] } else { &UNITS[1..] };
        write_units(duration.0, units, f)
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_units(self.0, &UNITS, f)
    }
}

fn write_units(millis: i64, units: &[(&str, i64)], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if millis == 0 {
        return f.write_str("0ms");
    }
    if millis < 0 {
        f.write_str("-")?;
    }
    let mut rest = millis.unsigned_abs();
    for (name, unit) in units {
        let count = rest / unit.unsigned_abs();
        rest %= unit.unsigned_abs();
        if count > 0 {
            write!(f, "{count}{name}")?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn compact_form() {
        for (text, millis, canonical) in [
            ("500ms", 500, "500ms"),
            ("30s", 30_000, "30s"),
            ("5m", 300_000, "5m"),
            ("4h", 14_400_000, "4h"),
            ("1d", 86_400_000, "1d"),
            ("2w", 1_209_600_000, "2w"),
            ("1h30m", 5_400_000, "1h30m"),
            ("90m", 5_400_000, "1h30m"),
            ("-1m500ms", -60_500, "-1m500ms"),
            ("0s", 0, "0ms"),
            ("-0ms", 0, "0ms"),
            ("8d", 691_200_000, "1w1d"),
            ("1w1d1h1m1s1ms", 694_861_001, "1w1d1h1m1s1ms"),
            ("9223372036854775807ms", i64::MAX, "15250284452w3d7h12m55s807ms"),
            ("-9223372036854775808ms", i64::MIN, "-15250284452w3d7h12m55s808ms"),
        ] {
            assert_eq!(Duration::parse(text), Ok(Duration(millis)), "{text}");
            assert_eq!(Duration::parse_json(text), Ok(Duration(millis)), "{text}");
            assert_eq!(Duration(millis).to_string(), canonical);
        }
        for text in [
            "", "-", "5", "h", "5 m", " 5m", "5m ", "05m", "1m1h", "1h1h", "1.5h", "+5m", "5M", "5min", "1y", "--5m",
            "5mm", "1msx", "1h-5m", "٥m",
        ] {
            assert_eq!(Duration::parse(text), Err(DurationError::Malformed), "{text}");
        }
        for text in ["9223372036854775808ms", "99999999999999999999999999999999999999999999w", "15250284453w"] {
            assert_eq!(Duration::parse(text), Err(DurationError::Overflow), "{text}");
        }
        assert_eq!(Duration::parse("99999999999999999999999999w3x"), Err(DurationError::Malformed));
    }

    #[test]
    fn people_count_in_days_or_in_weeks() {
        for (text, shown) in [
            ("30d", "30d"),
            ("4w2d", "30d"),
            ("2w", "2w"),
            ("14d", "2w"),
            ("7d", "1w"),
            ("8d1h", "8d1h"),
            ("-10d", "-10d"),
            ("36h", "1d12h"),
            ("0s", "0ms"),
            ("-9223372036854775808ms", "-106751991167d7h12m55s808ms"),
        ] {
            let duration = Duration::parse(text).expect("it is a duration");
            assert_eq!(Shown(duration).to_string(), shown);
            assert_eq!(Duration::parse(shown), Ok(duration));
        }
    }

    #[test]
    fn iso_form() {
        for (text, millis) in [
            ("PT4H", 14_400_000),
            ("P1DT2H", 93_600_000),
            ("PT0.5S", 500),
            ("-PT0.5S", -500),
            ("P3W", 1_814_400_000),
            ("P1D", 86_400_000),
            ("PT1H30S", 3_630_000),
            ("PT36H", 129_600_000),
            ("PT0S", 0),
            ("PT1.5000S", 1_500),
            ("PT05M", 300_000),
        ] {
            assert_eq!(Duration::parse_iso(text), Ok(Duration(millis)), "{text}");
            assert_eq!(Duration::parse_json(text), Ok(Duration(millis)), "{text}");
        }
        for text in [
            "", "P", "PT", "P1DT", "P1Y", "P1M", "P1W1D", "PT1S1M", "PT1.5H", "PT.5S", "PT1.S", "PT1,5S", "pt4h",
            "P4H", "PT1D", "PT1", "P1", "PT1H1H", "P-1D", "+P1D", "PT1HT1M", "PT1.1.1S", "4h",
        ] {
            assert_eq!(Duration::parse_iso(text), Err(DurationError::Malformed), "{text}");
        }
        assert_eq!(Duration::parse_iso("PT0.0005S"), Err(DurationError::Inexact));
        assert_eq!(Duration::parse_iso("P99999999999999999999999999D"), Err(DurationError::Overflow));
    }

    #[test]
    fn operations() {
        let max = Duration(i64::MAX);
        assert_eq!(Duration(1).checked_add(Duration(2)), Ok(Duration(3)));
        assert_eq!(max.checked_add(Duration(1)), Err(ArithmeticError::Overflow));
        assert_eq!(Duration(i64::MIN).checked_sub(Duration(1)), Err(ArithmeticError::Overflow));
        assert_eq!(Duration(i64::MIN).checked_neg(), Err(ArithmeticError::Overflow));
        assert_eq!(Duration(i64::MIN).checked_abs(), Err(ArithmeticError::Overflow));
        assert_eq!(Duration(HOUR).checked_mul(-3), Ok(Duration(-3 * HOUR)));
        assert_eq!(max.checked_mul(2), Err(ArithmeticError::Overflow));
    }

    proptest! {
        #[test]
        fn canonical_text_reads_back(millis: i64) {
            prop_assert_eq!(Duration::parse(&Duration(millis).to_string()), Ok(Duration(millis)));
        }
    }
}

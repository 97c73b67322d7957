//! `Timestamp`: an instant, a 64-bit count of milliseconds since 1970-01-01T00:00:00Z.
//!
//! | | |
//! | --- | --- |
//! | unit | 1 ms |
//! | range | 0000-01-01T00:00:00Z to 9999-12-31T23:59:59.999Z, in the proleptic Gregorian calendar |
//! | text | RFC 3339 `date-time` with `T` and `Z` in upper case; the offset is not optional |
//! | canonical text | in UTC, with three digits of fraction or none: `2026-01-01T00:00:00Z`, `2026-01-01T00:00:00.123Z` |
//!
//! More than three digits of a second are accepted where the surplus ones are zeros; else the text is inexact.
//! The leap second `:60` is refused: the count has no room for it, and any answer would be a guess. There is no
//! clock here: a time comes from whoever asks. No function here allocates.

use std::fmt;

use super::arithmetic::ArithmeticError;
use super::duration::{Duration, fraction_millis};
use crate::base::text::{Pieces, pairs};

/// An instant. See the module for range and text.
//
// INVARIANT: between MIN and MAX.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// Why a text is not a timestamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimestampError {
    /// The text is not an RFC 3339 `date-time`, or names a day or an hour that does not exist.
    Malformed,
    /// The instant is outside the years 0000 to 9999.
    OutOfRange,
    /// The fraction of the second is finer than a millisecond.
    Inexact,
    /// The second is a leap second, `:60`.
    LeapSecond,
}

impl fmt::Display for TimestampError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TimestampError::Malformed => "not a time of the form `2026-01-31T12:00:00Z`",
            TimestampError::OutOfRange => "the time is outside the years 0000 to 9999",
            TimestampError::Inexact => "the time is finer than a millisecond",
            TimestampError::LeapSecond => "leap seconds are not supported",
        })
    }
}

impl std::error::Error for TimestampError {}

/// What a calendar and a clock in UTC show at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Parts {
    /// The year, 0 to 9999.
    pub year: u16,
    /// The month, 1 to 12.
    pub month: u8,
    /// The day of the month, 1 to 31.
    pub day: u8,
    /// The hour, 0 to 23.
    pub hour: u8,
    /// The minute, 0 to 59.
    pub minute: u8,
    /// The second, 0 to 59.
    pub second: u8,
    /// The millisecond, 0 to 999.
    pub millisecond: u16,
    /// The day of the week as ISO 8601 counts: 1 is Monday, 7 is Sunday.
    pub weekday: u8,
}

const DAY_MILLIS: i64 = 86_400_000;

impl Timestamp {
    /// The first instant: 0000-01-01T00:00:00Z.
    pub const MIN: Timestamp = Timestamp(days_from_civil(0, 1, 1) * DAY_MILLIS);
    /// The last instant: 9999-12-31T23:59:59.999Z.
    pub const MAX: Timestamp = Timestamp(days_from_civil(10_000, 1, 1) * DAY_MILLIS - 1);
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Timestamp = Timestamp(0);

    /// The instant that many milliseconds after the epoch, if it is in range.
    #[inline]
    pub const fn from_millis(millis: i64) -> Option<Timestamp> {
        if millis < Timestamp::MIN.0 || millis > Timestamp::MAX.0 { None } else { Some(Timestamp(millis)) }
    }

    /// Milliseconds since the epoch.
    #[inline]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Reads an RFC 3339 `date-time`: `1985-04-12T23:20:50.52Z`, `1996-12-19T16:39:57-08:00`.
    pub fn parse(text: &str) -> Result<Timestamp, TimestampError> {
        let text = text.as_bytes();
        let (Some(moment), Some(rest)) = (text.get(..19), text.get(19..)) else {
            return Err(TimestampError::Malformed);
        };
        let field = |at: usize, length: usize| number(&moment[at..at + length]);
        if [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')].iter().any(|&(at, mark)| moment[at] != mark) {
            return Err(TimestampError::Malformed);
        }
        let (year, month, day) = (field(0, 4)?, field(5, 2)?, field(8, 2)?);
        let (hour, minute, second) = (field(11, 2)?, field(14, 2)?, field(17, 2)?);
        let (fraction, offset) = match rest {
            [b'.', rest @ ..] => {
                let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
                if digits == 0 {
                    return Err(TimestampError::Malformed);
                }
                rest.split_at(digits)
            }
            rest => (&[][..], rest),
        };
        let offset_minutes = read_offset(offset)?;
        if !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) || hour > 23 || minute > 59 {
            return Err(TimestampError::Malformed);
        }
        if second == 60 {
            return Err(TimestampError::LeapSecond);
        }
        if second > 60 {
            return Err(TimestampError::Malformed);
        }
        let (millis, finer) = fraction_millis(fraction);
        if finer {
            return Err(TimestampError::Inexact);
        }
        let minutes = (hour * 60 + minute) - offset_minutes;
        let seconds = days_from_civil(year, month, day) * 86_400 + minutes * 60 + second;
        Timestamp::from_millis(seconds * 1_000 + millis).ok_or(TimestampError::OutOfRange)
    }

    /// The instant that much later (or earlier, for a negative duration).
    #[inline]
    pub fn checked_add(self, duration: Duration) -> Result<Timestamp, ArithmeticError> {
        self.0.checked_add(duration.0).and_then(Timestamp::from_millis).ok_or(ArithmeticError::Overflow)
    }

    /// The instant that much earlier (or later, for a negative duration).
    #[inline]
    pub fn checked_sub(self, duration: Duration) -> Result<Timestamp, ArithmeticError> {
        self.0.checked_sub(duration.0).and_then(Timestamp::from_millis).ok_or(ArithmeticError::Overflow)
    }

    /// How long after `earlier` this instant is; negative where it is before. It always fits.
    #[inline]
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration(self.0 - earlier.0)
    }

    /// What a calendar and a clock in UTC show at this instant.
    pub fn parts(self) -> Parts {
        let days = self.0.div_euclid(DAY_MILLIS);
        let millis = self.0.rem_euclid(DAY_MILLIS);
        let (year, month, day) = civil_from_days(days);
        Parts {
            year: year as u16,
            month: month as u8,
            day: day as u8,
            hour: (millis / 3_600_000) as u8,
            minute: (millis / 60_000 % 60) as u8,
            second: (millis / 1_000 % 60) as u8,
            millisecond: (millis % 1_000) as u16,
            // The epoch was a Thursday.
            weekday: ((days + 3).rem_euclid(7) + 1) as u8,
        }
    }
}

/// Reads ASCII digits, few enough not to overflow.
fn number(digits: &[u8]) -> Result<i64, TimestampError> {
    digits.iter().try_fold(0i64, |value, byte| {
        if byte.is_ascii_digit() { Ok(value * 10 + i64::from(byte - b'0')) } else { Err(TimestampError::Malformed) }
    })
}

/// Reads `Z` or `±hh:mm` as minutes. `-00:00`, which says that the local offset is not known, is UTC too.
fn read_offset(text: &[u8]) -> Result<i64, TimestampError> {
    let (sign, hour, minute) = match text {
        [b'Z'] => return Ok(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => (*sign, number(&[*h1, *h2])?, number(&[*m1, *m2])?),
        _ => return Err(TimestampError::Malformed),
    };
    if hour > 23 || minute > 59 {
        return Err(TimestampError::Malformed);
    }
    let minutes = hour * 60 + minute;
    Ok(if sign == b'-' { -minutes } else { minutes })
}

const fn is_leap_year(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

const fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap_year(year) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a day of the proleptic Gregorian calendar.
///
/// Counts in eras of 400 years (146,097 days) whose years begin on the first of March, so that a leap day is the
/// last one of its year.
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The inverse of `days_from_civil`: year, month, day. Of days of the years that a timestamp has, so that all fits into 32
/// bits; one era more than need be keeps it above zero.
const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = (days + 719_468 + 146_097) as u32;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year as i64 - 400, month as i64, day as i64)
}

/// The two digits of each number below a hundred.
static PAIRS: [[u8; 2]; 100] = pairs(b"0123456789");

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (text, length) = self.text();
        f.write_str(std::str::from_utf8(&text[..length]).unwrap_or_default())
    }
}

impl Timestamp {
    /// Appends it as it is shown.
    pub fn push(self, out: &mut impl Pieces) {
        let (text, length) = self.text();
        out.push_ascii(&text[..length]);
    }

    /// How it is shown: the text, and how much of it. Every entry of a log has a few, so digits are written two by two, and
    /// numbers are as short as they may be.
    #[inline]
    fn text(self) -> ([u8; 24], usize) {
        let (year, month, day) = civil_from_days(self.0.div_euclid(DAY_MILLIS));
        let millis = self.0.rem_euclid(DAY_MILLIS) as u32;
        let (seconds, millisecond) = (millis / 1_000, millis % 1_000);
        let (minutes, second) = (seconds / 60, seconds % 60);
        let two = |number: u32| PAIRS.get(number as usize).copied().unwrap_or_default();
        let (century, hundreds) = (year as u32 / 100, millisecond / 100);
        let ([y3, y2], [y1, y0]) = (two(century), two(year as u32 - century * 100));
        let ([m1, m0], [d1, d0]) = (two(month as u32), two(day as u32));
        let ([h1, h0], [n1, n0], [s1, s0]) = (two(minutes / 60), two(minutes % 60), two(second));
        let ([_, f2], [f1, f0]) = (two(hundreds), two(millisecond - hundreds * 100));
        let mut text = [
            y3, y2, y1, y0, b'-', m1, m0, b'-', d1, d0, b'T', h1, h0, b':', n1, n0, b':', s1, s0, b'.', f2, f1, f0,
            b'Z',
        ];
        // Whole seconds have no fraction, and end where it would begin.
        let length = if millisecond == 0 { 20 } else { text.len() };
        text[length - 1] = b'Z';
        (text, length)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn canonical(text: &str) -> Result<String, TimestampError> {
        Timestamp::parse(text).map(|time| time.to_string())
    }

    /// RFC 3339, section 5.8.
    #[test]
    fn examples_of_the_standard() {
        assert_eq!(canonical("1985-04-12T23:20:50.52Z").as_deref(), Ok("1985-04-12T23:20:50.520Z"));
        assert_eq!(Timestamp::parse("1985-04-12T23:20:50.52Z").unwrap().millis(), 482_196_050_520);
        assert_eq!(canonical("1996-12-19T16:39:57-08:00").as_deref(), Ok("1996-12-20T00:39:57Z"));
        assert_eq!(Timestamp::parse("1996-12-19T16:39:57-08:00"), Timestamp::parse("1996-12-20T00:39:57Z"));
        assert_eq!(canonical("1990-12-31T23:59:60Z"), Err(TimestampError::LeapSecond));
        assert_eq!(canonical("1990-12-31T15:59:60-08:00"), Err(TimestampError::LeapSecond));
        assert_eq!(canonical("1937-01-01T12:00:27.87+00:20").as_deref(), Ok("1937-01-01T11:40:27.870Z"));
    }

    #[test]
    fn accepted() {
        for (text, expected) in [
            ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
            ("2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00Z"),
            ("2026-01-01T00:00:00.123Z", "2026-01-01T00:00:00.123Z"),
            ("2026-01-01T00:00:00.1230000000000000000000000Z", "2026-01-01T00:00:00.123Z"),
            ("2026-01-01T00:00:00-00:00", "2026-01-01T00:00:00Z"),
            ("2024-02-29T12:00:00+23:59", "2024-02-28T12:01:00Z"),
            ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z"),
            ("0000-02-29T00:00:00Z", "0000-02-29T00:00:00Z"),
            ("9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(canonical(text).as_deref(), Ok(expected), "{text}");
        }
        assert_eq!(Timestamp::parse("1970-01-01T00:00:00Z"), Ok(Timestamp::EPOCH));
        assert_eq!(Timestamp::parse("1969-12-31T23:59:59.999Z").unwrap().millis(), -1);
    }

    #[test]
    fn refused() {
        for text in [
            "",
            "2026-01-01",
            "2026-01-01T00:00:00",
            "2026-01-01t00:00:00Z",
            "2026-01-01T00:00:00z",
            "2026-01-01 00:00:00Z",
            "2026-01-01T00:00Z",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00,5Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:60:00Z",
            "2026-01-01T00:00:61Z",
            "2026-00-01T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2026-04-31T00:00:00Z",
            "2026-01-01T00:00:00+24:00",
            "2026-01-01T00:00:00+00:60",
            "2026-01-01T00:00:00+0000",
            "2026-01-01T00:00:00+00",
            "2026-01-01T00:00:00Z ",
            " 2026-01-01T00:00:00Z",
            "+2026-01-01T00:00:00Z",
            "12026-01-01T00:00:00Z",
            "2026-1-1T00:00:00Z",
            "２026-01-01T00:00:00Z",
            "2026-01-01T00:00:0é",
        ] {
            assert_eq!(canonical(text), Err(TimestampError::Malformed), "{text}");
        }
        assert_eq!(canonical("0000-01-01T00:00:00+00:01"), Err(TimestampError::OutOfRange));
        assert_eq!(canonical("9999-12-31T23:59:59-00:01"), Err(TimestampError::OutOfRange));
        assert_eq!(canonical("2026-01-01T00:00:00.0001Z"), Err(TimestampError::Inexact));
    }

    /// Every day of the ten thousand years, counted by hand.
    #[test]
    fn all_days() {
        let (mut year, mut month, mut day) = (0i64, 1i64, 1i64);
        let mut weekday = 6; // 0000-01-01 was a Saturday.
        let mut days = Timestamp::MIN.millis() / DAY_MILLIS;
        while year < 10_000 {
            let time = Timestamp::from_millis(days * DAY_MILLIS).unwrap();
            let parts = time.parts();
            assert_eq!((i64::from(parts.year), i64::from(parts.month), i64::from(parts.day)), (year, month, day));
            assert_eq!(parts.weekday, weekday);
            assert_eq!(days_from_civil(year, month, day), days);
            days += 1;
            weekday = weekday % 7 + 1;
            day += 1;
            if day > days_in_month(year, month) {
                (month, day) = (month + 1, 1);
            }
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
        }
        assert_eq!(days * DAY_MILLIS - 1, Timestamp::MAX.millis());
    }

    #[test]
    fn operations() {
        let noon = Timestamp::parse("2026-11-21T12:34:56.789Z").unwrap();
        let parts = noon.parts();
        assert_eq!((parts.hour, parts.minute, parts.second, parts.millisecond), (12, 34, 56, 789));
        assert_eq!(parts.weekday, 6);
        assert_eq!(noon.checked_add(Duration(211)).unwrap().to_string(), "2026-11-21T12:34:57Z");
        assert_eq!(noon.checked_sub(Duration(789)).unwrap().to_string(), "2026-11-21T12:34:56Z");
        assert_eq!(noon.since(Timestamp::EPOCH), Duration(noon.millis()));
        assert_eq!(Timestamp::MIN.since(Timestamp::MAX), Duration(Timestamp::MIN.millis() - Timestamp::MAX.millis()));
        assert_eq!(Timestamp::MAX.checked_add(Duration(1)), Err(ArithmeticError::Overflow));
        assert_eq!(Timestamp::MIN.checked_sub(Duration(1)), Err(ArithmeticError::Overflow));
        assert_eq!(noon.checked_sub(Duration(i64::MIN)), Err(ArithmeticError::Overflow));
        assert_eq!(Timestamp::from_millis(Timestamp::MAX.millis() + 1), None);
    }

    proptest! {
        #[test]
        fn canonical_text_reads_back(millis in Timestamp::MIN.0..=Timestamp::MAX.0) {
            let time = Timestamp::from_millis(millis).unwrap();
            prop_assert_eq!(Timestamp::parse(&time.to_string()), Ok(time));
        }

        #[test]
        fn parse_never_panics(text in "[0-9TZ:.+-]{0,30}|.*") {
            let _ = Timestamp::parse(&text);
        }
    }
}

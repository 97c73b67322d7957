//! The calendar as numbers: which instants, in milliseconds, lie in which year, month and day. UTC.

use crate::data::timestamp::Timestamp;

/// A day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Date {
    pub(super) year: i128,
    /// From 1 on.
    pub(super) month: i128,
    /// From 1 on.
    pub(super) day: i128,
}

/// The years that there are.
const YEAR_MAX: i128 = 9_999;
const DAY_MILLIS: i128 = 86_400_000;

/// The day of an instant; nothing for what is no instant.
pub(super) fn date(instant: i128) -> Option<Date> {
    let parts = Timestamp::from_millis(i64::try_from(instant).ok()?)?.parts();
    Some(Date { year: parts.year.into(), month: parts.month.into(), day: parts.day.into() })
}

/// The year of an instant; of what is before or after all instants, one before or after all years.
pub(super) fn year(instant: i128) -> i128 {
    match date(instant) {
        Some(date) => date.year,
        None if instant < 0 => -1,
        None => YEAR_MAX + 1,
    }
}

/// The first instant of a day, if there is such a day.
pub(super) fn start(date: Date) -> Option<i128> {
    let Date { year, month, day } = date;
    if !(0..=YEAR_MAX).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let text = format!("{year:04}-{month:02}-{day:02}T00:00:00Z");
    Some(Timestamp::parse(&text).ok()?.millis().into())
}

/// The last instant that is not after a year.
pub(super) fn year_end(year: i128) -> i128 {
    let after = Date { year: year.saturating_add(1), month: 1, day: 1 };
    if year < 0 {
        i128::from(Timestamp::MIN.millis()) - 1
    } else if year > YEAR_MAX {
        i128::MAX
    } else {
        start(after).map_or(Timestamp::MAX.millis().into(), |first| first - 1)
    }
}

/// The first and the last instant of the month of a day.
pub(super) fn month_around(date: Date) -> Option<(i128, i128)> {
    let first = start(Date { day: 1, ..date })?;
    let next = if date.month == 12 {
        Date { year: date.year.checked_add(1)?, month: 1, day: 1 }
    } else {
        Date { month: date.month.checked_add(1)?, day: 1, ..date }
    };
    Some((first, start(next).map_or(Timestamp::MAX.millis().into(), |next| next - 1)))
}

/// The first and the last instant of a day.
pub(super) fn day_around(date: Date) -> Option<(i128, i128)> {
    let first = start(date)?;
    Some((first, first.checked_add(DAY_MILLIS - 1)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn years_months_and_days_begin_and_end() {
        let leap = Date { year: 2024, month: 2, day: 29 };
        let (first, last) = day_around(leap).expect("there is such a day");
        assert_eq!((date(first), date(last)), (Some(leap), Some(leap)));
        assert_eq!(date(last + 1), Some(Date { year: 2024, month: 3, day: 1 }));
        assert_eq!(month_around(leap).map(|(_, last)| last), Some(last));
        assert_eq!(start(Date { day: 30, ..leap }), None);
        for at in [-1, 0, 1969, 2024, 9_999] {
            assert_eq!((year(year_end(at)), year(year_end(at) + 1)), (at, at + 1));
        }
        let last = Timestamp::MAX.millis().into();
        let december = date(last).expect("it is an instant");
        assert_eq!(month_around(december).map(|(_, end)| end), Some(last));
        assert_eq!(date(last + 1), None);
    }
}

//! What holds for every scalar type: no text breaks its reader, and canonical text is read back as the same value
//! and written as the same text.

use std::fmt::Display;

use pdl::data::decimal::Decimal;
use pdl::data::duration::Duration;
use pdl::data::ip::{IpAddr, IpNet};
use pdl::data::path::Path;
use pdl::data::timestamp::Timestamp;
use proptest::prelude::*;

/// Reads a text; if it is a value, its canonical text has to be of the same value, and stay as it is.
fn check<T: Display + PartialEq, E>(text: &str, parse: fn(&str) -> Result<T, E>) -> Result<(), TestCaseError> {
    let Ok(value) = parse(text) else { return Ok(()) };
    let canonical = value.to_string();
    match parse(&canonical) {
        Ok(again) => prop_assert!(again == value && again.to_string() == canonical, "{:?} {:?}", text, canonical),
        Err(_) => {
            return Err(TestCaseError::fail(format!("{canonical:?}, the canonical text of {text:?}, is refused")));
        }
    }
    Ok(())
}

fn check_all(text: &str) -> Result<(), TestCaseError> {
    check(text, Decimal::parse)?;
    check(text, Decimal::parse_json)?;
    check(text, Duration::parse)?;
    check(text, Duration::parse_json)?;
    check(text, Timestamp::parse)?;
    check(text, IpAddr::parse)?;
    check(text, IpNet::parse)?;
    check(text, Path::parse)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_text(text in ".*") {
        check_all(&text)?;
    }

    #[test]
    fn numbers(text in "-?[0-9]{0,22}(\\.[0-9]{0,9})?([eE][-+]?[0-9]{0,3})?") {
        check_all(&text)?;
    }

    #[test]
    fn durations(text in "-?([0-9]{1,3}w)?([0-9]{1,5}d)?([0-9]{1,2}h)?([0-9]m)?([0-9]{1,9}s)?([0-9]{1,20}ms)?|-?P([0-9]{1,3}[WDY]){0,2}(T([0-9]{1,4}[HMS]){0,3}([0-9]\\.[0-9]{1,5}S)?)?") {
        check_all(&text)?;
    }

    #[test]
    fn timestamps(text in "[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{1,4})?(Z|[-+][0-2][0-9]:[0-6][0-9])") {
        check_all(&text)?;
    }

    #[test]
    fn addresses(text in "([0-9]{1,3}\\.){3}[0-9]{1,3}(/[0-9]{1,2})?|([0-9a-fA-F]{0,4}:){1,8}(:?[0-9a-f]{0,4}|ffff:1\\.2\\.3\\.4)(/[0-9]{1,3})?") {
        check_all(&text)?;
    }
}

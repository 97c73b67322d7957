//! Hosts: which ones are accepted, how they are written, and which lie in a domain.

use std::net::Ipv4Addr;

use super::parse::{Host, Writer};
use super::{HostKind, UrlError};
use crate::data::ip::{IpAddr, write_v6};

/// The longest label of a domain name, in bytes (RFC 1035, section 2.3.4).
const LABEL_BYTES_MAX: usize = 63;
/// The longest domain name, in bytes of its text (RFC 1035: 255 on the wire).
const HOST_BYTES_MAX: usize = 253;

/// Checks a host and writes it in its normal form. `special` tells whether the standard knows the scheme; it lowers
/// the case of no other host.
pub(super) fn write_host(host: &str, special: bool, out: &mut Writer<'_>) -> Result<Host, UrlError> {
    if host.is_empty() {
        return Err(UrlError::EmptyHost);
    }
    if let Some(rest) = host.strip_prefix('[') {
        let address: std::net::Ipv6Addr =
            rest.strip_suffix(']').and_then(|text| text.parse().ok()).ok_or(UrlError::HostIpv6)?;
        out.push("[")?;
        write_v6(address.to_bits(), out).map_err(|_| UrlError::TooLong)?;
        out.push("]")?;
        return Ok((HostKind::V6, Some(IpAddr::from_v6_bits(address.to_bits()))));
    }
    let allowed = |byte: u8| {
        byte.is_ascii_lowercase()
            || byte.is_ascii_digit()
            || matches!(byte, b'-' | b'_' | b'.')
            || special && byte.is_ascii_uppercase()
    };
    if !host.bytes().all(allowed) {
        return Err(UrlError::HostCharacter);
    }
    check_labels(host)?;
    if ends_in_number(host) {
        let address: Ipv4Addr = host.parse().map_err(|_| UrlError::HostNumber)?;
        out.push(host)?;
        return Ok((HostKind::V4, Some(IpAddr::from_v4_bits(address.to_bits()))));
    }
    for character in host.chars() {
        out.push(character.to_ascii_lowercase().encode_utf8(&mut [0; 4]))?;
    }
    Ok((HostKind::Name, None))
}

fn check_labels(host: &str) -> Result<(), UrlError> {
    if host.len() > HOST_BYTES_MAX {
        return Err(UrlError::HostLabel);
    }
    for label in host.split('.') {
        if label.is_empty() || label.len() > LABEL_BYTES_MAX {
            return Err(UrlError::HostLabel);
        }
        if label.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("xn--")) && !is_punycode(&label[4..]) {
            return Err(UrlError::HostPunycode);
        }
    }
    Ok(())
}

/// Whether the last label makes the standard read the whole as an IPv4 address.
fn ends_in_number(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or("");
    let hexadecimal = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    last.bytes().all(|byte| byte.is_ascii_digit())
        || hexadecimal.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Whether a host is the domain, or a name below it: `api.good.com` is in `good.com`, `evilgood.com` is not.
///
/// ASCII case is ignored. An address is only in itself, and nothing is in the empty domain.
pub fn host_in_domain(host: &str, domain: &str) -> bool {
    let Some(start) = host.len().checked_sub(domain.len()) else { return false };
    if domain.is_empty() || !host.as_bytes()[start..].eq_ignore_ascii_case(domain.as_bytes()) {
        return false;
    }
    start == 0 || host.as_bytes()[start - 1] == b'.' && !ends_in_number(host)
}

/// Whether a text is a name that hosts can be in by [`host_in_domain`] as they are read from URLs: labels of ASCII
/// letters, digits, `-` and `_`, and no address.
pub fn is_domain_name(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
        && check_labels(text).is_ok()
        && !ends_in_number(text)
}

/// Whether what follows `xn--` is punycode (RFC 3492) of a label that the URL Standard accepts too.
///
/// The standard's own test (UTS #46) takes tables of all of Unicode. Here only characters are accepted that surely
/// pass it, whatever stands beside them: lower-case letters of Latin, Greek and Cyrillic, kana, Han and Hangul
/// syllables; none that combine, change with normalisation, or are written from right to left.
fn is_punycode(text: &str) -> bool {
    let mut decoded = ['\0'; LABEL_BYTES_MAX];
    let Some(length) = decode_punycode(text.as_bytes(), &mut decoded) else { return false };
    let decoded = &decoded[..length];
    // A label may not turn out to look encoded once more.
    if decoded.starts_with(&['x', 'n', '-', '-']) {
        return false;
    }
    decoded.iter().any(|character| !character.is_ascii()) && decoded.iter().all(|&character| is_plain_letter(character))
}

fn is_plain_letter(character: char) -> bool {
    match character {
        'a'..='z' | '0'..='9' | '-' => true,
        // The ones left out are compatibility characters: ĳ, ŀ, ŉ, ſ. The standard keeps ß and ς as they are.
        '\u{df}'..='\u{17e}' => character.is_lowercase() && !matches!(character, 'ĳ' | 'ŀ' | 'ŉ'),
        '\u{3ac}'..='\u{3ce}' | '\u{430}'..='\u{45f}' => true,
        // Kana without voice marks of their own and without ligatures.
        '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}' | '\u{30fc}' => true,
        '\u{3400}'..='\u{4db5}' | '\u{4e00}'..='\u{9fef}' | '\u{ac00}'..='\u{d7a3}' => true,
        _ => false,
    }
}

/// RFC 3492, section 6.2, with ASCII case ignored. Returns how many characters there are.
fn decode_punycode(text: &[u8], decoded: &mut [char; LABEL_BYTES_MAX]) -> Option<usize> {
    const BASE: u32 = 36;
    const THRESHOLD_MIN: u32 = 1;
    const THRESHOLD_MAX: u32 = 26;
    let (plain, digits) = match text.iter().rposition(|&byte| byte == b'-') {
        Some(dash) => (&text[..dash], &text[dash + 1..]),
        None => (&[][..], text),
    };
    let mut length = 0;
    for &byte in plain {
        *decoded.get_mut(length)? = char::from(byte.to_ascii_lowercase());
        length += 1;
    }
    let (mut code, mut place, mut bias) = (128u32, 0u32, 72u32);
    let mut digits = digits.iter();
    while !digits.as_slice().is_empty() {
        let place_before = place;
        let mut weight = 1u32;
        let mut position = BASE;
        loop {
            let digit = match digits.next()? {
                byte @ b'a'..=b'z' => u32::from(byte - b'a'),
                byte @ b'A'..=b'Z' => u32::from(byte - b'A'),
                byte @ b'0'..=b'9' => u32::from(byte - b'0') + 26,
                _ => return None,
            };
            place = place.checked_add(digit.checked_mul(weight)?)?;
            let threshold = position.saturating_sub(bias).clamp(THRESHOLD_MIN, THRESHOLD_MAX);
            if digit < threshold {
                break;
            }
            weight = weight.checked_mul(BASE - threshold)?;
            position += BASE;
        }
        let count = length as u32 + 1;
        bias = adapt(place - place_before, count, place_before == 0);
        code = code.checked_add(place / count)?;
        place %= count;
        if length == decoded.len() {
            return None;
        }
        decoded.copy_within(place as usize..length, place as usize + 1);
        decoded[place as usize] = char::from_u32(code)?;
        length += 1;
        place += 1;
    }
    Some(length)
}

/// RFC 3492, section 6.1.
fn adapt(delta: u32, count: u32, first: bool) -> u32 {
    let mut delta = if first { delta / 700 } else { delta / 2 };
    delta += delta / count;
    let mut bias = 0;
    while delta > 35 * 26 / 2 {
        delta /= 35;
        bias += 36;
    }
    bias + 36 * delta / (delta + 38)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(text: &str) -> Option<String> {
        let mut decoded = ['\0'; LABEL_BYTES_MAX];
        let length = decode_punycode(text.as_bytes(), &mut decoded)?;
        Some(decoded[..length].iter().collect())
    }

    /// RFC 3492, section 7.1, and well-known names.
    #[test]
    fn punycode() {
        for (text, expected) in [
            ("ihqwcrb4cv8a8dqg056pqjye", "他们为什么不说中文"),
            ("ihqwctvzc91f659drss3x8bo0yb", "他們爲什麽不說中文"),
            ("n8jok5ay5dzabd5bym9f0cm5685rrjetr6pdxa", "なぜみんな日本語を話してくれないのか"),
            ("b1abfaaepdrnnbgefbadotcwatmq2g4l", "почемужеонинеговорятпорусски"),
            ("PorqunopuedensimplementehablarenEspaol-fmd56a", "porquénopuedensimplementehablarenespañol"),
            ("bcher-kva", "bücher"),
            ("mnchen-3ya", "münchen"),
            ("fa-hia", "faß"),
        ] {
            assert_eq!(decode(text).as_deref(), Some(expected), "{text}");
            assert!(is_punycode(text), "{text}");
        }
        assert_eq!(decode("egbpdaj6bu4bxfgehfvwxn").as_deref(), Some("ليهمابتكلموشعربي؟"));
        for text in ["", "a", "abc-", "pokxncvks", "99999999", "a-ß", "egbpdaj6bu4bxfgehfvwxn"] {
            assert!(!is_punycode(text), "{text}");
        }
    }

    #[test]
    fn domains() {
        for (host, domain, expected) in [
            ("good.com", "good.com", true),
            ("api.good.com", "good.com", true),
            ("a.b.good.com", "GOOD.com", true),
            ("evilgood.com", "good.com", false),
            ("good.com.evil.com", "good.com", false),
            ("com", "good.com", false),
            ("good.com", "", false),
            ("good.com", ".com", false),
            ("good.com", "com", true),
            ("10.0.0.1", "0.0.1", false),
            ("10.0.0.1", "10.0.0.1", true),
            ("::1", "::1", true),
            ("::1", "1", false),
        ] {
            assert_eq!(host_in_domain(host, domain), expected, "{host} {domain}");
        }
        for name in ["good.com", "localhost", "xn--mnchen-3ya.de", "_dmarc.good.com", "Good.COM"] {
            assert!(is_domain_name(name), "{name}");
        }
        for name in ["", ".", ".good.com", "good.com.", "a..b", "10.0.0.1", "::1", "münchen.de", "*.good.com", "a b"] {
            assert!(!is_domain_name(name), "{name}");
        }
    }
}

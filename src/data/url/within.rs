//! Whether one URL lies within another.

use super::UrlView;

/// Whether `url` has scheme, host and port of `base`, no user name or password, and a path that is the path of
/// `base` or below it.
///
/// Paths are compared by whole segments: `/apiary` is not within `/api`. A slash at the end of `base` makes no
/// difference. Percent-encoding of unreserved characters makes none either (RFC 3986, section 6.2.2: `/%61pi` is
/// `/api`), nor does the case of its digits. Hosts that are addresses are compared as addresses. Credentials, query
/// and fragment of `base`, and query and fragment of `url`, are not looked at.
pub fn is_within(url: UrlView<'_>, base: UrlView<'_>) -> bool {
    let same_host = match (url.ip(), base.ip()) {
        (Some(address), Some(other)) => address == other,
        (None, None) => url.host() == base.host(),
        _ => false,
    };
    same_host
        && url.scheme() == base.scheme()
        && url.effective_port() == base.effective_port()
        && !url.has_credentials()
        && is_path_within(url.path(), base.path())
}

fn is_path_within(path: &str, base: &str) -> bool {
    let base = base.strip_suffix('/').unwrap_or(base);
    let mut path = Characters { rest: path.as_bytes() };
    for character in (Characters { rest: base.as_bytes() }) {
        if path.next() != Some(character) {
            return false;
        }
    }
    matches!(path.rest, [] | [b'/', ..])
}

/// The bytes that a path means: those that are there, and those that are percent-encoded.
struct Characters<'a> {
    rest: &'a [u8],
}

/// A byte, and whether it is percent-encoded and has to be, so that it differs from the plain one.
type Character = (u8, bool);

impl Iterator for Characters<'_> {
    type Item = Character;

    fn next(&mut self) -> Option<Character> {
        if let [b'%', high, low, rest @ ..] = self.rest
            && let (Some(high), Some(low)) = (char::from(*high).to_digit(16), char::from(*low).to_digit(16))
        {
            self.rest = rest;
            let byte = (high * 16 + low) as u8;
            return Some((byte, !byte.is_ascii_alphanumeric() && !matches!(byte, b'-' | b'.' | b'_' | b'~')));
        }
        let (&byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some((byte, false))
    }
}

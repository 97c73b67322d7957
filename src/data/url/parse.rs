//! The parser: the states of the URL Standard that an absolute URL with a host goes through, in their order, each
//! as one step over a slice.

use super::host::write_host;
use super::{HostKind, UrlError, UrlParts, default_port};
use crate::base::limits::URL_BYTES_MAX;

/// Reads a URL and appends its normalised text to `buffer`; the parts count from the start of what was appended.
///
/// On an error the buffer is as it was. Nothing is allocated where the buffer has room for [`URL_BYTES_MAX`] bytes
/// more.
pub fn parse_into(text: &str, buffer: &mut String) -> Result<UrlParts, UrlError> {
    let start = buffer.len();
    let parts = read(text, &mut Writer { buffer, start });
    if parts.is_err() {
        buffer.truncate(start);
    }
    parts
}

/// The end of a buffer, with the bound that a URL has.
pub(super) struct Writer<'b> {
    buffer: &'b mut String,
    start: usize,
}

impl Writer<'_> {
    pub(super) fn push(&mut self, text: &str) -> Result<(), UrlError> {
        const { assert!(URL_BYTES_MAX < u16::MAX as usize) };
        if self.buffer.len() - self.start + text.len() > URL_BYTES_MAX {
            return Err(UrlError::TooLong);
        }
        self.buffer.push_str(text);
        Ok(())
    }

    /// Appends a text in which the bytes of a set, and all of non-ASCII characters, are percent-encoded.
    fn push_encoded(&mut self, text: &str, set: fn(u8) -> bool) -> Result<(), UrlError> {
        const HEX: &[u8; 16] = b"0123456789ABCDEF";
        let mut rest = text;
        while let Some(at) = rest.bytes().position(|byte| !byte.is_ascii() || set(byte)) {
            let (plain, tail) = rest.split_at(at);
            self.push(plain)?;
            let character = tail.chars().next().map_or(0, char::len_utf8);
            for byte in tail.bytes().take(character) {
                self.push("%")?;
                for digit in [byte >> 4, byte & 15] {
                    self.push(char::from(HEX[usize::from(digit)]).encode_utf8(&mut [0; 4]))?;
                }
            }
            rest = &tail[character..];
        }
        self.push(rest)
    }

    /// How much has been written.
    fn at(&self) -> u16 {
        (self.buffer.len() - self.start) as u16
    }

    /// Drops the last segment of the path that begins at `path_start`.
    fn pop_segment(&mut self, path_start: u16) {
        let path_start = self.start + usize::from(path_start);
        if let Some(slash) = self.buffer[path_start..].rfind('/') {
            self.buffer.truncate(path_start + slash);
        }
    }
}

impl std::fmt::Write for Writer<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.push(text).map_err(|_| std::fmt::Error)
    }
}

fn read(text: &str, out: &mut Writer<'_>) -> Result<UrlParts, UrlError> {
    check_characters(text)?;
    let (scheme, rest) = text.split_once("://").ok_or(UrlError::NotAbsolute)?;
    write_scheme(scheme, out)?;
    let scheme_end = out.at();
    let scheme = &out.buffer[out.start..];
    if scheme == "file" {
        return Err(UrlError::FileScheme);
    }
    let own_port = default_port(scheme);
    // The schemes that the standard knows are those with a port.
    let special = own_port.is_some();
    out.push("://")?;

    let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (credentials, host_and_port) = authority.rsplit_once('@').unwrap_or(("", authority));
    if credentials.contains('@') {
        return Err(UrlError::Credentials);
    }
    let (username_end, password_end) = write_credentials(credentials, out)?;
    let host_start = out.at();
    let (host, port) = split_port(host_and_port)?;
    let (host_kind, ip) = write_host(host, special, out)?;
    let host_end = out.at();
    let port = read_port(port)?.filter(|&port| Some(port) != own_port);
    if let Some(port) = port {
        write_port(port, out)?;
    }

    let path_start = out.at();
    let (rest, fragment) = split_at_mark(rest, '#');
    let (path, query) = split_at_mark(rest, '?');
    write_path(path, special, out)?;
    let path_end = out.at();
    if let Some(query) = query {
        out.push("?")?;
        out.push_encoded(query, if special { in_special_query_set } else { in_query_set })?;
    }
    let query_end = out.at();
    if let Some(fragment) = fragment {
        out.push("#")?;
        out.push_encoded(fragment, in_fragment_set)?;
    }
    Ok(UrlParts {
        scheme_end,
        username_end,
        password_end,
        host_start,
        host_end,
        path_start,
        path_end,
        query_end,
        end: out.at(),
        port,
        host_kind,
        ip,
    })
}

/// What is refused wherever it stands.
fn check_characters(text: &str) -> Result<(), UrlError> {
    if text.len() > URL_BYTES_MAX {
        return Err(UrlError::TooLong);
    }
    if text.starts_with(' ') || text.ends_with(' ') {
        return Err(UrlError::OuterSpace);
    }
    for character in text.chars() {
        if character == '\\' {
            return Err(UrlError::Backslash);
        }
        if character.is_control() {
            return Err(UrlError::Control);
        }
    }
    Ok(())
}

fn write_scheme(scheme: &str, out: &mut Writer<'_>) -> Result<(), UrlError> {
    if !scheme.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return Err(UrlError::NotAbsolute);
    }
    for character in scheme.chars() {
        if !character.is_ascii_alphanumeric() && !matches!(character, '+' | '-' | '.') {
            return Err(UrlError::NotAbsolute);
        }
        out.push(character.to_ascii_lowercase().encode_utf8(&mut [0; 4]))?;
    }
    Ok(())
}

/// Writes user name, password and `@` as far as they are there; returns where the first two end.
fn write_credentials(credentials: &str, out: &mut Writer<'_>) -> Result<(u16, u16), UrlError> {
    let (username, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    out.push_encoded(username, in_userinfo_set)?;
    let username_end = out.at();
    if !password.is_empty() {
        out.push(":")?;
        out.push_encoded(password, in_userinfo_set)?;
    }
    let password_end = out.at();
    if !username.is_empty() || !password.is_empty() {
        out.push("@")?;
    }
    Ok((username_end, password_end))
}

/// Parts host and port. The port is what follows the colon; there may be nothing.
fn split_port(text: &str) -> Result<(&str, &str), UrlError> {
    let after = if text.starts_with('[') { text.find(']').ok_or(UrlError::HostIpv6)? + 1 } else { 0 };
    match text[after..].find(':') {
        Some(colon) => Ok((&text[..after + colon], &text[after + colon + 1..])),
        None => Ok((text, "")),
    }
}

fn read_port(digits: &str) -> Result<Option<u16>, UrlError> {
    if digits.is_empty() {
        return Ok(None);
    }
    let mut port: u16 = 0;
    for byte in digits.bytes() {
        if !byte.is_ascii_digit() {
            return Err(UrlError::Port);
        }
        port = port.checked_mul(10).and_then(|port| port.checked_add(u16::from(byte - b'0'))).ok_or(UrlError::Port)?;
    }
    Ok(Some(port))
}

fn write_port(port: u16, out: &mut Writer<'_>) -> Result<(), UrlError> {
    std::fmt::Write::write_fmt(out, format_args!(":{port}")).map_err(|_| UrlError::TooLong)
}

fn split_at_mark(text: &str, mark: char) -> (&str, Option<&str>) {
    match text.split_once(mark) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

fn write_path(path: &str, special: bool, out: &mut Writer<'_>) -> Result<(), UrlError> {
    let Some(rest) = path.strip_prefix('/') else {
        // The authority ends at the first slash, so that there is no path at all.
        return if special { out.push("/") } else { Ok(()) };
    };
    let path_start = out.at();
    let mut segments = rest.split('/').peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        if is_double_dot(segment) {
            out.pop_segment(path_start);
            if last {
                out.push("/")?;
            }
        } else if dot(segment) == Some("") {
            if last {
                out.push("/")?;
            }
        } else {
            check_hidden_dots(segment)?;
            out.push("/")?;
            out.push_encoded(segment, in_path_set)?;
        }
    }
    Ok(())
}

/// What follows a leading dot, plain or percent-encoded.
fn dot(text: &str) -> Option<&str> {
    match text.as_bytes() {
        [b'.', ..] => Some(&text[1..]),
        [b'%', b'2', b'e' | b'E', ..] => Some(&text[3..]),
        _ => None,
    }
}

fn is_double_dot(segment: &str) -> bool {
    dot(segment).and_then(dot) == Some("")
}

/// Refuses a segment that holds a `..` for those who decode `%2f` and `%5c`, or drop what follows a `;`.
fn check_hidden_dots(segment: &str) -> Result<(), UrlError> {
    let mut rest = segment;
    loop {
        let end = (0..rest.len()).find(|&at| is_encoded_slash(&rest.as_bytes()[at..]));
        // Both ends are at ASCII characters.
        let piece = &rest[..end.unwrap_or(rest.len())];
        let piece = piece.split_once(';').map_or(piece, |(name, _)| name);
        if is_double_dot(piece) {
            return Err(UrlError::HiddenDots);
        }
        match end {
            Some(end) => rest = &rest[end + 3..],
            None => return Ok(()),
        }
    }
}

fn is_encoded_slash(text: &[u8]) -> bool {
    matches!(text, [b'%', b'2', b'f' | b'F', ..] | [b'%', b'5', b'c' | b'C', ..])
}

// The percent-encode sets of the standard, without the control characters, which never come this far.

fn in_fragment_set(byte: u8) -> bool {
    matches!(byte, b' ' | b'"' | b'<' | b'>' | b'`')
}

fn in_query_set(byte: u8) -> bool {
    matches!(byte, b' ' | b'"' | b'#' | b'<' | b'>')
}

fn in_special_query_set(byte: u8) -> bool {
    in_query_set(byte) || byte == b'\''
}

fn in_path_set(byte: u8) -> bool {
    in_query_set(byte) || matches!(byte, b'?' | b'^' | b'`' | b'{' | b'}')
}

fn in_userinfo_set(byte: u8) -> bool {
    in_path_set(byte) || matches!(byte, b'/' | b':' | b';' | b'=' | b'@' | b'[' | b'\\' | b']' | b'|')
}

/// A host of the kind it is, and its address if it has one.
pub(super) type Host = (HostKind, Option<crate::data::ip::IpAddr>);

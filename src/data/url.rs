//! `Url`: an absolute URL with a host, parsed and normalised by the WHATWG URL Standard, strictly.
//!
//! What is accepted gets exactly the structure and the text that the standard gives it. What the standard accepts
//! with a shrug is **refused**, because two readers who disagree on a URL are how a list of hosts is got round:
//!
//! | refused | why |
//! | --- | --- |
//! | control characters, white space at the ends | the standard strips some of them in silence |
//! | `\` anywhere | a `/` to some readers, a character to others |
//! | no `scheme://`, `///`, `http:host`, an empty host | read differently with and without a base URL |
//! | `file:` | its host and drive rules are their own; use [`Path`](super::path::Path) |
//! | more than one `@` before the path | `https://a@b@c` |
//! | hosts with `%`, non-ASCII letters, anything but letters, digits, `-`, `_`, `.` | give the ASCII ("punycode") form |
//! | upper case in the host of a scheme the standard does not know | it keeps it, name servers ignore it |
//! | a dot at the end of the host, empty or over-long labels | `good.com.` is `good.com` to a name server |
//! | `0x7f.1`, `017700000001`, `2130706433`, `1.2.3.4.5` | other spellings of an IPv4 address, `127.0.0.1` mostly |
//! | `..` hidden behind `%2f` or `%5c`, or before `;` | resolved by some servers after the check |
//!
//! Of punycode labels (`xn--`) those in Latin, Greek and Cyrillic letters, kana, Han and Hangul are accepted; see
//! `host.rs`. A user name and a password are kept, and [`UrlView::has_credentials`] tells a policy of them.
//!
//! Normalised are: the case of scheme and host, a port that is the scheme's own (dropped), `.` and `..` in the path
//! (also as `%2e`; above the root they are dropped, as the standard says), an empty path (`/`, of the schemes
//! below), IPv6 addresses, and the percent-encoding of characters that need it. Percent-encoding that is already
//! there is kept as it is.
//!
//! `http`, `https`, `ws`, `wss` and `ftp` are the schemes that the standard knows ("special"). Text and normalised
//! text are at most [`URL_BYTES_MAX`] bytes.
//!
//! [`parse_into`] allocates nothing where its buffer has that much room. The functions on [`UrlView`] never allocate.

use std::fmt;

use super::ip::IpAddr;
use crate::base::limits::URL_BYTES_MAX;

mod host;
mod parse;
mod within;

pub use host::{host_in_domain, is_domain_name};
pub use parse::parse_into;
pub use within::is_within;

/// Why a text is not accepted as a URL. The module says what is refused on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UrlError {
    /// The text, or its normalised form, has more than [`URL_BYTES_MAX`] bytes.
    TooLong,
    /// A control character.
    Control,
    /// A space at the beginning or the end.
    OuterSpace,
    /// A backslash.
    Backslash,
    /// The text does not begin with a scheme and `://`.
    NotAbsolute,
    /// The scheme is `file`.
    FileScheme,
    /// More than one `@` before the path.
    Credentials,
    /// No host.
    EmptyHost,
    /// A character that a host may not have here.
    HostCharacter,
    /// An empty label (also from a dot at the end), or one longer than 63 bytes, or a host longer than 253.
    HostLabel,
    /// A host that ends in a number and is not an IPv4 address in its plain form.
    HostNumber,
    /// What is between brackets is not an IPv6 address.
    HostIpv6,
    /// A label that begins with `xn--` and is not valid, or not in a script that is supported.
    HostPunycode,
    /// The port is not a number up to 65535.
    Port,
    /// A `..` that only some servers see.
    HiddenDots,
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            UrlError::TooLong => return write!(f, "the URL is longer than {URL_BYTES_MAX} bytes"),
            UrlError::Control => "the URL holds a control character",
            UrlError::OuterSpace => "the URL begins or ends with a space",
            UrlError::Backslash => "the URL holds a backslash",
            UrlError::NotAbsolute => "the URL does not begin with a scheme and `://`",
            UrlError::FileScheme => "`file` URLs are not supported, use a path",
            UrlError::Credentials => "the URL has more than one `@` before its path",
            UrlError::EmptyHost => "the URL has no host",
            UrlError::HostCharacter => {
                "the host may only have ASCII letters, digits, `-`, `_` and `.`, in lower case unless the scheme is known"
            }
            UrlError::HostLabel => "the host has an empty or over-long part, or ends with a dot",
            UrlError::HostNumber => "the host ends in a number and is not a plain IPv4 address",
            UrlError::HostIpv6 => "the host is not an IPv6 address",
            UrlError::HostPunycode => "the host has an `xn--` part that is not valid or not supported",
            UrlError::Port => "the port is not a number up to 65535",
            UrlError::HiddenDots => "the path hides a `..` that only some servers see",
        })
    }
}

impl std::error::Error for UrlError {}

/// What kind of host a URL has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HostKind {
    /// A name.
    Name,
    /// An IPv4 address.
    V4,
    /// An IPv6 address, in brackets in the text. One that embeds an IPv4 address (`[::ffff:7f00:1]`) is of this kind
    /// and has that IPv4 address as its [`UrlParts::ip`].
    V6,
}

/// Where the parts of a normalised URL are: offsets in bytes from the start of its text. [`UrlParts::view`] reads them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UrlParts {
    // scheme "://" [ username [ ":" password ] "@" ] host [ ":" port ] path [ "?" query ] [ "#" fragment ]
    scheme_end: u16,
    username_end: u16,
    password_end: u16,
    host_start: u16,
    host_end: u16,
    path_start: u16,
    path_end: u16,
    query_end: u16,
    end: u16,
    port: Option<u16>,
    host_kind: HostKind,
    ip: Option<IpAddr>,
}

impl UrlParts {
    /// The parts together with the text that they are of. Of another text all parts are whatever is there, or empty.
    #[inline]
    pub const fn view(self, text: &str) -> UrlView<'_> {
        UrlView { text, parts: self }
    }

    /// The length of the normalised text in bytes.
    #[inline]
    pub const fn len_bytes(self) -> usize {
        self.end as usize
    }

    /// The host as an address, if it is one.
    #[inline]
    pub const fn ip(self) -> Option<IpAddr> {
        self.ip
    }
}

/// A normalised URL that owns its text.
//
// INVARIANT: text and parts are what `parse_into` gave.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Url {
    text: String,
    parts: UrlParts,
}

impl Url {
    /// Reads and normalises a URL.
    pub fn parse(text: &str) -> Result<Url, UrlError> {
        let mut buffer = String::with_capacity(text.len().min(URL_BYTES_MAX) + 1);
        let parts = parse_into(text, &mut buffer)?;
        Ok(Url { text: buffer, parts })
    }

    /// The normalised text.
    #[inline]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The parts with their text.
    #[inline]
    pub fn view(&self) -> UrlView<'_> {
        self.parts.view(&self.text)
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A normalised URL somewhere in a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UrlView<'a> {
    text: &'a str,
    parts: UrlParts,
}

impl<'a> UrlView<'a> {
    fn slice(self, start: u16, end: u16) -> &'a str {
        self.text.get(usize::from(start)..usize::from(end)).unwrap_or("")
    }

    /// What follows the mark at `start`, if `start` is not the end already.
    fn marked(self, start: u16, end: u16) -> Option<&'a str> {
        if start < end { Some(self.slice(start + 1, end)) } else { None }
    }

    /// The normalised text.
    #[inline]
    pub fn as_str(self) -> &'a str {
        self.slice(0, self.parts.end)
    }

    /// The scheme, in lower case, without the `:`.
    #[inline]
    pub fn scheme(self) -> &'a str {
        self.slice(0, self.parts.scheme_end)
    }

    /// The user name, percent-encoded; empty where there is none.
    #[inline]
    pub fn username(self) -> &'a str {
        self.slice(self.parts.scheme_end + 3, self.parts.username_end)
    }

    /// The password, percent-encoded; empty where there is none.
    #[inline]
    pub fn password(self) -> &'a str {
        self.marked(self.parts.username_end, self.parts.password_end).unwrap_or("")
    }

    /// Whether there is a user name or a password.
    #[inline]
    pub const fn has_credentials(self) -> bool {
        self.parts.host_start > self.parts.scheme_end + 3
    }

    /// The host; an IPv6 address without its brackets.
    #[inline]
    pub fn host(self) -> &'a str {
        match self.parts.host_kind {
            HostKind::V6 => self.slice(self.parts.host_start + 1, self.parts.host_end - 1),
            HostKind::Name | HostKind::V4 => self.slice(self.parts.host_start, self.parts.host_end),
        }
    }

    /// The host as the URL has it: an IPv6 address in its brackets.
    #[inline]
    pub fn host_in_brackets(self) -> &'a str {
        self.slice(self.parts.host_start, self.parts.host_end)
    }

    /// What kind of host it is.
    #[inline]
    pub const fn host_kind(self) -> HostKind {
        self.parts.host_kind
    }

    /// The host as an address, if it is one; an IPv6 form of an IPv4 address is that IPv4 address.
    #[inline]
    pub const fn ip(self) -> Option<IpAddr> {
        self.parts.ip
    }

    /// The port in the text. It is never the scheme's own.
    #[inline]
    pub const fn port(self) -> Option<u16> {
        self.parts.port
    }

    /// The port in the text, or the scheme's own; none where the scheme has none.
    #[inline]
    pub fn effective_port(self) -> Option<u16> {
        self.parts.port.or_else(|| default_port(self.scheme()))
    }

    /// The path, percent-encoded: empty, or beginning with `/`.
    #[inline]
    pub fn path(self) -> &'a str {
        self.slice(self.parts.path_start, self.parts.path_end)
    }

    /// The query, percent-encoded, without the `?`.
    #[inline]
    pub fn query(self) -> Option<&'a str> {
        self.marked(self.parts.path_end, self.parts.query_end)
    }

    /// The fragment, percent-encoded, without the `#`.
    #[inline]
    pub fn fragment(self) -> Option<&'a str> {
        self.marked(self.parts.query_end, self.parts.end)
    }

    /// Whether the host is the domain or below it; see [`host_in_domain`].
    #[inline]
    pub fn host_in_domain(self, domain: &str) -> bool {
        host_in_domain(self.host(), domain)
    }
}

/// The port that a scheme has when a URL names none.
fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" | "ws" => Some(80),
        "https" | "wss" => Some(443),
        "ftp" => Some(21),
        _ => None,
    }
}

//! The values that programs and requests are made of: few, so that they meet, and with the edges among them.

/// As literals of the source and, without the quotation marks, as text in JSON.
pub const TEXTS: &[&str] = &["", "a", "b", "ab", "abc", "deploy", "é", "x.y", "A", "𝔸", "q\"q", "a/b"];
pub const INTS: &[i64] =
    &[0, 1, 2, 3, 5, 7, 10, 100, -1, -5, i64::MAX, i64::MIN, 1 << 62, 1_000_000, 10_000_000_000_000];
pub const SMALL_INTS: &[i64] = &[0, 1, 2, 3, 5, 7, 10];
pub const DECIMALS: &[&str] = &[
    "0.0",
    "0.1",
    "0.5",
    "1.0",
    "2.5",
    "3.0",
    "0.000001",
    "100.25",
    "9223372036854.775807",
    "0.333333",
    "-1.5",
    "-0.000001",
    "4000000.5",
];
pub const DURATIONS: &[&str] = &["0ms", "1s", "15m", "1h30m", "4h", "2d", "500ms", "15250284452w", "7w"];
pub const TIMESTAMPS: &[&str] = &[
    "2026-01-31T12:00:00Z",
    "1970-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999Z",
    "0000-01-01T00:00:00Z",
    "2024-02-29T06:30:15Z",
    "2026-01-31T11:59:59.999Z",
];
pub const IPS: &[&str] =
    &["127.0.0.1", "10.1.2.3", "8.8.8.8", "::1", "fe80::1", "224.0.0.1", "0.0.0.0", "2001:db8::1", "192.168.1.9"];
pub const NETS: &[&str] =
    &["10.0.0.0/8", "127.0.0.0/8", "192.168.0.0/16", "0.0.0.0/0", "::/0", "10.1.0.0/16", "fe80::/10"];
pub const URLS: &[&str] = &[
    "https://good.com/",
    "https://api.good.com/v1/items?q=1#top",
    "http://user:pw@evil.com:8080/x",
    "https://10.1.2.3/",
    "ftp://files.example/pub",
    "https://good.com/v1",
    "https://good.com/v1/items",
    "http://[::1]/a?b",
];
pub const PATHS: &[&str] =
    &["/", "/srv/app", "/srv/app/main.rs", "/etc/passwd", "/srv/app/lib.tar.gz", "/home/.profile", "/srv"];
pub const DOMAINS: &[&str] = &["good.com", "com", "evil.com", "files.example", "api.good.com"];
pub const GLOBS: &[&str] = &["a*", "*", "deploy", "*.y", "?", "a?c", "*b*"];
pub const REGEXES: &[&str] = &["a+", "[a-z]+", ".*b", "deploy|abc", "a?b?", "[^a]*"];
/// Ids of registered entities; `ghost` is named by policies and registered nowhere.
pub const IDS: &[&str] = &["a", "b", "c"];
pub const GHOST: &str = "ghost";
pub const KEYS: &[&str] = &["a", "b", "k"];

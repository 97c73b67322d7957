//! The cases of the WHATWG URL Standard: what `Url` accepts is exactly what the standard says, and what the standard
//! refuses is refused. `Url` may refuse more; how much is held here by a count and by lists of names.

use pdl::data::url::{Url, UrlError, UrlView};
use proptest::prelude::*;
use serde_json::Value;

const VECTORS: &str = include_str!("vectors/url/urltestdata.json");

/// How many of the cases are accepted. A change of the parser that moves this number has to be meant.
const ACCEPTED: usize = 163;
/// How many of the results are accepted in turn.
const NORMAL_ACCEPTED: usize = 310;

fn cases() -> Vec<Value> {
    let Ok(Value::Array(cases)) = serde_json::from_str(VECTORS) else { panic!("the vectors are not a JSON array") };
    cases.into_iter().filter(Value::is_object).collect()
}

/// A member of a case that is a text.
fn text<'a>(case: &'a Value, name: &str) -> &'a str {
    case[name].as_str().unwrap_or_else(|| panic!("no text `{name}` in {case}"))
}

/// A query or fragment as the interface of the standard shows it.
fn marked(mark: char, text: Option<&str>) -> String {
    text.filter(|text| !text.is_empty()).map(|text| format!("{mark}{text}")).unwrap_or_default()
}

/// All cases, those with a base URL too: a text that begins with `scheme://` and a host never looks at its base.
#[test]
fn the_standard_agrees() {
    let mut accepted = 0;
    for case in cases() {
        let input = text(&case, "input");
        let Ok(url) = Url::parse(input) else { continue };
        assert_ne!(case["failure"], Value::Bool(true), "accepted {input:?}, which the standard refuses");
        let view = url.view();
        let port = view.port().map(|port| port.to_string()).unwrap_or_default();
        assert_eq!(url.as_str(), text(&case, "href"), "{input:?}");
        assert_eq!(format!("{}:", view.scheme()), text(&case, "protocol"), "{input:?}");
        assert_eq!(view.username(), text(&case, "username"), "{input:?}");
        assert_eq!(view.password(), text(&case, "password"), "{input:?}");
        assert_eq!(view.host_in_brackets(), text(&case, "hostname"), "{input:?}");
        assert_eq!(port, text(&case, "port"), "{input:?}");
        assert_eq!(view.path(), text(&case, "pathname"), "{input:?}");
        assert_eq!(marked('?', view.query()), text(&case, "search"), "{input:?}");
        assert_eq!(marked('#', view.fragment()), text(&case, "hash"), "{input:?}");
        assert_eq!(Url::parse(url.as_str()).as_ref(), Ok(&url), "normalising {input:?} again changes it");
        accepted += 1;
    }
    assert_eq!(accepted, ACCEPTED);
}

/// The results of the standard are normal, and so those that are accepted stay as they are.
#[test]
fn normalised_urls_stay_as_they_are() {
    let mut accepted = 0;
    for case in cases() {
        let Some(href) = case["href"].as_str() else { continue };
        if let Ok(url) = Url::parse(href) {
            assert_eq!(url.as_str(), href);
            accepted += 1;
        }
    }
    assert_eq!(accepted, NORMAL_ACCEPTED);
}

#[test]
fn must_be_accepted() {
    for (input, expected) in [
        ("https://good.com", "https://good.com/"),
        ("HTTPS://Good.COM:443/A/./b/../c?q=1#f", "https://good.com/A/c?q=1#f"),
        ("http://good.com:8080/", "http://good.com:8080/"),
        ("http://good.com:/", "http://good.com/"),
        ("wss://good.com:443/socket", "wss://good.com/socket"),
        ("ftp://files.good.com:21/pub/", "ftp://files.good.com/pub/"),
        ("https://ann:secret@good.com/", "https://ann:secret@good.com/"),
        ("https://ann@good.com/", "https://ann@good.com/"),
        ("https://good.com/a b/é?é b#é b", "https://good.com/a%20b/%C3%A9?%C3%A9%20b#%C3%A9%20b"),
        ("https://good.com/%2e%2e/a/%2E/b", "https://good.com/a/b"),
        ("https://good.com/a/..", "https://good.com/"),
        ("https://good.com/../../a", "https://good.com/a"),
        ("https://good.com//a//b/", "https://good.com//a//b/"),
        ("https://good.com?x=1", "https://good.com/?x=1"),
        ("https://good.com/?", "https://good.com/?"),
        ("https://good.com/a@b:c", "https://good.com/a@b:c"),
        ("https://127.0.0.1:8443/", "https://127.0.0.1:8443/"),
        ("https://[2001:DB8:0:0:0:0:0:1]/", "https://[2001:db8::1]/"),
        ("https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/"),
        ("https://xn--mnchen-3ya.de/", "https://xn--mnchen-3ya.de/"),
        ("https://XN--BCHER-KVA.example/", "https://xn--bcher-kva.example/"),
        ("https://_dmarc.good.com/", "https://_dmarc.good.com/"),
        ("https://1.good.com/", "https://1.good.com/"),
        (
            "https://gitlab.good.com/api/projects/group%2Fproject",
            "https://gitlab.good.com/api/projects/group%2Fproject",
        ),
        ("postgres://db.internal:5432/orders?sslmode=require", "postgres://db.internal:5432/orders?sslmode=require"),
        ("git+ssh://git@good.com/repo.git", "git+ssh://git@good.com/repo.git"),
        ("s3://bucket/key", "s3://bucket/key"),
        ("redis://cache", "redis://cache"),
        ("redis://cache?x", "redis://cache?x"),
    ] {
        assert_eq!(Url::parse(input).map(|url| url.to_string()).as_deref(), Ok(expected), "{input}");
    }
}

#[test]
fn must_be_refused() {
    for (error, inputs) in [
        (
            UrlError::Control,
            &["https://good.com/\t", "https://good\n.com/", "\u{1}https://good.com", "https://good.com/\u{7f}"][..],
        ),
        (UrlError::OuterSpace, &[" https://good.com/", "https://good.com/ "]),
        (UrlError::Backslash, &["https://good.com\\@evil.com/", "https:\\\\good.com/", "https://good.com/a\\b"]),
        (
            UrlError::NotAbsolute,
            &["", "good.com", "//good.com/", "/a", "mailto:ann@good.com", "https:good.com", "https:/good.com"],
        ),
        (
            UrlError::NotAbsolute,
            &["1http://good.com", "ht tp://good.com", "://good.com", "javascript:alert(1)", "data:,x", "é://a"],
        ),
        (UrlError::FileScheme, &["file:///etc/passwd", "FILE://host/share"]),
        (UrlError::Credentials, &["https://good.com@evil.com@x.com/", "https://a:b@c@good.com/"]),
        (
            UrlError::EmptyHost,
            &["https://", "https:///good.com", "https://?x", "https://#x", "https://:80/", "https://ann@/", "x:///a"],
        ),
        (
            UrlError::HostCharacter,
            &["https://münchen.de/", "https://good%2ecom/", "https://good com/", "https://go!d.com/"],
        ),
        (UrlError::HostCharacter, &["https://ｇood.com/", "https://*.good.com/", "postgres://DB.internal/"]),
        (UrlError::HostLabel, &["https://good.com./", "https://.good.com/", "https://good..com/", "https://./"]),
        (
            UrlError::HostNumber,
            &["https://0x7f.1/", "https://017700000001/", "https://2130706433/", "https://127.1/", "https://0x/"],
        ),
        (
            UrlError::HostNumber,
            &["https://1.2.3.4.5/", "https://256.1.1.1/", "https://127.0.0.01/", "https://good.com.0x1/"],
        ),
        (UrlError::HostNumber, &["https://0177.0.0.1/", "redis://0x7f.1/", "redis://127.1/", "https://a.1/"]),
        (
            UrlError::HostIpv6,
            &[
                "https://[::1/",
                "https://[1:2]/",
                "https://[fe80::1%25eth0]/",
                "https://[127.0.0.1]/",
                "https://[::1]a/",
            ],
        ),
        (UrlError::HostPunycode, &["https://xn--/", "https://xn--a/", "https://a.xn--pokxncvks/", "https://xn--abc-/"]),
        (
            UrlError::Port,
            &[
                "https://good.com:65536/",
                "https://good.com:-1/",
                "https://good.com:8o/",
                "https://a:b:c/",
                "https://[::1]:x/",
            ],
        ),
        (
            UrlError::HiddenDots,
            &["https://good.com/a/..%2fb", "https://good.com/a/%2e%2E%5Cb", "https://good.com/a/..;x/b"],
        ),
        (UrlError::HiddenDots, &["https://good.com/a/b%2f..", "https://good.com/a/b%2F..%2fc"]),
    ] {
        for input in inputs {
            assert_eq!(Url::parse(input), Err(error), "{input}");
        }
    }
}

#[test]
fn length_is_bounded() {
    let fits = format!("https://good.com/{}", "a".repeat(8_192 - 17));
    assert_eq!(Url::parse(&fits).map(|url| url.as_str().len()), Ok(8_192));
    assert_eq!(Url::parse(&format!("{fits}a")), Err(UrlError::TooLong));
    let grows = format!("https://good.com/{}", " ".repeat(4_000)) + "a";
    assert_eq!(Url::parse(&grows), Err(UrlError::TooLong));
    let label = "a".repeat(63);
    assert!(Url::parse(&format!("https://{label}.com/")).is_ok());
    assert_eq!(Url::parse(&format!("https://{label}a.com/")), Err(UrlError::HostLabel));
    assert_eq!(Url::parse(&format!("https://{label}.{label}.{label}.{label}/")), Err(UrlError::HostLabel));
}

#[test]
fn parts_of_a_url_in_a_buffer() {
    let mut buffer = String::with_capacity(20_000);
    buffer.push_str("before");
    let room = buffer.capacity();
    let parts = pdl::data::url::parse_into("HTTP://ann:pw@[::1]:81/a/../b?c#d", &mut buffer).unwrap();
    assert_eq!(buffer, "beforehttp://ann:pw@[::1]:81/b?c#d");
    assert_eq!(parts.len_bytes(), buffer.len() - 6);
    let url: UrlView<'_> = parts.view(&buffer[6..]);
    assert_eq!((url.scheme(), url.username(), url.password(), url.host()), ("http", "ann", "pw", "::1"));
    assert_eq!((url.port(), url.path(), url.query(), url.fragment()), (Some(81), "/b", Some("c"), Some("d")));
    assert!(url.has_credentials() && url.ip().is_some_and(|ip| ip.is_loopback()));
    buffer.truncate(6);
    assert_eq!(pdl::data::url::parse_into("http://good.com/..%2f", &mut buffer), Err(UrlError::HiddenDots));
    assert_eq!((buffer.as_str(), buffer.capacity()), ("before", room));
    // Parts of another text are of no use, and harmless.
    assert_eq!(parts.view("").host(), "");
}

#[test]
fn ports() {
    for (input, port, effective) in [
        ("https://good.com/", None, Some(443)),
        ("https://good.com:443/", None, Some(443)),
        ("https://good.com:80/", Some(80), Some(80)),
        ("ws://good.com/", None, Some(80)),
        ("ftp://good.com/", None, Some(21)),
        ("redis://good.com/", None, None),
        ("redis://good.com:0/", Some(0), Some(0)),
        ("http://good.com:00080/", None, Some(80)),
    ] {
        let url = Url::parse(input).unwrap();
        assert_eq!((url.view().port(), url.view().effective_port()), (port, effective), "{input}");
    }
}

#[test]
fn within() {
    for (url, base, expected) in [
        ("https://good.com/api/x", "https://good.com/api", true),
        ("https://good.com/api", "https://good.com/api", true),
        ("https://good.com/api", "https://good.com/api/", true),
        ("https://good.com/api/?x#y", "https://good.com/api", true),
        ("https://good.com:443/api/x", "https://GOOD.com/api/", true),
        ("https://good.com/%61pi/x", "https://good.com/api", true),
        ("https://good.com/a%2fb/x", "https://good.com/a%2Fb", true),
        ("https://good.com/anything", "https://good.com", true),
        ("redis://cache", "redis://cache/", true),
        ("http://[::ffff:10.0.0.1]/", "http://10.0.0.1/", true),
        ("https://good.com/apiary", "https://good.com/api", false),
        ("https://good.com/api%2fx", "https://good.com/api", false),
        ("https://good.com/api/../x", "https://good.com/api", false),
        ("https://good.com/api/%2e%2e/x", "https://good.com/api", false),
        ("https://good.com/", "https://good.com/api", false),
        ("http://good.com/api/x", "https://good.com/api", false),
        ("https://good.com:8443/api/x", "https://good.com/api", false),
        ("https://good.com:80/", "http://good.com/", false),
        ("https://evil.com/api/x", "https://good.com/api", false),
        ("https://api.good.com/", "https://good.com/", false),
        ("https://good.com@evil.com/", "https://good.com/", false),
        ("https://ann@good.com/api/x", "https://good.com/api", false),
        ("https://good.com/a;b/x", "https://good.com/a%3Bb", false),
        ("https://good.com/API/x", "https://good.com/api", false),
    ] {
        let (url, base) = (Url::parse(url).unwrap(), Url::parse(base).unwrap());
        assert_eq!(pdl::data::url::is_within(url.view(), base.view()), expected, "{url} {base}");
    }
}

#[test]
fn hosts_in_domains() {
    let in_good = |text: &str| Url::parse(text).unwrap().view().host_in_domain("good.com");
    assert!(in_good("https://good.com/") && in_good("https://a.b.GOOD.com/"));
    assert!(
        !in_good("https://evilgood.com/")
            && !in_good("https://good.com.evil.com/")
            && !in_good("https://good.com@evil.com/")
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Whatever is accepted is normal, of the parts that its text shows, and within itself.
    #[test]
    fn any_text(text in "(https?|HTTP|ws|redis|file)?(:/{0,3})?([a-cA-C.@:%-]|%2[eEfF]|xn--|é|\\[::1\\]|[0-9]|0x){0,6}([/?#\\\\ '^a;.]|%2e|%2F|é){0,8}") {
        let mut buffer = String::with_capacity(8_192 + 1);
        buffer.push('<');
        let capacity = buffer.capacity();
        match pdl::data::url::parse_into(&text, &mut buffer) {
            Err(error) => {
                prop_assert_eq!(buffer, "<");
                prop_assert_eq!(Url::parse(&text), Err(error));
            }
            Ok(parts) => {
                prop_assert_eq!(buffer.capacity(), capacity);
                let url = parts.view(&buffer[1..]);
                prop_assert_eq!(url.as_str(), &buffer[1..]);
                let again = Url::parse(url.as_str()).unwrap();
                prop_assert_eq!(again.view(), url);
                prop_assert_eq!(reassembled(url), url.as_str());
                prop_assert_eq!(pdl::data::url::is_within(url, url), !url.has_credentials());
                prop_assert!(url.host_in_domain(url.host()));
                prop_assert!(!url.path().split('/').any(|segment| segment == "." || segment == ".."));
            }
        }
    }

    #[test]
    fn no_text_breaks_the_parser(text in ".*", host in ".{0,8}", path in ".{0,8}") {
        let _ = Url::parse(&text);
        let _ = Url::parse(&format!("https://{host}/{path}"));
        let _ = pdl::data::url::host_in_domain(&host, &path);
        let _ = pdl::data::url::is_domain_name(&host);
    }
}

/// The text of a URL from its parts.
fn reassembled(url: UrlView<'_>) -> String {
    let mut text = format!("{}://{}", url.scheme(), url.username());
    if !url.password().is_empty() {
        text += &format!(":{}", url.password());
    }
    if url.has_credentials() {
        text.push('@');
    }
    text += url.host_in_brackets();
    if let Some(port) = url.port() {
        text += &format!(":{port}");
    }
    text += url.path();
    for (mark, part) in [('?', url.query()), ('#', url.fragment())] {
        if let Some(part) = part {
            text.push(mark);
            text += part;
        }
    }
    text
}

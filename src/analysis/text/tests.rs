//! Automata against the operations of `data`, and verdicts against trying all words.

use super::catalogue::{Catalogue, Spec};
use super::concrete::{holds, is_of, part_of};
use super::*;
use crate::data::ip::IpAddr;
use crate::data::pattern::Pattern;

mod verdicts;

/// Numbers that look random and are always the same.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % below as u64) as usize
    }

    pub(super) fn pick<'t, T>(&mut self, from: &'t [T]) -> &'t T {
        &from[self.roll(from.len())]
    }

    fn word(&mut self, pieces: &[&str], most: usize) -> String {
        (0..self.roll(most + 1)).map(|_| *self.pick(pieces)).collect()
    }
}

const VIEWS_OF_PATHS: [View; 3] = [View::Name, View::Extension, View::Parent];
const VIEWS_OF_URLS: [View; 6] =
    [View::Scheme, View::Host, View::UrlPath, View::Query, View::Fragment, View::HostAddress];

fn plain_languages() -> Vec<Lang> {
    let texts =
        ["", "a", "ab", "aba", "aabab", "b", "é", "\u{d7ff}", "\u{e000}", "\u{10ffff}", "/", "a/b", ".", "0", "\u{0}"];
    let mut all = Vec::new();
    for text in texts {
        let text: Arc<str> = text.into();
        all.extend([
            Lang::Exactly(text.clone()),
            Lang::StartsWith(text.clone()),
            Lang::EndsWith(text.clone()),
            Lang::Contains(text.clone()),
            Lang::Before(text),
        ]);
    }
    for source in ["*", "**", "a*", "*.b", "{a,é}?", "[!a]", "/a/**"] {
        all.push(Lang::Glob(source.into()));
    }
    for source in
        ["", ".", "a|b", "(ab)*", ".*a.*", "\\p{L}+", "[^a]{2}", "(?s).", "(?-u:\\b)a", "a\\z", "[\u{d7ff}-\u{e000}]"]
    {
        all.push(Lang::Regex(source.into()));
    }
    all.extend([-1, 0, 1, 2, 3, 5].map(|least| Lang::AtLeast(Measure::Characters, least)));
    all
}

/// The patterns among the languages, each compiled once.
pub(super) struct Patterns(BTreeMap<LangId, Pattern>);

impl Patterns {
    pub(super) fn of(texts: &Texts) -> Patterns {
        let pattern = |(place, language): (usize, &Lang)| {
            let pattern = match language {
                Lang::Glob(source) => Pattern::glob(source),
                Lang::Regex(source) => Pattern::regex(source),
                _ => return None,
            };
            Some((LangId(place as u32), pattern.expect("patterns are right")))
        };
        Patterns(texts.languages.iter().enumerate().filter_map(pattern).collect())
    }

    pub(super) fn holds(&self, texts: &Texts, id: LangId, word: &str) -> bool {
        match texts.described(id) {
            Lang::Part(view, inner) => part_of(*view, word).is_some_and(|part| self.holds(texts, *inner, &part)),
            Lang::Glob(_) | Lang::Regex(_) => self.0[&id].is_match(word),
            _ => holds(&texts.languages, id, word),
        }
    }
}

/// The automaton of each language accepts just the words of the domain that lie in it.
fn check(domain: Domain, languages: Vec<Lang>, words: &[String]) {
    let mut texts = Texts::default();
    for language in languages {
        texts.language(language);
    }
    check_all(domain, &mut texts, words);
}

fn check_all(domain: Domain, texts: &mut Texts, words: &[String]) {
    let words: Vec<&String> = words.iter().filter(|word| is_of(domain, word)).collect();
    assert!(words.len() > 50, "{domain:?}: {} words", words.len());
    let mut catalogue = Catalogue::default();
    let patterns = Patterns::of(texts);
    for place in 0..texts.languages.len() {
        let id = LangId(place as u32);
        // What is of addresses means nothing of other words.
        if domain == Domain::Url && matches!(texts.described(id), Lang::InNet(_) | Lang::Is(_)) {
            continue;
        }
        let automaton = catalogue.language(&texts.languages, id).expect("patterns are right");
        for word in &words {
            let expected = patterns.holds(texts, id, word);
            assert_eq!(
                catalogue.automata.reads(automaton, word.as_bytes()),
                expected,
                "{:?} {word:?}",
                texts.described(id)
            );
            // What is said of the words to come is true of this one.
            let mut state = 0;
            for byte in word.bytes().map(Some).chain([None]) {
                match catalogue.automata.fate(automaton, state) {
                    automata::Fate::Open => {}
                    automata::Fate::Never => assert!(!expected, "{:?} {word:?}", texts.described(id)),
                    automata::Fate::Always => assert!(expected, "{:?} {word:?}", texts.described(id)),
                }
                state = byte.map_or(state, |byte| catalogue.automata.step(automaton, state, byte));
            }
        }
    }
}

pub(super) fn odd_words() -> Vec<String> {
    let pieces = [
        "a",
        "b",
        "ab",
        "ba",
        "A",
        "/",
        ".",
        "é",
        "\u{7f}",
        "\u{80}",
        "\u{7ff}",
        "\u{800}",
        "\u{d7ff}",
        "\u{e000}",
        "\u{ffff}",
        "\u{10000}",
        "\u{10ffff}",
        "\n",
        "\u{0}",
        " ",
        "0",
        "ß",
        "日",
    ];
    let mut dice = Dice(1);
    let mut words: Vec<String> = (0..1500).map(|_| dice.word(&pieces, 6)).collect();
    words.extend(pieces.iter().map(|piece| (*piece).to_owned()));
    // All short words of two letters, for those that overlap themselves.
    let mut last = vec![String::new()];
    for _ in 0..7 {
        words.extend(last.iter().cloned());
        last = last.iter().flat_map(|word| [format!("{word}a"), format!("{word}b")]).collect();
    }
    words
}

pub(super) fn odd_paths() -> Vec<String> {
    let mut dice = Dice(2);
    let pieces = ["/", "/a", "/b", "a", "b", ".", "..", ".gz", ".tar", "é", "/.a", "/ab", "\u{0}", " ", "\u{e000}"];
    let mut words: Vec<String> = (0..2000).map(|_| format!("/{}", dice.word(&pieces, 7))).collect();
    words.extend((0..500).map(|_| dice.word(&pieces, 5)));
    words
}

pub(super) fn odd_urls() -> Vec<String> {
    let mut dice = Dice(3);
    let schemes = ["http", "https", "ws", "wss", "ftp", "a", "file", "files", "fil", "httpss", "h", "a+b", "1", "git"];
    let infos = ["", "", "", "", "u@", "u:p@", ":p@", "u:@", "@", "u:8080@", "a:b:c@", "1.2.3.4:80@", "u;@"];
    let hosts = [
        "a",
        "good.com",
        "api.good.com",
        "evilgood.com",
        "1.2.3.4",
        "127.0.0.1",
        "1.2.3",
        "256.1.1.1",
        "01.2.3.4",
        "1.2.3.4.5",
        "10.0.0.255",
        "0.0.0.0",
        "a.1",
        "a.0x1f",
        "0x1f",
        "0xg",
        "a.0",
        "a-b_c",
        "a..b",
        "a.",
        ".a",
        "",
        "xn--mnchen-3ya.de",
        "xn--a",
        "[::]",
        "[::1]",
        "[1::]",
        "[2001:db8::1]",
        "[::ffff:7f00:1]",
        "[::ffff:0:0]",
        "[0:0:1::]",
        "[1:2:3:4:5:6:7:8]",
        "[1::2:0:0:0:3]",
        "[1:0:2::]",
        "[::ffff:1:7f00:1]",
        "[ffff::]",
        "[1:0:0:2::3]",
        "[fe80::1:2]",
        "[::1:2:3:4:5:6:7]",
        "[1:2:3:4:5:6:7:0]",
        "[::ffff:a01:203]",
        "A",
        "é",
        "com",
        "0",
        "1",
        "[12345::]",
        "[1:2]",
        "[::01]",
    ];
    let ports =
        ["", "", "", ":80", ":443", ":21", ":1", ":0", ":65535", ":65536", ":8080", ":080", ":", ":99999", ":443443"];
    let paths = [
        "",
        "/",
        "/a",
        "/api",
        "/api/",
        "/api/v1",
        "/apiary",
        "/%61pi",
        "/%61pi/x",
        "/a%2Fb",
        "/a%2fb",
        "/%",
        "/%2",
        "/%4",
        "/a//b",
        "/.",
        "/..",
        "/a/../b",
        "/%2e",
        "/%2E%2e",
        "/.%2e",
        "/a;b",
        "/..;b",
        "/a%2f..",
        "/..%2f",
        "/.%2f.",
        "/;..",
        "/a@b:c[d]",
        "/%2f..;a",
        "/%%2f..",
        "/..%5c",
        "/...",
        "/.%2",
        "/a.",
        "/'|=&+",
        "/`",
        "/%61%70%69",
        "/ap%69/..x",
        "/%7E",
        "/~",
        "/%2e%2",
        "/.;",
    ];
    let ends = ["", "", "", "?", "?q", "?a=b&c'd", "#", "#f", "?q#f", "?#", "#f#g?h", "?a?b", "#`", "# ", "?/a:b@c"];
    let mut words = Vec::new();
    for host in hosts {
        words.push(format!("https://{host}/"));
    }
    for path in paths {
        words.push(format!("https://a{path}"));
        words.push(format!("git://a{path}"));
    }
    for _ in 0..4_000 {
        let [scheme, info, host, port, path, end] = [
            *dice.pick(&schemes),
            *dice.pick(&infos),
            *dice.pick(&hosts),
            *dice.pick(&ports),
            *dice.pick(&paths),
            *dice.pick(&ends),
        ];
        words.push(format!("{scheme}://{info}{host}{port}{path}{end}"));
    }
    words.extend(["", "a", "a:", "a:/", "a:/b", "a//b", "://a", "https:///", "https://a://b"].map(str::to_owned));
    words
}

pub(super) fn odd_addresses() -> Vec<String> {
    let mut dice = Dice(4);
    let mut addresses: Vec<IpAddr> = Vec::new();
    for text in
        ["0.0.0.0", "127.0.0.1", "10.1.2.3", "172.16.0.0", "172.32.0.0", "192.168.1.1", "224.0.0.1", "255.255.255.255"]
    {
        addresses.push(IpAddr::parse(text).expect("an address"));
    }
    for text in [
        "::",
        "::1",
        "fe80::1",
        "fc00::",
        "ff02::1",
        "2001:db8::1",
        "2606:4700::1111",
        "2002::1",
        "::fffe:7f00:1",
        "4000::",
    ] {
        addresses.push(IpAddr::parse(text).expect("an address"));
    }
    for (first, prefix) in crate::data::ip::SPECIAL_V4 {
        let last = first | ((1_u128 << (32 - prefix)) - 1);
        let near = [first, first.wrapping_sub(1) & 0xffff_ffff, last, (last + 1) & 0xffff_ffff];
        addresses.extend(near.map(|bits| IpAddr::from_v4_bits(bits as u32)));
    }
    for (first, prefix) in crate::data::ip::SPECIAL_V6 {
        let last = first | ((1_u128 << (128 - prefix)) - 1);
        addresses.extend([first, first - 1, last, last + 1].map(IpAddr::from_v6_bits));
    }
    for _ in 0..300 {
        addresses.push(IpAddr::from_v4_bits(dice.roll(1 << 30) as u32 * 4));
        addresses.push(IpAddr::from_v6_bits((dice.roll(1 << 30) as u128) << dice.roll(98)));
    }
    addresses.into_iter().map(address_word).collect()
}

#[test]
fn languages_of_texts() {
    check(Domain::Any(100), plain_languages(), &odd_words());
}

#[test]
fn languages_of_paths() {
    let mut languages = plain_languages();
    languages.extend([0, 1, 2, 3].map(|least| Lang::AtLeast(Measure::Depth, least)));
    languages.extend(["/", "/a", "/a/b", "/ab", "/.a"].map(|base| Lang::PathIn(base.into())));
    let mut texts = Texts::default();
    for language in languages {
        texts.language(language);
    }
    let plain = texts.languages.len() as u32;
    for view in VIEWS_OF_PATHS {
        texts.language(Lang::Has(view));
        for id in 0..plain {
            texts.language(Lang::Part(view, LangId(id)));
        }
    }
    let gz = texts.language(Lang::Exactly("gz".into()));
    let extension = texts.language(Lang::Part(View::Extension, gz));
    let parent = texts.language(Lang::Part(View::Parent, extension));
    texts.language(Lang::Part(View::Parent, parent));
    check_all(Domain::Path, &mut texts, &odd_paths());
}

#[test]
fn languages_of_urls() {
    let mut texts = Texts::default();
    for language in plain_languages() {
        texts.language(language);
    }
    let addresses = 0..texts.languages.len() as u32;
    for view in VIEWS_OF_URLS {
        texts.language(Lang::Has(view));
        for text in ["", "https", "good.com", "/api", "q", "f", "::1", "1.2.3.4"] {
            for language in [Lang::Exactly(text.into()), Lang::StartsWith(text.into()), Lang::EndsWith(text.into())] {
                let inner = texts.language(language);
                texts.language(Lang::Part(view, inner));
            }
        }
        for id in addresses.clone().step_by(7) {
            texts.language(Lang::Part(view, LangId(id)));
        }
    }
    for net in [
        "0.0.0.0/0",
        "127.0.0.0/8",
        "10.0.0.0/24",
        "1.2.3.4/32",
        "::/0",
        "::1/128",
        "2001:db8::/32",
        "1:2:3::/48",
        "fe80::/10",
    ] {
        let inner = texts.language(Lang::InNet(IpNet::parse(net).expect("a net")));
        texts.language(Lang::Part(View::HostAddress, inner));
    }
    for address in ["1.2.3.4", "::1", "::", "1::2:0:0:0:3", "0:0:1::", "::ffff:1:7f00:1", "127.0.0.1", "1:0:0:2::3"] {
        let word = address_word(IpAddr::parse(address).expect("an address"));
        let inner = texts.language(Lang::Exactly(word.into()));
        texts.language(Lang::Part(View::HostAddress, inner));
    }
    for class in CLASSES {
        let inner = texts.language(Lang::Is(class));
        texts.language(Lang::Part(View::HostAddress, inner));
    }
    for port in [-1, 0, 1, 21, 22, 80, 81, 443, 444, 8080, 65535, 65536, i64::MAX] {
        texts.language(Lang::AtLeast(Measure::Port, port));
    }
    for domain in ["good.com", "GOOD.com", "com", "a", "", "1.2.3.4", "2.3.4", "::1", "xn--mnchen-3ya.de", "0x1f"] {
        texts.language(Lang::HostIn(domain.into()));
    }
    texts.language(Lang::HasCredentials);
    for base in [
        "https://a/",
        "https://a/api",
        "https://a/api/",
        "https://a:8080/api",
        "git://a",
        "git://a/api",
        "https://127.0.0.1/",
        "https://[::ffff:7f00:1]/api",
        "http://[::1]/",
        "https://a/%61pi",
        "https://a/a%2fb",
        "https://a/%",
        "https://a/%2",
        "https://u:p@a/?q#f",
        "https://a/%4",
        "https://a/a@b:c[d]",
    ] {
        let base = crate::data::url::Url::parse(base).expect("a URL");
        texts.language(Lang::UrlIn(base.as_str().into()));
    }
    check_all(Domain::Url, &mut texts, &odd_urls());
}

const CLASSES: [Class; 7] =
    [Class::Loopback, Class::Private, Class::LinkLocal, Class::Multicast, Class::Unspecified, Class::Global, Class::V6];

#[test]
fn languages_of_addresses_and_nets() {
    let nets = [
        "0.0.0.0/0",
        "10.0.0.0/8",
        "10.1.2.0/23",
        "1.2.3.4/32",
        "128.0.0.0/1",
        "::/0",
        "2001:db8::/32",
        "8000::/1",
        "::1/128",
    ];
    let nets = nets.map(|net| IpNet::parse(net).expect("a net"));
    let words = odd_addresses();
    let languages = nets.map(Lang::InNet).into_iter().chain(CLASSES.map(Lang::Is)).collect();
    check(Domain::Address, languages, &words);
    let mut dice = Dice(5);
    let mut words: Vec<String> = words.iter().map(|word| format!("{word}/{:02x}", dice.roll(0x81))).collect();
    for word in words.clone() {
        let Some(address) = address_of(word.split('/').next().unwrap_or("")) else { continue };
        for prefix in 0..=address.width() {
            let bits = address.bits() >> (address.width() - prefix).min(127) << (address.width() - prefix).min(127);
            if let Some(address) = IpAddr::from_parts(address.is_v6(), bits) {
                words.push(format!("{}/{prefix:02x}", address_word(address)));
            }
        }
    }
    check(Domain::Net, nets.map(Lang::NetIn).into_iter().collect(), &words);
    check_domain(Domain::Net, &words);
}

/// The automaton of a domain accepts just its words.
fn check_domain(domain: Domain, words: &[String]) {
    let mut catalogue = Catalogue::default();
    let automaton = catalogue.get(Spec::Domain(domain)).expect("domains have no patterns");
    let (mut yes, mut no) = (0, 0);
    for word in words {
        let expected = is_of(domain, word);
        *if expected { &mut yes } else { &mut no } += 1;
        assert_eq!(catalogue.automata.reads(automaton, word.as_bytes()), expected, "{word:?}");
    }
    assert!(yes > 50 && no > 50, "{domain:?}: {yes} and {no}");
}

#[test]
fn domains() {
    check_domain(Domain::Path, &odd_paths());
    let mut addresses = odd_addresses();
    addresses.extend(
        odd_addresses().iter().flat_map(|word| [format!("{word}0"), word[1..].to_owned(), word.to_uppercase() + "A"]),
    );
    addresses.extend(
        ["60000000000000000ffff7f0000017f00", "4", "6", "", "4000000zz", "600000000000000000000ffff7f000001"]
            .map(str::to_owned),
    );
    check_domain(Domain::Address, &addresses);
}

/// What `data::url` gives back is accepted; what else is, is refused for its host alone.
#[test]
fn the_domain_of_urls() {
    let mut catalogue = Catalogue::default();
    let automaton = catalogue.get(Spec::Domain(Domain::Url)).expect("domains have no patterns");
    let (mut yes, mut no) = (0, 0);
    for word in odd_urls() {
        let reads = catalogue.automata.reads(automaton, word.as_bytes());
        let normal = crate::data::url::Url::parse(&word).map(|url| url.as_str().to_owned());
        if let Ok(normal) = &normal {
            assert!(is_of(Domain::Url, normal), "{normal}");
            assert!(catalogue.automata.reads(automaton, normal.as_bytes()), "{normal}");
        }
        *if reads { &mut yes } else { &mut no } += 1;
        if reads && !is_of(Domain::Url, &word) {
            let host = find::host_text(&word).expect("what is read has a host");
            assert!(!is_of(Domain::Url, &format!("https://{host}/")), "{word:?} {normal:?}");
        }
    }
    assert!(yes > 200 && no > 500, "{yes} and {no}");
}

#[test]
fn well_formed_is_what_rust_takes() {
    let mut catalogue = Catalogue::default();
    let automaton = catalogue.get(Spec::Domain(Domain::Any(9))).expect("domains have no patterns");
    let bytes =
        [0, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef];
    let bytes: Vec<u8> = bytes.into_iter().chain([0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff]).collect();
    for one in 0..bytes.len().pow(4) {
        let word: Vec<u8> = (0..4).map(|place| bytes[one / bytes.len().pow(place) % bytes.len()]).collect();
        for length in [1, 2, 3, 4] {
            let word = &word[..length];
            assert_eq!(catalogue.automata.reads(automaton, word), std::str::from_utf8(word).is_ok(), "{word:x?}");
        }
    }
}

/// What the lemmas say is so of all words.
#[test]
fn lemmas_hold() {
    let mut texts = Texts::default();
    for language in plain_languages() {
        texts.language(language);
    }
    check_lemmas(&mut texts, Domain::Any(100), &odd_words());
    let mut texts = Texts::default();
    for base in ["/", "/a", "/a/b", "/ab", "/b", "/.a"] {
        texts.language(Lang::PathIn(base.into()));
        let inner = texts.language(Lang::StartsWith(base.trim_start_matches('/').into()));
        texts.language(Lang::Part(View::Name, inner));
        texts.language(Lang::Part(View::Extension, inner));
    }
    texts.language(Lang::Has(View::Extension));
    texts.language(Lang::Has(View::Parent));
    texts.language(Lang::AtLeast(Measure::Depth, 1));
    texts.language(Lang::AtLeast(Measure::Depth, 3));
    check_lemmas(&mut texts, Domain::Path, &odd_paths());
    let mut texts = Texts::default();
    for net in ["0.0.0.0/0", "10.0.0.0/8", "10.1.2.0/23", "128.0.0.0/1", "::/0", "2001:db8::/32", "8000::/1", "::1/128"]
    {
        texts.language(Lang::InNet(IpNet::parse(net).expect("a net")));
    }
    check_lemmas(&mut texts, Domain::Address, &odd_addresses());
}

fn check_lemmas(texts: &mut Texts, domain: Domain, words: &[String]) {
    let variable = texts.variable(domain);
    let languages: Vec<LangId> = (0..texts.languages.len() as u32).map(LangId).collect();
    let lemmas = texts.lemmas(variable, &languages);
    assert!(!lemmas.clauses.is_empty() && !lemmas.at_most_one.is_empty());
    let patterns = Patterns::of(texts);
    for word in words.iter().filter(|word| is_of(domain, word)) {
        let within: Vec<bool> = languages.iter().map(|id| patterns.holds(texts, *id, word)).collect();
        for clause in &lemmas.clauses {
            assert!(clause.iter().any(|(id, sign)| within[id.0 as usize] == *sign), "{word:?} {clause:?}");
            assert!(clause.iter().any(|(_, sign)| !sign), "a part that is missing lies in nothing: {clause:?}");
        }
        for group in &lemmas.at_most_one {
            let count = group.iter().filter(|id| within[id.0 as usize]).count();
            assert!(count <= 1, "{word:?} {:?}", group.iter().map(|id| texts.described(*id)).collect::<Vec<_>>());
        }
    }
}

/// A long list of constants, beginnings or blocks takes about as many clauses as it has members.
#[test]
fn lemmas_are_few() {
    let mut texts = Texts::default();
    let mut languages: Vec<LangId> = Vec::new();
    for number in 0..1000 {
        languages.push(texts.language(Lang::Exactly(format!("name{number}").into())));
        languages.push(texts.language(Lang::StartsWith(format!("dir{number}/").into())));
    }
    let variable = texts.variable(Domain::Any(100));
    languages.retain(|id| matches!(texts.described(*id), Lang::StartsWith(_)));
    let beginnings = texts.lemmas(variable, &languages);
    assert_eq!((beginnings.clauses.len(), beginnings.at_most_one.len()), (0, 1));
    let constants: Vec<LangId> = (0..2000).map(LangId).filter(|id| !languages.contains(id)).collect();
    let constants = texts.lemmas(variable, &constants);
    assert_eq!((constants.clauses.len(), constants.at_most_one[0].len()), (0, 1000));
}

#[test]
fn parts_of_words() {
    assert_eq!(part_of(View::HostAddress, "https://[::ffff:7f00:1]/").as_deref(), Some("47f000001"));
    assert_eq!(part_of(View::Query, "https://a/?").as_deref(), Some(""));
    assert_eq!(part_of(View::Query, "https://a/"), None);
}

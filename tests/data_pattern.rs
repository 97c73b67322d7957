//! Patterns: globs against a matcher that tries everything, regular expressions against a table.

use std::collections::BTreeSet;

use pdl::base::limits::{PATTERN_BYTES_MAX, PATTERN_DFA_BYTES_MAX};
use pdl::data::pattern::{Pattern, PatternError, glob_to_regex, regex_fault};
use proptest::prelude::*;

/// A glob as its documentation says it.
#[derive(Debug, Clone)]
enum Glob {
    Literal(char),
    Star,
    DoubleStar,
    One,
    Class { negated: bool, ranges: Vec<(char, char)> },
    Either(Vec<Vec<Glob>>),
}

/// Writes a glob. Whatever may need a backslash gets one.
fn write(globs: &[Glob], out: &mut String) {
    for (at, glob) in globs.iter().enumerate() {
        match glob {
            Glob::Literal(character) => {
                if "*?[]{},\\!-".contains(*character) {
                    out.push('\\');
                }
                out.push(*character);
            }
            // Two stars in a row would read as one token.
            Glob::Star | Glob::DoubleStar if at > 0 && matches!(globs[at - 1], Glob::Star | Glob::DoubleStar) => {}
            Glob::Star => out.push('*'),
            Glob::DoubleStar => out.push_str("**"),
            Glob::One => out.push('?'),
            Glob::Class { negated, ranges } => {
                out.push_str(if *negated { "[!" } else { "[" });
                for (low, high) in ranges {
                    for (mark, character) in [("", low), ("-", high)] {
                        out.push_str(mark);
                        if "[]\\!-^".contains(*character) {
                            out.push('\\');
                        }
                        out.push(*character);
                    }
                }
                out.push(']');
            }
            Glob::Either(alternatives) => {
                for (at, alternative) in alternatives.iter().enumerate() {
                    out.push(if at == 0 { '{' } else { ',' });
                    write(alternative, out);
                }
                out.push('}');
            }
        }
    }
}

/// Where a match that starts at one of `starts` may end.
fn ends(globs: &[Glob], text: &[char], starts: BTreeSet<usize>) -> BTreeSet<usize> {
    let mut positions = starts;
    for (at, glob) in globs.iter().enumerate() {
        let one = |accepts: &dyn Fn(char) -> bool, positions: &BTreeSet<usize>| {
            positions.iter().filter(|&&at| text.get(at).is_some_and(|&next| accepts(next))).map(|at| at + 1).collect()
        };
        let run = |accepts: &dyn Fn(char) -> bool, positions: &BTreeSet<usize>| {
            positions
                .iter()
                .flat_map(|&start| {
                    let length = text[start..].iter().take_while(|&&next| accepts(next)).count();
                    start..=start + length
                })
                .collect()
        };
        positions = match glob {
            Glob::Star | Glob::DoubleStar if at > 0 && matches!(globs[at - 1], Glob::Star | Glob::DoubleStar) => {
                positions
            }
            Glob::Literal(character) => one(&|next| next == *character, &positions),
            Glob::One => one(&|next| next != '/', &positions),
            Glob::Star => run(&|next| next != '/', &positions),
            Glob::DoubleStar => run(&|_| true, &positions),
            Glob::Class { negated, ranges } => {
                let inside = |next| ranges.iter().any(|&(low, high)| low <= next && next <= high);
                one(&|next| next != '/' && inside(next) != *negated, &positions)
            }
            Glob::Either(alternatives) => {
                alternatives.iter().flat_map(|alternative| ends(alternative, text, positions.clone())).collect()
            }
        };
    }
    positions
}

const ALPHABET: &[char] = &[
    'a', 'b', 'c', 'A', '/', '.', '-', '*', '?', '[', ']', '{', '}', ',', '\\', '!', '^', '&', '~', '#', '\n', 'é',
    '😀',
];

fn character() -> impl Strategy<Value = char> {
    prop_oneof![4 => prop::sample::select(&['a', 'b', '/'][..]), 1 => prop::sample::select(ALPHABET)]
}

fn class_range() -> impl Strategy<Value = (char, char)> {
    (character(), character())
        .prop_map(|(one, other)| (one.min(other), one.max(other)))
        .prop_filter("a class can't name the slash", |&(low, high)| low != '/' && high != '/')
}

fn glob() -> impl Strategy<Value = Vec<Glob>> {
    let leaf = prop_oneof![
        4 => character().prop_map(Glob::Literal),
        1 => Just(Glob::Star),
        1 => Just(Glob::DoubleStar),
        1 => Just(Glob::One),
        1 => (any::<bool>(), prop::collection::vec(class_range(), 1..3))
            .prop_map(|(negated, ranges)| Glob::Class { negated, ranges }),
    ];
    let token = leaf.prop_recursive(2, 12, 4, |token| {
        prop::collection::vec(prop::collection::vec(token, 0..3), 2..4).prop_map(Glob::Either)
    });
    prop::collection::vec(token, 0..5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn globs_match_what_their_documentation_says(
        glob in glob(),
        texts in prop::collection::vec(prop::collection::vec(character(), 0..6), 12),
    ) {
        let mut source = String::new();
        write(&glob, &mut source);
        let pattern = Pattern::glob(&source).map_err(|error| TestCaseError::fail(format!("{source}: {error}")))?;
        for text in texts {
            let expected = ends(&glob, &text, BTreeSet::from([0])).contains(&text.len());
            let text: String = text.into_iter().collect();
            prop_assert_eq!(pattern.is_match(&text), expected, "{:?} on {:?}", source, text);
        }
    }

    #[test]
    fn no_text_breaks_the_compiler(source in "[-a/*?!^,\\[\\]{}\\\\]{0,12}|[a(?)|\\[\\]{}*+\\\\sbw^$0-9&,-]{0,12}") {
        // What a glob translates to is always a regular expression.
        prop_assert_ne!(Pattern::glob(&source).err(), Some(PatternError::Regex));
        prop_assert_ne!(Pattern::glob(&source).err(), Some(PatternError::WordBoundary));
        let _ = Pattern::regex(&source);
        prop_assert_eq!(regex_fault(&source).is_some(), Pattern::regex(&source).err() == Some(PatternError::Regex));
    }
}

#[test]
fn globs() {
    for (source, matching, other) in [
        ("", &[""][..], &["a"][..]),
        ("*.rs", &["main.rs", ".rs"], &["src/main.rs", "main.rs ", "main.rsx", "main"]),
        ("**.rs", &["main.rs", "src/main.rs"], &["main.py"]),
        ("/srv/**/x", &["/srv/a/x", "/srv/a/b/x", "/srv//x"], &["/srv/x", "/srv/a/xy"]),
        ("release/*", &["release/1.0", "release/"], &["release/1.0/x", "release", "Release/1"]),
        ("v?.?", &["v1.0", "vé.😀"], &["v1", "v10.0", "v/.0"]),
        ("[a-c]x", &["ax", "cx"], &["dx", "x", "Ax", "-x"]),
        ("[!a-c]x", &["dx", "-x", "\nx"], &["ax", "/x", "x"]),
        ("[+-9]", &["+", "5", "."], &["/", "a"]),
        ("[a-zA-Z0-9_-]", &["a", "Z", "_", "-"], &["!", "ab"]),
        ("{dev,prod}-*", &["dev-1", "prod-"], &["dev", "stage-1", "dev,prod-1"]),
        ("a{,b{1,2}}", &["a", "ab1", "ab2"], &["ab", "a1", "ab12"]),
        (r"\*\{\}\[\]\\\?", &[r"*{}[]\?"], &["a"]),
        ("a.b+c(d)|^$#", &["a.b+c(d)|^$#"], &["aXb+c(d)|^$#", "a"]),
    ] {
        let pattern = Pattern::glob(source).unwrap();
        for text in matching {
            assert!(pattern.is_match(text), "{source:?} on {text:?}");
        }
        for text in other {
            assert!(!pattern.is_match(text), "{source:?} on {text:?}");
        }
    }
}

#[test]
fn regular_expressions() {
    for (source, matching, other) in [
        ("", &[""][..], &["a", "\n"][..]),
        ("a", &["a"], &["", "aa", "ba", "ab", "A", "a\n"]),
        ("a|ab", &["a", "ab"], &["b", "abb"]),
        ("ab|a", &["a", "ab"], &["aba"]),
        ("(a|ab)(c|bcd)", &["ac", "abc", "abcd", "abbcd"], &["a", "abcdc"]),
        ("a*?", &["", "a", "aaa"], &["b", "aab"]),
        ("(a*)*b", &["b", "aaab"], &["aaa", "ba"]),
        ("a{2,3}", &["aa", "aaa"], &["a", "aaaa"]),
        ("^a$", &["a"], &["a\n", "aa"]),
        (r"\Aa\z|b", &["a", "b"], &["ab"]),
        ("a^b", &[], &["ab", "a\nb"]),
        ("(?m)a$\n^b", &["a\nb"], &["a\nbb", "ab"]),
        ("(?m)a$", &["a"], &["a\n"]),
        (".*", &["", "abc", "é😀"], &["a\nb", "\n"]),
        ("(?s).*", &["", "a\nb"], &[]),
        (".", &["a", "é", "😀"], &["", "ab", "\n"]),
        (r"[^/]+", &["ab", "\n"], &["", "a/b"]),
        ("(?i)straße", &["STRAßE", "straße"], &["strasse"]),
        (r"\d+", &["123", "١٢"], &["", "12a"]),
        (r"(?-u:\d)+", &["123"], &["١٢"]),
        (r"\p{Greek}+", &["αβγ"], &["abc"]),
        ("[[:alpha:]]+", &["abc"], &["ab1"]),
        ("[a-z&&[^aeiou]]+", &["xyz"], &["abc"]),
        (r"(?-u:\b)a+(?-u:\b)", &["aaa"], &["aab"]),
        (r"a(?-u:\b)b", &[], &["ab"]),
        (r"a(?-u:\b)-b", &["a-b"], &["ab"]),
        (r"(?x) a b # a comment", &["ab"], &["a b", "ab # a comment"]),
        (r"[0-9a-f]{7,40}", &["4f2bd8f", "0123456789abcdef0123456789abcdef01234567"], &["4f2bd8", "4F2BD8F"]),
        (
            r"release/v[0-9]+(\.[0-9]+)*",
            &["release/v1", "release/v1.2.3"],
            &["release/v", "release/v1.", "xrelease/v1"],
        ),
        (r"\x{1F600}|\u{e9}", &["😀", "é"], &["e"]),
    ] {
        let pattern = Pattern::regex(source).unwrap_or_else(|error| panic!("{source}: {error}"));
        for text in matching {
            assert!(pattern.is_match(text), "{source:?} on {text:?}");
        }
        for text in other {
            assert!(!pattern.is_match(text), "{source:?} on {text:?}");
        }
    }
}

#[test]
fn refused_regular_expressions() {
    for (error, sources) in [
        (
            PatternError::Regex,
            &["(", ")", "a)", "[", "[]", "*", "a**+?{", "a{2,1}", r"\", "(?P<n>", r"\q", "(?z)", "[z-a]"][..],
        ),
        (
            PatternError::Regex,
            &["(?=a)", "(?!a)", "(?<=a)b", "(?<!a)b", r"(a)\1", r"\p{Klingon}", r"(?-u:\xff)", "(?-u:.)"],
        ),
        (PatternError::WordBoundary, &[r"\ba", r"\Ba", r"a\b{end}"]),
        (PatternError::TooLarge, &[r"\w{100}", "a{100000}", "((a{100}){100}){100}", r"(?:[a-z]*x[a-z]{18})"]),
    ] {
        for source in sources {
            assert_eq!(Pattern::regex(source).err(), Some(error), "{source}");
        }
    }
    assert_eq!(Pattern::regex(&"a".repeat(PATTERN_BYTES_MAX + 1)).err(), Some(PatternError::TooLong));
    assert_eq!(Pattern::regex(&"(".repeat(PATTERN_BYTES_MAX)).err(), Some(PatternError::Regex));
    assert_eq!(regex_fault("a(b").as_deref(), Some("unclosed group"));
    assert_eq!(regex_fault("a\n(b").as_deref(), Some("unclosed group"));
    assert_eq!(regex_fault("[z-a]").as_deref(), Some("invalid character class range, the start must be <= the end"));
    assert_eq!(regex_fault("a"), None);
}

#[test]
fn sizes() {
    for source in ["a", r"\w+@\w+\.com", r"\d{4}-\d{2}-\d{2}", "[a-z]{50}", r"(?s).*(rm|mv) -rf .*"] {
        let size = Pattern::regex(source).unwrap().size_bytes();
        assert!(size <= PATTERN_DFA_BYTES_MAX, "{source}: {size}");
    }
    let long = "{a,b}".repeat(PATTERN_BYTES_MAX / 8);
    assert!(glob_to_regex(&long).is_ok() && Pattern::glob(&long).is_ok());
}

//! Sources laid out at random, and heaps of tokens that are no sources.

use proptest::prelude::*;

use super::{ILLUSTRATION, assert_short_lists, format, read};

const EVERYTHING: &str = include_str!("../cases/syntax/format/everything.pdl");

/// The words and signs of a text, a string with its tag as one, without comments; `///` lines stay whole.
fn words(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = if c.is_whitespace() {
            rest = &rest[c.len_utf8()..];
            continue;
        } else if rest.starts_with("//") {
            let end = rest.find('\n').unwrap_or(rest.len());
            if rest.starts_with("///") {
                out.push(format!("{}\n", &rest[..end]));
            }
            rest = &rest[end..];
            continue;
        } else if c.is_alphanumeric() || c == '_' || c == '"' {
            let word = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
            let is_decimal = c.is_ascii_digit() && rest[word..].starts_with('.') && !rest[word..].starts_with("..");
            if rest[word..].starts_with('"') {
                word + 2 + rest[word + 1..].find('"').unwrap_or(0)
            } else if is_decimal {
                word + 1 + rest[word + 1..].find(|c: char| !c.is_ascii_digit()).unwrap_or(0)
            } else {
                word
            }
        } else {
            let signs = ["..=", "..", "->", "=>", "==", "!=", "<=", ">=", "::", "??"];
            signs.iter().find(|sign| rest.starts_with(**sign)).map_or(c.len_utf8(), |sign| sign.len())
        };
        out.push(rest[..length].to_owned());
        rest = &rest[length..];
    }
    out
}

/// A text with other white space and other comments between its words.
fn laid_out(words: &[String], gaps: &[u8]) -> String {
    let mut out = String::new();
    for (at, word) in words.iter().enumerate() {
        out.push_str(word);
        match gaps[at % gaps.len()] {
            0..=150 => out.push(' '),
            151..=170 => out.push('\n'),
            171..=180 => out.push_str("\n\n\n"),
            181..=190 => out.push_str("\n    "),
            191..=196 => out.push_str(&format!(" // behind {at}\n")),
            197..=202 => out.push_str(&format!("\n  // alone {at}\n")),
            203..=205 => out.push_str(&format!("\n\n// apart {at}\n\n// and {at}\n")),
            _ => out.push_str("  "),
        }
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn formatting_keeps_everything(gaps in prop::collection::vec(any::<u8>(), 50..400), whole in any::<bool>()) {
        let words = words(if whole { EVERYTHING } else { ILLUSTRATION });
        format::check(&laid_out(&words, &gaps));
    }

    #[test]
    fn heaps_of_tokens_are_read(picks in prop::collection::vec(any::<prop::sample::Index>(), 0..200), gaps in prop::collection::vec(any::<u8>(), 1..50)) {
        let words = words(EVERYTHING);
        let heap: Vec<String> = picks.iter().map(|pick| words[pick.index(words.len())].clone()).collect();
        assert_short_lists(&read("heap.pdl", &laid_out(&heap, &gaps)).1);
    }

    #[test]
    fn any_text_is_read(text in "\\PC{0,200}|[ -~\\n\\t]{0,200}|[\\x00-\\x7f\u{202e}\u{2066}\u{feff}а-яα-ω“”（）]{0,200}") {
        let _ = read("any.pdl", &text);
    }

    #[test]
    fn mutilated_sources_are_read(from in 0usize..4000, length in 0usize..60, insert in "[ -~\\n]{0,8}") {
        let snap = |at: usize| (0..=at.min(EVERYTHING.len())).rev().find(|&at| EVERYTHING.is_char_boundary(at)).unwrap_or(0);
        let (start, end) = (snap(from), snap(from + length));
        let text = format!("{}{insert}{}", &EVERYTHING[..start], &EVERYTHING[end..]);
        assert_short_lists(&read("cut.pdl", &text).1);
        if let Ok(written) = pdl::syntax::format::format(&text) {
            prop_assert_eq!(pdl::syntax::format::format(&written).ok(), Some(written));
        }
    }
}

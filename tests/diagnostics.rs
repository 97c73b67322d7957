//! How diagnostics look in every form, on invented faults, and that no form panics on any span or text.

use pdl::base::span::{FileId, SourceMap, Span};
use pdl::diagnostic::render::{self, Style};
use pdl::diagnostic::{Code, Counts, Diagnostic, compact, github, gitlab, json, sarif};
use proptest::prelude::*;

const RELEASE: &str = r#"module acme.release

enum Environment { production, staging }

entity Agent { level: Int in 0..=10 }

policy release on deploy {
    allow licensed
        when    subject.level >= 3 and
                resource.enviroment == production

    deny newcomers
        when    subject.level < "3"
        because "naïve 日本語 🎉 {subject}"
}
"#;

const GUARDRAILS: &str = "module acme.guardrails\n\npolicy release on deploy {\n\tdeny all\n}\n";

/// The span of the `nth` occurrence of a text, from 0.
fn find(sources: &SourceMap, file: FileId, text: &str, nth: usize) -> Span {
    let (start, _) = sources.file(file).text.match_indices(text).nth(nth).expect("the text occurs in the source");
    Span::new(file, start as u32, (start + text.len()) as u32)
}

/// Faults of every shape: one label, two in a line, over several lines, over two files, at the end of a file.
fn gallery() -> (SourceMap, Vec<Diagnostic>) {
    let mut sources = SourceMap::default();
    let release = sources.add("release.pdl", RELEASE);
    let guardrails = sources.add("shared/guardrails.pdl", GUARDRAILS);
    let empty = sources.add("empty.pdl", "");
    let wide = sources.add("generated.pdl", &format!("table t {{ {}\u{202e}x => 1, }}\n", "a | ".repeat(200)));
    let unclosed = sources.add("unclosed.pdl", "module m\n\nconst name = \"never closed\n");
    let at = |text, nth| find(&sources, release, text, nth);
    let list = vec![
        Diagnostic::error(Code::UnexpectedToken, at("enviroment", 0), "entity `Service` has no attribute `enviroment`")
            .label("unknown attribute")
            .secondary(at("Environment", 0), "the type of the attribute that was perhaps meant")
            .help("did you mean `environment`?")
            .fix(at("enviroment", 0), "environment"),
        Diagnostic::error(Code::BadNumber, at("\"3\"", 0), "`Int` can't be compared with `String`")
            .label("this is a `String`")
            .secondary(at("subject.level", 1), "this is an `Int`")
            .help("write `3` without quotes"),
        Diagnostic::error(
            Code::NestingTooDeep,
            at("subject.level >= 3 and\n                resource.enviroment == production", 0),
            "this condition can never hold",
        )
        .label("never true"),
        Diagnostic::warning(Code::StrayCharacter, at("日本語", 0), "a text that not everyone can read")
            .label("in a message"),
        Diagnostic::error(
            Code::ReservedWord,
            find(&sources, guardrails, "release", 0),
            "there are two policies of the name `release`",
        )
        .label("the second")
        .secondary(at("release", 1), "the first is here")
        .help("give one of them another name"),
        Diagnostic::error(Code::StrayCharacter, find(&sources, guardrails, "all", 0), "after a tab"),
        Diagnostic::error(Code::UnexpectedEnd, Span::new(empty, 0, 0), "the file is empty")
            .label("a module starts with `module name`"),
        Diagnostic::error(
            Code::BidiControl,
            find(&sources, wide, "\u{202e}", 0),
            "the character U+202E reorders the text around it",
        )
        .label("remove it"),
        Diagnostic::error(
            Code::UnterminatedString,
            find(&sources, unclosed, "\"never closed", 0),
            "this string is not closed",
        )
        .label("it starts here")
        .help("end it with `\"`"),
        Diagnostic::error(Code::UnexpectedEnd, Span::new(unclosed, 37, 37), "the file ends before the policy does"),
        Diagnostic::note(Code::MoreFaults, Span::new(unclosed, 37, 37), "7 more faults not shown"),
    ];
    (sources, list)
}

#[test]
fn human() {
    let (sources, list) = gallery();
    insta::assert_snapshot!("human", render::render(&sources, &list, Style::PLAIN));
    insta::assert_snapshot!("human_ascii", render::render(&sources, &list, Style::ASCII));
}

#[test]
fn compact_form() {
    let (sources, list) = gallery();
    insta::assert_snapshot!("compact", compact::render(&sources, &list));
}

#[test]
fn json_form() {
    let (sources, list) = gallery();
    insta::assert_snapshot!("json", json::render(&sources, &list[..2], Counts::of(&list)));
    let document: serde_json::Value =
        serde_json::from_str(&json::render(&sources, &list, Counts::of(&list))).expect("JSON");
    assert_eq!(document["diagnostics"].as_array().map(Vec::len), Some(list.len()));
    assert_eq!(document["errors"], 9);
    assert_eq!(document["warnings"], 1);
}

#[test]
fn sarif_form() {
    let (sources, list) = gallery();
    let mut log: serde_json::Value = serde_json::from_str(&sarif::render(&sources, &list)).expect("JSON");
    let driver = &mut log["runs"][0]["tool"]["driver"];
    let rules = driver["rules"].as_array_mut().expect("rules");
    assert_eq!(rules.len(), Code::ALL.len());
    // The table grows and the version moves: neither is what this snapshot is about.
    rules.truncate(1);
    driver["version"] = "0".into();
    driver["semanticVersion"] = "0".into();
    let results = log["runs"][0]["results"].as_array_mut().expect("results");
    assert_eq!(results.len(), list.len() - 1, "the note about the run is no result");
    for result in results.iter_mut() {
        let index = result["ruleIndex"].as_u64().expect("an index") as usize;
        assert_eq!(result["ruleId"], Code::ALL[index].id());
        result["ruleIndex"] = 0.into();
    }
    results.truncate(2);
    insta::assert_snapshot!("sarif", format!("{log:#}"));
}

#[test]
fn github_form() {
    let (sources, list) = gallery();
    insta::assert_snapshot!("github", github::render(&sources, &list));
    let mut odd = SourceMap::default();
    let file = odd.add("a,b:c%.pdl", "x\ny\n");
    let found = Diagnostic::error(Code::StrayCharacter, Span::new(file, 0, 3), "100% of\n::error::it").help("no");
    assert_eq!(
        github::render(&odd, &[found]),
        "::error file=a%2Cb%3Ac%25.pdl,line=1,endLine=2,title=E0104%3A a character that means nothing::100%25 of\u{240a}::error::it%0Ahelp: no\n",
    );
}

#[test]
fn colour_is_the_callers_choice() {
    let (sources, list) = gallery();
    assert!(!render::render(&sources, &list, Style::PLAIN).contains('\x1b'));
    assert!(
        render::render(&sources, &list, Style { color: true, ascii: false }).contains("\x1b[1;31merror[E0201]:\x1b[0m")
    );
}

#[test]
fn summary() {
    let counts = |errors, warnings| render::summary(Counts { errors, warnings, notes: 3 });
    assert_eq!(counts(2, 1), "2 errors, 1 warning");
    assert_eq!(counts(0, 2), "2 warnings");
    assert_eq!(counts(1, 0), "1 error");
    assert_eq!(counts(0, 0), "no faults");
}

/// Pieces that texts are made of: wide, combining, invisible and control characters, every kind of line end.
fn text() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "a",
        " ",
        "\t",
        "\n",
        "\r",
        "\u{b}",
        "\u{c}",
        "\u{85}",
        "\u{2028}",
        "\u{2029}",
        "日本",
        "é",
        "e\u{301}",
        "🎉",
        "👩‍👩‍👧",
        "\u{202e}",
        "\u{200b}",
        "\0",
        "\x1b[31m",
        "\u{feff}",
        "abc def ghi",
        "\n\n\n\n\n\n\n\n\n\n",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]
    #[test]
    fn no_span_and_no_text_panics(
        texts in prop::collection::vec((text(), 1..400usize), 1..4),
        spans in prop::collection::vec((0..4usize, 0..200u32, 0..90u32), 1..7),
        message in text(),
    ) {
        let mut sources = SourceMap::default();
        for (at, (text, times)) in texts.iter().enumerate() {
            // One file in three is long, so that over-long lines and spans occur.
            let times = if at == 2 { *times } else { 1 };
            sources.add(format!("f{at}.pdl"), &text.repeat(times));
        }
        let mut labels = spans.iter().map(|&(file, start, length)| {
            let file = file % texts.len();
            let length = if file == 2 { length * 300 } else { length };
            Span::new(FileId(file as u32), start, start + length)
        });
        let primary = labels.next().expect("there is at least one span");
        let mut diagnostic = Diagnostic::error(Code::StrayCharacter, primary, message.clone()).label("here").help(message.clone());
        for span in labels {
            diagnostic = diagnostic.secondary(span, if span.start % 3 == 0 { String::new() } else { message.clone() });
        }
        let diagnostic = diagnostic.fix(primary, message);
        let list = [diagnostic];
        for style in [Style::PLAIN, Style::ASCII, Style { color: true, ascii: false }] {
            let shown = render::render(&sources, &list, style);
            prop_assert!(style.color || shown.chars().all(|c| c == '\n' || c != '\u{202e}' && !c.is_control()), "{shown:?}");
            // Each label has its place shown: nothing vanishes silently.
            prop_assert!(shown.contains("here"), "{shown}");
        }
        prop_assert!(compact::render(&sources, &list).starts_with("E0104 f"));
        prop_assert_eq!(github::render(&sources, &list).lines().count(), 1);
        prop_assert!(gitlab::render(&sources, &list).contains("\"begin\": "));
        for document in [json::render(&sources, &list, Counts::of(&list)), sarif::render(&sources, &list)] {
            prop_assert!(serde_json::from_str::<serde_json::Value>(&document).is_ok());
        }
    }
}

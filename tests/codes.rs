//! The table of codes, the pages that explain them and the cases that show them agree.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use pdl::diagnostic::{Code, explain};

/// Codes of which the fault can't be put on a page as a program.
const WITHOUT_PROGRAM: &[Code] = &[
    Code::NotUtf8,
    Code::FileTooLarge,
    Code::DuplicateModule,
    Code::MissingArgument,
    Code::ForeignParameter,
    Code::DuplicateArgument,
    Code::TooManyInstances,
    Code::BadManifest,
    Code::BadDependency,
    Code::TooLargeToCompile,
    Code::TooEntangled,
    Code::TestFailed,
    Code::MutantSurvived,
    Code::StaleExplanation,
    Code::MoreFaults,
    Code::ClaimRefuted,
    Code::Widened,
    Code::MeansUndecided,
    Code::NeverMatches,
    Code::NeverWorks,
    Code::MayFail,
    Code::NobodyAsked,
    Code::AnswerChanged,
    Code::GuardAtWork,
];

/// A program on a page, as its fence begins: ` ```pdl,wrong ` or ` ```pdl `.
pub struct Program {
    pub is_wrong: bool,
    pub text: String,
}

/// The programs on a page, in order.
pub fn programs(page: &str) -> Vec<Program> {
    let mut programs = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(language) = line.strip_prefix("```") else { continue };
        let text: String =
            lines.by_ref().take_while(|line| !line.starts_with("```")).flat_map(|line| [line, "\n"]).collect();
        match language {
            "pdl,wrong" => programs.push(Program { is_wrong: true, text }),
            "pdl" => programs.push(Program { is_wrong: false, text }),
            _ => {}
        }
    }
    programs
}

#[test]
fn every_code_has_a_page_and_every_page_a_code() {
    let codes: BTreeSet<&str> = Code::ALL.iter().map(|code| code.id()).collect();
    let pages: BTreeSet<&str> = explain::pages().collect();
    let without_page: Vec<_> = codes.difference(&pages).collect();
    let without_code: Vec<_> = pages.difference(&codes).collect();
    assert!(without_page.is_empty(), "codes without a page in docs/errors: {without_page:?}");
    assert!(without_code.is_empty(), "pages in docs/errors without a code: {without_code:?}");
}

#[test]
fn pages_have_their_form() {
    for &code in Code::ALL {
        let Some(page) = explain::page(code) else { continue };
        let title = format!("# {code}: {}", code.title());
        assert_eq!(page.lines().next(), Some(title.as_str()), "docs/errors/{code}.md begins with its title");
        let programs = programs(page);
        let expected = !WITHOUT_PROGRAM.contains(&code);
        assert_eq!(
            programs.iter().any(|program| program.is_wrong),
            expected,
            "docs/errors/{code}.md has a wrong program"
        );
        assert_eq!(
            programs.iter().any(|program| !program.is_wrong),
            expected,
            "docs/errors/{code}.md has a right program"
        );
        assert!(
            programs.iter().all(|program| !program.text.trim().is_empty()),
            "docs/errors/{code}.md has no empty program"
        );
        assert!(
            page.lines().filter(|line| line.starts_with("```")).count() % 2 == 0,
            "docs/errors/{code}.md closes its fences"
        );
        let shown = explain::text(code);
        assert!(!shown.contains("```"), "no fences on a terminal");
        assert!(
            shown.chars().all(|c| c == '\n' || c != '\u{202e}' && !c.is_control()),
            "no control characters on a terminal"
        );
    }
}

/// Cases are named by the code they show, perhaps with more after it: `E0203-types.pdl`.
#[test]
fn cases_show_codes_that_exist() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/check");
    let Ok(entries) = fs::read_dir(folder) else { return };
    let unknown: BTreeSet<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| {
            name.len() > 5 && name.starts_with(['E', 'W']) && name[1..5].bytes().all(|byte| byte.is_ascii_digit())
        })
        .filter(|name| Code::parse(&name[..5]).is_none())
        .collect();
    assert!(unknown.is_empty(), "cases in tests/cases/check of codes that do not exist: {unknown:?}");
}

/// What can be put on a page is shown by a case too.
#[test]
fn every_code_has_a_case() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/check");
    let entries = fs::read_dir(folder).expect("the folder of cases can be listed");
    let cases: BTreeSet<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| name.get(..5).map(str::to_owned))
        .collect();
    let wanted = Code::ALL.iter().filter(|code| !WITHOUT_PROGRAM.contains(code));
    let missing: Vec<&Code> = wanted.filter(|code| !cases.contains(code.id())).collect();
    assert!(missing.is_empty(), "codes without a case in tests/cases/check: {missing:?}");
}

#[test]
fn explain_on_a_terminal() {
    insta::assert_snapshot!(explain::text(Code::BadEscape));
}

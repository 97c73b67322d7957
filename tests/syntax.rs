//! Text to tree and back: faults and what is kept behind them, the formatter, and input that nobody would write.

use pdl::base::span::SourceMap;
use pdl::diagnostic::{Diagnostics, compact};
use pdl::syntax::{ast, parse};

mod format;
mod random;
mod robust;
mod tree;

/// The tree of a text and its faults in the compact form.
pub fn read(name: &str, text: &str) -> (ast::File, String) {
    let mut sources = SourceMap::default();
    let file = sources.add(name, text);
    let mut diagnostics = Diagnostics::default();
    let tree = parse::parse(file, &sources.file(file).text, &mut diagnostics);
    (tree, compact::render(&sources, &diagnostics.finish()))
}

/// Messages name at most five things that were expected, in words: no symbols of the grammar.
pub fn assert_short_lists(faults: &str) {
    for line in faults.lines() {
        let Some((_, list)) = line.split_once(" expected ") else { continue };
        let ends = [", found ", ", but the file ends", " before ", " here"];
        let end = ends.iter().filter_map(|end| list.rfind(end)).min().unwrap_or(list.len());
        let list = list[..end].replace("`,`", "a comma");
        assert!(list.split(", ").flat_map(|part| part.split(" or ")).count() <= 5, "{line}");
        // Every second piece between backticks is of the language.
        let ours: String = list.split('`').step_by(2).collect();
        assert!(!ours.contains(|c: char| c.is_uppercase() || c == '"'), "{line}");
    }
}

pub const ILLUSTRATION: &str = include_str!("cases/syntax/illustration.pdl");

#[test]
fn the_illustration_has_no_faults() {
    assert_eq!(read("illustration.pdl", ILLUSTRATION).1, "");
}

/// Each file: its faults, and what is kept of it.
#[test]
fn faults_and_what_is_kept() {
    insta::glob!("cases/syntax/faults/*.pdl", |path| {
        let text = std::fs::read_to_string(path).expect("the case is readable");
        let name = path.file_name().expect("a case has a name").to_string_lossy();
        let (file, faults) = read(&name, &text);
        assert_short_lists(&faults);
        let kept = tree::outline(&file);
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(format!("{text}\n---- faults\n{faults}\n---- kept\n{kept}"));
        });
    });
}

/// Codes that the parser reports; others of their ranges are about what literals say, or about whole files.
const SYNTAX_CODES: &[&str] = &[
    "E0101", "E0102", "E0103", "E0104", "E0105", "E0106", "E0107", "E0111", "E0112", "E0119", "E0201", "E0202",
    "E0203", "E0204", "E0205", "E0206",
];

/// The case and the page of each code: the wrong program has that fault alone, the right one none.
#[test]
fn each_code_has_a_program() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    for code in SYNTAX_CODES {
        let case = std::fs::read_to_string(root.join(format!("tests/cases/check/{code}.pdl")));
        let page = std::fs::read_to_string(root.join(format!("docs/errors/{code}.md"))).expect("the code has a page");
        let programs = crate::codes::programs(&page);
        let wrong = programs.iter().filter(|program| program.is_wrong).map(|program| program.text.clone());
        for text in case.into_iter().chain(wrong) {
            let (_, faults) = read("wrong.pdl", &text);
            let all: Vec<&str> = faults.lines().filter(|line| !line.starts_with(' ')).collect();
            assert!(all.len() == 1 && all[0].starts_with(code), "{code}:\n{text}\n{faults}");
        }
        for program in programs.iter().filter(|program| !program.is_wrong) {
            assert_eq!(read("right.pdl", &program.text).1, "", "{code}:\n{}", program.text);
        }
    }
}

#[test]
fn bytes_that_are_no_text() {
    let check = |bytes: &[u8]| {
        let mut sources = SourceMap::default();
        let mut diagnostics = Diagnostics::default();
        let tree = parse::parse_bytes(&mut sources, "a.pdl", bytes, &mut diagnostics);
        (tree.items.len(), compact::render(&sources, &diagnostics.finish()))
    };
    assert_eq!(check(b"\xef\xbb\xbfentity A\r\nentity B\r\n"), (2, String::new()));
    let (items, faults) = check(b"entity A\nentity \xff");
    assert!(items == 0 && faults.starts_with("E0108 a.pdl:2:8"), "{faults}");
    let (items, faults) = check(&vec![b' '; pdl::base::limits::SOURCE_BYTES_MAX + 1]);
    assert!(items == 0 && faults.starts_with("E0109"), "{faults}");
    let (_, faults) = check(&vec![0; 1 << 20]);
    assert_eq!(faults.lines().filter(|line| !line.starts_with(' ')).count(), 1, "{faults}");
}

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
        let kept = tree::outline(&file);
        insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(format!("{text}\n---- faults\n{faults}\n---- kept\n{kept}"));
        });
    });
}

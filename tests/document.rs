//! Pages about policies: what they look like, that their links lead somewhere, that layout changes nothing, and that
//! those in the tree are up to date.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use pdl::base::span::SourceMap;
use pdl::diagnostic::Diagnostics;
use pdl::document::library::{Library, Module};
use pdl::document::page::{self, Page};
use pdl::document::region::{self, Fault};
use pdl::syntax::{format, parse};
use pdl::types::stdlib;

use crate::check::{package, sources_of};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The modules of a case, all of them its own but those of `dependency.pdl`.
fn library(files: &[(String, String)]) -> Library {
    let mut sink = Diagnostics::default();
    let mut package = package(files, &mut sink);
    assert!(pdl::types::check(&package, &mut sink).is_some(), "the case is sound: {:#?}", sink.finish());
    package.modules.iter_mut().for_each(|module| module.own = &*module.name != "acme.other");
    Library::of(&package)
}

fn own_pages(library: &Library) -> Vec<Page> {
    let count = library.modules.len();
    let own: Vec<usize> = (0..count).filter(|&at| library.modules[at].own).collect();
    page::pages(library, &own)
}

#[test]
fn a_page_of_everything() {
    let library = library(&sources_of(&root().join("tests/cases/document/everything")));
    let mut pages = own_pages(&library);
    let count = library.modules.len();
    let own: Vec<usize> = (0..count).filter(|&at| library.modules[at].own).collect();
    pages.push(page::index("everything 1.0.0", &library, &own));
    let text: String = pages.iter().map(|page| format!("<<<< {}\n{}", page.file, page.text)).collect();
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false, snapshot_path => "cases/document" }, {
        insta::assert_snapshot!("everything", text);
    });
    assert_links(&pages);
}

/// The anchors that a page has.
fn anchors(page: &str) -> BTreeSet<String> {
    let headings = page.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    headings
        .map(|title| {
            let kept = title.to_lowercase();
            let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

/// Each link that we make leads to a page that is there, and to a heading there.
fn assert_links(pages: &[Page]) {
    for from in pages {
        for (at, _) in from.text.match_indices("`](") {
            let rest = &from.text[at + 3..];
            let target = &rest[..rest.find(')').expect("a link ends")];
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let file = if file.is_empty() { &from.file } else { file };
            let to = pages.iter().find(|page| page.file == file);
            let to = to.unwrap_or_else(|| panic!("{}: there is no page `{target}`", from.file));
            assert!(anchor.is_empty() || anchors(&to.text).contains(anchor), "{}: `{target}`", from.file);
        }
    }
}

/// Each table of a page has as many cells in every row as in its head.
fn assert_tables(page: &Page) {
    let cells = |line: &str| line.replace("\\|", "").matches('|').count();
    let mut head = None;
    for line in page.text.lines() {
        if !line.starts_with('|') {
            head = None;
            continue;
        }
        let expected = *head.get_or_insert_with(|| cells(line));
        assert_eq!(cells(line), expected, "{}: {line}", page.file);
    }
}

/// All sources of a folder and those below it.
fn sources_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder can be listed") {
        let path = entry.expect("a folder can be listed").path();
        if path.is_dir() {
            sources_below(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "pdl") {
            found.push(path);
        }
    }
    found.sort();
}

/// One module by itself, as it stands.
fn alone(text: &str) -> Library {
    let mut sources = SourceMap::default();
    let file = sources.add("alone.pdl", text);
    let text = sources.file(file).text.clone();
    let tree = parse::parse(file, &text, &mut Diagnostics::default());
    Library { modules: vec![Module { name: "alone".into(), own: true, text, file: tree }] }
}

/// A module may be called as the index is; nothing is lost.
#[test]
fn no_page_is_the_index() {
    let mut library = alone("enum Kind { a }\n");
    library.modules[0].name = "Readme".into();
    assert_eq!(own_pages(&library)[0].file, "Readme-module.md");
}

/// Whatever can be read can be written about, and says the same in whichever layout.
#[test]
fn layout_changes_no_page() {
    let mut paths = Vec::new();
    for folder in ["examples", "stdlib", "tests/cases/accept", "tests/cases/syntax/format", "tests/cases/document"] {
        sources_below(&root().join(folder), &mut paths);
    }
    assert!(paths.len() > 20, "there are sources");
    for path in paths {
        let text = fs::read_to_string(&path).expect("a source is UTF-8");
        let Ok(formatted) = format::format(&text) else { continue };
        let pages = own_pages(&alone(&text));
        assert_eq!(pages, own_pages(&alone(&formatted)), "{}", path.display());
        assert_links(&pages);
        pages.iter().for_each(assert_tables);
    }
}

/// Faults leave nodes behind that nobody can write about; nothing comes to harm of them.
#[test]
fn broken_sources_are_survived() {
    let text = fs::read_to_string(root().join("tests/cases/document/everything/gate.pdl")).expect("the case is there");
    for end in (0..text.len()).step_by(7).filter(|&end| text.is_char_boundary(end)) {
        own_pages(&alone(&text[..end]));
        own_pages(&alone(&text[end..]));
    }
}

#[test]
fn regions_are_filled() {
    let library = library(&sources_of(&root().join("tests/cases/document/everything")));
    let page = fs::read_to_string(root().join("tests/cases/document/regions.md")).expect("the case is there");
    let filled = region::fill(&library, &page).expect("the page is sound");
    assert!(filled.regions.iter().all(|region| region.changed), "{:?}", filled.regions);
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false, snapshot_path => "cases/document" }, {
        insta::assert_snapshot!("regions", filled.text);
    });
    let again = region::fill(&library, &filled.text).expect("it stays sound");
    assert_eq!(again.text, filled.text);
    assert!(again.regions.iter().all(|region| !region.changed), "{:?}", again.regions);
}

#[test]
fn faults_of_regions_have_lines() {
    let library = library(&sources_of(&root().join("tests/cases/document/everything")));
    let faults = |page: &str| {
        let faults = region::fill(&library, page).expect_err("the page is faulty");
        let one = |Fault { line, message, help }: Fault| format!("{line}: {message} ({})", help.unwrap_or_default());
        faults.into_iter().map(one).collect::<Vec<_>>().join("\n")
    };
    for (page, expected) in [
        (
            "Text.\n",
            "1: no region is here to be filled (write `<!-- pdl: table a.module.a_table -->` and `<!-- pdl: end -->` \
             around where it belongs)",
        ),
        (
            "\n<!-- pdl: table acme.gate.minutes -->\n",
            "2: the region `table acme.gate.minutes` is not ended (write `<!-- pdl: end -->` where it ends)",
        ),
        (
            "<!-- pdl: enum acme.model.Size -->\n<!-- pdl: enum acme.model.Kind -->\n<!-- pdl: end -->\n",
            "1: the region `enum acme.model.Size` is not ended (write `<!-- pdl: end -->` where it ends)",
        ),
        ("<!-- pdl: end -->\n", "1: this ends no region ()"),
        (
            "<!-- pdl: table acme.gate.minute -->\n<!-- pdl: end -->\n<!-- pdl: tabel acme.gate.minutes -->\n\
             <!-- pdl: end -->\n<!-- pdl: table acme.gates.minutes -->\n<!-- pdl: end -->\n",
            "1: the module `acme.gate` has no table `minute` (did you mean `minutes`?)\n\
             3: there is no region of a `tabel` (did you mean `table`?)\n\
             5: there is no module `acme.gates` (did you mean `acme.gate`?)",
        ),
        (
            "<!-- pdl: rules acme.model -->\n<!-- pdl: end -->\n<!-- pdl: parameters -->\n<!-- pdl: end -->\n",
            "1: the module `acme.model` has no rules ()\n\
             3: `parameters` names nothing (write what it is and its name, as in `table std.scopes.cost_estimate`)",
        ),
        (
            "<!-- pdl: about acme.other -->\n<!-- pdl: end -->\n<!-- pdl: about acme.model \"not so\" -->\n\
             <!-- pdl: end -->\n",
            "1: nothing is said above the module `acme.other` ()\n\
             3: nothing that is said above the module `acme.model` has the words \"not so\" ()",
        ),
        (
            "<!-- pdl: fn acme.gate.twice -->\n<!-- pdl: end -->\n",
            "1: there is no region of a `fn` (it is one of about, action, claims, constants, entities, entity, enum, function, group, \
             invariant, invariants, lifecycle, obligation, parameters, policy, record, rules, table)",
        ),
    ] {
        assert_eq!(faults(page), expected, "{page}");
    }
}

/// The pages of the tree that come from the standard library. `PDL_BLESS=1` writes them anew.
#[test]
fn pages_of_the_tree_are_up_to_date() {
    let library = Library::standard();
    let count = library.modules.len();
    let all: Vec<usize> = (0..count).collect();
    let mut pages = page::pages(&library, &all);
    pages.push(page::index("The standard library", &library, &all));
    let mut expected: BTreeMap<PathBuf, String> =
        pages.into_iter().map(|page| (Path::new("docs/library").join(page.file), page.text)).collect();
    let governed = Path::new("docs/governed-systems.md");
    let text = fs::read_to_string(root().join(governed)).expect("the page is there");
    let filled = region::fill(&library, &text).unwrap_or_else(|faults| panic!("{}: {faults:#?}", governed.display()));
    expected.insert(governed.to_owned(), filled.text);
    if std::env::var_os("PDL_BLESS").is_some() {
        let _ = fs::remove_dir_all(root().join("docs/library"));
        fs::create_dir_all(root().join("docs/library")).expect("the folder can be made");
        expected.iter().for_each(|(path, text)| fs::write(root().join(path), text).expect("a page can be written"));
    }
    let mut there: BTreeSet<PathBuf> = fs::read_dir(root().join("docs/library"))
        .expect("docs/library can be listed")
        .map(|entry| Path::new("docs/library").join(entry.expect("docs/library can be listed").file_name()))
        .collect();
    for (path, text) in &expected {
        there.remove(path);
        let is_same = fs::read_to_string(root().join(path)).is_ok_and(|found| found == *text);
        assert!(is_same, "{} is out of date: PDL_BLESS=1 writes it anew", path.display());
    }
    assert!(there.is_empty(), "pages of no module: {there:?}; PDL_BLESS=1 removes them");
}

/// Every module of the standard library says what it is.
#[test]
fn the_standard_library_introduces_itself() {
    let library = Library::standard();
    assert_eq!(library.names().collect::<Vec<_>>(), stdlib::names().collect::<Vec<_>>());
    for module in &library.modules {
        assert!(module.summary().ends_with('.'), "{} begins with a sentence", module.name);
    }
}

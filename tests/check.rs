//! Packages through the checker: what is faulty gives the diagnostics of its snapshot, what is right gives none.
//!
//! A case is a file, or a folder whose files are one package; those in its `dependency` folder are another's. In
//! `tests/cases/check` it is named by the first code that it gives, perhaps with more behind a `-`.

use std::fs;
use std::path::{Path, PathBuf};

use pdl::base::span::SourceMap;
use pdl::diagnostic::{Code, Diagnostic, Diagnostics, Severity, compact, explain};
use pdl::syntax::parse;
use pdl::types;
use pdl::types::package::{LoadedModule, Package, assemble};
use pdl::types::typed::TypedPolicy;

use crate::codes::programs;

/// The package of some sources by their names.
pub fn package(files: &[(String, String)], sink: &mut Diagnostics) -> Package {
    let mut sources = SourceMap::default();
    let mut modules = Vec::new();
    for (name, text) in files {
        let file = parse::parse_bytes(&mut sources, name.clone(), text.as_bytes(), sink);
        let header = file.module.as_ref().map(|header| sources.text(header.path.span).to_owned());
        let stem = Path::new(name).file_stem().and_then(|stem| stem.to_str()).unwrap_or("main");
        let module = header.unwrap_or_else(|| stem.to_owned());
        modules.push(LoadedModule { name: module.into(), own: !name.starts_with("dependency/"), file });
    }
    let name = modules.first().map_or_else(|| "empty".to_owned(), |module| module.name.to_string());
    assemble(&name, "0.0.0", sources, modules, sink)
}

/// Checks the sources of one package.
pub fn check(files: &[(String, String)]) -> (Option<TypedPolicy>, Vec<Diagnostic>, SourceMap) {
    let mut sink = Diagnostics::default();
    let package = package(files, &mut sink);
    let typed = types::check(&package, &mut sink);
    (typed, sink.finish(), package.sources)
}

/// The sources of a case, the package's own first.
pub fn sources_of(case: &Path) -> Vec<(String, String)> {
    let read = |path: &Path| fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    if case.is_file() {
        let name = case.file_name().and_then(|name| name.to_str()).expect("a case has a name");
        return vec![(name.to_owned(), read(case))];
    }
    let mut names = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(case.join(&folder)).expect("a case can be listed") {
            let name = folder.join(entry.expect("a case can be listed").file_name());
            if case.join(&name).is_dir() {
                folders.push(name);
            } else if name.extension().is_some_and(|extension| extension == "pdl") {
                names.push(name);
            }
        }
    }
    names.sort_by_key(|name| (name.starts_with("dependency"), name.clone()));
    names.into_iter().map(|name| (name.to_string_lossy().replace('\\', "/"), read(&case.join(&name)))).collect()
}

pub fn cases(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases").join(folder);
    let entries = fs::read_dir(folder).expect("the folder of cases can be listed");
    let mut cases: Vec<PathBuf> = entries.map(|entry| entry.expect("it can be listed").path()).collect();
    cases.sort();
    cases
}

#[test]
fn faulty_packages() {
    let mut wrong = Vec::new();
    for case in cases("check") {
        let name = case.file_stem().and_then(|name| name.to_str()).expect("a case has a name").to_owned();
        let code = name.split('-').next().unwrap_or(&name);
        let (typed, found, sources) = check(&sources_of(&case));
        let first = found.first().map(|diagnostic| diagnostic.code.id());
        if first != Some(code) {
            wrong.push(format!("{name}:\n{}", compact::render(&sources, &found)));
            continue;
        }
        let is_faulty = found.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
        assert_eq!(typed.is_none(), is_faulty, "{name}: there is a typed tree only without errors");
        let mut shown = String::new();
        for (_, file) in sources.iter().filter(|(_, file)| !file.name.starts_with("std/")) {
            shown.push_str(&format!("--- {}\n{}", file.name, file.text));
        }
        shown.push_str("--- diagnostics\n");
        shown.push_str(&compact::render(&sources, &found));
        insta::with_settings!({ snapshot_path => "snapshots/check", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name, shown);
        });
    }
    assert!(wrong.is_empty(), "cases whose first code is not that of their name:\n\n{}", wrong.join("\n"));
}

#[test]
fn right_packages_are_clean() {
    let mut wrong = Vec::new();
    for case in cases("accept") {
        let (typed, found, sources) = check(&sources_of(&case));
        if typed.is_none() || !found.is_empty() {
            wrong.push(format!("{}:\n{}", case.display(), compact::render(&sources, &found)));
        }
    }
    assert!(wrong.is_empty(), "cases that should be clean:\n\n{}", wrong.join("\n"));
}

/// Which modules are active, under which names and with which values; and what is called how from outside.
#[test]
fn instances_and_wire_names() {
    let case = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/accept").join(name);
    let mut shown = String::new();
    for name in ["includes", "release", "wire_names", "wire_names_std"] {
        let (typed, ..) = check(&sources_of(&case(name)));
        let typed = typed.expect("the case is clean");
        for instance in &typed.instances {
            let module = &typed.modules[instance.module.index()].name;
            shown.push_str(&format!("{module} as {} with {:?}\n", instance.prefix, instance.arguments));
        }
        for ty in &typed.entity_types {
            shown.push_str(&format!("{} is {}\n", ty.qualified, ty.wire));
        }
        for action in &typed.actions {
            shown.push_str(&format!("{} is {}\n", action.qualified, action.wire));
        }
        shown.push('\n');
    }
    insta::assert_snapshot!(shown.trim_end());
}

/// A wrong program on a page gives the page's code and no other, a right one nothing.
#[test]
fn programs_on_pages() {
    let mut wrong = Vec::new();
    for &code in Code::ALL {
        let Some(page) = explain::page(code) else { continue };
        for program in programs(page) {
            let (_, found, sources) = check(&[("page.pdl".to_owned(), program.text.clone())]);
            let codes: Vec<Code> = found.iter().map(|diagnostic| diagnostic.code).collect();
            let is_as_said = if program.is_wrong {
                !codes.is_empty() && codes.iter().all(|found| *found == code)
            } else {
                codes.is_empty()
            };
            if !is_as_said {
                let kind = if program.is_wrong { "wrong" } else { "right" };
                wrong.push(format!("the {kind} program of {code}:\n{}", compact::render(&sources, &found)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every module of the standard library is clean by itself.
#[test]
fn the_standard_library_is_clean() {
    for name in types::stdlib::names() {
        let user = format!("module acme.user\n\ninclude {name}\n");
        let (typed, found, sources) = check(&[("user.pdl".to_owned(), user)]);
        assert!(typed.is_some() && found.is_empty(), "{name}:\n{}", compact::render(&sources, &found));
    }
}

/// Its functions mean what they say: the tests of a package that calls them pass.
#[cfg(feature = "cli")]
#[test]
fn the_standard_library_passes_its_tests() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_pdl"))
        .args(["test", "tests/cases/accept/standard_library.pdl"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("pdl runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

//! What holds for the tree itself: layers, lengths, words, links.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The longest source file, in lines.
const LINES_MAX: usize = 900;
/// The longest docs/architecture.md, in words: three pages.
const ARCHITECTURE_WORDS_MAX: usize = 1_500;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files of the tree with this extension, as paths from its root, sorted.
fn files(extension: &str) -> Vec<PathBuf> {
    fn walk(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("a folder of the tree can be listed") {
            let path = entry.expect("a folder of the tree can be listed").path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if path.is_dir() {
                if name != "target" && !name.starts_with(".git") {
                    walk(&path, extension, found);
                }
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path.strip_prefix(root()).expect("it lies below the root").to_owned());
            }
        }
    }
    let mut found = Vec::new();
    walk(root(), extension, &mut found);
    found.sort();
    found
}

fn read(path: &Path) -> String {
    // Some cases are not UTF-8 on purpose.
    let bytes = fs::read(root().join(path)).unwrap_or_else(|error| panic!("{} can be read: {error}", path.display()));
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The code of a line of Rust: what stands before a comment.
fn code(line: &str) -> &str {
    let trimmed = line.trim_start();
    if trimmed.starts_with("//") { "" } else { line.split(" // ").next().unwrap_or(line) }
}

/// The table of docs/architecture.md: each layer with the layers that it may name.
fn layers() -> BTreeMap<String, BTreeSet<String>> {
    let architecture = read(Path::new("docs/architecture.md"));
    let mut layers = BTreeMap::new();
    for line in architecture.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [folder, _, imports, _] = cells[..] else { panic!("a row of the layers has four cells: {line}") };
        let name = folder.trim_matches(|c| c == '`' || c == '/').to_owned();
        let imports = imports.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
        layers.insert(name, imports);
    }
    layers
}

/// The layers that a line of code names.
fn named(line: &str) -> impl Iterator<Item = &str> {
    line.split("crate::").skip(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        &rest[..end]
    })
}

#[test]
fn layers_name_only_what_the_architecture_lets_them() {
    let layers = layers();
    assert!(layers.len() >= 9, "docs/architecture.md has the table of layers");
    let mut faults = Vec::new();
    for path in files("rs") {
        let Ok(inside) = path.strip_prefix("src") else { continue };
        let first = inside.iter().next().and_then(|part| part.to_str()).unwrap_or_default();
        let layer = first.trim_end_matches(".rs");
        if layer == "lib" || layer == "main" {
            continue;
        }
        let Some(allowed) = layers.get(layer) else {
            faults.push(format!("{}: `{layer}` is not in the table of docs/architecture.md", path.display()));
            continue;
        };
        for (at, line) in read(&path).lines().enumerate() {
            if code(line).contains("crate::{") {
                faults.push(format!("{}:{}: names layers in a group, where nobody sees them", path.display(), at + 1));
            }
            let strange: Vec<&str> = named(code(line))
                .filter(|name| layers.contains_key(*name) && *name != layer && !allowed.contains(*name))
                .collect();
            if !strange.is_empty() {
                faults.push(format!("{}:{}: names {}", path.display(), at + 1, strange.join(", ")));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Imports form a tree: a layer names only layers of rows above its own.
#[test]
fn layers_stand_above_what_they_import() {
    let architecture = read(Path::new("docs/architecture.md"));
    let layers = layers();
    let rows = architecture.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("/`"));
    let mut above = BTreeSet::new();
    for (name, _) in rows {
        for import in layers.get(name).into_iter().flatten() {
            assert!(above.contains(import.as_str()), "`{name}` imports `{import}`, which does not stand above it");
        }
        above.insert(name);
    }
    assert_eq!(above.len(), layers.len(), "every layer has a row");
}

#[test]
fn only_the_command_line_touches_the_world() {
    const WORLD: &[&str] = &[
        "std::fs",
        "std::env",
        "std::process",
        "std::thread",
        "std::io",
        "std::time::",
        "SystemTime",
        "Instant::",
        "TcpStream",
        "UdpSocket",
        "println!",
        "print!",
        "dbg!",
    ];
    // What the kernel has of it: how long a store waits for its file and what is beside it, the thread that writes and
    // those that wait for it, those that hash, those that replay.
    const KERNEL: &[(&str, &str)] = &[
        ("src/kernel/store/sqlite.rs", "std::time::"),
        ("src/kernel/store/sqlite/tip.rs", "std::fs"),
        ("src/kernel/store/sqlite/tip.rs", "std::io"),
        ("src/kernel/writer.rs", "std::thread"),
        ("src/kernel/writer/here.rs", "std::thread"),
        ("src/kernel/writer/promise.rs", "std::thread"),
        ("src/kernel/log/leaves.rs", "std::thread"),
        ("src/kernel/replay/tally.rs", "std::thread"),
    ];
    let mut faults = Vec::new();
    for path in files("rs") {
        let is_below = path.starts_with("src") && !path.starts_with("src/cli");
        if !is_below || path == Path::new("src/main.rs") || path == Path::new("src/cli.rs") {
            continue;
        }
        let text = read(&path);
        // Tests may do what they like, in a file of their own or at the end of one.
        if path.file_name().is_some_and(|name| name == "tests.rs") {
            continue;
        }
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (at, line) in text.lines().enumerate() {
            let is_allowed =
                |word: &str| KERNEL.iter().any(|(file, allowed)| path == Path::new(file) && word == *allowed);
            if let Some(word) = WORLD.iter().find(|word| code(line).contains(**word) && !is_allowed(word)) {
                faults.push(format!("{}:{}: {word}", path.display(), at + 1));
            }
        }
    }
    assert!(faults.is_empty(), "only src/cli and what the kernel needs touch the world:\n{}", faults.join("\n"));
}

#[test]
fn each_outside_tool_has_one_door() {
    const DOORS: &[(&str, &[&str])] = &[
        ("logos", &["src/syntax/"]),
        ("lalrpop_util", &["src/syntax/"]),
        ("ariadne", &["src/diagnostic/render.rs"]),
        ("batsat", &["src/analysis/sat.rs"]),
        ("easy_smt", &["src/analysis/smt.rs", "src/analysis/smt/"]),
        ("regex_syntax", &["src/analysis/smt/pattern.rs"]),
        ("clap", &["src/cli.rs", "src/cli/"]),
        ("comfy_table", &["src/cli/table.rs"]),
        ("indicatif", &["src/cli/progress.rs"]),
        ("terminal_size", &["src/cli/output.rs"]),
        ("toml", &["src/cli/manifest.rs", "src/cli/place/settings.rs"]),
        ("ed25519_dalek", &["src/bytecode/", "src/cli/", "src/log/note.rs", "src/kernel/permit/token.rs"]),
        ("base64ct", &["src/log/", "src/kernel/permit/token.rs"]),
        ("hmac", &["src/kernel/permit/token.rs"]),
        ("rusqlite", &["src/kernel/store/sqlite.rs", "src/kernel/store/sqlite/"]),
        ("sha2", &["src/base/hash.rs", "src/kernel/permit/token.rs"]),
        ("regex_automata", &["src/data/pattern.rs", "src/data/pattern/"]),
    ];
    let mut faults = Vec::new();
    for path in files("rs").into_iter().filter(|path| path.starts_with("src")) {
        let text = read(&path);
        for (tool, doors) in DOORS {
            let is_door = doors.iter().any(|door| path.to_string_lossy().starts_with(door));
            let (used, imported) = (format!("{tool}::"), format!("use {tool}"));
            if !is_door && text.lines().any(|line| code(line).contains(&used) || code(line).starts_with(&imported)) {
                faults.push(format!("{}: {tool} has its door elsewhere: {}", path.display(), doors.join(", ")));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn files_are_of_a_length_that_can_be_read() {
    let mut faults = Vec::new();
    for path in files("rs") {
        let lines = read(&path).lines().count();
        if lines > LINES_MAX {
            faults.push(format!("{}: {lines} lines, at most {LINES_MAX}", path.display()));
        }
        if path.file_name().is_some_and(|name| name == "mod.rs") {
            faults.push(format!("{}: a module is a file beside its folder", path.display()));
        }
    }
    let words = read(Path::new("docs/architecture.md")).split_whitespace().count();
    assert!(
        words <= ARCHITECTURE_WORDS_MAX,
        "docs/architecture.md has {words} words, at most {ARCHITECTURE_WORDS_MAX}"
    );
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn nothing_is_left_for_later() {
    // Written apart, so that this file does not find itself.
    let words = [["TO", "DO"], ["FIX", "ME"], ["XX", "X:"], ["todo", "!("], ["unimpl", "emented!("], ["#[ig", "nore"]]
        .map(|parts| parts.concat());
    let mut faults = Vec::new();
    let sources = ["rs", "md", "lalrpop", "toml", "pdl"].into_iter().flat_map(files);
    for path in sources.filter(|path| !path.starts_with("tests/vectors")) {
        for (at, line) in read(&path).lines().enumerate() {
            let is_word = |at: usize, word: &str| {
                let before = line[..at].chars().next_back();
                let after = line[at + word.len()..].chars().next();
                let joins = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
                let is_open = word.ends_with(|c: char| c.is_ascii_alphanumeric());
                !(joins(before) || is_open && joins(after))
            };
            for word in &words {
                if line.match_indices(word.as_str()).any(|(at, _)| is_word(at, word)) {
                    faults.push(format!("{}:{}: {word}", path.display(), at + 1));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn snapshots_are_settled() {
    let pending = files("new");
    assert!(pending.is_empty(), "snapshots that wait for a decision: {pending:?}");
}

/// The targets of the links of a page: `[text](target)`, outside code.
fn links(page: &str) -> Vec<String> {
    let mut targets = Vec::new();
    let mut in_program = false;
    for line in page.lines() {
        if line.trim_start().starts_with("```") {
            in_program = !in_program;
        }
        if in_program {
            continue;
        }
        // Every second piece between backticks is code.
        let prose: String = line.split('`').step_by(2).collect::<Vec<_>>().join("`");
        for (at, _) in prose.match_indices("](") {
            let rest = &prose[at + 2..];
            targets.extend(rest.find(')').map(|end| rest[..end].to_owned()));
        }
    }
    targets
}

/// The anchors of a page's headings, as GitHub makes them.
fn anchors(page: &str) -> BTreeSet<String> {
    let headings = page.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

#[test]
fn links_of_pages_lead_somewhere() {
    let mut faults = Vec::new();
    for path in files("md").into_iter().filter(|path| !path.starts_with("tests/vectors")) {
        let page = read(&path);
        for link in links(&page) {
            if link.starts_with("https://") || link.starts_with("http://") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = match file {
                "" => path.clone(),
                _ => path.parent().unwrap_or(Path::new("")).join(file),
            };
            if !root().join(&target).exists() {
                faults.push(format!("{}: there is no `{link}`", path.display()));
            } else if !anchor.is_empty() && !anchors(&read(&target)).contains(anchor) {
                faults.push(format!("{}: `{file}` has no heading `#{anchor}`", path.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Paths of the tree that a page names in backticks.
#[test]
fn paths_that_pages_name_are_there() {
    const TOPS: &[&str] = &["src/", "tests/", "docs/", "grammar/", "examples/", "bench/", "fuzz/", "stdlib/", ".ci/"];
    let mut faults = Vec::new();
    let pages = files("md").into_iter().filter(|path| {
        path == Path::new("README.md")
            || path.starts_with("docs") && !path.starts_with("docs/errors") && !path.starts_with("docs/language")
    });
    for path in pages {
        let page = read(&path);
        for piece in
            page.lines().filter(|line| !line.starts_with("```")).flat_map(|line| line.split('`').skip(1).step_by(2))
        {
            let is_path = TOPS.iter().any(|top| piece.starts_with(top))
                && piece.chars().all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
            if is_path && !root().join(piece).exists() {
                faults.push(format!("{}: there is no `{piece}`", path.display()));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn modules_of_the_test_binary_are_in_order() {
    let text = read(Path::new("tests/all.rs"));
    let modules: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';')).collect();
    let mut sorted = modules.clone();
    sorted.sort_unstable();
    assert_eq!(modules, sorted, "tests/all.rs is in the order of the alphabet");
    let listed: BTreeSet<&str> = modules.into_iter().collect();
    let package = read(Path::new("Cargo.toml"));
    for path in files("rs").into_iter().filter(|path| path.parent() == Some(Path::new("tests"))) {
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        // What has to be a process of its own has a line in Cargo.toml.
        let is_binary = package.contains(&format!("path = \"tests/{name}.rs\""));
        assert!(is_binary || listed.contains(&*name), "tests/{name}.rs is not in tests/all.rs");
    }
}

/// The members of a table of Cargo.toml, by name.
fn manifest_table<'m>(manifest: &'m str, table: &str) -> BTreeMap<&'m str, &'m str> {
    let lines = manifest.lines().skip_while(|line| *line != table).skip(1).take_while(|line| !line.starts_with('['));
    lines.filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(" = ")).collect()
}

/// What each feature adds to the direct dependencies. Whoever adds one says so here, and why in the commit.
#[test]
fn features_bring_the_dependencies_that_they_are_known_for() {
    const WITHOUT: &[&str] = &["regex-automata", "sha2"];
    const FEATURES: &[(&str, &[&str])] = &[
        ("default", &["cli", "signatures"]),
        ("signatures", &["dep:ed25519-dalek"]),
        (
            "kernel",
            &["signatures", "dep:base64ct", "dep:getrandom", "dep:hmac", "dep:rusqlite", "dep:serde", "dep:serde_json"],
        ),
        (
            "compiler",
            &[
                "dep:logos",
                "dep:lalrpop",
                "dep:lalrpop-util",
                "dep:ariadne",
                "dep:serde",
                "dep:serde_json",
                "dep:toml",
                "dep:unicode-normalization",
            ],
        ),
        ("analysis", &["compiler", "dep:batsat"]),
        ("smt", &["analysis", "dep:easy-smt", "dep:regex-syntax"]),
        (
            "cli",
            &[
                "analysis",
                "compiler",
                "kernel",
                "signatures",
                "smt",
                "dep:clap",
                "dep:clap_complete",
                "dep:clap_mangen",
                "dep:comfy-table",
                "dep:getrandom",
                "dep:indicatif",
                "dep:terminal_size",
            ],
        ),
    ];
    let manifest = read(Path::new("Cargo.toml"));
    let dependencies = manifest_table(&manifest, "[dependencies]");
    let always: Vec<&str> =
        dependencies.iter().filter(|(_, what)| !what.contains("optional = true")).map(|(name, _)| *name).collect();
    assert_eq!(always, WITHOUT, "what the loader and the machine need is a handful");
    let features = manifest_table(&manifest, "[features]");
    assert_eq!(features.keys().copied().collect::<BTreeSet<_>>(), FEATURES.iter().map(|(name, _)| *name).collect());
    for (feature, expected) in FEATURES {
        let members: BTreeSet<&str> = features[feature].split('"').skip(1).step_by(2).collect();
        assert_eq!(members, expected.iter().copied().collect(), "the feature `{feature}`");
    }
}

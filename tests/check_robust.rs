//! No text makes the checker panic, and no package makes it work without end.

use std::sync::LazyLock;

use proptest::prelude::*;

use crate::check::{cases, check, sources_of};

/// All sources of the cases, as packages.
static PACKAGES: LazyLock<Vec<Vec<(String, String)>>> = LazyLock::new(|| {
    ["accept", "check"].iter().flat_map(|folder| cases(folder)).map(|case| sources_of(&case)).collect()
});

/// A change of a text: what is taken away, from where in it words are put in its place, and how many.
#[derive(Clone, Debug)]
struct Change {
    at: prop::sample::Index,
    taken: usize,
    from: prop::sample::Index,
    put: usize,
}

fn change() -> impl Strategy<Value = Change> {
    (any::<prop::sample::Index>(), 0..4usize, any::<prop::sample::Index>(), 0..4usize)
        .prop_map(|(at, taken, from, put)| Change { at, taken, from, put })
}

/// The pieces of a text: runs of letters and digits, and everything else for itself.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut previous = None;
    for (at, c) in text.char_indices() {
        if previous.is_some_and(|previous| !(is_word(previous) && is_word(c))) {
            pieces.push(&text[start..at]);
            start = at;
        }
        previous = Some(c);
    }
    pieces.push(&text[start..]);
    pieces
}

fn changed(text: &str, change: &Change) -> String {
    let mut all = pieces(text);
    let at = change.at.index(all.len());
    let from = change.from.index(all.len());
    let put: Vec<&str> = all[from..].iter().take(change.put).copied().collect();
    let end = (at + change.taken).min(all.len());
    all.splice(at..end, put);
    all.concat()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn no_change_of_a_package_makes_it_panic(
        package in any::<prop::sample::Index>(),
        file in any::<prop::sample::Index>(),
        changes in prop::collection::vec(change(), 1..4),
    ) {
        let mut sources = PACKAGES[package.index(PACKAGES.len())].clone();
        let file = file.index(sources.len());
        for change in &changes {
            sources[file].1 = changed(&sources[file].1, change);
        }
        let (typed, found, sources) = check(&sources);
        prop_assert!(typed.is_some() || !found.is_empty(), "no tree, and nothing is said about it");
        for diagnostic in &found {
            for label in diagnostic.labels() {
                let text = &sources.file(label.span.file).text;
                prop_assert!(text.get(label.span.start as usize..label.span.end as usize).is_some(), "{diagnostic:?}");
            }
        }
    }
}

/// Each module includes the next twice, with different values: more instances than anybody wants.
#[test]
fn instances_have_a_limit() {
    let mut sources = vec![("main.pdl".to_owned(), "module acme.main\ninclude m00(x = 1)\n".to_owned())];
    for at in 0..20 {
        let next = at + 1;
        let includes = format!("include m{next:02}(x = x * 2) as a\ninclude m{next:02}(x = x * 2 + 1) as b\n");
        let text = format!("module m{at:02}(x: Int)\n{}", if at == 19 { "" } else { &includes });
        sources.push((format!("m{at:02}.pdl"), text));
    }
    let (typed, found, _) = check(&sources);
    assert!(typed.is_none());
    assert!(found.iter().any(|diagnostic| diagnostic.code.id() == "E0331"), "{found:?}");
}

/// A chain of constants and one of functions, each a great many long.
#[test]
fn long_chains_of_declarations() {
    let mut text = String::from("module acme.chain\nconst c0: Int = 0\nfn f0(x: Int in 0..=9) -> Bool = x > 3\n");
    for at in 1..5_000 {
        let before = at - 1;
        text.push_str(&format!("const c{at} = c{before} + 1\n"));
    }
    for at in 1..200 {
        let before = at - 1;
        text.push_str(&format!("fn f{at}(x: Int in 0..=9) -> Bool = f{before}(x)\n"));
    }
    let (typed, found, _) = check(&[("chain.pdl".to_owned(), text)]);
    assert!(typed.is_some(), "{found:?}");
}

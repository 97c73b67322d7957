//! Packages, files and bundles in a revision of a real repository, and bundles from which sources are taken.

use std::fs;

use pdl::LoadOptions;
use pdl::bytecode::bundle::{self, Contents, Source};

use super::repository::{Repository, Said, pdl};

const GATE: &str = "module gate\n\
    use limits.{highest}\n\
    presented entity Agent { level: Int in 0..=9 }\n\
    presented entity Door {}\n\
    action open { subject: Agent resource: Door }\n\
    policy doors on open { allow trusted when subject.level >= highest() }\n\
    test \"level 5 is trusted\" {\n    given subject = Agent::\"a\" { level: 5 }\n    given resource = Door::\"d\" {}\n    \
    when open {}\n    expect allow\n}\n";

/// A package with a dependency beside it, in two versions: the later one trusts nobody below 7, so that its test fails.
fn repository(name: &str) -> Repository {
    let repository = Repository::new(name);
    let manifest = |name: &str| format!("[package]\nname = \"{name}\"\nversion = \"1.0.0\"\nlanguage = \"2026\"\n");
    let dependency = "\n[dependencies]\nlimits = { path = \"../limits\" }\n";
    repository.write("policies/gate/pdl.toml", &format!("{}{dependency}", manifest("gate")));
    repository.write("policies/gate/gate.pdl", GATE);
    repository.write("policies/limits/pdl.toml", &manifest("limits"));
    repository.write("policies/limits/limits.pdl", "module limits\nfn highest() -> Int = 5\n");
    repository.write("policies/gate/inner/pdl.toml", &manifest("inner"));
    repository.write("policies/gate/inner/faulty.pdl", "this is no policy");
    repository.commit("first");
    repository.edit("policies/limits/limits.pdl", "= 5", "= 7");
    repository.commit("second");
    repository
}

fn passes(said: &Said) {
    assert_eq!(said.status, 0, "{said:?}");
}

fn fails(said: &Said, status: i32, why: &str) {
    assert!(said.status == status && said.err.contains(why), "{status}, {why}: {said:?}");
}

#[test]
fn a_package_is_read_as_it_was() {
    let repository = repository("revisions");
    let test = |path: &str| repository.pdl(&["test", path]);
    passes(&test("git:HEAD~1:policies/gate"));
    assert_eq!(test("git:HEAD:policies/gate").status, 1);
    assert_eq!(test("policies/gate").status, 1);
    // What is not committed is not in it.
    repository.edit("policies/limits/limits.pdl", "= 7", "= 5");
    passes(&test("policies/gate"));
    assert_eq!(test("git:main:policies/gate").status, 1);
    // A path that begins with a dot begins here; an empty one, or another one, at the root.
    let here = |folder: &str, path: &str| repository.pdl_in(folder, &["test", path]);
    passes(&here("policies/gate", "git:HEAD~1:."));
    passes(&here("policies/limits", "git:HEAD~1:../gate"));
    passes(&here("policies", "git:HEAD~1:policies/gate"));
    fails(&here("policies", "git:HEAD~1:"), 1, "`git:HEAD~1:` is not a package: it has no pdl.toml");
    passes(&repository.pdl(&["check", "git:HEAD~1:policies/limits/limits.pdl"]));
    // Faults are told where they are.
    let said = repository.pdl(&["check", "git:main:policies/gate/inner", "--format", "github"]);
    assert!(said.status == 1 && said.out.contains("file=git%3Amain%3Apolicies/gate/inner/faulty.pdl,"), "{said:?}");
}

#[test]
fn a_merge_base_is_where_branches_parted() {
    let repository = repository("revisions-base");
    repository.git(&["checkout", "--quiet", "-b", "topic", "HEAD~1"]);
    repository.write("notes", "a change");
    repository.commit("third");
    passes(&repository.pdl(&["test", "git:merge-base:main:policies/gate"]));
    assert_eq!(repository.pdl(&["test", "git:main:policies/gate"]).status, 1);
    repository.git(&["checkout", "--quiet", "--orphan", "alone"]);
    repository.commit("fourth");
    let said = repository.pdl(&["test", "git:merge-base:main:policies/gate"]);
    fails(&said, 1, "`HEAD` and `main` have no commit in common");
}

#[test]
fn what_is_not_there_is_said() {
    let repository = repository("revisions-bad");
    let check = |path: &str| repository.pdl(&["check", path]);
    fails(&check("git:v9:policies"), 1, "there is no commit `v9` in this repository");
    fails(&check("git:HEAD:policies/none"), 1, "can't read `git:HEAD:policies/none`: there is no such file");
    fails(&check("git:HEAD:../x"), 1, "can't read `git:HEAD:../x`: there is no such file");
    fails(&check("git:HEAD"), 2, "names no path in a revision");
    for option in ["--help", "-x", "--output=made", "merge-base:--all", "merge-base:-h"] {
        fails(&check(&format!("git:{option}:policies")), 2, "can't be a revision");
    }
    assert!(!repository.path().join("made").exists());
    // A revision has no more to say than where a commit is: nothing of it is run.
    fails(&check("git:$(touch made):policies"), 1, "there is no commit `$(touch made)`");
    fails(&check("git:HEAD;touch made:policies"), 1, "there is no commit");
    assert!(!repository.path().join("made").exists());
    repository.edit("policies/gate/pdl.toml", "../limits", "../../../limits");
    repository.commit("outside");
    let said = check("git:HEAD:policies/gate");
    assert!(said.status == 1 && said.out.contains("there is no package `limits` in `../../../limits`"), "{said:?}");
    let nowhere = super::Room::new("revisions-none");
    fails(&pdl(nowhere.path(), &["check", "git:HEAD:."]), 1, "not a git repository");
}

#[cfg(unix)]
#[test]
fn links_are_not_followed() {
    let repository = repository("revisions-links");
    std::os::unix::fs::symlink("../limits/limits.pdl", repository.path().join("policies/gate/more.pdl"))
        .expect("a link can be made");
    repository.commit("linked");
    let said = repository.pdl(&["check", "git:HEAD:policies/gate"]);
    fails(&said, 1, "can't read `git:HEAD:policies/gate/more.pdl`: it is a link");
}

#[test]
fn bundles_are_compiled_again_from_what_they_carry() {
    let repository = repository("revisions-bundles");
    passes(&repository.pdl(&["build", "git:HEAD~1:policies/gate", "-o", "gate.pdlb"]));
    passes(&repository.pdl(&["test", "gate.pdlb"]));
    passes(&repository.pdl(&["build", "gate.pdlb", "-o", "again.pdlb"]));
    let read = |name: &str| fs::read(repository.path().join(name)).expect("the bundle is there");
    assert_eq!(read("gate.pdlb"), read("again.pdlb"));
    repository.commit("with a bundle");
    passes(&repository.pdl(&["test", "git:HEAD:gate.pdlb"]));

    passes(&repository.pdl(&["build", "git:HEAD~1:policies/gate", "-o", "stripped.pdlb", "--strip"]));
    fails(&repository.pdl(&["test", "stripped.pdlb"]), 1, "`stripped.pdlb` does not have its sources");

    // Sources are not part of a bundle's name: those of another program have to be noticed.
    let loaded = bundle::read(&read("gate.pdlb"), &LoadOptions::UNSIGNED).expect("it is a bundle");
    let sources = loaded.sources.expect("it has its sources").into_iter();
    let sources: Vec<Source> =
        sources.map(|source| Source { text: source.text.replace("Int = 5", "Int = 4").into(), ..source }).collect();
    let manifest = &loaded.manifest;
    let exchanged = bundle::write(&Contents {
        package: &manifest.package,
        version: &manifest.version,
        edition: &manifest.edition,
        compiler: &manifest.compiler,
        program: loaded.program.program(),
        source_map: loaded.source_map.as_ref(),
        sources: Some(&sources),
    });
    fs::write(repository.path().join("exchanged.pdlb"), exchanged.expect("it fits")).expect("it can be written");
    fails(
        &repository.pdl(&["test", "exchanged.pdlb"]),
        1,
        "the sources in `exchanged.pdlb` are not those of its program",
    );
}

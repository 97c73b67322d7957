//! A log that was exported, replayed from its files alone: it comes out as in its store, and what is wrong with a file or
//! an entry is found there too.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use pdl::kernel::entry::Entry;
use pdl::kernel::govern::BUNDLE;
use pdl::kernel::replay::against::Logged;
use pdl::kernel::replay::exported::{Given, replay_files, replay_files_against};
use pdl::kernel::replay::{Gap, Options, Report};
use pdl::kernel::{Kernel, KernelError};
use pdl::log::tile::{Tile, write_entries};
use pdl::vm::machine::Decided;
use pdl::{LoadOptions, Machine};

use super::{ENTITIES, SHOP, all, auditor, bundle, decided, full, is_asked, options, stricter};

type Folder = BTreeMap<String, Vec<u8>>;

/// The files of a kernel, with entries changed by somebody who could make all hashes anew.
fn exported(kernel: &Kernel, mut of_entry: impl FnMut(&mut Entry)) -> Folder {
    let entries: Vec<Vec<u8>> = all(kernel)
        .into_iter()
        .map(|mut entry| {
            of_entry(&mut entry);
            entry.to_bytes()
        })
        .collect();
    let size = entries.len() as u64;
    let mut files = Folder::new();
    let beside = kernel.export_replayable(&auditor(), size, &mut files).expect("all of it is kept");
    assert_eq!(beside, files.len() as u64);
    let mut at = 0;
    while let Some(tile) = Tile::of_entry(at as u64, size) {
        let end = at + usize::from(tile.width);
        let bytes = write_entries(entries[at..end].iter().map(|entry| &entry[..])).expect("they are short enough");
        files.insert(tile.to_string(), bytes);
        at = end;
    }
    let root = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    files.insert("checkpoint".to_owned(), format!("pdl.example/log\n{size}\n{root}\n\nnobody has signed it\n").into());
    files
}

fn replay(files: &mut Folder, given: &Given) -> Report {
    let report = replay_files(files, given.clone(), &options(1), &mut |_| {}).expect("the files can be read");
    let again = replay_files(files, given.clone(), &options(3), &mut |_| {}).expect("the files can be read");
    assert_eq!(report, again);
    report
}

/// What the kernel itself says of its log.
fn in_store(kernel: &Kernel) -> Report {
    kernel.replay(&super::olga(), &options(1), &mut |_| {}).expect("the store is there")
}

/// How many requests could not be read.
fn unread(kernel: &Kernel) -> u64 {
    decided(kernel).iter().filter(|entry| entry.body.contains_key("given")).count() as u64
}

#[test]
fn an_exported_log_comes_out_as_in_its_store() {
    let (kernel, _, _) = full("");
    let mut files = exported(&kernel, |_| {});
    let report = replay(&mut files, &Given::default());
    // What could not be read is behind a commitment, whatever the policy calls sensitive.
    let hidden = unread(&kernel);
    assert!(hidden > 0 && report.decisions > 50, "{report:?}");
    assert_eq!((report.not_replayed.clone(), report.different), ([(Gap::Hidden, hidden)].into(), 0));
    assert!(report.is_sound() && report.same == report.decisions - hidden);
    // In the store there are entries of who looked at it since.
    assert!(report.decisions <= in_store(&kernel).decisions);
    // It can be exported, too, by who may read it.
    let size = all(&kernel).len() as u64;
    assert!(matches!(
        kernel.export_revealed(&super::olga(), size, &mut files, &mut |_| {}),
        Err(KernelError::Forbidden(_))
    ));
    assert!(kernel.export_revealed(&auditor(), size, &mut files, &mut |_| {}).is_ok_and(|written| written >= hidden));
    let revealed = replay(&mut files, &Given::default());
    assert!(revealed.is_whole() && revealed.same == report.decisions, "{revealed:?}");
}

#[test]
fn what_is_behind_commitments_is_hidden_unless_it_was_exported() {
    let (kernel, _, decisions) = full("@sensitive");
    let mut files = exported(&kernel, |_| {});
    let report = replay(&mut files, &Given::default());
    assert!(report.is_sound() && !report.is_whole());
    assert_eq!(report.not_replayed.keys().collect::<Vec<_>>(), [&Gap::Hidden]);
    assert_eq!(report.not_replayed[&Gap::Hidden], decisions);
    let plain: Vec<String> = files.keys().cloned().collect();
    let size = all(&kernel).len() as u64;
    let written = kernel.export_revealed(&auditor(), size, &mut files, &mut |_| {}).expect("it can be read");
    assert!(replay(&mut files, &Given::default()).is_whole());
    // Each is the one that was committed to, or hidden, or damaged.
    let revealed: Vec<String> = files.keys().filter(|path| !plain.contains(path)).cloned().collect();
    assert_eq!(revealed.len() as u64, written);
    for (path, gap) in revealed.iter().step_by(revealed.len() / 6).zip([Gap::Hidden, Gap::Damaged].into_iter().cycle())
    {
        let mut other = files.clone();
        match gap {
            Gap::Hidden => drop(other.remove(path)),
            _ => other.get_mut(path).expect("it is there")[4] ^= 1,
        }
        let report = replay(&mut other, &Given::default());
        assert_eq!((report.not_replayed.keys().collect::<Vec<_>>(), report.different), (vec![&gap], 0), "{path}");
    }
}

#[test]
fn a_lie_is_found_from_the_files_too() {
    let (kernel, _, _) = full("");
    let mut lies = 0;
    let mut files = exported(&kernel, |entry| {
        if is_asked(entry) && entry.body["kind"] == "not_permitted" {
            entry.body.insert("answer".to_owned(), "ALLOW".into());
            lies += 1;
        }
    });
    let report = replay(&mut files, &Given::default());
    assert!(lies > 0);
    assert_eq!((report.different, report.is_sound()), (lies, false));
}

#[test]
fn a_file_that_was_changed_or_is_missing_is_not_taken_for_another() {
    let (kernel, _, _) = full("");
    let sound = exported(&kernel, |_| {});
    let governing = sound.iter().filter(|(_, bytes)| *bytes == BUNDLE).map(|(path, _)| path.clone());
    let known: Vec<String> = governing.chain(operators(&kernel)).collect();
    assert_eq!(known.len(), 2);
    for (path, bytes) in &sound {
        let (folder, _) = path.split_once('/').unwrap_or((path, ""));
        let mut changed = bytes.clone();
        let middle = changed.len() / 2;
        changed[middle] ^= 1;
        for changed in [Some(changed), None] {
            let mut files = sound.clone();
            match changed {
                Some(bytes) => drop(files.insert(path.clone(), bytes)),
                None => drop(files.remove(path)),
            }
            match (folder, replay_files(&mut files, Given::default(), &options(1), &mut |_| {})) {
                ("checkpoint", Err(_)) => {}
                // Its root is not looked at.
                ("checkpoint", Ok(report)) => assert!(report.is_sound(), "{path}"),
                (_, Err(fault)) => panic!("{path}: {fault}"),
                // Whether an entry was changed is for a verification to say. That the first are not there is believed only
                // where the log says so itself.
                ("tile", Ok(report)) => {
                    let is_there = files.contains_key(path);
                    assert!(report.dropped == 0 && (is_there || !report.is_sound()), "{path}: {report:?}");
                }
                // What the kernel and the log have themselves is needed by nobody.
                (_, Ok(report)) => {
                    let is_needed = files.contains_key(path) || !known.contains(path);
                    assert_eq!(report.is_sound(), !is_needed, "{path}: {report:?}");
                }
            }
        }
    }
}

/// The files of the documents of the operators.
fn operators(kernel: &Kernel) -> Vec<String> {
    let changes = all(kernel).into_iter().filter(|entry| entry.kind.name() == "operators.changed");
    changes
        .filter_map(|entry| Some(format!("content/{}", entry.body["snapshot"].as_str()?.strip_prefix("sha256:")?)))
        .collect()
}

#[test]
fn what_is_not_among_the_files_is_found_by_its_digest() {
    let (kernel, _, _) = full("");
    let governing = all(&kernel).iter().filter(|entry| entry.body.contains_key("of")).count() as u64;
    let mut files = exported(&kernel, |_| {});
    let whole = replay(&mut files, &Given::default());
    files.retain(|path, _| !path.starts_with("bundle/"));
    let without = replay(&mut files, &Given::default());
    assert!(!without.is_sound(), "{without:?}");
    // The policy of the kernel itself is there in any case, and who its operators were stands in the log.
    assert!(governing > 5 && without.same == governing, "{governing}: {without:?}");
    let operators =
        |files: &mut Folder| operators(&kernel).iter().for_each(|path| drop(files.remove(path).expect("it was there")));
    let mut less = files.clone();
    operators(&mut less);
    assert_eq!(replay(&mut less, &Given::default()), without);
    // Where they are others, that is found.
    let mut others = exported(&kernel, |entry| {
        if entry.kind.name() == "operators.changed" {
            entry.body["changes"][0]["roles"] = serde_json::json!(["caretaker"]);
        }
    });
    operators(&mut others);
    assert!(!replay(&mut others, &Given::default()).is_sound());
    let given = Given { bundles: vec![bundle(&stricter(), ""), bundle(SHOP, "")], entities: Vec::new() };
    assert_eq!(replay(&mut files, &given), whole);
    // A bundle that is not one of them is of no use, and does no harm.
    let given = Given { bundles: vec![bundle(&SHOP.replace("2030", "2031"), "")], ..Given::default() };
    assert_eq!(replay(&mut files, &given), without);
}

#[test]
fn entities_that_are_given_are_those_of_a_version_or_of_none() {
    let (kernel, _, _) = full("");
    let mut files = exported(&kernel, |_| {});
    let documents = |path: &str| path.starts_with("content/");
    let kept = operators(&kernel);
    files.retain(|path, _| !documents(path) || kept.contains(path));
    let without = replay(&mut files, &Given::default());
    assert!(without.not_replayed[&Gap::Version] > 40, "{without:?}");
    // As they were given to the kernel: in another text than the one that it keeps.
    let given = Given { entities: vec![b"[]".to_vec(), ENTITIES.to_vec()], ..Given::default() };
    let some = replay(&mut files, &given);
    let gained = without.not_replayed[&Gap::Version] - some.not_replayed[&Gap::Version];
    let hidden = some.not_replayed[&Gap::Hidden] - without.not_replayed.get(&Gap::Hidden).copied().unwrap_or_default();
    assert_eq!((gained, some.different), (some.same - without.same + hidden, 0));
    let first = decided(&kernel).iter().filter(|entry| entry.body["registry"] == 1).count() as u64;
    assert_eq!(gained, first);
}

#[test]
fn another_policy_is_asked_what_was_asked() {
    let (kernel, _, decisions) = full("");
    let mut files = exported(&kernel, |_| {});
    let policy = Arc::new(Machine::load(&bundle(SHOP, ""), &LoadOptions::UNSIGNED).expect("it loads"));
    let seen = Mutex::new(0);
    let look = |_: &Logged<'_>, _: &mut Decided<'_>| *seen.lock().expect("nobody panicked") += 1;
    let report = replay_files_against(&mut files, Given::default(), &policy, &Options::default(), &look, &mut |_| {});
    let report = report.expect("the files can be read");
    let hidden = unread(&kernel);
    assert_eq!((report.decisions, *seen.lock().expect("nobody panicked")), (decisions, decisions - hidden));
    assert_eq!(
        (report.same + report.different, report.not_replayed),
        (decisions - hidden, [(Gap::Hidden, hidden)].into())
    );
}

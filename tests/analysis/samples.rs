//! What the comparison says of two versions, held against what both answer to random requests: a change that is found by
//! chance has to be one that was told, and a region has to be what its condition says.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use pdl::analysis::diff::{Change, Diff, Direction, Options, Told};
use pdl::analysis::question::Kind;
use pdl::analysis::request::Request;
use pdl::mutate::mutants;
use pdl::types::typed::{Answer, ModuleId, TypedPolicy};
use pdl::vm::machine::{Question, Scratch};

use crate::analysis::agree::each_answer;
use crate::analysis::house::{House, try_typed};
use crate::analysis::pairs::{OPTIONS, cases, compared, parts};
use crate::generate::package::Sketch;
use crate::generate::random::Random;
use crate::generate::worlds::Values;

/// Requests for each world of entities.
const REQUESTS: usize = 12;

/// Random requests for a policy, each with its kind.
pub fn requests(policy: &TypedPolicy, random: &mut Random, worlds: usize) -> Vec<(Kind, Request)> {
    let values = Values::of(policy);
    let name = |id: pdl::types::typed::EntityTypeId| policy.entity_types[id.index()].wire.clone();
    let mut all = Vec::with_capacity(worlds * REQUESTS);
    for _ in 0..worlds {
        let world = values.world(random);
        let entities = values.entities_json(&world).to_string();
        for _ in 0..REQUESTS {
            let asked = values.request(random, &world);
            let kind = Kind {
                action: policy.actions[asked.action.index()].wire.clone(),
                subject: name(asked.subject.entity.ty),
                resource: name(asked.resource.entity.ty),
            };
            let documents = values.documents(random, &asked);
            let request = Request {
                request: documents.request.to_string(),
                facts: documents.facts.to_string(),
                entities: entities.clone(),
            };
            all.push((kind, request));
        }
    }
    all
}

/// The directions in which two answers differ; what stays has to have been told by one of the last four.
pub fn directions(told: &[Told; 2]) -> Vec<Direction> {
    use Answer::{Allow, Deny, RequireApproval};
    match (told[0].answer, told[1].answer) {
        (Deny, Allow) => vec![Direction::DenyToAllow],
        (Deny, RequireApproval) => vec![Direction::DenyToApproval],
        (RequireApproval, Allow) => vec![Direction::ApprovalToAllow],
        (Allow, RequireApproval) => vec![Direction::AllowToApproval],
        (Allow, Deny) => vec![Direction::AllowToDeny],
        (RequireApproval, Deny) => vec![Direction::ApprovalToDeny],
        (Allow, Allow) if told[0].obligations != told[1].obligations => vec![Direction::Obligations],
        (RequireApproval, RequireApproval) if told[0].gates != told[1].gates => {
            vec![Direction::WeakerApproval, Direction::Gates, Direction::Obligations, Direction::Reasons]
        }
        _ => Vec::new(),
    }
}

/// Whether more may change in a direction than is listed.
pub fn is_open(found: &Diff, kind: &Kind, direction: Direction) -> bool {
    found.cut.iter().any(|(of, which)| of == kind && *which == direction)
        || found.undecided.iter().any(|of| of.kind == *kind && of.direction == direction)
}

/// Whether conditions of regions hold of requests, asked of the machine.
struct Probe {
    house: House,
    /// The rule of each change, by its place.
    rules: BTreeMap<usize, String>,
}

impl Probe {
    /// One version with a shadow rule for each region.
    fn of(text: &str, changes: &[Change]) -> Result<Probe, String> {
        let mut text = text.to_owned();
        let mut rules = BTreeMap::new();
        for (at, change) in changes.iter().enumerate() {
            let Some(condition) = change.region.condition() else { continue };
            // What the language itself can't ask.
            let said_otherwise = [" is an error", "before(", " bytes)", " version does not take)"];
            if said_otherwise.iter().any(|words| condition.contains(words)) {
                continue;
            }
            let Kind { action, subject, resource } = &change.kind;
            let several = |what: &str| text.contains(&format!("{what}: Agent |"));
            let mut typed = String::new();
            if several("subject") {
                let _ = write!(typed, "when subject is {subject} ");
            }
            if several("resource") {
                let _ = write!(typed, "when resource is {resource} ");
            }
            let _ =
                write!(text, "\nshadow policy region{at} on {action} {{ deny region_{at} {typed}when {condition} }}\n");
            rules.insert(at, format!("m.region_{at}"));
        }
        let house = House::new(try_typed(&text)?)?;
        Ok(Probe { house, rules })
    }

    /// The changes in whose regions a request lies.
    fn regions(&self, request: &Request) -> Vec<usize> {
        if self.house.machine.load_entities(request.entities.as_bytes()).is_err() {
            return Vec::new();
        }
        let mut scratch = Scratch::default();
        let asked = Question { facts: Some(request.facts.as_bytes()), ..Question::strict(request.request.as_bytes()) };
        let decision = self.house.machine.decide(asked, &mut scratch).decision();
        let holds = |rule: &str| decision.shadow.iter().any(|told| told.id == rule && told.error.is_none());
        self.rules.iter().filter(|(_, rule)| holds(rule)).map(|(at, _)| *at).collect()
    }
}

/// Holds a comparison against requests. What is wrong with it.
fn against(
    houses: &[House; 2],
    found: &Diff,
    probe: Option<&Probe>,
    asked: &[(Kind, Request)],
) -> Result<usize, String> {
    let mut differences = 0;
    for (kind, request) in asked {
        let told = [houses[0].told(request), houses[1].told(request)];
        let ways = directions(&told);
        let listed: Vec<usize> = (0..found.changes.len())
            .filter(|at| found.changes[*at].kind == *kind && ways.contains(&found.changes[*at].direction))
            .collect();
        let show = || format!("{kind:?}\n{request:#?}\n{told:#?}");
        let open = ways.iter().any(|way| is_open(found, kind, *way));
        if !ways.is_empty() {
            differences += 1;
            if listed.is_empty() && !open {
                return Err(format!("a change is not told: {ways:?} {}", show()));
            }
        }
        let Some(probe) = probe else { continue };
        let within = probe.regions(request);
        for at in within.iter().filter(|at| found.changes[**at].region.exact) {
            let change = &found.changes[*at];
            let answers =
                change.direction <= Direction::ApprovalToDeny && change.direction != Direction::WeakerApproval;
            if answers && change.kind == *kind && !ways.contains(&change.direction) {
                return Err(format!("{:?} holds and nothing changes so: {}", change.region.condition(), show()));
            }
        }
        let sure =
            listed.iter().all(|at| probe.rules.contains_key(at) || found.changes[*at].region.conditions.is_empty());
        let covered = listed.iter().any(|at| within.contains(at) || found.changes[*at].region.conditions.is_empty());
        if !ways.is_empty() && !open && sure && !covered {
            return Err(format!("no region that is told has a change: {ways:?} {}", show()));
        }
    }
    Ok(differences)
}

#[test]
fn regions_of_pairs_are_what_their_conditions_say() {
    let mut faults = String::new();
    let (mut probed, mut unprobed, mut differences) = (0, 0, 0);
    for (path, text) in cases() {
        let (_, [old, new], _) = parts(&text);
        let houses = [House::of(&old), House::of(&new)];
        let found = compared(&houses, OPTIONS);
        let probe =
            match Probe::of(&new, &found.changes).or_else(|first| Probe::of(&old, &found.changes).map_err(|_| first)) {
                Ok(probe) => probe,
                Err(told) => {
                    let _ = writeln!(faults, "{}: a condition is no PDL: {told}", path.display());
                    continue;
                }
            };
        probed += probe.rules.len();
        unprobed +=
            found.changes.iter().filter(|change| change.region.condition().is_some()).count() - probe.rules.len();
        for (at, change) in found.changes.iter().enumerate().filter(|(at, _)| probe.rules.contains_key(at)) {
            if !change.witness.iter().any(|witness| probe.regions(witness).contains(&at)) {
                let _ =
                    writeln!(faults, "{}: {:?} does not hold of its witness", path.display(), change.region.conditions);
            }
        }
        let mut random = Random::new(text.len() as u64);
        let asked = requests(&houses[1].policy, &mut random, 12);
        // Where fields differ a request is one of one version only.
        let probe = found.schema.is_empty().then_some(&probe);
        if probe.is_some() {
            match against(&houses, &found, probe, &asked) {
                Ok(count) => differences += count,
                Err(told) => {
                    let _ = writeln!(faults, "{}: {told}", path.display());
                }
            }
        }
    }
    println!("{probed} conditions, {unprobed} not in the language, {differences} requests that differ");
    assert!(faults.is_empty(), "{faults}");
    assert!(probed > 150 && unprobed * 10 < probed && differences > 500);
}

#[test]
fn mutants_that_change_nothing_change_nothing() {
    let text = include_str!("../../examples/first/policy.pdl");
    let policy = House::of(text).policy;
    let own = (0..policy.modules.len() as u32).map(ModuleId).collect();
    let (mut same, mut other) = (0, 0);
    for mutant in mutants(&policy, &own) {
        let houses = [House::of(text), House::new(mutant.mutated(&policy)).expect("a mutant is a policy")];
        let found = compared(&houses, OPTIONS);
        let asked = requests(&policy, &mut Random::new(7), 30);
        if let Err(told) = against(&houses, &found, None, &asked) {
            panic!("{}: {told}", mutant.name);
        }
        *(if found.keeps_answers() { &mut same } else { &mut other }) += 1;
        assert_eq!(found.undecided, [], "{}", mutant.name);
    }
    assert!(other > 10, "{same} {other}");
}

/// A random change of a random program: what is said to be the same is the same for every request that is tried.
#[test]
fn random_changes_of_random_programs_are_told() {
    let (mut same, mut told, mut unknown, mut differences) = (0, 0, 0, 0);
    let mut faults = String::new();
    let (seed, cases) = (number("PDL_SEED", 1), number("PDL_CASES", 20));
    for seed in seed..seed + cases {
        let mut random = Random::new(seed);
        let mut sketch = Sketch::random(&mut random);
        let Ok((policy, _)) = sketch.settle() else { continue };
        let own = (0..policy.modules.len() as u32).map(ModuleId).collect();
        let all: Vec<_> = mutants(&policy, &own).into_iter().collect();
        for _ in 0..3.min(all.len()) {
            let mutant = random.pick(&all);
            let (Ok(old), Ok(new)) = (House::new(policy.clone()), House::new(mutant.mutated(&policy))) else {
                continue;
            };
            let houses = [old, new];
            let found = compared(&houses, Options { steps: 40_000, regions: 2, second: None });
            let asked = requests(&policy, &mut random, 8);
            match against(&houses, &found, None, &asked) {
                Ok(count) => differences += count,
                Err(fault) => {
                    let _ = writeln!(faults, "{seed} {}: {fault}\n{}", mutant.name, sketch.show());
                }
            }
            *(match (found.keeps_answers(), found.undecided.is_empty()) {
                (true, _) => &mut same,
                (_, true) => &mut told,
                _ => &mut unknown,
            }) += 1;
        }
    }
    println!("{same} the same, {told} told, {unknown} in part undecided; {differences} requests differ");
    assert!(faults.is_empty(), "{faults}");
    assert!(cases < 20 || same + told > 10 && differences > 0);
}

#[test]
fn random_programs_mean_what_they_answer() {
    let mut counts = [0; 3];
    let mut faults = String::new();
    let (seed, cases) = (number("PDL_SEED", 1), number("PDL_CASES", 60));
    for seed in seed..seed + cases {
        let mut sketch = Sketch::random(&mut Random::new(seed));
        let Ok((policy, _)) = sketch.settle() else { continue };
        let Ok(house) = House::new(policy) else { continue };
        match each_answer(&house, 40_000) {
            Ok(found) => (0..3).for_each(|at| counts[at] += found[at]),
            Err(told) => {
                let _ = writeln!(faults, "{seed}: {told}\n{}", sketch.show());
            }
        }
    }
    println!("{counts:?} found, proved, undecided");
    assert!(faults.is_empty(), "{faults}");
    assert!(cases < 60 || counts[0] > 100 && counts[1] > 20);
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().map_or(default, |text| text.parse().expect("a number"))
}

//! Every reason for which a decision is not replayed, each alone: it is counted as that and as nothing else, and never as
//! replayed.

use super::*;

/// What a log comes to, on any number of threads.
fn report(kernel: &Kernel) -> Report {
    let report = |threads| kernel.replay(&olga(), &options(threads), &mut |_| {}).expect("the store is there");
    let one = report(1);
    assert_eq!(one, report(3));
    let lost: u64 = one.not_replayed.values().sum();
    assert_eq!(one.same + one.different + lost, one.decisions);
    one
}

/// A log of everything in which every entry of a request is changed; how many these are, and what it comes to.
fn after(change: impl Fn(&mut Map<String, Value>)) -> (u64, Report) {
    let (kernel, _, decisions) = full("");
    let kernel = changed(kernel, |entry| {
        if is_asked(entry) {
            change(&mut entry.body);
        }
    });
    (decisions, report(&kernel))
}

fn alone(gap: Gap, number: u64) -> BTreeMap<Gap, u64> {
    BTreeMap::from([(gap, number)])
}

#[test]
fn what_another_policy_decided_is_not_known() {
    let (decisions, report) = after(|body| _ = body.insert("of".to_owned(), "elsewhere".into()));
    assert_eq!((&report.not_replayed, report.different), (&alone(Gap::Governing, decisions), 0));
    assert!(!report.is_sound() && !report.is_whole());
}

#[test]
fn what_names_no_version_has_none() {
    let (decisions, report) = after(|body| _ = body.remove("registry"));
    assert_eq!((&report.not_replayed, report.different), (&alone(Gap::Version, decisions), 0));
    assert!(report.findings[0].to_string().contains("it names none"), "{}", report.findings[0]);
    let (decisions, report) = after(|body| _ = body.insert("registry".to_owned(), 4_711.into()));
    assert_eq!((&report.not_replayed, report.is_sound()), (&alone(Gap::Version, decisions), false));
}

#[test]
fn what_was_done_to_the_kernel_needs_its_policy_and_its_operators() {
    let governed = |change: &dyn Fn(&mut Map<String, Value>)| {
        let (kernel, _, _) = full("");
        let number = acts(&kernel);
        let kernel = changed(kernel, |entry| {
            if entry.kind == Kind::Decision && !is_asked(entry) {
                change(&mut entry.body);
            }
        });
        (number, report(&kernel))
    };
    let other = Digest::of(b"another").to_string();
    let (number, report) = governed(&|body| _ = body.insert("bundle".to_owned(), other.clone().into()));
    assert_eq!((report.not_replayed, number > 0), (alone(Gap::Bundle, number), true));
    let (number, report) = governed(&|body| _ = body.insert("registry".to_owned(), 4_711.into()));
    assert_eq!(report.not_replayed, alone(Gap::Version, number));
    // A lie about it is found.
    let (number, report) = governed(&|body| _ = body.insert("codes".to_owned(), json!(["LIE"])));
    assert_eq!((report.different, report.not_replayed), (number, BTreeMap::new()));
}

#[test]
fn what_can_not_be_read_is_damaged_and_counts_as_a_decision() {
    let (decisions, one) = after(|body| _ = body.remove("facts"));
    // Those of which only was kept what was given have no facts of their own.
    let damaged = one.not_replayed[&Gap::Damaged];
    assert_eq!((one.not_replayed.len(), one.different, one.is_sound()), (1, 0, false));
    assert!(damaged > decisions / 2 && damaged < decisions, "{damaged} of {decisions}");
    let (decisions, one) = after(|body| {
        if let Some(request) = body.get_mut("request") {
            *request = json!({ "text": "{}", "texts": "{}" });
        }
    });
    assert_eq!((one.not_replayed, one.decisions >= decisions), (alone(Gap::Damaged, damaged), true));

    let damaged = |secret: &str, damage: &dyn Fn(&Kernel) -> Damage| {
        let (kernel, world, decisions) = full(secret);
        let damage = damage(&kernel);
        let mut store = kernel.close().expect("it is given back");
        let store = copied(&mut *store, |_| {}, |_, _| {});
        let one = report(&open(Counting(store, Arc::default(), Some(damage)), &world));
        assert_eq!((&one.not_replayed, one.different), (&alone(Gap::Damaged, 1), 0), "{damage:?}");
        assert_eq!((one.is_sound(), one.decisions >= decisions), (false, true));
        one
    };
    let third = |kernel: &Kernel| decided(kernel)[2].index;
    for (damage, why) in [(Damage::Cut as fn(u64) -> Damage, "not canonical"), (Damage::Entry, "an entry")] {
        let one = damaged("", &|kernel| damage(third(kernel)));
        let [Finding { id: None, outcome: Outcome::NotReplayed(lost), .. }] = &one.findings[..] else {
            panic!("{one:?}")
        };
        assert!(lost.why.contains(why), "{lost:?}");
    }
    // A content that is damaged was not erased.
    let hidden = |kernel: &Kernel| {
        let entries = decided(kernel);
        let digest = entries.iter().find_map(|entry| entry.body["rules"][0]["message"]["commitment"].as_str());
        Damage::Content(digest.and_then(Digest::parse).expect("something is hidden"))
    };
    assert!(matches!(damaged("@sensitive", &hidden).findings[..], [Finding { id: Some(_), .. }]));
}

#[test]
fn what_was_dropped_is_counted_apart_from_all_others() {
    let (kernel, _, _) = full("");
    let (whole, before) = (report(&kernel), decided(&kernel)[4].index);
    assert_eq!(kernel.read(move |tx| Ok(tx.drop_entries(before)?)), Ok(before));
    let rest = report(&kernel);
    assert_eq!((rest.dropped, rest.entries), (before, whole.entries - before));
    assert_eq!((rest.same, rest.decisions < whole.decisions), (rest.decisions, true));
    assert!(rest.is_sound() && !rest.is_whole() && whole.is_whole());
    let later = kernel.replay(&olga(), &Options { from: before, ..options(1) }, &mut |_| {}).expect("it can be read");
    assert_eq!((later.dropped, later.is_whole()), (0, true));
}

/// A desk whose files are governed.
const DESK: &str = r#"module desk
presented entity Agent {}

lifecycle State {
    open -> shut
    initial open
    final shut
}

record type File governed by State { title: String }

action file { subject: Agent  resource: File }
action read { subject: Agent  resource: File }

policy anything on file | read { allow everybody }
"#;

fn reading(resource: &str) -> Vec<u8> {
    format!(r#"{{"subject":{{"type":"Agent","id":"bot"}},"action":{{"name":"read"}},"resource":{resource}}}"#).into()
}

#[test]
fn what_was_denied_for_what_was_kept_has_to_come_of_something_that_may_have_been() {
    let world = World::new();
    let kernel = open(Memory::new(), &world);
    kernel.activate(&olga(), &bundle(DESK, ""), None).expect("it is activated");
    let asked = [
        // It is not there: who replays the log can't know.
        (r#"{"type":"File","id":"a"}"#, "unknown_entity"),
        // Whoever gives attributes is refused, whatever is there.
        (r#"{"type":"File","id":"a","properties":{"title":"x","status":"open"}}"#, "kernel_field"),
        // The machine itself refuses it.
        (r#"{"type":"File"}"#, "missing_field"),
    ];
    for (resource, code) in asked {
        let decision = kernel.decide(&agent(), &reading(resource), None).decision.expect("it is decided");
        let shown = decision.to_json();
        assert!(shown.contains(code), "{shown}");
    }
    let one = report(&kernel);
    assert_eq!((&one.not_replayed, one.different), (&alone(Gap::Kept, 1), 0), "{:?}", one.findings);
    assert!(one.is_sound() && !one.is_whole());
    // What no state of the kernel comes to is a lie.
    let mut kernel = kernel;
    for (from, to) in
        [("unknown_entity", "given_twice"), ("given_twice", "kernel_field"), ("kernel_field", "too_large")]
    {
        kernel = changed(kernel, |entry| {
            if is_asked(entry) && entry.body["error"]["code"] == from {
                entry.body["error"]["code"] = to.into();
            }
        });
        let lies = decided(&kernel).iter().filter(|entry| entry.body["error"]["code"] == to).count() as u64;
        let one = report(&kernel);
        assert!(one.different > 0 && one.different <= lies, "{from} {to}: {one:?}");
        assert_eq!((one.not_replayed.get(&Gap::Kept), one.is_sound()), (None, false), "{from} {to}");
    }
}

//! The outbox: what is announced leaves in order, at least once, and only if it became so.

use std::sync::Arc;

use pdl::data::duration::Duration;
use pdl::kernel::environment::Environment;
use pdl::kernel::outbox::OutboxEvent;
use pdl::kernel::records::change::Move;
use pdl::kernel::retain::Old;
use pdl::kernel::store::StoreError;
use pdl::kernel::store::sqlite::{Options, Sqlite};
use pdl::kernel::{Kernel, KernelError};

use super::super::house::{World, reader, settings, who};
use super::super::room::Room;
use super::{ENTITIES, PLAIN, SHOP, bundle, done, making, ready, refused, to};

fn names(events: &[OutboxEvent]) -> Vec<(u64, &str)> {
    events.iter().map(|event| (event.number, event.name.as_str())).collect()
}

fn waiting(kernel: &Kernel) -> Vec<OutboxEvent> {
    kernel.events(&reader(), Some(false), 0, 99).expect("the store is there")
}

#[test]
fn events_leave_in_order_once_they_are_durable() {
    let kernel = ready(&World::new());
    let made = making("r1", PLAIN).announcing("made", r#"{"n":1.50}"#).announcing("made twice", "null");
    done(&kernel, &[made, to("r1", "approved").announcing("approved", "{}")]);
    assert_eq!(names(&waiting(&kernel)), [(1, "made"), (2, "made twice"), (3, "approved")]);
    let mut taken = Vec::new();
    let delivery = kernel.deliver(&reader(), &mut |event| {
        taken.push(event.clone());
        // Whoever takes them may ask the kernel; also for other changes, whose events go out the next time.
        done(&kernel, &[making(&format!("of-{}", event.number), PLAIN).announcing("more", "{}")]);
        assert_eq!(kernel.deliver(&reader(), &mut |_| Ok::<_, String>(())), Err(KernelError::Delivering));
        Ok::<_, String>(())
    });
    assert_eq!(delivery.map(|delivery| (delivery.delivered, delivery.stopped)), Ok((3, None)));
    assert_eq!(names(&taken), [(1, "made"), (2, "made twice"), (3, "approved")]);
    let first = &taken[0];
    assert_eq!((first.payload.as_str(), first.ty.as_str(), first.id.as_str()), (r#"{"n":1.50}"#, "house.Refund", "r1"));
    let history = kernel.history(&reader(), "Refund", "r1", None, 9).expect("it is there");
    assert_eq!((&taken[2].entry, &first.entry), (&history[0].id, &history[1].id));
    assert_eq!(history[1].body["events"][1], serde_json::json!({ "name": "made twice", "number": 2 }));
    assert_eq!(names(&waiting(&kernel)), [(4, "more"), (5, "more"), (6, "more")]);
    // Who hands them out is somebody whose role it is, and so is who looks at them.
    for other in [who("Agent", "bot"), who("Person", "arthur")] {
        let delivery = kernel.deliver(&other, &mut |_| Ok::<_, String>(()));
        assert!(matches!(delivery, Err(KernelError::Forbidden(_))), "{delivery:?}");
    }
    assert!(matches!(kernel.events(&who("Agent", "bot"), None, 0, 1), Err(KernelError::Forbidden(_))));
    assert_eq!(names(&kernel.events(&reader(), Some(true), 1, 1).expect("it is there")), [(2, "made twice")]);
}

#[test]
fn events_that_were_delivered_and_are_old_are_removed() {
    let world = World::new();
    let kernel = ready(&world);
    done(&kernel, &[making("r1", PLAIN).announcing("made", "{}").announcing("made twice", "{}")]);
    world.turn(60);
    let tidy = |age| kernel.tidy(&reader(), Old::Events, Duration(age));
    assert_eq!(tidy(1), Ok(0), "they wait");
    kernel
        .deliver(&reader(), &mut |event| if event.number == 1 { Ok(()) } else { Err("not now") })
        .expect("it is there");
    assert_eq!(tidy(60_000), Ok(0), "they are too young");
    assert_eq!(tidy(59_999), Ok(1));
    assert_eq!(names(&kernel.events(&reader(), None, 0, 9).expect("it is there")), [(2, "made twice")]);
    // Numbers go on where they were.
    done(&kernel, &[to("r1", "approved").announcing("approved", "{}")]);
    assert_eq!(names(&waiting(&kernel)), [(2, "made twice"), (3, "approved")]);
}

#[test]
fn what_was_undone_announces_nothing() {
    let kernel = ready(&World::new());
    refused(&kernel, &[making("r1", PLAIN).announcing("made", "{}"), to("r1", "paid")]);
    assert_eq!(waiting(&kernel), []);
    // And takes no number.
    done(&kernel, &[making("r1", PLAIN).announcing("made", "{}")]);
    assert_eq!(names(&waiting(&kernel)), [(1, "made")]);
}

#[test]
fn one_that_can_not_be_delivered_keeps_the_others_waiting_and_is_seen() {
    let kernel = ready(&World::new());
    let events = ["a", "poison", "c"];
    done(&kernel, &[events.iter().fold(making("r1", PLAIN), |made, name| made.announcing(*name, "{}"))]);
    let mut taken = Vec::new();
    let mut deliver = |heals: bool| {
        let delivery = kernel.deliver(&reader(), &mut |event| {
            taken.push(event.number);
            if event.name == "poison" && !heals { Err("the receiver chokes".to_owned()) } else { Ok(()) }
        });
        delivery.expect("the store is there")
    };
    for attempts in 1..=3 {
        let delivery = deliver(false);
        let (event, why) = delivery.stopped.expect("it chokes");
        assert_eq!((event.number, event.attempts, why.as_str()), (2, attempts, "the receiver chokes"));
        let seen = &waiting(&kernel)[0];
        assert_eq!((seen.attempts, seen.trouble.as_deref()), (attempts, Some("the receiver chokes")));
        assert_eq!(names(&waiting(&kernel)), [(2, "poison"), (3, "c")]);
    }
    assert_eq!(deliver(true).delivered, 2);
    assert_eq!(taken, [1, 2, 2, 2, 2, 3]);
    assert_eq!(waiting(&kernel), []);
    let healed = &kernel.events(&reader(), None, 1, 1).expect("it is there")[0];
    assert_eq!((healed.delivered, healed.attempts, &healed.trouble), (true, 4, &None));
}

#[test]
fn what_can_not_be_announced_is_refused() {
    let kernel = ready(&World::new());
    let many = (0..65).fold(making("r1", PLAIN), |made: Move, _| made.announcing("a", "{}"));
    for (made, part) in [
        (making("r1", PLAIN).announcing("a", "{"), "no JSON"),
        (making("r1", PLAIN).announcing("", "{}"), "1 to 128 bytes"),
        (making("r1", PLAIN).announcing("n".repeat(129), "{}"), "1 to 128 bytes"),
        (making("r1", PLAIN).announcing("a", format!("\"{}\"", "x".repeat(65_536))), "at most 65536"),
        (many, "at most 64"),
    ] {
        let why = refused(&kernel, &[made]);
        assert!(why.starts_with("an event is refused: ") && why.contains(part), "{why}");
    }
    assert_eq!((waiting(&kernel), super::stored(&kernel, "r1")), (vec![], None));
}

/// The process ends between a delivery and that it is written down: the event is delivered again.
#[test]
fn what_ends_while_it_delivers_delivers_again() {
    let world = World::new();
    let room = Room::new();
    let path = room.path("kernel.db");
    let open = |store: Result<Sqlite, StoreError>| {
        let store = store.expect("it opens");
        let world: Arc<dyn Environment> = Arc::<World>::clone(&world);
        Kernel::open(Box::new(store), world, settings()).expect("it opens")
    };
    let kernel = open(Sqlite::create(&path, &Options::PLAIN));
    kernel.activate(&who("Person", "olga"), &bundle(SHOP), Some(ENTITIES)).expect("it is activated");
    done(&kernel, &[making("r1", PLAIN).announcing("a", "1").announcing("b", "2")]);
    let mut taken = Vec::new();
    // A panic is the end of whoever delivers: nothing behind it is run.
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        kernel.deliver(&reader(), &mut |event: &OutboxEvent| {
            taken.push(event.number);
            if event.number == 2 {
                panic!("the power is gone")
            }
            Ok::<_, String>(())
        })
    }));
    assert!(ended.is_err());
    drop(kernel);
    let kernel = open(Sqlite::open(&path, &Options::PLAIN));
    assert_eq!(names(&waiting(&kernel)), [(2, "b")]);
    let delivery = kernel.deliver(&reader(), &mut |event: &OutboxEvent| {
        taken.push(event.number);
        Ok::<_, String>(())
    });
    assert_eq!(delivery.map(|delivery| delivery.delivered), Ok(1));
    assert_eq!(taken, [1, 2, 2]);
    assert_eq!(kernel.events(&reader(), None, 1, 1).expect("it is there")[0].attempts, 2);
    assert_eq!(super::stored(&kernel, "r1").map(|record| record.status).as_deref(), Some("requested"));
}

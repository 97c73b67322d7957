//! What the stories have in common: a house in a file, that can be closed and opened in the middle of it.

use std::path::PathBuf;
use std::sync::Arc;

use pdl::Answer;
use pdl::kernel::ask::Verdict;
use pdl::kernel::environment::Environment;
use pdl::kernel::reading::Against;
use pdl::kernel::records::Record;
use pdl::kernel::records::change::{Changed, Move, Moved};
use pdl::kernel::replay::{self, Gap};
use pdl::kernel::store::sqlite::{Options, Sqlite};
use pdl::kernel::{Kernel, KernelError};
use serde_json::Value;

use super::super::house::{World, bundle, reader, settings, who};
use super::super::room::Room;

pub struct Story {
    pub world: Arc<World>,
    kernel: Option<Kernel>,
    path: PathBuf,
    // The folder goes last.
    _room: Room,
}

impl Story {
    pub fn new(house: &str, entities: &str) -> Story {
        let room = Room::new();
        let (world, path) = (World::new(), room.path("kernel.db"));
        let store = Sqlite::create(&path, &Options::PLAIN).expect("it can be made");
        let kernel = open(store, &world);
        kernel.activate(&who("Person", "olga"), &bundle(house), Some(entities.as_bytes())).expect("it is activated");
        Story { world, kernel: Some(kernel), path, _room: room }
    }

    pub fn kernel(&self) -> &Kernel {
        self.kernel.as_ref().expect("it is open")
    }

    /// The process ends, and another one begins.
    pub fn reopen(&mut self) {
        drop(self.kernel.take());
        self.kernel = Some(open(Sqlite::open(&self.path, &Options::PLAIN).expect("it is there"), &self.world));
    }

    pub fn change(&self, moves: &[Move]) -> Changed {
        self.kernel().change(&who("Agent", "a"), moves)
    }

    pub fn done(&self, moves: &[Move]) -> Vec<Moved> {
        match self.change(moves) {
            Changed::Done(moved) => moved,
            Changed::Undone { at, verdict } => panic!("move {at}: {:?} {:?}", verdict.trouble, verdict.decision),
        }
    }

    /// The codes for which policy denies it; nothing was done.
    pub fn denied(&self, moves: &[Move]) -> Vec<String> {
        let changed = self.change(moves);
        let verdict: &Verdict = changed.undone().expect("it is not done");
        assert_eq!((verdict.answer(), &verdict.permit, &verdict.trouble), (Answer::Deny, &None, &None));
        let decision = verdict.decision.as_ref().expect("it was decided");
        assert_eq!(decision.error, None);
        decision.codes.clone()
    }

    /// Why the kernel refuses what policy allows; nothing was done.
    pub fn refused(&self, moves: &[Move]) -> KernelError {
        let changed = self.change(moves);
        let verdict = changed.undone().expect("it is not done");
        assert_eq!((verdict.answer(), &verdict.decision), (Answer::Deny, &None));
        verdict.trouble.clone().expect("the kernel refuses it")
    }

    pub fn record(&self, ty: &str, id: &str) -> Option<Record> {
        self.kernel().record(&reader(), ty, id).expect("the store is there")
    }

    pub fn status(&self, ty: &str, id: &str) -> String {
        self.record(ty, id).expect("it is there").status
    }

    /// An attribute of a record.
    pub fn attribute(&self, ty: &str, id: &str, name: &str) -> Value {
        let properties = self.record(ty, id).expect("it is there").properties;
        serde_json::from_str::<Value>(&properties).expect("it is JSON")[name].clone()
    }

    /// Everything that was decided is decided in the same way again, but for so many requests that the kernel refused by
    /// what was kept before policy saw them; and the log is whole.
    pub fn end(self, refused: u64) {
        let asked = who("Person", "olga");
        let report = self.kernel().replay(&asked, &replay::Options::default(), &mut |_| ()).expect("it is there");
        let kept = report.not_replayed.get(&Gap::Kept).copied().unwrap_or_default();
        assert_eq!((report.same + kept, kept, report.different), (report.decisions, refused, 0), "{report:?}");
        let against = Against { known: &[], trusted: &[], threads: 1 };
        let report = self.kernel().verify_log(&asked, &against, &mut |_| ()).expect("it is there");
        assert!(report.is_sound(), "{report:?}");
    }
}

fn open(store: Sqlite, world: &Arc<World>) -> Kernel {
    let world: Arc<dyn Environment> = Arc::<World>::clone(world);
    Kernel::open(Box::new(store), world, settings()).expect("it opens")
}

/// A request on a record, of which no more is said than its name.
pub fn on(subject: &str, action: &str, (ty, id): (&str, &str), context: &str) -> String {
    format!(
        r#"{{"subject":{{"type":"{subject}","id":"a"}},"action":{{"name":"{action}"}},
        "resource":{{"type":"{ty}","id":"{id}"}},"context":{context}}}"#
    )
}

/// A request for a record that is to be made.
pub fn making(subject: &str, action: &str, (ty, id): (&str, &str), properties: &str, context: &str) -> Move {
    Move::create(format!(
        r#"{{"subject":{{"type":"{subject}","id":"a"}},"action":{{"name":"{action}"}},
        "resource":{{"type":"{ty}","id":"{id}","properties":{properties}}},"context":{context}}}"#
    ))
}

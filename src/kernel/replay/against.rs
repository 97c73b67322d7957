//! A log against another policy: what was asked is decided by another bundle, with the entities that were there then, and
//! whoever wants to know is shown both answers.
//!
//! ```text
//! log ─▶ rounds ─▶ the entities of each version, read with the other bundle ─▶ threads: decide, show ─▶ report
//! ```
//!
//! What neighbours may rely on:
//!
//! - All requests are shown but those that were erased, or denied by the kernel itself. These are counted, by reason.
//! - What was done to the kernel itself is decided by a policy of its own. It is passed over, and not counted.
//! - A request that the other bundle can't read is shown: it denies it, with kind `error`.
//! - Requests are shown in no order, and on many threads at once.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::again::{Room, read_asked};
use super::rounds::Reads;
use super::skim::{Look, Name};
use super::tally::{Tally, Task, Works};
use super::versions::Versions;
use super::{Finding, Gap, Lost, Options, Outcome, Progress, Report, work_all};
use crate::kernel::engine::{Active, Kernel};
use crate::kernel::error::KernelError;
use crate::kernel::govern::act::Act;
use crate::kernel::record::Principal;
use crate::vm::decide::{Answer, Kind};
use crate::vm::machine::{Decided, Machine, Question};

/// A decision as the log has it: what was asked, and what came of it.
#[derive(Clone, Copy, Debug)]
pub struct Logged<'e> {
    entry: Look<'e>,
    /// The request: a document that can be decided, with all that was hidden put back.
    pub request: &'e [u8],
    /// The facts of it, if there are any.
    pub facts: Option<&'e [u8]>,
    /// The version of the registry.
    pub registry: u64,
    /// What was answered.
    pub answer: Answer,
    /// Why.
    pub kind: Kind,
}

impl<'e> Logged<'e> {
    /// Where it stands in the log.
    #[must_use]
    pub fn index(&self) -> u64 {
        self.entry.at()
    }

    /// The id of its entry.
    #[must_use]
    pub fn id(&self) -> &'e str {
        self.entry.id()
    }

    /// Who asked, as canonical JSON.
    #[must_use]
    pub fn principal(&self) -> &'e str {
        self.entry.member(Name::Principal).unwrap_or_default()
    }

    /// What was done, where that was not what was answered: the name of an answer.
    #[must_use]
    pub fn enforced(&self) -> Option<&'e str> {
        self.entry.member(Name::Enforced).map(|text| text.trim_matches('"'))
    }

    /// The rules that determined it, as canonical JSON: a list of objects with `id`, `effect`, `code`, `message` and `at`.
    /// What is hidden of them is a commitment, and so are all of them where they were too long.
    #[must_use]
    pub fn rules(&self) -> &'e str {
        self.entry.member(Name::Rules).unwrap_or("[]")
    }

    /// Its gates, as canonical JSON: a list of objects with `id`, `from`, `quorum`, `within_ms`, `escalations` and `distinct`.
    #[must_use]
    pub fn gates(&self) -> &'e str {
        self.entry.member(Name::Gates).unwrap_or("[]")
    }

    /// Their codes, as canonical JSON: a list of texts.
    #[must_use]
    pub fn codes(&self) -> &'e str {
        self.entry.member(Name::Codes).unwrap_or("[]")
    }
}

impl Kernel {
    /// Decides everything that was asked in the log by another policy, and shows each decision with what that says to
    /// `look`. What `same` of the report counts are those with the same answer. See [`against`](self).
    ///
    /// # Errors
    /// [`KernelError::Forbidden`]; or the store can't be read. A version of the registry whose entities the other policy can't
    /// read is in the report, as [`Gap::Version`].
    pub fn replay_against(
        &self,
        who: &Principal,
        policy: &Arc<Machine>,
        options: &Options,
        look: &(dyn Fn(&Logged<'_>, &mut Decided<'_>) + Sync),
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Report, KernelError> {
        self.permit(who, Act::read_log(true))?;
        compared(self, policy, options, look, progress)
    }
}

/// The same of a log wherever it is read.
pub(super) fn compared(
    reads: &impl Reads,
    policy: &Arc<Machine>,
    options: &Options,
    look: &(dyn Fn(&Logged<'_>, &mut Decided<'_>) + Sync),
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, KernelError> {
    let mut whole = Tally::new(options.named_max);
    let mut workers: Vec<Compares<'_>> = (0..options.threads.get())
        .map(|_| Compares { tally: Tally::new(options.named_max), room: Room::default(), look })
        .collect();
    let versions = Versions::new(reads, Some(Arc::clone(policy)));
    let dropped = work_all(versions, options, &mut workers, &mut whole, progress)?;
    workers.into_iter().for_each(|worker| whole.add(worker.tally));
    Ok(Report { dropped, ..whole.report() })
}

struct Compares<'l> {
    tally: Tally,
    room: Room,
    look: &'l (dyn Fn(&Logged<'_>, &mut Decided<'_>) + Sync),
}

impl Works for Compares<'_> {
    fn work(&mut self, task: &Task) {
        let version = task.active();
        for entry in task.entries().filter(|entry| entry.member(Name::Of).is_none()) {
            let tried = catch_unwind(AssertUnwindSafe(|| self.compare(entry, &version, task)));
            let outcome = match tried {
                Ok(Ok(true)) => None,
                Ok(Ok(false)) => Some(Outcome::Different(vec![Name::Answer.text()])),
                Ok(Err(lost)) => Some(Outcome::NotReplayed(lost)),
                Err(_) => {
                    self.room = Room::default();
                    Some(Outcome::NotReplayed(Lost::new(Gap::Panicked, "")))
                }
            };
            let finding = |outcome| Finding { index: entry.at(), id: Some(entry.id().to_owned()), outcome };
            self.tally.count(outcome.map(finding));
        }
    }
}

impl Compares<'_> {
    /// Decides what was asked, and shows it. Whether the answer is the same.
    fn compare(&mut self, entry: Look<'_>, version: &Result<Arc<Active>, Lost>, task: &Task) -> Result<bool, Lost> {
        if entry.member(Name::Trouble).is_some() {
            return Err(Lost::new(Gap::Kernel, ""));
        }
        let active = version.as_ref().map_err(Clone::clone)?;
        let Room { scratch, request, facts, .. } = &mut self.room;
        let (request, facts) = read_asked(entry, &task.contents, request, facts)?;
        let said = |name: Name| entry.member(name).map(|text| text.trim_matches('"')).unwrap_or_default();
        let (Some(answer), Some(kind)) = (Answer::of_name(said(Name::Answer)), Kind::of_name(said(Name::Kind))) else {
            return Err(Lost::new(Gap::Damaged, "there is no such answer"));
        };
        let logged = Logged { entry, request, facts, registry: active.registry, answer, kind };
        let question = Question { facts, ..Question::strict(request) };
        let mut decided = active.machine.decide_with(Arc::clone(&active.store), question, scratch);
        let is_same = decided.answer() == answer;
        (self.look)(&logged, &mut decided);
        Ok(is_same)
    }
}

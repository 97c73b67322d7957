//! What becomes of a permit: the steps that there are, and no others.

use std::fmt;

use crate::base::hash::Digest;
use crate::data::timestamp::Timestamp;

/// What has become of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PermitState {
    /// Nobody has used it.
    Issued,
    /// What it permits runs.
    Started,
    /// It ran.
    Completed,
    /// It ran and failed.
    Failed,
    /// It was started, and nobody said in time how it ended.
    Abandoned,
    /// Nobody used it in time.
    Expired,
}

impl PermitState {
    /// All of them.
    pub const ALL: [PermitState; 6] = [
        PermitState::Issued,
        PermitState::Started,
        PermitState::Completed,
        PermitState::Failed,
        PermitState::Abandoned,
        PermitState::Expired,
    ];

    /// The name in the store.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            PermitState::Issued => "issued",
            PermitState::Started => "started",
            PermitState::Completed => "completed",
            PermitState::Failed => "failed",
            PermitState::Abandoned => "abandoned",
            PermitState::Expired => "expired",
        }
    }

    /// The state of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<PermitState> {
        PermitState::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether nothing more becomes of it.
    #[must_use]
    pub fn is_final(self) -> bool {
        !matches!(self, PermitState::Issued | PermitState::Started)
    }
}

/// What is to become of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Somebody is about to run the request of this binding.
    Start(Digest),
    /// It ran.
    Complete,
    /// It ran and failed.
    Fail,
    /// Its time is over: nobody used it, or nobody said how it ended.
    TimeOut,
}

/// Why a step can't be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepRefused {
    /// It was used before.
    Used,
    /// Its time was over before it was used.
    Expired,
    /// It is for another request.
    OtherRequest,
    /// Nothing runs that could end.
    NotStarted,
    /// It has ended already.
    Ended,
    /// Its time is not over.
    NotYet,
}

impl fmt::Display for StepRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            StepRefused::Used => "the permit was used before",
            StepRefused::Expired => "the permit has expired",
            StepRefused::OtherRequest => "the permit is for another request",
            StepRefused::NotStarted => "nothing was started with the permit",
            StepRefused::Ended => "what the permit was for has ended already",
            StepRefused::NotYet => "the permit's time is not over",
        })
    }
}

impl std::error::Error for StepRefused {}

/// How a permit stands: what has become of it, what it is for, and when its time is over. Until it is started that is when
/// it expires, and from then on when whoever runs it has to have said how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What has become of it.
    pub state: PermitState,
    /// The request that it is for.
    pub binding: Digest,
    /// When its time is over.
    pub due: Timestamp,
}

impl Standing {
    /// The state that a step leads to.
    ///
    /// # Errors
    /// Why there is no such step.
    pub fn step(self, step: Step, now: Timestamp) -> Result<PermitState, StepRefused> {
        let is_over = now >= self.due;
        match (step, self.state) {
            (Step::Start(_), PermitState::Expired) => Err(StepRefused::Expired),
            // Whether it is for this request is nobody's business who comes with one that was used.
            (Step::Start(_), state) if state != PermitState::Issued => Err(StepRefused::Used),
            (Step::Start(_), _) if is_over => Err(StepRefused::Expired),
            (Step::Start(binding), _) if binding != self.binding => Err(StepRefused::OtherRequest),
            (Step::Start(_), _) => Ok(PermitState::Started),
            // Whoever is late says how it ended all the same: better late than never known.
            (Step::Complete, PermitState::Started) => Ok(PermitState::Completed),
            (Step::Fail, PermitState::Started) => Ok(PermitState::Failed),
            (Step::Complete | Step::Fail, PermitState::Issued | PermitState::Expired) => Err(StepRefused::NotStarted),
            (Step::Complete | Step::Fail, _) => Err(StepRefused::Ended),
            (Step::TimeOut, state) if state.is_final() => Err(StepRefused::Ended),
            (Step::TimeOut, _) if !is_over => Err(StepRefused::NotYet),
            (Step::TimeOut, PermitState::Issued) => Ok(PermitState::Expired),
            (Step::TimeOut, _) => Ok(PermitState::Abandoned),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EARLY: &str = "2026-11-20T10:00:00Z";
    const DUE: &str = "2026-11-20T10:05:00Z";

    fn step(state: PermitState, step: Step, now: &str) -> Result<PermitState, StepRefused> {
        let at = |time| Timestamp::parse(time).expect("it is a time");
        Standing { state, binding: Digest::of(b"this"), due: at(DUE) }.step(step, at(now))
    }

    #[test]
    fn every_step_from_every_state() {
        use PermitState::{Abandoned, Completed, Expired, Failed, Issued, Started};
        use StepRefused::{Ended, NotStarted, NotYet, OtherRequest, Used};
        let start = Step::Start(Digest::of(b"this"));
        let other = Step::Start(Digest::of(b"that"));
        let refused = |why| (Err(why), Err(why));
        // In time, and too late.
        let expected = [
            (Issued, start, (Ok(Started), Err(StepRefused::Expired))),
            (Issued, other, (Err(OtherRequest), Err(StepRefused::Expired))),
            (Issued, Step::Complete, refused(NotStarted)),
            (Issued, Step::Fail, refused(NotStarted)),
            (Issued, Step::TimeOut, (Err(NotYet), Ok(Expired))),
            (Started, start, refused(Used)),
            (Started, other, refused(Used)),
            (Started, Step::Complete, (Ok(Completed), Ok(Completed))),
            (Started, Step::Fail, (Ok(Failed), Ok(Failed))),
            (Started, Step::TimeOut, (Err(NotYet), Ok(Abandoned))),
            (Expired, start, refused(StepRefused::Expired)),
            (Expired, Step::Complete, refused(NotStarted)),
            (Expired, Step::Fail, refused(NotStarted)),
            (Expired, Step::TimeOut, refused(Ended)),
        ];
        for (state, taken, (in_time, late)) in expected {
            assert_eq!(step(state, taken, EARLY), in_time, "{state:?} {taken:?}");
            assert_eq!(step(state, taken, DUE), late, "{state:?} {taken:?}, late");
        }
        for state in [Completed, Failed, Abandoned] {
            for now in [EARLY, DUE] {
                assert_eq!(step(state, start, now), Err(Used));
                for taken in [Step::Complete, Step::Fail, Step::TimeOut] {
                    assert_eq!(step(state, taken, now), Err(Ended), "{state:?} {taken:?}");
                }
            }
        }
    }

    #[test]
    fn names_come_back() {
        for state in PermitState::ALL {
            assert_eq!(PermitState::parse(state.name()), Some(state));
        }
        assert_eq!(PermitState::parse("used"), None);
    }
}

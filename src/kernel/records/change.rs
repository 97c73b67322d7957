//! Changing governed records: several moves, all of them or none.
//!
//! A move is a request that policy decides, with what it does to the record that is its resource. In one transaction the
//! moves are done one after the other, and each sees what those before it did. The first that is not allowed, or that the
//! kernel refuses, ends it: everything is undone, and only what was decided of that one is in the log, and that it was in a
//! transaction that was undone. What was decided of the others nobody hears of.
//!
//! Where people have to agree they are asked as for any request; to ask for the same again once they have is to spend it.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::refused::RecordRefused;
use super::write::write;
use super::{Record, facts};
use crate::base::limits::{EVENT_NAME_BYTES_MAX, MOVES_MAX, OPEN_ATTRIBUTES_MAX, TROUBLE_CHARACTERS_MAX};
use crate::kernel::admit::{Concluded, Judged, Wanted, conclude, judge_in, judge_plain};
use crate::kernel::ask::{Peek, Verdict, peek};
use crate::kernel::engine::{Active, Kernel, Shared};
use crate::kernel::entry::Kind;
use crate::kernel::error::KernelError;
use crate::kernel::gate::Effects;
use crate::kernel::log::append::Event;
use crate::kernel::log::commitment::Sealed;
use crate::kernel::outbox::{self, Announcement};
use crate::kernel::present::Given;
use crate::kernel::record::Principal;
use crate::kernel::store::{StoreError, Tx};
use crate::vm::decide::Answer;

/// What happens to a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is made: the attributes and the status of the request's resource are what is proposed. The status is an initial
    /// one.
    Create,
    /// It is changed. Its status becomes what the request has as `to`, where its action has such a field of the record's
    /// lifecycle, and else stays as it is.
    ///
    /// What else is set is, like facts, what the embedder says and not who asks: a JSON object of attributes, `null` where
    /// one is to be absent from now on. The others stay. Where people have to agree, they agree to it, too.
    Step {
        /// The object; `{}` sets nothing.
        set: String,
        /// Attributes of which nobody knows before people have agreed what they will be: who has, and when. People are shown
        /// these names, and agree that anything is set there.
        open: Vec<String>,
    },
}

/// One change of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// What is asked. The resource is the record, of which no more than type and id is said, unless it is to be made.
    pub request: Vec<u8>,
    /// What the embedder knows, as of [`Kernel::decide`]. Records are named by type and id here, too. The fact `evidence`,
    /// where the action has one, is the kernel's: what the evidence is known by.
    pub facts: Option<Vec<u8>>,
    /// What happens to the record if it is allowed.
    pub change: Change,
    /// What shows that it is right: a text of JSON. It is kept with a salt, and known by the digest of both.
    pub evidence: Option<String>,
    /// What is told once all is durable.
    pub events: Vec<Announcement>,
}

impl Move {
    /// A record that is to be made.
    #[must_use]
    pub fn create(request: impl Into<Vec<u8>>) -> Move {
        Move { request: request.into(), facts: None, change: Change::Create, evidence: None, events: Vec::new() }
    }

    /// A step, or something that is recorded.
    #[must_use]
    pub fn step(request: impl Into<Vec<u8>>, set: impl Into<String>) -> Move {
        let change = Change::Step { set: set.into(), open: Vec::new() };
        Move { request: request.into(), facts: None, change, evidence: None, events: Vec::new() }
    }

    /// The same, with facts.
    #[must_use]
    pub fn knowing(mut self, facts: impl Into<Vec<u8>>) -> Move {
        self.facts = Some(facts.into());
        self
    }

    /// The same, with evidence.
    #[must_use]
    pub fn proving(mut self, evidence: impl Into<String>) -> Move {
        self.evidence = Some(evidence.into());
        self
    }

    /// The same; of this attribute people agree to whatever is set once they have agreed. Of a record that is to be made
    /// everything is known.
    #[must_use]
    pub fn leaving_open(mut self, attribute: impl Into<String>) -> Move {
        if let Change::Step { open, .. } = &mut self.change {
            open.push(attribute.into());
        }
        self
    }

    /// The same, with one more event.
    #[must_use]
    pub fn announcing(mut self, name: impl Into<String>, payload: impl Into<String>) -> Move {
        self.events.push(Announcement { name: name.into(), payload: payload.into() });
        self
    }
}

/// A move that was made.
#[derive(Clone, Debug, PartialEq)]
pub struct Moved {
    /// The answer, ALLOW. No permit comes with it: what was asked for is done. Obligations are for who asked to fulfil.
    pub verdict: Verdict,
    /// The record, as it is by then.
    pub record: Record,
    /// The numbers of its events.
    pub events: Vec<u64>,
}

/// What became of some moves.
#[derive(Clone, Debug, PartialEq)]
pub enum Changed {
    /// All were made.
    Done(Vec<Moved>),
    /// None was.
    Undone {
        /// Which one it was that could not be made, from 0.
        at: usize,
        /// The answer to it; never ALLOW.
        verdict: Box<Verdict>,
    },
}

impl Changed {
    /// The answer to all of it.
    #[must_use]
    pub fn answer(&self) -> Answer {
        match self {
            Changed::Done(_) => Answer::Allow,
            Changed::Undone { verdict, .. } => verdict.answer(),
        }
    }

    /// What was made, if it was.
    #[must_use]
    pub fn done(&self) -> Option<&[Moved]> {
        match self {
            Changed::Done(moved) => Some(moved),
            Changed::Undone { .. } => None,
        }
    }

    /// The answer that stopped it, if one did.
    #[must_use]
    pub fn undone(&self) -> Option<&Verdict> {
        match self {
            Changed::Done(_) => None,
            Changed::Undone { verdict, .. } => Some(verdict),
        }
    }
}

/// What stops a transaction.
enum Stop {
    /// An answer that is not ALLOW.
    Answered(Box<Judged>),
    /// It was allowed, and the kernel refuses it.
    Refused(Box<Judged>, KernelError),
    /// There is no answer.
    Failed(KernelError),
}

impl From<KernelError> for Stop {
    fn from(error: KernelError) -> Stop {
        Stop::Failed(error)
    }
}

impl Kernel {
    /// Changes governed records: makes every one of the moves, in order, or none of them. It is durable when this returns.
    #[must_use]
    pub fn change(&self, who: &Principal, moves: &[Move]) -> Changed {
        let changed = catch_unwind(AssertUnwindSafe(|| self.change_all(who, moves)));
        changed.unwrap_or(Err(KernelError::Panicked)).unwrap_or_else(|trouble| {
            let verdict = Box::new(self.deny(who, trouble));
            Changed::Undone { at: 0, verdict }
        })
    }

    fn change_all(&self, who: &Principal, moves: &[Move]) -> Result<Changed, KernelError> {
        if moves.is_empty() || moves.len() > MOVES_MAX {
            return Err(RecordRefused::Moves(moves.len()).into());
        }
        let (active, shared) = (self.active()?, Arc::clone(&self.shared));
        let moves: Vec<Asked> = moves
            .iter()
            .map(|one| {
                let sealed = facts::sealed(one, &*shared.environment)?;
                let wanted = wanted(&active, who, one, sealed.as_ref())?;
                Ok(Asked { one: one.clone(), wanted, sealed })
            })
            .collect::<Result<_, KernelError>>()?;
        self.writer.submit(move |tx| change_in(tx, &shared, &active, &moves))
    }
}

/// A move, what it asks, and its evidence.
struct Asked {
    one: Move,
    wanted: Wanted,
    sealed: Option<Sealed>,
}

/// What a move asks, with what the kernel knows of it.
fn wanted(active: &Active, who: &Principal, one: &Move, sealed: Option<&Sealed>) -> Result<Wanted, KernelError> {
    outbox::check(&one.events)?;
    let (set, open) = match &one.change {
        Change::Create => (None, &[][..]),
        Change::Step { set, open } => (Some(&**set), &open[..]),
    };
    if open.len() > OPEN_ATTRIBUTES_MAX || open.iter().any(|name| name.len() > EVENT_NAME_BYTES_MAX) {
        let why = format!("at most {OPEN_ATTRIBUTES_MAX} can be left open, by names of {EVENT_NAME_BYTES_MAX} bytes");
        return Err(RecordRefused::Attributes(why).into());
    }
    Ok(Wanted {
        who: who.clone(),
        request: one.request.clone(),
        facts: facts::with_evidence(active, one, sealed)?,
        gate: None,
        given: if one.change == Change::Create { Given::Proposed } else { Given::Refused },
        effects: Effects::of(set, open, &one.events),
        // A policy is tried on what others do. What the kernel keeps is changed only if it is allowed.
        modes: Arc::default(),
    })
}

fn change_in(tx: &mut dyn Tx, shared: &Shared, active: &Arc<Active>, moves: &[Asked]) -> Result<Changed, KernelError> {
    let (mut done, mut stopped) = (Vec::new(), None);
    let part = tx.part(&mut |tx| {
        for (at, asked) in moves.iter().enumerate() {
            match make(tx, shared, active, asked) {
                Ok(moved) => done.push(moved),
                Err(stop) => {
                    stopped = Some((at, stop));
                    return Err(StoreError::Refused);
                }
            }
        }
        Ok(())
    });
    match (part, stopped) {
        (Ok(()), None) => Ok(Changed::Done(done)),
        (Err(StoreError::Refused), Some((at, stop))) => {
            let wanted = moves.get(at).map(|asked| &asked.wanted).ok_or(KernelError::Panicked)?;
            let verdict = Box::new(tell(tx, shared, active, wanted, (at, moves.len()), stop)?);
            Ok(Changed::Undone { at, verdict })
        }
        (Err(error), _) => Err(error.into()),
        (Ok(()), Some(_)) => Err(KernelError::Panicked),
    }
}

fn make(tx: &mut dyn Tx, shared: &Shared, active: &Arc<Active>, asked: &Asked) -> Result<Moved, Stop> {
    let Asked { one, wanted, sealed } = asked;
    let judged = match peek(active, &wanted.request) {
        Peek::Kept(touched) => judge_in(tx, active, shared, &touched, wanted)?,
        Peek::Plain { clock } => judge_plain(active, shared, clock, wanted)?,
    };
    let again = judged.clone();
    let mut refused = None;
    let concluded = conclude(tx, shared, active, wanted, judged, |tx, allowed| {
        write(tx, shared, allowed, &wanted.who, (one, sealed.as_ref())).inspect_err(|why| refused = Some(why.clone()))
    });
    if let Some(why) = refused {
        return Err(Stop::Refused(again, why));
    }
    let (verdict, written) = Verdict::of(concluded?);
    match written {
        Some((record, events)) => Ok(Moved { verdict, record, events }),
        None => Err(Stop::Answered(again)),
    }
}

/// Writes down what was decided of the move that stopped a transaction, once that is undone.
fn tell(
    tx: &mut dyn Tx,
    shared: &Shared,
    active: &Arc<Active>,
    wanted: &Wanted,
    (at, of): (usize, usize),
    stop: Stop,
) -> Result<Verdict, KernelError> {
    let (verdict, why) = match stop {
        Stop::Failed(error) => return Err(error),
        Stop::Answered(judged) => {
            let concluded: Concluded<()> =
                conclude(tx, shared, active, wanted, judged, |_, _| Err(RecordRefused::UsedUp.into()))?;
            (Verdict::of(concluded).0, None)
        }
        Stop::Refused(judged, why) => {
            let entry = judged.overruled(tx, shared, &wanted.who)?;
            (Verdict::denied(Some(entry), why.clone()), Some(why))
        }
    };
    // An answer to one request says all there is to say.
    if of > 1 || why.is_some() {
        let mut body = Map::new();
        for (name, number) in [("move", at), ("moves", of)] {
            body.insert(name.to_owned(), json!(number));
        }
        body.insert("principal".to_owned(), wanted.who.to_json());
        if let Some(why) = why {
            body.insert("trouble".to_owned(), Value::String(told(&why)));
        }
        let mut event = Event::new(Kind::RecordRefused, body);
        if let Some(entry) = &verdict.entry {
            event = event.link("decision", entry);
        }
        if event.body.contains_key("trouble") {
            event.sensitive.push("/trouble".to_owned());
        }
        shared.log.append(tx, &*shared.environment, event)?;
    }
    Ok(verdict)
}

fn told(why: &KernelError) -> String {
    why.to_string().chars().take(TROUBLE_CHARACTERS_MAX).collect()
}

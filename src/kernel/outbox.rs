//! The outbox: events that are written with what they tell of and leave when that is durable.
//!
//! What neighbours may rely on:
//!
//! - An event is stored in the transaction of its change. What was undone announces nothing.
//! - Events have numbers, from 1, in the order of their transactions, and leave in that order: one that can't be delivered
//!   keeps all behind it waiting, and is seen by [`Kernel::events`] with how often it was tried and why it failed.
//! - Each is delivered at least once. Whoever takes them knows by the number what they had before.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use std::fmt;
use std::sync::TryLockError;

use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};

use super::engine::{Kernel, Shared, put};
use super::error::KernelError;
use super::govern::act::Act;
use super::record::Principal;
use super::records::refused::RecordRefused;
use super::registry::text;
use super::store::{Object, Query, Tx};
use crate::base::limits::{EVENT_BYTES_MAX, EVENT_NAME_BYTES_MAX, EVENTS_MAX, PAGE_MAX, TROUBLE_CHARACTERS_MAX};
use crate::data::timestamp::Timestamp;

pub(super) const KIND: &str = "event";
/// What they are called where somebody wants to look at them.
const EVENTS: &str = "events";
/// What counts them.
const COUNTER: &str = "outbox";
const PENDING: &str = "pending";
const DELIVERED: &str = "delivered";

/// Something to be told once a change is durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// What sort of thing happened: `run.completed`.
    pub name: String,
    /// What there is to say of it: a text of JSON.
    pub payload: String,
}

/// An event of the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxEvent {
    /// Its number, from 1.
    pub number: u64,
    /// What sort of thing happened.
    pub name: String,
    /// What there is to say of it: a text of JSON, as it was given.
    pub payload: String,
    /// The qualified type of the record that it tells of.
    pub ty: String,
    /// The id of that record.
    pub id: String,
    /// The entry of the log that says what became of that record.
    pub entry: String,
    /// When it was written.
    pub time: Timestamp,
    /// Whether it was delivered.
    pub delivered: bool,
    /// How often delivery was begun.
    pub attempts: u64,
    /// Why the last attempt failed.
    pub trouble: Option<String>,
}

/// What a delivery came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery<E> {
    /// How many were delivered.
    pub delivered: u64,
    /// The one that could not be, if that is why it stopped, and why.
    pub stopped: Option<(OutboxEvent, E)>,
}

/// Refuses what can't be announced.
pub(super) fn check(announcements: &[Announcement]) -> Result<(), RecordRefused> {
    let refused = |why: String| Err(RecordRefused::Event(why));
    if announcements.len() > EVENTS_MAX {
        return refused(format!("there are {}, and at most {EVENTS_MAX} can be announced", announcements.len()));
    }
    for Announcement { name, payload } in announcements {
        if name.is_empty() || name.len() > EVENT_NAME_BYTES_MAX {
            return refused(format!("its name has 1 to {EVENT_NAME_BYTES_MAX} bytes, not {}", name.len()));
        }
        if payload.len() > EVENT_BYTES_MAX {
            return refused(format!("it has {} bytes, and at most {EVENT_BYTES_MAX} can be told", payload.len()));
        }
        if let Err(why) = serde_json::from_str::<IgnoredAny>(payload) {
            return refused(format!("it is no JSON: {why}"));
        }
    }
    Ok(())
}

/// Takes so many numbers. Gives the first of them.
pub(super) fn reserve(tx: &mut dyn Tx, count: usize) -> Result<u64, KernelError> {
    let (version, next) = counter(tx)?;
    if count > 0 {
        let count = u64::try_from(count).map_err(|_| damaged(COUNTER))?;
        let next = next.checked_add(count).ok_or_else(|| damaged(COUNTER))?;
        put(tx, COUNTER, "next", version, "", None, &json!({ "next": next }))?;
    }
    Ok(next)
}

fn counter(tx: &mut dyn Tx) -> Result<(u64, u64), KernelError> {
    let Some(object) = tx.get(COUNTER, "next")? else { return Ok((0, 1)) };
    let body: Option<Value> = serde_json::from_slice(&object.body).ok();
    let next = body.as_ref().and_then(|body| body.get("next")?.as_u64());
    Ok((object.version, next.ok_or_else(|| damaged(COUNTER))?))
}

/// Stores an event.
pub(super) fn write(tx: &mut dyn Tx, event: &OutboxEvent) -> Result<(), KernelError> {
    store(tx, 0, event)
}

fn store(tx: &mut dyn Tx, version: u64, event: &OutboxEvent) -> Result<(), KernelError> {
    let mut body = json!({
        "name": event.name, "payload": event.payload, "type": event.ty, "id": event.id, "entry": event.entry,
        "time": event.time.to_string(), "attempts": event.attempts,
    });
    if let (Value::Object(body), Some(trouble)) = (&mut body, &event.trouble) {
        body.insert("trouble".to_owned(), trouble.clone().into());
    }
    let state = if event.delivered { DELIVERED } else { PENDING };
    put(tx, KIND, &key(event.number), version, state, None, &body)
}

fn read(object: &Object) -> Result<OutboxEvent, KernelError> {
    let read = || {
        let body: Map<String, Value> = serde_json::from_slice(&object.body).ok()?;
        let member = |name: &str| text(&body, name).map(str::to_owned);
        Some(OutboxEvent {
            number: object.key.parse().ok()?,
            name: member("name")?,
            payload: member("payload")?,
            ty: member("type")?,
            id: member("id")?,
            entry: member("entry")?,
            time: Timestamp::parse(text(&body, "time")?).ok()?,
            delivered: match object.state.as_str() {
                DELIVERED => true,
                PENDING => false,
                _ => return None,
            },
            attempts: body.get("attempts")?.as_u64()?,
            trouble: member("trouble"),
        })
    };
    read().ok_or_else(|| damaged(&object.key))
}

/// Since when an event is there, and whether it is over.
pub(super) fn age(object: &Object) -> Result<(Timestamp, bool), KernelError> {
    let event = read(object)?;
    Ok((event.time, event.delivered))
}

fn key(number: u64) -> String {
    format!("{number:020}")
}

fn damaged(key: &str) -> KernelError {
    KernelError::Damaged(format!("the event {key}"))
}

impl Kernel {
    /// Delivers the events that wait, in order, until there is none of those that there were when this was called, or one
    /// can't be delivered. An attempt is recorded before it is made, and an event is delivered once `to` has returned `Ok`:
    /// if the process ends between the two, it is delivered again.
    ///
    /// `to` may ask the kernel for anything but another delivery.
    ///
    /// # Errors
    /// [`KernelError::Forbidden`], the store failed, or events are being delivered already.
    pub fn deliver<E: fmt::Display>(
        &self,
        who: &Principal,
        to: &mut impl FnMut(&OutboxEvent) -> Result<(), E>,
    ) -> Result<Delivery<E>, KernelError> {
        // Asked again and again, and mostly for nothing.
        self.permit_quietly(who, Act::deliver())?;
        let _one = match self.delivery.try_lock() {
            Ok(lock) => lock,
            Err(TryLockError::Poisoned(lock)) => lock.into_inner(),
            Err(TryLockError::WouldBlock) => return Err(KernelError::Delivering),
        };
        let (_, end) = self.read(|tx| counter(tx))?;
        let mut delivered: u64 = 0;
        let mut event = self.next_event(None, end)?;
        while let Some(trying) = event {
            if let Err(why) = to(&trying) {
                let trouble = why.to_string().chars().take(TROUBLE_CHARACTERS_MAX).collect();
                let mut stopped = trying;
                stopped.trouble = Some(trouble);
                self.mark(stopped.clone())?;
                return Ok(Delivery { delivered, stopped: Some((stopped, why)) });
            }
            delivered = delivered.saturating_add(1);
            event = self.next_event(Some(trying), end)?;
        }
        Ok(Delivery { delivered, stopped: None })
    }

    /// Writes down that an event was delivered, and that the next one is tried.
    fn next_event(&self, done: Option<OutboxEvent>, end: u64) -> Result<Option<OutboxEvent>, KernelError> {
        self.writer.submit(move |tx| {
            if let Some(done) = done {
                change(tx, &OutboxEvent { delivered: true, trouble: None, ..done })?;
            }
            let (kind, state) = (KIND.to_owned(), Some(PENDING.to_owned()));
            let found = tx.find(&Query { kind, state, due_until_ms: None, after: None, limit: 1 })?;
            let Some(object) = found.first() else { return Ok(None) };
            let mut event = read(object)?;
            if event.number >= end {
                return Ok(None);
            }
            event.attempts = event.attempts.checked_add(1).ok_or_else(|| damaged(&object.key))?;
            store(tx, object.version, &event)?;
            Ok(Some(event))
        })
    }

    fn mark(&self, event: OutboxEvent) -> Result<(), KernelError> {
        self.writer.submit(move |tx| change(tx, &event))
    }

    /// Events in their order, behind a number: all of them, or those that were delivered or were not. At most
    /// [`PAGE_MAX`].
    ///
    /// # Errors
    /// [`KernelError::Forbidden`], or the store can't be read.
    pub fn events(
        &self,
        who: &Principal,
        delivered: Option<bool>,
        after: u64,
        limit: u32,
    ) -> Result<Vec<OutboxEvent>, KernelError> {
        let state = delivered.map(|delivered| if delivered { DELIVERED } else { PENDING }.to_owned());
        let (kind, after, limit) = (KIND.to_owned(), Some(key(after)), limit.min(PAGE_MAX));
        let query = Query { kind, state, due_until_ms: None, after, limit };
        self.look_at_all(who, EVENTS, move |tx, _| tx.find(&query)?.iter().map(read).collect())
    }
}

fn change(tx: &mut dyn Tx, event: &OutboxEvent) -> Result<(), KernelError> {
    let key = key(event.number);
    let object = tx.get(KIND, &key)?.ok_or_else(|| damaged(&key))?;
    store(tx, object.version, event)
}

/// The events of a change, with their numbers.
pub(super) fn numbered(
    tx: &mut dyn Tx,
    shared: &Shared,
    announcements: &[Announcement],
    (ty, id): (&str, &str),
) -> Result<Vec<OutboxEvent>, KernelError> {
    let first = reserve(tx, announcements.len())?;
    let time = shared.environment.now();
    let numbers = first..=u64::MAX;
    let of = |(number, announcement): (u64, &Announcement)| OutboxEvent {
        number,
        name: announcement.name.clone(),
        payload: announcement.payload.clone(),
        ty: ty.to_owned(),
        id: id.to_owned(),
        entry: String::new(),
        time,
        delivered: false,
        attempts: 0,
        trouble: None,
    };
    Ok(numbers.zip(announcements).map(of).collect())
}

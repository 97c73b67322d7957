//! What was asked once, decided by another policy: which answers flip, in which direction, by which rules, and for whom.
//!
//! What neighbours may rely on:
//!
//! - A [`Judge`] decides rows with a new policy and holds the answers against those that the rows have, or against an older
//!   policy's. What can't be decided or compared is counted apart, with its reason, and never as the same.
//! - It knows lines, not files or threads: each thread has a [`Room`] and a [`Tally`] of its own, and tallies that are added
//!   up say the same in whatever order and parts the rows were judged.
//! - Where nothing flips nothing is allocated: answers alone are computed, and reasons only for what has flipped.
//!
//! ```
//! use pdl::build::{Sources, build};
//! use pdl::replay::{Change, Judge, Room, Side, Tally};
//! use pdl::{LoadOptions, Machine};
//!
//! let policy = |rule: &str| {
//!     let text = format!("module gate\npresented entity Agent {{ level: Int in 0..=9 }}\npresented entity Door {{}}\n\
//!         action open {{ subject: Agent resource: Door }}\npolicy doors on open {{ allow trusted when {rule} }}\n");
//!     build(&Sources { package: "gate", version: "1.0.0", files: &[("gate.pdl", &text)] })
//! };
//! let old = Machine::load(&policy("subject.level > 3")?.bundle, &LoadOptions::UNSIGNED)?;
//! let new = Machine::load(&policy("subject.level >= 3")?.bundle, &LoadOptions::UNSIGNED)?;
//! let (old_entities, new_entities) = (old.entities(), new.entities());
//! let judge = Judge::new(Side::new(&new, &new_entities)).against(Side::new(&old, &old_entities));
//! let (mut room, mut tally) = (Room::default(), Tally::new(3));
//! judge.line(
//!     1,
//!     br#"{"subject":{"type":"Agent","id":"a","properties":{"level":3}},"action":{"name":"open"},
//!         "resource":{"type":"Door","id":"d"}}"#,
//!     &mut room,
//!     &mut tally,
//! );
//! assert_eq!(tally.changed(Change::DenyToAllow), 1);
//! assert!(tally.is_widened());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects))]

pub mod gates;
pub mod judge;
pub mod row;
pub mod shadow;
pub mod tally;

pub use judge::{Judge, Room, Side};
pub use row::{Recorded, Row};
pub use tally::{Change, Example, Lost, RuleKey, Tally, Told, Unreplayed};

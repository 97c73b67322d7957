//! The same as in `drive.rs`, of jobs and of modes; and what people do together.

use std::collections::BTreeSet;

use pdl::data::decimal::Decimal;
use pdl::kernel::KernelError;
use pdl::kernel::modes::Mode;
use pdl::kernel::records::change::{Changed, Move};
use pdl::kernel::store::{Query, Tx};
use pdl::{Answer, Digest};
use serde_json::Value;

use super::super::audit::{Audit, hold};
use super::drive::{KIM, Op, Run, olga, one_of, principal, somebody};
use super::house::{AGENTS, Does, PEOPLE, Want, evidence, money};
use super::jobs::Becomes;
use super::plain::{Comes, State, Who};

/// Which actions somebody says of how they are enforced; the last one nobody has.
const ACTIONS: [&str; 5] = ["pay", "restart", "step", "open_scope", "fly"];

/// The move that a request for a job is.
fn moving(want: &Want) -> Move {
    let Want::Job { does, proof, .. } = want else { panic!("{want:?} is no job") };
    let cost = |cents: i64| format!(r#"{{"cost":{}}}"#, money(cents));
    let one = match does {
        Does::Order { .. } => Move::create(want.text()),
        Does::Amend { cents } => Move::step(want.text(), cost(*cents)),
        Does::Step { cents, .. } => {
            let set = cents.map_or_else(|| "{}".to_owned(), cost);
            Move::step(want.text(), set).announcing("stepped", "{}")
        }
        Does::Look => Move::step(want.text(), "{}"),
    };
    match proof {
        Some(proof) => one.proving(evidence(*proof)),
        None => one,
    }
}

impl Run<'_> {
    // ---- Jobs ----

    pub(super) fn change(&mut self, who: Who, agent: usize, moves: &[(u8, Does, Option<u8>)]) -> Audit<()> {
        let mut count = self.model.jobs.len();
        let mut wants = Vec::new();
        for &(number, does, proof) in moves {
            // What is ordered is mostly something new, and what is done with is mostly there, since these very moves at least.
            let is_new = matches!(does, Does::Order { .. }) == (number < 240);
            let job = one_of(number, count).filter(|_| !is_new).unwrap_or(count);
            count += usize::from(job == count && is_new);
            wants.push(Want::Job { agent, job: job as u8, does, proof });
        }
        self.change_all(who, wants)
    }

    /// Tries a change again for which people were asked.
    pub(super) fn again(&mut self, change: u8, agrees: bool, is_other: bool) -> Audit<()> {
        let Some(at) = one_of(change, self.asked.len()) else { return Ok(()) };
        let (gate, who, mut wants) = self.asked[at].clone();
        if is_other {
            self.count("something else is set");
            for want in &mut wants {
                match want {
                    Want::Job { does: Does::Step { cents, .. }, .. } => *cents = Some(99_900),
                    Want::Job { does: Does::Amend { cents }, .. } => *cents = 99_900,
                    _ => {}
                }
            }
        }
        if agrees {
            self.agree_to(gate)?;
        }
        self.change_all(who, wants)
    }

    fn change_all(&mut self, who: Who, wants: Vec<Want>) -> Audit<()> {
        let moves: Vec<Move> = wants.iter().map(moving).collect();
        let changed = self.kernel().change(&principal(who), &moves);
        match &changed {
            Changed::Undone { verdict, .. } if self.lacked_for(verdict)? => return Ok(()),
            Changed::Done(_) if self.lacked(false)? => return Ok(()),
            Changed::Done(_) | Changed::Undone { .. } => {}
        }
        match (changed, self.model.change(who, &wants)) {
            (Changed::Done(moved), Becomes::Done(gates)) => {
                self.count(&format!("changed: {}", moved.len()));
                self.read_on()?;
                hold!(moved.len() == wants.len(), "{} moves are made", moved.len());
                for (moved, gate) in moved.iter().zip(gates) {
                    let verdict = &moved.verdict;
                    let is_plain = verdict.answer() == Answer::Allow && verdict.permit.is_none();
                    hold!(is_plain && verdict.trouble.is_none(), "it is made by {verdict:?}");
                    let spent = gate.map(|at| &self.model.gates[at].id);
                    hold!(verdict.gate.as_ref().map(|gate| &gate.id) == spent, "the gate {spent:?} is meant");
                    if spent.is_some() {
                        self.count("changed by approval");
                    }
                    let entry = verdict.entry.as_ref().ok_or("an answer without an entry")?;
                    let decided = self.ledger.decisions.get(entry).ok_or("its entry is not in the log")?;
                    hold!(decided.answered == "ALLOW" && decided.followed == 1, "the log has it otherwise");
                }
                Ok(())
            }
            (Changed::Undone { at, verdict }, Becomes::Undone(expected, comes, judged)) => {
                self.count(&format!("not changed: {comes:?}"));
                if at > 0 {
                    self.count("undone behind the first");
                }
                hold!(at == expected, "the move {at} is the one that can't be made, and not {expected}");
                self.answered(&verdict, who, &comes)?;
                self.follows(&verdict, who, &wants[at], judged, &comes)?;
                if comes == Comes::Waits(None) {
                    self.asked.push((self.model.gates.len() - 1, who, wants));
                }
                Ok(())
            }
            (Changed::Done(_), expected) => Err(format!("it is done, and not {expected:?}")),
            (Changed::Undone { at, verdict }, expected) => {
                let (is, why) = (verdict.answer(), verdict.trouble);
                Err(format!("the move {at} is {is:?}, {why:?}, and not {expected:?}"))
            }
        }
    }

    /// What is kept of jobs is what the model has.
    pub(super) fn same_jobs(&self) -> Audit<()> {
        let of = |why: KernelError| why.to_string();
        let jobs = self.kernel().records(&olga(), "Job", None, None, 99).map_err(of)?;
        hold!(jobs.len() == self.model.jobs.len(), "there are {} jobs", jobs.len());
        for (job, (id, expected)) in jobs.iter().zip(&self.model.jobs) {
            let properties: Value = serde_json::from_str(&job.properties).map_err(|why| why.to_string())?;
            let cost = Decimal::parse(&properties["cost"].to_string()).map_err(|why| why.to_string())?;
            let is_so = job.id == format!("j{id:03}")
                && (job.status.as_str(), job.version) == (expected.status, expected.version);
            let is_same = is_so && cost == Decimal(expected.cents * 10_000) && properties["status"] == expected.status;
            hold!(is_same, "{job:?} is not {expected:?}");
        }
        Ok(())
    }

    /// And so is what belongs to them: evidence, what was announced; and how actions are enforced.
    pub(super) fn same_beside_jobs(&self) -> Audit<()> {
        let of = |why: KernelError| why.to_string();
        let found = |tx: &mut dyn Tx| {
            let (kind, limit) = ("evidence".to_owned(), u32::MAX);
            Ok(tx.find(&Query { kind, state: None, due_until_ms: None, after: None, limit })?)
        };
        let mut kept = BTreeSet::new();
        for object in self.kernel().read(found).map_err(of)? {
            let commitment = Digest::parse(&object.key).ok_or("evidence is known by something else")?;
            kept.extend(self.kernel().evidence(&olga(), commitment).map_err(of)?);
        }
        let expected: BTreeSet<String> = self.model.proofs.iter().map(|proof| evidence(*proof)).collect();
        hold!(kept == expected, "the evidence {kept:?} is kept, and not {expected:?}");
        let told = self.kernel().events(&olga(), None, 0, u32::MAX).map_err(of)?;
        let are_whole = told.iter().zip(1_u64..).all(|(event, number)| event.number == number);
        hold!(told.len() == self.model.announced && are_whole, "{} steps were announced", told.len());
        for (action, who) in ACTIONS.iter().flat_map(|action| (0..9).map(move |who| (action, somebody(who)))) {
            let by = self.model.permissive.get(action);
            let expected = if by.is_some_and(|by| *by != Some(who)) { Mode::Permissive } else { Mode::Strict };
            let mode = self.kernel().mode_of(action, &principal(who));
            hold!(mode == expected, "{action} is {mode:?} for {who:?}");
        }
        Ok(())
    }

    // ---- Modes ----

    pub(super) fn set_mode(&mut self, by: u8, action: u8, permissive: bool) -> Audit<()> {
        let action = ACTIONS[usize::from(action)];
        let by = [None, None, Some(KIM), Some(Who::Person(0))][usize::from(by)];
        let who = by.map_or_else(olga, principal);
        let mode = if permissive { Mode::Permissive } else { Mode::Strict };
        let set = self.kernel().set_mode(&who, action, mode);
        if self.lacked(set.is_err())? {
            return Ok(());
        }
        match set {
            Err(KernelError::Forbidden(_)) => {
                self.count("forbidden to change a mode");
                hold!(by == Some(Who::Person(0)), "{by:?} may not");
            }
            Err(KernelError::UnknownCapability(_)) => {
                hold!(permissive && action == "fly" && by != Some(Who::Person(0)), "there is {action}");
            }
            Err(why) => return Err(why.to_string()),
            Ok(_) => {
                self.count(mode.name());
                hold!(by != Some(Who::Person(0)) && !(permissive && action == "fly"), "it is {mode:?}");
                if permissive {
                    self.model.permissive.insert(action, by);
                } else {
                    self.model.permissive.remove(action);
                }
            }
        }
        Ok(())
    }

    // ---- What people do together ----

    /// Everybody who is asked agrees, one after the other.
    pub(super) fn agree(&mut self, gate: u8) -> Audit<()> {
        one_of(gate, self.model.gates.len()).map_or(Ok(()), |at| self.agree_to(at))
    }

    fn agree_to(&mut self, at: usize) -> Audit<()> {
        for (rule, asks) in self.model.gates[at].asks.clone().iter().enumerate() {
            let is_asked = |person: &usize| self.model.registry.teams[*person][asks.team];
            let people: Vec<usize> = (0..PEOPLE.len()).filter(is_asked).collect();
            for person in people {
                self.vote_on(at, somebody((AGENTS.len() + person) as u8), rule as u8, false, true)?;
            }
        }
        Ok(())
    }

    /// Who agreed to something belongs no more to those who are asked.
    pub(super) fn leave(&mut self, gate: u8, vote: u8, spends: bool) -> Audit<()> {
        let Some(at) = one_of(gate, self.model.gates.len()) else { return Ok(()) };
        let votes = &self.model.gates[at].votes;
        let Some(&(person, _, team)) = votes.get(usize::from(vote) % votes.len().max(1)) else { return Ok(()) };
        if self.model.gates[at].state == State::Approved {
            self.count("counts no more");
        }
        self.govern(&Op::Team { person: person as u8, team: team as u8, is_in: false })?;
        if spends { self.spend(gate, None, 0) } else { Ok(()) }
    }
}

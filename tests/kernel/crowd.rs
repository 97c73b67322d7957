//! A crowd: many who do everything with one kernel that can be done, at the same time, and say what they were told.

use std::sync::{Mutex, MutexGuard};

use pdl::Answer;
use pdl::data::decimal::Decimal;
use pdl::kernel::ask::Verdict;
use pdl::kernel::gate::{Gate, GateState, Verdict as Vote};
use pdl::kernel::record::Principal;
use pdl::kernel::scope::ScopeStatus;
use pdl::kernel::{Kernel, KernelError};

use super::audit::Ack;

/// What the crowd lives by. Everything is short, so that a clock ends something while they are at it.
pub const POLICY: &str = r#"module crowd
use std.scopes.{scope_creating, scope_stepping, scoped}
include std.scopes(attempts_most = 64)
entity Agent in Team { limit: Decimal  owner: Person? @owner }
entity Team {}
approver entity Person in Team {}
presented entity Order {}
action pay { subject: Agent  resource: Order  context { cost: Decimal  memo: String? @sensitive } }
action restart in scoped { subject: Agent  resource: Order }
action open_scope in scope_creating { subject: Agent  resource: Order }
action end_scope in scope_stepping { subject: Agent  resource: Order }
policy paying on pay {
    allow within_limit when context.cost <= subject.limit
    require approval large
        when context.cost >= 100.0
        from Team::"board"  quorum 2  within 1s
}
policy mending on restart {
    allow everybody
    require approval costly when context.cost >= 1.0 from Team::"board" within 1s
}
policy opening on open_scope { allow anybody }
policy ending on end_scope {
    allow makers when context.scope is present and context.scope.created_by == subject.id
}
"#;

pub const ENTITIES: &[u8] = br#"[
    {"type":"Agent","id":"bot","properties":{"limit":500,"owner":"zoe"}},
    {"type":"Team","id":"board"},
    {"type":"Person","id":"ann","in":[{"type":"Team","id":"board"}]},
    {"type":"Person","id":"ben","in":[{"type":"Team","id":"board"}]},
    {"type":"Person","id":"zoe","in":[{"type":"Team","id":"board"}]}
]"#;

/// What the crowd knows of, and anybody in it may use.
#[derive(Debug, Default)]
pub struct Crowd {
    gates: Mutex<Vec<Gate>>,
    /// Tokens, with the requests that they are for.
    permits: Mutex<Vec<(String, String, Vec<u8>)>>,
    scopes: Mutex<Vec<String>>,
}

fn lock<T>(list: &Mutex<T>) -> MutexGuard<'_, T> {
    list.lock().expect("nobody panicked with it")
}

fn who(ty: &str, id: &str) -> Principal {
    Principal::new(ty, id).expect("it is short")
}

fn request(action: &str, context: &str) -> Vec<u8> {
    format!(
        r#"{{"subject":{{"type":"Agent","id":"bot"}},"action":{{"name":"{action}"}},
        "resource":{{"type":"Order","id":"o1"}},"context":{{{context}}}}}"#
    )
    .into_bytes()
}

/// A number from 0 to one below a bound, by chance.
pub type Below<'a> = &'a mut dyn FnMut(u64) -> u64;

impl Crowd {
    /// Who comes later finds what waits.
    pub fn find(kernel: &Kernel) -> Result<Crowd, KernelError> {
        let crowd = Crowd::default();
        let olga = Principal::new("Person", "olga").expect("it is short");
        for state in [GateState::Pending, GateState::Approved] {
            lock(&crowd.gates).extend(kernel.gates(&olga, Some(state), None, 100)?);
        }
        let scopes = kernel.scopes(&olga, Some(ScopeStatus::Active), None, 100)?;
        lock(&crowd.scopes).extend(scopes.into_iter().map(|scope| scope.id));
        Ok(crowd)
    }

    /// One of what there is, the newest more often.
    fn one<T: Clone>(list: &Mutex<Vec<T>>, below: Below<'_>) -> Option<T> {
        let list = lock(list);
        let newest = below(2) == 0 && !list.is_empty();
        let at = if newest { list.len() - 1 } else { below(list.len().max(1) as u64) as usize };
        list.get(at).cloned()
    }

    /// Does something. What is told was acknowledged; anything may be refused, for others were faster.
    pub fn act(&self, kernel: &Kernel, below: Below<'_>, tell: &mut dyn FnMut(Ack)) {
        match below(20) {
            0..=3 => {
                // The same few payments, so that several ask for the very same.
                let cost = [40, 100, 101, 102, 600][below(5) as usize];
                let memo = if below(2) == 0 { r#","memo":"for the cat""# } else { "" };
                let text = request("pay", &format!(r#""cost":{cost}{memo}"#));
                self.told(&kernel.decide(&who("Agent", "bot"), &text, None), &text, tell);
            }
            4..=6 => {
                let Some(scope) = Crowd::one(&self.scopes, below) else { return };
                let cost = ["0", "0.3", "0.7", "1.1"][below(4) as usize];
                let context = format!(r#""scope_id":"{scope}","incident":"i","cost":{cost},"target_agents":["w"]"#);
                let text = request("restart", &context);
                let verdict = kernel.decide(&who("Agent", "bot"), &text, Some(br#"{"risk":"low"}"#));
                self.told(&verdict, &text, tell);
            }
            7..=10 => {
                let Some(gate) = Crowd::one(&self.gates, below) else { return };
                let voter = ["ann", "ben", "ann", "ben", "zoe", "eve"][below(6) as usize];
                let verdict = if below(25) == 0 { Vote::Deny } else { Vote::Approve };
                let rule = &gate.asked[0].rule;
                if kernel.vote(&who("Person", voter), &gate.id, rule, verdict, gate.binding).is_ok() {
                    tell(Ack::Voted(gate.id));
                }
            }
            11..=12 => {
                let Some(gate) = Crowd::one(&self.gates, below) else { return };
                let by = if below(8) == 0 { who("Agent", "other") } else { who("Agent", "bot") };
                let is_pay = gate.request.contains(r#""pay""#);
                let facts: Option<&[u8]> = if is_pay { None } else { Some(br#"{"risk":"low"}"#) };
                let verdict = kernel.spend(&by, &gate.id, facts);
                self.told(&verdict, gate.request.as_bytes(), tell);
            }
            13..=14 => {
                let Some((token, id, text)) = Crowd::one(&self.permits, below) else { return };
                // Now and then with what it is not for.
                let text = if below(10) == 0 { request("pay", r#""cost":7"#) } else { text };
                if kernel.start(&who("Agent", "bot"), &token, &text).is_ok() {
                    tell(Ack::Started(id));
                }
            }
            15..=16 => {
                let Some((token, id, _)) = Crowd::one(&self.permits, below) else { return };
                let bot = who("Agent", "bot");
                let (done, how) = match below(3) {
                    0 => (kernel.complete(&bot, &token), "completed"),
                    1 => (kernel.complete_at_cost(&bot, &token, Decimal(below(1_000_000) as i64)), "completed"),
                    _ => (kernel.fail(&bot, &token), "failed"),
                };
                if done.is_ok() {
                    tell(Ack::Ended(id, how.to_owned()));
                }
            }
            17 => self.scope(kernel, below, tell),
            18 => {
                let Some(gate) = Crowd::one(&self.gates, below).filter(|_| below(4) == 0) else { return };
                if kernel.withdraw(&who("Agent", "bot"), &gate.id).is_ok() {
                    tell(Ack::Withdrawn(gate.id));
                }
            }
            _ => {
                // Somebody sweeps, comes to the board, or leaves it.
                if below(3) > 0 {
                    drop(kernel.sweep(&who("Person", "olga")));
                } else {
                    let teams = if below(3) == 0 { "" } else { r#"{"type":"Team","id":"board"}"# };
                    let patch = format!(r#"{{"upsert":[{{"type":"Person","id":"ben","in":[{teams}]}}]}}"#);
                    drop(kernel.patch_entities(&who("Person", "olga"), patch.as_bytes()));
                }
            }
        }
    }

    fn scope(&self, kernel: &Kernel, below: Below<'_>, tell: &mut dyn FnMut(Ack)) {
        let bot = who("Agent", "bot");
        let old = Crowd::one(&self.scopes, below).filter(|_| below(4) == 0);
        if let Some(scope) = old {
            let text = request("end_scope", &format!(r#""scope_id":"{scope}","to":"revoked""#));
            drop(kernel.end_scope(&bot, &text, None));
            return;
        }
        let context = format!(
            r#""incident":"i","allowed_actions":["restart"],"intent":"it leaks","max_attempts":{},"max_cost":2.5,
            "target_agents":["w"],"ttl":"60s""#,
            1 + below(6)
        );
        if let Some(scope) = kernel.create_scope(&bot, &request("open_scope", &context), None).scope {
            lock(&self.scopes).push(scope.id.clone());
            tell(Ack::Made(scope.id));
        }
    }

    fn told(&self, verdict: &Verdict, request: &[u8], tell: &mut dyn FnMut(Ack)) {
        let (permit, gate) = (verdict.permit.as_ref(), verdict.gate.as_ref());
        let Some(entry) = &verdict.entry else {
            assert_eq!(verdict.answer(), Answer::Deny, "an answer without an entry");
            return;
        };
        if let (Answer::RequireApproval, Some(gate)) = (verdict.answer(), gate) {
            let mut gates = lock(&self.gates);
            if gates.iter().all(|known| known.id != gate.id) {
                gates.push(gate.clone());
            }
        }
        if let Some(permit) = permit {
            let (token, id) = (permit.token().to_owned(), permit.claims().id.clone());
            lock(&self.permits).push((token, id, request.to_owned()));
        }
        tell(Ack::Decided {
            entry: entry.clone(),
            answer: verdict.answer().name().to_owned(),
            permit: permit.map(|permit| permit.claims().id.clone()),
            gate: gate.map(|gate| gate.id.clone()),
        });
    }
}

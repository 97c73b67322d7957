//! Governed records: what policy allows, what the schema allows, and what of it becomes so.

#[path = "records/coordinator.rs"]
mod coordinator;
#[path = "records/forged.rs"]
mod forged;
#[path = "records/former.rs"]
mod former;
#[path = "records/mechanism.rs"]
mod mechanism;
#[path = "records/orchestrator.rs"]
mod orchestrator;
#[path = "records/outbox.rs"]
mod outbox;
#[path = "records/run_governance.rs"]
mod run_governance;
#[path = "records/scoped.rs"]
mod scoped;
#[path = "records/story.rs"]
mod story;

use std::sync::Arc;

use pdl::Answer;
use pdl::kernel::Kernel;
use pdl::kernel::records::Record;
use pdl::kernel::records::change::{Changed, Move};
use pdl::kernel::store::memory::Memory;

use super::house::{World, bundle, open, reader, who};

/// A house that allows everything: what it refuses is what the kernel refuses.
const SHOP: &str = r#"module house
approver entity Person in Team {}
entity Team {}
presented entity Agent {}

lifecycle RefundState {
    requested -> approved | refused
    approved -> paid | refused
    initial requested, approved
    final refused, paid
}

record type Refund governed by RefundState {
    amount: Decimal
    owner:  Person?
    iban:   String @sensitive
    note:   String?

    invariant positive {
        require resource.amount > 0.0
        code    NOT_POSITIVE
        because "{resource} is of {resource.amount}"
    }
}

record Parcel { refund: Refund?  refunds: List<Refund> max 4 }

action request { subject: Agent  resource: Refund }
action step {
    subject: Agent
    resource: Refund
    context { to: RefundState  reason: String?  other: Refund? @kernel }
}
action amend { subject: Agent  resource: Refund }
action review { subject: Agent  resource: Refund  context { to: RefundState? } }
action compare {
    subject: Agent
    resource: Refund
    context { other: Refund  parcel: Parcel?  by_name: Map<String, Refund> max 4?  seen: Refund? @kernel }
}
action look { subject: Refund  resource: Refund }
action prove_it { subject: Agent  resource: Refund  context { evidence: String max 64? @kernel } }

policy anything on request | step | amend | review | compare | look { allow everybody }
policy proof on prove_it { allow with_evidence when context.evidence is present }

policy large on step {
    require approval large
        when    context.to == paid and resource.amount >= 100.0
        from    Team::"board"
        because "{resource} of {resource.amount}"

    deny forbidden when (context.reason ?? "") == "forbidden" code FORBIDDEN
}
"#;

const ENTITIES: &[u8] = br#"[
    {"type":"Team","id":"board"},
    {"type":"Person","id":"ann","in":[{"type":"Team","id":"board"}]}
]"#;

fn ready(world: &Arc<World>) -> Kernel {
    let kernel = open(Memory::new(), world);
    kernel.activate(&who("Person", "olga"), &bundle(SHOP), Some(ENTITIES)).expect("it is activated");
    kernel
}

/// A request of an agent on a record, of which no more is said than its name.
fn on(action: &str, id: &str, context: &str) -> String {
    format!(
        r#"{{"subject":{{"type":"Agent","id":"bot"}},"action":{{"name":"{action}"}},
        "resource":{{"type":"Refund","id":"{id}"}},"context":{context}}}"#
    )
}

/// A record that is to be made.
fn making(id: &str, properties: &str) -> Move {
    Move::create(format!(
        r#"{{"subject":{{"type":"Agent","id":"bot"}},"action":{{"name":"request"}},
        "resource":{{"type":"Refund","id":"{id}","properties":{properties}}}}}"#
    ))
}

const PLAIN: &str = r#"{"status":"requested","amount":12.50,"iban":"DE02"}"#;

fn to(id: &str, state: &str) -> Move {
    Move::step(on("step", id, &format!(r#"{{"to":"{state}"}}"#)), "{}")
}

fn change(kernel: &Kernel, moves: &[Move]) -> Changed {
    kernel.change(&who("Agent", "bot"), moves)
}

fn done(kernel: &Kernel, moves: &[Move]) -> Vec<Record> {
    match change(kernel, moves) {
        Changed::Done(moved) => moved.into_iter().map(|moved| moved.record).collect(),
        Changed::Undone { at, verdict } => panic!("move {at}: {:?} {:?}", verdict.trouble, verdict.decision),
    }
}

fn stored(kernel: &Kernel, id: &str) -> Option<Record> {
    kernel.record(&reader(), "Refund", id).expect("the store is there")
}

/// Why the kernel itself refuses it; and nothing was done.
fn refused(kernel: &Kernel, moves: &[Move]) -> String {
    let Changed::Undone { verdict, .. } = change(kernel, moves) else { panic!("it was done") };
    assert_eq!((verdict.answer(), &verdict.permit), (Answer::Deny, &None));
    verdict.trouble.as_ref().map(ToString::to_string).unwrap_or_else(|| panic!("{:?}", verdict.decision))
}

/// What policy, or the machine, says of it; and nothing was done.
fn denied(kernel: &Kernel, moves: &[Move]) -> String {
    let Changed::Undone { verdict, .. } = change(kernel, moves) else { panic!("it was done") };
    assert_eq!((verdict.answer(), &verdict.permit, &verdict.trouble), (Answer::Deny, &None, &None));
    verdict.decision.expect("it was decided").to_json()
}

//! The entry of a decision in which everything may be read, written at once.
//!
//! That is nearly every entry of a log, and it is written with every request. So no tree is built of it: its members are
//! appended in the order of their names. Where a schema has anything sensitive, or the entry would be too long, it is made
//! as [`decided`](super::decided) makes it, which this has to agree with to the byte.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects))]

use super::{Hidden, Principal, decided_of, error, gate, number, obligation};
use crate::base::text::Pieces;
use crate::kernel::entry::Kind;
use crate::kernel::environment::Environment;
use crate::kernel::json::scan::NUMBER_MAX;
use crate::kernel::json::{self, object::Object};
use crate::kernel::log::LogError;
use crate::kernel::log::append::{Event, Log};
use crate::kernel::modes::Mode;
use crate::kernel::store::Tx;
use crate::vm::canonical::push_string;
use crate::vm::decide::Answer;
use crate::vm::decision::{Decision, RuleReport, effect_name};

/// What came of a decision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::kernel) struct Came<'a> {
    /// The gate that was to be spent, and the decision for which it was opened.
    pub(in crate::kernel) gate: Option<(&'a str, &'a str)>,
    /// The answer, if it is another one than that of the decision.
    pub(in crate::kernel) enforced: Option<Answer>,
    /// The mode that made it so, if one did.
    pub(in crate::kernel) mode: Option<Mode>,
}

impl Came<'_> {
    /// The same in an event.
    pub(in crate::kernel) fn add_to(self, event: &mut Event) {
        if let Some((gate, decision)) = self.gate {
            event.body.insert("gate".to_owned(), gate.into());
            event.links.insert("gate".to_owned(), decision.to_owned());
        }
        if let Some(answer) = self.enforced {
            event.body.insert("enforced".to_owned(), answer.name().into());
        }
        if let Some(mode) = self.mode {
            event.body.insert("mode".to_owned(), mode.name().into());
        }
    }
}

/// A decision in whose entry everything may be read.
#[derive(Clone, Copy, Debug)]
pub(in crate::kernel) struct Plain<'a> {
    pub(in crate::kernel) who: &'a Principal,
    pub(in crate::kernel) registry: u64,
    /// The canonical text of the request.
    pub(in crate::kernel) request: &'a str,
    /// That of the facts.
    pub(in crate::kernel) facts: &'a str,
    pub(in crate::kernel) decision: &'a Decision,
    pub(in crate::kernel) came: Came<'a>,
}

impl Plain<'_> {
    /// Appends its entry, and gives the id.
    pub(in crate::kernel) fn append(
        self,
        log: &Log,
        tx: &mut dyn Tx,
        environment: &dyn Environment,
    ) -> Result<String, LogError> {
        let link = self.came.gate.map(|(_, decision)| ("gate", decision));
        match log.write(tx, environment, Kind::Decision, link.as_slice(), |out| self.push(out)) {
            Err(LogError::TooLong(_)) => Ok(log.append(tx, environment, self.event())?.id),
            written => written,
        }
    }

    fn event(self) -> Event {
        let documents = ((self.request.to_owned(), Hidden::new()), (self.facts.to_owned(), Hidden::new()));
        let mut event = decided_of(self.who, self.registry, false, documents, self.decision);
        self.came.add_to(&mut event);
        event
    }

    fn push(self, out: &mut impl Pieces) {
        let Plain { who, registry, request, facts, decision, came } = self;
        let digests = &decision.digests;
        let mut body = Object::new(out);
        body.word("answer", decision.answer().name());
        if let Some(bundle) = &digests.bundle {
            body.digest("bundle", bundle);
        }
        body.all("codes", &decision.codes, |out, code| push_string(out, code));
        let mut named = Object::new(body.member("digests"));
        for (name, digest) in [
            ("binding", &digests.binding),
            ("bundle", &digests.bundle),
            ("facts", &digests.facts),
            ("registry", &digests.registry),
            ("request", &digests.request),
        ] {
            if let Some(digest) = digest {
                named.digest(name, digest);
            }
        }
        named.end();
        if let Some(answer) = came.enforced {
            body.word("enforced", answer.name());
        }
        if let Some(fault) = &decision.error {
            json::push(body.member("error"), &error(fault));
        }
        push_document(body.member("facts"), facts);
        if let Some((gate, _)) = came.gate {
            body.text("gate", gate);
        }
        body.all("gates", &decision.gates, |out, asked| json::push(out, &gate(asked)));
        body.word("kind", decision.kind.name());
        if let Some(mode) = came.mode {
            body.word("mode", mode.name());
        }
        body.all("obligations", &decision.obligations, |out, obliged| json::push(out, &obligation(obliged)));
        who.push(body.member("principal"));
        match registry {
            ..=NUMBER_MAX => body.number("registry", registry),
            _ => json::push(body.member("registry"), &number(registry)),
        }
        push_document(body.member("request"), request);
        body.all("rules", &decision.rules, push_rule);
        body.all("shadow", &decision.shadow, push_rule);
        body.end();
    }
}

fn push_document(out: &mut impl Pieces, text: &str) {
    let mut document = Object::new(out);
    document.text("text", text);
    document.end();
}

fn push_rule(out: &mut impl Pieces, rule: &RuleReport) {
    let mut members = Object::new(out);
    if let Some(at) = &rule.at {
        members.text("at", at);
    }
    if let Some(code) = &rule.code {
        members.text("code", code);
    }
    members.word("effect", effect_name(rule.effect));
    if let Some(error) = rule.error {
        members.word("error", error.name());
    }
    members.text("id", &rule.id);
    if let Some(message) = &rule.message {
        members.text("message", message);
    }
    members.end();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::hash::Digest;
    use crate::bytecode::program::{Effect, SiteId};
    use crate::kernel::json::push_members;
    use crate::vm::decide::Kind as Because;
    use crate::vm::decision::{Datum, EntityName, ErrorReport, GateReport, ObligationReport};
    use crate::vm::input::Document;
    use crate::vm::value::FaultKind;

    fn rule(effect: Effect, text: Option<&str>) -> RuleReport {
        let text = || text.map(str::to_owned);
        let (id, site) = ("shop.paying.rule".to_owned(), SiteId(1));
        let error = text().map(|_| FaultKind::Overflow);
        RuleReport { id, effect, message: text(), code: text(), site, at: text(), error }
    }

    /// Decisions that have each member that there is, and none of those that may be absent.
    fn decisions() -> Vec<Decision> {
        let name = |id: &str| EntityName { ty: "Group".to_owned(), id: id.to_owned() };
        let gate = |within_ms| GateReport {
            id: "shop.paying.gate".to_owned(),
            from: name("auditors"),
            quorum: 2,
            within_ms,
            escalations: within_ms.map(|after| (name("board"), after)).into_iter().collect(),
            distinct: within_ms.is_some(),
        };
        let bare = |kind| Decision { kind, error: None, ..Decision::refused(fault("x")) };
        let mut full = bare(Because::Approval);
        full.rules =
            vec![rule(Effect::Allow, None), rule(Effect::Deny, Some("a \"text\"\n")), rule(Effect::Violation, None)];
        full.codes = vec!["late".to_owned(), "\\".to_owned()];
        full.gates = vec![gate(None), gate(Some(i64::MAX))];
        full.obligations = vec![ObligationReport {
            name: "tell".to_owned(),
            rule: "shop.paying.rule".to_owned(),
            arguments: vec![
                ("z".to_owned(), Datum::Number("1.5".to_owned())),
                ("a".to_owned(), Datum::Text("é".to_owned())),
            ],
        }];
        full.shadow = vec![rule(Effect::RequireApproval, Some(""))];
        full.digests.bundle = Some(Digest::of(b"bundle"));
        full.digests.registry = Some(Digest::of(b"registry"));
        full.digests.facts = Some(Digest::of(b"facts"));
        full.digests.request = Some(Digest::of(b"request"));
        full.digests.binding = Some(Digest::of(b"binding"));
        let at = Some("shop.pdl:1:2".to_owned());
        let failed = ErrorReport::Evaluation { kind: FaultKind::Absent, rule: "r".to_owned(), site: SiteId(1), at };
        let failed = Decision { error: Some(failed), ..bare(Because::Error) };
        vec![bare(Because::Allowed), full, failed, Decision::refused(fault("context.cost"))]
    }

    fn fault(path: &str) -> ErrorReport {
        let (code, message) = ("unknown".to_owned(), "it is \"odd\"".to_owned());
        ErrorReport::Input { code, document: Document::Facts, path: path.to_owned(), message }
    }

    #[test]
    fn what_is_written_at_once_is_what_the_event_says() {
        let who = Principal::new("Agent", "a \"1\"").expect("it is short");
        let (request, facts) = ("{\"action\":{\"name\":\"pay\"},\"context\":{}}", "{\"now\":\"2026-11-20T10:00:00Z\"}");
        let came = [
            Came::default(),
            Came { gate: Some(("gate_1", "ent_1")), enforced: Some(Answer::Allow), mode: None },
            Came { gate: None, enforced: Some(Answer::Allow), mode: Some(Mode::Permissive) },
        ];
        for decision in &decisions() {
            for came in came {
                for registry in [0, 7, u64::MAX] {
                    let plain = Plain { who: &who, registry, request, facts, decision, came };
                    let (mut at_once, mut by_event) = (String::new(), String::new());
                    plain.push(&mut at_once);
                    let event = plain.event();
                    push_members(&mut by_event, &event.body);
                    assert_eq!(at_once, by_event);
                    assert_eq!((event.kind, event.sensitive.len()), (Kind::Decision, 0));
                    assert_eq!(event.links.get("gate").map(String::as_str), came.gate.map(|(_, decision)| decision));
                }
            }
        }
    }
}

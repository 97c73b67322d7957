//! What an entry says of a decision, member by member, as canonical text: the same that [`record`](crate::kernel::record)
//! has written, made without a tree of values between. Where a text is not what stands in an entry, the other way of making
//! it has the last word; a test holds that they are one.

use std::collections::BTreeMap;

use super::skim::{Look, Name};
use crate::base::hash::Digest;
use crate::kernel::json::scan::NUMBER_MAX;
use crate::vm::canonical::push_string;
use crate::vm::decision::{
    Datum, Decision, Digests, EntityName, ErrorReport, GateReport, ObligationReport, RuleReport, effect_name,
};
use crate::vm::input::Document;
use crate::vm::machine::Redecided;

/// The members that are told of a decision. `registry` is not one of them: it says with what to decide.
pub(super) const MEMBERS: [Name; 10] = [
    Name::Answer,
    Name::Bundle,
    Name::Codes,
    Name::Digests,
    Name::Error,
    Name::Gates,
    Name::Kind,
    Name::Obligations,
    Name::Rules,
    Name::Shadow,
];

/// What an entry says of a decision, but for its digests: all members one behind the other.
#[derive(Debug, Default)]
pub(super) struct Told {
    text: String,
    /// Where those end that are there, in the order of [`MEMBERS`].
    ends: [Option<usize>; MEMBERS.len()],
}

impl Told {
    /// What is said of a decision.
    pub(super) fn of(decision: &Decision) -> Told {
        let mut told = Told::default();
        for (member, end) in MEMBERS.into_iter().zip(&mut told.ends) {
            if member != Name::Digests && tell(decision, member, &mut told.text) {
                *end = Some(told.text.len());
            }
        }
        told
    }

    /// Whether that is what an entry says.
    pub(super) fn is(&self, entry: Look<'_>) -> bool {
        let mut start = 0;
        MEMBERS.into_iter().zip(self.ends).all(|(member, end)| {
            let text = end.map(|end| {
                let text = self.text.get(start..end).unwrap_or_default();
                start = end;
                text
            });
            member == Name::Digests || entry.member(member) == text
        })
    }
}

/// How many decisions are remembered of a bundle.
const CONSTANTS_MAX: usize = 1_024;

/// What is said of decisions that say the same whenever the same rules determine them.
#[derive(Debug, Default)]
pub(super) struct Constants {
    bundle: Option<Digest>,
    told: BTreeMap<Key, Told>,
    /// Room for the key that is looked for.
    key: Key,
}

/// The kind, the action and the rules.
type Key = Vec<u32>;

impl Constants {
    /// What was said of such a decision of a bundle. If nothing was yet, the key to remember it by, where it can be.
    pub(super) fn find(&mut self, bundle: Digest, redecided: &Redecided<'_, '_>) -> Result<&Told, Option<Key>> {
        let Some((action, rules)) = redecided.constant() else { return Err(None) };
        if self.bundle != Some(bundle) || self.told.len() >= CONSTANTS_MAX {
            *self = Constants { bundle: Some(bundle), ..Constants::default() };
        }
        self.key.clear();
        self.key.extend([redecided.kind() as u32, action]);
        self.key.extend_from_slice(rules);
        self.told.get(&self.key).ok_or_else(|| Some(self.key.clone()))
    }

    /// Remembers what is said.
    pub(super) fn add(&mut self, key: Key, told: Told) {
        self.told.insert(key, told);
    }
}

/// Appends a member to `out`. Whether the decision has it.
fn tell(decision: &Decision, member: Name, out: &mut String) -> bool {
    match member {
        Name::Answer => push_string(out, decision.answer().name()),
        Name::Kind => push_string(out, decision.kind.name()),
        Name::Codes => list(out, &decision.codes, |out, code| push_string(out, code)),
        Name::Rules => list(out, &decision.rules, rule),
        Name::Shadow => list(out, &decision.shadow, rule),
        Name::Gates => list(out, &decision.gates, gate),
        Name::Obligations => list(out, &decision.obligations, obligation),
        Name::Digests => tell_digests(&decision.digests, out),
        Name::Bundle => match decision.digests.bundle {
            Some(bundle) => push_digest(out, bundle),
            None => return false,
        },
        Name::Error => match &decision.error {
            Some(fault) => error(out, fault),
            None => return false,
        },
        Name::Committed
        | Name::Enforced
        | Name::Facts
        | Name::Gate
        | Name::Given
        | Name::Mode
        | Name::Of
        | Name::Principal
        | Name::Registry
        | Name::Request
        | Name::Trouble => return false,
    }
    true
}

fn list<T>(out: &mut String, items: &[T], push: impl Fn(&mut String, &T)) {
    out.push('[');
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        push(out, item);
    }
    out.push(']');
}

fn member(out: &mut String, key: &str) {
    out.push_str(if out.ends_with('{') { "\"" } else { ",\"" });
    out.push_str(key);
    out.push_str("\":");
}

fn text(out: &mut String, key: &str, value: Option<&str>) {
    if let Some(value) = value {
        member(out, key);
        push_string(out, value);
    }
}

fn push_digest(out: &mut String, digest: Digest) {
    out.push('"');
    digest.push(out);
    out.push('"');
}

/// Appends the member `digests`.
pub(super) fn tell_digests(digests: &Digests, out: &mut String) {
    out.push('{');
    for (name, digest) in [
        ("binding", digests.binding),
        ("bundle", digests.bundle),
        ("facts", digests.facts),
        ("registry", digests.registry),
        ("request", digests.request),
    ] {
        if let Some(digest) = digest {
            member(out, name);
            push_digest(out, digest);
        }
    }
    out.push('}');
}

/// The member `digests` of one entry after the other: most have the same bundle and entities, and are written over.
#[derive(Debug, Default)]
pub(super) struct ToldDigests {
    text: Vec<u8>,
    /// The bundle and the entities that are written, if all five digests are.
    written: Option<(Digest, Digest)>,
}

/// What stands before the digits of each in the text, and behind those of the one before.
const BEFORE: [&[u8]; 5] = [
    b"{\"binding\":\"sha256:",
    b"\",\"bundle\":\"sha256:",
    b"\",\"facts\":\"sha256:",
    b"\",\"registry\":\"sha256:",
    b"\",\"request\":\"sha256:",
];
const BEHIND: &[u8] = b"\"}";
const DIGITS: usize = 64;

impl ToldDigests {
    /// What is said of some digests: the same as [`tell_digests`] appends.
    pub(super) fn of(&mut self, digests: &Digests) -> &[u8] {
        let &Digests { binding, bundle, facts, registry, request } = digests;
        let (Some(binding), Some(bundle), Some(facts), Some(registry), Some(request)) =
            (binding, bundle, facts, registry, request)
        else {
            let mut text = String::new();
            tell_digests(digests, &mut text);
            *self = ToldDigests { text: text.into_bytes(), written: None };
            return &self.text;
        };
        let all = [binding, bundle, facts, registry, request];
        if self.written == Some((bundle, registry)) {
            let mut at = 0_usize;
            for (which, (before, digest)) in BEFORE.into_iter().zip(all).enumerate() {
                at = at.saturating_add(before.len());
                let place = self.text.get_mut(at..).and_then(|rest| rest.first_chunk_mut::<DIGITS>());
                // The others are written already.
                if let (Some(place), 0 | 2 | 4) = (place, which) {
                    *place = digest.digits();
                }
                at = at.saturating_add(DIGITS);
            }
        } else {
            self.text.clear();
            for (before, digest) in BEFORE.into_iter().zip(all) {
                self.text.extend_from_slice(before);
                self.text.extend_from_slice(&digest.digits());
            }
            self.text.extend_from_slice(BEHIND);
            self.written = Some((bundle, registry));
        }
        &self.text
    }
}

fn number(out: &mut String, number: i64) {
    let text = number.to_string();
    if number.unsigned_abs() <= NUMBER_MAX { out.push_str(&text) } else { push_string(out, &text) }
}

fn entity(out: &mut String, entity: &EntityName) {
    out.push('{');
    text(out, "id", Some(&entity.id));
    text(out, "type", Some(&entity.ty));
    out.push('}');
}

fn rule(out: &mut String, rule: &RuleReport) {
    out.push('{');
    text(out, "at", rule.at.as_deref());
    text(out, "code", rule.code.as_deref());
    text(out, "effect", Some(effect_name(rule.effect)));
    text(out, "error", rule.error.map(|error| error.name()));
    text(out, "id", Some(&rule.id));
    text(out, "message", rule.message.as_deref());
    out.push('}');
}

fn gate(out: &mut String, gate: &GateReport) {
    out.push('{');
    member(out, "distinct");
    out.push_str(if gate.distinct { "true" } else { "false" });
    member(out, "escalations");
    list(out, &gate.escalations, |out, (to, after)| {
        out.push('{');
        member(out, "after_ms");
        number(out, *after);
        member(out, "to");
        entity(out, to);
        out.push('}');
    });
    member(out, "from");
    entity(out, &gate.from);
    text(out, "id", Some(&gate.id));
    member(out, "quorum");
    number(out, gate.quorum);
    member(out, "within_ms");
    match gate.within_ms {
        Some(within) => number(out, within),
        None => out.push_str("null"),
    }
    out.push('}');
}

fn obligation(out: &mut String, obligation: &ObligationReport) {
    out.push('{');
    text(out, "arguments", Some(&Datum::Object(obligation.arguments.clone()).to_json()));
    text(out, "name", Some(&obligation.name));
    text(out, "rule", Some(&obligation.rule));
    out.push('}');
}

fn error(out: &mut String, error: &ErrorReport) {
    out.push('{');
    match error {
        ErrorReport::Input { code, document, path, message } => {
            text(out, "code", Some(code));
            text(out, "in", Some(if *document == Document::Facts { "facts" } else { "request" }));
            text(out, "message", Some(message));
            text(out, "path", Some(path));
        }
        ErrorReport::Evaluation { kind, rule, at, .. } => {
            member(out, "at");
            match at {
                Some(at) => push_string(out, at),
                None => out.push_str("null"),
            }
            text(out, "code", Some(kind.name()));
            text(out, "rule", Some(rule));
        }
    }
    out.push('}');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::bytecode::program::{Effect, SiteId};
    use crate::kernel::json::canonical;
    use crate::kernel::record::told;
    use crate::vm::decide::Kind;
    use crate::vm::value::FaultKind;

    fn words() -> impl Strategy<Value = String> {
        "[a-c\"\\\\\n\u{1}é😀]{0,6}"
    }

    fn digest() -> impl Strategy<Value = Option<Digest>> {
        prop::option::of(any::<[u8; 32]>().prop_map(Digest))
    }

    fn rules() -> impl Strategy<Value = Vec<RuleReport>> {
        let effect =
            prop::sample::select(vec![Effect::Allow, Effect::Deny, Effect::Violation, Effect::RequireApproval]);
        let fault = prop::option::of(prop::sample::select(vec![FaultKind::Overflow, FaultKind::UnknownEntity]));
        let texts = (words(), prop::option::of(words()), prop::option::of(words()), prop::option::of(words()));
        let rule = (effect, fault, texts).prop_map(|(effect, error, (id, message, code, at))| RuleReport {
            id,
            effect,
            message,
            code,
            site: SiteId(0),
            at,
            error,
        });
        prop::collection::vec(rule, 0..3)
    }

    fn gates() -> impl Strategy<Value = Vec<GateReport>> {
        let entity = || (words(), words()).prop_map(|(ty, id)| EntityName { ty, id });
        let escalations = prop::collection::vec((entity(), any::<i64>()), 0..3);
        let gate = (words(), entity(), any::<i64>(), prop::option::of(any::<i64>()), escalations, any::<bool>());
        let gate = gate.prop_map(|(id, from, quorum, within_ms, escalations, distinct)| GateReport {
            id,
            from,
            quorum,
            within_ms,
            escalations,
            distinct,
        });
        prop::collection::vec(gate, 0..3)
    }

    fn obligations() -> impl Strategy<Value = Vec<ObligationReport>> {
        let argument = (words(), words().prop_map(Datum::Text));
        let obligation = (words(), words(), prop::collection::vec(argument, 0..3));
        let obligation = obligation.prop_map(|(name, rule, arguments)| ObligationReport { name, rule, arguments });
        prop::collection::vec(obligation, 0..3)
    }

    fn error() -> impl Strategy<Value = ErrorReport> {
        let document = prop::sample::select(vec![Document::Facts, Document::Request]);
        prop_oneof![
            (words(), document, words(), words()).prop_map(|(code, document, path, message)| ErrorReport::Input {
                code,
                document,
                path,
                message
            }),
            (words(), prop::option::of(words())).prop_map(|(rule, at)| ErrorReport::Evaluation {
                kind: FaultKind::Absent,
                rule,
                site: SiteId(0),
                at
            }),
        ]
    }

    fn decision() -> impl Strategy<Value = Decision> {
        let kind =
            prop::sample::select(vec![Kind::Error, Kind::Denied, Kind::NotPermitted, Kind::Approval, Kind::Allowed]);
        let digests = (digest(), digest(), digest(), digest(), digest());
        let reasons = (rules(), prop::collection::vec(words(), 0..3), gates(), obligations(), rules());
        (kind, reasons, prop::option::of(error()), digests).prop_map(|(kind, reasons, error, digests)| {
            let (rules, codes, gates, obligations, shadow) = reasons;
            let (bundle, registry, facts, request, binding) = digests;
            let digests = Digests { bundle, registry, facts, request, binding };
            Decision { kind, rules, codes, gates, obligations, shadow, error, digests, assumed_presented: false }
        })
    }

    proptest! {
        #[test]
        fn digests_are_told_the_same_over_others(
            all in prop::collection::vec((digest(), digest(), digest(), digest(), digest(), 0..4_usize), 1..6)
        ) {
            let mut told = ToldDigests::default();
            let mut before: Option<Digests> = None;
            for (binding, bundle, facts, registry, request, keep) in all {
                let mut digests = Digests { binding, bundle, facts, registry, request };
                // Of most the bundle and the entities are those of the one before.
                if let (Some(before), 1..) = (&before, keep) {
                    (digests.bundle, digests.registry) = (before.bundle, before.registry);
                }
                let mut expected = String::new();
                tell_digests(&digests, &mut expected);
                prop_assert_eq!(std::str::from_utf8(told.of(&digests)), Ok(expected.as_str()));
                before = Some(digests);
            }
        }

        #[test]
        fn both_ways_of_telling_a_decision_are_one(decision in decision()) {
            let slow = told(&decision);
            let names: Vec<&str> = slow.keys().map(String::as_str).collect();
            for name in &names {
                prop_assert!(MEMBERS.iter().any(|member| member.text() == *name), "{} is compared", name);
            }
            for name in MEMBERS {
                let mut fast = String::new();
                let fast = tell(&decision, name, &mut fast).then_some(fast);
                prop_assert_eq!(fast, slow.get(name.text()).map(canonical), "{}", name.text());
            }
        }
    }
}

//! From rules to a decision: every rule is evaluated, and then it is seen what follows.

use std::sync::Arc;

use pdl::base::span::Span;
use pdl::data::duration::Duration;
use pdl::types::typed::{Effect, Expr, Gate, MessagePart, ObligationId, TypedPolicy};

use crate::reference::evaluate::Scope;
use crate::reference::json::Json;
use crate::reference::text;
use crate::reference::value::{Fault, FaultKind, Value};
use crate::reference::world::{Request, World};

/// The kinds of decisions, strictest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Error,
    Violated,
    Denied,
    NotPermitted,
    Approval,
    Allowed,
}

impl Kind {
    pub const ALL: [Kind; 6] =
        [Kind::Error, Kind::Violated, Kind::Denied, Kind::NotPermitted, Kind::Approval, Kind::Allowed];

    pub fn name(self) -> &'static str {
        match self {
            Kind::Error => "error",
            Kind::Violated => "violated",
            Kind::Denied => "denied",
            Kind::NotPermitted => "not_permitted",
            Kind::Approval => "approval",
            Kind::Allowed => "allowed",
        }
    }

    pub fn answer(self) -> &'static str {
        match self {
            Kind::Error | Kind::Violated | Kind::Denied | Kind::NotPermitted => "DENY",
            Kind::Approval => "REQUIRE_APPROVAL",
            Kind::Allowed => "ALLOW",
        }
    }
}

/// A decision: the kind, all that is reported as JSON, the error if there is one, and all errors of shadow rules.
#[derive(Clone, Debug)]
pub struct Decision {
    pub kind: Kind,
    pub json: Json,
    pub faults: Vec<FaultKind>,
}

/// What a rule is, of policies and invariants alike.
#[derive(Clone, Copy, Debug)]
enum Does<'a> {
    Allow,
    Deny,
    Violation,
    RequireApproval(&'a Gate),
}

/// A rule that is active for a request, with its value.
struct Active<'a> {
    scope: Scope<'a>,
    id: String,
    does: Does<'a>,
    shadow: bool,
    condition: Result<bool, Fault>,
    code: Option<&'a Arc<str>>,
    message: Option<&'a [MessagePart]>,
    obligations: &'a [(ObligationId, Vec<Expr>)],
    span: Span,
}

/// Evaluates all rules on the action of a request, in source order.
fn evaluate<'a>(policy: &'a TypedPolicy, world: &'a World, request: &'a Request) -> Vec<Active<'a>> {
    let mut all: Vec<Active<'a>> = Vec::new();
    for (number, instance) in policy.instances.iter().enumerate() {
        for def in policy.policies.iter().filter(|def| def.module == instance.module) {
            if !def.actions.contains(&request.action) {
                continue;
            }
            let scope = Scope::new(policy, world, request, number, &def.lets);
            for rule in &def.rules {
                let mut scope = scope.clone();
                let condition = scope.holds(&rule.condition);
                all.push(Active {
                    scope,
                    id: format!("{}.{}", instance.prefix, rule.name),
                    does: match &rule.effect {
                        Effect::Allow => Does::Allow,
                        Effect::Deny => Does::Deny,
                        Effect::RequireApproval(gate) => Does::RequireApproval(gate),
                    },
                    shadow: def.shadow,
                    condition,
                    code: rule.code.as_ref(),
                    message: rule.message.as_deref(),
                    obligations: &rule.obligations,
                    span: rule.span,
                });
            }
        }
        for def in policy.invariants.iter().filter(|def| def.module == instance.module) {
            if !def.actions.contains(&request.action) {
                continue;
            }
            let mut scope = Scope::new(policy, world, request, number, &def.lets);
            let condition = scope.holds(&def.violated);
            all.push(Active {
                scope,
                id: format!("{}.{}", instance.prefix, def.name),
                does: Does::Violation,
                shadow: false,
                condition,
                code: def.code.as_ref(),
                message: def.message.as_deref(),
                obligations: &[],
                span: def.span,
            });
        }
    }
    all.sort_by_key(|rule| (rule.span, rule.scope.instance));
    all
}

/// How the gates of a decision stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gates {
    Open,
    Met,
}

/// Decides a request.
pub fn decide(policy: &TypedPolicy, world: &World, request: &Request) -> Decision {
    decide_with(policy, world, request, Gates::Open)
}

/// What a request that requires approval comes to once all have agreed; none of other requests.
pub fn approved(policy: &TypedPolicy, world: &World, request: &Request) -> Option<Decision> {
    let asks = decide(policy, world, request).kind == Kind::Approval;
    asks.then(|| decide_with(policy, world, request, Gates::Met))
}

fn decide_with(policy: &TypedPolicy, world: &World, request: &Request, gates: Gates) -> Decision {
    let mut all = evaluate(policy, world, request);
    let (mut shadow, mut counting): (Vec<_>, Vec<_>) = all.drain(..).partition(|rule| rule.shadow);

    let holds = |rule: &Active<'_>| rule.condition == Ok(true);
    let violated = counting.iter().any(|rule| matches!(rule.does, Does::Violation) && holds(rule));
    let denied = counting.iter().any(|rule| matches!(rule.does, Does::Deny) && holds(rule));
    let allowed = counting.iter().any(|rule| matches!(rule.does, Does::Allow) && holds(rule));
    let asked = counting.iter().any(|rule| matches!(rule.does, Does::RequireApproval(_)) && holds(rule));
    let mut kind = match () {
        () if violated => Kind::Violated,
        () if denied => Kind::Denied,
        () if !allowed => Kind::NotPermitted,
        () if asked && gates == Gates::Open => Kind::Approval,
        () => Kind::Allowed,
    };

    let mut faults: Vec<(Fault, usize)> = Vec::new();
    for (place, rule) in counting.iter_mut().enumerate() {
        if let Err(fault) = &rule.condition {
            faults.push((fault.clone(), place));
        } else if determines(rule, kind) {
            faults.extend(rule.consequences().into_iter().map(|fault| (fault, place)));
        }
    }
    let order = |(fault, place): &(Fault, usize)| (fault.span.is_none(), fault.clone(), *place);
    let reported = faults.into_iter().min_by_key(order);
    if reported.is_some() {
        kind = Kind::Error;
    }

    let mut members =
        vec![("decision".to_owned(), Json::text(kind.answer())), ("kind".to_owned(), Json::text(kind.name()))];
    let (mut rules, mut codes, mut gates, mut obligations) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    if let Some((fault, place)) = &reported {
        members.push(("error".to_owned(), error(fault, &counting[*place].id)));
    }
    for (place, rule) in counting.iter_mut().enumerate() {
        let listed = match &reported {
            Some((_, faulty)) => *faulty == place,
            None => determines(rule, kind),
        };
        if !listed {
            continue;
        }
        rules.push(rule.json(kind != Kind::Error, None));
        if let Some(code) = rule.code.map(|code| Json::text(code))
            && !codes.contains(&code)
        {
            codes.push(code);
        }
        if let (Kind::Approval, Does::RequireApproval(gate)) = (kind, rule.does) {
            gates.push(rule.gate(gate));
        }
        if matches!(kind, Kind::Approval | Kind::Allowed) {
            obligations.extend(rule.obligations());
        }
    }
    let mut all_faults: Vec<FaultKind> = reported.iter().map(|(fault, _)| fault.kind).collect();
    let mut shadows = Vec::new();
    for rule in &mut shadow {
        match rule.condition.clone() {
            Ok(false) => {}
            Ok(true) => shadows.push(rule.json(true, None)),
            Err(fault) => {
                shadows.push(rule.json(false, Some(fault.kind)));
                all_faults.push(fault.kind);
            }
        }
    }
    let lists =
        [("rules", rules), ("codes", codes), ("gates", gates), ("obligations", obligations), ("shadow", shadows)];
    members.extend(lists.into_iter().map(|(name, items)| (name.to_owned(), Json::Array(items))));
    Decision { kind, json: Json::Object(members), faults: all_faults }
}

fn error(fault: &Fault, rule: &str) -> Json {
    let mut members = vec![("code".to_owned(), Json::text(fault.kind.name())), ("rule".to_owned(), Json::text(rule))];
    if let Some(span) = fault.span {
        members.push(("at".to_owned(), Json::Text(place(span))));
    }
    Json::Object(members)
}

/// A place as it is reported here and, for comparison, there.
pub fn place(span: Span) -> String {
    format!("{span:?}")
}

/// Whether a rule is among those that a kind of decision rests on.
fn determines(rule: &Active<'_>, kind: Kind) -> bool {
    rule.condition == Ok(true)
        && match kind {
            Kind::Error | Kind::NotPermitted => false,
            Kind::Violated => matches!(rule.does, Does::Violation | Does::Deny),
            Kind::Denied => matches!(rule.does, Does::Deny),
            Kind::Approval => matches!(rule.does, Does::RequireApproval(_)),
            // An approval rule is among those that matched only if its gate is met.
            Kind::Allowed => matches!(rule.does, Does::Allow | Does::RequireApproval(_)),
        }
}

impl Active<'_> {
    /// The errors of a rule that determines a decision: of its gate and of the arguments of its obligations.
    fn consequences(&mut self) -> Vec<Fault> {
        let mut faults = Vec::new();
        if let Does::RequireApproval(gate) = self.does {
            match self.scope.value(&gate.quorum) {
                Ok(Value::Int(quorum)) if quorum < 1 => {
                    let (span, instance) = (Some(self.span), self.scope.instance);
                    faults.push(Fault { span, instance, kind: FaultKind::QuorumTooSmall });
                }
                result => faults.extend(result.err()),
            }
            for group in std::iter::once(&gate.from).chain(gate.escalations.iter().map(|(group, _)| group)) {
                faults.extend(self.scope.value(group).err());
            }
        }
        if matches!(self.does, Does::Allow | Does::RequireApproval(_)) {
            for argument in self.obligations.iter().flat_map(|(_, arguments)| arguments) {
                faults.extend(self.scope.value(argument).err());
            }
        }
        faults
    }

    fn json(&mut self, with_message: bool, error: Option<FaultKind>) -> Json {
        let effect = match self.does {
            Does::Allow => "allow",
            Does::Deny => "deny",
            Does::Violation => "invariant",
            Does::RequireApproval(_) => "require_approval",
        };
        let mut members = vec![("id".to_owned(), Json::text(&self.id)), ("effect".to_owned(), Json::text(effect))];
        if let (true, Some(parts)) = (with_message, self.message) {
            let text: String = parts.iter().map(|part| self.part(part)).collect();
            members.push(("message".to_owned(), Json::Text(text)));
        }
        if let Some(code) = self.code {
            members.push(("code".to_owned(), Json::text(code)));
        }
        members.push(("at".to_owned(), Json::Text(place(self.span))));
        if let Some(error) = error {
            members.push(("error".to_owned(), Json::text(error.name())));
        }
        Json::Object(members)
    }

    fn part(&mut self, part: &MessagePart) -> String {
        match part {
            MessagePart::Text(text) => text.to_string(),
            MessagePart::Read(expr) => match self.scope.value(expr) {
                Ok(value) => text::show(self.scope.policy, &value),
                Err(_) => "…".to_owned(),
            },
        }
    }

    fn entity(&mut self, expr: &Expr) -> Json {
        match self.scope.value(expr) {
            Ok(Value::Entity(entity)) => text::name(self.scope.policy, &entity),
            other => panic!("{other:?} is no group"),
        }
    }

    fn milliseconds(&mut self, expr: &Expr) -> Json {
        match self.scope.value(expr) {
            Ok(Value::Duration(Duration(ms))) => Json::Number(ms.to_string()),
            other => panic!("{other:?} is no duration"),
        }
    }

    fn gate(&mut self, gate: &Gate) -> Json {
        let Ok(Value::Int(quorum)) = self.scope.value(&gate.quorum) else { panic!("a quorum is an Int") };
        let mut members = vec![
            ("id".to_owned(), Json::text(&self.id)),
            ("from".to_owned(), self.entity(&gate.from)),
            ("quorum".to_owned(), Json::Number(quorum.to_string())),
        ];
        if let Some(within) = &gate.within {
            members.push(("within_ms".to_owned(), self.milliseconds(within)));
        }
        if !gate.escalations.is_empty() {
            let escalations = gate.escalations.iter().map(|(group, after)| {
                Json::object([("to", self.entity(group)), ("after_ms", self.milliseconds(after))])
            });
            members.push(("escalations".to_owned(), Json::Array(escalations.collect())));
        }
        if gate.distinct {
            members.push(("distinct".to_owned(), Json::Bool(true)));
        }
        Json::Object(members)
    }

    fn obligations(&mut self) -> Vec<Json> {
        let policy = self.scope.policy;
        let mut all = Vec::new();
        for (id, arguments) in self.obligations {
            let def = &policy.obligations[id.index()];
            let mut told = Vec::new();
            for (argument, parameter) in arguments.iter().zip(&def.parameters) {
                let value = self.scope.value(argument).expect("an error would have been the decision");
                told.push((parameter.name.to_string(), text::datum(policy, &parameter.ty, &value)));
            }
            all.push(Json::object([
                ("name", Json::text(&def.wire)),
                ("rule", Json::text(&self.id)),
                ("arguments", Json::Object(told)),
            ]));
        }
        all
    }
}

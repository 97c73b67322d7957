//! A package that can be asked both ways: by the analysis, and by the machine.

use pdl::analysis::diff::Told;
use pdl::analysis::request::Request;
use pdl::base::span::SourceMap;
use pdl::bytecode::verify::{Limits, verify};
use pdl::compile::compile;
use pdl::diagnostic::{Diagnostics, compact};
use pdl::syntax::parse;
use pdl::types::check::check;
use pdl::types::package::{self, LoadedModule};
use pdl::types::typed::{Answer, TypedPolicy};
use pdl::vm::machine::{Machine, Question, Scratch};

pub struct House {
    pub policy: TypedPolicy,
    pub machine: Machine,
}

/// A typed tree from one source.
pub fn typed(text: &str) -> TypedPolicy {
    try_typed(text).unwrap_or_else(|told| panic!("{told}\n{text}"))
}

/// A typed tree from one source, or what the checker says of it.
pub fn try_typed(text: &str) -> Result<TypedPolicy, String> {
    try_typed_all(&[text])
}

/// A typed tree from several sources, each a module, or what the checker says of them.
pub fn try_typed_all(texts: &[&str]) -> Result<TypedPolicy, String> {
    let (mut map, mut sink) = (SourceMap::default(), Diagnostics::default());
    let mut modules = Vec::new();
    for (at, text) in texts.iter().enumerate() {
        let file = parse::parse_bytes(&mut map, format!("policy{at}.pdl"), text.as_bytes(), &mut sink);
        modules.push(LoadedModule { name: package::module_name(&file, "policy").into(), own: true, file });
    }
    let package = package::assemble("tested", "1.0.0", map, modules, &mut sink);
    let policy = check(&package, &mut sink);
    let told = sink.finish();
    policy.ok_or_else(|| compact::render(&package.sources, &told))
}

impl House {
    pub fn new(policy: TypedPolicy) -> Result<House, String> {
        let mut sink = Diagnostics::default();
        let compiled = compile(&policy, &mut sink).ok_or("can't be compiled")?;
        let verified = verify(compiled.program, &Limits::STANDARD).map_err(|error| error.to_string())?;
        let machine = Machine::new(verified).map_err(|error| error.to_string())?;
        Ok(House { policy, machine })
    }

    pub fn of(text: &str) -> House {
        House::new(typed(text)).unwrap_or_else(|error| panic!("{error}"))
    }

    /// What the machine says, as the analysis wants to hear it.
    pub fn told(&self, request: &Request) -> Told {
        if let Err(faults) = self.machine.load_entities(request.entities.as_bytes()) {
            return Told {
                answer: Answer::Deny,
                kind: "error".to_owned(),
                rules: Vec::new(),
                reasons: format!("entities are refused: {faults:?}"),
                gates: String::new(),
                obligations: String::new(),
            };
        }
        let mut scratch = Scratch::default();
        let asked = Question { facts: Some(request.facts.as_bytes()), ..Question::strict(request.request.as_bytes()) };
        let decision = self.machine.decide(asked, &mut scratch).decision();
        Told {
            answer: match decision.answer() {
                pdl::Answer::Allow => Answer::Allow,
                pdl::Answer::Deny => Answer::Deny,
                pdl::Answer::RequireApproval => Answer::RequireApproval,
            },
            kind: decision.kind.name().to_owned(),
            rules: decision.rules.iter().map(|rule| rule.id.as_str().into()).collect(),
            reasons: {
                let rules: Vec<_> = decision.rules.iter().map(|rule| (&rule.id, &rule.message, &rule.code)).collect();
                format!("{:?} {rules:?} {:?}", decision.kind, decision.codes)
            },
            gates: format!("{:?}", decision.gates),
            obligations: {
                let told = decision.obligations.iter().map(|told| format!("{} {:?}", told.name, told.arguments));
                format!("{:?}", told.collect::<std::collections::BTreeSet<String>>())
            },
        }
    }

    /// What the machine answers, and the decision as JSON. Entities that it does not take are a DENY: nothing of them is
    /// known then.
    pub fn ask(&self, request: &Request) -> (Answer, String) {
        if let Err(faults) = self.machine.load_entities(request.entities.as_bytes()) {
            return (Answer::Deny, format!("entities are refused: {faults:?}"));
        }
        let mut scratch = Scratch::default();
        let asked = Question { facts: Some(request.facts.as_bytes()), ..Question::strict(request.request.as_bytes()) };
        let mut decided = self.machine.decide(asked, &mut scratch);
        let answer = match decided.answer() {
            pdl::Answer::Allow => Answer::Allow,
            pdl::Answer::Deny => Answer::Deny,
            pdl::Answer::RequireApproval => Answer::RequireApproval,
        };
        let decision = decided.decision();
        (answer, format!("{decision:?}"))
    }
}

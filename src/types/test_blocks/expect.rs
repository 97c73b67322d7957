//! What a test expects of an answer.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::gate::Gate;
use super::{Once, Scope};
use crate::data::similar::best_match;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::syntax::ast::{self, ClauseKind, Effect, InvariantLine, ItemKind, PolicyLine};
use crate::types::package::Package;
use crate::types::resolve::{Expected, suggestions_wanted};
use crate::types::typed::{ActionId, Answer, ExpectDef, Instance, ModuleId};
use crate::types::world::{Definition, World, dotted};

/// Rules and codes as tests name them; made when the first test asks.
pub struct Rules<'w> {
    world: &'w World,
    package: &'w Package,
    instances: &'w [Instance],
    ids: Option<Ids>,
    codes: HashMap<ActionId, BTreeSet<Arc<str>>>,
}

/// The ids of all active rules.
#[derive(Default)]
struct Ids {
    by_id: HashMap<String, Definition>,
    of_rule: HashMap<Definition, Vec<Arc<str>>>,
    /// By the simple name, of whatever module.
    by_name: HashMap<Arc<str>, Vec<Definition>>,
    /// The names of the one before, in order.
    names: Vec<Arc<str>>,
}

impl<'w> Rules<'w> {
    pub fn new(world: &'w World, package: &'w Package, instances: &'w [Instance]) -> Rules<'w> {
        Rules { world, package, instances, ids: None, codes: HashMap::new() }
    }

    fn ids(&mut self) -> &Ids {
        let (world, instances) = (self.world, self.instances);
        self.ids.get_or_insert_with(|| {
            let mut ids = Ids::default();
            for instance in instances {
                for (name, binding) in world.modules[instance.module.index()].scope.rules.iter() {
                    let id = format!("{}.{name}", instance.prefix);
                    ids.of_rule.entry(binding.definition).or_default().push(id.as_str().into());
                    ids.by_id.insert(id, binding.definition);
                    let named = ids.by_name.entry(name.clone()).or_default();
                    if named.is_empty() {
                        ids.names.push(name.clone());
                    }
                    if !named.contains(&binding.definition) {
                        named.push(binding.definition);
                    }
                }
            }
            ids
        })
    }

    /// The rule or invariant of a path, with its id: by the id itself, by a name of the test's module, by a module and a
    /// name, or by a name that one module alone has.
    fn find(&mut self, module: ModuleId, path: &ast::Path, sink: &mut Diagnostics) -> Option<(Definition, Arc<str>)> {
        let (world, package) = (self.world, self.package);
        let name = dotted(&path.parts);
        let ids = self.ids();
        if let Some(&definition) = ids.by_id.get(&name) {
            return Some((definition, name.into()));
        }
        let own = world.lookup_rule(module, path);
        let elsewhere = match path.parts.as_slice() {
            [only] => ids.by_name.get(&only.text).map_or(&[][..], Vec::as_slice),
            _ => &[],
        };
        let definition = match (own, elsewhere) {
            (Some(definition), _) => definition,
            (None, [only]) => *only,
            (None, []) => {
                let mut fault = Diagnostic::error(Code::TestRule, path.span, format!("there is no rule `{name}`"));
                if suggestions_wanted(sink) {
                    fault = fault.help_if(suggest(world, package, ids, module, path, sink));
                }
                sink.push(fault.label("not found"));
                return None;
            }
            (None, [several, ..]) => {
                let example = ids.of_rule.get(several).and_then(|ids| ids.first());
                sink.push(
                    Diagnostic::error(Code::TestRule, path.span, format!("several modules have a rule `{name}`"))
                        .help_if(example.map(|id| format!("write the whole id, such as `{id}`"))),
                );
                return None;
            }
        };
        match ids.of_rule.get(&definition).map_or(&[][..], Vec::as_slice) {
            [id] => Some((definition, id.clone())),
            [] => {
                let holder = self.module_of(definition);
                sink.push(
                    Diagnostic::error(Code::TestRule, path.span, format!("the rule `{name}` is not active"))
                        .label("never among the reasons of an answer")
                        .help_if(holder.map(|holder| format!("add `include {holder}`"))),
                );
                None
            }
            several => {
                let all: Vec<String> = several.iter().take(5).map(|id| format!("`{id}`")).collect();
                sink.push(
                    Diagnostic::error(Code::TestRule, path.span, format!("`{name}` is active more than once"))
                        .help(format!("write one of its ids: {}", all.join(", "))),
                );
                None
            }
        }
    }

    fn module_of(&self, definition: Definition) -> Option<&Arc<str>> {
        let source = match definition {
            Definition::Rule(policy, _) => self.world.policy_sources[policy.index()].source,
            Definition::Invariant(id) => self.world.invariant_sources[id.0 as usize].source,
            _ => return None,
        };
        Some(&self.world.modules[source.module.index()].name)
    }

    /// The effect of a rule; nothing for an invariant. And whether its policy is a shadow.
    fn effect(&self, definition: Definition) -> (Option<Effect>, bool) {
        let Definition::Rule(policy, place) = definition else { return (None, false) };
        let source = self.world.policy_sources[policy.index()].source;
        let ItemKind::Policy(written) = &source.get(self.package).kind else { return (None, false) };
        let mut rules = written.lines.iter().filter_map(|line| match line {
            PolicyLine::Rule(rule) => Some(rule.effect),
            _ => None,
        });
        (rules.nth(place as usize), written.shadow.is_some())
    }

    fn applies(&self, definition: Definition, action: ActionId) -> bool {
        let actions = match definition {
            Definition::Rule(policy, _) => &self.world.policy_sources[policy.index()].actions,
            Definition::Invariant(id) => &self.world.invariant_sources[id.0 as usize].actions,
            _ => return false,
        };
        actions.binary_search(&action).is_ok()
    }

    /// All codes that rules and invariants on an action have.
    fn codes(&mut self, action: ActionId) -> &BTreeSet<Arc<str>> {
        let (world, package) = (self.world, self.package);
        self.codes.entry(action).or_insert_with(|| {
            let mut codes = BTreeSet::new();
            for policy in world.policy_sources.iter().filter(|policy| policy.actions.binary_search(&action).is_ok()) {
                codes.extend(policy.codes.iter().cloned());
            }
            for invariant in &world.invariant_sources {
                if invariant.actions.binary_search(&action).is_err() {
                    continue;
                }
                let lines = invariant.ast(package).into_iter().flat_map(|written| &written.lines);
                codes.extend(lines.filter_map(|line| match line {
                    InvariantLine::Clause(ast::Clause { kind: ClauseKind::Code(code), .. }) => {
                        Some(code.name.text.clone())
                    }
                    _ => None,
                }));
            }
            codes
        })
    }
}

/// What was meant by the name of a rule that is not found, or why it is not.
fn suggest(
    world: &World,
    package: &Package,
    ids: &Ids,
    module: ModuleId,
    path: &ast::Path,
    sink: &Diagnostics,
) -> Option<String> {
    if let [only] = path.parts.as_slice() {
        let idle = world.modules.iter().find(|module| module.scope.rules.get(&only.text).is_some());
        if let Some(idle) = idle {
            let is_included = package.modules.iter().flat_map(|module| &module.file.items).any(
                |item| matches!(&item.kind, ItemKind::Include(include) if dotted(&include.path.parts) == *idle.name),
            );
            let how = if is_included { "its `include` has a fault" } else { "`include` it" };
            return Some(format!("module `{}` has one, and is not active: {how}", idle.name));
        }
    }
    world.did_you_mean(module, path, Expected::RuleOrInvariant, sink).or_else(|| {
        let [only] = path.parts.as_slice() else { return None };
        let best = best_match(&only.text, ids.names.iter().map(|name| &**name))?;
        Some(format!("did you mean `{best}`?"))
    })
}

const ANSWERS: [&str; 4] = ["allow", "deny", "require_approval", "error"];

/// Types one `expect` line.
pub fn check(
    scope: &Scope<'_>,
    rules: &mut Rules<'_>,
    action: ActionId,
    written: &ast::Expect,
    sink: &mut Diagnostics,
) -> Option<ExpectDef> {
    let answer = answer(written, sink)?;
    let error = &*written.answer.text == "error";
    let (by, has_gate) = by(scope, rules, action, written, (answer, error), sink);
    let gate = Gate { written, answer, has_gate };
    Some(ExpectDef {
        answer,
        error,
        by,
        codes: codes(scope, rules, action, written, sink),
        quorum: gate.quorum(scope, sink),
        gate: gate.gate(scope, sink),
        obligations: obligations(scope, written, answer, sink),
        span: written.span,
    })
}

/// Looks at what can be said of an `expect` line whose request is for an action that nobody knows.
pub fn check_without_action(scope: &Scope<'_>, rules: &mut Rules<'_>, written: &ast::Expect, sink: &mut Diagnostics) {
    answer(written, sink);
    for path in &written.by {
        rules.find(scope.module, path, sink);
    }
}

fn answer(written: &ast::Expect, sink: &mut Diagnostics) -> Option<Answer> {
    match &*written.answer.text {
        "allow" => Some(Answer::Allow),
        "deny" | "error" => Some(Answer::Deny),
        "require_approval" => Some(Answer::RequireApproval),
        other => {
            let best = best_match(other, ANSWERS);
            let help = best.map_or_else(
                || "the answers are `allow`, `deny`, `require_approval` and `error`".to_owned(),
                |best| format!("did you mean `{best}`?"),
            );
            let mut fault =
                Diagnostic::error(Code::TestAnswer, written.answer.span, format!("there is no answer `{other}`"))
                    .help(help);
            if let Some(best) = best {
                fault = fault.fix(written.answer.span, best);
            }
            sink.push(fault);
            None
        }
    }
}

/// The ids of the rules, and whether the first of them has a gate (true where none is named).
fn by(
    scope: &Scope<'_>,
    rules: &mut Rules<'_>,
    action: ActionId,
    written: &ast::Expect,
    (answer, error): (Answer, bool),
    sink: &mut Diagnostics,
) -> (Vec<Arc<str>>, bool) {
    let mut by = Vec::new();
    let mut has_gate = true;
    let action_name = &scope.world.actions[action.index()].name;
    for (place, path) in written.by.iter().enumerate() {
        let Some((definition, id)) = rules.find(scope.module, path, sink) else { continue };
        let (effect, is_shadow) = rules.effect(definition);
        if place == 0 {
            has_gate = effect == Some(Effect::RequireApproval);
        }
        let wrong = if is_shadow {
            Some("is of a shadow policy, which never counts".to_owned())
        } else if !rules.applies(definition, action) {
            Some(format!("is not on the action `{action_name}`"))
        } else {
            let sort = match effect {
                Some(Effect::Allow) => "an `allow`",
                Some(Effect::Deny) => "a `deny`",
                Some(Effect::RequireApproval) => "a `require approval`",
                None => "an invariant",
            };
            let fits = error
                || match answer {
                    Answer::Allow => effect == Some(Effect::Allow),
                    Answer::Deny => matches!(effect, Some(Effect::Deny) | None),
                    Answer::RequireApproval => matches!(effect, Some(Effect::Allow | Effect::RequireApproval)),
                };
            (!fits).then(|| format!("is {sort}, which is never the reason of this answer"))
        };
        match wrong {
            Some(wrong) => sink.push(
                Diagnostic::error(Code::TestRule, path.span, format!("the rule `{}` {wrong}", dotted(&path.parts)))
                    .label("can't be among the reasons")
                    .secondary(written.answer.span, "of this answer")
                    .help("name a rule that can be, or expect another answer"),
            ),
            None => by.push(id),
        }
    }
    (by, has_gate)
}

fn codes(
    scope: &Scope<'_>,
    rules: &mut Rules<'_>,
    action: ActionId,
    written: &ast::Expect,
    sink: &mut Diagnostics,
) -> Vec<Arc<str>> {
    let mut codes = Vec::new();
    let mut once = Once::default();
    for ast::CodeName { name: code, .. } in &written.codes {
        if !once.is_new("code", code, sink) {
            continue;
        }
        let known = rules.codes(action);
        if known.contains(&code.text) {
            codes.push(code.text.clone());
            continue;
        }
        let best = best_match(&code.text, known.iter().map(|known| &**known));
        let action = &scope.world.actions[action.index()].name;
        let message = format!("no rule or invariant on `{action}` has the code `{}`", code.text);
        let mut fault = Diagnostic::error(Code::TestCode, code.span, message).label("never in an answer");
        if let Some(best) = best {
            let best = code_as_written(best);
            fault = fault.help(format!("did you mean `{best}`?")).fix(code.span, best);
        } else {
            fault = fault.help(format!("give it to a rule: `code {}`", code_as_written(&code.text)));
        }
        sink.push(fault);
    }
    codes
}

/// A code as a rule has it: in quotes if it is not in capitals.
fn code_as_written(code: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    if code.bytes().all(is_plain) { code.to_owned() } else { format!("\"{code}\"") }
}

fn obligations(scope: &Scope<'_>, written: &ast::Expect, answer: Answer, sink: &mut Diagnostics) -> Vec<Arc<str>> {
    let mut obligations = Vec::new();
    for path in &written.obligations {
        let found = scope.world.resolve(scope.module, path, Expected::Obligation, sink);
        let Some(Definition::Obligation(id)) = found else { continue };
        if answer == Answer::Deny {
            sink.push(
                Diagnostic::error(Code::TestObligation, path.span, "a denied request has no obligations")
                    .secondary(written.answer.span, "this answer")
                    .help("remove the `oblige`, or expect another answer"),
            );
            continue;
        }
        obligations.push(scope.world.obligations[id.index()].wire.clone());
    }
    obligations
}

//! Policies, invariants and claims: what is written on actions.
//!
//! Every rule is typed with what its conditions say: its quorum, its message and its obligations are looked at only
//! where it matches. Whether a rule is reached by a request at all is for `pdl verify`; what constants, intervals and
//! sets of variants show is reported here.

mod claims;
pub mod clauses;
mod gates;
mod invariants;
mod lets;
mod messages;
mod rules;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::base::span::FileId;
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast;
use crate::types::expr::{Checker, Place, Request, Session};
use crate::types::package::Package;
use crate::types::ty::Type;
use crate::types::typed::{
    ActionId, Effect, EntityTypeId, FieldDef, GroupDef, InvariantDef, ModuleId, PolicyDef, ProveDef,
};
use crate::types::world::{Definition, PolicySource, World};

/// What was checked, in the order of the sources.
#[derive(Debug, Default)]
pub struct Policies {
    /// Policies.
    pub policies: Vec<PolicyDef>,
    /// Invariants.
    pub invariants: Vec<InvariantDef>,
    /// Claims.
    pub proves: Vec<ProveDef>,
}

/// Types all policies, invariants and claims.
pub fn check(session: &mut Session<'_>, package: &Package) -> Policies {
    let world = session.world;
    let policies = world.policy_sources.iter().map(|source| policy(session, package, source)).collect();
    let invariants =
        world.invariant_sources.iter().map(|source| invariants::invariant(session, package, source)).collect();
    let proves = world.prove_sources.iter().map(|source| claims::prove(session, package, source)).collect();
    let checked = Policies { policies, invariants, proves };
    warn_of_actions_without_allow(session, package, &checked.policies);
    checked
}

fn policy(session: &mut Session<'_>, package: &Package, source: &PolicySource) -> PolicyDef {
    let module = source.source.module;
    let item = source.source.get(package);
    let mut def = PolicyDef {
        name: source.name.clone(),
        module,
        shadow: false,
        actions: source.actions.clone(),
        lets: Vec::new(),
        rules: Vec::new(),
        span: item.span,
    };
    let ast::ItemKind::Policy(policy) = &item.kind else { return def };
    def.shadow = policy.shadow.is_some();
    let mut checker = checker_on(session, module, &source.actions, &policy.on);
    for line in &policy.lines {
        match line {
            ast::PolicyLine::Let(line) => def.lets.extend(lets::check_let(&mut checker, line)),
            ast::PolicyLine::Rule(rule) => def.rules.push(rules::rule(&mut checker, rule)),
            ast::PolicyLine::Error(_) => (),
        }
    }
    lets::warn_of_unused(&mut checker);
    def
}

/// A checker for what is written `on` some actions and groups.
fn checker_on<'s, 'w>(
    session: &'s mut Session<'w>,
    module: ModuleId,
    actions: &[ActionId],
    on: &[ast::Path],
) -> Checker<'s, 'w> {
    let world = session.world;
    let request = if actions.is_empty() {
        request_of_groups(world, module, on)
    } else {
        let of = |action: &ActionId| &world.actions[action.index()];
        Request {
            actions: actions.to_vec(),
            subject: entity_type(actions.iter().map(|action| &of(action).subject)),
            resource: entity_type(actions.iter().map(|action| &of(action).resource)),
            fields: HashMap::new(),
        }
    };
    Checker::new(session, module, Place::Actions(Box::new(request)))
}

/// What can be read in groups that have no members yet, as those of a library: the subject and the resource, where all
/// of them name one, and fields that all of them have alike.
fn request_of_groups(world: &World, module: ModuleId, on: &[ast::Path]) -> Request {
    let groups = on.iter().filter_map(|path| match world.lookup(module, path) {
        Some(Definition::Group(id)) => Some(&world.groups[id.index()]),
        _ => None,
    });
    let groups: Vec<&GroupDef> = groups.collect();
    Request {
        actions: Vec::new(),
        subject: entity_type(groups.iter().map(|group| &group.subject)),
        resource: entity_type(groups.iter().map(|group| &group.resource)),
        fields: common_fields(&groups),
    }
}

fn common_fields(groups: &[&GroupDef]) -> HashMap<Arc<str>, Option<Type>> {
    let contexts: Vec<&Vec<FieldDef>> = groups.iter().map(|group| &group.context).collect();
    let Some((first, rest)) = contexts.split_first() else { return HashMap::new() };
    let is_in = |wanted: &FieldDef, context: &[FieldDef]| {
        context.iter().any(|field| field.name == wanted.name && field.ty == wanted.ty && !field.advisory)
    };
    let common = first.iter().filter(|field| !field.advisory && rest.iter().all(|context| is_in(field, context)));
    common.map(|field| (field.name.clone(), Some(field.ty.clone()))).collect()
}

/// What the subject or the resource is of several actions or groups: any of their types. It is unknown where one names
/// none, as a group may, or an action that is faulty.
fn entity_type<'a>(roles: impl Iterator<Item = &'a Vec<EntityTypeId>>) -> Type {
    let mut types: Vec<EntityTypeId> = Vec::new();
    for role in roles {
        if role.is_empty() {
            return Type::Unknown;
        }
        types.extend(role);
    }
    types.sort_unstable();
    types.dedup();
    if types.is_empty() { Type::Unknown } else { Type::Entity(types) }
}

fn warn_of_actions_without_allow(session: &mut Session<'_>, package: &Package, policies: &[PolicyDef]) {
    // The `allow` may be where the fault is.
    if policies.is_empty() || session.sink.has_errors() {
        return;
    }
    let allows =
        |policy: &&PolicyDef| !policy.shadow && policy.rules.iter().any(|rule| matches!(rule.effect, Effect::Allow));
    let allowed: HashSet<ActionId> =
        policies.iter().filter(allows).flat_map(|policy| policy.actions.iter().copied()).collect();
    let own: HashSet<FileId> =
        package.modules.iter().filter(|module| module.own).map(|module| module.file.file).collect();
    for (at, action) in session.world.actions.iter().enumerate() {
        if own.contains(&action.span.file) && !allowed.contains(&ActionId(at as u32)) {
            session.sink.push(
                Diagnostic::warning(
                    Code::NothingAllowed,
                    action.span,
                    format!("no rule ever allows action `{}`", action.name),
                )
                .label("always denied")
                .help("add an `allow` rule to a policy on it, or remove the action"),
            );
        }
    }
}

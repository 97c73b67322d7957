//! The first phase: every declared name gets an id.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Distinct, Items, duplicate, lifecycles};
use crate::base::limits::ENUM_VARIANTS_MAX;
use crate::base::span::Span;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::syntax::ast::{self, ItemKind, Name};
use crate::types::package::Package;
use crate::types::resolve::BUILTIN_TYPES;
use crate::types::ty::Type;
use crate::types::typed::{
    ActionDef, ActionId, EntityTypeDef, EntityTypeId, EnumDef, EnumId, FunctionId, GroupDef, GroupId, LocalId,
    ModuleId, ObligationDef, ObligationId, ParameterDef, ParameterId, PolicyId, RecordDef, RecordId,
};
use crate::types::world::{
    ConstDef, ConstId, Definition, InvariantId, InvariantSource, ItemRef, ModuleInfo, ParameterInfo, PolicySource,
    ProveSource, Scope, World,
};

/// The world with names and nothing else: types are unknown, lists of fields empty.
pub fn collect(package: &Package, sink: &mut Diagnostics) -> (World, Items) {
    let mut world = World::default();
    let mut items = Items::default();
    for (at, loaded) in package.modules.iter().enumerate() {
        let id = ModuleId(at as u32);
        world.module_by_name.entry(loaded.name.clone()).or_insert(id);
        world.modules.push(ModuleInfo {
            name: loaded.name.clone(),
            own: loaded.own,
            parameters: Vec::new(),
            scope: Scope::default(),
        });
        let mut collector = Collector {
            world: &mut world,
            items: &mut items,
            module: id,
            module_name: loaded.name.clone(),
            proves: Distinct::default(),
            sink,
        };
        collector.parameters(loaded.file.module.as_ref());
        for (item, written) in loaded.file.items.iter().enumerate() {
            collector.item(ItemRef { module: id, item }, &written.kind);
        }
    }
    (world, items)
}

struct Collector<'w, 'a, 's> {
    world: &'w mut World,
    items: &'w mut Items,
    module: ModuleId,
    module_name: Arc<str>,
    proves: Distinct<'a>,
    sink: &'s mut Diagnostics,
}

impl<'a> Collector<'_, 'a, '_> {
    fn parameters(&mut self, header: Option<&ast::ModuleHeader>) {
        for parameter in header.iter().flat_map(|header| &header.parameters) {
            let id = ParameterId(self.world.modules[self.module.index()].parameters.len() as u32);
            self.name("parameter", &parameter.name, Definition::Parameter(self.module, id));
            self.world.modules[self.module.index()].parameters.push(ParameterInfo {
                def: ParameterDef { name: parameter.name.text.clone(), ty: Type::Unknown, local: LocalId(0) },
                default: None,
                has_default: parameter.default.is_some(),
                span: parameter.span,
            });
        }
    }

    fn item(&mut self, source: ItemRef, kind: &'a ItemKind) {
        match kind {
            ItemKind::Use(_) | ItemKind::Include(_) | ItemKind::Test(_) | ItemKind::Error => {}
            ItemKind::Const(written) => {
                let id = ConstId(self.world.constants.len() as u32);
                self.name("constant", &written.name, Definition::Const(id));
                self.world.constants.push(ConstDef { name: written.name.text.clone(), ty: Type::Unknown, value: None });
                self.items.constants.push(source);
            }
            ItemKind::Enum(written) => self.enumeration(written),
            ItemKind::Lifecycle(written) => {
                let (variants, lifecycle) = lifecycles::check(written, self.sink);
                self.enum_def("lifecycle", &written.name, variants, Some(lifecycle));
            }
            ItemKind::Record(written) => {
                let id = RecordId(self.world.records.len() as u32);
                self.name("record", &written.name, Definition::Record(id));
                let (name, qualified, span) = self.titles(&written.name);
                self.world.records.push(RecordDef { name, qualified, fields: Vec::new(), span });
                self.items.records.push(source);
            }
            ItemKind::GovernedRecord(written) => {
                self.entity(source, &written.name, true, false);
                for (nested, (_, invariant)) in written.invariants.iter().enumerate() {
                    self.invariant(source, Some(nested), invariant);
                }
            }
            ItemKind::Entity(written) => {
                self.entity(source, &written.name, written.presented.is_some(), written.approver.is_some());
            }
            ItemKind::Action(written) => self.action(source, written),
            ItemKind::Obligation(written) => {
                let id = ObligationId(self.world.obligations.len() as u32);
                self.name("obligation", &written.name, Definition::Obligation(id));
                let (name, qualified, _) = self.titles(&written.name);
                let wire = qualified.clone();
                self.world.obligations.push(ObligationDef { name, qualified, wire, parameters: Vec::new() });
                self.items.obligations.push(source);
            }
            ItemKind::Function(ast::Function { name, .. }) | ItemKind::Table(ast::Table { name, .. }) => {
                // The final id, which is that of the order of calls, comes later.
                let id = FunctionId(self.items.functions.len() as u32);
                self.name("function", name, Definition::Function(id));
                self.items.functions.push(source);
            }
            ItemKind::Policy(written) => self.policy(source, written),
            ItemKind::Invariant(written) => self.invariant(source, None, written),
            ItemKind::Prove(written) => {
                self.proves.is_new("claim", &written.name, self.sink);
                self.world.prove_sources.push(ProveSource {
                    name: written.name.text.clone(),
                    source,
                    actions: Vec::new(),
                });
            }
        }
    }

    fn enumeration(&mut self, written: &'a ast::Enum) {
        let mut distinct = Distinct::default();
        let mut variants = Vec::new();
        for (_, variant) in &written.variants {
            if distinct.is_new("variant", variant, self.sink) {
                variants.push(variant.text.clone());
            }
        }
        let name = &written.name;
        if variants.is_empty() {
            self.sink.push(
                Diagnostic::error(Code::BadEnum, name.span, format!("enum `{}` has no variants", name.text))
                    .help("name at least one: a value of it could not exist"),
            );
        }
        self.enum_def("enum", name, variants, None);
    }

    fn enum_def(
        &mut self,
        what: &str,
        written: &'a Name,
        mut variants: Vec<Arc<str>>,
        lifecycle: Option<crate::types::typed::LifecycleDef>,
    ) {
        if variants.len() > ENUM_VARIANTS_MAX {
            let message =
                format!("{what} `{}` has {} variants, more than {ENUM_VARIANTS_MAX}", written.text, variants.len());
            self.sink.push(
                Diagnostic::error(Code::BadEnum, written.span, message).help("use a `String` for an open set of names"),
            );
            variants.truncate(ENUM_VARIANTS_MAX);
        }
        let id = EnumId(self.world.enums.len() as u32);
        self.name(what, written, Definition::Enum(id));
        let mut places = HashMap::with_capacity(variants.len());
        for (place, variant) in variants.iter().enumerate() {
            places.insert(variant.clone(), place as u32);
            self.world.variant_owners.entry(variant.clone()).or_default().push((id, place as u32));
        }
        self.world.variant_places.push(places);
        let (name, qualified, span) = self.titles(written);
        self.world.enums.push(EnumDef { name, qualified, variants, lifecycle, span });
    }

    fn entity(&mut self, source: ItemRef, written: &Name, presented: bool, approver: bool) {
        let id = EntityTypeId(self.world.entity_types.len() as u32);
        self.name("entity type", written, Definition::Entity(id));
        let (name, qualified, span) = self.titles(written);
        self.world.entity_types.push(EntityTypeDef {
            name,
            wire: qualified.clone(),
            qualified,
            presented,
            approver,
            parents: Vec::new(),
            attributes: Vec::new(),
            governed_by: None,
            span,
        });
        self.items.entities.push(source);
    }

    fn action(&mut self, source: ItemRef, written: &ast::Action) {
        let (name, qualified, span) = self.titles(&written.name);
        if written.is_group {
            let id = GroupId(self.world.groups.len() as u32);
            self.name("action group", &written.name, Definition::Group(id));
            self.world.groups.push(GroupDef {
                qualified,
                members: Vec::new(),
                subject: Vec::new(),
                resource: Vec::new(),
                context: Vec::new(),
                span,
            });
            self.items.groups.push(source);
            return;
        }
        let id = ActionId(self.world.actions.len() as u32);
        self.name("action", &written.name, Definition::Action(id));
        self.world.actions.push(ActionDef {
            name,
            wire: qualified.clone(),
            qualified,
            subject: Vec::new(),
            resource: Vec::new(),
            context: Vec::new(),
            groups: Vec::new(),
            span,
        });
        self.items.actions.push(source);
    }

    fn policy(&mut self, source: ItemRef, written: &ast::Policy) {
        let id = PolicyId(self.world.policy_sources.len() as u32);
        let policies = &mut self.world.modules[self.module.index()].scope.policies;
        if let Err(first) = policies.insert(&written.name.text, Definition::Policy(id), written.name.span, false) {
            self.sink.push(duplicate("policy", &written.name, first));
        }
        let mut codes = Vec::new();
        let rules = written.lines.iter().filter_map(|line| match line {
            ast::PolicyLine::Rule(rule) => Some(rule),
            _ => None,
        });
        for (place, rule) in rules.enumerate() {
            self.rule_name("rule", &rule.name, Definition::Rule(id, place as u32));
            codes.extend(rule.clauses.iter().filter_map(|clause| match &clause.kind {
                ast::ClauseKind::Code(code) => Some(code.name.text.clone()),
                _ => None,
            }));
        }
        self.world.policy_sources.push(PolicySource {
            name: written.name.text.clone(),
            source,
            actions: Vec::new(),
            codes,
        });
    }

    fn invariant(&mut self, source: ItemRef, nested: Option<usize>, written: &ast::Invariant) {
        let id = InvariantId(self.world.invariant_sources.len() as u32);
        self.rule_name("invariant", &written.name, Definition::Invariant(id));
        self.world.invariant_sources.push(InvariantSource {
            name: written.name.text.clone(),
            source,
            nested,
            actions: Vec::new(),
            span: written.name.span,
        });
    }

    /// Rules and invariants of a module share one namespace, because with the module's name they are ids.
    fn rule_name(&mut self, what: &str, name: &Name, definition: Definition) {
        let rules = &mut self.world.modules[self.module.index()].scope.rules;
        if let Err(first) = rules.insert(&name.text, definition, name.span, false) {
            let fault = duplicate(what, name, first);
            let note = "rules and invariants of a module share their names: with the module's name they are ids";
            self.sink.push(fault.help(note));
        }
    }

    fn name(&mut self, what: &str, name: &Name, definition: Definition) {
        if BUILTIN_TYPES.contains(&&*name.text) || matches!(&*name.text, "Set" | "List" | "Map") {
            self.sink.push(
                Diagnostic::error(Code::ReservedName, name.span, format!("`{}` is a builtin type", name.text))
                    .label("can't be declared")
                    .help("choose another name"),
            );
        }
        let names = &mut self.world.modules[self.module.index()].scope.names;
        if let Err(first) = names.insert(&name.text, definition, name.span, false) {
            self.sink.push(duplicate(what, name, first));
        }
    }

    fn titles(&self, name: &Name) -> (Arc<str>, Arc<str>, Span) {
        (name.text.clone(), format!("{}.{}", self.module_name, name.text).into(), name.span)
    }
}

//! The resolved world of declarations: what every name of a package stands for.
//!
//! It is built by the phases that look at declarations and read by those that type expressions, rules and tests. Ids
//! are places in its lists and are final as soon as it is handed on. Bodies (of functions, policies, invariants,
//! claims) are not looked at here: their sources are listed with what is known of them by name, and whoever types them
//! fills the lists below.
//!
//! Looking up a name is silent; `resolve` in its sibling reports.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::base::span::Span;
use crate::syntax::ast;
use crate::types::package::Package;
use crate::types::ty::Type;
use crate::types::typed::{
    ActionDef, ActionId, Const, EntityTypeDef, EntityTypeId, EnumDef, EnumId, FieldDef, FunctionDef, FunctionId,
    GroupDef, GroupId, InvariantDef, ModuleId, ObligationDef, ObligationId, ParameterDef, ParameterId, PolicyDef,
    PolicyId, ProveDef, RecordDef, RecordId,
};

/// Index into [`World::constants`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConstId(pub u32);

/// Index into [`World::invariant_sources`], and of its typed form into [`World::invariants`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InvariantId(pub u32);

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Definition {
    /// `const`
    Const(ConstId),
    /// `enum`, or the states of a `lifecycle`
    Enum(EnumId),
    /// `record`
    Record(RecordId),
    /// `entity`, or a governed record
    Entity(EntityTypeId),
    /// `action`
    Action(ActionId),
    /// `action group`
    Group(GroupId),
    /// `obligation`
    Obligation(ObligationId),
    /// `fn` or `table`
    Function(FunctionId),
    /// `policy`
    Policy(PolicyId),
    /// A rule of a policy, by its place in it.
    Rule(PolicyId, u32),
    /// `invariant`
    Invariant(InvariantId),
    /// A parameter of the module.
    Parameter(ModuleId, ParameterId),
    /// A module, by its name or an alias.
    Module(ModuleId),
}

impl Definition {
    /// `a constant`, `an enum` and so on, for messages.
    #[must_use]
    pub fn sort(self) -> &'static str {
        match self {
            Definition::Const(_) => "a constant",
            Definition::Enum(_) => "an enum",
            Definition::Record(_) => "a record",
            Definition::Entity(_) => "an entity type",
            Definition::Action(_) => "an action",
            Definition::Group(_) => "an action group",
            Definition::Obligation(_) => "an obligation",
            Definition::Function(_) => "a function",
            Definition::Policy(_) => "a policy",
            Definition::Rule(..) => "a rule",
            Definition::Invariant(_) => "an invariant",
            Definition::Parameter(..) => "a parameter of the module",
            Definition::Module(_) => "a module",
        }
    }
}

/// A name in a scope.
#[derive(Clone, Debug)]
pub struct Binding {
    /// What it stands for.
    pub definition: Definition,
    /// The name where it is declared or imported.
    pub span: Span,
    /// Comes from a `use`.
    pub imported: bool,
    /// Somebody looked it up.
    pub used: Cell<bool>,
}

/// The names of one namespace, in the order in which they were declared, so that messages are deterministic.
#[derive(Clone, Debug, Default)]
pub struct Names {
    bindings: Vec<(Arc<str>, Binding)>,
    places: HashMap<Arc<str>, usize>,
}

impl Names {
    /// Adds a name; of one that is there already, gives the place of the first, which stays.
    pub fn insert(&mut self, name: &Arc<str>, definition: Definition, span: Span, imported: bool) -> Result<(), Span> {
        if let Some(&first) = self.places.get(name) {
            return Err(self.bindings[first].1.span);
        }
        self.places.insert(name.clone(), self.bindings.len());
        self.bindings.push((name.clone(), Binding { definition, span, imported, used: Cell::new(false) }));
        Ok(())
    }

    /// The binding of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Binding> {
        self.places.get(name).map(|&place| &self.bindings[place].1)
    }

    /// Gives all names other ids: functions get their final ones late.
    pub fn renumber(&mut self, new: impl Fn(Definition) -> Definition) {
        self.bindings.iter_mut().for_each(|(_, binding)| binding.definition = new(binding.definition));
    }

    /// All names, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Binding)> {
        self.bindings.iter().map(|(name, binding)| (name, binding))
    }
}

/// What can be named in a module without naming another one.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Types, constants, functions, actions, obligations, parameters, imported names and modules.
    pub names: Names,
    /// Policies; a policy may share its name with an action.
    pub policies: Names,
    /// Rules and invariants: with the instance's prefix these names are their ids.
    pub rules: Names,
    /// Names that an import should have bound and could not, which was reported: nothing is said about them again.
    pub faulty: HashSet<Arc<str>>,
}

/// A module.
#[derive(Clone, Debug)]
pub struct ModuleInfo {
    /// The dotted name.
    pub name: Arc<str>,
    /// The package's own.
    pub own: bool,
    /// Typed parameters.
    pub parameters: Vec<ParameterInfo>,
    /// What can be named in it.
    pub scope: Scope,
}

/// A parameter of a module.
#[derive(Clone, Debug)]
pub struct ParameterInfo {
    /// Name and type.
    pub def: ParameterDef,
    /// The value where none is given.
    pub default: Option<Const>,
    /// Whether a default is written (one that is faulty is no value, but no argument is missing either).
    pub has_default: bool,
    /// The whole declaration.
    pub span: Span,
}

/// A constant.
#[derive(Clone, Debug)]
pub struct ConstDef {
    /// The simple name.
    pub name: Arc<str>,
    /// Its type; `Unknown` where it is faulty.
    pub ty: Type,
    /// Its value; nothing where it is faulty.
    pub value: Option<Const>,
}

/// Where something stands: the item of a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemRef {
    /// The module.
    pub module: ModuleId,
    /// Index into the items of its file.
    pub item: usize,
}

impl ItemRef {
    /// The item itself.
    #[must_use]
    pub fn get(self, package: &Package) -> &ast::Item {
        &package.modules[self.module.index()].file.items[self.item]
    }
}

/// What is known of a function or table before its body is looked at. Callees have smaller ids.
#[derive(Clone, Debug)]
pub struct FunctionSignature {
    /// The simple name.
    pub name: Arc<str>,
    /// The item: `ItemKind::Function` or `ItemKind::Table`.
    pub source: ItemRef,
    /// Typed parameters; the locals are numbered from 0 in their order.
    pub parameters: Vec<ParameterDef>,
    /// The result.
    pub result: Type,
    /// The name.
    pub span: Span,
}

/// A policy before its lines are looked at.
#[derive(Clone, Debug)]
pub struct PolicySource {
    /// The simple name.
    pub name: Arc<str>,
    /// The item: `ItemKind::Policy`.
    pub source: ItemRef,
    /// The actions it is for, groups resolved, sorted; empty where all that was named is faulty.
    pub actions: Vec<ActionId>,
    /// The codes that its rules name, in source order.
    pub codes: Vec<Arc<str>>,
}

/// An invariant before its lines are looked at.
#[derive(Clone, Debug)]
pub struct InvariantSource {
    /// The simple name.
    pub name: Arc<str>,
    /// The item: `ItemKind::Invariant`, or `ItemKind::GovernedRecord`.
    pub source: ItemRef,
    /// Of a governed record: which of its invariants.
    pub nested: Option<usize>,
    /// The actions it is for, groups resolved, sorted; of a governed record's, all actions on that record.
    pub actions: Vec<ActionId>,
    /// The name.
    pub span: Span,
}

impl InvariantSource {
    /// What was written.
    #[must_use]
    pub fn ast<'a>(&self, package: &'a Package) -> Option<&'a ast::Invariant> {
        match (&self.source.get(package).kind, self.nested) {
            (ast::ItemKind::Invariant(invariant), None) => Some(invariant),
            (ast::ItemKind::GovernedRecord(record), Some(at)) => {
                record.invariants.get(at).map(|(_, invariant)| invariant)
            }
            _ => None,
        }
    }
}

/// A block of claims before it is looked at.
#[derive(Clone, Debug)]
pub struct ProveSource {
    /// The simple name.
    pub name: Arc<str>,
    /// The item: `ItemKind::Prove`.
    pub source: ItemRef,
    /// The actions, groups resolved, sorted.
    pub actions: Vec<ActionId>,
}

/// From a name to a place in a list.
pub type Places = HashMap<Arc<str>, u32>;

/// All declarations.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// Modules; the same ids as in the package.
    pub modules: Vec<ModuleInfo>,
    /// Modules by their dotted names.
    pub module_by_name: HashMap<Arc<str>, ModuleId>,
    /// Constants.
    pub constants: Vec<ConstDef>,
    /// Enums, those of lifecycles among them.
    pub enums: Vec<EnumDef>,
    /// Records.
    pub records: Vec<RecordDef>,
    /// Entity types, governed records among them.
    pub entity_types: Vec<EntityTypeDef>,
    /// Actions.
    pub actions: Vec<ActionDef>,
    /// Groups.
    pub groups: Vec<GroupDef>,
    /// Obligations.
    pub obligations: Vec<ObligationDef>,
    /// Functions and tables by what they take and give; `PolicyId`s and so on are places in these lists.
    pub signatures: Vec<FunctionSignature>,
    /// Policies as written.
    pub policy_sources: Vec<PolicySource>,
    /// Invariants as written.
    pub invariant_sources: Vec<InvariantSource>,
    /// Claims as written.
    pub prove_sources: Vec<ProveSource>,

    /// Typed functions, filled by `bodies::check_functions`, in the order of `signatures`.
    pub functions: Vec<FunctionDef>,
    /// Typed policies, filled by `bodies::check_policies`, in the order of `policy_sources`.
    pub policies: Vec<PolicyDef>,
    /// Typed invariants, filled likewise.
    pub invariants: Vec<InvariantDef>,
    /// Typed claims, filled likewise.
    pub proves: Vec<ProveDef>,

    /// The variants of each enum.
    pub variant_places: Vec<Places>,
    /// The fields of each record.
    pub record_places: Vec<Places>,
    /// The attributes of each entity type.
    pub attribute_places: Vec<Places>,
    /// The context fields of each action.
    pub context_places: Vec<Places>,
    /// Of each name of a variant, all enums that have it, by id: for bare variants.
    pub variant_owners: HashMap<Arc<str>, Vec<(EnumId, u32)>>,
}

impl World {
    /// A variant of an enum.
    #[must_use]
    pub fn variant(&self, id: EnumId, name: &str) -> Option<u32> {
        self.variant_places.get(id.index())?.get(name).copied()
    }

    /// All variants with this name, of whatever enum, by the enum's id.
    #[must_use]
    pub fn variants_named(&self, name: &str) -> &[(EnumId, u32)] {
        self.variant_owners.get(name).map_or(&[], Vec::as_slice)
    }

    /// A field of a record with its place.
    #[must_use]
    pub fn field(&self, id: RecordId, name: &str) -> Option<(u32, &FieldDef)> {
        let place = *self.record_places.get(id.index())?.get(name)?;
        Some((place, &self.records[id.index()].fields[place as usize]))
    }

    /// An attribute of an entity type.
    #[must_use]
    pub fn attribute(&self, id: EntityTypeId, name: &str) -> Option<&FieldDef> {
        let place = *self.attribute_places.get(id.index())?.get(name)?;
        Some(&self.entity_types[id.index()].attributes[place as usize])
    }

    /// A field of an action's context.
    #[must_use]
    pub fn context(&self, id: ActionId, name: &str) -> Option<&FieldDef> {
        let place = *self.context_places.get(id.index())?.get(name)?;
        Some(&self.actions[id.index()].context[place as usize])
    }

    /// What a path stands for in a module; silent. Policies and rules are found by [`World::lookup_policy`] and
    /// [`World::lookup_rule`], because they may share their names with other things.
    #[must_use]
    pub fn lookup(&self, module: ModuleId, path: &ast::Path) -> Option<Definition> {
        let parts: Vec<&ast::Name> = path.parts.iter().collect();
        match self.lookup_prefix(module, &parts) {
            Some((definition, used)) if used == parts.len() => Some(definition),
            _ => self.module_of(module, &path.parts).map(Definition::Module),
        }
    }

    /// What the longest sensible beginning of a chain of names stands for, and how many names that are:
    /// `Kind.webapp` gives the enum and 1, `acme.release.Kind.webapp` the enum and 3.
    #[must_use]
    pub fn lookup_prefix(&self, module: ModuleId, parts: &[&ast::Name]) -> Option<(Definition, usize)> {
        let first = parts.first()?;
        let bound = self.modules[module.index()].scope.names.get(&first.text);
        if let Some(binding) = bound {
            match (binding.definition, parts.get(1)) {
                (Definition::Module(other), Some(second)) => {
                    if let Some(definition) = self.member(other, &second.text) {
                        binding.used.set(true);
                        return Some((definition, 2));
                    }
                }
                (definition, _) => {
                    binding.used.set(true);
                    return Some((definition, 1));
                }
            }
        }
        let mut name = first.text.to_string();
        let mut found = None;
        for (at, part) in parts.iter().enumerate().skip(1) {
            if let Some(&other) = self.module_by_name.get(name.as_str())
                && let Some(definition) = self.member(other, &part.text)
            {
                found = Some((definition, at + 1));
            }
            name.push('.');
            name.push_str(&part.text);
        }
        found.or_else(|| bound.map(|binding| (binding.definition, 1)))
    }

    /// Whether a path begins with a name whose import was faulty: that was reported, and nothing is known of it.
    #[must_use]
    pub fn is_faulty(&self, module: ModuleId, path: &ast::Path) -> bool {
        let faulty = &self.modules[module.index()].scope.faulty;
        path.parts.first().is_some_and(|first| faulty.contains(&first.text))
    }

    /// A policy: by its simple name in its own module, else with its module.
    #[must_use]
    pub fn lookup_policy(&self, module: ModuleId, path: &ast::Path) -> Option<PolicyId> {
        match self.lookup_in(module, path, |scope| &scope.policies)? {
            Definition::Policy(id) => Some(id),
            _ => None,
        }
    }

    /// A rule or an invariant: by its simple name in its own module, else with its module.
    #[must_use]
    pub fn lookup_rule(&self, module: ModuleId, path: &ast::Path) -> Option<Definition> {
        self.lookup_in(module, path, |scope| &scope.rules)
    }

    fn lookup_in(&self, module: ModuleId, path: &ast::Path, names: fn(&Scope) -> &Names) -> Option<Definition> {
        let (last, before) = path.parts.split_last()?;
        let module = if before.is_empty() { module } else { self.module_of(module, before)? };
        names(&self.modules[module.index()].scope).get(&last.text).map(|binding| binding.definition)
    }

    /// The module that some names stand for: an alias, or a full name.
    #[must_use]
    pub fn module_of(&self, module: ModuleId, parts: &[ast::Name]) -> Option<ModuleId> {
        if let [only] = parts
            && let Some(binding) = self.modules[module.index()].scope.names.get(&only.text)
            && let Definition::Module(other) = binding.definition
        {
            binding.used.set(true);
            return Some(other);
        }
        self.module_by_name.get(dotted(parts).as_str()).copied()
    }

    /// What a module itself declares under a name; what it imports is not seen from outside, nor its parameters.
    #[must_use]
    pub fn member(&self, module: ModuleId, name: &str) -> Option<Definition> {
        let binding = self.modules[module.index()].scope.names.get(name)?;
        let outside = !binding.imported && !matches!(binding.definition, Definition::Parameter(..));
        outside.then_some(binding.definition)
    }
}

/// Names joined by dots.
#[must_use]
pub fn dotted(parts: &[ast::Name]) -> String {
    let texts: Vec<&str> = parts.iter().map(|part| &*part.text).collect();
    texts.join(".")
}

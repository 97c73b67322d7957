//! Resolving names and types, with reports of what is not there.

use crate::base::limits::STRING_DEFAULT_BYTES_MAX;
use crate::base::limits::{COLLECTION_DEFAULT_MAX, COLLECTION_MAX, DIAGNOSTICS_MAX, STRING_BYTES_MAX};
use crate::base::span::Span;
use crate::data::similar::best_match;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::syntax::ast;
use crate::types::bodies::evaluate_constant;
use crate::types::ty::{Interval, Type};
use crate::types::typed::{ActionId, Const, EntityTypeId, FieldDef, ModuleId, RecordId};
use crate::types::world::{Definition, World, dotted};

/// What sort of thing a name should stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// A constant, or a parameter of the module.
    Value,
    /// An enum, a record or an entity type.
    Type,
    /// An entity type.
    Entity,
    /// An enum that a lifecycle declares.
    Lifecycle,
    /// An action.
    Action,
    /// An action or a group.
    ActionOrGroup,
    /// A group.
    Group,
    /// An obligation.
    Obligation,
    /// A function or table.
    Function,
    /// A policy.
    Policy,
    /// A rule of a policy.
    Rule,
    /// A rule or an invariant.
    RuleOrInvariant,
}

impl Expected {
    fn word(self) -> &'static str {
        match self {
            Expected::Value => "constant",
            Expected::Type => "type",
            Expected::Entity => "entity type",
            Expected::Lifecycle => "lifecycle",
            Expected::Action => "action",
            Expected::ActionOrGroup => "action or group",
            Expected::Group => "action group",
            Expected::Obligation => "obligation",
            Expected::Function => "function",
            Expected::Policy => "policy",
            Expected::Rule => "rule",
            Expected::RuleOrInvariant => "rule or invariant",
        }
    }

    fn article(self) -> &'static str {
        match self {
            Expected::Entity | Expected::Action | Expected::ActionOrGroup | Expected::Group | Expected::Obligation => {
                "an"
            }
            _ => "a",
        }
    }

    fn fits(self, world: &World, definition: Definition) -> bool {
        match self {
            Expected::Value => matches!(definition, Definition::Const(_) | Definition::Parameter(..)),
            Expected::Type => {
                matches!(definition, Definition::Enum(_) | Definition::Record(_) | Definition::Entity(_))
            }
            Expected::Entity => matches!(definition, Definition::Entity(_)),
            Expected::Lifecycle => {
                matches!(definition, Definition::Enum(id) if world.enums[id.index()].lifecycle.is_some())
            }
            Expected::Action => matches!(definition, Definition::Action(_)),
            Expected::ActionOrGroup => matches!(definition, Definition::Action(_) | Definition::Group(_)),
            Expected::Group => matches!(definition, Definition::Group(_)),
            Expected::Obligation => matches!(definition, Definition::Obligation(_)),
            Expected::Function => matches!(definition, Definition::Function(_)),
            Expected::Policy => matches!(definition, Definition::Policy(_)),
            Expected::Rule => matches!(definition, Definition::Rule(..)),
            Expected::RuleOrInvariant => matches!(definition, Definition::Rule(..) | Definition::Invariant(_)),
        }
    }
}

/// The names of the builtin types.
pub const BUILTIN_TYPES: [&str; 10] =
    ["Bool", "Int", "Decimal", "String", "Duration", "Timestamp", "IpAddr", "IpNet", "Url", "Path"];

impl World {
    /// What a path stands for, of the sort that is expected; anything else is reported.
    pub fn resolve(
        &self,
        module: ModuleId,
        path: &ast::Path,
        expected: Expected,
        sink: &mut Diagnostics,
    ) -> Option<Definition> {
        let found = match expected {
            Expected::Policy => self.lookup_policy(module, path).map(Definition::Policy),
            Expected::Rule | Expected::RuleOrInvariant => self.lookup_rule(module, path),
            _ => self.lookup(module, path),
        };
        match found {
            Some(definition) if expected.fits(self, definition) => Some(definition),
            Some(definition) => {
                let name = dotted(&path.parts);
                let (article, word) = (expected.article(), expected.word());
                let message = format!("`{name}` is {}, not {article} {word}", definition.sort());
                sink.push(
                    Diagnostic::error(Code::WrongSort, path.span, message)
                        .label(format!("{article} {word} is needed here"))
                        .help_if(self.did_you_mean(module, path, expected, sink)),
                );
                None
            }
            None => {
                if !self.is_faulty(module, path) {
                    self.report_unknown(module, path, expected, sink);
                }
                None
            }
        }
    }

    fn report_unknown(&self, module: ModuleId, path: &ast::Path, expected: Expected, sink: &mut Diagnostics) {
        let name = dotted(&path.parts);
        let mut fault =
            Diagnostic::error(Code::UnknownName, path.span, format!("there is no {} `{name}` here", expected.word()))
                .label("not found");
        if expected == Expected::Type && name == "Entity" {
            fault = fault.help("name an entity type that is declared: no place holds entities of every type");
        } else if let Some((text, best)) = self.suggestion(module, path, expected, sink) {
            fault = fault.help(text);
            if let Some(last) = path.parts.last() {
                fault = fault.fix(last.span, best);
            }
        }
        if let [only] = path.parts.as_slice()
            && suggestions_wanted(sink)
        {
            let holder = self.modules.iter().enumerate().find(|(at, _)| {
                self.member(ModuleId(*at as u32), &only.text).is_some_and(|found| expected.fits(self, found))
            });
            if let Some((_, holder)) = holder {
                fault = fault.help(format!(
                    "it is declared in module `{}`: add `use {}.{}`",
                    holder.name, holder.name, only.text
                ));
            }
        }
        sink.push(fault);
    }

    /// "did you mean …", over everything of the right sort that can be named here.
    #[must_use]
    pub fn did_you_mean(
        &self,
        module: ModuleId,
        path: &ast::Path,
        expected: Expected,
        sink: &Diagnostics,
    ) -> Option<String> {
        self.suggestion(module, path, expected, sink).map(|(text, _)| text)
    }

    fn suggestion(
        &self,
        module: ModuleId,
        path: &ast::Path,
        expected: Expected,
        sink: &Diagnostics,
    ) -> Option<(String, &str)> {
        if !suggestions_wanted(sink) {
            return None;
        }
        let (last, before) = path.parts.split_last()?;
        let holder = if before.is_empty() { module } else { self.module_of(module, before)? };
        let scope = &self.modules[holder.index()].scope;
        let names = match expected {
            Expected::Policy => &scope.policies,
            Expected::Rule | Expected::RuleOrInvariant => &scope.rules,
            _ => &scope.names,
        };
        let candidates = names
            .iter()
            .filter(|(_, binding)| expected.fits(self, binding.definition) && (before.is_empty() || !binding.imported))
            .map(|(name, _)| &**name);
        let builtin = BUILTIN_TYPES.iter().copied().filter(|_| expected == Expected::Type && before.is_empty());
        let best = best_match(&last.text, candidates.chain(builtin))?;
        let prefix = if before.is_empty() { String::new() } else { format!("{}.", dotted(before)) };
        Some((format!("did you mean `{prefix}{best}`?"), best))
    }

    /// An attribute of an entity type; one that is not there is reported.
    pub fn entity_attribute(&self, id: EntityTypeId, name: &ast::Name, sink: &mut Diagnostics) -> Option<&FieldDef> {
        if let Some(field) = self.attribute(id, &name.text) {
            return Some(field);
        }
        let ty = &self.entity_types[id.index()];
        let what = format!("entity type `{}` has no attribute `{}`", ty.name, name.text);
        report_unknown_field(name, what, &ty.attributes, ty.span, sink);
        None
    }

    /// A field of a record with its place; one that is not there is reported.
    pub fn record_field(&self, id: RecordId, name: &ast::Name, sink: &mut Diagnostics) -> Option<(u32, &FieldDef)> {
        if let Some(found) = self.field(id, &name.text) {
            return Some(found);
        }
        let record = &self.records[id.index()];
        let what = format!("record `{}` has no field `{}`", record.name, name.text);
        report_unknown_field(name, what, &record.fields, record.span, sink);
        None
    }

    /// A field of an action's context; one that is not there is reported.
    pub fn context_field(&self, id: ActionId, name: &ast::Name, sink: &mut Diagnostics) -> Option<&FieldDef> {
        if let Some(field) = self.context(id, &name.text) {
            return Some(field);
        }
        let action = &self.actions[id.index()];
        let what = format!("the context of action `{}` has no field `{}`", action.name, name.text);
        report_unknown_field(name, what, &action.context, action.span, sink);
        None
    }

    /// The type that is written; faults are reported and give `Unknown`.
    pub fn resolve_type(&self, module: ModuleId, ty: &ast::Type, sink: &mut Diagnostics) -> Type {
        match &ty.kind {
            ast::TypeKind::Name(path) => self.named_type(module, path, sink),
            ast::TypeKind::Range(inner, low, high) => self.range_type(module, ty.span, inner, [low, high], sink),
            ast::TypeKind::Generic(name, arguments) => self.generic_type(module, ty.span, name, arguments, sink),
            ast::TypeKind::Max(inner, bound) => self.bounded_type(module, inner, bound, sink),
            ast::TypeKind::Optional(inner) => match self.resolve_type(module, inner, sink) {
                Type::Unknown => Type::Unknown,
                Type::Optional(_) => {
                    sink.push(
                        Diagnostic::error(Code::NestedOptional, ty.span, "an optional can't be optional again")
                            .help("write one `?`: a value is there or it is not"),
                    );
                    Type::Unknown
                }
                inner => Type::Optional(Box::new(inner)),
            },
            ast::TypeKind::Error => Type::Unknown,
        }
    }

    fn named_type(&self, module: ModuleId, path: &ast::Path, sink: &mut Diagnostics) -> Type {
        if let [only] = path.parts.as_slice()
            && let Some(ty) = builtin_type(&only.text)
        {
            return ty;
        }
        if let [only] = path.parts.as_slice()
            && let "Set" | "List" | "Map" = &*only.text
        {
            let example =
                if &*only.text == "Map" { "Map<String, Int>".to_owned() } else { format!("{}<String>", only.text) };
            sink.push(
                Diagnostic::error(Code::BadTypeArguments, path.span, format!("`{}` of what is not said", only.text))
                    .help(format!("name the type of its elements: `{example}`")),
            );
            return Type::Unknown;
        }
        match self.resolve(module, path, Expected::Type, sink) {
            Some(Definition::Enum(id)) => Type::Enum(id),
            Some(Definition::Record(id)) => Type::Record(id),
            Some(Definition::Entity(id)) => Type::Entity(vec![id]),
            _ => Type::Unknown,
        }
    }

    fn range_type(
        &self,
        module: ModuleId,
        span: Span,
        inner: &ast::Type,
        bounds: [&ast::Expr; 2],
        sink: &mut Diagnostics,
    ) -> Type {
        let base = self.resolve_type(module, inner, sink);
        let [low, high] = bounds.map(|bound| self.integer(module, bound, sink));
        match base {
            Type::Unknown => return Type::Unknown,
            Type::Int(Interval::FULL) => {}
            _ => {
                sink.push(
                    Diagnostic::error(Code::BadRange, span, "only `Int` can have a range")
                        .label("this has a range")
                        .help("write `Int in low..=high`, and leave the range away elsewhere"),
                );
                return Type::Unknown;
            }
        }
        let (Some(low), Some(high)) = (low, high) else { return Type::Unknown };
        if low > high {
            let message = format!("no integer lies in {low}..={high}");
            sink.push(
                Diagnostic::error(Code::BadRange, bounds[0].span.to(bounds[1].span), message)
                    .label("empty")
                    .help(format!("write the smaller bound first: `Int in {high}..={low}`")),
            );
            return Type::Unknown;
        }
        Type::Int(Interval { low, high })
    }

    fn generic_type(
        &self,
        module: ModuleId,
        span: Span,
        name: &ast::Name,
        arguments: &[ast::Type],
        sink: &mut Diagnostics,
    ) -> Type {
        let resolved: Vec<Type> = arguments.iter().map(|argument| self.resolve_type(module, argument, sink)).collect();
        let wanted = match &*name.text {
            "Set" | "List" => 1,
            "Map" => 2,
            other => {
                let help = match other {
                    "Optional" | "Option" | "Maybe" => {
                        Some("an optional is written with a question mark: `Int?`".to_owned())
                    }
                    _ => None,
                };
                let help = help.or_else(|| {
                    best_match(other, ["Set", "List", "Map"]).map(|best| format!("did you mean `{best}`?"))
                });
                sink.push(
                    Diagnostic::error(Code::BadTypeArguments, name.span, format!("`{other}` takes no type arguments"))
                        .help_if(help.or_else(|| Some("only `Set`, `List` and `Map` do".to_owned()))),
                );
                return Type::Unknown;
            }
        };
        if resolved.len() != wanted {
            let message =
                format!("`{}` takes {wanted} type {}", name.text, if wanted == 1 { "argument" } else { "arguments" });
            let help = if wanted == 2 {
                "write `Map<String, Int>`: type of the keys, type of the values"
            } else {
                "write `Set<String>`, `List<Int>`"
            };
            sink.push(
                Diagnostic::error(Code::BadTypeArguments, span, message)
                    .label(format!("{} given", resolved.len()))
                    .help(help),
            );
            return Type::Unknown;
        }
        let mut resolved = resolved.into_iter();
        match (&*name.text, resolved.next(), resolved.next()) {
            ("Set", Some(element), None) => self.set_type(element, arguments[0].span, sink),
            ("List", Some(element), None) => match element {
                Type::Unknown => Type::Unknown,
                Type::Optional(_) => optional_element(arguments[0].span, "list", sink),
                element => Type::List(Box::new(element), COLLECTION_DEFAULT_MAX),
            },
            ("Map", Some(key), Some(value)) => match (key, value) {
                (_, Type::Optional(_)) => optional_element(arguments[1].span, "map", sink),
                (Type::String(_), Type::Unknown) | (Type::Unknown, _) => Type::Unknown,
                (Type::String(_), value) => Type::Map(Box::new(value), COLLECTION_DEFAULT_MAX),
                _ => {
                    sink.push(
                        Diagnostic::error(Code::BadElement, arguments[0].span, "the keys of a map are strings")
                            .label("not `String`")
                            .help("write `Map<String, …>`"),
                    );
                    Type::Unknown
                }
            },
            _ => Type::Unknown,
        }
    }

    fn set_type(&self, element: Type, span: Span, sink: &mut Diagnostics) -> Type {
        let what = match &element {
            Type::Unknown => return Type::Unknown,
            Type::Optional(_) => return optional_element(span, "set", sink),
            Type::Record(_) => "records",
            Type::Set(..) => "sets",
            Type::List(..) => "lists",
            Type::Map(..) => "maps",
            _ => return Type::Set(Box::new(element), COLLECTION_DEFAULT_MAX),
        };
        sink.push(
            Diagnostic::error(Code::BadElement, span, format!("a set can't hold {what}"))
                .label("not a scalar, an enum or an entity type")
                .help("use a `List`"),
        );
        Type::Unknown
    }

    fn bounded_type(&self, module: ModuleId, inner: &ast::Type, bound: &ast::Expr, sink: &mut Diagnostics) -> Type {
        let base = self.resolve_type(module, inner, sink);
        let value = self.integer(module, bound, sink);
        let (limit, unit) = match &base {
            Type::Unknown => return Type::Unknown,
            Type::String(_) => (STRING_BYTES_MAX, "bytes"),
            Type::Set(..) | Type::List(..) | Type::Map(..) => (COLLECTION_MAX, "elements"),
            _ => {
                sink.push(
                    Diagnostic::error(Code::BadBound, inner.span, "only strings, sets, lists and maps have a `max`")
                        .help("for a range of integers write `Int in 0..=10`"),
                );
                return Type::Unknown;
            }
        };
        let Some(value) = value else { return Type::Unknown };
        let Some(max) = u32::try_from(value).ok().filter(|max| (1..=limit).contains(max)) else {
            sink.push(
                Diagnostic::error(Code::BadBound, bound.span, format!("a `max` of {value} {unit} is out of bounds"))
                    .help(format!("the least is 1, the most {limit}")),
            );
            return Type::Unknown;
        };
        match base {
            Type::String(_) => Type::String(max),
            Type::Set(element, _) => Type::Set(element, max),
            Type::List(element, _) => Type::List(element, max),
            Type::Map(element, _) => Type::Map(element, max),
            other => other,
        }
    }

    fn integer(&self, module: ModuleId, expr: &ast::Expr, sink: &mut Diagnostics) -> Option<i64> {
        let full = Type::Int(Interval::FULL);
        match evaluate_constant(self, module, &[], expr, Some(&full), sink) {
            Some((_, Const::Int(value))) => Some(value),
            _ => None,
        }
    }
}

fn builtin_type(name: &str) -> Option<Type> {
    Some(match name {
        "Bool" => Type::Bool,
        "Int" => Type::Int(Interval::FULL),
        "Decimal" => Type::Decimal,
        "String" => Type::String(STRING_DEFAULT_BYTES_MAX),
        "Duration" => Type::Duration,
        "Timestamp" => Type::Timestamp,
        "IpAddr" => Type::IpAddr,
        "IpNet" => Type::IpNet,
        "Url" => Type::Url,
        "Path" => Type::Path,
        _ => return None,
    })
}

fn optional_element(span: Span, what: &str, sink: &mut Diagnostics) -> Type {
    sink.push(
        Diagnostic::error(Code::BadElement, span, format!("the elements of a {what} can't be optional"))
            .help("leave the `?` away: an element that is absent is just not there"),
    );
    Type::Unknown
}

fn report_unknown_field(name: &ast::Name, what: String, fields: &[FieldDef], declared: Span, sink: &mut Diagnostics) {
    let best = best_match(&name.text, fields.iter().map(|field| &*field.name)).filter(|_| suggestions_wanted(sink));
    let mut fault = Diagnostic::error(Code::UnknownField, name.span, what).label("not declared");
    if let Some(best) = best {
        fault = fault.help(format!("did you mean `{best}`?")).fix(name.span, best);
    } else if fields.is_empty() {
        fault = fault.help("it has none at all");
    } else if fields.len() <= 8 {
        let names: Vec<String> = fields.iter().map(|field| format!("`{}`", field.name)).collect();
        fault = fault.help(format!("it has {}", names.join(", ")));
    }
    sink.push(fault.secondary(declared, "declared here"));
}

/// Looking for what was meant takes a look at every name; when nothing more is shown it is not worth it.
#[must_use]
pub fn suggestions_wanted(sink: &Diagnostics) -> bool {
    sink.counts().errors < DIAGNOSTICS_MAX
}

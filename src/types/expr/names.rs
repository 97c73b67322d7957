//! Names, and chains of names joined by dots: variables, constants, variants, what can be read of the request.

use crate::base::span::Span;
use crate::data::similar::best_match;
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast;
use crate::types::expr::faults::exactly;
use crate::types::expr::{Checked, Checker, Place};
use crate::types::relate;
use crate::types::resolve::{Expected, suggestions_wanted};
use crate::types::ty::{Interval, Type};
use crate::types::typed::{ActionId, Const, EnumId, Expr, ExprKind, ParameterId};
use crate::types::world::{ConstId, Definition};

impl<'w> Checker<'_, 'w> {
    /// A bare name.
    pub(super) fn name(&mut self, name: &ast::Name, expected: Option<&Type>) -> Checked {
        let variant = match expected.map(relate::inner) {
            Some(Type::Enum(id)) => self.world().variant(*id, &name.text).map(|variant| (*id, variant)),
            _ => None,
        };
        let value = self.value_named(name);
        match (value, variant) {
            (Some(found), Some((id, _))) => {
                let name_of = &self.world().enums[id.index()].name;
                let what = format!("`{0}` is a value here and a variant of `{name_of}` as well", name.text);
                if found.is_unknown() {
                    return found;
                }
                self.fail(
                    Diagnostic::error(Code::AmbiguousName, name.span, what)
                        .label("which one is meant?")
                        .help(format!("for the variant write `{name_of}.{}`", name.text))
                        .help("give the value another name"),
                )
            }
            (Some(found), None) => found,
            (None, Some((id, variant))) => Checked::constant(Const::Enum(id, variant), Type::Enum(id), name.span),
            (None, None) => self.unknown_name(name, expected),
        }
    }

    // A local, a part of the request, a constant or a parameter of the module.
    fn value_named(&mut self, name: &ast::Name) -> Option<Checked> {
        if let Some(found) = self.local(name) {
            return Some(found);
        }
        if let Some(found) = self.of_request(name) {
            return Some(found);
        }
        match self.world().lookup_prefix(self.module, &[name])?.0 {
            definition @ (Definition::Const(_) | Definition::Parameter(..)) => {
                Some(self.definition(definition, name.span))
            }
            _ => None,
        }
    }

    fn local(&mut self, name: &ast::Name) -> Option<Checked> {
        let local = self.locals.iter_mut().rev().find(|local| local.name == name.text)?;
        local.used = true;
        if let Some(value) = &local.constant {
            return Some(Checked::constant(value.clone(), local.ty.clone(), name.span));
        }
        let (ty, truth, fallible) = (local.ty.clone(), local.truth.clone(), local.fallible);
        let expr = Expr { kind: ExprKind::Local(local.id), ty, span: name.span, fallible };
        let mut found = self.narrowed(expr);
        if found.expr.ty == Type::Bool && truth != Default::default() {
            found.truth = truth;
        }
        Some(found)
    }

    fn of_request(&mut self, name: &ast::Name) -> Option<Checked> {
        let kind = match &*name.text {
            "subject" => ExprKind::Subject,
            "resource" => ExprKind::Resource,
            "context" | "action" => {
                let (message, help) = if &*name.text == "context" {
                    ("the context as a whole is no value", "read one of its fields: `context.name`")
                } else {
                    ("the action as a whole is no value", "read its name: `action.name`")
                };
                return Some(self.fail(Diagnostic::error(Code::NotAValue, name.span, message).help(help)));
            }
            _ => return None,
        };
        let Place::Actions(request) = &self.place else {
            return Some(self.not_readable(name.span, &name.text));
        };
        let ty = if &*name.text == "subject" { request.subject.clone() } else { request.resource.clone() };
        Some(self.narrowed(Expr { kind, ty, span: name.span, fallible: false }))
    }

    fn not_readable(&mut self, span: Span, what: &str) -> Checked {
        let (place, help) = match self.place {
            Place::Constant(_) => ("a constant", "a constant is made of literals and other constants"),
            _ => ("a function", "give it to the function as a parameter"),
        };
        self.fail(
            Diagnostic::error(Code::NotReadable, span, format!("`{what}` can't be read in {place}"))
                .label("there is no request here")
                .help(help),
        )
    }

    /// A chain `a.b.c`: a value and members of it, or a qualified name and members of what it stands for.
    pub(super) fn field_chain(&mut self, expr: &ast::Expr) -> Checked {
        let mut members: Vec<(&ast::Name, Span)> = Vec::new();
        let mut root = expr;
        while let ast::ExprKind::Field(base, name) = &root.kind {
            members.push((name, root.span));
            root = base;
        }
        members.reverse();
        let (mut value, used) = match &root.kind {
            ast::ExprKind::Name(first) => self.chain_root(first, &members),
            _ => (self.infer(root, None), 0),
        };
        for (name, span) in members.into_iter().skip(used) {
            value = self.member(value, name, span);
        }
        value
    }

    // The value at the root of a chain, and how many of the names behind it belong to it.
    fn chain_root(&mut self, first: &ast::Name, members: &[(&ast::Name, Span)]) -> (Checked, usize) {
        if let Some(found) = self.local(first) {
            return (found, 0);
        }
        match (&*first.text, members.first()) {
            ("context", Some((field, span))) => return (self.context_field(field, *span), 1),
            ("action", Some((field, span))) => return (self.action_member(field, *span), 1),
            ("subject" | "resource", _) => {
                if let Some(found) = self.of_request(first) {
                    return (found, 0);
                }
            }
            _ => (),
        }
        let names: Vec<&ast::Name> = std::iter::once(first).chain(members.iter().map(|(name, _)| *name)).collect();
        let span_of = |used: usize| if used <= 1 { first.span } else { members[used - 2].1 };
        let Some((definition, used)) = self.world().lookup_prefix(self.module, &names) else {
            return (self.unknown_name(first, None), members.len());
        };
        match definition {
            Definition::Enum(id) => match names.get(used) {
                Some(name) => (self.variant(id, name, span_of(used + 1)), used),
                None => (self.not_a_value(definition, first, span_of(used)), used - 1),
            },
            Definition::Module(_) => {
                let parts: Vec<ast::Name> = names.iter().take(used + 1).map(|name| (*name).clone()).collect();
                let path = ast::Path { parts, span: span_of((used + 1).min(names.len())) };
                // It can't be found, or the chain would not have stopped here: this says so.
                self.world().resolve(self.module, &path, Expected::Value, self.session.sink);
                (Checked::unknown(path.span), members.len())
            }
            Definition::Const(_) | Definition::Parameter(..) => (self.definition(definition, span_of(used)), used - 1),
            _ => (self.not_a_value(definition, first, span_of(used)), members.len()),
        }
    }

    /// `Kind.content`
    fn variant(&mut self, id: EnumId, name: &ast::Name, span: Span) -> Checked {
        match self.world().variant(id, &name.text) {
            Some(variant) => Checked::constant(Const::Enum(id, variant), Type::Enum(id), span),
            None => self.unknown_variant(id, name),
        }
    }

    /// Reports a variant that an enum does not have.
    pub(super) fn unknown_variant(&mut self, id: EnumId, name: &ast::Name) -> Checked {
        let def = &self.world().enums[id.index()];
        let mut fault = Diagnostic::error(
            Code::UnknownVariant,
            name.span,
            format!("enum `{}` has no variant `{}`", def.name, name.text),
        )
        .label("not a variant");
        if let Some(best) = best_match(&name.text, def.variants.iter().map(|variant| &**variant)) {
            fault = fault.help(format!("did you mean `{best}`?")).fix(name.span, best);
        } else if def.variants.len() <= 8 {
            fault = fault.help(format!("it has `{}`", def.variants.join("`, `")));
        }
        self.fail(fault.secondary(def.span, "declared here"))
    }

    fn definition(&mut self, definition: Definition, span: Span) -> Checked {
        match definition {
            Definition::Const(id) => self.constant_named(id, span),
            Definition::Parameter(module, id) => self.module_parameter(module, id, span),
            _ => Checked::unknown(span),
        }
    }

    fn constant_named(&mut self, id: ConstId, span: Span) -> Checked {
        let def = &self.world().constants[id.0 as usize];
        match &def.value {
            Some(value) => {
                let ty = match value {
                    Const::Int(value) => exactly(*value),
                    _ => def.ty.clone(),
                };
                Checked::constant(value.clone(), ty, span)
            }
            None => Checked::unknown(span),
        }
    }

    fn module_parameter(&mut self, module: crate::types::typed::ModuleId, id: ParameterId, span: Span) -> Checked {
        let Some(parameter) = self.world().modules[module.index()].parameters.get(id.index()) else {
            return Checked::unknown(span);
        };
        let ty = parameter.def.ty.clone();
        if let Place::Constant(arguments) = self.place {
            return match arguments.get(id.index()) {
                // The value is known here, so its type is as narrow as that of a literal.
                Some(Const::Int(value)) => {
                    let ty = Type::Int(Interval { low: *value, high: *value });
                    Checked::constant(Const::Int(*value), ty, span)
                }
                Some(value) => Checked::constant(value.clone(), ty, span),
                None => {
                    let name = parameter.def.name.clone();
                    self.fail(
                        Diagnostic::error(
                            Code::NotConstant,
                            span,
                            format!("`{name}` is a parameter of the module, and not constant"),
                        )
                        .label("known only where the module is included")
                        .secondary(parameter.span, "declared here"),
                    )
                }
            };
        }
        self.reads_parameter = true;
        self.narrowed(Expr { kind: ExprKind::Parameter(id), ty, span, fallible: false })
    }

    fn not_a_value(&mut self, definition: Definition, name: &ast::Name, span: Span) -> Checked {
        let what = format!("`{}` is {}, not a value", name.text, definition.sort());
        let help = match definition {
            Definition::Enum(id) => self.world().enums[id.index()]
                .variants
                .first()
                .map(|first| format!("name a variant: `{}.{first}`", name.text)),
            Definition::Function(_) => Some(format!("call it: `{}(…)`", name.text)),
            Definition::Entity(_) => Some(format!("name an entity: `{}::\"…\"`", name.text)),
            _ => None,
        };
        self.fail(Diagnostic::error(Code::NotAValue, span, what).label(definition.sort()).help_if(help))
    }

    fn unknown_name(&mut self, name: &ast::Name, expected: Option<&Type>) -> Checked {
        if let Some((definition, _)) = self.world().lookup_prefix(self.module, &[name]) {
            return self.not_a_value(definition, name, name.span);
        }
        if let Some(Type::Enum(id)) = expected.map(relate::inner) {
            return self.unknown_variant(*id, name);
        }
        if let Some(found) = self.unplaced_variant(name) {
            return found;
        }
        let mut fault = Diagnostic::error(Code::UnknownName, name.span, format!("there is no `{}` here", name.text))
            .label("not found");
        if suggestions_wanted(self.session.sink) {
            fault = fault.help_if(self.nearest_name(name));
        }
        self.fail(fault)
    }

    // A variant that stands where nothing says which enum is meant.
    fn unplaced_variant(&mut self, name: &ast::Name) -> Option<Checked> {
        let world = self.world();
        let owners = world.variants_named(&name.text);
        let (first, _) = owners.first()?;
        let enums: Vec<String> =
            owners.iter().take(3).map(|(id, _)| format!("`{}`", world.enums[id.index()].name)).collect();
        let what = format!("nothing here says of which enum `{}` is a variant", name.text);
        let of = &world.enums[first.index()].name;
        Some(
            self.fail(
                Diagnostic::error(Code::NeedsType, name.span, what)
                    .label(format!("a variant of {}", enums.join(", ")))
                    .help(format!("write `{of}.{}`", name.text)),
            ),
        )
    }

    fn nearest_name(&self, name: &ast::Name) -> Option<String> {
        if let "null" | "nil" | "none" | "None" | "undefined" = &*name.text {
            return Some("nothing is null: ask whether an optional is there, `… is absent`".to_owned());
        }
        // A part of the request that has this very name is the likeliest of all.
        if let Place::Actions(request) = &self.place {
            let has = |ty: &Type| match ty {
                Type::Entity(types) => types.iter().any(|ty| self.world().attribute(*ty, &name.text).is_some()),
                _ => false,
            };
            let in_context = request.actions.iter().any(|action| self.world().context(*action, &name.text).is_some());
            let places =
                [("context", in_context), ("resource", has(&request.resource)), ("subject", has(&request.subject))];
            let found: Vec<String> = places
                .iter()
                .filter(|(_, is_there)| *is_there)
                .map(|(place, _)| format!("`{place}.{}`", name.text))
                .collect();
            if !found.is_empty() {
                return Some(format!("did you mean {}?", found.join(" or ")));
            }
        }
        let locals = self.locals.iter().map(|local| &*local.name);
        let best = best_match(&name.text, locals.chain(["subject", "resource", "context", "action"]));
        let path = ast::Path { parts: vec![name.clone()], span: name.span };
        best.map(|best| format!("did you mean `{best}`?"))
            .or_else(|| self.world().did_you_mean(self.module, &path, Expected::Value, self.session.sink))
    }

    /// `context.field`: every action has to have it, with one type.
    fn context_field(&mut self, name: &ast::Name, span: Span) -> Checked {
        let Place::Actions(request) = &self.place else {
            return self.not_readable(span, &format!("context.{}", name.text));
        };
        if let Some(known) = request.fields.get(&name.text) {
            return match known.clone() {
                Some(ty) => {
                    self.narrowed(Expr { kind: ExprKind::Context(name.text.clone()), ty, span, fallible: false })
                }
                None => {
                    // Reported at the first read; every other place that names it is wrong as well.
                    let found = self.common_field(name, span);
                    debug_assert!(found.is_none());
                    Checked::unknown(span)
                }
            };
        }
        let found = self.common_field(name, span);
        if let Place::Actions(request) = &mut self.place {
            request.fields.insert(name.text.clone(), found.clone());
        }
        match found {
            Some(ty) => self.narrowed(Expr { kind: ExprKind::Context(name.text.clone()), ty, span, fallible: false }),
            None => Checked::unknown(span),
        }
    }

    fn common_field(&mut self, name: &ast::Name, span: Span) -> Option<Type> {
        let world: &'w _ = self.world();
        let Place::Actions(request) = &self.place else { return None };
        let actions: Vec<ActionId> = request.actions.clone();
        let (first, rest) = actions.split_first()?;
        let lacking: Vec<ActionId> =
            actions.iter().copied().filter(|action| world.context(*action, &name.text).is_none()).collect();
        if lacking.len() == actions.len() {
            world.context_field(*first, name, self.session.sink);
            return None;
        }
        if !lacking.is_empty() {
            let fault = some_lack(
                name,
                "context field",
                actions.len(),
                lacking.iter().map(|action| &*world.actions[action.index()].name),
            );
            self.session.sink.push(fault.help("leave these actions to a policy of their own"));
            return None;
        }
        let field = world.context(*first, &name.text)?;
        if field.advisory {
            self.session.sink.push(
                Diagnostic::error(Code::AdvisoryRead, span, format!("`{}` is advisory: no rule may read it", name.text))
                    .label("read here")
                    .secondary(field.span, "declared `@advisory` here")
                    .help("approvals do not bind advisory fields, so people would approve one thing and another would run; leave `@advisory` away to read it"),
            );
            return None;
        }
        let mut ty = field.ty.clone();
        for action in rest {
            let other = world.context(*action, &name.text)?;
            if other.advisory {
                let what = format!(
                    "`{}` is advisory in action `{}`: no rule may read it",
                    name.text,
                    world.actions[action.index()].name
                );
                self.session.sink.push(
                    Diagnostic::error(Code::AdvisoryRead, span, what)
                        .label("read here")
                        .secondary(other.span, "declared `@advisory` here"),
                );
                return None;
            }
            match relate::join(&ty, &other.ty) {
                Some(joined) => ty = joined,
                None => {
                    let what = format!("`{}` has different types in the actions of this policy", name.text);
                    self.session.sink.push(
                        Diagnostic::error(Code::DifferentInActions, span, what)
                            .label("of which type?")
                            .secondary(field.span, format!("`{}` here", world.show_plain(&field.ty)))
                            .secondary(other.span, format!("`{}` here", world.show_plain(&other.ty)))
                            .help("write one policy for each"),
                    );
                    return None;
                }
            }
        }
        Some(ty)
    }

    fn action_member(&mut self, name: &ast::Name, span: Span) -> Checked {
        if &*name.text != "name" {
            return self.fail(
                Diagnostic::error(Code::UnknownMember, name.span, format!("an action has no `{}`", name.text))
                    .label("not known")
                    .help("what can be read of it is `action.name`"),
            );
        }
        let Place::Actions(request) = &self.place else { return self.not_readable(span, "action.name") };
        let longest = request.actions.iter().map(|action| self.world().actions[action.index()].wire.len()).max();
        let ty = Type::String(longest.and_then(|length| u32::try_from(length).ok()).unwrap_or(0));
        Expr { kind: ExprKind::ActionName, ty, span, fallible: false }.into()
    }

    /// `Team::"x"`
    pub(super) fn entity_literal(&mut self, path: &ast::Path, id: &std::sync::Arc<str>, span: Span) -> Checked {
        match self.world().resolve(self.module, path, Expected::Entity, self.session.sink) {
            Some(Definition::Entity(ty)) => {
                Checked::constant(Const::Entity(ty, id.clone()), Type::Entity(vec![ty]), span)
            }
            _ => Checked::unknown(span),
        }
    }
}

/// Something that only some of several types or actions have.
pub(super) fn some_lack<'n>(
    name: &ast::Name,
    what: &str,
    count: usize,
    lacking: impl ExactSizeIterator<Item = &'n str>,
) -> Diagnostic {
    let number = lacking.len();
    let mut names: Vec<String> = lacking.take(4).map(|name| format!("`{name}`")).collect();
    if number > 4 {
        names.push(format!("{} more", number - 4));
    }
    let verb = if number == 1 { "has" } else { "have" };
    let message = format!("{} {verb} no {what} `{}`", names.join(", "), name.text);
    Diagnostic::error(Code::OnlySomeHave, name.span, message).label(format!("not there in {number} of {count}"))
}

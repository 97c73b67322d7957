//! `test` blocks: typed entities, requests and expectations.
//!
//! A test is refused where it could not mean what it says: a rule that no such answer has, a field from the wrong side.
//! Whether its expectations hold is for whoever runs it.

mod expect;
mod gate;
mod given;

use std::collections::HashMap;
use std::sync::Arc;

use crate::base::span::Span;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::syntax::ast::{self, ItemKind, Name, TestLine};
use crate::types::bodies::evaluate_constant;
use crate::types::package::Package;
use crate::types::resolve::Expected;
use crate::types::ty::Type;
use crate::types::typed::{ActionId, Const, EntityTypeId, FieldDef, Instance, ModuleId, TestCase, TestDef};
use crate::types::world::{Definition, World};

/// Types the tests of the package's own modules.
#[must_use]
pub fn check(world: &World, package: &Package, instances: &[Instance], sink: &mut Diagnostics) -> Vec<TestDef> {
    let mut rules = expect::Rules::new(world, package, instances);
    let mut tests = Vec::new();
    for (at, loaded) in package.modules.iter().enumerate().filter(|(_, loaded)| loaded.own) {
        let mut names: HashMap<&str, Span> = HashMap::new();
        for item in &loaded.file.items {
            let ItemKind::Test(written) = &item.kind else { continue };
            if let Some(&first) = names.get(&*written.name) {
                sink.push(twice(written.name_span, first, format!("two tests are called {:?}", written.name)));
            }
            names.insert(&written.name, written.name_span);
            tests.extend(test(world, ModuleId(at as u32), written, item.span, &mut rules, sink));
        }
    }
    tests
}

fn twice(span: Span, first: Span, message: String) -> Diagnostic {
    Diagnostic::error(Code::TestDuplicate, span, message)
        .label("again")
        .secondary(first, "first here")
        .help("remove or change one of them")
}

/// A request as it is read, line by line.
struct Case<'a> {
    action: Option<ActionId>,
    context: Vec<(Arc<str>, Const)>,
    facts: Vec<&'a ast::FieldValue>,
    expects: Vec<&'a ast::Expect>,
    span: Span,
}

fn test(
    world: &World,
    module: ModuleId,
    written: &ast::Test,
    span: Span,
    rules: &mut expect::Rules<'_>,
    sink: &mut Diagnostics,
) -> Option<TestDef> {
    let scope = Scope { world, module };
    let given = given::check(&scope, written, sink);
    let mut facts = Facts::default();
    let mut cases: Vec<Case<'_>> = Vec::new();
    for line in &written.lines {
        match line {
            TestLine::Given { .. } | TestLine::Error(_) => {}
            TestLine::Facts(fields, _) => {
                facts.add(fields);
                // Facts between a request and what is expected of it are facts of that request too.
                if let Some(case) = cases.last_mut().filter(|case| case.expects.is_empty()) {
                    case.facts = facts.current.clone();
                }
            }
            TestLine::When { action, context, span } => {
                let action = match world.resolve(module, action, Expected::Action, sink) {
                    Some(Definition::Action(id)) => Some(id),
                    _ => None,
                };
                let context = action.map_or_else(Vec::new, |id| scope.context(id, context, *span, sink));
                cases.push(Case { action, context, facts: facts.current.clone(), expects: Vec::new(), span: *span });
            }
            TestLine::Expect(expected) => match cases.last_mut() {
                Some(case) => case.expects.push(expected),
                None => sink.push(
                    Diagnostic::error(Code::TestRole, expected.span, "nothing was requested before this expectation")
                        .help("write `when action { … }` above it"),
                ),
            },
        }
    }
    check_complete(written, &given, &cases, sink);
    facts.check_unused(&scope, &cases, sink);
    let mut typed = Vec::with_capacity(cases.len());
    for case in cases {
        let Some(action) = case.action else {
            case.expects.iter().for_each(|expected| expect::check_without_action(&scope, rules, expected, sink));
            continue;
        };
        given.check_roles(world, action, case.span, sink);
        let facts = scope.facts(action, &case.facts, sink);
        let expects = case.expects.iter().map(|expected| expect::check(&scope, rules, action, expected, sink));
        let expects = expects.collect::<Vec<_>>().into_iter().flatten().collect();
        let (Some((subject, _)), Some((resource, _))) = (given.subject, given.resource) else { continue };
        typed.push(TestCase { action, subject, resource, context: case.context, facts, expects, span: case.span });
    }
    let given::Given { entities, .. } = given;
    Some(TestDef { name: written.name.clone(), module, entities, cases: typed, span })
}

fn check_complete(written: &ast::Test, given: &given::Given, cases: &[Case<'_>], sink: &mut Diagnostics) {
    if written.lines.iter().any(|line| matches!(line, TestLine::Error(_))) {
        return;
    }
    let mut missing = |what: &str, help: &str| {
        sink.push(
            Diagnostic::error(Code::TestRole, written.name_span, format!("the test {:?} {what}", written.name))
                .help(help),
        );
    };
    if !given.has_subject {
        missing("has no subject", "add `given subject = Type::\"id\" { … }`");
    }
    if !given.has_resource {
        missing("has no resource", "add `given resource = Type::\"id\" { … }`");
    }
    if cases.is_empty() {
        missing("requests nothing", "add `when action { … }` and `expect allow`, or whatever is to be the answer");
    }
    for case in cases.iter().filter(|case| case.expects.is_empty()) {
        sink.push(
            Diagnostic::error(Code::TestRole, case.span, "nothing is expected of this request")
                .help("add `expect allow` below it, or whatever is to be the answer"),
        );
    }
}

/// Where a test stands.
struct Scope<'w> {
    world: &'w World,
    module: ModuleId,
}

impl Scope<'_> {
    /// The value of a field, of its type.
    fn value(&self, field: &FieldDef, value: &ast::Expr, sink: &mut Diagnostics) -> Option<(Arc<str>, Const)> {
        if field.ty == Type::Unknown {
            return None;
        }
        let (_, value) = evaluate_constant(self.world, self.module, &[], value, Some(&field.ty), sink)?;
        Some((field.name.clone(), value))
    }

    /// What the caller gives.
    fn context(
        &self,
        action: ActionId,
        written: &[ast::FieldValue],
        span: Span,
        sink: &mut Diagnostics,
    ) -> Vec<(Arc<str>, Const)> {
        let mut values = Vec::new();
        let mut once = Once::default();
        for given in written {
            let Some(field) = self.world.context_field(action, &given.name, sink) else { continue };
            if !once.is_new("context field", &given.name, sink) {
                continue;
            }
            if field.kernel {
                sink.push(
                    Diagnostic::error(
                        Code::TestWrongSide,
                        given.name.span,
                        format!("the context field `{}` is given by the kernel", field.name),
                    )
                    .label("not the caller's to give")
                    .secondary(field.span, "declared `@kernel` here")
                    .help(format!("write `facts {{ {}: … }}`", field.name)),
                );
                continue;
            }
            values.extend(self.value(field, &given.value, sink));
        }
        let def = &self.world.actions[action.index()];
        let required = def.context.iter().filter(|field| !field.kernel);
        once.check_missing(required, &format!("a request of `{}`", def.name), span, sink);
        values
    }

    /// What the kernel gives of the fields that the action has.
    fn facts(&self, action: ActionId, written: &[&ast::FieldValue], sink: &mut Diagnostics) -> Vec<(Arc<str>, Const)> {
        let mut values = Vec::new();
        for given in written {
            if let Some(field) = self.world.context(action, &given.name.text).filter(|field| field.kernel) {
                values.extend(self.value(field, &given.value, sink));
            }
        }
        values
    }
}

/// The kernel's facts as they stand at a line of a test; a later value replaces an earlier one.
#[derive(Default)]
struct Facts<'a> {
    current: Vec<&'a ast::FieldValue>,
    all: Vec<&'a ast::FieldValue>,
}

impl<'a> Facts<'a> {
    fn add(&mut self, fields: &'a [ast::FieldValue]) {
        for field in fields {
            self.current.retain(|known| known.name.text != field.name.text);
            self.current.push(field);
            self.all.push(field);
        }
    }

    /// A fact has to be one for some request of the test.
    fn check_unused(&self, scope: &Scope<'_>, cases: &[Case<'_>], sink: &mut Diagnostics) {
        let actions: Vec<ActionId> = cases.iter().filter_map(|case| case.action).collect();
        let Some(&first) = actions.first() else { return };
        for fact in &self.all {
            let fields = actions.iter().filter_map(|&action| scope.world.context(action, &fact.name.text));
            let fields: Vec<&FieldDef> = fields.collect();
            match fields.first() {
                None => {
                    scope.world.context_field(first, &fact.name, sink);
                }
                Some(field) if !fields.iter().any(|field| field.kernel) => sink.push(
                    Diagnostic::error(
                        Code::TestWrongSide,
                        fact.name.span,
                        format!("the context field `{}` is given by the caller", field.name),
                    )
                    .label("not a fact of the kernel")
                    .secondary(field.span, "declared without `@kernel` here")
                    .help(format!("write it after `when`: `{{ {}: … }}`", field.name)),
                ),
                Some(_) => {}
            }
        }
    }
}

/// Which fields were given.
#[derive(Default)]
struct Once<'a> {
    given: HashMap<&'a str, Span>,
}

impl<'a> Once<'a> {
    fn is_new(&mut self, what: &str, name: &'a Name, sink: &mut Diagnostics) -> bool {
        if let Some(&first) = self.given.get(&*name.text) {
            sink.push(twice(name.span, first, format!("the {what} `{}` is given twice", name.text)));
            return false;
        }
        self.given.insert(&name.text, name.span);
        true
    }

    fn check_missing<'f>(
        &self,
        required: impl Iterator<Item = &'f FieldDef>,
        of: &str,
        span: Span,
        sink: &mut Diagnostics,
    ) {
        for field in required {
            let is_optional = matches!(field.ty, Type::Optional(_) | Type::Unknown);
            if is_optional || self.given.contains_key(&*field.name) {
                continue;
            }
            sink.push(
                Diagnostic::error(Code::TestMissingField, span, format!("{of} needs a value for `{}`", field.name))
                    .label(format!("`{}` is missing", field.name))
                    .secondary(field.span, "declared here, and not optional")
                    .help(format!("add `{}: …`", field.name)),
            );
        }
    }
}

/// The names of entity types, for messages: "`A` or `B`".
fn type_names(world: &World, types: &[EntityTypeId]) -> String {
    let names: Vec<String> = types.iter().map(|id| format!("`{}`", world.entity_types[id.index()].name)).collect();
    names.join(" or ")
}

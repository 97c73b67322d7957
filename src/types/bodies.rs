//! What stands inside declarations: functions, policies, invariants, claims, constant expressions.

use std::collections::HashSet;

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::syntax::ast;
use crate::types::expr::{Checker, Place, Session};
use crate::types::package::Package;
use crate::types::ty::Type;
use crate::types::typed::{Const, FunctionBody, FunctionDef, ModuleId};
use crate::types::world::World;
use crate::types::{functions, policies};

/// Types the bodies of all functions and tables, and fills `World::functions`.
pub fn check_functions(world: &mut World, package: &Package, sink: &mut Diagnostics) {
    let functions = functions::check(&mut session(world, sink), package);
    world.functions = functions;
}

/// Types all policies, invariants and claims, and fills their lists in the world.
pub fn check_policies(world: &mut World, package: &Package, sink: &mut Diagnostics) {
    let checked = policies::check(&mut session(world, sink), package);
    world.policies = checked.policies;
    world.invariants = checked.invariants;
    world.proves = checked.proves;
}

/// The value of a constant expression. With an `expected` type the value is checked against it, refinements and
/// bounds included, and given in its form. `arguments` are the values of the module's parameters, empty where
/// they are not known: then reading one is a fault. Of a fault nothing is given, and it is reported. Constants that it
/// names are in the world already (one without a value was reported).
pub fn evaluate_constant(
    world: &World,
    module: ModuleId,
    arguments: &[Const],
    expr: &ast::Expr,
    expected: Option<&Type>,
    sink: &mut Diagnostics,
) -> Option<(Type, Const)> {
    // No call is constant, so nothing has to be known of functions: there may be many, and as many constants.
    let mut session = Session { world, sink, fallible: Vec::new(), reading: Vec::new(), patterns: HashSet::new() };
    let mut checker = Checker::new(&mut session, module, Place::Constant(arguments));
    let found = match expected {
        Some(expected) => checker.check(expr, expected),
        None => checker.infer(expr, None),
    };
    if found.is_unknown() {
        return None;
    }
    match found.value() {
        Some(value) => {
            let value = value.clone();
            Some((expected.cloned().unwrap_or(found.expr.ty), value))
        }
        None => {
            checker.fail(
                Diagnostic::error(Code::NotConstant, expr.span, "a constant is needed here")
                    .label("not constant")
                    .help(
                        "use literals, constants and operators; functions and quantifiers are worked out per request",
                    ),
            );
            None
        }
    }
}

fn session<'w>(world: &'w World, sink: &'w mut Diagnostics) -> Session<'w> {
    let fallible = world.functions.iter().map(body_fails).collect();
    let reading = world.functions.iter().map(|function| function.reads_parameter).collect();
    Session { world, sink, fallible, reading, patterns: HashSet::new() }
}

/// Whether calling a function may be an error, its arguments left aside.
#[must_use]
pub fn body_fails(function: &FunctionDef) -> bool {
    match &function.body {
        FunctionBody::Expr(expr) => expr.fallible,
        FunctionBody::Table(rows) => rows.iter().any(|row| row.value.fallible),
    }
}

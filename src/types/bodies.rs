//! What stands inside declarations: functions, policies, invariants, claims, constant expressions.

use crate::diagnostic::Diagnostics;
use crate::syntax::ast;
use crate::types::package::Package;
use crate::types::ty::Type;
use crate::types::typed::{Const, ModuleId};
use crate::types::world::World;

/// Types the bodies of all functions and tables, and fills `World::functions`.
pub fn check_functions(_world: &mut World, _package: &Package, _sink: &mut Diagnostics) {}

/// Types all policies, invariants and claims, and fills their lists in the world.
pub fn check_policies(_world: &mut World, _package: &Package, _sink: &mut Diagnostics) {}

/// The value of a constant expression. With an `expected` type the value is checked against it, refinements and
/// bounds included, and given in its form. `arguments` are the values of the module's parameters, empty where
/// they are not known: then reading one is a fault. Of a fault nothing is given, and it is reported. Constants that it
/// names are in the world already (one without a value was reported).
pub fn evaluate_constant(
    _world: &World,
    _module: ModuleId,
    _arguments: &[Const],
    _expr: &ast::Expr,
    _expected: Option<&Type>,
    _sink: &mut Diagnostics,
) -> Option<(Type, Const)> {
    None
}

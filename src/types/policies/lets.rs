//! `let` lines: values that the rules below share.

use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast;
use crate::types::expr::{Checked, Checker};
use crate::types::narrow::{self, Truth};
use crate::types::ty::Type;
use crate::types::typed::LetDef;

/// The most facts that a `let` of type Bool hands on.
const FACTS_OF_LET_MAX: usize = 16;

/// Types a `let` and declares it for the lines below. A constant one is put in wherever it is read.
pub fn check_let(checker: &mut Checker<'_, '_>, line: &ast::Let) -> Option<LetDef> {
    let value = match &line.ty {
        Some(ty) => {
            let ty = checker.world().resolve_type(checker.module, ty, checker.session.sink);
            let mut value = checker.check(&line.value, &ty);
            // It is what it was declared to be, and no more, but for the bounds that were computed.
            if !value.is_unknown() && matches!(ty, Type::Optional(_)) {
                value.expr.ty = ty;
            }
            value
        }
        None => checker.infer(&line.value, None),
    };
    let local = checker.declare(&line.name, value.expr.ty.clone());
    let constant = value.value().cloned();
    let is_constant = constant.is_some();
    let Checked { expr, truth } = value;
    let facts = truth.yes.as_ref().map_or(0, Vec::len) + truth.no.as_ref().map_or(0, Vec::len);
    if let Some(declared) = checker.locals.last_mut() {
        // About what is faulty nothing more is said.
        declared.used = declared.ty == Type::Unknown;
        declared.constant = constant;
        declared.fallible = expr.fallible;
        declared.is_path = narrow::path_of(&expr).is_some();
        declared.truth = if facts <= FACTS_OF_LET_MAX { truth } else { Truth::default() };
    }
    (!is_constant).then(|| LetDef { local, name: line.name.text.clone(), value: expr })
}

/// Says which locals nobody reads.
pub fn warn_of_unused(checker: &mut Checker<'_, '_>) {
    for local in &checker.locals {
        if !local.used && !local.name.starts_with('_') {
            checker.session.sink.push(
                Diagnostic::warning(Code::UnusedLet, local.span, format!("`{}` is never read", local.name))
                    .label("never read")
                    .help("remove the `let`"),
            );
        }
    }
}

//! Messages: text and reads that can't fail.

use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast;
use crate::types::expr::Checker;
use crate::types::narrow;
use crate::types::relate;
use crate::types::ty::Type;
use crate::types::typed::{Expr, ExprKind, MessagePart};

/// Types a message; what the conditions of its rule say holds.
pub fn message(checker: &mut Checker<'_, '_>, message: &ast::Message) -> Vec<MessagePart> {
    let mut parts = Vec::with_capacity(message.parts.len());
    for part in &message.parts {
        match part {
            ast::MessagePart::Text(text) => parts.push(MessagePart::Text(text.clone())),
            ast::MessagePart::Path(expr) => parts.push(MessagePart::Read(read(checker, expr))),
        }
    }
    parts
}

fn read(checker: &mut Checker<'_, '_>, expr: &ast::Expr) -> Expr {
    let found = checker.infer(expr, None);
    if found.is_unknown() {
        return found.expr;
    }
    // An optional is shown as it is, there or not.
    let read = match found.expr.kind {
        ExprKind::Narrowed(inner) => *inner,
        _ => found.expr,
    };
    let computed = match &read.kind {
        ExprKind::Const(_) | ExprKind::Parameter(_) | ExprKind::ActionName => false,
        ExprKind::Local(id) => !checker.locals.iter().any(|local| local.id == *id && local.is_path),
        _ => narrow::path_of(&read).is_none(),
    };
    if computed || read.fallible {
        let mut fault = Diagnostic::error(
            Code::MessageNotPath,
            expr.span,
            "a message can only show what is read, nothing computed",
        )
        .label("computed");
        fault = match &read.kind {
            ExprKind::Operator(crate::types::operator::Operator::EntityId, _) => {
                fault.help("name the entity itself: its type and id are shown")
            }
            _ => fault.help("show what it is computed from: a message must never fail"),
        };
        checker.session.sink.push(fault);
    } else if let Type::Record(_) | Type::Set(..) | Type::List(..) | Type::Map(..) = relate::inner(&read.ty) {
        let ty = checker.world().show_plain(&read.ty);
        checker.session.sink.push(
            Diagnostic::error(Code::MessageNotPath, expr.span, format!("a message can't show a value of type `{ty}`"))
                .label(format!("`{ty}`"))
                .help("show a part of it, or what tells the reader more"),
        );
    }
    read
}

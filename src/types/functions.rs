//! Functions and tables: their bodies.

use crate::base::span::Span;
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast;
use crate::types::bodies::body_fails;
use crate::types::exhaustive;
use crate::types::expr::{Checked, Checker, Place, Session};
use crate::types::package::Package;
use crate::types::ty::Type;
use crate::types::typed::{FunctionBody, FunctionDef, Pattern, TableRow};
use crate::types::world::FunctionSignature;

/// Types all functions and tables, in the order of their signatures: callees come before callers.
pub fn check(session: &mut Session<'_>, package: &Package) -> Vec<FunctionDef> {
    let signatures = &session.world.signatures;
    let mut functions = Vec::with_capacity(signatures.len());
    for signature in signatures {
        let function = function(session, package, signature);
        session.fallible.push(body_fails(&function));
        session.reading.push(function.reads_parameter);
        functions.push(function);
    }
    functions
}

fn function(session: &mut Session<'_>, package: &Package, signature: &FunctionSignature) -> FunctionDef {
    let module = signature.source.module;
    let item = signature.source.get(package);
    let mut checker = Checker::new(session, module, Place::Function);
    let written: &[ast::Parameter] = match &item.kind {
        ast::ItemKind::Function(function) => &function.parameters,
        ast::ItemKind::Table(table) => &table.parameters,
        _ => &[],
    };
    for (parameter, written) in signature.parameters.iter().zip(written) {
        checker.declare(&written.name, parameter.ty.clone());
    }
    let body = match &item.kind {
        ast::ItemKind::Function(function) => FunctionBody::Expr(checker.check(&function.body, &signature.result).expr),
        ast::ItemKind::Table(table) => FunctionBody::Table(rows(&mut checker, signature, table)),
        _ => FunctionBody::Expr(Checked::unknown(item.span).expr),
    };
    let reads_parameter = checker.reads_parameter;
    FunctionDef {
        name: signature.name.clone(),
        module,
        parameters: signature.parameters.clone(),
        result: signature.result.clone(),
        body,
        reads_parameter,
        span: item.span,
    }
}

fn rows(checker: &mut Checker<'_, '_>, signature: &FunctionSignature, table: &ast::Table) -> Vec<TableRow> {
    let count = signature.parameters.len();
    let mut rows = Vec::with_capacity(table.rows.len());
    let mut good = signature.parameters.iter().all(|parameter| parameter.ty != Type::Unknown);
    for row in &table.rows {
        let value = checker.check(&row.value, &signature.result).expr;
        if row.patterns.len() != count {
            checker.fail(wrong_columns(signature, row));
            good = false;
            continue;
        }
        let patterns: Vec<Option<Pattern>> = row
            .patterns
            .iter()
            .zip(&signature.parameters)
            .map(|(pattern, parameter)| checker.pattern(pattern, &parameter.ty))
            .collect();
        match patterns.into_iter().collect::<Option<Vec<Pattern>>>() {
            Some(patterns) => rows.push(TableRow { patterns, value, span: row.span }),
            None => good = false,
        }
    }
    if good {
        let columns: Vec<_> = signature.parameters.iter().map(|parameter| checker.column(&parameter.ty)).collect();
        let patterns: Vec<Vec<Pattern>> = rows.iter().map(|row| row.patterns.clone()).collect();
        let report = exhaustive::check(&columns, &patterns);
        let spans: Vec<Span> = table.rows.iter().map(patterns_span).collect();
        checker.report_rows(&report, 0, &spans, signature.span, "row");
    }
    rows
}

fn wrong_columns(signature: &FunctionSignature, row: &ast::Row) -> Diagnostic {
    let (wanted, given) = (signature.parameters.len(), row.patterns.len());
    let columns: Vec<String> = signature.parameters.iter().map(|parameter| format!("`{}`", parameter.name)).collect();
    let (columns_word, given_word) =
        (if wanted == 1 { "column" } else { "columns" }, if given == 1 { "pattern" } else { "patterns" });
    let message =
        format!("this row has {given} {given_word}, but table `{}` has {wanted} {columns_word}", signature.name);
    Diagnostic::error(Code::WrongColumns, patterns_span(row), message)
        .label(format!("{given} {given_word}"))
        .secondary(signature.span, format!("columns: {}", columns.join(", ")))
        .help("write one pattern for each column, `_` where it does not matter")
}

fn patterns_span(row: &ast::Row) -> Span {
    match (row.patterns.first(), row.patterns.last()) {
        (Some(first), Some(last)) => first.span.to(last.span),
        _ => row.span,
    }
}

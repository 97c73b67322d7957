//! Tables, functions and constants.

use std::collections::BTreeSet;

use crate::document::markdown::{self, block, code};
use crate::document::types::Writer;
use crate::syntax::ast::{Const, Enum, Expr, ExprKind, Function, Item, Table};

/// Of more variants than these nobody asks which is smaller.
const ORDERED_MAX: usize = 12;

impl Writer<'_> {
    /// The variants of an enum, in their order.
    pub fn variants(&self, one: &Enum) -> String {
        if one.variants.iter().all(|(doc, _)| doc.is_empty()) {
            let names: Vec<String> = one.variants.iter().map(|(_, name)| code(&name.text)).collect();
            let order = if names.len() > 1 && names.len() <= ORDERED_MAX { ", in this order" } else { "" };
            return format!("{}{order}.\n", names.join(", "));
        }
        let row = |(doc, name): &(_, crate::syntax::ast::Name)| vec![code(&name.text), markdown::inline(doc)];
        markdown::table(&["variant", "about"], &one.variants.iter().map(row).collect::<Vec<_>>())
    }

    /// A table as one: a column for each parameter, one for the result, the cells as they are written. Where every
    /// result is a record that is written out, each of its fields has a column.
    pub fn table(&self, table: &Table) -> String {
        let fields = result_fields(table);
        let mut head: Vec<String> = table.parameters.iter().map(|parameter| code(&parameter.name.text)).collect();
        match &fields {
            Some(fields) => head.extend(fields.iter().map(|field| format!("→ {}", code(field)))),
            None => head.push("result".to_owned()),
        }
        head.push("about".to_owned());
        let head: Vec<&str> = head.iter().map(String::as_str).collect();
        let rows = table.rows.iter().map(|row| {
            let mut cells: Vec<String> =
                row.patterns.iter().map(|pattern| code(&self.excerpts.line(pattern.span))).collect();
            // A row of fewer columns is none that was checked.
            cells.resize(table.parameters.len(), String::new());
            match (&fields, &row.value.kind) {
                (Some(fields), ExprKind::Record(values)) => cells.extend(fields.iter().map(|field| {
                    let value = values.iter().find(|value| *value.name.text == **field);
                    value.map(|value| self.expr(&value.value)).unwrap_or_default()
                })),
                _ => cells.push(self.expr(&row.value)),
            }
            cells.push(markdown::inline(&row.doc));
            cells
        });
        markdown::table(&head, &rows.collect::<Vec<_>>())
    }

    /// What a table takes and gives, and its rows.
    pub fn whole_table(&self, table: &Table) -> String {
        let takes: Vec<String> =
            table.parameters.iter().map(|one| format!("{} ({})", code(&one.name.text), self.ty(&one.ty))).collect();
        let mut out = format!("From {} to {}.\n", markdown::list(&takes, "and"), self.ty(&table.result));
        let notes = self.parameter_notes(&table.parameters);
        if !notes.is_empty() {
            out.push_str(&format!("\n{notes}"));
        }
        out.push_str(&format!("\n{}", self.table(table)));
        out
    }

    /// A function: its signature and its body, as in the source.
    pub fn function(&self, item: &Item, function: &Function) -> String {
        let notes = self.parameter_notes(&function.parameters);
        let source = block("pdl", &self.excerpts.lines(item.span));
        if notes.is_empty() { source } else { format!("{notes}\n{source}") }
    }

    /// Constants that stand below each other.
    pub fn constants(&self, all: &[(&Item, &Const)]) -> String {
        let row = |(item, one): &(&Item, &Const)| {
            let ty = one.ty.as_ref().map(|ty| self.ty(ty)).unwrap_or_default();
            vec![code(&one.name.text), ty, self.expr(&one.value), markdown::inline(&item.doc)]
        };
        markdown::table(&["constant", "type", "value", "about"], &all.iter().map(row).collect::<Vec<_>>())
    }
}

/// The fields of the results, in the order of the first, if all of them are records with the same fields, and of at most
/// so many that the rows can still be read.
fn result_fields(table: &Table) -> Option<Vec<&str>> {
    const FIELDS_MAX: usize = 6;
    let names = |expr: &'_ Expr| match &expr.kind {
        ExprKind::Record(values) => {
            Some(values.iter().map(|value| value.name.text.to_string()).collect::<BTreeSet<_>>())
        }
        _ => None,
    };
    let first = table.rows.first()?;
    let expected = names(&first.value).filter(|names| (1..=FIELDS_MAX).contains(&names.len()))?;
    if table.rows.iter().any(|row| names(&row.value).as_ref() != Some(&expected)) {
        return None;
    }
    match &first.value.kind {
        ExprKind::Record(values) => Some(values.iter().map(|value| &*value.name.text).collect()),
        _ => None,
    }
}

//! Fields, attributes and parameters as tables.

use crate::document::markdown::{self, code};
use crate::document::types::Writer;
use crate::syntax::ast::{Field, Parameter};

/// Where fields stand, which says who gives them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// In a record.
    Record,
    /// In an entity type.
    Entity,
    /// In the context of an action.
    Context,
}

/// A field that is to be shown, and the group that an action has it from.
#[derive(Debug)]
pub struct Shown<'a> {
    /// The field.
    pub field: &'a Field,
    /// Its type, written by the writer of the module where the field stands.
    pub ty: String,
    /// The group, as Markdown.
    pub from: String,
}

impl Writer<'_> {
    /// Fields of this module.
    pub fn fields(&self, of: Of, fields: &[Field]) -> String {
        let shown = fields.iter().map(|field| Shown { field, ty: self.ty(&field.ty), from: String::new() });
        table(of, &shown.collect::<Vec<_>>())
    }

    /// Parameters of a function, a table or an obligation, of which something is said.
    pub fn parameter_notes(&self, parameters: &[Parameter]) -> String {
        let said = parameters.iter().filter(|parameter| !parameter.doc.is_empty());
        said.map(|one| format!("- {}: {}\n", code(&one.name.text), markdown::inline(&one.doc))).collect()
    }

    /// Parameters as a table.
    pub fn parameters(&self, parameters: &[Parameter]) -> String {
        let row = |one: &Parameter| {
            let default = one.default.as_ref().map(|value| self.expr(value)).unwrap_or_default();
            vec![code(&one.name.text), self.ty(&one.ty), default, markdown::inline(&one.doc)]
        };
        markdown::table(&["parameter", "type", "default", "about"], &parameters.iter().map(row).collect::<Vec<_>>())
    }
}

/// Fields as a table.
pub fn table(of: Of, fields: &[Shown<'_>]) -> String {
    let rows: Vec<Vec<String>> = fields
        .iter()
        .map(|shown| {
            let field = shown.field;
            vec![code(&field.name.text), shown.ty.clone(), given_by(of, field), shown.from.clone(), about(field)]
        })
        .collect();
    let word = if of == Of::Entity { "attribute" } else { "field" };
    markdown::table(&[word, "type", "given by", "from", "about"], &rows)
}

fn has(field: &Field, annotation: &str) -> bool {
    field.annotations.iter().any(|name| &*name.text == annotation)
}

fn given_by(of: Of, field: &Field) -> String {
    match of {
        Of::Context if has(field, "kernel") => "the kernel".to_owned(),
        Of::Context => "the caller".to_owned(),
        Of::Entity if has(field, "presented") => "the registry, or the request".to_owned(),
        Of::Entity | Of::Record => String::new(),
    }
}

/// What is said of a field, and what its annotations mean.
fn about(field: &Field) -> String {
    const MEANINGS: &[(&str, &str)] = &[
        ("advisory", "For people to read: no rule reads it."),
        ("owner", "Whoever it names never counts as an approver."),
        ("sensitive", "The log keeps a commitment instead of the value."),
    ];
    let mut said = markdown::inline(&field.doc);
    for (annotation, meaning) in MEANINGS {
        if has(field, annotation) {
            if !said.is_empty() {
                said.push(' ');
            }
            said.push_str(meaning);
        }
    }
    said
}

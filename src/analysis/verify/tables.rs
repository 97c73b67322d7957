//! Tables: that a row takes each case. The checker refuses a table of which it can't see that; here it is proved once
//! more, by the formulas that everything else is proved with, and said.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{About, Finding, Options, Verdict};
use crate::analysis::encode::Encoder;
use crate::analysis::question::{Found, Question};
use crate::analysis::request::{self, Value};
use crate::analysis::value::Sym;
use crate::analysis::world::World;
use crate::types::typed::{FunctionBody, FunctionDef, TableRow, TypedPolicy};

/// What was found out about each table, of all modules or of the package's own.
pub(super) fn findings(policy: &TypedPolicy, options: Options) -> Vec<Finding> {
    let mut all = Vec::new();
    for def in &policy.functions {
        let module = &policy.modules[def.module.index()];
        if let FunctionBody::Table(rows) = &def.body
            && (options.everything || module.own)
        {
            let (missing, verdict) = complete(policy, def, rows, options.steps);
            all.push(Finding {
                about: About::Table,
                name: Arc::from(format!("{}.{}", module.name, def.name)),
                text: format!("`{}` has a row for each case{missing}", def.name),
                span: def.span,
                second: None,
                verdict,
            });
        }
    }
    all
}

/// Whether some row takes each case; if not, one that none takes.
fn complete(policy: &TypedPolicy, def: &FunctionDef, rows: &[TableRow], steps: u64) -> (String, Verdict) {
    let nobody: Arc<str> = Arc::from("");
    let mut world = World::new(vec![policy], vec![None], &nobody, &nobody, BTreeMap::new());
    let mut values: Vec<Sym> = Vec::with_capacity(def.parameters.len());
    for parameter in &def.parameters {
        let value = world.anything(&parameter.name, &[Some(&parameter.ty)]);
        values.push(value.into_iter().next().flatten().unwrap_or_else(Sym::absent));
    }
    let taken = Encoder::new(&mut world, 0, 0, &[]).taken(rows, &values);
    let mut question = Question::of(world, steps);
    match question.find(&[!taken]) {
        Found::None(_) => (String::new(), Verdict::Proved),
        Found::Undecided(reason) => (String::new(), Verdict::Undecided(reason)),
        Found::Some(model) => {
            let case: Vec<String> =
                values.iter().map(|value| shown(&request::value(&question.world, &model, 0, value))).collect();
            (format!("; none takes {}", case.join(", ")), Verdict::Refuted(None))
        }
    }
}

/// A value, as short as it can be said.
fn shown(value: &Value) -> String {
    match value {
        Value::Absent => "absent".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(value) => value.to_string(),
        Value::Name(name) => name.to_string(),
        Value::Word(word) => format!("{word:?}"),
        Value::Entity(ty, id, _) => format!("{ty}::{id:?}"),
        Value::Record(_) | Value::List(_) | Value::Map(_) | Value::More => "_".to_owned(),
    }
}

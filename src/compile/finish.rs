//! The last step: strings and sites in their order, and the certified costs.

use crate::base::span::Span;
use crate::bytecode::program::{Constant, ConstantValue, MessagePart, Program, Rule, SiteId, StringId};
use crate::bytecode::verify;
use crate::compile::Compiled;
use crate::compile::pool::Pool;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};

/// Renumbers, certifies, and reports what went over a limit.
pub(super) fn finish(pool: Pool, sink: &mut Diagnostics) -> Option<Compiled> {
    let (strings, string_places) = sorted(pool.strings.items);
    let (sites, site_places) = sorted(pool.sites.items);
    let string = |id: StringId| StringId(string_places[id.0 as usize]);
    let site = |id: SiteId| SiteId(site_places[id.0 as usize]);
    let mut entries = pool.entries;
    for rule in entries.iter_mut().flat_map(|entry| &mut entry.rules) {
        renumber_rule(rule, &string, &site);
    }
    let mut program = Program {
        schema: pool.schema.schema,
        strings,
        constants: pool.constants.into_iter().map(|constant| renumber_constant(constant, &string)).collect(),
        patterns: pool.patterns.items.into_iter().map(&string).collect(),
        selectors: pool.selector_list,
        type_sets: pool.type_sets.items,
        switches: pool.switches,
        functions: pool.functions,
        code: pool.code,
        fault_sites: pool.fault_sites.into_iter().map(|(at, id)| (at, site(id))).collect(),
        entries,
        site_count: sites.len() as u32,
    };
    for (span, message) in &pool.overflows {
        sink.push(Diagnostic::error(Code::TooLargeToCompile, *span, message.clone()));
    }
    if !pool.overflows.is_empty() {
        return None;
    }
    if let Err(error) = verify::certify_costs(&mut program) {
        // What the checker has let pass is refused by the verifier for its size only.
        let span = sites.first().map_or_else(Span::default, |(span, _)| *span);
        sink.push(Diagnostic::error(Code::TooLargeToCompile, span, format!("the package does not compile: {error}")));
        return None;
    }
    Some(Compiled { program, sites: sites.into_iter().map(|(span, _)| span).collect::<Vec<Span>>() })
}

/// The items in order, and for each old place the new one.
fn sorted<T: Ord>(items: Vec<T>) -> (Vec<T>, Vec<u32>) {
    let mut numbered: Vec<(T, usize)> = items.into_iter().enumerate().map(|(at, item)| (item, at)).collect();
    numbered.sort();
    let mut places = vec![0; numbered.len()];
    for (new, &(_, old)) in numbered.iter().enumerate() {
        places[old] = new as u32;
    }
    (numbered.into_iter().map(|(item, _)| item).collect(), places)
}

fn renumber_rule(rule: &mut Rule, string: &dyn Fn(StringId) -> StringId, site: &dyn Fn(SiteId) -> SiteId) {
    rule.id = string(rule.id);
    rule.code = rule.code.map(string);
    rule.site = site(rule.site);
    for part in &mut rule.message {
        if let MessagePart::Text(text) = part {
            *text = string(*text);
        }
    }
}

fn renumber_constant(mut constant: Constant, string: &dyn Fn(StringId) -> StringId) -> Constant {
    match &mut constant.value {
        ConstantValue::String(id) | ConstantValue::Url(id) | ConstantValue::Path(id) | ConstantValue::Entity(_, id) => {
            *id = string(*id);
        }
        ConstantValue::Map(entries) => entries.iter_mut().for_each(|(key, _)| *key = string(*key)),
        _ => {}
    }
    constant
}

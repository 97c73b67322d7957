//! Values, patterns and pieces of source as the names of mutants have them: on one line, and not too long.

use crate::base::span::Span;
use crate::types::typed::{Const, Pattern, TypedPolicy};

/// How much of a piece of source a name quotes, in characters.
const QUOTE_CHARS: usize = 60;

/// The source of a span: on one line, without comments, with what is too long cut off.
pub(super) fn source(policy: &TypedPolicy, span: Span) -> String {
    let text = policy.sources.text(span);
    let mut line = String::with_capacity(text.len());
    for row in text.lines() {
        for word in without_comment(row).split_whitespace() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    short(&line)
}

/// A line up to a comment; `//` in a text is none.
fn without_comment(line: &str) -> &str {
    let (mut quoted, mut escaped, mut before) = (false, false, ' ');
    for (at, c) in line.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '/' if before == '/' && !quoted => return &line[..at - 1],
            _ => {}
        }
        before = c;
    }
    line
}

fn short(text: &str) -> String {
    if text.chars().count() <= QUOTE_CHARS {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(QUOTE_CHARS - 1).collect();
    cut.push('…');
    cut
}

/// A constant as a source would have it.
pub(super) fn value(policy: &TypedPolicy, value: &Const) -> String {
    short(&whole(policy, value))
}

fn whole(policy: &TypedPolicy, value: &Const) -> String {
    let list = |items: &[Const]| items.iter().map(|item| whole(policy, item)).collect::<Vec<_>>().join(", ");
    match value {
        Const::Absent => "absent".to_owned(),
        Const::Bool(value) => value.to_string(),
        Const::Int(value) => value.to_string(),
        Const::Decimal(value) => value.to_string(),
        Const::String(text) => format!("{text:?}"),
        Const::Duration(value) => value.to_string(),
        Const::Timestamp(value) => format!("timestamp\"{value}\""),
        Const::Ip(value) => format!("ip\"{value}\""),
        Const::Net(value) => format!("net\"{value}\""),
        Const::Url(value) => format!("url\"{}\"", value.as_str()),
        Const::Path(value) => format!("path\"{}\"", value.as_str()),
        Const::Enum(of, variant) => policy.enums[of.index()].variants[*variant as usize].to_string(),
        Const::Entity(ty, id) => format!("{}::{id:?}", policy.entity_types[ty.index()].name),
        Const::Record(of, fields) => {
            let names = policy.records[of.index()].fields.iter();
            let fields = names.zip(fields).map(|(def, field)| format!("{}: {}", def.name, whole(policy, field)));
            format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
        }
        Const::Set(items) => format!("{{{}}}", list(items)),
        Const::List(items) => format!("[{}]", list(items)),
        Const::Map(entries) => {
            let entries = entries.iter().map(|(key, item)| format!("{key:?}: {}", whole(policy, item)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

/// A pattern as a source would have it.
pub(super) fn pattern(policy: &TypedPolicy, pattern: &Pattern) -> String {
    let end = |bound: &Option<Const>| bound.as_ref().map_or(String::new(), |bound| whole(policy, bound));
    match pattern {
        Pattern::Any => "_".to_owned(),
        Pattern::Or(parts) => {
            short(&parts.iter().map(|part| self::pattern(policy, part)).collect::<Vec<_>>().join(" | "))
        }
        Pattern::Const(constant) => value(policy, constant),
        Pattern::Range(low, high) => format!("{}..={}", end(low), end(high)),
        Pattern::Present => "present".to_owned(),
        Pattern::Absent => "absent".to_owned(),
    }
}

/// The patterns of a row.
pub(super) fn patterns(policy: &TypedPolicy, patterns: &[Pattern]) -> String {
    patterns.iter().map(|one| pattern(policy, one)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_end_lines_outside_of_texts() {
        assert_eq!(without_comment("a > 1 // more"), "a > 1 ");
        assert_eq!(without_comment("u in url\"https://a.b\" // x"), "u in url\"https://a.b\" ");
        assert_eq!(without_comment("s == \"\\\"//\" // y"), "s == \"\\\"//\" ");
        assert_eq!(short(&"é".repeat(61)).chars().count(), QUOTE_CHARS);
    }
}

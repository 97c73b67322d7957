//! Decisions as JSON: one line, members in a fixed order, members without a value left out.

use std::fmt::Write as _;

use crate::base::hash::Digest;
use crate::vm::decision::{Datum, Decision, EntityName, ErrorReport, RuleReport, effect_name};
use crate::vm::input::Document;

impl Decision {
    /// The decision as one line of JSON, without a line end.
    ///
    /// ```text
    /// {"decision":"DENY","kind":"denied","rules":[{"id":"m.p.r","effect":"deny"}],"codes":[],"gates":[],"obligations":[],"shadow":[]}
    /// ```
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = Writer::default();
        out.open('{');
        out.member("decision").text(self.answer().name());
        out.member("kind").text(self.kind.name());
        if let Some(error) = &self.error {
            write_error(out.member("error"), error);
        }
        write_all(out.member("rules"), &self.rules, write_rule);
        write_all(out.member("codes"), &self.codes, |out, code| out.text(code));
        write_all(out.member("gates"), &self.gates, |out, gate| {
            out.open('{');
            out.member("id").text(&gate.id);
            write_entity(out.member("from"), &gate.from);
            out.member("quorum").raw(&gate.quorum.to_string());
            if let Some(within) = gate.within_ms {
                out.member("within_ms").raw(&within.to_string());
            }
            if !gate.escalations.is_empty() {
                write_all(out.member("escalations"), &gate.escalations, |out, (group, after)| {
                    out.open('{');
                    write_entity(out.member("to"), group);
                    out.member("after_ms").raw(&after.to_string());
                    out.close('}');
                });
            }
            if gate.distinct {
                out.member("distinct").raw("true");
            }
            out.close('}');
        });
        write_all(out.member("obligations"), &self.obligations, |out, obligation| {
            out.open('{');
            out.member("name").text(&obligation.name);
            out.member("rule").text(&obligation.rule);
            write_members(out.member("arguments"), &obligation.arguments);
            out.close('}');
        });
        write_all(out.member("shadow"), &self.shadow, write_rule);
        if self.assumed_presented {
            out.member("assumed_presented").raw("true");
        }
        let digests = &self.digests;
        write_digest(&mut out, "bundle", digests.bundle);
        write_digest(&mut out, "registry", digests.registry);
        write_digest(&mut out, "facts", digests.facts);
        write_digest(&mut out, "request", digests.request);
        write_digest(&mut out, "binding", digests.binding);
        out.close('}');
        out.text
    }
}

impl Datum {
    /// The value as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = Writer::default();
        write_datum(&mut out, self);
        out.text
    }
}

fn write_rule(out: &mut Writer, rule: &RuleReport) {
    out.open('{');
    out.member("id").text(&rule.id);
    out.member("effect").text(effect_name(rule.effect));
    if let Some(message) = &rule.message {
        out.member("message").text(message);
    }
    if let Some(code) = &rule.code {
        out.member("code").text(code);
    }
    if let Some(at) = &rule.at {
        out.member("at").text(at);
    }
    if let Some(error) = rule.error {
        out.member("error").text(error.name());
    }
    out.close('}');
}

fn write_error(out: &mut Writer, error: &ErrorReport) {
    out.open('{');
    match error {
        ErrorReport::Input { code, document, path, message } => {
            out.member("code").text(code);
            if *document == Document::Facts {
                out.member("in").text("facts");
            }
            out.member("path").text(path);
            out.member("message").text(message);
        }
        ErrorReport::Evaluation { kind, rule, at, .. } => {
            out.member("code").text(kind.name());
            out.member("message").text(kind.sentence());
            out.member("rule").text(rule);
            if let Some(at) = at {
                out.member("at").text(at);
            }
        }
    }
    out.close('}');
}

fn write_entity(out: &mut Writer, entity: &EntityName) {
    out.open('{');
    out.member("type").text(&entity.ty);
    out.member("id").text(&entity.id);
    out.close('}');
}

fn write_digest(out: &mut Writer, name: &str, digest: Option<Digest>) {
    if let Some(digest) = digest {
        out.member(name).text(&digest.to_string());
    }
}

fn write_datum(out: &mut Writer, datum: &Datum) {
    match datum {
        Datum::Null => out.raw("null"),
        Datum::Bool(value) => out.raw(if *value { "true" } else { "false" }),
        Datum::Number(text) => out.raw(text),
        Datum::Text(text) => out.text(text),
        Datum::Array(elements) => write_all(out, elements, write_datum),
        Datum::Object(members) => write_members(out, members),
    }
}

fn write_members(out: &mut Writer, members: &[(String, Datum)]) {
    out.open('{');
    for (name, value) in members {
        write_datum(out.member(name), value);
    }
    out.close('}');
}

fn write_all<T>(out: &mut Writer, items: &[T], mut write: impl FnMut(&mut Writer, &T)) {
    out.open('[');
    for item in items {
        out.next();
        write(out, item);
    }
    out.close(']');
}

/// Writes JSON and sets the commas.
#[derive(Debug, Default)]
struct Writer {
    text: String,
    /// Something stands before in the same object or array.
    follows: bool,
}

impl Writer {
    fn open(&mut self, bracket: char) {
        self.text.push(bracket);
        self.follows = false;
    }

    fn close(&mut self, bracket: char) {
        self.text.push(bracket);
        self.follows = true;
    }

    fn next(&mut self) {
        if std::mem::replace(&mut self.follows, true) {
            self.text.push(',');
        }
    }

    fn member(&mut self, name: &str) -> &mut Writer {
        self.next();
        self.text(name);
        self.text.push(':');
        self
    }

    fn raw(&mut self, text: &str) {
        self.text.push_str(text);
        self.follows = true;
    }

    fn text(&mut self, text: &str) {
        self.text.push('"');
        for character in text.chars() {
            match character {
                '"' => self.text.push_str("\\\""),
                '\\' => self.text.push_str("\\\\"),
                '\n' => self.text.push_str("\\n"),
                '\r' => self.text.push_str("\\r"),
                '\t' => self.text.push_str("\\t"),
                // Line separators end a line for some readers of logs.
                '\0'..='\u{1f}' | '\u{7f}' | '\u{2028}' | '\u{2029}' => {
                    // Writing to a string cannot fail.
                    let _ = write!(self.text, "\\u{:04x}", u32::from(character));
                }
                _ => self.text.push(character),
            }
        }
        self.text.push('"');
        self.follows = true;
    }
}

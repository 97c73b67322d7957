//! A line of a file of requests: what was asked, and what came of it where that was written down.
//!
//! A line is a request, or an object that has one under `request`, perhaps with the kernel's `facts` and with the `decision`:
//! an answer, or a decision as `pdl eval --format json` prints it. What else stands beside these is passed over.
//!
//! Only the outside is read here, strictly. What is within is read by whoever decides it.

use crate::vm::decide::{Answer, Kind};
use crate::vm::json::{JsonError, Reader, Shape};

/// What was asked, and what came of it.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The request.
    pub request: &'a [u8],
    /// The kernel's facts, if the row has some.
    pub facts: Option<&'a [u8]>,
    /// What was decided, if the row says so.
    pub recorded: Option<Recorded<'a>>,
}

/// What was decided.
#[derive(Clone, Copy, Debug)]
pub struct Recorded<'a> {
    /// The answer.
    pub answer: Answer,
    /// Why, if that is known.
    pub kind: Option<Kind>,
    /// The text of an array of the rules that determined it, each with an `id` and an `effect`, if they are known.
    pub rules: Option<&'a str>,
    /// The text of an array of its gates, if they are known.
    pub gates: Option<&'a str>,
}

impl Recorded<'_> {
    /// An answer of which no more is known.
    #[must_use]
    pub fn answer(answer: Answer) -> Recorded<'static> {
        Recorded { answer, kind: None, rules: None, gates: None }
    }
}

/// Reads a line.
///
/// # Errors
/// It is none: what is wrong with it, in a few words.
pub fn read(line: &[u8]) -> Result<Row<'_>, String> {
    let mut reader = Reader::new(line).map_err(told)?;
    if reader.peek().map_err(told)? != Shape::Object {
        return Err("a line is an object of JSON".to_owned());
    }
    let (mut request, mut facts, mut decision) = (None, None, None);
    let mut is_plain = false;
    let mut key = reader.first_key().map_err(told)?;
    while let Some(name) = key {
        let twice = || format!("`{}` stands twice", name.raw());
        let is_new = match name.one_of(&["request", "facts", "decision", "subject", "action", "resource"]) {
            Some("request") => request.replace(unread(&mut reader)?).is_none(),
            Some("facts") => facts.replace(unread(&mut reader)?).is_none(),
            Some("decision") => decision.replace(recorded(&mut reader)?).is_none(),
            other => {
                is_plain |= other.is_some();
                unread(&mut reader)?;
                true
            }
        };
        if !is_new {
            return Err(twice());
        }
        key = reader.next_key().map_err(told)?;
    }
    reader.finish().map_err(told)?;
    match request {
        Some(_) if is_plain => Err("it is a request and has one".to_owned()),
        Some(request) => Ok(Row { request: request.as_bytes(), facts: facts.map(str::as_bytes), recorded: decision }),
        None if facts.is_some() || decision.is_some() => Err("it has no `request`".to_owned()),
        // Whether it is one is for whoever decides it.
        None => Ok(Row { request: line, facts: None, recorded: None }),
    }
}

/// Takes a value that others will read.
fn unread<'a>(reader: &mut Reader<'a>) -> Result<&'a str, String> {
    reader.peek().map_err(told)?;
    let start = reader.offset();
    reader.pass_unread().map_err(told)?;
    Ok(reader.slice(start, reader.offset()))
}

/// Reads what was decided: an answer, or an object that has one.
fn recorded<'a>(reader: &mut Reader<'a>) -> Result<Recorded<'a>, String> {
    match reader.peek().map_err(told)? {
        Shape::String => {
            let answer = reader.string().map_err(told)?.plain().and_then(answer);
            answer.map(Recorded::answer).ok_or_else(|| "its `decision` is no answer".to_owned())
        }
        Shape::Object => {
            let (mut found, mut kind, mut rules, mut gates) = (None, None, None, None);
            let mut key = reader.first_key().map_err(told)?;
            while let Some(name) = key {
                let shape = reader.peek().map_err(told)?;
                let value = unread(reader)?;
                let word = value.trim_matches('"');
                match (name.one_of(&["decision", "kind", "rules", "gates"]), shape) {
                    (Some("decision"), Shape::String) => found = answer(word),
                    (Some("kind"), Shape::String) => kind = kind_of(word),
                    (Some("rules"), Shape::Array) => rules = Some(value),
                    (Some("gates"), Shape::Array) => gates = Some(value),
                    _ => {}
                }
                key = reader.next_key().map_err(told)?;
            }
            let answer = found.ok_or_else(|| "its `decision` has no answer".to_owned())?;
            Ok(Recorded { answer, kind, rules, gates })
        }
        _ => Err("its `decision` is no answer".to_owned()),
    }
}

/// An answer by its name.
#[must_use]
pub fn answer(name: &str) -> Option<Answer> {
    [Answer::Allow, Answer::RequireApproval, Answer::Deny].into_iter().find(|answer| answer.name() == name)
}

/// A kind by its name.
#[must_use]
pub fn kind_of(name: &str) -> Option<Kind> {
    let kinds = [Kind::Error, Kind::Violated, Kind::Denied, Kind::NotPermitted, Kind::Approval, Kind::Allowed];
    kinds.into_iter().find(|kind| kind.name() == name)
}

/// Rules, each by its id and its effect, of an array as decisions have it; those that can't be read are left out.
#[must_use]
pub fn rules_of(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let Ok(mut reader) = Reader::new(text.as_bytes()) else { return found };
    let mut more = reader.first_element();
    while let Ok(true) = more {
        let Ok(rule) = texts(&mut reader, ["id", "effect"]) else { break };
        if let [Some(id), Some(effect)] = rule {
            found.push((id, effect));
        }
        more = reader.next_element();
    }
    found
}

/// Who or what a part of a request names: `Agent::"ci"`.
#[must_use]
pub fn party(request: &[u8], part: &str) -> Option<String> {
    let mut reader = within(request, part)?;
    let [ty, id] = texts(&mut reader, ["type", "id"]).ok()?;
    Some(crate::vm::decision::EntityName { ty: ty?, id: id? }.to_string())
}

/// The name of the action of a request.
#[must_use]
pub fn action(request: &[u8]) -> Option<String> {
    let mut reader = within(request, "action")?;
    let [name] = texts(&mut reader, ["name"]).ok()?;
    name
}

/// A reader before the value of a member of an object.
fn within<'a>(object: &'a [u8], member: &str) -> Option<Reader<'a>> {
    let mut reader = Reader::new(object).ok()?;
    let mut key = reader.first_key().ok()?;
    while let Some(name) = key {
        if name.is(member) {
            return Some(reader);
        }
        reader.pass().ok()?;
        key = reader.next_key().ok()?;
    }
    None
}

/// Takes an object, and gives some of its members that are strings.
pub(super) fn texts<const N: usize>(
    reader: &mut Reader<'_>,
    names: [&str; N],
) -> Result<[Option<String>; N], JsonError> {
    let mut found = [const { None }; N];
    let mut key = reader.first_key()?;
    while let Some(name) = key {
        let place = names.iter().position(|wanted| name.is(wanted)).and_then(|at| found.get_mut(at));
        match place {
            Some(place) if reader.peek()? == Shape::String => {
                *place = Some(reader.string()?.read(&mut String::new()).to_owned());
            }
            _ => reader.pass()?,
        }
        key = reader.next_key()?;
    }
    Ok(found)
}

fn told(error: JsonError) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &str =
        r#"{"subject":{"type":"Agent","id":"c\"i"},"action":{"name":"go"},"resource":{"type":"T","id":"t"}}"#;

    #[test]
    fn lines_are_requests_or_have_one() {
        let plain = read(REQUEST.as_bytes()).expect("it is a request");
        assert!(plain.request == REQUEST.as_bytes() && plain.recorded.is_none());
        let line = format!(r#"{{ "id": "r1", "decision": "ALLOW", "request": {REQUEST}, "facts": {{"now": 1}} }}"#);
        let row = read(line.as_bytes()).expect("it has a request");
        assert_eq!(row.request, REQUEST.as_bytes());
        assert_eq!(row.facts, Some(&b"{\"now\": 1}"[..]));
        assert_eq!(row.recorded.map(|recorded| recorded.answer), Some(Answer::Allow));
        let decision =
            r#"{"decision":"DENY","kind":"denied","rules":[{"id":"a.b","effect":"deny","message":"x"}],"gates":[]}"#;
        let line = format!(r#"{{"request":{REQUEST},"decision":{decision}}}"#);
        let recorded = read(line.as_bytes()).expect("it has a request").recorded.expect("it has a decision");
        assert_eq!((recorded.answer, recorded.kind, recorded.gates), (Answer::Deny, Some(Kind::Denied), Some("[]")));
        let rules = recorded.rules.map(rules_of);
        assert_eq!(rules, Some(vec![("a.b".to_owned(), "deny".to_owned())]));
    }

    #[test]
    fn what_is_no_line_is_refused() {
        for (line, why) in [
            ("[]", "an object"),
            ("{", "ends too early"),
            ("{} {}", "follows"),
            (r#"{"request":{"a":[}"#, "too early"),
            (r#"{"request":{"a":"x}}"#, "too early"),
            (r#"{"request":{}}}"#, "follows"),
            (r#"{"facts":{}}"#, "no `request`"),
            (r#"{"request":{},"request":{}}"#, "twice"),
            (r#"{"request":{},"subject":{}}"#, "is a request and has one"),
            (r#"{"request":{},"decision":"PERHAPS"}"#, "no answer"),
            (r#"{"request":{},"decision":{"kind":"denied"}}"#, "no answer"),
            (r#"{"request":{},"decision":3}"#, "no answer"),
        ] {
            let error = read(line.as_bytes()).expect_err(line);
            assert!(error.contains(why), "{line}: {error}");
        }
    }

    #[test]
    fn names_are_found_in_requests() {
        assert_eq!(party(REQUEST.as_bytes(), "subject").as_deref(), Some(r#"Agent::"c\"i""#));
        assert_eq!(action(REQUEST.as_bytes()).as_deref(), Some("go"));
        assert_eq!(party(b"{}", "subject"), None);
        assert_eq!(party(br#"{"subject":{"type":3,"id":"x"}}"#, "subject"), None);
    }
}

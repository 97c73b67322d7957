//! `pdl eval`: one decision, or one for each line.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};

use serde::de::IgnoredAny;
use serde_json::Value;

use super::answer;
use super::args::{EvalArgs, Format};
use super::files;
use super::output::Output;
use super::policy;
use super::status::{Failure, Status};
use super::trouble;
use crate::base::limits::{ENTITIES_BYTES_MAX, REQUEST_BYTES_MAX};
use crate::data::timestamp::Timestamp;
use crate::vm::decide::Answer;
use crate::vm::decision::{Decision, ErrorReport};
use crate::vm::decode::{Options, Unregistered};
use crate::vm::input::{Document, InputErrorKind};
use crate::vm::machine::{Machine, Question, Scratch};

/// Decides, and says so in the exit status.
pub fn run(args: &EvalArgs, output: &mut Output) -> Result<Status, Failure> {
    refuse_shared_stdin(args)?;
    let machine = policy::open(&args.policy, &policy::demanded(&args.require_signature)?, output)?;
    if !args.entities.is_empty() {
        load_entities(&machine, &args.entities)?;
    }
    let facts = facts(args.facts.as_deref(), args.now, &machine)?;
    let unregistered = if args.assume_presented { Unregistered::AssumePresented } else { Unregistered::Refused };
    let options = Options { unregistered, ..Options::STRICT };
    let mut decider = Decider { machine: &machine, facts, options, scratch: Scratch::default() };
    if args.jsonl {
        return lines(args, &mut decider, output);
    }
    let request = files::read_up_to(&args.request, REQUEST_BYTES_MAX)
        .map_err(|error| Failure::io("read", &args.request, &error))?;
    let decision = decider.decide(&request);
    let text = shown(&decision, &request, args.format.unwrap_or(Format::Human), output.color_data());
    output.data(&text)?;
    if let Some(hint) = hint(&decision, args) {
        output.hint(hint);
    }
    Ok(match decision.answer() {
        Answer::Allow => Status::Success,
        Answer::RequireApproval => Status::RequireApproval,
        Answer::Deny => Status::Deny,
    })
}

struct Decider<'a> {
    machine: &'a Machine,
    facts: Option<Vec<u8>>,
    options: Options,
    scratch: Scratch,
}

impl Decider<'_> {
    fn decide(&mut self, request: &[u8]) -> Decision {
        let question = Question { request, facts: self.facts.as_deref(), options: self.options };
        self.machine.decide(question, &mut self.scratch).record()
    }
}

/// Answers line by line, as they come; empty lines are passed over.
fn lines(args: &EvalArgs, decider: &mut Decider<'_>, output: &mut Output) -> Result<Status, Failure> {
    let fail = |error: io::Error| Failure::io("read", &args.request, &error);
    let mut reader: Box<dyn BufRead> = if files::is_stdin(&args.request) {
        Box::new(io::stdin().lock())
    } else {
        Box::new(BufReader::new(File::open(&args.request).map_err(fail)?))
    };
    let format = args.format.unwrap_or(Format::Json);
    let mut line = Vec::new();
    while !output.is_closed() && read_line(&mut reader, &mut line).map_err(fail)? {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let decision = decider.decide(&line);
        output.data(&shown(&decision, &line, format, output.color_data()))?;
    }
    Ok(Status::Success)
}

/// Reads a line, without keeping more of it than shows that it is too long; false at the end.
fn read_line(reader: &mut dyn BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let limit = REQUEST_BYTES_MAX as u64 + 2;
    if reader.take(limit).read_until(b'\n', line)? == 0 {
        return Ok(false);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    } else if line.len() as u64 == limit {
        reader.skip_until(b'\n')?;
    }
    Ok(true)
}

fn shown(decision: &Decision, request: &[u8], format: Format, color: bool) -> String {
    match format {
        Format::Human => answer::text(decision, asked(request).as_deref(), color),
        Format::Json => format!("{}\n", decision.to_json()),
    }
}

/// What the command line could have given and did not.
fn hint(decision: &Decision, args: &EvalArgs) -> Option<&'static str> {
    let has_entities = !args.entities.is_empty() || args.assume_presented;
    match decision.error.as_ref()? {
        ErrorReport::Input { document: Document::Facts, code, .. } if code == InputErrorKind::MissingField.name() => {
            Some("give the kernel's fields with `--now` or `--facts`")
        }
        ErrorReport::Input { code, .. } if code == InputErrorKind::UnknownEntity.name() && !has_entities => {
            Some("load entities with `--entities`, or take attributes from the request with `--assume-presented`")
        }
        _ => None,
    }
}

/// `Agent::"ci" deploy Service::"web"`, as far as a request says so, right or wrong.
#[must_use]
pub fn asked(request: &[u8]) -> Option<String> {
    let request: Value = serde_json::from_slice(request).ok()?;
    let entity = |name: &str| {
        let entity = request.get(name)?;
        Some(format!("{}::{}", entity.get("type")?.as_str()?, entity.get("id").filter(|id| id.is_string())?))
    };
    let action = request.get("action")?.get("name")?.as_str()?;
    Some(format!("{} {action} {}", entity("subject")?, entity("resource")?))
}

/// Loads all entities or fails with all that is wrong with them.
pub fn load_entities(machine: &Machine, paths: &[PathBuf]) -> Result<(), Failure> {
    let (bytes, named) = joined_entities(paths)?;
    machine
        .load_entities(&bytes)
        .map_err(|refused| Failure::new(format!("the entities in {named} are refused:{}", trouble::faults(&refused))))
}

/// The entities of all files as one document, and how the files are named in talk. One file is left as it is, for the
/// reader to judge; several have to be lists, of which one list is made. Whoever stands in two of them stands twice.
pub fn joined_entities(paths: &[PathBuf]) -> Result<(Vec<u8>, String), Failure> {
    if let [only] = paths {
        return Ok((files::read(only, ENTITIES_BYTES_MAX)?, format!("`{}`", files::shown(only))));
    }
    let mut all = vec![b'['];
    let mut names = Vec::new();
    let mut count = 0;
    for path in paths {
        let bytes = files::read(path, ENTITIES_BYTES_MAX)?;
        let entities: Vec<IgnoredAny> = serde_json::from_slice(&bytes).map_err(|error| {
            Failure::new(format!("the entities in `{}` are no list in JSON: {error}", files::shown(path)))
        })?;
        if entities.is_empty() {
            continue;
        }
        if count > 0 {
            all.push(b',');
        }
        let list = bytes.trim_ascii();
        all.extend_from_slice(list.get(1..list.len() - 1).unwrap_or_default());
        // What is wrong with one that has no name is told by its place.
        names.push(format!("`{}` ([{count}] to [{}])", files::shown(path), count + entities.len() - 1));
        count += entities.len();
    }
    all.push(b']');
    Ok((all, names.join(", ")))
}

/// The kernel's facts: those of a file, and the time.
pub fn facts(file: Option<&Path>, now: Option<Timestamp>, machine: &Machine) -> Result<Option<Vec<u8>>, Failure> {
    let file = match file {
        Some(path) => Some(files::read(path, REQUEST_BYTES_MAX)?),
        None => None,
    };
    let mut actions = machine.image().schema().actions.iter();
    let has_now = actions.any(|action| action.context.iter().any(|field| field.kernel && &*field.name == "now"));
    let Some(now) = now.filter(|_| has_now) else { return Ok(file) };
    let now = format!("\"now\":\"{now}\"");
    Ok(Some(match file {
        None => format!("{{{now}}}").into_bytes(),
        Some(file) => with_member(&file, &now),
    }))
}

/// A JSON object with one more member in front; whatever else it is stays as it is, for the reader to refuse.
fn with_member(object: &[u8], member: &str) -> Vec<u8> {
    let Some(inside) = object.trim_ascii().strip_prefix(b"{") else { return object.to_vec() };
    let comma = if inside.trim_ascii_start().starts_with(b"}") { "" } else { "," };
    [b"{", member.as_bytes(), comma.as_bytes(), inside].concat()
}

/// Standard input can be read once.
fn refuse_shared_stdin(args: &EvalArgs) -> Result<(), Failure> {
    let paths = [Some(&args.policy), Some(&args.request), args.facts.as_ref()];
    let paths = paths.into_iter().flatten().chain(&args.entities);
    match paths.filter(|path| files::is_stdin(path)).count() {
        0 | 1 => Ok(()),
        _ => Err(Failure::usage("only one of the paths can be `-`, standard input")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_with_a_bound() {
        let long = vec![b'x'; REQUEST_BYTES_MAX + 100];
        let text = [b"one\n", &long[..], b"\n\nlast"].concat();
        let mut reader: &[u8] = &text;
        let mut line = Vec::new();
        let mut lengths = Vec::new();
        while read_line(&mut reader, &mut line).expect("memory can be read") {
            lengths.push(line.len());
        }
        assert_eq!(lengths, [3, REQUEST_BYTES_MAX + 2, 0, 4]);
    }

    #[test]
    fn a_member_is_added_to_an_object() {
        assert_eq!(with_member(b" { } ", "\"a\":1"), b"{\"a\":1 }");
        assert_eq!(with_member(b"{\"b\":2}", "\"a\":1"), b"{\"a\":1,\"b\":2}");
        assert_eq!(with_member(b"[]", "\"a\":1"), b"[]");
    }
}

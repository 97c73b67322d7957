//! Lifecycles as diagrams and as tables of their steps.

use crate::document::markdown::{self, code};
use crate::syntax::ast::{Doc, Lifecycle, LifecycleLine};

/// Words that mean something to Mermaid where the name of a state stands.
const MERMAID_WORDS: &[&str] = &[
    "acc_descr",
    "acc_title",
    "as",
    "class",
    "classdef",
    "click",
    "default",
    "direction",
    "end",
    "hide",
    "href",
    "note",
    "scale",
    "state",
    "style",
    "title",
];

/// The states of a lifecycle, in the order in which they are named.
struct States<'a> {
    names: Vec<&'a str>,
    /// The steps from each state: to which, and what is said of it.
    steps: Vec<Vec<(usize, &'a Doc)>>,
    initial: Vec<usize>,
    finals: Vec<usize>,
    notes: Vec<&'a Doc>,
}

impl<'a> States<'a> {
    fn of(written: &'a Lifecycle) -> States<'a> {
        let mut states =
            States { names: Vec::new(), steps: Vec::new(), initial: Vec::new(), finals: Vec::new(), notes: Vec::new() };
        for (doc, line) in &written.lines {
            if let LifecycleLine::Steps { from, to, .. } = line {
                for source in from {
                    let source = states.place(&source.text);
                    for target in to {
                        let target = states.place(&target.text);
                        states.steps[source].push((target, doc));
                    }
                }
            }
        }
        for (doc, line) in &written.lines {
            let (names, finals) = match line {
                LifecycleLine::Steps { .. } => continue,
                LifecycleLine::Initial(names, _) => (names, false),
                LifecycleLine::Final(names, _) => (names, true),
            };
            if !doc.is_empty() {
                states.notes.push(doc);
            }
            for name in names {
                let place = states.place(&name.text);
                if finals { states.finals.push(place) } else { states.initial.push(place) }
            }
        }
        if states.initial.is_empty() && !states.names.is_empty() {
            states.initial.push(0);
        }
        states
    }

    fn place(&mut self, name: &'a str) -> usize {
        if let Some(place) = self.names.iter().position(|known| *known == name) {
            return place;
        }
        self.names.push(name);
        self.steps.push(Vec::new());
        self.names.len() - 1
    }

    /// What Mermaid calls a state.
    fn id(&self, at: usize) -> String {
        let name = self.names[at];
        if !is_mermaid_word(name) {
            return name.to_owned();
        }
        let mut id = format!("{name}_state");
        while self.names.contains(&&*id) {
            id.push('_');
        }
        id
    }

    fn diagram(&self) -> String {
        let mut out = String::from("stateDiagram-v2\n");
        for (at, name) in self.names.iter().enumerate().filter(|(_, name)| is_mermaid_word(name)) {
            out.push_str(&format!("    state \"{name}\" as {}\n", self.id(at)));
        }
        for &at in &self.initial {
            out.push_str(&format!("    [*] --> {}\n", self.id(at)));
        }
        for (from, steps) in self.steps.iter().enumerate() {
            for (to, _) in steps {
                out.push_str(&format!("    {} --> {}\n", self.id(from), self.id(*to)));
            }
        }
        for &at in &self.finals {
            out.push_str(&format!("    {} --> [*]\n", self.id(at)));
        }
        markdown::block("mermaid", &out)
    }

    /// A row for the steps from a state that one line gives, and one for each state without steps.
    fn table(&self) -> String {
        let mut rows: Vec<Vec<String>> = Vec::new();
        for (from, steps) in self.steps.iter().enumerate() {
            let mut about = Vec::new();
            if self.initial.contains(&from) {
                about.push("Initial.".to_owned());
            }
            if self.finals.contains(&from) {
                about.push("Final.".to_owned());
            }
            let mut said: Vec<String> = Vec::new();
            for doc in steps.iter().map(|(_, doc)| markdown::inline(doc)).filter(|doc| !doc.is_empty()) {
                if !said.contains(&doc) {
                    said.push(doc);
                }
            }
            about.extend(said);
            let to: Vec<String> = steps.iter().map(|&(to, _)| code(self.names[to])).collect();
            let to = if to.is_empty() { "–".to_owned() } else { to.join(", ") };
            rows.push(vec![code(self.names[from]), to, about.join(" ")]);
        }
        markdown::table(&["from", "to", "about"], &rows)
    }
}

fn is_mermaid_word(name: &str) -> bool {
    MERMAID_WORDS.contains(&&*name.to_ascii_lowercase())
}

/// A diagram, and the steps as a table.
pub fn steps(written: &Lifecycle) -> String {
    let states = States::of(written);
    let mut out = format!("{}\n{}", states.diagram(), states.table());
    for doc in &states.notes {
        out.push_str(&format!("\n{}", markdown::paragraphs(doc, 2)));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::span::{FileId, Span};
    use crate::syntax::ast::Name;

    fn name(text: &str) -> Name {
        Name { text: text.into(), span: Span::new(FileId(0), 0, 0) }
    }

    /// Names that Mermaid would take for something else are given others, and shown as they are.
    #[test]
    fn states_may_be_called_anything() {
        let line = LifecycleLine::Steps {
            from: vec![name("state")],
            to: vec![name("End"), name("state_state")],
            span: Span::new(FileId(0), 0, 0),
        };
        let last = LifecycleLine::Final(vec![name("End")], Span::new(FileId(0), 0, 0));
        let written = Lifecycle { name: name("L"), lines: vec![(Vec::new(), line), (Vec::new(), last)] };
        let expected = "```mermaid
stateDiagram-v2
    state \"state\" as state_state_
    state \"End\" as End_state
    [*] --> state_state_
    state_state_ --> End_state
    state_state_ --> state_state
    End_state --> [*]
```

| from | to | about |
| --- | --- | --- |
| `state` | `End`, `state_state` | Initial. |
| `End` | – | Final. |
| `state_state` | – | |
";
        assert_eq!(steps(&written), expected);
    }
}

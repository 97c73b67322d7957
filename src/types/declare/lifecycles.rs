//! Lifecycles: states, steps, and what makes a state machine one that means something.

use std::collections::HashMap;
use std::sync::Arc;

use crate::base::span::Span;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::syntax::ast::{Lifecycle, LifecycleLine, Name};
use crate::types::typed::LifecycleDef;

/// The states, in the order in which the steps name them, and the machine; every fault is reported.
pub fn check(written: &Lifecycle, sink: &mut Diagnostics) -> (Vec<Arc<str>>, LifecycleDef) {
    let mut machine = Machine::default();
    machine.steps(written, sink);
    if machine.names.is_empty() {
        sink.push(
            Diagnostic::error(
                Code::EmptyLifecycle,
                written.name.span,
                format!("lifecycle `{}` has no steps", written.name.text),
            )
            .help("write at least one: `pending -> done`"),
        );
    }
    let mut initial = machine.states_of_lines(written, false, sink);
    let finals = machine.states_of_lines(written, true, sink);
    if initial.is_empty() && !machine.names.is_empty() {
        initial.push((0, machine.spans[0]));
    }
    machine.check_finals(&finals, sink);
    machine.check_dead_ends(&finals, sink);
    machine.check_reachable(&initial, sink);
    let sorted = |states: Vec<(u32, Span)>| {
        let mut states: Vec<u32> = states.into_iter().map(|(state, _)| state).collect();
        states.sort_unstable();
        states.dedup();
        states
    };
    let mut steps = machine.targets.into_iter().map(|targets| targets.into_iter().map(|(to, _)| to).collect());
    let steps = steps.by_ref().map(|mut targets: Vec<u32>| {
        targets.sort_unstable();
        targets
    });
    let steps = steps.collect();
    (machine.names, LifecycleDef { initial: sorted(initial), finals: sorted(finals), steps })
}

#[derive(Default)]
struct Machine {
    names: Vec<Arc<str>>,
    /// Where each state is first named.
    spans: Vec<Span>,
    places: HashMap<Arc<str>, u32>,
    /// Of each state its steps, with the span of the one it leaves in the line.
    targets: Vec<Vec<(u32, Span)>>,
}

impl Machine {
    fn state(&mut self, name: &Name) -> u32 {
        if let Some(&state) = self.places.get(&name.text) {
            return state;
        }
        let state = self.names.len() as u32;
        self.places.insert(name.text.clone(), state);
        self.names.push(name.text.clone());
        self.spans.push(name.span);
        self.targets.push(Vec::new());
        state
    }

    fn steps(&mut self, written: &Lifecycle, sink: &mut Diagnostics) {
        let mut seen: HashMap<(u32, u32), Span> = HashMap::new();
        for (_, line) in &written.lines {
            let LifecycleLine::Steps { from, to, .. } = line else { continue };
            for source in from {
                let from = self.state(source);
                for target in to {
                    let to = self.state(target);
                    if let Some(&first) = seen.get(&(from, to)) {
                        let message = format!("the step `{} -> {}` is written twice", source.text, target.text);
                        sink.push(
                            Diagnostic::error(Code::DuplicateStep, target.span, message)
                                .label("again")
                                .secondary(first, "first here")
                                .help("remove one of them"),
                        );
                        continue;
                    }
                    seen.insert((from, to), target.span);
                    self.targets[from as usize].push((to, source.span));
                }
            }
        }
    }

    /// The states that `initial` or `final` lines name.
    fn states_of_lines(&self, written: &Lifecycle, finals: bool, sink: &mut Diagnostics) -> Vec<(u32, Span)> {
        let mut states: Vec<(u32, Span)> = Vec::new();
        let mut first: HashMap<u32, Span> = HashMap::new();
        let names = written.lines.iter().flat_map(|(_, line)| match line {
            LifecycleLine::Initial(names, _) if !finals => names.as_slice(),
            LifecycleLine::Final(names, _) if finals => names.as_slice(),
            _ => &[],
        });
        let word = if finals { "final" } else { "initial" };
        for name in names {
            let Some(&state) = self.places.get(&name.text) else {
                let known = self.names.iter().map(|name| &**name);
                let best = crate::data::similar::best_match(&name.text, known);
                sink.push(
                    Diagnostic::error(
                        Code::UnknownState,
                        name.span,
                        format!("no step leads to or from the state `{}`", name.text),
                    )
                    .label(format!("named only as {word}"))
                    .help_if(best.map(|best| format!("did you mean `{best}`?")))
                    .help(format!("write a step with it, as `a -> {}`, or remove it", name.text)),
                );
                continue;
            };
            match first.get(&state) {
                Some(&before) => sink.push(
                    Diagnostic::error(
                        Code::DuplicateStep,
                        name.span,
                        format!("the state `{}` is named {word} twice", name.text),
                    )
                    .label("again")
                    .secondary(before, "first here")
                    .help("remove one of them"),
                ),
                None => {
                    first.insert(state, name.span);
                    states.push((state, name.span));
                }
            }
        }
        states
    }

    fn check_finals(&self, finals: &[(u32, Span)], sink: &mut Diagnostics) {
        for &(state, span) in finals {
            let name = &self.names[state as usize];
            for &(to, leaves) in &self.targets[state as usize] {
                let target = &self.names[to as usize];
                sink.push(
                    Diagnostic::error(
                        Code::StepOutOfFinal,
                        leaves,
                        format!("a step leads from the final state `{name}` to `{target}`"),
                    )
                    .label("is left here")
                    .secondary(span, "declared final here")
                    .help("remove the step, or the state from the final ones"),
                );
            }
        }
    }

    fn check_dead_ends(&self, finals: &[(u32, Span)], sink: &mut Diagnostics) {
        let mut is_final = vec![false; self.names.len()];
        finals.iter().for_each(|&(state, _)| is_final[state as usize] = true);
        for (state, name) in self.names.iter().enumerate() {
            if self.targets[state].is_empty() && !is_final[state] {
                sink.push(
                    Diagnostic::error(
                        Code::DeadEnd,
                        self.spans[state],
                        format!("no step leaves the state `{name}`, and it is not final"),
                    )
                    .label("a dead end")
                    .help(format!("add `final {name}`, or a step that leaves it")),
                );
            }
        }
    }

    fn check_reachable(&self, initial: &[(u32, Span)], sink: &mut Diagnostics) {
        let mut reached = vec![false; self.names.len()];
        let mut open: Vec<u32> = initial.iter().map(|&(state, _)| state).collect();
        while let Some(state) = open.pop() {
            if !std::mem::replace(&mut reached[state as usize], true) {
                open.extend(self.targets[state as usize].iter().map(|&(to, _)| to));
            }
        }
        for (state, name) in self.names.iter().enumerate() {
            if reached[state] {
                continue;
            }
            let mut fault = Diagnostic::error(
                Code::UnreachableState,
                self.spans[state],
                format!("no steps lead to the state `{name}`"),
            )
            .label("can't be reached");
            for &(first, span) in initial {
                fault = fault.secondary(span, format!("`{}` is initial", self.names[first as usize]));
            }
            sink.push(fault.help(format!("add a step that leads to it, or `initial {name}`")));
        }
    }
}

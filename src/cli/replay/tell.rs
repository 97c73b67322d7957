//! What a replay came to, for people and for programs.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::cli::args::replay::ReplayArgs;
use crate::cli::output::{CYAN, DIM, GREEN, Output, RED, YELLOW, paint};
use crate::cli::report::thousands;
use crate::cli::table;
use crate::diagnostic::render::clean;
use crate::replay::tally::{Counts, Shadowed};
use crate::replay::{Change, Example, Lost, RuleKey, Tally, Told};

/// How many rows of a table people are shown.
const SHOWN: usize = 10;

/// What a replay came to.
pub struct Replayed<'t> {
    /// The counts and examples.
    pub tally: &'t Tally,
    /// What a row is: a line of a file, an entry of a log.
    pub row: &'static str,
    /// Whether shadow policies were asked for.
    pub is_shadow: bool,
}

impl Replayed<'_> {
    /// For people: flips, what permits more first, then by what, then the sum.
    #[must_use]
    pub fn text(&self, output: &Output) -> String {
        let (tally, color) = (self.tally, output.color_data());
        let mut out = String::new();
        for change in Change::ALL {
            let count = tally.changed(change);
            if count == 0 {
                continue;
            }
            let sequence = if change.is_widening() { RED } else { YELLOW };
            out.push_str(&format!("{}: {}\n", paint(color, sequence, change.title()), thousands(count)));
            for ((_, number), example) in tally.examples.range((change, 0)..=(change, u64::MAX)) {
                self.example(*number, example, color, &mut out);
            }
        }
        if tally.changes() > 0 {
            out.push('\n');
        }
        self.tables(output, &mut out);
        for (number, unreplayed) in &tally.unreplayed {
            let why = if unreplayed.why.is_empty() { unreplayed.lost.sentence() } else { &unreplayed.why };
            out.push_str(&format!("not replayed: {} {number}: {}\n", self.row, clean(why)));
        }
        self.sum(color, &mut out);
        out
    }

    fn example(&self, number: u64, example: &Example, color: bool, out: &mut String) {
        let part = |part: &Option<String>| part.as_deref().map_or_else(|| "?".to_owned(), clean);
        let asked = format!("{} {} {}", part(&example.subject), part(&example.action), part(&example.resource));
        out.push_str(&format!("  {} {number}: {}\n", self.row, paint(color, CYAN, &asked)));
        for (when, told) in [("was", &example.old), ("now", &example.new)] {
            let kind = told.kind.map_or_else(String::new, |kind| format!(" ({})", kind.name()));
            let rules: Vec<String> = told.rules.iter().map(|(id, effect)| clean(&format!("{effect} {id}"))).collect();
            let by = if rules.is_empty() { String::new() } else { format!(" by {}", rules.join(", ")) };
            out.push_str(&format!("    {} {}{kind}{by}\n", paint(color, DIM, when), told.answer.name()));
            for gate in &told.gates {
                out.push_str(&format!("      {}\n", clean(&gate.to_string())));
            }
            if let Some(why) = &told.why {
                out.push_str(&format!("      {}\n", clean(why)));
            }
        }
    }

    fn tables(&self, output: &Output, out: &mut String) {
        let tally = self.tally;
        if self.is_shadow {
            let rows: Vec<Vec<String>> =
                tally.shadow.iter().map(|((id, effect), seen)| shadow_row(id, effect, seen)).collect();
            let heads = ["shadow rule", "effect", "matched", "would deny", "would ask", "would permit", "failed"];
            out.push_str(&table::text(output, &heads, &rows));
            out.push('\n');
        }
        let rules = most(tally.rules.iter().map(|(rule, counts)| {
            let when = if rule.is_new { "now" } else { "was" };
            (format!("{when} {} {}", rule.effect, rule.id), counts)
        }));
        for (head, rows) in
            [("rule", rules), ("subject", most(named(&tally.subjects))), ("action", most(named(&tally.actions)))]
        {
            if rows.is_empty() {
                continue;
            }
            let more = rows.len().saturating_sub(SHOWN);
            let cells = |(name, counts): &(String, &Counts)| {
                vec![name.clone(), thousands(widened(counts)), thousands(narrowed(counts))]
            };
            let shown: Vec<Vec<String>> = rows.iter().take(SHOWN).map(cells).collect();
            out.push_str(&table::text(output, &[head, "more permitted", "less permitted"], &shown));
            if more > 0 {
                out.push_str(&format!("and {} more\n", thousands(more as u64)));
            }
            out.push('\n');
        }
    }

    /// The sum in one line, without a line end.
    #[must_use]
    pub fn line(&self) -> String {
        self.counted("replayed")
    }

    fn counted(&self, word: &str) -> String {
        let tally = self.tally;
        let of = |is_widening: bool| {
            let changes = Change::ALL.into_iter().filter(|change| change.is_widening() == is_widening);
            thousands(changes.map(|change| tally.changed(change)).sum::<u64>())
        };
        let (replayed, rows) = (thousands(tally.rows - tally.left()), thousands(tally.rows));
        let (more, less, same) = (of(true), of(false), thousands(tally.same));
        format!("{word} {replayed} of {rows} requests: {more} more permitted, {less} less, {same} the same")
    }

    fn sum(&self, color: bool, out: &mut String) {
        let sequence = match self.tally {
            tally if tally.is_widened() => RED,
            tally if tally.changes() > 0 => YELLOW,
            _ => GREEN,
        };
        out.push_str(&format!("{}\n", self.counted(&paint(color, sequence, "replayed"))));
        for (lost, number) in &self.tally.lost {
            out.push_str(&format!("not replayed {}: {}\n", thousands(*number), lost.sentence()));
        }
    }

    /// For programs.
    #[must_use]
    pub fn document(&self) -> Value {
        let tally = self.tally;
        let changes = Change::ALL.into_iter().filter(|change| tally.changed(*change) > 0).map(|change| {
            let examples = tally.examples.range((change, 0)..=(change, u64::MAX));
            json!({
                "change": change.name(),
                "widening": change.is_widening(),
                "count": tally.changed(change),
                "examples": examples.map(|((_, number), example)| self.example_document(*number, example)).collect::<Vec<_>>(),
            })
        });
        let rules = tally.rules.iter().map(|(rule, counts)| {
            let RuleKey { is_new, id, effect } = rule;
            json!({ "in": if *is_new { "new" } else { "old" }, "rule": id, "effect": effect, "changes": by_change(counts) })
        });
        let names = |names: &BTreeMap<String, Counts>| -> Value {
            names
                .iter()
                .map(|(name, counts)| (name.clone(), by_change(counts)))
                .collect::<serde_json::Map<_, _>>()
                .into()
        };
        let lost: serde_json::Map<_, _> =
            tally.lost.iter().map(|(lost, number)| (lost.name().to_owned(), json!(number))).collect();
        let unreplayed = tally.unreplayed.iter().map(
            |(number, unreplayed)| json!({ self.row: number, "reason": unreplayed.lost.name(), "why": unreplayed.why }),
        );
        let mut document = json!({
            "rows": tally.rows,
            "replayed": tally.rows - tally.left(),
            "same": tally.same,
            "changed": tally.changes(),
            "widened": tally.is_widened(),
            "changes": changes.collect::<Vec<_>>(),
            "rules": rules.collect::<Vec<_>>(),
            "subjects": names(&tally.subjects),
            "actions": names(&tally.actions),
            "not_replayed": lost,
            "examples_not_replayed": unreplayed.collect::<Vec<_>>(),
        });
        if self.is_shadow {
            let rules = tally.shadow.iter().map(|((id, effect), seen)| {
                let Shadowed { matched, failed, denies, asks, permits } = seen;
                json!({
                    "rule": id, "effect": effect, "matched": matched, "failed": failed,
                    "would_deny": denies, "would_ask": asks, "would_permit": permits,
                })
            });
            document["shadow"] = rules.collect();
        }
        document
    }

    fn example_document(&self, number: u64, example: &Example) -> Value {
        let told = |told: &Told| {
            let rules = told.rules.iter().map(|(id, effect)| json!({ "id": id, "effect": effect }));
            json!({
                "decision": told.answer.name(),
                "kind": told.kind.map(|kind| kind.name()),
                "rules": rules.collect::<Vec<_>>(),
                "gates": told.gates.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "why": told.why,
            })
        };
        let text = |text: &Option<String>| text.as_deref().and_then(document_of);
        json!({
            self.row: number,
            "request": text(&example.request),
            "facts": text(&example.facts),
            "old": told(&example.old),
            "new": told(&example.new),
        })
    }

    /// What the command line could have given and did not.
    #[must_use]
    pub fn hint(&self, args: &ReplayArgs) -> Option<&'static str> {
        let lost = |lost: Lost| self.tally.lost.contains_key(&lost);
        match () {
            () if lost(Lost::NothingRecorded) => Some("compare with another policy: `--against PATH`"),
            () if lost(Lost::Entities) && args.entities.is_empty() => Some("load entities with `--entities`"),
            () if lost(Lost::Facts) && args.facts.is_none() && args.now.is_none() => {
                Some("give the kernel's fields with `--now` or `--facts`, or each line its own under `facts`")
            }
            () => None,
        }
    }
}

/// A text of JSON as it is; one that is none, as a text.
fn document_of(text: &str) -> Option<Value> {
    Some(serde_json::from_str(text).unwrap_or_else(|_| text.into()))
}

fn shadow_row(id: &str, effect: &str, seen: &Shadowed) -> Vec<String> {
    let Shadowed { matched, failed, denies, asks, permits } = *seen;
    let mut row = vec![id.to_owned(), effect.to_owned()];
    row.extend([matched, denies, asks, permits, failed].map(thousands));
    row
}

fn named(names: &BTreeMap<String, Counts>) -> impl Iterator<Item = (String, &Counts)> {
    names.iter().map(|(name, counts)| (name.clone(), counts))
}

/// What has most changes first: those that permit more before others.
fn most<'c>(names: impl Iterator<Item = (String, &'c Counts)>) -> Vec<(String, &'c Counts)> {
    let mut names: Vec<_> = names.collect();
    names.sort_by_key(|(name, counts)| (std::cmp::Reverse((widened(counts), narrowed(counts))), name.clone()));
    names
}

fn widened(counts: &Counts) -> u64 {
    Change::ALL.iter().zip(counts).filter(|(change, _)| change.is_widening()).map(|(_, count)| count).sum()
}

fn narrowed(counts: &Counts) -> u64 {
    Change::ALL.iter().zip(counts).filter(|(change, _)| !change.is_widening()).map(|(_, count)| count).sum()
}

fn by_change(counts: &Counts) -> Value {
    let some = Change::ALL.iter().zip(counts).filter(|(_, count)| **count > 0);
    some.map(|(change, count)| (change.name().to_owned(), json!(count))).collect::<serde_json::Map<_, _>>().into()
}

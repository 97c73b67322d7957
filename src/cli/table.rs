//! Tables for people: columns without lines, so that they can be searched and cut as text.
//!
//! What is one word, such as an id or a time, is never broken: people copy it from there.

use comfy_table::presets::NOTHING;
use comfy_table::{ColumnConstraint, ContentArrangement, Table};

use super::output::{DIM, Output, paint};
use crate::data::timestamp::Timestamp;
use crate::diagnostic::render::clean;

/// How many columns of a terminal what can be broken has at least. Where that is not there, nothing is broken.
const BROKEN_MIN: usize = 20;
/// What stands between two columns.
const PADDING: u16 = 2;

/// The text of a table. On a terminal, what has several words is broken so that it fits; nothing is obeyed by a terminal.
#[must_use]
pub fn text(output: &Output, heads: &[&str], rows: &[Vec<String>]) -> String {
    let text = arranged(output.width(), heads, rows);
    let mut out = String::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim_end();
        out.push_str(&if at == 0 { paint(output.color_data(), DIM, line) } else { line.to_owned() });
        out.push('\n');
    }
    out
}

fn arranged(width: Option<u16>, heads: &[&str], rows: &[Vec<String>]) -> String {
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| clean(cell)).collect()).collect();
    let columns: Vec<Column> = heads.iter().enumerate().map(|(at, head)| Column::of(head, at, &rows)).collect();
    let mut table = Table::new();
    table.load_preset(NOTHING).set_header(heads.iter().copied()).add_rows(rows);
    let least = columns.iter().map(|column| if column.is_words { BROKEN_MIN.min(column.width) } else { column.width });
    let least: usize = least.map(|width| width.saturating_add(PADDING.into())).sum();
    match width.filter(|width| least <= usize::from(*width)) {
        Some(width) => table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width),
        None => table.set_content_arrangement(ContentArrangement::Disabled),
    };
    for (column, of) in table.column_iter_mut().zip(&columns) {
        column.set_padding((0, PADDING));
        if !of.is_words {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    table.to_string()
}

/// What is known of a column.
struct Column {
    width: usize,
    /// Whether any of it has several words.
    is_words: bool,
}

impl Column {
    fn of(head: &str, at: usize, rows: &[Vec<String>]) -> Column {
        let cells = || rows.iter().filter_map(|row| row.get(at)).map(String::as_str);
        let width = cells().chain([head]).map(|cell| cell.chars().count()).max().unwrap_or_default();
        Column { width, is_words: cells().any(|cell| cell.contains(' ')) }
    }
}

/// A time as all times of a column are: to the millisecond, so that they stand below one another.
#[must_use]
pub fn time(time: Timestamp) -> String {
    let text = time.to_string();
    let text = text.trim_end_matches('Z');
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    format!("{seconds}.{fraction:0<3}Z")
}

/// Names with what they are, aligned, a line each.
#[must_use]
pub fn facts(facts: &[(&str, String)]) -> String {
    let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    facts.iter().map(|(name, fact)| format!("{name:<width$}  {}\n", clean(fact))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_of_one_length() {
        for (from, to) in [
            ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00.000Z"),
            ("2026-01-31T12:00:00.5Z", "2026-01-31T12:00:00.500Z"),
            ("2026-01-31T12:00:00.045Z", "2026-01-31T12:00:00.045Z"),
        ] {
            assert_eq!(time(Timestamp::parse(from).expect("it is a time")), to);
        }
    }

    #[test]
    fn ids_are_never_broken() {
        let id = "ent_01M80CAW4ZKSQCQGPQA89XHCFW";
        let row = |what: &str| vec!["7".to_owned(), what.to_owned(), id.to_owned()];
        let rows = [row("DENY restore Service::\"ledger\" by Agent::\"medic\""), row("ALLOW")];
        let heads = ["INDEX", "WHAT", "ENTRY"];
        let of = |width| arranged(width, &heads, &rows);
        for width in [20, 58, 59, 61, 80, 120] {
            let text = of(Some(width));
            assert_eq!(text.matches(id).count(), 2, "{width}:\n{text}");
            let fits = text.lines().all(|line| line.trim_end().chars().count() <= width.into());
            // Where there is no room, the terminal breaks the lines, and what is copied is whole.
            assert_eq!(fits, width >= 61, "{width}:\n{text}");
            assert_eq!(text == of(None), !(61..88).contains(&width), "{width}:\n{text}");
        }
    }

    #[test]
    fn nothing_in_a_table_is_obeyed() {
        let output = Output::new(super::super::args::ColorChoice::Never);
        let rows = [vec!["a\x1b[2Jb".to_owned(), "c\nd".to_owned()], vec!["longer".to_owned(), String::new()]];
        assert_eq!(text(&output, &["ONE", "TWO"], &rows), "ONE     TWO\na\u{241b}[2Jb  c\u{240a}d\nlonger\n");
    }
}

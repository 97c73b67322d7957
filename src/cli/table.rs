//! Tables for people: columns without lines, so that they can be searched and cut as text.

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};

use super::output::{DIM, Output, paint};
use crate::data::timestamp::Timestamp;
use crate::diagnostic::render::clean;

/// The text of a table. On a terminal, cells are broken so that it fits; nothing in them is obeyed by a terminal.
#[must_use]
pub fn text(output: &Output, heads: &[&str], rows: &[Vec<String>]) -> String {
    let mut table = Table::new();
    table.load_preset(NOTHING).set_header(heads.iter().copied());
    table.add_rows(rows.iter().map(|row| row.iter().map(|cell| clean(cell)).collect::<Vec<_>>()));
    match output.width() {
        Some(width) => table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width),
        None => table.set_content_arrangement(ContentArrangement::Disabled),
    };
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let text = table.to_string();
    let mut out = String::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim_end();
        out.push_str(&if at == 0 { paint(output.color_data(), DIM, line) } else { line.to_owned() });
        out.push('\n');
    }
    out
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
    fn nothing_in_a_table_is_obeyed() {
        let output = Output::new(super::super::args::ColorChoice::Never);
        let rows = [vec!["a\x1b[2Jb".to_owned(), "c\nd".to_owned()], vec!["longer".to_owned(), String::new()]];
        assert_eq!(text(&output, &["ONE", "TWO"], &rows), "ONE     TWO\na\u{241b}[2Jb  c\u{240a}d\nlonger\n");
    }
}

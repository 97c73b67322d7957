//! Lines of output whose first cells stand below each other.

use super::doc::{self, Doc};
use super::stream::Lead;

/// The width that lines keep to where they can.
pub const WIDTH: usize = 100;

/// One line, or more where its last cell breaks.
#[derive(Debug)]
pub struct Row {
    /// A blank line before it, before its comments.
    pub blank: bool,
    /// Comments on their own lines above it.
    pub leads: Vec<Lead>,
    /// A blank line between those comments and the row.
    pub blank_below_leads: bool,
    /// Spaces at the start.
    pub indent: usize,
    /// Rows of one number that follow each other have their cells below each other; 0 stands alone.
    pub group: usize,
    /// The cells before the last.
    pub cells: Vec<String>,
    /// The last cell.
    pub last: Doc,
    /// A comment behind it.
    pub trail: Option<String>,
}

/// Writes rows, aligning the cells of neighbours.
pub fn write(rows: &[Row]) -> String {
    let mut out = String::new();
    let mut at = 0;
    while at < rows.len() {
        let mut end = at + 1;
        while end < rows.len() && rows[at].group != 0 && rows[end].group == rows[at].group {
            end += 1;
        }
        write_group(&rows[at..end], &mut out);
        at = end;
    }
    out
}

fn write_group(rows: &[Row], out: &mut String) {
    let mut loose = vec![false; rows.len()];
    let mut rounds = 0;
    let widths = loop {
        let widths = widths_of(rows, &loose);
        let mut changed = false;
        for (row, loose) in rows.iter().zip(&mut loose) {
            let column = row.indent + widths.iter().take(row.cells.len()).map(|width| width + 1).sum::<usize>();
            if !*loose && row.last.width().is_none_or(|width| column + width > WIDTH) {
                *loose = true;
                changed = true;
            }
        }
        rounds += 1;
        // Widths only shrink, so this ends soon; the bound is for what nobody writes.
        if !changed || rounds == 16 {
            break widths;
        }
    };
    let mut bodies: Vec<(String, usize)> = Vec::with_capacity(rows.len());
    for (row, loose) in rows.iter().zip(loose) {
        let mut body = String::new();
        let mut column = row.indent;
        for (at, cell) in row.cells.iter().enumerate() {
            let own = cell.chars().count();
            let is_free = loose && at + 1 == row.cells.len();
            let width = if is_free { own } else { widths.get(at).map_or(own, |&width| width.max(own)) };
            body.push_str(cell);
            body.extend(std::iter::repeat_n(' ', width + 1 - own));
            column += width + 1;
        }
        let last = doc::render(&row.last, column, row.indent, WIDTH, &mut body);
        body.truncate(body.trim_end_matches(' ').len());
        bodies.push((body, last));
    }
    let comment_column = rows
        .iter()
        .zip(&bodies)
        .filter(|(row, (body, _))| row.trail.is_some() && !body.contains('\n'))
        .map(|(_, (_, end))| *end)
        .max()
        .unwrap_or(0);
    for (row, (body, end)) in rows.iter().zip(&bodies) {
        above(row, out);
        out.extend(std::iter::repeat_n(' ', row.indent));
        out.push_str(body);
        if let Some(trail) = &row.trail {
            let pad = if body.contains('\n') { 0 } else { comment_column.saturating_sub(*end) };
            out.extend(std::iter::repeat_n(' ', pad + 2));
            out.push_str(trail);
        }
        out.push('\n');
    }
}

/// The widths of the columns. The last cell of a row that goes on over several lines needs no place beside others.
fn widths_of(rows: &[Row], loose: &[bool]) -> Vec<usize> {
    let mut widths = Vec::new();
    for (row, &loose) in rows.iter().zip(loose) {
        let aligned = row.cells.len() - usize::from(loose && !row.cells.is_empty());
        for (at, cell) in row.cells.iter().take(aligned).enumerate() {
            if at == widths.len() {
                widths.push(0);
            }
            widths[at] = widths[at].max(cell.chars().count());
        }
    }
    widths
}

fn above(row: &Row, out: &mut String) {
    let at_top = out.is_empty();
    for (at, lead) in row.leads.iter().enumerate() {
        if (if at == 0 { row.blank || lead.blank } else { lead.blank }) && !(at_top && at == 0) {
            out.push('\n');
        }
        out.extend(std::iter::repeat_n(' ', row.indent));
        out.push_str(&lead.text);
        out.push('\n');
    }
    let blank = if row.leads.is_empty() { row.blank } else { row.blank_below_leads };
    if blank && !(at_top && row.leads.is_empty()) {
        out.push('\n');
    }
}

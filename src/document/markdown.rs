//! Markdown as GitHub reads it: code, cells, tables, anchors, and what stands in `///` comments.

use std::fmt::Write as _;

use crate::syntax::ast::Doc;

/// Text as code within a line.
pub fn code(text: &str) -> String {
    // In a cell `\|` is read as `|`, in code as well, so where both stand side by side HTML has to do.
    if text.contains("\\|") {
        let plain = |c: char| c.is_alphanumeric() || c == ' ';
        let escape = |c: char| if plain(c) { c.to_string() } else { format!("&#{};", u32::from(c)) };
        return format!("<code>{}</code>", text.chars().map(escape).collect::<String>());
    }
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

/// Code, leading somewhere if there is somewhere to lead to.
pub fn linked(text: &str, target: Option<&str>) -> String {
    match target {
        Some(target) => format!("[{}]({target})", code(text)),
        None => code(text),
    }
}

/// A block of code.
pub fn block(language: &str, text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}\n", text.trim_end())
}

/// `a`, `a and b`, `a, b and c`.
pub fn list(items: &[String], word: &str) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [before @ .., last] => format!("{} {word} {last}", before.join(", ")),
    }
}

/// A table. Columns in which nothing stands are left out.
pub fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let is_kept =
        |at: usize| rows.is_empty() || rows.iter().any(|row| row.get(at).is_some_and(|cell| !cell.is_empty()));
    let kept: Vec<usize> = (0..head.len()).filter(|&at| is_kept(at)).collect();
    let mut out = String::new();
    let mut line = |cells: &mut dyn Iterator<Item = String>| {
        for cell in cells {
            let _ = if cell.is_empty() { write!(out, "| ") } else { write!(out, "| {cell} ") };
        }
        out.push_str("|\n");
    };
    line(&mut kept.iter().map(|&at| cell(head[at])));
    line(&mut kept.iter().map(|_| "---".to_owned()));
    for row in rows {
        line(&mut kept.iter().map(|&at| row.get(at).map(|text| cell(text)).unwrap_or_default()));
    }
    out
}

/// Markdown that stands in a cell: on one line, and no `|` in it ends the cell.
fn cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    for c in text.lines().map(str::trim).collect::<Vec<_>>().join(" ").chars() {
        if c == '|' && before != '\\' {
            out.push('\\');
        }
        out.push(c);
        before = c;
    }
    out
}

/// What a comment says, as paragraphs below a heading of this level: headings in it are of the levels below.
pub fn paragraphs(doc: &Doc, level: usize) -> String {
    let mut out = String::new();
    let mut fence: Option<String> = None;
    for line in doc {
        let marker: String = line.trim_start().chars().take_while(|&c| c == '`').collect();
        match &fence {
            Some(open) if marker.len() >= open.len() && line.trim() == marker => fence = None,
            None if marker.len() >= 3 => fence = Some(marker),
            _ => {}
        }
        if fence.is_none() && line.starts_with('#') {
            out.push_str(&"#".repeat(level));
        }
        out.push_str(line);
        out.push('\n');
    }
    // What a comment leaves open ends with it.
    if let Some(open) = fence {
        out.push_str(&open);
        out.push('\n');
    }
    out.trim_matches('\n').to_owned() + if out.trim().is_empty() { "" } else { "\n" }
}

/// What a comment says, on one line.
pub fn inline(doc: &Doc) -> String {
    doc.iter().map(|line| line.trim()).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The first sentence of a comment: up to a full stop before a space and something that begins a sentence, or up to
/// the end of the paragraph.
pub fn first_sentence(doc: &Doc) -> String {
    let lines = doc.iter().map(|line| line.trim()).skip_while(|line| line.is_empty());
    let paragraph = lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    let begins = |rest: &str| {
        rest.strip_prefix(' ').and_then(|rest| rest.chars().next()).is_some_and(|c| c.is_uppercase() || c == '`')
    };
    let ends = paragraph.match_indices('.').map(|(at, _)| at + 1);
    let end = ends.into_iter().find(|&end| begins(&paragraph[end..])).unwrap_or(paragraph.len());
    paragraph[..end].to_owned()
}

/// Plain text, of which nothing is Markdown.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    let mut before = ' ';
    while let Some(c) = rest.next() {
        // Within a word a `_` is one.
        let joins = c == '_' && before.is_alphanumeric() && rest.peek().is_some_and(|next| next.is_alphanumeric());
        if matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#') && !joins {
            out.push('\\');
        }
        out.push(if c == '\n' { ' ' } else { c });
        before = c;
    }
    out
}

/// The anchor of a heading, as GitHub makes it.
pub fn anchor(heading: &str) -> String {
    let kept = heading.chars().flat_map(char::to_lowercase);
    kept.filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doc(text: &str) -> Doc {
        text.lines().map(Into::into).collect()
    }

    #[test]
    fn code_holds_backticks() {
        assert_eq!(code("a | b"), "`a | b`");
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`"), "`` ` ``");
        assert_eq!(code("a\\|b"), "<code>a&#92;&#124;b</code>");
        assert_eq!(block("pdl", "a\n```\nb\n"), "````pdl\na\n```\nb\n````\n");
    }

    #[test]
    fn cells_do_not_end_early() {
        let rows = [vec!["`a | b`".to_owned(), String::new(), "one\ntwo".to_owned()], vec!["c \\| d".to_owned()]];
        let expected = "| x | z |\n| --- | --- |\n| `a \\| b` | one two |\n| c \\| d | |\n";
        assert_eq!(table(&["x", "y", "z"], &rows), expected);
    }

    #[test]
    fn a_first_sentence_ends_where_the_next_begins() {
        assert_eq!(first_sentence(&doc("Version 1.5 of it, e.g. here.\nThen more.")), "Version 1.5 of it, e.g. here.");
        assert_eq!(first_sentence(&doc("\nOne line\n\nAnother.")), "One line");
        assert_eq!(first_sentence(&doc("")), "");
    }

    #[test]
    fn comments_stay_within_their_section() {
        assert_eq!(
            paragraphs(&doc("A.\n# Use\n```pdl\n# no heading\n"), 2),
            "A.\n### Use\n```pdl\n# no heading\n```\n"
        );
        assert_eq!(paragraphs(&doc(""), 2), "");
    }

    #[test]
    fn plain_text_stays_plain() {
        assert_eq!(escaped("<a> *b* #1 c_d _e\\"), "\\<a\\> \\*b\\* \\#1 c_d \\_e\\\\");
    }

    #[test]
    fn anchors_are_those_of_github() {
        assert_eq!(anchor("Entity type `Agent_2`"), "entity-type-agent_2");
    }
}

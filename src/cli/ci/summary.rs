//! What `pdl ci` found, as Markdown for a comment on a pull request.
//!
//! Names and texts are somebody's who may not be trusted: they stand in code, where nothing of them is Markdown, a link or
//! a mention.

use super::Package;
use super::steps::Verdict;

/// How many bytes of details a comment has at most; GitHub takes 65,536 characters.
const DETAILS_BYTES_MAX: usize = 12_000;

/// The text, with a line end.
#[must_use]
pub fn markdown(packages: &[Package], base: &str) -> String {
    let mut out = format!("### Policies, compared with {}\n", code(base));
    for package in packages {
        out.push_str(&format!("\n#### {}\n\n| step | | |\n| --- | --- | --- |\n", code(&package.name)));
        for step in &package.steps {
            let word = match step.verdict {
                Verdict::Passed => "passed",
                Verdict::Undecided => "**not decided**",
                Verdict::Widened => "**more is permitted**",
                Verdict::Refuted => "**refuted**",
                Verdict::Failed => "**failed**",
            };
            out.push_str(&format!("| {} | {word} | {} |\n", code(&step.title), code(&step.line)));
        }
        for step in package.steps.iter().filter(|step| !step.details.trim().is_empty()) {
            let details = block(&step.details);
            let title = code(&step.title);
            // An empty line ends the tag, so that what follows is Markdown again.
            out.push_str(&format!("\n<details><summary>Details</summary>\n\n{title}\n\n{details}\n\n</details>\n"));
        }
    }
    out
}

/// A text in a line, as it is; `|` would end a cell of a table even here.
fn code(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let text = text.replace('|', "\\|");
    let fence = "`".repeat(longest_run(&text) + 1);
    let space = if text.is_empty() || text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

/// A text of lines, as it is.
fn block(text: &str) -> String {
    let text = text.trim_end();
    let kept = &text[..text.floor_char_boundary(DETAILS_BYTES_MAX)];
    let more = if kept.len() < text.len() { "\n…" } else { "" };
    let fence = "`".repeat(longest_run(kept).max(2) + 1);
    format!("{fence}text\n{kept}{more}\n{fence}")
}

/// The most backticks that stand behind one another.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_code_is_markdown() {
        assert_eq!(code("release"), "`release`");
        assert_eq!(code("a`b``c"), "```a`b``c```");
        assert_eq!(code("`x"), "`` `x ``");
        assert_eq!(code("a|b\nc"), "`a\\|b c`");
        assert_eq!(block("a\n```\n@everybody\n"), "````text\na\n```\n@everybody\n````");
        assert!(block(&"é".repeat(DETAILS_BYTES_MAX)).len() < DETAILS_BYTES_MAX + 30);
    }
}

//! The page of a code, as `pdl check --explain E0101` shows it.
//!
//! The pages are `docs/errors/*.md`, embedded when the compiler is built; their form is in `docs/errors/README.md`.

use super::Code;
use super::render::clean;

// `PAGES: &[(&str, &str)]`, sorted by the first: the name of the file without `.md`, and its text.
include!(concat!(env!("OUT_DIR"), "/error_pages.rs"));

/// The page of a code, in Markdown; `None` where nobody has written it.
#[must_use]
pub fn page(code: Code) -> Option<&'static str> {
    PAGES.binary_search_by_key(&code.id(), |&(id, _)| id).ok().map(|at| PAGES[at].1)
}

/// The names of all embedded pages, in order: those of codes that no longer exist included, so that a test finds them.
pub fn pages() -> impl Iterator<Item = &'static str> {
    PAGES.iter().map(|&(id, _)| id)
}

/// The page of a code for a terminal: code blocks are indented instead of fenced. A code without a page has at least
/// its title.
#[must_use]
pub fn text(code: Code) -> String {
    let Some(page) = page(code) else { return format!("{code}: {}\n", code.title()) };
    let mut out = String::with_capacity(page.len() + 64);
    let mut in_program = false;
    for line in page.lines() {
        if line.starts_with("```") {
            in_program = !in_program;
            continue;
        }
        let line = if in_program { line } else { line.trim_start_matches('#').trim_start() };
        if in_program && !line.is_empty() {
            out.push_str("    ");
        }
        // Some pages are about characters that a terminal would obey.
        out.push_str(&clean(line));
        out.push('\n');
    }
    out
}

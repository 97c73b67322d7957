//! Claims, as they are written.

use crate::base::span::Span;
use crate::document::markdown::{block, paragraphs};
use crate::document::types::Writer;
use crate::syntax::ast::{Doc, Prove};

impl Writer<'_> {
    /// The claims of a block, with what is said above each.
    pub fn claims(&self, prove: &Prove) -> String {
        let lets = prove.lets.iter().map(|one| (one.span, &one.doc));
        let mut lines: Vec<(Span, &Doc)> =
            lets.chain(prove.claims.iter().map(|claim| (claim.span, &claim.doc))).collect();
        lines.sort_by_key(|(span, _)| *span);
        self.code_with_comments(&lines)
    }

    /// Lines of code in one block as far as nothing is said of them; what is said of a line stands above it.
    pub fn code_with_comments(&self, lines: &[(Span, &Doc)]) -> String {
        let mut parts: Vec<String> = Vec::new();
        let mut open = String::new();
        for (span, doc) in lines {
            if !doc.is_empty() {
                if !open.is_empty() {
                    parts.push(block("pdl", &open));
                    open.clear();
                }
                parts.push(paragraphs(doc, 3));
            }
            open.push_str(&self.excerpts.clause(*span));
            open.push('\n');
        }
        if !open.is_empty() {
            parts.push(block("pdl", &open));
        }
        parts.join("\n")
    }
}

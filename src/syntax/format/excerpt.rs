//! Parts of a source in the canonical form, for pages about it.

use super::Layout;
use super::rows;
use super::stream::Stream;
use crate::base::span::{FileId, Span};
use crate::diagnostic::Diagnostics;
use crate::syntax::lexer::{self, Lexed};
use crate::syntax::token::Token;

/// A source to take excerpts from. Documentation comments are in none of them: whoever wants those has the tree.
///
/// ```
/// use pdl::base::span::SourceMap;
/// use pdl::syntax::{ast, format::Excerpts, parse};
///
/// let mut sources = SourceMap::default();
/// let file = sources.add("limit.pdl", "const LIMIT :  Int=5 // five");
/// let text = &sources.file(file).text;
/// let tree = parse::parse(file, text, &mut Default::default());
/// let ast::ItemKind::Const(limit) = &tree.items[0].kind else { panic!("it is a constant") };
/// let excerpts = Excerpts::new(text);
/// assert_eq!(excerpts.lines(tree.items[0].span), "const LIMIT: Int = 5  // five");
/// assert_eq!(excerpts.line(limit.value.span), "5");
/// ```
#[derive(Debug)]
pub struct Excerpts<'a> {
    commented: Stream<'a>,
    bare: Stream<'a>,
}

impl<'a> Excerpts<'a> {
    /// Reads a text that has no faults.
    #[must_use]
    pub fn new(text: &'a str) -> Excerpts<'a> {
        let mut lexed = lexer::lex(FileId(0), text, &mut Diagnostics::default());
        lexed.tokens.retain(|lexeme| lexeme.token != Token::Doc);
        let bare = Lexed { comments: Vec::new(), ..lexed.clone() };
        Excerpts { commented: Stream::of(text, lexed), bare: Stream::of(text, bare) }
    }

    /// A part on one line, without comments.
    #[must_use]
    pub fn line(&self, span: Span) -> String {
        let (start, end) = range(&self.bare, span);
        let end = self.bare.without_comma(start, end);
        // What never stands on one line, as `match` does, is put there here.
        self.bare.flat(start, end).lines().map(str::trim).collect::<Vec<_>>().join(" ")
    }

    /// An item, laid out, with the comments within it.
    #[must_use]
    pub fn lines(&self, span: Span) -> String {
        self.laid_out(span, |layout, start, end| {
            layout.item(start, end);
        })
    }

    /// A clause of a rule or an invariant, a `let` or a claim.
    #[must_use]
    pub fn clause(&self, span: Span) -> String {
        self.laid_out(span, |layout, start, end| {
            if layout.stream.token(start).begins_clause() || layout.stream.token(start) == Token::Require {
                layout.clause(start, end, 0);
            } else {
                let last = layout.binding(start, end);
                layout.row_of(start, end, 0, Vec::new(), last, 0);
            }
        })
    }

    /// The span with the word before it: the clause that an expression is the argument of.
    #[must_use]
    pub fn with_word(&self, span: Span) -> Span {
        let (start, _) = range(&self.bare, span);
        let word = start.checked_sub(1).and_then(|before| self.bare.tokens.get(before));
        Span { start: word.map_or(span.start, |word| word.start), ..span }
    }

    fn laid_out(&self, span: Span, write: impl FnOnce(&mut Layout<'_>, usize, usize)) -> String {
        let stream = &self.commented;
        let (start, end) = range(stream, span);
        if start >= end {
            return String::new();
        }
        let mut layout = Layout { stream, rows: Vec::new(), groups: 0 };
        write(&mut layout, start, end);
        // What stands above it is no part of it.
        if let Some(first) = layout.rows.first_mut() {
            first.blank = false;
            first.leads.clear();
            first.blank_below_leads = false;
        }
        rows::write(&layout.rows).trim_end().to_owned()
    }
}

/// The tokens that lie within a span.
fn range(stream: &Stream<'_>, span: Span) -> (usize, usize) {
    let start = stream.tokens.partition_point(|lexeme| lexeme.start < span.start);
    let end = stream.tokens.partition_point(|lexeme| lexeme.end <= span.end);
    (start, end.max(start))
}

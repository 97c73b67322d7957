//! Where items, lines, clauses and fields begin.
//!
//! No construct needs a separator before the next one, so the first word of each has to tell. Where brackets do not
//! match, line starts and indentation tell too: one brace that is missing must not swallow the rest of a file.

use crate::syntax::token::{Lexeme, Token};

/// For each token the column it stands at if it is the first on its line.
#[derive(Debug)]
pub struct Lines {
    columns: Vec<u32>,
}

const NOT_FIRST: u32 = u32::MAX;

impl Lines {
    /// The line starts of a text.
    pub fn of(text: &str, tokens: &[Lexeme]) -> Lines {
        let mut last_end = 0;
        let mut columns = Vec::with_capacity(tokens.len());
        for (at, lexeme) in tokens.iter().enumerate() {
            let gap = text.get(last_end..lexeme.start as usize).unwrap_or("");
            columns.push(match gap.rfind('\n') {
                Some(newline) => (gap.len() - newline - 1) as u32,
                None if at == 0 => gap.len() as u32,
                None => NOT_FIRST,
            });
            last_end = lexeme.end as usize;
        }
        Lines { columns }
    }

    /// Those of some of the tokens.
    pub fn slice(&self, start: usize, end: usize) -> &[u32] {
        &self.columns[start..end]
    }
}

/// Some tokens with the columns of those that begin a line.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The tokens.
    pub tokens: &'a [Lexeme],
    /// Their columns.
    pub lines: &'a [u32],
}

impl<'a> Source<'a> {
    /// Whether a token begins its line.
    pub fn first_on_line(&self, at: usize) -> bool {
        self.lines.get(at).is_some_and(|&column| column != NOT_FIRST)
    }

    /// The token at an index; past the end, one that nothing accepts.
    pub fn token(&self, at: usize) -> Token {
        self.tokens.get(at).map_or(Token::Bad, |lexeme| lexeme.token)
    }

    /// A part of them.
    pub fn part(&self, start: usize, end: usize) -> Source<'a> {
        Source { tokens: &self.tokens[start..end], lines: &self.lines[start..end] }
    }
}

/// The tokens of one item, or of something at the top level that is none.
#[derive(Clone, Copy, Debug)]
pub struct ItemRange {
    /// The first token, that of the doc comment included.
    pub start: usize,
    /// Past the last token.
    pub end: usize,
    /// Begins with no word that begins an item.
    pub junk: bool,
}

/// Whether a token may be a bare name.
pub fn is_name(token: Token) -> bool {
    token == Token::Word || token.reserve() == Some(crate::syntax::token::Reserve::Soft)
}

/// The index of the item keyword, if an item begins at this token: behind doc comments and words like `shadow`.
fn item_keyword(source: Source<'_>, at: usize) -> Option<usize> {
    let mut keyword = at;
    while matches!(source.token(keyword), Token::Doc) {
        keyword += 1;
    }
    while matches!(source.token(keyword), Token::Shadow | Token::Presented | Token::Approver) {
        keyword += 1;
    }
    source.token(keyword).begins_item().then_some(keyword)
}

/// Splits a file into its items; every token is in one.
pub fn items(text: &str, tokens: &[Lexeme], lines: &Lines) -> Vec<ItemRange> {
    let source = Source { tokens, lines: &lines.columns };
    let mut ranges: Vec<ItemRange> = Vec::new();
    let mut open: Option<Open> = None;
    let mut at = 0;
    while at < tokens.len() {
        let start = match &open {
            Some(current) => begins_within(source, at, current),
            None => begins_after(source, at),
        };
        if let Some(start) = start {
            if let Some(current) = open.take() {
                ranges.push(current.range(at));
            }
            let keyword = start.keyword;
            open = Some(Open {
                start: at,
                column: column_of(text, tokens[at].start),
                kind: source.token(keyword),
                governed: source.token(keyword + 1) == Token::Type,
                depth: 0,
                junk: start.junk,
            });
            at = keyword + 1;
            if start.junk {
                // The first token may be a bracket.
                at = keyword;
            } else {
                continue;
            }
        }
        let Some(current) = &mut open else {
            at += 1;
            continue;
        };
        match tokens[at].token {
            Token::OpenBrace => current.depth += 1,
            Token::CloseBrace => {
                current.depth = current.depth.saturating_sub(1);
                if current.depth == 0 && (current.junk || ends_with_brace(current.kind)) {
                    ranges.push(current.range(at + 1));
                    open = None;
                }
            }
            _ => {}
        }
        at += 1;
    }
    if let Some(current) = open {
        ranges.push(current.range(tokens.len()));
    }
    ranges
}

/// An item that is being read.
struct Open {
    start: usize,
    column: u32,
    kind: Token,
    governed: bool,
    depth: usize,
    junk: bool,
}

impl Open {
    fn range(&self, end: usize) -> ItemRange {
        ItemRange { start: self.start, end, junk: self.junk }
    }
}

struct Start {
    keyword: usize,
    junk: bool,
}

/// Kinds of items of which nothing follows the closing brace.
fn ends_with_brace(kind: Token) -> bool {
    !matches!(kind, Token::Const | Token::Fn | Token::Include | Token::Module | Token::Obligation)
}

fn column_of(text: &str, start: u32) -> u32 {
    let before = &text[..start as usize];
    // Lines are short; the search is bounded so that a long one costs nothing.
    let near = before.len().saturating_sub(1_024);
    let bytes = &before.as_bytes()[near..];
    bytes.iter().rposition(|&byte| byte == b'\n').map_or(bytes.len(), |newline| bytes.len() - newline - 1) as u32
}

/// Between items everything begins something.
fn begins_after(source: Source<'_>, at: usize) -> Option<Start> {
    Some(match item_keyword(source, at) {
        Some(keyword) => Start { keyword, junk: false },
        None => Start { keyword: at, junk: true },
    })
}

fn begins_within(source: Source<'_>, at: usize, current: &Open) -> Option<Start> {
    let first = source.first_on_line(at);
    if current.depth > 0 && !first {
        return None;
    }
    let near_margin = || source.lines.get(at).is_some_and(|&column| column <= current.column);
    if let Some(keyword) = item_keyword(source, at) {
        let next = source.token(keyword + 1);
        let same_line = !source.first_on_line(keyword + 1);
        let named = same_line && (is_name(next) || next == Token::String);
        let begins = if current.depth == 0 {
            let before = source.token(at.wrapping_sub(1));
            let named = named || matches!(next, Token::Word | Token::String);
            if first { may_end(before) || named } else { named && may_end(before) && at > current.start + 1 }
        } else {
            named && near_margin() && !is_line_of(source, keyword, current)
        };
        if begins {
            return Some(Start { keyword, junk: false });
        }
    }
    let before = source.token(at.wrapping_sub(1));
    let token = source.token(at);
    let stray = is_name(token) && !continues(token)
        || matches!(token, Token::Let | Token::Allow | Token::Deny | Token::Require);
    if current.depth == 0 && first && stray && near_margin() && before.ends_operand() && before != Token::Comma {
        return Some(Start { keyword: at, junk: true });
    }
    None
}

/// Lines within an item that begin with a word that begins items too.
fn is_line_of(source: Source<'_>, keyword: usize, current: &Open) -> bool {
    match source.token(keyword) {
        Token::Policy => current.kind == Token::Prove && source.token(keyword + 2) != Token::On,
        Token::Invariant => current.governed && source.token(keyword + 2) != Token::On,
        _ => false,
    }
}

/// Kinds of pieces that the body of an item is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// Lines of a policy: `let` and rules.
    Policy,
    /// Clauses of a rule; the first piece is its head.
    Rule,
    /// Lines of an invariant.
    Invariant,
    /// Rows of a table.
    Table,
    /// Lines of a test.
    Test,
    /// Fields of a record, an entity, a context.
    Fields,
    /// Fields and invariants.
    Governed,
    /// Variants of an enum.
    Enum,
    /// Entries of an action.
    Action,
    /// Lines of a lifecycle.
    Lifecycle,
    /// Lines of a `prove`.
    Prove,
}

/// Splits the inside of a body into its pieces; every token is in one.
pub fn pieces(body: Body, source: Source<'_>) -> Vec<Source<'_>> {
    let mut starts = Vec::new();
    let mut depth = 0usize;
    let mut row_has_arrow = false;
    for at in 0..source.tokens.len() {
        let token = source.token(at);
        let documented = at > 0 && source.token(at - 1) == Token::Doc;
        let begins = match body {
            Body::Table => {
                let begins = depth == 0 && begins_row(source, at, row_has_arrow);
                row_has_arrow = (row_has_arrow && !begins) || (depth == 0 && token == Token::FatArrow);
                begins
            }
            Body::Rule => begins_clause(source, at, depth),
            _ => begins_line(body, source, at, depth),
        };
        if at == 0 || (begins && !documented) {
            starts.push(at);
            if at > 0 && !matches!(body, Body::Table) {
                depth = 0;
            }
        }
        if token.opens() {
            depth += 1;
        } else if token.closes() {
            depth = depth.saturating_sub(1);
        }
    }
    let ends = starts.iter().skip(1).copied().chain([source.tokens.len()]);
    starts.iter().zip(ends).map(|(&start, end)| source.part(start, end)).collect()
}

/// Soft keywords within a construct, which may begin a line of it.
fn continues(token: Token) -> bool {
    matches!(
        token,
        Token::As
            | Token::Type
            | Token::Governed
            | Token::By
            | Token::On
            | Token::Max
            | Token::Of
            | Token::To
            | Token::After
    ) || token.begins_item()
}

/// Whether something may end with a token.
fn may_end(token: Token) -> bool {
    let is_value = matches!(token, Token::Subject | Token::Resource | Token::Context | Token::Action);
    token.ends_operand() && token != Token::Comma || is_value
}

/// A word that cannot continue what stands before it, because nothing is written by mere juxtaposition.
fn begins_strangely(source: Source<'_>, at: usize) -> bool {
    let token = source.token(at);
    (token == Token::If || is_name(token) && !continues(token))
        && source.first_on_line(at)
        && at > 0
        && may_end(source.token(at - 1))
}

fn begins_clause(source: Source<'_>, at: usize, depth: usize) -> bool {
    let token = source.token(at);
    let before = source.token(at.wrapping_sub(1));
    // Right behind `when` or `==` it was meant as a name.
    let begins = source.first_on_line(at)
        || depth == 0 && (may_end(before) || matches!(before, Token::Allow | Token::Deny) || at == 0);
    token.begins_clause() && begins || depth == 0 && begins_strangely(source, at)
}

fn begins_line(body: Body, source: Source<'_>, at: usize, depth: usize) -> bool {
    let token = source.token(at);
    let first = source.first_on_line(at);
    let before = source.token(at.wrapping_sub(1));
    if token == Token::Doc {
        return depth == 0;
    }
    match body {
        Body::Policy => {
            let heads = matches!(token, Token::Let | Token::Allow | Token::Deny | Token::Require);
            // A word followed by a name is a misspelt effect; a clause has other things behind it.
            let misspelt = depth == 0 && begins_strangely(source, at) && is_effect_like(source, at);
            heads && (depth == 0 || first) || misspelt
        }
        Body::Invariant => {
            matches!(token, Token::Let | Token::Require) && (depth == 0 || first) || begins_clause(source, at, depth)
        }
        Body::Test => {
            let heads = matches!(token, Token::Given | Token::Facts | Token::Expect | Token::When);
            let begins = heads && (first || may_end(before)) && !matches!(before, Token::Given | Token::When);
            depth == 0 && (begins || begins_strangely(source, at)) || heads && first && may_end(before)
        }
        Body::Fields => {
            let labelled = token == Token::Word && source.token(at + 1) == Token::Colon;
            let listed = first && token == Token::Word && before == Token::Comma;
            depth == 0 && (labelled || listed || begins_strangely(source, at))
        }
        Body::Governed => {
            depth == 0
                && (begins_line(Body::Fields, source, at, depth) || token == Token::Invariant && before != Token::Colon)
        }
        Body::Enum => depth == 0 && (before == Token::Comma || begins_strangely(source, at)),
        Body::Action => {
            depth == 0
                && (token == Token::Word && source.token(at + 1) == Token::Colon
                    || token == Token::Context
                    || begins_strangely(source, at))
        }
        Body::Lifecycle => {
            let joins = |token: Token| matches!(token, Token::Bar | Token::Arrow | Token::Comma);
            let steps = joins(source.token(at + 1)) && source.token(at + 1) != Token::Comma;
            let follows = !joins(token) && !joins(before) && !matches!(before, Token::Initial | Token::Final);
            depth == 0 && follows && (first || steps || matches!(token, Token::Initial | Token::Final))
        }
        Body::Prove => {
            let heads = matches!(token, Token::Let | Token::Never | Token::Always)
                || matches!(token, Token::Policy | Token::Rule | Token::At) && (first || may_end(before));
            depth == 0 && (heads && before != Token::Implies || begins_strangely(source, at))
        }
        Body::Rule | Body::Table => false,
    }
}

/// `permit name when`: a word, a name, and then a clause or the end of the line.
fn is_effect_like(source: Source<'_>, at: usize) -> bool {
    let behind = source.token(at + 2);
    is_name(source.token(at + 1))
        && !source.first_on_line(at + 1)
        && (behind.begins_clause() || source.first_on_line(at + 2) || at + 2 >= source.tokens.len())
}

/// A row begins behind the comma that ends another, or, where that is missing, on a line that has its own `=>`.
fn begins_row(source: Source<'_>, at: usize, row_has_arrow: bool) -> bool {
    if at == 0 || !row_has_arrow || source.token(at) == Token::Comma {
        return false;
    }
    if source.token(at - 1) == Token::Comma {
        return true;
    }
    if !source.first_on_line(at) || !source.token(at - 1).ends_operand() {
        return false;
    }
    let rest = source.tokens[at..].iter().enumerate();
    rest.take_while(|&(more, _)| more == 0 || !source.first_on_line(at + more))
        .any(|(_, lexeme)| lexeme.token == Token::FatArrow)
}

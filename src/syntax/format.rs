//! One canonical form of a source: `format` changes spaces, line ends and optional commas, and nothing else.
//!
//! It works on the tokens and not on the tree, so that nothing can get lost: every comment stays where it was, and what
//! is written is checked to have the tokens of what was read. Single blank lines stay. A list in braces stays on the
//! line it is on if its first element is on the line of the brace and all fits.
//!
//! ```
//! let text = pdl::syntax::format::format("enum  Kind{a,b}  // two\n").unwrap();
//! assert_eq!(text, "enum Kind { a, b }  // two\n");
//! ```

mod doc;
mod excerpt;
mod rows;
mod stream;
mod tokens;

pub use self::excerpt::Excerpts;

use self::doc::{Doc, INDENT};
use self::rows::{Row, WIDTH};
use self::stream::Stream;
use super::parse::split::Body;
use super::parse::{body_kind, parse};
use super::token::Token;
use crate::base::span::SourceMap;
use crate::diagnostic::Diagnostics;

/// How wide the words before the arguments of clauses are.
const CLAUSE_WORD: usize = 8;

/// The canonical form of a text.
///
/// # Errors
/// The faults of a text that cannot be parsed: it is left as it is.
pub fn format(text: &str) -> Result<String, Diagnostics> {
    let mut sources = SourceMap::default();
    let file = sources.add("", text);
    let text = &sources.file(file).text;
    let mut diagnostics = Diagnostics::default();
    parse(file, text, &mut diagnostics);
    if !diagnostics.is_empty() {
        return Err(diagnostics);
    }
    let stream = Stream::read(text);
    let mut layout = Layout { stream: &stream, rows: Vec::new(), groups: 0 };
    layout.file();
    let written = rows::write(&layout.rows);
    // A fault of ours must never cost anybody a token or a comment.
    let lost = difference(&stream, &Stream::read(&written));
    debug_assert_eq!(lost, None, "formatting keeps every token:\n{text}\n----\n{written}");
    Ok(if lost.is_none() { written } else { text.clone() })
}

/// Where two sources differ in more than layout and optional commas.
fn difference(a: &Stream<'_>, b: &Stream<'_>) -> Option<String> {
    let words = |stream: &Stream<'_>| -> Vec<String> {
        let kept = (0..stream.tokens.len()).filter(|&at| stream.token(at) != Token::Comma);
        kept.map(|at| stream.word(at)).collect()
    };
    let comments = |stream: &Stream<'_>| -> Vec<String> {
        let mut all: Vec<String> = Vec::new();
        for around in &stream.around {
            all.extend(around.leads.iter().map(|lead| lead.text.clone()));
            all.extend(around.trail.clone());
        }
        all.sort_unstable();
        all
    };
    let first = |a: Vec<String>, b: Vec<String>| {
        let at = a.iter().zip(&b).position(|(a, b)| a != b).unwrap_or(a.len().min(b.len()));
        (a.len() != b.len() || at < a.len()).then(|| format!("{:?} became {:?}", a.get(at), b.get(at)))
    };
    first(words(a), words(b)).or_else(|| first(comments(a), comments(b)))
}

struct Layout<'a> {
    stream: &'a Stream<'a>,
    rows: Vec<Row>,
    groups: usize,
}

impl Layout<'_> {
    fn file(&mut self) {
        let stream = self.stream;
        let mut was_long = false;
        let mut last_kind = None;
        for item in &stream.items {
            let before = self.rows.len();
            let kind = self.item(item.start, item.end);
            let added = &self.rows[before..];
            let long = added.len() > 1 || kind == Token::Module;
            if before > 0 && (long || was_long) {
                self.rows[before].blank = true;
            }
            // Neighbours of one kind, each on one line, have their braces below each other.
            let joined = before > 0 && !long && !was_long && last_kind == Some(kind);
            let row = &self.rows[before];
            if !joined || row.blank || !row.leads.is_empty() {
                self.groups += 1;
            }
            if !long && matches!(kind, Token::Entity | Token::Enum | Token::Record) {
                self.rows[before].group = self.groups;
            }
            was_long = long;
            last_kind = Some(kind);
        }
        let end = &stream.around[stream.tokens.len()];
        for (at, lead) in end.leads.iter().enumerate() {
            let mut row = self.empty_row(0, lead.text.clone());
            row.blank = lead.blank && (at > 0 || !self.rows.is_empty());
            self.rows.push(row);
        }
    }

    /// An item; gives the word it begins with.
    fn item(&mut self, start: usize, end: usize) -> Token {
        let stream = self.stream;
        let start = self.docs(start, 0);
        let keyword = (start..end).find(|&at| stream.token(at).begins_item()).unwrap_or(start);
        let kind = stream.token(keyword);
        let body = body_kind(stream.source(start, end), kind);
        let open = (start..end).find(|&at| stream.token(at) == Token::OpenBrace);
        match (body, open) {
            (Some(body), Some(open)) => self.block(body, start, open, 0),
            _ => {
                let last = self.binding(start, end);
                self.row_of(start, end, 0, Vec::new(), last, 0);
            }
        }
        kind
    }

    /// The `///` lines at a place; gives the place behind them.
    fn docs(&mut self, start: usize, indent: usize) -> usize {
        let mut at = start;
        while self.stream.token(at) == Token::Doc {
            self.row(at, at + 1, indent, Vec::new(), at, 0);
            at += 1;
        }
        at
    }

    fn empty_row(&self, indent: usize, text: String) -> Row {
        Row {
            blank: false,
            leads: Vec::new(),
            blank_below_leads: false,
            indent,
            group: 0,
            cells: Vec::new(),
            last: Doc::text(text),
            trail: None,
        }
    }

    /// A row of some tokens: cells that are made already, and the tokens from `from` on.
    fn row(&mut self, start: usize, end: usize, indent: usize, cells: Vec<String>, from: usize, group: usize) {
        let last = self.stream.doc(from, end);
        self.row_of(start, end, indent, cells, last, group);
    }

    fn row_of(&mut self, start: usize, end: usize, indent: usize, cells: Vec<String>, last: Doc, group: usize) {
        let around = &self.stream.around[start];
        let first_blank = around.leads.first().map_or(around.blank, |lead| lead.blank);
        // A blank line below a bracket that opens, or at the top, says nothing.
        let opened = start == 0 || self.stream.token(start - 1) == Token::OpenBrace;
        let mut leads = around.leads.clone();
        if let Some(first) = leads.first_mut() {
            first.blank = false;
        }
        self.rows.push(Row {
            blank: first_blank && !opened,
            blank_below_leads: around.blank && !leads.is_empty(),
            leads,
            indent,
            group,
            cells,
            last,
            trail: self.stream.around[end - 1].trail.clone(),
        });
    }

    fn new_group(&mut self) -> usize {
        self.groups += 1;
        self.groups
    }

    /// A head and a body in braces.
    fn block(&mut self, body: Body, start: usize, open: usize, indent: usize) {
        let stream = self.stream;
        let close = stream.partner(open);
        let one_line = matches!(body, Body::Fields | Body::Enum) && !stream.around[open + 1].first;
        if one_line && !stream.has_inner_comment(start, close + 1) && !self.has_docs(open, close) {
            let head = stream.flat(start, open);
            let inside = self.list(body, open, close);
            if indent + head.chars().count() + inside.chars().count() < WIDTH {
                self.row_of(start, close + 1, indent, vec![head], Doc::text(inside), 0);
                return;
            }
        }
        if open + 1 == close && stream.around[close].leads.is_empty() && stream.around[open].trail.is_none() {
            self.row(start, close + 1, indent, Vec::new(), start, 0);
            return;
        }
        let head = self.open_head(start, open);
        self.row_of(start, open + 1, indent, Vec::new(), head, 0);
        let group = self.new_group();
        for (from, to) in stream.pieces(body, open + 1, close) {
            self.piece(body, from, to, indent + INDENT, group);
        }
        self.close(close, indent);
    }

    fn open_head(&self, start: usize, open: usize) -> Doc {
        let stream = self.stream;
        let mut parts = vec![stream.doc(start, open)];
        if stream.around[open - 1].trail.is_some() || !stream.around[open].leads.is_empty() {
            stream.join(open, Doc::text(" "), &mut parts);
        } else {
            parts.push(Doc::text(" "));
        }
        parts.push(Doc::text("{"));
        Doc::All(parts)
    }

    fn close(&mut self, close: usize, indent: usize) {
        let around = &self.stream.around[close];
        for (at, lead) in around.leads.iter().enumerate() {
            let mut row = self.empty_row(indent + INDENT, lead.text.clone());
            row.blank = lead.blank && (at > 0 || self.stream.token(close - 1) != Token::OpenBrace);
            self.rows.push(row);
        }
        let mut row = self.empty_row(indent, "}".into());
        row.trail = around.trail.clone();
        self.rows.push(row);
    }

    fn has_docs(&self, open: usize, close: usize) -> bool {
        (open..close).any(|at| self.stream.token(at) == Token::Doc)
    }

    /// `{ a: A, b: B }` on one line.
    fn list(&self, body: Body, open: usize, close: usize) -> String {
        let pieces = self.stream.pieces(body, open + 1, close);
        let one = |(from, to): (usize, usize)| self.stream.flat(from, self.stream.without_comma(from, to));
        let all: Vec<String> = pieces.into_iter().map(one).collect();
        if all.is_empty() { "{}".into() } else { format!("{{ {} }}", all.join(", ")) }
    }

    /// One piece of a body.
    fn piece(&mut self, body: Body, start: usize, end: usize, indent: usize, group: usize) {
        let start = self.docs(start, indent);
        let end = self.stream.without_comma(start, end);
        if start >= end {
            return;
        }
        let commented = self.stream.has_inner_comment(start, end);
        let token = self.stream.token(start);
        match body {
            Body::Policy if token != Token::Let => self.rule(start, end, indent),
            Body::Rule => self.clause(start, end, indent),
            Body::Invariant if token != Token::Let => self.clause(start, end, indent),
            Body::Governed if token == Token::Invariant => {
                let open = (start..end).find(|&at| self.stream.token(at) == Token::OpenBrace).unwrap_or(start);
                self.block(Body::Invariant, start, open, indent);
            }
            Body::Action if token == Token::Context => self.block(Body::Fields, start, start + 1, indent),
            Body::Table | Body::Enum if commented => {
                let last = Doc::All(vec![self.stream.doc(start, end), Doc::text(",")]);
                self.row_of(start, end, indent, Vec::new(), last, 0);
            }
            Body::Table => self.table_row(start, end, indent, group),
            Body::Enum => {
                let last = Doc::text(format!("{},", self.stream.flat(start, end)));
                self.row_of(start, end, indent, Vec::new(), last, group);
            }
            Body::Fields | Body::Governed | Body::Action if !commented => self.field(start, end, indent, group),
            Body::Test if !commented => self.test_line(start, end, indent, group),
            _ => {
                let last = self.binding(start, end);
                self.row_of(start, end, indent, Vec::new(), last, 0);
            }
        }
    }

    /// `let x = e` and its like: an expression that has to break at an operator begins on a line of its own.
    fn binding(&self, start: usize, end: usize) -> Doc {
        let stream = self.stream;
        let binds = matches!(stream.token(start), Token::Let | Token::Const | Token::Fn);
        match stream.top_level(start, end).find(|&at| stream.token(at) == Token::Assign) {
            Some(assign) if binds && assign + 1 < end && stream.breaks_at_operator(assign + 1, end) => {
                let mut body = Vec::new();
                stream.join(assign + 1, Doc::Line, &mut body);
                body.push(stream.doc(assign + 1, end));
                Doc::group(vec![stream.doc(start, assign + 1), Doc::Nest(body)])
            }
            _ => stream.doc(start, end),
        }
    }

    fn rule(&mut self, start: usize, end: usize, indent: usize) {
        let mut pieces = self.stream.pieces(Body::Rule, start, end).into_iter();
        if let Some((from, to)) = pieces.next() {
            self.row(from, to, indent, Vec::new(), from, 0);
        }
        for (from, to) in pieces {
            self.clause(from, to, indent + INDENT);
        }
    }

    /// The word of a clause, and its argument in a column of its own.
    fn clause(&mut self, start: usize, end: usize, indent: usize) {
        let plain = matches!(self.stream.token(start), Token::Escalate | Token::Distinct);
        let around = &self.stream.around;
        if plain || end == start + 1 || around[start].trail.is_some() || !around[start + 1].leads.is_empty() {
            self.row(start, end, indent, Vec::new(), start, 0);
            return;
        }
        let word = format!("{:width$}", self.stream.word(start), width = CLAUSE_WORD);
        let argument = self.stream.doc(start + 1, end);
        // What breaks stands below the argument: two levels further in, the first of which breaking itself adds.
        let last = Doc::All(vec![Doc::text(word), Doc::Nest(vec![argument])]);
        self.row_of(start, end, indent, Vec::new(), last, 0);
    }

    fn table_row(&mut self, start: usize, end: usize, indent: usize, group: usize) {
        let stream = self.stream;
        let arrow = (start..end).find(|&at| stream.token(at) == Token::FatArrow).unwrap_or(end - 1);
        let mut cells = Vec::new();
        let mut from = start;
        for at in start..=arrow {
            if stream.token(at) == Token::Comma {
                cells.push(format!("{},", stream.flat(from, at)));
                from = at + 1;
            } else if at == arrow {
                cells.push(stream.flat(from, at));
            }
        }
        let last = Doc::All(vec![Doc::text("=> "), stream.doc(arrow + 1, end), Doc::text(",")]);
        self.row_of(start, end, indent, cells, last, group);
    }

    fn field(&mut self, start: usize, end: usize, indent: usize, group: usize) {
        let stream = self.stream;
        let mut cells = vec![stream.flat(start, start + 2)];
        let annotations = (start..end).find(|&at| stream.token(at) == Token::At_);
        let from = match annotations {
            Some(at) => {
                cells.push(stream.flat(start + 2, at));
                at
            }
            None => start + 2,
        };
        self.row(start, end, indent, cells, from, group);
    }

    fn test_line(&mut self, start: usize, end: usize, indent: usize, group: usize) {
        let stream = self.stream;
        let word = format!("{:5}", stream.word(start));
        if stream.token(start) != Token::Given {
            let rest = stream.doc(start + 1, end);
            let last = Doc::All(vec![Doc::text(format!("{word} ")), rest]);
            self.row_of(start, end, indent, Vec::new(), last, 0);
            return;
        }
        let assign = (start..end).find(|&at| stream.token(at) == Token::Assign);
        let open = (start..end).find(|&at| stream.token(at) == Token::OpenBrace);
        // Only those with a role stand below each other.
        let open = open.filter(|_| assign.is_some());
        let mut cells = Vec::new();
        let mut from = start;
        for at in assign.into_iter().chain(open) {
            if at > from {
                cells.push(stream.flat(from, at));
                from = at;
            }
        }
        self.row(start, end, indent, cells, from, group);
    }
}

//! Text to a tree: the one door to LALRPOP.
//!
//! The tokens of a file are split into items, each is read by the grammar, and one that cannot be read is split again
//! into its lines and clauses, so that a fault costs no more than the piece it stands in. `parse` never fails and
//! never stops early; what it could not read is an error node, reported once.

mod explain;
mod recover;
pub(super) mod split;
pub(super) mod words;

use lalrpop_util::ParseError;

pub(super) use self::recover::body_kind;

use super::ast::{File, Item, ItemKind, ModuleHeader};
use super::build::{Build, Parsed};
use super::lexer::{self, Lexed};
use super::token::{Lexeme, Token};
use crate::base::limits::SOURCE_BYTES_MAX;
use crate::base::span::{FileId, SourceMap, Span};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};

mod generated {
    #![allow(warnings, clippy::all, clippy::pedantic, missing_docs)]
    use lalrpop_util::lalrpop_mod;
    lalrpop_mod!(pub(super) pdl, "/pdl.rs");
}

/// The tree of a text, whose file is `file`; the faults go to the sink.
pub fn parse(file: FileId, text: &str, diagnostics: &mut Diagnostics) -> File {
    let empty = File { file, module: None, items: Vec::new() };
    if text.len() > SOURCE_BYTES_MAX {
        diagnostics.push(too_large(Span::new(file, 0, 0), text.len()));
        return empty;
    }
    let Lexed { mut tokens, faults, .. } = lexer::lex(file, text, diagnostics);
    words::before_splitting(&mut tokens);
    let lines = split::Lines::of(text, &tokens);
    let ranges = split::items(text, &tokens, &lines);
    let mut parser = Parser {
        build: Build::new(file, text),
        text,
        file,
        faults,
        diagnostics,
        next_token: None,
        reports: 0,
        unclosed: 0,
        after_junk: false,
    };
    let mut tree = empty;
    for range in ranges {
        let slice = &mut tokens[range.start..range.end];
        words::within_item(slice);
        let pieces = split::Source { tokens: slice, lines: lines.slice(range.start, range.end) };
        match parser.item(pieces, range.junk) {
            Some(Parsed::Module(header)) => parser.module(&mut tree, *header),
            Some(Parsed::Item(item)) => tree.items.push(*item),
            Some(Parsed::Piece) | None => {}
        }
    }
    tree
}

/// The tree of a file as it is stored. A text that is no UTF-8 is parsed up to where it stops being so.
pub fn parse_bytes(
    sources: &mut SourceMap,
    name: impl Into<String>,
    bytes: &[u8],
    diagnostics: &mut Diagnostics,
) -> File {
    if bytes.len() > SOURCE_BYTES_MAX {
        let file = sources.add(name, "");
        diagnostics.push(too_large(Span::new(file, 0, 0), bytes.len()));
        return File { file, module: None, items: Vec::new() };
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => {
            let file = sources.add(name, text);
            parse(file, &sources.file(file).text, diagnostics)
        }
        Err(error) => {
            let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            let file = sources.add(name, &good);
            let end = sources.file(file).text.len() as u32;
            let byte = bytes.get(error.valid_up_to()).copied().unwrap_or(0);
            let message = format!("the file stops being UTF-8 here: byte {byte:#04x} is not part of a character");
            let diagnostic = Diagnostic::error(Code::NotUtf8, Span::new(file, end, end), message);
            diagnostics.push(diagnostic.help("save the file as UTF-8"));
            // What stands behind is unknown, so nothing is said about what seems to be missing.
            File { file, module: None, items: Vec::new() }
        }
    }
}

fn too_large(span: Span, bytes: usize) -> Diagnostic {
    let message = format!("a source has at most {SOURCE_BYTES_MAX} bytes, this one has {bytes}");
    Diagnostic::error(Code::FileTooLarge, span, message).help("split it into several modules")
}

/// Where the grammar could not go on.
#[derive(Debug)]
struct Failure {
    /// The token it did not accept, by its place in what was tried; past the last one at the end.
    at: usize,
    /// The names of the tokens it would have accepted, as the grammar writes them.
    expected: Vec<String>,
}

struct Parser<'a> {
    build: Build<'a>,
    text: &'a str,
    file: FileId,
    faults: Vec<u32>,
    diagnostics: &'a mut Diagnostics,
    /// The token behind the piece that is tried.
    next_token: Option<Lexeme>,
    /// How often something was reported, or left unsaid because the lexer had said it.
    reports: usize,
    /// How many brackets were found not to be closed.
    unclosed: usize,
    /// Whether what stands before was no item: one message is enough for a run of it.
    after_junk: bool,
}

impl Parser<'_> {
    /// Runs the grammar over some tokens.
    fn attempt(&self, start: Token, tokens: &[Lexeme]) -> Result<Parsed, Failure> {
        let at = tokens.first().map_or(0, |first| first.start);
        let input = std::iter::once((at, start, at))
            .chain(tokens.iter().map(|lexeme| (lexeme.start, lexeme.token, lexeme.end)))
            .map(Ok::<_, ()>);
        let index = |place: u32| tokens.partition_point(|lexeme| lexeme.end <= place);
        generated::pdl::EntryParser::new().parse(&self.build, input).map_err(|error| match error {
            ParseError::UnrecognizedToken { token: (start, _, _), expected } => Failure { at: index(start), expected },
            ParseError::UnrecognizedEof { expected, .. } => Failure { at: tokens.len(), expected },
            ParseError::ExtraToken { token: (start, _, _) } => Failure { at: index(start), expected: Vec::new() },
            ParseError::InvalidToken { location } => Failure { at: index(location), expected: Vec::new() },
            ParseError::User { error: () } => Failure { at: tokens.len(), expected: Vec::new() },
        })
    }

    /// Reads an item, mending it if need be.
    fn item(&mut self, source: split::Source<'_>, junk: bool) -> Option<Parsed> {
        if !junk && let Ok(parsed) = self.attempt(Token::StartItem, source.tokens) {
            self.after_junk = false;
            self.keep_found();
            return Some(parsed);
        }
        self.build.take_found();
        let parsed = self.recover_item(source, junk);
        self.keep_found();
        parsed
    }

    /// Passes on what the actions found in a run whose tree is kept.
    fn keep_found(&mut self) {
        for diagnostic in self.build.take_found() {
            self.diagnostics.push(diagnostic);
        }
    }

    fn span(&self, start: u32, end: u32) -> Span {
        Span::new(self.file, start, end)
    }

    fn module(&mut self, tree: &mut File, header: ModuleHeader) {
        self.build.check_parameters(&header.parameters);
        self.keep_found();
        let misplaced = match &tree.module {
            Some(first) => Some((first.span, "a file has one `module` header", "the first one")),
            None => tree
                .items
                .first()
                .map(|first| (first.span, "`module` stands at the top of a file", "this stands before it")),
        };
        if let Some((other, message, label)) = misplaced {
            let diagnostic = Diagnostic::error(Code::UnexpectedToken, header.span, message);
            self.diagnostics.push(diagnostic.secondary(other.at_start(), label));
        }
        if tree.module.is_none() {
            tree.module = Some(header);
        }
    }

    fn error_item(&self, tokens: &[Lexeme]) -> Option<Parsed> {
        let (first, last) = (tokens.first()?, tokens.last()?);
        let span = self.span(first.start, last.end);
        Some(Parsed::Item(Box::new(Item { doc: Vec::new(), kind: ItemKind::Error, span })))
    }
}

//! What the grammar's actions call: spans and texts, and nodes from their parts.
//!
//! Every expression and type carries its depth while it is built. Over the bound a node becomes an error node at once,
//! so that no tree is ever deeper than what later passes, which recurse, have stack for.

use std::cell::RefCell;
use std::sync::Arc;

use super::ast::{
    Action, BinaryOp, Claim, Clause, ClauseKind, CodeName, Entity, Expect, Expr, ExprKind, Field, FieldValue, Function,
    GovernedRecord, Invariant, InvariantLine, Item, Let, Literal, MatchArm, Message, MessagePart, ModuleHeader, Name,
    Parameter, Path, Pattern, PatternKind, Prove, QuantifierKind, Row, Table, Type, TypeKind, UnaryOp,
};
use super::lexer;
use super::token::{Reserve, Token};
use crate::base::limits::{EXPRESSION_DEPTH_MAX, NESTING_MAX};
use crate::base::span::{FileId, Span};
use crate::diagnostic::{Code, Diagnostic};

/// What one run of the grammar gives.
#[derive(Debug)]
pub enum Parsed {
    /// An item.
    Item(Box<Item>),
    /// The header of a file.
    Module(Box<ModuleHeader>),
    /// A piece of an item that was only tried.
    Piece,
}

/// A part of something whose parts may come in any order.
#[derive(Debug)]
pub enum Part {
    /// A field, when it could be read.
    Field(Option<Field>),
    /// An invariant of a governed record.
    Invariant(Box<(super::ast::Doc, Invariant)>),
    /// `name: A | B` of an action.
    Entry(Name, Vec<Path>, Span),
    /// `context { … }` of an action.
    Context(Vec<Field>, Span),
    /// A `let` of a `prove`.
    Let(Let),
    /// A claim.
    Claim(Claim),
    /// `by a, b`
    By(Vec<Path>),
    /// `code A, B`
    Codes(Vec<CodeName>),
    GateClause(Clause),
    /// `quorum 2`
    Quorum(Expr),
    /// `oblige a, b`
    Obliges(Vec<Path>),
    /// Could not be read; already reported.
    Bad,
}

/// A node and how deep its tree is.
#[derive(Debug)]
pub struct Deep<T> {
    node: T,
    depth: usize,
}

impl<T> Deep<T> {
    /// The node alone.
    pub fn take(self) -> T {
        self.node
    }

    /// The nodes alone.
    pub fn all(list: Vec<Deep<T>>) -> Vec<T> {
        list.into_iter().map(Deep::take).collect()
    }
}

impl Deep<Expr> {
    /// Where it stands.
    pub fn span(&self) -> Span {
        self.node.span
    }
}

fn deepest<T>(list: &[Deep<T>]) -> usize {
    list.iter().map(|each| each.depth).max().unwrap_or(0)
}

/// Chains of `and` or `or` up to this length lean to the left as one reads them; longer ones are halved.
const LEANING_CHAIN_MAX: usize = 16;

/// What the actions know: the source, and a list for what they have to say.
#[derive(Debug)]
pub struct Build<'a> {
    file: FileId,
    text: &'a str,
    found: RefCell<Vec<Diagnostic>>,
}

impl<'a> Build<'a> {
    /// A builder for a text.
    pub fn new(file: FileId, text: &'a str) -> Build<'a> {
        Build { file, text, found: RefCell::default() }
    }

    /// What was found since the last call.
    pub fn take_found(&self) -> Vec<Diagnostic> {
        std::mem::take(&mut self.found.borrow_mut())
    }

    fn report(&self, diagnostic: Diagnostic) {
        self.found.borrow_mut().push(diagnostic);
    }

    /// A span of the file.
    pub fn span(&self, start: u32, end: u32) -> Span {
        Span::new(self.file, start, end)
    }

    /// The text of a place.
    pub fn text(&self, start: u32, end: u32) -> &'a str {
        self.text.get(start as usize..end as usize).unwrap_or("")
    }

    /// A name.
    pub fn name(&self, start: u32, end: u32) -> Name {
        Name { text: lexer::plain_word(self.text(start, end)), span: self.span(start, end) }
    }

    /// A name that is written as a string.
    pub fn quoted_name(&self, start: u32, end: u32) -> Name {
        Name { text: self.string(start, end), span: self.span(start, end) }
    }

    /// A path of names.
    pub fn path(&self, parts: Vec<Name>) -> Path {
        let first = parts.first().map_or(self.span(0, 0), |name| name.span);
        let span = parts.last().map_or(first, |last| first.to(last.span));
        Path { parts, span }
    }

    /// The text of a `///` line, without the slashes and the space behind them.
    pub fn doc(&self, start: u32, end: u32) -> Arc<str> {
        let line = self.text(start, end).trim_start_matches('/');
        line.strip_prefix(' ').unwrap_or(line).trim_end().into()
    }

    /// The digits of a number, without underscores.
    pub fn digits(&self, start: u32, end: u32) -> Arc<str> {
        let text = self.text(start, end);
        if text.contains('_') { text.replace('_', "").into() } else { text.into() }
    }

    /// What a string says.
    pub fn string(&self, start: u32, end: u32) -> Arc<str> {
        lexer::unescape(self.text(start, end))
    }

    /// A tagged literal.
    pub fn tagged(&self, start: u32, end: u32) -> Literal {
        let (tag, text) = lexer::tagged(self.text(start, end));
        Literal::Tagged(tag, text)
    }

    /// A literal with `-` before it.
    pub fn negative(&self, literal: Literal) -> Literal {
        match literal {
            Literal::Int(text) => Literal::Int(format!("-{text}").into()),
            Literal::Decimal(text) => Literal::Decimal(format!("-{text}").into()),
            Literal::Duration(text) => Literal::Duration(format!("-{text}").into()),
            other => other,
        }
    }

    /// `require approval` as one word.
    pub fn require_approval(&self, start: u32, end: u32) -> Name {
        Name { text: "require_approval".into(), span: self.span(start, end) }
    }

    // ---- Items.

    /// A governed record from its fields and invariants.
    pub fn governed(&self, name: Name, lifecycle: Path, parts: Vec<Part>) -> GovernedRecord {
        let mut record = GovernedRecord { name, lifecycle, fields: Vec::new(), invariants: Vec::new() };
        for part in parts {
            match part {
                Part::Field(field) => record.fields.extend(field),
                Part::Invariant(invariant) => record.invariants.push(*invariant),
                _ => {}
            }
        }
        record
    }

    /// An entity type; a flag is whether it is `presented`, else `approver`, and its place.
    pub fn entity(&self, flags: Vec<(bool, Span)>, name: Name, parents: Vec<Path>, fields: Vec<Field>) -> Entity {
        let (mut presented, mut approver) = (None, None);
        for (is_presented, span) in flags {
            let flag = if is_presented { &mut presented } else { &mut approver };
            if let Some(first) = flag.replace(span) {
                let word = if is_presented { "presented" } else { "approver" };
                self.report(
                    Diagnostic::error(Code::UnexpectedToken, span, format!("`{word}` stands here twice"))
                        .secondary(first, "the first one")
                        .help("delete one of them"),
                );
            }
        }
        Entity { name, presented, approver, parents, fields }
    }

    /// An action or a group of actions.
    pub fn action(&self, name: Name, is_group: bool, groups: Vec<Path>, entries: Vec<Part>) -> Action {
        let mut action =
            Action { name, is_group, groups, subject: Vec::new(), resource: Vec::new(), context: Vec::new() };
        let mut unknown = false;
        for entry in entries {
            match entry {
                Part::Entry(name, ..) if unknown && !matches!(&*name.text, "subject" | "resource") => {
                    // Fields that lost their `context {` are one fault.
                }
                Part::Entry(name, types, span) => match &*name.text {
                    "subject" => action.subject.push((span, types)),
                    "resource" => action.resource.push((span, types)),
                    "context" => {
                        let message = "the fields of `context` stand in braces";
                        let diagnostic = Diagnostic::error(Code::UnexpectedToken, name.span, message);
                        self.report(diagnostic.help("write `context { … }` without the colon"));
                    }
                    other => {
                        unknown = true;
                        let message = format!("an action has no `{other}`");
                        let nearest = crate::data::similar::best_match(other, ["subject", "resource", "context"]);
                        let diagnostic = Diagnostic::error(Code::UnexpectedToken, name.span, message)
                            .help_if(nearest.map(|word| format!("did you mean `{word}`?")))
                            .help("it has `subject: …`, `resource: …` and `context { … }`");
                        self.report(diagnostic);
                    }
                },
                Part::Context(fields, span) => action.context.push((span, fields)),
                _ => {}
            }
        }
        action
    }

    /// A function.
    pub fn function(&self, name: Name, parameters: Vec<Parameter>, result: Deep<Type>, body: Deep<Expr>) -> Function {
        self.check_parameters(&parameters);
        Function { name, parameters, result: result.take(), body: body.take() }
    }

    /// A table.
    pub fn table(&self, name: Name, parameters: Vec<Parameter>, result: Deep<Type>, rows: Vec<Row>) -> Table {
        Table { name, parameters, result: result.take(), rows }
    }

    /// Parameters, whose names are used bare.
    pub fn check_parameters(&self, parameters: &[Parameter]) {
        parameters.iter().for_each(|parameter| self.check_bare(&parameter.name));
    }

    /// A name that is used bare.
    pub fn bare(&self, name: Name) -> Name {
        self.check_bare(&name);
        name
    }

    /// A keyword before `:` is read as a name, but where it is used bare it could not be read.
    fn check_bare(&self, name: &Name) {
        let text = &*name.text;
        if Token::keyword(text).and_then(Token::reserve) == Some(Reserve::Hard) {
            let message = format!("`{text}` is a reserved word and no name");
            self.report(
                Diagnostic::error(Code::ReservedWord, name.span, message)
                    .help(format!("call it `{text}_` or find another name")),
            );
        }
    }

    /// An invariant.
    pub fn invariant(&self, name: Name, on: Vec<Path>, lines: Vec<InvariantLine>, start: u32, end: u32) -> Invariant {
        Invariant { name, on, lines, span: self.span(start, end) }
    }

    /// A `prove` block.
    pub fn prove(&self, name: Name, on: Vec<Path>, lines: Vec<Part>) -> Prove {
        let mut prove = Prove { name, on, lets: Vec::new(), claims: Vec::new() };
        for line in lines {
            match line {
                Part::Let(one) => prove.lets.push(one),
                Part::Claim(claim) => prove.claims.push(claim),
                _ => {}
            }
        }
        prove
    }

    /// What an expectation says of a gate.
    pub fn gate_part(&self, kind: ClauseKind, start: u32, end: u32) -> Part {
        Part::GateClause(Clause { kind, span: self.span(start, end) })
    }

    /// An expectation.
    pub fn expect(&self, answer: Name, parts: Vec<Part>, start: u32, end: u32) -> Expect {
        let span = self.span(start, end);
        let mut expect = Expect {
            answer,
            by: Vec::new(),
            codes: Vec::new(),
            quorum: None,
            gate: Vec::new(),
            obligations: Vec::new(),
            span,
        };
        for part in parts {
            match part {
                Part::By(rules) => expect.by.extend(rules),
                Part::Codes(codes) => expect.codes.extend(codes),
                Part::GateClause(clause) => expect.gate.push(clause),
                Part::Obliges(names) => expect.obligations.extend(names),
                Part::Quorum(quorum) => {
                    if let Some(first) = expect.quorum.replace(quorum) {
                        let diagnostic = Diagnostic::error(Code::UnexpectedToken, span, "`quorum` stands here twice");
                        self.report(diagnostic.secondary(first.span, "the first one").help("delete one of them"));
                    }
                }
                _ => {}
            }
        }
        expect
    }

    /// A row that could not be read: it matches anything, as far as others can tell.
    pub fn bad_row(&self, start: u32, end: u32) -> Row {
        let span = self.span(start, end);
        Row {
            doc: Vec::new(),
            patterns: vec![Pattern { kind: PatternKind::Error, span }],
            value: Expr { kind: ExprKind::Error, span },
            span,
        }
    }

    /// `a | b`, or the one there is.
    pub fn alternatives(&self, mut all: Vec<Pattern>) -> Pattern {
        match (all.pop(), all.first()) {
            (Some(last), Some(first)) => {
                let span = first.span.to(last.span);
                all.push(last);
                Pattern { kind: PatternKind::Or(all), span }
            }
            (Some(only), None) => only,
            (None, _) => Pattern { kind: PatternKind::Error, span: self.span(0, 0) },
        }
    }

    /// A name in a pattern; `present` and `absent` are words of their own there.
    pub fn name_pattern(&self, path: Path) -> PatternKind {
        match &path.parts[..] {
            [one] if &*one.text == "present" => PatternKind::Present,
            [one] if &*one.text == "absent" => PatternKind::Absent,
            _ => PatternKind::Name(path),
        }
    }

    /// The parts of a message.
    pub fn message(&self, start: u32, end: u32) -> Message {
        let pieces = lexer::message(self.text(start, end), self.file, start);
        let parts = pieces.into_iter().filter_map(|piece| match piece {
            lexer::MessagePiece::Text(text) => Some(MessagePart::Text(text.into())),
            lexer::MessagePiece::Path(text, span) => Some(MessagePart::Path(self.message_path(text, span))),
            lexer::MessagePiece::Stray(span) => {
                let brace = self.text(span.start, span.end);
                self.report(
                    Diagnostic::error(
                        Code::UnclosedDelimiter,
                        span,
                        format!("`{brace}` has no partner in this message"),
                    )
                    .help(format!("write `{brace}{brace}` for the character itself")),
                );
                None
            }
        });
        Message { parts: parts.collect(), span: self.span(start, end) }
    }

    fn message_path(&self, text: &str, span: Span) -> Expr {
        let mut expr: Option<Expr> = None;
        let mut at = span.start;
        for part in text.split('.') {
            let trimmed = part.trim();
            let start = at + (part.len() - part.trim_start().len()) as u32;
            let name_span = self.span(start, start + trimmed.len() as u32);
            at += part.len() as u32 + 1;
            let starts_well = trimmed.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
            if !starts_well || !trimmed.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
                let diagnostic =
                    Diagnostic::error(Code::UnexpectedToken, span, "a message can only show a path of names")
                        .help("write `{resource.kind}`: a message shows what is read and computes nothing; `{{` is the character `{`");
                self.report(diagnostic);
                return Expr { kind: ExprKind::Error, span };
            }
            let name = Name { text: trimmed.into(), span: name_span };
            expr = Some(match expr {
                None => Expr { span: name_span, kind: ExprKind::Name(name) },
                Some(inner) => Expr { span: inner.span.to(name_span), kind: ExprKind::Field(Box::new(inner), name) },
            });
            if (at - span.start) as usize > 64 * NESTING_MAX {
                let diagnostic = Diagnostic::error(Code::NestingTooDeep, span, "this path is too long");
                self.report(diagnostic);
                return Expr { kind: ExprKind::Error, span };
            }
        }
        expr.unwrap_or(Expr { kind: ExprKind::Error, span })
    }

    // ---- Types.

    fn make_type(&self, start: u32, end: u32, depth: usize, kind: TypeKind) -> Deep<Type> {
        let span = self.span(start, end);
        if depth >= NESTING_MAX {
            self.too_deep(span, "this type nests too deep", NESTING_MAX);
            return Deep { node: Type { kind: TypeKind::Error, span }, depth: 0 };
        }
        Deep { node: Type { kind, span }, depth: depth + 1 }
    }

    /// A type that is named.
    pub fn named_type(&self, path: Path) -> Deep<Type> {
        let span = path.span;
        self.make_type(span.start, span.end, 0, TypeKind::Name(path))
    }

    /// `Set<T>`
    pub fn generic(&self, path: Path, arguments: Vec<Deep<Type>>, start: u32, end: u32) -> Deep<Type> {
        let depth = deepest(&arguments);
        let mut parts = path.parts;
        let kind = match (parts.pop(), parts.is_empty()) {
            (Some(name), true) => TypeKind::Generic(name, Deep::all(arguments)),
            _ => {
                let message = "only `Set`, `List` and `Map` take types in `<…>`";
                self.report(Diagnostic::error(Code::UnexpectedToken, path.span, message));
                TypeKind::Error
            }
        };
        self.make_type(start, end, depth, kind)
    }

    /// `T?`
    pub fn optional(&self, ty: Deep<Type>, start: u32, end: u32) -> Deep<Type> {
        self.make_type(start, end, ty.depth, TypeKind::Optional(Box::new(ty.node)))
    }

    /// `Int in 0..=10`
    pub fn range(&self, ty: Deep<Type>, from: Deep<Expr>, to: Deep<Expr>, start: u32, end: u32) -> Deep<Type> {
        let kind = TypeKind::Range(Box::new(ty.node), Box::new(from.node), Box::new(to.node));
        self.make_type(start, end, ty.depth, kind)
    }

    /// `String max 200`
    pub fn max(&self, ty: Deep<Type>, bound: Deep<Expr>, start: u32, end: u32) -> Deep<Type> {
        self.make_type(start, end, ty.depth, TypeKind::Max(Box::new(ty.node), Box::new(bound.node)))
    }

    /// A type that could not be read.
    pub fn bad_type(&self, start: u32, end: u32) -> Deep<Type> {
        self.make_type(start, end, 0, TypeKind::Error)
    }

    // ---- Expressions.

    fn too_deep(&self, span: Span, message: &str, limit: usize) {
        // One is enough: what is deep at one place is deep around it too.
        let known = self.found.borrow().iter().any(|found| found.code == Code::NestingTooDeep);
        if !known {
            let diagnostic = Diagnostic::error(Code::NestingTooDeep, span, message)
                .help(format!("at most {limit} levels are allowed: name parts of it with `let`, `const` or `fn`"));
            self.report(diagnostic);
        }
    }

    fn node(&self, span: Span, depth: usize, kind: ExprKind) -> Deep<Expr> {
        if depth >= EXPRESSION_DEPTH_MAX {
            self.too_deep(span, "this expression nests too deep", EXPRESSION_DEPTH_MAX);
            return Deep { node: Expr { kind: ExprKind::Error, span }, depth: 0 };
        }
        Deep { node: Expr { kind, span }, depth: depth + 1 }
    }

    /// An expression without parts.
    pub fn leaf(&self, start: u32, end: u32, kind: ExprKind) -> Deep<Expr> {
        self.node(self.span(start, end), 0, kind)
    }

    /// `(e)`
    pub fn paren(&self, start: u32, end: u32, e: Deep<Expr>) -> Deep<Expr> {
        self.node(self.span(start, end), e.depth, ExprKind::Paren(Box::new(e.node)))
    }

    /// An operator before its operand; `-5` is a literal.
    pub fn unary(&self, start: u32, op: UnaryOp, e: Deep<Expr>) -> Deep<Expr> {
        let span = self.span(start, e.node.span.end);
        match (op, e.node.kind) {
            (UnaryOp::Negate, ExprKind::Literal(literal @ (Literal::Int(_) | Literal::Decimal(_))))
                if !is_negative(&literal) =>
            {
                self.node(span, 0, ExprKind::Literal(self.negative(literal)))
            }
            (op, kind) => {
                let inner = Box::new(Expr { kind, span: e.node.span });
                self.node(span, e.depth, ExprKind::Unary(op, inner))
            }
        }
    }

    /// An operator between its operands.
    pub fn binary(&self, a: Deep<Expr>, op: (BinaryOp, Span), b: Deep<Expr>) -> Deep<Expr> {
        let span = a.span().to(b.span());
        let depth = a.depth.max(b.depth);
        self.node(span, depth, ExprKind::Binary(op.0, Box::new(a.node), Box::new(b.node), op.1))
    }

    /// Operands joined by `and` or `or`: each with the place of the operator before it.
    pub fn chain(&self, op: BinaryOp, mut operands: Vec<(Span, Deep<Expr>)>) -> Deep<Expr> {
        if operands.len() <= LEANING_CHAIN_MAX {
            let mut all = operands.into_iter();
            let Some((_, first)) = all.next() else { return self.leaf(0, 0, ExprKind::Error) };
            return all.fold(first, |left, (span, right)| self.binary(left, (op, span), right));
        }
        // The operators are associative, errors and narrowing included, so halving changes nothing but the depth.
        let right = operands.split_off(operands.len() / 2);
        let span = right.first().map_or(self.span(0, 0), |(span, _)| *span);
        let left = self.chain(op, operands);
        let right = self.chain(op, right);
        self.binary(left, (op, span), right)
    }

    /// `a matches b`
    pub fn matches(&self, a: Deep<Expr>, b: Deep<Expr>) -> Deep<Expr> {
        let span = a.span().to(b.span());
        self.node(span, a.depth.max(b.depth), ExprKind::Matches(Box::new(a.node), Box::new(b.node)))
    }

    /// `a is b`
    pub fn is(&self, a: Deep<Expr>, b: Path) -> Deep<Expr> {
        self.node(a.span().to(b.span), a.depth, ExprKind::Is(Box::new(a.node), b))
    }

    /// `if a then b else c`
    pub fn choice(&self, start: u32, condition: Deep<Expr>, yes: Deep<Expr>, no: Deep<Expr>) -> Deep<Expr> {
        let depth = condition.depth.max(yes.depth).max(no.depth);
        let span = self.span(start, no.span().end);
        self.node(span, depth, ExprKind::If(Box::new(condition.node), Box::new(yes.node), Box::new(no.node)))
    }

    /// `e.name`
    pub fn field(&self, e: Deep<Expr>, name: Name) -> Deep<Expr> {
        self.node(e.span().to(name.span), e.depth, ExprKind::Field(Box::new(e.node), name))
    }

    /// `e[index]`
    pub fn index(&self, e: Deep<Expr>, index: Deep<Expr>, end: u32) -> Deep<Expr> {
        let span = self.span(e.span().start, end);
        let depth = e.depth.max(index.depth);
        self.node(span, depth, ExprKind::Index(Box::new(e.node), Box::new(index.node)))
    }

    /// `f(a, b)`
    pub fn call(&self, e: Deep<Expr>, arguments: Vec<Deep<Expr>>, end: u32) -> Deep<Expr> {
        let span = self.span(e.span().start, end);
        let depth = deepest(&arguments);
        let kind = match self.as_path(e.node) {
            Ok(path) => ExprKind::Call(path, Deep::all(arguments)),
            Err(span) => {
                let message = "only a function or a table can be called, by its name";
                self.report(Diagnostic::error(Code::UnexpectedToken, span, message));
                ExprKind::Error
            }
        };
        self.node(span, depth, kind)
    }

    /// `Team::"x"`
    pub fn entity_reference(&self, e: Deep<Expr>, start: u32, end: u32) -> Deep<Expr> {
        let span = self.span(e.span().start, end);
        let kind = match self.as_path(e.node) {
            Ok(path) => ExprKind::Entity(path, self.string(start, end)),
            Err(span) => {
                let message = "an entity is written as its type, `::` and its id";
                let diagnostic = Diagnostic::error(Code::UnexpectedToken, span, message);
                self.report(diagnostic.help("write `Team::\"shop\"`"));
                ExprKind::Error
            }
        };
        self.node(span, 0, kind)
    }

    /// An expression that is but names and dots, as a path; else its place. An error node has said enough.
    fn as_path(&self, e: Expr) -> Result<Path, Span> {
        let span = e.span;
        let mut parts = Vec::new();
        let mut rest = e;
        loop {
            match rest.kind {
                ExprKind::Name(name) => {
                    parts.push(name);
                    parts.reverse();
                    return Ok(Path { parts, span });
                }
                ExprKind::Field(inner, name) => {
                    parts.push(name);
                    rest = *inner;
                }
                _ => return Err(span),
            }
        }
    }

    /// `[a, b]`
    pub fn list(&self, start: u32, end: u32, all: Vec<Deep<Expr>>) -> Deep<Expr> {
        self.node(self.span(start, end), deepest(&all), ExprKind::List(Deep::all(all)))
    }

    /// `{a, b}`
    pub fn set(&self, start: u32, end: u32, all: Vec<Deep<Expr>>) -> Deep<Expr> {
        self.node(self.span(start, end), deepest(&all), ExprKind::Set(Deep::all(all)))
    }

    /// `{a: 1}`
    pub fn record(&self, start: u32, end: u32, all: Vec<(Name, Deep<Expr>)>) -> Deep<Expr> {
        let depth = all.iter().map(|(_, value)| value.depth).max().unwrap_or(0);
        let fields = all.into_iter().map(|(name, value)| FieldValue { name, value: value.node }).collect();
        self.node(self.span(start, end), depth, ExprKind::Record(fields))
    }

    /// `{"a": 1}`
    pub fn map(&self, start: u32, end: u32, all: Vec<(Expr, Deep<Expr>)>) -> Deep<Expr> {
        let depth = all.iter().map(|(_, value)| value.depth).max().unwrap_or(0);
        let entries = all.into_iter().map(|(key, value)| (key, value.node)).collect();
        self.node(self.span(start, end), depth, ExprKind::Map(entries))
    }

    /// The key of a map entry.
    pub fn map_key(&self, start: u32, end: u32) -> Expr {
        let kind = ExprKind::Literal(Literal::String(self.string(start, end)));
        Expr { kind, span: self.span(start, end) }
    }

    /// `match e { p => a }`
    pub fn match_(&self, start: u32, end: u32, e: Deep<Expr>, arms: Vec<(Pattern, Deep<Expr>)>) -> Deep<Expr> {
        let depth = arms.iter().map(|(_, value)| value.depth).max().unwrap_or(0).max(e.depth);
        let arm = |(pattern, value): (Pattern, Deep<Expr>)| {
            let span = pattern.span.to(value.span());
            MatchArm { pattern, value: value.node, span }
        };
        let arms = arms.into_iter().map(arm).collect();
        self.node(self.span(start, end), depth, ExprKind::Match(Box::new(e.node), arms))
    }

    /// `any(x in xs: e)`
    pub fn quantifier(
        &self,
        start: u32,
        end: u32,
        kind: QuantifierKind,
        name: Name,
        over: Deep<Expr>,
        body: Deep<Expr>,
    ) -> Deep<Expr> {
        let depth = over.depth.max(body.depth);
        let kind = ExprKind::Quantifier(kind, name, Box::new(over.node), Box::new(body.node));
        self.node(self.span(start, end), depth, kind)
    }

    /// `acyclic(x in xs: node -> edges)`
    pub fn acyclic(
        &self,
        start: u32,
        end: u32,
        name: Name,
        over: Deep<Expr>,
        node: Deep<Expr>,
        edges: Deep<Expr>,
    ) -> Deep<Expr> {
        let depth = over.depth.max(node.depth).max(edges.depth);
        let kind = ExprKind::Acyclic(name, Box::new(over.node), Box::new(node.node), Box::new(edges.node));
        self.node(self.span(start, end), depth, kind)
    }
}

fn is_negative(literal: &Literal) -> bool {
    matches!(literal, Literal::Int(text) | Literal::Decimal(text) if text.starts_with('-'))
}

//! Where the grammar stopped, in words: the common mistakes each with a sentence of their own, the rest by a short
//! list of what could stand there. Symbols of the grammar never show.

use super::Failure;
use super::split::Body;
use crate::base::span::{FileId, Span};
use crate::data::similar::best_match;
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::token::{KEYWORDS, Lexeme, Reserve, Token};

/// The most things that one message says were expected.
const EXPECTED_MAX: usize = 5;

/// A failure with all that is known about where it is.
#[derive(Debug)]
pub struct Place<'a> {
    /// The source.
    pub text: &'a str,
    /// Its file.
    pub file: FileId,
    /// What was tried.
    pub start: Token,
    /// The tokens that were tried.
    pub tokens: &'a [Lexeme],
    /// Where it stopped.
    pub failure: &'a Failure,
    /// The token behind those tried.
    pub next: Option<Lexeme>,
}

impl Failure {
    /// Whether a token would have been accepted.
    pub fn expects(&self, token: Token) -> bool {
        let quoted = token.shown().strip_prefix('`').and_then(|shown| shown.strip_suffix('`'));
        match quoted {
            Some(text) => self
                .expected
                .iter()
                .any(|one| one.strip_prefix('"').and_then(|one| one.strip_suffix('"')) == Some(text)),
            None => self.expected.iter().any(|one| *one == format!("{token:?}")),
        }
    }
}

impl Place<'_> {
    fn at_end(&self) -> bool {
        self.failure.at >= self.tokens.len()
    }

    fn found(&self) -> Option<Lexeme> {
        self.tokens.get(self.failure.at).copied()
    }

    fn token(&self, at: usize) -> Token {
        self.tokens.get(at).map_or(Token::Bad, |lexeme| lexeme.token)
    }

    fn before(&self) -> Option<Lexeme> {
        self.failure.at.checked_sub(1).and_then(|at| self.tokens.get(at)).copied()
    }

    /// Whether it stopped in what an action is `in`.
    fn is_among_groups(&self) -> bool {
        let before = self.tokens.iter().take(self.failure.at);
        let mut before = before.map(|lexeme| lexeme.token).filter(|token| *token != Token::Doc);
        before.next() == Some(Token::Action) && before.any(|token| token == Token::In)
    }

    /// Whether it stopped in what a policy, an invariant or claims are `on`.
    fn is_among_actions(&self) -> bool {
        let before = self.tokens.iter().take(self.failure.at);
        let mut before = before.map(|lexeme| lexeme.token).filter(|token| !matches!(token, Token::Doc | Token::Shadow));
        matches!(before.next(), Some(Token::Policy | Token::Invariant | Token::Prove))
            && before.any(|token| token == Token::On)
    }

    /// Whether the word before the one in front of it is `given`.
    fn begins_given(&self) -> bool {
        self.failure.at.checked_sub(2).is_some_and(|at| self.token(at) == Token::Given)
    }

    fn word(&self, lexeme: Lexeme) -> &str {
        self.text.get(lexeme.start as usize..lexeme.end as usize).unwrap_or("")
    }

    fn span_of(&self, lexeme: Lexeme) -> Span {
        Span::new(self.file, lexeme.start, lexeme.end)
    }

    /// The place itself: the token that was refused, or behind the last one.
    fn span(&self) -> Span {
        match (self.found(), self.tokens.last()) {
            (Some(found), _) => self.span_of(found),
            (None, Some(&last)) => self.span_of(last).at_end(),
            (None, None) => Span::new(self.file, 0, 0),
        }
    }

    fn expects(&self, token: Token) -> bool {
        self.failure.expects(token)
    }

    /// Whether an expression could begin here.
    fn expects_operand(&self) -> bool {
        self.expects(Token::Int) && self.expects(Token::Word)
    }

    /// Whether an expression could go on here.
    fn expects_operator(&self) -> bool {
        self.expects(Token::And) || self.expects(Token::Plus) || self.expects(Token::Coalesce)
    }

    /// Whether a node of `acyclic` was read, and its edges are to come.
    fn expects_edges(&self) -> bool {
        self.expects(Token::Arrow) && self.expects(Token::Plus) && !self.expects(Token::Equal)
    }

    fn unexpected(&self, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(Code::UnexpectedToken, self.span(), message)
    }

    fn missing(&self, message: impl Into<String>) -> Diagnostic {
        let code = if self.at_file_end() { Code::UnexpectedEnd } else { Code::MissingToken };
        Diagnostic::error(code, self.span(), message)
    }

    /// Whether it stopped because there is nothing more.
    fn at_file_end(&self) -> bool {
        let rest = self.tokens.last().and_then(|last| self.text.get(last.end as usize..)).unwrap_or("");
        let is_comment = |line: &str| line.trim().is_empty() || line.trim_start().starts_with("//");
        self.at_end() && self.next.is_none() && rest.lines().all(is_comment)
    }

    /// The bracket that is open where it stopped.
    fn open_bracket(&self) -> Option<Lexeme> {
        let mut open = Vec::new();
        for &lexeme in &self.tokens[..self.failure.at.min(self.tokens.len())] {
            if lexeme.token.opens() {
                open.push(lexeme);
            } else if lexeme.token.closes() {
                open.pop();
            }
        }
        open.pop()
    }
}

/// The diagnostic of a failure.
pub fn failure(place: &Place<'_>) -> Diagnostic {
    head_of_rule(place)
        .or_else(|| missing_part(place))
        .or_else(|| operator(place))
        .or_else(|| word(place))
        .or_else(|| bracket(place))
        .unwrap_or_else(|| general(place))
}

/// `allow when …` and `allow name if …`.
fn head_of_rule(place: &Place<'_>) -> Option<Diagnostic> {
    if place.start != Token::StartRuleHead {
        return None;
    }
    if place.expects(Token::Approval) && !place.expects(Token::Word) {
        let diagnostic = place.unexpected("a policy requires one thing only: approval");
        return Some(diagnostic.help("write `require approval name`; a condition that must hold is an `invariant`"));
    }
    let effect = place.tokens.iter().find(|lexeme| lexeme.token != Token::Doc)?;
    let shown = place.word(*effect);
    let shown = if effect.token == Token::Require { "require approval" } else { shown };
    if place.expects(Token::Word) {
        if let Some(found) = place.found().filter(|found| found.token.reserve() == Some(Reserve::Hard)) {
            if found.token == Token::If {
                let diagnostic =
                    place.unexpected(format!("this `{shown}` has no name, and its condition begins with `when`"));
                return Some(diagnostic.help(format!("write `{shown} some_name when …`")));
            }
            return None;
        }
        if place.at_end() {
            let diagnostic = Diagnostic::error(Code::MissingToken, place.span_of(*effect), "this rule has no name");
            return Some(diagnostic.help(format!("write `{shown} some_name`: decisions and logs refer to it")));
        }
    }
    let found = place.found()?;
    if is_condition_word(place.word(found), found.token) {
        let diagnostic = place.unexpected(format!("a condition does not begin with `{}`", place.word(found)));
        return Some(diagnostic.help("write `when`").fix(place.span(), "when"));
    }
    None
}

/// Words and signs that begin a condition in other languages.
pub fn is_condition_word(word: &str, token: Token) -> bool {
    matches!(token, Token::If | Token::Colon) || matches!(word, "where" | "provided" | "iff")
}

/// `else`, `then`, types, values.
fn missing_part(place: &Place<'_>) -> Option<Diagnostic> {
    let found = place.found();
    if let Some(found) = found
        && matches!(place.word(found), "elseif" | "elif" | "elsif")
    {
        return Some(place.unexpected(format!("`{}` is two words here", place.word(found))).help("write `else if`"));
    }
    let is_word = found.is_none_or(|found| found.token != Token::Assign && !is_comparison(found.token));
    if place.expects(Token::Else) && is_word {
        let open = place.tokens.iter().rev().find(|lexeme| lexeme.token == Token::If);
        let mut diagnostic = place.missing("this `if` has no `else`");
        diagnostic = diagnostic.help("an `if` gives a value either way: add `else …`");
        if let Some(&open) = open {
            diagnostic = diagnostic.secondary(place.span_of(open), "the `if`");
        }
        return Some(diagnostic);
    }
    if place.expects(Token::Then) && is_word {
        return Some(place.missing("`then` is missing behind the condition").help("write `if … then … else …`"));
    }
    if let Some(found) = found
        && place.start == Token::StartActionEntry
        && matches!(found.token, Token::Subject | Token::Resource)
        && place.failure.at == 0
    {
        let word = place.word(found);
        let diagnostic = Diagnostic::error(Code::MissingToken, place.span(), format!("`{word}` has no `:`"));
        return Some(diagnostic.help(format!("write `{word}: Type`, or several as `A | B`")));
    }
    let before = place.before()?;
    if place.expects(Token::Colon)
        && before.token == Token::Word
        && matches!(place.start, Token::StartField | Token::StartGovernedPart | Token::StartItem)
        && !place.expects(Token::Assign)
    {
        let name = place.word(before);
        let diagnostic = Diagnostic::error(Code::MissingToken, place.span_of(before), format!("`{name}` has no type"));
        return Some(diagnostic.help(format!("write `{name}: Type`")));
    }
    if place.at_end() && place.expects_operand() && place.open_bracket().is_none() {
        let shown = before.token.shown();
        return Some(place.missing(format!("an expression is missing behind {shown}")));
    }
    None
}

fn is_comparison(token: Token) -> bool {
    matches!(
        token,
        Token::Equal
            | Token::NotEqual
            | Token::Less
            | Token::LessEqual
            | Token::Greater
            | Token::GreaterEqual
            | Token::In
            | Token::Contains
            | Token::ContainsAll
            | Token::ContainsAny
            | Token::StartsWith
            | Token::EndsWith
            | Token::Matches
            | Token::Is
            | Token::Arrow
    )
}

/// Operators where they cannot stand.
fn operator(place: &Place<'_>) -> Option<Diagnostic> {
    let found = place.found()?;
    let span = place.span();
    let goes_on = place.expects_operator();
    Some(match found.token {
        Token::Assign if goes_on => {
            place.unexpected("`=` gives a value to a name, it does not compare").help("write `==`").fix(span, "==")
        }
        token if is_comparison(token) && place.expects(Token::And) && !place.expects(Token::Equal) => {
            if place.token(place.failure.at + 1) == Token::CloseBrace {
                return None;
            }
            place
                .unexpected("comparisons can't be chained")
                .help("join two comparisons: `a < b and b < c`; or put one in parentheses")
        }
        Token::Not if goes_on && is_comparison(place.token(place.failure.at + 1)) => {
            let next = place.word(place.tokens[place.failure.at + 1]);
            place.unexpected("`not` stands before the whole comparison").help(format!("write `not a {next} b`"))
        }
        Token::Not if place.before().is_some_and(|before| before.token == Token::Is) => place
            .unexpected("`not` stands before the whole comparison")
            .help("write `not a is b`, or the other of `present` and `absent`"),
        Token::Not | Token::If if place.expects_operand() => {
            let word = place.word(found);
            place
                .unexpected(format!("`{word}` can't be an operand as it stands"))
                .help(format!("put it in parentheses: `({word} …)`"))
        }
        Token::String if place.expects(Token::DoubleColon) => {
            let ty = place.before().map_or("Type", |before| place.word(before));
            let message = "`::` stands between the type of an entity and its id";
            place.unexpected(message).help(format!("write `{ty}::{}`", place.word(found)))
        }
        Token::RangeOpen if place.expects(Token::RangeInclusive) => {
            place.unexpected("ranges include both ends").help("write `..=`").fix(span, "..=")
        }
        Token::Arrow if place.expects(Token::FatArrow) => {
            place.unexpected("`=>` stands between patterns and result").help("write `=>`").fix(span, "=>")
        }
        Token::FatArrow if place.expects_edges() => {
            place.unexpected("`=>` stands in tables and `match` only").help("write `->`").fix(span, "->")
        }
        _ if place.expects_edges() => place
            .unexpected(format!("between a node and its edges stands `->`, not {}", show(place, found)))
            .help("write `acyclic(x in xs: node -> edges)`; put a condition in parentheses"),
        Token::FatArrow if place.expects_operator() => place
            .unexpected("`=>` stands in tables and `match` only")
            .help("for \"at least\" write `>=`")
            .fix(span, ">="),
        Token::FatArrow if place.expects(Token::Arrow) || place.expects(Token::Assign) => {
            let ours = if place.expects(Token::Arrow) { "->" } else { "=" };
            place.unexpected("`=>` stands in tables and `match` only").help(format!("write `{ours}`")).fix(span, ours)
        }
        Token::Comma if place.expects(Token::OpenBrace) && place.is_among_groups() => {
            place.unexpected("groups are joined by `|`").help("write `|`: `in scoped | audited`").fix(span, " |")
        }
        Token::Comma | Token::And | Token::Or if place.expects(Token::OpenBrace) && place.is_among_actions() => {
            let bar = if found.token == Token::Comma { " |" } else { "|" };
            place.unexpected("actions are joined by `|`").help("write `|`: `on transfer | refund`").fix(span, bar)
        }
        Token::OpenBrace if place.expects(Token::Assign) && place.begins_given() => place
            .unexpected("`given` gives one entity")
            .help("write `given subject = …`; what the kernel gives is written `facts { … }`"),
        Token::Bar if goes_on => {
            place.unexpected("`|` joins types and patterns, not conditions").help("write `or`").fix(span, "or")
        }
        Token::Doc => place
            .unexpected("a `///` comment stands only above what can be documented")
            .help("that is an item, a rule, a field, a parameter, a row and the like; elsewhere write `//`"),
        _ => return None,
    })
}

/// Words where they cannot stand.
fn word(place: &Place<'_>) -> Option<Diagnostic> {
    let found = place.found()?;
    let text = place.word(found);
    if found.token.reserve() == Some(Reserve::Hard) && place.expects(Token::Word) {
        let is_operator = found.token >= Token::And && found.token <= Token::Else;
        if place.expects_operand() && (is_operator || found.token == Token::Underscore) {
            return None;
        }
        let diagnostic =
            Diagnostic::error(Code::ReservedWord, place.span(), format!("`{text}` is a reserved word and no name"));
        return Some(if place.expects_operand() {
            diagnostic.help(format!("behind a dot it is a name: `Kind.{text}`, `context.{text}`"))
        } else {
            diagnostic.help("choose another name")
        });
    }
    if found.token == Token::Word {
        let foreign = FOREIGN_OPERATORS.iter().find(|(theirs, _)| *theirs == text).map(|(_, ours)| *ours);
        let keywords = KEYWORDS.iter().filter(|(_, token, _)| place.expects(*token)).map(|(word, ..)| *word);
        if let Some(meant) = foreign.filter(|_| place.expects_operator()).or_else(|| best_match(text, keywords)) {
            let diagnostic = place.unexpected(format!("`{text}` can't stand here"));
            return Some(diagnostic.help(format!("did you mean `{meant}`?")));
        }
    }
    None
}

const FOREIGN_OPERATORS: &[(&str, &str)] = &[
    ("has", "contains"),
    ("includes", "contains"),
    ("equals", "=="),
    ("eq", "=="),
    ("ne", "!="),
    ("lt", "<"),
    ("le", "<="),
    ("gt", ">"),
    ("ge", ">="),
    ("like", "matches"),
    ("containsAll", "contains_all"),
    ("containsAny", "contains_any"),
    ("startsWith", "starts_with"),
    ("endsWith", "ends_with"),
    ("mod", "+"),
];

/// Brackets without their partners.
fn bracket(place: &Place<'_>) -> Option<Diagnostic> {
    let open = place.open_bracket();
    if let Some(found) = place.found().filter(|found| found.token.closes()) {
        let shown = found.token.shown();
        return match open {
            None => Some(
                Diagnostic::error(Code::UnclosedDelimiter, place.span(), format!("this {shown} closes nothing"))
                    .help("delete it, or add its partner"),
            ),
            Some(open) if !partners(open.token, found.token) => Some(
                Diagnostic::error(Code::UnclosedDelimiter, place.span(), format!("this {shown} does not fit"))
                    .secondary(place.span_of(open), format!("this {} is open", open.token.shown())),
            ),
            Some(_) => None,
        };
    }
    if place.at_end() && place.expects(Token::Greater) && place.expects(Token::Comma) && !place.expects(Token::And) {
        let less = place.tokens.iter().rev().find(|lexeme| lexeme.token == Token::Less)?;
        let diagnostic = Diagnostic::error(Code::UnclosedDelimiter, place.span_of(*less), "this `<` is not closed");
        return Some(diagnostic.secondary(place.span(), "its partner is expected here at the latest"));
    }
    let open = open.filter(|_| place.at_end())?;
    let shown = open.token.shown();
    Some(
        Diagnostic::error(Code::UnclosedDelimiter, place.span_of(open), format!("this {shown} is not closed"))
            .secondary(place.span(), "its partner is expected here at the latest"),
    )
}

fn partners(open: Token, close: Token) -> bool {
    matches!(
        (open, close),
        (Token::OpenParen, Token::CloseParen)
            | (Token::OpenBracket, Token::CloseBracket)
            | (Token::OpenBrace, Token::CloseBrace)
    )
}

/// What was expected and what was found.
fn general(place: &Place<'_>) -> Diagnostic {
    let expected = expectations(place);
    let list = join(&expected);
    match place.found() {
        Some(found) if list.is_empty() => place.unexpected(format!("{} does not belong here", show(place, found))),
        Some(found) => {
            // Where nothing but a sign can stand, the sign is missing, and what was found may be all right.
            let signs =
                expected.iter().all(|one| one.starts_with('`') && !one[1..].starts_with(|c: char| c.is_alphabetic()));
            let code = if signs { Code::MissingToken } else { Code::UnexpectedToken };
            Diagnostic::error(code, place.span(), format!("expected {list}, found {}", show(place, found)))
        }
        None if list.is_empty() => place.missing("something is missing here"),
        None if place.at_file_end() => place.missing(format!("expected {list}, but the file ends")),
        None => place.missing(match place.next {
            Some(next) => format!("expected {list} before {}", show(place, next)),
            None => format!("expected {list} here"),
        }),
    }
}

fn show(place: &Place<'_>, lexeme: Lexeme) -> String {
    match lexeme.token {
        Token::Word => format!("`{}`", place.word(lexeme)),
        Token::Int | Token::Decimal | Token::Duration => format!("`{}`", place.word(lexeme)),
        token => token.shown().to_owned(),
    }
}

/// What could stand at the place: classes of tokens first, single ones after them.
fn expectations(place: &Place<'_>) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let operand = place.expects_operand();
    let name = place.expects(Token::Word);
    if operand {
        out.push("an expression".into());
    } else if place.expects(Token::BadType) {
        out.push("a type".into());
    } else if place.expects(Token::Underscore) {
        out.push("a pattern".into());
    } else if name {
        out.push("a name".into());
    }
    if place.expects(Token::Allow) && place.expects(Token::Deny) {
        out.push("a rule".into());
    }
    if place.expects(Token::When) && place.expects(Token::Because) {
        out.push("a clause".into());
    }
    for sign in [
        Token::OpenBrace,
        Token::CloseBrace,
        Token::CloseParen,
        Token::CloseBracket,
        Token::Assign,
        Token::Arrow,
        Token::FatArrow,
        Token::Colon,
        Token::DoubleColon,
        Token::Comma,
        Token::RangeInclusive,
    ] {
        let is_operator = sign == Token::Arrow && place.expects_operator()
            || sign == Token::DoubleColon && (name || place.expects_operator());
        let begins =
            matches!(sign, Token::OpenBrace | Token::RangeInclusive) && (operand || place.expects(Token::Underscore));
        if place.expects(sign) && !is_operator && !begins {
            out.push(sign.shown().into());
        }
    }
    if !operand && place.expects(Token::String) {
        out.push("a string".into());
    }
    let covered_by_class = |token: Token, reserve: Reserve| {
        (name && reserve == Reserve::Soft)
            || (token >= Token::And && place.expects_operator())
            || (operand && token >= Token::And)
            || (token.begins_clause() && place.expects(Token::When) && place.expects(Token::Because))
            || (matches!(token, Token::Allow | Token::Deny | Token::Require) && place.expects(Token::Allow))
            || (place.expects(Token::Underscore) && token >= Token::And)
    };
    for &(word, token, reserve) in KEYWORDS {
        if place.expects(token) && !covered_by_class(token, reserve) {
            out.push(format!("`{word}`"));
        }
    }
    if place.expects_operator() && out.len() < EXPECTED_MAX {
        out.push("an operator".into());
    }
    out.truncate(EXPECTED_MAX);
    out
}

fn join(all: &[String]) -> String {
    match all {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

const FOREIGN_LINES: &[(&str, &str)] = &[
    ("permit", "allow"),
    ("grant", "allow"),
    ("forbid", "deny"),
    ("reject", "deny"),
    ("block", "deny"),
    ("approve", "require approval"),
    ("var", "let"),
    ("val", "let"),
    ("if", "when"),
    ("where", "when"),
    ("reason", "because"),
    ("message", "because"),
    ("advice", "oblige"),
    ("assert", "expect"),
    ("principal", "subject"),
    ("transition", "initial"),
];

/// The word that one at the start of a line, clause or entry was meant to be.
pub fn meant(body: Body, word: &str) -> Option<&'static str> {
    let candidates: &[&'static str] = match body {
        Body::Policy => &["let", "allow", "deny", "require approval"],
        Body::Rule => CLAUSES,
        Body::Invariant => &["let", "require", "when", "code", "because", "oblige"],
        Body::Test => &["given", "when", "facts", "expect"],
        Body::Prove => &["let", "never", "always", "policy", "rule", "at"],
        Body::Action => &["context"],
        Body::Governed => &["invariant"],
        Body::Table | Body::Fields | Body::Enum | Body::Lifecycle => &[],
    };
    let foreign = FOREIGN_LINES.iter().find(|(theirs, _)| *theirs == word).map(|(_, ours)| *ours);
    foreign.filter(|ours| candidates.contains(ours)).or_else(|| best_match(word, candidates.iter().copied()))
}

const CLAUSES: &[&str] =
    &["when", "unless", "from", "quorum", "within", "escalate", "distinct", "code", "because", "oblige"];

const FOREIGN_ITEMS: &[(&str, &str)] = &[
    ("import", "use"),
    ("using", "use"),
    ("package", "module"),
    ("namespace", "module"),
    ("func", "fn"),
    ("function", "fn"),
    ("def", "fn"),
    ("struct", "record"),
    ("class", "record"),
    ("type", "record"),
    ("rule", "policy"),
    ("object", "entity"),
    ("statemachine", "lifecycle"),
    ("advice", "obligation"),
    ("assert", "prove"),
];

/// The word that one at the start of an item was meant to be.
pub fn meant_item(word: &str) -> Option<&'static str> {
    let items = KEYWORDS.iter().filter(|(_, token, _)| token.begins_item()).map(|(word, ..)| *word);
    let foreign = FOREIGN_ITEMS.iter().find(|(theirs, _)| *theirs == word).map(|(_, ours)| *ours);
    foreign.or_else(|| best_match(word, items))
}

/// Something between items that begins none and resembles nothing.
pub fn junk(span: Span, token: Token, word: &str) -> Diagnostic {
    let unexpected = |message: String| Diagnostic::error(Code::UnexpectedToken, span, message);
    match token {
        token if token.closes() => {
            Diagnostic::error(Code::UnclosedDelimiter, span, format!("this {} closes nothing", token.shown()))
                .help("delete it, or add its partner")
        }
        Token::Doc => unexpected("this `///` comment documents nothing".into())
            .help("put it above an item, a rule, a field, a parameter, a row and the like; or write `//`"),
        Token::Allow | Token::Deny | Token::Require => {
            unexpected(format!("a rule stands in a policy, this `{word}` in none"))
                .help("write `policy name on action { … }` around it")
        }
        Token::Let => unexpected("`let` stands in policies and invariants".into())
            .help("write `const` for a value of the whole module"),
        Token::Word if matches!(word, "permit" | "forbid") => unexpected(format!("nothing begins with `{word}` here"))
            .help("write `allow` or `deny` in `policy name on action { … }`"),
        Token::Word => unexpected(format!("`{word}` begins no item"))
            .help("an item begins with a word like `entity`, `action`, `enum`, `policy` or `test`"),
        token => unexpected(format!("no item begins with {}", token.shown())),
    }
}

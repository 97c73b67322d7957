//! Keywords that stand where only a name can become plain words, so that the grammar need not know.

use crate::syntax::token::{Lexeme, Token};

/// After `.`, before `:`, and before `=` in an argument list.
pub fn before_splitting(tokens: &mut [Lexeme]) {
    for at in 0..tokens.len() {
        if tokens[at].token.reserve().is_none() {
            continue;
        }
        let before = at.checked_sub(1).map(|before| tokens[before].token);
        let after = tokens.get(at + 1).map(|after| after.token);
        let names = before == Some(Token::Dot)
            || after == Some(Token::Colon)
            || (after == Some(Token::Assign) && matches!(before, Some(Token::OpenParen | Token::Comma)));
        if names {
            tokens[at].token = Token::Word;
        }
    }
}

/// In the braces of an `enum` every word is a name; in those of a `lifecycle` all but the heads of lines.
pub fn within_item(tokens: &mut [Lexeme]) {
    let Some(head) = tokens.iter().position(|lexeme| lexeme.token != Token::Doc) else { return };
    let kind = tokens[head].token;
    if !matches!(kind, Token::Enum | Token::Lifecycle) {
        return;
    }
    let Some(open) = tokens.iter().position(|lexeme| lexeme.token == Token::OpenBrace) else { return };
    for at in open + 1..tokens.len() {
        if tokens[at].token.reserve().is_none() || tokens[at].token == Token::Underscore {
            continue;
        }
        let between = |token: Token| matches!(token, Token::Arrow | Token::Bar | Token::Comma);
        let heads_line = kind == Token::Lifecycle
            && matches!(tokens[at].token, Token::Initial | Token::Final)
            && !between(tokens[at - 1].token)
            && !tokens.get(at + 1).is_some_and(|after| between(after.token));
        if !heads_line {
            tokens[at].token = Token::Word;
        }
    }
}

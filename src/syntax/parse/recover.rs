//! placeholder
use super::{Parsed, Parser, split};
impl Parser<'_> {
    pub(super) fn recover_item(&mut self, source: split::Source<'_>, _junk: bool) -> Option<Parsed> {
        match self.attempt(super::Token::StartItem, source.tokens) {
            Ok(parsed) => Some(parsed),
            Err(failure) => {
                let at = source.tokens.get(failure.at).or(source.tokens.last()).copied()?;
                let message = format!("unexpected {}", at.token.shown());
                let span = self.span(at.start, at.end);
                self.diagnostics.push(
                    super::Diagnostic::error(super::Code::UnexpectedToken, span, message)
                        .label(failure.expected.join(" ")),
                );
                self.error_item(source.tokens)
            }
        }
    }
}

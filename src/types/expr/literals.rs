//! Literals: from their text to constants, by the readers of `data`.

use std::fmt::Display;
use std::sync::Arc;

use crate::base::span::Span;
use crate::data::decimal::{Decimal, DecimalError};
use crate::data::duration::Duration;
use crate::data::ip::{IpAddr, IpNet};
use crate::data::path::Path;
use crate::data::pattern::{Pattern, PatternError, regex_fault};
use crate::data::timestamp::Timestamp;
use crate::data::url::Url;
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{Literal, Tag};
use crate::types::expr::faults::{self, exactly};
use crate::types::expr::{Checked, Checker};
use crate::types::relate;
use crate::types::ty::Type;
use crate::types::typed::{Const, PatternSource};

impl Checker<'_, '_> {
    /// A literal.
    pub(super) fn literal(&mut self, literal: &Literal, span: Span, expected: Option<&Type>) -> Checked {
        match constant(literal, span) {
            Ok((value, ty)) => {
                let found = Checked::constant(value, ty, span);
                if matches!(expected.map(relate::inner), Some(Type::Decimal)) && matches!(found.expr.ty, Type::Int(_)) {
                    return self.fail(faults::mixed_numbers(&found, "a Decimal is needed here"));
                }
                found
            }
            Err(diagnostic) => self.fail(*diagnostic),
        }
    }

    /// `text matches glob"…"`: the pattern has to be a literal, and a good one.
    pub(super) fn pattern_source(&mut self, literal: &Literal, span: Span) -> Option<PatternSource> {
        let (tag, text) = match literal {
            Literal::Tagged(tag @ (Tag::Glob | Tag::Regex), text) => (*tag, text),
            _ => return None,
        };
        let source =
            if tag == Tag::Glob { PatternSource::Glob(text.clone()) } else { PatternSource::Regex(text.clone()) };
        if self.session.patterns.contains(&source) {
            return Some(source);
        }
        let (compiled, code) = match tag {
            Tag::Glob => (Pattern::glob(text), Code::BadGlob),
            _ => (Pattern::regex(text), Code::BadRegex),
        };
        match compiled {
            Ok(_) => _ = self.session.patterns.insert(source.clone()),
            Err(error) => self.session.sink.push(bad_pattern(code, span, tag, text, error)),
        }
        Some(source)
    }
}

fn bad_pattern(code: Code, span: Span, tag: Tag, text: &str, error: PatternError) -> Diagnostic {
    let what = if tag == Tag::Glob { "glob" } else { "regular expression" };
    match error {
        PatternError::Glob { offset, fault } => {
            // The text stands behind the tag and a quotation mark, as it is.
            let start = span.start.saturating_add("glob\"".len() as u32).saturating_add(offset).min(span.end);
            let length = text.get(offset as usize..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
            let at = Span::new(span.file, start, start.saturating_add(length as u32).min(span.end));
            Diagnostic::error(code, at, format!("this is not a glob: {fault}"))
        }
        PatternError::Regex => {
            let fault = regex_fault(text).unwrap_or_else(|| error.to_string());
            Diagnostic::error(code, span, format!("this is not a regular expression: {fault}"))
        }
        error => Diagnostic::error(code, span, format!("this {what} can't be used: {error}")),
    }
}

/// The value and type of a literal; patterns are no values.
pub(super) fn constant(literal: &Literal, span: Span) -> Result<(Const, Type), Box<Diagnostic>> {
    let bad = |code, error: &dyn Display| Box::new(Diagnostic::error(code, span, error.to_string()));
    Ok(match literal {
        Literal::Bool(value) => (Const::Bool(*value), Type::Bool),
        Literal::Int(text) => {
            let value: i64 = text.parse().map_err(|_| {
                Box::new(
                    Diagnostic::error(Code::NumberTooLarge, span, format!("{text} does not fit into 64 bits"))
                        .label("too large")
                        .help("an Int goes from -9223372036854775808 to 9223372036854775807"),
                )
            })?;
            (Const::Int(value), exactly(value))
        }
        Literal::Decimal(text) => {
            let value = Decimal::parse(text).map_err(|error| match error {
                DecimalError::Malformed => bad(Code::BadNumber, &error),
                DecimalError::Overflow | DecimalError::Inexact => bad(Code::NumberTooLarge, &error),
            })?;
            (Const::Decimal(value), Type::Decimal)
        }
        Literal::Duration(text) => {
            let value = Duration::parse(text).map_err(|error| bad(Code::BadDuration, &error))?;
            (Const::Duration(value), Type::Duration)
        }
        Literal::String(text) => (Const::String(text.clone()), text_type(text)),
        Literal::Tagged(tag, text) => tagged(*tag, text, span)?,
    })
}

fn tagged(tag: Tag, text: &Arc<str>, span: Span) -> Result<(Const, Type), Box<Diagnostic>> {
    let bad = |code, error: &dyn Display| Box::new(Diagnostic::error(code, span, error.to_string()));
    Ok(match tag {
        Tag::Timestamp => {
            let value = Timestamp::parse(text).map_err(|error| bad(Code::BadTimestamp, &error))?;
            (Const::Timestamp(value), Type::Timestamp)
        }
        Tag::Ip => {
            let value = IpAddr::parse(text).map_err(|error| {
                let diagnostic = bad(Code::BadAddress, &error);
                let is_network = IpNet::parse(text).is_ok();
                if is_network { Box::new(diagnostic.help("a network is written `net\"…\"`")) } else { diagnostic }
            })?;
            (Const::Ip(value), Type::IpAddr)
        }
        Tag::Net => {
            let value = IpNet::parse(text).map_err(|error| bad(Code::BadAddress, &error))?;
            (Const::Net(value), Type::IpNet)
        }
        Tag::Url => {
            let value = Url::parse(text).map_err(|error| bad(Code::BadUrl, &error))?;
            (Const::Url(value), Type::Url)
        }
        Tag::Path => {
            let value = Path::parse(text).map_err(|error| bad(Code::BadPath, &error))?;
            (Const::Path(value), Type::Path)
        }
        Tag::Glob | Tag::Regex => {
            return Err(Box::new(
                Diagnostic::error(Code::PatternNotLiteral, span, "a pattern can stand only behind `matches`")
                    .label("not a value")
                    .help("write `text matches glob\"…\"` or `text matches regex\"…\"`"),
            ));
        }
    })
}

/// The type of a text that is known.
pub(super) fn text_type(text: &str) -> Type {
    Type::String(u32::try_from(text.len()).unwrap_or(u32::MAX))
}

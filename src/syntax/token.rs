//! The kinds of tokens, and the one table of keywords.
//!
//! A token has no text of its own: whoever needs it takes it from the source by its span. Nothing here reads a source.

/// A token with its place, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lexeme {
    /// What it is.
    pub token: Token,
    /// The first byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// How far a keyword is kept from being a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reserve {
    /// Never a bare name; still a field or variant name after `.` and before `:`.
    Hard,
    /// A keyword in its place, a name everywhere else.
    Soft,
}

macro_rules! tokens {
    (
        keywords { $($keyword:ident $word:literal $reserve:ident;)* }
        signs { $($sign:ident $text:literal;)* }
        classes { $($class:ident $shown:literal;)* }
    ) => {
        /// A kind of token.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Token {
            $(#[doc = concat!("`", $word, "`")] $keyword,)*
            $(#[doc = concat!("`", $text, "`")] $sign,)*
            $(#[doc = $shown] $class,)*
        }

        /// Every keyword: its text, its token, and whether it may be a bare name.
        pub const KEYWORDS: &[(&str, Token, Reserve)] = &[$(($word, Token::$keyword, Reserve::$reserve)),*];

        impl Token {
            /// The keyword that a word is.
            #[must_use]
            pub fn keyword(word: &str) -> Option<Token> {
                match word {
                    $($word => Some(Token::$keyword),)*
                    _ => None,
                }
            }

            /// Whether it is a keyword, and how firmly.
            #[must_use]
            pub fn reserve(self) -> Option<Reserve> {
                match self {
                    $(Token::$keyword => Some(Reserve::$reserve),)*
                    _ => None,
                }
            }

            /// How a message names it: the text in backticks, or what the class is.
            #[must_use]
            pub fn shown(self) -> &'static str {
                match self {
                    $(Token::$keyword => concat!("`", $word, "`"),)*
                    $(Token::$sign => concat!("`", $text, "`"),)*
                    $(Token::$class => $shown,)*
                }
            }
        }
    };
}

tokens! {
    keywords {
        // Items.
        Module "module" Soft;
        Use "use" Soft;
        Include "include" Soft;
        Const "const" Soft;
        Enum "enum" Soft;
        Record "record" Soft;
        Entity "entity" Soft;
        Action "action" Soft;
        Obligation "obligation" Soft;
        Fn "fn" Soft;
        Table "table" Soft;
        Lifecycle "lifecycle" Soft;
        Policy "policy" Soft;
        Invariant "invariant" Soft;
        Prove "prove" Soft;
        Test "test" Soft;
        // Words within the heads of items.
        Shadow "shadow" Soft;
        Presented "presented" Soft;
        Approver "approver" Soft;
        As "as" Soft;
        Type "type" Soft;
        Governed "governed" Soft;
        By "by" Soft;
        Group "group" Soft;
        On "on" Soft;
        Max "max" Soft;
        // Words within actions, lifecycles, claims, tests.
        Subject "subject" Soft;
        Resource "resource" Soft;
        Context "context" Soft;
        Initial "initial" Soft;
        Final "final" Soft;
        Never "never" Soft;
        Always "always" Soft;
        At "at" Soft;
        Most "most" Soft;
        One "one" Soft;
        Of "of" Soft;
        Rule "rule" Soft;
        Given "given" Soft;
        Facts "facts" Soft;
        Expect "expect" Soft;
        Approval "approval" Soft;
        To "to" Soft;
        After "after" Soft;
        // Lines and clauses.
        Let "let" Hard;
        Allow "allow" Hard;
        Deny "deny" Hard;
        Require "require" Hard;
        When "when" Hard;
        Unless "unless" Hard;
        From "from" Hard;
        Quorum "quorum" Hard;
        Within "within" Hard;
        Escalate "escalate" Hard;
        Distinct "distinct" Hard;
        Code "code" Hard;
        Because "because" Hard;
        Oblige "oblige" Hard;
        // Expressions.
        And "and" Hard;
        Or "or" Hard;
        Not "not" Hard;
        Implies "implies" Hard;
        In "in" Hard;
        Contains "contains" Hard;
        ContainsAll "contains_all" Hard;
        ContainsAny "contains_any" Hard;
        StartsWith "starts_with" Hard;
        EndsWith "ends_with" Hard;
        Matches "matches" Hard;
        Is "is" Hard;
        Union "union" Hard;
        Intersect "intersect" Hard;
        Except "except" Hard;
        If "if" Hard;
        Then "then" Hard;
        Else "else" Hard;
        Match "match" Hard;
        Any "any" Hard;
        All "all" Hard;
        Count "count" Hard;
        Acyclic "acyclic" Hard;
        True "true" Hard;
        False "false" Hard;
        Underscore "_" Hard;
    }
    signs {
        OpenParen "(";
        CloseParen ")";
        OpenBracket "[";
        CloseBracket "]";
        OpenBrace "{";
        CloseBrace "}";
        Comma ",";
        Dot ".";
        Colon ":";
        DoubleColon "::";
        Assign "=";
        FatArrow "=>";
        Arrow "->";
        Equal "==";
        NotEqual "!=";
        Less "<";
        LessEqual "<=";
        Greater ">";
        GreaterEqual ">=";
        Plus "+";
        Minus "-";
        Star "*";
        Slash "/";
        Bar "|";
        Question "?";
        Coalesce "??";
        At_ "@";
        RangeInclusive "..=";
        RangeOpen "..";
    }
    classes {
        Word "a name";
        Int "a number";
        Decimal "a decimal number";
        Duration "a duration";
        String "a string";
        Tagged "a tagged string";
        Doc "a `///` comment";
        // Stands for an expression that the lexer or the recovery could not keep.
        BadExpr "a faulty expression";
        BadType "a faulty type";
        BadLine "a faulty line";
        BadClause "a faulty clause";
        // A character that nothing accepts.
        Bad "a stray character";
        // The first token of every parse: says what the grammar has to read.
        StartItem "the start of an item";
        StartPolicyLine "the start of a policy line";
        StartRuleHead "the start of a rule";
        StartClause "the start of a clause";
        StartInvariantLine "the start of an invariant line";
        StartRow "the start of a table row";
        StartTestLine "the start of a test line";
        StartField "the start of a field";
        StartVariant "the start of a variant";
        StartLifecycleLine "the start of a lifecycle line";
        StartClaim "the start of a claim";
        StartActionEntry "the start of an action entry";
        StartInvariant "the start of an invariant";
        StartGovernedPart "the start of a part of a record";
    }
}

impl Token {
    /// Whether it begins an item of a file.
    #[must_use]
    pub fn begins_item(self) -> bool {
        self >= Token::Module && self <= Token::Test
    }

    /// Whether it begins a clause of a rule.
    #[must_use]
    pub fn begins_clause(self) -> bool {
        self >= Token::When && self <= Token::Oblige
    }

    /// Whether it opens a bracket that has to be closed.
    #[must_use]
    pub fn opens(self) -> bool {
        matches!(self, Token::OpenParen | Token::OpenBracket | Token::OpenBrace)
    }

    /// Whether it closes one.
    #[must_use]
    pub fn closes(self) -> bool {
        matches!(self, Token::CloseParen | Token::CloseBracket | Token::CloseBrace)
    }

    /// Whether an expression, type or name may end with it, so that a name right after it continues nothing.
    #[must_use]
    pub fn ends_operand(self) -> bool {
        matches!(
            self,
            Token::Word
                | Token::Int
                | Token::Decimal
                | Token::Duration
                | Token::String
                | Token::Tagged
                | Token::BadExpr
                | Token::True
                | Token::False
                | Token::CloseParen
                | Token::CloseBracket
                | Token::CloseBrace
                | Token::Question
                | Token::Comma
                | Token::Distinct
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_found_by_their_text() {
        for &(word, token, reserve) in KEYWORDS {
            assert_eq!(Token::keyword(word), Some(token));
            assert_eq!(token.reserve(), Some(reserve));
            assert_eq!(token.shown(), format!("`{word}`"));
        }
        assert_eq!(Token::keyword("And"), None);
    }
}

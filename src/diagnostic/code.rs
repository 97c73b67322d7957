//! The table of codes: the one place where a code, its name and its title are written.
//!
//! A new code is one line in [`codes!`](self), in the order of the numbers, and one page in `docs/errors/`. A number
//! is never used again once it was released.
//!
//! | range | about |
//! | --- | --- |
//! | E01xx | characters and literals |
//! | E02xx | syntax |
//! | E03xx | names, modules, packages |
//! | E04xx | types |
//! | E05xx | constants, intervals, refinements |
//! | E06xx | tables, `match`, exhaustiveness |
//! | E07xx | rules, policies, approvals, the binding |
//! | E08xx | lifecycles, records |
//! | E09xx | tests |
//! | E10xx | what a policy means for all requests |
//! | W0xxx, W1xxx | warnings |
//! | N0xxx | notes about a run as a whole |
//! | N1xxx | notes on what a policy means |

use std::fmt;

use super::model::Severity;

macro_rules! codes {
    ($($id:ident $name:ident $title:literal;)*) => {
        /// What kind of fault a diagnostic reports; stable across releases.
        ///
        /// Ordered as in the table, so by range and number.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(
                #[doc = concat!("`", stringify!($id), "`: ", $title, ".")]
                $name,
            )*
        }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Code] = &[$(Code::$name),*];

            /// The code as people write it: `E0101`.
            #[must_use]
            pub const fn id(self) -> &'static str {
                match self {
                    $(Code::$name => stringify!($id),)*
                }
            }

            /// The code's name in the table: `UnterminatedString`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Code::$name => stringify!($name),)*
                }
            }

            /// What the code means in a few words, in lower case and without a full stop.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self {
                    $(Code::$name => $title,)*
                }
            }
        }
    };
}

codes! {
    E0101 UnterminatedString "a string is not closed";
    E0102 UnterminatedComment "a comment is not closed";
    E0103 BadEscape "an escape that strings do not know";
    E0104 StrayCharacter "a character that means nothing";
    E0105 LookAlikeCharacter "a character that only looks like another";
    E0106 BidiControl "an invisible character that reorders text";
    E0107 ControlCharacter "a control character";
    E0108 NotUtf8 "a file that is not UTF-8";
    E0109 FileTooLarge "a file that is too large";
    E0110 NumberTooLarge "a number that is too large";
    E0111 BadNumber "a number that is not written as one";
    E0112 BadDuration "a duration that is not written as one";
    E0113 BadTimestamp "a timestamp that is not one";
    E0114 BadAddress "an IP address or network that is not one";
    E0115 BadUrl "a URL that is not one";
    E0116 BadPath "a path that is not one";
    E0117 BadGlob "a glob that is not one";
    E0118 BadRegex "a regular expression that is not one";
    E0119 NameTooLong "a name that is too long";

    E0201 UnexpectedToken "something that does not belong here";
    E0202 MissingToken "something is missing";
    E0203 NestingTooDeep "nesting that is too deep";
    E0204 ReservedWord "a reserved word used as a name";
    E0205 UnexpectedEnd "the file ends too early";
    E0206 UnclosedDelimiter "a bracket without its partner";

    E0301 UnknownName "a name that is not declared";
    E0302 WrongSort "a name of something of another sort";
    E0303 DuplicateName "a name that is declared twice";
    E0304 UnknownField "a field that is not declared";
    E0305 BadTypeArguments "type arguments that do not fit";
    E0306 BadElement "a collection that can't hold its elements";
    E0307 NestedOptional "an optional of an optional";
    E0308 BadRange "a range that is empty or of the wrong type";
    E0309 BadBound "a bound that is not possible";
    E0310 ReservedName "a name that is taken already";
    E0311 UnknownModule "a module that does not exist";
    E0312 DuplicateModule "a module that is declared twice";
    E0313 UnknownAnnotation "an annotation that does not exist";
    E0314 MisplacedAnnotation "an annotation that does not belong here";
    E0315 BadEnum "an enum without variants or with too many";
    E0316 ConstantCycle "a constant that depends on itself";
    E0317 RecursiveFunction "a function that calls itself";
    E0318 MisplacedDefault "a default where none can be";
    E0319 PresentedHierarchy "a presented entity type with a hierarchy";
    E0320 PresentedApprover "an approver that is presented";
    E0321 PresentedContainment "a presented entity type that is held where it can't be";
    E0322 MissingRole "an action without a subject or a resource";
    E0323 GroupContext "a context field that is not as in the group";
    E0324 GroupRole "a subject or resource that the action's group does not allow";
    E0325 GroupInGroup "a group of actions in a group";
    E0326 UnknownParameter "an argument that the module does not take";
    E0327 MissingArgument "a parameter of a module without a value";
    E0328 DuplicateArgument "an argument that is given twice";
    E0329 IncludeCycle "a module that includes itself";
    E0330 AmbiguousInstance "two instances of modules under one name";
    E0331 TooManyInstances "too many instances of modules";
    E0332 ReservedModule "a module name that is taken by the standard library";
    E0390 BadManifest "a pdl.toml that can't be used";
    E0391 BadDependency "a dependency that can't be used";

    E0401 TypeMismatch "a value of the wrong type";
    E0402 DifferentTypes "a comparison of different types";
    E0403 MaybeAbsent "a value that may be absent";
    E0404 AlwaysPresent "a question about a value that is always there";
    E0405 NoSuchOperator "an operator that these types do not have";
    E0406 MixedNumbers "integers and decimals mixed";
    E0407 WrongCount "the wrong number of arguments";
    E0408 UnknownVariant "a variant that the enum does not have";
    E0409 AmbiguousName "a name that could mean two things";
    E0410 NeedsType "a value whose type nothing says";
    E0411 NotAValue "a name that is no value";
    E0412 UnknownMember "a member that the type does not have";
    E0413 PatternNotLiteral "a pattern that is not written out";
    E0414 ImpossibleHierarchy "an `in` that can never hold";
    E0415 LiteralAttribute "an attribute of an entity that the policy names";
    E0416 DivisorNotConstant "a division by what may be zero";
    E0417 OnlySomeHave "something that only some types or actions have";
    E0418 DifferentInActions "one name with different types";
    E0419 Shadowing "a name that would hide another";
    E0420 NotReadable "a part of the request where there is none";
    E0421 MissingField "a record that is not complete";
    E0422 BoundExceeded "a value that may be larger than its place";
    E0423 ForeignParameter "a function that reads a parameter of another module";

    E0501 OutOfRange "an integer outside the range of its place";
    E0502 NotConstant "a value that is not constant";
    E0503 CannotCalculate "a constant that can't be calculated";
    E0504 AlwaysFalse "a condition that is always false";
    E0505 AlwaysTrue "a condition that is always true";
    E0506 Unreachable "a branch that can never be reached";
    E0507 Repeated "an element that is there twice";

    E0601 NotExhaustive "a case that nothing covers";
    E0602 HiddenRow "a row or arm that can never be reached";
    E0603 WrongColumns "a row with the wrong number of patterns";
    E0604 BadPattern "a pattern that does not fit";
    E0605 TooEntangled "a table that is too entangled";

    E0701 MisplacedClause "a clause that does not belong there";
    E0702 RepeatedClause "a clause that is there twice";
    E0703 MissingClause "a clause that is not there";
    E0704 NoApprover "a group that nobody can approve for";
    E0705 QuorumTooSmall "a quorum that may be less than one";
    E0706 BadDeadline "a deadline that is not one";
    E0707 AdvisoryRead "a rule that reads an advisory field";
    E0708 MessageNotPath "a message that is more than text and reads";
    E0709 BadCode "a code that is not written as one";
    E0710 ObligationMayFail "an obligation whose argument may be an error";
    E0711 BadClaim "a claim that says nothing";
    E0790 TooLargeToCompile "something that is too large to compile";

    E0801 EmptyLifecycle "a lifecycle without steps";
    E0802 UnknownState "a state that no step has";
    E0803 DuplicateStep "a step or state that is written twice";
    E0804 StepOutOfFinal "a step out of a final state";
    E0805 DeadEnd "a state that nothing leaves and that is not final";
    E0806 UnreachableState "a state that nothing leads to";
    E0807 RecursiveRecord "a record that holds itself";
    E0808 GovernedWithOthers "an action on a governed record and on other types";

    E0901 TestRole "a test without a subject, a resource or a request";
    E0902 TestMissingField "a value that a test does not give";
    E0903 TestWrongSide "a field given from the wrong side";
    E0904 TestParent "a parent that an entity can't have";
    E0905 TestType "a subject or resource of the wrong type";
    E0906 TestRule "a rule that can't be among the answer's";
    E0907 TestCode "a code that no rule of the action has";
    E0908 TestAnswer "an answer that does not exist";
    E0909 TestQuorum "a quorum where there is no gate";
    E0910 TestObligation "an obligation that the answer can't have";
    E0911 TestDuplicate "something that a test gives twice";
    E0990 TestFailed "a test that fails";
    E0991 MutantSurvived "a change that no test notices";
    E0992 StaleExplanation "an explanation of a change that tests notice, or that is none";

    E1001 ClaimRefuted "a claim that does not hold";
    E1002 Widened "a request is more permitted than before";
    W0001 UnusedImport "an import that is not used";
    W0002 DuplicateImport "a name that is imported twice";
    W0401 UnusedLet "a `let` that nobody reads";
    W0701 NothingAllowed "an action that nothing allows";
    W0702 Unguarded "an action whose group's rules are not active";

    W1001 MeansUndecided "a question that stays undecided";
    W1002 NeverMatches "a rule that never matches";
    W1003 NeverWorks "a rule that never changes an answer";
    W1004 MayFail "a rule that can fail";
    W1005 NobodyAsked "a gate at which nobody is ever asked";
    N0001 MoreFaults "more faults than are shown";
    N1001 AnswerChanged "an answer that changes, and permits no more";
    N1002 GuardAtWork "an invariant that the rules do not imply";
}

impl Code {
    /// The code of an id, whatever its case; `None` where the table has no such line.
    #[must_use]
    pub fn parse(id: &str) -> Option<Code> {
        Code::ALL.iter().copied().find(|code| code.id().eq_ignore_ascii_case(id))
    }

    /// How bad a fault with this code is: its letter says so.
    #[must_use]
    pub const fn severity(self) -> Severity {
        match self.id().as_bytes()[0] {
            b'W' => Severity::Warning,
            b'N' => Severity::Note,
            _ => Severity::Error,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_order_and_well_formed() {
        for code in Code::ALL {
            let id = code.id();
            assert!(
                id.len() == 5 && id[1..].bytes().all(|byte| byte.is_ascii_digit()),
                "{id}: a letter and four digits"
            );
            assert!(matches!(id.as_bytes()[0], b'E' | b'W' | b'N'), "{id} begins with E, W or N");
            assert!(!code.title().is_empty() && !code.title().ends_with('.'), "{id}: a title has no full stop");
            assert_eq!(Code::parse(&id.to_lowercase()), Some(*code));
        }
        for pair in Code::ALL.windows(2) {
            let (before, after) = (pair[0].id(), pair[1].id());
            let key = |id: &str| (["E", "W", "N"].iter().position(|letter| id.starts_with(letter)), id.to_owned());
            assert!(key(before) < key(after), "{before} stands before {after} in the table");
        }
        assert_eq!(Code::parse("E9999"), None);
    }
}

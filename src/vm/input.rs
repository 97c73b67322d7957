//! What is wrong with a request or with facts: kinds, paths and sentences.
//!
//! An input error makes the decision a DENY of kind `error`, and nothing runs. It says in which document it is, at which
//! path, and in plain words why. Only a faulty document pays for making one.

use std::fmt;

use crate::base::limits::REQUEST_BYTES_MAX;
use crate::bytecode::schema::{Schema, Type, TypeId};
use crate::vm::json::path::{path_at, push_key};
use crate::vm::json::{JsonError, JsonFault};

/// Which document is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Document {
    /// The request, which the caller sends.
    Request,
    /// The facts, which the kernel gives.
    Facts,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident $name:literal,)*) => {
        /// The kinds of input errors.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum InputErrorKind {
            $($(#[$doc])* $variant,)*
        }

        impl InputErrorKind {
            /// All of them.
            pub const ALL: &'static [InputErrorKind] = &[$(InputErrorKind::$variant),*];

            /// The name in decisions and logs.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(InputErrorKind::$variant => $name,)*
                }
            }
        }
    };
}

kinds! {
    /// The document is not JSON as the reader demands it.
    Malformed "malformed",
    /// The document has too many bytes.
    TooLarge "too_large",
    /// The nesting is too deep.
    TooDeep "too_deep",
    /// The same key stands twice in an object.
    DuplicateKey "duplicate_key",
    /// A key that nothing declares.
    UnknownField "unknown_field",
    /// A field that has to be there is not.
    MissingField "missing_field",
    /// A value of another type.
    WrongType "wrong_type",
    /// A number that the type cannot hold exactly.
    NumberUnfit "number_unfit",
    /// A number outside the bounds that its field declares.
    OutOfRange "out_of_range",
    /// A string with too many bytes.
    TooLong "too_long",
    /// A collection with too many elements.
    TooManyElements "too_many_elements",
    /// The same element stands twice in a set.
    DuplicateElement "duplicate_element",
    /// A string that is no variant of the enum.
    UnknownVariant "unknown_variant",
    /// A string that is not a time, an address, a URL or a path, as its type demands.
    UnreadableText "unreadable_text",
    /// A field of the context that stands both there and in the properties of the action; an attribute of one entity, the
    /// subject and the resource, that both give.
    GivenTwice "given_twice",
    /// The caller gives what only the kernel may say.
    KernelField "kernel_field",
    /// The facts hold what only the caller may say.
    CallerField "caller_field",
    /// The request gives an attribute that comes from the registry.
    RegistryAttribute "registry_attribute",
    /// No action has this name.
    UnknownAction "unknown_action",
    /// No entity type has this name.
    UnknownEntityType "unknown_entity_type",
    /// An entity of a type that may not stand here.
    EntityTypeNotAllowed "entity_type_not_allowed",
    /// An entity that the registry does not know.
    UnknownEntity "unknown_entity",
}

/// An input error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputError {
    /// What is wrong.
    pub kind: InputErrorKind,
    /// Where.
    pub document: Document,
    /// The offset of a byte of the document.
    pub offset: usize,
    /// The path to the value or key: `context.items[3]`; empty for the whole document.
    pub path: String,
    /// One sentence in plain words.
    pub message: String,
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = match self.document {
            Document::Request => "the request",
            Document::Facts => "the facts",
        };
        let path = if self.path.is_empty() { whole } else { &self.path };
        write!(f, "{path}: {}", self.message)
    }
}

impl std::error::Error for InputError {}

/// An error on its way up: `locate` gives it document and path.
pub type Fail = Box<InputError>;

/// Makes an error at an offset. The last part of its path, where the document has none for it, is given by `missing`.
#[cold]
pub(crate) fn fail(kind: InputErrorKind, offset: usize, missing: Option<&str>, message: String) -> Fail {
    let path = missing.unwrap_or("").to_owned();
    Box::new(InputError { kind, document: Document::Request, offset, path, message })
}

/// Gives an error its document and path.
#[cold]
pub(crate) fn locate(mut error: Fail, document: Document, bytes: &[u8]) -> Fail {
    let mut path = path_at(bytes, error.offset);
    if !error.path.is_empty() {
        push_key(&mut path, &error.path);
    }
    error.document = document;
    error.path = path;
    error
}

/// The error for a document that has too many bytes.
#[cold]
pub(crate) fn too_large() -> Fail {
    fail(InputErrorKind::TooLarge, 0, None, format!("the document is longer than {REQUEST_BYTES_MAX} bytes"))
}

impl From<JsonError> for Fail {
    #[cold]
    fn from(error: JsonError) -> Fail {
        let kind = match error.fault {
            JsonFault::DuplicateKey => InputErrorKind::DuplicateKey,
            JsonFault::TooDeep => InputErrorKind::TooDeep,
            JsonFault::NotUtf8
            | JsonFault::ByteOrderMark
            | JsonFault::UnexpectedEnd
            | JsonFault::Unexpected
            | JsonFault::BadNumber
            | JsonFault::BadEscape
            | JsonFault::LoneSurrogate
            | JsonFault::ControlCharacter
            | JsonFault::TrailingData => InputErrorKind::Malformed,
        };
        fail(kind, error.offset, None, format!("{} (at byte {})", error.fault, error.offset))
    }
}

/// What JSON a type is written as, in words: `a whole number`.
#[must_use]
pub fn expected(schema: &Schema, ty: TypeId) -> String {
    match schema.ty(ty) {
        Type::Bool => "true or false".to_owned(),
        Type::Int { .. } => "a whole number".to_owned(),
        Type::Decimal => "a number".to_owned(),
        Type::String { .. } => "a string".to_owned(),
        Type::Duration => "a string with a duration, such as \"1h30m\"".to_owned(),
        Type::Timestamp => "a string with a time, such as \"2026-01-31T12:00:00Z\"".to_owned(),
        Type::Ip => "a string with an IP address".to_owned(),
        Type::Net => "a string with a block of IP addresses, such as \"10.0.0.0/8\"".to_owned(),
        Type::Url => "a string with a URL".to_owned(),
        Type::Path => "a string with an absolute path".to_owned(),
        Type::Enum(at) => format!("a string: a variant of {}", schema.enums[*at as usize].name),
        Type::Record(at) => format!("an object: the record {}", schema.records[*at as usize].name),
        Type::Entity(types) => match types.as_slice() {
            [only] => format!("an entity of type {}", schema.entity_types[*only as usize].name),
            _ => "an entity: an object with `type` and `id`".to_owned(),
        },
        Type::Set(..) => "an array without duplicates".to_owned(),
        Type::List(..) => "an array".to_owned(),
        Type::Map(..) => "an object".to_owned(),
        Type::Optional(inner) => expected(schema, *inner),
    }
}

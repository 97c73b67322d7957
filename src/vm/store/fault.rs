//! What is wrong with entities: every fault names its entity.

use std::fmt;

use crate::vm::input::{InputError, InputErrorKind};

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident $name:literal,)*) => {
        /// The kinds of faults.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum EntityFaultKind {
            $($(#[$doc])* $variant,)*
        }

        impl EntityFaultKind {
            /// All of them.
            pub const ALL: &'static [EntityFaultKind] = &[$(EntityFaultKind::$variant),*];

            /// The name in logs.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(EntityFaultKind::$variant => $name,)*
                }
            }
        }
    };
}

kinds! {
    /// The document is not JSON as the reader demands it, or not of the right form.
    Malformed "malformed",
    /// The document has too many bytes, or too many entities, or a hierarchy too wide for its sets of ancestors.
    TooLarge "too_large",
    /// No entity type has this name.
    UnknownType "unknown_type",
    /// Entities of this type come with requests, not from the registry.
    PresentedType "presented_type",
    /// The entity stands twice.
    Duplicate "duplicate",
    /// An attribute that its type does not declare.
    UnknownAttribute "unknown_attribute",
    /// An attribute that has to be there is not.
    MissingAttribute "missing_attribute",
    /// The value of an attribute is not of its type.
    TypeError "type_error",
    /// An attribute names an entity that is not there.
    DanglingReference "dangling_reference",
    /// A parent is not there.
    DanglingParent "dangling_parent",
    /// Entities of the parent's type can't be parents of this one.
    ParentNotAllowed "parent_not_allowed",
    /// An entity lies below itself.
    Cycle "cycle",
    /// A patch removes what is not there.
    UnknownRemoval "unknown_removal",
}

/// A fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntityFault {
    /// What is wrong.
    pub kind: EntityFaultKind,
    /// The type and id of the entity, as far as they are known.
    pub entity: Option<(String, String)>,
    /// The path to the value, from the entity on, or from the document where no entity is known.
    pub path: String,
    /// One sentence in plain words.
    pub message: String,
}

impl fmt::Display for EntityFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.entity {
            Some((ty, id)) => write!(f, "{ty} \"{}\"", id.escape_debug())?,
            None => f.write_str("the entities")?,
        }
        if self.path.is_empty() {
            write!(f, ": {}", self.message)
        } else {
            write!(f, ", {}: {}", self.path, self.message)
        }
    }
}

impl std::error::Error for EntityFault {}

/// Entities, or a patch, are refused as a whole: everything that is wrong with them, and never nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntitiesRefused(Vec<EntityFault>);

impl EntitiesRefused {
    /// The faults, in the order of the document.
    #[must_use]
    pub fn faults(&self) -> &[EntityFault] {
        &self.0
    }
}

impl From<Vec<EntityFault>> for EntitiesRefused {
    fn from(faults: Vec<EntityFault>) -> EntitiesRefused {
        EntitiesRefused(faults)
    }
}

impl fmt::Display for EntitiesRefused {
    /// The first fault, and how many more there are.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(first) = self.0.first() else { return f.write_str("the entities are refused") };
        write!(f, "{first}")?;
        if self.0.len() > 1 { write!(f, " (and {} more)", self.0.len() - 1) } else { Ok(()) }
    }
}

impl std::error::Error for EntitiesRefused {}

/// What an error of decoding is among entities.
pub(super) fn kind_of(error: &InputError, is_parent: bool) -> EntityFaultKind {
    match error.kind {
        InputErrorKind::UnknownEntity if is_parent => EntityFaultKind::DanglingParent,
        InputErrorKind::UnknownEntity => EntityFaultKind::DanglingReference,
        InputErrorKind::EntityTypeNotAllowed if is_parent => EntityFaultKind::ParentNotAllowed,
        InputErrorKind::UnknownField if !is_parent => EntityFaultKind::UnknownAttribute,
        InputErrorKind::UnknownEntityType if is_parent => EntityFaultKind::UnknownType,
        InputErrorKind::TooLarge => EntityFaultKind::TooLarge,
        InputErrorKind::Malformed | InputErrorKind::TooDeep | InputErrorKind::DuplicateKey => {
            EntityFaultKind::Malformed
        }
        _ => EntityFaultKind::TypeError,
    }
}

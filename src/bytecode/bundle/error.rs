//! Why a bundle is refused: each case its own error, with the section.

use std::fmt;

use crate::bytecode::bundle::signature::KeyId;
use crate::bytecode::bundle::{FORMAT_VERSION, Section};
use crate::bytecode::verify::VerifyError;
use crate::bytecode::wire::WireError;

/// Why a bundle is refused. [`BundleError::name`] is stable; variants may be added.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BundleError {
    /// It has more bytes than a bundle may have.
    TooLarge,
    /// It ends before this section does.
    CutShort {
        /// The section, or `header`, or `table`.
        section: &'static str,
    },
    /// It does not begin as bundles do.
    NotABundle,
    /// It is of another version of the format.
    Format {
        /// Which one.
        found: u16,
    },
    /// It has more sections than a bundle may have.
    TooManySections,
    /// A section is there twice or not where it belongs.
    SectionOrder {
        /// The section.
        section: &'static str,
    },
    /// A section is marked as something that it is not.
    Flags {
        /// The section.
        section: &'static str,
    },
    /// A section does not begin where the one before it ends.
    Offset {
        /// The section.
        section: &'static str,
    },
    /// There are bytes behind the last section.
    Trailing,
    /// A section that has to be understood is not known to this version.
    UnknownMandatory {
        /// Its number.
        kind: u16,
    },
    /// A section's bytes are not those that its digest stands for.
    WrongHash {
        /// The section.
        section: &'static str,
    },
    /// A section is not there.
    Missing {
        /// The section.
        section: &'static str,
    },
    /// A section is not in the manifest, or another there.
    NotInManifest {
        /// The section.
        section: &'static str,
    },
    /// A section cannot be read.
    Malformed {
        /// The section.
        section: &'static str,
        /// Why.
        reason: WireError,
    },
    /// The source map has not one place for each site, in a file that it names.
    SourceMap,
    /// The program is not one that can run.
    Refused(VerifyError),
    /// It is not signed, but a signature is demanded.
    Unsigned,
    /// It is signed, but by nobody who is trusted.
    Stranger {
        /// A signer.
        signer: KeyId,
    },
    /// It is signed by fewer of the trusted than demanded.
    TooFewSigners {
        /// How many signed.
        found: usize,
        /// How many are demanded.
        demanded: usize,
    },
    /// A signature is not one of this bundle.
    BadSignature {
        /// Of whom it is said to be.
        signer: KeyId,
    },
    /// Somebody signed twice, or the signatures are not sorted.
    SignerTwice,
    /// There are more signatures than a bundle may have.
    TooManySignatures,
    /// Signatures are demanded of a library that was built without them.
    NoSignatures,
}

impl BundleError {
    /// The stable name, for logs and programs.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            BundleError::TooLarge => "too_large",
            BundleError::CutShort { .. } => "cut_short",
            BundleError::NotABundle => "not_a_bundle",
            BundleError::Format { .. } => "format",
            BundleError::TooManySections => "too_many_sections",
            BundleError::SectionOrder { .. } => "section_order",
            BundleError::Flags { .. } => "flags",
            BundleError::Offset { .. } => "offset",
            BundleError::Trailing => "trailing",
            BundleError::UnknownMandatory { .. } => "unknown_mandatory",
            BundleError::WrongHash { .. } => "wrong_hash",
            BundleError::Missing { .. } => "missing",
            BundleError::NotInManifest { .. } => "not_in_manifest",
            BundleError::Malformed { .. } => "malformed",
            BundleError::SourceMap => "source_map",
            BundleError::Refused(_) => "refused",
            BundleError::Unsigned => "unsigned",
            BundleError::Stranger { .. } => "stranger",
            BundleError::TooFewSigners { .. } => "too_few_signers",
            BundleError::BadSignature { .. } => "bad_signature",
            BundleError::SignerTwice => "signer_twice",
            BundleError::TooManySignatures => "too_many_signatures",
            BundleError::NoSignatures => "no_signatures",
        }
    }

    /// The section that is at fault, where it is one; `header` and `table` stand for what comes before the sections.
    #[must_use]
    pub fn section(&self) -> Option<&'static str> {
        match self {
            BundleError::CutShort { section }
            | BundleError::SectionOrder { section }
            | BundleError::Flags { section }
            | BundleError::Offset { section }
            | BundleError::WrongHash { section }
            | BundleError::Missing { section }
            | BundleError::NotInManifest { section }
            | BundleError::Malformed { section, .. } => Some(section),
            BundleError::NotABundle | BundleError::Format { .. } => Some("header"),
            BundleError::TooManySections | BundleError::UnknownMandatory { .. } => Some("table"),
            BundleError::SourceMap => Some(Section::SourceMap.name()),
            _ if self.is_about_signatures() => Some(Section::Signatures.name()),
            _ => None,
        }
    }

    /// Whether it is about who signed.
    #[must_use]
    pub fn is_about_signatures(&self) -> bool {
        matches!(
            self,
            BundleError::Unsigned
                | BundleError::Stranger { .. }
                | BundleError::TooFewSigners { .. }
                | BundleError::BadSignature { .. }
                | BundleError::SignerTwice
                | BundleError::TooManySignatures
                | BundleError::NoSignatures
        )
    }
}

impl fmt::Display for BundleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BundleError::TooLarge => f.write_str("the bundle is larger than a bundle may be"),
            BundleError::CutShort { section } => write!(f, "the bundle is cut short in its {section}"),
            BundleError::NotABundle => f.write_str("this is not a bundle: its header does not begin with `PDLB`"),
            BundleError::Format { found } => {
                write!(f, "the header says format {found}; this version reads format {FORMAT_VERSION}")
            }
            BundleError::TooManySections => f.write_str("the table has more sections than a bundle may have"),
            BundleError::SectionOrder { section } => {
                write!(f, "the section `{section}` is there twice or not in its place")
            }
            BundleError::Flags { section } => write!(f, "the section `{section}` is marked as what it is not"),
            BundleError::Offset { section } => {
                write!(f, "the section `{section}` does not begin where the one before it ends")
            }
            BundleError::Trailing => f.write_str("there are bytes behind the last section"),
            BundleError::UnknownMandatory { kind } => {
                write!(f, "section {kind} has to be understood, and this version does not know it")
            }
            BundleError::WrongHash { section } => {
                write!(f, "the section `{section}` was changed: its digest is another")
            }
            BundleError::Missing { section } => write!(f, "the section `{section}` is missing"),
            BundleError::NotInManifest { section } => {
                write!(f, "the section `{section}` is not the one that the manifest lists")
            }
            BundleError::Malformed { section, reason } => {
                write!(f, "the section `{section}` cannot be read: {reason}")
            }
            BundleError::SourceMap => f.write_str("the section `source map` does not fit the program"),
            BundleError::Refused(error) => write!(f, "the program is refused: {error}"),
            BundleError::Unsigned => f.write_str("a signature is demanded, and the bundle has none"),
            BundleError::Stranger { signer } => {
                write!(f, "the bundle is signed by {signer}, whose key is not among those trusted")
            }
            BundleError::TooFewSigners { found, demanded } => {
                write!(f, "{demanded} trusted signatures are demanded, and the bundle has {found}")
            }
            BundleError::BadSignature { signer } => write!(f, "the signature of {signer} is not one of this bundle"),
            BundleError::SignerTwice => f.write_str("a signer is there twice, or the signatures are not sorted"),
            BundleError::TooManySignatures => f.write_str("there are more signatures than a bundle may have"),
            BundleError::NoSignatures => f.write_str("signatures are demanded, and this build cannot check them"),
        }
    }
}

impl std::error::Error for BundleError {}

impl From<VerifyError> for BundleError {
    fn from(error: VerifyError) -> BundleError {
        BundleError::Refused(error)
    }
}

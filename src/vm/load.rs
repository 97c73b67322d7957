//! From the bytes of a bundle to a machine, and why there is none.
//!
//! This is the only way that an embedding program needs: a bundle is read, its signatures and its program are verified,
//! and what can run is made of it. Sources that it carries are left behind.

use std::fmt;

use crate::base::hash::Digest;
use crate::bytecode::bundle::{self, BundleError, LoadOptions, LoadedBundle, Manifest, Signature, SourceMap};
use crate::bytecode::program::SiteId;
use crate::vm::image::ImageError;
use crate::vm::machine::Machine;

/// Where the program of a machine comes from: the bundle, without its program and its sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The name of the bundle: the digest that decisions give as `bundle`.
    pub name: Digest,
    /// What it is: package, version, edition, compiler.
    pub manifest: Manifest,
    /// Who signed it. All of them were checked, unless the library was built without the feature `signatures`.
    pub signatures: Vec<Signature>,
    /// Where its rules stand in its sources, unless that was stripped.
    pub source_map: Option<SourceMap>,
}

impl Origin {
    /// Where a site of the program stands, as decisions say it: `release.pdl:38:5`. `None` if the bundle does not know.
    #[must_use]
    pub fn place(&self, site: SiteId) -> Option<String> {
        let map = self.source_map.as_ref()?;
        let span = map.sites.get(site.0 as usize)?;
        let file = map.files.get(span.file as usize)?;
        Some(format!("{file}:{}:{}", span.line, span.column))
    }
}

impl Machine {
    /// Reads a bundle of at most [`BUNDLE_BYTES_MAX`](crate::base::limits::BUNDLE_BYTES_MAX) bytes, verifies its
    /// signatures and its program, and makes it ready to decide, without entities. The bytes are not needed afterwards.
    ///
    /// Costs time and memory in proportion to the bundle: milliseconds for thousands of rules. Not for every decision.
    ///
    /// # Errors
    /// The first thing that is wrong with the bundle; nothing of it runs. Keep the machine that you have.
    ///
    /// ```
    /// use pdl::{LoadOptions, Machine};
    ///
    /// let error = Machine::load(b"PDLB", &LoadOptions::UNSIGNED).expect_err("four bytes are not a bundle");
    /// assert_eq!(error.name(), "cut_short");
    /// assert_eq!(error.section(), Some("header"));
    /// ```
    pub fn load(bundle: &[u8], options: &LoadOptions) -> Result<Machine, LoadError> {
        Machine::from_bundle(bundle::read(bundle, options)?)
    }

    /// The same from a bundle that was read already, by [`bundle::read`].
    ///
    /// # Errors
    /// Only where the verifier has a defect; its name is `defect`.
    pub fn from_bundle(bundle: LoadedBundle) -> Result<Machine, LoadError> {
        let LoadedBundle { program, manifest, name, signatures, source_map, sources: _ } = bundle;
        Ok(Machine::new(program)?.with_origin(Origin { name, manifest, signatures, source_map }))
    }
}

/// Why there is no machine: the bundle is refused.
///
/// What programs look at is [`name`](LoadError::name), which never changes its meaning; the text is for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadError(Why);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Why {
    Bundle(BundleError),
    Image(ImageError),
}

impl LoadError {
    /// The stable name of the reason: one of [`BundleError::name`], or `defect`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match &self.0 {
            Why::Bundle(error) => error.name(),
            Why::Image(_) => "defect",
        }
    }

    /// The section of the bundle that is at fault, where it is one.
    #[must_use]
    pub fn section(&self) -> Option<&'static str> {
        self.bundle_error().and_then(BundleError::section)
    }

    /// Whether the bundle may be whole, but is not signed as demanded.
    #[must_use]
    pub fn is_about_signatures(&self) -> bool {
        self.bundle_error().is_some_and(BundleError::is_about_signatures)
    }

    /// Whether the bundle is of a format, or has sections, that this version does not know: a newer one may load it.
    #[must_use]
    pub fn is_unknown_format(&self) -> bool {
        matches!(self.bundle_error(), Some(BundleError::Format { .. } | BundleError::UnknownMandatory { .. }))
    }

    /// Whether the bundle is whole, but its program is refused: by the verifier, or because it costs more than the
    /// options let it.
    #[must_use]
    pub fn is_about_program(&self) -> bool {
        matches!(self.bundle_error(), None | Some(BundleError::Refused(_)))
    }

    /// The error of the bundle with its details, unless the reason is `defect`.
    #[must_use]
    pub fn bundle_error(&self) -> Option<&BundleError> {
        match &self.0 {
            Why::Bundle(error) => Some(error),
            Why::Image(_) => None,
        }
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Why::Bundle(error) => error.fmt(f),
            Why::Image(error) => write!(f, "the program can't be loaded: {error}"),
        }
    }
}

impl std::error::Error for LoadError {}

impl From<BundleError> for LoadError {
    fn from(error: BundleError) -> LoadError {
        LoadError(Why::Bundle(error))
    }
}

impl From<ImageError> for LoadError {
    fn from(error: ImageError) -> LoadError {
        LoadError(Why::Image(error))
    }
}

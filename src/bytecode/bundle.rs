//! The bundle: a program as a file, that is named by what is in it, can be signed, and is verified when it is read.
//!
//! A header and a table of sections with their digests, then the sections, without gaps. The manifest lists the digests of
//! all sections but the signatures, so its own digest is the bundle's **name**: to leave out optional sections (source map,
//! sources) or to add signatures changes neither the name nor any signature, and to change anything else changes both.
//! `docs/bundle.md` shows one byte for byte.
//!
//! The same contents always give the same bytes. Nothing is read that would not be written so. There is no way to a
//! program that can run but through `read`, which verifies it.

// These bytes are a stranger's.
#![deny(clippy::indexing_slicing)]

mod container;
mod error;
mod sections;
mod signature;

pub use container::{FORMAT_VERSION, MAGIC, Section};
pub use error::BundleError;
pub use signature::{KeyId, PublicKey, Signature, SignaturePolicy};
#[cfg(feature = "signatures")]
pub use signature::{public_key, sign_name};

use crate::base::hash::Digest;
use crate::bytecode::program::Program;
use crate::bytecode::verify::{Limits, VerifiedProgram, verify};
use crate::bytecode::wire::{WireError, from_bytes, to_bytes, wire_structs};
use container::{Content, Row};

/// What a bundle is, without the program: of whom, by what, and of which sections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The package.
    pub package: Box<str>,
    /// Its version.
    pub version: Box<str>,
    /// The edition of the language.
    pub edition: Box<str>,
    /// What made the bundle: name and version of the compiler.
    pub compiler: Box<str>,
    /// The sections, by number, the manifest and the signatures left out. Optional ones may be missing in the file.
    pub sections: Vec<ListedSection>,
}

/// A section as the manifest lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListedSection {
    /// Its number.
    pub kind: u16,
    /// Whether it has to be there and be understood.
    pub mandatory: bool,
    /// The digest of its bytes.
    pub digest: Digest,
}

/// Where the sites of a program are in its sources.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceMap {
    /// The files, by their path within the package.
    pub files: Vec<Box<str>>,
    /// For each site its place.
    pub sites: Vec<SourceSpan>,
}

/// A place in a source. Lines and columns count from 1, columns in code points; the end is behind the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceSpan {
    /// Index of the file.
    pub file: u32,
    /// The line where it begins.
    pub line: u32,
    /// The column where it begins.
    pub column: u32,
    /// The line where it ends.
    pub line_end: u32,
    /// The column where it ends.
    pub column_end: u32,
}

/// A source: what `diff`, `verify` and `explain` compile again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The path within the package.
    pub name: Box<str>,
    /// The text.
    pub text: Box<str>,
}

wire_structs! {
    Manifest { package, version, edition, compiler, sections }
    ListedSection { kind, mandatory, digest }
    SourceMap { files, sites }
    SourceSpan { file, line, column, line_end, column_end }
    Source { name, text }
}

/// What goes into a bundle.
#[derive(Clone, Copy, Debug)]
pub struct Contents<'a> {
    /// The package.
    pub package: &'a str,
    /// Its version.
    pub version: &'a str,
    /// The edition of the language.
    pub edition: &'a str,
    /// What makes the bundle.
    pub compiler: &'a str,
    /// The program.
    pub program: &'a Program,
    /// Where its sites are.
    pub source_map: Option<&'a SourceMap>,
    /// Its sources.
    pub sources: Option<&'a Vec<Source>>,
}

/// What is asked of a bundle when it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadOptions {
    /// Who has to have signed it.
    pub signatures: SignaturePolicy,
    /// The limits of its program, the cost of its actions among them.
    pub limits: Limits,
}

impl LoadOptions {
    /// No signature is demanded; the limits are the standard ones.
    pub const UNSIGNED: LoadOptions = LoadOptions { signatures: SignaturePolicy::None, limits: Limits::STANDARD };

    /// At least so many of these keys have to have signed; none is taken as one. The limits are the standard ones.
    ///
    /// A library without the feature `signatures` refuses every bundle then.
    ///
    /// ```
    /// use pdl::{LoadOptions, Machine, PublicKey};
    ///
    /// let options = LoadOptions::signed_by(vec![PublicKey([0; 32])], 1).cost_max(100_000);
    /// assert!(Machine::load(b"", &options).is_err());
    /// ```
    #[must_use]
    pub fn signed_by(keys: Vec<PublicKey>, at_least: usize) -> LoadOptions {
        LoadOptions { signatures: SignaturePolicy::Demand { keys, at_least }, limits: Limits::STANDARD }
    }

    /// The same, but no action may cost more than so many steps in its worst case; a step is an instruction, or work
    /// of that size. The compiler certifies the cost of each action, and the verifier counts again.
    #[must_use]
    pub fn cost_max(self, steps: u64) -> LoadOptions {
        LoadOptions { limits: Limits { cost_max: steps, ..self.limits }, ..self }
    }
}

/// A bundle that was read.
#[derive(Debug)]
pub struct LoadedBundle {
    /// The program.
    pub program: VerifiedProgram,
    /// What it is.
    pub manifest: Manifest,
    /// Its name: the digest of the manifest.
    pub name: Digest,
    /// Who signed it. Without the feature `signatures` nobody looked whether that is so.
    pub signatures: Vec<Signature>,
    /// Where its sites are, unless that was left out.
    pub source_map: Option<SourceMap>,
    /// Its sources, unless they were left out.
    pub sources: Option<Vec<Source>>,
}

/// Writes a bundle. The same contents give the same bytes.
///
/// # Errors
/// It would be larger than a bundle may be.
pub fn write(contents: &Contents<'_>) -> Result<Vec<u8>, BundleError> {
    let mut parts = sections::write(contents.program);
    parts.extend(contents.source_map.map(|map| (Section::SourceMap, to_bytes(map))));
    parts.extend(contents.sources.map(|sources| (Section::Sources, to_bytes(sources))));
    let listed = |(section, bytes): &(Section, Vec<u8>)| ListedSection {
        kind: section.kind(),
        mandatory: section.is_mandatory(),
        digest: Digest::of(bytes),
    };
    let manifest = Manifest {
        package: contents.package.into(),
        version: contents.version.into(),
        edition: contents.edition.into(),
        compiler: contents.compiler.into(),
        sections: parts.iter().map(listed).collect(),
    };
    parts.insert(0, (Section::Manifest, to_bytes(&manifest)));
    let mut contents = Vec::with_capacity(parts.len());
    for (section, bytes) in &parts {
        contents.push(Content { kind: section.kind(), mandatory: section.is_mandatory(), bytes });
    }
    container::write(&contents)
}

/// Reads a bundle and verifies its program.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn read(bytes: &[u8], options: &LoadOptions) -> Result<LoadedBundle, BundleError> {
    let opened = Opened::new(bytes)?;
    signature::check(opened.name, &opened.signatures, &options.signatures)?;
    let program = sections::read(|section| opened.section(section), malformed)?;
    let source_map: Option<SourceMap> = opened.optional(Section::SourceMap)?;
    if let Some(map) = &source_map {
        let in_files = map.sites.iter().all(|span| (span.file as usize) < map.files.len());
        if !in_files || map.sites.len() != program.site_count as usize {
            return Err(BundleError::SourceMap);
        }
    }
    let sources = opened.optional(Section::Sources)?;
    let program = verify(program, &options.limits)?;
    let Opened { manifest, name, signatures, .. } = opened;
    Ok(LoadedBundle { program, manifest, name, signatures, source_map, sources })
}

/// The bundle without its optional sections: of the same name, with the same signatures.
///
/// # Errors
/// It is not a bundle. Its program is not looked at.
pub fn strip(bytes: &[u8]) -> Result<Vec<u8>, BundleError> {
    let opened = Opened::new(bytes)?;
    let kept = |row: &&Row<'_>| row.mandatory || row.kind == Section::Signatures.kind();
    container::write(&opened.rows.iter().filter(kept).map(content).collect::<Vec<_>>())
}

/// The bundle with one more signature, by the key of a seed.
///
/// # Errors
/// It is not a bundle, the key signed it before, or it has too many signatures. Its program is not looked at.
#[cfg(feature = "signatures")]
pub fn sign(bytes: &[u8], seed: &[u8; 32]) -> Result<Vec<u8>, BundleError> {
    let opened = Opened::new(bytes)?;
    let mut signatures = opened.signatures.clone();
    signatures.push(sign_name(opened.name, seed));
    signatures.sort_by_key(|signature| signature.signer);
    signature::check(opened.name, &signatures, &SignaturePolicy::None)?;
    let section = to_bytes(&signatures);
    let unsigned = opened.rows.iter().filter(|row| row.kind != Section::Signatures.kind());
    let mut contents: Vec<_> = unsigned.map(content).collect();
    contents.push(Content { kind: Section::Signatures.kind(), mandatory: false, bytes: &section });
    container::write(&contents)
}

fn content<'a>(row: &Row<'a>) -> Content<'a> {
    Content { kind: row.kind, mandatory: row.mandatory, bytes: row.bytes }
}

fn malformed(section: Section, reason: WireError) -> BundleError {
    BundleError::Malformed { section: section.name(), reason }
}

/// A container whose sections are those of its manifest.
struct Opened<'a> {
    rows: Vec<Row<'a>>,
    manifest: Manifest,
    name: Digest,
    signatures: Vec<Signature>,
}

impl<'a> Opened<'a> {
    fn new(bytes: &'a [u8]) -> Result<Opened<'a>, BundleError> {
        let rows = container::read(bytes)?;
        let find = |section: Section| rows.iter().find(|row| row.kind == section.kind());
        let section = Section::Manifest;
        let row = find(section).ok_or(BundleError::Missing { section: section.name() })?;
        let name = row.digest;
        let manifest: Manifest = from_bytes(row.bytes).map_err(|error| malformed(section, error))?;
        let signatures = match find(Section::Signatures) {
            Some(row) => from_bytes(row.bytes).map_err(|error| malformed(Section::Signatures, error))?,
            None => Vec::new(),
        };
        let opened = Opened { rows, manifest, name, signatures };
        opened.check_listed()?;
        Ok(opened)
    }

    /// Every section is in the manifest, and every mandatory one of the manifest is here.
    fn check_listed(&self) -> Result<(), BundleError> {
        let listed = &self.manifest.sections;
        if let Some((_, second)) = listed.iter().zip(listed.iter().skip(1)).find(|(one, next)| one.kind >= next.kind) {
            return Err(BundleError::NotInManifest { section: container::name_of(second.kind) });
        }
        for row in &self.rows {
            let outside = [Section::Manifest, Section::Signatures].iter().any(|section| section.kind() == row.kind);
            let known = listed.iter().any(|section| {
                section.kind == row.kind && section.mandatory == row.mandatory && section.digest == row.digest
            });
            if known == outside {
                return Err(BundleError::NotInManifest { section: row.name() });
            }
        }
        for section in listed.iter().filter(|section| section.mandatory) {
            if !self.rows.iter().any(|row| row.kind == section.kind) {
                return Err(BundleError::Missing { section: container::name_of(section.kind) });
            }
        }
        Ok(())
    }

    fn section(&self, section: Section) -> Result<&'a [u8], BundleError> {
        let row = self.rows.iter().find(|row| row.kind == section.kind());
        row.map(|row| row.bytes).ok_or(BundleError::Missing { section: section.name() })
    }

    fn optional<T: crate::bytecode::wire::Wire>(&self, section: Section) -> Result<Option<T>, BundleError> {
        match self.rows.iter().find(|row| row.kind == section.kind()) {
            Some(row) => from_bytes(row.bytes).map(Some).map_err(|error| malformed(section, error)),
            None => Ok(None),
        }
    }
}

//! The container: header, table of sections, their bytes. It knows what sections are called, not what is in them.

use crate::base::hash::Digest;
use crate::base::limits;
use crate::bytecode::bundle::BundleError;
use crate::bytecode::wire::{Reader, WireError};

/// What a bundle begins with.
pub const MAGIC: [u8; 4] = *b"PDLB";
/// The version of the format that is written and read.
pub const FORMAT_VERSION: u16 = 1;

pub(super) const HEADER_BYTES: usize = 8;
pub(super) const ROW_BYTES: usize = 44;
pub(super) const MANDATORY: u16 = 1;

/// A section of a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// What the bundle is, and the digests of all other sections but the signatures.
    Manifest,
    /// Types, entities, actions.
    Schema,
    /// The strings.
    Strings,
    /// Constants, patterns, selectors, sets of types, jump tables.
    Constants,
    /// Functions, their instructions, and the sites of those that may fail.
    Code,
    /// Rules and their index, for each action.
    Entries,
    /// The certified cost of each action.
    Costs,
    /// Where the sites are in the sources. May be left out.
    SourceMap,
    /// The sources. May be left out.
    Sources,
    /// Who vouches for the bundle. Not a part of what its name stands for.
    Signatures,
}

impl Section {
    /// All of them, in the order that they have in a bundle.
    pub const ALL: [Section; 10] = [
        Section::Manifest,
        Section::Schema,
        Section::Strings,
        Section::Constants,
        Section::Code,
        Section::Entries,
        Section::Costs,
        Section::SourceMap,
        Section::Sources,
        Section::Signatures,
    ];

    /// The number in the table.
    #[must_use]
    pub fn kind(self) -> u16 {
        match self {
            Section::Manifest => 1,
            Section::Schema => 2,
            Section::Strings => 3,
            Section::Constants => 4,
            Section::Code => 5,
            Section::Entries => 6,
            Section::Costs => 7,
            Section::SourceMap => 128,
            Section::Sources => 129,
            Section::Signatures => 255,
        }
    }

    /// The section of a number, if this version knows it.
    #[must_use]
    pub fn of_kind(kind: u16) -> Option<Section> {
        Section::ALL.into_iter().find(|section| section.kind() == kind)
    }

    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Section::Manifest => "manifest",
            Section::Schema => "schema",
            Section::Strings => "strings",
            Section::Constants => "constants",
            Section::Code => "code",
            Section::Entries => "entries",
            Section::Costs => "costs",
            Section::SourceMap => "source map",
            Section::Sources => "sources",
            Section::Signatures => "signatures",
        }
    }

    /// Whether every bundle has it.
    #[must_use]
    pub fn is_mandatory(self) -> bool {
        !matches!(self, Section::SourceMap | Section::Sources | Section::Signatures)
    }
}

/// A row of the table, with the bytes that it speaks of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'a> {
    pub kind: u16,
    pub mandatory: bool,
    pub digest: Digest,
    pub bytes: &'a [u8],
}

impl Row<'_> {
    /// What the section is called, if it is known.
    pub(super) fn name(&self) -> &'static str {
        name_of(self.kind)
    }
}

pub(super) fn name_of(kind: u16) -> &'static str {
    Section::of_kind(kind).map_or("unknown", Section::name)
}

/// Reads the table and checks everything that can be seen without the manifest.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Row<'_>>, BundleError> {
    if bytes.len() > limits::BUNDLE_BYTES_MAX {
        return Err(BundleError::TooLarge);
    }
    let mut reader = Reader::new(bytes);
    let cut = |section: &'static str| move |_: WireError| BundleError::CutShort { section };
    let magic = reader.take(4).map_err(cut("header"))?;
    if magic != MAGIC {
        return Err(BundleError::NotABundle);
    }
    let version: u16 = reader.read().map_err(cut("header"))?;
    if version != FORMAT_VERSION {
        return Err(BundleError::Format { found: version });
    }
    let count: u16 = reader.read().map_err(cut("header"))?;
    if usize::from(count) > limits::SECTIONS_MAX {
        return Err(BundleError::TooManySections);
    }
    let mut rows: Vec<Row<'_>> = Vec::with_capacity(usize::from(count));
    let mut offset_next = HEADER_BYTES + usize::from(count) * ROW_BYTES;
    for _ in 0..count {
        let kind: u16 = reader.read().map_err(cut("table"))?;
        let flags: u16 = reader.read().map_err(cut("table"))?;
        let offset: u32 = reader.read().map_err(cut("table"))?;
        let length: u32 = reader.read().map_err(cut("table"))?;
        let digest: Digest = reader.read().map_err(cut("table"))?;
        let section = name_of(kind);
        if rows.last().is_some_and(|last| last.kind >= kind) {
            return Err(BundleError::SectionOrder { section });
        }
        let known = Section::of_kind(kind);
        if known.is_none() && flags & MANDATORY != 0 {
            return Err(BundleError::UnknownMandatory { kind });
        }
        if flags & !MANDATORY != 0 || known.is_some_and(|known| known.is_mandatory() != (flags == MANDATORY)) {
            return Err(BundleError::Flags { section });
        }
        if offset as usize != offset_next {
            return Err(BundleError::Offset { section });
        }
        offset_next = offset_next.saturating_add(length as usize);
        let content = bytes.get(offset as usize..offset_next).ok_or(BundleError::CutShort { section })?;
        rows.push(Row { kind, mandatory: flags & MANDATORY != 0, digest, bytes: content });
    }
    if offset_next != bytes.len() {
        return Err(BundleError::Trailing);
    }
    for row in &rows {
        if Digest::of(row.bytes) != row.digest {
            return Err(BundleError::WrongHash { section: row.name() });
        }
    }
    Ok(rows)
}

/// A section to be written.
pub(super) struct Content<'a> {
    pub kind: u16,
    pub mandatory: bool,
    pub bytes: &'a [u8],
}

/// Writes a container; the sections are in the order of their kinds.
pub(super) fn write(sections: &[Content<'_>]) -> Result<Vec<u8>, BundleError> {
    let table = HEADER_BYTES + sections.len() * ROW_BYTES;
    let length = table + sections.iter().map(|section| section.bytes.len()).sum::<usize>();
    if length > limits::BUNDLE_BYTES_MAX {
        return Err(BundleError::TooLarge);
    }
    let mut out = Vec::with_capacity(length);
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    out.extend_from_slice(&(sections.len() as u16).to_le_bytes());
    let mut offset = table;
    for section in sections {
        out.extend_from_slice(&section.kind.to_le_bytes());
        out.extend_from_slice(&u16::from(section.mandatory).to_le_bytes());
        out.extend_from_slice(&(offset as u32).to_le_bytes());
        out.extend_from_slice(&(section.bytes.len() as u32).to_le_bytes());
        out.extend_from_slice(&Digest::of(section.bytes).0);
        offset += section.bytes.len();
    }
    for section in sections {
        out.extend_from_slice(section.bytes);
    }
    Ok(out)
}

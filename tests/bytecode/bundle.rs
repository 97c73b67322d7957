//! Bundles: what is written is read back, and whatever else is done to one has its own refusal.

use pdl::base::hash::Digest;
use pdl::bytecode::bundle::{
    BundleError, Contents, LoadOptions, Manifest, Section, Source, SourceMap, SourceSpan, read, strip, write,
};
use pdl::bytecode::program::Program;
use pdl::bytecode::verify::{Limits, Reason};
use pdl::bytecode::wire::{from_bytes, to_bytes};

use super::suite;

fn named(name: &str) -> Program {
    let mut cases = suite("accept.pdlasm");
    let at = cases.iter().position(|case| case.name == name).expect("the suite has the program");
    cases.swap_remove(at).program
}

fn bundle_of(program: &Program) -> Vec<u8> {
    let span = SourceSpan { file: 0, line: 1, column: 1, line_end: 1, column_end: 9 };
    let map = SourceMap { files: vec!["rules.pdl".into()], sites: vec![span; program.site_count as usize] };
    let sources = vec![Source { name: "rules.pdl".into(), text: "module acme\n".into() }];
    let contents = Contents {
        package: "acme",
        version: "1.0.0",
        edition: "2026",
        compiler: "pdl 0.1.0",
        program,
        source_map: Some(&map),
        sources: Some(&sources),
    };
    write(&contents).expect("the bundle is small")
}

/// A small bundle with everything that a bundle can have.
fn small() -> Vec<u8> {
    let bundle = bundle_of(&named("texts"));
    #[cfg(feature = "signatures")]
    let bundle = pdl::bytecode::bundle::sign(&bundle, &[7; 32]).expect("it can be signed");
    bundle
}

fn refusal(bytes: &[u8]) -> BundleError {
    read(bytes, &LoadOptions::UNSIGNED).expect_err("the bundle is refused")
}

/// The sections of a bundle: kind, flags, bytes.
fn taken_apart(bundle: &[u8]) -> Vec<(u16, u16, Vec<u8>)> {
    let short = |at: usize| u16::from_le_bytes([bundle[at], bundle[at + 1]]);
    let long = |at: usize| u32::from_le_bytes([bundle[at], bundle[at + 1], bundle[at + 2], bundle[at + 3]]) as usize;
    let rows = (0..usize::from(short(6))).map(|row| 8 + 44 * row);
    rows.map(|at| (short(at), short(at + 2), bundle[long(at + 4)..long(at + 4) + long(at + 8)].to_vec())).collect()
}

/// A container of these sections, with the right digests and offsets.
fn put_together(sections: &[(u16, u16, Vec<u8>)]) -> Vec<u8> {
    let mut out = b"PDLB\x01\x00".to_vec();
    out.extend((sections.len() as u16).to_le_bytes());
    let mut offset = 8 + 44 * sections.len();
    for (kind, flags, bytes) in sections {
        out.extend(kind.to_le_bytes());
        out.extend(flags.to_le_bytes());
        out.extend((offset as u32).to_le_bytes());
        out.extend((bytes.len() as u32).to_le_bytes());
        out.extend(Digest::of(bytes).0);
        offset += bytes.len();
    }
    sections.iter().for_each(|(_, _, bytes)| out.extend(bytes));
    out
}

/// The bundle with its manifest, and sections, changed.
fn with_changed(change: impl FnOnce(&mut Manifest, &mut Vec<(u16, u16, Vec<u8>)>)) -> Vec<u8> {
    let mut sections = taken_apart(&bundle_of(&named("texts")));
    let mut manifest: Manifest = from_bytes(&sections[0].2).expect("the manifest is one");
    change(&mut manifest, &mut sections);
    if let Some(first) = sections.first_mut().filter(|first| first.0 == Section::Manifest.kind()) {
        first.2 = to_bytes(&manifest);
    }
    put_together(&sections)
}

#[test]
fn what_is_written_is_read() {
    for case in suite("accept.pdlasm") {
        let bytes = bundle_of(&case.program);
        let loaded = read(&bytes, &LoadOptions::UNSIGNED).expect("the bundle is sound");
        assert_eq!(*loaded.program.program(), case.program, "{}", case.name);
        assert_eq!(&*loaded.manifest.package, "acme");
        assert_eq!(loaded.sources.map(|sources| sources.len()), Some(1));
        assert_eq!(bytes, bundle_of(&case.program), "the same contents, the same bytes");
        assert_eq!(put_together(&taken_apart(&bytes)), bytes);
    }
}

#[test]
fn stripping_keeps_the_name() {
    let bytes = small();
    let stripped = strip(&bytes).expect("it is a bundle");
    assert!(stripped.len() < bytes.len());
    let [whole, bare] = [&bytes, &stripped].map(|bytes| read(bytes, &LoadOptions::UNSIGNED).expect("it is sound"));
    assert_eq!(whole.name, bare.name);
    assert_eq!(whole.signatures, bare.signatures);
    assert!(bare.sources.is_none() && bare.source_map.is_none());
    assert_eq!(strip(&stripped), Ok(stripped.clone()));
}

#[test]
fn every_cut_is_refused() {
    let bytes = small();
    for length in 0..bytes.len() {
        let error = refusal(&bytes[..length]);
        assert!(matches!(error, BundleError::CutShort { .. }), "{length}: {error}");
    }
}

#[test]
fn every_flipped_bit_is_refused() {
    let mut bytes = small();
    for bit in 0..bytes.len() * 8 {
        bytes[bit / 8] ^= 1 << (bit % 8);
        let error = refusal(&bytes);
        assert!(!matches!(error, BundleError::Refused(_)), "bit {bit} gets as far as the verifier: {error}");
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
}

#[test]
fn a_faulty_container_is_refused() {
    let bytes = small();
    let with = |at: usize, byte: u8| {
        let mut bytes = bytes.clone();
        bytes[at] = byte;
        refusal(&bytes)
    };
    assert_eq!(with(0, b'X'), BundleError::NotABundle);
    assert_eq!(with(4, 2), BundleError::Format { found: 2 });
    assert_eq!(with(6, 65), BundleError::TooManySections);
    assert_eq!(with(8 + 4, 0), BundleError::Offset { section: "manifest" });
    assert_eq!(with(8 + 2, 0), BundleError::Flags { section: "manifest" });
    assert_eq!(with(bytes.len() - 1, !bytes[bytes.len() - 1]), {
        let last = if cfg!(feature = "signatures") { "signatures" } else { "sources" };
        BundleError::WrongHash { section: last }
    });
    assert_eq!(refusal(&[&bytes[..], b"!"].concat()), BundleError::Trailing);
    let too_large = vec![0; pdl::base::limits::BUNDLE_BYTES_MAX + 1];
    assert_eq!(refusal(&too_large), BundleError::TooLarge);
}

#[test]
fn a_faulty_list_of_sections_is_refused() {
    let swapped = with_changed(|_, sections| sections.swap(1, 2));
    assert_eq!(refusal(&swapped), BundleError::SectionOrder { section: "schema" });
    let missing = with_changed(|_, sections| drop(sections.remove(1)));
    assert_eq!(refusal(&missing), BundleError::Missing { section: "schema" });
    let headless = with_changed(|_, sections| drop(sections.remove(0)));
    assert_eq!(refusal(&headless), BundleError::Missing { section: "manifest" });
    let unlisted = with_changed(|manifest, _| {
        manifest.sections.pop();
    });
    assert_eq!(refusal(&unlisted), BundleError::NotInManifest { section: "sources" });
    let changed = with_changed(|_, sections| sections[2].2.push(0));
    assert_eq!(refusal(&changed), BundleError::NotInManifest { section: "strings" });
    let mandatory = with_changed(|_, sections| sections.push((300, 1, vec![])));
    assert_eq!(refusal(&mandatory), BundleError::UnknownMandatory { kind: 300 });
    let unlisted = with_changed(|_, sections| sections.push((300, 0, vec![])));
    assert_eq!(refusal(&unlisted), BundleError::NotInManifest { section: "unknown" });
}

#[test]
fn an_unknown_optional_section_is_skipped() {
    let bytes = with_changed(|manifest, sections| {
        let listed = pdl::bytecode::bundle::ListedSection { kind: 300, mandatory: false, digest: Digest::of(b"new") };
        manifest.sections.push(listed);
        sections.push((300, 0, b"new".to_vec()));
    });
    assert!(read(&bytes, &LoadOptions::UNSIGNED).is_ok());
}

#[test]
fn faulty_contents_are_refused() {
    let relist = |manifest: &mut Manifest, sections: &[(u16, u16, Vec<u8>)]| {
        for (listed, (_, _, bytes)) in manifest.sections.iter_mut().zip(&sections[1..]) {
            listed.digest = Digest::of(bytes);
        }
    };
    for at in 1..8 {
        let section = Section::ALL[at].name();
        let longer = with_changed(|manifest, sections| {
            sections[at].2.push(0);
            relist(manifest, sections);
        });
        assert!(matches!(refusal(&longer), BundleError::Malformed { section: found, .. } if found == section));
        let shorter = with_changed(|manifest, sections| {
            sections[at].2.pop();
            relist(manifest, sections);
        });
        assert!(matches!(refusal(&shorter), BundleError::Malformed { section: found, .. } if found == section));
    }
    let costly = with_changed(|manifest, sections| {
        sections[6].2[4] ^= 1;
        relist(manifest, sections);
    });
    assert!(matches!(refusal(&costly), BundleError::Refused(error) if error.reason == Reason::CostWrong));
    let elsewhere = with_changed(|manifest, sections| {
        let map = SourceMap::default();
        sections[7].2 = to_bytes(&map);
        relist(manifest, sections);
    });
    assert_eq!(refusal(&elsewhere), BundleError::SourceMap);
    let budget = LoadOptions { limits: Limits { cost_max: 1, ..Limits::STANDARD }, ..LoadOptions::UNSIGNED };
    let error = read(&small(), &budget).expect_err("it costs more");
    assert!(matches!(error, BundleError::Refused(error) if error.reason == Reason::CostTooHigh));
}

#[cfg(feature = "signatures")]
mod signatures {
    use pdl::bytecode::bundle::{
        BundleError, LoadOptions, PublicKey, Section, SignaturePolicy, public_key, read, sign, sign_name, strip,
    };
    use pdl::bytecode::wire::to_bytes;

    use super::{bundle_of, named, put_together, refusal, taken_apart};

    fn demand(seeds: &[u8], at_least: usize) -> LoadOptions {
        let keys: Vec<PublicKey> = seeds.iter().map(|seed| public_key(&[*seed; 32])).collect();
        LoadOptions { signatures: SignaturePolicy::Demand { keys, at_least }, ..LoadOptions::UNSIGNED }
    }

    #[test]
    fn signatures_are_demanded() {
        let unsigned = bundle_of(&named("texts"));
        assert_eq!(read(&unsigned, &demand(&[1], 1)).err(), Some(BundleError::Unsigned));
        let once = sign(&unsigned, &[1; 32]).expect("it can be signed");
        assert!(read(&once, &demand(&[1, 2], 1)).is_ok());
        assert!(read(&strip(&once).expect("a bundle"), &demand(&[1], 1)).is_ok());
        let few = BundleError::TooFewSigners { found: 1, demanded: 2 };
        assert_eq!(read(&once, &demand(&[1, 2], 2)).err(), Some(few));
        let stranger = BundleError::Stranger { signer: public_key(&[1; 32]).id() };
        assert_eq!(read(&once, &demand(&[2], 0)).err(), Some(stranger));
        let twice = sign(&once, &[2; 32]).expect("it can be signed by another");
        let loaded = read(&twice, &demand(&[1, 2, 3], 2)).expect("both have signed");
        assert_eq!(loaded.signatures.len(), 2);
        assert_eq!(loaded.name, read(&unsigned, &LoadOptions::UNSIGNED).expect("it is sound").name);
        assert_eq!(sign(&twice, &[1; 32]), Err(BundleError::SignerTwice));
    }

    #[test]
    fn faulty_signatures_are_refused() {
        let signed = sign(&bundle_of(&named("texts")), &[1; 32]).expect("it can be signed");
        let mut sections = taken_apart(&signed);
        let last = sections.len() - 1;
        assert_eq!(sections[last].0, Section::Signatures.kind());
        sections[last].2[50] ^= 1;
        let signer = public_key(&[1; 32]).id();
        assert_eq!(refusal(&put_together(&sections)), BundleError::BadSignature { signer });
        // Of another bundle.
        let other = sign(&bundle_of(&named("times")), &[1; 32]).expect("it can be signed");
        sections[last].2 = taken_apart(&other)[last].2.clone();
        assert_eq!(refusal(&put_together(&sections)), BundleError::BadSignature { signer });
        let name = read(&signed, &LoadOptions::UNSIGNED).expect("it is sound").name;
        let mut many: Vec<_> = (0..17).map(|seed| sign_name(name, &[seed; 32])).collect();
        many.sort_by_key(|signature| signature.signer);
        sections[last].2 = to_bytes(&many);
        assert_eq!(refusal(&put_together(&sections)), BundleError::TooManySignatures);
    }
}

#[cfg(not(feature = "signatures"))]
#[test]
fn signatures_cannot_be_demanded_without_them() {
    use pdl::bytecode::bundle::SignaturePolicy;
    let signatures = SignaturePolicy::Demand { keys: vec![], at_least: 1 };
    let options = LoadOptions { signatures, ..LoadOptions::UNSIGNED };
    assert_eq!(read(&small(), &options).err(), Some(BundleError::NoSignatures));
}

//! The generated parts of `docs/bytecode.md` and `docs/bundle.md` are what the code says. `PDL_BLESS=1` writes them.

use std::fmt::Write as _;
use std::path::PathBuf;

use pdl::base::hash::Digest;
use pdl::bytecode::assemble::assemble;
use pdl::bytecode::bundle::{Contents, LoadOptions, Section, read, write};
use pdl::bytecode::info::{CostClass, OPS, OperandType, Role};
use pdl::bytecode::verify::Reason;

/// Compares, or with `PDL_BLESS` replaces, what stands between the marks of a part.
fn check_part(file: &str, part: &str, generated: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs").join(file);
    let text = std::fs::read_to_string(&path).expect("the page can be read");
    let begin = format!("<!-- generated: {part} -->\n");
    let start = text.find(&begin).expect("the part has its mark") + begin.len();
    let end = start + text[start..].find("<!-- end -->").expect("the part has an end");
    if text[start..end] == *generated {
        return;
    }
    assert!(std::env::var_os("PDL_BLESS").is_some(), "{file}: `{part}` is out of date; set PDL_BLESS=1 to write it");
    let replaced = format!("{}{generated}{}", &text[..start], &text[end..]);
    std::fs::write(&path, replaced).expect("the page can be written");
}

#[test]
fn pages_are_current() {
    check_part("bytecode.md", "instructions", &instructions());
    check_part("bytecode.md", "reasons", &reasons());
    check_part("bundle.md", "sections", &sections());
    check_part("bundle.md", "dump", &dump());
}

fn role(role: Role, ty: OperandType) -> String {
    let name = match role {
        Role::Out => "out",
        Role::Input => "in",
        Role::Count => return "number".into(),
        Role::Constant | Role::Constant24 => return "constant".into(),
        Role::Target => return "target".into(),
        Role::Function | Role::Function24 => return "function".into(),
        Role::Switch => return "jump table".into(),
        Role::EntryInput => return "input".into(),
        Role::Pattern => return "pattern".into(),
        Role::Selector => return "selector".into(),
        Role::TypeSet => return "set of types".into(),
        Role::Record => return "record".into(),
    };
    let ty = format!("{ty:?}");
    match ty.strip_prefix("Optional") {
        Some(inner) => format!("{name} {inner}?"),
        None => format!("{name} {ty}"),
    }
}

fn instructions() -> String {
    let mut out = String::from(
        "\n| code | instruction | operands | cost | fails | meaning |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    for info in OPS {
        let operands: Vec<_> = info
            .operands
            .iter()
            .map(|operand| format!("{}: {}", operand.name, role(operand.role, operand.ty)))
            .collect();
        let cost = match info.cost {
            CostClass::Unit => "unit",
            CostClass::Text => "text",
            CostClass::Elements => "elements",
            CostClass::Call => "call",
            CostClass::Free => "free",
        };
        let fails = if info.fails { "fails" } else { "" };
        let _ = writeln!(
            out,
            "| `{:02x}` | `{}` | {} | {cost} | {fails} | {} |",
            info.code,
            info.mnemonic,
            operands.join(", "),
            info.meaning
        );
    }
    out.push('\n');
    out
}

fn reasons() -> String {
    let mut out = String::from("\n| reason | |\n| --- | --- |\n");
    for reason in Reason::ALL {
        let _ = writeln!(out, "| `{}` | {} |", reason.name(), reason.sentence());
    }
    out.push('\n');
    out
}

fn holds(section: Section) -> &'static str {
    match section {
        Section::Manifest => "what the bundle is; the digests of all others but the signatures",
        Section::Schema => "types, enums, records, entity types, actions, obligations",
        Section::Strings => "the strings",
        Section::Constants => "constants, patterns, selectors, sets of types, jump tables",
        Section::Code => "functions, words, sites of instructions that may fail",
        Section::Entries => "inputs, rules and index of each action; the number of sites",
        Section::Costs => "the certified cost of each action, 64 bits each",
        Section::SourceMap => "files, and for each site its file, line, column, and where it ends",
        Section::Sources => "paths and texts",
        Section::Signatures => "who vouches for it; not listed in the manifest",
    }
}

fn sections() -> String {
    let mut out = String::from("\n| kind | section | | holds |\n| --- | --- | --- | --- |\n");
    for section in Section::ALL {
        let mandatory = if section.is_mandatory() { "mandatory" } else { "optional" };
        let _ = writeln!(out, "| {} | {} | {mandatory} | {} |", section.kind(), section.name(), holds(section));
    }
    out.push('\n');
    out
}

/// A small bundle in hexadecimal digits, a line for each thing in it.
fn dump() -> String {
    let text = "
        entity User presented
        action read subject { User } resource { User }
        fn always -> Bool {
            const r0, true
            return r0
        }
        entry read { rule allow acme.open condition always }
    ";
    let program = assemble(text).expect("it is assembly");
    let contents = Contents {
        package: "acme",
        version: "1.0.0",
        edition: "2026",
        compiler: "pdl 0.1.0",
        program: &program,
        source_map: None,
        sources: None,
    };
    let bytes = write(&contents).expect("the bundle is small");
    let loaded = read(&bytes, &LoadOptions::UNSIGNED).expect("the bundle is sound");
    let mut out = String::from("\n```text\n");
    let mut line = |range: std::ops::Range<usize>, what: &str| {
        for (at, row) in bytes[range.clone()].chunks(16).enumerate() {
            let digits: Vec<_> = row.iter().map(|byte| format!("{byte:02x}")).collect();
            let letter = |byte: &u8| if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { '.' };
            let letters: String = row.iter().map(letter).collect();
            let what = if at == 0 { what } else { "" };
            let text = format!("{:04x}  {:<47}  {letters:<16}  {what}", range.start + 16 * at, digits.join(" "));
            out.push_str(text.trim_end());
            out.push('\n');
        }
    };
    line(0..4, "magic");
    line(4..6, "version of the format");
    line(6..8, "number of sections");
    let mut at = 8;
    let short = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
    let long = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]) as usize;
    let mut places = Vec::new();
    for _ in 0..short(6) {
        let name = Section::of_kind(short(at)).map_or("unknown", Section::name);
        line(at..at + 12, &format!("{name}: kind, flags, offset, length"));
        line(at + 12..at + 44, "its digest");
        places.push((name, long(at + 4), long(at + 8)));
        at += 44;
    }
    for (name, offset, length) in places {
        line(offset..offset + length, name);
    }
    let _ = write!(out, "```\n\nIts name is `{}`: the digest of its manifest.\n\n", loaded.name);
    assert_eq!(loaded.name, Digest::of(&bytes[long(12)..long(12) + long(16)]));
    out
}

//! `pdl inspect`: what a bundle is, after it has passed the verifier as for a decision.

mod schema;

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::args::{Format, InspectArgs};
use super::key;
use super::output::Output;
use super::policy;
use super::report::{count, thousands};
use super::status::{Failure, Status};
use crate::bytecode::bundle::{LoadedBundle, Section};
use crate::bytecode::disassemble::disassemble;
use crate::diagnostic::render::clean;

/// Shows a bundle, or its program as assembly.
pub fn run(args: &InspectArgs, output: &mut Output) -> Result<Status, Failure> {
    let bytes = policy::bundle_bytes(&args.bundle)?;
    let bundle = policy::read(&args.bundle, &bytes, &policy::demanded(&args.require_signature)?)?;
    let text = match (args.disassemble, args.format) {
        (true, Format::Human) => lines_cleaned(&disassemble(bundle.program.program())),
        (is_disassembled, Format::Json) => {
            let mut document = document(&bundle, bytes.len());
            if is_disassembled {
                document["assembly"] = json!(disassemble(bundle.program.program()));
            }
            format!("{document:#}\n")
        }
        (false, Format::Human) => lines_cleaned(&text(&bundle, bytes.len())),
    };
    output.data(&text)?;
    Ok(Status::Success)
}

/// Names in a bundle are somebody else's: a terminal obeys none of them.
fn lines_cleaned(text: &str) -> String {
    text.lines().map(|line| format!("{}\n", clean(line))).collect()
}

fn text(bundle: &LoadedBundle, size: usize) -> String {
    let manifest = &bundle.manifest;
    let program = bundle.program.program();
    let mut out = String::new();
    let _ = writeln!(out, "package   {} {}", manifest.package, manifest.version);
    let _ = writeln!(out, "language  {}, compiled by {}", manifest.edition, manifest.compiler);
    let _ = writeln!(out, "name      {}", bundle.name);
    let _ = writeln!(out, "size      {} bytes", thousands(size as u64));
    let _ = writeln!(out, "\nsections");
    for section in &manifest.sections {
        let there = if is_there(bundle, section.kind) { "" } else { ", left out" };
        let rank = if section.mandatory { "mandatory" } else { "optional" };
        let _ = writeln!(out, "  {:<12} {}  {rank}{there}", section_name(section.kind), section.digest);
    }
    let _ = writeln!(out, "\nsignatures{}", if bundle.signatures.is_empty() { "\n  none" } else { "" });
    for signature in &bundle.signatures {
        let _ = writeln!(out, "  {}  {}", signature.signer.id(), key::hex(&signature.signer.0));
    }
    let _ = writeln!(out, "\nactions, with the most steps that a decision takes");
    let width = program.schema.actions.iter().map(|action| action.name.len()).max().unwrap_or(0);
    for (action, entry) in program.schema.actions.iter().zip(&program.entries) {
        let rules = count(entry.rules.len(), "rule");
        let _ = writeln!(out, "  {:<width$}  {:>12}  {rules}", action.name, thousands(entry.cost));
    }
    out.push('\n');
    out.push_str(&schema::text(&program.schema));
    out
}

fn document(bundle: &LoadedBundle, size: usize) -> Value {
    let manifest = &bundle.manifest;
    let program = bundle.program.program();
    let sections = manifest.sections.iter().map(|section| {
        json!({
            "name": section_name(section.kind),
            "mandatory": section.mandatory,
            "digest": section.digest.to_string(),
            "present": is_there(bundle, section.kind),
        })
    });
    let signatures = bundle
        .signatures
        .iter()
        .map(|signature| json!({ "id": signature.signer.id().to_string(), "key": key::hex(&signature.signer.0) }));
    let actions = program
        .schema
        .actions
        .iter()
        .zip(&program.entries)
        .map(|(action, entry)| json!({ "action": &*action.name, "cost": entry.cost, "rules": entry.rules.len() }));
    json!({
        "package": &*manifest.package,
        "version": &*manifest.version,
        "language": &*manifest.edition,
        "compiler": &*manifest.compiler,
        "name": bundle.name.to_string(),
        "bytes": size,
        "sections": sections.collect::<Vec<_>>(),
        "signatures": signatures.collect::<Vec<_>>(),
        "costs": actions.collect::<Vec<_>>(),
        "schema": schema::document(&program.schema),
    })
}

fn section_name(kind: u16) -> String {
    Section::of_kind(kind).map_or_else(|| format!("section {kind}"), |section| section.name().to_owned())
}

/// Whether a listed section is in the file: mandatory ones are, or it would have been refused.
fn is_there(bundle: &LoadedBundle, kind: u16) -> bool {
    match Section::of_kind(kind) {
        Some(Section::SourceMap) => bundle.source_map.is_some(),
        Some(Section::Sources) => bundle.sources.is_some(),
        _ => true,
    }
}

//! A policy that can decide, from whatever path it was named by.

use std::path::Path;

use super::args::ReportFormat;
use super::load;
use super::output::Output;
use super::report;
use super::status::{Failure, Status};
use crate::base::hash::Digest;
use crate::base::span::{SourceMap, Span};
use crate::bytecode::program::SiteId;
use crate::bytecode::verify::{Limits, verify};
use crate::compile::{Compiled, compile};
use crate::diagnostic::Diagnostics;
use crate::types::check::check;
use crate::types::typed::TypedPolicy;
use crate::vm::decision::Decision;
use crate::vm::decode::names::Plan;
use crate::vm::image::Image;

/// A policy, ready to decide.
#[derive(Debug)]
pub struct Policy {
    /// The program.
    pub image: Image,
    /// How requests are read.
    pub plan: Plan,
    /// The name of its bundle.
    pub digest: Option<Digest>,
    places: Vec<String>,
}

impl Policy {
    /// Fills in the places of a decision.
    pub fn locate(&self, decision: &mut Decision) {
        decision.locate(|site: SiteId| self.places.get(site.0 as usize).cloned());
    }
}

/// A package that was checked, with its sources as they are shown here.
#[derive(Debug)]
pub struct Checked {
    /// The typed tree.
    pub policy: TypedPolicy,
    /// The sources under the names by which a person finds them.
    pub sources: SourceMap,
}

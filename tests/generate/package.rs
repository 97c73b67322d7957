//! A whole package: files made of pieces, checked, with what the checker refuses for good reasons taken out.

use std::sync::Arc;

use pdl::base::span::SourceMap;
use pdl::diagnostic::{Code, Diagnostic, Diagnostics, Severity, compact};
use pdl::syntax::parse;
use pdl::types::check::check;
use pdl::types::package::{LoadedModule, Package, assemble};
use pdl::types::typed::TypedPolicy;

use crate::generate::declarations;
use crate::generate::policies;
use crate::generate::random::Random;
use crate::generate::scope::{Decls, Sort};

/// A stretch of source.
#[derive(Clone, Debug)]
pub struct Piece {
    pub text: String,
    /// What may stand there instead; nothing: it has to stay.
    pub instead: Option<String>,
}

impl Piece {
    pub fn fixed(text: String) -> Piece {
        Piece { text, instead: None }
    }
}

/// A file.
#[derive(Clone, Debug)]
pub struct SourceFile {
    pub name: String,
    pub module: String,
    pub pieces: Vec<Piece>,
}

/// A package.
#[derive(Clone, Debug)]
pub struct Sketch {
    pub files: Vec<SourceFile>,
}

/// What became of it.
#[derive(Debug)]
pub enum Refused {
    /// The checker is right about it.
    Lint(Vec<Diagnostic>),
    /// The generator or the checker has a defect.
    Defect(String),
}

impl SourceFile {
    pub fn text(&self) -> String {
        self.pieces.iter().map(|piece| piece.text.as_str()).collect()
    }
}

/// Faults of random programs that are nobody's defect: what is constant, repeated or hidden by chance.
const LINTS: &[Code] = &[
    Code::AlwaysFalse,
    Code::AlwaysTrue,
    Code::Unreachable,
    Code::CannotCalculate,
    Code::Repeated,
    Code::HiddenRow,
    Code::AlwaysPresent,
    Code::MaybeAbsent,
    Code::NestingTooDeep,
    Code::BadPattern,
    Code::OutOfRange,
    Code::BadUrl,
    Code::LiteralAttribute,
];

impl Sketch {
    /// A random package.
    pub fn random(random: &mut Random) -> Sketch {
        let mut decls = Decls::default();
        let mut names = 0;
        let mut main = vec![Piece::fixed("module gen.main\n".to_owned())];
        let with_guard = random.chance(30);
        if with_guard {
            main.push(Piece::fixed(
                "include gen.guard(limit = 5, strict = false, who = \"a\") as loose\n\
                 include gen.guard(limit = -3, strict = true)\n"
                    .to_owned(),
            ));
        }
        let declared = declarations::declare(random, &mut decls);
        main.push(Piece::fixed(declared));
        policies::functions(random, &mut decls, &mut names, &mut main);
        for _ in 0..random.between(1, 3) {
            policies::policy(random, &decls, &mut names, &[], &mut main);
        }
        for _ in 0..random.below(3) {
            policies::invariant(random, &decls, &mut names, &mut main);
        }
        let mut files = vec![SourceFile { name: "main.pdl".to_owned(), module: "gen.main".to_owned(), pieces: main }];
        if with_guard {
            files.insert(0, guard(random, &decls, &mut names));
        }
        Sketch { files }
    }

    /// Parses and checks.
    pub fn check(&self) -> Result<TypedPolicy, Refused> {
        let mut sink = Diagnostics::default();
        let package = self.package(&mut sink);
        let checked = check(&package, &mut sink);
        let faults: Vec<Diagnostic> =
            sink.finish().into_iter().filter(|fault| fault.severity == Severity::Error).collect();
        match checked {
            Some(policy) if faults.is_empty() => Ok(policy),
            _ => {
                // What is constant by chance may make more of it faulty, so that it is taken out first.
                let (lints, defects): (Vec<_>, Vec<_>) =
                    faults.into_iter().partition(|fault| LINTS.contains(&fault.code));
                if lints.is_empty() {
                    let shown = compact::render(&package.sources, &defects);
                    return Err(Refused::Defect(format!("{shown}\n{}", self.show())));
                }
                Err(Refused::Lint(lints))
            }
        }
    }

    fn package(&self, sink: &mut Diagnostics) -> Package {
        let mut sources = SourceMap::default();
        let modules = self
            .files
            .iter()
            .map(|file| LoadedModule {
                name: Arc::from(file.module.as_str()),
                own: true,
                file: parse::parse_bytes(&mut sources, file.name.clone(), file.text().as_bytes(), sink),
            })
            .collect();
        assemble("gen", "0.0.0", sources, modules, sink)
    }

    /// Checks, and takes out what the checker refuses until it is content. Gives how many pieces went.
    pub fn settle(&mut self) -> Result<(TypedPolicy, usize), String> {
        let mut gone = 0;
        loop {
            match self.check() {
                Ok(policy) => return Ok((policy, gone)),
                Err(Refused::Defect(text)) => return Err(text),
                Err(Refused::Lint(faults)) => {
                    let before = gone;
                    let places: Vec<(usize, usize)> = faults.iter().filter_map(|fault| self.piece_at(fault)).collect();
                    for (file, piece) in places {
                        let piece = &mut self.files[file].pieces[piece];
                        if let Some(instead) = piece.instead.take() {
                            piece.text = instead;
                            gone += 1;
                        }
                    }
                    if gone == before {
                        return Err(format!("can't be mended: {faults:?}\n{}", self.show()));
                    }
                }
            }
        }
    }

    fn piece_at(&self, fault: &Diagnostic) -> Option<(usize, usize)> {
        let file = fault.primary.span.file.0 as usize;
        let mut offset = 0;
        for (at, piece) in self.files.get(file)?.pieces.iter().enumerate() {
            offset += piece.text.len() as u32;
            if fault.primary.span.start < offset {
                return Some((file, at));
            }
        }
        None
    }

    /// All sources.
    pub fn show(&self) -> String {
        self.files.iter().map(|file| format!("// {}\n{}\n", file.name, file.text())).collect()
    }
}

/// A module with parameters, which the main one includes twice.
fn guard(random: &mut Random, decls: &Decls, names: &mut usize) -> SourceFile {
    let mut pieces = vec![Piece::fixed("module gen.guard(limit: Int, strict: Bool, who: String = \"b\")\n".to_owned())];
    let mut used = vec!["LIMIT".to_owned(), "NAME".to_owned()];
    used.extend(decls.enums.iter().map(|of| of.name.clone()));
    used.extend(decls.entities.iter().map(|of| of.name.clone()));
    used.extend(decls.actions.iter().map(|of| of.name.clone()));
    used.extend(decls.functions.iter().map(|of| of.name.clone()));
    used.extend(decls.obligations.iter().map(|of| of.name.clone()));
    used.extend(decls.groups.iter().map(|of| of.0.clone()));
    pieces.push(Piece::fixed(format!("use gen.main.{{{}}}\n", used.join(", "))));
    let extra = [("limit".to_owned(), Sort::Int), ("strict".to_owned(), Sort::Bool), ("who".to_owned(), Sort::Text)];
    policies::policy(random, decls, names, &extra, &mut pieces);
    SourceFile { name: "guard.pdl".to_owned(), module: "gen.guard".to_owned(), pieces }
}

//! From paths to a parsed package: the one place where sources are read.
//!
//! A file (or standard input) is a package by itself; a folder is one by its `pdl.toml`, with every `.pdl` file below
//! it, and the packages it depends on by relative paths. `git:REV:PATH` is either of them in a revision of the repository
//! around the current folder. What a source is called in diagnostics is where it was found; what it is called in a bundle
//! does not depend on where the package lies.

mod revision;
pub mod tree;

use std::path::{Path, PathBuf};

use self::tree::{Disk, Tree};

use super::files;
use super::manifest::{self, Dependency, Manifest};
use super::status::Failure;
use crate::base::limits::{FILES_MAX, FOLDER_DEPTH_MAX, MANIFEST_BYTES_MAX, SOURCE_BYTES_MAX};
use crate::base::span::SourceMap;
use crate::bytecode::bundle::{self, LoadedBundle};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::syntax::parse;
use crate::types::package::{self, LoadedModule, Package};

/// What was found at a path.
#[derive(Debug)]
pub struct Loaded {
    /// The package, unless a `pdl.toml` is faulty.
    pub package: Option<Package>,
    /// What the package is called in talk: its name, or that of the file.
    pub name: String,
    /// All sources as a person at this terminal finds them: the names are paths from the current folder.
    pub sources: SourceMap,
}

/// A source file: where it is, and what it is called in the package.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    /// The name in the package, with `/`.
    pub name: String,
    /// Where it is read.
    pub path: PathBuf,
}

/// The package around the current folder: the nearest folder, going up, that has a `pdl.toml`.
pub fn around_here() -> Result<PathBuf, Failure> {
    let here = std::env::current_dir().map_err(|error| Failure::io("read", Path::new("."), &error))?;
    let mut path = PathBuf::from(".");
    for (up, folder) in here.ancestors().enumerate() {
        if folder.join(manifest::FILE_NAME).is_file() {
            return Ok(path);
        }
        path = if up == 0 { PathBuf::from("..") } else { path.join("..") };
    }
    Err(Failure::new("there is no pdl.toml in this folder or one above it")
        .help("name a file or a folder, or begin a package with `pdl init`"))
}

/// Reads and parses what is at a path: a file, a folder with a `pdl.toml`, standard input for `-`, or one of these in a
/// revision.
pub fn load(path: &Path, sink: &mut Diagnostics) -> Result<Loaded, Failure> {
    let (tree, path) = tree::of(path)?;
    load_in(&*tree, &path, sink)
}

/// The same in a tree.
pub fn load_in(tree: &dyn Tree, path: &Path, sink: &mut Diagnostics) -> Result<Loaded, Failure> {
    if tree.is_folder(path) {
        return folder(tree, path, sink);
    }
    let bytes = tree.read_up_to(path, SOURCE_BYTES_MAX)?;
    Ok(single(tree, path, &bytes, sink))
}

/// All source files of the package at a path of this disk, in order; of its dependencies none.
pub fn own_sources(path: &Path) -> Result<Vec<Source>, Failure> {
    sources_in(&Disk, path)
}

fn sources_in(tree: &dyn Tree, path: &Path) -> Result<Vec<Source>, Failure> {
    if !tree.is_folder(path) {
        return Ok(vec![Source { name: file_name(path), path: path.to_owned() }]);
    }
    require_manifest(tree, path)?;
    let mut sources = Vec::new();
    collect(tree, path, "", 0, &mut sources)?;
    sources.sort();
    Ok(sources)
}

fn file_name(path: &Path) -> String {
    if files::is_stdin(path) {
        return files::shown(path);
    }
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// Parses the contents of a file that makes up a package by itself.
pub fn single(tree: &dyn Tree, path: &Path, bytes: &[u8], sink: &mut Diagnostics) -> Loaded {
    let mut reading = Reading::default();
    reading.parse(file_name(path), tree.shown(path), bytes, true, sink);
    let module = reading.modules.first().map(|module| module.name.clone()).unwrap_or_default();
    reading.finish(&tree.shown(path), &module, "0.0.0", sink)
}

/// Parses the sources that a bundle carries, as they were compiled. Those of the standard library are this `pdl`'s own.
pub fn carried(talk: &str, bundle: &LoadedBundle, carried: &[bundle::Source], sink: &mut Diagnostics) -> Loaded {
    let mut reading = Reading::default();
    for source in carried.iter().filter(|source| !is_standard(source)) {
        let own = !source.name.starts_with('@');
        reading.parse(source.name.to_string(), format!("{talk}:{}", source.name), source.text.as_bytes(), own, sink);
    }
    reading.finish(talk, &bundle.manifest.package, &bundle.manifest.version, sink)
}

/// Whether a source is a module of the standard library: nobody else's may be named so.
fn is_standard(source: &bundle::Source) -> bool {
    let mut apart = (SourceMap::default(), Diagnostics::default());
    let file = parse::parse_bytes(&mut apart.0, source.name.to_string(), source.text.as_bytes(), &mut apart.1);
    source.name.starts_with("std/") && package::module_name(&file, &source.name).starts_with("std.")
}

fn folder(tree: &dyn Tree, path: &Path, sink: &mut Diagnostics) -> Result<Loaded, Failure> {
    require_manifest(tree, path)?;
    let mut manifests = Manifests::of(tree);
    let own = manifests.read(path, sink)?;
    if let Some(own) = &own {
        manifests.dependencies_of(path, own, sink)?;
    }
    let Some(own) = own.filter(|_| manifests.is_good) else {
        return Ok(Loaded { package: None, name: tree.shown(path), sources: manifests.sources });
    };
    let mut reading = Reading::default();
    for source in sources_in(tree, path)? {
        reading.add(tree, &source, true, sink)?;
    }
    for (name, folder) in manifests.found {
        for source in sources_in(tree, &folder)? {
            // No file of the package's own has such a name: it keeps the two apart.
            let source = Source { name: format!("@{name}/{}", source.name), ..source };
            reading.add(tree, &source, false, sink)?;
        }
    }
    Ok(reading.finish(&own.name, &own.name, &own.version, sink))
}

fn require_manifest(tree: &dyn Tree, folder: &Path) -> Result<(), Failure> {
    if tree.is_file(&folder.join(manifest::FILE_NAME)) {
        return Ok(());
    }
    Err(Failure::new(format!("`{}` is not a package: it has no pdl.toml", tree.shown(folder)))
        .help("name a file, or make the folder a package with `pdl init`"))
}

/// The `pdl.toml` of a package and of all it depends on.
struct Manifests<'t> {
    tree: &'t dyn Tree,
    sources: SourceMap,
    /// The dependencies, direct and indirect, each once, in the order of their names as they are met.
    found: Vec<(String, PathBuf)>,
    is_good: bool,
    /// The real folders on the way to the one that is looked at: meeting one again is a cycle.
    way: Vec<PathBuf>,
}

impl<'t> Manifests<'t> {
    fn of(tree: &'t dyn Tree) -> Manifests<'t> {
        Manifests { tree, sources: SourceMap::default(), found: Vec::new(), is_good: false, way: Vec::new() }
    }

    fn read(&mut self, folder: &Path, sink: &mut Diagnostics) -> Result<Option<Manifest>, Failure> {
        let path = folder.join(manifest::FILE_NAME);
        let bytes = self.tree.read(&path, MANIFEST_BYTES_MAX)?;
        let Ok(text) = String::from_utf8(bytes) else {
            return Err(Failure::new(format!("`{}` is not UTF-8", self.tree.shown(&path))));
        };
        let file = self.sources.add(self.tree.shown(&path), &text);
        let manifest = manifest::parse(file, &self.sources.file(file).text, sink);
        self.is_good = manifest.is_some();
        Ok(manifest)
    }

    fn dependencies_of(&mut self, folder: &Path, of: &Manifest, sink: &mut Diagnostics) -> Result<(), Failure> {
        self.way.push(self.tree.real(folder)?);
        for dependency in &of.dependencies {
            if self.found.len() >= FILES_MAX {
                return Err(Failure::new(format!("there are more than {FILES_MAX} dependencies")));
            }
            self.dependency(folder, dependency, sink)?;
            if !self.is_good {
                return Ok(());
            }
        }
        self.way.pop();
        Ok(())
    }

    fn dependency(&mut self, from: &Path, to: &Dependency, sink: &mut Diagnostics) -> Result<(), Failure> {
        let (tree, folder) = (self.tree, from.join(&to.path));
        let mut refuse = |message: String, help: &str| {
            sink.push(Diagnostic::error(Code::BadDependency, to.span, message).help(help));
            self.is_good = false;
            Ok(())
        };
        if !tree.is_file(&folder.join(manifest::FILE_NAME)) {
            let message = format!("there is no package `{}` in `{}`", to.name, to.path);
            return refuse(message, "a dependency is a folder with a pdl.toml, named from this one");
        }
        let real_folder = tree.real(&folder)?;
        if self.way.contains(&real_folder) {
            let message = format!("package `{}` depends on itself", to.name);
            return refuse(message, "move what both need into a third package");
        }
        if let Some((_, known)) = self.found.iter().find(|(name, _)| *name == to.name) {
            if tree.real(known)? == real_folder {
                return Ok(());
            }
            let message = format!("two packages are called `{}`: here and in `{}`", to.name, tree.shown(known));
            return refuse(message, "give each package a name of its own");
        }
        let Some(manifest) = self.read(&folder, sink)? else { return Ok(()) };
        if manifest.name != to.name {
            let message = format!("the package in `{}` is called `{}`, not `{}`", to.path, manifest.name, to.name);
            let fault = Diagnostic::error(Code::BadDependency, to.span, message);
            sink.push(fault.help(format!("call the dependency `{}`", manifest.name)));
            self.is_good = false;
            return Ok(());
        }
        self.found.push((to.name.clone(), folder.clone()));
        self.dependencies_of(&folder, &manifest, sink)
    }
}

/// Sources and modules as they are read.
#[derive(Default)]
struct Reading {
    sources: SourceMap,
    display: Vec<String>,
    modules: Vec<LoadedModule>,
}

impl Reading {
    fn add(&mut self, tree: &dyn Tree, source: &Source, own: bool, sink: &mut Diagnostics) -> Result<(), Failure> {
        if self.display.len() >= FILES_MAX {
            return Err(Failure::new(format!("there are more than {FILES_MAX} source files")));
        }
        let bytes = tree.read_up_to(&source.path, SOURCE_BYTES_MAX)?;
        self.parse(source.name.clone(), tree.shown(&source.path), &bytes, own, sink);
        Ok(())
    }

    fn parse(&mut self, name: String, display: String, bytes: &[u8], own: bool, sink: &mut Diagnostics) {
        let file = parse::parse_bytes(&mut self.sources, name.clone(), bytes, sink);
        self.display.push(display);
        let name = package::module_name(&file, &name);
        self.modules.push(LoadedModule { name: name.into(), own, file });
    }

    fn finish(self, talk: &str, name: &str, version: &str, sink: &mut Diagnostics) -> Loaded {
        let package = package::assemble(name, version, self.sources, self.modules, sink);
        let mut sources = SourceMap::default();
        let mut display = self.display.into_iter();
        // Behind what was read here stand the standard library's sources, which have no place on this disk.
        for (_, file) in package.sources.iter() {
            sources.add(display.next().unwrap_or_else(|| file.name.clone()), &file.text);
        }
        Loaded { package: Some(package), name: talk.to_owned(), sources }
    }
}

/// A path of this disk as it is shown: with `/`, without a `./` in front, and without a way in and out again.
#[must_use]
pub fn display_name(path: &Path) -> String {
    Disk.shown(path)
}

/// Adds all `.pdl` files below a folder. Hidden folders, links to folders and packages within are left out.
fn collect(
    tree: &dyn Tree,
    folder: &Path,
    prefix: &str,
    depth: usize,
    sources: &mut Vec<Source>,
) -> Result<(), Failure> {
    if depth > FOLDER_DEPTH_MAX {
        return Err(Failure::new(format!("`{}` lies more than {FOLDER_DEPTH_MAX} folders deep", tree.shown(folder))));
    }
    for (name, is_folder) in tree.list(folder)? {
        let path = folder.join(&name);
        let is_source = path.extension().is_some_and(|extension| extension == "pdl");
        let Some(name) = name.to_str() else {
            if is_source {
                return Err(Failure::new(format!("the name of `{}` is not UTF-8", tree.shown(&path))));
            }
            continue;
        };
        let name_here = format!("{prefix}{name}");
        if is_folder {
            if !name.starts_with('.') && !tree.is_file(&path.join(manifest::FILE_NAME)) {
                collect(tree, &path, &format!("{name_here}/"), depth + 1, sources)?;
            }
        } else if is_source && !name.starts_with('.') && !tree.is_folder(&path) {
            if sources.len() >= FILES_MAX {
                return Err(Failure::new(format!("there are more than {FILES_MAX} source files")));
            }
            sources.push(Source { name: name_here, path });
        }
    }
    Ok(())
}

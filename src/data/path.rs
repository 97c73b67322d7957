//! `Path`: an absolute POSIX path, normalised.
//!
//! | | |
//! | --- | --- |
//! | text | begins with `/`; at most [`PATH_BYTES_MAX`] bytes; no NUL |
//! | canonical text | one `/` between names, none at the end but for the root itself, no `.` and no `..` |
//!
//! `//` is one slash, `.` is dropped, and `..` drops the name before it, as RFC 3986, section 5.2.4 has it, with one
//! difference: a `..` above the root is **refused** and not ignored. Nobody means such a path, and whoever wrote it
//! hopes that two readers disagree on it.
//!
//! Everything is lexical: nothing here looks at a file system, so what a symbolic link does to `..` is not known
//! here. Whoever opens the file has to open the normalised text, and not the text that was asked about. A
//! backslash, a space, a newline or a `%` is a character of a name like any other, as in POSIX, and names are never
//! case-folded or Unicode-normalised; on systems where one of these does not hold, paths are not what this type
//! compares.

use std::fmt;

use crate::base::limits::PATH_BYTES_MAX;

/// A normalised path that owns its text.
//
// INVARIANT: the text is what `parse_into` wrote.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path {
    text: String,
}

/// Why a text is not a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PathError {
    /// The path has more than [`PATH_BYTES_MAX`] bytes.
    TooLong,
    /// The path does not begin with `/`.
    Relative,
    /// The path holds a NUL.
    Nul,
    /// A `..` leads above the root.
    AboveRoot,
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PathError::TooLong => write!(f, "the path is longer than {PATH_BYTES_MAX} bytes"),
            PathError::Relative => f.write_str("the path does not begin with `/`"),
            PathError::Nul => f.write_str("the path holds a NUL character"),
            PathError::AboveRoot => f.write_str("the path leads above the root"),
        }
    }
}

impl std::error::Error for PathError {}

/// Reads a path and appends its canonical text to `buffer`. Returns how many bytes it appended.
///
/// On an error the buffer is as it was. Nothing is allocated where the buffer has room for the length of `text`.
pub fn parse_into(text: &str, buffer: &mut String) -> Result<u16, PathError> {
    const { assert!(PATH_BYTES_MAX <= u16::MAX as usize) };
    if text.len() > PATH_BYTES_MAX {
        return Err(PathError::TooLong);
    }
    let rest = text.strip_prefix('/').ok_or(PathError::Relative)?;
    if is_normal(text.as_bytes()) {
        buffer.push_str(text);
        return Ok(text.len() as u16);
    }
    if text.contains('\0') {
        return Err(PathError::Nul);
    }
    let start = buffer.len();
    for name in rest.split('/') {
        match name {
            "" | "." => {}
            ".." => match buffer[start..].rfind('/') {
                Some(slash) => buffer.truncate(start + slash),
                None => return Err(PathError::AboveRoot),
            },
            name => {
                buffer.push('/');
                buffer.push_str(name);
            }
        }
    }
    if buffer.len() == start {
        buffer.push('/');
    }
    Ok((buffer.len() - start) as u16)
}

/// Whether a text that begins with `/` surely is normalised, as most are: without NUL, without an empty name and without a
/// name that begins with a dot.
fn is_normal(text: &[u8]) -> bool {
    let Some((_, behind)) = text.split_first() else { return false };
    // All pairs are looked at, so that wide registers can do it.
    let odd = text
        .iter()
        .zip(behind)
        .fold(false, |odd, (&byte, &next)| odd | ((byte == b'/') & ((next == b'/') | (next == b'.'))) | (next == 0));
    !odd && behind.last().is_none_or(|&last| last != b'/')
}

/// The names of a normalised path, from the root on. The root has none.
pub fn components(path: &str) -> impl DoubleEndedIterator<Item = &str> {
    path.split('/').filter(|name| !name.is_empty())
}

/// The last name of a normalised path; that of the root is empty.
pub fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or("")
}

/// What follows the last `.` of the last name: `gz` for `/a/b.tar.gz`. There is none where the only `.` begins the
/// name (`/home/.profile`), or where nothing follows it.
pub fn extension(path: &str) -> Option<&str> {
    let (stem, extension) = name(path).rsplit_once('.')?;
    if stem.is_empty() || extension.is_empty() { None } else { Some(extension) }
}

/// The normalised path without its last name; the root has no parent.
pub fn parent(path: &str) -> Option<&str> {
    match path.rfind('/') {
        Some(0) if path.len() > 1 => Some("/"),
        Some(0) | None => None,
        Some(slash) => path.get(..slash),
    }
}

/// Whether a normalised path is the normalised path `base`, or below it. Names are compared whole: `/srv/application`
/// is not within `/srv/app`.
#[inline]
pub fn is_within(path: &str, base: &str) -> bool {
    let base = if base == "/" { "" } else { base };
    match path.strip_prefix(base) {
        Some(rest) => rest.is_empty() || rest.starts_with('/'),
        None => false,
    }
}

impl Path {
    /// Reads and normalises a path.
    pub fn parse(text: &str) -> Result<Path, PathError> {
        let mut buffer = String::with_capacity(text.len().min(PATH_BYTES_MAX));
        parse_into(text, &mut buffer)?;
        Ok(Path { text: buffer })
    }

    /// The canonical text.
    #[inline]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn canonical(text: &str) -> Result<String, PathError> {
        Path::parse(text).map(|path| path.to_string())
    }

    #[test]
    fn normal_forms() {
        for (text, expected) in [
            ("/", "/"),
            ("//", "/"),
            ("/.", "/"),
            ("/a/..", "/"),
            ("/srv/app", "/srv/app"),
            ("/srv/app/", "/srv/app"),
            ("//srv///app//", "/srv/app"),
            ("/srv/./app/.", "/srv/app"),
            ("/srv/../etc", "/etc"),
            ("/a/b/../../c", "/c"),
            ("/...", "/..."),
            ("/..a/b..", "/..a/b.."),
            ("/a\\..\\b", "/a\\..\\b"),
            ("/a/%2e%2e/b", "/a/%2e%2e/b"),
            ("/a b/\n/é", "/a b/\n/é"),
        ] {
            assert_eq!(canonical(text).as_deref(), Ok(expected), "{text:?}");
        }
    }

    /// RFC 3986, section 5.2.4, and those of section 5.4 that are about dots, with the base path `/b/c/d;p`. Where
    /// the standard keeps a slash at the end, this type drops it; above the root it refuses.
    #[test]
    fn examples_of_the_standard() {
        assert_eq!(canonical("/a/b/c/./../../g").as_deref(), Ok("/a/g"));
        for (reference, expected) in [
            ("g", "/b/c/g"),
            ("./g", "/b/c/g"),
            ("g/", "/b/c/g"),
            (".", "/b/c"),
            ("./", "/b/c"),
            ("..", "/b"),
            ("../", "/b"),
            ("../g", "/b/g"),
            ("../..", "/"),
            ("../../", "/"),
            ("../../g", "/g"),
            ("g.", "/b/c/g."),
            (".g", "/b/c/.g"),
            ("g..", "/b/c/g.."),
            ("..g", "/b/c/..g"),
            ("./../g", "/b/g"),
            ("./g/.", "/b/c/g"),
            ("g/./h", "/b/c/g/h"),
            ("g/../h", "/b/c/h"),
            ("g;x=1/./y", "/b/c/g;x=1/y"),
            ("g;x=1/../y", "/b/c/y"),
        ] {
            assert_eq!(canonical(&format!("/b/c/{reference}")).as_deref(), Ok(expected), "{reference}");
        }
        for reference in ["../../../g", "../../../../g"] {
            assert_eq!(canonical(&format!("/b/c/{reference}")), Err(PathError::AboveRoot), "{reference}");
        }
        assert_eq!(canonical("/./g").as_deref(), Ok("/g"));
        assert_eq!(canonical("/../g"), Err(PathError::AboveRoot));
    }

    #[test]
    fn refused() {
        for (text, error) in [
            ("", PathError::Relative),
            ("a", PathError::Relative),
            ("./a", PathError::Relative),
            ("~/a", PathError::Relative),
            ("C:\\a", PathError::Relative),
            (" /a", PathError::Relative),
            ("/a\0", PathError::Nul),
            ("/..", PathError::AboveRoot),
            ("/a/../../b", PathError::AboveRoot),
            ("/../a/b", PathError::AboveRoot),
        ] {
            assert_eq!(canonical(text), Err(error), "{text:?}");
        }
        assert_eq!(canonical(&"/a".repeat(PATH_BYTES_MAX)), Err(PathError::TooLong));
        assert!(canonical(&"/a".repeat(PATH_BYTES_MAX / 2)).is_ok());
    }

    #[test]
    fn pieces() {
        assert_eq!(components("/a/b.c").collect::<Vec<_>>(), ["a", "b.c"]);
        assert_eq!(components("/").count(), 0);
        assert_eq!((name("/a/b.c"), name("/")), ("b.c", ""));
        for (path, expected) in
            [("/a/b.tar.gz", Some("gz")), ("/a/.profile", None), ("/a.b/c", None), ("/a.", None), ("/", None)]
        {
            assert_eq!(extension(path), expected, "{path}");
        }
        assert_eq!((parent("/a/b"), parent("/a"), parent("/")), (Some("/a"), Some("/"), None));
    }

    #[test]
    fn within() {
        for (path, base, expected) in [
            ("/srv/app/x", "/srv/app", true),
            ("/srv/app", "/srv/app", true),
            ("/srv/application", "/srv/app", false),
            ("/srv", "/srv/app", false),
            ("/anything", "/", true),
            ("/", "/", true),
            ("/", "/a", false),
        ] {
            assert_eq!(is_within(path, base), expected, "{path} {base}");
        }
    }

    #[test]
    fn a_refused_path_leaves_the_buffer_alone() {
        let mut buffer = "before".to_owned();
        assert_eq!(parse_into("/a/../../b", &mut buffer), Err(PathError::AboveRoot));
        assert_eq!(buffer, "before");
        assert_eq!(parse_into("/a/../b", &mut buffer), Ok(2));
        assert_eq!(buffer, "before/b");
    }

    proptest! {
        #[test]
        fn normalising_is_idempotent(text in "(/|\\.|a|é){0,12}|/.*") {
            if let Ok(path) = Path::parse(&text) {
                prop_assert_eq!(Path::parse(path.as_str()), Ok(path.clone()));
                prop_assert!(components(path.as_str()).all(|name| name != "." && name != ".."));
                prop_assert!(is_within(path.as_str(), "/") && is_within(path.as_str(), path.as_str()));
                if let Some(parent) = parent(path.as_str()) {
                    prop_assert!(is_within(path.as_str(), parent) && !is_within(parent, path.as_str()));
                }
            }
        }
    }
}

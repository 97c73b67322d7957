//! A file of requests, in parts of whole lines.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::work::Part;
use crate::base::limits::ROW_BYTES_MAX;
use crate::cli::files;
use crate::cli::status::Failure;
use crate::kernel::log::verify::Progress;

/// How much is read at once.
const PART_BYTES: usize = 1 << 20;

/// A file that is read part by part.
pub struct Lines {
    name: String,
    reader: Box<dyn Read>,
    /// How many bytes the file has, if that is known, and how many were read.
    size: u64,
    read: u64,
    /// How many lines were given out.
    lines: u64,
    /// The beginning of a line whose end was not read yet.
    begun: Vec<u8>,
    is_at_end: bool,
}

impl Lines {
    /// Opens a file, or standard input for `-`.
    pub fn open(path: &Path) -> Result<Lines, Failure> {
        let fail = |error: io::Error| Failure::io("read", path, &error);
        let (reader, size): (Box<dyn Read>, u64) = if files::is_stdin(path) {
            (Box::new(io::stdin()), 0)
        } else {
            let file = File::open(path).map_err(fail)?;
            let about = file.metadata().map_err(fail)?;
            if about.is_dir() {
                return Err(fail(io::ErrorKind::IsADirectory.into()));
            }
            (Box::new(file), about.len())
        };
        let name = files::shown(path);
        Ok(Lines { name, reader, size, read: 0, lines: 0, begun: Vec::new(), is_at_end: false })
    }

    /// The next part, and how far it leads; nothing at the end.
    pub fn next(&mut self) -> Result<Option<(Part, Progress)>, Failure> {
        let fail = |error: io::Error| Failure::new(format!("can't read `{}`: {error}", self.name));
        let mut bytes = std::mem::take(&mut self.begun);
        while !self.is_at_end {
            let before = bytes.len();
            let read = (&mut self.reader).take(PART_BYTES as u64).read_to_end(&mut bytes).map_err(fail)?;
            self.read += read as u64;
            self.is_at_end = read < PART_BYTES;
            if let Some(end) = bytes[before..].iter().rposition(|byte| *byte == b'\n') {
                self.begun = bytes.split_off(before + end + 1);
                break;
            }
            if bytes.len() > ROW_BYTES_MAX {
                // No more of it is kept than shows that it is too long.
                bytes.truncate(ROW_BYTES_MAX + 1);
            }
        }
        if bytes.is_empty() {
            return Ok(None);
        }
        let first = self.lines + 1;
        let ends = bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.lines += ends + u64::from(bytes.last() != Some(&b'\n'));
        let progress = Progress { done: self.read, of: self.size.max(self.read) };
        Ok(Some((Part { first, bytes }, progress)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: Vec<u8>) -> Vec<(u64, usize)> {
        let reader = Box::new(io::Cursor::new(text));
        let mut lines =
            Lines { name: String::new(), reader, size: 0, read: 0, lines: 0, begun: Vec::new(), is_at_end: false };
        let mut found = Vec::new();
        while let Some((part, _)) = lines.next().expect("memory can be read") {
            let of_part = part.lines().map(|(number, line)| (number, line.len()));
            found.extend(of_part.filter(|(_, length)| *length > 0));
        }
        found
    }

    #[test]
    fn parts_are_of_whole_lines() {
        let text =
            |lengths: &[usize]| lengths.iter().flat_map(|length| [&vec![b'x'; *length][..], b"\n"].concat()).collect();
        let long = PART_BYTES + 5;
        assert_eq!(lines(text(&[3, 0, 4])), [(1, 3), (3, 4)]);
        assert_eq!(lines(text(&[long, 2, long, 7])), [(1, long), (2, 2), (3, long), (4, 7)]);
        assert_eq!(lines(b"a\nbc".to_vec()), [(1, 1), (2, 2)]);
        assert_eq!(lines(text(&[PART_BYTES - 1, 1])), [(1, PART_BYTES - 1), (2, 1)]);
        assert_eq!(lines(Vec::new()), []);
    }

    #[test]
    fn of_a_line_that_is_too_long_only_the_length_counts() {
        let mut text = vec![b'x'; 3 * ROW_BYTES_MAX];
        text.extend(b"\nabc\n");
        let found = lines(text);
        assert_eq!(found.len(), 2);
        assert!(found[0].0 == 1 && found[0].1 > ROW_BYTES_MAX, "{found:?}");
        assert_eq!(found[1], (2, 3));
    }
}

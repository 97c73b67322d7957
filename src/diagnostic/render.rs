//! The form for people: the source with arrows, by ariadne; the only file that knows ariadne.
//!
//! Never panics, whatever the spans and texts are: spans are snapped to characters and cut to the file, and what a
//! terminal would obey (escape sequences, bidirectional controls) is shown as a harmless sign. Whether there is
//! colour is the caller's decision; the environment is not looked at.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::Write as _;

use ariadne::{Cache, CharSet, Color, Config, IndexType, LabelAttach, Report, ReportKind, Source};

use super::{Code, Counts, Diagnostic, Label, Severity};
use crate::base::span::{FileId, SourceFile, SourceMap, Span};

/// Labels of one file that are further apart than this many lines are shown as separate excerpts.
const EXCERPT_GAP_LINES: u32 = 6;
/// A span of more lines is shown by its first line.
const SPAN_LINES_MAX: u32 = 60;
/// A longer line is shown as a piece around the span.
const LINE_CHARS_MAX: usize = 320;
/// How much of an overlong line is shown on each side of the start of a span, in characters.
const PIECE_CHARS: usize = 36;

/// How to draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether to use colour.
    pub color: bool,
    /// Whether arrows are of ASCII characters only; the source is shown as it is.
    pub ascii: bool,
}

impl Style {
    /// No colour, and lines drawn in Unicode.
    pub const PLAIN: Style = Style { color: false, ascii: false };
    /// No colour and nothing but ASCII: the same on every machine.
    pub const ASCII: Style = Style { color: false, ascii: true };
}

/// All diagnostics, with an empty line after each.
#[must_use]
pub fn render(sources: &SourceMap, diagnostics: &[Diagnostic], style: Style) -> String {
    let mut excerpts = Excerpts { sources, shown: BTreeMap::new() };
    let mut out = String::new();
    for diagnostic in diagnostics {
        one(&mut out, &mut excerpts, diagnostic, style);
        out.push('\n');
    }
    out
}

/// `2 errors, 1 warning`; what there is none of is left out, and notes are not counted.
#[must_use]
pub fn summary(counts: Counts) -> String {
    let count = |number: usize, word: &str| match number {
        0 => None,
        1 => Some(format!("1 {word}")),
        _ => Some(format!("{number} {word}s")),
    };
    let parts: Vec<String> =
        [count(counts.errors, "error"), count(counts.warnings, "warning")].into_iter().flatten().collect();
    if parts.is_empty() { "no faults".to_owned() } else { parts.join(", ") }
}

/// The text with everything a terminal or a line-based reader would obey replaced by a sign of the same width.
#[must_use]
pub fn clean(text: &str) -> String {
    text.chars().map(harmless).collect()
}

/// `release.pdl:3:11-3:22`; columns are in characters, the end is the column after the last one.
#[must_use]
pub fn place_range(sources: &SourceMap, span: Span) -> String {
    let file = sources.file(span.file);
    let (line, column) = file.line_column(span.start);
    let (end_line, end_column) = file.line_column(span.end.max(span.start));
    format!("{}:{line}:{column}-{end_line}:{end_column}", clean(&file.name))
}

/// The character itself, or a sign where it would move the cursor, break the line, hide or reorder text.
fn harmless(character: char) -> char {
    match character {
        '\0'..='\x1f' => char::from_u32(0x2400 + character as u32).unwrap_or('\u{fffd}'),
        '\x7f' => '\u{2421}',
        '\u{80}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' => '\u{fffd}',
        '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => '\u{fffd}',
        other => other,
    }
}

fn one(out: &mut String, excerpts: &mut Excerpts<'_>, diagnostic: &Diagnostic, style: Style) {
    header(out, diagnostic, style);
    if diagnostic.code != Code::MoreFaults {
        let overlong = diagnostic.labels().any(|label| excerpts.is_overlong(label.span));
        if overlong { pieces(out, excerpts.sources, diagnostic) } else { arrows(out, excerpts, diagnostic, style) }
    }
    for help in &diagnostic.help {
        let _ = writeln!(out, "{} {}", paint("help:", "1;36", style), clean(help));
    }
}

fn header(out: &mut String, diagnostic: &Diagnostic, style: Style) {
    let word = diagnostic.severity.word();
    let kind = match diagnostic.code {
        Code::MoreFaults => format!("{word}:"),
        code => format!("{word}[{code}]:"),
    };
    let color = match diagnostic.severity {
        Severity::Error => "1;31",
        Severity::Warning => "1;33",
        Severity::Note => "1;36",
    };
    let _ = writeln!(out, "{} {}", paint(&kind, color, style), paint(&clean(&diagnostic.message), "1", style));
}

fn paint(text: &str, sequence: &str, style: Style) -> String {
    if style.color { format!("\x1b[{sequence}m{text}\x1b[0m") } else { text.to_owned() }
}

/// The excerpts with arrows. ariadne counts in characters here: we count them ourselves, per line, because its own
/// conversion of bytes panics inside a character.
fn arrows(out: &mut String, excerpts: &mut Excerpts<'_>, diagnostic: &Diagnostic, style: Style) {
    let placed = excerpts.place(diagnostic);
    let Some(primary) = placed.iter().find(|placed| placed.is_primary) else { return };
    let config = Config::new()
        .with_color(style.color)
        .with_char_set(if style.ascii { CharSet::Ascii } else { CharSet::Unicode })
        .with_index_type(IndexType::Char)
        .with_label_attach(LabelAttach::Middle)
        .with_tab_width(4);
    let mut report = Report::build(ReportKind::Error, primary.span()).with_config(config);
    for label in &placed {
        let mut drawn = ariadne::Label::new(label.span()).with_color(label.color(diagnostic.severity));
        if label.is_primary {
            drawn = drawn.with_priority(1);
        }
        // Without a text ariadne draws no arrow, and the place can't be seen.
        drawn = drawn.with_message(clean(if label.text.is_empty() { "here" } else { label.text }));
        report.add_label(drawn);
    }
    let mut drawn = Vec::new();
    if report.finish().write(excerpts, &mut drawn).is_err() {
        return;
    }
    // The first line is ariadne's own header; trailing spaces are noise in logs and snapshots.
    for line in String::from_utf8_lossy(&drawn).lines().skip(1) {
        out.push_str(line.trim_end());
        out.push('\n');
    }
}

/// Places with a piece of their line each, for sources that have lines no one can read as a whole. Only what is shown
/// is looked at: a line can have as many characters as a file.
fn pieces(out: &mut String, sources: &SourceMap, diagnostic: &Diagnostic) {
    for label in diagnostic.labels() {
        let file = sources.file(label.span.file);
        let (line, column) = file.line_column(label.span.start);
        let mut at = (label.span.start as usize).min(file.text.len());
        while !file.text.is_char_boundary(at) {
            at -= 1;
        }
        let (before, after) = file.text.split_at(at);
        // One character more than is shown tells whether the line goes on.
        let take = |characters: &mut dyn Iterator<Item = char>| {
            let mut taken: Vec<char> = characters.take_while(|&c| c != '\n').take(PIECE_CHARS + 1).collect();
            let dots = if taken.len() > PIECE_CHARS { "..." } else { "" };
            taken.truncate(PIECE_CHARS);
            (taken, dots)
        };
        let (left, dots_left) = take(&mut before.chars().rev());
        let (right, dots_right) = take(&mut after.chars());
        let left: String = left.into_iter().rev().map(harmless).collect();
        let right: String = right.into_iter().map(harmless).collect();
        let indent = " ".repeat(dots_left.len() + left.chars().count());
        let _ = writeln!(out, "  --> {}:{line}:{column}", clean(&file.name));
        let _ = writeln!(out, "   | {}", format!("{dots_left}{left}{right}{dots_right}").trim_end());
        let _ = writeln!(out, "   | {}", format!("{indent}^ {}", clean(&label.text)).trim_end());
    }
}

/// A part of a file that is shown in one piece: the file and its number within the diagnostic.
type ExcerptId = (FileId, u32);

/// A label as ariadne wants it.
struct Placed<'a> {
    id: ExcerptId,
    /// In characters of the whole file.
    start: usize,
    end: usize,
    /// The first and the last line, from 1.
    lines: (u32, u32),
    text: &'a str,
    is_primary: bool,
}

impl Placed<'_> {
    fn span(&self) -> (ExcerptId, std::ops::Range<usize>) {
        (self.id, self.start..self.end)
    }

    fn color(&self, severity: Severity) -> Color {
        match severity {
            _ if !self.is_primary => Color::Blue,
            Severity::Error => Color::Red,
            Severity::Warning => Color::Yellow,
            Severity::Note => Color::Cyan,
        }
    }
}

/// The sources as ariadne wants them, made once for each file that is shown.
struct Excerpts<'a> {
    sources: &'a SourceMap,
    shown: BTreeMap<FileId, Source<String>>,
}

impl Excerpts<'_> {
    fn source(&mut self, id: FileId) -> &Source<String> {
        let sources = self.sources;
        self.shown.entry(id).or_insert_with(|| Source::from(shown_text(&sources.file(id).text)))
    }

    fn is_overlong(&self, span: Span) -> bool {
        let file = self.sources.file(span.file);
        let (first, last) = lines(file, span);
        [first, last].into_iter().any(|line| file.line(line).len() > LINE_CHARS_MAX)
    }

    /// The labels with their excerpts: that of the primary label first, then the others as they come.
    fn place<'d>(&mut self, diagnostic: &'d Diagnostic) -> Vec<Placed<'d>> {
        let mut placed: Vec<Placed<'d>> = Vec::new();
        for (at, label) in diagnostic.labels().enumerate() {
            placed.push(self.place_one(label, at == 0));
        }
        // Neighbouring lines of one file join the excerpt of an earlier label.
        for at in 0..placed.len() {
            let near = placed[..at].iter().find(|other| {
                let (a, b) = (placed[at].lines, other.lines);
                other.id.0 == placed[at].id.0 && a.0 <= b.1 + EXCERPT_GAP_LINES && b.0 <= a.1 + EXCERPT_GAP_LINES
            });
            placed[at].id.1 = near.map_or(at as u32, |other| other.id.1);
        }
        // ariadne joins labels to one excerpt only as long as their last lines rise.
        let order: BTreeMap<ExcerptId, usize> =
            placed.iter().enumerate().rev().map(|(at, label)| (label.id, at)).collect();
        placed.sort_by_key(|label| (order.get(&label.id).copied(), label.lines.1, label.start));
        placed
    }

    fn place_one<'d>(&mut self, label: &'d Label, is_primary: bool) -> Placed<'d> {
        let file = self.sources.file(label.span.file);
        let ((line, column), (end_line, end_column)) =
            (file.line_column(label.span.start), file.line_column(label.span.end.max(label.span.start)));
        let source = self.source(label.span.file);
        let offset = |line: u32, column: u32| {
            let at = source.line(line as usize - 1).map_or(source.len(), |line| line.offset() + column as usize - 1);
            at.min(source.len())
        };
        let start = offset(line, column);
        let (end, last) = if end_line - line > SPAN_LINES_MAX {
            let length = source.line(line as usize - 1).map_or(0, |line| line.span().end);
            (length.saturating_sub(1).max(start), line)
        } else {
            let (_, last) = lines(file, label.span);
            (offset(end_line, end_column), last)
        };
        // An empty span still needs a character to point at.
        let end = end.max((start + 1).min(source.len()));
        Placed { id: (label.span.file, 0), start, end, lines: (line, last), text: &label.text, is_primary }
    }
}

/// The lines of the first and the last byte of a span.
fn lines(file: &SourceFile, span: Span) -> (u32, u32) {
    let (first, _) = file.line_column(span.start);
    let (last, _) = file.line_column(span.end.saturating_sub(1).max(span.start));
    (first, last)
}

/// The text in which `\n` is the only line end that ariadne sees, character by character; and with a character at
/// the very end to point at.
fn shown_text(text: &str) -> String {
    let mut shown = String::with_capacity(text.len() + 1);
    shown.extend(text.chars().map(|character| match character {
        '\n' | '\t' => character,
        other => harmless(other),
    }));
    shown.push(' ');
    shown
}

impl Cache<ExcerptId> for Excerpts<'_> {
    type Storage = String;

    fn fetch(&mut self, id: &ExcerptId) -> Result<&Source<String>, impl std::fmt::Debug> {
        Ok::<_, Infallible>(self.source(id.0))
    }

    fn display<'a>(&self, id: &'a ExcerptId) -> Option<impl std::fmt::Display + 'a> {
        Some(clean(&self.sources.file(id.0).name))
    }
}

//! A small document algebra: text with places where a line may break, laid out to a width.
//!
//! A group is written on one line if it fits, else each of its own break points is a new line. It knows nothing of
//! the language.

/// A piece of layout.
#[derive(Clone, Debug)]
pub enum Doc {
    /// Text without line ends.
    Text(String),
    /// A space, or a new line where the group breaks.
    Line,
    /// Nothing, or a new line where the group breaks.
    SoftLine,
    /// A new line always; every group around it breaks.
    Hard,
    /// A comma where the group breaks.
    BreakComma,
    /// One behind the other.
    All(Vec<Doc>),
    /// The same, one level further in.
    Nest(Vec<Doc>),
    /// Breaks as a whole or not at all; with its width on one line, if it can be on one.
    Group(Vec<Doc>, Option<usize>),
}

/// One level of indentation.
pub const INDENT: usize = 4;

impl Doc {
    /// A text.
    pub fn text(text: impl Into<String>) -> Doc {
        Doc::Text(text.into())
    }

    /// A group; its width is worked out once.
    pub fn group(parts: Vec<Doc>) -> Doc {
        let width = width_of(&parts);
        Doc::Group(parts, width)
    }

    /// The width on one line; none where it can't be on one.
    pub fn width(&self) -> Option<usize> {
        match self {
            Doc::Text(text) => Some(text.chars().count()),
            Doc::Line => Some(1),
            Doc::SoftLine | Doc::BreakComma => Some(0),
            Doc::Hard => None,
            Doc::All(parts) | Doc::Nest(parts) => width_of(parts),
            Doc::Group(_, width) => *width,
        }
    }
}

fn width_of(parts: &[Doc]) -> Option<usize> {
    parts.iter().try_fold(0, |sum, part| part.width().map(|width| sum + width))
}

/// Lays out a document that begins at a column; new lines are indented by `indent`. Gives the last column.
pub fn render(doc: &Doc, column: usize, indent: usize, width: usize, out: &mut String) -> usize {
    let mut layout = Layout { out, column, width };
    layout.write(doc, indent, true);
    layout.column
}

struct Layout<'a> {
    out: &'a mut String,
    column: usize,
    width: usize,
}

impl Layout<'_> {
    fn write(&mut self, doc: &Doc, indent: usize, flat: bool) {
        match doc {
            Doc::Text(text) => {
                self.out.push_str(text);
                self.column += text.chars().count();
            }
            Doc::Line if flat => {
                self.out.push(' ');
                self.column += 1;
            }
            Doc::SoftLine | Doc::BreakComma if flat => {}
            Doc::Line | Doc::SoftLine | Doc::Hard => {
                let trimmed = self.out.trim_end_matches(' ').len();
                self.out.truncate(trimmed);
                self.out.push('\n');
                self.out.extend(std::iter::repeat_n(' ', indent));
                self.column = indent;
            }
            Doc::BreakComma => {
                self.out.push(',');
                self.column += 1;
            }
            Doc::All(parts) => parts.iter().for_each(|part| self.write(part, indent, flat)),
            Doc::Nest(parts) => parts.iter().for_each(|part| self.write(part, indent + INDENT, flat)),
            Doc::Group(parts, group_width) => {
                let fits = group_width.is_some_and(|group_width| self.column + group_width <= self.width);
                parts.iter().for_each(|part| self.write(part, indent, fits));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(argument: &str) -> Doc {
        let inside =
            vec![Doc::SoftLine, Doc::text(argument), Doc::text(","), Doc::Line, Doc::text("b"), Doc::BreakComma];
        Doc::group(vec![Doc::text("f("), Doc::Nest(inside), Doc::SoftLine, Doc::text(")")])
    }

    #[test]
    fn a_group_is_on_one_line_if_it_fits() {
        let mut out = String::new();
        render(&call("a"), 0, 0, 10, &mut out);
        assert_eq!(out, "f(a, b)");
        out.clear();
        render(&call("a_longer_one"), 0, 0, 10, &mut out);
        assert_eq!(out, "f(\n    a_longer_one,\n    b,\n)");
    }
}

//! The path to a place of a document: `context.items[3].name`. Only errors need one, so it is found by a pass of its own.

use std::fmt::Write as _;

/// Keys longer than this are cut.
const KEY_CHARACTERS_MAX: usize = 64;

enum Step {
    /// In an object, with the last key that was read.
    Object(Option<String>),
    /// In an array, at an element.
    Array(usize),
}

/// The path to the value, key or other token at an offset; empty for the document itself.
///
/// The document has to be well formed up to the offset; of any other the answer is some path.
#[must_use]
pub fn path_at(bytes: &[u8], offset: usize) -> String {
    let mut steps: Vec<Step> = Vec::new();
    let mut expects_key = false;
    let mut at = 0;
    while at < offset.min(bytes.len()) {
        match bytes[at] {
            b'{' => {
                steps.push(Step::Object(None));
                expects_key = true;
            }
            b'[' => {
                steps.push(Step::Array(0));
                expects_key = false;
            }
            b'}' | b']' => {
                steps.pop();
                expects_key = false;
            }
            b',' => match steps.last_mut() {
                Some(Step::Array(element)) => *element += 1,
                Some(Step::Object(key)) => {
                    *key = None;
                    expects_key = true;
                }
                None => {}
            },
            b'"' => {
                let end = string_end(bytes, at + 1);
                if expects_key {
                    note_key(&mut steps, bytes, at, end);
                    expects_key = false;
                }
                at = end;
            }
            _ => {}
        }
        at += 1;
    }
    if expects_key && at == offset && bytes.get(at) == Some(&b'"') {
        note_key(&mut steps, bytes, at, string_end(bytes, at + 1));
    }
    render(&steps)
}

/// The offset of the quote that ends a string whose first character is at `at`.
fn string_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' => return at,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn note_key(steps: &mut [Step], bytes: &[u8], start: usize, end: usize) {
    let Some(Step::Object(key)) = steps.last_mut() else { return };
    let raw = bytes.get(start..(end + 1).min(bytes.len())).unwrap_or_default();
    let raw_text = String::from_utf8_lossy(raw.get(1..raw.len().saturating_sub(1)).unwrap_or_default());
    let text = super::Reader::new(raw).and_then(|mut reader| reader.string()).map(|text| text.characters().collect());
    *key = Some(text.unwrap_or_else(|_| raw_text.into_owned()));
}

fn render(steps: &[Step]) -> String {
    let mut path = String::new();
    for step in steps {
        match step {
            Step::Object(Some(key)) => push_key(&mut path, key),
            Step::Object(None) => {}
            Step::Array(element) => {
                let _ = write!(path, "[{element}]");
            }
        }
    }
    path
}

/// Adds a key to a path: `.name`, or `["any text"]` where it is not a name.
pub fn push_key(path: &mut String, key: &str) {
    let is_name = key.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && key.chars().all(|character| character.is_ascii_alphanumeric() || character == '_');
    let cut: String = key.chars().take(KEY_CHARACTERS_MAX).collect();
    let dots = if cut.len() < key.len() { "…" } else { "" };
    let _ = match (is_name, path.is_empty()) {
        (true, true) => write!(path, "{cut}{dots}"),
        (true, false) => write!(path, ".{cut}{dots}"),
        (false, _) => write!(path, "[\"{}{dots}\"]", cut.escape_debug()),
    };
}

#[cfg(test)]
mod tests {
    use super::path_at;

    #[test]
    fn a_path_leads_to_the_value_or_key_at_the_offset() {
        let document = r#"{"context": {"a b": 1, "items": [1, {"x": "[,]\""}, 33], "last": true}}"#;
        let path = |text: &str| path_at(document.as_bytes(), document.find(text).expect("it occurs"));
        assert_eq!(path("{"), "");
        assert_eq!(path("\"context\""), "context");
        assert_eq!(path("1"), "context[\"a b\"]");
        assert_eq!(path("33"), "context.items[2]");
        assert_eq!(path("\"[,"), "context.items[1].x");
        assert_eq!(path("\"last\""), "context.last");
        assert_eq!(path("true"), "context.last");
    }
}

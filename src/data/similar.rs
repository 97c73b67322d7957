//! "Did you mean": which of the known names a misspelt one was probably meant to be.
//!
//! For messages only: nothing that decides anything looks here.

/// The candidate nearest to `name`, if one is near enough to be worth showing.
///
/// A candidate that differs in case only wins. Else it is the one with the fewest insertions, deletions,
/// replacements and swaps of neighbours, of which there may be one for every three characters of the longer name,
/// and at least one; a name is never mended by replacing it whole. Of several equally near the first is taken, so
/// the answer is deterministic if the order of candidates is.
pub fn best_match<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower: Vec<char> = name.chars().flat_map(char::to_lowercase).collect();
    let mut rows = Rows::default();
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        if candidate == name {
            continue;
        }
        let other: Vec<char> = candidate.chars().flat_map(char::to_lowercase).collect();
        let longer = lower.len().max(other.len());
        let limit = (longer / 3).max(1).min(longer.saturating_sub(1));
        let bound = best.map_or(limit, |(distance, _)| limit.min(distance.saturating_sub(1)));
        if lower == other {
            return Some(candidate);
        }
        if bound == 0 || lower.len().abs_diff(other.len()) > bound {
            continue;
        }
        let distance = rows.distance(&lower, &other);
        if distance <= bound {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// How many insertions, deletions, replacements and swaps of neighbours turn one text into the other (no
/// character edited twice: "optimal string alignment"). Counted in characters, case counts.
pub fn edit_distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().collect();
    let right: Vec<char> = right.chars().collect();
    Rows::default().distance(&left, &right)
}

/// The last three rows of the table of distances, kept from one candidate to the next.
#[derive(Default)]
struct Rows {
    before: Vec<usize>,
    above: Vec<usize>,
    row: Vec<usize>,
}

impl Rows {
    fn distance(&mut self, left: &[char], right: &[char]) -> usize {
        let Rows { before, above, row } = self;
        before.clear();
        before.resize(right.len() + 1, 0);
        above.clear();
        above.extend(0..=right.len());
        row.clear();
        row.resize(right.len() + 1, 0);
        for (i, &a) in left.iter().enumerate() {
            row[0] = i + 1;
            for (j, &b) in right.iter().enumerate() {
                let replaced = above[j] + usize::from(a != b);
                let mut least = replaced.min(above[j + 1] + 1).min(row[j] + 1);
                if i > 0 && j > 0 && a == right[j - 1] && left[i - 1] == b {
                    least = least.min(before[j - 1] + 1);
                }
                row[j + 1] = least;
            }
            std::mem::swap(before, above);
            std::mem::swap(above, row);
        }
        above[right.len()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (left, right, distance) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("kitten", "sitting", 3),
            ("ab", "ba", 1),
            ("ca", "abc", 3),
            ("naïve", "naive", 1),
        ] {
            assert_eq!(edit_distance(left, right), distance, "{left} {right}");
        }
    }

    #[test]
    fn names() {
        let known = ["level", "capabilities", "owner", "environment", "kind", "id"];
        for (name, expected) in [
            ("levle", Some("level")),
            ("capabilites", Some("capabilities")),
            ("enviroment", Some("environment")),
            ("Kind", Some("kind")),
            ("ownr", Some("owner")),
            ("ids", Some("id")),
            ("colour", None),
            ("x", None),
            ("xy", None),
            ("", None),
        ] {
            assert_eq!(best_match(name, known), expected, "{name}");
        }
    }

    #[test]
    fn order_and_case() {
        assert_eq!(best_match("cost", ["host", "most"]), Some("host"));
        assert_eq!(best_match("cost", ["host", "COST"]), Some("COST"));
        assert_eq!(best_match("cost", ["cost"]), None);
    }
}

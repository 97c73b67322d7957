//! How a log lies in files: C2SP `tlog-tiles`. Tiles never change once they are full, so that they can be served by
//! anything that serves files and kept by anything that keeps copies.
//!
//! A tile of hashes is 256 hashes of one level of every eight: tile level 0 has the hashes of leaves, tile level 1 those
//! of full tiles of level 0. A bundle of entries is 256 entries, each with its length before it in two bytes. The last
//! tile of a level has as many as there are, and says so in its name.

use std::fmt;

use super::tree::{Node, node_hash};
use crate::base::hash::Digest;

/// How many hashes or entries a full tile has.
pub const TILE_WIDTH: u16 = 256;
/// How many levels of nodes one level of tiles stands for.
pub const TILE_HEIGHT: u8 = 8;

/// What a tile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Content {
    /// Hashes of nodes, of this level of tiles (0 to 63).
    Hashes(u8),
    /// Entries.
    Entries,
}

/// A tile: a file of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tile {
    /// What it holds.
    pub content: Content,
    /// Which one of its level, from 0.
    pub index: u64,
    /// How many it has, 1 to 256.
    pub width: u16,
}

impl Tile {
    /// The tile of hashes in which a node's hash is found, or can be computed from, in a log of `size` entries.
    ///
    /// `None` if the log is not that long.
    #[must_use]
    pub fn of_node(node: Node, size: u64) -> Option<Tile> {
        let level = node.level / TILE_HEIGHT;
        let in_tile = node.level % TILE_HEIGHT;
        let first = node.index.checked_shl(u32::from(in_tile))?;
        let last = first.checked_add((1 << in_tile) - 1)?;
        let index = first >> TILE_HEIGHT;
        let width = Tile::width_at(level, index, size)?;
        (last - (index << TILE_HEIGHT) < u64::from(width)).then_some(Tile {
            content: Content::Hashes(level),
            index,
            width,
        })
    }

    /// The bundle in which an entry is, in a log of `size` entries.
    #[must_use]
    pub fn of_entry(at: u64, size: u64) -> Option<Tile> {
        let index = at >> TILE_HEIGHT;
        let width = Tile::width_at(0, index, size)?;
        (at < size).then_some(Tile { content: Content::Entries, index, width })
    }

    /// How many hashes the tile has in a log of `size` entries; `None` if it is not there.
    fn width_at(level: u8, index: u64, size: u64) -> Option<u16> {
        let hashes = size.checked_shr(u32::from(level) * u32::from(TILE_HEIGHT)).unwrap_or(0);
        let width = hashes.checked_sub(index.checked_mul(u64::from(TILE_WIDTH))?)?.min(u64::from(TILE_WIDTH));
        (width > 0).then_some(width as u16)
    }

    /// Every tile of a log of `size` entries, the hashes by level, then the entries.
    pub fn all(size: u64) -> impl Iterator<Item = Tile> {
        let levels = (0..TILE_HEIGHT).map(Content::Hashes).chain([Content::Entries]);
        levels.flat_map(move |content| {
            let level = match content {
                Content::Hashes(level) => level,
                Content::Entries => 0,
            };
            (0..).map_while(move |index| Tile::width_at(level, index, size).map(|width| Tile { content, index, width }))
        })
    }

    /// The hash of a node, from the hashes of its tile; `None` if the tile has too few.
    #[must_use]
    pub fn hash_of(self, node: Node, hashes: &[Digest]) -> Option<Digest> {
        let in_tile = node.level % TILE_HEIGHT;
        let first = node.index.checked_shl(u32::from(in_tile))?.checked_sub(self.index << TILE_HEIGHT)?;
        let count = 1_usize << in_tile;
        let first = usize::try_from(first).ok()?;
        let mut row = hashes.get(first..first.checked_add(count)?)?.to_vec();
        while row.len() > 1 {
            row = row.chunks_exact(2).map(|pair| node_hash(&pair[0], &pair[1])).collect();
        }
        row.first().copied()
    }

    /// The tile of a path such as `tile/0/x001/067.p/5`. Only the one way of writing it is taken.
    #[must_use]
    pub fn parse(path: &str) -> Option<Tile> {
        let rest = path.strip_prefix("tile/")?;
        let (level, rest) = rest.split_once('/')?;
        let content = match level {
            "entries" => Content::Entries,
            level => Content::Hashes(level.parse().ok().filter(|level| *level < 64)?),
        };
        let (index, width) = match rest.split_once(".p/") {
            Some((index, width)) => (index, width.parse().ok().filter(|width| (1..TILE_WIDTH).contains(width))?),
            None => (rest, TILE_WIDTH),
        };
        let mut number = 0_u64;
        for part in index.split('/') {
            let digits = part.strip_prefix('x').unwrap_or(part);
            number = number.checked_mul(1_000)?.checked_add(digits.parse().ok()?)?;
        }
        let tile = Tile { content, index: number, width };
        (tile.to_string() == path).then_some(tile)
    }
}

/// The path: `tile/0/x001/067`, `tile/entries/000.p/5`.
impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.content {
            Content::Hashes(level) => write!(f, "tile/{level}/")?,
            Content::Entries => f.write_str("tile/entries/")?,
        }
        let mut groups = vec![self.index % 1_000];
        let mut left = self.index / 1_000;
        while left > 0 {
            groups.push(left % 1_000);
            left /= 1_000;
        }
        for (at, group) in groups.iter().enumerate().rev() {
            let (mark, end) = if at > 0 { ("x", "/") } else { ("", "") };
            write!(f, "{mark}{group:03}{end}")?;
        }
        if self.width < TILE_WIDTH {
            write!(f, ".p/{}", self.width)?;
        }
        Ok(())
    }
}

/// The bytes of a tile of hashes.
#[must_use]
pub fn write_hashes(hashes: &[Digest]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

/// The hashes of a tile, if there are as many as it says.
#[must_use]
pub fn read_hashes(tile: Tile, bytes: &[u8]) -> Option<Vec<Digest>> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    (rest.is_empty() && hashes.len() == usize::from(tile.width)).then(|| hashes.iter().copied().map(Digest).collect())
}

/// The bytes of a bundle of entries; `None` if one of them is too long.
#[must_use]
pub fn write_entries<'a>(entries: impl IntoIterator<Item = &'a [u8]>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for entry in entries {
        bytes.extend(u16::try_from(entry.len()).ok()?.to_be_bytes());
        bytes.extend(entry);
    }
    Some(bytes)
}

/// The entries of a bundle, if there are as many as it says.
#[must_use]
pub fn read_entries(tile: Tile, bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let mut entries = Vec::with_capacity(usize::from(tile.width));
    let mut rest = bytes;
    while let Some((length, behind)) = rest.split_first_chunk::<2>() {
        let (entry, behind) = behind.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        entries.push(entry);
        rest = behind;
    }
    (rest.is_empty() && entries.len() == usize::from(tile.width)).then_some(entries)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::base::limits::ENTRY_BYTES_MAX;
    use crate::log::tree::{Frontier, leaf_hash};

    fn tile(content: Content, index: u64, width: u16) -> Tile {
        Tile { content, index, width }
    }

    #[test]
    fn paths() {
        for (tile, path) in [
            (tile(Content::Hashes(0), 0, 256), "tile/0/000"),
            (tile(Content::Hashes(1), 999, 1), "tile/1/999.p/1"),
            (tile(Content::Hashes(63), 1_000, 256), "tile/63/x001/000"),
            (tile(Content::Entries, 1_234_067, 255), "tile/entries/x001/x234/067.p/255"),
        ] {
            assert_eq!(tile.to_string(), path);
            assert_eq!(Tile::parse(path), Some(tile));
        }
        for path in [
            "tile/0/0",
            "tile/0/1000",
            "tile/0/x000/001",
            "tile/0/000.p/256",
            "tile/0/000.p/0",
            "tile/0/000.p/01",
            "tile/64/000",
            "tile/00/000",
            "tile/0/x001/x002",
            "tile/0/+01",
            "tile/data/000",
            "000",
        ] {
            assert_eq!(Tile::parse(path), None, "{path}");
        }
    }

    #[test]
    fn tiles_have_every_node() {
        const SIZE: u64 = 70_000;
        let (mut tree, mut nodes) = (Frontier::default(), BTreeMap::new());
        for at in 0..SIZE {
            tree.append(leaf_hash(&at.to_be_bytes()), |node, hash| _ = nodes.insert(node, hash));
        }
        let mut tiles: BTreeMap<Tile, Vec<Digest>> = BTreeMap::new();
        for tile in Tile::all(SIZE) {
            let Content::Hashes(level) = tile.content else { continue };
            let of = |at: u64| Node { level: level * TILE_HEIGHT, index: (tile.index << TILE_HEIGHT) + at };
            tiles.insert(tile, (0..u64::from(tile.width)).map(|at| nodes[&of(at)]).collect());
        }
        assert_eq!(tiles.len(), 274 + 2 + 1, "level 0, 1 and 2");
        for (node, hash) in nodes {
            let tile = Tile::of_node(node, SIZE).expect("every node is in a tile");
            assert_eq!(tile.hash_of(node, &tiles[&tile]), Some(hash), "{node:?}");
        }
        assert_eq!(Tile::of_node(Node { level: 0, index: SIZE }, SIZE), None);
        assert_eq!(Tile::of_node(Node { level: 4, index: SIZE >> 4 }, SIZE), None);
        assert_eq!(Tile::of_node(Node { level: 70, index: 0 }, SIZE), None);
    }

    #[test]
    fn contents_come_back() {
        let hashes = [leaf_hash(b"a"), leaf_hash(b"b")];
        let two = tile(Content::Hashes(0), 0, 2);
        assert_eq!(read_hashes(two, &write_hashes(&hashes)).as_deref(), Some(&hashes[..]));
        assert_eq!(read_hashes(two, &write_hashes(&hashes[..1])), None);
        assert_eq!(read_hashes(two, &write_hashes(&hashes)[..63]), None);
        let entries = [&b"one"[..], b""];
        let bytes = write_entries(entries).expect("they are short");
        assert_eq!(bytes, b"\0\x03one\0\0");
        let two = tile(Content::Entries, 0, 2);
        assert_eq!(read_entries(two, &bytes).as_deref(), Some(&entries[..]));
        assert_eq!(read_entries(two, &bytes[..5]), None);
        assert_eq!(read_entries(two, &bytes[..4]), None);
        assert_eq!(read_entries(tile(Content::Entries, 0, 1), &bytes), None);
        assert_eq!(write_entries([&[0; ENTRY_BYTES_MAX + 1][..]]), None);
    }
}

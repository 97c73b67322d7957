//! Orders that dependencies ask for, and the cycles that forbid one.
//!
//! Nothing here recurses: a chain of a hundred thousand constants is only long.

/// An edge: where it leads, and what carries it (a span, mostly).
pub type Edge<L> = (usize, L);

/// The nodes so that each comes after all it depends on, and every cycle that was met. In a cycle each entry is a node
/// with what leads from it to the next (of the last: to the first). The order is deterministic: nodes and edges are
/// followed as they are numbered and listed.
#[derive(Clone, Debug)]
pub struct Order<L> {
    /// All nodes.
    pub nodes: Vec<usize>,
    /// The cycles.
    pub cycles: Vec<Vec<Edge<L>>>,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    New,
    Open,
    Done,
}

/// Orders the nodes from 0 to `count`, given what each depends on.
pub fn order<L: Copy>(count: usize, mut edges: impl FnMut(usize) -> Vec<Edge<L>>) -> Order<L> {
    let mut states = vec![State::New; count];
    let mut found = Order { nodes: Vec::with_capacity(count), cycles: Vec::new() };
    // Of each open node what is left of its edges, and what led from it to the next open one.
    let mut open: Vec<(usize, std::vec::IntoIter<Edge<L>>, Option<L>)> = Vec::new();
    for start in 0..count {
        if states[start] != State::New {
            continue;
        }
        states[start] = State::Open;
        open.push((start, edges(start).into_iter(), None));
        while let Some((node, rest, taken)) = open.last_mut() {
            let node = *node;
            let Some((next, label)) = rest.next() else {
                states[node] = State::Done;
                found.nodes.push(node);
                open.pop();
                continue;
            };
            *taken = Some(label);
            match states[next] {
                State::New => {
                    states[next] = State::Open;
                    open.push((next, edges(next).into_iter(), None));
                }
                State::Open => {
                    let from = open.iter().position(|(node, ..)| *node == next).unwrap_or(0);
                    let cycle = open[from..].iter().filter_map(|(node, _, taken)| Some((*node, (*taken)?)));
                    found.cycles.push(cycle.collect());
                }
                State::Done => {}
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(edges: &[&[usize]]) -> Order<usize> {
        order(edges.len(), |node| edges[node].iter().map(|&next| (next, node * 10 + next)).collect())
    }

    #[test]
    fn dependencies_come_first() {
        let found = of(&[&[2, 1], &[3], &[1, 3], &[]]);
        assert_eq!(found.nodes, [3, 1, 2, 0]);
        assert!(found.cycles.is_empty());
    }

    #[test]
    fn cycles_are_named_from_their_first_node() {
        let found = of(&[&[1], &[2, 1], &[1]]);
        assert_eq!(found.nodes, [2, 1, 0]);
        assert_eq!(found.cycles, [vec![(1, 12), (2, 21)], vec![(1, 11)]]);
    }

    #[test]
    fn long_chains_are_only_long() {
        let count = 200_000;
        let found = order(count, |node| if node + 1 < count { vec![(node + 1, ())] } else { Vec::new() });
        assert_eq!(found.nodes.len(), count);
    }
}

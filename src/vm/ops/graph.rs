//! Graphs: built node by node, and asked once whether they have a cycle.

use crate::vm::compare::{compare, equal, find};
use crate::vm::entities::Entities;
use crate::vm::make::Maker;
use crate::vm::memory::Memory;
use crate::vm::ops::failed;
use crate::vm::value::{Region, Seq, Value};

/// A graph without nodes.
pub const EMPTY: Value = Value::Graph(Seq { region: Region::Local, start: 0, len: 0 });

/// Room to look for cycles in, kept from one decision to the next.
#[derive(Clone, Debug, Default)]
pub struct Room {
    /// The links, sorted by node.
    links: Vec<Link>,
    /// The nodes, sorted, each once.
    nodes: Vec<Value>,
    /// Of each node the place of its first link, and behind them all how many links there are.
    firsts: Vec<usize>,
    /// Of each node how many edges lead to it from nodes that are still there.
    incoming: Vec<u64>,
    /// Nodes to be taken away: no edge leads to them.
    free: Vec<usize>,
}

/// A node and what its edges lead to.
#[derive(Clone, Copy, Debug)]
struct Link {
    node: Value,
    edges: Seq,
}

/// The graph with one more node, or more edges from one that it has.
pub fn link<E: Entities>(maker: Maker<'_, E>, graph: Value, node: Value, edges: Value) -> Value {
    match (graph, edges) {
        (Value::Graph(_), Value::Set(_) | Value::List(_)) if !node.is_error() => {
            maker.values.clear();
            maker.values.extend_from_slice(&[graph, node, edges]);
            maker.seq(Value::Graph)
        }
        _ => failed(&[graph, node, edges]),
    }
}

/// Whether no path of edges leads from a node to itself: nodes that no edge leads to are taken away with their edges as
/// long as there are such, and what is left then lies on cycles or behind them. Edges to what is no node lead nowhere.
pub fn is_acyclic(memory: Memory<'_>, graph: Value, room: &mut Room) -> Value {
    let Value::Graph(last) = graph else { return failed(&[graph]) };
    room.fill(memory, last);
    let Room { links, nodes, firsts, incoming, free } = room;
    for link in &*links {
        for &edge in memory.values(link.edges) {
            if let Ok(to) = find(memory, nodes, edge) {
                incoming[to] += 1;
            }
        }
    }
    free.extend((0..nodes.len()).filter(|&node| incoming[node] == 0));
    let mut taken = 0;
    while let Some(node) = free.pop() {
        taken += 1;
        for link in &links[firsts[node]..firsts[node + 1]] {
            for &edge in memory.values(link.edges) {
                if let Ok(to) = find(memory, nodes, edge) {
                    incoming[to] -= 1;
                    if incoming[to] == 0 {
                        free.push(to);
                    }
                }
            }
        }
    }
    Value::Bool(taken == nodes.len())
}

impl Room {
    /// Collects the links of a graph and its nodes.
    fn fill(&mut self, memory: Memory<'_>, last: Seq) {
        let Room { links, nodes, firsts, incoming, free } = self;
        links.clear();
        nodes.clear();
        firsts.clear();
        incoming.clear();
        free.clear();
        let mut at = last;
        while let &[Value::Graph(before), node, Value::Set(edges) | Value::List(edges)] = memory.values(at) {
            links.push(Link { node, edges });
            at = before;
        }
        links.sort_unstable_by(|left, right| compare(memory, left.node, right.node));
        for (place, link) in links.iter().enumerate() {
            if nodes.last().is_none_or(|&node| !equal(memory, node, link.node)) {
                nodes.push(link.node);
                firsts.push(place);
            }
        }
        firsts.push(links.len());
        incoming.resize(nodes.len(), 0);
    }
}

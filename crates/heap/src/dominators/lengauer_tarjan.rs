//! Immediate dominators by Lengauer and Tarjan's algorithm, with simple linking.
//!
//! All numbers are depth-first numbers. The semidominator of a node is the lowest number from which
//! a path leads to it through nodes of higher numbers only. Nodes are taken from the last to the
//! first; the taken ones form a forest, in which [`Forest::least`] finds the ancestor with the
//! lowest semidominator, and shortens the paths that it follows.

use crate::dominators::dfs_numbering::{Back, DfsNumbering};
use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{filled, room};
use crate::graph::node::NodeId;
use crate::graph::prefetch::prefetch;

/// By number: the nodes, and the number of the immediate dominator of each (of the root, its own).
pub(crate) struct Dominated {
    pub(crate) nodes: Vec<NodeId>,
    pub(crate) dominators: Vec<u32>,
}

/// Finds the immediate dominator of each node that the search found.
pub(crate) fn immediate_dominators(search: DfsNumbering) -> Result<Dominated, BuildError> {
    let DfsNumbering {
        nodes,
        parents,
        least,
        back,
    } = search;
    let back_edges = BackEdges::new(nodes.len(), &back)?;
    drop(back);
    let mut forest = Forest::new(&parents, &least)?;
    drop((parents, least));
    forest.run(&back_edges);
    drop(back_edges);
    Ok(Dominated {
        nodes,
        dominators: forest.dominators()?,
    })
}

/// By number: the sources, with higher numbers, of the references to each node. Of those with lower
/// numbers only the lowest counts.
struct BackEdges {
    starts: Vec<u32>,
    sources: Vec<u32>,
}

impl BackEdges {
    fn new(len: usize, back: &[Back]) -> Result<BackEdges, BuildError> {
        if back.len() > u32::MAX as usize {
            return Err(BuildError::TooManyEdges);
        }
        let mut starts = filled(len + 1, 0u32)?;
        for reference in back {
            starts[reference.target as usize] += 1;
        }
        // The end of each; placing the sources turns it into the start.
        let mut end = 0;
        for start in &mut starts {
            end += *start;
            *start = end;
        }
        let mut sources = filled(back.len(), 0)?;
        for reference in back {
            let start = &mut starts[reference.target as usize];
            *start -= 1;
            sources[*start as usize] = reference.source;
        }
        Ok(BackEdges { starts, sources })
    }
}

/// What is known about a node, in one cache line, since most reads need all of it.
#[derive(Clone, Copy)]
#[repr(align(16))]
struct Tree {
    /// The depth-first parent, or an ancestor of it once paths were shortened.
    ancestor: u32,
    /// The node with the lowest semidominator on the path below `ancestor`.
    label: u32,
    /// The semidominator of `label`. Before the node is taken, the lowest source of a reference to it.
    semi: u32,
    /// Before the node is taken: the first of the nodes whose semidominator it is. Then, until its
    /// dominator is known: the next node with the same semidominator. 0 ends the list.
    dominator: u32,
}

/// Ends a path. No node has this number.
const END: u32 = u32::MAX;

struct Forest {
    trees: Vec<Tree>,
    /// Whether `dominator` is not the dominator but another node with the same one.
    deferred: Vec<bool>,
}

impl Forest {
    fn new(parents: &[u32], least: &[u32]) -> Result<Forest, BuildError> {
        let mut trees = room(parents.len())?;
        let known = (0..).zip(parents.iter().zip(least));
        trees.extend(known.map(|(label, (&ancestor, &semi))| Tree {
            ancestor,
            label,
            semi,
            dominator: 0,
        }));
        Ok(Forest {
            trees,
            deferred: filled(parents.len(), false)?,
        })
    }

    fn run(&mut self, back_edges: &BackEdges) {
        for at in (1..self.trees.len() as u32).rev() {
            self.settle(at);
            self.take(at, back_edges);
        }
        if !self.trees.is_empty() {
            self.settle(0);
            self.trees[0].dominator = 0;
        }
    }

    /// Sets the dominators of the nodes whose semidominator is `at`.
    #[inline]
    fn settle(&mut self, at: u32) {
        let mut node = self.trees[at as usize].dominator;
        while node != 0 {
            let next = self.trees[node as usize].dominator;
            let (label, semi) = self.least(node, at);
            let is_deferred = semi < at;
            self.trees[node as usize].dominator = if is_deferred { label } else { at };
            self.deferred[node as usize] = is_deferred;
            node = next;
        }
    }

    /// Finds the semidominator of `at`, and takes the node.
    #[inline]
    fn take(&mut self, at: u32, back_edges: &BackEdges) {
        let mut semi = self.trees[at as usize].semi;
        let (start, end) = (
            back_edges.starts[at as usize] as usize,
            back_edges.starts[at as usize + 1] as usize,
        );
        for place in (start..end).rev() {
            self.read_ahead(back_edges, place);
            semi = semi.min(self.least(back_edges.sources[place], at).1);
        }
        let parent = self.trees[at as usize].ancestor;
        let dominator = match semi == parent {
            // Nothing lies between them.
            true => parent,
            false => std::mem::replace(&mut self.trees[semi as usize].dominator, at),
        };
        let tree = &mut self.trees[at as usize];
        tree.semi = semi;
        tree.dominator = dominator;
    }

    #[inline]
    fn read_ahead(&self, back_edges: &BackEdges, place: usize) {
        let ancestor = |node: u32| self.trees[node as usize].ancestor;
        if let Some(far) = place.checked_sub(24) {
            prefetch(ancestor(back_edges.sources[far]));
        }
        if let Some(near) = place.checked_sub(16) {
            prefetch(ancestor(ancestor(back_edges.sources[near])));
        }
        if let Some(nearer) = place.checked_sub(8) {
            prefetch(ancestor(ancestor(ancestor(back_edges.sources[nearer]))));
        }
    }

    /// Returns, of `node` and its ancestors with numbers above `at`, the one with the lowest
    /// semidominator, and that semidominator.
    #[inline]
    fn least(&mut self, node: u32, at: u32) -> (u32, u32) {
        let ancestor = self.trees[node as usize].ancestor;
        if ancestor > at && self.trees[ancestor as usize].ancestor > at {
            self.shorten(node, at);
        } else if ancestor > at {
            self.pass_on(ancestor, node);
        }
        let tree = &self.trees[node as usize];
        (tree.label, tree.semi)
    }

    /// Shortens the path up from `node`: each node on it gets its nearest ancestor that is not
    /// taken.
    fn shorten(&mut self, node: u32, at: u32) {
        // The way back is stored in the path itself, so that a long path needs no stack.
        let (mut node, mut below) = (node, END);
        loop {
            let tree = &mut self.trees[node as usize];
            if tree.ancestor <= at {
                break;
            }
            let above = std::mem::replace(&mut tree.ancestor, below);
            below = node;
            node = above;
        }
        while below != END {
            let next = self.trees[below as usize].ancestor;
            self.pass_on(node, below);
            node = below;
            below = next;
        }
    }

    /// Merges what is known about the path up from `above`, the next node on the node's path, into
    /// `node`.
    #[inline]
    fn pass_on(&mut self, above: u32, node: u32) {
        let above = self.trees[above as usize];
        let tree = &mut self.trees[node as usize];
        tree.ancestor = above.ancestor;
        if above.semi < tree.semi {
            tree.label = above.label;
            tree.semi = above.semi;
        }
    }

    /// Returns the dominators, by number.
    fn dominators(self) -> Result<Vec<u32>, BuildError> {
        let mut dominators: Vec<u32> = room(self.trees.len())?;
        for (tree, is_deferred) in self.trees.iter().zip(&self.deferred) {
            // That node has a lower number, so its dominator is known.
            dominators.push(match is_deferred {
                true => dominators[tree.dominator as usize],
                false => tree.dominator,
            });
        }
        Ok(dominators)
    }
}

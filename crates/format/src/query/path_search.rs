//! Following a path, step by step, through the references of a heap.

use crate::answer_error::Result;
use crate::answers::short_path::push_cut;
use crate::labels::environment::{ENVIRONMENT, push_environment};
use crate::labels::printable::push_printable;
use crate::query::lookup_error::LookupError;
use crate::query::shown_step::ShownStep;
use crate::query::suggestions::Nearest;
use luasnap_heap::{
    Environment, Heap, Label, NameId, NodeId, Snapshot, sort_by_number, value_edge,
};
use rustc_hash::FxHashSet;

/// What the steps of a path may be, besides those of references.
#[derive(Clone, Copy, Default)]
pub(crate) struct Reading {
    /// Long names that people saw cut: `aaaa…zzzz`.
    pub(crate) cut: bool,
    /// Steps for many: `[*]`, `*`, `[ref]`.
    pub(crate) patterns: bool,
}

/// So many names are looked at in their order while one is in any order.
const PER_NAME: usize = 8;

/// The search for the objects that a path leads to. Names may have dots and brackets in them, so that a path may be
/// read in several ways: the longest steps come first, and where they lead nowhere, shorter ones are tried.
pub(crate) struct PathSearch<'a> {
    heap: &'a Heap,
    /// The path, escaped as it is printed.
    path: &'a [u8],
    reading: Reading,
    registry: Option<NodeId>,
    /// The object of the first GC root: paths have the other GC roots below it.
    first: Option<NodeId>,
    /// The environments at which paths start.
    environments: &'a [Environment],
    is_begun: bool,
    /// Objects with the number of bytes that were followed to them, the next one last.
    next: Vec<(NodeId, usize)>,
    /// What was ever in `next`: each is followed once.
    seen: FxHashSet<(NodeId, usize)>,
    /// Where the path led farthest, and ended.
    farthest: (NodeId, usize),
    step: ShownStep,
}

impl<'a> PathSearch<'a> {
    /// Begins a search. `path` is escaped as it is printed.
    pub(crate) fn new(heap: &'a Heap, path: &'a [u8], reading: Reading) -> PathSearch<'a> {
        let registry = heap.root_named(b"[REGISTRY]").map(|edge| edge.target);
        PathSearch {
            heap,
            path,
            reading,
            registry,
            first: heap.root_range().next().map(|edge| heap.target(edge)),
            environments: &[],
            is_begun: false,
            next: Vec::new(),
            seen: FxHashSet::default(),
            farthest: (NodeId::ROOT, 0),
            step: ShownStep::default(),
        }
    }

    /// Begins a search in everything that a snapshot has: paths may start at an environment as well.
    pub(crate) fn in_snapshot(
        snapshot: &'a Snapshot,
        path: &'a [u8],
        reading: Reading,
    ) -> Result<PathSearch<'a>> {
        let mut search = PathSearch::new(snapshot.everything(), path, reading);
        if path.starts_with(ENVIRONMENT) {
            search.environments = snapshot.environments()?;
        }
        Ok(search)
    }

    /// Finds where the path may start, the best last: at `_G`, at `package.loaded`, at an environment, at a GC root, or at
    /// the name of a global variable.
    fn find_starts(&mut self) -> Result {
        const LOADED: &[u8] = b"package.loaded";
        let globals = self.heap.globals();
        let mut starts: Vec<(NodeId, usize)> = globals.map(|node| (node, 0)).into_iter().collect();
        starts.push((NodeId::ROOT, 0));
        // The first of several with one name comes first.
        for of in self.environments.iter().rev() {
            if let Some(length) = self.length_of_environment(of.chunk)? {
                starts.try_reserve(1)?;
                starts.push((of.node, length));
            }
        }
        if let Some(loaded) = self.loaded().filter(|_| is_next(self.path, 0, LOADED)) {
            starts.push((loaded, LOADED.len()));
        }
        if let Some(globals) = globals.filter(|_| is_next(self.path, 0, b"_G")) {
            starts.push((globals, 2));
        }
        self.next = starts;
        Ok(())
    }

    /// Returns the number of bytes of the step of an environment, if the path begins with it.
    fn length_of_environment(&mut self, chunk: NameId) -> Result<Option<usize>> {
        let (mut whole, mut cut, mut shown) = (Vec::new(), Vec::new(), Vec::new());
        push_environment(&mut whole, self.heap, chunk)?;
        push_cut(&mut cut, &whole)?;
        for step in [&whole, &cut] {
            shown.clear();
            push_printable(&mut shown, step)?;
            if is_next(self.path, 0, &shown) {
                return Ok(Some(shown.len()));
            }
            if !self.reading.cut {
                break;
            }
        }
        Ok(None)
    }

    /// Returns the table of loaded modules.
    fn loaded(&self) -> Option<NodeId> {
        let is_loaded = |label: Label| matches!(label, Label::Field(name) if self.heap.name(name) == b"_LOADED");
        let mut edges = self.heap.edges(self.registry?);
        edges
            .find(|edge| is_loaded(edge.label))
            .map(|edge| edge.target)
    }

    /// Returns the next object that the path may lead to; `None` if there are no more.
    pub(crate) fn next(&mut self) -> Result<Option<NodeId>> {
        if !self.is_begun {
            self.is_begun = true;
            self.find_starts()?;
        }
        while let Some((node, at)) = self.next.pop() {
            if at == self.path.len() && at > 0 {
                return Ok(Some(node));
            }
            self.follow(node, at)?;
        }
        Ok(None)
    }

    /// Returns all objects that the path may lead to, each once.
    pub(crate) fn all(&mut self) -> Result<Vec<NodeId>> {
        let mut found = Vec::new();
        while let Some(node) = self.next()? {
            found.try_reserve(1)?;
            found.push(node);
        }
        Ok(found)
    }

    /// Follows all references that fit the next step.
    fn follow(&mut self, node: NodeId, at: usize) -> Result {
        let start = self.start_of_step(at);
        let mut found: Vec<(usize, NodeId)> = Vec::new();
        let unfit = self.unfit_names(node, start)?;
        for edge in self.edges_of(node) {
            let label = self.heap.label(edge);
            if let Label::Field(name) = label
                && unfit.get(name.0 as usize) == Some(&true)
            {
                continue;
            }
            let length = self.length(node, label, start)?;
            // A name without letters is a step if there is a dot before it.
            if let Some(length) = length.filter(|length| start + length > at) {
                found.try_reserve(1)?;
                let target = self.heap.target(edge);
                found.push((length, through_upvalue(self.heap, target)));
            }
        }
        if found.is_empty() {
            let is_farther = at > self.farthest.1;
            // Names of global variables come after GC roots.
            if is_farther || at == 0 && self.farthest.1 == 0 {
                self.farthest = (node, at);
            }
        }
        sort_by_number(&mut found, |(length, _)| !(*length as u64))?;
        self.next.try_reserve(found.len())?;
        self.seen.try_reserve(found.len())?;
        for (length, target) in found.into_iter().rev() {
            let place = (target, start + length);
            if self.seen.insert(place) {
                self.next.push(place);
            }
        }
        Ok(())
    }

    /// Returns by name whether a step with it cannot be the one at `start`, where that is quicker than a look at the name of
    /// each of a node's references: names lie one after the other, those of a table in any order.
    fn unfit_names(&self, node: NodeId, start: usize) -> Result<Vec<bool>> {
        let names = self.heap.columns().names;
        let is_quicker = self.edges_of(node).count() > names.len() / PER_NAME;
        let mut unfit = Vec::new();
        if is_quicker && !self.reading.cut && !self.reading.patterns {
            unfit.try_reserve_exact(names.len())?;
            let of = |name: &[u8]| is_plain(name) && !is_next(self.path, start, name);
            unfit.extend((0..names.len()).map(|id| of(names.get(NameId(id as u32)))));
        }
        Ok(unfit)
    }

    /// Returns the edges of a node; for the root, which an empty heap does not have, the GC roots, which are also below
    /// the object of the first one.
    fn edges_of(&self, node: NodeId) -> impl Iterator<Item = usize> + use<> {
        let roots = self.heap.root_range();
        let (own, others) = match node {
            NodeId::ROOT => (roots, 0..0),
            node if self.first == Some(node) => (self.heap.edge_range(node), roots),
            node => (self.heap.edge_range(node), 0..0),
        };
        own.chain(others)
    }

    fn start_of_step(&self, at: usize) -> usize {
        at + usize::from(at > 0 && self.path.get(at) == Some(&b'.'))
    }

    /// Returns the number of bytes of the step at `start`, if this label fits it.
    fn length(&mut self, from: NodeId, label: Label, start: usize) -> Result<Option<usize>> {
        let (path, cut) = (self.path, self.reading.cut);
        let length = |step: &[u8]| is_next(path, start, step).then_some(step.len());
        let found = match label {
            // Of millions of them, most need no other form.
            Label::Field(name) if !cut && is_plain(self.heap.name(name)) => {
                length(self.heap.name(name))
            }
            label => self.step.first_form(self.heap, label, cut, length)?,
        };
        if found.is_some() {
            return Ok(found);
        }
        if self.reading.patterns {
            let general: &[u8] = match label {
                Label::Index(_) if self.registry == Some(from) => b"[ref]",
                Label::Index(_)
                | Label::Number(_)
                | Label::Boolean(_)
                | Label::Object(_)
                | Label::Address(..) => b"[*]",
                Label::Field(_) => b"*",
                _ => return Ok(None),
            };
            return Ok(is_next(self.path, start, general).then_some(general.len()));
        }
        Ok(None)
    }

    /// Returns the error for a path that leads nowhere: how far it led, and what is near.
    pub(crate) fn lost(mut self) -> LookupError {
        let (from, at) = self.farthest;
        let start = self.start_of_step(at);
        let rest = self.path.get(start..).unwrap_or_default();
        let end = rest
            .iter()
            .skip(1)
            .position(|byte| matches!(byte, b'.' | b'['));
        let mut nearest = Nearest::to(&rest[..end.map_or(rest.len(), |end| end + 1)]);
        for edge in self.edges_of(from) {
            let label = self.heap.label(edge);
            match self.step.quoted(self.heap, label) {
                Ok(step) => nearest.see(step),
                Err(error) => return error.into(),
            }
        }
        if let Err(error) = self.see_environments(at, &mut nearest) {
            return error.into();
        }
        // Cut between steps, so these are whole characters.
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        LookupError::Path {
            above: text(&self.path[..at]),
            missing: text(rest),
            near: nearest.words(),
        }
    }
}

impl PathSearch<'_> {
    /// Paths may start at environments, too.
    fn see_environments(&mut self, at: usize, nearest: &mut Nearest) -> Result {
        for of in self.environments.iter().filter(|_| at == 0) {
            let (mut step, mut shown) = (Vec::new(), Vec::new());
            push_environment(&mut step, self.heap, of.chunk)?;
            push_printable(&mut shown, &step)?;
            nearest.see(&shown);
        }
        Ok(())
    }
}

/// Whether all forms of a step with this name are the name.
fn is_plain(name: &[u8]) -> bool {
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    !name.is_empty() && name.iter().all(is_letter)
}

/// Whether a path has this step at `at`, and not just one that starts like it.
fn is_next(path: &[u8], at: usize, step: &[u8]) -> bool {
    let rest = path.get(at..).unwrap_or_default();
    rest.starts_with(step) && matches!(rest.get(step.len()), None | Some(b'.' | b'['))
}

/// Returns the value of an upvalue, since a path has no step for the upvalue itself; any other node
/// unchanged.
pub(crate) fn through_upvalue(heap: &Heap, node: NodeId) -> NodeId {
    value_edge(heap, node).map_or(node, |edge| heap.target(edge))
}

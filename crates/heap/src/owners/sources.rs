//! The owners of all code of a heap, by its short sources.

use crate::graph::error::BuildError;
use crate::graph::fallible_vec::push;
use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::label::Label;
use crate::graph::name::NameId;
use crate::graph::node::NodeId;
use crate::graph::shared_sort::sort_by_comparison;
use crate::owners::code_name::CodeName;
use crate::owners::evidence::OwnerId;
use crate::owners::joint_owners::JointOwners;
use crate::owners::places::{Places, is_standard_module};
use crate::owners::source_path::{PathOwner, SourcePath, owner_of_module};
use rustc_hash::{FxHashMap, FxHashSet};

/// An owner with a name.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct NamedOwner {
    pub(crate) name: Vec<u8>,
    /// The number of its source files.
    pub(crate) files: u32,
}

/// The owners of code.
pub(crate) struct Sources<'h> {
    heap: &'h Heap,
    /// By short source.
    of_source: FxHashMap<NameId, OwnerId>,
    /// The same by text, as the names of stack slots have it.
    of_text: FxHashMap<&'h [u8], OwnerId>,
    /// By the name of a loaded module: the owner of the file that has this name.
    of_module: FxHashMap<&'h [u8], OwnerId>,
    by_name: FxHashMap<Vec<u8>, OwnerId>,
    named: Vec<NamedOwner>,
}

/// A source file, and the module that it seems to be.
struct File<'h> {
    source: NameId,
    path: SourcePath<'h>,
    module: Option<(usize, &'h [u8])>,
}

impl<'h> Sources<'h> {
    /// Finds the owners of the code among these nodes.
    pub(crate) fn new(
        heap: &'h Heap,
        places: &Places,
        is_live: impl Fn(NodeId) -> bool,
    ) -> Result<Sources<'h>, BuildError> {
        let mut sources = Sources {
            heap,
            of_source: FxHashMap::default(),
            of_text: FxHashMap::default(),
            of_module: FxHashMap::default(),
            by_name: FxHashMap::default(),
            named: Vec::new(),
        };
        let whole = whole_names(heap, is_live)?;
        let mut modules: FxHashSet<&[u8]> = FxHashSet::default();
        for (name, _) in places.modules(heap) {
            modules.try_reserve(1)?;
            modules.insert(name);
        }
        let mut files = Vec::new();
        // In an order that is the same from run to run.
        let mut names = Vec::new();
        for (&source, &whole) in &whole {
            push(&mut names, (heap.name(source), source, whole))?;
        }
        sort_by_comparison(&mut names, |a, b| (a.0, a.2).cmp(&(b.0, b.2)))?;
        for (short, source, whole) in names {
            let owner = match CodeName::new(short, whole) {
                CodeName::Unnamed => OwnerId::UNNAMED,
                CodeName::BuiltIn => OwnerId::LUA,
                CodeName::Given(name) => sources.named(name)?,
                CodeName::Path { path, is_cut } => {
                    let path = SourcePath::new(path, is_cut)?;
                    let module = path.module(&modules)?;
                    push(
                        &mut files,
                        File {
                            source,
                            path,
                            module,
                        },
                    )?;
                    continue;
                }
            };
            sources.add(source, owner)?;
        }
        sources.add_files(&files)?;
        Ok(sources)
    }

    fn add_files(&mut self, files: &[File<'h>]) -> Result<(), BuildError> {
        let mut roots: FxHashSet<Vec<u8>> = FxHashSet::default();
        for file in files {
            if let Some((count, _)) = file.module {
                roots.try_reserve(1)?;
                roots.insert(file.path.root(count)?);
            }
        }
        let mut owners: Vec<PathOwner> = Vec::new();
        // How many files there are in each folder of which nothing else is known.
        let mut folders: FxHashMap<Vec<u8>, u32> = FxHashMap::default();
        for file in files {
            let owner = file.path.owner(file.module.map(|of| of.0), &roots)?;
            if owner.file.is_some() {
                folders.try_reserve(1)?;
                *folders.entry(owner.name.clone()).or_default() += 1;
            }
            push(&mut owners, owner)?;
        }
        for (file, owner) in files.iter().zip(owners) {
            let name = match owner.file {
                Some(file) if folders.get(&owner.name) == Some(&1) => file,
                _ => owner.name,
            };
            let owner = self.named(&name)?;
            self.add(file.source, owner)?;
            if let Some((_, module)) = file.module {
                self.of_module.try_reserve(1)?;
                self.of_module.entry(module).or_insert(owner);
            }
        }
        Ok(())
    }

    fn add(&mut self, source: NameId, owner: OwnerId) -> Result<(), BuildError> {
        self.of_source.try_reserve(1)?;
        self.of_text.try_reserve(1)?;
        self.of_source.insert(source, owner);
        self.of_text.insert(self.heap.name(source), owner);
        let place = owner.0.checked_sub(OwnerId::FIRST_NAMED);
        if let Some(place) = place {
            self.named[place as usize].files += 1;
        }
        Ok(())
    }

    /// Returns the owner with this name.
    fn named(&mut self, name: &[u8]) -> Result<OwnerId, BuildError> {
        if let Some(&known) = self.by_name.get(name) {
            return Ok(known);
        }
        let owner = OwnerId(OwnerId::FIRST_NAMED + self.named.len() as u32);
        self.by_name.try_reserve(1)?;
        self.by_name.insert(name.to_vec(), owner);
        let name = name.to_vec();
        push(&mut self.named, NamedOwner { name, files: 0 })?;
        Ok(owner)
    }

    /// Returns the number of owners, those without names included.
    pub(crate) fn count(&self) -> usize {
        OwnerId::FIRST_NAMED as usize + self.named.len()
    }

    /// Returns an owner that has a name.
    pub(crate) fn owner(&self, owner: OwnerId) -> Option<&NamedOwner> {
        let place = owner.0.checked_sub(OwnerId::FIRST_NAMED)?;
        self.named.get(place as usize)
    }

    /// Returns the owner of a Lua function or a prototype.
    #[inline]
    pub(crate) fn of_code(&self, node: NodeId) -> OwnerId {
        self.of_source(self.heap.source_id(node))
    }

    /// Returns the owner of code with this short source; [`OwnerId::NONE`] if there is no such code.
    pub(crate) fn of_source(&self, source: NameId) -> OwnerId {
        let owner = self.of_source.get(&source).copied();
        owner.unwrap_or(OwnerId::NONE)
    }

    /// Returns the owner of the code in whose call a stack slot is, by the name of the slot (`NAME:SHORT_SRC`).
    pub(crate) fn of_slot(&self, name: NameId) -> OwnerId {
        let name = self.heap.name(name);
        let colon = name.iter().position(|byte| *byte == b':');
        let source = colon.map_or(&[][..], |colon| &name[colon + 1..]);
        let owner = self.of_text.get(source).copied();
        owner.unwrap_or(OwnerId::NONE)
    }

    /// Returns the owner of a loaded module: of its file, or else of the functions in it; if there is no
    /// code of it, an owner with its name.
    pub(crate) fn of_module(
        &mut self,
        name: &[u8],
        module: NodeId,
        joint: &mut JointOwners,
    ) -> Result<OwnerId, BuildError> {
        if is_standard_module(name) {
            return Ok(OwnerId::LUA);
        }
        if let Some(&owner) = self.of_module.get(name) {
            return Ok(owner);
        }
        let functions = self.of_functions_in(module, joint)?;
        match functions.is_known() && functions != OwnerId::UNNAMED {
            true => Ok(functions),
            false => self.named(owner_of_module(name)),
        }
    }

    /// Returns what the Lua functions in a table say.
    pub(crate) fn of_functions_in(
        &self,
        table: NodeId,
        joint: &mut JointOwners,
    ) -> Result<OwnerId, BuildError> {
        let heap = self.heap;
        let edges = heap.edge_range(table);
        let targets = edges.filter(|edge| !heap.strength(*edge).is_weak());
        let functions = targets
            .map(|edge| heap.target(edge))
            .filter(|target| heap.kind(*target) == Kind::LuaFunction);
        let mut owners = functions.map(|function| self.of_code(function));
        owners.try_fold(OwnerId::NONE, |known, owner| joint.join(known, owner))
    }
}

/// Returns the short sources of all code in use, each with its chunk's own name if some prototype has it.
fn whole_names(
    heap: &Heap,
    is_live: impl Fn(NodeId) -> bool,
) -> Result<FxHashMap<NameId, &[u8]>, BuildError> {
    let mut names: FxHashMap<NameId, &[u8]> = FxHashMap::default();
    let is_code = |node: &NodeId| matches!(heap.kind(*node), Kind::LuaFunction | Kind::Prototype);
    for node in heap.nodes().filter(is_code) {
        if !is_live(node) {
            continue;
        }
        let source = heap.source_id(node);
        names.try_reserve(1)?;
        let whole = names.entry(source).or_default();
        if whole.is_empty() && heap.kind(node) == Kind::Prototype {
            *whole = chunk_name(heap, node);
        }
    }
    Ok(names)
}

/// Returns the name of a prototype's chunk: the first name that it has, before those of variables. Empty if it has
/// none.
fn chunk_name(heap: &Heap, prototype: NodeId) -> &[u8] {
    let mut edges = heap.edges(prototype);
    let name = edges.find(|edge| edge.label == Label::DebugName);
    name.map_or(&[], |edge| heap.source(edge.target))
}

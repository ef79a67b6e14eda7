//! Heaps to export, with what the readers should report about them.

use luasnap_format::group_name;
use luasnap_heap::{
    Dominators, Edge, Heap, HeapBuilder, Kind, Label, NodeId, Reach, Snapshot, Strength, Through,
};
use std::collections::{BTreeMap, HashMap, VecDeque};

/// The address of the first object; the others follow at equal distances.
const FIRST_ADDRESS: u64 = 0x5555_0000_1000;
const ADDRESS_STEP: u64 = 48;

/// A heap under construction. An object's number determines its address, so that heaps with the
/// same numbers have the same objects.
pub struct Graph {
    builder: HeapBuilder,
    /// By node: the expected row of the Memory panel.
    rows: Vec<String>,
}

impl Graph {
    pub fn new() -> Graph {
        Graph {
            builder: HeapBuilder::new(),
            rows: vec!["(synthetic)".to_owned()],
        }
    }

    /// Adds an object that DevTools shows in the row of its kind, tables in that of their group.
    pub fn object(&mut self, number: u64, kind: Kind, bytes: u64) -> NodeId {
        let row = match kind {
            Kind::LuaFunction | Kind::CFunction => "Function",
            Kind::String => "(string)",
            Kind::Prototype | Kind::Trace => "(compiled code)",
            Kind::Upvalue => "(upvalue)",
            Kind::Thread => "coroutine",
            Kind::Snapshot => "(lua-snapshot)",
            kind => kind.type_name(),
        };
        self.instance(number, kind, bytes, row)
    }

    /// Adds an object of a class.
    pub fn instance(&mut self, number: u64, kind: Kind, bytes: u64, row: &str) -> NodeId {
        let address = FIRST_ADDRESS + ADDRESS_STEP * number;
        let (node, new) = self.builder.node(kind, address).unwrap();
        assert!(new, "each number once");
        self.builder.set_size(node, bytes);
        self.rows.push(row.to_owned());
        node
    }

    pub fn string(&mut self, number: u64, text: &str) -> NodeId {
        let string = self.object(number, Kind::String, 25 + text.len() as u64);
        let source = self.builder.name(text.as_bytes()).unwrap();
        self.builder.set_source(string, source);
        string
    }

    /// Adds a metatable whose instances are called `name`.
    pub fn class(&mut self, retainer: NodeId, number: u64, name: &str) -> NodeId {
        let metatable = self.object(number, Kind::Table, 120);
        let string = self.string(number + 1, name);
        self.field(retainer, name, metatable);
        self.field(metatable, "__name", string);
        metatable
    }

    pub fn root(&mut self, name: &str, target: NodeId) {
        let name = self.builder.name(name.as_bytes()).unwrap();
        self.edge(NodeId::ROOT, target, Label::Root(name), Strength::Strong);
    }

    pub fn field(&mut self, source: NodeId, name: &str, target: NodeId) {
        let name = self.builder.name(name.as_bytes()).unwrap();
        self.edge(source, target, Label::Field(name), Strength::Strong);
    }

    pub fn item(&mut self, source: NodeId, index: i64, target: NodeId) {
        self.edge(source, target, Label::Index(index), Strength::Strong);
    }

    pub fn metatable(&mut self, source: NodeId, target: NodeId) {
        self.edge(source, target, Label::Metatable, Strength::Strong);
    }

    /// Adds an entry of a table with weak keys.
    pub fn ephemeron(&mut self, table: NodeId, key: NodeId, value: NodeId) {
        self.edge(table, key, Label::Key, Strength::WeakKey);
        self.edge(table, value, Label::Object(key), Strength::Ephemeron);
    }

    pub fn edge(&mut self, source: NodeId, target: NodeId, label: Label, strength: Strength) {
        self.builder.edge(source, target, label, strength).unwrap();
    }

    pub fn finish(self) -> Exported {
        let snapshot = Snapshot::new(self.builder.finish().unwrap());
        Exported::new(snapshot, self.rows)
    }
}

/// A heap as a reader should see it, according to our own analyses.
pub struct Exported {
    pub snapshot: Snapshot,
    rows: Vec<String>,
    /// The reachable objects, in their order, which is that of the file.
    pub nodes: Vec<NodeId>,
}

/// What the Memory panel shows in one row.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Row {
    pub count: u64,
    pub bytes: u64,
    pub retained: u64,
}

impl Exported {
    fn new(snapshot: Snapshot, mut rows: Vec<String>) -> Exported {
        name_tables(&snapshot, &mut rows);
        let reach = Reach::new(snapshot.everything(), Through::Everything).unwrap();
        let objects = snapshot.everything().nodes().skip(1);
        let nodes = objects.filter(|node| reach.contains(*node)).collect();
        Exported {
            snapshot,
            rows,
            nodes,
        }
    }

    pub fn heap(&self) -> &Heap {
        self.snapshot.everything()
    }

    pub fn dominators(&self) -> &Dominators {
        self.snapshot.dominators().unwrap()
    }

    /// The row of the Memory panel that a node is in.
    pub fn row_of(&self, node: NodeId) -> &str {
        &self.rows[node.index()]
    }

    /// Returns the rows of the Memory panel. A row retains what those of its objects retain that no
    /// other object of the row dominates; objects without a size are not shown.
    pub fn rows(&self) -> BTreeMap<&str, Row> {
        let mut rows: BTreeMap<&str, Row> = BTreeMap::new();
        let is_shown = |node: &NodeId| self.heap().size(*node) > 0;
        for &node in self.nodes.iter().filter(|node| is_shown(node)) {
            let name = self.row_of(node);
            let row = rows.entry(name).or_default();
            row.count += 1;
            row.bytes += self.heap().size(node);
            let above = |node: &NodeId| self.dominators().immediate(*node);
            let mut dominators = std::iter::successors(above(&node), above);
            let is_below = dominators.any(|above| is_shown(&above) && self.row_of(above) == name);
            if !is_below {
                row.retained += self.dominators().retained(node).bytes;
            }
        }
        rows
    }

    /// Returns the distance of each node from the root, in references. The value of an entry with a
    /// weak key can be reached from the table and from the key.
    pub fn distances(&self) -> HashMap<NodeId, u64> {
        let mut of_keys: HashMap<NodeId, Vec<NodeId>> = HashMap::new();
        let edges = || self.nodes.iter().flat_map(|node| self.heap().edges(*node));
        for Edge { target, label, .. } in edges().filter(|edge| self.is_ephemeron(edge)) {
            if let Label::Object(key) = label {
                of_keys.entry(key).or_default().push(target);
            }
        }
        let mut distances = HashMap::from([(NodeId::ROOT, 0)]);
        let mut queue = VecDeque::from([NodeId::ROOT]);
        while let Some(node) = queue.pop_front() {
            let holds = |edge: &Edge| edge.strength == Strength::Strong || self.is_ephemeron(edge);
            let edges = self.heap().edges(node).filter(holds);
            let of_key = of_keys.get(&node).into_iter().flatten().copied();
            for target in edges.map(|edge| edge.target).chain(of_key) {
                if !distances.contains_key(&target) {
                    distances.insert(target, distances[&node] + 1);
                    queue.push_back(target);
                }
            }
        }
        distances
    }

    /// Whether the edge is an ephemeron entry that keeps its value alive.
    fn is_ephemeron(&self, edge: &Edge) -> bool {
        edge.strength == Strength::Ephemeron
            && match edge.label {
                Label::Object(key) => self.nodes.binary_search(&key).is_ok(),
                _ => true,
            }
    }
}

/// Tables without a class have the names of their groups.
fn name_tables(snapshot: &Snapshot, rows: &mut [String]) {
    let (heap, tree) = (snapshot.everything(), snapshot.everything_tree().unwrap());
    let groups = snapshot.groups().unwrap();
    for (at, group) in groups.groups().iter().enumerate() {
        if group.kind != Kind::Table {
            continue;
        }
        let name = group_name(heap, tree, groups, group).unwrap();
        for node in groups.members(at) {
            if rows[node.index()] == "table" {
                rows[node.index()] = String::from_utf8(name.bytes().to_vec()).unwrap();
            }
        }
    }
}

/// A small program's heap, with some of everything.
pub fn program() -> Exported {
    let mut graph = Graph::new();
    let registry = graph.object(0, Kind::Table, 200);
    let globals = graph.object(1, Kind::Table, 400);
    graph.root("[REGISTRY]", registry);
    graph.item(registry, 2, globals);
    graph.builder.set_globals(globals);
    let main = graph.instance(2, Kind::Thread, 1000, "main thread");
    graph.root("[mainthread]", main);
    classes(&mut graph, registry, globals);
    functions(&mut graph, globals);
    weak_tables(&mut graph, globals);
    // Garbage, which refers to what is alive.
    let garbage = graph.object(900, Kind::Table, 5000);
    graph.field(garbage, "globals", globals);
    graph.finish()
}

/// Players that share a team and refer to each other, an `Object`, and a file.
fn classes(graph: &mut Graph, registry: NodeId, globals: NodeId) {
    let player = graph.class(globals, 100, "Player");
    let object = graph.class(globals, 102, "Object");
    let file = graph.class(registry, 104, "FILE*");
    let team = graph.object(110, Kind::Table, 96);
    let players: Vec<NodeId> = (0..4)
        .map(|at| graph.instance(120 + at, Kind::Table, 72, "Player"))
        .collect();
    for (at, &one) in players.iter().enumerate() {
        let inventory = graph.object(130 + at as u64, Kind::Table, 1000 + at as u64);
        graph.metatable(one, player);
        graph.field(one, "inventory", inventory);
        graph.field(one, "team", team);
        graph.item(one, 1, players[(at + 1) % players.len()]);
    }
    graph.field(globals, "captain", players[0]);
    let other = graph.instance(140, Kind::Table, 56, "class Object");
    graph.metatable(other, object);
    graph.field(globals, "other", other);
    let stdout = graph.instance(141, Kind::Userdata, 40, "FILE*");
    graph.metatable(stdout, file);
    graph.field(globals, "stdout", stdout);
}

/// A closure with an upvalue, a function without a size, a coroutine, LuaJIT's kinds.
fn functions(graph: &mut Graph, globals: NodeId) {
    let strong = Strength::Strong;
    let closure = graph.object(200, Kind::LuaFunction, 40);
    let prototype = graph.object(201, Kind::Prototype, 300);
    let upvalue = graph.object(202, Kind::Upvalue, 40);
    let count = graph.builder.name(b"count").unwrap();
    let kept = graph.object(203, Kind::Table, 3000);
    graph.field(globals, "closure", closure);
    graph.edge(closure, prototype, Label::Prototype, strong);
    graph.edge(closure, upvalue, Label::Upvalue(count), strong);
    graph.edge(upvalue, kept, Label::Value, strong);
    let constant = graph.string(204, "a constant");
    graph.edge(prototype, constant, Label::Constant, strong);
    let print = graph.object(205, Kind::CFunction, 0);
    graph.field(globals, "print", print);
    let coroutine = graph.object(206, Kind::Thread, 800);
    let local = graph.builder.name(b"job:main.lua").unwrap();
    let job = graph.object(207, Kind::Table, 64);
    graph.item(globals, -3, coroutine);
    graph.edge(coroutine, job, Label::Local(local), strong);
    for (at, kind) in [Kind::Cdata, Kind::Trace, Kind::Snapshot]
        .into_iter()
        .enumerate()
    {
        let node = graph.object(210 + at as u64, kind, 32);
        graph.edge(globals, node, Label::Number(0.5 + at as f64), strong);
    }
}

/// A cache with weak values, and tables with weak keys: a pair, a path of pairs, a pair whose key
/// is garbage, a value that also has another retainer, and a key that is nearer than its table.
fn weak_tables(graph: &mut Graph, globals: NodeId) {
    let cache = graph.object(300, Kind::Table, 88);
    graph.field(globals, "cache", cache);
    let live = graph.object(301, Kind::Table, 56);
    let dead = graph.object(302, Kind::Table, 56);
    graph.field(globals, "live", live);
    for (index, target) in [(1, live), (2, dead)] {
        graph.edge(cache, target, Label::Index(index), Strength::WeakValue);
    }
    let names = graph.object(303, Kind::Table, 104);
    let retainer = graph.object(304, Kind::Table, 72);
    graph.field(globals, "retainer", retainer);
    graph.field(retainer, "names", names);
    let [first, second, third] = [310, 311, 312].map(|at| graph.object(at, Kind::Table, 500));
    graph.field(retainer, "first", first);
    graph.ephemeron(names, first, second);
    graph.ephemeron(names, second, third);
    let dead_value = graph.object(313, Kind::Table, 10_000);
    graph.ephemeron(names, dead, dead_value);
    let shared = graph.object(314, Kind::Table, 700);
    graph.ephemeron(names, live, shared);
    graph.field(globals, "shared", shared);
    let near = graph.object(315, Kind::Table, 64);
    let far = graph.object(316, Kind::Table, 900);
    graph.field(globals, "near", near);
    graph.ephemeron(names, near, far);
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        // Knuth's MMIX.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = self.0.wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// A heap of `objects` objects with two or three references each, of all kinds and strengths.
pub fn random(seed: u64, objects: u64) -> Exported {
    let (mut graph, mut dice) = (Graph::new(), Dice(seed));
    let registry = graph.object(0, Kind::Table, 56);
    graph.root("[REGISTRY]", registry);
    let class = graph.class(registry, 1, "Random");
    let mut nodes = vec![registry];
    for number in 10..10 + objects {
        let bytes = dice.below(2000);
        let kind = Kind::ALL[dice.below(Kind::ALL.len() as u64) as usize];
        let node = match (kind, dice.below(2)) {
            (Kind::Table, 0) => graph.instance(number, kind, bytes, "Random"),
            _ => graph.object(number, kind, bytes),
        };
        if graph.rows.last().is_some_and(|row| row == "Random") {
            graph.metatable(node, class);
        }
        nodes.push(node);
    }
    for _ in 0..objects * 5 / 2 {
        let mut any = || nodes[dice.below(nodes.len() as u64) as usize];
        let (source, target, key) = (any(), any(), any());
        match dice.below(8) {
            0 => graph.ephemeron(source, key, target),
            1 => graph.edge(source, target, Label::Index(1), Strength::WeakValue),
            2 => graph.field(source, "field", target),
            _ => graph.item(source, dice.below(1 << 40) as i64 - (1 << 30), target),
        }
    }
    graph.finish()
}

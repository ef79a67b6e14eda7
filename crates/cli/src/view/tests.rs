//! What the view shows after which keys, on a terminal in memory.

#[path = "../../tests/program/golden.rs"]
mod golden;

use crate::progress::Progress;
use crate::view::drawing::draw::draw;
use crate::view::drawing::palette::Palette;
use crate::view::keys;
use crate::view::state::{State, Then};
use crate::view::subject::Subject;
use crate::view::words::Words;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use golden::assert_golden;
use luasnap_heap::{
    Engine, Heap, HeapBuilder, Kind, Label, NodeId, Process, Provenance, Snapshot, Strength,
};
use luasnap_words::Language;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Style};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// A heap under construction.
struct Shop {
    builder: HeapBuilder,
    next: u64,
}

impl Shop {
    fn node(&mut self, kind: Kind, size: u64) -> NodeId {
        self.next += 0x40;
        let (node, _) = self.builder.node(kind, self.next).unwrap();
        self.builder.set_size(node, size);
        node
    }

    fn refer(&mut self, from: NodeId, to: NodeId, label: Label) {
        let edge = self.builder.edge(from, to, label, Strength::Strong);
        edge.unwrap();
    }

    /// Adds an object below a field.
    fn field(&mut self, from: NodeId, name: impl AsRef<[u8]>, kind: Kind, size: u64) -> NodeId {
        let node = self.node(kind, size);
        self.refer_by(from, node, name);
        node
    }

    fn refer_by(&mut self, from: NodeId, to: NodeId, name: impl AsRef<[u8]>) {
        let name = self.builder.name(name.as_ref()).unwrap();
        self.refer(from, to, Label::Field(name));
    }

    /// Adds an object below an index.
    fn item(&mut self, from: NodeId, index: i64, kind: Kind, size: u64) -> NodeId {
        let node = self.node(kind, size);
        self.refer(from, node, Label::Index(index));
        node
    }
}

/// A shop with so many baskets, in one process or another.
fn heap(baskets: i64, process: u64) -> Heap {
    let builder = HeapBuilder::new();
    let mut shop = Shop { builder, next: 0 };
    let registry = shop.node(Kind::Table, 100);
    let root = shop.builder.name(b"[REGISTRY]").unwrap();
    shop.refer(NodeId::ROOT, registry, Label::Root(root));
    let globals = shop.item(registry, 2, Kind::Table, 800);
    shop.builder.set_globals(globals);
    shop.builder.set_count(globals, 7);
    // A name that a terminal would obey, and one whose letters are wide.
    shop.field(globals, b"ev\x1b[31m\xe2\x80\xael\nn", Kind::Table, 300);
    let cache = shop.field(globals, "会话缓存", Kind::Table, 2000);
    shop.builder.set_count(cache, 1);
    // A function with a variable of its own.
    let handler = shop.field(globals, "handler", Kind::LuaFunction, 40);
    let source = shop.builder.name(b"shop/server.lua").unwrap();
    shop.builder.set_source(handler, source);
    shop.builder.set_count(handler, 20);
    let upvalue = shop.node(Kind::Upvalue, 40);
    let name = shop.builder.name(b"seen").unwrap();
    shop.refer(handler, upvalue, Label::Upvalue(name));
    let seen = shop.node(Kind::Table, 900);
    shop.refer(upvalue, seen, Label::Value);
    shop.field(seen, "last", Kind::Table, 100);
    // Two have it, so it is below what is above both.
    let shared = shop.field(cache, "shared", Kind::Table, 500);
    shop.refer_by(seen, shared, "shared");
    // Something that is deep.
    let mut deep = shop.field(globals, "list", Kind::Table, 60);
    for _ in 0..30 {
        deep = shop.field(deep, "next", Kind::Table, 60);
    }
    let server = shop.field(globals, "server", Kind::Table, 200);
    let list = shop.field(server, "baskets", Kind::Table, 16 * baskets as u64);
    shop.builder.set_count(list, baskets as u32);
    for index in 1..=baskets {
        let basket = shop.item(list, index, Kind::Table, 100 + index as u64);
        shop.field(basket, "items", Kind::Table, 50);
    }
    let provenance = Provenance {
        engine: Engine::Native,
        vm: "Lua 5.4".into(),
        process: Some(Process {
            id: 1,
            instance: process,
        }),
        ..Provenance::default()
    };
    shop.builder.finish_reached(provenance).unwrap()
}

/// The view of a shop on a terminal of some size.
struct Session {
    state: State,
    terminal: Terminal<TestBackend>,
    has_colors: bool,
    /// What was drawn last.
    drawn: Buffer,
}

impl Session {
    fn new(heaps: Vec<Heap>, width: u16, height: u16) -> Session {
        Session::speaking(Language::English, heaps, width, height)
    }

    fn speaking(language: Language, heaps: Vec<Heap>, width: u16, height: u16) -> Session {
        let snapshots: Vec<Snapshot> = heaps.into_iter().map(Snapshot::new).collect();
        let snapshots: Vec<&Snapshot> = snapshots.iter().collect();
        let mut subject = Subject::new(&snapshots, &Progress::new(1)).unwrap();
        subject.title = "shop.luasnap".to_owned();
        subject.words = Words { language };
        Session {
            state: State::new(Arc::new(subject), None).unwrap(),
            terminal: Terminal::new(TestBackend::new(width, height)).unwrap(),
            has_colors: false,
            drawn: Buffer::default(),
        }
    }

    /// One snapshot on a terminal of this size.
    fn of_one(width: u16, height: u16) -> Session {
        Session::new(vec![heap(40, 7)], width, height)
    }

    /// Presses a key: a character or a name.
    fn press(&mut self, key: &str) -> Then {
        let (code, modifiers) = match key {
            "enter" => (KeyCode::Enter, KeyModifiers::NONE),
            "esc" => (KeyCode::Esc, KeyModifiers::NONE),
            "up" => (KeyCode::Up, KeyModifiers::NONE),
            "down" => (KeyCode::Down, KeyModifiers::NONE),
            "left" => (KeyCode::Left, KeyModifiers::NONE),
            "right" => (KeyCode::Right, KeyModifiers::NONE),
            "home" => (KeyCode::Home, KeyModifiers::NONE),
            "end" => (KeyCode::End, KeyModifiers::NONE),
            "pgup" => (KeyCode::PageUp, KeyModifiers::NONE),
            "pgdn" => (KeyCode::PageDown, KeyModifiers::NONE),
            "backspace" => (KeyCode::Backspace, KeyModifiers::NONE),
            "ctrl-c" => (KeyCode::Char('c'), KeyModifiers::CONTROL),
            "ctrl-z" => (KeyCode::Char('z'), KeyModifiers::CONTROL),
            "ctrl-l" => (KeyCode::Char('l'), KeyModifiers::CONTROL),
            "ctrl-u" => (KeyCode::Char('u'), KeyModifiers::CONTROL),
            key => {
                let mut characters = key.chars();
                let character = characters.next().unwrap();
                assert_eq!(characters.next(), None, "{key}");
                (KeyCode::Char(character), KeyModifiers::NONE)
            }
        };
        let key = KeyEvent::new(code, modifiers);
        let then = match self.state.is_typing() {
            true => {
                if let Some(typed) = keys::typed(key) {
                    self.state.type_key(typed).unwrap();
                }
                Then::GoOn
            }
            false => match keys::command(key) {
                Some(command) => self.state.act(command).unwrap(),
                None => Then::GoOn,
            },
        };
        self.draw();
        self.wait();
        then
    }

    fn type_word(&mut self, word: &str) {
        for character in word.chars() {
            self.press(&character.to_string());
        }
    }

    /// Waits until nothing is under way.
    fn wait(&mut self) {
        for _ in 0..10_000 {
            self.state.take_news().unwrap();
            if !self.state.is_busy() {
                return;
            }
            thread::sleep(Duration::from_millis(1));
        }
        panic!("it never ends");
    }

    fn draw(&mut self) {
        let size = self.terminal.backend().buffer().area;
        let picture = self.state.picture(size.width, size.height).unwrap();
        let palette = Palette {
            has_colors: self.has_colors,
        };
        let drawn = &mut self.drawn;
        let done = self.terminal.draw(|frame| {
            draw(&picture, palette, frame.area(), frame.buffer_mut());
            // The terminal in memory keeps what is behind wide letters.
            *drawn = frame.buffer_mut().clone();
        });
        done.unwrap();
    }

    /// Returns what is on the screen.
    fn screen(&mut self) -> String {
        self.draw();
        let buffer = &self.drawn;
        let mut text = String::new();
        for y in 0..buffer.area.height {
            let mut line = String::new();
            let mut x = 0;
            while x < buffer.area.width {
                let symbol = buffer[(x, y)].symbol();
                line += symbol;
                x += unicode_width::UnicodeWidthStr::width(symbol).max(1) as u16;
            }
            text += line.trim_end();
            text += "\n";
        }
        text
    }

    /// Returns the screens after each of these keys.
    fn screens(&mut self, keys: &str) -> String {
        let mut text = String::new();
        for key in keys.split_whitespace() {
            self.press(key);
            text += &format!("=== {key}\n{}", self.screen());
        }
        text
    }

    fn line_with(&mut self, part: &str) -> String {
        let screen = self.screen();
        let line = screen.lines().find(|line| line.contains(part));
        line.unwrap_or_else(|| panic!("no {part} in\n{screen}"))
            .to_owned()
    }
}

#[test]
fn the_tree() {
    let mut session = Session::of_one(120, 18);
    let first = session.screen();
    let text = session.screens("enter enter down enter left home enter enter enter end left left");
    assert_golden("view_tree", &format!("=== \n{first}{text}"));
}

#[test]
fn a_narrow_tree() {
    let mut text = String::new();
    for (width, height) in [(80, 10), (60, 8), (40, 6), (20, 5), (10, 4)] {
        let mut session = Session::of_one(width, height);
        session.press("enter");
        text += &session.screens("enter");
    }
    assert_golden("view_narrow", &text);
}

#[test]
fn orders() {
    let mut session = Session::of_one(120, 16);
    session.screens("enter enter");
    assert_golden("view_orders", &session.screens("o o o o"));
}

#[test]
fn groups() {
    let mut session = Session::of_one(120, 16);
    assert_golden("view_groups", &session.screens("g o o o enter esc esc"));
}

#[test]
fn paths_and_retainers() {
    let mut session = Session::of_one(120, 18);
    session.press("/");
    session.type_word("shared");
    session.press("enter");
    let mut text = session.screens("p enter esc esc r down enter esc esc esc");
    // Of many, and of the last of a long list.
    session.press("g");
    text += &session.screens("p esc r esc esc");
    session.press("/");
    session.type_word("_G.list.next.next.next");
    text += &session.screens("enter p end");
    assert_golden("view_paths", &text);
}

#[test]
fn suspects_of_one() {
    let mut session = Session::of_one(100, 16);
    assert_golden("view_suspects", &session.screens("s enter left"));
}

#[test]
fn a_search() {
    let mut session = Session::of_one(100, 12);
    session.press("/");
    session.type_word("BASK");
    let typed = session.screen();
    let text = session.screens("enter down enter esc esc");
    assert_golden("view_search", &format!("=== BASK\n{typed}{text}"));
    // What is typed can be mended, and given up.
    session.press("/");
    session.type_word("nothingg");
    session.press("backspace");
    assert!(session.screen().contains("/nothing▏"));
    session.press("enter");
    assert!(
        session.screen().contains("\n0 found\n"),
        "{}",
        session.screen()
    );
    for keys in [
        &["/", "x", "esc"][..],
        &["/", "backspace"],
        &["/", "x", "ctrl-c"],
    ] {
        let before = session.screen();
        for key in keys {
            session.press(key);
        }
        assert_eq!(session.screen(), before, "{keys:?}");
    }
    session.press("/");
    session.type_word("abc");
    session.press("ctrl-u");
    assert!(session.screen().contains("/▏"));
    // Letters are letters while one types.
    session.type_word("qg?");
    assert!(session.screen().contains("/qg?▏"));
}

#[test]
fn a_difference() {
    let mut session = Session::new(vec![heap(40, 7), heap(45, 7)], 120, 16);
    let text = session.screens("d enter enter enter enter enter p esc d s down enter");
    assert_golden("view_difference", &text);
}

#[test]
fn what_came_is_said_on_the_screens_below_as_well() {
    let mut session = Session::new(vec![heap(40, 7), heap(45, 7)], 120, 16);
    session.press("enter");
    assert!(!session.screen().contains("+1.0 KiB"));
    for key in ["g", "d", "esc"] {
        session.press(key);
    }
    assert!(
        session.screen().contains("+1.0 KiB"),
        "{}",
        session.screen()
    );
}

#[test]
fn objects_of_other_processes_are_not_compared() {
    let mut session = Session::new(vec![heap(40, 7), heap(45, 8)], 120, 12);
    session.press("d");
    assert!(session.screen().contains("different processes"));
    assert!(!session.screen().contains("d difference"));
    session.press("s");
    assert!(
        session
            .line_with("e.g. _G.server.baskets.[45]")
            .contains('+')
    );
    let mut session = Session::of_one(120, 12);
    session.press("d");
    assert!(session.screen().contains("luasnap view OLDER NEWER"));
}

#[test]
fn help() {
    let mut session = Session::of_one(100, 22);
    session.press("enter");
    let before = session.screen();
    assert_golden("view_help", &session.screens("?"));
    // Any key ends it and does nothing else.
    session.press("q");
    assert_eq!(session.screen(), before);
}

#[test]
fn in_chinese() {
    let one = |height| Session::speaking(Language::Chinese, vec![heap(40, 7)], 100, height);
    let mut session = one(18);
    let mut text = session.screens("enter enter o g o enter esc esc s esc ?");
    let mut session = one(18);
    session.press("/");
    session.type_word("shared");
    text += &session.screen();
    text += &session.screens("enter p esc r esc esc g p esc r");
    assert_golden("view_zh", &text);
    let heaps = vec![heap(40, 7), heap(45, 7)];
    let mut session = Session::speaking(Language::Chinese, heaps, 100, 16);
    assert_golden("view_difference_zh", &session.screens("d enter d s o"));
    // Wide letters take two columns each: no line is wider than the terminal.
    for width in [1, 9, 24, 40, 60, 80, 100] {
        let mut session = Session::speaking(Language::Chinese, vec![heap(40, 7)], width, 18);
        for key in "enter enter g s p r ?".split(' ') {
            session.press(key);
            for line in session.screen().lines() {
                let taken = unicode_width::UnicodeWidthStr::width(line);
                assert!(taken <= width.into(), "{width}: {line}");
            }
        }
    }
}

#[test]
fn keys_that_can_do_nothing_say_why() {
    let mut session = Session::of_one(100, 12);
    for (keys, words) in [
        ("left", "this is the top of the tree"),
        ("enter enter end enter", "it retains nothing but itself"),
        ("s home p", "this row is no object"),
        ("s home enter", "this row is no object"),
        ("s o", "these rows have one order"),
    ] {
        session = Session::of_one(100, 12);
        for key in keys.split(' ') {
            session.press(key);
        }
        assert!(
            session.screen().contains(words),
            "{keys}: {}",
            session.screen()
        );
    }
    // What was said is gone with the next key, and no key closes the first screen.
    session.press("down");
    assert!(!session.screen().contains("these rows"));
    for _ in 0..5 {
        assert_eq!(session.press("esc"), Then::GoOn);
    }
    assert!(session.screen().contains("all objects"));
    for (key, then) in [
        ("q", Then::Quit),
        ("ctrl-c", Then::Quit),
        ("ctrl-z", Then::Suspend),
        ("ctrl-l", Then::Redraw),
        ("x", Then::GoOn),
    ] {
        assert_eq!(session.press(key), then, "{key}");
    }
}

#[test]
fn going_up_comes_back_to_the_row_that_was_opened() {
    let mut session = Session::of_one(100, 14);
    let selected = |session: &mut Session| {
        let screen = session.screen();
        let place = screen.lines().nth(1).unwrap().rsplit(' ').next().unwrap();
        place.to_owned()
    };
    for key in ["enter", "enter", "enter", "enter", "enter", "pgdn", "pgdn"] {
        session.press(key);
    }
    let deep = session.screen();
    assert!(deep.contains("baskets › _G.server.baskets.[*]"), "{deep}");
    for key in ["o", "o", "o", "o"] {
        session.press(key);
    }
    session.press("left");
    assert_eq!(selected(&mut session), "1/1");
    session.press("left");
    session.press("left");
    assert_eq!(selected(&mut session), "1/6", "{}", session.screen());
    // The variable of a function is passed over, both ways.
    session.press("/");
    session.type_word("handler");
    session.press("enter");
    session.press("enter");
    assert!(
        session.line_with("›").contains("handler"),
        "{}",
        session.screen()
    );
    let before = session.screen();
    session.press("enter");
    assert!(
        session.line_with("›").contains("› seen"),
        "{}",
        session.screen()
    );
    session.press("left");
    assert_eq!(session.screen(), before);
}

#[test]
fn nothing_on_the_screen_is_obeyed_by_a_terminal() {
    let mut session = Session::of_one(120, 30);
    for key in "enter g s p r ? x o esc esc".split(' ') {
        session.press(key);
        for line in session.screen().lines() {
            assert!(line.chars().all(luasnap_heap::is_printable), "{line:?}");
        }
    }
    let mut session = Session::of_one(120, 30);
    session.screens("enter enter");
    assert!(session.screen().contains(r"ev\x1B[31m\u{202E}l\nn"));
    assert!(session.screen().contains("会话缓存"));
    // Nor what is typed.
    session.press("/");
    session.type_word("a\u{202e}b");
    assert!(session.screen().contains(r"/a\u{202E}b"));
    session.press("enter");
    assert!(session.screen().contains(r"search › a\u{202E}b"));
}

#[test]
fn any_size_will_do() {
    for width in [
        0, 1, 2, 3, 5, 9, 15, 20, 23, 24, 39, 40, 59, 60, 99, 100, 300,
    ] {
        for height in [0, 1, 2, 3, 4, 5, 6, 9, 10, 50] {
            let mut session = Session::of_one(width, height);
            for key in "enter end p esc r esc g down s esc / x enter ? x o o o o".split(' ') {
                session.press(key);
            }
            session.screen();
        }
    }
}

#[test]
fn a_terminal_may_change_its_size() {
    let mut session = Session::of_one(100, 20);
    for key in ["enter", "enter", "enter", "enter", "enter", "end"] {
        session.press(key);
    }
    session.terminal.backend_mut().resize(60, 6);
    let small = session.screen();
    assert!(small.contains("40/40"), "{small}");
    session.terminal.backend_mut().resize(100, 20);
    assert!(session.screen().contains("40/40"));
}

#[test]
fn colours_only_where_they_are_wanted() {
    let colours = |session: &mut Session| {
        session.draw();
        let cells = session.drawn.content().to_vec();
        let is_colored = |style: Style| {
            let is = |color: Option<Color>| color.is_some_and(|color| color != Color::Reset);
            is(style.fg) || is(style.bg)
        };
        cells.iter().any(|cell| is_colored(cell.style()))
    };
    let mut session = Session::of_one(120, 20);
    session.screens("enter enter");
    for has_colors in [true, false] {
        session.has_colors = has_colors;
        assert_eq!(colours(&mut session), has_colors);
    }
}

#[test]
fn an_empty_heap() {
    let empty = HeapBuilder::new().finish().unwrap();
    let mut session = Session::new(vec![empty], 80, 12);
    for key in "enter left end p r o o o o g s esc / a enter".split(' ') {
        session.press(key);
    }
    assert!(session.screen().contains("0 found"));
}

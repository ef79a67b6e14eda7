//! The terminal as the view draws on it, and what stops and continues it.

use crate::terminal::{self, give_back};
use crossterm::execute;
use crossterm::terminal::{Clear, ClearType};
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::{Terminal, TerminalOptions, Viewport};
use rustix::process::{Signal, getpid, kill_process};
use rustix::termios::Termios;
use signal_hook::consts::{SIGCONT, SIGTSTP};
use std::io::{self, BufWriter, Stdout};
use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A terminal that is drawn on.
type Drawn = Terminal<CrosstermBackend<BufWriter<Stdout>>>;

/// The terminal while the view has it. It is given back when this is dropped.
pub struct Canvas {
    drawn: Drawn,
    size: (u16, u16),
    stop: Arc<AtomicBool>,
    went_on: Arc<AtomicBool>,
}

impl Canvas {
    /// Takes the terminal over.
    ///
    /// # Errors
    ///
    /// If it cannot be set or written to.
    pub fn take() -> io::Result<Canvas> {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            before(panic);
            // The panic may be another thread's, for which nobody waits.
            std::process::exit(PANICKED);
        }));
        let (stop, went_on) = Default::default();
        let size = terminal::size();
        let canvas = Canvas {
            drawn: drawn(size)?,
            size,
            stop,
            went_on,
        };
        signal_hook::flag::register(SIGTSTP, Arc::clone(&canvas.stop))?;
        signal_hook::flag::register(SIGCONT, Arc::clone(&canvas.went_on))?;
        set_up()?;
        Ok(canvas)
    }

    /// Stops the process, as a shell's user does, and takes the terminal over again once it goes on.
    ///
    /// # Errors
    ///
    /// If the terminal cannot be set or written to.
    pub fn suspend(&mut self) -> io::Result<()> {
        give_back();
        kill_process(getpid(), Signal::STOP)?;
        self.went_on.store(false, Ordering::Relaxed);
        set_up()?;
        self.draw_anew()
    }

    /// Draws all of the next picture, not only what is another.
    ///
    /// # Errors
    ///
    /// If the terminal cannot be written to.
    pub fn draw_anew(&mut self) -> io::Result<()> {
        execute!(io::stdout(), Clear(ClearType::All))?;
        self.drawn = drawn(self.size)?;
        Ok(())
    }

    /// Returns the number of columns and of lines.
    ///
    /// # Errors
    ///
    /// If the size has changed and the terminal cannot be written to.
    pub fn size(&mut self) -> io::Result<(u16, u16)> {
        let now = terminal::size();
        if now != self.size {
            self.size = now;
            self.draw_anew()?;
        }
        Ok(now)
    }

    /// Draws what is another than before.
    ///
    /// # Errors
    ///
    /// If the terminal cannot be written to.
    pub fn draw(&mut self, draw: impl FnOnce(Rect, &mut Buffer)) -> io::Result<()> {
        self.drawn
            .draw(|frame| draw(frame.area(), frame.buffer_mut()))?;
        Ok(())
    }

    /// Does what signals ask for. Returns whether everything has to be drawn again.
    ///
    /// # Errors
    ///
    /// If the terminal cannot be set or written to.
    pub fn heed_signals(&mut self) -> io::Result<bool> {
        if self.stop.swap(false, Ordering::Relaxed) {
            self.suspend()?;
            return Ok(true);
        }
        // Somebody else stopped it, and the terminal may have been used since.
        if self.went_on.swap(false, Ordering::Relaxed) {
            set_up()?;
            self.draw_anew()?;
            return Ok(true);
        }
        Ok(false)
    }
}

impl Drop for Canvas {
    fn drop(&mut self) {
        give_back();
    }
}

/// The exit code of programs that panic.
const PANICKED: i32 = 101;

/// Returns a terminal with nothing drawn on it. Its size is fixed, since a change is looked for before each picture.
fn drawn((columns, lines): (u16, u16)) -> io::Result<Drawn> {
    let viewport = Viewport::Fixed(Rect::new(0, 0, columns, lines));
    let backend = CrosstermBackend::new(BufWriter::new(io::stdout()));
    Terminal::with_options(backend, TerminalOptions { viewport })
}

fn set_up() -> io::Result<()> {
    terminal::take(Some(Termios::make_raw))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panics;
    use nix::pty::openpty;
    use nix::sys::termios::tcgetattr;
    use std::env;
    use std::fs::File;
    use std::io::Read;
    use std::process::Command;
    use std::thread;

    /// Says to a process of its own who is to panic.
    const WHO: &str = "LUASNAP_TEST_PANIC";
    const ENTER: &str = "\x1b[?1049h";

    /// What the process of the next test does.
    fn panic_as(who: &str) -> ! {
        panics::print_readably();
        let _canvas = Canvas::take().unwrap();
        match who {
            "another thread" => {
                thread::spawn(|| panic!("a test's panic")).join().ok();
                unreachable!("the hook ends the process");
            }
            _ => panic!("a test's panic"),
        }
    }

    #[test]
    fn a_panic_gives_the_terminal_back_and_is_said_after_it() {
        if let Ok(who) = env::var(WHO) {
            panic_as(&who);
        }
        for who in ["the view", "another thread"] {
            let terminal = openpty(None, None).unwrap();
            let before = tcgetattr(&terminal.slave).unwrap();
            let slave = || terminal.slave.try_clone().unwrap();
            let mut command = Command::new(env::current_exe().unwrap());
            command
                .args(["--exact", "--nocapture"])
                .arg("view::canvas::tests::a_panic_gives_the_terminal_back_and_is_said_after_it")
                .env(WHO, who)
                .env_remove("RUST_BACKTRACE")
                .stdin(slave())
                .stdout(slave())
                .stderr(slave());
            let status = command.spawn().unwrap().wait().unwrap();
            // It has the other end of the terminal, too.
            drop(command);
            assert_eq!(status.code(), Some(PANICKED), "{who}");
            assert_eq!(tcgetattr(&terminal.slave).unwrap(), before, "{who}");
            drop(terminal.slave);
            let (mut said, mut buffer) = (Vec::new(), [0; 4096]);
            let mut master = File::from(terminal.master);
            // Once nobody has the other end, reading fails.
            while let Ok(length @ 1..) = master.read(&mut buffer) {
                said.extend_from_slice(&buffer[..length]);
            }
            let said = String::from_utf8_lossy(&said);
            let (shown, after) = said.split_once("\x1b[?1049l").expect(who);
            assert!(shown.contains(ENTER), "{who}: {said:?}");
            assert!(after.contains("luasnap: a bug in luasnap:"), "{said:?}");
            assert!(after.contains("a test's panic"), "{who}: {said:?}");
            assert!(!after.contains(ENTER), "{who}: {said:?}");
        }
    }
}

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

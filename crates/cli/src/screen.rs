//! A screen of the terminal that is drawn again and again in place.

use crate::terminal;
use crossterm::cursor::MoveTo;
use crossterm::queue;
use crossterm::style::Print;
use crossterm::terminal::{Clear, ClearType};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::stdio::stdin;
use rustix::termios::{LocalModes, SpecialCodeIndex, Termios, isatty};
use std::io::{self, Write};
use std::thread::sleep;
use std::time::Duration;

/// The screen. While there is one, the terminal shows nothing else.
pub struct Screen {
    has_keys: bool,
}

impl Screen {
    /// Shows an empty screen on the terminal that standard output is.
    pub fn new() -> io::Result<Screen> {
        let has_keys = isatty(stdin());
        terminal::take(has_keys.then_some(take_keys))?;
        Ok(Screen { has_keys })
    }

    /// Draws lines, as many as there is room for. What is wider than the terminal is cut off.
    pub fn draw(&self, lines: &[String]) -> io::Result<()> {
        let (_, rows) = terminal::size();
        let mut out = io::stdout().lock();
        queue!(out, MoveTo(0, 0))?;
        for (at, line) in lines.iter().take(rows.into()).enumerate() {
            let before = if at > 0 { "\r\n" } else { "" };
            queue!(
                out,
                Print(before),
                Print(line),
                Clear(ClearType::UntilNewLine)
            )?;
        }
        queue!(out, Clear(ClearType::FromCursorDown))?;
        out.flush()
    }

    /// Waits for so long, or less if a key is pressed. Returns whether it was `q`.
    pub fn wait(&self, time: Duration) -> bool {
        if !self.has_keys {
            sleep(time);
            return false;
        }
        let input = stdin();
        let mut asked = [PollFd::new(&input, PollFlags::IN)];
        let timeout = Timespec::try_from(time).ok();
        if !matches!(poll(&mut asked, timeout.as_ref()), Ok(1..)) {
            return false;
        }
        let mut keys = [0; 64];
        match rustix::io::read(input, &mut keys) {
            Ok(0) | Err(_) => {
                // The terminal is gone: nobody presses keys any more.
                sleep(time);
                false
            }
            Ok(count) => keys[..count].iter().any(|key| matches!(key, b'q' | b'Q')),
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        terminal::give_back();
    }
}

/// Keys are read as they are pressed and not shown; Ctrl-C is a signal as ever.
fn take_keys(settings: &mut Termios) {
    settings
        .local_modes
        .remove(LocalModes::ECHO | LocalModes::ICANON);
    // A stopped program would leave its screen on the terminal.
    settings.special_codes[SpecialCodeIndex::VSUSP] = 0;
}

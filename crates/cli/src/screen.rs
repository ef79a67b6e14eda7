//! A screen of the terminal that is drawn again and again in place.
//!
//! Whatever ends the program (a return, a panic, a signal), the terminal is as it was before: [`restore`] is called by
//! the guard, by the hook for panics and by the handler of signals.

use crossterm::cursor::{Hide, MoveTo};
use crossterm::queue;
use crossterm::style::Print;
use crossterm::terminal::{self, Clear, ClearType, DisableLineWrap, EnterAlternateScreen};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::stdio::{stdin, stdout};
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, isatty, tcgetattr, tcsetattr,
};
use std::io::{self, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;

/// Whether a screen is shown.
static IS_SHOWN: AtomicBool = AtomicBool::new(false);
/// The settings of the terminal before.
static BEFORE: OnceLock<Termios> = OnceLock::new();
/// Wraps long lines again, leaves the other screen, and shows the cursor: what crossterm writes for these.
const LEAVE: &[u8] = b"\x1b[?7h\x1b[?1049l\x1b[?25h";

/// The screen. While there is one, the terminal shows nothing else.
pub struct Screen {
    has_keys: bool,
}

impl Screen {
    /// Shows an empty screen on the terminal that standard output is.
    pub fn new() -> io::Result<Screen> {
        let has_keys = isatty(stdin());
        IS_SHOWN.store(true, Ordering::Relaxed);
        let screen = Screen { has_keys };
        if has_keys {
            take_keys()?;
        }
        let mut out = io::stdout();
        queue!(out, EnterAlternateScreen, DisableLineWrap, Hide)?;
        out.flush()?;
        Ok(screen)
    }

    /// Returns the number of columns and rows; 80 and 24 if the terminal does not say.
    pub fn size() -> (u16, u16) {
        match terminal::size() {
            Ok((columns @ 1.., rows @ 1..)) => (columns, rows),
            _ => (80, 24),
        }
    }

    /// Draws lines, as many as there is room for. What is wider than the terminal is cut off.
    pub fn draw(&self, lines: &[String]) -> io::Result<()> {
        let (_, rows) = Screen::size();
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
        restore();
    }
}

/// Keys are read as they are pressed and not shown; Ctrl-C is a signal as ever.
fn take_keys() -> io::Result<()> {
    let before = tcgetattr(stdin())?;
    let mut settings = before.clone();
    let _ = BEFORE.set(before);
    settings
        .local_modes
        .remove(LocalModes::ECHO | LocalModes::ICANON);
    // A stopped program would leave its screen on the terminal.
    settings.special_codes[SpecialCodeIndex::VSUSP] = 0;
    tcsetattr(stdin(), OptionalActions::Now, &settings)?;
    Ok(())
}

/// Makes the terminal what it was before the screen, if there is one. It takes no lock and no memory, so that a handler
/// of signals may call it.
pub fn restore() {
    if !IS_SHOWN.swap(false, Ordering::Relaxed) {
        return;
    }
    let _ = rustix::io::write(stdout(), LEAVE);
    if let Some(before) = BEFORE.get() {
        let _ = tcsetattr(stdin(), OptionalActions::Now, before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossterm::cursor::Show;
    use crossterm::terminal::{EnableLineWrap, LeaveAlternateScreen};

    #[test]
    fn it_is_left_as_crossterm_leaves_it() {
        let mut bytes = Vec::new();
        queue!(bytes, EnableLineWrap, LeaveAlternateScreen, Show).unwrap();
        assert_eq!(bytes, LEAVE);
    }
}

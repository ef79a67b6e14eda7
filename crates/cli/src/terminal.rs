//! Taking the terminal over, and giving it back on every way out.
//!
//! Whatever ends the program (a return, a panic, a signal), the terminal is as it was before: [`give_back`] is called by
//! whoever took it, by the hook for panics and by the handler of signals.

use crossterm::cursor::Hide;
use crossterm::terminal::{Clear, ClearType, DisableLineWrap, EnterAlternateScreen};
use crossterm::{execute, terminal};
use rustix::stdio::{stdin, stdout};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// How the terminal was before.
static BEFORE: OnceLock<Termios> = OnceLock::new();
/// Whether it is taken over.
static IS_TAKEN: AtomicBool = AtomicBool::new(false);

/// Ends all styles, wraps long lines again, leaves the other screen, and shows the cursor: what crossterm writes for
/// these.
const LEAVE: &[u8] = b"\x1b[0m\x1b[?7h\x1b[?1049l\x1b[?25h";

/// What a terminal has that does not know its size, such as a serial line.
const USUAL_SIZE: (u16, u16) = (80, 24);

/// Returns the number of columns and of lines.
pub fn size() -> (u16, u16) {
    match terminal::size() {
        Ok((columns @ 1.., lines @ 1..)) => (columns, lines),
        _ => USUAL_SIZE,
    }
}

/// Shows an empty screen on the terminal that standard output is. `keys` changes how the one that standard input is
/// reads keys.
///
/// # Errors
///
/// If the terminal cannot be set or written to.
pub fn take(keys: Option<fn(&mut Termios)>) -> io::Result<()> {
    take_over(keys).inspect_err(|_| give_back())
}

fn take_over(keys: Option<fn(&mut Termios)>) -> io::Result<()> {
    if let Some(change) = keys {
        let before = match BEFORE.get() {
            Some(before) => before.clone(),
            None => tcgetattr(stdin())?,
        };
        let mut settings = before.clone();
        let _ = BEFORE.set(before);
        change(&mut settings);
        IS_TAKEN.store(true, Ordering::Relaxed);
        tcsetattr(stdin(), OptionalActions::Now, &settings)?;
    }
    IS_TAKEN.store(true, Ordering::Relaxed);
    execute!(
        io::stdout(),
        EnterAlternateScreen,
        DisableLineWrap,
        Hide,
        Clear(ClearType::All)
    )
}

/// Makes the terminal what it was before, if it is taken over. Takes no lock and no memory, so that a signal handler may
/// call it.
pub fn give_back() {
    if !IS_TAKEN.swap(false, Ordering::Relaxed) {
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
    use crossterm::queue;
    use crossterm::style::ResetColor;
    use crossterm::terminal::{EnableLineWrap, LeaveAlternateScreen};

    #[test]
    fn it_is_left_as_crossterm_leaves_it() {
        let mut bytes = Vec::new();
        queue!(
            bytes,
            ResetColor,
            EnableLineWrap,
            LeaveAlternateScreen,
            Show
        )
        .unwrap();
        assert_eq!(bytes, LEAVE);
    }
}

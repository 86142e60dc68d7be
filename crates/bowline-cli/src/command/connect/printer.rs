//! Writing above the line that is being typed.

use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use rustix::termios::{LocalModes, tcgetattr};
use rustyline::ExternalPrinter;

/// Writes above the line that is being typed.
///
/// The editor takes what is to be written while it reads a line. One thing may wait for it; between
/// two lines that thing would be overtaken by the next, so the next waits until a line is read
/// again.
#[derive(Clone)]
pub(super) struct Printer {
    editor: Arc<Mutex<dyn ExternalPrinter + Send>>,
    is_live: Arc<AtomicBool>,
}

impl Printer {
    pub(super) fn new(editor: impl ExternalPrinter + Send + 'static) -> Self {
        Self {
            editor: Arc::new(Mutex::new(editor)),
            is_live: Arc::default(),
        }
    }

    /// Takes note that lines are read from now on.
    pub(super) fn go_live(&self) {
        self.is_live.store(true, Ordering::SeqCst);
    }

    /// Writes lines.
    pub(super) fn print(&self, text: String) {
        let mut editor = self.editor.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_live.load(Ordering::SeqCst) {
            wait_until_read();
        }
        // There is nowhere to tell that the terminal is gone.
        drop(editor.print(text));
    }

    /// Waits until everything is on the screen, but not for ever.
    pub(super) fn flush(&self) {
        let (done, flushed) = mpsc::channel();
        let printer = self.clone();
        let flushing = thread::Builder::new().spawn(move || {
            // The second is taken when the first was, and that when all before it is written.
            for _ in 0..2 {
                printer.print(UP_AND_DOWN.to_owned());
            }
            // Nobody waits any more when it took too long.
            let _late = done.send(());
        });
        if flushing.is_ok() {
            // What is not on the screen by now is not going to be.
            let _flushed = flushed.recv_timeout(FLUSH_TIMEOUT);
        }
    }
}

/// Waits until the editor reads a line, which shows in the modes of the terminal; not for long, as
/// it may be held up.
pub(super) fn wait_until_read() {
    let end = Instant::now() + READ_TIMEOUT;
    while !is_read() && Instant::now() < end {
        thread::sleep(Duration::from_millis(1));
    }
}

/// Says whether the editor reads a line.
fn is_read() -> bool {
    tcgetattr(io::stdin()).is_ok_and(|modes| !modes.local_modes.contains(LocalModes::ICANON))
}

/// Changes nothing on the screen.
const UP_AND_DOWN: &str = "\x1b[A\n";
/// How long the editor takes at most between two lines.
const READ_TIMEOUT: Duration = Duration::from_millis(200);
/// How long the last output takes at most.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

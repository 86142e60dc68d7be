//! A person at a terminal: lines are edited, and what arrives is written above them.

use std::{
    env, fs,
    io::{self, IsTerminal, Write},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use bowline::CloseCode;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use rustyline::{Config, Editor, error::ReadlineError, history::FileHistory};
use tokio::sync::{mpsc, oneshot};

use super::{
    form::Form,
    notices::{Notices, Style},
    pipe::{self, Input, MESSAGES_MAX, Output},
    printer::{Printer, wait_until_read},
    slash::{Asked, HELP},
};
use crate::{
    args::ColorWhen,
    exit::{Failure, InputError},
};

/// A terminal that a person types at. When it is dropped, the terminal is as it was.
pub(super) struct Terminal {
    editor: Option<Editor<(), FileHistory>>,
    history: Option<PathBuf>,
    printer: Printer,
    notices: Notices,
    state: Arc<State>,
    before: Option<Termios>,
}

/// What the thread that reads is at.
#[derive(Debug, Default)]
struct State {
    is_reading: AtomicBool,
    is_over: AtomicBool,
}

impl Terminal {
    /// Opens the terminal if standard input and output are one that can do what is needed.
    pub(super) fn open(color: ColorWhen) -> Result<Option<Self>, Failure> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return Ok(None);
        }
        let failed = |error: ReadlineError| Failure::System {
            what: "use the terminal",
            source: io::Error::other(error),
        };
        let config = Config::builder()
            .max_history_size(HISTORY_MAX)
            .map_err(failed)?
            .history_ignore_dups(true)
            .map_err(failed)?
            .history_ignore_space(true)
            .build();
        let mut editor = Editor::with_config(config).map_err(failed)?;
        // A terminal that cannot move its cursor.
        let Ok(printer) = editor.create_external_printer() else {
            return Ok(None);
        };
        let printer = Printer::new(printer);
        let history = history_path();
        if let Some(path) = &history {
            // There is none before the first time.
            drop(editor.load_history(path));
        }
        let style = Style::new(color, true);
        Ok(Some(Self {
            editor: Some(editor),
            history,
            notices: Notices::to_terminal(style, printer.clone()),
            printer,
            state: Arc::default(),
            before: tcgetattr(io::stdin()).ok(),
        }))
    }

    pub(super) fn notices(&self) -> Notices {
        self.notices.clone()
    }

    /// Begins to read what is typed.
    pub(super) fn read(
        &mut self,
        form: Form,
    ) -> Result<mpsc::Receiver<Result<Input, InputError>>, Failure> {
        let (sender, lines) = mpsc::channel(MESSAGES_MAX);
        let Some(editor) = self.editor.take() else {
            return Ok(lines);
        };
        let typist = Typist {
            editor,
            history: self.history.clone(),
            notices: self.notices.clone(),
            state: Arc::clone(&self.state),
            form,
        };
        self.printer.go_live();
        pipe::start("terminal", move || typist.run(sender))?;
        Ok(lines)
    }

    /// Begins to write what comes through the channel.
    pub(super) fn write(&self) -> Result<Output, Failure> {
        let (sender, mut lines) = mpsc::channel::<Vec<u8>>(MESSAGES_MAX);
        let (done, written) = oneshot::channel();
        let printer = self.printer.clone();
        pipe::start("output", move || {
            while let Some(line) = lines.blocking_recv() {
                printer.print(String::from_utf8_lossy(&line).into_owned());
            }
            // Nobody waits any more when the program ends at once.
            let _ended = done.send(Ok(()));
        })?;
        Ok((sender, written))
    }

    /// Waits until everything is on the screen.
    pub(super) fn flush(&self) {
        if self.state.is_reading.load(Ordering::SeqCst) {
            self.printer.flush();
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.state.is_over.store(true, Ordering::SeqCst);
        if !self.state.is_reading.load(Ordering::SeqCst) {
            return;
        }
        // The thread that reads cannot be stopped, so what it changed is changed back here.
        // It may be just about to change it.
        if let Some(before) = &self.before {
            wait_until_read();
            let _restored = tcsetattr(io::stdin(), OptionalActions::Drain, before);
        }
        drop(io::stdout().lock().write_all(LEAVE_PROMPT));
    }
}

/// Reads what is typed, in a thread of its own.
struct Typist {
    editor: Editor<(), FileHistory>,
    history: Option<PathBuf>,
    notices: Notices,
    state: Arc<State>,
    form: Form,
}

impl Typist {
    fn run(mut self, sender: mpsc::Sender<Result<Input, InputError>>) {
        while let Some(input) = self.next() {
            let is_last = matches!(input, Err(_) | Ok(Input::Close(..)));
            if sender.blocking_send(input).is_err() || is_last {
                break;
            }
        }
        drop(sender);
        // What still arrives is written by the editor too, so it reads on, to no end.
        while let Some(Ok(_) | Err(ReadlineError::Eof | ReadlineError::Interrupted)) =
            self.read_line("")
        {
            thread::sleep(PAUSE);
        }
    }

    /// Reads until there is something to do; `None` at the end.
    fn next(&mut self) -> Option<Result<Input, InputError>> {
        loop {
            let line = match self.read_line(PROMPT)? {
                Ok(line) => line,
                Err(ReadlineError::Eof) => return None,
                Err(ReadlineError::Interrupted) => {
                    return Some(Ok(Input::Close(CloseCode::NORMAL, String::new())));
                }
                Err(error) => return Some(Err(InputError::Read(io::Error::other(error)))),
            };
            self.remember(&line);
            match Asked::read(&line, self.form) {
                Ok(Asked::Send(message)) => return Some(Ok(Input::Message(message))),
                Ok(Asked::Ping(payload)) => return Some(Ok(Input::Ping(payload))),
                Ok(Asked::Close(code, reason)) => return Some(Ok(Input::Close(code, reason))),
                Ok(Asked::Help) => self.notices.say(format_args!("{HELP}")),
                Err(wrong) => self.notices.say(format_args!("{wrong}")),
            }
        }
    }

    fn read_line(&mut self, prompt: &str) -> Option<Result<String, ReadlineError>> {
        self.state.is_reading.store(true, Ordering::SeqCst);
        if self.state.is_over.load(Ordering::SeqCst) {
            return None;
        }
        let line = self.editor.readline(prompt);
        self.state.is_reading.store(false, Ordering::SeqCst);
        Some(line)
    }

    fn remember(&mut self, line: &str) {
        let is_new = self.editor.add_history_entry(line).unwrap_or(false);
        let Some(path) = self.history.as_ref().filter(|_| is_new) else {
            return;
        };
        if let Err(error) = self.editor.append_history(path) {
            self.notices
                .say(format_args!("the history is not kept: {error}"));
            self.history = None;
        }
    }
}

/// Where lines are kept for the next time: `bowline/history` in the user's data folder.
fn history_path() -> Option<PathBuf> {
    let folder = |name| {
        env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let data = folder("XDG_DATA_HOME").or_else(|| Some(folder("HOME")?.join(".local/share")))?;
    let ours = data.join("bowline");
    fs::create_dir_all(&ours).ok()?;
    Some(ours.join("history"))
}

const PROMPT: &str = "> ";
/// The pause between two lines that nobody wants.
const PAUSE: Duration = Duration::from_millis(20);
/// Lines that are kept for the next time.
const HISTORY_MAX: usize = 1000;
/// Clears the line of the prompt, and ends the mode that marks pasted text.
const LEAVE_PROMPT: &[u8] = b"\r\x1b[K\x1b[?2004l";

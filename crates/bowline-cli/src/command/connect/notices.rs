//! What is told beside the messages.

use std::{
    env, fmt,
    io::{self, IsTerminal},
};

use super::printer::Printer;
use crate::{args::ColorWhen, exit::printable, output::status};

/// Tells what happens, on standard error or above the line that is being typed.
#[derive(Clone)]
pub(crate) struct Notices {
    style: Style,
    printer: Option<Printer>,
}

impl Notices {
    /// Tells on standard error.
    pub(crate) fn to_stderr(color: ColorWhen) -> Self {
        Self {
            style: Style::new(color, io::stderr().is_terminal()),
            printer: None,
        }
    }

    /// Tells at a terminal.
    pub(super) fn to_terminal(style: Style, printer: Printer) -> Self {
        Self {
            style,
            printer: Some(printer),
        }
    }

    /// Tells something; what a server said in it cannot command the terminal.
    pub(crate) fn say(&self, line: fmt::Arguments<'_>) {
        let line = self.style.paint(Tone::Faint, &printable(&line.to_string()));
        match &self.printer {
            Some(printer) => printer.print(line + "\n"),
            None => status(format_args!("{line}")),
        }
    }
}

impl fmt::Debug for Notices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notices").finish_non_exhaustive()
    }
}

/// Whether colours are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Style {
    is_coloured: bool,
}

/// What a colour stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// Said beside the messages.
    Faint,
    /// Came from the server.
    Incoming,
}

impl Style {
    pub(super) fn new(color: ColorWhen, is_terminal: bool) -> Self {
        let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
        let is_coloured = match color {
            ColorWhen::Always => true,
            ColorWhen::Never => false,
            ColorWhen::Auto => is_terminal && !is_set("NO_COLOR") && !is_dumb,
        };
        Self { is_coloured }
    }

    pub(super) fn paint(self, tone: Tone, text: &str) -> String {
        if !self.is_coloured {
            return text.to_owned();
        }
        let code = match tone {
            Tone::Faint => "2",
            Tone::Incoming => "36",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }
}

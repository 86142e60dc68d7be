//! What the program tells: results on standard output, everything else on standard error.

use std::{
    fmt,
    io::{self, IsTerminal, Write},
};

use tracing_subscriber::EnvFilter;

use crate::exit::Failure;

/// Starts the log on standard error; `filter` wins over `default`.
pub(crate) fn start_log(filter: Option<&str>, default: &str) {
    let parsed = EnvFilter::try_new(filter.unwrap_or(default));
    if let Err(error) = &parsed {
        status(format_args!(
            "bowline: the log filter is not understood ({error}); using {default}"
        ));
    }
    tracing_subscriber::fmt()
        .with_env_filter(parsed.unwrap_or_else(|_| EnvFilter::new(default)))
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
}

/// Writes a line to standard error.
pub(crate) fn status(line: fmt::Arguments<'_>) {
    let line = format!("{line}\n");
    // There is nowhere to tell that standard error is closed.
    drop(io::stderr().write_all(line.as_bytes()));
}

/// Writes JSON to standard output, on one line.
pub(crate) fn json(what: &impl serde::Serialize) -> Result<(), Failure> {
    line(format_args!("{}", encoded(serde_json::to_string(what))))
}

/// Writes JSON to standard output, for people too.
pub(crate) fn pretty_json(what: &(impl serde::Serialize + ?Sized)) -> Result<(), Failure> {
    line(format_args!(
        "{}",
        encoded(serde_json::to_string_pretty(what))
    ))
}

fn encoded(json: serde_json::Result<String>) -> String {
    json.expect("what is written as JSON has text for names")
}

/// Writes a line to standard output, at once.
pub(crate) fn line(line: fmt::Arguments<'_>) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    let written = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
    written.map_err(|source| Failure::System {
        what: "write to standard output",
        source,
    })
}

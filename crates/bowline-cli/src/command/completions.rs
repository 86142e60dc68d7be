//! `bowline completions`: what a shell offers after the tabulator key.

use std::io::{self, Write};

use clap::CommandFactory;

use crate::{
    args::{Args, CompletionsArgs},
    exit::Failure,
};

/// Writes the completions of a shell.
pub(crate) fn run(args: &CompletionsArgs) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "bowline", &mut script);
    let written = io::stdout().lock().write_all(&script);
    written.map_err(|source| Failure::System {
        what: "write to standard output",
        source,
    })
}

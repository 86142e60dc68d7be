//! `load`: drives servers over loopback TCP and compares them.
//!
//! Servers run on the first processor, one at a time, the load on the second. All servers of a
//! scenario are up at once, and rounds alternate between them, so that what disturbs the machine
//! disturbs all alike.

mod cli;
mod compress;
mod connection;
mod deflated;
mod echo;
mod fanout;
mod frames;
mod handshake;
mod idle;
mod json;
mod latency;
mod link;
mod poll;
mod server;
mod subject;
mod table;

use std::process::ExitCode;

/// Whatever goes wrong ends the run; a benchmark has nobody to recover for.
type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    match cli::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}

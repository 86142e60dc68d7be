//! `load`: drives servers over loopback TCP and compares them.
//!
//! Servers run on the first processor, one at a time, the load on the second. All servers of a
//! scenario are up at once, and rounds alternate between them, so that what disturbs the machine
//! disturbs all alike.

mod cli;
mod compress;
mod connection;
mod crowd;
mod deflated;
mod echo;
mod fanout;
mod frames;
mod handshake;
mod holder;
mod idle;
mod json;
mod latency;
mod link;
mod poll;
mod server;
mod subject;
mod table;
mod tls;

use std::process::ExitCode;

/// Whatever goes wrong ends the run; a benchmark has nobody to recover for.
type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let ended = match words.split_first() {
        Some((word, words)) if word == "hold" => holder::run(words),
        _ => cli::run(),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}

//! The command line of `replay`.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{ArgGroup, Args as ClapArgs};

use super::{
    link::LinkArgs,
    value::{positive_duration, speed},
};

/// Arguments of `replay`.
#[derive(Debug, ClapArgs)]
#[command(group = ArgGroup::new("side").required(true).args(["listen", "connect"]))]
pub(crate) struct ReplayArgs {
    /// A conversation that `bowline connect --record FILE` wrote
    pub(crate) file: PathBuf,
    /// Play the server, here, for whoever connects
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) listen: Option<SocketAddr>,
    /// Play the client, with the server at this ws:// or wss:// address
    #[arg(long, value_name = "URL")]
    pub(crate) connect: Option<String>,
    /// End after the first connection
    #[arg(long, conflicts_with = "connect")]
    pub(crate) once: bool,
    /// Send this many times as fast as recorded
    #[arg(long, value_name = "N", default_value = "1", value_parser = speed)]
    pub(crate) speed: f64,
    /// Send without the recorded pauses
    #[arg(long, conflicts_with = "speed")]
    pub(crate) no_wait: bool,
    /// Give up waiting for a recorded message after this time
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = positive_duration)]
    pub(crate) timeout: Duration,
    #[command(flatten)]
    pub(crate) link: LinkArgs,
}

pub(super) const HELP: &str = "\
What the other side sends is compared with the recording, message by message and in its order; each
difference is shown on standard output with its line in the file. The program ends with 1 if there
was one. With --listen it serves until it is stopped, one recording for each connection.

Examples:
  bowline connect --record talk.jsonl ws://127.0.0.1:9001/
  bowline replay talk.jsonl --listen 127.0.0.1:9002
  bowline replay talk.jsonl --connect ws://127.0.0.1:9001/ --no-wait";

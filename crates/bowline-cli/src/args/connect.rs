//! The command line of `connect`.

use std::{path::PathBuf, time::Duration};

use clap::{Args as ClapArgs, ValueEnum};

use super::{
    link::LinkArgs,
    value::{AfterEof, Heartbeat, positive_duration},
};
use crate::command::{Expect, WaitFor};

/// Arguments of `connect`.
#[derive(Debug, ClapArgs)]
pub(crate) struct ConnectArgs {
    /// ws:// or wss:// address
    pub(crate) url: String,
    #[command(flatten)]
    pub(crate) exchange: ExchangeArgs,
    #[command(flatten)]
    pub(crate) link: LinkArgs,
}

/// What is done with the connection.
#[derive(Debug, ClapArgs)]
pub(crate) struct ExchangeArgs {
    #[command(flatten)]
    pub(crate) form: FormArgs,
    #[command(flatten)]
    pub(crate) until: UntilArgs,
    #[command(flatten)]
    pub(crate) show: ShowArgs,
    /// Come back when the link breaks; what is typed meanwhile waits
    #[arg(long, help_heading = "Network")]
    pub(crate) reconnect: bool,
    /// Write the conversation to this file, for `bowline replay`
    #[arg(long, value_name = "FILE")]
    pub(crate) record: Option<PathBuf>,
}

/// How lines become messages, and binary messages output.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Messages")]
pub(crate) struct FormArgs {
    /// Send lines as binary messages, and write binary messages as they are instead of in hex
    #[arg(long, conflicts_with_all = ["hex", "base64", "json", "timestamps"])]
    pub(crate) binary: bool,
    /// Send lines, in hex, as binary messages; write binary messages in hex
    #[arg(long, conflicts_with = "base64")]
    pub(crate) hex: bool,
    /// Send lines, in base64, as binary messages; write binary messages in base64
    #[arg(long)]
    pub(crate) base64: bool,
    /// Send this text first, and first again whenever --reconnect made a new connection; may be
    /// given more than once
    #[arg(long, value_name = "TEXT")]
    pub(crate) hello: Vec<String>,
    /// Send this text again and again, such as `30s=ping`
    #[arg(long, value_name = "TIME=TEXT")]
    pub(crate) heartbeat: Option<Heartbeat>,
}

/// When it is over.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Until")]
pub(crate) struct UntilArgs {
    /// After the end of standard input: `close`, `wait` until the server closes, receive for a
    /// time such as `2s`, or `idle:2s`, until nothing came for that long. Default: close; with
    /// --count, --expect or --wait-for: wait
    #[arg(long, alias = "wait", value_name = "WHAT")]
    pub(crate) after_eof: Option<AfterEof>,
    /// Close after this many messages arrived
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,
    /// Wait for a message that has this text in it, or matches a regular expression between
    /// slashes; then close. Of several, each has to be met, in any order
    #[arg(long, value_name = "TEXT|/REGEX/")]
    pub(crate) expect: Vec<Expect>,
    /// Wait for a message of JSON that has this value at this path, such as `$.state=on` or
    /// `$.items[0].id=7`; without `=VALUE`, any value. Then close
    #[arg(long, value_name = "$.PATH=VALUE")]
    pub(crate) wait_for: Vec<WaitFor>,
    /// Fail when it is not over after this time, connecting included
    #[arg(long, value_name = "TIME", value_parser = positive_duration)]
    pub(crate) timeout: Option<Duration>,
}

/// What is shown.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Output")]
pub(crate) struct ShowArgs {
    /// Show the heads of request and answer, without secrets, and pings; -vv every frame
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Write one JSON object for each event
    #[arg(long)]
    pub(crate) json: bool,
    /// Write the time before each message: `rfc3339` (UTC), or `elapsed` seconds
    #[arg(
        long,
        value_name = "KIND",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "rfc3339"
    )]
    pub(crate) timestamps: Option<Timestamps>,
    /// Use colours; `auto` means at a terminal, unless `NO_COLOR` is set
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: ColorWhen,
}

/// How the time is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Timestamps {
    /// As in 2026-11-20T15:45:07.123Z.
    Rfc3339,
    /// Seconds since the program started.
    Elapsed,
}

/// When colours are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorWhen {
    /// At a terminal, unless `NO_COLOR` is set.
    Auto,
    Always,
    Never,
}

pub(super) const HELP: &str = "\
Each line of standard input is sent as one text message, without its line feed. Each message that
arrives is written to standard output as a line, a binary one in hex. Everything else goes to
standard error. Input is read only when the connection is open, so nothing piped in is lost. At the
end of the input the connection is closed; what the server sends until it agrees is still written.
Many servers answer nothing once they are told to close: --after-eof idle:1s, --count or --expect
wait for answers that take their time.

At a terminal the line can be edited and earlier ones come back with the arrow keys, also the next
time. What begins with a slash is a command; /help lists them. Ctrl-D and Ctrl-C close.

Binary messages are written as lines of hex, with --base64 as lines of base64, with --binary as
they are and with nothing between them; with --json in base64.

Examples:
  bowline connect ws://127.0.0.1:9001/
  echo hello | bowline connect --count 1 ws://127.0.0.1:9001/
  echo '[\"a/get\", {}]' | bowline connect --after-eof 2s ws://127.0.0.1:8080/auth/clown-talk-server
  bowline connect --after-eof wait ws://127.0.0.1:9001/ </dev/null >received.txt
  bowline connect --wait-for '$[1].state=true' --timeout 5s ws://127.0.0.1:8080/auth/clown-talk-server
  bowline connect -H 'Cookie: a=b' --ca root.pem -v wss://localhost:8443/
  bowline connect --reconnect --timestamps --record log.jsonl wss://example.com/feed";

//! The command line.

mod connect;
mod element;
mod generate;
mod link;
mod replay;
mod value;

use std::{net::SocketAddr, path::PathBuf};

use clap::{ArgGroup, Args as ClapArgs, Parser, Subcommand, ValueEnum};

pub(crate) use self::{
    connect::{ColorWhen, ConnectArgs, ExchangeArgs, FormArgs, Timestamps},
    element::{ElementArgs, EndpointArg, GetArgs, RunArgs, SetArgs, TestArgs, ViewArgs},
    generate::{CompletionsArgs, ManArgs},
    link::{LinkArgs, NetworkArgs, RequestArgs, TlsArgs},
    replay::ReplayArgs,
    value::{AfterEof, Heartbeat, Resolved},
};
use crate::exit::EXIT_CODES;

/// WebSocket hub, client, echo server and simulated device.
#[derive(Debug, Parser)]
#[command(name = "bowline", version, after_help = format!("{AFTER_HELP}\n\n{EXIT_CODES}"))]
pub(crate) struct Args {
    /// What to log: error, warn, info, debug, trace, or a filter such as `bowline_hub=debug`
    #[arg(long, global = true, env = "BOWLINE_LOG", value_name = "FILTER")]
    pub(crate) log: Option<String>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start a hub: pages, scripts and devices exchange values through it
    #[command(after_help = SERVE_HELP)]
    Serve(ServeArgs),
    /// Connect to a WebSocket: lines in become messages, messages out become lines
    #[command(after_help = format!("{}\n\n{EXIT_CODES}", connect::HELP))]
    Connect(Box<ConnectArgs>),
    /// Send back what arrives, as a server or as a client
    #[command(after_help = ECHO_HELP)]
    Echo(EchoArgs),
    /// Pretend to be a device: a thermometer and a relay at a hub, or a server that follows a script
    #[command(after_help = SIMULATE_HELP)]
    Simulate(SimulateArgs),
    /// Run connectors: the API of devices, declared in XML
    #[command(after_help = element::RUN_HELP)]
    Run(Box<RunArgs>),
    /// Set a parameter of an element that runs, or press a button
    #[command(after_help = element::SET_HELP)]
    Set(SetArgs),
    /// Show the parameters of elements that run
    #[command(after_help = element::GET_HELP)]
    Get(GetArgs),
    /// Play a conversation to a connector, without its device, and show differences
    #[command(after_help = element::TEST_HELP)]
    Test(TestArgs),
    /// Say what is wrong with connector files, with the line and what to do
    #[command(after_help = format!("{CHECK_HELP}\n\n{EXIT_CODES}"))]
    Check(CheckArgs),
    /// Play a recorded conversation again, as the server or as the client, and show differences
    #[command(after_help = replay::HELP)]
    Replay(Box<ReplayArgs>),
    /// Write the completions of a shell to standard output
    #[command(after_help = generate::COMPLETIONS_HELP)]
    Completions(CompletionsArgs),
    /// Write the manual: one page to standard output, or one for each command into a folder
    #[command(after_help = generate::MAN_HELP)]
    Man(ManArgs),
}

/// Arguments of `serve`.
#[derive(Debug, ClapArgs)]
pub(crate) struct ServeArgs {
    /// Where to listen; may be given more than once. Port 0 takes any free port
    #[arg(
        long,
        value_name = "ADDR:PORT",
        default_value = "127.0.0.1:8080",
        env = "BOWLINE_LISTEN",
        value_delimiter = ','
    )]
    pub(crate) listen: Vec<SocketAddr>,
    /// Keep the last values in this folder, created when missing; without it they are kept in
    /// memory
    #[arg(long, value_name = "DIR", env = "BOWLINE_DATA")]
    pub(crate) data: Option<PathBuf>,
    /// Let pages of this origin in too; may be given more than once
    #[arg(
        long,
        value_name = "ORIGIN",
        env = "BOWLINE_ORIGIN",
        value_delimiter = ','
    )]
    pub(crate) origin: Vec<String>,
    /// Answer to this name too while listening on loopback, as behind a proxy; may be given more
    /// than once
    #[arg(
        long,
        value_name = "NAME",
        env = "BOWLINE_ALLOW_HOST",
        value_delimiter = ','
    )]
    pub(crate) allow_host: Vec<String>,
    /// Threads that serve, each with its own listeners; as many as there are cores if left out
    #[arg(long, value_name = "N", env = "BOWLINE_WORKERS", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) workers: Option<u16>,
    /// Most connections at the same time
    #[arg(
        long,
        value_name = "N",
        default_value_t = 10_000,
        env = "BOWLINE_CONNECTIONS_MAX"
    )]
    pub(crate) connections_max: usize,
    /// Run this element (ELEMENT.toml), connector or folder of elements, with its parameters as
    /// topics; may be given more than once
    #[arg(long, value_name = "FILE")]
    pub(crate) connectors: Vec<PathBuf>,
}

/// Arguments of `echo`.
#[derive(Debug, ClapArgs)]
#[command(group = ArgGroup::new("role").required(true).args(["listen", "connect"]))]
pub(crate) struct EchoArgs {
    /// Serve here, at any path
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) listen: Option<SocketAddr>,
    /// Connect to this ws:// or wss:// address and send back what it sends, until it closes
    #[arg(long, value_name = "URL")]
    pub(crate) connect: Option<String>,
    /// Neither offer nor accept compression
    #[arg(long)]
    pub(crate) no_deflate: bool,
    /// Lift the bounds on the size of messages and the number of fragments: for tests only
    #[arg(long)]
    pub(crate) no_limits: bool,
    /// Serve TLS with the certificates in this PEM file
    #[arg(
        long,
        value_name = "FILE",
        requires = "tls_key",
        conflicts_with = "connect"
    )]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The private key of the certificate, in PEM
    #[arg(
        long,
        value_name = "FILE",
        requires = "tls_cert",
        conflicts_with = "connect"
    )]
    pub(crate) tls_key: Option<PathBuf>,
    /// Threads that serve, each with its own listener; as many as there are cores if left out
    #[arg(long, value_name = "N", conflicts_with = "connect", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) workers: Option<u16>,
    /// Send what arrives on /pub to every connection on /sub, instead of back
    #[arg(long, conflicts_with = "connect")]
    pub(crate) fanout: bool,
    /// Trust the certificates in this PEM file, and no others
    #[arg(long, value_name = "FILE", conflicts_with = "listen")]
    pub(crate) ca: Option<PathBuf>,
    /// Most connections at the same time; further ones wait to be accepted
    #[arg(
        long,
        value_name = "N",
        default_value_t = 65_536,
        conflicts_with = "connect",
        value_parser = clap::value_parser!(u32).range(1..)
    )]
    pub(crate) connections_max: u32,
}

/// Arguments of `simulate`.
#[derive(Debug, ClapArgs)]
pub(crate) struct SimulateArgs {
    /// Be a WebSocket server that does what this file says, instead of a node at a hub
    #[arg(long, value_name = "FILE", conflicts_with_all = ["url", "ca", "seed"])]
    pub(crate) script: Option<PathBuf>,
    /// Where the server of the script listens. Port 0 takes any free port
    #[arg(
        long,
        value_name = "ADDR:PORT",
        default_value = "127.0.0.1:8050",
        requires = "script"
    )]
    pub(crate) listen: SocketAddr,
    /// Where the hub listens, and as which node to appear
    #[arg(
        long,
        value_name = "URL",
        default_value = "ws://127.0.0.1:8080/auth/clown-talk-server_nodes_bridge_0",
        env = "BOWLINE_URL"
    )]
    pub(crate) url: String,
    /// Trust the certificates in this PEM file, and no others
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// Measure the temperatures of this number; others each time if left out
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
}

/// Arguments of `check`.
#[derive(Debug, ClapArgs)]
pub(crate) struct CheckArgs {
    /// Connector files, element files (*.toml), folders of *.xml files, or - for standard input
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// How to write what is found: for people, or one JSON object a line for each file
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) format: CheckFormat,
    /// End with 12 for warnings too
    #[arg(long, value_enum)]
    pub(crate) deny: Option<Denied>,
}

/// How `check` writes what it finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum CheckFormat {
    /// With the lines of the file.
    Text,
    /// One object a line for each file.
    Json,
}

/// What `check` does not let pass besides errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Denied {
    /// Warnings.
    Warnings,
}

impl Command {
    /// Gives the log filter that suits a command.
    pub(crate) const fn log_default(&self) -> &'static str {
        match self {
            Self::Serve(_) | Self::Echo(_) | Self::Simulate(_) => "info",
            // They tell what happens themselves, and a reader that holds messages up is no trouble.
            Self::Connect(_) | Self::Replay(_) => "error",
            Self::Run(_)
            | Self::Set(_)
            | Self::Get(_)
            | Self::Test(_)
            | Self::Check(_)
            | Self::Completions(_)
            | Self::Man(_) => "warn",
        }
    }
}

const AFTER_HELP: &str = "\
A first session, in three terminals:
  bowline serve       then open http://127.0.0.1:8080/
  bowline simulate    the page shows a temperature and switches a relay
  bowline connect ws://127.0.0.1:8080/auth/clown-talk-server

`bowline COMMAND --help` explains a command. SIGTERM and Ctrl-C close every connection with 1001
(connect: 1000) and end the program with 0.";

const SERVE_HELP: &str = "\
The page is at /, a health check at /healthz, WebSockets at /auth/clown-talk-server and
/auth/clown-talk-server_base_topic, where _ stands for / of the base topic. A message is a JSON
array of topic and payload: [\"relay/i2c0-3b/set\", {\"state\": true}]

Examples:
  bowline serve                             only this computer can reach the hub
  bowline serve --data ~/.bowline           last values outlive the hub
  bowline serve --listen 0.0.0.0:8080       everybody who reaches this computer may read and publish
  bowline serve --origin https://example.com    pages from there may use the hub too
  bowline serve --connectors elements/      runs devices: connectors/ELEMENT/PARAMETER are topics
  bowline serve --log bowline_hub=debug     tells about each connection

Every option can also come from the environment, as BOWLINE_LISTEN, BOWLINE_DATA and so on.
It prints `listening on URL`, one line for each address, once it accepts connections.";

const ECHO_HELP: &str = "\
Examples:
  bowline echo --listen 127.0.0.1:9001
  bowline echo --listen 127.0.0.1:9443 --tls-cert cert.pem --tls-key key.pem
  bowline echo --listen 127.0.0.1:9001 --fanout --workers 2
  bowline echo --connect ws://127.0.0.1:9002/

With --fanout each message goes once and in order to all that are on /sub when it arrives. Nothing
is left out: while a subscriber does not keep up the publishers wait, and one that takes nothing
for 10 seconds is closed with 1013.
It prints `listening on URL` once it accepts connections.";

const SIMULATE_HELP: &str = "\
The node publishes thermometer/i2c0-48 every second and relay/i2c0-3b when it is switched, below the
base topic at the end of the address. Switch it with [\"relay/i2c0-3b/set\", {\"state\": true}].
It comes back when the hub goes away.

With --script it is a server instead, for trying out connectors and clients. The file is TOML:
  path = \"/x-nmos/events/ws\"           others are answered with 404
  [[on]]                               when a message arrives ...
  json = { command = \"health\" }        ... with these values; or text, contains, open = true
  send = ['{\"type\": \"health\", \"at\": \"${message.timestamp}\"}']
  [[every]]                            again and again, each message of the list in turn
  interval = \"1s\"
  send = ['{\"level\": 20}', '{\"level\": 21}']
A rule may wait (after = \"100ms\") and end the connection (close = 1001, or 1006 to drop it).

Examples:
  bowline simulate --url ws://127.0.0.1:8080/auth/clown-talk-server_nodes_kitchen_0
  bowline simulate --script device.toml --listen 127.0.0.1:8050";

const CHECK_HELP: &str = "\
What is found is written to standard output, a summary to standard error. An error keeps the
connector from running; a warning tells of what Bowline ignores or does in another way; a note is
worth knowing. Every element of the format is listed in docs/reference/connector-format.md.

Examples:
  bowline check tank.xml
  bowline check connectors/ --deny warnings
  bowline check --format json tank.xml | jq .errors
  bowline check - <tank.xml";

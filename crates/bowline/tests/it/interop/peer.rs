//! Another WebSocket implementation, driven by commands.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader, Read, Write},
    process::{Child, Command, Stdio},
    thread::{self, JoinHandle},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::timeout,
};

use super::{
    identity::Identity,
    tools::{self, TOOLS},
    tungstenite,
};

/// A peer that takes commands as JSON and answers each.
pub(crate) struct Peer {
    name: &'static str,
    cannot: &'static [Ability],
    /// What it is busy with, for the message of a failure.
    pub(super) label: String,
    /// The origin its requests name, if it does not choose.
    pub(super) origin: Option<String>,
    commands: UnboundedSender<Value>,
    answers: UnboundedReceiver<Value>,
    process: Option<(Child, JoinHandle<String>)>,
}

/// What only some peers' interfaces can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ability {
    /// Add a header to the opening handshake it sends.
    SendHeader,
    /// Tell which headers the other end sent.
    SeeHeader,
    /// Tell status and body of a refusal.
    SeeRefusal,
    /// Send a message in fragments of its choice.
    Fragment,
    Ping,
    /// Compress what it sends.
    Compress,
    /// Take a compressed message of 16 MiB.
    InflateLong,
    /// Write bytes of its choice.
    Raw,
    /// Close with codes of the protocol besides 1000.
    AnyCloseCode,
    /// Bound what it receives and say so with 1009.
    SizeLimit,
}

impl Peer {
    /// Python's websockets.
    pub(super) fn websockets() -> Self {
        let mut command = Command::new(TOOLS.python());
        command.arg(tools::scripts().join("websockets_peer.py"));
        Self::spawn("websockets", &[], command)
    }

    /// The npm package ws.
    pub(super) fn ws() -> Self {
        Self::spawn("ws", &[], node(&["ws_peer.mjs"]))
    }

    /// Node's own client.
    pub(crate) fn node() -> Self {
        let mut command = node(&["--experimental-websocket", "node_peer.mjs"]);
        command.env("NODE_EXTRA_CA_CERTS", Identity::shared().authority());
        Self::spawn("node", NODE_CANNOT, command)
    }

    /// Chromium, whose page is still empty.
    pub(crate) fn chromium() -> Self {
        let mut command = node(&["chromium_peer.mjs"]);
        command
            .env("BOWLINE_CHROMIUM", TOOLS.chromium())
            .env("BOWLINE_CERTIFICATE", Identity::shared().certificate());
        Self::spawn("Chromium", CHROMIUM_CANNOT, command)
    }

    pub(super) fn tungstenite() -> Self {
        let (commands, received) = unbounded_channel();
        let (sender, answers) = unbounded_channel();
        tokio::spawn(tungstenite::answer_commands(received, sender));
        Self {
            name: "tokio-tungstenite",
            cannot: &[Ability::SizeLimit],
            label: String::new(),
            origin: None,
            commands,
            answers,
            process: None,
        }
    }

    pub(super) fn can(&self, ability: Ability) -> bool {
        !self.cannot.contains(&ability)
    }

    /// Gives a command and waits for the answer.
    pub(crate) async fn ask(&mut self, command: Value) -> Value {
        let sent = self.commands.send(command.clone());
        let what = format!("an answer to {} of a {}", command["do"], command["kind"]);
        let answer = deadline(&what, self.answers.recv()).await;
        match (sent, answer) {
            (Ok(()), Some(answer)) => answer,
            _ => panic!("{} ended at {command}", self.name),
        }
    }

    fn spawn(name: &'static str, cannot: &'static [Ability], mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("cannot start {name}: {error}; run `cargo xtask tools`")
            });
        let (commands, mut received) = unbounded_channel::<Value>();
        let (sender, answers) = unbounded_channel();
        let mut stdin = child.stdin.take().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let mut stderr = child.stderr.take().unwrap();
        thread::spawn(move || {
            while let Some(command) = received.blocking_recv() {
                if writeln!(stdin, "{command}").is_err() {
                    break;
                }
            }
        });
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let answer =
                    serde_json::from_str(&line).unwrap_or_else(|_| json!({ "said": line }));
                if sender.send(answer).is_err() {
                    break;
                }
            }
        });
        let complaints = thread::spawn(move || {
            let mut bytes = Vec::new();
            drop(stderr.read_to_end(&mut bytes));
            String::from_utf8_lossy(&bytes).into_owned()
        });
        Self {
            name,
            cannot,
            label: String::new(),
            origin: None,
            commands,
            answers,
            process: Some((child, complaints)),
        }
    }
}

/// Ends the process, and shows what it complained of when a check has failed.
impl Drop for Peer {
    fn drop(&mut self) {
        let mut said = String::new();
        if let Some((mut child, complaints)) = self.process.take() {
            drop(child.kill());
            drop(child.wait());
            said = complaints.join().unwrap_or_default();
        }
        if thread::panicking() {
            eprintln!("{}, {}; its stderr:\n{said}", self.name, self.label);
        }
    }
}

/// Waits for `attempt`, but not for ever.
pub(super) async fn deadline<T>(what: &str, attempt: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(30), attempt)
        .await
        .unwrap_or_else(|_| panic!("waited 30 seconds for {what}"))
}

fn node(arguments: &[&str]) -> Command {
    let mut command = Command::new("node");
    command
        .current_dir(tools::scripts())
        .args(arguments.iter().map(OsStr::new))
        .env("BOWLINE_NODE_MODULES", TOOLS.node_modules());
    command
}

/// The WHATWG interface has no more than messages and a close. Node's takes headers besides.
const NODE_CANNOT: &[Ability] = &[
    Ability::Compress,
    Ability::InflateLong,
    Ability::SeeHeader,
    Ability::SeeRefusal,
    Ability::Fragment,
    Ability::Ping,
    Ability::Raw,
    Ability::AnyCloseCode,
    Ability::SizeLimit,
];

const CHROMIUM_CANNOT: &[Ability] = &[
    Ability::SendHeader,
    Ability::SeeHeader,
    Ability::SeeRefusal,
    Ability::Fragment,
    Ability::Ping,
    Ability::Raw,
    Ability::AnyCloseCode,
    Ability::SizeLimit,
];

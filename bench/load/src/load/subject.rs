//! `Subject`: a server that can be measured, and where to find it.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Outcome, deflated::Agreed, frames::Dialect, server::SERVER_PROCESSOR};

/// A server and how it is started.
#[derive(Clone, Debug)]
pub struct Subject {
    pub name: String,
    pub command: Vec<String>,
    pub dialect: Dialect,
    /// The processors that it may use.
    pub processors: &'static str,
}

/// Makes the list of servers that compress: ours without compression first, for comparison.
pub fn compressing(agreed: Agreed, is_fanout: bool) -> Outcome<Vec<Subject>> {
    let peer = text(&programs()?.join("peer"));
    let mode = agreed.name();
    let libraries: &[&str] = match (is_fanout, agreed) {
        (true, _) => &["bowline-fanout", "bowline-each"],
        (false, Agreed::Takeover) => &["bowline", "bowline-warm", "yawc", "sockudo-ws"],
        (false, _) => &["bowline", "yawc", "sockudo-ws"],
    };
    let subject = |name: &str, library, mode| {
        let command = vec![peer.clone(), format!("{library}-{mode}")];
        Subject::new(name, command, Dialect::WebSocket)
    };
    let mut subjects = vec![subject("bowline-off", libraries[0], "off")];
    for library in libraries {
        subjects.push(subject(library, library, mode));
    }
    if let Some(mut node) = node(Kind::Echo) {
        node.command.push(mode.to_owned());
        subjects.push(node);
    }
    Ok(subjects)
}

/// What a scenario wants of its servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Echo,
    Fanout,
    Handshake,
    Refusal,
    /// Our hub: one topic, or many, for which there is no floor.
    Hub,
    HubTopics,
    /// What keeps idle connections alive.
    Crowd,
    /// Under TLS, and TLS alone.
    Tls,
}

/// Makes the list of subjects, the floor first.
pub fn subjects(kind: Kind) -> Outcome<Vec<Subject>> {
    let programs = programs()?;
    match kind {
        Kind::Hub => {
            let mut subjects = vec![floor(kind, &programs)?];
            subjects.extend(hubs(&programs));
            return Ok(subjects);
        }
        Kind::HubTopics => return Ok(hubs(&programs)),
        Kind::Tls => {
            let peer = |name: &str, dialect| {
                let command = vec![text(&programs.join("peer")), format!("{name}-tls")];
                Subject::new(name, command, dialect)
            };
            return Ok(vec![
                peer("rustls", Dialect::Bytes),
                peer("bowline", Dialect::WebSocket),
                peer("tungstenite", Dialect::WebSocket),
            ]);
        }
        Kind::Crowd => {
            let peer = text(&programs.join("peer"));
            let kept = vec![peer, "bowline-kept".to_owned()];
            let mut subjects = vec![Subject::new("bowline", kept, Dialect::WebSocket)];
            subjects.extend(hubs(&programs).into_iter().take(1));
            return Ok(subjects);
        }
        Kind::Echo | Kind::Fanout | Kind::Handshake | Kind::Refusal => {}
    }
    let mut subjects = vec![floor(kind, &programs)?];
    let names: &[&str] = match kind {
        Kind::Echo => &ECHOES,
        Kind::Fanout => &FANOUTS,
        Kind::Handshake => &HANDSHAKES,
        Kind::Refusal => &["bowline"],
        Kind::Hub | Kind::HubTopics | Kind::Crowd | Kind::Tls => &[],
    };
    for name in names {
        let dialect = if *name == "tokio" {
            Dialect::Bytes
        } else {
            Dialect::WebSocket
        };
        let peer = programs.join("peer");
        subjects.push(Subject::new(
            name,
            vec![text(&peer), (*name).to_owned()],
            dialect,
        ));
    }
    if let Some(subject) = command_line(kind, &programs) {
        subjects.push(subject);
    }
    if let Some(subject) = node(kind) {
        subjects.push(subject);
    }
    Ok(subjects)
}

impl Subject {
    fn new(name: &str, command: Vec<String>, dialect: Dialect) -> Self {
        Self {
            name: name.to_owned(),
            command,
            dialect,
            processors: SERVER_PROCESSOR,
        }
    }

    /// Gives the same server of another build; `None` if that is of another program.
    pub fn built_as(&self, program: &str) -> Option<Self> {
        let (own, words) = self.command.split_first()?;
        let file_name = |path: &str| Path::new(path).file_name().map(ToOwned::to_owned);
        if file_name(own) != file_name(program) {
            return None;
        }
        let mut command = vec![program.to_owned()];
        command.extend_from_slice(words);
        Some(Self {
            name: format!("{} before", self.name),
            command,
            ..self.clone()
        })
    }
}

/// Compiles a floor; a C compiler is there where Rust links.
fn floor(kind: Kind, programs: &Path) -> Outcome<Subject> {
    let (name, dialect) = match kind {
        Kind::Echo => ("echo", Dialect::Bytes),
        Kind::Fanout | Kind::Hub | Kind::HubTopics | Kind::Crowd | Kind::Tls => {
            ("fanout", Dialect::Bytes)
        }
        Kind::Handshake | Kind::Refusal => ("handshake", Dialect::WebSocket),
    };
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("floor/{name}.c"));
    let program = programs.join(format!("floor-{name}"));
    let status = Command::new("cc")
        .args(["-O2", "-o"])
        .args([&program, &source])
        .status()?;
    if !status.success() {
        return Err(format!("cc: {status}").into());
    }
    Ok(Subject::new("floor", vec![text(&program)], dialect))
}

/// Our own program, if it was built.
fn command_line(kind: Kind, programs: &Path) -> Option<Subject> {
    let program = programs.join("bowline");
    let mut words = vec![text(&program)];
    words.extend(["echo", "--listen", "127.0.0.1:0", "--workers", "1"].map(str::to_owned));
    words.extend(["--connections-max", "200000"].map(str::to_owned));
    match kind {
        Kind::Echo | Kind::Handshake => {}
        Kind::Fanout => words.push("--fanout".to_owned()),
        Kind::Refusal | Kind::Hub | Kind::HubTopics | Kind::Crowd | Kind::Tls => return None,
    }
    let subject = Subject::new("bowline echo", words, Dialect::WebSocket);
    program.is_file().then_some(subject)
}

/// Our hub with one worker and with two, first on the servers' processor and then on both, where
/// the load takes its share.
fn hubs(programs: &Path) -> Vec<Subject> {
    let hub = |name, workers: &str, processors| {
        let mut words = vec![text(&programs.join("bowline"))];
        words.extend(["serve", "--listen", "127.0.0.1:0", "--log", "warn"].map(str::to_owned));
        words.extend(["--connections-max", "200000", "--workers", workers].map(str::to_owned));
        let subject = Subject::new(name, words, Dialect::Talk);
        Subject {
            processors,
            ..subject
        }
    };
    vec![
        hub("hub", "1", SERVER_PROCESSOR),
        hub("hub, 2 workers", "2", SERVER_PROCESSOR),
        hub("hub, both cores", "1", BOTH_PROCESSORS),
        hub("hub, 2 workers, both cores", "2", BOTH_PROCESSORS),
    ]
}

/// The Node package `ws`, if `BOWLINE_NODE_MODULES` says where it is.
fn node(kind: Kind) -> Option<Subject> {
    let modules = PathBuf::from(env::var_os("BOWLINE_NODE_MODULES")?);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/peer/ws.mjs");
    let command = vec!["node".to_owned(), text(&script)];
    let is_there = kind != Kind::Refusal && modules.join("ws").is_dir();
    is_there.then(|| Subject::new("Node ws", command, Dialect::WebSocket))
}

/// Where this program and the peers were built.
fn programs() -> Outcome<PathBuf> {
    let program = env::current_exe()?;
    Ok(program.parent().ok_or("the program has no folder")?.into())
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

const BOTH_PROCESSORS: &str = "0,1";
const ECHOES: [&str; 10] = [
    "tokio",
    "bowline",
    "bowline-split",
    "bowline-group",
    "tungstenite",
    "fastwebsockets",
    "tokio-websockets",
    "yawc",
    "sockudo-ws",
    "soketto",
];
const FANOUTS: [&str; 2] = ["bowline-fanout", "tungstenite-fanout"];
const HANDSHAKES: [&str; 8] = [
    "bowline",
    "bowline-leave",
    "tungstenite",
    "fastwebsockets",
    "tokio-websockets",
    "yawc",
    "sockudo-ws",
    "soketto",
];

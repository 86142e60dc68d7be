//! A network in which packets vanish: two network namespaces with a cable between them.

use std::{
    env, fs,
    process::{Child, Command, Stdio},
    thread::yield_now,
};

use crate::{client::Client, support::Bowline};

const NAME: &str = "black_hole::a_link_whose_packets_vanish_is_noticed_and_made_again";
const INSIDE: &str = "BOWLINE_TEST_INSIDE_NAMESPACE";

/// A network namespace, as long as the process that holds it.
struct Namespace(Child);

impl Namespace {
    fn new() -> Self {
        let own = fs::read_link("/proc/self/ns/net").unwrap();
        let holder = Command::new("unshare")
            .args(["-n", "sleep", "infinity"])
            .spawn()
            .unwrap();
        let path = format!("/proc/{}/ns/net", holder.id());
        while fs::read_link(&path).is_ok_and(|namespace| namespace == own) {
            yield_now();
        }
        Self(holder)
    }

    /// A command that runs inside.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["-t", &self.0.id().to_string(), "-n", program]);
        command
    }

    fn ip(&self, words: &str) {
        succeed(self.command("ip").args(words.split(' ')));
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // It may have ended already.
        let _killed = self.0.kill();
        let _waited = self.0.wait();
    }
}

fn succeed(command: &mut Command) {
    let status = command.status().unwrap();
    assert!(status.success(), "{command:?}");
}

fn ip(words: &str) {
    succeed(Command::new("ip").args(words.split(' ')));
}

/// Says why this machine or this user may have no namespaces, if so.
fn refusal() -> Option<String> {
    let script = "ip link add near type veth peer name far && unshare -n true";
    let output = Command::new("unshare")
        .args(["-rn", "sh", "-c", script])
        .stdin(Stdio::null())
        .output();
    match output {
        Err(error) => Some(error.to_string()),
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

#[test]
fn a_link_whose_packets_vanish_is_noticed_and_made_again() {
    if env::var_os(INSIDE).is_some() {
        return inside();
    }
    if let Some(reason) = refusal() {
        println!("left out: network namespaces are not permitted here: {reason}");
        return;
    }
    let status = Command::new("unshare")
        .arg("-rn")
        .arg(env::current_exe().unwrap())
        .args(["--exact", NAME, "--nocapture"])
        .env(INSIDE, "1")
        .status()
        .unwrap();
    assert!(status.success());
}

/// The test itself, in a network of its own.
fn inside() {
    let far = Namespace::new();
    ip("link add near type veth peer name far");
    ip(&format!("link set far netns {}", far.0.id()));
    ip("addr add 10.41.0.1/24 dev near");
    ip("link set near up");
    far.ip("addr add 10.41.0.2/24 dev far");
    far.ip("link set far up");
    let mut echo = far.command(env!("CARGO_BIN_EXE_bowline"));
    echo.args(["echo", "--listen", "10.41.0.2:9001"]);
    let mut server = Bowline::spawn(echo);
    server.line_with("listening on");
    let url = "ws://10.41.0.2:9001/";
    let watchful = ["--ping-interval", "300ms", "--connect-timeout", "1s"];
    let mut client = Client::start(&[&watchful[..], &[url]].concat());
    client.says("connected");
    client.type_line("before");
    assert_eq!(client.line(), "before");
    // Nothing answers any more, not even with a reset.
    far.ip("link set far down");
    client.says("no sign of life");
    client.says("no connection");
    client.type_line("meanwhile");
    far.ip("link set far up");
    client.says("connected");
    assert_eq!(client.line(), "meanwhile");
    client.input = None;
    assert_eq!(client.child.wait().unwrap().code(), Some(0));
}

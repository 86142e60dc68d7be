//! Children that run the program.

use std::{
    io::{BufRead, BufReader, Read, Write},
    process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Output, Stdio},
};

/// A running `bowline`, or a program beside it, killed when dropped.
pub(crate) struct Bowline {
    child: Child,
    pub(crate) input: Option<ChildStdin>,
    pub(crate) output: Option<BufReader<ChildStdout>>,
}

/// A command that runs `bowline` without settings from the environment.
pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bowline"));
    for (name, _) in std::env::vars() {
        if name.starts_with("BOWLINE_") {
            command.env_remove(name);
        }
    }
    command.args(args);
    command
}

/// Runs `bowline` to its end with nothing on standard input.
pub(crate) fn run(args: &[&str]) -> Output {
    command(args).stdin(Stdio::null()).output().unwrap()
}

/// Runs `bowline` to its end with this on standard input, which then ends.
pub(crate) fn run_with_input(args: &[&str], input: &[u8]) -> Output {
    let mut child = command(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        // The program may end before it has read everything.
        let _written = pipe.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

impl Bowline {
    /// Starts `bowline` with pipes for input and output; what it says about itself goes nowhere.
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::spawn(command(args))
    }

    /// Starts a program in the same way.
    pub(crate) fn spawn(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self {
            input: child.stdin.take(),
            output: child.stdout.take().map(BufReader::new),
            child,
        }
    }

    /// Starts a server and gives the URL it says it is listening on.
    pub(crate) fn serve(args: &[&str]) -> (Self, String) {
        let mut server = Self::start(args);
        let line = server.line();
        let url = line
            .strip_prefix("listening on ")
            .unwrap_or_else(|| panic!("{args:?} says {line:?}"));
        let url = url.to_owned();
        (server, url)
    }

    /// Starts an echo server on a free port.
    pub(crate) fn echo(more: &[&str]) -> (Self, String) {
        Self::serve(&[&["echo", "--listen", "127.0.0.1:0"], more].concat())
    }

    /// Starts a hub on a free port and gives the URL of its WebSocket for all topics.
    pub(crate) fn hub(more: &[&str]) -> (Self, String) {
        let (hub, url) = Self::serve(&[&["serve", "--listen", "127.0.0.1:0"], more].concat());
        let url = url.replacen("http", "ws", 1) + "auth/clown-talk-server";
        (hub, url)
    }

    /// Reads a line of output, without its line feed; empty at the end.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        let output = self.output.as_mut().expect("the output is open");
        output.read_line(&mut line).unwrap();
        line.trim_end_matches('\n').to_owned()
    }

    /// Reads lines until one has this in it.
    pub(crate) fn line_with(&mut self, part: &str) {
        loop {
            let line = self.line();
            assert_ne!(line, "", "the output ended before {part}");
            if line.contains(part) {
                return;
            }
        }
    }

    /// Reads output until it ends.
    pub(crate) fn rest(&mut self) -> String {
        let mut rest = String::new();
        let output = self.output.as_mut().expect("the output is open");
        output.read_to_string(&mut rest).unwrap();
        rest
    }

    /// Writes a line to the input.
    pub(crate) fn type_line(&mut self, line: &str) {
        let input = self.input.as_mut().expect("the input is open");
        writeln!(input, "{line}").unwrap();
    }

    /// The number of the process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args(["-s", name, &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for the end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }

    /// Tells the program to stop and gives its exit code.
    pub(crate) fn terminate(mut self) -> Option<i32> {
        self.signal("TERM");
        self.wait().code()
    }
}

impl Drop for Bowline {
    fn drop(&mut self) {
        // It may have ended already.
        let _killed = self.child.kill();
        let _waited = self.child.wait();
    }
}

/// The host and port of a URL.
pub(crate) fn address_of(url: &str) -> &str {
    url.split('/').nth(2).unwrap()
}

/// The standard error of a program that has ended.
pub(crate) fn complaint(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Text of many lines, each different.
pub(crate) fn numbered_lines(count: usize, more: &str) -> String {
    let lines: Vec<_> = (0..count).map(|n| format!("line {n}{more}\n")).collect();
    lines.concat()
}

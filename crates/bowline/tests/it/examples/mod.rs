//! The examples, run as programs.

mod chat;
mod rules;
mod stored_ids;

use std::{
    env,
    io::{BufRead, BufReader},
    net::SocketAddr,
    process::{Child, ChildStderr, ChildStdout, Command, Stdio},
};

use bowline::{Error, WebSocket};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// A running example; it is killed with the value.
pub(crate) struct Example {
    child: Child,
    output: BufReader<ChildStdout>,
    errors: BufReader<ChildStderr>,
    address: SocketAddr,
}

impl Example {
    /// Starts a program that listens on a free port, and waits until it does.
    pub(crate) fn start(name: &str, arguments: &[&str]) -> Self {
        let tests = env::current_exe().unwrap();
        let folder = tests.parent().and_then(|folder| folder.parent()).unwrap();
        let program = folder.join("examples").join(name);
        let mut child = Command::new(&program)
            .args(["--listen", "127.0.0.1:0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}: build examples", program.display()));
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let errors = BufReader::new(child.stderr.take().unwrap());
        let line = read_line(&mut output);
        let address = line
            .strip_prefix("listening on http://")
            .and_then(|rest| rest.strip_suffix('/'))
            .unwrap_or_else(|| panic!("{name} said {line:?}"))
            .parse()
            .unwrap();
        Self {
            child,
            output,
            errors,
            address,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("ws://{}{path}", self.address)
    }

    /// Sends a request; gives the status and the whole answer.
    pub(crate) async fn ask(&self, method: &str, path: &str, fields: &str) -> (u16, String) {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{fields}\r\n",
            self.address
        );
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        (answer.split(' ').nth(1).unwrap().parse().unwrap(), answer)
    }

    #[cfg(unix)]
    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(sent.unwrap().success());
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn read_line(stream: &mut impl BufRead) -> String {
    let mut line = String::new();
    stream.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

fn refused_with(result: Result<WebSocket, Error>) -> u16 {
    match result {
        Err(Error::Refused(refused)) => refused.response.status(),
        other => panic!("not refused: {other:?}"),
    }
}

//! Idle memory: what a server holds for connections that said something once.

use std::{io::Read, net::SocketAddr, ops::Range, thread::sleep, time::Duration};

use crate::{
    Outcome,
    connection::{Checking, Connection},
    frames::{Dialect, Frames},
    poll::{EventFlags, Poll},
    server::Server,
    subject::Subject,
    tls::Certificate,
};

/// How many connections are idle.
#[derive(Clone, Copy, Debug)]
pub struct Idle {
    pub connections: usize,
}

impl Idle {
    /// Gives the bytes of process memory that each connection adds, for every subject.
    pub fn run(self, subjects: &[Subject]) -> Outcome<Vec<(String, f64)>> {
        subjects
            .iter()
            .map(|subject| {
                let bytes = self
                    .measure(subject)
                    .map_err(|error| format!("{}: {error}", subject.name))?;
                Ok((subject.name.clone(), bytes))
            })
            .collect()
    }

    fn measure(self, subject: &Subject) -> Outcome<f64> {
        let server = Server::start(&subject.command)?;
        let frames = match subject.dialect {
            Dialect::Talk => talk(server.address)?,
            Dialect::WebSocket | Dialect::Bytes => Frames::new(16, 1, subject.dialect),
        };
        // What is made once, for the first connections, does not count.
        let warm = open(&server, subject, &frames, 0..WARM)?;
        let before = server.memory()?;
        let idle = open(&server, subject, &frames, WARM..WARM + self.connections)?;
        let after = server.memory()?;
        drop((warm, idle));
        Ok((after as f64 - before as f64) / self.connections as f64)
    }
}

/// Idle connections under TLS.
#[derive(Clone, Copy, Debug)]
pub struct IdleTls {
    pub connections: usize,
}

impl IdleTls {
    /// Gives the bytes of process memory that each connection adds.
    pub fn measure(self, subject: &Subject, certificate: &Certificate) -> Outcome<f64> {
        let mut command = subject.command.clone();
        command.extend(
            certificate
                .files()
                .map(|file| file.to_string_lossy().into_owned()),
        );
        let server = Server::start(&command)?;
        let open = |count| -> Outcome<Vec<_>> {
            let one = |_| certificate.open(server.address, subject.dialect);
            let opened = (0..count).map(one).collect();
            sleep(SETTLING);
            opened
        };
        let warm = open(WARM)?;
        let before = server.memory()?;
        let idle = open(self.connections)?;
        let after = server.memory()?;
        drop((warm, idle));
        Ok((after as f64 - before as f64) / self.connections as f64)
    }
}

/// Has a hub answer an init message: other lines are for others.
pub fn talk(address: SocketAddr) -> Outcome<Frames> {
    let init = "[\"clown.talk/-/config/set\", {}]\n";
    let mut first = Connection::open(address, "/auth/clown-talk-server", Dialect::Talk)?;
    let unknown = Frames::of_text(init, &[]);
    first.push(1, &unknown);
    first.send(&unknown)?;
    first.stream.set_nonblocking(false)?;
    let mut reply = Vec::new();
    while !reply.ends_with(b"\n") {
        let mut byte = [0];
        first.stream.read_exact(&mut byte)?;
        reply.extend(byte);
    }
    Ok(Frames::of_text(init, &reply))
}

/// Opens connections and has one message echoed on each. In a hub each sees a topic of its own.
fn open(
    server: &Server,
    subject: &Subject,
    frames: &Frames,
    numbers: Range<usize>,
) -> Outcome<Vec<Connection>> {
    let mut poll = Poll::new()?;
    let count = numbers.len();
    let mut connections = Vec::with_capacity(count);
    let mut buffer = [0; 256];
    for (number, name) in numbers.enumerate() {
        let path = match subject.dialect {
            Dialect::Talk => format!("/auth/clown-talk-server_node_{name}"),
            Dialect::WebSocket | Dialect::Bytes => "/".to_owned(),
        };
        let mut connection = Connection::open(server.address, &path, subject.dialect)?;
        poll.add(&connection.stream, number, EventFlags::IN)?;
        connection.push(1, frames);
        connection.send(frames)?;
        connections.push(connection);
    }
    let mut missing = count;
    while missing > 0 {
        let ready = poll.wait(PATIENCE)?;
        if ready.is_empty() {
            return Err("a reply is missing".into());
        }
        for (number, _) in ready {
            let connection: &mut Connection = &mut connections[number];
            let replies = connection.receive(frames, &mut buffer, Checking::Content)?;
            missing -= replies as usize;
        }
    }
    sleep(SETTLING);
    Ok(connections)
}

const WARM: usize = 200;
const PATIENCE: Duration = Duration::from_secs(10);
const SETTLING: Duration = Duration::from_millis(300);

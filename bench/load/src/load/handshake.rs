//! Opening handshakes: a number of clients that connect, ask, and leave when answered.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use socket2::SockRef;

use crate::{
    Outcome,
    connection::request,
    poll::{EventFlags, Poll},
    server::Server,
    subject::Subject,
    table::{Round, Samples},
};

/// What clients ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handshake {
    Accepted,
    /// The key is missing, so that the server refuses.
    Refused,
}

impl Handshake {
    /// Measures every subject in turns.
    pub fn run(self, subjects: &[Subject], round: Round) -> Outcome<Samples> {
        let mut samples = Samples::default();
        let mut servers = Vec::new();
        for subject in subjects {
            let server = Server::start(&subject.command)?;
            self.load(server.address, round.warm_up)
                .map_err(|error| format!("{}: {error}", subject.name))?;
            servers.push(server);
        }
        for _ in 0..round.count {
            for (subject, server) in subjects.iter().zip(&servers) {
                let (wall, cpu) = (Instant::now(), server.processor_time()?);
                let answers = self.load(server.address, round.length)?;
                let cpu = server.processor_time()? - cpu;
                samples.add(subject, answers, wall.elapsed(), cpu);
            }
        }
        Ok(samples)
    }

    fn load(self, address: SocketAddr, length: Duration) -> Outcome<u64> {
        let mut request = request("/");
        if self == Self::Refused {
            request = request.replace("Sec-WebSocket-Key", "X-Other-Key");
        }
        let mut poll = Poll::new()?;
        let mut clients = Vec::new();
        for number in 0..CLIENTS {
            clients.push(connect(address, &request, number, &poll)?);
        }
        let mut answers = 0;
        let mut buffer = [0; 4096];
        let begin = Instant::now();
        while begin.elapsed() < length {
            for (number, _) in poll.wait(PATIENCE)? {
                let filled = clients[number].read(&mut buffer)?;
                self.check(&buffer[..filled])?;
                answers += 1;
                clients[number] = connect(address, &request, number, &poll)?;
            }
        }
        Ok(answers)
    }

    /// Answers are short and come in one piece.
    fn check(self, answer: &[u8]) -> Outcome<()> {
        let is_refused = answer.starts_with(b"HTTP/1.1 4");
        let is_accepted = answer.starts_with(b"HTTP/1.1 101 ") && answer.ends_with(b"\r\n\r\n");
        match self {
            Self::Accepted if is_accepted => Ok(()),
            Self::Refused if is_refused => Ok(()),
            Self::Accepted | Self::Refused => {
                Err(format!("answered {:?}", String::from_utf8_lossy(answer)).into())
            }
        }
    }
}

/// Connects and asks. What was there before is reset, so that no port waits for its end.
fn connect(address: SocketAddr, request: &str, number: usize, poll: &Poll) -> Outcome<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
    stream.write_all(request.as_bytes())?;
    poll.add(&stream, number, EventFlags::IN)?;
    Ok(stream)
}

const CLIENTS: usize = 64;
const PATIENCE: Duration = Duration::from_secs(10);

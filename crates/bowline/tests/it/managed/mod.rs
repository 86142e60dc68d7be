//! The managed client: links that are made, lost, moved and closed.

mod black_hole;
mod endpoints;
mod events;
mod faces;
mod fates;
mod greeting;
mod network;
pub(crate) use network::{quick, quiet_address};
mod pacing;
mod restarts;
mod states;
mod threads;
mod verdicts;

use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bowline::{
    Config, Connector, Endpoint, Error, WebSocket,
    managed::{Backoff, Client, ClientBuilder, ClientEvents, ClientState, Dialer, ReconnectPolicy},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex},
    sync::mpsc,
    time::Instant,
};

use crate::ends::{client, server, soon};

/// What an attempt meets.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// A server that accepts.
    Link,
    /// A server that answers so.
    Answer(String),
    /// A server that accepts, sends these bytes, and ends the stream.
    Bytes(Vec<u8>),
    /// Nobody takes the connection.
    Fail,
    /// Nobody answers.
    Hang,
}

/// A server in memory. The test has its ends of the links, and a log of the attempts.
#[derive(Clone, Debug)]
pub(crate) struct Lab(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    started: Instant,
    script: Mutex<VecDeque<Outcome>>,
    otherwise: Outcome,
    attempts: Mutex<Vec<(Duration, String)>>,
    links: mpsc::UnboundedSender<Peer>,
    config: Mutex<Config>,
    room: usize,
    open: Arc<AtomicUsize>,
    most_open: AtomicUsize,
}

/// The server's end of a link.
pub(crate) type Peer = WebSocket<DuplexStream>;
pub(crate) type Peers = mpsc::UnboundedReceiver<Peer>;

impl Lab {
    /// Makes a server that does the outcomes in turn and then `otherwise`.
    pub(crate) fn new(script: &[Outcome], otherwise: Outcome) -> (Self, Peers) {
        Self::with_room(script, otherwise, 64 << 10)
    }

    /// The same, whose streams take so many bytes before the peer has read some.
    pub(crate) fn with_room(script: &[Outcome], otherwise: Outcome, room: usize) -> (Self, Peers) {
        let (links, peers) = mpsc::unbounded_channel();
        let inner = Inner {
            started: Instant::now(),
            script: Mutex::new(script.iter().cloned().collect()),
            otherwise,
            attempts: Mutex::default(),
            links,
            config: Mutex::default(),
            room,
            open: Arc::default(),
            most_open: AtomicUsize::new(0),
        };
        (Self(Arc::new(inner)), peers)
    }

    pub(crate) fn configure(&self, config: Config) {
        *self.0.config.lock().unwrap() = config;
    }

    /// Begins to configure a client of this server.
    pub(crate) fn builder(&self) -> ClientBuilder {
        let builder = Client::builder("ws://a/").unwrap();
        builder.with_dialer(self.clone()).with_policy(at_once())
    }

    pub(crate) fn start(&self) -> (Client, ClientEvents) {
        self.builder().start()
    }

    pub(crate) fn attempts(&self) -> usize {
        self.0.attempts.lock().unwrap().len()
    }

    /// When the attempts were made, since the start.
    pub(crate) fn times(&self) -> Vec<f64> {
        let attempts = self.0.attempts.lock().unwrap();
        attempts.iter().map(|(at, _)| at.as_secs_f64()).collect()
    }

    /// The hosts that were tried.
    pub(crate) fn hosts(&self) -> String {
        let attempts = self.0.attempts.lock().unwrap();
        let hosts: Vec<_> = attempts.iter().map(|(_, host)| host.as_str()).collect();
        hosts.join(" ")
    }

    pub(crate) fn open(&self) -> usize {
        self.0.open.load(Ordering::SeqCst)
    }

    pub(crate) fn most_open(&self) -> usize {
        self.0.most_open.load(Ordering::SeqCst)
    }

    fn stream(&self) -> (Counted<DuplexStream>, DuplexStream) {
        let (near, far) = duplex(self.0.room);
        let near = Counted::new(near, &self.0.open);
        self.0.most_open.fetch_max(self.open(), Ordering::SeqCst);
        (near, far)
    }
}

impl Dialer for Lab {
    type Stream = Counted<DuplexStream>;

    async fn make_link(&self, endpoint: &Endpoint) -> Result<WebSocket<Self::Stream>, Error> {
        let attempt = (self.0.started.elapsed(), endpoint.host().to_owned());
        self.0.attempts.lock().unwrap().push(attempt);
        let next = self.0.script.lock().unwrap().pop_front();
        let (near, mut far) = self.stream();
        match next.unwrap_or_else(|| self.0.otherwise.clone()) {
            Outcome::Link => {
                let config = self.0.config.lock().unwrap().clone();
                drop(self.0.links.send(server(far, Config::default())));
                Ok(client(near, config))
            }
            Outcome::Answer(answer) => {
                let answering = async {
                    let mut request = [0; 4096];
                    let read = far.read(&mut request).await.unwrap();
                    assert!(read > 0);
                    far.write_all(answer.as_bytes()).await.unwrap();
                    drop(far);
                };
                let connector = Connector::default();
                let connecting = connector.connect_on(endpoint, near);
                tokio::join!(connecting, answering).0
            }
            Outcome::Bytes(bytes) => {
                far.write_all(&bytes).await.unwrap();
                Ok(client(near, Config::default()))
            }
            Outcome::Fail => Err(Error::Connect {
                host: "a".into(),
                source: io::ErrorKind::ConnectionRefused.into(),
                earlier: Vec::new(),
            }),
            Outcome::Hang => {
                std::future::pending::<()>().await;
                drop((near, far));
                unreachable!("pending for ever")
            }
        }
    }
}

/// Counts the streams that are open.
#[derive(Debug)]
pub(crate) struct Counted<S> {
    stream: S,
    open: Arc<AtomicUsize>,
}

impl<S> Counted<S> {
    pub(crate) fn new(stream: S, open: &Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, Ordering::SeqCst);
        Self {
            stream,
            open: Arc::clone(open),
        }
    }
}

impl<S> Drop for Counted<S> {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::SeqCst);
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Counted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Counted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// The first retry at once, then from one second on.
pub(crate) fn at_once() -> ReconnectPolicy {
    ReconnectPolicy::Automatic(Backoff {
        first: Duration::ZERO,
        ..Backoff::default()
    })
}

/// Takes the server's end of the next link.
pub(crate) async fn next(peers: &mut Peers) -> Peer {
    soon(peers.recv()).await.expect("the lab is there")
}

/// Receives a text.
pub(crate) async fn text(peer: &mut Peer) -> String {
    let message = soon(peer.recv()).await.expect("a message comes");
    message.as_text().expect("it is text").to_owned()
}

/// Receives texts until the link is over.
pub(crate) async fn texts(mut peer: Peer) -> Vec<String> {
    let mut texts = Vec::new();
    while let Some(message) = soon(peer.recv()).await {
        texts.push(message.as_text().unwrap().to_owned());
    }
    texts
}

/// Records the states of a client, in words and without times.
pub(crate) fn record(client: &Client) -> Arc<Mutex<Vec<String>>> {
    let log = Arc::new(Mutex::new(Vec::new()));
    let states = Arc::clone(&log);
    let mut watch = client.states();
    states.lock().unwrap().push(word(&watch.current()));
    tokio::spawn(async move {
        while let Some(state) = watch.changed().await {
            states.lock().unwrap().push(word(&state));
        }
    });
    log
}

pub(crate) fn word(state: &ClientState) -> String {
    use bowline::managed::ClosedWhy;
    match state {
        ClientState::Connecting { attempt } => format!("connecting {attempt}"),
        ClientState::Open => "open".into(),
        ClientState::Waiting { .. } => "waiting".into(),
        ClientState::Closed { why } => match why {
            ClosedWhy::Asked => "closed".into(),
            ClosedWhy::Fatal(_) => "fatal".into(),
            ClosedWhy::AttemptsUsedUp(_) => "used up".into(),
            ClosedWhy::Manual(_) => "manual".into(),
            ClosedWhy::Stopped => "stopped".into(),
        },
    }
}

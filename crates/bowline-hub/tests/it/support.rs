//! A hub in this process, and clients for it.

use std::{net::SocketAddr, num::NonZeroUsize};

use bowline::{Connector, Error, WebSocket};
use bowline_hub::{Config, Drained, Participant, Server};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
    task::JoinHandle,
};

/// A hub with one worker.
pub(crate) type Hub = HubOf<1>;

/// A hub that runs until it is stopped or dropped.
pub(crate) struct HubOf<const WORKERS: usize> {
    pub(crate) address: SocketAddr,
    pub(crate) participant: Participant,
    stop: oneshot::Sender<()>,
    running: JoinHandle<Drained>,
}

impl<const WORKERS: usize> HubOf<WORKERS> {
    pub(crate) async fn start() -> Self {
        Self::start_with(Config::default()).await
    }

    /// Starts a hub on any free port of loopback.
    pub(crate) async fn start_with(config: Config) -> Self {
        let config = Config {
            listen: vec![SocketAddr::from(([127, 0, 0, 1], 0))],
            workers: NonZeroUsize::new(WORKERS).unwrap(),
            ..config
        };
        let server = Server::bind(config).await.unwrap();
        let address = server.addresses().next().unwrap();
        let participant = server.participant();
        let (stop, stopped) = oneshot::channel::<()>();
        let running = tokio::spawn(async move {
            let until = async { drop(stopped.await) };
            server.run(until).await.unwrap()
        });
        Self {
            address,
            participant,
            stop,
            running,
        }
    }

    pub(crate) async fn stop(self) -> Drained {
        drop(self.stop);
        self.running.await.unwrap()
    }

    /// The URL of the window over a base topic, with `_` for `/`; all topics for an empty one.
    pub(crate) fn url(&self, base: &str) -> String {
        let tail = if base.is_empty() {
            String::new()
        } else {
            format!("_{base}")
        };
        format!("ws://{}/auth/clown-talk-server{tail}", self.address)
    }

    pub(crate) async fn join(&self, base: &str) -> WebSocket {
        bowline::connect(&self.url(base)).await.unwrap()
    }

    /// Sends a request as it is and reads until the hub closes.
    pub(crate) async fn http(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Asks for a path on a connection of its own.
    pub(crate) async fn get(&self, path: &str) -> String {
        let host = self.address;
        self.http(&format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        ))
        .await
    }
}

/// Receives the next text message.
pub(crate) async fn text(ws: &mut WebSocket) -> String {
    let message = ws.recv().await.expect("the connection is open");
    message
        .as_text()
        .expect("the hub sends text only")
        .to_owned()
}

/// Waits until the hub has taken everything in that was sent on this connection.
pub(crate) async fn settle(ws: &mut WebSocket) {
    ws.send(r#"["clown.talk/-/config/set", {}]"#).await.unwrap();
    while !text(ws).await.contains("clown.talk/-/config/ok") {}
}

/// The status and body of a refusal.
pub(crate) async fn refused(connector: &Connector, url: &str) -> (u16, String) {
    match connector.connect(url).await {
        Err(Error::Refused(refused)) => (
            refused.response.status(),
            String::from_utf8_lossy(&refused.body).into_owned(),
        ),
        other => panic!("expected a refusal, got {other:?}"),
    }
}

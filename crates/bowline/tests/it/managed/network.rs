//! Over TCP, against servers that are killed, moved and cut off.

use std::{
    collections::HashMap,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bowline::{
    Cause, ClientTls, Config, Connector, Endpoint, Error, Keepalive, Options, ServerTls, WebSocket,
    managed::{Backoff, Client, ClientEvent, ClosedWhy, DeliveryStatus, Dialer, ReconnectPolicy},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinHandle,
};

use super::Counted;
use crate::ends::soon;

/// A server that keeps what it receives and echoes it.
pub(super) struct EchoServer {
    address: SocketAddr,
    task: JoinHandle<()>,
    pub(super) received: Arc<Mutex<HashMap<String, usize>>>,
    accepted: Arc<AtomicUsize>,
}

impl EchoServer {
    pub(super) fn start() -> Self {
        Self::start_on(SocketAddr::from((quiet_address(), 0)))
    }

    pub(super) fn start_on(address: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_reuseaddr(true).unwrap();
        socket.bind(address).unwrap();
        let listener: TcpListener = socket.listen(64).unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::new(Mutex::new(HashMap::new()));
        let accepted = Arc::new(AtomicUsize::new(0));
        let task = tokio::spawn(serve(
            listener,
            Arc::clone(&received),
            Arc::clone(&accepted),
        ));
        Self {
            address,
            task,
            received,
            accepted,
        }
    }

    pub(super) fn url(&self) -> String {
        format!("ws://{}/", self.address)
    }

    /// Ends the server and every connection, as a process that is killed.
    pub(super) async fn kill(self) -> SocketAddr {
        self.task.abort();
        drop(self.task.await);
        self.address
    }
}

async fn serve(
    listener: TcpListener,
    received: Arc<Mutex<HashMap<String, usize>>>,
    accepted: Arc<AtomicUsize>,
) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        accepted.fetch_add(1, Ordering::SeqCst);
        let received = Arc::clone(&received);
        connections.spawn(async move {
            let Ok(mut ws) = bowline::accept(stream).await else {
                return;
            };
            while let Some(message) = ws.recv().await {
                let text = message.as_text().unwrap().to_owned();
                *received.lock().unwrap().entry(text).or_insert(0) += 1;
                if ws.send(message).await.is_err() {
                    break;
                }
            }
        });
    }
}

/// An address of this computer that connections do not come from: while a server is down, nobody
/// takes its port.
pub(crate) const fn quiet_address() -> Ipv4Addr {
    if cfg!(target_os = "linux") {
        Ipv4Addr::new(127, 0, 41, 1)
    } else {
        Ipv4Addr::LOCALHOST
    }
}

/// Dials over TCP, and sees that there is never a second socket.
#[derive(Clone, Debug, Default)]
struct OneAtATime {
    open: Arc<AtomicUsize>,
    second: Arc<AtomicBool>,
}

impl Dialer for OneAtATime {
    type Stream = Counted<TcpStream>;

    async fn make_link(&self, endpoint: &Endpoint) -> Result<WebSocket<Self::Stream>, Error> {
        if self.open.load(Ordering::SeqCst) > 0 {
            self.second.store(true, Ordering::SeqCst);
        }
        let stream = TcpStream::connect((endpoint.host(), endpoint.port())).await;
        let stream = Counted::new(stream?, &self.open);
        Connector::default().connect_on(endpoint, stream).await
    }
}

pub(crate) fn quick() -> ReconnectPolicy {
    ReconnectPolicy::Automatic(Backoff {
        first: Duration::from_millis(10),
        step: Duration::from_millis(10),
        step_max: Duration::from_millis(50),
        ..Backoff::default()
    })
}

#[tokio::test]
async fn a_server_that_is_killed_and_restarted_is_found_again() {
    let server = EchoServer::start();
    let builder = Client::builder(&server.url()).unwrap();
    let (client, events) = builder.with_policy(quick()).start();
    let mut messages = events.messages();
    soon(client.opened()).await.unwrap();
    client.send("before");
    assert_eq!(
        soon(messages.recv()).await.unwrap().as_text(),
        Some("before")
    );
    let address = server.kill().await;
    let mut states = client.states();
    soon(states.wait_for(|state| *state != bowline::managed::ClientState::Open)).await;
    let kept = client.send("meanwhile");
    let server = EchoServer::start_on(address);
    assert_eq!(soon(kept).await, DeliveryStatus::Sent);
    assert_eq!(
        soon(messages.recv()).await.unwrap().as_text(),
        Some("meanwhile")
    );
    drop(server);
}

#[tokio::test]
async fn fifty_moves_during_traffic_leave_one_socket_and_deliver_everything_once() {
    let servers = [EchoServer::start(), EchoServer::start()];
    let dialer = OneAtATime::default();
    let builder = Client::builder(&servers[0].url()).unwrap();
    let (client, events) = builder.with_dialer(dialer.clone()).start();
    drop(events);
    let sender = client.clone();
    let stop = Arc::new(AtomicBool::new(false));
    let is_over = Arc::clone(&stop);
    let sending = tokio::spawn(async move {
        let mut deliveries = Vec::new();
        while !is_over.load(Ordering::SeqCst) {
            let message = deliveries.len().to_string();
            deliveries.push(sender.send_with_room(message).await);
            tokio::task::yield_now().await;
        }
        deliveries
    });
    soon(client.opened()).await.unwrap();
    for round in 0..50 {
        // Every third one is to where it is already.
        client
            .set_endpoint(&servers[(round + round / 3) % 2].url())
            .unwrap();
        if round % 5 != 0 {
            soon(client.opened()).await.unwrap();
        }
        if round % 2 == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    soon(client.opened()).await.unwrap();
    stop.store(true, Ordering::SeqCst);
    let deliveries = sending.await.unwrap();
    let count = deliveries.len();
    assert!(count > 50, "{count}");
    for delivery in deliveries {
        assert_eq!(
            soon(delivery).await,
            DeliveryStatus::Sent,
            "the old links closed cleanly"
        );
    }
    soon(client.close(bowline::CloseCode::NORMAL, ""))
        .await
        .unwrap();
    assert!(
        !dialer.second.load(Ordering::SeqCst),
        "one socket at every moment"
    );
    assert_eq!(dialer.open.load(Ordering::SeqCst), 0, "and none is left");
    let mut all = HashMap::new();
    for server in &servers {
        for (message, times) in server.received.lock().unwrap().iter() {
            *all.entry(message.clone()).or_insert(0) += times;
        }
    }
    assert!(
        all.values().all(|&times| times == 1),
        "nothing arrives twice"
    );
    assert_eq!(all.len(), count, "and everything arrives");
    let accepted: usize = servers
        .iter()
        .map(|server| server.accepted.load(Ordering::SeqCst))
        .sum();
    assert!((40..=51).contains(&accepted), "{accepted}");
}

/// Forwards bytes until it is told to swallow them; the sockets stay open.
async fn swallowing_proxy(to: SocketAddr) -> (SocketAddr, Arc<AtomicBool>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let swallows = Arc::new(AtomicBool::new(false));
    let is_swallowing = Arc::clone(&swallows);
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let far = TcpStream::connect(to).await.unwrap();
            let (near_read, near_write) = near.into_split();
            let (far_read, far_write) = far.into_split();
            tokio::spawn(forward(near_read, far_write, Arc::clone(&is_swallowing)));
            tokio::spawn(forward(far_read, near_write, Arc::clone(&is_swallowing)));
        }
    });
    (address, swallows)
}

async fn forward(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    swallows: Arc<AtomicBool>,
) -> io::Result<()> {
    let mut buffer = vec![0; 4096];
    let mut is_dead = false;
    loop {
        let read = from.read(&mut buffer).await?;
        // A link that was alive when the proxy began to swallow stays dead.
        is_dead |= swallows.load(Ordering::SeqCst);
        match read {
            0 if is_dead => std::future::pending().await,
            0 => return Ok(()),
            _ if is_dead => {}
            _ => to.write_all(&buffer[..read]).await?,
        }
    }
}

#[tokio::test]
async fn a_link_that_is_swallowed_on_the_way_is_noticed_and_replaced() {
    let server = EchoServer::start();
    let (proxy, swallows) = swallowing_proxy(server.address).await;
    let config = Config {
        keepalive: Some(Keepalive {
            interval: Duration::from_millis(200),
            timeout: Duration::from_millis(200),
        }),
        ..Config::default()
    };
    let connector = Connector {
        options: Options {
            config: Arc::new(config),
            ..Options::default()
        },
        ..Connector::default()
    };
    let builder = Client::builder(&format!("ws://{proxy}/")).unwrap();
    let builder = builder.with_connector(connector).with_policy(quick());
    let (client, mut events) = builder.start();
    soon(client.opened()).await.unwrap();
    swallows.store(true, Ordering::SeqCst);
    let big = client.send("b".repeat(8 << 20));
    let ending = loop {
        match soon(events.recv()).await {
            Some(ClientEvent::LinkClosed(ending)) => break ending,
            Some(_) => {}
            None => panic!("the client closed"),
        }
    };
    assert_eq!(ending.cause, Cause::KeepaliveTimeout);
    swallows.store(false, Ordering::SeqCst);
    assert!(soon(big).await.is_final());
    let after = client.send("after");
    assert_eq!(soon(after).await, DeliveryStatus::Sent);
    while !server.received.lock().unwrap().contains_key("after") {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_is_fatal_and_a_tls_handshake_cut_off_is_not() {
    let names = vec!["127.0.0.1".to_owned()];
    let identity = rcgen::generate_simple_self_signed(names).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let certificate = folder.path().join("cert.pem");
    let key = folder.path().join("key.pem");
    std::fs::write(&certificate, identity.cert.pem()).unwrap();
    std::fs::write(&key, identity.signing_key.serialize_pem()).unwrap();
    let tls = ServerTls::from_files(&certificate, &key).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("wss://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        drop(listener.accept().await.unwrap());
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(stream) = tls.accept(stream).await else {
                continue;
            };
            let mut ws = bowline::accept(stream).await.unwrap();
            while ws.recv().await.is_some() {}
        }
    });
    let trusting = ClientTls::with_roots_file(&certificate).unwrap();
    let builder = Client::builder(&url).unwrap().with_policy(quick());
    let builder = builder.with_connector(Connector::default().with_tls(trusting));
    let (client, mut events) = builder.start();
    soon(client.opened()).await.unwrap();
    let first = soon(events.recv()).await;
    assert!(matches!(first, Some(ClientEvent::Failed(_))), "{first:?}");
    soon(client.close(bowline::CloseCode::NORMAL, ""))
        .await
        .unwrap();
    let builder = Client::builder(&url).unwrap().with_policy(quick());
    let (client, _events) = builder.start();
    let why = soon(client.opened()).await.unwrap_err();
    assert!(matches!(why, ClosedWhy::Fatal(_)), "{why}");
    assert!(why.to_string().contains("certificate"), "{why}");
}

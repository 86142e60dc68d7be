//! What is counted, to the last byte.

use std::{sync::Arc, time::Duration};

use bowline::{
    Acceptor, CloseCode, Config, Connector, Endpoint, Error, Keepalive, Metrics, Options,
    OutboxLimits, Request, Sent, SlowPeer, WebSocket,
    metrics::{CloseCodeClass, Dropped, EndingCause, HandshakeOutcome, Snapshot},
    server::{
        Attributes, ConnectionGroup, ConnectionHandle, GroupOptions, GroupTable, GroupTableLimits,
        Registry, SendError,
    },
};
use bowline_testkit::Frame;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use crate::{
    ends::{settle, soon, wired_server, wired_server_with},
    wire::Far,
};

/// A server and a client in memory, each with numbers of its own.
pub(crate) struct Site {
    pub(crate) acceptor: Acceptor,
    pub(crate) connector: Connector,
    pub(crate) server: Arc<Metrics>,
    pub(crate) client: Arc<Metrics>,
}

impl Site {
    pub(crate) fn new() -> Self {
        let [server, client] = [(); 2].map(|()| Arc::new(Metrics::new()));
        let options = |metrics: &Arc<Metrics>| Options {
            metrics: Some(Arc::clone(metrics)),
            ..Options::default()
        };
        Self {
            acceptor: Acceptor {
                options: options(&server),
                ..Acceptor::default()
            },
            connector: Connector {
                options: options(&client),
                ..Connector::default()
            },
            server,
            client,
        }
    }

    pub(crate) async fn join(&self) -> (WebSocket<DuplexStream>, WebSocket<DuplexStream>) {
        let (near, far) = duplex(1 << 20);
        let endpoint = Endpoint::parse("ws://example.test/echo").unwrap();
        let (client, server) = tokio::join!(
            self.connector.connect_on(&endpoint, near),
            self.acceptor.accept(far)
        );
        (client.unwrap(), server.unwrap())
    }

    /// Sends a request; gives what accepting made of it.
    async fn request(&self, request: &str) -> Result<WebSocket<DuplexStream>, Error> {
        let (mut near, far) = duplex(1 << 16);
        near.write_all(request.as_bytes()).await.unwrap();
        let (accepted, ()) = tokio::join!(self.acceptor.accept(far), async {
            near.shutdown().await.unwrap();
            drain(near).await;
        });
        accepted
    }
}

async fn drain(mut stream: DuplexStream) {
    let mut rest = Vec::new();
    // How the stream ends is not what is asked.
    let _ended = stream.read_to_end(&mut rest).await.is_ok();
}

async fn run_out(mut ws: WebSocket<DuplexStream>) {
    while ws.recv().await.is_some() {}
}

fn group(options: GroupOptions) -> ConnectionGroup {
    let groups = GroupTable::new(Registry::new(), GroupTableLimits::default());
    groups.create("metrics", options).unwrap()
}

fn endings(snapshot: &Snapshot) -> Vec<(&'static str, &'static str, u64)> {
    let endings = snapshot.endings.iter();
    endings
        .map(|(kind, count)| (kind.by_label(), kind.cause.label(), *count))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_conversation_is_counted_alike_by_both_ends() {
    let site = Site::new();
    let (mut client, mut server) = site.join().await;
    let echo = tokio::spawn(async move {
        while let Some(message) = server.recv().await {
            server.send(message).await.unwrap();
        }
    });
    let long = "a".repeat(10_000);
    for text in ["one", "two", &*long] {
        client.send(text).await.unwrap();
        assert_eq!(client.recv().await.unwrap().as_text(), Some(text));
    }
    // Live, not only at the end.
    let live = site.client.snapshot();
    assert_eq!((live.messages_out, live.messages_in), (3, 3));
    assert_eq!(
        (live.payload_bytes_out, live.payload_bytes_in),
        (10_006, 10_006)
    );
    assert!(live.wire_bytes_out < 200, "{live:?}");
    assert_eq!((live.connections_open, live.endings.len()), (1, 0));

    client.close(CloseCode::NORMAL, "bye").await.unwrap();
    run_out(client).await;
    echo.await.unwrap();
    let [client, server] = [site.client.snapshot(), site.server.snapshot()];
    assert_eq!((server.messages_in, server.messages_out), (3, 3));
    assert_eq!(server.payload_bytes_in, 10_006);
    assert_eq!(client.wire_bytes_out, server.wire_bytes_in);
    assert_eq!(server.wire_bytes_out, client.wire_bytes_in);
    assert_eq!((client.connections_open, server.connections_open), (0, 0));
    assert_eq!(endings(&client), [("local", "closing_handshake", 1)]);
    assert_eq!(endings(&server), [("peer", "closing_handshake", 1)]);
    for snapshot in [&client, &server] {
        let accepted = snapshot.handshakes_with(HandshakeOutcome::Accepted);
        assert_eq!((accepted, snapshot.handshakes.len()), (1, 1));
        assert_eq!(snapshot.close_codes[&CloseCodeClass::Standard(1000)], 1);
        assert_eq!(snapshot.backlog, bowline::Backlog::default());
    }
}

#[tokio::test(start_paused = true)]
async fn the_numbers_of_many_connections_are_added_up() {
    let site = Site::new();
    let mut ends = Vec::new();
    for number in 1..=10 {
        let (mut client, mut server) = site.join().await;
        client.send("four").await.unwrap();
        assert!(server.recv().await.is_some());
        assert_eq!(site.server.snapshot().connections_open, number);
        ends.push((client, server));
    }
    let snapshot = site.server.snapshot();
    assert_eq!((snapshot.messages_in, snapshot.payload_bytes_in), (10, 40));
    drop(ends);
    settle_drops().await;
    let snapshot = site.server.snapshot();
    assert_eq!(snapshot.connections_open, 0);
    assert_eq!(endings(&snapshot), [("local", "aborted", 10)]);
}

/// Lets tasks that were left behind run.
async fn settle_drops() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

/// One thing a peer or this end may do, and how the end it brings is counted.
type EndingCase = (
    fn(&mut WebSocket<crate::wire::Wire>, &Far),
    &'static str,
    EndingCause,
    u16,
);

#[tokio::test(start_paused = true)]
async fn each_ending_is_counted_once_by_side_and_cause() {
    let cases: [EndingCase; 6] = [
        (|_, far| far.end(), "network", EndingCause::Eof, 1006),
        (
            |_, far| far.fail_reads(std::io::ErrorKind::ConnectionReset),
            "network",
            EndingCause::Transport,
            1006,
        ),
        (
            |_, far| far.push(&Frame::text("unmasked").encode()),
            "local",
            EndingCause::Violation,
            1002,
        ),
        (
            |_, far| far.push_masked(Frame::binary([0; 100])),
            "local",
            EndingCause::Limit,
            1009,
        ),
        (
            |_, far| {
                far.push_masked(Frame::close(4321, "reason"));
                far.end();
            },
            "peer",
            EndingCause::ClosingHandshake,
            4000,
        ),
        // Nobody answers: the deadline of the clock that is paused passes.
        (|_, _| (), "network", EndingCause::KeepaliveTimeout, 1006),
    ];
    for (act, by, cause, code) in cases {
        let metrics = Arc::new(Metrics::new());
        let mut config = Config::default();
        config.limits.message_size_max = 99;
        config.keepalive = Some(Keepalive {
            interval: Duration::from_secs(20),
            timeout: Duration::from_secs(20),
        });
        let (ws, far) = wired_server_with(config);
        let mut ws = ws.with_metrics(&metrics);
        act(&mut ws, &far);
        assert_eq!(ws.recv().await, None);
        far.end();
        assert_eq!(ws.recv().await, None);
        drop(ws);
        let snapshot = metrics.snapshot();
        assert_eq!(endings(&snapshot), [(by, cause.label(), 1)]);
        let class = match code {
            4000 => CloseCodeClass::Private,
            code => CloseCodeClass::Standard(code),
        };
        assert_eq!(
            snapshot.close_codes.into_iter().collect::<Vec<_>>(),
            [(class, 1)]
        );
        assert_eq!(snapshot.connections_open, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn every_outcome_of_a_handshake_is_counted() {
    let site = Site::new();
    let head = |line: &str, rest: &str| format!("{line}\r\nHost: a\r\n{rest}\r\n");
    let upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n";
    let plain = site.request(&head("GET / HTTP/1.1", "")).await;
    assert!(matches!(plain, Err(Error::NotWebSocket)));
    let keyless = site.request(&head("GET / HTTP/1.1", upgrade)).await;
    assert!(matches!(keyless, Err(Error::RefusedRequest(_))));
    let garbage = site.request("\x16\x03\x01").await;
    assert!(matches!(garbage, Err(Error::RefusedRequest(_))));
    let gone = site.request("GET / HT").await;
    assert!(matches!(gone, Err(Error::Io(_))));
    let (_near, far) = duplex(64);
    let late = site.acceptor.accept(far).await;
    assert!(matches!(late, Err(Error::Timeout(_))));
    let expected = |outcomes: &[(HandshakeOutcome, u64)]| outcomes.iter().copied().collect();
    let refused = |status, code| HandshakeOutcome::Refused { status, code };
    assert_eq!(
        site.server.snapshot().handshakes,
        expected(&[
            (refused(426, 1), 1),
            (refused(400, 40), 1),
            (refused(400, 10), 1),
            (HandshakeOutcome::Io, 1),
            (HandshakeOutcome::TimedOut, 1),
        ])
    );
    assert_eq!(site.server.snapshot().connections_open, 0);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_the_application_is_counted_by_its_status_at_both_ends() {
    let site = Site::new();
    let (near, far) = duplex(1 << 16);
    let endpoint = Endpoint::parse("ws://example.test/").unwrap();
    let refuse = async {
        match site.acceptor.read_request(far).await.unwrap() {
            Request::WebSocket(offer) => offer.refuse(401, "no").await.unwrap(),
            Request::Http(..) => panic!("a connector asks for a WebSocket"),
        }
    };
    let (connected, ()) = tokio::join!(site.connector.connect_on(&endpoint, near), refuse);
    assert!(matches!(connected, Err(Error::Refused(_))));
    let outcome = HandshakeOutcome::Refused {
        status: 401,
        code: 0,
    };
    for metrics in [&site.server, &site.client] {
        let snapshot = metrics.snapshot();
        assert_eq!(snapshot.handshakes_with(outcome), 1);
        assert_eq!(snapshot.handshakes.len(), 1);
    }
}

const CHUNK: usize = 64 << 10;

/// Joins a peer that takes 8 bytes and no more; nine messages fit: one that is being written and
/// eight in the outbox.
fn stuck(policy: SlowPeer) -> (Arc<Metrics>, ConnectionHandle, Far) {
    let metrics = Arc::new(Metrics::new());
    let (ws, far) = wired_server();
    far.limit(8);
    let outbox = OutboxLimits {
        messages_max: 8,
        bytes_max: usize::MAX,
        policy,
    };
    let group = group(GroupOptions {
        outbox,
        push_only: true,
        ..GroupOptions::default()
    });
    let handle = group
        .adopt(ws.with_metrics(&metrics), Attributes::default())
        .unwrap();
    for _ in 0..9 {
        assert_eq!(handle.try_send(vec![0; CHUNK]), Ok(Sent::Queued));
    }
    (metrics, handle, far)
}

#[tokio::test(start_paused = true)]
async fn the_backlog_is_what_waits_now() {
    let (metrics, handle, far) = stuck(SlowPeer::DropNewest);
    let snapshot = metrics.snapshot();
    assert_eq!(snapshot.backlog, handle.backlog());
    assert_eq!(snapshot.backlog.messages, 8);
    assert_eq!(snapshot.backlog.bytes, 8 * CHUNK);
    // A frame of this length has a header of ten bytes.
    assert_eq!(snapshot.backlog.framed_bytes, CHUNK + 10 - 8);
    assert_eq!((snapshot.messages_out, snapshot.wire_bytes_out), (1, 8));
    far.unlimit();
    settle().await;
    let snapshot = metrics.snapshot();
    assert_eq!(snapshot.backlog, bowline::Backlog::default());
    assert_eq!(snapshot.messages_out, 9);
    assert_eq!(snapshot.wire_bytes_out, 9 * (CHUNK as u64 + 10));
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_gone_with_its_connection() {
    let (metrics, handle, _far) = stuck(SlowPeer::DropNewest);
    handle.abort();
    let snapshot = metrics.snapshot();
    assert_eq!(snapshot.backlog, bowline::Backlog::default());
    assert_eq!(snapshot.connections_open, 0);
    assert_eq!(snapshot.dropped, Dropped::default());
}

#[tokio::test(start_paused = true)]
async fn drops_are_counted_by_policy_and_slow_peers_once_until_they_keep_up() {
    let none = Dropped::default();
    let (metrics, handle, far) = stuck(SlowPeer::DropNewest);
    for _ in 0..5 {
        assert_eq!(handle.try_send("lost"), Ok(Sent::DroppedNew));
    }
    let snapshot = metrics.snapshot();
    assert_eq!(
        snapshot.dropped,
        Dropped {
            drop_newest: 5,
            ..none
        }
    );
    assert_eq!(snapshot.slow_episodes, 1);
    far.unlimit();
    settle().await;
    far.limit(0);
    for _ in 0..9 {
        assert_eq!(handle.try_send(vec![0; CHUNK]), Ok(Sent::Queued));
    }
    assert_eq!(handle.try_send("lost"), Ok(Sent::DroppedNew));
    assert_eq!(metrics.snapshot().slow_episodes, 2);

    let (metrics, handle, _far) = stuck(SlowPeer::DropOldest);
    for _ in 0..3 {
        assert_eq!(handle.try_send("new"), Ok(Sent::DroppedOld(1)));
    }
    let snapshot = metrics.snapshot();
    assert_eq!(
        snapshot.dropped,
        Dropped {
            drop_oldest: 3,
            ..none
        }
    );

    let (metrics, handle, _far) = stuck(SlowPeer::KeepLatest);
    assert_eq!(handle.try_send_keyed("k", "1"), Ok(Sent::DroppedOld(1)));
    assert_eq!(handle.try_send_keyed("k", "2"), Ok(Sent::Replaced));
    let snapshot = metrics.snapshot();
    assert_eq!(
        snapshot.dropped,
        Dropped {
            keep_latest: 2,
            ..none
        }
    );

    let policy = SlowPeer::Close(CloseCode::POLICY_VIOLATION, "too slow".into());
    let (metrics, handle, _far) = stuck(policy);
    assert_eq!(handle.try_send("last"), Err(SendError::TooSlow));
    let snapshot = metrics.snapshot();
    assert_eq!(snapshot.dropped, Dropped { close: 9, ..none });
    assert_eq!(snapshot.slow_episodes, 1);

    let (metrics, handle, _far) = stuck(SlowPeer::Wait);
    assert_eq!(handle.try_send("x"), Err(SendError::Full));
    let snapshot = metrics.snapshot();
    assert_eq!((snapshot.dropped, snapshot.slow_episodes), (none, 1));
}

#[tokio::test(start_paused = true)]
async fn round_trips_are_counted_by_their_time() {
    let metrics = Arc::new(Metrics::new());
    let keepalive = Keepalive {
        interval: Duration::from_secs(20),
        timeout: Duration::from_secs(20),
    };
    let (ws, far) = wired_server_with(Config {
        keepalive: Some(keepalive),
        ..Config::default()
    });
    let mut ws = ws.with_metrics(&metrics);
    let receiving = tokio::spawn(async move { ws.recv().await });
    tokio::time::sleep(Duration::from_secs(20)).await;
    settle().await;
    let ping = far.frames().pop().unwrap();
    tokio::time::sleep(Duration::from_millis(29)).await;
    far.push_masked(Frame::pong(ping.payload));
    settle().await;
    let round_trips = metrics.snapshot().round_trips;
    assert_eq!((round_trips.count(), round_trips.counts[5]), (1, 1));
    assert_eq!(round_trips.sum, Duration::from_millis(30));
    far.end();
    soon(receiving).await.unwrap();
    assert_eq!(metrics.snapshot().round_trips, round_trips);
}

#[test]
fn a_runtime_that_stops_leaves_no_connection_counted_as_open() {
    let metrics = Arc::new(Metrics::new());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let waiting = runtime.block_on(async {
        let (waiting, _handle, _far) = stuck(SlowPeer::Wait);
        tokio::task::yield_now().await;
        assert_eq!(waiting.snapshot().backlog.messages, 8);
        let (ws, _far) = wired_server();
        group(GroupOptions::default())
            .adopt(ws.with_metrics(&metrics), Attributes::default())
            .unwrap();
        assert_eq!(metrics.snapshot().connections_open, 1);
        waiting
    });
    drop(runtime);
    let snapshot = waiting.snapshot();
    assert_eq!(snapshot.backlog, bowline::Backlog::default());
    assert_eq!(endings(&snapshot), [("local", "aborted", 1)]);
    let snapshot = metrics.snapshot();
    assert_eq!(snapshot.connections_open, 0);
    assert_eq!(endings(&snapshot), [("local", "aborted", 1)]);
}

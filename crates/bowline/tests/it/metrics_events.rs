//! What is told to `tracing`, and what never is.

use std::{
    io,
    sync::{Arc, LazyLock, Mutex, MutexGuard},
};

use bowline::{
    CloseCode, Connector, Endpoint, Error, OutboxLimits, ReceiveLimits, ReceiveMark, Request,
    SlowPeer,
    server::{Attributes, DrainOptions, GroupOptions, GroupTable, GroupTableLimits, Registry},
};
use bowline_testkit::Frame;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tracing::{
    Dispatch, Level,
    subscriber::{DefaultGuard, NoSubscriber},
};
use tracing_subscriber::fmt::{MakeWriter, format::FmtSpan};

use crate::{
    ends::{settle, wired_server},
    metrics::Site,
};

/// Everything this thread told while it is there, as lines.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<u8>>>);

impl Told {
    fn listen(level: Level) -> (Self, DefaultGuard) {
        LazyLock::force(&OTHER);
        let told = Self::default();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(level)
            .with_ansi(false)
            .without_time()
            .with_span_events(FmtSpan::FULL)
            .with_writer(told.clone())
            .finish();
        (told, tracing::subscriber::set_default(subscriber))
    }

    fn text(&self) -> String {
        String::from_utf8(self.lock().clone()).unwrap()
    }

    /// Gives the lines that hold `part`.
    fn lines(&self, part: &str) -> Vec<String> {
        let text = self.text();
        let lines = text.lines().filter(|line| line.contains(part));
        lines.map(str::to_owned).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap()
    }
}

/// Listens to nothing, for ever. With only one subscriber in the program, whatever thread meets a
/// place that tells something first decides for all threads whether it is told.
static OTHER: LazyLock<Dispatch> = LazyLock::new(|| Dispatch::new(NoSubscriber::default()));

impl io::Write for Told {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Told {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

fn groups(registry: &Registry) -> GroupTable {
    GroupTable::new(registry.clone(), GroupTableLimits::default())
}

/// Reads a head from one stream and passes it on; gives its text.
async fn relay_head(
    from: &mut (impl AsyncReadExt + Unpin),
    to: &mut (impl AsyncWriteExt + Unpin),
) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(from.read_u8().await.unwrap());
    }
    to.write_all(&head).await.unwrap();
    String::from_utf8(head).unwrap()
}

fn secret_endpoint() -> Endpoint {
    Endpoint::parse("ws://user:SECRET-1@example.test/path?token=SECRET-2").unwrap()
}

fn secret_connector(site: &Site) -> Connector {
    site.connector
        .clone()
        .with_header("Cookie", "session=SECRET-3")
        .with_header("X-Api-Key", "SECRET-4")
        .with_subprotocol("SECRET-5")
}

/// Secrets are in every place that a program may put one: userinfo, query, headers, cookies both
/// ways, subprotocol, key, payloads both ways, pings, close reason.
#[tokio::test(start_paused = true)]
async fn no_secret_of_a_conversation_is_told_at_any_level() {
    let (told, _guard) = Told::listen(Level::TRACE);
    let site = Site::new();
    let (near, mut middle) = duplex(1 << 16);
    let (far, mut other) = duplex(1 << 16);
    let (endpoint, connector) = (secret_endpoint(), secret_connector(&site));
    let relay = async {
        let head = relay_head(&mut middle, &mut other).await;
        relay_head(&mut other, &mut middle).await;
        tokio::spawn(async move { tokio::io::copy_bidirectional(&mut middle, &mut other).await });
        head
    };
    let registry = Registry::new();
    let group = groups(&registry)
        .create("secrets", GroupOptions::default())
        .unwrap();
    group.on_text(|connection, text| connection.post(text.to_owned()));
    let accept = async {
        let Request::WebSocket(offer) = site.acceptor.read_request(far).await.unwrap() else {
            panic!("a connector asks for a WebSocket");
        };
        let attributes = Attributes {
            peer: Some("192.0.2.7:1234".parse().unwrap()),
            request: Some(offer.request().clone()),
            user: Some("SECRET-6".into()),
            ..Attributes::default()
        };
        let websocket = offer
            .with_subprotocol("SECRET-5")
            .with_header("Set-Cookie", "session=SECRET-7")
            .accept()
            .await
            .unwrap();
        group.adopt(websocket, attributes).unwrap()
    };
    let (client, handle, head) = tokio::join!(connector.connect_on(&endpoint, near), accept, relay);
    let mut client = client.unwrap();
    client.send("SECRET-8").await.unwrap();
    assert_eq!(client.recv().await.unwrap().as_text(), Some("SECRET-8"));
    client.ping(b"SECRET-9").await.unwrap();
    handle.ping(b"SECRET-A").unwrap();
    handle.close(CloseCode::NORMAL, "SECRET-B").unwrap();
    while client.recv().await.is_some() {}
    registry.until_empty().await;

    check_attributed(&told.text(), handle.id().as_u64());
    check_secret(&told.text(), &head);
}

/// Checks that the conversation was told, and whose it was.
fn check_attributed(text: &str, id: u64) {
    for part in [
        "open",
        "ended",
        "read",
        "written",
        "path=\"/path\"",
        "peer=192.0.2.7:1234",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(text.contains(&format!("id={id}")), "{text}");
    assert!(text.contains("group=\"secrets\""), "{text}");
}

/// Checks that nothing was told that the request's head or the application keeps secret.
fn check_secret(text: &str, head: &str) {
    let fields = head.lines().filter_map(|line| line.split_once(": "));
    let key = fields
        .filter(|(name, _)| name.eq_ignore_ascii_case("Sec-WebSocket-Key"))
        .map(|(_, key)| key)
        .next()
        .unwrap();
    let basic = head
        .lines()
        .find_map(|line| line.strip_prefix("Authorization: Basic "))
        .unwrap();
    for secret in ["SECRET", "token", "user", key, basic] {
        assert!(!text.contains(secret), "{secret}\n{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_tells_status_and_code_but_no_secret() {
    let (told, _guard) = Told::listen(Level::TRACE);
    let site = Site::new();
    let (mut near, far) = duplex(1 << 16);
    let request = "GET /p?token=SECRET HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\
        Connection: Upgrade\r\nSec-WebSocket-Version: 12\r\nSec-WebSocket-Key: SECRET\r\n\
        Authorization: Bearer SECRET\r\nCookie: a=SECRET\r\n\r\n";
    near.write_all(request.as_bytes()).await.unwrap();
    near.shutdown().await.unwrap();
    let refused = site.acceptor.accept(far).await;
    assert!(matches!(refused, Err(Error::RefusedRequest(_))));
    let lines = told.lines("refused");
    assert_eq!(lines.len(), 1, "{lines:?}");
    let Error::RefusedRequest(refusal) = refused.unwrap_err() else {
        unreachable!()
    };
    for part in [
        format!("status={}", refusal.status()),
        format!("code={}", refusal.detail().code()),
        "DEBUG bowline:".to_owned(),
    ] {
        assert!(lines[0].contains(&part), "{part} {lines:?}");
    }

    let (near, far) = duplex(1 << 16);
    let (endpoint, connector) = (secret_endpoint(), secret_connector(&site));
    let refuse = async {
        match site.acceptor.read_request(far).await.unwrap() {
            Request::WebSocket(offer) => {
                let offer = offer.with_header("Set-Cookie", "a=SECRET");
                offer.refuse(401, "SECRET").await.unwrap();
            }
            Request::Http(..) => panic!("a connector asks for a WebSocket"),
        }
    };
    let (connected, ()) = tokio::join!(connector.connect_on(&endpoint, near), refuse);
    assert!(connected.is_err());
    let lines = told.lines("status=401");
    assert_eq!(lines.len(), 2, "one for each end: {lines:?}");
    assert!(
        lines.iter().any(|line| line.contains("path=\"/path\"")),
        "{lines:?}"
    );
    assert!(!told.text().contains("SECRET"), "{}", told.text());
}

#[tokio::test(start_paused = true)]
async fn a_broken_rule_is_told_with_its_connection_and_without_what_was_sent() {
    let (told, _guard) = Told::listen(Level::DEBUG);
    let registry = Registry::new();
    let group = groups(&registry)
        .create("strict", GroupOptions::default())
        .unwrap();
    let (ws, far) = wired_server();
    let handle = group.adopt(ws, Attributes::default()).unwrap();
    far.push(&Frame::text("SECRET").encode());
    settle().await;
    far.end();
    registry.until_empty().await;
    let lines = told.lines("broke a rule");
    assert_eq!(lines.len(), 1, "{}", told.text());
    for part in [
        format!("id={}", handle.id().as_u64()),
        "code=1002".to_owned(),
        "rule=the client sent a frame that is not masked".to_owned(),
    ] {
        assert!(lines[0].contains(&part), "{part} {lines:?}");
    }
    assert_eq!(told.lines("the connection ended").len(), 1);
    assert!(!told.text().contains("SECRET"));
}

/// Sends until a message is dropped, and 100 more.
async fn overrun(level: Level, policy: SlowPeer) -> (Told, u64, DefaultGuard) {
    let (told, guard) = Told::listen(level);
    let outbox = OutboxLimits {
        messages_max: 2,
        bytes_max: usize::MAX,
        policy,
    };
    let registry = Registry::new();
    let options = GroupOptions {
        outbox,
        push_only: true,
        ..GroupOptions::default()
    };
    let group = groups(&registry).create("feed", options).unwrap();
    let (ws, far) = wired_server();
    far.limit(0);
    let handle = group.adopt(ws, Attributes::default()).unwrap();
    for _ in 0..2 {
        for _ in 0..103 {
            handle.post(vec![0; 64 << 10]);
        }
        // The peer keeps up again, and then no more.
        far.unlimit();
        settle().await;
        far.limit(0);
    }
    (told, handle.id().as_u64(), guard)
}

#[tokio::test(start_paused = true)]
async fn a_slow_peer_is_reported_once_until_it_keeps_up_even_without_spans() {
    let (told, id, _guard) = overrun(Level::WARN, SlowPeer::DropOldest).await;
    let lines = told.lines("does not keep up");
    assert_eq!(lines.len(), 2, "{}", told.text());
    for part in [
        format!("id={id}"),
        "WARN bowline:".to_owned(),
        "group=\"feed\"".to_owned(),
        "policy=\"drop_oldest\"".to_owned(),
        "messages=2".to_owned(),
    ] {
        assert!(
            lines.iter().all(|line| line.contains(&part)),
            "{part} {lines:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_whose_senders_wait_is_no_reason_to_warn() {
    let (told, _, _guard) = overrun(Level::DEBUG, SlowPeer::Wait).await;
    let lines = told.lines("does not keep up");
    assert_eq!(lines.len(), 2, "{}", told.text());
    assert!(lines.iter().all(|line| line.contains("DEBUG")), "{lines:?}");
}

#[tokio::test(start_paused = true)]
async fn an_application_that_does_not_keep_up_is_reported_once_per_mark() {
    let (told, _guard) = Told::listen(Level::WARN);
    let mark = |messages| ReceiveMark {
        messages,
        bytes: usize::MAX,
    };
    let options = GroupOptions {
        receive: ReceiveLimits {
            warn: mark(2),
            stop: mark(4),
        },
        ..GroupOptions::default()
    };
    let group = groups(&Registry::new()).create("desk", options).unwrap();
    group.on_message(|_, _| std::future::pending());
    let (ws, far) = wired_server();
    let handle = group.adopt(ws, Attributes::default()).unwrap();
    for _ in 0..10 {
        far.push_masked(Frame::new(Frame::TEXT, "SECRET"));
    }
    settle().await;
    let lines = told.lines("the application does not keep up");
    assert_eq!(lines.len(), 2, "{}", told.text());
    let id = format!("id={}", handle.id().as_u64());
    assert!(lines.iter().all(|line| line.contains(&id)), "{lines:?}");
    assert!(lines[0].contains("messages=2 bytes=12"), "{lines:?}");
    assert!(lines[1].contains("reading stops"), "{lines:?}");
    assert!(!told.text().contains("SECRET"));
}

#[tokio::test(start_paused = true)]
async fn draining_is_told_with_its_numbers() {
    let (told, _guard) = Told::listen(Level::INFO);
    let registry = Registry::new();
    let group = groups(&registry)
        .create("drained", GroupOptions::default())
        .unwrap();
    let (ws, _far) = wired_server();
    group.adopt(ws, Attributes::default()).unwrap();
    let report = registry.drain(&DrainOptions::default()).await;
    let lines = told.lines("drained");
    assert_eq!(lines.len(), 1, "{}", told.text());
    let numbers = format!("told={} cut={}", report.told, report.cut.len());
    assert!(
        lines[0].contains(&numbers) && lines[0].contains("INFO"),
        "{lines:?}"
    );
}

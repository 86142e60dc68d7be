//! Conversations with other implementations: both roles, plain and under TLS, with and without
//! compression.
//!
//! A peer is a process (or task) that takes commands, see [`peer`]; what is checked is in
//! [`talk`] and [`closing`]. Each test is one peer in one role of ours, with its table of
//! compressions.

mod closing;
mod counted;
mod deflate;
pub(crate) mod identity;
mod message;
mod pair;
pub(crate) mod peer;
mod talk;
pub(crate) mod tools;
mod tungstenite;

use std::time::Duration;

use bowline::{Acceptor, Keepalive, Limits, Request, proto::Role};
use serde_json::json;
use tokio::{io::AsyncWriteExt as _, net::TcpListener};

use closing::{Closing, Violation};
use pair::{Deflate, Pair, Session, Transport};
use peer::{Ability, Peer, deadline};

#[tokio::test]
async fn our_server_and_websockets_agree() {
    check(
        &mut Peer::websockets(),
        Role::Server,
        &deflate::websockets_clients(),
    )
    .await;
}

#[tokio::test]
async fn our_client_and_websockets_agree() {
    check(
        &mut Peer::websockets(),
        Role::Client,
        &deflate::websockets_servers(),
    )
    .await;
}

#[tokio::test]
async fn our_server_and_ws_agree() {
    check(&mut Peer::ws(), Role::Server, &deflate::ws_clients()).await;
}

#[tokio::test]
async fn our_client_and_ws_agree() {
    check(&mut Peer::ws(), Role::Client, &deflate::ws_servers()).await;
}

#[tokio::test]
async fn our_server_and_node_agree() {
    check(&mut Peer::node(), Role::Server, &deflate::whatwg()).await;
}

#[tokio::test]
async fn our_server_and_tungstenite_agree() {
    check(
        &mut Peer::tungstenite(),
        Role::Server,
        &deflate::unsupported(),
    )
    .await;
}

#[tokio::test]
async fn our_client_and_tungstenite_agree() {
    check(
        &mut Peer::tungstenite(),
        Role::Client,
        &deflate::unsupported(),
    )
    .await;
}

#[tokio::test]
async fn our_server_and_chromium_agree() {
    let mut peer = Peer::chromium();
    visit_page(&mut peer).await;
    check(&mut peer, Role::Server, &deflate::whatwg()).await;
    peer.ask(json!({ "do": "quit" })).await;
}

/// Everything one peer and one role of ours have to agree on. The first row of `deflates` is
/// without compression, the second with.
async fn check(peer: &mut Peer, role: Role, deflates: &[Deflate]) {
    for (index, deflate) in deflates.iter().enumerate() {
        for transport in TRANSPORTS {
            let session = session(role, transport, deflate);
            let mut pair = Pair::open(peer, &session).await;
            // Long messages take long in all sessions, and a small window makes them slower.
            let len_max = match index {
                1 if !pair.peer.can(Ability::InflateLong) => talk::MIB,
                0 | 1 => 16 * talk::MIB,
                _ => talk::MIB / 4,
            };
            talk::exchange_messages(&mut pair, len_max).await;
            talk::exchange_pings(&mut pair).await;
            talk::check_wire(&mut pair, deflate, role).await;
            closing::we_close(pair, &Closing::normal()).await;
        }
    }
    for transport in TRANSPORTS {
        let plain = session(role, transport, &deflates[0]);
        pair::refuse(peer, &plain).await;
        let keepalive = Some(Keepalive {
            interval: Duration::from_millis(1),
            timeout: Duration::from_secs(30),
        });
        let alive = Session { keepalive, ..plain };
        talk::stay_alive(Pair::open(peer, &alive).await).await;
    }
    check_ends(peer, role, deflates).await;
}

/// The ends of connections, on plain ones and under TLS in turn.
async fn check_ends(peer: &mut Peer, role: Role, deflates: &[Deflate]) {
    let mut transports = TRANSPORTS.into_iter().cycle();
    let mut next = || session(role, transports.next().unwrap(), &deflates[0]);
    for closing in Closing::all() {
        if closing.is_possible(peer) {
            closing::peer_closes(Pair::open(peer, &next()).await, &closing).await;
        }
        if closing.is_possible_for_us() {
            closing::we_close(Pair::open(peer, &next()).await, &closing).await;
        }
    }
    if peer.can(Ability::Raw) {
        let limits = Limits {
            message_size_max: 1_000,
            ..Limits::default()
        };
        for violation in Violation::all(role) {
            let session = Session { limits, ..next() };
            closing::peer_violates(Pair::open(peer, &session).await, &violation).await;
        }
        if let Some(deflate) = deflates.get(1) {
            let session = Session { deflate, ..next() };
            let violation = Violation::of_compression(role);
            closing::peer_violates(Pair::open(peer, &session).await, &violation).await;
        }
    }
    if peer.can(Ability::SizeLimit) {
        let session = Session {
            peer_size_max: 1_000,
            ..next()
        };
        closing::we_send_too_much(Pair::open(peer, &session).await).await;
    }
}

fn session(role: Role, transport: Transport, deflate: &Deflate) -> Session<'_> {
    Session {
        role,
        transport,
        deflate,
        limits: Limits::default(),
        keepalive: None,
        peer_size_max: 0,
    }
}

/// Serves one page, so that the browser's requests have an origin.
async fn visit_page(peer: &mut Peer) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let serve = async {
        let (tcp, _) = listener.accept().await.unwrap();
        let request = Acceptor::default().read_request(tcp).await.unwrap();
        let Request::Http(head, mut stream) = request else {
            panic!("not a request for a page: {request:?}");
        };
        assert_eq!(head.path(), "/page");
        let answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n\
            <!doctype html><title>Interop</title>";
        stream.write_all(answer).await.unwrap();
        stream.shutdown().await.unwrap();
    };
    let visit = json!({ "do": "visit", "url": format!("{origin}/page") });
    let (visited, ()) = tokio::join!(peer.ask(visit), deadline("browser", serve));
    assert_eq!(visited, json!({ "status": 200, "title": "Interop" }));
    peer.origin = Some(origin);
}

const TRANSPORTS: [Transport; 2] = [Transport::Plain, Transport::Tls];

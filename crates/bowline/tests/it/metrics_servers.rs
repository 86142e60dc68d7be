//! Handshakes that a listener or a handler of another HTTP server answers are counted too.

use std::{net::SocketAddr, sync::Arc};

use axum::{Extension, Router, body::Body, response::Response, routing::any};
use bowline::{
    Acceptor, Connector, Error, Metrics, Offer, Options, Rejection, UpgradedStream, WebSocket,
    metrics::HandshakeOutcome,
    server::{
        Arrival, Listener, ListenerConfig,
        admission::{Admission, AdmissionLimits, AdmissionOptions},
        rules::{RuleSet, Rules},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};

fn counted() -> (Arc<Metrics>, Acceptor) {
    let metrics = Arc::new(Metrics::new());
    let options = Options {
        metrics: Some(Arc::clone(&metrics)),
        ..Options::default()
    };
    let acceptor = Acceptor {
        options,
        ..Acceptor::default()
    };
    (metrics, acceptor)
}

/// Gives the outcomes that were counted, without those that led to a connection.
fn refused(metrics: &Metrics) -> Vec<(HandshakeOutcome, u64)> {
    let handshakes = metrics.snapshot().handshakes.into_iter();
    handshakes
        .filter(|(outcome, _)| *outcome != HandshakeOutcome::Accepted)
        .collect()
}

const fn refusal(status: u16, code: u16) -> HandshakeOutcome {
    HandshakeOutcome::Refused { status, code }
}

async fn ask(address: SocketAddr, request: &str) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(!answer.is_empty());
}

#[tokio::test]
async fn a_listener_counts_what_its_rules_and_limits_refuse_by_their_codes() {
    let (metrics, acceptor) = counted();
    let rules = RuleSet::parse("allow /chat\nroute /chat chat websocket-only").unwrap();
    let admission = Admission::new(AdmissionOptions {
        limits: AdmissionLimits {
            connection_count_max: 2,
            ..AdmissionLimits::default()
        },
        ..AdmissionOptions::default()
    });
    let mut config = ListenerConfig::new("main".parse().unwrap(), Rules::new(rules), admission);
    config.acceptor = acceptor;
    let listener = Listener::bind("127.0.0.1:0", config).await.unwrap();
    let address = listener.local_addr();
    let (_stop, stopped) = oneshot::channel::<()>();
    let serve = async |arrival| match arrival {
        Arrival::WebSocket(arrival) => {
            let (mut ws, _permit) = arrival.accept().await.unwrap();
            while ws.recv().await.is_some() {}
        }
        Arrival::Http(_) => panic!("no rule lets a page through"),
    };
    tokio::spawn(listener.serve(serve, async move { drop(stopped.await) }));

    let url = format!("ws://{address}/chat");
    let mut places = vec![bowline::connect(&url).await.unwrap()];
    assert_eq!(metrics.snapshot().connections_open, 1);
    let denied = bowline::connect(&format!("ws://{address}/secret")).await;
    assert!(matches!(denied, Err(Error::Refused(_))));
    assert_eq!(refused(&metrics), [(refusal(403, 201), 1)]);

    // The place of the one that was refused may be taken still, or free again.
    while let Ok(chat) = bowline::connect(&url).await {
        places.push(chat);
    }
    assert_eq!(
        refused(&metrics),
        [(refusal(403, 201), 1), (refusal(503, 110), 1)]
    );
}

/// Answers by the path: a WebSocket, or 401.
async fn handle(offer: Offer) -> Result<Response, Rejection> {
    if offer.request().path() == "/refused" {
        return offer.refuse::<Body>(401, "no");
    }
    offer.on_upgrade(async |opened: Result<WebSocket<UpgradedStream>, Error>| {
        let mut ws = opened.unwrap();
        while let Some(message) = ws.recv().await {
            ws.send(message).await.unwrap();
        }
    })
}

#[tokio::test]
async fn offers_inside_handlers_count_by_the_acceptor_they_are_given() {
    let (metrics, acceptor) = counted();
    let router = Router::new()
        .route("/{*path}", any(handle))
        .layer(Extension(acceptor));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });

    let connector = Connector::default();
    let mut echo = connector
        .connect(&format!("ws://{address}/echo"))
        .await
        .unwrap();
    echo.send("four").await.unwrap();
    assert!(echo.recv().await.is_some());
    let snapshot = metrics.snapshot();
    assert_eq!((snapshot.messages_in, snapshot.payload_bytes_in), (1, 4));
    assert_eq!(snapshot.connections_open, 1);
    assert_eq!(snapshot.handshakes_with(HandshakeOutcome::Accepted), 1);

    let denied = connector.connect(&format!("ws://{address}/refused")).await;
    assert!(matches!(denied, Err(Error::Refused(_))));
    let plain = "GET /page HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    ask(address, plain).await;
    let old = "GET /page HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Version: 12\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    ask(address, old).await;
    assert_eq!(
        refused(&metrics),
        [
            (refusal(401, 0), 1),
            (refusal(426, 1), 1),
            (refusal(426, 52), 1)
        ]
    );
}

//! What a client gets of a handler that accepts.

use std::{net::SocketAddr, sync::Arc};

use axum::{Extension, Router, response::Response, routing::any};
use bowline::{
    Acceptor, CloseCode, Config, Connector, DeflateNegotiation, Error, Limits, Message, Offer,
    Options, Rejection, SetCookie,
    proto::handshake::{HandshakeMisuse, RequestHead},
    server::{Attributes, GroupOptions, GroupTable, GroupTableLimits, Registry},
};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::{net::TcpStream, sync::mpsc};
use tokio_tungstenite::tungstenite;

use super::{
    CLOSE, HANDSHAKE, HI, axum_server, echo_servers, exchange, hyper_server, router_server,
    send_back, send_with_handshake,
};

#[tokio::test]
async fn every_kind_of_server_accepts_and_closes_cleanly() {
    for (server, address) in echo_servers().await {
        let url = format!("ws://{address}/");
        let mut client = bowline::connect(&url).await.unwrap();
        for message in [Message::text("text"), Message::binary(vec![7; 70_000])] {
            client.send(message.clone()).await.unwrap();
            assert_eq!(client.recv().await, Some(message), "{server}");
        }
        assert!(client.is_compressed(), "{server}");
        let ending = client.close(CloseCode::NORMAL, "done").await.unwrap();
        assert!(ending.is_clean(), "{server}: {ending:?}");
    }
}

#[tokio::test]
async fn a_client_of_another_library_is_served() {
    for (server, address) in echo_servers().await {
        let url = format!("ws://{address}/");
        let (mut client, _) = tokio_tungstenite::connect_async(url).await.unwrap();
        let message = tungstenite::Message::text("hello");
        client.send(message.clone()).await.unwrap();
        assert_eq!(client.next().await.unwrap().unwrap(), message, "{server}");
        client.close(None).await.unwrap();
        let close = client.next().await.unwrap().unwrap();
        assert!(close.is_close(), "{server}");
        assert!(client.next().await.is_none(), "{server}");
    }
}

#[tokio::test]
async fn one_route_serves_http_as_well() {
    for (server, address) in echo_servers().await {
        let request = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        let answer = exchange(address, request).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{server}: {answer}");
        assert!(answer.ends_with("a page"), "{server}: {answer}");
    }
}

#[tokio::test]
async fn the_answer_carries_subprotocol_headers_and_cookies() {
    async fn handler(offer: Offer) -> Result<Response, Rejection> {
        let offered: Vec<_> = offer.subprotocols().collect();
        assert_eq!(offered, ["a.v1", "b.v2"]);
        assert_eq!(offer.origin(), Some("http://x"));
        assert_eq!(offer.request().query(), Some("room=1"));
        let cookies: Vec<_> = offer.request().headers().cookies().collect();
        assert_eq!(cookies, [(&b"id"[..], &b"7"[..])]);
        let cookie = SetCookie::new("id", "8")?.with("HttpOnly")?;
        let offer = offer
            .with_subprotocol("b.v2")
            .with_header("X-Room", "one")
            .with_cookie(&cookie)
            .with_cookie(&SetCookie::new("theme", "dark")?);
        let (response, pending) = offer.accept()?;
        assert_eq!(pending.subprotocol(), Some("b.v2"));
        tokio::spawn(async move {
            let mut ws = pending.await.unwrap();
            assert_eq!(ws.subprotocol(), Some("b.v2"));
            ws.close(CloseCode::NORMAL, "").await
        });
        Ok(response)
    }
    let address = router_server(Router::new().route("/", any(handler))).await;
    let connector = Connector::default()
        .with_subprotocol("a.v1")
        .with_subprotocol("b.v2")
        .with_origin("http://x")
        .with_header("Cookie", "id=7");
    let url = format!("ws://{address}/?room=1");
    let mut client = connector.connect(&url).await.unwrap();
    assert_eq!(client.subprotocol(), Some("b.v2"));
    let headers = client.response().unwrap().headers();
    assert_eq!(headers.text("x-room"), Some("one"));
    let cookies: Vec<_> = headers.set_cookies().collect();
    assert_eq!(cookies, [&b"id=8; HttpOnly"[..], b"theme=dark"]);
    assert_eq!(client.recv().await, None);
    assert!(client.ending().unwrap().is_clean());
}

#[tokio::test]
async fn frames_that_came_with_the_handshake_are_not_lost() {
    for (server, address) in echo_servers().await {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let frames = send_with_handshake(&mut stream, 100).await;
        assert!(frames == [&HI.repeat(100), CLOSE].concat(), "{server}");
    }
}

#[tokio::test]
async fn what_is_queued_at_once_leaves_right_behind_the_answer_and_in_order() {
    async fn handler(offer: Offer) -> Result<Response, Rejection> {
        let (response, mut pending) = offer.accept()?;
        for number in 0..10 {
            pending.feed(format!("{number}")).unwrap();
        }
        tokio::spawn(async move {
            let mut ws = pending.await.unwrap();
            ws.send("later").await.unwrap();
            ws.recv().await
        });
        Ok(response)
    }
    let address = router_server(Router::new().route("/", any(handler))).await;
    let mut client = bowline::connect(&format!("ws://{address}/")).await.unwrap();
    for number in 0..10 {
        let message = Message::text(format!("{number}"));
        assert_eq!(client.recv().await, Some(message));
    }
    assert_eq!(client.recv().await, Some(Message::text("later")));
}

#[tokio::test]
async fn what_is_queued_before_the_answer_leaves_is_bounded() {
    async fn handler(offer: Offer) -> Result<Response, Rejection> {
        let options = Options {
            deflate: DeflateNegotiation::DISABLED,
            ..Options::default()
        };
        let (response, mut pending) = offer.with_options(options).accept()?;
        let mut queued = 0_u32;
        let error = loop {
            match pending.feed(vec![0; 1024]) {
                Ok(()) => queued += 1,
                Err(error) => break error,
            }
        };
        assert!(matches!(error, Error::QueueFull));
        assert_eq!(queued, 64);
        tokio::spawn(async move { pending.await.unwrap().close(CloseCode::NORMAL, "").await });
        Ok(response)
    }
    let address = router_server(Router::new().route("/", any(handler))).await;
    let mut client = bowline::connect(&format!("ws://{address}/")).await.unwrap();
    let mut received = 0;
    while let Some(message) = client.recv().await {
        assert_eq!(message, Message::binary(vec![0; 1024]));
        received += 1;
    }
    assert_eq!(received, 64);
}

#[tokio::test]
async fn a_dropped_websocket_ends_the_connection_behind_the_answer() {
    let address = hyper_server(|mut request| {
        let offer = Offer::from_request(&mut request).unwrap();
        offer.accept().unwrap().0
    })
    .await;
    let answer = exchange(address, HANDSHAKE.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    assert!(answer.ends_with("\r\n\r\n"), "{answer}");
}

#[tokio::test]
async fn a_client_that_got_another_answer_never_counts_as_a_websocket_that_ended_well() {
    let (sender, mut endings) = mpsc::unbounded_channel();
    let handler = async move |offer: Offer| {
        let (_, pending) = offer.accept::<axum::body::Body>().unwrap();
        tokio::spawn(async move {
            let ending = match pending.await {
                // hyper hands the stream over after any answer, once the client is done with HTTP.
                Ok(mut ws) => {
                    assert_eq!(ws.recv().await, None);
                    ws.ending()
                }
                Err(_) => None,
            };
            sender.send(ending)
        });
        "something else"
    };
    let address = router_server(Router::new().route("/", any(handler))).await;
    let refused = bowline::connect(&format!("ws://{address}/")).await;
    assert!(matches!(refused, Err(Error::Refused(answer)) if answer.response.status() == 200));
    let ending = endings.recv().await.unwrap();
    assert!(ending.is_none_or(|ending| !ending.is_clean()));
}

#[tokio::test]
async fn the_peer_address_is_known_before_the_answer() {
    fn answer<B, R: From<bytes::Bytes>>(mut request: http::Request<B>) -> http::Response<R> {
        let offer = Offer::from_request(&mut request).unwrap();
        let address: SocketAddr = offer.peer_addr().unwrap();
        let (response, mut pending) = offer.accept().unwrap();
        tokio::spawn(async move {
            pending.feed(address.to_string()).unwrap();
            pending.await.unwrap().recv().await
        });
        response
    }
    for address in [hyper_server(answer).await, axum_server(answer).await] {
        let mut client = bowline::connect(&format!("ws://{address}/")).await.unwrap();
        let local = client.with_stream(|stream| stream.tcp().local_addr().unwrap());
        let expected = Message::text(local.unwrap().to_string());
        assert_eq!(client.recv().await, Some(expected));
    }
}

#[tokio::test]
async fn the_number_of_a_connection_is_known_before_the_answer() {
    let registry = Registry::new();
    let groups = GroupTable::new(registry.clone(), GroupTableLimits::default());
    let group = groups.create("all", GroupOptions::default()).unwrap();
    group.on_text(|connection, text| {
        let id = connection.id().as_u64();
        let request = connection.attributes().request.as_ref();
        let path = request.map(RequestHead::path);
        connection.post(format!("{id} {path:?} {text}"));
    });
    let handler = async move |offer: Offer| {
        let reserved = registry.reserve().unwrap();
        let id = reserved.id().as_u64();
        let attributes = Attributes {
            request: Some(offer.request().clone()),
            ..Attributes::default()
        };
        let offer = offer.with_header("X-Connection", id.to_string());
        offer.on_upgrade::<axum::body::Body, _, _>(async move |ws| {
            group.adopt_as(reserved, ws.unwrap(), attributes);
        })
    };
    let address = router_server(Router::new().route("/room", any(handler))).await;
    let url = format!("ws://{address}/room");
    let mut client = bowline::connect(&url).await.unwrap();
    let id = client.response().unwrap().headers().text("x-connection");
    let expected = format!("{} Some(\"/room\") hi", id.unwrap());
    client.send("hi").await.unwrap();
    assert_eq!(client.recv().await, Some(Message::text(expected)));
}

#[tokio::test]
async fn options_of_an_acceptor_and_of_one_offer_are_kept() {
    fn options(message_size_max: u64) -> Options {
        let limits = Limits {
            message_size_max,
            ..Limits::default()
        };
        let config = Config {
            limits,
            ..Config::default()
        };
        Options {
            config: Arc::new(config),
            ..Options::default()
        }
    }
    async fn one(offer: Offer) -> Result<Response, Rejection> {
        offer.with_options(options(3)).on_upgrade(send_back)
    }
    async fn all(offer: Offer) -> Result<Response, Rejection> {
        offer.on_upgrade(send_back)
    }
    let acceptor = Acceptor {
        options: options(2),
        ..Acceptor::default()
    };
    let router = Router::new()
        .route("/one", any(one))
        .route("/all", any(all))
        .layer(Extension(acceptor));
    let address = router_server(router).await;
    for (path, largest) in [("one", 3), ("all", 2)] {
        let url = format!("ws://{address}/{path}");
        let mut client = bowline::connect(&url).await.unwrap();
        let message = Message::binary(vec![1; largest]);
        client.send(message.clone()).await.unwrap();
        assert_eq!(client.recv().await, Some(message), "{path}");
        client.send(vec![1; largest + 1]).await.unwrap();
        assert_eq!(client.recv().await, None, "{path}");
        let code = client.ending().unwrap().code;
        assert_eq!(code, CloseCode::MESSAGE_TOO_BIG, "{path}");
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_sent_is_the_servers_fault() {
    async fn subprotocol(offer: Offer) -> Result<Response, Rejection> {
        let rejection = offer.with_subprotocol("x").accept::<axum::body::Body>();
        let rejection = rejection.unwrap_err();
        let misuse = HandshakeMisuse::SubprotocolNotOffered;
        assert_eq!(rejection, Rejection::Misuse(misuse));
        assert_eq!(rejection.code(), 100);
        Err(rejection)
    }
    async fn header(offer: Offer) -> Result<Response, Rejection> {
        let offer = offer.with_header("Set-Cookie", "a=b\r\nX-Injected: 1");
        let rejection = offer.accept::<axum::body::Body>().unwrap_err();
        assert_eq!(rejection.code(), 102);
        Err(rejection)
    }
    let router = Router::new()
        .route("/subprotocol", any(subprotocol))
        .route("/header", any(header));
    let address = router_server(router).await;
    for path in ["subprotocol", "header"] {
        let refused = bowline::connect(&format!("ws://{address}/{path}")).await;
        let Err(Error::Refused(answer)) = refused else {
            panic!("{path}: {refused:?}");
        };
        assert_eq!(answer.response.status(), 500);
        assert_eq!(answer.response.headers().first("x-injected"), None);
        assert_eq!(&answer.body[..], b"The server failed to answer.\n");
    }
}

//! Opening handshakes: slow, refused, malformed, and what comes right after them.

use std::time::Duration;

use bowline::{
    Acceptor, ConnectPhase, Connector, Endpoint, Error, Message, Request, Timeouts, UrlError,
    WebSocket, proto::handshake::BodyEnd,
};
use bowline_testkit::{Chunks, Frame};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    net::{TcpListener, TcpSocket, TcpStream},
    time::{Instant, sleep},
};

use crate::{ends::soon, wire::wire};

const HEAD: &str = "GET /chat?x=1 HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";

fn endpoint() -> Endpoint {
    Endpoint::parse("ws://localhost/chat").unwrap()
}

async fn connect_on(stream: DuplexStream) -> Result<WebSocket<DuplexStream>, Error> {
    Connector::default().connect_on(&endpoint(), stream).await
}

/// Connects to a server that answers any request so, and then leaves or stays.
async fn connect_to(answer: &[u8], stays: bool) -> Error {
    let (near, mut far) = duplex(64 << 10);
    far.write_all(answer).await.unwrap();
    if !stays {
        far.shutdown().await.unwrap();
    }
    connect_on(near).await.expect_err("it is not a WebSocket")
}

#[tokio::test(start_paused = true)]
async fn a_head_of_one_byte_per_read_is_read_in_linear_time() {
    let (near, far) = wire();
    far.cut(Chunks::of(1), Chunks::of(1));
    far.push(HEAD.as_bytes());
    let frame = Frame::text("hi").masked([1; 4]).encode();
    far.push(&frame);
    let mut ws = bowline::accept(near).await.unwrap();
    assert_eq!(
        far.read_count(),
        HEAD.len(),
        "no byte is read twice or ahead"
    );
    assert!(far.written().starts_with(b"HTTP/1.1 101 "));
    assert_eq!(ws.recv().await, Some(Message::text("hi")));
    assert_eq!(far.read_count(), HEAD.len() + frame.len());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_drips_its_head_is_cut_off_at_the_deadline() {
    let (near, mut far) = duplex(1024);
    let dripping = tokio::spawn(async move {
        for byte in HEAD.bytes().cycle() {
            sleep(Duration::from_secs(1)).await;
            if far.write_all(&[byte]).await.is_err() {
                return;
            }
        }
    });
    let start = Instant::now();
    let refused = bowline::accept(near).await.unwrap_err();
    assert!(matches!(refused, Error::Timeout(ConnectPhase::Handshake)));
    assert_eq!(start.elapsed().as_secs(), 10);
    dripping.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_is_given_up_at_the_deadline() {
    let (near, _far) = duplex(1024);
    let start = Instant::now();
    let failed = connect_on(near).await.unwrap_err();
    assert!(matches!(failed, Error::Timeout(ConnectPhase::Handshake)));
    assert_eq!(
        failed.to_string(),
        "the opening handshake took longer than its deadline"
    );
    assert_eq!(start.elapsed().as_secs(), 10);
}

#[tokio::test]
async fn a_server_that_takes_no_connection_is_given_up_at_the_deadline() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    // Fills the queue of connections that wait to be accepted.
    let mut waiting = Vec::new();
    for _ in 0..8 {
        let connect = TcpStream::connect(address);
        match tokio::time::timeout(Duration::from_millis(50), connect).await {
            Ok(stream) => waiting.push(stream.unwrap()),
            Err(_) => break,
        }
    }
    let connector = Connector {
        timeouts: Timeouts {
            connect: Duration::from_millis(50),
            ..Timeouts::default()
        },
        ..Connector::default()
    };
    let failed = connector
        .connect(&format!("ws://{address}/"))
        .await
        .unwrap_err();
    assert!(
        matches!(failed, Error::Timeout(ConnectPhase::Connect)),
        "{failed}"
    );
}

#[tokio::test]
async fn nobody_listening_and_bad_urls_are_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let failed = bowline::connect(&format!("ws://{address}/"))
        .await
        .unwrap_err();
    assert!(matches!(failed, Error::Connect { .. }));
    assert!(
        failed.to_string().contains(&address.to_string()),
        "{failed}"
    );
    let failed = bowline::connect("http://localhost/").await.unwrap_err();
    assert!(matches!(failed, Error::Url(UrlError::Scheme(_))));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_keeps_status_line_headers_and_body() {
    let answer = b"HTTP/1.1 403 Not Today\r\nX-Why: moon\r\nContent-Length: 5\r\n\r\nclosedMORE";
    let Error::Refused(refused) = connect_to(answer, true).await else {
        panic!("it is a refusal");
    };
    assert_eq!(refused.response.status(), 403);
    assert_eq!(refused.response.status_line(), b"HTTP/1.1 403 Not Today");
    assert_eq!(refused.response.headers().text("x-why"), Some("moon"));
    assert_eq!(
        (&*refused.body, refused.body_end),
        (&b"close"[..], BodyEnd::Complete)
    );
    let shown = Error::Refused(refused).to_string();
    assert!(shown.contains("403 Not Today"), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_whose_body_never_comes_still_says_why() {
    for stays in [true, false] {
        let answer = b"HTTP/1.1 503 Busy\r\nContent-Length: 100\r\n\r\npart";
        let Error::Refused(refused) = connect_to(answer, stays).await else {
            panic!("it is a refusal");
        };
        assert_eq!(refused.response.status(), 503);
        assert_eq!(
            (&*refused.body, refused.body_end),
            (&b"part"[..], BodyEnd::CutShort)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_body_of_a_refusal_is_bounded() {
    let mut answer = b"HTTP/1.1 500 Oops\r\n\r\n".to_vec();
    answer.resize(60 << 10, b'x');
    let (near, mut far) = duplex(64 << 10);
    far.write_all(&answer).await.unwrap();
    let mut connector = Connector::default();
    connector.limits.body_size_max = 1000;
    let failed = connector.connect_on(&endpoint(), near).await.unwrap_err();
    let Error::Refused(refused) = failed else {
        panic!("it is a refusal");
    };
    assert_eq!(
        (refused.body.len(), refused.body_end),
        (1000, BodyEnd::LimitReached)
    );
}

#[tokio::test(start_paused = true)]
async fn garbage_instead_of_http_is_an_error_of_the_handshake() {
    for garbage in [
        &b"SSH-2.0-OpenSSH_9.2\r\n\r\n"[..],
        &[0xFF; 300],
        b"\x15\x03\x01\x00\x02\x02\x46",
    ] {
        let failed = connect_to(garbage, false).await;
        assert!(matches!(failed, Error::Handshake(_)), "{failed}");
    }
    let failed = connect_to(b"", false).await;
    assert!(matches!(failed, Error::Handshake(_)), "{failed}");
}

#[tokio::test]
async fn every_answer_of_the_acceptor_reaches_a_client_that_is_still_sending() {
    let put = HEAD.replacen("GET", "PUT", 1);
    let old = HEAD.replacen("Version: 13", "Version: 8", 1);
    let keyless = HEAD.replacen("Sec-WebSocket-Key", "X-Key", 1);
    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(20 << 10));
    let cases = [
        (put.as_str(), 405),
        (&old, 426),
        (&keyless, 400),
        (&long, 431),
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", 426),
        ("\x16\x03\x01\x02\x00\x01\x00\x01 TLS here?\r\n\r\n", 400),
    ];
    for (request, status) in cases {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        client.write_all(request.as_bytes()).await.unwrap();
        client.write_all(&vec![b'x'; 40 << 10]).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let accepting = tokio::spawn(bowline::accept(stream));
        let mut answer = Vec::new();
        let mut chunk = [0; 64];
        // To the end of the stream, which is an end and not a reset.
        loop {
            match soon(client.read(&mut chunk)).await.unwrap() {
                0 => break,
                len => answer.extend_from_slice(&chunk[..len]),
            }
        }
        let answer = String::from_utf8(answer).unwrap();
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
        if status == 426 {
            assert!(answer.contains("Sec-WebSocket-Version: 13\r\n"), "{answer}");
        }
        if status == 405 {
            assert!(answer.contains("Allow: GET\r\n"), "{answer}");
        }
        drop(client);
        let refused = soon(accepting).await.unwrap().unwrap_err();
        assert!(
            matches!(refused, Error::RefusedRequest(_) | Error::NotWebSocket),
            "{refused}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_reported_although_the_client_leaves_with_a_reset() {
    let (near, far) = wire();
    far.push(b"NONSENSE\r\n\r\n");
    far.fail_reads(std::io::ErrorKind::ConnectionReset);
    let refused = bowline::accept(near).await.unwrap_err();
    assert!(matches!(refused, Error::RefusedRequest(_)), "{refused}");
    assert!(far.written().starts_with(b"HTTP/1.1 400 "));
}

#[tokio::test(start_paused = true)]
async fn plain_http_is_handed_out_from_its_first_byte() {
    let request = b"POST /form HTTP/1.1\r\nHost:  a \r\ncontent-LENGTH: 3\r\n\r\nabc";
    for chunk in [1, 7, request.len()] {
        let (near, mut far) = duplex(1024);
        let writing = tokio::spawn(async move {
            for piece in request.chunks(chunk) {
                far.write_all(piece).await.unwrap();
                sleep(Duration::from_millis(1)).await;
            }
            far.shutdown().await.unwrap();
            far
        });
        let acceptor = Acceptor::default();
        let Request::Http(head, mut stream) = acceptor.read_request(near).await.unwrap() else {
            panic!("it is plain HTTP");
        };
        assert_eq!((head.method(), head.path()), ("POST", "/form"));
        let mut all = Vec::new();
        stream.read_to_end(&mut all).await.unwrap();
        assert_eq!(all, request);
        drop(writing.await.unwrap());
    }
}

#[tokio::test(start_paused = true)]
async fn frames_right_behind_the_request_belong_to_the_connection() {
    let (near, mut far) = duplex(1024);
    let early = Frame::text("early").masked([1; 4]).encode();
    far.write_all(&[HEAD.as_bytes(), &early, &early[..3]].concat())
        .await
        .unwrap();
    let mut ws = bowline::accept(near).await.unwrap();
    assert_eq!(ws.recv().await, Some(Message::text("early")));
    far.write_all(&early[3..]).await.unwrap();
    assert_eq!(ws.recv().await, Some(Message::text("early")));
}

#[tokio::test(start_paused = true)]
async fn frames_right_behind_the_answer_belong_to_the_connection() {
    let (near, far) = duplex(1024);
    let serve = async {
        let mut ws = bowline::accept(far).await.unwrap();
        ws.send("early").await.unwrap();
        ws
    };
    let (client, _server) = tokio::join!(connect_on(near), serve);
    assert_eq!(client.unwrap().recv().await, Some(Message::text("early")));
}

#[tokio::test(start_paused = true)]
async fn both_ends_know_what_was_negotiated() {
    let (near, far) = duplex(4096);
    let serve = async {
        let request = Acceptor::default().read_request(far).await.unwrap();
        let Request::WebSocket(offer) = request else {
            panic!("it is a WebSocket");
        };
        assert_eq!(offer.request().path(), "/chat");
        assert_eq!(offer.origin(), Some("https://example.com"));
        assert_eq!(offer.subprotocols().collect::<Vec<_>>(), ["a", "b"]);
        let offer = offer
            .with_subprotocol("b")
            .with_header("Set-Cookie", "id=1");
        offer.accept().await.unwrap()
    };
    let connector = Connector::default()
        .with_subprotocol("a")
        .with_subprotocol("b")
        .with_origin("https://example.com")
        .with_header("X-Token", "t");
    let endpoint = endpoint();
    let (client, server) = tokio::join!(connector.connect_on(&endpoint, near), serve);
    let client = client.unwrap();
    assert_eq!(client.subprotocol(), Some("b"));
    assert_eq!(server.subprotocol(), Some("b"));
    assert!(client.is_compressed() && server.is_compressed());
    let cookie = client.response().unwrap().headers().text("set-cookie");
    assert_eq!(cookie, Some("id=1"));
}

#[tokio::test(start_paused = true)]
async fn a_refused_offer_tells_the_client_why() {
    let (near, far) = duplex(4096);
    let serve = async {
        let request = Acceptor::default().read_request(far).await.unwrap();
        let Request::WebSocket(offer) = request else {
            panic!("it is a WebSocket");
        };
        offer
            .with_header("X-Why", "no ticket")
            .refuse(401, "log in first\n")
            .await
    };
    let (client, server) = tokio::join!(connect_on(near), serve);
    server.unwrap();
    let Err(Error::Refused(refused)) = client else {
        panic!("it is a refusal");
    };
    assert_eq!(refused.response.status(), 401);
    assert_eq!(refused.response.headers().text("x-why"), Some("no ticket"));
    assert_eq!(&*refused.body, b"log in first\n");
}

/// Has a server refuse a client over TCP; gives the answer, read
/// after the server is done, and how long that took by the runtime's clock.
async fn refused_over_tcp(request: &str) -> (String, Duration) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap())
        .await
        .unwrap();
    client.write_all(request.as_bytes()).await.unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    stream.readable().await.unwrap();
    tokio::time::pause();
    let begin = Instant::now();
    let refused = bowline::accept(stream).await;
    let taken = begin.elapsed();
    assert!(matches!(refused, Err(Error::RefusedRequest(_))));
    tokio::time::resume();
    let mut answer = String::new();
    soon(client.read_to_string(&mut answer)).await.unwrap();
    (answer, taken)
}

#[tokio::test]
async fn a_client_refused_over_tcp_gets_the_whole_answer_and_is_not_waited_for() {
    let request = HEAD.replace("Sec-WebSocket-Key", "X-Other-Key");
    let (answer, taken) = refused_over_tcp(&request).await;
    assert!(
        answer.starts_with("HTTP/1.1 400 ") && answer.contains("\r\n\r\n"),
        "{answer}"
    );
    assert_eq!(taken, Duration::ZERO);
}

// RFC 9112 section 9.6: closing with unread bytes would reset the connection and lose the answer.
#[tokio::test]
async fn the_answer_to_a_client_that_sent_more_than_its_request_is_not_lost() {
    let head = HEAD.replace("Sec-WebSocket-Key", "X-Other-Key");
    let body = head.replace("\r\n\r\n", "\r\nContent-Length: 60000\r\n\r\n");
    for (request, more) in [(head, 20_000), (body, 60_000)] {
        let request = request + &"x".repeat(more);
        let (answer, _) = refused_over_tcp(&request).await;
        assert!(
            answer.starts_with("HTTP/1.1 400 ") && answer.contains("\r\n\r\n"),
            "{answer}"
        );
    }
}

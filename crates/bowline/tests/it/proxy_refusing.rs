//! Proxies that refuse, lie, stall and leave.

use std::time::Duration;

use bowline::{
    ConnectPhase, Connector, Error, Proxy, ProxyError, SocksReply,
    proto::handshake::{BodyEnd, HeadError},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::{
    dial_server::{Identity, read_head},
    ends::soon,
};

/// What a proxy does after its answer.
#[derive(Clone, Copy, PartialEq)]
enum Then {
    Leaves,
    Stays,
}

/// Connects through a proxy that answers CONNECT so.
async fn connect(answer: &[u8], then: Then, deadline: Duration) -> Error {
    let answer = answer.to_vec();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        read_head(&mut stream).await.unwrap();
        // The client may leave before it has taken everything.
        drop(stream.write_all(&answer).await);
        if then == Then::Leaves {
            drop(stream.shutdown().await);
        }
        let mut rest = Vec::new();
        drop(stream.read_to_end(&mut rest).await);
        rest
    });
    let mut connector = Connector::default().with_proxy(Proxy::parse(&url).unwrap());
    connector.timeouts.proxy = deadline;
    let failed = soon(connector.connect("ws://berth.test/"))
        .await
        .unwrap_err();
    let rest = soon(serving).await.unwrap();
    assert_eq!(rest, b"", "nothing was sent to the server");
    failed
}

/// Does the same, with all the time in the world.
async fn fail(answer: &[u8], then: Then) -> ProxyError {
    let failed = connect(answer, then, Duration::from_mins(1)).await;
    let Error::Proxy(failed) = failed else {
        panic!("{failed}");
    };
    *failed
}

#[tokio::test]
async fn a_refusal_keeps_status_line_headers_and_a_bounded_body() {
    let long = "x".repeat(70_000);
    for (rest, then, body_len, end) in [
        (
            "Content-Length: 5\r\n\r\nnever",
            Then::Stays,
            5,
            BodyEnd::Complete,
        ),
        ("\r\nnever", Then::Leaves, 5, BodyEnd::Complete),
        (
            "Transfer-Encoding: chunked\r\n\r\n5\r\nnever\r\n0\r\n\r\n",
            Then::Stays,
            5,
            BodyEnd::Complete,
        ),
        (
            "Content-Length: 9\r\n\r\nnever",
            Then::Leaves,
            5,
            BodyEnd::CutShort,
        ),
        (
            &*format!("\r\n{long}"),
            Then::Stays,
            64 << 10,
            BodyEnd::LimitReached,
        ),
    ] {
        let answer = format!("HTTP/1.1 403 Not From Here\r\nX-Rule: 7\r\n{rest}");
        let failed = fail(answer.as_bytes(), then).await;
        let told = failed.to_string();
        let ProxyError::Refused { refused, .. } = failed else {
            panic!("{failed}");
        };
        assert!(told.contains("403 Not From Here"), "{told}");
        assert_eq!(refused.response.headers().text("x-rule"), Some("7"));
        assert_eq!((refused.body.len(), refused.body_end), (body_len, end));
    }
}

#[tokio::test]
async fn a_refusal_whose_body_stalls_is_told_at_the_deadline() {
    let answer = b"HTTP/1.1 503 Busy\r\nContent-Length: 9\r\n\r\nne";
    let failed = connect(answer, Then::Stays, Duration::from_millis(100)).await;
    let Error::Proxy(failed) = failed else {
        panic!("{failed}");
    };
    let ProxyError::Refused { refused, .. } = *failed else {
        panic!("{failed}");
    };
    assert_eq!(&*refused.body, b"ne");
    assert_eq!(refused.body_end, BodyEnd::CutShort);
}

#[tokio::test]
async fn a_proxy_that_never_answers_is_given_up_at_its_own_deadline() {
    for answer in [&b""[..], b"HTTP/1.1 2", b"HTTP/1.1 100 Wait\r\n\r\n"] {
        let failed = connect(answer, Then::Stays, Duration::from_millis(50)).await;
        assert!(
            matches!(failed, Error::Timeout(ConnectPhase::Proxy)),
            "{failed}"
        );
    }
}

#[tokio::test]
async fn proxies_under_tls_and_socks_that_never_answer_are_given_up_too() {
    for scheme in ["https", "socks5"] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let mut connector = Connector::default().with_proxy(Proxy::parse(&url).unwrap());
        connector.timeouts.proxy = Duration::from_millis(50);
        let failed = soon(connector.connect("ws://berth.test/"))
            .await
            .unwrap_err();
        assert!(
            matches!(failed, Error::Timeout(ConnectPhase::Proxy)),
            "{scheme}: {failed}"
        );
    }
}

#[tokio::test]
async fn the_deadline_goes_on_after_tls_with_the_proxy() {
    let identity = Identity::for_names(&["localhost"]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let tls = identity.server();
    let serving = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = tls.accept(stream).await.unwrap();
        read_head(&mut stream).await.unwrap();
        let mut rest = Vec::new();
        drop(stream.read_to_end(&mut rest).await);
    });
    let proxy = Proxy::parse(&format!("https://localhost:{port}")).unwrap();
    let mut connector = Connector::default().with_proxy(proxy.with_tls(identity.client()));
    connector.timeouts.proxy = Duration::from_millis(500);
    let failed = soon(connector.connect("ws://berth.test/")).await;
    let failed = failed.unwrap_err();
    assert!(
        matches!(failed, Error::Timeout(ConnectPhase::Proxy)),
        "{failed}"
    );
    soon(serving).await.unwrap();
}

#[tokio::test]
async fn an_answer_that_is_none_is_an_error() {
    let big = format!("HTTP/1.1 200 Open\r\nX: {}\r\n\r\n", "x".repeat(20_000));
    for (answer, reason) in [
        (&b"SSH-2.0-x\r\n"[..], HeadError::NotHttp),
        (b"HTTP/1.1 200 Open\n\n", HeadError::BareLf),
        (big.as_bytes(), HeadError::SizeLimit),
    ] {
        let failed = fail(answer, Then::Stays).await;
        assert!(
            matches!(failed, ProxyError::Head { reason: r, .. } if r == reason),
            "{failed}"
        );
    }
    for answer in [&b""[..], b"HTTP/1.1 200 Op"] {
        let failed = fail(answer, Then::Leaves).await;
        assert!(matches!(failed, ProxyError::Eof { .. }), "{failed}");
    }
    let failed = fail(b"HTTP/1.1 200 Open\r\n\r\nHTTP/1.1 101", Then::Stays).await;
    assert!(matches!(failed, ProxyError::EarlyBytes { .. }), "{failed}");
    let many = b"HTTP/1.1 100 Wait\r\n\r\n".repeat(9);
    for answer in [&b"HTTP/1.1 101 Switch\r\n\r\n"[..], &many] {
        let failed = fail(answer, Then::Stays).await;
        assert!(matches!(failed, ProxyError::Answer { .. }), "{failed}");
    }
}

/// Connects through a SOCKS5 proxy that sends these bytes and leaves.
async fn fail_socks(answer: &'static [u8]) -> ProxyError {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("socks5://{}", listener.local_addr().unwrap());
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(answer).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut rest = Vec::new();
        drop(stream.read_to_end(&mut rest).await);
    });
    let connector = Connector::default().with_proxy(Proxy::parse(&url).unwrap());
    let failed = soon(connector.connect("ws://berth.test/")).await;
    soon(serving).await.unwrap();
    let Err(Error::Proxy(failed)) = failed else {
        panic!("the proxy did nothing wrong");
    };
    *failed
}

#[tokio::test]
async fn what_a_socks_proxy_says_is_told() {
    for (reply, text) in [
        (SocksReply::FAILURE, "failed"),
        (SocksReply::NOT_ALLOWED, "rules"),
        (SocksReply::NETWORK_UNREACHABLE, "network"),
        (SocksReply::HOST_UNREACHABLE, "host"),
        (SocksReply::CONNECTION_REFUSED, "listens"),
        (SocksReply::TTL_EXPIRED, "too long"),
        (SocksReply::COMMAND_NOT_SUPPORTED, "CONNECT"),
        (SocksReply::ADDRESS_TYPE_NOT_SUPPORTED, "address"),
        (SocksReply(99), "99"),
    ] {
        // Some proxies leave right after the number.
        let answer = Vec::leak(vec![5, 0, 5, reply.0]);
        let failed = fail_socks(answer).await;
        assert!(failed.to_string().contains(text), "{failed}");
        assert!(
            matches!(failed, ProxyError::Socks { reply: r, .. } if r == reply),
            "{failed}"
        );
    }
}

#[tokio::test]
async fn a_socks_proxy_that_is_none_or_leaves_is_told() {
    for answer in [
        &b"HTTP/1.1 400 Bad\r\n\r\n"[..],
        &[4, 0],
        &[5, 1],
        &[5, 2],
        &[5, 0, 4, 0],
        &[5, 0, 5, 0, 0, 2],
    ] {
        let failed = fail_socks(answer).await;
        assert!(
            matches!(failed, ProxyError::NotSocks { .. }),
            "{answer:?}: {failed}"
        );
    }
    for answer in [
        &[][..],
        &[5],
        &[5, 0],
        &[5, 0, 5, 0, 0, 1, 0, 0],
        &[5, 0, 5, 0, 0, 3, 9, b'x'],
    ] {
        let failed = fail_socks(answer).await;
        assert!(
            matches!(failed, ProxyError::Eof { .. } | ProxyError::Io { .. }),
            "{answer:?}: {failed}"
        );
    }
    let failed = fail_socks(&[5, 0xff]).await;
    assert!(matches!(failed, ProxyError::LoginMethod { .. }), "{failed}");
}

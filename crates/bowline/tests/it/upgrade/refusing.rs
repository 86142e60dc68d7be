//! What a client gets of a handler that refuses, and of a handshake that breaks a rule.

use axum::{Router, response::Response, routing::any};
use bowline::{
    Acceptor, Error, Offer, Rejection, SetCookie,
    proto::handshake::{HeadLimits, RefusalDetail},
};
use http::{Request, Version};

use super::{HANDSHAKE, echo_servers, exchange, router_server};

#[tokio::test]
async fn a_refusal_has_any_status_headers_and_body() {
    async fn handler(offer: Offer) -> Result<Response, Rejection> {
        let status = offer.request().query().unwrap().parse().unwrap();
        let body = if status == 204 { "" } else { "{\"why\":1}" };
        offer
            .with_header("Retry-After", "7")
            .with_header("Location", "/elsewhere")
            .with_cookie(&SetCookie::new("seen", "1")?)
            .refuse(status, body)
    }
    let address = router_server(Router::new().route("/", any(handler))).await;
    for status in [200, 204, 302, 401, 403, 404, 426, 429, 503, 599] {
        let refused = bowline::connect(&format!("ws://{address}/?{status}")).await;
        let Err(Error::Refused(answer)) = refused else {
            panic!("{status}: {refused:?}");
        };
        let headers = answer.response.headers();
        assert_eq!(answer.response.status(), status);
        assert_eq!(headers.text("retry-after"), Some("7"), "{status}");
        assert_eq!(headers.text("location"), Some("/elsewhere"), "{status}");
        assert_eq!(headers.text("set-cookie"), Some("seen=1"), "{status}");
        let body = if status == 204 { "" } else { "{\"why\":1}" };
        assert_eq!(&answer.body[..], body.as_bytes(), "{status}");
    }
    for status in [0, 99, 101, 199, 600] {
        let refused = bowline::connect(&format!("ws://{address}/?{status}")).await;
        let is_500 =
            matches!(&refused, Err(Error::Refused(answer)) if answer.response.status() == 500);
        assert!(is_500, "{status}: {refused:?}");
    }
}

#[tokio::test]
async fn a_handshake_that_breaks_a_rule_gets_the_status_that_fits() {
    for (server, address) in echo_servers().await {
        for (what, with, status, header) in [
            (
                "Version: 13",
                "Version: 8",
                426,
                "sec-websocket-version: 13",
            ),
            ("Sec-WebSocket-Version: 13\r\n", "", 400, ""),
            (
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
                "",
                400,
                "",
            ),
            ("dGhlIHNhbXBsZSBub25jZQ==", "c2hvcnQ=", 400, ""),
            ("Upgrade: websocket\r\n", "", 400, ""),
            ("Upgrade: websocket", "Upgrade: h2c", 400, ""),
            ("Connection: Upgrade\r\n", "", 400, ""),
            ("GET /", "POST /", 405, "allow: get"),
            ("HTTP/1.1\r", "HTTP/1.0\r", 400, ""),
            ("Host: a", "Host: a b", 400, ""),
            ("Host: a", "Host: a\r\nContent-Length: 1", 400, ""),
            ("Host: a", "Host: a\r\nSec-WebSocket-Protocol: a,a", 400, ""),
            ("Host: a", "Host: a\r\nSec-WebSocket-Extensions: ;", 400, ""),
            ("Host: a", "Host: a\r\nOrigin: x\r\nOrigin: y", 400, ""),
        ] {
            let request = HANDSHAKE.replacen(what, with, 1);
            assert_ne!(request, HANDSHAKE);
            let answer = exchange(address, request.as_bytes()).await;
            let line = answer.split("\r\n").next().unwrap();
            assert!(
                line.contains(&format!(" {status} ")),
                "{server}: {with:?} instead of {what:?}: {answer}"
            );
            assert!(
                answer.to_ascii_lowercase().contains(header),
                "{server}: {answer}"
            );
        }
    }
}

#[tokio::test]
async fn plain_http_is_told_to_upgrade_where_only_a_websocket_is_served() {
    let handler = async |offer: Offer| offer.refuse::<axum::body::Body>(404, "");
    let address = router_server(Router::new().route("/", any(handler))).await;
    let request = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let answer = exchange(address, request).await.to_ascii_lowercase();
    assert!(answer.starts_with("http/1.1 426 "), "{answer}");
    for header in ["upgrade: websocket", "connection: upgrade, close"] {
        assert!(answer.contains(header), "{answer}");
    }
}

fn request() -> Request<()> {
    let fields = [
        ("host", "a"),
        ("connection", "keep-alive, Upgrade"),
        ("upgrade", "WebSocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let mut request = Request::new(());
    for (name, value) in fields {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    request
}

fn rejection(mut request: Request<()>) -> Rejection {
    Offer::from_request(&mut request).unwrap_err()
}

#[test]
fn a_request_that_no_server_can_hand_over_is_rejected() {
    let request = request();
    assert!(Offer::is_offered(&request));
    let rejection = rejection(request);
    assert_eq!(rejection, Rejection::NotUpgradable);
    assert_eq!((rejection.code(), rejection.status().as_u16()), (2, 501));
}

#[test]
fn a_request_is_told_from_plain_http_by_the_headers_of_a_handshake() {
    let plain = Request::new(());
    assert!(!Offer::is_offered(&plain));
    assert_eq!(rejection(plain), Rejection::NotWebSocket);
    for (name, value) in [
        ("upgrade", "h2c, WebSocket"),
        ("sec-websocket-key", "x"),
        ("sec-websocket-version", "x"),
    ] {
        let mut request = Request::new(());
        request.headers_mut().insert(name, value.parse().unwrap());
        assert!(Offer::is_offered(&request), "{name}");
        assert!(
            matches!(rejection(request), Rejection::Refused(_)),
            "{name}"
        );
    }
    let mut other = Request::new(());
    other
        .headers_mut()
        .insert("upgrade", "h2c".parse().unwrap());
    assert!(!Offer::is_offered(&other));
}

#[test]
fn a_rejection_has_the_number_of_its_reason() {
    let mut old = request();
    *old.version_mut() = Version::HTTP_10;
    let mut new = request();
    *new.version_mut() = Version::HTTP_2;
    let mut keyless = request();
    keyless.headers_mut().remove("sec-websocket-key");
    for (request, detail, code, status) in [
        (old, RefusalDetail::HttpVersionTooOld, 21, 400),
        (new, RefusalDetail::HttpVersionUnsupported, 13, 505),
        (keyless, RefusalDetail::KeyMissing, 40, 400),
    ] {
        let rejection = rejection(request);
        assert!(
            matches!(rejection, Rejection::Refused(refusal) if refusal.detail() == detail),
            "{rejection:?}"
        );
        assert_eq!(rejection.code(), code);
        assert_eq!(rejection.status().as_u16(), status);
    }
}

#[test]
fn head_limits_bind_inside_a_handler() {
    let acceptor = Acceptor {
        head_limits: HeadLimits {
            header_count_max: 4,
            ..HeadLimits::default()
        },
        ..Acceptor::default()
    };
    let rejection = acceptor.take_offer(&mut request()).unwrap_err();
    assert_eq!((rejection.code(), rejection.status().as_u16()), (12, 431));
}

use bowline_proto::deflate::WindowBits;
use bowline_proto::deflate::negotiate::{DeflateNegotiation, DeflateParams};
use bowline_proto::handshake::{
    AcceptOptions, HandshakeError, HandshakeMisuse, HeadError, Refusal, RefusalDetail,
    RefusalResponse, RequestCheck, SUBPROTOCOL_COUNT_MAX, ServerHandshake, check_request,
    write_refusal,
};
use bytes::BytesMut;

use super::{BROWSER, request};

const PLAIN: &str = "GET / HTTP/1.1\r\n\
    Host: a\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\
    \r\n";

/// Returns the plain head with a line replaced; the new text may hold several lines or none.
fn with(line: &str, replacement: &str) -> String {
    let line = format!("{line}\r\n");
    assert!(PLAIN.contains(&line), "{line}");
    PLAIN.replace(&line, replacement)
}

/// Returns the plain head with lines added.
fn and(lines: &str) -> String {
    with("Host: a", &format!("Host: a\r\n{lines}"))
}

fn offer(text: &str) -> ServerHandshake {
    match check_request(&request(text).unwrap()) {
        Ok(RequestCheck::Offer(offer)) => offer,
        other => panic!("{other:?} for {text}"),
    }
}

fn accepted(text: &str, options: &AcceptOptions<'_>) -> String {
    let mut out = BytesMut::new();
    offer(text).accept(options, &mut out).unwrap();
    String::from_utf8(out.to_vec()).unwrap()
}

fn check_refused(text: &str, detail: RefusalDetail, status: u16) {
    let refusal = match check_request(&request(text).unwrap()) {
        Err(refusal) => refusal,
        Ok(other) => panic!("{other:?} for {text}"),
    };
    assert_eq!(refusal.detail(), detail, "{text}");
    assert_eq!(refusal.status(), status, "{text}");
}

// RFC 6455 section 1.3 gives key and answer.
#[test]
fn browser_handshake_is_answered() {
    let mut out = BytesMut::from(&b"earlier"[..]);
    let offer = offer(BROWSER);
    assert_eq!(offer.origin(), Some("http://server.example.com:8080"));
    assert_eq!(
        offer.subprotocols().collect::<Vec<_>>(),
        ["chat", "superchat"]
    );
    assert_eq!(offer.deflate_offers().len(), 1);
    let options = AcceptOptions {
        subprotocol: Some("superchat"),
        headers: &[("Set-Cookie", b"a=1"), ("Set-Cookie", b"b=2")],
        deflate: DeflateNegotiation::default(),
    };
    let agreed = offer.accept(&options, &mut out).unwrap();
    assert_eq!(agreed.subprotocol.as_deref(), Some("superchat"));
    assert_eq!(
        agreed.deflate,
        Some(DeflateParams {
            server_no_context_takeover: true,
            client_no_context_takeover: true,
            server_max_window_bits: WindowBits::MAX,
            client_max_window_bits: WindowBits::MAX,
        })
    );
    assert_eq!(
        str::from_utf8(&out).unwrap(),
        "earlierHTTP/1.1 101 Switching Protocols\r\n\
         Upgrade: websocket\r\n\
         Connection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
         Sec-WebSocket-Protocol: superchat\r\n\
         Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; \
         client_no_context_takeover\r\n\
         Set-Cookie: a=1\r\n\
         Set-Cookie: b=2\r\n\
         \r\n"
    );
}

#[test]
fn nothing_that_was_not_offered_is_answered() {
    let answer = accepted(PLAIN, &AcceptOptions::default());
    assert!(!answer.contains("Sec-WebSocket-Extensions"), "{answer}");
    assert!(!answer.contains("Sec-WebSocket-Protocol"), "{answer}");
    let mut out = BytesMut::new();
    let options = AcceptOptions {
        subprotocol: Some("chat"),
        ..AcceptOptions::default()
    };
    assert_eq!(
        offer(PLAIN).accept(&options, &mut out),
        Err(HandshakeError::Misuse(
            HandshakeMisuse::SubprotocolNotOffered
        ))
    );
    assert!(out.is_empty());
}

#[test]
fn good_requests_in_unusual_form_are_accepted() {
    for text in [
        with("Upgrade: websocket", "uPGRADE: WebSocket\r\n"),
        with("Upgrade: websocket", "Upgrade: h2c, websocket\r\n"),
        with(
            "Connection: Upgrade",
            "connection: keep-alive\r\nConnection: x, upgrade\r\n",
        ),
        with("Host: a", "Host: [::1]:8080\r\n"),
        with("GET / HTTP/1.1", "GET http://a/b?c HTTP/1.1\r\n"),
        with("GET / HTTP/1.1", "GET /%C3%A9?a=%0D HTTP/1.1\r\n"),
        with(
            "Sec-WebSocket-Version: 13",
            "SEC-WEBSOCKET-VERSION:\t13 \r\n",
        ),
        and("Content-Length: 0\r\n"),
        and("Origin: null\r\n"),
        and("Sec-WebSocket-Extensions: x-unknown; a=\"b\", other\r\n"),
        and("Sec-WebSocket-Extensions: permessage-deflate; nonsense=1\r\n"),
    ] {
        let answer = accepted(&text, &AcceptOptions::default());
        assert!(answer.starts_with("HTTP/1.1 101 "), "{text}");
        assert!(answer.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{text}");
        assert!(!answer.contains("Extensions"), "{text}");
    }
}

// RFC 6455 sections 4.1 and 4.2.1.
#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn every_broken_rule_has_its_own_detail() {
    use RefusalDetail as D;
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
    let version = "Sec-WebSocket-Version: 13";
    let line = "GET / HTTP/1.1";
    let twice = |line: &str| with(line, &format!("{line}\r\n{line}\r\n"));
    for (text, detail, status) in [
        (with(line, "POST / HTTP/1.1\r\n"), D::MethodNotGet, 405),
        (with(line, "get / HTTP/1.1\r\n"), D::MethodNotGet, 405),
        (with(line, "GET / HTTP/1.0\r\n"), D::HttpVersionTooOld, 400),
        (with(line, "GET /#a HTTP/1.1\r\n"), D::TargetInvalid, 400),
        (with(line, "GET * HTTP/1.1\r\n"), D::TargetInvalid, 400),
        (with(line, "GET a HTTP/1.1\r\n"), D::TargetInvalid, 400),
        (
            with(line, "GET ftp://a/ HTTP/1.1\r\n"),
            D::TargetInvalid,
            400,
        ),
        (
            with(line, "GET http:/// HTTP/1.1\r\n"),
            D::TargetInvalid,
            400,
        ),
        (
            with(line, "GET /\u{e9} HTTP/1.1\r\n"),
            D::TargetInvalid,
            400,
        ),
        (with("Host: a", ""), D::HostMissing, 400),
        (twice("Host: a"), D::HostRepeated, 400),
        (with("Host: a", "Host:\r\n"), D::HostInvalid, 400),
        (with("Host: a", "Host: a/b\r\n"), D::HostInvalid, 400),
        (with("Host: a", "Host: a:99999\r\n"), D::HostInvalid, 400),
        (and("Content-Length: 5\r\n"), D::BodyPresent, 400),
        (and("Transfer-Encoding: chunked\r\n"), D::BodyPresent, 400),
        (with("Upgrade: websocket", ""), D::UpgradeMissing, 400),
        (
            with("Upgrade: websocket", "Upgrade: websockets\r\n"),
            D::UpgradeMissing,
            400,
        ),
        (
            with("Connection: Upgrade", ""),
            D::ConnectionUpgradeMissing,
            400,
        ),
        (
            with("Connection: Upgrade", "Connection: close\r\n"),
            D::ConnectionUpgradeMissing,
            400,
        ),
        (with(key, ""), D::KeyMissing, 400),
        (twice(key), D::KeyRepeated, 400),
        (with(key, "Sec-WebSocket-Key:\r\n"), D::KeyInvalid, 400),
        (with(key, "Sec-WebSocket-Key: AAAA\r\n"), D::KeyInvalid, 400),
        (with(version, ""), D::VersionMissing, 400),
        (twice(version), D::VersionRepeated, 400),
        (
            with(version, "Sec-WebSocket-Version: 8\r\n"),
            D::VersionUnsupported,
            426,
        ),
        (
            with(version, "Sec-WebSocket-Version: 13, 8\r\n"),
            D::VersionUnsupported,
            426,
        ),
        (
            with(version, "Sec-WebSocket-Version: 013\r\n"),
            D::VersionUnsupported,
            426,
        ),
        (and("Origin: a\r\nOrigin: a\r\n"), D::OriginRepeated, 400),
        (and("Origin:\r\n"), D::OriginInvalid, 400),
        (and("Origin: a b\r\n"), D::OriginInvalid, 400),
        (
            and("Sec-WebSocket-Protocol:\r\n"),
            D::SubprotocolInvalid,
            400,
        ),
        (
            and("Sec-WebSocket-Protocol: a b\r\n"),
            D::SubprotocolInvalid,
            400,
        ),
        (
            and("Sec-WebSocket-Protocol: caf\u{e9}\r\n"),
            D::SubprotocolInvalid,
            400,
        ),
        (
            and("Sec-WebSocket-Protocol: a, b, a\r\n"),
            D::SubprotocolRepeated,
            400,
        ),
        (
            and("Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: a\r\n"),
            D::SubprotocolRepeated,
            400,
        ),
        (
            and("Sec-WebSocket-Extensions:\r\n"),
            D::ExtensionsInvalid,
            400,
        ),
        (
            and("Sec-WebSocket-Extensions: a;\r\n"),
            D::ExtensionsInvalid,
            400,
        ),
        (
            and(&format!(
                "Sec-WebSocket-Extensions: a{}\r\n",
                ",a".repeat(16)
            )),
            D::TooManyExtensions,
            400,
        ),
    ] {
        check_refused(&text, detail, status);
    }
}

#[test]
fn subprotocols_are_bounded() {
    let list = |count: usize| {
        let names: Vec<_> = (0..count).map(|number| format!("p{number}")).collect();
        and(&format!("Sec-WebSocket-Protocol: {}\r\n", names.join(",")))
    };
    assert_eq!(
        offer(&list(SUBPROTOCOL_COUNT_MAX)).subprotocols().count(),
        SUBPROTOCOL_COUNT_MAX
    );
    let detail = RefusalDetail::TooManySubprotocols;
    check_refused(&list(SUBPROTOCOL_COUNT_MAX + 1), detail, 400);
}

#[test]
fn plain_http_is_handed_on() {
    for text in [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /form HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    ] {
        let head = request(text).unwrap();
        assert!(
            matches!(check_request(&head), Ok(RequestCheck::NotAnUpgrade)),
            "{text}"
        );
        assert_eq!(head.as_bytes(), text.as_bytes());
    }
}

#[test]
fn answer_headers_cannot_inject_or_override() {
    for (header, misuse) in [
        (
            ("X", &b"1\r\nY: 2"[..]),
            HandshakeMisuse::HeaderValueInvalid,
        ),
        (("X\r\n", b"1"), HandshakeMisuse::HeaderNameInvalid),
        (
            ("Sec-WebSocket-Accept", b"x"),
            HandshakeMisuse::HeaderReserved,
        ),
        (("upgrade", b"x"), HandshakeMisuse::HeaderReserved),
    ] {
        let headers = [header];
        let mut out = BytesMut::new();
        let options = AcceptOptions {
            headers: &headers,
            ..AcceptOptions::default()
        };
        let result = offer(PLAIN).accept(&options, &mut out);
        assert_eq!(result, Err(HandshakeError::Misuse(misuse)));
        let response = RefusalResponse {
            status: 403,
            headers: &headers,
            body: b"",
        };
        assert_eq!(write_refusal(&response, &mut out), Err(misuse));
        assert!(out.is_empty(), "nothing is written on an error");
    }
}

// RFC 6455 section 4.4, RFC 9110 sections 15.5.6 and 15.5.22.
#[test]
fn refusals_are_whole_http_answers() {
    for (refusal, answer) in [
        (
            Refusal::new(RefusalDetail::VersionUnsupported),
            "HTTP/1.1 426 Upgrade Required\r\nConnection: Upgrade, close\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Content-Type: text/plain; charset=utf-8\r\nContent-Length: 32\r\n\r\n\
             the WebSocket version is not 13\n",
        ),
        (
            Refusal::new(RefusalDetail::MethodNotGet),
            "HTTP/1.1 405 Method Not Allowed\r\nConnection: close\r\nAllow: GET\r\n\
             Content-Length: 0\r\n\r\n",
        ),
        (
            Refusal::from(HeadError::SizeLimit),
            "HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\n\
             Content-Type: text/plain; charset=utf-8\r\nContent-Length: 30\r\n\r\n\
             the request head is too large\n",
        ),
        (
            Refusal::from(HeadError::BareLf),
            "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\
             Content-Type: text/plain; charset=utf-8\r\nContent-Length: 30\r\n\r\n\
             the request head is malformed\n",
        ),
    ] {
        let mut out = BytesMut::new();
        refusal.write(&mut out);
        assert_eq!(str::from_utf8(&out).unwrap(), answer);
    }
}

#[test]
fn any_status_can_refuse_but_not_one_that_goes_on() {
    let written = |status, body: &[u8]| {
        let headers: &[(&str, &[u8])] = &[("Location", b"/b")];
        let mut out = BytesMut::new();
        write_refusal(
            &RefusalResponse {
                status,
                headers,
                body,
            },
            &mut out,
        )
        .map(|()| String::from_utf8(out.to_vec()).unwrap())
    };
    assert_eq!(
        written(302, b"moved").as_deref(),
        Ok(
            "HTTP/1.1 302 Found\r\nConnection: close\r\nLocation: /b\r\n\
            Content-Length: 5\r\n\r\nmoved"
        )
    );
    assert_eq!(
        written(599, b"").as_deref(),
        Ok("HTTP/1.1 599 \r\nConnection: close\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n")
    );
    assert_eq!(
        written(204, b"").as_deref(),
        Ok("HTTP/1.1 204 No Content\r\nConnection: close\r\nLocation: /b\r\n\r\n")
    );
    for (status, body, misuse) in [
        (101, &b""[..], HandshakeMisuse::StatusInvalid),
        (199, b"", HandshakeMisuse::StatusInvalid),
        (600, b"", HandshakeMisuse::StatusInvalid),
        (204, b"x", HandshakeMisuse::BodyNotAllowed),
        (304, b"x", HandshakeMisuse::BodyNotAllowed),
    ] {
        assert_eq!(written(status, body), Err(misuse), "{status}");
    }
}

#[test]
fn debug_output_holds_no_secrets() {
    let text = and("Cookie: a=s3cret\r\nAuthorization: Basic s3cret\r\n")
        .replace("GET / ", "GET /?token=s3cret ");
    let shown = format!("{:?} {:?}", request(&text).unwrap(), offer(&text));
    assert!(!shown.contains("s3cret"), "{shown}");
}

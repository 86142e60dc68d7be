use bowline_proto::deflate::negotiate::{DeflateNegotiation, DeflateViolation};
use bowline_proto::handshake::{
    AcceptOptions, ClientAccepted, ClientHandshake, ClientLimits, ClientOutcome, ClientRequest,
    ExtensionError, HandshakeError, HandshakeLimit, HandshakeMisuse, HandshakeViolation, HeadError,
    HeadLimits, RequestCheck, check_request,
};
use bytes::BytesMut;

/// The nonce of RFC 6455 section 1.3.
const NONCE: [u8; 16] = *b"the sample nonce";

const ANSWER: &str = "HTTP/1.1 101 Switching Protocols\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
    \r\n";

/// Returns the answer with a line replaced; the new text may hold several lines or none.
fn with(line: &str, replacement: &str) -> String {
    let line = format!("{line}\r\n");
    assert!(ANSWER.contains(&line), "{line}");
    ANSWER.replace(&line, replacement)
}

/// Returns the answer with lines added.
fn and(lines: &str) -> String {
    with(
        "Connection: Upgrade",
        &format!("Connection: Upgrade\r\n{lines}"),
    )
}

/// Starts a handshake that offers two subprotocols and permessage-deflate.
fn started() -> ClientHandshake {
    let mut request = ClientRequest::new("a", "/").unwrap();
    request.add_subprotocol("chat").unwrap();
    request.add_subprotocol("superchat").unwrap();
    request.set_deflate(DeflateNegotiation::default());
    request.start(NONCE, ClientLimits::default(), &mut BytesMut::new())
}

/// Feeds an answer whole and byte by byte, checks that both end alike.
fn answered(answer: &str) -> Result<ClientAccepted, HandshakeError> {
    let accepted = |outcome| match outcome {
        ClientOutcome::Accepted(accepted) => accepted,
        ClientOutcome::Refused(refused) => panic!("{refused:?}"),
    };
    let whole = started().handle_input(answer.as_bytes());
    let whole = whole.map(|outcome| accepted(outcome.expect("the answer is whole")));
    let mut handshake = started();
    let mut bytes = answer.bytes();
    let bytewise = loop {
        match handshake.handle_input(&[bytes.next().expect("the answer is whole")]) {
            Ok(None) => {}
            Ok(Some(outcome)) => break Ok(accepted(outcome)),
            Err(error) => break Err(error),
        }
    };
    match (&whole, &bytewise) {
        (Ok(whole), Ok(bytewise)) => {
            assert_eq!(whole.consumed, answer.len());
            assert_eq!(whole.subprotocol, bytewise.subprotocol);
            assert_eq!(whole.deflate, bytewise.deflate);
            assert_eq!(whole.response.as_bytes(), bytewise.response.as_bytes());
        }
        _ => assert_eq!(whole.as_ref().err(), bytewise.as_ref().err()),
    }
    whole
}

// RFC 6455 section 4.1.
#[test]
fn request_is_written_with_everything_that_was_added() {
    let mut request = ClientRequest::new("server.example.com:8080", "/chat?a=b").unwrap();
    request.set_origin("http://example.com").unwrap();
    request.add_header("Cookie", b"a=1").unwrap();
    request.add_header("Authorization", b"Basic eA==").unwrap();
    request.add_subprotocol("chat").unwrap();
    request.add_subprotocol("superchat").unwrap();
    request.set_deflate(DeflateNegotiation::default());
    let mut out = BytesMut::new();
    let _handshake = request.start(NONCE, ClientLimits::default(), &mut out);
    assert_eq!(
        str::from_utf8(&out).unwrap(),
        "GET /chat?a=b HTTP/1.1\r\n\
         Host: server.example.com:8080\r\n\
         Upgrade: websocket\r\n\
         Connection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Version: 13\r\n\
         Origin: http://example.com\r\n\
         Sec-WebSocket-Protocol: chat, superchat\r\n\
         Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; \
         client_no_context_takeover; client_max_window_bits\r\n\
         Cookie: a=1\r\n\
         Authorization: Basic eA==\r\n\
         \r\n"
    );
}

#[test]
fn nothing_can_be_injected_into_a_request() {
    for (host, target, misuse) in [
        ("", "/", HandshakeMisuse::HostInvalid),
        ("a b", "/", HandshakeMisuse::HostInvalid),
        ("a\r\nX: 1", "/", HandshakeMisuse::HostInvalid),
        ("user@a", "/", HandshakeMisuse::HostInvalid),
        ("a", "", HandshakeMisuse::TargetInvalid),
        ("a", "b", HandshakeMisuse::TargetInvalid),
        ("a", "/ HTTP/1.1\r\nX: 1", HandshakeMisuse::TargetInvalid),
        ("a", "/b c", HandshakeMisuse::TargetInvalid),
        ("a", "/\t", HandshakeMisuse::TargetInvalid),
        ("a", "/\0", HandshakeMisuse::TargetInvalid),
        ("a", "/\u{e9}", HandshakeMisuse::TargetInvalid),
        ("a", "/#b", HandshakeMisuse::TargetInvalid),
    ] {
        let error = ClientRequest::new(host, target).unwrap_err();
        assert_eq!(error, HandshakeError::Misuse(misuse), "{host:?} {target:?}");
    }
    let mut request = ClientRequest::new("a", "/").unwrap();
    for (name, value, misuse) in [
        ("X", &b"1\r\nY: 2"[..], HandshakeMisuse::HeaderValueInvalid),
        ("X Y", b"1", HandshakeMisuse::HeaderNameInvalid),
        ("host", b"b", HandshakeMisuse::HeaderReserved),
        ("Origin", b"b", HandshakeMisuse::HeaderReserved),
        ("Connection", b"close", HandshakeMisuse::HeaderReserved),
        ("Sec-WebSocket-Key", b"b", HandshakeMisuse::HeaderReserved),
        (
            "Transfer-Encoding",
            b"chunked",
            HandshakeMisuse::HeaderReserved,
        ),
    ] {
        let result = request.add_header(name, value);
        assert_eq!(result, Err(HandshakeError::Misuse(misuse)), "{name}");
    }
    for origin in ["", "a b", "a\r\nX: 1", "\u{e9}"] {
        let misuse = HandshakeMisuse::OriginInvalid.into();
        assert_eq!(request.set_origin(origin), Err(misuse), "{origin:?}");
    }
    for subprotocol in ["", "a b", "a,b", "a\r\n", "\u{e9}"] {
        let misuse = HandshakeMisuse::SubprotocolInvalid.into();
        assert_eq!(
            request.add_subprotocol(subprotocol),
            Err(misuse),
            "{subprotocol:?}"
        );
    }
    request.add_subprotocol("a").unwrap();
    let misuse = HandshakeMisuse::SubprotocolRepeated.into();
    assert_eq!(request.add_subprotocol("a"), Err(misuse));
    let mut out = BytesMut::new();
    let _handshake = request.start(NONCE, ClientLimits::default(), &mut out);
    assert_eq!(str::from_utf8(&out).unwrap().matches("\r\n").count(), 8);
}

#[test]
fn good_answers_are_accepted() {
    for (answer, subprotocol, is_compressed) in [
        (ANSWER.to_owned(), None, false),
        (
            with("Upgrade: websocket", "UPGRADE: WebSocket\r\n"),
            None,
            false,
        ),
        (
            with("Connection: Upgrade", "connection: keep-alive, upgrade\r\n"),
            None,
            false,
        ),
        (and("Set-Cookie: a=1\r\nContent-Length: 0\r\n"), None, false),
        (
            and("Sec-WebSocket-Protocol: superchat\r\n"),
            Some("superchat"),
            false,
        ),
        (
            and("Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\n"),
            None,
            true,
        ),
        (
            format!("HTTP/1.1 100 Continue\r\n\r\n{ANSWER}"),
            None,
            false,
        ),
        (
            format!("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 x\r\n\r\n{ANSWER}"),
            None,
            false,
        ),
    ] {
        let accepted = answered(&answer).unwrap();
        assert_eq!(accepted.subprotocol.as_deref(), subprotocol, "{answer}");
        assert_eq!(accepted.deflate.is_some(), is_compressed, "{answer}");
        assert_eq!(accepted.response.status(), 101);
    }
}

// RFC 6455 section 4.1, what the client checks of the answer.
#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn every_broken_rule_of_an_answer_fails_the_handshake() {
    use HandshakeViolation as V;
    let accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    let upgrade = "Upgrade: websocket";
    let connection = "Connection: Upgrade";
    let status = "HTTP/1.1 101 Switching Protocols";
    let deflate = "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover";
    for (answer, violation) in [
        (
            with(status, "HTTP/1.0 101 Switching Protocols\r\n"),
            V::VersionTooOld,
        ),
        (with(upgrade, ""), V::Upgrade),
        (with(upgrade, "Upgrade: websockets\r\n"), V::Upgrade),
        (with(upgrade, "Upgrade: websocket, h2c\r\n"), V::Upgrade),
        (
            with(upgrade, "Upgrade: websocket\r\nUpgrade: websocket\r\n"),
            V::Upgrade,
        ),
        (with(connection, ""), V::Connection),
        (with(connection, "Connection: close\r\n"), V::Connection),
        (with(accept, ""), V::AcceptMissing),
        (
            with(accept, &format!("{accept}\r\n{accept}\r\n")),
            V::AcceptRepeated,
        ),
        (with(accept, "Sec-WebSocket-Accept:\r\n"), V::AcceptMismatch),
        (
            with(
                accept,
                "Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n",
            ),
            V::AcceptMismatch,
        ),
        (
            and("Sec-WebSocket-Protocol: other\r\n"),
            V::SubprotocolNotOffered,
        ),
        (
            and("Sec-WebSocket-Protocol: CHAT\r\n"),
            V::SubprotocolNotOffered,
        ),
        (
            and("Sec-WebSocket-Protocol: chat, superchat\r\n"),
            V::SubprotocolNotOffered,
        ),
        (and("Sec-WebSocket-Protocol:\r\n"), V::SubprotocolNotOffered),
        (
            and("Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Protocol: chat\r\n"),
            V::SubprotocolRepeated,
        ),
        (
            and("Sec-WebSocket-Extensions: x-other\r\n"),
            V::ExtensionNotOffered,
        ),
        (
            and(&format!("{deflate}, x-other\r\n")),
            V::ExtensionNotOffered,
        ),
        (
            and(&format!("{deflate}\r\n{deflate}\r\n")),
            V::ExtensionsRepeated,
        ),
        (
            and("Sec-WebSocket-Extensions:\r\n"),
            V::Extensions(ExtensionError::Malformed),
        ),
        (
            and(&format!(
                "{deflate}, permessage-deflate; server_no_context_takeover\r\n"
            )),
            V::Deflate(DeflateViolation::AnsweredTwice),
        ),
        (
            and("Sec-WebSocket-Extensions: permessage-deflate\r\n"),
            V::Deflate(DeflateViolation::TakeoverNotRuledOut),
        ),
        ("HTTP/1.1 100 Continue\r\n\r\n".repeat(9), V::InterimAnswers),
        ("SSH-2.0".to_owned(), V::Head(HeadError::NotHttp)),
    ] {
        let error = answered(&answer).unwrap_err();
        assert_eq!(error, HandshakeError::Violation(violation), "{answer}");
    }
}

#[test]
fn nothing_is_accepted_that_was_not_offered() {
    for (line, violation) in [
        (
            "Sec-WebSocket-Protocol: chat",
            HandshakeViolation::SubprotocolNotOffered,
        ),
        (
            "Sec-WebSocket-Extensions: permessage-deflate",
            HandshakeViolation::ExtensionNotOffered,
        ),
    ] {
        let request = ClientRequest::new("a", "/").unwrap();
        let mut handshake = request.start(NONCE, ClientLimits::default(), &mut BytesMut::new());
        let error = handshake
            .handle_input(and(&format!("{line}\r\n")).as_bytes())
            .unwrap_err();
        assert_eq!(error, HandshakeError::Violation(violation));
    }
}

#[test]
fn failed_handshake_keeps_the_head_and_repeats_its_error() {
    let mut handshake = started();
    let answer = with("Upgrade: websocket", "X-Why: proxy\r\n");
    let error = handshake.handle_input(answer.as_bytes()).unwrap_err();
    let response = handshake.response().expect("the head was complete");
    assert_eq!(response.headers().text("x-why"), Some("proxy"));
    assert_eq!(handshake.handle_input(b"x").unwrap_err(), error);
    assert_eq!(handshake.handle_eof().unwrap_err(), error);
}

#[test]
fn limits_and_the_end_of_the_connection_are_told_apart() {
    let mut handshake = started();
    assert!(
        handshake
            .handle_input(b"HTTP/1.1 101 Swi")
            .unwrap()
            .is_none()
    );
    assert_eq!(handshake.handle_eof().unwrap_err(), HandshakeError::Eof);
    let request = ClientRequest::new("a", "/").unwrap();
    let head = HeadLimits {
        head_size_max: 40,
        ..HeadLimits::default()
    };
    let limits = ClientLimits {
        head,
        ..ClientLimits::default()
    };
    let mut handshake = request.start(NONCE, limits, &mut BytesMut::new());
    assert_eq!(
        handshake.handle_input(ANSWER.as_bytes()).unwrap_err(),
        HandshakeError::LimitExceeded(HandshakeLimit::HeadSize)
    );
}

#[test]
fn first_frames_after_the_answer_are_left_alone() {
    let bytes = [ANSWER.as_bytes(), &[0x81, 0x02, b'h', b'i']].concat();
    let mut handshake = started();
    assert!(handshake.handle_input(&bytes[..50]).unwrap().is_none());
    match handshake.handle_input(&bytes[50..]).unwrap() {
        Some(ClientOutcome::Accepted(accepted)) => {
            assert_eq!(&bytes[50 + accepted.consumed..], [0x81, 0x02, b'h', b'i']);
        }
        other => panic!("{other:?}"),
    }
    let over = HandshakeError::Misuse(HandshakeMisuse::Finished);
    assert_eq!(handshake.handle_input(b"x").unwrap_err(), over);
}

#[test]
fn own_client_and_server_agree() {
    let mut request = ClientRequest::new("[::1]:8080", "/a?b").unwrap();
    request.add_subprotocol("x").unwrap();
    request.add_subprotocol("y").unwrap();
    let wish = DeflateNegotiation {
        send_context_takeover: true,
        ..DeflateNegotiation::default()
    };
    request.set_deflate(wish);
    let mut sent = BytesMut::new();
    let mut client = request.start([7; 16], ClientLimits::default(), &mut sent);
    let head = super::request(str::from_utf8(&sent).unwrap()).unwrap();
    let Ok(RequestCheck::Offer(offer)) = check_request(&head) else {
        panic!("our own request is refused");
    };
    let mut answer = BytesMut::new();
    let deflate = DeflateNegotiation {
        receive_context_takeover: true,
        ..DeflateNegotiation::default()
    };
    let options = AcceptOptions {
        subprotocol: Some("y"),
        deflate,
        ..AcceptOptions::default()
    };
    let server = offer.accept(&options, &mut answer).unwrap();
    match client.handle_input(&answer).unwrap() {
        Some(ClientOutcome::Accepted(accepted)) => {
            assert_eq!(accepted.subprotocol, server.subprotocol);
            assert_eq!(accepted.deflate, server.deflate);
            let params = accepted.deflate.unwrap();
            assert!(params.server_no_context_takeover && !params.client_no_context_takeover);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn debug_output_holds_no_secrets() {
    let mut request = ClientRequest::new("a", "/?token=s3cret").unwrap();
    request.add_subprotocol("bowline.token.s3cret").unwrap();
    request.add_header("Cookie", b"a=s3cret").unwrap();
    let mut out = BytesMut::new();
    let started = request.start(NONCE, ClientLimits::default(), &mut out);
    let shown = format!("{request:?} {started:?}");
    assert!(!shown.contains("s3cret"), "{shown}");
}

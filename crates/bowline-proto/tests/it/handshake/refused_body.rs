//! Answers other than 101: the client keeps status line, headers and a bounded body.

use bowline_proto::handshake::{
    BodyEnd, ClientHandshake, ClientLimits, ClientOutcome, ClientRefused, ClientRequest,
};
use bytes::BytesMut;

const BODY_SIZE_MAX: usize = 16;

fn started() -> ClientHandshake {
    let request = ClientRequest::new("a", "/").unwrap();
    let limits = ClientLimits {
        body_size_max: BODY_SIZE_MAX,
        ..ClientLimits::default()
    };
    request.start([0; 16], limits, &mut BytesMut::new())
}

/// Feeds an answer in pieces of a size, then the end of the connection if it is still wanted.
fn refused(answer: &[u8], chunk_size: usize) -> ClientRefused {
    let mut handshake = started();
    let outcome = answer
        .chunks(chunk_size)
        .find_map(|chunk| handshake.handle_input(chunk).unwrap())
        .unwrap_or_else(|| handshake.handle_eof().unwrap());
    match outcome {
        ClientOutcome::Refused(refused) => refused,
        ClientOutcome::Accepted(accepted) => panic!("{accepted:?}"),
    }
}

// RFC 9112 sections 6.3 and 7.1.
#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn body_ends_as_the_head_says() {
    use BodyEnd::{Complete, CutShort, LimitReached, Malformed};
    let chunked = "Transfer-Encoding: chunked";
    for (status, framing, sent, kept, end) in [
        (401, "Content-Length: 5", "hello", "hello", Complete),
        (401, "Content-Length: 5", "hello more", "hello", Complete),
        (401, "Content-Length: 0", "", "", Complete),
        (401, "Content-Length: 5", "hel", "hel", CutShort),
        (
            401,
            "Content-Length: 16",
            "0123456789abcdef",
            "0123456789abcdef",
            Complete,
        ),
        (
            401,
            "Content-Length: 17",
            "0123456789abcdefg",
            "0123456789abcdef",
            LimitReached,
        ),
        (
            401,
            "Content-Length: 18446744073709551615",
            "hi",
            "hi",
            CutShort,
        ),
        (
            401,
            "Content-Length: 18446744073709551616",
            "hi",
            "",
            Malformed,
        ),
        (401, "Content-Length: -1", "hi", "", Malformed),
        (
            401,
            "Content-Length: 2\r\nContent-Length: 3",
            "hi",
            "",
            Malformed,
        ),
        (401, "X: y", "until eof", "until eof", Complete),
        (401, "X: y", "", "", Complete),
        (
            401,
            "X: y",
            "0123456789abcdefg",
            "0123456789abcdef",
            LimitReached,
        ),
        (401, chunked, "5\r\nhello\r\n0\r\n\r\n", "hello", Complete),
        (
            401,
            chunked,
            "1;a=b\r\nh\r\n04 \r\nello\r\n000\r\n",
            "hello",
            Complete,
        ),
        (
            401,
            "Transfer-Encoding: gzip, Chunked",
            "A\r\n0123456789\r\n0\r\n",
            "0123456789",
            Complete,
        ),
        (401, "Transfer-Encoding: gzip", "raw", "raw", Complete),
        (
            401,
            chunked,
            "11\r\n0123456789abcdefg\r\n",
            "0123456789abcdef",
            LimitReached,
        ),
        (401, chunked, "ffffffffffffffff\r\nhi", "hi", CutShort),
        (401, chunked, "10000000000000000\r\nhi", "", Malformed),
        (401, chunked, "5\r\nhelloX\n", "hello", Malformed),
        (401, chunked, "5\nhello", "", Malformed),
        (401, chunked, "g\r\n", "", Malformed),
        (401, chunked, "\r\n", "", Malformed),
        (401, chunked, "5\r\nhel", "hel", CutShort),
        (204, "Content-Length: 5", "", "", Complete),
        (304, "X: y", "", "", Complete),
    ] {
        let answer = format!("HTTP/1.1 {status} Why\r\n{framing}\r\n\r\n{sent}");
        for chunk_size in [1, 3, answer.len()] {
            let refused = refused(answer.as_bytes(), chunk_size);
            assert_eq!(refused.response.status(), status);
            assert_eq!(str::from_utf8(&refused.body), Ok(kept), "{answer}");
            assert_eq!(refused.body_end, end, "{answer} in chunks of {chunk_size}");
        }
    }
}

#[test]
fn redirect_keeps_status_line_headers_and_cookies() {
    let answer = "HTTP/1.1 302 Found\r\nLocation: wss://b/\r\nSet-Cookie: a=1\r\n\
                  Set-Cookie: b=2; Path=/\r\nContent-Length: 0\r\n\r\n";
    let refused = refused(answer.as_bytes(), answer.len());
    assert_eq!(refused.response.status_line(), b"HTTP/1.1 302 Found");
    assert_eq!(
        refused.response.headers().text("location"),
        Some("wss://b/")
    );
    let cookies: Vec<_> = refused.response.headers().set_cookies().collect();
    assert_eq!(cookies, [&b"a=1"[..], b"b=2; Path=/"]);
}

#[test]
fn endless_chunk_extension_is_refused() {
    let answer = format!(
        "HTTP/1.1 500 Why\r\nTransfer-Encoding: chunked\r\n\r\n1;{}",
        "x".repeat(10_000)
    );
    assert_eq!(refused(answer.as_bytes(), 100).body_end, BodyEnd::Malformed);
}

#[test]
fn empty_body_ends_the_handshake_without_more_bytes() {
    let answer = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
    assert!(matches!(
        started().handle_input(answer),
        Ok(Some(ClientOutcome::Refused(_)))
    ));
}

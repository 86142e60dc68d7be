use bowline_proto::deflate::WindowBits;
use bowline_proto::deflate::negotiate::{
    ClientWindowBits, DeflateNegotiation, DeflateOffer, check_answer,
};
use bowline_proto::handshake::{
    ClientLimits, ClientOutcome, ClientRequest, Head, HeadError, HeadLimits, HeadParser,
    RequestHead, ResponseHead, check_request, parse_extensions,
};
use bytes::BytesMut;
use proptest::collection::vec;
use proptest::prelude::*;

use super::BROWSER;

const LIMITS: HeadLimits = HeadLimits {
    head_size_max: 300,
    header_count_max: 8,
};

/// What heads, and things that are nearly heads, are made of.
const PIECES: &[&[u8]] = &[
    b"GET / HTTP/1.1\r\n",
    b"HTTP/1.1 101 OK\r\n",
    b"HTTP/1.1 200 OK\r\n",
    b"Host: a\r\n",
    b"Upgrade: websocket\r\n",
    b"Connection: Upgrade\r\n",
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
    b"Sec-WebSocket-Version: 13\r\n",
    b"Sec-WebSocket-Extensions: permessage-deflate; a=\"b\\c\"\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"\r\n",
    b"\n",
    b"\r",
    b" ",
    b":",
    b"\0",
    b"\xff",
    b"5\r\n",
];

/// What a parser made of bytes: the head's own bytes, or the error.
type Parsed<H> = Result<Option<(H, usize)>, HeadError>;

/// Feeds bytes cut at the given sizes, over and over; counts all bytes up to the end of the head.
fn parsed<H: Head>(bytes: &[u8], sizes: &[usize], limits: HeadLimits) -> Parsed<H> {
    let mut parser = HeadParser::<H>::new(limits);
    let mut rest = bytes;
    let mut sizes = sizes.iter().cycle();
    while !rest.is_empty() {
        let size = sizes.next().copied().unwrap_or(rest.len()).min(rest.len());
        let (chunk, after) = rest.split_at(size);
        let result = parser.handle_input(chunk)?;
        assert!(parser.scanned_bytes() <= (bytes.len() - after.len()) as u64);
        assert!(parser.buffered().len() <= limits.head_size_max);
        if let Some(parsed) = result {
            return Ok(Some((
                parsed.head,
                bytes.len() - rest.len() + parsed.consumed,
            )));
        }
        rest = after;
    }
    Ok(None)
}

/// Bytes that are often nearly a head.
fn nearly_head() -> impl Strategy<Value = Vec<u8>> {
    let piece = proptest::sample::select(PIECES);
    let tail = vec(any::<u8>(), 0..20);
    (vec(piece, 0..14), tail).prop_map(|(pieces, tail)| [pieces.concat(), tail].concat())
}

fn sizes() -> impl Strategy<Value = Vec<usize>> {
    vec(1..40usize, 1..20)
}

fn window_bits() -> impl Strategy<Value = WindowBits> {
    (8..=15u8).prop_map(|bits| WindowBits::new(bits).unwrap())
}

fn wish() -> impl Strategy<Value = DeflateNegotiation> {
    (any::<bool>(), any::<bool>(), window_bits(), window_bits()).prop_map(
        |(send, receive, send_bits, receive_bits)| DeflateNegotiation {
            enabled: true,
            send_context_takeover: send,
            receive_context_takeover: receive,
            send_window_bits_max: send_bits,
            receive_window_bits_max: receive_bits,
        },
    )
}

fn offer() -> impl Strategy<Value = DeflateOffer> {
    let client_bits = prop_oneof![
        Just(ClientWindowBits::Absent),
        Just(ClientWindowBits::Any),
        window_bits().prop_map(ClientWindowBits::AtMost),
    ];
    (
        any::<bool>(),
        any::<bool>(),
        proptest::option::of(window_bits()),
        client_bits,
    )
        .prop_map(
            |(server_no, client_no, server_bits, client_bits)| DeflateOffer {
                server_no_context_takeover: server_no,
                client_no_context_takeover: client_no,
                server_max_window_bits: server_bits,
                client_max_window_bits: client_bits,
            },
        )
}

fn same<H>(
    one: &Parsed<H>,
    other: &Parsed<H>,
    bytes: impl Fn(&H) -> Vec<u8>,
) -> Result<(), TestCaseError> {
    match (one, other) {
        (Ok(Some((one, one_end))), Ok(Some((other, other_end)))) => {
            prop_assert_eq!(one_end, other_end);
            prop_assert_eq!(bytes(one), bytes(other));
        }
        (Ok(None), Ok(None)) => {}
        (Err(one), Err(other)) => prop_assert_eq!(one, other),
        _ => prop_assert!(false, "one found a head, the other did not"),
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_chunking_of_a_browser_head_gives_the_same_head(
        sizes in sizes(),
        frames in vec(any::<u8>(), 0..50),
    ) {
        let bytes = [BROWSER.as_bytes(), &frames].concat();
        let (head, end) =
            parsed::<RequestHead>(&bytes, &sizes, HeadLimits::default()).unwrap().unwrap();
        prop_assert_eq!(end, BROWSER.len());
        prop_assert_eq!(head.as_bytes(), BROWSER.as_bytes());
        prop_assert_eq!(head.headers().len(), 12);
    }

    #[test]
    fn any_chunking_of_any_bytes_ends_alike(bytes in nearly_head(), sizes in sizes()) {
        let request = |sizes: &[usize]| parsed::<RequestHead>(&bytes, sizes, LIMITS);
        same(&request(&[]), &request(&sizes), |head| head.as_bytes().to_vec())?;
        let response = |sizes: &[usize]| parsed::<ResponseHead>(&bytes, sizes, LIMITS);
        same(&response(&[]), &response(&sizes), |head| head.as_bytes().to_vec())?;
    }

    #[test]
    fn checks_never_panic(bytes in nearly_head()) {
        if let Ok(Some((head, _))) = parsed::<RequestHead>(&bytes, &[], LIMITS) {
            if let Err(refusal) = check_request(&head) {
                let mut out = BytesMut::new();
                refusal.write(&mut out);
                prop_assert!(out.starts_with(b"HTTP/1.1 4"));
            }
            let _ = (head.path(), head.query(), head.authority(), head.is_same_origin());
        }
    }

    #[test]
    fn client_takes_any_answer_alike_in_any_chunking(bytes in nearly_head(), sizes in sizes()) {
        let run = |sizes: &[usize]| {
            let request = ClientRequest::new("a", "/").unwrap();
            let limits = ClientLimits { head: LIMITS, body_size_max: 30, interim_count_max: 1 };
            let mut handshake = request.start([0; 16], limits, &mut BytesMut::new());
            let mut rest = &bytes[..];
            let mut sizes = sizes.iter().cycle();
            while !rest.is_empty() {
                let size = sizes.next().copied().unwrap_or(rest.len()).min(rest.len());
                let (chunk, after) = rest.split_at(size);
                if let Some(outcome) = handshake.handle_input(chunk)? {
                    return Ok(outcome);
                }
                rest = after;
            }
            handshake.handle_eof()
        };
        match (run(&[]), run(&sizes)) {
            (Ok(ClientOutcome::Refused(one)), Ok(ClientOutcome::Refused(other))) => {
                prop_assert_eq!(one.body, other.body);
                prop_assert_eq!(one.body_end, other.body_end);
            }
            (Ok(ClientOutcome::Accepted(one)), Ok(ClientOutcome::Accepted(other))) => {
                prop_assert_eq!(one.response.as_bytes(), other.response.as_bytes());
            }
            (Err(one), Err(other)) => prop_assert_eq!(one, other),
            (one, other) => prop_assert!(false, "{one:?} is not {other:?}"),
        }
    }

    #[test]
    fn extension_grammar_never_panics_and_keeps_its_bounds(
        value in "[ab;,=\"\\\\ \t\u{e9}]{0,60}",
    ) {
        if let Ok(list) = parse_extensions([value.as_bytes()]) {
            prop_assert!(!list.is_empty() && list.len() <= 16);
            for extension in list {
                prop_assert!(!extension.name.is_empty());
                prop_assert!(extension.parameters.iter().all(|p| p.value.as_deref() != Some("")));
            }
        }
    }

    #[test]
    fn any_server_answer_fits_the_offers_and_the_server(
        wish in wish(),
        offers in vec(offer(), 0..4),
    ) {
        if let Some(answer) = wish.answer(&offers) {
            let params = answer.params();
            prop_assert!(params.server_max_window_bits <= wish.send_window_bits_max);
            // A client that names no size is never told 8 bits, which stock zlib cannot do.
            let nine_bits = WindowBits::new(9).unwrap();
            prop_assert!(params.client_max_window_bits <= wish.receive_window_bits_max.max(nine_bits));
            prop_assert!(params.server_no_context_takeover || wish.send_context_takeover);
            prop_assert!(params.client_no_context_takeover || wish.receive_context_takeover);
            let mut out = BytesMut::new();
            answer.write(&mut out);
            let parsed = parse_extensions([&out[..]]).unwrap();
            let checked = check_answer(&offers, &parsed[0]).unwrap();
            prop_assert_eq!(checked.server_max_window_bits, params.server_max_window_bits);
            prop_assert_eq!(checked.server_no_context_takeover, params.server_no_context_takeover);
        }
    }

    #[test]
    fn two_own_ends_always_agree_alike(client in wish(), server in wish()) {
        let offers: Vec<_> = client.offer().into_iter().collect();
        if let Some(answer) = server.answer(&offers) {
            let mut out = BytesMut::new();
            answer.write(&mut out);
            let parsed = parse_extensions([&out[..]]).unwrap();
            let params = check_answer(&offers, &parsed[0]).unwrap();
            prop_assert_eq!(params, answer.params());
            prop_assert!(params.client_max_window_bits <= client.send_window_bits_max);
            prop_assert!(params.server_max_window_bits <= client.receive_window_bits_max);
        }
    }
}

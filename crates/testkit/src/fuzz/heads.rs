//! Any bytes as the heads of an opening handshake, both roles.

use bowline_proto::{
    deflate::DeflateNegotiation,
    handshake::{
        ClientLimits, ClientOutcome, ClientRequest, Head, HeadError, HeadLimits, HeadParser,
        RequestCheck, RequestHead, ResponseHead, check_request,
    },
};
use bytes::BytesMut;

use super::Script;
use crate::Chunks;

/// Reads a request and an answer, whole and in pieces, and compares.
///
/// # Panics
/// If a promise of the handshake is broken.
pub fn heads(data: &[u8]) {
    let mut script = Script::new(data);
    let cut = Chunks::of(usize::from(script.byte()) % 64);
    let stream = script.rest();
    same_head::<RequestHead>(stream, &cut);
    same_head::<ResponseHead>(stream, &cut);
    if let (Ok(Some((head, _))), _) = head::<RequestHead>(stream, &Chunks::whole()) {
        request(&head);
    }
    let whole = answer(stream, &Chunks::whole());
    assert_eq!(whole, answer(stream, &cut));
}

fn same_head<H: Head + std::fmt::Debug>(stream: &[u8], cut: &Chunks) {
    let (whole, _) = head::<H>(stream, &Chunks::whole());
    let (pieces, scanned) = head::<H>(stream, cut);
    assert!(scanned <= stream.len() as u64, "{scanned} bytes looked at");
    let shape = |parsed: Result<Option<(H, usize)>, HeadError>| {
        parsed.map(|head| head.map(|(head, end)| (format!("{head:?}"), end)))
    };
    assert_eq!(shape(whole), shape(pieces));
}

/// Reads one head; gives it with its end in the stream, and the bytes looked at.
fn head<H: Head>(stream: &[u8], cut: &Chunks) -> (Result<Option<(H, usize)>, HeadError>, u64) {
    let limits = HeadLimits {
        head_size_max: 1024,
        header_count_max: 16,
    };
    let mut parser = HeadParser::<H>::new(limits);
    let mut start = 0;
    for piece in cut.cut(stream) {
        match parser.handle_input(piece) {
            Ok(None) => start += piece.len(),
            Ok(Some(parsed)) => {
                let end = start + parsed.consumed;
                return (Ok(Some((parsed.head, end))), parser.scanned_bytes());
            }
            Err(error) => return (Err(error), parser.scanned_bytes()),
        }
        assert!(parser.buffered().len() <= limits.head_size_max);
    }
    (Ok(None), parser.scanned_bytes())
}

/// Answers a request, whatever it says.
fn request(head: &RequestHead) {
    let mut out = BytesMut::new();
    match check_request(head) {
        Ok(RequestCheck::Offer(offer)) => {
            let count = offer.subprotocols().count();
            assert!(count <= bowline_proto::handshake::SUBPROTOCOL_COUNT_MAX);
        }
        Ok(RequestCheck::NotAnUpgrade) => {}
        Err(refusal) => {
            refusal.write(&mut out);
            assert!(out.starts_with(b"HTTP/1.1 4"), "{out:?}");
        }
    }
}

/// Reads an answer in the client role and gives what came of it.
fn answer(stream: &[u8], cut: &Chunks) -> String {
    let mut request = ClientRequest::new("localhost", "/").expect("a legal request");
    request.set_deflate(DeflateNegotiation::default());
    let limits = ClientLimits {
        body_size_max: 256,
        ..ClientLimits::default()
    };
    let mut handshake = request.start([7; 16], limits, &mut BytesMut::new());
    let mut start = 0;
    for piece in cut.cut(stream) {
        match handshake.handle_input(piece) {
            Ok(None) => start += piece.len(),
            Ok(Some(ClientOutcome::Accepted(accepted))) => {
                return format!("{:?} {}", accepted.deflate, start + accepted.consumed);
            }
            Ok(Some(ClientOutcome::Refused(refused))) => {
                assert!(refused.body.len() <= limits.body_size_max);
                return format!("{refused:?}");
            }
            Err(error) => return format!("{error:?}"),
        }
    }
    format!("{:?}", handshake.handle_eof())
}

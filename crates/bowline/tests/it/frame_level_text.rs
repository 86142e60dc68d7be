//! Text in EBCDIC on a route, in messages and in frames.

use std::{sync::Arc, thread, time::Duration};

use bowline::{
    CloseCode, Error, FrameCode, Message, MessageKind,
    blocking::{self, Listener, RecvError, TranslatedSocket},
    text_codec::{self, CodePage, Ebcdic, TextCodecError, TranslatedMessage, Unmappable, Utf8},
};
use bytes::Bytes;

use crate::ends::tcp_pair;

fn code(number: u8) -> FrameCode {
    FrameCode::from_code(number).unwrap()
}

/// Makes a client that speaks UTF-8, and a server's end with a codec.
fn pair(codec: Ebcdic) -> (blocking::WebSocket, TranslatedSocket) {
    let listener = Listener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let client = thread::spawn(move || blocking::connect(&url).unwrap());
    let server = TranslatedSocket::new(listener.accept().unwrap(), Arc::new(codec));
    (client.join().unwrap(), server)
}

#[test]
fn text_is_translated_both_ways_and_binary_is_left_alone() {
    for (code_page, bracket) in [(CodePage::Cp037, 0xBA), (CodePage::Cp1047, 0xAD)] {
        let (mut client, mut server) = pair(Ebcdic::new(code_page));
        client.send("[Hi").unwrap();
        client.send(Message::binary(vec![0xC8, 0x89])).unwrap();
        let text = server.recv().unwrap().unwrap();
        assert_eq!(text.kind, MessageKind::Text);
        assert_eq!(*text.payload, [bracket, 0xC8, 0x89]);
        let binary = server.recv().unwrap().unwrap();
        assert_eq!(binary.kind, MessageKind::Binary);
        assert_eq!(*binary.payload, [0xC8, 0x89]);
        server.send(&text).unwrap();
        server.send(&binary).unwrap();
        assert_eq!(client.recv(), Ok(Some(Message::text("[Hi"))));
        assert_eq!(client.recv(), Ok(Some(Message::binary(vec![0xC8, 0x89]))));
    }
}

#[test]
fn a_character_without_a_place_closes_with_1003() {
    let (mut client, mut server) = pair(Ebcdic::new(CodePage::Cp1047));
    client.send("1\u{20ac}").unwrap();
    let refused = server.recv().unwrap_err();
    let why = TextCodecError::Unmappable {
        character: '\u{20ac}',
        at: 1,
    };
    assert!(matches!(refused, Error::TextCodec(error) if error == why));
    let closing = thread::spawn(move || server.recv().unwrap());
    assert_eq!(client.recv(), Ok(None));
    let ending = client.ending().unwrap();
    assert_eq!(ending.code, CloseCode::UNSUPPORTED_DATA);
    assert_eq!(&*ending.reason, why.to_string());
    assert_eq!(closing.join().unwrap(), None);
}

#[test]
fn a_character_without_a_place_can_be_substituted() {
    let (mut client, mut server) = pair(Ebcdic {
        unmappable: Unmappable::Substitute,
        ..Ebcdic::new(CodePage::Cp1047)
    });
    client.send("1\u{20ac}").unwrap();
    assert_eq!(*server.recv().unwrap().unwrap().payload, [0xF1, 0x3F]);
}

#[test]
fn timeouts_stay_when_a_codec_is_given() {
    let (client, mut server) = pair(Ebcdic::default());
    server.set_receive_timeout(Some(Duration::from_millis(10)));
    assert!(matches!(server.recv(), Err(Error::RecvTimeout)));
    assert!(matches!(server.recv_frame(), Err(Error::RecvTimeout)));
    let mut server = server.into_socket();
    assert_eq!(server.recv(), Err(RecvError::TimedOut));
    let mut server = TranslatedSocket::new(server, Arc::new(Utf8));
    assert!(matches!(server.recv(), Err(Error::RecvTimeout)));
    drop(client);
}

#[test]
fn frames_of_text_are_translated_even_if_a_character_is_split() {
    let (mut client, mut server) = pair(Ebcdic::new(CodePage::Cp1047));
    for (number, payload) in [
        (1, &b"1\xc3"[..]),
        (9, b"p"),
        (0, b"\xa9"),
        (128, b"2"),
        (2, b"1"),
        (128, b"2"),
    ] {
        client.send_frame(code(number), payload).unwrap();
    }
    for (number, payload) in [
        (1, &[0xF1][..]),
        (9, b"p"),
        (0, &[0x51]),
        (128, &[0xF2]),
        (2, b"1"),
        (128, b"2"),
    ] {
        let (code, received) = server.recv_frame().unwrap().unwrap();
        assert_eq!((code.code(), &*received), (number, payload));
        if number != 9 {
            server.send_frame(code, received).unwrap();
        }
    }
    // The pong of the engine comes ahead of data, so somewhere among the frames.
    let mut answers: Vec<_> = (0..6)
        .map(|_| client.recv_frame().unwrap().unwrap())
        .map(|(code, payload)| (code.code(), payload.to_vec()))
        .collect();
    answers.retain(|(number, _)| *number != 10);
    let expected = [
        (1, &b"1"[..]),
        (0, b"\xc3\xa9"),
        (128, b"2"),
        (2, b"1"),
        (128, b"2"),
    ];
    assert_eq!(
        answers,
        expected.map(|(number, payload)| (number, payload.to_vec()))
    );
}

#[tokio::test]
async fn an_async_route_translates_too_and_refuses_malformed_text() {
    let (mut client, server) = tcp_pair().await;
    let mut server = text_codec::TranslatedSocket::new(server, Arc::new(Utf8));
    let malformed = server.send_text(b"ab\xff").await;
    assert!(matches!(
        malformed,
        Err(Error::TextCodec(TextCodecError::Malformed { at: 2 }))
    ));
    let malformed = TranslatedMessage {
        kind: MessageKind::Text,
        payload: Bytes::from_static(b"\xff"),
    };
    assert!(server.send(&malformed).await.is_err());
    server.send_text("\u{e9}".as_bytes()).await.unwrap();
    server.send_binary(b"\xff").await.unwrap();
    assert_eq!(client.recv().await, Some(Message::text("\u{e9}")));
    assert_eq!(client.recv().await, Some(Message::binary(b"\xff")));
    client.send("back").await.unwrap();
    let received = server.recv().await.unwrap().unwrap();
    assert_eq!(*received.payload, *b"back");
    assert!(server.socket().is_compressed());
    let closing = tokio::spawn(async move { server.recv().await });
    assert!(
        client
            .close(CloseCode::NORMAL, "")
            .await
            .unwrap()
            .is_clean()
    );
    assert_eq!(closing.await.unwrap(), Ok(None));
}

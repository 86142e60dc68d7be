//! Masks on a server's frames, against RFC 6455 section 5.1.

use bowline_proto::{
    Cause, CloseCode, Compress, Config, Fin, Message, MessageKind, Nonstandard, Payload,
    PreparedMessage, ProtocolViolation, Role,
};
use bowline_testkit::{Collected, End, Frame};

fn end(role: Role, masks: bool) -> End {
    let nonstandard = match role {
        Role::Server => Nonstandard {
            mask_server_frames: masks,
            ..Nonstandard::default()
        },
        Role::Client => Nonstandard {
            accept_masked_server_frames: masks,
            ..Nonstandard::default()
        },
    };
    let config = Config {
        nonstandard,
        ..Config::default()
    };
    End::new(role, config, None)
}

/// Sends a frame of every kind.
fn send_all(server: &mut End) {
    let connection = &mut server.connection;
    let prepared = PreparedMessage::new(Message::text("prepared"));
    connection.send(Message::text("text")).unwrap();
    connection.send_prepared(&prepared).unwrap();
    let kind = MessageKind::Binary;
    for fin in [Fin::More, Fin::Last] {
        connection
            .send_fragment(kind, Payload::Borrowed(&[7; 9]), fin, Compress::Auto)
            .unwrap();
    }
    connection.begin_frame(kind, 3, Fin::Last).unwrap();
    connection
        .send_frame_payload(Payload::Borrowed(b"abc"))
        .unwrap();
    connection.ping(b"ping").unwrap();
}

#[test]
fn a_server_masks_only_when_told_to_and_a_client_refuses_it_unless_told_otherwise() {
    for (masks, bears) in [(false, false), (false, true), (true, false), (true, true)] {
        let (mut server, mut client) = (end(Role::Server, masks), end(Role::Client, bears));
        send_all(&mut server);
        let bytes = server.write();
        let frames = Frame::parse_all(&bytes);
        let keys: Vec<_> = frames.iter().filter_map(|frame| frame.key).collect();
        assert_eq!(keys.len(), if masks { frames.len() } else { 0 });
        let fresh: std::collections::BTreeSet<_> = keys.iter().collect();
        assert_eq!(fresh.len(), keys.len(), "every key is used once");

        client.read(&bytes);
        if masks && !bears {
            let violation = Cause::Violation(ProtocolViolation::MaskedFrame);
            let ending = client.connection.ending().unwrap();
            assert_eq!(
                (ending.cause, ending.code),
                (violation, CloseCode::PROTOCOL_ERROR)
            );
            continue;
        }
        let messages: Vec<_> = client
            .events
            .iter()
            .filter_map(|event| match event {
                Collected::Message(_, payload) => Some(payload.clone()),
                Collected::Fragment { .. }
                | Collected::Ping(_)
                | Collected::Pong(..)
                | Collected::Close(_)
                | Collected::Closed(_) => None,
            })
            .collect();
        assert_eq!(
            messages,
            [&b"text"[..], b"prepared", &[7; 18], b"abc"],
            "masks {masks}"
        );
    }
}

#[test]
fn a_server_refuses_unmasked_frames_whatever_it_does_itself() {
    let mut server = end(Role::Server, true);
    server.read(&Frame::text("not masked").encode());
    let ending = server.connection.ending().unwrap();
    let violation = Cause::Violation(ProtocolViolation::UnmaskedFrame);
    assert_eq!(ending.cause, violation);
}

#[test]
fn a_client_that_bears_masks_still_masks_what_it_sends() {
    let mut client = end(Role::Client, true);
    client.connection.send(Message::text("text")).unwrap();
    let frames = client.write_frames();
    assert!(frames[0].key.is_some());
}

//! What an engine counts.

use std::time::Duration;

use bowline_proto::{
    Close, CloseCode, Compress, Config, Connection, Counters, Fin, Keepalive, Message, MessageKind,
    Payload, PreparedMessage, Role, View,
};
use bowline_testkit::{Chunks, End, Frame, Pair, Takeover, deflate_params};

/// Sends four messages of 1,000 bytes each, one by each way to send.
fn send_all_ways(connection: &mut Connection) {
    let payload = [b'a'; 1000];
    let (text, front, back) = (MessageKind::Text, &payload[..300], &payload[300..]);
    connection.send_binary(&payload).unwrap();
    let prepared = PreparedMessage::new(Message::binary(&payload[..]));
    connection.send_prepared(&prepared).unwrap();
    for (piece, fin) in [(front, Fin::More), (back, Fin::Last)] {
        connection
            .send_fragment(text, Payload::Borrowed(piece), fin, Compress::Auto)
            .unwrap();
    }
    connection.begin_frame(text, 1000, Fin::More).unwrap();
    for piece in [front, back] {
        connection
            .send_frame_payload(Payload::Borrowed(piece))
            .unwrap();
    }
    connection.begin_frame(text, 0, Fin::Last).unwrap();
}

fn check(mut pair: Pair, view: View) -> Counters {
    pair.server.reads = Chunks::of(7);
    pair.server.connection.set_view(view);
    send_all_ways(&mut pair.client.connection);
    assert!(
        pair.client
            .connection
            .send_frame_payload(Payload::Borrowed(b"x"))
            .is_err()
    );
    pair.run();
    let sent = pair.client.connection.counters();
    let received = pair.server.connection.counters();
    assert_eq!((sent.messages_out, sent.payload_bytes_out), (4, 4000));
    assert_eq!((received.messages_in, received.payload_bytes_in), (4, 4000));
    assert_eq!(sent.wire_bytes_out, pair.upstream.len() as u64);
    assert_eq!(received.wire_bytes_in, pair.upstream.len() as u64);
    assert_eq!((received.messages_out, received.wire_bytes_out), (0, 0));
    assert_eq!((sent.messages_in, sent.wire_bytes_in), (0, 0));
    sent
}

#[test]
fn messages_and_bytes_are_counted_alike_however_they_are_sent_and_received() {
    let config = Config::default();
    for view in [View::Messages, View::Fragments] {
        let plain = check(Pair::new(&config), view);
        assert!(plain.wire_bytes_out > plain.payload_bytes_out);
        let params = deflate_params(15, Takeover::Yes);
        let compressed = check(Pair::compressed(&config, params), view);
        assert!(compressed.wire_bytes_out < compressed.payload_bytes_out / 2);
    }
}

#[test]
fn pings_and_round_trips_are_counted_and_are_no_messages() {
    let keepalive = Keepalive {
        interval: Duration::from_secs(20),
        timeout: Duration::from_secs(20),
    };
    let mut pair = Pair::new(&Config {
        keepalive: Some(keepalive),
        ..Config::default()
    });
    pair.client.connection.ping(b"a").unwrap();
    pair.client.connection.pong(b"unasked").unwrap();
    pair.run();
    let [client, server] = [&pair.client, &pair.server].map(|end| end.connection.counters());
    assert_eq!((server.pings_in, client.pings_in), (1, 0));
    assert_eq!((server.round_trips, client.round_trips), (0, 0));
    pair.server.pass(Duration::from_secs(20));
    pair.run();
    let [client, server] = [&pair.client, &pair.server].map(|end| end.connection.counters());
    assert_eq!((server.round_trips, client.round_trips), (1, 0));
    assert_eq!(client.pings_in, 1);
    assert_eq!((client.messages_in, server.messages_in), (0, 0));
}

#[test]
fn what_comes_after_the_end_of_reading_is_not_counted() {
    let mut end = End::plain(Role::Server);
    end.read_frames(&[Frame::text("one"), Frame::close(1000, "")]);
    let before = end.connection.counters();
    assert_eq!((before.messages_in, before.payload_bytes_in), (1, 3));
    end.read(&[0; 100]);
    assert_eq!(end.connection.counters(), before);
}

#[test]
fn a_refused_call_counts_nothing() {
    let mut end = End::plain(Role::Server);
    let close = Close::new(CloseCode::NORMAL, "").unwrap();
    let now = end.now();
    end.connection.close(now, Some(&close)).unwrap();
    assert!(end.connection.send_text("late").is_err());
    assert_eq!(end.connection.counters(), Counters::default());
}

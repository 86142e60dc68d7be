//! What happens at the bounds.

use bowline::{CloseCode, Connector, DeflateNegotiation};
use bowline_hub::{Config, Limits};

use super::support::{Hub, refused, settle, text};

#[tokio::test]
async fn a_full_hub_says_so_and_has_room_again_when_somebody_leaves() {
    let hub = Hub::start_with(Config {
        limits: Limits {
            connections_max: 2,
            ..Limits::default()
        },
        ..Config::default()
    })
    .await;
    let mut first = hub.join("").await;
    let _second = hub.join("").await;
    let (status, _) = refused(&Connector::default(), &hub.url("")).await;
    assert_eq!(status, 503);
    let answer = hub.get("/").await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(answer.contains("retry-after: 5"), "{answer}");
    first.close(CloseCode::NORMAL, "").await.unwrap();
    // The place is free a moment after the close; until then the answer is still 503.
    while bowline::connect(&hub.url("")).await.is_err() {}
}

#[tokio::test]
async fn a_subscriber_that_does_not_read_is_closed_and_others_miss_nothing() {
    let hub = Hub::start_with(Config {
        limits: Limits {
            outbox_messages_max: 4,
            ..Limits::default()
        },
        ..Config::default()
    })
    .await;
    // Compressed, all of it would fit into the buffers on the way.
    let mut plain = Connector::default();
    plain.options.deflate = DeflateNegotiation::DISABLED;
    let mut slow = plain.connect(&hub.url("")).await.unwrap();
    settle(&mut slow).await;
    let mut quick = hub.join("").await;
    let mut publisher = hub.join("").await;
    settle(&mut publisher).await;
    let payload = "x".repeat(64 << 10);
    for n in 0..COUNT {
        let line = format!("[\"a/{n}/set\", \"{payload}\"]");
        publisher.send(line.as_str()).await.unwrap();
        assert_eq!(text(&mut quick).await.trim_end(), line);
    }
    let mut received = 0;
    while slow.recv().await.is_some() {
        received += 1;
    }
    assert!(received < COUNT, "{received}");
    assert_eq!(slow.ending().unwrap().code, CloseCode::TRY_AGAIN_LATER);
}

#[tokio::test]
async fn a_message_beyond_the_limit_closes_its_connection_with_1009() {
    let hub = Hub::start_with(Config {
        limits: Limits {
            message_size_max: 1024,
            ..Limits::default()
        },
        ..Config::default()
    })
    .await;
    let mut ws = hub.join("").await;
    ws.send("x".repeat(1025)).await.unwrap();
    assert!(ws.recv().await.is_none());
    assert_eq!(ws.ending().unwrap().code, CloseCode::MESSAGE_TOO_BIG);
}

#[tokio::test]
async fn a_full_bus_refuses_further_sessions() {
    let mut config = Config::default();
    config.limits.bus.sessions_max = 1;
    let hub = Hub::start_with(config).await;
    let _first = hub.join("").await;
    let (status, _) = refused(&Connector::default(), &hub.url("")).await;
    assert_eq!(status, 503);
}

/// Messages of 64 KiB: more than the buffers of the operating system hold for one connection.
const COUNT: usize = 320;

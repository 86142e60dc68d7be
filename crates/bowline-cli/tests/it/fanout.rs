//! `bowline echo --fanout`.

use bowline::{CloseCode, Connector, DeflateNegotiation, Error, Message, WebSocket};

use crate::support::Bowline;

const COUNT: usize = 500;

fn numbered(publisher: usize, n: usize) -> Message {
    let text = format!("{publisher} {n} {}", "x".repeat(n % 300));
    if n.is_multiple_of(2) {
        Message::text(text)
    } else {
        Message::binary(text.into_bytes())
    }
}

async fn publish(url: &str, publisher: usize) {
    let mut ws = bowline::connect(&format!("{url}pub")).await.unwrap();
    for n in 0..COUNT {
        ws.send(numbered(publisher, n)).await.unwrap();
    }
    ws.close(CloseCode::NORMAL, "").await.unwrap();
}

/// Receives everything of both publishers and checks that each one's messages come in order.
async fn check(mut ws: WebSocket) {
    let mut next = [0, 0];
    for _ in 0..2 * COUNT {
        let message = ws.recv().await.unwrap();
        let publisher = usize::from(message.payload()[0] - b'0');
        assert!(message == numbered(publisher, next[publisher]));
        next[publisher] += 1;
    }
    assert_eq!(next, [COUNT, COUNT]);
}

#[tokio::test]
async fn every_subscriber_gets_everything_once_and_in_order() {
    let (_server, url) = Bowline::echo(&["--fanout", "--workers", "2"]);
    let mut plain = Connector::default();
    plain.options.deflate = DeflateNegotiation::DISABLED;
    let mut subscribers = Vec::new();
    for n in 0..6 {
        let connector = if n % 2 == 0 {
            plain.clone()
        } else {
            Connector::default()
        };
        subscribers.push(connector.connect(&format!("{url}sub")).await.unwrap());
    }
    let checks: Vec<_> = subscribers
        .into_iter()
        .map(|subscriber| tokio::spawn(check(subscriber)))
        .collect();
    tokio::join!(publish(&url, 0), publish(&url, 1));
    for check in checks {
        check.await.unwrap();
    }
}

#[tokio::test]
async fn who_subscribes_is_there_for_the_next_message() {
    let (_server, url) = Bowline::echo(&["--fanout", "--workers", "2"]);
    let mut publisher = bowline::connect(&format!("{url}pub")).await.unwrap();
    for n in 0..50 {
        let mut subscriber = bowline::connect(&format!("{url}sub")).await.unwrap();
        publisher.send(numbered(0, n)).await.unwrap();
        // Its worker may still have been busy with the one before.
        let mut message = subscriber.recv().await.unwrap();
        if n > 0 && message == numbered(0, n - 1) {
            message = subscriber.recv().await.unwrap();
        }
        assert!(message == numbered(0, n), "{n}");
    }
}

#[tokio::test]
async fn publishers_hear_nothing_and_subscribers_are_not_heard() {
    let (_server, url) = Bowline::echo(&["--fanout"]);
    let mut subscriber = bowline::connect(&format!("{url}sub")).await.unwrap();
    let mut publisher = bowline::connect(&format!("{url}pub")).await.unwrap();
    subscriber.send("ignored").await.unwrap();
    publisher.send("heard").await.unwrap();
    assert_eq!(subscriber.recv().await, Some(Message::text("heard")));
    publisher.begin_close(CloseCode::NORMAL, "").unwrap();
    assert_eq!(publisher.recv().await, None);
}

#[tokio::test]
async fn nothing_is_lost_when_more_is_published_than_the_buffers_hold() {
    let (_server, url) = Bowline::echo(&["--fanout", "--workers", "1", "--no-deflate"]);
    let mut slow = bowline::connect(&format!("{url}sub")).await.unwrap();
    let mut publisher = bowline::connect(&format!("{url}pub")).await.unwrap();
    // 200 MiB are under way only while somebody reads.
    let chunk = vec![7; 1 << 20];
    let publishing = tokio::spawn(async move {
        for _ in 0..200 {
            publisher.send(chunk.as_slice()).await.unwrap();
        }
    });
    for _ in 0..200 {
        assert_eq!(slow.recv().await.unwrap().len(), 1 << 20);
    }
    publishing.await.unwrap();
}

#[tokio::test]
async fn other_paths_are_refused() {
    let (_server, url) = Bowline::echo(&["--fanout"]);
    let Err(Error::Refused(refused)) = bowline::connect(&url).await else {
        panic!("expected a refusal");
    };
    assert_eq!(refused.response.status(), 404);
    assert!(String::from_utf8_lossy(&refused.body).contains("/sub"));
}

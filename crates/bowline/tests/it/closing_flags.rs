//! Sending and closing in one call, closing behind what waits, and giving up.

use bowline::{
    Cause, CloseCode, EndedBy, Message, OutboxLimits, Sent, SlowPeer,
    server::{GroupOptions, SendError},
};

use crate::{ends::soon, registry::Hall};

#[tokio::test]
async fn a_last_message_arrives_before_the_connection_closes_with_1000() {
    let mut hall = Hall::new(GroupOptions::default());
    let (mut client, handle) = hall.join(4 << 10);
    assert_eq!(handle.try_send("first"), Ok(Sent::Queued));
    assert_eq!(handle.send_then_close("last"), Ok(Sent::Queued));
    assert_eq!(handle.send_then_close("later"), Err(SendError::Closed));
    assert_eq!(soon(client.recv()).await, Some(Message::text("first")));
    assert_eq!(soon(client.recv()).await, Some(Message::text("last")));
    assert_eq!(soon(client.recv()).await, None);
    let ending = client.ending().unwrap();
    assert_eq!((ending.code, ending.by), (CloseCode::NORMAL, EndedBy::Peer));
    assert_eq!(hall.ended().await.1.cause, Cause::ClosingHandshake);
}

#[tokio::test]
async fn a_close_comes_behind_everything_that_waits_in_the_outbox() {
    let mut hall = Hall::new(GroupOptions::default());
    let (mut client, handle) = hall.join(1 << 10);
    let payload = |n: usize| format!("{n:01000}");
    let mut count = 0;
    while handle.backlog().messages < 100 {
        handle.try_send(payload(count)).unwrap();
        count += 1;
    }
    handle.close(CloseCode(4001), "behind").unwrap();
    handle.close(CloseCode(4002), "too late").unwrap();
    assert_eq!(handle.try_send("late"), Err(SendError::Closed));
    for n in 0..count {
        let message = soon(client.recv()).await.unwrap();
        assert_eq!(message.as_text(), Some(&*payload(n)));
    }
    assert_eq!(soon(client.recv()).await, None);
    let ending = client.ending().unwrap();
    assert_eq!((ending.code, &*ending.reason), (CloseCode(4001), "behind"));
    assert_eq!(hall.ended().await.1.by, EndedBy::Local);
    assert_eq!(hall.empty().await, []);
}

#[tokio::test]
async fn a_last_message_without_room_is_refused_and_nothing_is_closed() {
    let hall = Hall::new(GroupOptions {
        outbox: OutboxLimits {
            messages_max: 1,
            ..OutboxLimits::default()
        },
        ..GroupOptions::default()
    });
    let (mut client, handle) = hall.join(64);
    while handle.try_send("x".repeat(1000)).is_ok() {}
    assert_eq!(handle.send_then_close("last"), Err(SendError::Full));
    assert!(handle.is_open());
    while handle.backlog().messages > 0 {
        assert!(soon(client.recv()).await.is_some());
    }
    assert_eq!(handle.send_then_close("last"), Ok(Sent::Queued));
    let mut last = None;
    while let Some(message) = soon(client.recv()).await {
        last = Some(message);
    }
    assert_eq!(last, Some(Message::text("last")));
}

#[tokio::test]
async fn an_abort_delivers_nothing_more_and_is_no_closing_handshake() {
    let mut hall = Hall::new(GroupOptions::default());
    let (mut client, handle) = hall.join(64);
    for n in 0..100 {
        handle.try_send(format!("{n:01000}")).unwrap();
    }
    handle.abort();
    handle.abort();
    assert!(!handle.is_open());
    assert_eq!(handle.try_send("late"), Err(SendError::Closed));
    assert_eq!(handle.ping(b""), Err(SendError::Closed));
    assert!(handle.close(CloseCode::NORMAL, "").is_ok());
    assert_eq!(handle.backlog().messages, 0);
    assert_eq!(soon(client.recv()).await, None, "not one of them was whole");
    let ending = client.ending().unwrap();
    assert_eq!(
        (ending.by, ending.cause, ending.code),
        (EndedBy::Network, Cause::Eof, CloseCode::ABNORMAL)
    );
    let (_, ending) = hall.ended().await;
    assert_eq!((ending.by, ending.cause), (EndedBy::Local, Cause::Aborted));
    assert_eq!(hall.empty().await, []);
}

#[tokio::test]
async fn closing_from_both_ends_at_once_is_one_closing_handshake() {
    for _ in 0..50 {
        let mut hall = Hall::new(GroupOptions::default());
        let (mut client, handle) = hall.join(4 << 10);
        client.begin_close(CloseCode(4001), "client").unwrap();
        handle.close(CloseCode(4002), "server").unwrap();
        while soon(client.recv()).await.is_some() {}
        assert_eq!(client.ending().unwrap().cause, Cause::ClosingHandshake);
        let (_, ending) = hall.ended().await;
        assert_eq!(ending.cause, Cause::ClosingHandshake);
        assert_eq!(hall.empty().await, []);
    }
}

#[tokio::test]
async fn a_code_that_cannot_be_sent_is_refused_and_closes_nothing() {
    let hall = Hall::new(GroupOptions::default());
    let (_client, handle) = hall.join(4 << 10);
    for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000] {
        assert!(handle.close(CloseCode(code), "").is_err(), "{code}");
        let each = hall.group.disconnect_each(CloseCode(code), "", |_| true);
        assert!(each.is_err(), "{code}");
    }
    assert!(handle.is_open());
    assert_eq!(handle.try_send("open"), Ok(Sent::Queued));
}

#[tokio::test]
async fn a_reason_that_is_too_long_is_cut_and_closes_nevertheless() {
    let mut hall = Hall::new(GroupOptions::default());
    let reason = format!("ab{}", "\u{20ac}".repeat(50));
    let cut = reason.get(..122).unwrap();
    let (mut client, handle) = hall.join(4 << 10);
    handle.close(CloseCode(4000), &reason).unwrap();
    assert_eq!(soon(client.recv()).await, None);
    assert_eq!(&*client.ending().unwrap().reason, cut);
    hall.ended().await;
    let (mut client, _) = hall.join(4 << 10);
    let each = hall
        .group
        .disconnect_each(CloseCode(4000), &reason, |_| true);
    each.unwrap();
    assert_eq!(soon(client.recv()).await, None);
    assert_eq!(&*client.ending().unwrap().reason, cut);
}

#[tokio::test]
async fn a_policy_that_drops_the_last_message_still_closes() {
    let hall = Hall::new(GroupOptions {
        outbox: OutboxLimits {
            messages_max: 1,
            policy: SlowPeer::DropNewest,
            ..OutboxLimits::default()
        },
        ..GroupOptions::default()
    });
    let (mut client, handle) = hall.join(64);
    while handle.try_send("x".repeat(1000)) == Ok(Sent::Queued) {}
    assert_eq!(handle.send_then_close("last"), Ok(Sent::DroppedNew));
    while let Some(message) = soon(client.recv()).await {
        assert_ne!(message, Message::text("last"));
    }
    assert_eq!(client.ending().unwrap().code, CloseCode::NORMAL);
}

//! What waits for a peer that does not read, under each policy.

use bowline::{
    Cause, CloseCode, Message, OutboxLimits, PreparedBatch, PreparedMessage, Sent, SlowPeer,
    server::{ConnectionHandle, GroupOptions, SendError},
};

use crate::group_server::Server;

/// Big enough that the operating system's buffers are full after a few hundred.
const CHUNK: usize = 64 << 10;

async fn server(policy: SlowPeer) -> Server {
    let outbox = OutboxLimits {
        messages_max: 8,
        bytes_max: usize::MAX,
        policy,
    };
    Server::start(GroupOptions {
        outbox,
        push_only: true,
        ..GroupOptions::default()
    })
    .await
}

/// Makes a message that begins with its number and does not compress.
fn numbered(n: u32) -> Message {
    let mut payload = Vec::with_capacity(CHUNK);
    let mut state = u64::from(n) + 1;
    while payload.len() < CHUNK {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        payload.extend(state.to_be_bytes());
    }
    payload[..4].copy_from_slice(&n.to_be_bytes());
    Message::binary(payload)
}

fn number(message: &Message) -> u32 {
    u32::from_be_bytes(message.payload()[..4].try_into().unwrap())
}

/// Sends until a message is not simply queued; gives the number of the next message.
fn fill(handle: &ConnectionHandle) -> (u32, Result<Sent, SendError>) {
    for n in 0..10_000 {
        match handle.try_send(numbered(n)) {
            Ok(Sent::Queued) => {}
            other => return (n + 1, other),
        }
    }
    panic!("ten thousand messages of {CHUNK} bytes were taken in")
}

#[tokio::test]
async fn waiting_refuses_at_once_or_waits_and_loses_nothing() {
    let server = server(SlowPeer::Wait).await;
    let (mut client, handle) = server.join().await;
    let (next, refused) = fill(&handle);
    assert_eq!(refused, Err(SendError::Full));
    assert_eq!(handle.backlog().messages, 8);
    let sender = handle.clone();
    let waiting = tokio::spawn(async move { sender.send(numbered(next - 1)).await });
    for n in 0..next {
        assert_eq!(client.recv().await.as_ref().map(number), Some(n));
    }
    assert_eq!(waiting.await.unwrap(), Ok(Sent::Queued));
    assert_eq!((handle.take_lost(), handle.backlog().messages), (0, 0));
}

#[tokio::test]
async fn dropping_the_newest_delivers_what_was_taken_in_and_counts_the_rest() {
    let server = server(SlowPeer::DropNewest).await;
    let (mut client, handle) = server.join().await;
    let (next, dropped) = fill(&handle);
    assert_eq!(dropped, Ok(Sent::DroppedNew));
    for n in next..next + 4 {
        assert_eq!(handle.try_send(numbered(n)), Ok(Sent::DroppedNew));
    }
    assert_eq!((handle.take_lost(), handle.take_lost()), (5, 0));
    for n in 0..next - 1 {
        assert_eq!(client.recv().await.as_ref().map(number), Some(n));
    }
    assert_eq!(handle.try_send(numbered(77)), Ok(Sent::Queued));
    assert_eq!(client.recv().await.as_ref().map(number), Some(77));
}

#[tokio::test]
async fn dropping_the_oldest_delivers_the_newest_in_order() {
    let server = server(SlowPeer::DropOldest).await;
    let (mut client, handle) = server.join().await;
    let (next, dropped) = fill(&handle);
    assert_eq!(dropped, Ok(Sent::DroppedOld(1)));
    assert_eq!(handle.try_send(numbered(next)), Ok(Sent::DroppedOld(1)));
    assert_eq!(handle.take_lost(), 2);
    let framed = next + 1 - 8 - 2;
    for n in (0..framed).chain(framed + 2..=next) {
        assert_eq!(client.recv().await.as_ref().map(number), Some(n));
    }
}

#[tokio::test]
async fn only_the_latest_message_of_a_key_reaches_a_slow_peer() {
    let server = server(SlowPeer::KeepLatest).await;
    let (mut client, handle) = server.join().await;
    let mut n = 0;
    while handle.backlog().messages == 0 {
        assert_eq!(
            handle.try_send_keyed("price", numbered(n)),
            Ok(Sent::Queued)
        );
        n += 1;
    }
    for later in n..n + 100 {
        assert_eq!(
            handle.try_send_keyed("price", numbered(later)),
            Ok(Sent::Replaced)
        );
    }
    assert_eq!((handle.take_lost(), handle.backlog().messages), (100, 1));
    for n in (0..n - 1).chain([n + 99]) {
        assert_eq!(client.recv().await.as_ref().map(number), Some(n));
    }
}

#[tokio::test]
async fn closing_tells_a_slow_peer_why_behind_what_it_was_sent() {
    let policy = SlowPeer::Close(CloseCode::POLICY_VIOLATION, "too slow".into());
    let mut server = server(policy).await;
    let (mut client, handle) = server.join().await;
    let (_, closed) = fill(&handle);
    assert_eq!(closed, Err(SendError::TooSlow));
    assert_eq!(handle.try_send("late"), Err(SendError::Closed));
    while client.recv().await.is_some() {}
    let ending = client.ending().unwrap();
    assert_eq!(
        (ending.code, &*ending.reason),
        (CloseCode::POLICY_VIOLATION, "too slow")
    );
    let (_, ending) = server.endings.recv().await.unwrap();
    assert_eq!(ending.cause, Cause::ClosingHandshake);
}

#[tokio::test]
async fn more_than_the_outbox_holds_reaches_a_peer_that_keeps_up_in_one_call() {
    let close = SlowPeer::Close(CloseCode::TRY_AGAIN_LATER, "too slow".into());
    let server = server(close).await;
    let (mut client, handle) = server.join().await;
    let count = 1000;
    let prepare = |n: u32| PreparedMessage::new(Message::binary(n.to_be_bytes().to_vec()));
    let messages: PreparedBatch = (0..count).map(prepare).collect();
    assert_eq!(handle.try_send_batch(&messages), Ok(()));
    for n in 0..count {
        assert_eq!(client.recv().await.as_ref().map(number), Some(n));
    }
    let large: PreparedBatch = (0..400)
        .map(|n| PreparedMessage::new(numbered(n)))
        .collect();
    assert_eq!(handle.try_send_batch(&large), Err(SendError::TooSlow));
    while client.recv().await.is_some() {}
    assert_eq!(client.ending().unwrap().code, CloseCode::TRY_AGAIN_LATER);
    assert_eq!(handle.try_send_batch(&messages), Err(SendError::Closed));
}

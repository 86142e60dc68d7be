//! Many threads send to one connection while another one ends it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use bowline::{
    Cause, CloseCode, OutboxLimits, Sent, SlowPeer,
    server::{ConnectionHandle, GroupOptions, SendError},
};
use tokio::{runtime::Handle, sync::oneshot};

use super::{Client, Hall};
use crate::ends::soon;

/// How the connection is ended while others send.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Close,
    Abort,
}

/// When the peer reads.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Reader {
    Fast,
    /// Only once the end has begun.
    Late,
}

/// What became of the messages of one sender.
#[derive(Debug, Default)]
struct Tally {
    /// Numbers of the messages that were taken in, in order.
    taken: Vec<usize>,
    /// Older messages that had to go.
    displaced: u64,
    too_slow: bool,
}

impl Tally {
    /// Notes a result; says whether to go on.
    fn note(&mut self, n: usize, sent: Result<Sent, SendError>) -> bool {
        match sent {
            Ok(Sent::Queued) => self.taken.push(n),
            Ok(Sent::DroppedOld(count)) => {
                self.taken.push(n);
                self.displaced += count;
            }
            Ok(Sent::Replaced) => {
                self.taken.push(n);
                self.displaced += 1;
            }
            Ok(Sent::DroppedNew) | Err(SendError::Full) => {}
            Err(SendError::Closed) => return false,
            Err(SendError::TooSlow) => self.too_slow = true,
            Err(other) => panic!("{other}"),
        }
        true
    }
}

fn text(sender: usize, n: usize) -> String {
    format!("{sender} {n} {}", "x".repeat(500))
}

/// Sends from a plain thread until the connection says that it is closed.
fn send_from_thread(sender: usize, handle: &ConnectionHandle, begun: &AtomicUsize) -> Tally {
    let mut tally = Tally::default();
    let mut n = 0;
    loop {
        let message = text(sender, n);
        let sent = if sender.is_multiple_of(2) {
            handle.try_send(message)
        } else {
            handle.try_send_keyed(&sender.to_string(), message)
        };
        let full = sent == Err(SendError::Full);
        if !tally.note(n, sent) {
            break;
        }
        if full {
            thread::yield_now();
        } else {
            n += 1;
        }
        begun.fetch_add(1, Ordering::SeqCst);
    }
    for _ in 0..10 {
        assert_eq!(handle.try_send("late"), Err(SendError::Closed));
    }
    tally
}

async fn send_from_task(sender: usize, handle: ConnectionHandle, begun: Arc<AtomicUsize>) -> Tally {
    let mut tally = Tally::default();
    let mut n = 0;
    while tally.note(n, handle.send(text(sender, n)).await) {
        n += 1;
        begun.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
    }
    assert_eq!(handle.send("late").await, Err(SendError::Closed));
    tally
}

/// Receives until the connection is over; gives the numbers that arrived, by sender.
async fn receive(mut client: Client, start: oneshot::Receiver<()>) -> (Vec<Vec<usize>>, Client) {
    start.await.unwrap();
    let mut seen = vec![Vec::new(); SENDERS];
    while let Some(message) = client.recv().await {
        let text = message.as_text().unwrap();
        let mut words = text.split(' ').map(|word| word.parse().unwrap_or_default());
        let sender: usize = words.next().unwrap();
        seen[sender].push(words.next().unwrap());
    }
    (seen, client)
}

/// Ends the connection once many messages are sent; nothing can be sent from then on.
fn end(handle: &ConnectionHandle, end: End, begun: &AtomicUsize, threshold: usize) {
    // A policy that closes may come first.
    while begun.load(Ordering::SeqCst) < threshold && handle.is_open() {
        thread::yield_now();
    }
    match end {
        End::Close => handle.close(CloseCode::GOING_AWAY, "enough").unwrap(),
        End::Abort => handle.abort(),
    }
    assert_eq!(handle.try_send("late"), Err(SendError::Closed));
    assert_eq!(handle.try_send_keyed("key", "late"), Err(SendError::Closed));
    assert_eq!(handle.send_then_close("late"), Err(SendError::Closed));
    assert_eq!(handle.ping(b"late"), Err(SendError::Closed));
    assert!(handle.close(CloseCode::NORMAL, "again").is_ok());
}

async fn race(policy: SlowPeer, kind: End, reader: Reader) {
    let outbox = OutboxLimits {
        messages_max: 16,
        bytes_max: usize::MAX,
        policy: policy.clone(),
    };
    let mut hall = Hall::new(GroupOptions {
        outbox,
        push_only: true,
        ..GroupOptions::default()
    });
    let (client, handle) = hall.join(8 << 10);
    let begun = Arc::new(AtomicUsize::new(0));
    let (start, started) = oneshot::channel();
    let receiving = tokio::spawn(receive(client, started));
    let threads: Vec<_> = (0..THREADS)
        .map(|sender| {
            let (handle, begun) = (hall.registry.get(handle.id()).unwrap(), Arc::clone(&begun));
            Handle::current().spawn_blocking(move || send_from_thread(sender, &handle, &begun))
        })
        .collect();
    let tasks: Vec<_> = (THREADS..SENDERS)
        .map(|sender| tokio::spawn(send_from_task(sender, handle.clone(), Arc::clone(&begun))))
        .collect();
    let mut start = Some(start);
    if reader == Reader::Fast {
        start.take().unwrap().send(()).unwrap();
    }
    let ending_thread = {
        let (handle, begun) = (handle.clone(), Arc::clone(&begun));
        Handle::current().spawn_blocking(move || end(&handle, kind, &begun, 400))
    };
    soon(ending_thread).await.unwrap();
    if let Some(start) = start {
        start.send(()).unwrap();
    }
    let mut tallies = Vec::new();
    for sender in threads.into_iter().chain(tasks) {
        tallies.push(soon(sender).await.unwrap());
    }
    let (seen, client) = soon(receiving).await.unwrap();
    let context = format!("{policy:?}, {kind:?}, {reader:?}");
    check(&policy, kind, &tallies, &seen, &context);

    let (id, ending) = hall.ended().await;
    assert_eq!(id, handle.id());
    if kind == End::Close {
        assert_eq!(ending.cause, Cause::ClosingHandshake, "{context}");
        let too_slow = tallies.iter().any(|tally| tally.too_slow);
        let code = if too_slow {
            CloseCode::POLICY_VIOLATION
        } else {
            CloseCode::GOING_AWAY
        };
        assert_eq!(client.ending().unwrap().code, code, "{context}");
    }
    drop(client);
    assert_eq!(hall.empty().await, [], "there is one end, {context}");
    assert!(hall.registry.get(id).is_err());
}

/// Compares what was taken in with what arrived.
fn check(policy: &SlowPeer, end: End, tallies: &[Tally], seen: &[Vec<usize>], context: &str) {
    let displaced: u64 = tallies.iter().map(|tally| tally.displaced).sum();
    let taken: usize = tallies.iter().map(|tally| tally.taken.len()).sum();
    let arrived: usize = seen.iter().map(Vec::len).sum();
    for (tally, seen) in tallies.iter().zip(seen) {
        assert!(seen.is_sorted_by(|a, b| a < b), "in order, once: {context}");
        let mut taken = tally.taken.iter();
        assert!(seen.iter().all(|n| taken.any(|t| t == n)), "{context}");
        if displaced == 0 {
            assert!(tally.taken.starts_with(seen), "no gap: {context}");
        }
    }
    if end == End::Close && !matches!(policy, SlowPeer::Close(..)) {
        let displaced = usize::try_from(displaced).unwrap();
        assert_eq!(arrived + displaced, taken, "nothing is lost: {context}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn whatever_is_taken_in_before_a_close_arrives_in_order_and_nothing_after_it() {
    for _ in 0..ROUNDS {
        for policy in policies() {
            for reader in [Reader::Fast, Reader::Late] {
                race(policy.clone(), End::Close, reader).await;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn an_abort_among_senders_cuts_every_one_of_them_off_at_a_message() {
    for _ in 0..ROUNDS {
        for policy in policies() {
            for reader in [Reader::Fast, Reader::Late] {
                race(policy.clone(), End::Abort, reader).await;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_never_reads_is_cut_a_close_timeout_after_it_was_too_slow() {
    let policy = SlowPeer::Close(CloseCode::POLICY_VIOLATION, "too slow".into());
    let mut hall = Hall::new(GroupOptions {
        outbox: OutboxLimits {
            messages_max: 2,
            policy,
            ..OutboxLimits::default()
        },
        push_only: true,
        ..GroupOptions::default()
    });
    let (_client, handle) = hall.join(64);
    tokio::task::yield_now().await;
    while handle.try_send(text(0, 0)) != Err(SendError::TooSlow) {}
    let (_, ending) = hall.ended().await;
    assert_eq!(ending.cause, Cause::CloseTimeout);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_room_is_told_of_a_close_at_once() {
    let mut hall = Hall::new(GroupOptions {
        outbox: OutboxLimits {
            messages_max: 2,
            ..OutboxLimits::default()
        },
        push_only: true,
        ..GroupOptions::default()
    });
    let (_client, handle) = hall.join(64);
    while handle.try_send(text(0, 0)) != Err(SendError::Full) {}
    let began = tokio::time::Instant::now();
    let waiting = {
        let handle = handle.clone();
        tokio::spawn(async move { handle.send("waits").await })
    };
    tokio::task::yield_now().await;
    handle.close(CloseCode::NORMAL, "").unwrap();
    assert_eq!(soon(waiting).await.unwrap(), Err(SendError::Closed));
    assert_eq!(began.elapsed(), std::time::Duration::ZERO);
    let (_, ending) = hall.ended().await;
    assert_eq!(ending.cause, Cause::CloseTimeout);
}

#[tokio::test]
async fn a_flood_without_a_pause_reaches_a_peer_that_takes_everything() {
    let hall = Hall::new(GroupOptions::default());
    let (mut client, handle) = hall.join(64 << 20);
    for n in 0..10_000 {
        assert_eq!(handle.try_send(text(0, n)), Ok(Sent::Queued), "{n}");
    }
    for n in 0..10_000 {
        let message = client.recv().await.unwrap();
        assert_eq!(message.as_text(), Some(&*text(0, n)));
    }
}

fn policies() -> [SlowPeer; 5] {
    [
        SlowPeer::Wait,
        SlowPeer::DropNewest,
        SlowPeer::DropOldest,
        SlowPeer::KeepLatest,
        SlowPeer::Close(CloseCode::POLICY_VIOLATION, "too slow".into()),
    ]
}

const THREADS: usize = 3;
const SENDERS: usize = 5;
const ROUNDS: usize = 4;

//! Handlers: exchanged while messages flow, failing, and acting on everything from inside.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use bowline::{
    Cause, CloseCode, Config, Ending, Message, Sent,
    server::{Attributes, ConnectionGroup, ConnectionHandle, GroupOptions, HandlerKind},
};
use bowline_testkit::Frame;
use tokio::io::duplex;

use super::{Hall, join};
use crate::{
    ends::{client, server, soon},
    wire::wire,
};

const PUSH_ONLY: fn() -> GroupOptions = || GroupOptions {
    push_only: true,
    ..GroupOptions::default()
};

/// Sends numbers and a last word; gives the connection back.
async fn send_numbers(mut client: super::Client, count: usize) -> super::Client {
    for n in 0..count {
        client.send(n.to_string()).await.unwrap();
    }
    client
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_message_meets_one_handler_while_handlers_are_replaced() {
    let hall = Hall::new(GroupOptions::default());
    let log = Arc::new(Mutex::new(Vec::new()));
    let set = |generation: usize| {
        let log = Arc::clone(&log);
        hall.group.on_text(move |_, text| {
            let number: usize = text.parse().unwrap();
            log.lock().unwrap().push((generation, number));
        });
    };
    set(0);
    let (client, _) = hall.join(4 << 10);
    let sending = tokio::spawn(send_numbers(client, 3000));
    let mut generation = 0;
    while log.lock().unwrap().len() < 3000 {
        generation += 1;
        set(generation);
        tokio::task::yield_now().await;
    }
    sending.await.unwrap();
    let log = log.lock().unwrap();
    assert!(log.iter().map(|(_, number)| *number).eq(0..3000));
    assert!(
        log.is_sorted(),
        "no message meets an older handler than the one before it"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_that_is_removed_while_messages_flow_misses_some_and_doubles_none() {
    let mut hall = Hall::new(PUSH_ONLY());
    let log = Arc::new(Mutex::new(Vec::<usize>::new()));
    let (client, handle) = hall.join(4 << 10);
    let sending = tokio::spawn(send_numbers(client, 3000));
    while !sending.is_finished() {
        let log = Arc::clone(&log);
        hall.group
            .on_text(move |_, text| log.lock().unwrap().push(text.parse().unwrap()));
        tokio::task::yield_now().await;
        hall.group.remove_handler(HandlerKind::Text);
    }
    let client = sending.await.unwrap();
    assert!(
        handle.is_open(),
        "a push-only group closes nobody for a message"
    );
    assert!(log.lock().unwrap().is_sorted_by(|a, b| a < b));
    drop(client);
    assert_eq!(hall.ended().await.1.cause, Cause::Eof);
    assert_eq!(
        Arc::strong_count(&log),
        1,
        "a handler that was removed is let go"
    );
}

#[tokio::test]
async fn what_a_handler_holds_may_use_the_group_while_it_is_dropped() {
    struct Held(ConnectionGroup);
    impl Drop for Held {
        fn drop(&mut self) {
            self.0.remove_handler(HandlerKind::Error);
        }
    }
    let hall = Hall::new(GroupOptions::default());
    let held = Held(hall.group.clone());
    hall.group
        .on_text(move |_, _| assert_eq!(held.0.name(), "hall"));
    let group = hall.group.clone();
    let replacing = tokio::task::spawn_blocking(move || {
        group.on_text(|_, _| {}).remove_handler(HandlerKind::Text);
    });
    soon(replacing).await.unwrap();
}

#[tokio::test]
async fn a_panic_in_any_handler_harms_no_other_connection_and_disconnect_still_runs_once() {
    for kind in [
        HandlerKind::Open,
        HandlerKind::Text,
        HandlerKind::Binary,
        HandlerKind::Error,
        HandlerKind::Disconnect,
    ] {
        let mut hall = Hall::new(GroupOptions::default());
        let disconnects = Arc::new(AtomicUsize::new(0));
        let (mut other, other_handle) = hall.join(4 << 10);
        soon(other.ping(b"")).await.unwrap();
        tokio::task::yield_now().await;
        fail_in(&hall.group, kind, &other_handle, &disconnects);
        let (near, far) = duplex(4 << 10);
        let handle = hall
            .group
            .adopt(server(near, Config::default()), Attributes::default())
            .unwrap();
        let mut failed = client(far, Config::default());
        match kind {
            HandlerKind::Open => {}
            HandlerKind::Error | HandlerKind::Disconnect => failed.abort(),
            HandlerKind::Text => failed.send("text").await.unwrap(),
            HandlerKind::Binary | HandlerKind::Message => failed.send(b"binary").await.unwrap(),
        }
        while soon(failed.recv()).await.is_some() {}
        let code = failed.ending().unwrap().code;
        if !matches!(kind, HandlerKind::Error | HandlerKind::Disconnect) {
            assert_eq!(code, CloseCode::INTERNAL_ERROR, "{kind:?}");
        }
        while hall.registry.is_open(handle.id()) {
            tokio::task::yield_now().await;
        }
        assert_eq!(disconnects.load(Ordering::SeqCst), 1, "{kind:?}");

        assert_eq!(other_handle.try_send("alive"), Ok(Sent::Queued));
        assert_eq!(soon(other.recv()).await, Some(Message::text("alive")));
        drop(other);
        hall.empty().await;
    }
}

const PANIC: &str = "the handler fails as told";

/// Has the handler of a kind fail for every connection but one.
fn fail_in(
    group: &ConnectionGroup,
    kind: HandlerKind,
    spared: &ConnectionHandle,
    disconnects: &Arc<AtomicUsize>,
) {
    let spared = spared.clone();
    let disconnects = Arc::clone(disconnects);
    let fail = move |at: HandlerKind, connection: &ConnectionHandle| {
        assert_eq!(ConnectionHandle::current().as_ref(), Some(connection));
        if at == HandlerKind::Disconnect && *connection != spared {
            disconnects.fetch_add(1, Ordering::SeqCst);
        }
        assert!(at != kind || *connection == spared, "{PANIC}");
    };
    let [open, text, binary, error, disconnect] = [(); 5].map(|()| fail.clone());
    group
        .on_open(move |connection| open(HandlerKind::Open, connection))
        .on_text(move |connection, _| text(HandlerKind::Text, connection))
        .on_binary(move |connection, _| binary(HandlerKind::Binary, connection))
        .on_error(move |connection, _| error(HandlerKind::Error, connection))
        .on_disconnect(move |connection, _| disconnect(HandlerKind::Disconnect, connection));
}

#[tokio::test]
async fn an_error_handler_that_panics_is_followed_by_disconnect() {
    let mut hall = Hall::new(PUSH_ONLY());
    let (wire, far) = wire();
    let errors = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&errors);
    hall.group.on_error(move |_, _| {
        count.fetch_add(1, Ordering::SeqCst);
        panic!("{PANIC}");
    });
    hall.group
        .adopt(server(wire, Config::default()), Attributes::default())
        .unwrap();
    far.push(&Frame::text("not masked").encode());
    far.end();
    let (_, ending) = hall.ended().await;
    assert!(matches!(ending.cause, Cause::Violation(_)));
    assert_eq!(errors.load(Ordering::SeqCst), 1);
    assert_eq!(hall.empty().await, []);
}

#[tokio::test]
async fn a_handler_sends_to_its_own_connection_ten_thousand_times_in_order() {
    let hall = Hall::new(GroupOptions::default());
    let (wire, far) = wire();
    let results = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&results);
    hall.group.on_text(move |connection, _| {
        for n in 0..10_000 {
            let sent = connection.try_send(format!("{n:0200}"));
            log.lock().unwrap().push(sent);
            assert!(connection.backlog().messages <= 1024);
        }
        connection.close(CloseCode::NORMAL, "").unwrap();
    });
    let handle = hall
        .group
        .adopt(server(wire, Config::default()), Attributes::default())
        .unwrap();
    far.push_masked(Frame::text("go"));
    while handle.is_open() {
        tokio::task::yield_now().await;
    }
    far.end();
    soon(hall.registry.until_empty()).await;
    assert!(
        results
            .lock()
            .unwrap()
            .iter()
            .all(|sent| *sent == Ok(Sent::Queued))
    );
    let frames = far.frames();
    assert_eq!(frames.len(), 10_001);
    for (n, frame) in frames[..10_000].iter().enumerate() {
        assert_eq!(frame.payload, format!("{n:0200}").as_bytes());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn handlers_may_call_everything_of_the_group_and_the_registry() {
    let mut hall = Hall::new(GroupOptions::default());
    let (group, registry, groups) = (
        hall.group.clone(),
        hall.registry.clone(),
        hall.groups.clone(),
    );
    let adopted = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&adopted);
    hall.group.on_text(move |connection, text| {
        assert_eq!(registry.get(connection.id()).as_ref(), Ok(connection));
        assert!(registry.list(|c| c == connection).contains(connection));
        assert!(group.connections().contains(connection));
        assert_eq!(group.len(), registry.len());
        connection.set_tag(7);
        let mut inner = 0;
        group.for_each(|_| inner += group.broadcast_tagged(99, "nobody").sent);
        assert_eq!(inner, 0);
        let made = groups.create(text, GroupOptions::default()).unwrap();
        assert!(groups.get(text).is_some() && groups.list().len() == 2);
        keep.lock()
            .unwrap()
            .push(join(&made, 4 << 10, Attributes::default()));
        assert!(groups.remove(text).is_some());
        group.on_open(|_| {}).remove_handler(HandlerKind::Open);
        let wanted = |c: &ConnectionHandle| group.broadcast_except(c, "nested").sent == 1;
        assert_eq!(group.broadcast_to("both", wanted).sent, 2);
        drop(registry.reserve().unwrap());
        group
            .disconnect_each(CloseCode::NORMAL, "done", |c| c.tag() == 7)
            .unwrap();
        connection.close(CloseCode::NORMAL, "twice").unwrap();
    });
    let (mut first, _) = hall.join(4 << 10);
    let (mut second, _) = hall.join(4 << 10);
    first.send("side").await.unwrap();
    let mut heard = Vec::new();
    while let Some(message) = soon(first.recv()).await {
        heard.push(message.as_text().unwrap().to_owned());
    }
    heard.sort();
    assert_eq!(heard, ["both", "nested"]);
    assert_eq!(&*first.ending().unwrap().reason, "done");
    for _ in 0..2 {
        assert!(soon(second.recv()).await.is_some());
    }
    let (mut third, handle) = adopted.lock().unwrap().pop().unwrap();
    assert_eq!(handle.group(), Some("side"));
    handle.post("welcome");
    assert_eq!(soon(third.recv()).await, Some(Message::text("welcome")));
    drop((second, third));
    hall.empty().await;
}

#[tokio::test]
async fn a_connection_that_is_over_before_it_joins_ends_with_its_own_ending() {
    let mut hall = Hall::new(GroupOptions::default());
    let (near, far) = duplex(4 << 10);
    let mut websocket = server(near, Config::default());
    let mut client = client(far, Config::default());
    let closing = async { client.close(CloseCode::GOING_AWAY, "early").await.unwrap() };
    let (received, _) = tokio::join!(websocket.recv(), closing);
    assert_eq!(received, None);
    let known: Ending = websocket.ending().unwrap();
    let handle = hall.group.adopt(websocket, Attributes::default()).unwrap();
    assert!(!handle.is_open());
    assert_eq!(hall.ended().await, (handle.id(), known));
}

#[tokio::test]
async fn a_task_that_is_cut_off_still_calls_disconnect() {
    let hall = Hall::new(GroupOptions::default());
    let disconnects = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&disconnects);
    hall.group.on_disconnect(move |_, ending| {
        assert_eq!(ending.cause, Cause::Aborted);
        count.fetch_add(1, Ordering::SeqCst);
    });
    let group = hall.group.clone();
    let serve = move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let joined: Vec<_> = {
            let _inside = runtime.enter();
            (0..3)
                .map(|_| join(&group, 64, Attributes::default()))
                .collect()
        };
        // One of them is polled before the end, the others never.
        runtime.block_on(tokio::task::yield_now());
        drop(runtime);
        joined
    };
    let joined = tokio::task::spawn_blocking(serve).await.unwrap();
    assert_eq!(disconnects.load(Ordering::SeqCst), 3);
    assert!(joined.iter().all(|(_, handle)| !handle.is_open()));
    assert_eq!((hall.group.len(), hall.registry.len()), (0, 0));
}

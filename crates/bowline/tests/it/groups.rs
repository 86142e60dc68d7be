//! Connections by number and by group.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bowline::{
    Acceptor, Cause, CloseCode, EndedBy, Error, Fin, Message, MessageKind, Misuse, OutboxLimits,
    Request, SlowPeer,
    server::{
        Attributes, ConnectionGroup, ConnectionHandle, ConnectionId, GroupOptions, Registry,
        SendError,
    },
};

use crate::{
    ends::{poll_times, settle, soon, wired_server},
    group_server::Server,
};

#[tokio::test]
async fn handlers_get_borrowed_messages_and_broadcasts_reach_everybody_but_the_sender() {
    let server = Server::start(GroupOptions::default()).await;
    let group = server.group.clone();
    server.group.on_text(move |connection, text| {
        assert_eq!(ConnectionHandle::current().as_ref(), Some(connection));
        group.broadcast_except(connection, text.to_owned());
    });
    let (mut a, _) = server.join().await;
    let (mut b, _) = server.join().await;
    let (mut c, _) = server.join().await;
    for word in ["one", "two", "three"] {
        a.send(word).await.unwrap();
    }
    for peer in [&mut b, &mut c] {
        for word in ["one", "two", "three"] {
            assert_eq!(peer.recv().await, Some(Message::text(word)));
        }
    }
    b.send("back").await.unwrap();
    assert_eq!(a.recv().await, Some(Message::text("back")));
}

#[tokio::test]
async fn a_number_names_a_connection_until_it_is_over_and_never_another_one() {
    let mut server = Server::start(GroupOptions::default()).await;
    let (mut first, handle) = server.join().await;
    let stored: u64 = handle.id().into();
    let id = ConnectionId::from_u64(stored);
    let thread = server.registry.clone();
    std::thread::spawn(move || thread.get(id).unwrap().try_send("from a thread").unwrap())
        .join()
        .unwrap();
    assert_eq!(first.recv().await, Some(Message::text("from a thread")));

    server
        .registry
        .get(id)
        .unwrap()
        .close(CloseCode::POLICY_VIOLATION, "out")
        .unwrap();
    assert_eq!(first.recv().await, None);
    assert_eq!(first.ending().unwrap().code, CloseCode::POLICY_VIOLATION);
    let (ended, ending) = server.endings.recv().await.unwrap();
    assert_eq!(
        (ended, ending.by, &*ending.reason),
        (id, EndedBy::Local, "out")
    );

    for _ in 0..50 {
        let (_next, handle) = server.join().await;
        assert_ne!(handle.id(), id);
        assert!(server.registry.get(id).is_err());
        assert!(
            Registry::new().get(handle.id()).is_err(),
            "another registry, another epoch"
        );
    }
}

#[tokio::test]
async fn a_kind_without_a_handler_closes_with_1003_and_a_panic_with_1011() {
    let mut server = Server::start(GroupOptions::default()).await;
    server.group.on_text(|_, _| panic!("the handler fails"));
    let (mut binary, _) = server.join().await;
    binary.send(b"bytes").await.unwrap();
    assert_eq!(binary.recv().await, None);
    assert_eq!(binary.ending().unwrap().code, CloseCode::UNSUPPORTED_DATA);
    let (mut text, _) = server.join().await;
    text.send("words").await.unwrap();
    assert_eq!(text.recv().await, None);
    assert_eq!(text.ending().unwrap().code, CloseCode::INTERNAL_ERROR);
    for _ in 0..2 {
        let (_, ending) = server.endings.recv().await.unwrap();
        assert_eq!(ending.by, EndedBy::Local);
    }
}

#[tokio::test]
async fn a_push_only_group_drops_what_peers_send_and_handlers_change_while_running() {
    let options = GroupOptions {
        push_only: true,
        ..GroupOptions::default()
    };
    let server = Server::start(options).await;
    let (mut client, _) = server.join().await;
    client.send("dropped").await.unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&seen);
    server.group.on_text(move |connection, text| {
        kept.lock().unwrap().push(text.to_owned());
        connection.post("heard");
    });
    client.send("heard").await.unwrap();
    assert_eq!(client.recv().await, Some(Message::text("heard")));
    assert!(seen.lock().unwrap().contains(&"heard".to_owned()));
}

#[tokio::test]
async fn disconnect_is_called_once_for_every_way_to_end() {
    let mut server = Server::start(GroupOptions::default()).await;
    let (mut closed, _) = server.join().await;
    closed.close(CloseCode::GOING_AWAY, "bye").await.unwrap();
    let (_, ending) = server.endings.recv().await.unwrap();
    assert_eq!(
        (ending.by, ending.code),
        (EndedBy::Peer, CloseCode::GOING_AWAY)
    );

    let (dropped, _) = server.join().await;
    drop(dropped);
    let (_, ending) = server.endings.recv().await.unwrap();
    assert_eq!((ending.by, ending.cause), (EndedBy::Network, Cause::Eof));

    let (_aborted, handle) = server.join().await;
    handle.abort();
    let (_, ending) = server.endings.recv().await.unwrap();
    assert_eq!((ending.by, ending.cause), (EndedBy::Local, Cause::Aborted));
    assert!(!handle.is_open());
    assert!(handle.try_send("late").is_err());
    assert!(server.endings.try_recv().is_err());
    assert_eq!((server.group.len(), server.registry.len()), (0, 0));
}

#[tokio::test]
async fn what_is_broadcast_before_a_client_knows_it_is_open_follows_the_answer() {
    let server = Server::start(GroupOptions::default()).await;
    let url = format!("ws://{}/", server.listener.local_addr().unwrap());
    let client = tokio::spawn(async move { bowline::connect(&url).await.unwrap() });
    let (stream, _) = server.listener.accept().await.unwrap();
    let request = Acceptor::default().read_request(stream).await.unwrap();
    let Request::WebSocket(offer) = request else {
        panic!("an opening handshake was sent");
    };
    let ws = offer.accept_now().unwrap();
    let membership = server.group.join(&ws, Attributes::default()).unwrap();
    let sent = server.group.broadcast("first");
    assert_eq!(sent.sent, 1);
    let mut client = client.await.unwrap();
    assert_eq!(client.recv().await, Some(Message::text("first")));
    membership.handle().try_send("second").unwrap();
    assert_eq!(client.recv().await, Some(Message::text("second")));
    drop(membership);
    assert_eq!((server.group.len(), server.registry.len()), (0, 0));
}

#[tokio::test]
async fn a_broadcast_to_all_waits_for_slow_readers_leaves_none_out_and_closes_who_reads_nothing() {
    let outbox = OutboxLimits {
        messages_max: 4,
        ..OutboxLimits::default()
    };
    let options = GroupOptions {
        outbox,
        push_only: true,
        ..GroupOptions::default()
    };
    let server = Server::start(options).await;
    let (mut slow, handle) = server.join().await;
    let (deaf, _) = server.join().await;
    let reader = tokio::spawn(async move {
        let mut next = 0_u32;
        while let Some(message) = slow.recv().await {
            assert_eq!(message.payload()[..4], next.to_be_bytes());
            next += 1;
            tokio::task::yield_now().await;
        }
        next
    });
    let mut sent = 0;
    let mut refused = 0;
    while refused == 0 && sent < 10_000 {
        let messages = (sent..sent + 20).map(|n: u32| {
            let mut payload = vec![0; 64 << 10];
            payload[..4].copy_from_slice(&n.to_be_bytes());
            Message::binary(payload)
        });
        let patience = Duration::from_millis(300);
        refused = server.group.broadcast_all(messages, patience).await.refused;
        sent += 20;
    }
    assert_eq!(refused, 1, "the one that reads nothing is given up");
    handle.close(CloseCode::NORMAL, "").unwrap();
    assert_eq!(reader.await.unwrap(), sent);
    drop(deaf);
}

#[tokio::test(start_paused = true)]
async fn a_broadcast_to_all_is_patient_with_all_slow_readers_at_once() {
    let options = GroupOptions {
        outbox: OutboxLimits {
            messages_max: 2,
            ..OutboxLimits::default()
        },
        ..GroupOptions::default()
    };
    let group = ConnectionGroup::new("slow", Registry::new(), options);
    let deaf: Vec<_> = (0..50)
        .map(|_| {
            let (ws, far) = wired_server();
            far.limit(0);
            (group.adopt(ws, Attributes::default()).unwrap(), far)
        })
        .collect();
    let patience = Duration::from_secs(5);
    let began = tokio::time::Instant::now();
    let messages = (0..9).map(|_| Message::binary(vec![0; 1 << 16]));
    let told = group.broadcast_all(messages, patience).await;
    assert_eq!((told.sent, told.refused), (0, deaf.len()));
    assert_eq!(began.elapsed().as_secs(), patience.as_secs());
}

#[tokio::test]
async fn messages_that_arrived_together_are_taken_without_waiting() {
    let server = Server::start(GroupOptions::default()).await;
    let url = format!("ws://{}/", server.listener.local_addr().unwrap());
    let accept = async { bowline::accept(server.listener.accept().await.unwrap().0).await };
    let (client, ws) = tokio::join!(bowline::connect(&url), accept);
    let (mut client, mut ws) = (client.unwrap(), ws.unwrap());
    for word in ["one", "two", "three"] {
        client.feed(word).await.unwrap();
    }
    client.flush().await.unwrap();
    assert_eq!(ws.recv().await, Some(Message::text("one")));
    assert_eq!(ws.try_recv(), Some(Message::text("two")));
    assert_eq!(ws.try_recv(), Some(Message::text("three")));
    assert_eq!(ws.try_recv(), None);
}

#[tokio::test(start_paused = true)]
async fn a_websocket_inside_a_frame_sent_in_pieces_is_ended_when_it_joins() {
    let mut server = Server::start(GroupOptions::default()).await;
    let (mut ws, far) = wired_server();
    let kind = MessageKind::Binary;
    ws.begin_frame(kind, 10, Fin::Last).await.unwrap();
    let handle = server.group.adopt(ws, Attributes::default()).unwrap();
    server
        .group
        .disconnect_each(CloseCode::GOING_AWAY, "", |_| true)
        .unwrap();
    let (id, ending) = soon(server.endings.recv()).await.unwrap();
    assert_eq!((id, ending.cause), (handle.id(), Cause::Aborted));
    assert_eq!(handle.try_send("late"), Err(SendError::Closed));
    assert!(far.is_dropped() && server.group.is_empty());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_lost_silently_while_another_task_sends_a_frame_in_pieces() {
    let options = GroupOptions {
        outbox: OutboxLimits {
            messages_max: 1,
            policy: SlowPeer::Close(CloseCode::TRY_AGAIN_LATER, "slow".into()),
            ..OutboxLimits::default()
        },
        ..GroupOptions::default()
    };
    let server = Server::start(options).await;
    let (mut ws, far) = wired_server();
    let member = server.group.join(&ws, Attributes::default()).unwrap();
    far.limit(0);
    let kind = MessageKind::Binary;
    let begun = poll_times(1, ws.begin_frame(kind, 100_001, Fin::Last)).await;
    assert!(begun.is_none(), "it is queued, and the peer takes nothing");
    let sent = poll_times(1, ws.send_frame_payload(vec![0; 100_000])).await;
    assert!(sent.is_none());
    let handle = member.handle();
    for _ in 0..3 {
        let refused = SendError::Misuse(Misuse::FrameUnfinished);
        assert_eq!(handle.try_send("between"), Err(refused));
    }
    let closed = handle.close(CloseCode::NORMAL, "");
    assert!(matches!(closed, Err(Error::Misuse(_))));
    far.unlimit();
    soon(ws.send_frame_payload(&[0][..])).await.unwrap();
    handle.try_send("behind").unwrap();
    settle().await;
    let payloads = far.payloads();
    assert_eq!(
        (payloads[0].len(), &*payloads[1]),
        (100_001, &b"behind"[..])
    );
}

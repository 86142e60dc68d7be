//! Connections by number and by group.

use std::sync::{Arc, Mutex};

use bowline::{
    Cause, CloseCode, EndedBy, Message,
    server::{ConnectionHandle, ConnectionId, GroupOptions, Registry},
};

use crate::group_server::Server;

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

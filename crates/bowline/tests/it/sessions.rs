//! Sessions: attached to connections, kept alive by traffic, worked on in order.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use bowline::{
    Message,
    proto::handshake::{HeadLimits, HeadParser, RequestHead},
    server::{Attributes, GroupOptions, SessionError, SessionOptions, Sessions},
};
use tokio::time::{Instant, advance};

use crate::group_server::Server;

#[tokio::test]
async fn a_session_is_in_every_event_and_knows_its_connection_until_that_is_over() {
    let mut server = Server::start(GroupOptions::default()).await;
    server.group.on_text(|connection, text| {
        let session = connection.session::<AtomicU32>().unwrap();
        let count = session.data().fetch_add(1, Ordering::Relaxed) + 1;
        connection.post(format!("{text} {count}"));
        assert!(
            connection.session::<String>().is_none(),
            "another type is no session"
        );
    });
    let sessions = Sessions::new(SessionOptions::default());
    let session = sessions.create(AtomicU32::new(0)).unwrap();
    assert!(session.connection().is_none());
    let attributes = || Attributes {
        session: Some(session.attach()),
        ..Attributes::default()
    };
    for round in 0..2 {
        let (mut client, handle) = server.join_with(attributes()).await;
        client.send("message").await.unwrap();
        let answer = format!("message {}", round + 1);
        assert_eq!(client.recv().await, Some(Message::text(answer)));
        assert_eq!(session.connection(), Some(handle));
        drop(client);
        server.endings.recv().await.unwrap();
        assert!(session.connection().is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_dies_after_its_idle_time_and_use_renews_it() {
    let sessions = Sessions::new(SessionOptions::default());
    let (kept, lost) = (
        sessions.create("kept").unwrap(),
        sessions.create("lost").unwrap(),
    );
    let for_ever = sessions.create("for ever").unwrap();
    for_ever.set_timeout(Duration::ZERO);
    let destroyed = Arc::new(Mutex::new(Vec::new()));
    for session in [&kept, &lost, &for_ever] {
        let destroyed = Arc::clone(&destroyed);
        session.on_destroy(move |session| destroyed.lock().unwrap().push(*session.data()));
    }
    advance(Duration::from_mins(19)).await;
    kept.touch();
    assert_eq!(sessions.sweep(Instant::now()), 0);
    advance(Duration::from_mins(1)).await;
    assert_eq!(sessions.sweep(Instant::now()), 1);
    assert_eq!(*destroyed.lock().unwrap(), ["lost"]);
    assert!(kept.is_alive() && !lost.is_alive() && sessions.get(lost.id()).is_none());
    assert!(sessions.destroy(kept.id()));
    assert!(!sessions.destroy(kept.id()));
    assert_eq!(*destroyed.lock().unwrap(), ["lost", "kept"]);
    advance(Duration::from_hours(1000)).await;
    assert_eq!(sessions.sweep(Instant::now()), 0);
    lost.on_destroy(move |session| destroyed.lock().unwrap().push(session.data()));
}

#[tokio::test(start_paused = true)]
async fn sweeping_for_ever_ends_with_the_table() {
    let sessions = Sessions::new(SessionOptions::default());
    let idle = sessions.create(()).unwrap();
    let sweeping = tokio::spawn(sessions.sweep_for_ever());
    tokio::time::sleep(Duration::from_mins(21)).await;
    assert!(!idle.is_alive());
    assert!(!sweeping.is_finished());
    drop(sessions);
    sweeping.await.unwrap();
}

#[test]
fn a_request_finds_its_session_in_header_cookie_or_query_in_that_order() {
    let sessions = Sessions::new(SessionOptions::default());
    let ids: Vec<_> = (0..3).map(|n| sessions.create(n).unwrap()).collect();
    let [header, cookie, query] = [0, 1, 2].map(|n: usize| ids[n].id());
    let request = |target: &str, fields: &str| {
        let text = format!("GET {target} HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
        let mut parser = HeadParser::<RequestHead>::new(HeadLimits::default());
        parser.handle_input(text.as_bytes()).unwrap().unwrap().head
    };
    let found = |target: &str, fields: &str| {
        sessions
            .resolve(&request(target, fields))
            .map(|session| *session.data())
    };
    let in_query = format!("/?a=b&session={query}");
    let in_cookie = format!("Cookie: x=y; session={cookie}\r\n");
    let in_both = format!("X-Session: {header}\r\n{in_cookie}");
    assert_eq!(found("/", ""), None);
    assert_eq!(found("/?session=unknown", "X-Session: unknown\r\n"), None);
    assert_eq!(found(&in_query, ""), Some(2));
    assert_eq!(found(&in_query, &in_cookie), Some(1));
    assert_eq!(found(&in_query, &in_both), Some(0));
    let stale = format!("X-Session: gone\r\n{in_cookie}");
    assert_eq!(
        found("/", &stale),
        Some(1),
        "the first place that holds a live session wins"
    );
}

#[tokio::test]
async fn tasks_of_a_session_run_one_after_the_other_and_may_be_awaited() {
    let sessions = Sessions::new(SessionOptions {
        sessions_max: 2,
        ..SessionOptions::default()
    });
    let session = sessions.create(Mutex::new(Vec::new())).unwrap();
    for n in 0..100 {
        let task = move |session: &bowline::server::Session<Mutex<Vec<i32>>>| {
            session.data().try_lock().unwrap().push(n);
        };
        drop(sessions.run(session.id(), task).unwrap());
    }
    let len = sessions.run(session.id(), |session| session.data().lock().unwrap().len());
    assert_eq!(len.unwrap().await, Ok(100));
    assert!(session.data().lock().unwrap().is_sorted());

    sessions.create(Mutex::new(vec![7])).unwrap();
    assert!(matches!(
        sessions.create(Mutex::default()),
        Err(SessionError::TableFull(2))
    ));
    assert_eq!(
        sessions.run_all(|session| session.data().lock().unwrap().clear()),
        2
    );
    let len = sessions.run(session.id(), |session| session.data().lock().unwrap().len());
    assert_eq!(len.unwrap().await, Ok(0));
    assert!(matches!(
        sessions.run("none", |_| ()),
        Err(SessionError::Unknown)
    ));
}

//! Sessions used by many connections, threads and tasks at once.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bowline::{
    Config,
    server::{Attributes, GroupOptions, Session, SessionError, SessionOptions, Sessions},
};
use futures_util::future::join_all;
use tokio::{
    io::duplex,
    time::{Instant, advance},
};

use super::{Hall, join};
use crate::ends::{server, soon};

fn attributes<T: Send + Sync + 'static>(session: &Session<T>) -> Attributes {
    Attributes {
        session: Some(session.attach()),
        ..Attributes::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_session_outlives_its_connections_which_come_and_go_at_once() {
    let hall = Arc::new(Hall::new(GroupOptions::default()));
    let sessions = Sessions::new(SessionOptions::default());
    let session = sessions.create(AtomicUsize::new(0)).unwrap();
    hall.group.on_open(|connection| {
        let session = connection.session::<AtomicUsize>().unwrap();
        session.data().fetch_add(1, Ordering::SeqCst);
    });
    let visits = (0..8).map(|_| {
        let (hall, session) = (Arc::clone(&hall), session.clone());
        tokio::spawn(async move {
            for _ in 0..50 {
                let (mut client, handle) = join(&hall.group, 64, attributes(&session));
                assert!(handle.has_session(&session));
                handle.abort();
                assert_eq!(client.recv().await, None);
            }
        })
    });
    for visit in join_all(visits).await {
        visit.unwrap();
    }
    soon(hall.registry.until_empty()).await;
    assert_eq!(session.data().load(Ordering::SeqCst), 400);
    assert!(session.connection().is_none(), "nobody is attached");
    let (_client, last) = join(&hall.group, 64, attributes(&session));
    assert_eq!(session.connection(), Some(last));
}

#[tokio::test]
async fn the_connection_that_came_last_is_a_sessions_own_until_it_is_over() {
    let mut hall = Hall::new(GroupOptions::default());
    let sessions = Sessions::new(SessionOptions::default());
    let session = sessions.create(()).unwrap();
    let (first, _) = join(&hall.group, 64, attributes(&session));
    let (second, last) = join(&hall.group, 64, attributes(&session));
    drop(first);
    hall.ended().await;
    assert_eq!(session.connection(), Some(last));
    drop(second);
    hall.ended().await;
    assert!(session.connection().is_none());

    let (near, _far) = duplex(64);
    let websocket = server(near, Config::default());
    let membership = hall.group.join(&websocket, attributes(&session)).unwrap();
    assert_eq!(session.connection(), Some(membership.handle().clone()));
    drop(membership);
    assert!(session.connection().is_none() && hall.registry.is_empty());
}

#[tokio::test]
async fn a_session_destroyed_while_attached_leaves_its_connection_open_and_is_let_go_with_it() {
    let mut hall = Hall::new(GroupOptions::default());
    let sessions = Sessions::new(SessionOptions::default());
    let data = Arc::new("data");
    let session = sessions.create(Arc::clone(&data)).unwrap();
    let (client, handle) = join(&hall.group, 64, attributes(&session));
    assert!(sessions.destroy(session.id()));
    assert!(handle.is_open() && !session.is_alive());
    assert!(handle.has_session(&session));
    drop((session, client));
    hall.ended().await;
    drop(handle);
    soon(hall.registry.until_empty()).await;
    assert_eq!(Arc::strong_count(&data), 1, "nothing keeps the session");
}

#[tokio::test(start_paused = true)]
async fn attaching_and_traffic_are_use_that_a_sweep_respects() {
    let hall = Hall::new(GroupOptions::default());
    let sessions = Sessions::new(SessionOptions::default());
    let (used, unused) = (sessions.create(1).unwrap(), sessions.create(2).unwrap());
    let almost = Duration::from_mins(19);
    advance(almost).await;
    let (mut client, handle) = join(&hall.group, 4 << 10, attributes(&used));
    advance(almost).await;
    assert_eq!(sessions.sweep(Instant::now()), 1);
    assert!(used.is_alive() && !unused.is_alive());
    handle.try_send("traffic").unwrap();
    advance(almost).await;
    assert_eq!(sessions.sweep(Instant::now()), 0);
    hall.group.on_text(|_, _| {});
    client.send("traffic").await.unwrap();
    while used.last_active() != Instant::now() {
        tokio::task::yield_now().await;
    }
    advance(almost).await;
    assert_eq!(sessions.sweep(Instant::now()), 0);
    advance(Duration::from_mins(1)).await;
    assert_eq!(sessions.sweep(Instant::now()), 1);
    assert!(sessions.is_empty() && handle.is_open());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn sessions_touched_while_others_sweep_are_destroyed_once_or_not_at_all() {
    let sessions = Sessions::new(SessionOptions::default());
    let destroyed = Arc::new(AtomicUsize::new(0));
    let made: Vec<_> = (0..200)
        .map(|n| {
            let session = sessions.create(n).unwrap();
            let destroyed = Arc::clone(&destroyed);
            session.on_destroy(move |_| {
                destroyed.fetch_add(1, Ordering::SeqCst);
            });
            session
        })
        .collect();
    // In the eyes of a sweep of the future nothing that is touched now is in use.
    let future = Instant::now() + Duration::from_hours(1);
    let sweeps = (0..4).map(|_| {
        let sessions = sessions.clone();
        tokio::task::spawn_blocking(move || sessions.sweep(future))
    });
    let touches = made.chunks(50).map(|chunk| {
        let (chunk, sessions) = (chunk.to_vec(), sessions.clone());
        tokio::task::spawn_blocking(move || {
            let destroy = |session: &Session<i32>| {
                session.touch();
                usize::from(session.data() % 3 == 0 && sessions.destroy(session.id()))
            };
            chunk.iter().map(destroy).sum()
        })
    });
    let all = join_all(sweeps.chain(touches)).await;
    let counted: usize = all.into_iter().map(Result::unwrap).sum();
    assert_eq!((counted, destroyed.load(Ordering::SeqCst)), (200, 200));
    assert!(sessions.is_empty());
    for session in &made {
        assert!(!session.is_alive());
        let late = Arc::clone(&destroyed);
        session.on_destroy(move |_| {
            late.fetch_add(1, Ordering::SeqCst);
        });
    }
    assert_eq!(
        destroyed.load(Ordering::SeqCst),
        400,
        "at once from then on"
    );
}

#[test]
fn a_destroy_callback_that_panics_takes_no_other_callback_or_session_along() {
    let sessions = Sessions::new(SessionOptions::default());
    let called = Arc::new(AtomicUsize::new(0));
    let made: Vec<_> = (0..10)
        .map(|n| {
            let session = sessions.create(n).unwrap();
            session.on_destroy(|_| panic!("the callback fails as told"));
            let called = Arc::clone(&called);
            session.on_destroy(move |_| {
                called.fetch_add(1, Ordering::SeqCst);
            });
            session
        })
        .collect();
    assert!(sessions.destroy(made[0].id()));
    let future = Instant::now() + Duration::from_hours(1);
    assert_eq!(sessions.sweep(future), 9);
    assert_eq!(called.load(Ordering::SeqCst), 10);
    assert!(made.iter().all(|session| !session.is_alive()));
}

/// What ran on a session: by whom, and its number.
type Log = Mutex<Vec<(i32, i32)>>;

/// Runs numbered tasks on each session, in two ways; some of them panic.
async fn run_tasks(sessions: Sessions<Log>, made: Vec<Session<Log>>, runner: i32) {
    for n in 0..100 {
        let task = move |session: &Session<Log>| {
            let mut log = session.data().try_lock().expect("no other task runs");
            log.push((runner, n));
            drop(log);
            assert!(n % 10 != 3, "this task fails as told");
        };
        if n % 2 == 0 {
            assert_eq!(sessions.run_all(task), made.len());
            continue;
        }
        for session in &made {
            let done = soon(sessions.run(session.id(), task).unwrap()).await;
            assert_eq!(done.is_ok(), n % 10 != 3);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn tasks_from_many_threads_run_once_each_and_never_two_at_a_time() {
    let sessions = Sessions::new(SessionOptions::default());
    let made: Vec<_> = (0..5)
        .map(|_| sessions.create(Mutex::new(Vec::new())).unwrap())
        .collect();
    let runs = (0..4).map(|runner| tokio::spawn(run_tasks(sessions.clone(), made.clone(), runner)));
    for run in join_all(runs).await {
        run.unwrap();
    }
    for session in &made {
        soon(sessions.run(session.id(), |_| ()).unwrap())
            .await
            .unwrap();
        let log = session.data().lock().unwrap();
        for runner in 0..4 {
            let own = log.iter().filter(|(by, _)| *by == runner);
            assert!(own.map(|(_, n)| *n).eq(0..100), "each once, in order");
        }
    }
}

#[tokio::test]
async fn a_session_takes_a_bounded_number_of_tasks_and_tasks_may_add_tasks() {
    let sessions = Sessions::new(SessionOptions::default());
    let session = sessions.create(AtomicUsize::new(0)).unwrap();
    let (release, held) = std::sync::mpsc::channel::<()>();
    let (started, mut starts) = tokio::sync::mpsc::unbounded_channel();
    let first = sessions.run(session.id(), move |_| {
        started.send(()).unwrap();
        held.recv().unwrap();
    });
    starts.recv().await.unwrap();
    let (id, table) = (session.id().to_owned(), sessions.clone());
    let adding = sessions.run(session.id(), move |_| {
        let add = |session: &Session<AtomicUsize>| session.data().fetch_add(1, Ordering::SeqCst);
        table.run(&id, add).unwrap()
    });
    let mut taken = 0;
    let refused = loop {
        match sessions.run(session.id(), |_| ()) {
            Ok(_) => taken += 1,
            Err(error) => break error,
        }
    };
    assert_eq!((refused, taken), (SessionError::Busy, 1023));
    assert_eq!(sessions.run_all(|_| ()), 0);
    release.send(()).unwrap();
    soon(first.unwrap()).await.unwrap();
    let added = soon(adding.unwrap()).await.unwrap();
    assert_eq!(soon(added).await, Ok(0));
}

#[test]
fn tasks_of_a_runtime_that_is_gone_are_dropped_and_the_next_runtime_runs_new_ones() {
    let sessions = Sessions::new(SessionOptions::default());
    let session = sessions.create(AtomicUsize::new(0)).unwrap();
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap()
    };
    let first = runtime();
    let handle = first.handle().clone();
    drop(first);
    let lost = {
        let _inside = handle.enter();
        sessions.run(session.id(), |session| {
            session.data().fetch_add(1, Ordering::SeqCst)
        })
    };
    let second = runtime();
    second.block_on(async {
        assert!(soon(lost.unwrap()).await.is_err(), "nobody will run it");
        let run = sessions.run(session.id(), |session| {
            session.data().load(Ordering::SeqCst)
        });
        assert_eq!(soon(run.unwrap()).await, Ok(0));
    });
}

//! Joining and leaving while others broadcast.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use bowline::{
    CloseCode,
    server::{
        Attributes, Broadcast, ConnectionGroup, GroupOptions, GroupTable, GroupTableLimits,
        Registry,
    },
};
use futures_util::future::join_all;

use crate::{
    ends::soon,
    registry::{Client, join},
};

/// Everything that many connections in many groups share.
struct Crowd {
    registry: Registry,
    groups: Vec<ConnectionGroup>,
    opens: Arc<AtomicUsize>,
    disconnects: Arc<AtomicUsize>,
    /// Every connection holds it, so that it tells when the last one is let go.
    user: Arc<str>,
    /// Closed once nobody may join any more.
    gate: RwLock<Gate>,
}

#[derive(PartialEq)]
enum Gate {
    Open,
    Shut,
}

impl Crowd {
    fn new() -> Self {
        let registry = Registry::new();
        let table = GroupTable::new(registry.clone(), GroupTableLimits::default());
        let (opens, disconnects) = (Arc::default(), Arc::default());
        let groups = (0..GROUPS).map(|n| {
            let group = table
                .create(&format!("group {n}"), GroupOptions::default())
                .unwrap();
            let (open, disconnect) = (Arc::clone(&opens), Arc::clone(&disconnects));
            group
                .on_open(move |_| count(&open))
                .on_disconnect(move |_, _| count(&disconnect));
            group
        });
        Self {
            groups: groups.collect(),
            registry,
            opens: Arc::clone(&opens),
            disconnects: Arc::clone(&disconnects),
            user: "somebody".into(),
            gate: RwLock::new(Gate::Open),
        }
    }

    fn join(&self, group: usize) -> Client {
        let attributes = Attributes {
            user: Some(Arc::clone(&self.user)),
            ..Attributes::default()
        };
        join(&self.groups[group], 256, attributes).0
    }

    /// Joins unless everybody is being sent home.
    fn join_if_open(&self, group: usize) -> Option<Client> {
        let gate = self.gate.read().unwrap();
        (*gate == Gate::Open).then(|| self.join(group))
    }
}

fn count(counter: &AtomicUsize) {
    counter.fetch_add(1, Ordering::SeqCst);
}

/// Checks that what one connection hears from each broadcaster has no gap and nothing twice.
#[derive(Default)]
struct Heard {
    next: HashMap<usize, usize>,
    count: usize,
}

impl Heard {
    /// Receives a message; false if the connection is over.
    async fn hear(&mut self, client: &mut Client) -> bool {
        let Some(message) = soon(client.recv()).await else {
            return false;
        };
        let mut words = message.as_text().unwrap().split(' ');
        let mut word = || words.next().unwrap().parse::<usize>().unwrap();
        let (broadcaster, number) = (word(), word());
        let next = self.next.entry(broadcaster).or_insert(number);
        assert_eq!(*next, number, "in order, without a gap, once");
        *next += 1;
        self.count += 1;
        true
    }
}

/// Stays until everything was heard from everybody.
async fn stay(mut client: Client) {
    let mut heard = Heard::default();
    while heard.count < BROADCASTERS * MESSAGES {
        assert!(heard.hear(&mut client).await);
    }
    assert!(heard.next.values().all(|next| *next == MESSAGES));
    assert_eq!(soon(client.recv()).await, None, "and nothing more");
}

/// Joins and leaves, each time in another way, until the gate is shut.
async fn come_and_go(crowd: Arc<Crowd>, seed: usize) {
    for round in 0.. {
        let Some(mut client) = crowd.join_if_open((seed + round) % GROUPS) else {
            return;
        };
        let mut heard = Heard::default();
        for _ in 0..(seed + round) % 3 {
            if !heard.hear(&mut client).await {
                return;
            }
        }
        match (seed + round) % 3 {
            0 => drop(client),
            1 => drop(client.close(CloseCode::GOING_AWAY, "").await.unwrap()),
            _ => client.abort(),
        }
        tokio::task::yield_now().await;
    }
}

/// Broadcasts to every group from a plain thread; gives the counts by group.
fn broadcast(crowd: &Crowd, broadcaster: usize) -> Vec<Vec<Broadcast>> {
    let mut counts = vec![Vec::new(); GROUPS];
    for number in 0..MESSAGES {
        for (group, counts) in crowd.groups.iter().zip(&mut counts) {
            counts.push(group.broadcast(format!("{broadcaster} {number}")));
            thread::yield_now();
        }
    }
    counts
}

/// Broadcasts the same in a handler, whose messages leave together; gives the counts.
async fn broadcast_in_handler(crowd: Arc<Crowd>, broadcaster: usize) -> Vec<Vec<Broadcast>> {
    let publishers = ConnectionGroup::new("p", Registry::new(), GroupOptions::default());
    let counts = Arc::new(Mutex::new(vec![Vec::new(); GROUPS]));
    let told = Arc::clone(&counts);
    publishers.on_text(move |connection, number| {
        for (group, counts) in crowd.groups.iter().zip(&mut *told.lock().unwrap()) {
            counts.push(group.broadcast(format!("{broadcaster} {number}")));
        }
        connection.post("broadcast");
    });
    let (mut client, _) = join(&publishers, 4 << 10, Attributes::default());
    for number in 0..MESSAGES {
        client.send(number.to_string()).await.unwrap();
    }
    for _ in 0..MESSAGES {
        soon(client.recv()).await.unwrap();
    }
    counts.lock().unwrap().clone()
}

fn connections_len() -> usize {
    let default = if cfg!(debug_assertions) { 2000 } else { 10_000 };
    let asked = std::env::var("BOWLINE_CHURN_CONNECTIONS").ok();
    asked.map_or(default, |asked| asked.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn who_stays_through_the_churn_hears_every_broadcast_once_and_in_order() {
    let crowd = Arc::new(Crowd::new());
    let staying_len = connections_len() / 4 * 3;
    let staying: Vec<_> = (0..staying_len)
        .map(|n| tokio::spawn(stay(crowd.join(n % GROUPS))))
        .collect();
    let churning: Vec<_> = (0..connections_len() / 4)
        .map(|n| tokio::spawn(come_and_go(Arc::clone(&crowd), n)))
        .collect();
    let broadcasters: Vec<_> = (0..BROADCASTERS)
        .map(|n| {
            let crowd = Arc::clone(&crowd);
            if n == 0 {
                tokio::task::spawn_blocking(move || broadcast(&crowd, n))
            } else {
                tokio::spawn(broadcast_in_handler(crowd, n))
            }
        })
        .collect();
    for counts in join_all(broadcasters).await {
        for count in counts.unwrap().into_iter().flatten() {
            assert!(count.sent >= staying_len / GROUPS, "{count:?}");
            assert_eq!(count.dropped, 0);
        }
    }
    *crowd.gate.write().unwrap() = Gate::Shut;
    for group in &crowd.groups {
        group
            .disconnect_each(CloseCode::GOING_AWAY, "", |_| true)
            .unwrap();
    }
    for client in join_all(staying).await {
        client.unwrap();
    }
    for client in join_all(churning).await {
        client.unwrap();
    }
    soon(crowd.registry.until_empty()).await;
    assert_eq!(crowd.registry.len(), 0);
    assert_eq!(crowd.registry.count(|_| true), 0);
    assert!(crowd.groups.iter().all(ConnectionGroup::is_empty));
    let (opens, disconnects) = (&crowd.opens, &crowd.disconnects);
    assert_eq!(
        opens.load(Ordering::SeqCst),
        disconnects.load(Ordering::SeqCst)
    );
    assert!(opens.load(Ordering::SeqCst) > connections_len());
    assert_eq!(
        Arc::strong_count(&crowd.user),
        1,
        "nothing is kept of any connection"
    );
}

const GROUPS: usize = 100;
const BROADCASTERS: usize = 3;
const MESSAGES: usize = 8;

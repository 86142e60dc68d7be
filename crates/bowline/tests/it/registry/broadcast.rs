//! Whom a broadcast reaches, what its counts say, and who is listed.

use std::sync::Arc;

use bowline::{
    CloseCode, Message, OutboxLimits, SlowPeer,
    server::{Attributes, Broadcast, ConnectionHandle, GroupOptions, SessionOptions, Sessions},
};

use super::{Client, Hall, join};
use crate::ends::soon;

/// Takes the words that arrive before the connection is closed.
async fn words(mut client: Client) -> Vec<String> {
    let mut words = Vec::new();
    while let Some(message) = soon(client.recv()).await {
        words.push(message.as_text().unwrap().to_owned());
    }
    words
}

#[tokio::test]
async fn a_broadcast_reaches_exactly_those_it_is_for() {
    let hall = Hall::new(GroupOptions::default());
    let other = hall
        .groups
        .create("other", GroupOptions::default())
        .unwrap();
    let stranger = join(&other, 4 << 10, Attributes::default());
    stranger.1.set_tag(1);
    let joined: Vec<_> = (0..10_u64)
        .map(|n| {
            let (client, handle) = hall.join(4 << 10);
            handle.set_tag(n % 2);
            (client, handle)
        })
        .collect();
    let ids: Vec<_> = joined.iter().map(|(_, handle)| handle.id()).collect();
    let sent = |sent| Broadcast {
        sent,
        ..Broadcast::default()
    };
    let group = &hall.group;
    assert_eq!(group.broadcast("all"), sent(10));
    assert_eq!(group.broadcast_tagged(1, "odd"), sent(5));
    assert_eq!(group.broadcast_tagged(2, "none"), sent(0));
    assert_eq!(group.broadcast_except(&joined[3].1, "not 3"), sent(9));
    assert_eq!(group.broadcast_except(&stranger.1, "not other"), sent(10));
    let wanted = |c: &ConnectionHandle| c.id() == ids[3] || c.id() == ids[4];
    assert_eq!(group.broadcast_to("3 and 4", wanted), sent(2));
    joined[3].1.set_tag(2);
    assert_eq!(group.broadcast_tagged(1, "odd but 3"), sent(4));
    group
        .disconnect_each(CloseCode::NORMAL, "", |c| c.id() == ids[0])
        .unwrap();
    let refused = Broadcast {
        sent: 9,
        refused: 1,
        dropped: 0,
    };
    assert_eq!(group.broadcast("all but 0"), refused);
    group
        .disconnect_each(CloseCode::NORMAL, "", |_| true)
        .unwrap();
    for (n, (client, _)) in joined.into_iter().enumerate() {
        let expected = [
            ("all", true),
            ("odd", n % 2 == 1),
            ("not 3", n != 3),
            ("not other", true),
            ("3 and 4", n == 3 || n == 4),
            ("odd but 3", n % 2 == 1 && n != 3),
            ("all but 0", n != 0),
        ];
        let expected = expected.into_iter().filter(|(_, heard)| *heard);
        let expected: Vec<_> = expected.map(|(word, _)| word).collect();
        assert_eq!(words(client).await, expected, "{n}");
    }
    assert!(stranger.1.is_open());
}

/// Broadcasts to two peers that read nothing and three whose streams take everything, until the
/// outboxes are full and four times more.
fn counts(policy: SlowPeer) -> (Vec<Broadcast>, Vec<u64>) {
    let hall = Hall::new(GroupOptions {
        outbox: OutboxLimits {
            messages_max: 4,
            bytes_max: usize::MAX,
            policy,
        },
        ..GroupOptions::default()
    });
    let slow = [hall.join(64), hall.join(64)];
    let fast = [(); 3].map(|()| hall.join(16 << 20));
    let message = Message::binary(vec![7; 8 << 10]);
    while slow.iter().any(|(_, handle)| handle.backlog().messages < 4) {
        assert_eq!(hall.group.broadcast(message.clone()).sent, 5);
    }
    let counts = (0..4).map(|_| hall.group.broadcast(message.clone()));
    let counts = counts.collect();
    let lost = slow.iter().map(|(_, handle)| handle.take_lost()).collect();
    assert!(fast.iter().all(|(_, handle)| handle.take_lost() == 0));
    assert!(
        fast.iter()
            .all(|(_, handle)| handle.backlog().messages == 0)
    );
    (counts, lost)
}

#[tokio::test]
async fn a_broadcast_counts_slow_peers_exactly_under_every_policy() {
    let count = |sent, dropped, refused| Broadcast {
        sent,
        dropped,
        refused,
    };
    let close = SlowPeer::Close(CloseCode::POLICY_VIOLATION, "too slow".into());
    let table = [
        (SlowPeer::Wait, count(3, 0, 2), 0),
        (SlowPeer::DropNewest, count(3, 2, 0), 4),
        (SlowPeer::DropOldest, count(5, 0, 0), 4),
        (SlowPeer::KeepLatest, count(5, 0, 0), 4),
        (close, count(3, 0, 2), 0),
    ];
    for (policy, expected, lost) in table {
        let context = format!("{policy:?}");
        let (counts, taken) = counts(policy);
        assert_eq!(counts, [expected; 4], "{context}");
        assert_eq!(taken, [lost; 2], "{context}");
    }
}

#[tokio::test]
async fn connections_are_counted_and_listed_by_listener_group_tag_and_session() {
    let hall = Hall::new(GroupOptions::default());
    let side = hall.groups.create("side", GroupOptions::default()).unwrap();
    let sessions = Sessions::new(SessionOptions::default());
    let visitors = [sessions.create(()).unwrap(), sessions.create(()).unwrap()];
    let listeners: [Arc<str>; 3] = ["a".into(), "b".into(), "c".into()];
    let joined: Vec<_> = (0..30_usize)
        .map(|n| {
            let attributes = Attributes {
                listener: Some(Arc::clone(&listeners[n % 3])),
                session: (n >= 10).then(|| visitors[n % 2].attach()),
                ..Attributes::default()
            };
            let group = if n < 25 { &hall.group } else { &side };
            let (client, handle) = join(group, 64, attributes);
            handle.set_tag(u64::from(n < 7));
            (client, handle)
        })
        .collect();
    let registry = &hall.registry;
    assert_eq!((registry.len(), hall.group.len(), side.len()), (30, 25, 5));
    assert_eq!(registry.count(|c| c.listener() == Some("a")), 10);
    assert_eq!(registry.count(|c| c.listener().is_none()), 0);
    assert_eq!(registry.count(|c| c.group() == Some("side")), 5);
    assert_eq!(registry.count(|c| c.tag() == 1), 7);
    assert_eq!(registry.count(|c| c.has_session(&visitors[0])), 10);
    let mut listed = registry.list(|c| c.has_session(&visitors[1]) && c.listener() == Some("b"));
    listed.sort_by_key(ConnectionHandle::id);
    let mut expected: Vec<_> = [13, 19, 25].map(|n: usize| joined[n].1.clone()).into();
    expected.sort_by_key(ConnectionHandle::id);
    assert_eq!(listed, expected);
    let mut listed = hall.group.connections();
    listed.retain(|connection| connection.tag() == 1);
    assert_eq!(listed.len(), 7);
    drop(joined);
    soon(registry.until_empty()).await;
    assert_eq!(registry.count(|_| true), 0);
    assert_eq!(registry.list(|_| true), []);
}

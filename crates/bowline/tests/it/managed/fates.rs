//! What becomes of messages.

use std::time::Duration;

use bowline::{
    CloseCode, Config, Keepalive,
    managed::{
        DeliveryStatus::{self, Dropped, Expired, Kept, Queued, Sent},
        DropReason::{Closed, Displaced, Interrupted as Cut, OutboxFull},
        Interrupted, OutboxOptions, Unsent, WhenFull,
    },
};
use tokio::time::{sleep, timeout};

use super::{Lab, Outcome, next, text, texts};
use crate::ends::{poll_times, settle, soon};

fn small(when_full: WhenFull) -> OutboxOptions {
    OutboxOptions {
        messages_max: 3,
        bytes_max: 10,
        when_full,
        ..OutboxOptions::default()
    }
}

/// Sends words while there is no link; gives their fates, once what was kept is sent.
async fn fates(options: OutboxOptions, words: &str) -> (Vec<DeliveryStatus>, String) {
    let (lab, mut peers) = Lab::new(&[Outcome::Hang], Outcome::Link);
    let (client, _events) = lab.builder().with_outbox(options).start();
    let words = words.split_whitespace();
    let deliveries: Vec<_> = words.map(|word| client.send(word.to_owned())).collect();
    assert!(client.backlog().0 <= 3);
    settle().await;
    client.reconnect();
    let peer = next(&mut peers).await;
    let mut fates = Vec::new();
    for delivery in deliveries {
        fates.push(soon(delivery).await);
    }
    drop(client);
    (fates, texts(peer).await.join(" "))
}

#[tokio::test(start_paused = true)]
async fn messages_wait_for_a_link_and_leave_in_order() {
    let (lab, mut peers) = Lab::new(&[Outcome::Fail], Outcome::Link);
    let (client, _events) = lab.start();
    let mut first = client.send("first");
    let second = client.send("second");
    assert_eq!(first.status(), Kept);
    assert_eq!(client.backlog(), (2, 11));
    let mut peer = next(&mut peers).await;
    assert_eq!(text(&mut peer).await, "first");
    assert_eq!(text(&mut peer).await, "second");
    assert_eq!((soon(&mut first).await, soon(second).await), (Sent, Sent));
    assert_eq!(client.backlog(), (0, 0));
    drop(client.send("unwatched"));
    assert_eq!(text(&mut peer).await, "unwatched", "nobody has to watch");
    assert_eq!(first.await, Sent, "and one may look again");
}

#[tokio::test(start_paused = true)]
async fn a_full_outbox_drops_what_it_is_told_to_and_says_so() {
    let (met, left) = fates(small(WhenFull::DropNewest), "a b c d").await;
    assert_eq!(met, [Sent, Sent, Sent, Dropped(OutboxFull)]);
    assert_eq!(left, "a b c");
    let (met, left) = fates(small(WhenFull::DropNewest), "12345678 123 12").await;
    assert_eq!(met, [Sent, Dropped(OutboxFull), Sent]);
    assert_eq!(left, "12345678 12");
    let (met, left) = fates(small(WhenFull::DropOldest), "a b c d longlong1").await;
    let displaced = Dropped(Displaced);
    assert_eq!(met, [displaced, displaced, displaced, Sent, Sent]);
    assert_eq!(left, "d longlong1");
    let (met, _) = fates(small(WhenFull::DropNewest), "longerthanthebound").await;
    assert_eq!(met, [Sent], "one alone always fits");
}

#[tokio::test(start_paused = true)]
async fn waiting_for_room_loses_nothing() {
    let (lab, mut peers) = Lab::new(&[Outcome::Hang], Outcome::Link);
    let builder = lab.builder().with_outbox(small(WhenFull::DropNewest));
    let (client, _events) = builder.start();
    let sender = client.clone();
    let sending = tokio::spawn(async move {
        for number in 0..100 {
            let delivery = sender.send_with_room(number.to_string()).await;
            assert!(!matches!(delivery.status(), Dropped(_)));
        }
    });
    settle().await;
    assert_eq!(client.backlog().0, 3);
    let dropped = poll_times(3, client.send_with_room("dropped future")).await;
    assert!(dropped.is_none());
    client.reconnect();
    let mut peer = next(&mut peers).await;
    for number in 0..100 {
        assert_eq!(text(&mut peer).await, number.to_string());
    }
    sending.await.unwrap();
    client.begin_close(CloseCode::NORMAL, "").unwrap();
    let late = soon(client.send_with_room("late")).await;
    assert_eq!(late.status(), Dropped(Closed));
}

#[tokio::test(start_paused = true)]
async fn messages_expire_when_their_deadline_passes_and_not_before() {
    let (lab, mut peers) = Lab::new(&[Outcome::Hang], Outcome::Link);
    let options = OutboxOptions {
        deadline: Some(Duration::from_secs(5)),
        ..OutboxOptions::default()
    };
    let (client, _events) = lab.builder().with_outbox(options).start();
    let long = client.send_within("long", Duration::from_mins(10));
    let by_default = client.send("by default");
    let short = client.send_within("short", Duration::from_secs(2));
    let never = client.send_within("never", Duration::MAX);
    sleep(Duration::from_millis(1990)).await;
    assert_eq!(short.status(), Kept);
    sleep(Duration::from_millis(20)).await;
    assert_eq!((short.status(), by_default.status()), (Expired, Kept));
    assert_eq!(
        soon(by_default).await,
        Expired,
        "without anybody touching the client"
    );
    assert_eq!(client.backlog(), (2, 9));
    client.reconnect();
    let mut peer = next(&mut peers).await;
    assert_eq!(text(&mut peer).await, "long");
    assert_eq!(text(&mut peer).await, "never");
    assert_eq!((soon(long).await, soon(never).await), (Sent, Sent));
}

#[tokio::test(start_paused = true)]
async fn deadlines_hold_while_a_link_is_stuck_and_while_the_client_is_closed_by_hand() {
    let (lab, mut peers) = Lab::with_room(&[], Outcome::Link, 1000);
    let (client, _events) = lab.start();
    let mut peer = next(&mut peers).await;
    client.opened().await.unwrap();
    let stuck = client.send(vec![0; 100_000]);
    settle().await;
    let late = client.send_within("late", Duration::from_secs(1));
    assert_eq!(late.status(), Queued);
    sleep(Duration::from_secs(2)).await;
    assert_eq!((stuck.status(), late.status()), (Queued, Expired));
    assert_eq!(soon(peer.recv()).await.unwrap().len(), 100_000);
    assert_eq!(soon(stuck).await, Sent);
}

#[tokio::test(start_paused = true)]
async fn a_message_cut_off_by_the_end_of_the_link_is_reported_or_sent_again() {
    for (interrupted, expected) in [
        (Interrupted::Drop, Dropped(Cut)),
        (Interrupted::Resend, Sent),
    ] {
        let options = OutboxOptions {
            interrupted,
            ..OutboxOptions::default()
        };
        let (lab, mut peers) = Lab::with_room(&[], Outcome::Link, 1000);
        let (client, _events) = lab.builder().with_outbox(options).start();
        let peer = next(&mut peers).await;
        client.opened().await.unwrap();
        let big = client.send("b".repeat(100_000));
        settle().await;
        let behind = client.send("behind");
        drop(peer);
        let mut peer = next(&mut peers).await;
        if expected == Sent {
            assert_eq!(text(&mut peer).await.len(), 100_000);
        }
        assert_eq!(text(&mut peer).await, "behind", "in order");
        assert_eq!((soon(big).await, soon(behind).await), (expected, Sent));
    }
}

#[tokio::test(start_paused = true)]
async fn closing_sends_what_is_queued_as_long_as_the_server_takes_it() {
    let (lab, mut peers) = Lab::with_room(&[], Outcome::Link, 1000);
    let (client, _events) = lab.start();
    let peer = next(&mut peers).await;
    client.opened().await.unwrap();
    let deliveries: Vec<_> = (0..100)
        .map(|number| client.send(format!("{number:0>500}")))
        .collect();
    client.begin_close(CloseCode::NORMAL, "").unwrap();
    assert_eq!(client.send("too late").status(), Dropped(Closed));
    assert_eq!(texts(peer).await.len(), 100);
    for delivery in deliveries {
        assert_eq!(soon(delivery).await, Sent);
    }
    settle().await;
    client.reconnect();
    let stuck = next(&mut peers).await;
    soon(client.opened()).await.unwrap();
    let deliveries: Vec<_> = (0..100)
        .map(|number| client.send(format!("{number:0>5000}")))
        .collect();
    let start = tokio::time::Instant::now();
    client.close(CloseCode::NORMAL, "").await.unwrap();
    assert!(
        start.elapsed() <= Duration::from_secs(11),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(lab.open(), 0);
    let mut cut = 0;
    for delivery in deliveries {
        let fate = soon(delivery).await;
        assert!(matches!(fate, Dropped(Cut | Closed)), "{fate:?}");
        cut += usize::from(fate == Dropped(Cut));
    }
    assert!((1..100).contains(&cut), "{cut}");
    drop(stuck);
}

#[tokio::test(start_paused = true)]
async fn closing_drops_what_is_queued_if_nothing_unsent_is_to_be_kept() {
    let options = OutboxOptions {
        unsent: Unsent::Drop,
        ..OutboxOptions::default()
    };
    let (lab, mut peers) = Lab::with_room(&[], Outcome::Link, 1000);
    let (client, _events) = lab.builder().with_outbox(options).start();
    let peer = next(&mut peers).await;
    client.opened().await.unwrap();
    let begun = client.send("b".repeat(100_000));
    settle().await;
    let unsent = client.send("unsent");
    client.begin_close(CloseCode::NORMAL, "").unwrap();
    assert_eq!(texts(peer).await.len(), 1);
    assert_eq!(soon(begun).await, Sent, "what is being written is finished");
    assert!(matches!(soon(unsent).await, Dropped(_)));
}

#[tokio::test(start_paused = true)]
async fn every_message_meets_exactly_one_fate_over_many_links() {
    let (lab, mut peers) = Lab::with_room(&[], Outcome::Link, 3000);
    lab.configure(Config {
        keepalive: Some(Keepalive {
            interval: Duration::from_secs(5),
            timeout: Duration::from_secs(5),
        }),
        ..Config::default()
    });
    let (client, _events) = lab.start();
    let sender = client.clone();
    let sending = tokio::spawn(async move {
        let mut deliveries = Vec::new();
        for number in 0..500 {
            let size = 1 + (number * 37) % 900;
            deliveries.push(sender.send_with_room(format!("{number:0>size$}")).await);
            sleep(Duration::from_millis(50)).await;
        }
        let mut sent = Vec::new();
        for (number, delivery) in deliveries.into_iter().enumerate() {
            let fate = soon(delivery).await;
            assert!(matches!(fate, Sent | Dropped(Cut)), "{fate:?}");
            if fate == Sent {
                sent.push(number);
            }
        }
        sent
    });
    let mut arrived = Vec::new();
    let mut links = 0;
    while !sending.is_finished() {
        // Takes some messages, stops reading for a while, then leaves without a word.
        let mut peer = next(&mut peers).await;
        links += 1;
        for _ in 0..links % 40 {
            let patience = Duration::from_secs(2);
            let Ok(Some(message)) = timeout(patience, peer.recv()).await else {
                break;
            };
            let number: usize = message.as_text().unwrap().parse().unwrap();
            arrived.push(number);
        }
        sleep(Duration::from_millis(700)).await;
    }
    let sent = sending.await.unwrap();
    let is_in_order = arrived.is_sorted_by(|one, next| one < next);
    assert!(is_in_order, "and none arrives twice: {arrived:?}");
    let unreported = arrived.iter().filter(|number| !sent.contains(number));
    // Only what was being written when a link broke can have arrived without being known to.
    assert!(unreported.count() <= links, "{arrived:?} {sent:?}");
    let (arrived, sent) = (arrived.len(), sent.len());
    assert!(
        links > 5 && arrived > 50 && sent >= arrived && sent < 500,
        "{arrived} {sent}"
    );
}

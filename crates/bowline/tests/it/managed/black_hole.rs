//! Links that are dead without saying so.

use std::time::Duration;

use bowline::{
    Cause, Config, Keepalive,
    managed::{ClientEvent, Heartbeat},
};
use tokio::time::Instant;

use super::{Lab, Outcome, next, text};
use crate::ends::soon;

fn watchful() -> Config {
    Config {
        keepalive: Some(Keepalive {
            interval: Duration::from_secs(20),
            timeout: Duration::from_secs(10),
        }),
        ..Config::default()
    }
}

#[tokio::test(start_paused = true)]
async fn a_dead_link_is_noticed_in_time_also_while_a_big_message_is_in_flight() {
    for size in [0, 1, 1 << 20] {
        let (lab, mut peers) = Lab::with_room(&[], Outcome::Link, 1000);
        lab.configure(watchful());
        let (client, mut events) = lab.start();
        let _dead = next(&mut peers).await;
        client.opened().await.unwrap();
        if size > 0 {
            client.send(vec![0; size]);
        }
        let start = Instant::now();
        let ending = loop {
            if let Some(ClientEvent::LinkClosed(ending)) = events.recv().await {
                break ending;
            }
        };
        assert_eq!(ending.cause, Cause::KeepaliveTimeout);
        assert_eq!(start.elapsed().as_secs(), 30, "{size}");
        let _alive = next(&mut peers).await;
        assert_eq!(lab.most_open(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_link_that_moves_a_big_message_is_not_taken_for_dead() {
    let (lab, mut peers) = Lab::with_room(&[], Outcome::Link, 1000);
    lab.configure(watchful());
    let (client, _events) = lab.start();
    let mut slow = next(&mut peers).await;
    client.opened().await.unwrap();
    let sent = client.send(vec![0; 100_000]);
    let receiving = tokio::spawn(async move {
        // About one kilobyte in five seconds.
        let mut received = 0;
        while received < 100_000 {
            tokio::time::sleep(Duration::from_secs(5)).await;
            received += slow.recv_fragment().await.unwrap().payload.len();
        }
        slow
    });
    let sent = tokio::time::timeout(Duration::from_hours(1), sent)
        .await
        .unwrap();
    assert_eq!(sent, bowline::managed::DeliveryStatus::Sent);
    drop(receiving.await.unwrap());
    assert_eq!(lab.attempts(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_heartbeat_of_the_applications_own_is_sent_at_its_interval() {
    let (lab, mut peers) = Lab::new(&[], Outcome::Link);
    let heartbeat = Heartbeat::new("beat", Duration::from_secs(7));
    let (client, _events) = lab.builder().with_heartbeat(heartbeat).start();
    for _ in 0..2 {
        let mut peer = next(&mut peers).await;
        let start = Instant::now();
        for beat in 1..4 {
            assert_eq!(text(&mut peer).await, "beat");
            assert_eq!(start.elapsed().as_secs(), beat * 7);
        }
        client.send("between");
        assert_eq!(text(&mut peer).await, "between");
        drop(peer);
        soon(client.opened()).await.unwrap();
    }
}

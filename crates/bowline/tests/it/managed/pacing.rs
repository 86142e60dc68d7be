//! When attempts are made.

use std::time::Duration;

use bowline::{
    CloseCode,
    managed::{Backoff, ClientState, ReconnectPolicy},
};
use tokio::time::sleep;

use super::{Lab, Outcome, next};
use crate::ends::{settle, soon};

#[tokio::test(start_paused = true)]
async fn an_outage_of_half_a_minute_meets_at_most_eight_attempts_that_are_spread() {
    let labs: Vec<_> = (0..100)
        .map(|_| {
            let (lab, _) = Lab::new(&[], Outcome::Fail);
            let builder = lab.builder().with_policy(ReconnectPolicy::default());
            (lab, builder.start())
        })
        .collect();
    sleep(Duration::from_secs(30)).await;
    let mut second_attempts = Vec::new();
    for (lab, _) in &labs {
        assert!((4..=8).contains(&lab.attempts()), "{:?}", lab.times());
        second_attempts.push(lab.times()[1]);
    }
    second_attempts.sort_by(f64::total_cmp);
    second_attempts.dedup();
    assert!(second_attempts.len() > 50, "clients do not move in step");
}

#[tokio::test(start_paused = true)]
async fn waits_grow_to_the_cap_and_the_first_may_be_none() {
    let (lab, _) = Lab::new(&[], Outcome::Fail);
    let client = lab.start();
    sleep(Duration::from_mins(5)).await;
    let times = lab.times();
    let waits: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(waits[0] < 0.1, "at once: {waits:?}");
    for (wait, step) in waits[1..]
        .iter()
        .zip([1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0])
    {
        assert!((step / 3.0 - 0.01..step + 0.01).contains(wait), "{waits:?}");
    }
    drop(client);
}

#[tokio::test(start_paused = true)]
async fn a_stable_link_resets_the_steps_and_a_short_one_does_not() {
    let script = [Outcome::Fail, Outcome::Fail, Outcome::Link, Outcome::Link];
    let (lab, mut peers) = Lab::new(&script, Outcome::Link);
    let (client, _events) = lab.start();
    let short = next(&mut peers).await;
    sleep(Duration::from_secs(9)).await;
    drop(short);
    let mut states = client.states();
    let again = |attempt| move |state: &ClientState| *state == ClientState::Connecting { attempt };
    soon(states.wait_for(again(4))).await.unwrap();
    let stable = next(&mut peers).await;
    sleep(Duration::from_secs(11)).await;
    drop(stable);
    let before = lab.times().len();
    soon(states.wait_for(again(1))).await.unwrap();
    drop(next(&mut peers).await);
    let times = lab.times();
    assert!(
        times[before] - times[before - 1] < 11.1,
        "at once again: {times:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_honoured_in_seconds_and_as_a_date_and_cut_to_its_bound() {
    let cases = [
        ("Retry-After: 120", 120.0),
        ("Retry-After:  7 ", 7.0),
        ("Retry-After: 99999999999999999999999", 300.0),
        (
            "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nRetry-After: Sun, 06 Nov 1994 08:50:37 GMT",
            60.0,
        ),
        (
            "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nRetry-After: Sun, 06 Nov 1994 08:00:00 GMT",
            0.0,
        ),
        ("Retry-After: Fri, 31 Dec 9999 23:59:59 GMT", 300.0),
    ];
    for (fields, least) in cases {
        for status in ["503 Busy", "429 Slow Down"] {
            let answer = format!("HTTP/1.1 {status}\r\n{fields}\r\nContent-Length: 0\r\n\r\n");
            let (lab, mut peers) = Lab::new(&[Outcome::Answer(answer)], Outcome::Link);
            let client = lab.start();
            let patience = Duration::from_mins(10);
            let link = tokio::time::timeout(patience, peers.recv()).await;
            assert!(link.is_ok(), "{fields}");
            let times = lab.times();
            let wait = times[1] - times[0];
            assert!((least..least + 1.1).contains(&wait), "{fields}: {wait}");
            drop(client);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_always_says_at_once_is_not_asked_more_often_than_one_that_is_down() {
    let answer = "HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n";
    let (lab, _peers) = Lab::new(&[], Outcome::Answer(answer.to_owned()));
    let policy = ReconnectPolicy::default();
    let client = lab.builder().with_policy(policy).start();
    sleep(Duration::from_secs(30)).await;
    assert!((4..=8).contains(&lab.attempts()), "{:?}", lab.times());
    drop(client);
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_without_sense_leaves_the_steps_as_they_are() {
    for value in ["soon", "-1", "1.5", ""] {
        let answer = format!("HTTP/1.1 503 Busy\r\nRetry-After: {value}\r\n\r\n");
        let (lab, mut peers) = Lab::new(&[Outcome::Answer(answer)], Outcome::Link);
        let client = lab.start();
        drop(next(&mut peers).await);
        assert!(lab.times()[1] < 0.1, "{value}: at once");
        drop(client);
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_restarts_is_given_a_pause_that_is_spread() {
    for code in [CloseCode::SERVICE_RESTART, CloseCode::TRY_AGAIN_LATER] {
        let (lab, mut peers) = Lab::new(&[], Outcome::Link);
        let client = lab.start();
        let mut peer = next(&mut peers).await;
        peer.close(code, "").await.unwrap();
        drop(next(&mut peers).await);
        let wait = lab.times()[1];
        assert!((5.0..10.1).contains(&wait), "{code}: {wait}");
        drop(client);
    }
}

#[tokio::test(start_paused = true)]
async fn a_bound_on_attempts_ends_them_and_the_button_begins_anew() {
    let (lab, mut peers) = Lab::new(&vec![Outcome::Fail; 3], Outcome::Link);
    let policy = ReconnectPolicy::Automatic(Backoff {
        attempts_max: Some(3),
        ..Backoff::default()
    });
    let (client, mut events) = lab.builder().with_policy(policy).start();
    let why = soon(client.opened()).await.unwrap_err();
    assert_eq!(super::word(&ClientState::Closed { why }), "used up");
    sleep(Duration::from_hours(1)).await;
    assert_eq!(lab.attempts(), 3);
    while soon(events.recv()).await.is_some() {}
    client.reconnect();
    soon(client.opened()).await.unwrap();
    drop(next(&mut peers).await);
    assert!(
        soon(events.recv()).await.is_some(),
        "there are events again"
    );
}

#[tokio::test(start_paused = true)]
async fn by_hand_means_that_only_the_button_makes_attempts() {
    let (lab, mut peers) = Lab::new(&[Outcome::Fail], Outcome::Link);
    let builder = lab.builder().with_policy(ReconnectPolicy::Manual);
    let (client, _events) = builder.start();
    let log = super::record(&client);
    assert!(soon(client.opened()).await.is_err());
    sleep(Duration::from_hours(1)).await;
    let kept = client.send("kept");
    client.reconnect();
    let mut peer = next(&mut peers).await;
    assert_eq!(super::text(&mut peer).await, "kept");
    assert_eq!(soon(kept).await, bowline::managed::DeliveryStatus::Sent);
    drop(peer);
    sleep(Duration::from_hours(1)).await;
    assert_eq!(lab.attempts(), 2);
    settle().await;
    let expected = ["connecting 1", "manual", "connecting 1", "open", "manual"];
    assert_eq!(*log.lock().unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn the_button_cuts_a_wait_short() {
    let (lab, mut peers) = Lab::new(&vec![Outcome::Fail; 8], Outcome::Link);
    let (client, _events) = lab.start();
    while lab.attempts() < 7 {
        settle().await;
    }
    for _ in 0..2 {
        settle().await;
        assert!(matches!(client.state(), ClientState::Waiting { .. }));
        let before = lab.attempts();
        client.reconnect();
        settle().await;
        if lab.attempts() == 9 {
            break;
        }
        assert!(lab.attempts() > before);
    }
    drop(next(&mut peers).await);
}

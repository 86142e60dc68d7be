//! Several workers, over which the system spreads the connections, are one hub.

use std::collections::BTreeMap;

use bowline::WebSocket;
use bowline_hub::{Config, Server, StartError};

use crate::support::{HubOf, settle, text};

/// The topic, the publisher and the number in a line of [`publish`].
fn parse(line: &str) -> (String, usize, u32) {
    let words: Vec<_> = line
        .split(['"', ',', '[', ']', '\n', ' '])
        .filter(|word| !word.is_empty())
        .collect();
    let [topic, publisher, number] = words[..] else {
        panic!("{line}");
    };
    (
        topic.to_owned(),
        publisher.parse().unwrap(),
        number.parse().unwrap(),
    )
}

/// Publishes numbers on all topics in turns, and waits until they are carried out.
async fn publish(mut ws: WebSocket, publisher: usize) {
    for number in 0..NUMBERS {
        let topic = number as usize % TOPICS;
        let line = format!("[\"t/{topic}\", [{publisher}, {number}]]");
        ws.send(line).await.unwrap();
    }
    settle(&mut ws).await;
}

/// Hears everything the publishers say; gives it by topic.
async fn hear(mut ws: WebSocket) -> BTreeMap<String, Vec<(usize, u32)>> {
    let mut heard: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for _ in 0..PUBLISHERS * NUMBERS as usize {
        let (topic, publisher, number) = parse(&text(&mut ws).await);
        heard.entry(topic).or_default().push((publisher, number));
    }
    heard
}

#[tokio::test]
async fn all_subscribers_hear_everything_once_and_each_topic_in_one_order() {
    let hub = HubOf::<4>::start().await;
    let mut subscribers = Vec::new();
    for _ in 0..SUBSCRIBERS {
        let mut ws = hub.join("").await;
        settle(&mut ws).await;
        subscribers.push(tokio::spawn(hear(ws)));
    }
    let mut publishers = Vec::new();
    for publisher in 0..PUBLISHERS {
        publishers.push(tokio::spawn(publish(
            hub.join("publisher").await,
            publisher,
        )));
    }
    for publisher in publishers {
        publisher.await.unwrap();
    }
    let mut all = Vec::new();
    for subscriber in subscribers {
        all.push(subscriber.await.unwrap());
    }
    assert_eq!(all[0].len(), TOPICS);
    for publications in all[0].values() {
        for publisher in 0..PUBLISHERS {
            let of_one = publications.iter().filter(|(by, _)| *by == publisher);
            let numbers: Vec<_> = of_one.map(|(_, number)| *number).collect();
            assert_eq!(numbers.len(), NUMBERS as usize / TOPICS);
            assert!(numbers.is_sorted(), "{numbers:?}");
        }
    }
    for other in &all[1..] {
        assert!(*other == all[0], "the order differs");
    }
    // Whichever worker a new one comes to, it finds what the others heard last.
    for _ in 0..SUBSCRIBERS {
        let mut late = hub.join("").await;
        for (topic, publications) in &all[0] {
            let (found, publisher, number) = parse(&text(&mut late).await);
            let last = publications[publications.len() - 1];
            assert_eq!((&found, (publisher, number)), (topic, last));
        }
    }
}

#[tokio::test]
async fn a_publisher_is_slowed_down_and_nothing_is_lost_when_another_worker_is_behind() {
    let mut config = Config::default();
    config.limits.forwarded_publications_max = 1;
    config.limits.commands_max = 1;
    let hub = HubOf::<3>::start_with(config).await;
    let mut subscribers = Vec::new();
    for _ in 0..SUBSCRIBERS {
        let mut ws = hub.join("t").await;
        settle(&mut ws).await;
        subscribers.push(ws);
    }
    let publishing = tokio::spawn(publish(hub.join("").await, 0));
    for ws in &mut subscribers {
        for number in 0..NUMBERS {
            let (_, _, heard) = parse(&text(ws).await);
            assert_eq!(heard, number);
        }
    }
    publishing.await.unwrap();
}

#[tokio::test]
async fn a_port_that_another_hub_uses_is_refused() {
    let hub = HubOf::<2>::start().await;
    let second = Server::bind(Config {
        listen: vec![hub.address],
        ..Config::default()
    });
    assert!(matches!(
        second.await,
        Err(StartError::Listen { address, .. }) if address == hub.address
    ));
}

const PUBLISHERS: usize = 4;
const SUBSCRIBERS: usize = 8;
const TOPICS: usize = 3;
/// Of each publisher; a multiple of the topics.
const NUMBERS: u32 = 150;

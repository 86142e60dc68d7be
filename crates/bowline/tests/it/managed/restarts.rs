//! A server that is killed and restarted again and again while the client sends.

use std::collections::HashMap;

use bowline::managed::{Client, DeliveryStatus, DropReason};

use super::network::{EchoServer, quick};
use crate::ends::soon;

#[tokio::test]
async fn what_is_sent_while_the_server_is_killed_arrives_at_most_once_or_is_reported() {
    let mut server = EchoServer::start();
    let builder = Client::builder(&server.url()).unwrap();
    let (client, events) = builder.with_policy(quick()).start();
    drop(events);
    let mut received: HashMap<String, usize> = HashMap::new();
    let mut deliveries = Vec::new();
    for _ in 0..10 {
        soon(client.opened()).await.unwrap();
        for _ in 0..200 {
            let number = deliveries.len().to_string();
            deliveries.push(soon(client.send_with_room(number)).await);
            tokio::task::yield_now().await;
        }
        let log = std::sync::Arc::clone(&server.received);
        let address = server.kill().await;
        // Nobody listens, and the client sends on.
        for _ in 0..50 {
            let number = deliveries.len().to_string();
            deliveries.push(soon(client.send_with_room(number)).await);
        }
        for (message, times) in log.lock().unwrap().iter() {
            *received.entry(message.clone()).or_default() += times;
        }
        server = EchoServer::start_on(address);
    }
    let count = deliveries.len();
    let mut sent = 0;
    for delivery in deliveries {
        let status = soon(delivery).await;
        let fates = [
            DeliveryStatus::Sent,
            DeliveryStatus::Dropped(DropReason::Interrupted),
        ];
        assert!(fates.contains(&status), "{status:?}");
        sent += usize::from(status == DeliveryStatus::Sent);
    }
    soon(client.close(bowline::CloseCode::NORMAL, ""))
        .await
        .unwrap();
    for (message, times) in server.received.lock().unwrap().iter() {
        *received.entry(message.clone()).or_default() += times;
    }
    assert!(received.values().all(|times| *times == 1), "nothing twice");
    assert!(sent >= count / 2, "{sent} of {count}");
    // What waited for a link that was whole has arrived.
    for number in (count - 50)..count {
        assert!(received.contains_key(&number.to_string()), "{number}");
    }
}

//! Clown.Talk between connections.

use bowline::Message;

use super::support::{Hub, settle, text};

#[tokio::test]
async fn what_one_publishes_others_hear_and_the_publisher_does_not() {
    let hub = Hub::start().await;
    let mut publisher = hub.join("").await;
    let mut listener = hub.join("").await;
    publisher
        .send(r#"["a/b/set", {"n": 1.0e2}]"#)
        .await
        .unwrap();
    assert_eq!(text(&mut listener).await, "[\"a/b/set\", {\"n\": 1.0e2}]\n");
    listener.send("[\"c/set\", 2]\n").await.unwrap();
    assert_eq!(text(&mut publisher).await, "[\"c/set\", 2]\n");
}

#[tokio::test]
async fn one_message_may_hold_several_lines_which_keep_their_order() {
    let hub = Hub::start().await;
    let mut listener = hub.join("").await;
    let mut publisher = hub.join("").await;
    publisher
        .send("[\"a/set\", 1]\n# a log line\n\n[\"a/set\", 2]\n[\"a/set\", 3]")
        .await
        .unwrap();
    for n in 1..=3 {
        assert_eq!(text(&mut listener).await, format!("[\"a/set\", {n}]\n"));
    }
}

#[tokio::test]
async fn who_comes_later_is_told_the_last_values_and_no_orders() {
    let hub = Hub::start().await;
    let mut publisher = hub.join("").await;
    for line in [
        r#"["relay/a", {"state": false}]"#,
        r#"["relay/a", {"state": true}]"#,
        r#"["relay/a/set", {"state": false}]"#,
        r#"["gone", 1]"#,
        r#"["gone", null]"#,
    ] {
        publisher.send(line).await.unwrap();
    }
    settle(&mut publisher).await;
    let mut late = hub.join("").await;
    assert_eq!(text(&mut late).await, "[\"relay/a\", {\"state\": true}]\n");
    publisher.send(r#"["next/set", 1]"#).await.unwrap();
    assert_eq!(text(&mut late).await, "[\"next/set\", 1]\n");
}

#[tokio::test]
async fn a_base_topic_narrows_what_is_seen_and_where_is_published() {
    let hub = Hub::start().await;
    let mut everything = hub.join("").await;
    let mut node = hub.join("nodes_bridge_0").await;
    let mut other = hub.join("nodes_bridge_1").await;
    node.send(r#"["relay/a/set", 1]"#).await.unwrap();
    assert_eq!(
        text(&mut everything).await,
        "[\"nodes/bridge/0/relay/a/set\", 1]\n"
    );
    everything
        .send(r#"["nodes/bridge/1/x/set", 2]"#)
        .await
        .unwrap();
    assert_eq!(text(&mut other).await, "[\"x/set\", 2]\n");
    everything
        .send(r#"["nodes/bridge/0/y/set", 3]"#)
        .await
        .unwrap();
    assert_eq!(text(&mut node).await, "[\"y/set\", 3]\n");
}

#[tokio::test]
async fn the_base_topic_may_be_percent_encoded() {
    let hub = Hub::start().await;
    let mut everything = hub.join("").await;
    let mut node = hub.join("k%C3%BCche").await;
    node.send(r#"["a/set", 1]"#).await.unwrap();
    assert_eq!(text(&mut everything).await, "[\"k\u{fc}che/a/set\", 1]\n");
}

#[tokio::test]
async fn an_init_message_is_answered_and_not_published() {
    let hub = Hub::start().await;
    let mut listener = hub.join("").await;
    let mut ws = hub.join("").await;
    ws.send("[\"clown.talk/-/config/set\", {}]\n")
        .await
        .unwrap();
    let reply = text(&mut ws).await;
    assert!(
        reply.starts_with("[\"clown.talk/-/config/ok\", {"),
        "{reply}"
    );
    ws.send(r#"["after/set", 1]"#).await.unwrap();
    assert_eq!(text(&mut listener).await, "[\"after/set\", 1]\n");
}

#[tokio::test]
async fn what_is_not_understood_is_ignored_and_the_session_goes_on() {
    let hub = Hub::start().await;
    let mut listener = hub.join("").await;
    let mut publisher = hub.join("").await;
    for line in [
        "nonsense",
        "{}",
        "[]",
        "[\"\", 1]",
        "[\"a/#\", 1]",
        "[\"$sys\", 1]",
    ] {
        publisher.send(line).await.unwrap();
    }
    publisher
        .send(Message::binary(&b"[\"binary/set\", 1]"[..]))
        .await
        .unwrap();
    publisher.send(r#"["good/set", 1]"#).await.unwrap();
    assert_eq!(text(&mut listener).await, "[\"good/set\", 1]\n");
}

#[tokio::test]
async fn the_retained_values_may_be_more_than_an_outbox_holds() {
    let hub = Hub::start().await;
    let mut publisher = hub.join("").await;
    let count = bowline_hub::Limits::default().outbox_messages_max * 2;
    for n in 0..count {
        publisher
            .send(format!("[\"v/{n:05}\", {n}]"))
            .await
            .unwrap();
    }
    settle(&mut publisher).await;
    let mut late = hub.join("").await;
    for n in 0..count {
        assert_eq!(text(&mut late).await, format!("[\"v/{n:05}\", {n}]\n"));
    }
}

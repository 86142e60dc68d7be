//! Whom the hub lets in.

use bowline::Connector;
use bowline_hub::Config;

use crate::support::{Hub, refused};

#[tokio::test]
async fn a_page_of_a_foreign_origin_is_refused() {
    let hub = Hub::start().await;
    for origin in [
        "https://evil.example",
        "http://127.0.0.1:1",
        "null",
        "http://127.0.0.1.evil.example",
    ] {
        let connector = Connector::default().with_origin(origin);
        let (status, body) = refused(&connector, &hub.url("")).await;
        assert_eq!(status, 403, "{origin}");
        assert!(body.contains("--origin"), "{body}");
    }
}

#[tokio::test]
async fn pages_of_the_hub_and_of_listed_origins_are_let_in() {
    let hub = Hub::start_with(Config {
        origins: vec!["https://example.com".to_owned()],
        ..Config::default()
    })
    .await;
    for origin in [&format!("http://{}", hub.address), "https://example.com"] {
        let connector = Connector::default().with_origin(origin);
        connector.connect(&hub.url("")).await.unwrap();
    }
}

#[tokio::test]
async fn other_paths_are_refused_and_the_right_ones_named() {
    let hub = Hub::start().await;
    for path in [
        "/",
        "/chat",
        "/auth/",
        "/auth/other",
        "/auth/clown-talk-serverx",
        "/auth/clown-talk-server_$sys",
        "/auth/clown-talk-server_a%00",
        "/auth/clown-talk-server_%ff",
        "/auth/clown-talk-server/x",
    ] {
        let url = format!("ws://{}{path}", hub.address);
        let (status, body) = refused(&Connector::default(), &url).await;
        assert_eq!(status, 404, "{path}");
        assert!(
            body.contains("/auth/clown-talk-server_base_topic"),
            "{body}"
        );
    }
}

#[tokio::test]
async fn on_loopback_other_host_names_are_not_answered() {
    let hub = Hub::start_with(Config {
        hosts: vec!["hub.example".to_owned()],
        ..Config::default()
    })
    .await;
    let request = |host: &str, more: &str| {
        format!("GET /auth/clown-talk-server HTTP/1.1\r\nHost: {host}\r\n{more}\r\n")
    };
    let close = "Connection: close\r\n";
    let websocket = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                     Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\
                     Origin: http://evil.example:8080\r\n";
    for more in [close, websocket] {
        let answer = hub.http(&request("evil.example:8080", more)).await;
        assert!(answer.starts_with("HTTP/1.1 421"), "{answer}");
    }
    for host in ["hub.example", "localhost:8080"] {
        let answer = hub.http(&request(host, close)).await;
        assert!(answer.starts_with("HTTP/1.1 426"), "{answer}");
    }
}

//! `bowline simulate` with a hub.

use bowline::WebSocket;
use serde_json::{Value, json};

use crate::support::{Bowline, complaint, run};

/// Receives until a message on this topic comes, and gives its payload.
async fn payload(ws: &mut WebSocket, topic: &str) -> Value {
    loop {
        let message = ws.recv().await.unwrap();
        let (heard, payload): (String, Value) =
            serde_json::from_str(message.as_text().unwrap()).unwrap();
        if heard == topic {
            return payload;
        }
    }
}

fn simulate(url: &str) -> Bowline {
    Bowline::start(&["simulate", "--url", &format!("{url}_nodes_bridge_0")])
}

#[tokio::test]
async fn the_thermometer_publishes_and_the_relay_obeys() {
    let (_hub, url) = Bowline::hub(&[]);
    let device = simulate(&url);
    let mut ws = bowline::connect(&url).await.unwrap();
    let measured = payload(&mut ws, "nodes/bridge/0/thermometer/i2c0-48").await;
    assert_eq!(measured["temperature"][1], json!("\u{2103}"));
    let relay = "nodes/bridge/0/relay/i2c0-3b";
    for state in [true, false] {
        ws.send(format!("[\"{relay}/set\", {{\"state\": {state}}}]"))
            .await
            .unwrap();
        while payload(&mut ws, relay).await != json!({"state": state}) {}
    }
    assert_eq!(device.terminate(), Some(0));
}

#[tokio::test]
async fn the_device_comes_back_when_the_hub_does_and_tells_its_state_again() {
    let (hub, url) = Bowline::hub(&[]);
    let _device = simulate(&url);
    let mut ws = bowline::connect(&url).await.unwrap();
    let relay = "nodes/bridge/0/relay/i2c0-3b";
    payload(&mut ws, relay).await;
    ws.send(format!("[\"{relay}/set\", {{\"state\": true}}]"))
        .await
        .unwrap();
    while payload(&mut ws, relay).await != json!({"state": true}) {}
    drop(ws);
    assert_eq!(hub.terminate(), Some(0));
    let address = url
        .trim_start_matches("ws://")
        .split('/')
        .next()
        .unwrap()
        .to_owned();
    let (_hub, _) = Bowline::serve(&["serve", "--listen", &address]);
    let mut ws = bowline::connect(&url).await.unwrap();
    assert_eq!(payload(&mut ws, relay).await, json!({"state": true}));
}

#[test]
fn a_hub_that_refuses_the_device_is_not_asked_again() {
    let (_hub, url) = Bowline::hub(&[]);
    let wrong = url.replace("/auth/", "/other/");
    let output = run(&["simulate", "--url", &wrong]);
    assert_eq!(output.status.code(), Some(4));
    assert!(complaint(&output).contains("404"));
}

//! Clients of other implementations, served inside a handler of axum.

use std::{path::Path, process::Stdio, time::Duration};

use serde_json::json;
use tokio::{process::Command, time::timeout};

use crate::{
    examples::Example,
    interop::{
        peer::Peer,
        tools::{node_modules, python},
    },
};

/// Runs a client against the example's echo; it says whether everything came back.
async fn check(program: &Path, script: &str, further: &[&Path]) {
    let example = Example::start("in_handler_upgrade", &[]);
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/upgrade/peers");
    let client = Command::new(program)
        .arg(scripts.join(script))
        .arg(example.url("/"))
        .args(further)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = timeout(Duration::from_mins(1), client)
        .await
        .expect("the client ends in time")
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    assert_eq!(output.stdout, b"agreed\n");
}

#[tokio::test]
async fn websockets_is_served_inside_a_handler_of_axum() {
    check(&python(), "echo_client.py", &[]).await;
}

#[tokio::test]
async fn ws_is_served_inside_a_handler_of_axum() {
    check(Path::new("node"), "echo_client.mjs", &[&node_modules()]).await;
}

#[tokio::test]
async fn chromium_is_served_the_page_and_the_websocket_by_one_handler_of_axum() {
    let example = Example::start("in_handler_upgrade", &[]);
    let url = example.url("/");
    let mut browser = Peer::chromium();
    let page = url.replacen("ws", "http", 1);
    let visited = browser.ask(json!({ "do": "visit", "url": page })).await;
    assert_eq!(visited, json!({ "status": 200, "title": "Echo" }));
    let opened = browser.ask(json!({ "do": "connect", "url": url })).await;
    assert_eq!(opened["subprotocol"], "", "{opened}");
    let nothing = json!({ "do": "receive", "unit": "", "count": 0 });
    let greeting = browser.ask(nothing).await;
    assert_eq!(greeting["kind"], "text", "{greeting}");
    for (kind, unit, count) in [
        ("text", "", 0),
        ("binary", "", 0),
        ("text", "ceba", 3),
        ("binary", "00ff", 1 << 19),
    ] {
        let message = |what| json!({ "do": what, "kind": kind, "unit": unit, "count": count });
        browser.ask(message("send")).await;
        let answer = browser.ask(message("receive")).await;
        let len = unit.len() / 2 * count;
        assert_eq!(answer, json!({ "kind": kind, "len": len, "equal": true }));
    }
    let close = json!({ "do": "close", "code": 3000, "reason": "done" });
    let closed = browser.ask(close).await;
    assert_eq!(closed["code"], 3000, "{closed}");
    assert_eq!(closed["wasClean"], true, "{closed}");
    browser.ask(json!({ "do": "quit" })).await;
}

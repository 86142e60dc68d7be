//! Retained values that outlive the hub.

use std::{fs, path::Path, time::Duration};

use bowline_hub::{Config, Server, StartError, StoreError};

use super::support::{Hub, settle, text};

fn config(folder: &Path) -> Config {
    Config {
        data: Some(folder.to_owned()),
        ..Config::default()
    }
}

#[tokio::test]
async fn the_last_values_are_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("made/when/missing");
    let hub = Hub::start_with(config(&folder)).await;
    let mut ws = hub.join("").await;
    ws.send(r#"["a", {"n": 1.0e2}]"#).await.unwrap();
    ws.send(r#"["b", 1]"#).await.unwrap();
    ws.send(r#"["b", null]"#).await.unwrap();
    ws.send(r#"["c/set", 1]"#).await.unwrap();
    settle(&mut ws).await;
    drop(ws);
    hub.stop().await;
    let hub = Hub::start_with(config(&folder)).await;
    let mut ws = hub.join("").await;
    assert_eq!(text(&mut ws).await, "[\"a\", {\"n\": 1.0e2}]\n");
    let mut other = hub.join("").await;
    other.send(r#"["next/set", 1]"#).await.unwrap();
    assert_eq!(text(&mut ws).await, "[\"next/set\", 1]\n");
}

#[tokio::test]
async fn changed_values_are_written_while_the_hub_runs() {
    let folder = tempfile::tempdir().unwrap();
    let hub = Hub::start_with(Config {
        save_interval: Duration::from_millis(1),
        ..config(folder.path())
    })
    .await;
    let mut ws = hub.join("").await;
    ws.send(r#"["a", 1]"#).await.unwrap();
    let file = folder.path().join("retained.jsonl");
    while !fs::read_to_string(&file).is_ok_and(|text| text.contains("[\"a\", 1]")) {
        tokio::task::yield_now().await;
    }
    drop(hub);
}

#[tokio::test]
async fn a_folder_in_use_or_damaged_keeps_the_hub_from_starting() {
    let folder = tempfile::tempdir().unwrap();
    let hub = Hub::start_with(config(folder.path())).await;
    let second = Server::bind(Config {
        listen: vec!["127.0.0.1:0".parse().unwrap()],
        ..config(folder.path())
    });
    assert!(matches!(
        second.await,
        Err(StartError::Store(StoreError::InUse { .. }))
    ));
    hub.stop().await;
    fs::write(folder.path().join("retained.jsonl"), "nonsense\n").unwrap();
    let damaged = Server::bind(config(folder.path())).await;
    let Err(StartError::Store(error)) = damaged else {
        panic!("expected a refusal, got {damaged:?}");
    };
    assert!(error.to_string().contains("line 1"), "{error}");
}

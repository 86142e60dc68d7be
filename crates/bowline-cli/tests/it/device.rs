//! `bowline simulate --script`: a device that follows a script.

use std::path::PathBuf;

use bowline::{Connector, Error, WebSocket};
use tempfile::TempDir;

use crate::support::{Bowline, complaint, run};

/// A script in a file of its own.
struct Script {
    _folder: TempDir,
    path: PathBuf,
}

fn script(text: &str) -> Script {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("device.toml");
    std::fs::write(&path, text).unwrap();
    Script {
        _folder: folder,
        path,
    }
}

fn start(text: &str) -> (Bowline, String) {
    let script = script(text);
    let path = script.path.to_str().unwrap();
    Bowline::serve(&["simulate", "--script", path, "--listen", "127.0.0.1:0"])
}

async fn text(ws: &mut WebSocket) -> String {
    let message = ws.recv().await.expect("a message");
    message.as_text().expect("text").to_owned()
}

#[tokio::test]
async fn a_device_answers_by_the_first_rule_that_fits() {
    let (device, url) = start(
        r#"
        path = "/x-nmos/events/ws"
        subprotocol = "events"
        [[on]]
        open = true
        send = ["hello"]
        [[on]]
        json = { command = "health" }
        send = ['{"at": "${message.timestamp}"}', "second"]
        [[on]]
        contains = "hea"
        send = ["got ${message}"]
        [[on]]
        text = "bye"
        close = 3001
        "#,
    );
    assert!(url.ends_with("/x-nmos/events/ws"), "{url}");
    let connector = Connector::default().with_subprotocol("events");
    let mut ws = connector.connect(&url).await.unwrap();
    assert_eq!(ws.subprotocol(), Some("events"));
    assert_eq!(text(&mut ws).await, "hello");
    ws.send(r#"{"command": "health", "timestamp": "1:2", "more": []}"#)
        .await
        .unwrap();
    assert_eq!(text(&mut ws).await, r#"{"at": "1:2"}"#);
    assert_eq!(text(&mut ws).await, "second");
    ws.send("no rule is for this").await.unwrap();
    ws.send("heat").await.unwrap();
    assert_eq!(text(&mut ws).await, "got heat");
    ws.send("bye").await.unwrap();
    assert!(ws.recv().await.is_none());
    assert_eq!(ws.ending().unwrap().code.0, 3001);
    match bowline::connect(&url.replace("/ws", "/other")).await {
        Err(Error::Refused(refused)) => assert_eq!(refused.response.status(), 404),
        other => panic!("{other:?}"),
    }
    assert_eq!(device.terminate(), Some(0));
}

#[tokio::test]
async fn a_device_pushes_its_messages_in_turn_and_may_break_off() {
    let (_device, url) = start(
        r#"
        [[every]]
        interval = "5ms"
        send = ["a", "b"]
        [[on]]
        text = "break"
        after = "1ms"
        close = 1006
        "#,
    );
    let mut ws = bowline::connect(&url).await.unwrap();
    for expected in ["a", "b", "a"] {
        assert_eq!(text(&mut ws).await, expected);
    }
    ws.send("break").await.unwrap();
    while ws.recv().await.is_some() {}
    assert!(!ws.ending().unwrap().is_clean());
}

#[tokio::test]
async fn a_device_refuses_as_often_as_the_script_says() {
    let (_device, url) = start(
        r#"
        [refuse]
        status = 503
        body = "not yet"
        first = 2
        "#,
    );
    for _ in 0..2 {
        match bowline::connect(&url).await {
            Err(Error::Refused(refused)) => {
                assert_eq!(refused.response.status(), 503);
                assert_eq!(&refused.body[..], b"not yet");
            }
            other => panic!("{other:?}"),
        }
    }
    bowline::connect(&url).await.unwrap();
}

#[test]
fn mistakes_in_a_script_are_told_with_their_place() {
    for (text, told) in [
        ("path = 1", "line 1, column 8: invalid type"),
        (
            "\n[[on]]\ntext = \"a\"\nsned = []\n",
            "unknown field `sned`",
        ),
        (
            "[[on]]\nsend = [\"a\"]\n",
            "rule 1 of [[on]] needs one of open = true",
        ),
        (
            "[[on]]\ntext = \"a\"\nsend = [\"${x}\"]\n",
            "${x} is not known",
        ),
        (
            "[[on]]\ntext = \"a\"\nclose = 1005\n",
            "1005 is not a close code",
        ),
        (
            "[[every]]\ninterval = \"5\"\nsend = [\"a\"]\n",
            "a time such as \"250ms\"",
        ),
        ("path = \"ws\"", "must begin with a slash"),
    ] {
        let script = script(text);
        let output = run(&["simulate", "--script", script.path.to_str().unwrap()]);
        let complaint = complaint(&output);
        assert!(complaint.contains(told), "{text}: {complaint}");
        assert!(complaint.contains("device.toml: "), "{complaint}");
        assert_eq!(output.status.code(), Some(1));
    }
}

#[cfg(unix)]
#[test]
fn a_script_without_an_end_is_refused_at_its_bound() {
    let output = run(&["simulate", "--script", "/dev/zero"]);
    let complaint = complaint(&output);
    assert!(
        complaint.contains("longer than 1048576 bytes"),
        "{complaint}"
    );
    assert_eq!(output.status.code(), Some(1));
}

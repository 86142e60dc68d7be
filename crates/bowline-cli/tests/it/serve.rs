//! `bowline serve` as a person starts it.

use std::net::TcpListener;

use bowline::{CloseCode, WebSocket};

use crate::support::{Bowline, complaint, run, run_with_input};

async fn text(ws: &mut WebSocket) -> String {
    ws.recv().await.unwrap().as_text().unwrap().to_owned()
}

#[tokio::test]
async fn terminal_and_library_exchange_messages_through_the_hub() {
    let (_hub, url) = Bowline::hub(&[]);
    let mut ws = bowline::connect(&url).await.unwrap();
    let mut terminal = Bowline::start(&["connect", &format!("{url}_nodes_0")]);
    terminal.type_line(r#"["relay/a/set", {"state": true}]"#);
    assert_eq!(
        text(&mut ws).await,
        "[\"nodes/0/relay/a/set\", {\"state\": true}]\n"
    );
    ws.send(r#"["nodes/0/relay/a", {"state": true}]"#)
        .await
        .unwrap();
    assert_eq!(terminal.line(), r#"["relay/a", {"state": true}]"#);
    terminal.input = None;
    assert_eq!(terminal.rest(), "");
    assert_eq!(terminal.wait().code(), Some(0));
}

#[tokio::test]
async fn the_last_values_outlive_the_hub_in_its_data_folder() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    let (hub, url) = Bowline::hub(&["--data", data]);
    let output = run_with_input(&["connect", &url], b"[\"a/b\", {\"n\": 1}]\n");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(hub.terminate(), Some(0));
    let (hub, url) = Bowline::hub(&["--data", data]);
    let mut ws = bowline::connect(&url).await.unwrap();
    assert_eq!(text(&mut ws).await, "[\"a/b\", {\"n\": 1}]\n");
    let second = run(&["serve", "--listen", "127.0.0.1:0", "--data", data]);
    assert_eq!(second.status.code(), Some(1));
    assert!(complaint(&second).contains("in use by another hub"));
    drop(hub);
}

#[test]
fn an_address_that_is_taken_is_an_error_that_names_it() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let output = run(&["serve", "--listen", &address]);
    assert_eq!(output.status.code(), Some(1));
    let complaint = complaint(&output);
    assert!(
        complaint.contains(&format!("cannot listen on {address}")),
        "{complaint}"
    );
    assert!(complaint.contains("--listen"), "{complaint}");
}

#[tokio::test]
async fn connections_of_all_workers_hear_each_other() {
    let (_hub, url) = Bowline::hub(&["--workers", "3"]);
    let mut all = Vec::new();
    for _ in 0..8 {
        all.push(bowline::connect(&url).await.unwrap());
    }
    for speaker in 0..all.len() {
        all[speaker]
            .send(format!("[\"n/set\", {speaker}]"))
            .await
            .unwrap();
        for (number, listener) in all.iter_mut().enumerate() {
            if number != speaker {
                assert_eq!(text(listener).await, format!("[\"n/set\", {speaker}]\n"));
            }
        }
    }
    assert_eq!(run(&["serve", "--workers", "0"]).status.code(), Some(2));
}

#[test]
fn several_addresses_are_told_one_line_each() {
    let (mut hub, first) =
        Bowline::serve(&["serve", "--listen", "127.0.0.1:0", "--listen", "[::1]:0"]);
    assert!(first.starts_with("http://127.0.0.1:"), "{first}");
    let second = hub.line();
    assert!(second.starts_with("listening on http://[::1]:"), "{second}");
}

#[tokio::test]
async fn the_environment_configures_it_too() {
    let mut command = crate::support::command(&["serve"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let output = command
        .env("BOWLINE_LISTEN", "127.0.0.1:0")
        .env("BOWLINE_DATA", &file)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(complaint(&output).contains("cannot use the data folder"));
}

#[tokio::test]
async fn without_configuration_it_says_that_it_stays_on_this_computer() {
    let mut child = crate::support::command(&["serve", "--listen", "127.0.0.1:0"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let stdout = child.stdout.as_mut().unwrap();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line).unwrap();
    let url = line
        .trim()
        .trim_start_matches("listening on http")
        .to_owned();
    let mut ws = bowline::connect(&format!("ws{url}auth/clown-talk-server"))
        .await
        .unwrap();
    ws.close(CloseCode::NORMAL, "").await.unwrap();
    child.kill().unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(complaint(&output).contains("only this computer can reach the hub"));
}

//! The examples, run as programs.

use std::{
    env,
    process::{Child, Command, Stdio},
};

use bowline::Message;

use super::exchange;

/// A running example; ends with the value.
struct Example {
    child: Child,
    address: String,
}

impl Example {
    fn start(name: &str) -> Self {
        let tests = env::current_exe().unwrap();
        let folder = tests.parent().and_then(|folder| folder.parent()).unwrap();
        let program = folder.join("examples").join(name);
        let mut child = Command::new(&program)
            .args(["--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}: build examples", program.display()));
        let output = child.stdout.as_mut().unwrap();
        let mut line = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(output), &mut line).unwrap();
        let address = line
            .trim()
            .strip_prefix("listening on http://")
            .and_then(|rest| rest.strip_suffix('/'))
            .unwrap_or_else(|| panic!("{name} said {line:?}"))
            .to_owned();
        Self { child, address }
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn the_axum_example_serves_a_page_and_a_websocket() {
    let example = Example::start("in_handler_upgrade");
    let page = exchange(example.address.parse().unwrap(), GET).await;
    assert!(page.starts_with("HTTP/1.1 200 ") && page.contains("new WebSocket"));
    let url = format!("ws://{}/", example.address);
    let mut client = bowline::connect(&url).await.unwrap();
    let greeting = client.recv().await.unwrap();
    let greeting = String::from_utf8(greeting.into_payload().to_vec()).unwrap();
    assert!(greeting.starts_with("hello Some(127.0.0.1:"), "{greeting}");
    client.send("knot").await.unwrap();
    assert_eq!(client.recv().await, Some(Message::text("knot")));
    let foreign = bowline::Connector::default().with_origin("http://evil.example");
    let refused = foreign.connect(&url).await;
    let is_403 =
        matches!(&refused, Err(bowline::Error::Refused(answer)) if answer.response.status() == 403);
    assert!(is_403, "{refused:?}");
}

#[tokio::test]
async fn the_hyper_example_serves_text_and_a_websocket() {
    let example = Example::start("plain_hyper");
    let text = exchange(example.address.parse().unwrap(), GET).await;
    assert!(text.ends_with("Ask for a WebSocket here.\n"), "{text}");
    let url = format!("ws://{}/", example.address);
    let mut client = bowline::connect(&url).await.unwrap();
    client.send("knot").await.unwrap();
    assert_eq!(client.recv().await, Some(Message::text("knot")));
}

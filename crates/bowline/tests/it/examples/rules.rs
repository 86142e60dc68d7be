//! A port behind a file of rules, which is replaced while the program runs.

use std::{fs, path::Path};

use bowline::Message;

use super::{Example, read_line, refused_with};

fn start(path: &Path) -> Example {
    Example::start("rules", &["-v", "--rules", path.to_str().unwrap()])
}

/// The rules that come with the example.
fn harbour() -> Example {
    start(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/rules/harbour.rules"))
}

const ANNA: &str = "Authorization: Basic YW5uYTpib3dsaW5lIG9uIGEgYmlnaHQ=\r\n";
const BEN: &str = "Authorization: Basic YmVuOnNoZWV0IGJlbmQ=\r\n";
const WRONG: &str = "Authorization: Basic YmVuOnBhc3N3b3Jk\r\n";

#[tokio::test]
async fn what_no_rule_allows_is_denied_and_the_rest_goes_to_its_handler() {
    let server = harbour();
    for (path, fields, status) in [
        ("/quay/3", "", 200),
        ("/", "", 403),
        ("/vault", "", 403),
        ("/quay/../vault", "", 403),
        ("/quay/%2e%2e/quay", "", 200),
        ("/quay%2f", "", 400),
        ("/echo", "", 426),
        ("/office/desk", "", 200),
        ("/office/safe", "", 403),
        ("/crew", "", 401),
        ("/crew", WRONG, 401),
        ("/crew", BEN, 403),
        ("/crew", ANNA, 200),
        ("/log/x", "", 401),
        ("/log/x", BEN, 200),
    ] {
        let (found, answer) = server.ask("GET", path, fields).await;
        assert_eq!(found, status, "{path} {fields}: {answer}");
    }
    let (_, answer) = server.ask("GET", "/crew/../crew/list", ANNA).await;
    assert!(
        answer.ends_with("\r\n\r\npages /crew/list for anna\n"),
        "{answer}"
    );
    let (_, answer) = server.ask("GET", "/crew", "").await;
    assert!(
        answer.contains("\r\nWWW-Authenticate: Basic realm=\"harbour\""),
        "{answer}"
    );
    let (_, answer) = server.ask("GET", "/log/x", "").await;
    assert!(
        answer.contains("\r\nWWW-Authenticate: Basic realm=\"harbour log\""),
        "{answer}"
    );
    let (status, answer) = server.ask("GET", "/boats/tern/log/7", "").await;
    assert_eq!(status, 307);
    assert!(
        answer.contains("\r\nLocation: /log/tern?page=7\r\n"),
        "{answer}"
    );
    assert_eq!(server.ask("DELETE", "/quay", "").await.0, 403);
}

#[tokio::test]
async fn a_websocket_opens_only_where_the_rules_say() {
    let server = harbour();
    let mut ws = bowline::connect(&server.url("/echo")).await.unwrap();
    ws.send("knot").await.unwrap();
    assert_eq!(ws.recv().await, Some(Message::text("knot")));
    for path in ["/quay", "/vault", "/echo/x"] {
        assert_eq!(refused_with(bowline::connect(&server.url(path)).await), 403);
    }
}

#[tokio::test]
async fn each_refusal_is_explained() {
    let mut server = harbour();
    assert_eq!(
        server.ask("GET", "/office/safe/1?pin=1234", "").await.0,
        403
    );
    let mut lines = Vec::new();
    while !lines
        .last()
        .is_some_and(|line: &String| line.starts_with("answer: "))
    {
        lines.push(read_line(&mut server.errors));
    }
    let text = lines.join("\n");
    assert!(
        text.starts_with("GET /office/safe/1 from 127.0.0.1, no user, plain HTTP\n"),
        "{text}"
    );
    assert!(text.contains("`deny ANY /office/safe*`"), "{text}");
    assert!(
        text.ends_with("answer: 403: a rule denies the request (detail 202)"),
        "{text}"
    );
}

#[cfg(unix)]
#[tokio::test]
async fn the_rules_are_replaced_all_or_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rules");
    fs::write(&path, "allow /*\nroute /* pages\n").unwrap();
    let mut server = start(&path);
    assert_eq!(server.ask("GET", "/a", "").await.0, 200);
    for (wrong, fault) in [
        ("deny /a\nalow /b\n", "line 2, column 1: "),
        ("deny /a\nroute /* nowhere\n", "there is no handler nowhere"),
    ] {
        fs::write(&path, wrong).unwrap();
        server.signal("HUP");
        let line = read_line(&mut server.errors);
        assert!(line.starts_with("the rules stay as they are: "), "{line}");
        assert!(line.contains(fault), "{line}");
        assert_eq!(server.ask("GET", "/a", "").await.0, 200);
    }
    fs::write(&path, "allow /*\ndeny /a\nroute /* echo websocket\n").unwrap();
    server.signal("HUP");
    assert_eq!(
        read_line(&mut server.output),
        "the rules are at generation 2"
    );
    assert_eq!(server.ask("GET", "/a", "").await.0, 403);
    assert_eq!(server.ask("GET", "/b", "").await.0, 200);
    let mut ws = bowline::connect(&server.url("/b")).await.unwrap();
    ws.send("knot").await.unwrap();
    assert_eq!(ws.recv().await, Some(Message::text("knot")));
}

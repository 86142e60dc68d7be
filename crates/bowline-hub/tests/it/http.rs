//! HTTP on the port of the hub.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::Hub;

fn header<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let (head, _) = answer.split_once("\r\n\r\n")?;
    head.lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap().1
}

#[tokio::test]
async fn every_file_of_the_page_is_served_with_its_type_and_careful_headers() {
    let hub = Hub::start().await;
    let javascript = "text/javascript; charset=utf-8";
    for (path, media_type) in [
        ("/", "text/html; charset=utf-8"),
        ("/index.html", "text/html; charset=utf-8"),
        ("/?base=nodes/bridge/0", "text/html; charset=utf-8"),
        ("/style.css", "text/css; charset=utf-8"),
        ("/icon.svg", "image/svg+xml"),
        ("/app.js", javascript),
        ("/form.js", javascript),
        ("/bowline.js", javascript),
        ("/clown-talk.js", javascript),
        ("/log.js", javascript),
        ("/relays.js", javascript),
        ("/table.js", javascript),
        ("/talk.js", javascript),
        ("/tiles.js", javascript),
        ("/values.js", javascript),
    ] {
        let answer = hub.get(path).await;
        assert!(
            answer.starts_with("HTTP/1.1 200 OK\r\n"),
            "{path}: {answer}"
        );
        assert_eq!(header(&answer, "content-type"), Some(media_type), "{path}");
        assert_eq!(header(&answer, "x-content-type-options"), Some("nosniff"));
        assert_eq!(header(&answer, "referrer-policy"), Some("no-referrer"));
        let policy = header(&answer, "content-security-policy").unwrap();
        for rule in [
            "default-src 'self'",
            "connect-src 'self'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(rule), "{path}: {policy}");
        }
        assert!(!body(&answer).is_empty(), "{path}");
    }
}

#[tokio::test]
async fn a_file_that_did_not_change_is_not_sent_again() {
    let hub = Hub::start().await;
    let first = hub.get("/app.js").await;
    let etag = header(&first, "etag").unwrap();
    assert_eq!(header(&first, "cache-control"), Some("no-cache"));
    let host = hub.address;
    let again = |tags: &str| {
        format!(
            "GET /app.js HTTP/1.1\r\nHost: {host}\r\nIf-None-Match: {tags}\r\n\
             Connection: close\r\n\r\n"
        )
    };
    for tags in [etag, &format!("\"other\", W/{etag}"), "*"] {
        let answer = hub.http(&again(tags)).await;
        assert!(answer.starts_with("HTTP/1.1 304"), "{tags}: {answer}");
        assert_eq!(body(&answer), "");
    }
    let answer = hub.http(&again("\"other\"")).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn what_is_not_there_or_not_allowed_is_explained() {
    let hub = Hub::start().await;
    let answer = hub.get("/nothing").await;
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    assert!(body(&answer).contains("/auth/clown-talk-server"));
    let answer = hub.get("/../Cargo.toml").await;
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    let host = hub.address;
    let post = format!(
        "POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi"
    );
    let answer = hub.http(&post).await;
    assert!(answer.starts_with("HTTP/1.1 405"), "{answer}");
    assert_eq!(header(&answer, "allow"), Some("GET, HEAD"));
    let answer = hub.get("/auth/clown-talk-server").await;
    assert!(answer.starts_with("HTTP/1.1 426"), "{answer}");
    assert_eq!(header(&answer, "upgrade"), Some("websocket"));
}

#[tokio::test]
async fn the_health_check_says_ok_and_head_sends_no_body() {
    let hub = Hub::start().await;
    let answer = hub.get("/healthz").await;
    assert_eq!(body(&answer), "ok\n");
    let host = hub.address;
    let head = format!("HEAD /healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    let answer = hub.http(&head).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(header(&answer, "content-length"), Some("3"));
    assert_eq!(body(&answer), "");
}

#[tokio::test]
async fn one_connection_serves_many_requests_beside_websockets_on_the_same_port() {
    let hub = Hub::start().await;
    let _ws = hub.join("").await;
    let mut stream = TcpStream::connect(hub.address).await.unwrap();
    let request = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n\r\n", hub.address);
    for _ in 0..3 {
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\nok\n") {
            let read = stream.read_buf(&mut answer).await.unwrap();
            assert_ne!(read, 0, "the connection is kept");
        }
    }
}

#[tokio::test]
async fn a_malformed_request_is_answered_with_400() {
    let hub = Hub::start().await;
    let answer = hub.http("GET / HTTP/1.1\r\nno colon\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
}

//! Plain HTTP on a listener: several requests on a connection, and bodies.

use std::{process::Stdio, time::Duration};

use bowline::server::HttpOptions;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    process::Command,
    time::timeout,
};

use crate::{
    front::{Front, SECRET, answer, status_of},
    interop::tools,
};

const RULES: &str = "
allow /*
deny  /closed*
allow ANY /put
route ANY /*      all websocket
route ANY /unread unread
";

async fn front(http: HttpOptions) -> Front {
    Front::start(RULES, |config| config.http = http).await
}

/// Says whether the server has ended the connection.
async fn is_over(stream: &mut TcpStream) -> bool {
    stream.read(&mut [0]).await.is_ok_and(|len| len == 0)
}

#[tokio::test]
async fn requests_follow_on_one_connection_and_the_last_may_open_a_websocket() {
    let front = front(HttpOptions::default()).await;
    let mut stream = front.connect().await;
    for path in ["/a", "/b"] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let (head, body) = answer(&mut stream).await;
        assert_eq!(status_of(&head), 200);
        assert!(head.contains("\r\nKeep-Alive: timeout=10\r\n"), "{head}");
        assert!(!head.contains("close"), "{head}");
        assert!(body.ends_with("0 bytes"), "{body}");
    }
    assert_eq!(front.admission.counts().connection_count, 1);
    // Sent together, answered one after the other.
    let two = "POST /c HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc\
        HEAD /d HTTP/1.1\r\nHost: a\r\n\r\n";
    stream.write_all(two.as_bytes()).await.unwrap();
    assert!(answer(&mut stream).await.1.ends_with("3 bytes"));
    let mut head = vec![0; 512];
    let len = stream.read(&mut head).await.unwrap();
    assert!(head[..len].ends_with(b"\r\n\r\n"), "HEAD has no body");
    let handshake = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    stream.write_all(handshake.as_bytes()).await.unwrap();
    let len = stream.read(&mut head).await.unwrap();
    assert!(head[..len].starts_with(b"HTTP/1.1 101 "));
}

#[tokio::test]
async fn rules_decide_about_each_request_and_a_refusal_ends_the_connection() {
    let front = front(HttpOptions::default()).await;
    let mut stream = front.connect().await;
    let two = "GET /a HTTP/1.1\r\nHost: a\r\n\r\nGET /closed HTTP/1.1\r\nHost: a\r\n\r\n";
    stream.write_all(two.as_bytes()).await.unwrap();
    assert_eq!(status_of(&answer(&mut stream).await.0), 200);
    assert_eq!(status_of(&answer(&mut stream).await.0), 403);
    assert!(is_over(&mut stream).await);
}

#[tokio::test]
async fn a_request_names_one_host_or_is_answered_with_400() {
    let front = front(HttpOptions::default()).await;
    for (request, status, told) in [
        ("GET /a HTTP/1.1\r\n", 400, "(detail 23)"),
        (
            "GET /a HTTP/1.1\r\nHost: a\r\nhost: b\r\n",
            400,
            "(detail 24)",
        ),
        ("GET /a HTTP/1.1\r\nHost: a b\r\n", 400, "(detail 25)"),
        (
            "GET /a HTTP/1.0\r\nHost: a\r\nHost: a\r\n",
            400,
            "(detail 24)",
        ),
        ("GET /a HTTP/1.0\r\n", 200, "0 bytes"),
        ("GET /a HTTP/1.1\r\nHost: [::1]:80\r\n", 200, "0 bytes"),
    ] {
        let mut stream = front.connect().await;
        let request = format!("{request}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let (head, body) = answer(&mut stream).await;
        assert_eq!(status_of(&head), status, "{request}: {body}");
        assert!(body.trim_end().ends_with(told), "{request}: {body}");
    }
}

#[tokio::test]
async fn neither_credentials_nor_bodies_are_shown() {
    let front = front(HttpOptions::default()).await;
    let mut stream = front.connect().await;
    let fields = format!("Host: a\r\nAuthorization: {SECRET}\r\nX-Session: {SECRET}\r\n");
    let len = SECRET.len();
    // The second is read together with the first.
    let two = format!(
        "POST /put?ticket={SECRET} HTTP/1.1\r\n{fields}Content-Length: {len}\r\n\r\n{SECRET}\
         GET /a HTTP/1.1\r\n{fields}Cookie: a={SECRET}\r\n\r\n"
    );
    stream.write_all(two.as_bytes()).await.unwrap();
    let told = format!("{len} bytes");
    assert!(answer(&mut stream).await.1.ends_with(&told));
    assert_eq!(status_of(&answer(&mut stream).await.0), 200);
}

#[tokio::test]
async fn a_connection_ends_with_its_answer_where_it_has_to() {
    let off = HttpOptions {
        keep_alive: Duration::ZERO,
        ..HttpOptions::default()
    };
    let get = "GET /unread HTTP/1.1\r\nHost: a\r\n\r\n";
    for (options, request) in [
        (off, get),
        (HttpOptions::default(), "GET /unread HTTP/1.0\r\n\r\n"),
        (
            HttpOptions::default(),
            "GET /unread HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n",
        ),
        (
            HttpOptions::default(),
            "POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nGET",
        ),
    ] {
        let front = front(options).await;
        let mut stream = front.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        let (head, _) = answer(&mut stream).await;
        assert!(head.contains("\r\nConnection: close\r\n"), "{head}");
        assert!(is_over(&mut stream).await, "{request}");
    }
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_its_time_and_when_the_listener_stops() {
    let short = HttpOptions {
        keep_alive: Duration::from_millis(100),
        ..HttpOptions::default()
    };
    let get = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
    let server = front(short).await;
    let mut stream = server.connect().await;
    stream.write_all(get).await.unwrap();
    answer(&mut stream).await;
    assert!(is_over(&mut stream).await);
    while server.admission.counts().connection_count > 0 {
        tokio::task::yield_now().await;
    }

    let long = HttpOptions {
        keep_alive: Duration::from_hours(1),
        ..HttpOptions::default()
    };
    let server = front(long).await;
    let mut stream = server.connect().await;
    stream.write_all(get).await.unwrap();
    answer(&mut stream).await;
    drop(server.stop);
    assert!(is_over(&mut stream).await);
}

#[tokio::test]
async fn a_listener_that_stops_answers_what_it_began_and_no_request_sent_behind_that() {
    let server = front(HttpOptions::default()).await;
    let mut stream = server.connect().await;
    let begun = b"POST /put HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\
        Expect: 100-continue\r\n\r\n";
    stream.write_all(begun).await.unwrap();
    let mut go_on = [0; b"HTTP/1.1 100 Continue\r\n\r\n".len()];
    stream.read_exact(&mut go_on).await.unwrap();
    drop(server.stop);
    while TcpStream::connect(server.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    let rest = b"abcGET /a HTTP/1.1\r\nHost: a\r\n\r\n";
    stream.write_all(rest).await.unwrap();
    assert!(answer(&mut stream).await.1.ends_with("3 bytes"));
    assert!(is_over(&mut stream).await);
}

#[tokio::test]
async fn a_body_within_the_bound_is_read_and_one_beyond_it_is_answered_with_413() {
    let options = HttpOptions {
        body_size_max: 8,
        ..HttpOptions::default()
    };
    let front = front(options).await;
    let chunked = "Transfer-Encoding: chunked\r\n";
    for (fields, body, status, told) in [
        ("Content-Length: 8\r\n", "12345678", 200, "8 bytes"),
        ("Content-Length: 9\r\n", "123456789", 413, "(detail 160)"),
        ("Content-Length: 9\r\n", "", 413, "(detail 160)"),
        (
            chunked,
            "5\r\n12345\r\n3\r\n678\r\n0\r\n\r\n",
            200,
            "8 bytes",
        ),
        (
            chunked,
            "5\r\n12345\r\n4\r\n6789\r\n0\r\n\r\n",
            413,
            "(detail 160)",
        ),
        (chunked, "x\r\n", 400, "(detail 161)"),
        ("Content-Length: x\r\n", "", 400, "(detail 161)"),
        ("Transfer-Encoding: gzip\r\n", "", 501, "(detail 162)"),
    ] {
        let mut stream = front.connect().await;
        let request = format!("PUT /put HTTP/1.1\r\nHost: a\r\n{fields}\r\n{body}");
        stream.write_all(request.as_bytes()).await.unwrap();
        let (head, body) = answer(&mut stream).await;
        assert_eq!(status_of(&head), status, "{request}: {head}{body}");
        assert!(body.trim_end().ends_with(told), "{request}: {body}");
        if status != 200 {
            assert!(is_over(&mut stream).await, "{request}");
        }
    }
}

#[tokio::test]
async fn a_client_that_waits_for_it_is_told_to_send_its_body() {
    let front = front(HttpOptions::default()).await;
    let mut stream = front.connect().await;
    let request = "POST /put HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\
        Expect: 100-continue\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let go_on = b"HTTP/1.1 100 Continue\r\n\r\n";
    let mut told = vec![0; go_on.len()];
    stream.read_exact(&mut told).await.unwrap();
    assert_eq!(told, go_on);
    stream.write_all(b"abc").await.unwrap();
    assert!(answer(&mut stream).await.1.ends_with("3 bytes"));
}

#[tokio::test]
async fn node_keeps_its_connection_and_is_told_of_a_body_too_long() {
    let options = HttpOptions {
        body_size_max: 1 << 16,
        ..HttpOptions::default()
    };
    let front = front(options).await;
    let script = tools::scripts().join("http_client.mjs");
    let client = Command::new("node")
        .arg(script)
        .arg(format!("http://{}/put", front.address))
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = timeout(Duration::from_secs(30), client).await;
    let output = output.expect("the client ends in time").unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    assert_eq!(output.stdout, b"agreed\n");
}

#[tokio::test]
async fn a_body_that_takes_too_long_is_answered_with_408() {
    let options = HttpOptions {
        body_timeout: Duration::from_millis(50),
        ..HttpOptions::default()
    };
    let front = front(options).await;
    let mut stream = front.connect().await;
    let request = "POST /put HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na";
    stream.write_all(request.as_bytes()).await.unwrap();
    let (head, body) = answer(&mut stream).await;
    assert_eq!(status_of(&head), 408, "{body}");
    assert!(is_over(&mut stream).await);
}

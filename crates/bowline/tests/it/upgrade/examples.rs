//! The examples that accept inside the handlers of other servers, run as programs.

use bowline::Message;

use crate::examples::Example;

#[tokio::test]
async fn the_axum_example_serves_a_page_and_a_websocket() {
    let example = Example::start("in_handler_upgrade", &[]);
    let (status, page) = example.ask("GET", "/", "Connection: close\r\n").await;
    assert!(status == 200 && page.contains("new WebSocket"), "{page}");
    let url = example.url("/");
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
    let example = Example::start("plain_hyper", &[]);
    let (_, text) = example.ask("GET", "/", "Connection: close\r\n").await;
    assert!(text.ends_with("Ask for a WebSocket here.\n"), "{text}");
    let url = example.url("/");
    let mut client = bowline::connect(&url).await.unwrap();
    client.send("knot").await.unwrap();
    assert_eq!(client.recv().await, Some(Message::text("knot")));
}

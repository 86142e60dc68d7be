//! The chat: the page, names, notices, sessions, and the end.

use bowline::{CloseCode, Connector, EndedBy, Error, Message, WebSocket};
use serde_json::{Value, json};

use super::{Example, read_line, refused_with};

/// Gives the next notice.
async fn notice(visitor: &mut WebSocket) -> Value {
    let message = visitor.recv().await.expect("a notice");
    serde_json::from_slice(message.into_payload().as_ref()).unwrap()
}

/// Connects without a name.
async fn visit(chat: &Example) -> WebSocket {
    let mut visitor = bowline::connect(&chat.url("/talk")).await.unwrap();
    assert_eq!(notice(&mut visitor).await, json!({"type": "who"}));
    visitor
}

/// Connects and takes a name; `present` are those in the room then.
async fn join(chat: &Example, name: &str, present: &[&str]) -> WebSocket {
    let mut visitor = visit(chat).await;
    visitor.send(name).await.unwrap();
    let welcome = json!({"type": "welcome", "name": name, "people": present});
    assert_eq!(notice(&mut visitor).await, welcome);
    visitor
}

/// Gives the `Set-Cookie` that came with the answer to the handshake.
fn set_cookie(visitor: &WebSocket) -> Option<&str> {
    visitor.response()?.headers().text("set-cookie")
}

#[tokio::test]
async fn the_page_and_the_websocket_are_on_one_port() {
    let chat = Example::start("chat", &[]);
    let (status, page) = chat.ask("GET", "/", "").await;
    assert_eq!(status, 200);
    assert!(page.contains("\r\nContent-Security-Policy: default-src 'self'\r\n"));
    assert!(page.contains("<script src=\"chat.js\""), "{page}");
    let (status, script) = chat.ask("GET", "/chat.js", "").await;
    assert!(
        status == 200 && script.contains("new WebSocket"),
        "{script}"
    );
    assert!(!script.contains("innerHTML"));
    let (status, head) = chat.ask("HEAD", "/", "").await;
    assert_eq!(status, 200);
    assert!(
        head.ends_with("\r\n\r\n") && !head.contains("Content-Length: 0"),
        "{head}"
    );
    assert_eq!(chat.ask("GET", "/talk", "").await.0, 426);
    assert_eq!(chat.ask("GET", "/secrets", "").await.0, 404);
    assert_eq!(chat.ask("DELETE", "/", "").await.0, 403);
    assert_eq!(refused_with(bowline::connect(&chat.url("/")).await), 403);
    let foreign = Connector::default().with_origin("http://evil.example");
    assert_eq!(refused_with(foreign.connect(&chat.url("/talk")).await), 403);
}

#[tokio::test]
async fn everybody_hears_what_is_said_and_who_comes_and_goes() {
    let chat = Example::start("chat", &[]);
    let mut anna = join(&chat, "anna", &["anna"]).await;
    let mut ben = join(&chat, "ben", &["anna", "ben"]).await;
    assert_eq!(
        notice(&mut anna).await,
        json!({"type": "joined", "name": "ben"})
    );
    // Who has no name hears nothing, and cannot take one that is taken or none at all.
    let mut nobody = visit(&chat).await;
    for wish in ["anna", " ", &"x".repeat(33), "a\u{7}b"] {
        nobody.send(wish).await.unwrap();
        assert_eq!(notice(&mut nobody).await["type"], "refused", "{wish}");
    }
    ben.send("<b>hello</b>").await.unwrap();
    let said = json!({"type": "said", "name": "ben", "text": "<b>hello</b>"});
    assert_eq!(notice(&mut anna).await, said);
    assert_eq!(notice(&mut ben).await, said);
    nobody.send("carla").await.unwrap();
    let welcome = json!({"type": "welcome", "name": "carla", "people": ["anna", "ben", "carla"]});
    assert_eq!(notice(&mut nobody).await, welcome);
    let joined = json!({"type": "joined", "name": "carla"});
    assert_eq!(notice(&mut anna).await, joined);
    // One leaves without a word, the other says too much.
    drop(nobody);
    let left = |name| json!({"type": "left", "name": name});
    assert_eq!(notice(&mut anna).await, left("carla"));
    ben.send("x".repeat(5000)).await.unwrap();
    while ben.recv().await.is_some() {}
    assert_eq!(ben.ending().unwrap().code, CloseCode::MESSAGE_TOO_BIG);
    assert_eq!(notice(&mut anna).await, left("ben"));
}

#[tokio::test]
async fn a_reload_keeps_the_name_and_a_second_window_is_no_second_person() {
    let chat = Example::start("chat", &[]);
    let mut ben = join(&chat, "ben", &["ben"]).await;
    let anna = join(&chat, "anna", &["anna", "ben"]).await;
    let (cookie, attributes) = set_cookie(&anna).unwrap().split_once("; ").unwrap();
    assert_eq!(attributes, "HttpOnly; SameSite=Strict");
    let same = Connector::default().with_header("Cookie", cookie);
    let welcome = json!({"type": "welcome", "name": "anna", "people": ["anna", "ben"]});
    let mut window = same.connect(&chat.url("/talk")).await.unwrap();
    assert_eq!(notice(&mut window).await, welcome);
    assert_eq!(set_cookie(&window), None, "the session is known");
    drop(anna);
    window.close(CloseCode::NORMAL, "reload").await.unwrap();
    assert_eq!(
        notice(&mut ben).await,
        json!({"type": "joined", "name": "anna"})
    );
    assert_eq!(
        notice(&mut ben).await,
        json!({"type": "left", "name": "anna"})
    );
    let mut again = same.connect(&chat.url("/talk")).await.unwrap();
    assert_eq!(notice(&mut again).await, welcome);
    assert_eq!(
        notice(&mut ben).await,
        json!({"type": "joined", "name": "anna"})
    );
}

#[cfg(unix)]
#[tokio::test]
async fn when_the_chat_is_terminated_everybody_is_told_with_1001() {
    for signal in ["TERM", "INT"] {
        let mut chat = Example::start("chat", &[]);
        let mut anna = join(&chat, "anna", &["anna"]).await;
        let mut nobody = visit(&chat).await;
        chat.signal(signal);
        for visitor in [&mut anna, &mut nobody] {
            assert_eq!(visitor.recv().await, None::<Message>);
            let ending = visitor.ending().unwrap();
            assert_eq!(
                (ending.by, ending.code),
                (EndedBy::Peer, CloseCode::GOING_AWAY)
            );
        }
        assert_eq!(read_line(&mut chat.output), "told 2 to go, cut 0");
        assert!(chat.child.wait().unwrap().success());
        let refused = bowline::connect(&chat.url("/talk")).await;
        assert!(matches!(refused, Err(Error::Connect { .. })), "{refused:?}");
    }
}

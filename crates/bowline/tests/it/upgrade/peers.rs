//! Clients of other implementations, served inside a handler of axum.

use std::{path::Path, process::Stdio, time::Duration};

use axum::{
    Extension, Router,
    response::{Html, IntoResponse as _, Response},
    routing::any,
};
use bowline::{
    Offer, Rejection, Stream,
    server::auth::{Authenticator, Credentials, Identity, Tickets, token_subprotocol},
};
use serde_json::{Value, json};
use tokio::{process::Command, time::timeout};

use super::tls_router_server;
use crate::{
    examples::Example,
    interop::{identity::Identity as Certificate, peer::Peer, tools::TOOLS},
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
    check(&TOOLS.python(), "echo_client.py", &[]).await;
}

#[tokio::test]
async fn ws_is_served_inside_a_handler_of_axum() {
    check(
        Path::new("node"),
        "echo_client.mjs",
        &[&TOOLS.node_modules()],
    )
    .await;
}

#[tokio::test]
async fn node_itself_is_served_inside_a_handler_of_axum() {
    let example = Example::start("in_handler_upgrade", &[]);
    converse(&mut Peer::node(), &example.url("/")).await;
}

#[tokio::test]
async fn chromium_is_served_the_page_and_the_websocket_by_one_handler_of_axum() {
    let example = Example::start("in_handler_upgrade", &[]);
    let url = example.url("/");
    let mut browser = Peer::chromium();
    assert_eq!(visit(&mut browser, &url).await["title"], "Echo");
    converse(&mut browser, &url).await;
    browser.ask(json!({ "do": "quit" })).await;
}

#[tokio::test]
async fn node_and_chromium_are_served_under_tls_by_a_handler_of_axum() {
    let router = Router::new().route("/", any(page_or_echo));
    let address = tls_router_server(router, Certificate::shared().server()).await;
    let url = format!("wss://{address}/");
    converse(&mut Peer::node(), &url).await;
    let mut browser = Peer::chromium();
    assert_eq!(visit(&mut browser, &url).await["title"], "Under TLS");
    converse(&mut browser, &url).await;
    browser.ask(json!({ "do": "quit" })).await;
}

#[tokio::test]
async fn chromium_proves_its_user_by_token_ticket_and_cookie() {
    let tickets = Tickets::default();
    let authenticator = Authenticator::new(|credentials: &Credentials| match credentials {
        Credentials::Token(token) => token.is("t?k/n").then(|| Identity::new("by token")),
        Credentials::Cookie(cookie) => cookie.is("c00kie").then(|| Identity::new("by cookie")),
        Credentials::Basic(_) | Credentials::Certificate(_) | _ => None,
    });
    let authenticator = authenticator
        .with_cookie("sid")
        .with_tickets("ticket", &tickets);
    let router = Router::new()
        .route("/", any(page_or_greeting))
        .layer(Extension(authenticator));
    let address = tls_router_server(router, Certificate::shared().server()).await;
    let url = format!("wss://{address}/");
    let mut browser = Peer::chromium();
    assert_eq!(visit(&mut browser, &url).await["title"], "Sign in");
    let ticket = tickets.issue(Identity::new("by ticket")).unwrap();
    let with_ticket = format!("{url}?ticket={}", ticket.as_str());
    let token = token_subprotocol("t?k/n");
    let wrong = token_subprotocol("token");
    for (url, offered, user) in [
        (&url, json!([token, "chat"]), Some("by token")),
        (&url, json!([wrong, "chat"]), None),
        (&with_ticket, json!(["chat"]), Some("by ticket")),
        (&with_ticket, json!(["chat"]), None),
        (&url, json!(["chat"]), Some("by cookie")),
    ] {
        let opened = browser
            .ask(json!({ "do": "connect", "url": url, "subprotocols": offered }))
            .await;
        let Some(user) = user else {
            assert_eq!(opened["failed"], true, "{opened}");
            continue;
        };
        assert_eq!(opened["subprotocol"], "chat", "{opened}");
        let hex = |byte: u8| format!("{byte:02x}");
        let unit = user.bytes().map(hex).collect::<Vec<_>>().concat();
        let receive = json!({ "do": "receive", "unit": unit, "count": 1 });
        let greeting = browser.ask(receive).await;
        assert_eq!(greeting["equal"], true, "{user}: {greeting}");
        let close = json!({ "do": "close", "code": 1000, "reason": "" });
        assert_eq!(browser.ask(close).await["wasClean"], true);
    }
    browser.ask(json!({ "do": "quit" })).await;
}

/// Loads the page behind a WebSocket's URL.
async fn visit(browser: &mut Peer, url: &str) -> Value {
    let page = url.replacen("ws", "http", 1);
    let visited = browser.ask(json!({ "do": "visit", "url": page })).await;
    assert_eq!(visited["status"], 200, "{visited}");
    visited
}

/// Has a client of the WHATWG interface greeted, and what it sends sent back.
async fn converse(peer: &mut Peer, url: &str) {
    let opened = peer.ask(json!({ "do": "connect", "url": url })).await;
    assert_eq!(opened["subprotocol"], "", "{opened}");
    let nothing = json!({ "do": "receive", "unit": "", "count": 0 });
    let greeting = peer.ask(nothing).await;
    assert_eq!(greeting["kind"], "text", "{greeting}");
    for (kind, unit, count) in [
        ("text", "", 0),
        ("binary", "", 0),
        ("text", "ceba", 3),
        ("binary", "00ff", 1 << 19),
    ] {
        let message = |what| json!({ "do": what, "kind": kind, "unit": unit, "count": count });
        peer.ask(message("send")).await;
        let answer = peer.ask(message("receive")).await;
        let len = unit.len() / 2 * count;
        assert_eq!(answer, json!({ "kind": kind, "len": len, "equal": true }));
    }
    let close = json!({ "do": "close", "code": 3000, "reason": "done" });
    let closed = peer.ask(close).await;
    assert_eq!(closed["code"], 3000, "{closed}");
    assert_eq!(closed["wasClean"], true, "{closed}");
}

async fn page_or_echo(offer: Option<Offer>) -> Result<Response, Rejection> {
    let Some(offer) = offer else {
        return Ok(Html("<title>Under TLS</title>").into_response());
    };
    offer.on_upgrade(async |ws| {
        let mut ws = ws.unwrap();
        let is_tls = ws.with_stream(|stream| stream.recovered().is_some_and(Stream::is_tls));
        assert_eq!(is_tls, Some(true));
        ws.send("hello").await.unwrap();
        super::send_back(Ok(ws)).await;
    })
}

/// A page that sets the cookie, and a WebSocket that tells who the user is.
async fn page_or_greeting(
    Extension(authenticator): Extension<Authenticator>,
    offer: Option<Offer>,
) -> Result<Response, Rejection> {
    let Some(offer) = offer else {
        let cookie = [(
            "Set-Cookie",
            "sid=c00kie; Secure; HttpOnly; SameSite=Strict",
        )];
        return Ok((cookie, Html("<title>Sign in</title>")).into_response());
    };
    let Some(identity) = authenticator.identify(offer.request(), offer.peer_certificate()) else {
        return offer.with_basic_challenge("harbour").refuse(401, "");
    };
    let offered: Vec<_> = offer.subprotocols().collect();
    assert_eq!(offered, ["chat"]);
    let offer = offer.with_subprotocol("chat");
    offer.on_upgrade(async move |ws| {
        let mut ws = ws.unwrap();
        ws.send(&*identity.user).await.unwrap();
        ws.recv().await;
    })
}

//! One axum route serves a page to browsers and a WebSocket to those who ask for one.
//!
//! ```sh
//! cargo run --example in_handler_upgrade --features axum -- --listen 127.0.0.1:8080
//! ```

use std::{env, error::Error, io::Write as _, net::SocketAddr};

use axum::{
    Router,
    response::{Html, IntoResponse, Response},
    routing::any,
};
use bowline::{Offer, Rejection};
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(listen_address()).await?;
    let url = format!("http://{}/", listener.local_addr()?);
    writeln!(std::io::stdout(), "listening on {url}")?;
    let app = Router::new().route("/", any(echo));
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).await?;
    Ok(())
}

/// The handler decides: a page, a refusal, or a WebSocket that sends back what it receives.
async fn echo(offer: Option<Offer>) -> Result<Response, Rejection> {
    let Some(offer) = offer else {
        return Ok(Html(PAGE).into_response());
    };
    // A browser names the page that the script came from: take our own only.
    if offer.origin().is_some() && !offer.request().is_same_origin() {
        return offer.refuse(403, "This is not for scripts of other sites.\n");
    }
    let greeting = format!("hello {:?}", offer.peer_addr());
    let (response, mut pending) = offer.accept()?;
    tokio::spawn(async move {
        // Leaves right behind the answer 101.
        pending.feed(greeting)?;
        let mut ws = pending.await?;
        while let Some(message) = ws.recv().await {
            ws.send(message).await?;
        }
        Ok::<_, bowline::Error>(())
    });
    Ok(response)
}

/// Reads `--listen address`; any free port of the loopback without it.
fn listen_address() -> String {
    let mut arguments = env::args().skip_while(|argument| argument != "--listen");
    let address = arguments.nth(1);
    address.unwrap_or_else(|| "127.0.0.1:0".to_owned())
}

const PAGE: &str = r#"<!doctype html>
<meta charset="utf-8">
<title>Echo</title>
<input id="text" placeholder="say something" autofocus>
<pre id="log"></pre>
<script>
  const ws = new WebSocket(location.href.replace(/^http/, "ws"));
  const log = (line) => document.getElementById("log").append(line + "\n");
  ws.onmessage = (event) => log(event.data);
  ws.onclose = (event) => log("closed: " + event.code);
  document.getElementById("text").onchange = (event) => {
    ws.send(event.target.value);
    event.target.value = "";
  };
</script>
"#;

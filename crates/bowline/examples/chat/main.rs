//! A chat room for browsers: the page, the script and the WebSocket are served on one port.
//!
//! The first message of a visitor is a name. A session in a cookie keeps it, so that a reload does
//! not ask again. Interrupt or terminate the program, and everybody is told with 1001.
//!
//! ```sh
//! cargo run --example chat -- --listen 127.0.0.1:8080
//! ```

mod names;
mod room;

use std::{env, error::Error, io::Write as _, sync::Arc};

use bowline::{
    Config, Limits,
    server::{
        Arrival, DrainOptions, HttpArrival, Listener, ListenerConfig, Registry,
        admission::Admission,
        rules::{RuleSet, Rules},
    },
};
use room::Room;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let registry = Registry::new();
    let room = Room::new(&registry)?;
    let listener = Listener::bind(listen_address(), config()?).await?;
    let url = format!("http://{}/", listener.local_addr());
    writeln!(std::io::stdout(), "listening on {url}")?;
    tokio::spawn(room.forget_idle_visitors());
    let serve = move |arrival| handle(arrival, room.clone());
    listener.serve(serve, until_stopped()?).await;
    let report = registry.drain(&DrainOptions::default()).await;
    let (told, cut) = (report.told, report.cut.len());
    writeln!(std::io::stdout(), "told {told} to go, cut {cut}")?;
    Ok(())
}

fn config() -> Result<ListenerConfig, Box<dyn Error>> {
    let rules = Rules::new(RuleSet::parse(RULES)?);
    let mut config = ListenerConfig::new("chat".parse()?, rules, Admission::default());
    let limits = Limits {
        message_size_max: 4096,
        ..Limits::default()
    };
    config.acceptor.options.config = Arc::new(Config {
        limits,
        ..Config::default()
    });
    Ok(config)
}

async fn handle(arrival: Arrival, room: Room) {
    let handled = match arrival {
        Arrival::WebSocket(visitor) => room.let_in(visitor).await,
        Arrival::Http(request) => serve_file(request).await.map_err(Into::into),
    };
    if let Err(error) = handled {
        drop(writeln!(std::io::stderr(), "{error}"));
    }
}

/// Answers with the file that the rules named.
async fn serve_file(request: HttpArrival) -> Result<(), bowline::Error> {
    let (content_type, file) = match request.routed().name.as_str() {
        "script" => ("text/javascript", include_str!("chat.js")),
        "style" => ("text/css", include_str!("chat.css")),
        _ => ("text/html; charset=utf-8", include_str!("chat.html")),
    };
    let headers: [(&str, &[u8]); 3] = [
        ("Content-Type", content_type.as_bytes()),
        ("Content-Security-Policy", b"default-src 'self'"),
        ("X-Content-Type-Options", b"nosniff"),
    ];
    request.answer(200, &headers, file.as_bytes()).await
}

/// Is ready when the program is interrupted or terminated.
#[cfg(unix)]
fn until_stopped() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
    );
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Is ready when the program is interrupted.
#[cfg(not(unix))]
fn until_stopped() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async { drop(tokio::signal::ctrl_c().await) })
}

/// Reads `--listen address`; any free port of the loopback without it.
fn listen_address() -> String {
    let mut arguments = env::args().skip_while(|argument| argument != "--listen");
    let address = arguments.nth(1);
    address.unwrap_or_else(|| "127.0.0.1:0".to_owned())
}

const RULES: &str = "
allow GET /*
route /          page
route /chat.js   script
route /chat.css  style
route /talk      talk    websocket-only
";

//! A WebSocket beside plain HTTP in a hyper service, without any framework.
//!
//! ```sh
//! cargo run --example plain_hyper --features hyper -- --listen 127.0.0.1:8080
//! ```

use std::{convert::Infallible, env, error::Error, io::Write as _};

use bowline::{Offer, Rejection};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Request, Response,
    body::{Body, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(listen_address()).await?;
    let url = format!("http://{}/", listener.local_addr()?);
    writeln!(std::io::stdout(), "listening on {url}")?;
    loop {
        let (stream, peer) = listener.accept().await?;
        let service = service_fn(move |mut request: Request<Incoming>| {
            // Where the offer looks for the peer's address.
            request.extensions_mut().insert(peer);
            async move { Ok::<_, Infallible>(answer(request)) }
        });
        tokio::spawn(async move {
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            // Without upgrades no WebSocket opens.
            if let Err(error) = connection.with_upgrades().await {
                drop(writeln!(std::io::stderr(), "{peer}: {error}"));
            }
        });
    }
}

fn answer<B: Body>(mut request: Request<B>) -> Response<Full<Bytes>> {
    if !Offer::is_offered(&request) {
        return Response::new(Full::from("Ask for a WebSocket here.\n"));
    }
    let accepted = Offer::from_request(&mut request).and_then(|offer| {
        offer.on_upgrade(|ws| async move {
            let mut ws = ws?;
            while let Some(message) = ws.recv().await {
                ws.send(message).await?;
            }
            Ok::<_, bowline::Error>(())
        })
    });
    accepted.unwrap_or_else(Rejection::response)
}

/// Reads `--listen address`; any free port of the loopback without it.
fn listen_address() -> String {
    let mut arguments = env::args().skip_while(|argument| argument != "--listen");
    let address = arguments.nth(1);
    address.unwrap_or_else(|| "127.0.0.1:0".to_owned())
}

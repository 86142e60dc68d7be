//! A device that follows a script: a WebSocket server for trying out connectors and clients.

mod link;
mod script;
mod template;

use std::{net::SocketAddr, path::Path, pin::pin, sync::Arc};

use bowline::{Acceptor, Request};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    task::JoinSet,
};
use tracing::{debug, info};

use self::script::Script;
use crate::{exit::Failure, output, signals::stop_requested};

/// Serves what a script says until a signal stops it.
pub(crate) async fn serve(path: &Path, address: SocketAddr) -> Result<(), Failure> {
    let mut stop = pin!(stop_requested()?);
    let script = Arc::new(Script::read(path)?);
    let failure = |source| Failure::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failure)?;
    let bound = listener.local_addr().map_err(failure)?;
    let shown = script.path.as_deref().unwrap_or("/");
    output::line(format_args!("listening on ws://{bound}{shown}"))?;
    let (stopping, over) = watch::channel(false);
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        let admitted = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (listener.accept().await, place)
        };
        tokio::select! {
            (accepted, place) = admitted => {
                let (stream, peer) = accepted.map_err(failure)?;
                let (script, over) = (Arc::clone(&script), over.clone());
                connections.spawn(async move {
                    if let Err(error) = answer(stream, &script, over).await {
                        debug!(%peer, %error, "no connection");
                    }
                    drop(place);
                });
            }
            Some(_ended) = connections.join_next() => {}
            () = &mut stop => break,
        }
    }
    info!("stopping");
    stopping.send_replace(true);
    while connections.join_next().await.is_some() {}
    Ok(())
}

/// Answers a request by the script.
async fn answer(
    stream: TcpStream,
    script: &Script,
    over: watch::Receiver<bool>,
) -> Result<(), bowline::Error> {
    let offer = match Acceptor::default().read_request(stream).await? {
        Request::WebSocket(offer) => offer,
        Request::Http(_, mut stream) => {
            // Whoever asks without a WebSocket may be gone before the answer.
            drop(stream.write_all(NOT_A_PAGE.as_bytes()).await);
            return Ok(());
        }
    };
    if let Some(refuse) = script.take_refusal() {
        info!(status = refuse.status, "refused, as the script says");
        return offer.refuse(refuse.status, &refuse.body).await;
    }
    if let Some(path) = &script.path
        && offer.request().path() != path
    {
        let body = format!("The device is at {path}.\n");
        return offer.refuse(404, &body).await;
    }
    let wanted = script.subprotocol.as_deref();
    let chosen = wanted.filter(|name| offer.subprotocols().any(|offered| offered == *name));
    let offer = match chosen {
        Some(name) => offer.with_subprotocol(name),
        None => offer,
    };
    let ws = offer.accept().await?;
    info!("a client is here");
    link::Link::new(script, ws).run(over).await;
    Ok(())
}

const CONNECTIONS_MAX: usize = 1024;
const NOT_A_PAGE: &str = "HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\n\
    Connection: Upgrade, close\r\nContent-Length: 30\r\n\r\nThis device speaks WebSocket.\n";

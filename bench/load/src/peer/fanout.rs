//! Fan-out with a library that has no groups: a queue for each subscriber.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::{SinkExt, StreamExt};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
};
use tokio_tungstenite::{
    accept_hdr_async,
    tungstenite::{
        Message,
        handshake::server::{ErrorResponse, Request, Response},
    },
};

use crate::Outcome;

type Subscribers = Arc<Mutex<Vec<mpsc::Sender<Message>>>>;

pub async fn tungstenite(listener: TcpListener) -> Outcome {
    let subscribers = Subscribers::default();
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(serve(stream, Arc::clone(&subscribers)));
    }
}

async fn serve(stream: TcpStream, subscribers: Subscribers) -> Outcome {
    let mut publishes = false;
    #[expect(clippy::result_large_err, reason = "the callback's type is given")]
    let look = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
        publishes = request.uri().path() == "/pub";
        Ok(response)
    };
    let mut ws = accept_hdr_async(stream, look).await?;
    if publishes {
        while let Some(message) = ws.next().await {
            let message = message?;
            for subscriber in &*subscribers.lock().unwrap_or_else(PoisonError::into_inner) {
                // One that left has a closed queue; none is full with so few messages.
                drop(subscriber.try_send(message.clone()));
            }
        }
        return Ok(());
    }
    let (queue, mut messages) = mpsc::channel(64);
    subscribers
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(queue);
    while let Some(message) = messages.recv().await {
        ws.feed(message).await?;
        while let Ok(message) = messages.try_recv() {
            ws.feed(message).await?;
        }
        ws.flush().await?;
    }
    Ok(())
}

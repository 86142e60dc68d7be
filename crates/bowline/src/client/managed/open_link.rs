//! A link that was just made.

use std::{
    fmt,
    future::poll_fn,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use bowline_proto::{Ending, handshake::ResponseHead};

use super::wire::Wire;
use crate::{Message, client::Endpoint, error::Error, socket::WebSocket, transport::Transport};

/// A link that was just made, for the on-open hook: nobody else sends or receives on it yet.
///
/// A hook says hello, waits for the answer, and subscribes again to what it wants. What it receives
/// does not reach [`ClientEvents`](super::ClientEvents). Once the hook is done, or was given up,
/// this can neither send nor receive.
pub struct OpenLink {
    pub(super) wire: Arc<dyn Wire>,
    pub(super) info: Arc<LinkInfo>,
    pub(super) is_over: Arc<AtomicBool>,
}

/// What is known about a link.
#[derive(Clone, Debug)]
pub struct LinkInfo {
    /// Where it leads.
    pub endpoint: Endpoint,
    /// The server's answer to the opening handshake, with its headers.
    pub response: Option<ResponseHead>,
    /// The subprotocol both ends agreed on.
    pub subprotocol: Option<String>,
    /// Whether permessage-deflate was negotiated.
    pub is_compressed: bool,
    /// Which attempt made it, since the last link that was stable; the first is 1.
    pub attempt: u32,
}

impl OpenLink {
    /// Takes a WebSocket over.
    pub(super) fn new<S: Transport>(ws: WebSocket<S>, endpoint: &Endpoint, attempt: u32) -> Self {
        let info = Arc::new(LinkInfo {
            endpoint: endpoint.clone(),
            response: ws.response().cloned(),
            subprotocol: ws.subprotocol().map(str::to_owned),
            is_compressed: ws.is_compressed(),
            attempt,
        });
        Self {
            wire: Arc::new(ws.into_shared()),
            info,
            is_over: Arc::default(),
        }
    }

    /// Tells what is known about the link.
    pub fn info(&self) -> &LinkInfo {
        &self.info
    }

    /// Sends a message and waits until it is written. Cancel-safe: dropped, it has queued the
    /// message whole or not at all.
    ///
    /// # Errors
    /// [`Error::Closed`] if the link is closing, or not the hook's any more.
    pub async fn send(&mut self, message: impl Into<Message>) -> Result<(), Error> {
        self.poll_mine(|wire, cx| wire.poll_ready(cx)).await?;
        self.wire.queue(message.into())?;
        self.poll_mine(|wire, cx| wire.poll_flush(cx)).await
    }

    /// Receives the next message; `None` if the link is over, or not the hook's any more.
    /// Cancel-safe.
    pub async fn recv(&mut self) -> Option<Message> {
        poll_fn(|cx| {
            if self.is_over.load(Ordering::SeqCst) {
                return Poll::Ready(None);
            }
            self.wire.poll_message(cx)
        })
        .await
    }

    /// Tells how the link ended; `None` while it is open.
    pub fn ending(&self) -> Option<Ending> {
        self.wire.ending()
    }

    async fn poll_mine(
        &self,
        mut poll: impl FnMut(&dyn Wire, &mut Context<'_>) -> Poll<Result<(), Error>>,
    ) -> Result<(), Error> {
        poll_fn(|cx| {
            if self.is_over.load(Ordering::SeqCst) {
                return Poll::Ready(Err(Error::Closed(None)));
            }
            poll(&*self.wire, cx)
        })
        .await
    }
}

impl fmt::Debug for OpenLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenLink")
            .field("info", &self.info)
            .finish_non_exhaustive()
    }
}

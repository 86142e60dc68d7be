//! Sending to a client as to a sink.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_sink::Sink;

use super::{
    Client,
    delivery::{Delivery, DeliveryStatus},
};
use crate::Message;

/// Sends to a client as to a sink: `poll_ready` waits for room in the outbox, `poll_flush` until
/// the last message met its fate.
///
/// Closing the sink flushes it; the client stays open.
pub struct ClientSink {
    client: Client,
    room: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    last: Option<Delivery>,
}

/// Says that a message was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message was not sent: {0:?}")]
pub struct NotSent(pub DeliveryStatus);

impl ClientSink {
    pub(super) const fn new(client: Client) -> Self {
        Self {
            client,
            room: None,
            last: None,
        }
    }
}

impl Sink<Message> for ClientSink {
    type Error = NotSent;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), NotSent>> {
        let client = &self.client;
        let core = client.core();
        let room = self
            .room
            .get_or_insert_with(|| Box::pin(async move { Client::wait_for_room(&core, 0).await }));
        ready!(room.as_mut().poll(cx));
        self.room = None;
        Poll::Ready(Ok(()))
    }

    fn start_send(mut self: Pin<&mut Self>, message: Message) -> Result<(), NotSent> {
        let delivery = self.client.send(message);
        match delivery.status() {
            status @ (DeliveryStatus::Dropped(_) | DeliveryStatus::Expired) => Err(NotSent(status)),
            DeliveryStatus::Queued | DeliveryStatus::Kept | DeliveryStatus::Sent => {
                self.last = Some(delivery);
                Ok(())
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), NotSent>> {
        let Some(last) = &mut self.last else {
            return Poll::Ready(Ok(()));
        };
        let status = ready!(Pin::new(last).poll(cx));
        self.last = None;
        let is_sent = status == DeliveryStatus::Sent;
        Poll::Ready(if is_sent {
            Ok(())
        } else {
            Err(NotSent(status))
        })
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), NotSent>> {
        self.poll_flush(cx)
    }
}

impl fmt::Debug for ClientSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSink")
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}

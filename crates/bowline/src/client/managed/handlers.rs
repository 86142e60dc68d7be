//! A client by event handlers.

use std::{fmt, sync::Arc};

use bowline_proto::Ending;

use super::{
    Client, ClientEvents, core::Core, event::ClientEvent, failure::Failure, open_link::LinkInfo,
};
use crate::Message;

/// The four events a browser's WebSocket has, over all links of a client.
///
/// The handlers run one at a time, in the order of the events, on a task of their own; while one
/// runs, the link is read until [`ReceiveLimits::stop`](crate::ReceiveLimits::stop) is reached. They must not block
/// the thread.
#[derive(Default)]
pub struct Handlers {
    open: Option<Handler<Arc<LinkInfo>>>,
    message: Option<Handler<Message>>,
    error: Option<Handler<Arc<Failure>>>,
    close: Option<Handler<Ending>>,
}

type Handler<T> = Box<dyn FnMut(&Client, T) + Send>;

impl Handlers {
    /// Begins without any.
    pub fn new() -> Self {
        Self::default()
    }

    /// Calls `handler` when a link is open, after the on-open hook.
    #[must_use]
    pub fn on_open(mut self, handler: impl FnMut(&Client, Arc<LinkInfo>) + Send + 'static) -> Self {
        self.open = Some(Box::new(handler));
        self
    }

    /// Calls `handler` with each message.
    #[must_use]
    pub fn on_message(mut self, handler: impl FnMut(&Client, Message) + Send + 'static) -> Self {
        self.message = Some(Box::new(handler));
        self
    }

    /// Calls `handler` when an attempt failed.
    #[must_use]
    pub fn on_error(mut self, handler: impl FnMut(&Client, Arc<Failure>) + Send + 'static) -> Self {
        self.error = Some(Box::new(handler));
        self
    }

    /// Calls `handler` when a link that was open is over.
    #[must_use]
    pub fn on_close(mut self, handler: impl FnMut(&Client, Ending) + Send + 'static) -> Self {
        self.close = Some(Box::new(handler));
        self
    }

    /// Handles events until the client stops for good.
    pub(super) async fn run(mut self, core: Arc<Core>, mut events: ClientEvents) {
        loop {
            while let Some(event) = events.recv().await {
                // A handle for the time of the call only, so that the application's decide.
                let client = Client::new(Arc::clone(&core));
                self.handle(&client, event);
            }
            if !events.revived().await {
                return;
            }
        }
    }

    fn handle(&mut self, client: &Client, event: ClientEvent) {
        match event {
            ClientEvent::Open(info) => call(&mut self.open, client, info),
            ClientEvent::Message(message) => call(&mut self.message, client, message),
            ClientEvent::Failed(failure) => call(&mut self.error, client, failure),
            ClientEvent::LinkClosed(ending) => call(&mut self.close, client, ending),
            ClientEvent::Waiting { .. } => {}
        }
    }
}

impl fmt::Debug for Handlers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handlers")
    }
}

fn call<T>(handler: &mut Option<Handler<T>>, client: &Client, event: T) {
    if let Some(handler) = handler {
        handler(client, event);
    }
}

//! Serving one connection of a group, from open to disconnect.

use std::{
    cell::RefCell,
    future::Future,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bowline_proto::{Cause, CloseCode, EndedBy, Ending, Event, Message, Phase};

use super::{Inner, handlers::Handlers};
use crate::{
    server::{admission::Permit, handle::ConnectionHandle, registry::ReservedId},
    shared::Share,
    transport::Transport,
};

/// Receives on a connection and calls the group's handlers until it is over.
///
/// A future by hand: each idle connection keeps one, and an async function would hold everything
/// twice.
pub(super) struct Run<S: Transport> {
    /// Let go first, so that the stream is closed when *disconnect* is called.
    shared: Share<S>,
    member: Member,
    is_opened: bool,
}

impl<S: Transport> Run<S> {
    pub(super) const fn new(member: Member, shared: Share<S>) -> Self {
        Self {
            shared,
            member,
            is_opened: false,
        }
    }
}

impl<S: Transport> Future for Run<S> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self {
            shared,
            member,
            is_opened,
        } = self.get_mut();
        if !std::mem::replace(is_opened, true) {
            member.open();
        }
        ready!(shared.poll_handle(cx, &mut |event| member.handle(event)));
        // The event is missing if the application had it before the connection joined.
        if member.ending.is_none() {
            member.ending = shared.with(|driver| driver.connection().ending().cloned());
        }
        Poll::Ready(())
    }
}

/// A connection in a group. Dropping it leaves the group and calls *disconnect*, so that a task
/// that is cut off does so too.
pub(super) struct Member {
    group: Arc<Inner>,
    connection: ConnectionHandle,
    ending: Option<Ending>,
    /// The connection is being closed for what it did: its messages are no longer handled.
    refused: bool,
    /// Given up last: when the registry is empty nothing is left of its connections.
    _place: Place,
}

/// What is counted for a connection.
pub(super) struct Place {
    /// What admission counts.
    #[expect(dead_code, reason = "it is kept for its drop")]
    pub(super) permit: Option<Box<Permit>>,
    #[expect(dead_code, reason = "it is kept for its drop")]
    pub(super) reserved: ReservedId,
}

impl Member {
    pub(super) fn join(group: Arc<Inner>, connection: ConnectionHandle, place: Place) -> Self {
        group.members.join(connection.clone());
        connection.attach_session();
        Self {
            group,
            connection,
            ending: None,
            refused: false,
            _place: place,
        }
    }

    fn open(&mut self) {
        self.call(|handlers, connection| {
            if let Some(open) = &handlers.open {
                open(connection);
            }
            Handled::Done
        });
    }

    fn handle(&mut self, event: Event<'_>) {
        match event {
            Event::Message(message) if !self.refused => self.message(&message),
            Event::Closed(ending) => self.ending = Some(ending),
            Event::Message(_)
            | Event::Fragment(_)
            | Event::Ping(_)
            | Event::Pong { .. }
            | Event::Close(_) => {}
        }
    }

    fn message(&mut self, message: &Message<'_>) {
        let push_only = self.group.push_only;
        if let Some(session) = &self.connection.attributes().session {
            session.touch();
        }
        self.call(|handlers, connection| match (message, handlers) {
            (
                Message::Text(text),
                Handlers {
                    text: Some(handler),
                    ..
                },
            ) => {
                handler(connection, text.as_str());
                Handled::Done
            }
            (
                Message::Binary(payload),
                Handlers {
                    binary: Some(handler),
                    ..
                },
            ) => {
                handler(connection, payload);
                Handled::Done
            }
            _ if push_only => Handled::Done,
            (Message::Text(_), _) => Handled::Unwanted("this group takes no text messages"),
            (Message::Binary(_), _) => Handled::Unwanted("this group takes no binary messages"),
        });
    }

    /// Calls a handler; closes the connection if there is none, or if it panics.
    fn call(&mut self, call: impl FnOnce(&Handlers, &ConnectionHandle) -> Handled) {
        let handlers = self.group.handlers.load_full();
        let connection = &self.connection;
        let handled = as_current(connection, || {
            catch_unwind(AssertUnwindSafe(|| call(&handlers, connection)))
        });
        let (code, reason) = match handled {
            Ok(Handled::Done) => return,
            Ok(Handled::Unwanted(reason)) => (CloseCode::UNSUPPORTED_DATA, reason),
            Err(_) => (
                CloseCode::INTERNAL_ERROR,
                "the server failed to handle a message",
            ),
        };
        self.refused = true;
        let closed = self.connection.close(code, reason);
        debug_assert!(closed.is_ok(), "the code and the reason can be sent");
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.group.members.leave(self.connection.id());
        self.connection.detach_session();
        let ending = self.ending.take().unwrap_or_else(|| Ending {
            by: EndedBy::Local,
            phase: Phase::Open,
            code: CloseCode::ABNORMAL,
            reason: Box::default(),
            cause: Cause::Aborted,
        });
        self.call(|handlers, connection| {
            if let (Cause::Violation(violation), Some(error)) = (ending.cause, &handlers.error) {
                error(connection, violation);
            }
            Handled::Done
        });
        self.call(|handlers, connection| {
            if let Some(disconnect) = &handlers.disconnect {
                disconnect(connection, &ending);
            }
            Handled::Done
        });
    }
}

/// What became of a message.
enum Handled {
    Done,
    /// No handler takes this kind; the reason tells the peer.
    Unwanted(&'static str),
}

impl ConnectionHandle {
    /// Gives the connection whose handler is running on this thread.
    pub fn current() -> Option<Self> {
        CURRENT.with_borrow(Option::clone)
    }
}

/// Names `connection` the current one while `work` runs.
fn as_current<R>(connection: &ConnectionHandle, work: impl FnOnce() -> R) -> R {
    struct Restore(Option<ConnectionHandle>);
    impl Drop for Restore {
        fn drop(&mut self) {
            CURRENT.set(self.0.take());
        }
    }
    let _restore = Restore(CURRENT.replace(Some(connection.clone())));
    work()
}

thread_local! {
    static CURRENT: RefCell<Option<ConnectionHandle>> = const { RefCell::new(None) };
}

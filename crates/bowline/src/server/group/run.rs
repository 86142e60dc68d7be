//! Serving one connection of a group, from open to disconnect.

use std::{
    cell::RefCell,
    future::Future,
    ops::ControlFlow,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bowline_proto::{Cause, CloseCode, EndedBy, Ending, Event, Message, Phase};

use super::{
    Inner,
    handlers::{Handlers, Work},
    inbox::Inbox,
};
use crate::{
    link::batched,
    metrics::report_waiting,
    receive_queue::Crossed,
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
    stage: Stage,
}

/// How far a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    New,
    Receiving,
    /// Nothing more arrives; messages may wait.
    Over,
}

impl<S: Transport> Run<S> {
    pub(super) const fn new(member: Member, shared: Share<S>) -> Self {
        Self {
            shared,
            member,
            stage: Stage::New,
        }
    }
}

impl<S: Transport> Future for Run<S> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        if this.stage == Stage::New {
            this.stage = Stage::Receiving;
            this.member.open();
        }
        loop {
            let handled = this.member.poll_inbox(cx);
            if this.stage == Stage::Over {
                return handled;
            }
            if this.poll_receive(cx).is_pending() && !this.member.is_work_ready() {
                return Poll::Pending;
            }
        }
    }
}

impl<S: Transport> Run<S> {
    /// Receives, unless too much waits; ready when there is something else to do first.
    fn poll_receive(&mut self, cx: &Context<'_>) -> Poll<()> {
        let Self { shared, member, .. } = self;
        if member.is_stopped() {
            return shared.poll_unread(cx).map(|()| self.end());
        }
        let mut handle = |event: Event<'_>| {
            if let Some(crossed) = member.handle(event) {
                shared.with(|driver| driver.tell_crossed(&crossed));
                member.report(&crossed);
            }
            if member.is_stopped() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let received = shared.poll_handle(cx, &mut handle);
        received.map(|flow| {
            if flow.is_continue() {
                self.end();
            }
        })
    }

    fn end(&mut self) {
        self.stage = Stage::Over;
        // The event is missing if the application had it before the connection joined, or if the
        // connection was not read to its end.
        let Self { shared, member, .. } = self;
        if member.ending.is_none() {
            member.ending = shared.with(|driver| driver.connection().ending().cloned());
        }
        let is_aborted = |ending: &Ending| ending.cause == Cause::Aborted;
        if member.ending.as_ref().is_some_and(is_aborted) {
            member.inbox = None;
        }
    }
}

/// A connection in a group. Dropping it leaves the group and calls *disconnect*, so that a task
/// that is cut off does so too.
pub(super) struct Member {
    group: Arc<Inner>,
    connection: ConnectionHandle,
    ending: Option<Ending>,
    /// What waits for a handler that takes its time; `None` while nothing does.
    inbox: Option<Box<Inbox>>,
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
            inbox: None,
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

    /// Handles an event; tells if too much waits now.
    fn handle(&mut self, event: Event<'_>) -> Option<Crossed> {
        match event {
            Event::Message(message) if !self.refused => return self.message(message),
            Event::Closed(ending) => self.ending = Some(ending),
            Event::Message(_)
            | Event::Fragment(_)
            | Event::Ping(_)
            | Event::Pong { .. }
            | Event::Close(_) => {}
        }
        None
    }

    /// Has a message handled now, or lets it wait.
    fn message(&mut self, message: Message<'_>) -> Option<Crossed> {
        if let Some(session) = &self.connection.attributes().session {
            session.touch();
        }
        // Behind a message that is being handled every one waits, so that none overtakes it.
        let mut waits = self.inbox.is_some();
        if !waits {
            let push_only = self.group.push_only;
            self.call(|handlers, connection| {
                let handled = handle_now(handlers, connection, &message, push_only);
                waits = handled == Handled::Waits;
                handled
            });
        }
        waits.then(|| self.inbox().push(message.into_owned()))?
    }

    fn inbox(&mut self) -> &mut Inbox {
        let limits = self.group.receive;
        self.inbox
            .get_or_insert_with(|| Box::new(Inbox::new(limits)))
    }

    fn is_stopped(&self) -> bool {
        self.inbox.as_ref().is_some_and(|inbox| inbox.is_stopped())
    }

    /// Says whether a message waits that could be handled.
    fn is_work_ready(&self) -> bool {
        self.inbox.as_ref().is_some_and(|inbox| inbox.is_ready())
    }

    /// Handles what waits, one message after the other; ready when nothing does.
    fn poll_inbox(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while let Some(inbox) = &mut self.inbox {
            let polled = as_current(&self.connection, || {
                catch_unwind(AssertUnwindSafe(|| batched(0, || inbox.poll_work(cx))))
            });
            match polled {
                Ok(Poll::Pending) => return Poll::Pending,
                Ok(Poll::Ready(())) => match inbox.pop() {
                    Some(message) => self.begin(message),
                    None => self.inbox = None,
                },
                Err(_) => self.refuse(CloseCode::INTERNAL_ERROR, FAILED),
            }
        }
        Poll::Ready(())
    }

    /// Begins to handle a message that waited, by the handlers of now.
    fn begin(&mut self, message: Message<'static>) {
        let mut work: Option<Work> = None;
        let push_only = self.group.push_only;
        self.call(|handlers, connection| {
            let handled = handle_now(handlers, connection, &message, push_only);
            if let (Handled::Waits, Some(handler)) = (handled, &handlers.message) {
                work = Some(handler(connection.clone(), message));
            }
            handled
        });
        if let Some((work, inbox)) = work.zip(self.inbox.as_mut()) {
            inbox.begin(work);
        }
    }

    fn report(&self, crossed: &Crossed) {
        report_waiting(Some(self.connection.id()), Some(&self.group.name), crossed);
    }

    /// Calls a handler; closes the connection if there is none, or if it panics.
    fn call(&mut self, call: impl FnOnce(&Handlers, &ConnectionHandle) -> Handled) {
        let handlers = self.group.handlers.load_full();
        let connection = &self.connection;
        let handled = as_current(connection, || {
            catch_unwind(AssertUnwindSafe(|| call(&handlers, connection)))
        });
        match handled {
            Ok(Handled::Done | Handled::Waits) => {}
            Ok(Handled::Unwanted(reason)) => self.refuse(CloseCode::UNSUPPORTED_DATA, reason),
            Err(_) => self.refuse(CloseCode::INTERNAL_ERROR, FAILED),
        }
    }

    /// Closes the connection; its messages are handled no longer.
    fn refuse(&mut self, code: CloseCode, reason: &str) {
        self.refused = true;
        self.inbox = None;
        let closed = self.connection.close(code, reason);
        debug_assert!(closed.is_ok(), "the code and the reason can be sent");
    }
}

/// Has a message handled by the handler of its kind, if there is one.
fn handle_now(
    handlers: &Handlers,
    connection: &ConnectionHandle,
    message: &Message<'_>,
    push_only: bool,
) -> Handled {
    match (message, &handlers.text, &handlers.binary) {
        (Message::Text(text), Some(handler), _) => handler(connection, text.as_str()),
        (Message::Binary(payload), _, Some(handler)) => handler(connection, payload),
        _ if handlers.message.is_some() => return Handled::Waits,
        _ if push_only => {}
        (Message::Text(_), None, _) => {
            return Handled::Unwanted("this group takes no text messages");
        }
        (Message::Binary(_), _, None) => {
            return Handled::Unwanted("this group takes no binary messages");
        }
    }
    Handled::Done
}

impl Drop for Member {
    fn drop(&mut self) {
        // What a handler was doing ends before *disconnect*.
        self.inbox = None;
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Handled {
    Done,
    /// It is for a handler that takes its time.
    Waits,
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

const FAILED: &str = "the server failed to handle a message";

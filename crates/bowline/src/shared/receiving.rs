//! Receiving on a connection that is shared.

use std::{
    ops::ControlFlow,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bowline_proto::{Event, Message, ReadAhead, View};

use super::Shared;
use crate::{
    ahead::Ahead,
    driver::Driver,
    link::batched,
    socket::take_message,
    transport::Transport,
    wakers::{Waiter, Waiting},
    worker::{Target, with_read_buffer},
};

impl<S: Transport> Shared<S> {
    /// Gives the next event that `take` takes; `None` when the connection is over.
    #[inline]
    pub(crate) fn poll_event<T>(
        self: &Arc<Self>,
        view: View,
        cx: &mut Context<'_>,
        mut take: impl FnMut(Event<'_>) -> Option<T>,
    ) -> Poll<Option<T>> {
        let mut driver = self.lock();
        ready!(driver.poll_turn(cx));
        driver.connection().set_view(view);
        let polled = self.poll_taken(&mut driver, cx, &mut take);
        // A pong that was queued on the way leaves even if the next receive is far away.
        if polled.is_ready() && driver.connection().queued_len() > 0 {
            self.schedule_flush(&mut driver);
        }
        polled
    }

    /// Gives the next message; `None` when the connection is over.
    ///
    /// What has arrived with it goes to `ahead`, where the next calls find it without the lock.
    #[inline]
    pub(crate) fn poll_message(
        self: &Arc<Self>,
        ahead: &mut Ahead,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Message<'static>>> {
        let Some(message) = ahead.take() else {
            return self.poll_messages(ahead, cx);
        };
        if ahead.is_due() {
            ahead.give_back(self);
        }
        Poll::Ready(Some(message))
    }

    #[inline(never)]
    fn poll_messages(
        self: &Arc<Self>,
        ahead: &mut Ahead,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Message<'static>>> {
        let mut driver = self.lock();
        if let Some(lent) = ahead.end() {
            driver.take_back(lent);
        }
        ready!(driver.poll_turn(cx));
        driver.connection().set_view(View::Messages);
        let polled = self.poll_taken(&mut driver, cx, &mut take_message);
        if let Poll::Ready(message) = &polled {
            if message.is_some() && driver.has_input() {
                ahead.begin(driver.lend());
            }
            // A pong that was queued on the way leaves even if the next receive is far away.
            if driver.connection().queued_len() > 0 {
                self.schedule_flush(&mut driver);
            }
        }
        polled
    }

    #[inline]
    fn poll_taken<T>(
        &self,
        driver: &mut Driver<S>,
        cx: &Context<'_>,
        take: &mut impl FnMut(Event<'_>) -> Option<T>,
    ) -> Poll<Option<T>> {
        match driver.take_buffered(take) {
            Some(taken) => Poll::Ready(Some(taken)),
            None => self.poll_receive(driver, cx, |driver, cx| driver.poll_event(cx, take)),
        }
    }

    /// Receives and hands events to `handle` until the connection is closed, or `handle` breaks
    /// off; says which.
    ///
    /// What arrives is borrowed from the thread's read buffer, and the connection is not locked
    /// while `handle` has it.
    pub(crate) fn poll_handle(
        &self,
        cx: &Context<'_>,
        handle: &mut impl FnMut(Event<'_>) -> ControlFlow<()>,
    ) -> Poll<ControlFlow<()>> {
        let mut first = self.lock().take_input();
        if self.hand_out(&mut first, handle).is_break() {
            return Poll::Ready(ControlFlow::Break(()));
        }
        loop {
            let filled = with_read_buffer(|buffer| {
                let mut driver = self.lock();
                let filled = self.poll_receive(&mut driver, cx, |driver, cx| {
                    driver.poll_fill(cx, Target::Lent(buffer))
                });
                drop(driver);
                let filled = ready!(filled);
                let chunk = buffer.get_mut(..filled).unwrap_or_default();
                Poll::Ready((filled, self.hand_out(chunk, handle)))
            });
            let (filled, flow) = ready!(filled);
            if flow.is_break() || (filled == 0 && self.lock().is_closed()) {
                return Poll::Ready(flow);
            }
        }
    }

    /// Writes what is queued and ends what has begun to end, without reading; ready when the
    /// connection is closed.
    pub(crate) fn poll_unread(&self, cx: &Context<'_>) -> Poll<()> {
        self.poll_receive(&mut self.lock(), cx, Driver::poll_unread)
    }

    /// Gives an event from bytes that are here already.
    pub(crate) fn take_buffered<T>(
        &self,
        view: View,
        mut take: impl FnMut(Event<'_>) -> Option<T>,
    ) -> Option<T> {
        let mut driver = self.lock();
        driver.connection().set_view(view);
        driver.take_buffered(&mut take)
    }

    /// Gives a chunk to the engine, event by event; what handlers send for it leaves afterwards.
    /// The rest of a chunk that is broken off is kept.
    fn hand_out(
        &self,
        chunk: &mut [u8],
        handle: &mut impl FnMut(Event<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        batched(chunk.len(), || {
            let mut at = 0;
            loop {
                let rest = chunk.get_mut(at..).unwrap_or_default();
                let (used, event) = self.lock().next_event(rest);
                let Some(event) = event else {
                    return ControlFlow::Continue(());
                };
                let flow = handle(event);
                at += used;
                if flow.is_break() {
                    self.lock().put_back(chunk.get(at..).unwrap_or_default());
                    return flow;
                }
            }
        })
    }

    /// Receives, and wakes the others if that changed what they wait for.
    fn poll_receive<T>(
        &self,
        driver: &mut Driver<S>,
        cx: &Context<'_>,
        receive: impl FnOnce(&mut Driver<S>, Waiting<'_>) -> Poll<T>,
    ) -> Poll<T> {
        let queued_len = driver.connection().queued_len();
        let was_writable = driver.is_writable();
        // Stays known when it is woken for what it received: it is about to wait for more.
        self.wakers.register(Waiter::Receiver, cx.waker());
        let received = receive(driver, Waiting::new(&self.waker, cx.waker()));
        driver.set_receiver_waits(received.is_pending());
        self.tell_of_room(driver);
        if driver.connection().queued_len() < queued_len || driver.is_writable() != was_writable {
            self.wakers.wake_others(Waiter::Receiver);
        }
        received
    }
}

impl<S> Shared<S> {
    /// Takes back what was lent.
    pub(crate) fn take_back(&self, lent: ReadAhead) {
        self.lock().take_back(lent);
    }
}

//! The messages of one connection that wait for a handler that takes its time.

use std::{
    collections::VecDeque,
    task::{Context, Poll},
};

use super::handlers::Work;
use crate::{
    Message,
    receive_queue::{Crossed, Gauge, ReceiveLimits},
};

/// Holds what waits and what is being handled. There is none while there is neither.
pub(super) struct Inbox {
    messages: VecDeque<Message>,
    gauge: Gauge,
    work: Option<Work>,
}

impl Inbox {
    pub(super) fn new(limits: ReceiveLimits) -> Self {
        Self {
            messages: VecDeque::new(),
            gauge: Gauge::new(limits),
            work: None,
        }
    }

    /// Says whether nothing more may be read.
    pub(super) fn is_stopped(&self) -> bool {
        self.gauge.is_stopped()
    }

    /// Says whether a message waits and none is being handled.
    pub(super) fn is_ready(&self) -> bool {
        self.work.is_none()
    }

    /// Puts a message in; tells if that crosses a mark.
    pub(super) fn push(&mut self, message: Message) -> Option<Crossed> {
        let crossed = self.gauge.add(message.len());
        self.messages.push_back(message);
        crossed
    }

    /// Takes the next message out.
    pub(super) fn pop(&mut self) -> Option<Message> {
        let message = self.messages.pop_front()?;
        self.gauge.remove(message.len());
        Some(message)
    }

    /// Notes what is to be done before the next message is taken.
    pub(super) fn begin(&mut self, work: Work) {
        self.work = Some(work);
    }

    /// Goes on with the message that is being handled; ready when none is.
    pub(super) fn poll_work(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(work) = &mut self.work {
            std::task::ready!(work.as_mut().poll(cx));
            self.work = None;
        }
        Poll::Ready(())
    }
}

//! What arrives while something else is done.

use std::{collections::VecDeque, pin::pin};

use bowline::{Ending, Message, Receiver, Transport};
use tokio::time::{Instant, sleep_until};

/// Receives, whatever else is done, so that pings are answered and the end is noticed.
#[derive(Debug)]
pub(super) struct Inbox<S> {
    receiver: Receiver<S>,
    waiting: VecDeque<Message>,
    is_over: bool,
}

/// What the next message is.
#[derive(Debug)]
pub(super) enum Next {
    Message(Message),
    /// Nothing came in time.
    Nothing,
    Ended(Option<Ending>),
}

impl<S: Transport> Inbox<S> {
    pub(super) const fn new(receiver: Receiver<S>) -> Self {
        Self {
            receiver,
            waiting: VecDeque::new(),
            is_over: false,
        }
    }

    /// Does something else, and receives meanwhile. What waits is bounded; then the peer waits.
    pub(super) async fn during<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        loop {
            let has_room = !self.is_over && self.waiting.len() < WAITING_MAX;
            tokio::select! {
                biased;
                done = &mut work => return done,
                message = self.receiver.recv(), if has_room => self.put(message),
            }
        }
    }

    /// Waits for the next message.
    pub(super) async fn next(&mut self, until: Instant) -> Next {
        if let Some(message) = self.waiting.pop_front() {
            return Next::Message(message);
        }
        if self.is_over {
            return Next::Ended(self.receiver.ending());
        }
        tokio::select! {
            biased;
            message = self.receiver.recv() => {
                self.is_over = message.is_none();
                message.map_or_else(|| Next::Ended(self.receiver.ending()), Next::Message)
            }
            () = sleep_until(until) => Next::Nothing,
        }
    }

    /// Takes a message that is here already.
    pub(super) fn take(&mut self) -> Option<Message> {
        self.waiting.pop_front()
    }

    /// Receives until the connection is over. What still comes is dropped.
    pub(super) async fn end(&mut self) {
        while self.receiver.recv().await.is_some() {}
        self.is_over = true;
    }

    fn put(&mut self, message: Option<Message>) {
        match message {
            Some(message) => self.waiting.push_back(message),
            None => self.is_over = true,
        }
    }
}

/// Messages that came before they were expected.
const WAITING_MAX: usize = 64;

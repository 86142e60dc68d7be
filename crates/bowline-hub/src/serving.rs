//! The task of one connection, from its first byte to its end.

use std::{
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bowline::Transport;

use crate::talk::Talk;

/// Serves a connection.
///
/// A future by hand, and a small one: each idle connection keeps it, and tokio rounds the size of a
/// task up to a multiple of 128 bytes. What is needed seldom lies apart.
pub(crate) enum Serving<S: Transport> {
    /// Something that takes its time.
    Working(Working<S>),
    /// Waiting for the next message.
    Idle(Box<Talk<S>>),
    Over,
}

/// Gives the connection back, unless it is over.
pub(crate) type Working<S> = Pin<Box<dyn Future<Output = Option<Box<Talk<S>>>> + Send>>;

impl<S: Transport> Future for Serving<S> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            match &mut *self {
                Self::Working(working) => {
                    let talk = ready!(working.as_mut().poll(cx));
                    *self = talk.map_or(Self::Over, Self::Idle);
                }
                Self::Idle(talk) => {
                    if let Some(due) = ready!(talk.poll_receive(cx))
                        && let Self::Idle(talk) = mem::replace(&mut *self, Self::Over)
                    {
                        *self = talk.begin(due);
                    }
                }
                Self::Over => return Poll::Ready(()),
            }
        }
    }
}

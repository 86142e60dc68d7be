//! Reading the stream, and what has to be done before.

use std::{
    io,
    ops::ControlFlow,
    task::{Context, Poll, ready},
};

use bowline_proto::{ArrivingPayload, ConnectionState, Event};
use bytes::BytesMut;

use super::{Driver, ReadWakes, Reading, Writing, now};
use crate::{
    transport::Transport,
    wakers::Waiting,
    worker::{READ_BUFFER_LEN, Target, return_own_buffer, take_own_buffer, with_read_buffer},
};

impl<S: Transport> Driver<S> {
    /// Gives the next event that `take` takes; `None` when the connection is over.
    pub(crate) fn poll_event<T>(
        &mut self,
        cx: Waiting<'_>,
        take: &mut impl FnMut(Event<'_>) -> Option<T>,
    ) -> Poll<Option<T>> {
        loop {
            if let Some(taken) = self.take_buffered(take) {
                return Poll::Ready(Some(taken));
            }
            if self.is_closed() {
                return Poll::Ready(None);
            }
            let arriving = self
                .connection
                .lend_payload(READ_BUFFER_LEN, MISSING_LEN_MIN);
            let taken = if let Some(payload) = arriving {
                ready!(self.poll_arriving(cx, payload));
                None
            } else if self.expected_len > 0 {
                ready!(self.poll_burst(cx));
                None
            } else {
                ready!(with_read_buffer(|buffer| {
                    let filled = ready!(self.poll_fill(cx, Target::Lent(buffer)));
                    let chunk = buffer.get_mut(..filled).unwrap_or_default();
                    Poll::Ready(self.take_from(chunk, take))
                }))
            };
            if taken.is_some() {
                return Poll::Ready(taken);
            }
        }
    }

    /// Reads to where a long message is assembled. Its storage grows with what has arrived.
    fn poll_arriving(&mut self, cx: Waiting<'_>, mut payload: ArrivingPayload) -> Poll<()> {
        let room = payload.room();
        let storage = payload.storage();
        storage.reserve((ARRIVING_GROWTH * storage.len()).min(room + 1));
        let polled = self.poll_fill(cx, Target::Own(storage, room.min(ARRIVING_READ_MAX)));
        self.connection.take_payload_back(self.received_at, payload);
        polled.map(drop)
    }

    /// Reads into storage that the messages can share: as many are expected as came the last time.
    fn poll_burst(&mut self, cx: Waiting<'_>) -> Poll<()> {
        let mut input = take_own_buffer(self.expected_len as usize);
        let Poll::Ready(filled) = self.poll_fill(cx, Target::Own(&mut input, usize::MAX)) else {
            return_own_buffer(input);
            return Poll::Pending;
        };
        self.expect_burst(filled);
        if filled > 0 {
            let storage_len = input.capacity();
            self.set_input(input, storage_len);
        }
        Poll::Ready(())
    }

    /// Takes care of everything that is due, then reads once; zero says that the connection is
    /// closed.
    pub(crate) fn poll_fill(&mut self, cx: Waiting<'_>, mut target: Target<'_>) -> Poll<usize> {
        self.tally();
        loop {
            if !self.is_at_rest() && self.act_on_end(&mut cx.all()).is_break() {
                if self.is_closed() {
                    return Poll::Ready(0);
                }
                continue;
            }
            // What arrived in time counts even if nobody looked for it in time, so a deadline that
            // has passed is acted on after one more read.
            let read = self.poll_read(cx, &mut target);
            let is_due = match read {
                Poll::Ready(filled) if filled > 0 => {
                    if self.may_be_due() && self.poll_timer(&mut cx.own()).is_ready() {
                        self.reading = Reading::Late;
                    }
                    return Poll::Ready(filled);
                }
                Poll::Ready(_) | Poll::Pending => self.poll_timer(&mut cx.own()).is_ready(),
            };
            if is_due {
                self.handle_timeout();
            } else if read.is_pending() {
                return Poll::Pending;
            }
        }
    }

    /// Says whether there is nothing to do but to read.
    #[inline]
    fn is_at_rest(&self) -> bool {
        self.connection.state() == ConnectionState::Open
            && self.reading == Reading::Open
            && self.writing == Writing::Open
            && !self.has_unsent()
    }

    /// Writes, and acts on an end that has come; breaks off if that may have changed what is to be
    /// done.
    fn act_on_end(&mut self, cx: &mut Context<'_>) -> ControlFlow<()> {
        if self.is_closed() {
            return ControlFlow::Break(());
        }
        let written = self.poll_flush(cx);
        if self.reading == Reading::Ended && written.is_ready() {
            self.act(|connection| connection.handle_eof(now()));
            return ControlFlow::Break(());
        }
        if self.connection.is_done_sending() {
            self.poll_shutdown(cx);
        }
        if self.reading == Reading::Late {
            self.reading = Reading::Open;
            self.handle_timeout();
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    /// Reads once; zero says that nothing was received.
    fn poll_read(&mut self, cx: Waiting<'_>, target: &mut Target<'_>) -> Poll<usize> {
        let Some(stream) = &mut self.stream else {
            return Poll::Ready(0);
        };
        if self.reading == Reading::Ended {
            return Poll::Pending;
        }
        let mut cx = match self.read_wakes {
            ReadWakes::Receiver => cx.own(),
            ReadWakes::All => cx.all(),
        };
        let filled = match ready!(target.poll_read(stream, &mut cx)) {
            Ok(0) => {
                self.handle_read_end();
                0
            }
            Ok(filled) => {
                self.received_at = now();
                if let Some(observer) = &self.observer {
                    observer.read(filled);
                }
                filled
            }
            // A peer that leaves without saying goodbye to TLS just ends the stream.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                self.handle_read_end();
                0
            }
            Err(error) => {
                self.act(|connection| connection.handle_transport_error(error.kind()));
                0
            }
        };
        Poll::Ready(filled)
    }

    /// Acts on the end of the stream. What is queued may still be written: only one direction ended.
    fn handle_read_end(&mut self) {
        self.reading = Reading::Ended;
        if let Some(kind) = self.write_failure() {
            self.act(|connection| connection.handle_transport_error(kind));
        }
    }

    /// Takes the first event from the thread's buffer and keeps the bytes behind it.
    fn take_from<T>(
        &mut self,
        mut chunk: &mut [u8],
        take: &mut impl FnMut(Event<'_>) -> Option<T>,
    ) -> Option<T> {
        let chunk_len = chunk.len();
        loop {
            if chunk.is_empty() && !self.connection.has_event() {
                return None;
            }
            let (used, event) = self.connection.poll_event(self.received_at, chunk);
            let found = event.map(&mut *take);
            let (_, rest) = std::mem::take(&mut chunk).split_at_mut(used);
            match found {
                None => return None,
                Some(None) => chunk = rest,
                Some(taken) => {
                    if !rest.is_empty() {
                        self.set_input(BytesMut::from(&*rest), chunk_len);
                        self.expect_burst(chunk_len);
                    }
                    self.tally();
                    return taken;
                }
            }
        }
    }
}

/// With less missing of a payload, the bytes behind it most likely come with the next read.
const MISSING_LEN_MIN: usize = 2 * READ_BUFFER_LEN;
/// Storage of a long payload grows by so many times what has arrived: growing costs a copy.
const ARRIVING_GROWTH: usize = 3;
/// What one read of a long payload takes in at most.
const ARRIVING_READ_MAX: usize = 256 << 10;

//! Taking part in what a batch broadcasts.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bowline_proto::{ConnectionState, Misuse, PreparedBatch};

use super::{CutOff, Driver, Writing};
use crate::{
    round::{Joined, Place, Round, Shares},
    transport::Transport,
};

impl<S> Driver<S> {
    /// Takes part in a round from one of its messages on, if they could all be given to the engine
    /// now; says whether.
    pub(crate) fn join_round(&mut self, round: &Arc<Round>, place: Place, first: usize) -> bool {
        self.leave_round();
        let is_open = self.connection.state() == ConnectionState::Open;
        if !is_open || !self.has_room() || self.check_whole().is_err() {
            return false;
        }
        round.begin(place, first);
        let round = Arc::clone(round);
        self.round = Some(Box::new(Joined { round, place }));
        true
    }

    /// Takes the share of a round before anything else is done.
    #[inline]
    pub(crate) fn leave_round(&mut self) {
        if let Some(joined) = self.round.take() {
            self.take_early(&joined);
        }
    }

    #[cold]
    fn take_early(&mut self, joined: &Joined) {
        let connection = &mut self.connection;
        joined.round.leave(joined.place, |message| {
            let sent = connection.send_prepared(message);
            debug_assert!(sent.is_ok(), "nothing was done since it joined");
        });
    }
}

impl<S: Transport> Driver<S> {
    /// Takes the share of a round that has ended, if it takes part in that, and writes.
    pub(crate) fn poll_share(
        &mut self,
        cx: &mut Context<'_>,
        round: &Arc<Round>,
        shares: &Shares,
    ) -> Poll<Result<(), CutOff>> {
        let is_in_it = |joined: &mut Box<Joined>| Arc::ptr_eq(&joined.round, round);
        if let Some(joined) = self.round.take_if(is_in_it) {
            let sent = shares.give(joined.place, |batch| self.send_batch(cx, batch));
            debug_assert!(sent.is_ok(), "nothing was done since it joined");
        }
        self.leave_round();
        self.poll_flush(cx)
    }

    /// Gives messages to the engine together, and writes what it can of them if nothing waits
    /// before them: they need not be queued then.
    pub(crate) fn send_batch(
        &mut self,
        cx: &mut Context<'_>,
        batch: &PreparedBatch,
    ) -> Result<(), Misuse> {
        let stream = self.stream.as_mut();
        let mut stream = stream.filter(|_| self.writing == Writing::Open);
        let mut result = Ok(0);
        let sent = self.connection.write_prepared_batch(batch, |frames| {
            if let Some(stream) = &mut stream
                && let Poll::Ready(written) = Pin::new(&mut **stream).poll_write(cx, frames)
            {
                result = written;
            }
            result.as_ref().copied().unwrap_or_default()
        });
        match result {
            Ok(0) => {}
            Ok(written) => {
                self.unflushed = true;
                if let Some(observer) = &self.observer {
                    observer.written(written);
                }
            }
            Err(error) => self.writing = Writing::Failed(error.kind()),
        }
        sent
    }
}

//! Taking part in what a batch broadcasts.

use std::sync::Arc;

use bowline_proto::ConnectionState;

use super::Driver;
use crate::round::{Joined, Place, Round, Shares};

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

    /// Takes the share of a round that has ended, if it takes part in that.
    pub(crate) fn take_share(&mut self, round: &Arc<Round>, shares: &Shares) {
        let is_in_it = |joined: &mut Box<Joined>| Arc::ptr_eq(&joined.round, round);
        if let Some(joined) = self.round.take_if(is_in_it) {
            let connection = &mut self.connection;
            let sent = shares.give(joined.place, |batch| connection.send_prepared_batch(batch));
            debug_assert!(sent.is_ok(), "nothing was done since it joined");
        }
        self.leave_round();
    }
}

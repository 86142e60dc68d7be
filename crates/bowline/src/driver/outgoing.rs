//! What waits in front of the engine, and who will write it.

use bowline_proto::{Close, ConnectionState, Misuse, PreparedBatch};

use super::{Driver, QUEUED_LEN_MAX, now};
use crate::outbox::{Key, LastFrame, OutboxLimits, Outgoing, Refused, Sent, SlowPeer};

/// Who will write what is queued.
#[derive(Default)]
pub(super) struct Writers {
    /// A task of its own.
    task: bool,
    /// The batch in which it was queued.
    batch: bool,
    /// Whoever receives: it waits, and writes when it is woken.
    receiver: bool,
}

impl<S> Driver<S> {
    /// Gives a message to the engine, or to the outbox while the engine has enough.
    pub(crate) fn push(
        &mut self,
        message: &Outgoing,
        key: Option<Key>,
        limits: &OutboxLimits,
    ) -> Result<Sent, Refused> {
        let waits = self
            .outbox
            .as_ref()
            .is_some_and(|outbox| !outbox.is_empty());
        if !waits && self.connection.queued_len() < QUEUED_LEN_MAX {
            return message
                .send_on(&mut self.connection)
                .map(|()| Sent::Queued)
                .map_err(Refused::of_misuse);
        }
        if self.connection.state() != ConnectionState::Open {
            return Err(Refused::Closing);
        }
        self.check_whole()?;
        let outbox = self.outbox.get_or_insert_default();
        let pushed = outbox.push(message.clone(), key, limits);
        let lost = outbox.take_lost();
        let cut = match pushed {
            Err(Refused::TooSlow) => outbox.len() as u64 + 1,
            Ok(_) | Err(_) => 0,
        };
        self.lost += lost;
        self.tell_pushed(&pushed, lost + cut, limits);
        if let (Err(Refused::TooSlow), SlowPeer::Close(code, reason)) = (&pushed, &limits.policy) {
            self.drop_outbox();
            let close = Close::new(*code, reason).ok();
            let begun = self.connection.close(now(), close.as_ref());
            debug_assert!(begun.is_ok(), "messages in an outbox are whole");
        }
        pushed
    }

    /// Says whether the engine has room for all messages of a batch.
    pub(crate) fn has_room_for(&self, batch: &PreparedBatch) -> bool {
        let queued_len = self.connection.queued_len();
        let has_room = queued_len.saturating_add(batch.payload_len()) <= QUEUED_LEN_MAX;
        has_room && self.outbox.is_none()
    }

    /// Refuses what the engine would: behind a message that another task sends in pieces nothing
    /// waits.
    pub(super) fn check_whole(&self) -> Result<(), Refused> {
        if self.connection.is_inside_frame() {
            Err(Refused::Misuse(Misuse::FrameUnfinished))
        } else if self.connection.unfinished().is_some() {
            Err(Refused::Misuse(Misuse::MessageUnfinished))
        } else {
            Ok(())
        }
    }

    /// Says whether the outbox has room for a message, or need not take it.
    pub(crate) fn fits(&self, len: usize, limits: &OutboxLimits) -> bool {
        self.outbox
            .as_ref()
            .is_none_or(|outbox| outbox.has_room(len, limits))
    }

    /// Begins the closing handshake behind everything that waits; false if it has begun already.
    pub(crate) fn close(&mut self, close: Option<Close>) -> Result<bool, Misuse> {
        if self.connection.state() != ConnectionState::Open {
            return Ok(false);
        }
        match &mut self.outbox {
            Some(outbox) if !outbox.is_empty() => {
                let begins = !outbox.is_closing();
                outbox.push_close(close);
                Ok(begins)
            }
            _ => self.connection.close(now(), close.as_ref()).map(|()| true),
        }
    }

    /// Says whether a close frame waits behind the messages of the outbox.
    pub(crate) fn is_close_waiting(&self) -> bool {
        self.outbox
            .as_ref()
            .is_some_and(|outbox| outbox.is_closing())
    }

    /// Notes that a task will write what is queued; false if one does already.
    pub(crate) fn begin_flush_task(&mut self) -> bool {
        !std::mem::replace(&mut self.writers.task, true)
    }

    /// Notes that a batch will write what is queued; false if one does already.
    pub(crate) fn join_batch(&mut self) -> bool {
        !std::mem::replace(&mut self.writers.batch, true)
    }

    pub(crate) fn leave_batch(&mut self) {
        self.writers.batch = false;
    }

    /// Notes whether whoever receives waits, and so writes when the stream takes more.
    pub(crate) fn set_receiver_waits(&mut self, waits: bool) {
        self.writers.receiver = waits;
    }

    /// Says whether whoever receives writes when the stream takes more.
    pub(crate) fn receiver_waits(&self) -> bool {
        self.writers.receiver
    }

    /// Takes the number of messages dropped since this was last asked.
    pub(crate) fn take_lost(&mut self) -> u64 {
        std::mem::take(&mut self.lost)
    }

    /// Says whether another message may be queued without making anything wait.
    pub(crate) fn has_room(&self) -> bool {
        self.outbox.is_none() && self.connection.queued_len() < QUEUED_LEN_MAX
    }

    /// Notes that the task has written everything it will.
    pub(crate) fn end_flush_task(&mut self) {
        self.writers.task = false;
    }

    /// Says whether a task writes what is queued.
    pub(crate) fn has_flush_task(&self) -> bool {
        self.writers.task
    }

    /// Says whether the outbox was drained since this was last asked.
    pub(crate) fn take_outbox_drained(&mut self) -> bool {
        std::mem::take(&mut self.outbox_drained)
    }

    /// Drops what waits, and has those told who wait for room.
    pub(super) fn drop_outbox(&mut self) {
        self.outbox_drained |= self.outbox.take().is_some();
    }

    /// Moves messages from the outbox to the engine while it has room.
    pub(super) fn refill(&mut self) {
        while let Some(outbox) = &mut self.outbox
            && self.connection.queued_len() < QUEUED_LEN_MAX
        {
            if let Some(message) = outbox.pop() {
                // A connection that is closing takes nothing more; what waits goes with it.
                if message.send_on(&mut self.connection).is_err() {
                    self.drop_outbox();
                }
            } else {
                let close = outbox.pop_close();
                self.drop_outbox();
                if let Some(LastFrame(close)) = close {
                    let begun = self.connection.close(now(), close.as_ref());
                    debug_assert!(begun.is_ok(), "messages in an outbox are whole");
                }
            }
        }
    }
}

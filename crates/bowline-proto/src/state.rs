//! The state of a connection and the table that changes it; nothing else does.

/// Where an open connection stands between its first frame and the end of its stream
/// (RFC 6455 sections 7.1.2 to 7.1.7).
///
/// `Connecting` is not here: during the opening handshake there is no connection yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum State {
    /// Messages flow both ways.
    Open,
    /// Our close frame is sent or queued; the peer's has not arrived. Its data still counts.
    CloseSent,
    /// Both close frames exist; what remains is to flush ours and to end the stream.
    CloseExchanged,
    /// The peer broke a rule, or its close frame cannot be answered: nothing more is read; what is
    /// queued is flushed.
    Failing,
    /// The end. Nothing is read or sent.
    Closed,
}

/// What can happen to a connection's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Change {
    /// This end begins the closing handshake.
    SendClose,
    /// The peer's close frame arrived.
    ReceiveClose,
    /// The peer broke a rule or a bound.
    Fail,
    /// The stream ended or failed, a deadline passed, or this end gave up.
    End,
}

impl State {
    /// Gives the state that follows.
    #[must_use]
    pub(crate) const fn after(self, change: Change) -> Self {
        use Change::{End, Fail, ReceiveClose, SendClose};
        use State::{CloseExchanged, CloseSent, Closed, Failing, Open};
        match (self, change) {
            (Open | CloseSent, SendClose) => CloseSent,
            (Open | CloseSent, ReceiveClose) => CloseExchanged,
            (Open | CloseSent, Fail) => Failing,
            (CloseExchanged | Failing, SendClose | ReceiveClose | Fail) => self,
            (Closed, _) | (_, End) => Closed,
        }
    }

    /// Says whether bytes from the peer still mean something.
    pub(crate) const fn is_reading(self) -> bool {
        matches!(self, Self::Open | Self::CloseSent)
    }

    /// Gives the state in the words of RFC 6455.
    pub(crate) const fn public(self) -> ConnectionState {
        match self {
            Self::Open => ConnectionState::Open,
            Self::CloseSent | Self::CloseExchanged | Self::Failing => ConnectionState::Closing,
            Self::Closed => ConnectionState::Closed,
        }
    }
}

/// Names the state of a connection as RFC 6455 does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConnectionState {
    /// Messages flow (section 4.1).
    Open,
    /// The closing handshake has begun (section 7.1.3).
    Closing,
    /// The connection is over (section 7.1.4).
    Closed,
}

#[cfg(test)]
mod tests {
    use super::{Change::*, State::*};

    #[test]
    fn closed_is_final_and_every_state_can_end() {
        for state in [Open, CloseSent, CloseExchanged, Failing, Closed] {
            assert_eq!(state.after(End), Closed);
            for change in [SendClose, ReceiveClose, Fail, End] {
                assert_eq!(Closed.after(change), Closed);
            }
        }
    }

    // RFC 6455 section 7.1.3: closing begins with the first close frame, whichever side sends it.
    #[test]
    fn both_initiators_and_the_simultaneous_close_meet_in_the_same_state() {
        assert_eq!(Open.after(SendClose).after(ReceiveClose), CloseExchanged);
        assert_eq!(Open.after(ReceiveClose), CloseExchanged);
        assert_eq!(Open.after(ReceiveClose).after(SendClose), CloseExchanged);
    }
}

//! How a link was lost.

/// How a link was lost, or an attempt failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The reason, in one word.
    pub class: LossClass,
    /// The close code of the peer; `None` without a close frame.
    pub code: Option<u16>,
    /// What happened, for people; also what a trigger on communication compares with.
    pub text: String,
}

/// Reasons of a loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LossClass {
    /// A closing handshake with 1000, from either side.
    Normal,
    /// The link ended without a closing handshake.
    Abnormal,
    /// The peer goes away: 1001.
    EndpointGone,
    /// A ping was not answered in time.
    PingTimeout,
    /// The peer's policy: 1008.
    Policy,
    /// TCP, TLS, name or proxy failure.
    Network,
    /// The server did not answer 101.
    Refused,
    /// The peer broke the protocol.
    Protocol,
}

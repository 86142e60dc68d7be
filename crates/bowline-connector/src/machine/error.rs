//! What may be wrong with a set or an attempt.

use thiserror::Error;

use crate::plan::{LinkId, ParameterId, TriggerId};

/// Says why a value was not set or a trigger not fired.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
pub enum SetError {
    /// The connector has no such parameter.
    #[error("there is no {0}")]
    NoParameter(ParameterId),
    /// The connector has no such trigger.
    #[error("there is no {0}")]
    NoTrigger(TriggerId),
    /// The parameter is the connector's own: people set write parameters.
    #[error("{0} is not for people to set: it is no write parameter")]
    NotWritable(ParameterId),
    /// The value has characters, or is of a form, that the type of the parameter forbids.
    #[error("the type of {0} does not let this value in")]
    Forbidden(ParameterId),
    /// The value is none of the labels and values of the parameter.
    #[error("this is none of the choices of {0}")]
    NotAChoice(ParameterId),
    /// The number is out of the range of the parameter.
    #[error("this number is out of the range of {parameter}: {least} to {greatest}")]
    OutOfRange {
        /// The parameter.
        parameter: ParameterId,
        /// The least number a person may set.
        least: f64,
        /// The greatest.
        greatest: f64,
    },
    /// The value is longer than [`VALUE_BYTES_MAX`](super::VALUE_BYTES_MAX).
    #[error("the value is too long for {0}")]
    TooLong(ParameterId),
}

/// Says why a link cannot be made by the values of this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AttemptError {
    /// The connector has no such link.
    #[error("there is no {0}")]
    NoLink(LinkId),
    /// Neither a parameter nor the element says where to.
    #[error("{0} has no endpoint: neither a dynamic parameter nor the element gives one")]
    NoEndpoint(LinkId),
    /// The endpoint has a scheme other than `ws`, `wss`, `http` and `https`.
    #[error("the endpoint of {0} has an unknown scheme: write ws:// or wss://")]
    Scheme(LinkId),
    /// The endpoint has no host, or one with characters that no host has.
    #[error("the endpoint of {0} has no host")]
    Host(LinkId),
    /// The port is no number of 1 to 65535.
    #[error("the port of {0} is not a number of 1 to 65535")]
    Port(LinkId),
    /// The path or the query has what no request line may have.
    #[error(
        "the path of {0} has a blank, a control character, a # or what is no UTF-8: percent-encode it"
    )]
    Path(LinkId),
    /// A header value has CR, LF or NUL.
    #[error("header {index} of the handshake of {link} has a line break or NUL in its value")]
    Header {
        /// The link.
        link: LinkId,
        /// Which header of the session, from 1.
        index: usize,
    },
    /// Credentials or the proxy are no UTF-8 or have control characters.
    #[error("the credentials or the proxy of {0} are no plain text")]
    Credentials(LinkId),
}

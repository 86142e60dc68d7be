//! What a machine asks for.

use bytes::Bytes;

use super::Value;
use crate::plan::{HookId, LinkId, MessageKind, ParameterId};

/// Something for the runner to do. In order, each before the next.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Make the link, to the [`Attempt`] the machine gives
    /// when the attempt begins.
    Open(LinkId),
    /// Close the link gracefully with 1000 and make no other.
    Close(LinkId),
    /// Close the link gracefully if it is open, then make it anew: its endpoint was set.
    Reopen(LinkId),
    /// Send a message.
    Send {
        /// The link.
        link: LinkId,
        /// The opcode.
        kind: MessageKind,
        /// The bytes.
        payload: Bytes,
    },
    /// Store a value durably; [`Value::Empty`] removes it.
    Save(ParameterId, Value),
    /// Run the code hooked to the parameter, if there is any, before asking for the next effect.
    Hook {
        /// The parameter.
        parameter: ParameterId,
        /// The `QAction` of the file that would run, if there is one.
        code: Option<HookId>,
        /// The kind of the message that brought the value, if one did.
        kind: Option<MessageKind>,
    },
    /// A value changed for those who watch.
    Changed(ParameterId, Value),
    /// The health of the element or of a link changed.
    Health {
        /// The link; `None` is the element.
        link: Option<LinkId>,
        /// The new state.
        level: Level,
    },
    /// Something to tell people: a value refused by its type, a command that was not sent.
    Notice(String),
}

/// How an element or a link does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// Nothing is known yet.
    Unknown,
    /// It answers.
    Ok,
    /// It was silent for longer than it may be.
    Timeout,
}

/// What one attempt to open a link needs, by the values of this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The URL, complete.
    pub url: String,
    /// Headers besides those of every handshake, `Sec-WebSocket-Extensions` and
    /// `Sec-WebSocket-Protocol` among them.
    pub headers: HeaderList,
    /// The proxy.
    pub proxy: ProxyUse,
    /// User name and password.
    pub credentials: Option<(String, String)>,
}

/// Headers by name, values as bytes.
pub type HeaderList = Vec<(String, Vec<u8>)>;

/// Which proxy an attempt goes through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProxyUse {
    /// None.
    Bypass,
    /// What the element or the environment says.
    Default,
    /// This one: a URL, or host and port; user and password.
    Explicit {
        /// Host and port, or a URL.
        server: String,
        /// Who the client says it is to the proxy.
        credentials: Option<(String, String)>,
    },
}

/// The answer to an opening handshake, of a server that accepted or refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The status line, such as `HTTP/1.1 101 Switching Protocols`.
    pub status_line: String,
    /// The headers, in order.
    pub headers: HeaderList,
    /// The body of a refusal, bounded.
    pub body: Bytes,
}

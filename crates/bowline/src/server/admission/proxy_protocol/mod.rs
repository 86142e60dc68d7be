//! The PROXY protocol, versions 1 and 2: what a proxy that forwards TCP says before the first byte
//! of the client.
//!
//! Only a listener that nothing but trusted proxies can reach may read it, and such a listener
//! must: whoever reaches it can claim any address, and a connection without a header cannot be
//! told from one whose client wrote a header itself.

mod v1;
mod v2;

use std::net::SocketAddr;

/// What a PROXY header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyHeader {
    /// The proxy connects for itself, to see whether the server lives (version 2, `LOCAL`).
    Local,
    /// The proxy does not tell for whom it connects (version 1 `UNKNOWN`; version 2 for anything
    /// that is not TCP over IP).
    Unknown,
    /// The proxy connects for a client.
    Forwarded {
        /// The client.
        source: SocketAddr,
        /// Where the client connected to.
        destination: SocketAddr,
    },
}

impl ProxyHeader {
    /// Returns the client; `None` when the address of the peer stands.
    pub const fn source(&self) -> Option<SocketAddr> {
        match self {
            Self::Local | Self::Unknown => None,
            Self::Forwarded { source, .. } => Some(*source),
        }
    }
}

/// Reads a PROXY header from the first bytes of a connection.
///
/// Call [`handle_input`](Self::handle_input) with what arrives until it gives the header. It keeps
/// at most [`HEADER_LEN_MAX_V1`] bytes, whatever length a header promises; the rest of a version 2
/// header is passed over. The time that the header may take is the caller's to bound.
#[derive(Clone, Debug)]
pub struct ProxyHeaderParser {
    kept: [u8; HEADER_LEN_MAX_V1],
    kept_len: usize,
    /// Bytes to pass over.
    skip_len: usize,
    outcome: Option<Result<ProxyHeader, ProxyHeaderError>>,
}

/// Bytes of the longest version 1 header, with its line end.
pub const HEADER_LEN_MAX_V1: usize = 107;
/// Bytes of the longest version 2 header that is read, with its extensions.
pub const HEADER_LEN_MAX_V2: usize = 4 << 10;

impl ProxyHeaderParser {
    /// Creates a parser for one connection.
    pub const fn new() -> Self {
        Self {
            kept: [0; HEADER_LEN_MAX_V1],
            kept_len: 0,
            skip_len: 0,
            outcome: None,
        }
    }

    /// Takes bytes in. Gives the header once it is complete, with the number of these bytes that
    /// belong to it: those after are the client's.
    ///
    /// When the header is complete, a further call takes nothing and gives it again.
    ///
    /// # Errors
    /// [`ProxyHeaderError`], again at every further call. The connection is to be closed.
    pub fn handle_input(
        &mut self,
        input: &[u8],
    ) -> Result<Option<ParsedProxyHeader>, ProxyHeaderError> {
        let mut rest = input;
        loop {
            let skipped = self.skip_len.min(rest.len());
            self.skip_len -= skipped;
            rest = rest.get(skipped..).unwrap_or_default();
            if self.skip_len == 0
                && let Some(outcome) = self.outcome
            {
                let consumed = input.len() - rest.len();
                return outcome.map(|header| Some(ParsedProxyHeader { header, consumed }));
            }
            let Some((byte, after)) = rest.split_first() else {
                return Ok(None);
            };
            rest = after;
            match self.push(*byte) {
                Ok(Step::More) => {}
                Ok(Step::Complete { header, skip_len }) => {
                    self.skip_len = skip_len;
                    self.outcome = Some(Ok(header));
                }
                Err(error) => self.outcome = Some(Err(error)),
            }
        }
    }

    /// Keeps a byte and looks at the header so far.
    fn push(&mut self, byte: u8) -> Result<Step, ProxyHeaderError> {
        let place = self.kept.get_mut(self.kept_len);
        *place.ok_or(ProxyHeaderError::TooLong)? = byte;
        self.kept_len += 1;
        let kept = self.kept.get(..self.kept_len).unwrap_or_default();
        match kept.first() {
            Some(&v1::FIRST_BYTE) => v1::step(kept),
            Some(&v2::FIRST_BYTE) => v2::step(kept),
            Some(_) | None => Err(ProxyHeaderError::Missing),
        }
    }
}

impl Default for ProxyHeaderParser {
    fn default() -> Self {
        Self::new()
    }
}

/// A PROXY header that is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParsedProxyHeader {
    /// What it says.
    pub header: ProxyHeader,
    /// How many of the bytes just given belong to it.
    pub consumed: usize,
}

/// Says why the first bytes of a connection are no PROXY header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyHeaderError {
    /// The bytes do not begin like a header of either version.
    #[error("the connection does not begin with a PROXY header")]
    Missing,
    /// A version 1 header does not follow the grammar.
    #[error("the PROXY header is malformed")]
    Malformed,
    /// A header is longer than [`HEADER_LEN_MAX_V1`] or [`HEADER_LEN_MAX_V2`].
    #[error("the PROXY header is too long")]
    TooLong,
    /// A binary header of another version than 2; gives the version.
    #[error("version {0} of the PROXY protocol is not known")]
    Version(u8),
    /// A command other than `LOCAL` and `PROXY`; gives its number.
    #[error("command {0} of the PROXY protocol is not known")]
    Command(u8),
    /// A kind of address, or a transport, that no TCP connection has; gives the byte.
    #[error("the PROXY header names transport 0x{0:02x}, which is not a stream")]
    Transport(u8),
    /// A version 2 header is shorter than its addresses.
    #[error("the PROXY header is too short for its addresses")]
    TooShort,
}

/// What the bytes so far are.
enum Step {
    More,
    Complete {
        header: ProxyHeader,
        /// Bytes of the header that follow and do not count.
        skip_len: usize,
    },
}

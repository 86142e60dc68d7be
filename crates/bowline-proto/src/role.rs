//! Which end of a connection this is.

/// Names the end of the connection an engine plays (RFC 6455 section 1.2).
///
/// Everything a client sends is masked and nothing a server sends is (section 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The end that opened the connection.
    Client,
    /// The end that accepted it.
    Server,
}

impl Role {
    /// Says whether frames *received* in this role must carry a masking key.
    #[inline]
    pub const fn expects_masked(self) -> bool {
        matches!(self, Self::Server)
    }
}

//! Stub until merged.
use super::WindowBits;
/// What both ends agreed on (RFC 7692 section 7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeflateParams {
    /// x
    pub server_no_context_takeover: bool,
    /// x
    pub client_no_context_takeover: bool,
    /// x
    pub server_max_window_bits: WindowBits,
    /// x
    pub client_max_window_bits: WindowBits,
}

//! What a connection is configured with.

use std::time::Duration;

/// Configures a connection. Shared between connections; costs them one pointer.
#[derive(Clone, Debug)]
pub struct Config {
    /// The bounds on what the peer may send.
    pub limits: Limits,
    /// Pings when nothing arrives; `None` never pings.
    pub keepalive: Option<Keepalive>,
    /// How long the peer may send no message before the connection is closed with 1001; `None`
    /// waits for ever. Pings and pongs are no messages.
    pub idle_timeout: Option<Duration>,
    /// How long the closing handshake may take, from the first close frame to the end of the
    /// stream.
    pub close_timeout: Duration,
    /// Who answers pings.
    pub pong: PongMode,
    /// Messages of fewer bytes are sent uncompressed, when compression is negotiated. The default,
    /// 128, suits connections without context takeover; with it, similar messages of 50 bytes gain.
    pub compression_size_min: usize,
    /// What is done against the standard; by default nothing.
    pub nonstandard: Nonstandard,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            keepalive: None,
            idle_timeout: None,
            close_timeout: Duration::from_secs(5),
            pong: PongMode::Automatic,
            compression_size_min: 128,
            nonstandard: Nonstandard::default(),
        }
    }
}

/// Names what is done against RFC 6455, for peers that cannot be changed. With any of it on, the
/// connection is no WebSocket by the standard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Nonstandard {
    /// In the server role: masks every frame, though section 5.1 forbids it. Any client that keeps
    /// to the standard, and so every browser, fails the connection with 1002 at the first frame.
    /// It takes a source of keys: [`Connection::server_masking`](crate::Connection::server_masking).
    pub mask_server_frames: bool,
    /// In the client role: takes masked frames besides unmasked ones, instead of failing the
    /// connection with 1002.
    pub accept_masked_server_frames: bool,
}

/// Bounds what the peer may send. They bind while receiving, and the close code is 1009.
///
/// `u64::MAX` and `u32::MAX` stand for no bound. In the fragment view nothing is assembled, so
/// the application counts instead. In the frame view a frame may be as long as a message, and their
/// number is not bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest message in bytes, after inflating.
    pub message_size_max: u64,
    /// The longest data frame in bytes, as on the wire.
    pub frame_size_max: u64,
    /// The most frames in one message; 0 counts as 1.
    pub fragment_count_max: u32,
}

impl Limits {
    /// No bound at all: for trusted peers and test servers.
    pub const NONE: Self = Self {
        message_size_max: u64::MAX,
        frame_size_max: u64::MAX,
        fragment_count_max: u32::MAX,
    };
}

impl Default for Limits {
    /// 16 MiB for messages and frames; 131,072 fragments, so that 16 MiB pass in pieces of 128.
    fn default() -> Self {
        Self {
            message_size_max: 16 << 20,
            frame_size_max: 16 << 20,
            fragment_count_max: 1 << 17,
        }
    }
}

/// Configures how a silent connection is kept alive and a dead one noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keepalive {
    /// Silence after which a ping is sent.
    pub interval: Duration,
    /// Silence after the ping that ends the connection. Any byte received is a sign of life, and so
    /// is any byte written while the ping waits behind others.
    pub timeout: Duration,
}

/// Names who answers pings (RFC 6455 section 5.5.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PongMode {
    /// The engine.
    #[default]
    Automatic,
    /// The application, with `Connection::pong`.
    Manual,
}

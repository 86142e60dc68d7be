//! The permessage-deflate transforms (RFC 7692, section 7.2) over pooled zlib contexts.
//!
//! [`Inflater`] turns the payload of compressed messages into plain bytes, [`Compressor`] does the
//! opposite, [`compress_standalone`] compresses one message for many receivers. All of them borrow
//! the expensive part, a zlib context, from a [`ContextPool`] for as long as a message lasts.
//!
//! # Memory
//!
//! A connection that never saw a compressed message owns no buffer at all. Between messages:
//!
//! | direction | without context takeover | with context takeover |
//! |---|---|---|
//! | receiving | 0 | the last 2^bits plain bytes, 512 B to 32 KiB |
//! | sending | 0 | the last 2^bits plain bytes, 256 B to 32 KiB |
//!
//! The windows grow with the bytes seen and never beyond 2^bits. While a message is under way the
//! connection holds one context more. Contexts are shared through the pool, so their number
//! follows the messages being worked on, not the connections:
//!
//! | context | window bits 9 | window bits 12 | window bits 15 |
//! |---|---|---|---|
//! | inflate | 48 KB | 48 KB | 48 KB |
//! | deflate, memory level 1 | 137 KB | 152 KB | 266 KB |
//! | deflate, memory level 8 | 251 KB | 265 KB | 380 KB |
//!
//! An inflate context that served connections without takeover also keeps a history of at most
//! 32 KiB, needed when a message contains a final block (RFC 7692, section 7.2.3.4). What the pool
//! keeps idle is bounded by [`PoolLimits`].
//!
//! # Time
//!
//! A window costs time as well: when a message begins it is handed to a cleared context as
//! dictionary. This is a copy when receiving, and one hash insertion per byte when sending; so only
//! its end is handed to a sending context, eight times the length of the message and at least 4
//! KiB: a sender may refer to less than its peer remembers. A message of at most 512 bytes needs no
//! context at all then, and no level: it is compressed with tables on the stack, may refer to the 2
//! KiB before it, and uses the fixed codes of DEFLATE. A sending context that nobody else took meanwhile still knows the window:
//! as long as the connections that send stay within [`PoolLimits::idle_deflaters_max`], they
//! mostly find their own again and pay nothing.
//!
//! # Windows never drift
//!
//! What enters a window is decided in one place for each direction. The receiving window takes
//! every inflated byte. The sending window takes a whole message only when its [`Compressed`] is
//! committed, which is also the only way to keep the compressed bytes in the output.

mod compress;
mod inflate;
mod level;
pub mod negotiate;
mod pool;
mod setup;
mod short;
mod window;

pub use compress::{Compressed, Compressor, CompressorConfig, compress_standalone};
pub use inflate::{Finish, InflateError, Inflater, InflaterConfig, Progress};
pub use level::{Level, MemLevel};
pub use negotiate::{DeflateNegotiation, DeflateParams};
pub use pool::{ContextPool, PoolLimits};
pub use setup::Deflate;
pub use window::WindowBits;

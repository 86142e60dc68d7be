//! The wire form of frames: header, opcode, mask and close payload (RFC 6455 section 5).

mod close;
mod header;
mod mask;
mod opcode;

pub use close::{Close, CloseCode};
pub(crate) use header::SoleHeader;
pub use header::{EncodedHeader, FrameHeader};
pub(crate) use mask::unmask_to_ascii;
pub use mask::{MaskingKey, MaskingKeySource, apply_mask};
pub use opcode::Opcode;

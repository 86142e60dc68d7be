//! The parts that some libraries show on their own: masks, UTF-8, headers.

use bowline_proto::{FrameHeader, MaskingKey, Opcode, Payload, Text, apply_mask};
use bytes::{BufMut as _, Bytes, BytesMut};

/// Masks a payload in place.
pub type Mask = fn(&mut [u8]);

/// Who masks.
pub const MASKS: [(&str, Mask); 4] = [
    ("bowline", |payload| apply_mask(payload, MaskingKey(KEY), 0)),
    ("fastwebsockets", |payload| {
        fastwebsockets::unmask(payload, KEY);
    }),
    ("yawc", |payload| yawc::mask::apply_mask(payload, KEY)),
    ("sockudo-ws", |payload| {
        sockudo_ws::mask::apply_mask(payload, KEY);
    }),
];

/// Says whether bytes are UTF-8.
pub type Utf8 = fn(&Bytes) -> bool;

/// Who validates.
pub const UTF8S: [(&str, Utf8); 5] = [
    ("bowline", |text| {
        Text::from_utf8(Payload::Borrowed(text)).is_ok()
    }),
    ("tungstenite", |text| {
        tungstenite::Utf8Bytes::try_from(text.clone()).is_ok()
    }),
    ("fastwebsockets", |text| {
        fastwebsockets::Frame::text(fastwebsockets::Payload::Borrowed(text)).is_utf8()
    }),
    ("yawc", |text| yawc::Frame::text(text.clone()).is_utf8()),
    ("sockudo-ws", |text| sockudo_ws::utf8::validate_utf8(text)),
];

/// Writes the header of a server's binary frame.
#[inline]
pub fn write_header(payload_len: usize, out: &mut BytesMut) {
    let header = FrameHeader {
        fin: true,
        rsv1: false,
        rsv2: false,
        rsv3: false,
        opcode: Opcode::Binary,
        payload_len: payload_len as u64,
        masking_key: None,
    };
    out.put_slice(header.encode().as_slice());
}

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

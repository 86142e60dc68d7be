//! A script of calls against one engine.

use std::time::Duration;

use bowline_proto::{
    Close, CloseCode, Compress, Config, ConnectionState, Fin, Keepalive, Limits, Message,
    MessageKind, Misuse, Opcode, Payload, PreparedMessage, Role, View, deflate::Deflate,
};

use super::Script;
use crate::{Chunks, Collected, End, Frame, Takeover, deflate_params};

/// Calls the engine as the script says, and checks what it writes and reports.
///
/// # Panics
/// If a promise of the engine is broken.
pub fn engine(data: &[u8]) {
    let mut script = Script::new(data);
    let mut run = Run {
        end: new_end(script.byte()),
        written: Vec::new(),
        queued_by_us: 0,
    };
    run.end.reads = Chunks::of(1 + usize::from(script.byte()));
    run.end.writes = Chunks::of(1 + usize::from(script.byte()));
    while !script.is_empty() {
        run.step(&mut script);
        run.check_queue();
    }
    run.finish();
}

struct Run {
    end: End,
    written: Vec<u8>,
    /// The bytes that calls of ours may have queued.
    queued_by_us: usize,
}

impl Run {
    fn step(&mut self, script: &mut Script<'_>) {
        let kind = script.byte();
        let now = self.end.now();
        match kind % 16 {
            0..=2 => self.end.read(script.bytes()),
            3 => self.read_frame(script),
            4 => drop(self.end.write_once(0, &mut self.written)),
            5 => self.end.pass(Duration::from_secs(u64::from(script.byte()))),
            6 => self.message(script),
            7 => self.fragment(script),
            8 => self.frame(script),
            9 => self.payload(script),
            10 => self.call(script, |end, bytes| end.connection.ping(bytes)),
            11 => self.call(script, |end, bytes| end.connection.pong(bytes)),
            12 => {
                let code = CloseCode(990 + u16::from(script.byte()));
                let close = Close::new(code, "").ok();
                let closed = self.end.connection.close(now, close.as_ref());
                self.queued(closed, 0);
            }
            13 => self.end.connection.set_view(match script.byte() % 3 {
                0 => View::Messages,
                1 => View::Fragments,
                _ => View::Frames,
            }),
            14 => {
                let prepared = PreparedMessage::new(Message::binary(script.bytes()));
                let sent = self.end.connection.send_prepared(&prepared);
                self.queued(sent, prepared.len());
            }
            _ => match script.byte() {
                0 => self.end.connection.abort(),
                1 => self.end.eof(),
                bits => self.frame_of(bits, script),
            },
        }
    }

    /// Reads a legal frame, so that scripts get far without guessing lengths.
    fn read_frame(&mut self, script: &mut Script<'_>) {
        let bits = script.byte();
        let mut frame = Frame::new(bits & 15, script.bytes()).rsv(bits >> 4 & 4);
        frame.fin = bits & 0x80 == 0;
        self.end.read_frames(&[frame]);
    }

    fn message(&mut self, script: &mut Script<'_>) {
        let compress = compress(script);
        let bytes = script.bytes();
        let message = match std::str::from_utf8(bytes) {
            Ok(text) => Message::text(text),
            Err(_) => Message::binary(bytes),
        };
        let sent = self.end.connection.send_with(&message, compress);
        self.queued(sent, bytes.len());
    }

    fn fragment(&mut self, script: &mut Script<'_>) {
        let (kind, fin) = shape(script);
        let compress = compress(script);
        let payload = Payload::Borrowed(script.bytes());
        let len = payload.len();
        let sent = self
            .end
            .connection
            .send_fragment(kind, payload, fin, compress);
        self.queued(sent, len);
    }

    fn frame(&mut self, script: &mut Script<'_>) {
        let (kind, fin) = shape(script);
        let len = u64::from(script.byte());
        let begun = self.end.connection.begin_frame(kind, len, fin);
        self.queued(begun, 0);
    }

    fn frame_of(&mut self, bits: u8, script: &mut Script<'_>) {
        let Some(opcode) = Opcode::from_bits(bits & 15) else {
            return;
        };
        let fin = if bits & 0x80 == 0 {
            Fin::Last
        } else {
            Fin::More
        };
        self.call(script, |end, bytes| {
            let (now, payload) = (end.now(), Payload::Borrowed(bytes));
            end.connection.send_frame(now, opcode, payload, fin)
        });
    }

    fn payload(&mut self, script: &mut Script<'_>) {
        self.call(script, |end, bytes| {
            end.connection.send_frame_payload(Payload::Borrowed(bytes))
        });
    }

    fn call(
        &mut self,
        script: &mut Script<'_>,
        call: impl FnOnce(&mut End, &[u8]) -> Result<(), Misuse>,
    ) {
        let bytes = script.bytes();
        let called = call(&mut self.end, bytes);
        self.queued(called, bytes.len());
    }

    fn queued(&mut self, called: Result<(), Misuse>, len: usize) {
        if called.is_ok() {
            self.queued_by_us += len + FRAME_OVERHEAD;
        }
    }

    /// What the peer does can queue no more than the pongs, a keepalive ping and a close frame.
    fn check_queue(&self) {
        let queued = self.end.connection.queued_len();
        assert!(queued <= self.queued_by_us + PEER_CAUSED_MAX, "{queued}");
    }

    fn finish(mut self) {
        let was_aborted = self.end.connection.state() == ConnectionState::Closed;
        self.written.extend_from_slice(&self.end.write());
        self.end.ended();
        let is_close = |event: &&Collected| matches!(event, Collected::Close(_));
        assert!(self.end.events.iter().filter(is_close).count() <= 1);
        let (frames, rest) = Frame::parse_whole(&self.written);
        let masked = self.end.connection.role() == Role::Client;
        assert!(frames.iter().all(|frame| frame.key.is_some() == masked));
        if let Some(at) = frames.iter().position(|frame| frame.opcode == Frame::CLOSE) {
            assert_eq!(at + 1, frames.len(), "nothing follows a close frame");
            assert!(rest.is_empty() || was_aborted);
        }
    }
}

fn new_end(options: u8) -> End {
    let role = match options & 1 {
        0 => Role::Server,
        _ => Role::Client,
    };
    let deflate = match options & 6 {
        0 => None,
        2 => Some(deflate_params(15, Takeover::Yes)),
        4 => Some(deflate_params(9, Takeover::No)),
        _ => Some(deflate_params(8, Takeover::Yes)),
    };
    let config = Config {
        limits: Limits {
            message_size_max: 4096,
            frame_size_max: 2048,
            fragment_count_max: 8,
        },
        keepalive: (options & 8 != 0).then_some(Keepalive {
            interval: Duration::from_secs(20),
            timeout: Duration::from_secs(10),
        }),
        compression_size_min: usize::from(options >> 4),
        ..Config::default()
    };
    let deflate = deflate.map(|params| Deflate::new(params, std::sync::Arc::default()));
    End::new(role, config, deflate)
}

fn shape(script: &mut Script<'_>) -> (MessageKind, Fin) {
    let bits = script.byte();
    let kind = match bits & 1 {
        0 => MessageKind::Binary,
        _ => MessageKind::Text,
    };
    let fin = match bits & 2 {
        0 => Fin::Last,
        _ => Fin::More,
    };
    (kind, fin)
}

fn compress(script: &mut Script<'_>) -> Compress {
    match script.byte() % 2 {
        0 => Compress::Auto,
        _ => Compress::Never,
    }
}

/// The longest header, with what compression may add to 255 bytes.
const FRAME_OVERHEAD: usize = 14 + 64;
/// Seventeen pongs, a keepalive ping and a close frame.
const PEER_CAUSED_MAX: usize = 19 * (125 + 14);

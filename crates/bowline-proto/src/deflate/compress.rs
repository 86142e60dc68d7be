//! The sending transform (RFC 7692, section 7.2.1).

use std::sync::Arc;

use bytes::BytesMut;
use zlib_rs::{Deflate, DeflateFlush};

use super::pool::{ContextPool, DeflateContext, DeflateKey, Ticket, distance};
use super::short::{self, compress_short};
use super::window::{Window, WindowBits};
use super::{Level, MemLevel};

/// What was negotiated for the direction a [`Compressor`] sends, and how hard it works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompressorConfig {
    /// The window size the peer can follow; the largest unless negotiated.
    pub window_bits: WindowBits,
    /// Whether a message may refer to earlier ones.
    pub takeover: bool,
    /// The compression level; [`Level::DEFAULT`] prefers speed.
    pub level: Level,
    /// The memory level; [`MemLevel::DEFAULT`] suits pooled contexts.
    pub mem_level: MemLevel,
}

/// Compresses the messages of one connection.
///
/// A message is compressed whole with [`compress`](Self::compress), or in fragments with
/// [`compress_fragment`](Self::compress_fragment) and
/// [`compress_last_fragment`](Self::compress_last_fragment), or elsewhere and announced with
/// [`append_prepared`](Self::append_prepared). Whatever was compressed has to be sent in the same
/// order. Messages sent uncompressed need no call.
#[derive(Debug)]
pub struct Compressor {
    pool: Arc<ContextPool>,
    /// What the next message may refer to; stays empty without takeover.
    window: Window,
    takeover: bool,
    key: DeflateKey,
    /// The context of the fragmented message under way.
    message: Option<Box<DeflateContext>>,
    /// Leads to the context that knows the window already, while that is idle.
    ticket: Option<Ticket>,
}

impl Compressor {
    /// Creates a compressor that owns no memory until the first compressed message.
    pub fn new(pool: Arc<ContextPool>, config: CompressorConfig) -> Self {
        Self {
            pool,
            window: Window::new(config.window_bits),
            takeover: config.takeover,
            key: DeflateKey::new(config.window_bits, config.level, config.mem_level),
            message: None,
            ticket: None,
        }
    }

    /// Compresses a whole message and appends the result to `output`, ready to be a payload.
    ///
    /// The result is provisional: see [`Compressed`]. Must not be called between the fragments of
    /// a message, where RFC 6455, section 5.4 allows no other message.
    pub fn compress<'a>(
        &'a mut self,
        payload: &'a [u8],
        output: &'a mut BytesMut,
    ) -> Compressed<'a> {
        debug_assert!(self.message.is_none(), "messages do not interleave");
        let start = output.len();
        let mut context = None;
        if payload.is_empty() {
            output.extend_from_slice(&EMPTY_MESSAGE);
        } else {
            context = self.begin_whole(payload.len());
            if let Some(context) = &mut context {
                deflate(&mut context.stream, payload, output);
                strip_tail(output);
            } else {
                let history = self.window.last(short::HISTORY_MAX);
                compress_short(history, payload, self.window.size_max(), output);
            }
        }
        Compressed {
            compressor: self,
            payload,
            output,
            start,
            context,
            committed: false,
        }
    }

    /// Compresses a fragment that is not the last of its message, appends the result to `output`
    /// and returns its length in bytes.
    ///
    /// The peer can decompress everything up to here without waiting for the next fragment. The
    /// result has to be sent; an empty fragment gives an empty result.
    pub fn compress_fragment(&mut self, payload: &[u8], output: &mut BytesMut) -> usize {
        let start = output.len();
        if !payload.is_empty() {
            let context = self.message.take();
            let mut context = context.unwrap_or_else(|| self.begin(payload.len()));
            deflate(&mut context.stream, payload, output);
            self.message = Some(context);
            self.append(payload);
        }
        output.len() - start
    }

    /// Compresses the last fragment of a message, appends the result to `output` and returns its
    /// length in bytes.
    ///
    /// The result has to be sent.
    pub fn compress_last_fragment(&mut self, payload: &[u8], output: &mut BytesMut) -> usize {
        let start = output.len();
        self.compress_fragment(payload, output);
        if payload.is_empty() {
            // What came before ends flushed, with nothing removed: one more empty block is due.
            output.extend_from_slice(&EMPTY_MESSAGE);
        } else {
            strip_tail(output);
        }
        if let Some(context) = self.message.take() {
            self.put_back(context);
        }
        output.len() - start
    }

    /// Takes note of a message that is sent as [`compress_standalone`] made it.
    ///
    /// The peer's window takes in every compressed message, so this one's plain bytes enter ours,
    /// unless that is empty: then there is nothing yet that they would have to follow, and a
    /// connection that gets nothing but such messages keeps no window. The bits given to
    /// [`compress_standalone`] must not exceed this connection's.
    pub fn append_prepared(&mut self, plaintext: &[u8]) {
        if !self.window.is_empty() {
            self.append(plaintext);
        }
        // No context has seen this.
        self.ticket = None;
    }

    /// Gives up a message of which only some fragments were compressed and returns its context to
    /// the pool.
    ///
    /// The fragments count as sent. Dropping the compressor does the same.
    pub fn abandon(&mut self) {
        if let Some(context) = self.message.take() {
            self.pool.put_deflate(context);
        }
    }

    fn append(&mut self, plaintext: &[u8]) {
        if self.takeover {
            self.window.append(plaintext);
        }
    }

    /// Gives back a context that has seen exactly what is in the window.
    fn put_back(&mut self, context: Box<DeflateContext>) {
        if self.takeover {
            self.ticket = Some(self.pool.put_warm_deflate(context));
        } else {
            self.pool.put_deflate(context);
        }
    }

    /// Takes a context for a whole message of so many bytes, unless it is better compressed
    /// without: short, with something to refer to that no idle context has seen.
    fn begin_whole(&mut self, len: usize) -> Option<Box<DeflateContext>> {
        let warm = self.take_warm();
        if warm.is_some() {
            return warm;
        }
        if len <= short::MESSAGE_MAX && !self.window.is_empty() {
            self.pool.count_compression();
            return None;
        }
        Some(self.take_cold(len))
    }

    /// Takes a context for a message that begins with a fragment of so many bytes.
    fn begin(&mut self, len: usize) -> Box<DeflateContext> {
        let warm = self.take_warm();
        warm.unwrap_or_else(|| self.take_cold(len))
    }

    /// Takes the context that has seen what is in the window.
    fn take_warm(&mut self) -> Option<Box<DeflateContext>> {
        let ticket = self.ticket.take()?;
        self.pool.take_warm_deflate(ticket)
    }

    /// Takes any context and shows it the end of the window.
    ///
    /// A message may refer to less than the peer remembers. To hash what is shown costs as much
    /// as to compress it, so shorter messages are shown less.
    fn take_cold(&self, len: usize) -> Box<DeflateContext> {
        let mut context = self.pool.take_deflate(self.key);
        let shown = len.saturating_mul(SHOWN_FACTOR).max(SHOWN_MIN);
        for dictionary in self.window.last(shown) {
            if !dictionary.is_empty() {
                context
                    .stream
                    .set_dictionary(dictionary)
                    .expect("a raw stream takes a dictionary when nothing is pending");
            }
        }
        context
    }
}

impl Drop for Compressor {
    fn drop(&mut self) {
        self.abandon();
    }
}

/// A whole message, compressed at the end of the output it was given, that waits for a decision.
///
/// [`commit`](Self::commit) says that it will be sent and lets it enter the window. Dropping it
/// takes the compressed bytes out of the output again, and the window never knew of them.
#[derive(Debug)]
#[must_use = "dropping this discards the compressed bytes"]
pub struct Compressed<'a> {
    compressor: &'a mut Compressor,
    payload: &'a [u8],
    output: &'a mut BytesMut,
    start: usize,
    /// Gone back to the pool once it is decided; an empty message needs none.
    context: Option<Box<DeflateContext>>,
    committed: bool,
}

impl Compressed<'_> {
    /// Returns the length of the compressed message in bytes.
    pub fn size(&self) -> usize {
        self.output.len() - self.start
    }

    /// Decides to send the message; returns its compressed length in bytes.
    pub fn commit(mut self) -> usize {
        self.committed = true;
        self.compressor.append(self.payload);
        if let Some(context) = self.context.take() {
            self.compressor.put_back(context);
        }
        self.size()
    }

    /// Decides not to send the message compressed; the output is as it was before.
    pub fn discard(self) {
        drop(self);
    }
}

impl Drop for Compressed<'_> {
    fn drop(&mut self) {
        if !self.committed {
            self.output.truncate(self.start);
        }
        if let Some(context) = self.context.take() {
            // It has seen what the peer never will.
            self.compressor.pool.put_deflate(context);
        }
    }
}

/// Compresses a message that refers to nothing before it, appends the result to `output` and
/// returns its length in bytes.
///
/// Any peer whose window has at least `window_bits` can decompress it, at any place in its
/// stream. For a peer with context takeover call [`Compressor::append_prepared`] when it is sent.
pub fn compress_standalone(
    pool: &ContextPool,
    window_bits: WindowBits,
    level: Level,
    payload: &[u8],
    output: &mut BytesMut,
) -> usize {
    let start = output.len();
    if payload.is_empty() {
        output.extend_from_slice(&EMPTY_MESSAGE);
    } else {
        let mut context = pool.take_deflate(DeflateKey::new(window_bits, level, MemLevel::DEFAULT));
        deflate(&mut context.stream, payload, output);
        pool.put_deflate(context);
        strip_tail(output);
    }
    output.len() - start
}

/// Compresses all of `input`, flushed to a byte boundary, and appends the result to `output`.
fn deflate(stream: &mut Deflate, input: &[u8], output: &mut BytesMut) {
    let mut rest = input;
    loop {
        let start = output.len();
        let step = (rest.len() + rest.len() / 8).clamp(STEP_MIN, STEP_MAX);
        output.resize(start + step, 0);
        let space = output.get_mut(start..).unwrap_or_default();
        let (before_in, before_out) = (stream.total_in(), stream.total_out());
        stream
            .compress(rest, space, DeflateFlush::SyncFlush)
            .expect("a deflate stream that was set up well takes any input");
        let consumed = distance(before_in, stream.total_in());
        let produced = distance(before_out, stream.total_out());
        output.truncate(start + produced);
        rest = rest.get(consumed..).unwrap_or_default();
        // A full output may hide the end of the flush, even when all the input is used up.
        if rest.is_empty() && produced < step {
            return;
        }
    }
}

/// Removes the end of a flush (RFC 7692, section 7.2.1).
fn strip_tail(output: &mut BytesMut) {
    debug_assert!(
        output.ends_with(&TAIL),
        "a flush ends with an empty stored block"
    );
    output.truncate(output.len() - TAIL.len());
}

/// A context is shown so many times a message's length of what went before,
const SHOWN_FACTOR: usize = 8;

/// and no less than this, in bytes.
const SHOWN_MIN: usize = 4 * 1024;

/// What an empty stored block ends with, after its header bits.
const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// An empty stored block without its end (RFC 7692, section 7.2.3.6).
const EMPTY_MESSAGE: [u8; 1] = [0x00];

/// The least room made for one call into zlib, in bytes: a flush alone always fits.
const STEP_MIN: usize = 64;

/// The most room made for one call into zlib, in bytes, and so the most zeroed in vain.
const STEP_MAX: usize = 16 * 1024;

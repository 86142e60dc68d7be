//! The receiving transform (RFC 7692, section 7.2.2).

use std::mem;
use std::sync::Arc;

use zlib_rs::{InflateFlush, Status};

use super::pool::{ContextPool, EXPECT_ZLIB_HEADER, InflateContext, distance};
use super::window::{Window, WindowBits};

/// What was negotiated for the direction an [`Inflater`] receives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InflaterConfig {
    /// The peer's window size; the largest unless negotiated.
    pub window_bits: WindowBits,
    /// Whether the peer may refer to earlier messages.
    pub takeover: bool,
}

/// Decompresses the messages of one connection, one after the other.
///
/// For each message: [`inflate`](Self::inflate) with the payload as it arrives, in pieces of any
/// size, then [`finish`](Self::finish) until it is done. After an error the stream is lost, and
/// the connection has to be failed.
#[derive(Debug)]
pub struct Inflater {
    pool: Arc<ContextPool>,
    /// What the next message may refer to; stays empty without takeover.
    window: Window,
    config: InflaterConfig,
    /// The context of the message under way; its history is the window meanwhile.
    message: Option<Box<InflateContext>>,
}

/// What one call of [`Inflater::inflate`] did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// The number of input bytes used, in bytes from the start of the input.
    pub consumed: usize,
    /// The number of bytes written to the start of the output.
    pub produced: usize,
}

/// What one call of [`Inflater::finish`] did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Finish {
    /// The number of bytes written to the start of the output.
    pub produced: usize,
    /// Whether the message is complete; otherwise the output was too small.
    pub done: bool,
}

/// A compressed message that breaks the rules; always the peer's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum InflateError {
    /// The payload is no DEFLATE stream (RFC 1951), or refers to bytes before the negotiated
    /// window, which without takeover begins with the message.
    #[error("the compressed message is not a valid DEFLATE stream within the negotiated window")]
    Corrupt,
    /// The message ends within a block.
    #[error("the compressed message ends within a DEFLATE block")]
    Truncated,
}

impl Inflater {
    /// Creates an inflater that owns no memory until the first compressed message.
    ///
    /// With takeover it keeps 2^bits bytes between messages, and 512 for 8 bits, because peers
    /// built on zlib use a 9-bit window when 8 bits were agreed.
    pub fn new(pool: Arc<ContextPool>, config: InflaterConfig) -> Self {
        Self {
            pool,
            window: Window::new(config.window_bits.for_context()),
            config,
            message: None,
        }
    }

    /// Decompresses payload bytes of the current message into `output`.
    ///
    /// Never writes beyond `output`, so that its length caps what a message may become. Returns
    /// when the input is used up or the output is full: with `produced < output.len()` all of
    /// the input was consumed, and no byte is held back. With a full output, call again with the
    /// rest of the input, which may be empty.
    ///
    /// # Errors
    ///
    /// [`InflateError::Corrupt`], as soon as the offending bits are reached; what was written to `output` by then is not reported.
    pub fn inflate(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, InflateError> {
        if self.message.is_none() && !input.is_empty() {
            self.message = Some(self.begin());
        }
        let mut total = Progress::default();
        while let Some(context) = &mut self.message {
            let rest = input.get(total.consumed..).unwrap_or_default();
            let space = output.get_mut(total.produced..).unwrap_or_default();
            if space.is_empty() {
                break;
            }
            let (unread, room) = (rest.len(), space.len());
            let progress = match context.turn(rest, space) {
                Ok(progress) => progress,
                Err(error) => {
                    self.abandon();
                    return Err(error);
                }
            };
            total.consumed += progress.consumed;
            total.produced += progress.produced;
            if progress.consumed == unread && progress.produced < room {
                break;
            }
        }
        Ok(total)
    }

    /// Completes the message after its last payload byte was consumed by
    /// [`inflate`](Self::inflate).
    ///
    /// Call repeatedly until [`Finish::done`]; each time with room for at least one byte, even
    /// when the message may not grow any more: a byte produced then says that it is too long. A
    /// message whose payload is empty is an empty message.
    ///
    /// # Errors
    ///
    /// [`InflateError::Truncated`] if the message does not end where a DEFLATE block ends (RFC
    /// 7692, section 7.2.1), and [`InflateError::Corrupt`].
    pub fn finish(&mut self, output: &mut [u8]) -> Result<Finish, InflateError> {
        let drained = self.inflate(&[], output)?;
        let Some(context) = &mut self.message else {
            return Ok(Finish {
                produced: 0,
                done: true,
            });
        };
        let done = drained.produced < output.len();
        if done {
            let complete = context.ends_at_block_boundary();
            self.abandon();
            if !complete {
                return Err(InflateError::Truncated);
            }
        }
        Ok(Finish {
            produced: drained.produced,
            done,
        })
    }

    /// Gives up the current message and returns its context to the pool.
    ///
    /// The peer's window cannot be followed from here on, so the connection has to be failed.
    /// Dropping the inflater does the same.
    pub fn abandon(&mut self) {
        if let Some(mut context) = self.message.take() {
            if self.config.takeover {
                mem::swap(&mut context.history, &mut self.window);
            }
            self.pool.put_inflate(context);
        }
    }

    /// Takes a context for a message; its history is this connection's window until the end.
    fn begin(&mut self) -> Box<InflateContext> {
        let mut context = self.pool.take_inflate();
        if self.config.takeover {
            mem::swap(&mut context.history, &mut self.window);
        } else {
            context
                .history
                .restart(self.config.window_bits.for_context());
        }
        context.begin_stream();
        context
    }
}

impl Drop for Inflater {
    fn drop(&mut self) {
        self.abandon();
    }
}

impl InflateContext {
    /// Hands the history to a cleared stream.
    fn begin_stream(&mut self) {
        self.at_stream_start = true;
        for dictionary in self.history.last(usize::MAX) {
            if !dictionary.is_empty() {
                self.stream
                    .set_dictionary(dictionary)
                    .expect("a raw stream takes a dictionary at any time");
            }
        }
    }

    /// Decompresses once, remembers what was produced and begins anew after a final block.
    fn turn(&mut self, input: &[u8], output: &mut [u8]) -> Result<Progress, InflateError> {
        let (before_in, before_out) = (self.stream.total_in(), self.stream.total_out());
        let status = self
            .stream
            .decompress(input, output, InflateFlush::NoFlush)
            // zlib-rs tells no cause reliably: its fast path replaces the message.
            .map_err(|_| InflateError::Corrupt)?;
        let progress = Progress {
            consumed: distance(before_in, self.stream.total_in()),
            produced: distance(before_out, self.stream.total_out()),
        };
        self.history
            .append(output.get(..progress.produced).unwrap_or_default());
        if status == Status::StreamEnd {
            // RFC 7692, section 7.2.3.4: a final block ends a stream, not the message; what
            // follows begins at the next byte and may still refer to what came before.
            self.stream.reset(EXPECT_ZLIB_HEADER);
            self.begin_stream();
        } else if progress.consumed > 0 {
            self.at_stream_start = false;
        } else if progress.produced == 0 && !input.is_empty() && !output.is_empty() {
            // zlib never stands still between input and room; a caller must not spin if it did.
            return Err(InflateError::Corrupt);
        }
        Ok(progress)
    }

    /// Appends the bytes the sender removed and tells whether they were missing.
    ///
    /// RFC 7692, section 7.2.2: 00 00 ff ff completes the empty stored block each message ends
    /// with. An empty final block after it ends the stream at once, exactly if no other block is
    /// open. A message that ends with a final block misses nothing.
    fn ends_at_block_boundary(&mut self) -> bool {
        if self.at_stream_start {
            return true;
        }
        let (before_in, before_out) = (self.stream.total_in(), self.stream.total_out());
        let status = self
            .stream
            .decompress(&TAIL_AND_FINAL_BLOCK, &mut [0], InflateFlush::NoFlush);
        status == Ok(Status::StreamEnd)
            && distance(before_in, self.stream.total_in()) == TAIL_AND_FINAL_BLOCK.len()
            && distance(before_out, self.stream.total_out()) == 0
    }
}

/// The removed end of a message, then an empty final block with fixed codes.
const TAIL_AND_FINAL_BLOCK: [u8; 6] = [0x00, 0x00, 0xff, 0xff, 0x03, 0x00];

//! The resumable parser of request and response heads.

use std::fmt;
use std::marker::PhantomData;

use bytes::{Bytes, BytesMut};

use super::error::HeadError;
use super::field::is_token_byte;
use super::request::RequestHead;
use super::response::ResponseHead;

/// The bounds of one head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadLimits {
    /// Largest size of a head in bytes, with the empty line that ends it. Default 16 KiB: twice
    /// what common servers allow for one field, and little enough to hold for each connection
    /// that is still in its handshake.
    pub head_size_max: usize,
    /// Largest number of header fields. Default 100, what common servers allow.
    pub header_count_max: usize,
}

impl Default for HeadLimits {
    fn default() -> Self {
        Self {
            head_size_max: 16 * 1024,
            header_count_max: 100,
        }
    }
}

/// A parser that is fed a head in any pieces, looks at each byte once and keeps only the bytes of
/// an unfinished head.
///
/// It is stricter than HTTP asks: a line ends with CR LF and nothing else, a folded line, a blank
/// before a colon and control bytes are refused (RFC 9112 sections 2.2, 5.1 and 5.2 leave a
/// choice). The first byte that cannot belong to a head is refused when it is seen.
///
/// After a head the parser is ready for the next one. After an error it repeats that error.
pub struct HeadParser<H> {
    limits: HeadLimits,
    spill: BytesMut,
    scanner: Scanner,
    failure: Option<HeadError>,
    kind: PhantomData<fn() -> H>,
}

impl<H: Head> HeadParser<H> {
    /// Creates a parser that holds no memory until bytes arrive.
    pub fn new(limits: HeadLimits) -> Self {
        Self {
            limits,
            spill: BytesMut::new(),
            scanner: Scanner::default(),
            failure: None,
            kind: PhantomData,
        }
    }

    /// Takes the next bytes; returns the head when it is complete.
    ///
    /// While the head is incomplete all of `chunk` is consumed. In a complete head,
    /// [`ParsedHead::consumed`] says how many bytes of `chunk` belong to it.
    ///
    /// # Errors
    ///
    /// [`HeadError`] when the bytes cannot be a head or pass a limit.
    pub fn handle_input(&mut self, chunk: &[u8]) -> Result<Option<ParsedHead<H>>, HeadError> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        let parsed = self.advance(chunk);
        if let Err(error) = parsed {
            self.failure = Some(error);
        }
        parsed
    }

    /// Returns the bytes kept of a head that is not complete.
    ///
    /// After an error they are the bytes given before the chunk in which the error was found.
    pub fn buffered(&self) -> &[u8] {
        &self.spill
    }

    /// Returns how many bytes the parser has looked at, in all heads so far.
    ///
    /// It is never more than the bytes given: each is looked at once.
    pub const fn scanned_bytes(&self) -> u64 {
        self.scanner.scanned_bytes
    }

    fn advance(&mut self, chunk: &[u8]) -> Result<Option<ParsedHead<H>>, HeadError> {
        let room = self.limits.head_size_max.saturating_sub(self.spill.len());
        let window = chunk.get(..room).unwrap_or(chunk);
        let Some(consumed) = self
            .scanner
            .scan::<H>(window, self.limits.header_count_max)?
        else {
            if window.len() == room {
                return Err(HeadError::SizeLimit);
            }
            self.spill.extend_from_slice(window);
            return Ok(None);
        };
        let last = window.get(..consumed).unwrap_or(window);
        let bytes = if self.spill.is_empty() {
            Bytes::copy_from_slice(last)
        } else {
            self.spill.extend_from_slice(last);
            std::mem::take(&mut self.spill).freeze()
        };
        let header_count = self.scanner.finish();
        let head = H::parse(bytes, header_count)?;
        Ok(Some(ParsedHead { head, consumed }))
    }
}

impl<H> fmt::Debug for HeadParser<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeadParser")
            .field("limits", &self.limits)
            .field("buffered", &self.spill.len())
            .field("failure", &self.failure)
            .finish_non_exhaustive()
    }
}

/// A complete head and where it ended.
#[derive(Clone, Debug)]
pub struct ParsedHead<H> {
    /// The head.
    pub head: H,
    /// How many bytes of the last chunk belong to the head; those after them belong to the
    /// connection.
    pub consumed: usize,
}

/// A kind of head: [`RequestHead`] or [`ResponseHead`].
pub trait Head: sealed::Sealed + Sized {}

impl Head for RequestHead {}
impl Head for ResponseHead {}

pub(crate) mod sealed {
    use super::{Bytes, HeadError};

    /// What the parser needs to know of a kind of head.
    #[expect(unnameable_types, reason = "nobody else may implement it")]
    pub trait Sealed: Sized {
        /// How many bytes at the start [`start_possible`](Self::start_possible) decides on.
        const START_LENGTH: usize;

        /// Tells whether a byte can stand at a place below `START_LENGTH`.
        fn start_possible(position: usize, byte: u8) -> bool;

        /// Parses a whole head that has `header_count` header lines.
        fn parse(bytes: Bytes, header_count: usize) -> Result<Self, HeadError>;
    }
}

impl sealed::Sealed for RequestHead {
    const START_LENGTH: usize = 1;

    fn start_possible(_position: usize, byte: u8) -> bool {
        is_token_byte(byte)
    }

    fn parse(bytes: Bytes, header_count: usize) -> Result<Self, HeadError> {
        with_fields(header_count, |fields| Self::parse_with(&bytes, fields))
    }
}

impl sealed::Sealed for ResponseHead {
    const START_LENGTH: usize = RESPONSE_START.len();

    fn start_possible(position: usize, byte: u8) -> bool {
        RESPONSE_START.get(position) == Some(&byte)
    }

    fn parse(bytes: Bytes, header_count: usize) -> Result<Self, HeadError> {
        with_fields(header_count, |fields| Self::parse_with(&bytes, fields))
    }
}

/// Finds the end of a head: a state machine that takes each byte once.
#[derive(Debug, Default)]
struct Scanner {
    place: Place,
    line_count: usize,
    scanned_bytes: u64,
}

impl Scanner {
    /// Looks at new bytes; returns how many of them belong to the head when it ends in them.
    fn scan<H: Head>(
        &mut self,
        window: &[u8],
        header_count_max: usize,
    ) -> Result<Option<usize>, HeadError> {
        for (index, byte) in window.iter().copied().enumerate() {
            self.scanned_bytes += 1;
            self.place = match (self.place, byte) {
                (Place::Start(position), _) if H::start_possible(position, byte) => {
                    let next = position + 1;
                    if next < H::START_LENGTH {
                        Place::Start(next)
                    } else {
                        Place::Line
                    }
                }
                (Place::Start(_), _) => return Err(HeadError::NotHttp),
                (Place::Line, b'\r') => Place::LineCr,
                (Place::LineStart, b'\r') => Place::EndCr,
                (Place::LineStart, b' ' | b'\t') => return Err(HeadError::FoldedLine),
                (Place::Line | Place::LineStart, b'\n') => return Err(HeadError::BareLf),
                (Place::Line | Place::LineStart, b'\t' | 0x20..=0x7e | 0x80..) => Place::Line,
                (Place::Line | Place::LineStart, _) => return Err(HeadError::ControlByte),
                (Place::LineCr, b'\n') if self.line_count > header_count_max => {
                    return Err(HeadError::HeaderCountLimit);
                }
                (Place::LineCr, b'\n') => {
                    self.line_count += 1;
                    Place::LineStart
                }
                (Place::EndCr, b'\n') => return Ok(Some(index + 1)),
                (Place::LineCr | Place::EndCr, _) => return Err(HeadError::BareCr),
            };
        }
        Ok(None)
    }

    /// Makes ready for the next head; returns the number of header lines of this one.
    fn finish(&mut self) -> usize {
        self.place = Place::default();
        std::mem::take(&mut self.line_count).saturating_sub(1)
    }
}

/// Where in a head the scanner stands.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// In the first bytes, which tell HTTP from anything else.
    Start(usize),
    Line,
    LineCr,
    /// After CR LF.
    LineStart,
    /// After CR LF CR.
    EndCr,
}

impl Default for Place {
    fn default() -> Self {
        Self::Start(0)
    }
}

/// Gives `parse` room for the header fields: on the stack for a usual head.
fn with_fields<'b, R>(
    header_count: usize,
    parse: impl FnOnce(&mut [httparse::Header<'b>]) -> R,
) -> R {
    let mut few = [httparse::EMPTY_HEADER; USUAL_HEADER_COUNT];
    match few.get_mut(..header_count) {
        Some(fields) => parse(fields),
        None => parse(&mut vec![httparse::EMPTY_HEADER; header_count]),
    }
}

const USUAL_HEADER_COUNT: usize = 32;
const RESPONSE_START: &[u8] = b"HTTP/";

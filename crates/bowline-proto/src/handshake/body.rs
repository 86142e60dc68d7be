//! The bounded body of an answer that is not 101 (RFC 9112 sections 6 and 7).

use bytes::{Bytes, BytesMut};

use super::response::ResponseHead;

/// How the body of a refusal ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyEnd {
    /// The body is whole.
    Complete,
    /// The body is longer than [`ClientLimits::body_size_max`](super::ClientLimits); the rest was
    /// not read.
    LimitReached,
    /// The length or the chunks do not follow the grammar; what came before is kept.
    Malformed,
    /// The connection ended before the body did.
    CutShort,
}

/// Collects a body as its bytes come in, up to a limit.
#[derive(Debug)]
pub(crate) struct BodyReader {
    framing: Framing,
    body: BytesMut,
    body_size_max: usize,
}

impl BodyReader {
    pub(crate) fn new(head: &ResponseHead, body_size_max: usize) -> Self {
        Self {
            framing: Framing::of(head),
            body: BytesMut::new(),
            body_size_max,
        }
    }

    /// Takes the next bytes; returns how the body ended when it has.
    pub(crate) fn handle_input(&mut self, mut chunk: &[u8]) -> Option<BodyEnd> {
        loop {
            match self.framing {
                Framing::Broken => return Some(BodyEnd::Malformed),
                Framing::Length(0) => return Some(BodyEnd::Complete),
                Framing::Length(left) => return self.take_length(left, chunk),
                Framing::UntilEof => return self.keep(chunk).err(),
                Framing::Chunked(place) => {
                    let (place, rest) = match self.take_chunk_part(place, chunk) {
                        Ok(Some(next)) => next,
                        Ok(None) => return None,
                        Err(end) => return Some(end),
                    };
                    self.framing = Framing::Chunked(place);
                    chunk = rest;
                }
            }
        }
    }

    /// Takes the end of the connection.
    pub(crate) const fn handle_eof(&self) -> BodyEnd {
        match self.framing {
            Framing::UntilEof | Framing::Length(0) => BodyEnd::Complete,
            Framing::Length(_) | Framing::Chunked(_) => BodyEnd::CutShort,
            Framing::Broken => BodyEnd::Malformed,
        }
    }

    pub(crate) fn into_body(self) -> Bytes {
        self.body.freeze()
    }

    fn take_length(&mut self, left: u64, chunk: &[u8]) -> Option<BodyEnd> {
        let (mine, left) =
            split_counted(left, chunk).map_or((chunk, left), |(mine, _, left)| (mine, left));
        self.framing = Framing::Length(left);
        match self.keep(mine) {
            Err(end) => Some(end),
            Ok(()) if left == 0 => Some(BodyEnd::Complete),
            Ok(()) => None,
        }
    }

    /// Takes one step through chunked data; `None` when `chunk` is used up.
    fn take_chunk_part<'c>(
        &mut self,
        place: ChunkPlace,
        chunk: &'c [u8],
    ) -> Result<Option<(ChunkPlace, &'c [u8])>, BodyEnd> {
        let Some((byte, rest)) = chunk.split_first() else {
            return Ok(None);
        };
        let next = match (place, *byte) {
            (ChunkPlace::Data { left }, _) => {
                let (mine, rest, left) = split_counted(left, chunk).ok_or(BodyEnd::Malformed)?;
                self.keep(mine)?;
                let place = if left == 0 {
                    ChunkPlace::DataCr
                } else {
                    ChunkPlace::Data { left }
                };
                return Ok(Some((place, rest)));
            }
            (ChunkPlace::Size { size, digit_count }, digit) if digit.is_ascii_hexdigit() => {
                let value = char::from(digit).to_digit(16).ok_or(BodyEnd::Malformed)?;
                if digit_count == CHUNK_SIZE_DIGITS_MAX {
                    return Err(BodyEnd::Malformed);
                }
                let size = size * 16 + u64::from(value);
                ChunkPlace::Size {
                    size,
                    digit_count: digit_count + 1,
                }
            }
            (ChunkPlace::Size { digit_count: 0, .. }, _) => return Err(BodyEnd::Malformed),
            (ChunkPlace::Size { size, .. } | ChunkPlace::Extension { size, .. }, b'\r') => {
                ChunkPlace::SizeLf { size }
            }
            (ChunkPlace::Size { size, .. }, b';' | b' ' | b'\t') => {
                ChunkPlace::Extension { size, length: 1 }
            }
            (
                ChunkPlace::Extension {
                    length: CHUNK_EXTENSION_SIZE_MAX,
                    ..
                },
                _,
            )
            | (ChunkPlace::Extension { .. }, b'\n') => return Err(BodyEnd::Malformed),
            (ChunkPlace::Extension { size, length }, _) => ChunkPlace::Extension {
                size,
                length: length + 1,
            },
            // Trailers may follow the last chunk; the connection ends here, nobody reads them.
            (ChunkPlace::SizeLf { size: 0 }, b'\n') => return Err(BodyEnd::Complete),
            (ChunkPlace::SizeLf { size }, b'\n') => ChunkPlace::Data { left: size },
            (ChunkPlace::DataCr, b'\r') => ChunkPlace::DataLf,
            (ChunkPlace::DataLf, b'\n') => ChunkPlace::START,
            (
                ChunkPlace::Size { .. }
                | ChunkPlace::SizeLf { .. }
                | ChunkPlace::DataCr
                | ChunkPlace::DataLf,
                _,
            ) => return Err(BodyEnd::Malformed),
        };
        Ok(Some((next, rest)))
    }

    /// Keeps bytes of the body as far as the limit allows.
    fn keep(&mut self, bytes: &[u8]) -> Result<(), BodyEnd> {
        let room = self.body_size_max.saturating_sub(self.body.len());
        if let Some(fitting) = bytes.get(..room)
            && fitting.len() < bytes.len()
        {
            self.body.extend_from_slice(fitting);
            return Err(BodyEnd::LimitReached);
        }
        self.body.extend_from_slice(bytes);
        Ok(())
    }
}

/// How the end of a body is found.
#[derive(Clone, Copy, Debug)]
enum Framing {
    /// The bytes left.
    Length(u64),
    Chunked(ChunkPlace),
    UntilEof,
    Broken,
}

impl Framing {
    /// Reads the framing from a head (RFC 9112 section 6.3).
    fn of(head: &ResponseHead) -> Self {
        let headers = head.headers();
        if matches!(head.status(), 204 | 304) {
            return Self::Length(0);
        }
        if headers.first("transfer-encoding").is_some() {
            let last = headers
                .elements("transfer-encoding")
                .last()
                .unwrap_or_default();
            let is_chunked = last.eq_ignore_ascii_case(b"chunked");
            return if is_chunked {
                Self::Chunked(ChunkPlace::START)
            } else {
                Self::UntilEof
            };
        }
        match headers.at_most_one("content-length") {
            Ok(None) => Self::UntilEof,
            Ok(Some(length)) if length.iter().all(u8::is_ascii_digit) => {
                let length = str::from_utf8(length)
                    .ok()
                    .and_then(|digits| digits.parse().ok());
                length.map_or(Self::Broken, Self::Length)
            }
            _ => Self::Broken,
        }
    }
}

/// Where in chunked data the reader stands.
#[derive(Clone, Copy, Debug)]
enum ChunkPlace {
    Size { size: u64, digit_count: u8 },
    Extension { size: u64, length: u16 },
    SizeLf { size: u64 },
    Data { left: u64 },
    DataCr,
    DataLf,
}

impl ChunkPlace {
    const START: Self = Self::Size {
        size: 0,
        digit_count: 0,
    };
}

/// Splits off at most `left` bytes; returns them, the rest and what is left after them.
fn split_counted(left: u64, chunk: &[u8]) -> Option<(&[u8], &[u8], u64)> {
    let mine = usize::try_from(left).map_or(chunk.len(), |left| left.min(chunk.len()));
    let (mine, rest) = chunk.split_at_checked(mine)?;
    let taken = u64::try_from(mine.len()).ok()?;
    Some((mine, rest, left.checked_sub(taken)?))
}

/// Longest chunk size in hexadecimal digits, so that it fits 64 bits.
const CHUNK_SIZE_DIGITS_MAX: u8 = 16;

/// Longest chunk extension in bytes; nothing uses them.
const CHUNK_EXTENSION_SIZE_MAX: u16 = 256;

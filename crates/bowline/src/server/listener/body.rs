//! The body of a plain HTTP request (RFC 9112 sections 6 and 7).

use bowline_proto::handshake::{HttpVersion, RequestHead};
use bytes::BytesMut;

/// Why a request's body is refused, as a number that stays the same from version to version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[repr(u16)]
#[non_exhaustive]
pub enum BodyError {
    /// 160: the body is longer than
    /// [`HttpOptions::body_size_max`](super::HttpOptions::body_size_max); status 413.
    #[error("the body of the request is too long")]
    TooLong = 160,
    /// 161: the length or the chunks do not follow the grammar; status 400.
    #[error("the body of the request is malformed")]
    Malformed = 161,
    /// 162: the body has a transfer coding besides chunked; status 501 (RFC 9112 section 6.1).
    #[error("the transfer coding of the request is not supported")]
    CodingUnsupported = 162,
    /// 163: the body took too long to arrive; status 408.
    #[error("the body of the request took too long")]
    TimedOut = 163,
}

impl BodyError {
    /// Gives the number, for logs and counters.
    pub const fn code(self) -> u16 {
        self as u16
    }

    /// Gives the HTTP status that answers it.
    pub const fn status(self) -> u16 {
        match self {
            Self::TooLong => 413,
            Self::Malformed => 400,
            Self::CodingUnsupported => 501,
            Self::TimedOut => 408,
        }
    }
}

/// How the end of a body is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// A length in bytes, 0 without a body.
    Length(usize),
    Chunked,
}

impl Framing {
    /// Reads the fields that say it. Whatever two programs could read differently is malformed
    /// (RFC 9112 section 6.3).
    pub(super) fn of(head: &RequestHead, size_max: usize) -> Result<Self, BodyError> {
        let headers = head.headers();
        let mut codings = headers.elements("transfer-encoding");
        let mut lengths = headers.all("content-length");
        if headers.first("transfer-encoding").is_some() {
            if lengths.next().is_some() || head.version() == HttpVersion::Http10 {
                return Err(BodyError::Malformed);
            }
            return match (codings.next(), codings.next()) {
                (Some(coding), None) if coding.eq_ignore_ascii_case(b"chunked") => {
                    Ok(Self::Chunked)
                }
                _ => Err(BodyError::CodingUnsupported),
            };
        }
        let Some(length) = lengths.next() else {
            return Ok(Self::Length(0));
        };
        if lengths.next().is_some() || length.is_empty() || !length.iter().all(u8::is_ascii_digit) {
            return Err(BodyError::Malformed);
        }
        let length = str::from_utf8(length).map_err(|_| BodyError::Malformed)?;
        // Digits that no number holds are too many.
        let length = length.parse().map_err(|_| BodyError::TooLong)?;
        if length > size_max {
            return Err(BodyError::TooLong);
        }
        Ok(Self::Length(length))
    }
}

/// Takes a body as its bytes come in, up to a limit.
pub(super) struct BodyReader {
    place: Place,
    body: BytesMut,
    size_max: usize,
    /// Bytes of chunk sizes, extensions and trailers so far.
    overhead: usize,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    /// So many bytes are left.
    Length(usize),
    /// In the line with the size of a chunk.
    Size,
    /// So many bytes of a chunk are left.
    Chunk(usize),
    /// In the line end after a chunk.
    ChunkEnd,
    /// In the lines after the last chunk.
    Trailer,
    Done,
}

impl BodyReader {
    pub(super) fn new(framing: Framing, size_max: usize) -> Self {
        Self {
            place: match framing {
                Framing::Length(0) => Place::Done,
                Framing::Length(length) => Place::Length(length),
                Framing::Chunked => Place::Size,
            },
            body: BytesMut::new(),
            size_max,
            overhead: 0,
        }
    }

    pub(super) const fn is_done(&self) -> bool {
        matches!(self.place, Place::Done)
    }

    pub(super) fn into_body(self) -> BytesMut {
        self.body
    }

    /// Takes what it can of the input and leaves the rest: an unfinished line, or what follows the
    /// body.
    pub(super) fn handle_input(&mut self, input: &mut BytesMut) -> Result<(), BodyError> {
        while !input.is_empty() && !self.is_done() {
            match self.place {
                Place::Done => {}
                Place::Length(left) => {
                    let left = self.take(left, input)?;
                    self.place = match left {
                        0 => Place::Done,
                        left => Place::Length(left),
                    };
                }
                Place::Chunk(left) => {
                    let left = self.take(left, input)?;
                    self.place = match left {
                        0 => Place::ChunkEnd,
                        left => Place::Chunk(left),
                    };
                }
                Place::Size | Place::ChunkEnd | Place::Trailer => {
                    let Some(line) = self.take_line(input)? else {
                        return Ok(());
                    };
                    self.place = self.after_line(&line)?;
                }
            }
        }
        Ok(())
    }

    /// Moves bytes of the body; gives how many are left then.
    fn take(&mut self, left: usize, input: &mut BytesMut) -> Result<usize, BodyError> {
        let len = left.min(input.len());
        if self.body.len().saturating_add(len) > self.size_max {
            return Err(BodyError::TooLong);
        }
        self.body.extend_from_slice(&input.split_to(len));
        Ok(left - len)
    }

    /// Takes a line off, without its end; `None` if it is not whole yet.
    fn take_line(&mut self, input: &mut BytesMut) -> Result<Option<BytesMut>, BodyError> {
        let Some(end) = input.iter().position(|byte| *byte == b'\n') else {
            return if input.len() > LINE_LEN_MAX {
                Err(BodyError::Malformed)
            } else {
                Ok(None)
            };
        };
        let mut line = input.split_to(end + 1);
        self.overhead += line.len();
        if line.len() > LINE_LEN_MAX || self.overhead > OVERHEAD_MAX.max(self.size_max) {
            return Err(BodyError::Malformed);
        }
        if !line.ends_with(b"\r\n") {
            return Err(BodyError::Malformed);
        }
        line.truncate(line.len() - 2);
        // Some programs end a line at a bare CR, or do not see what follows a NUL.
        if line
            .iter()
            .any(|byte| byte.is_ascii_control() && *byte != b'\t')
        {
            return Err(BodyError::Malformed);
        }
        Ok(Some(line))
    }

    fn after_line(&self, line: &[u8]) -> Result<Place, BodyError> {
        match self.place {
            Place::Size => match chunk_size(line)? {
                0 => Ok(Place::Trailer),
                size if size > self.size_max => Err(BodyError::TooLong),
                size => Ok(Place::Chunk(size)),
            },
            Place::ChunkEnd if line.is_empty() => Ok(Place::Size),
            Place::Trailer if line.is_empty() => Ok(Place::Done),
            // Trailers are not handed on, and no program may need them (RFC 9110 section 6.5.1).
            Place::Trailer => Ok(Place::Trailer),
            Place::ChunkEnd | Place::Length(_) | Place::Chunk(_) | Place::Done => {
                Err(BodyError::Malformed)
            }
        }
    }
}

/// Reads a chunk's size; an extension after it is passed over (RFC 9112 section 7.1.1).
fn chunk_size(line: &[u8]) -> Result<usize, BodyError> {
    let digits = line.split(|byte| *byte == b';').next().unwrap_or_default();
    let digits = str::from_utf8(digits).map_err(|_| BodyError::Malformed)?;
    let digits = digits.trim_end_matches([' ', '\t']);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(BodyError::Malformed);
    }
    usize::from_str_radix(digits, 16).map_err(|_| BodyError::TooLong)
}

/// The longest line with a chunk's size or a trailer.
const LINE_LEN_MAX: usize = 1 << 10;
/// What all lines may have together, unless the body may be longer than that.
const OVERHEAD_MAX: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use bowline_proto::handshake::HeadLimits;

    use super::*;

    fn request(version: HttpVersion, fields: &[(&str, &str)]) -> RequestHead {
        let fields = fields.iter().map(|(name, value)| (*name, value.as_bytes()));
        let limits = HeadLimits::default();
        RequestHead::from_parts("POST", "/", version, fields, limits).unwrap()
    }

    #[test]
    fn the_length_is_said_in_one_way_or_refused() {
        use HttpVersion::{Http10, Http11};
        let (length, coding) = ("Content-Length", "Transfer-Encoding");
        for (version, fields, expected) in [
            (Http11, &[][..], Ok(Framing::Length(0))),
            (Http10, &[(length, "7")], Ok(Framing::Length(7))),
            (Http11, &[(length, "100")], Ok(Framing::Length(100))),
            (Http11, &[(length, "101")], Err(BodyError::TooLong)),
            (
                Http11,
                &[(length, "99999999999999999999999")],
                Err(BodyError::TooLong),
            ),
            (Http11, &[(length, "+1")], Err(BodyError::Malformed)),
            (Http11, &[(length, "1, 1")], Err(BodyError::Malformed)),
            (Http11, &[(length, "")], Err(BodyError::Malformed)),
            (
                Http11,
                &[(length, "1"), (length, "1")],
                Err(BodyError::Malformed),
            ),
            (Http11, &[(coding, "Chunked")], Ok(Framing::Chunked)),
            (Http10, &[(coding, "chunked")], Err(BodyError::Malformed)),
            (
                Http11,
                &[(coding, "chunked"), (length, "1")],
                Err(BodyError::Malformed),
            ),
            (
                Http11,
                &[(coding, "gzip, chunked")],
                Err(BodyError::CodingUnsupported),
            ),
            (Http11, &[(coding, "")], Err(BodyError::CodingUnsupported)),
        ] {
            let framing = Framing::of(&request(version, fields), 100);
            assert_eq!(framing, expected, "{fields:?}");
        }
    }

    /// Reads a body in steps of `step` bytes; gives it and what follows.
    fn read(
        framing: Framing,
        bytes: &[u8],
        step: usize,
    ) -> Result<(BytesMut, BytesMut), BodyError> {
        let mut reader = BodyReader::new(framing, 10);
        let mut input = BytesMut::new();
        for piece in bytes.chunks(step) {
            input.extend_from_slice(piece);
            reader.handle_input(&mut input)?;
        }
        assert!(reader.is_done(), "cut short");
        Ok((reader.into_body(), input))
    }

    #[test]
    fn a_body_is_read_in_any_pieces_and_what_follows_is_left() {
        let chunked = b"3\r\nabc\r\n04;x=\"y\"\r\ndefg\r\n0\r\nDigest: 1\r\n\r\nNEXT";
        for step in 1..chunked.len() {
            let (body, rest) = read(Framing::Chunked, chunked, step).unwrap();
            assert_eq!((&*body, &*rest), (&b"abcdefg"[..], &b"NEXT"[..]), "{step}");
            let (body, rest) = read(Framing::Length(4), b"abcdNEXT", step).unwrap();
            assert_eq!((&*body, &*rest), (&b"abcd"[..], &b"NEXT"[..]), "{step}");
        }
    }

    #[test]
    fn chunks_that_are_broken_or_too_long_together_are_refused() {
        for (bytes, error) in [
            (&b"b\r\n"[..], BodyError::TooLong),
            (b"6\r\nabcdef\r\n5\r\nghijk\r\n", BodyError::TooLong),
            (b"ffffffffffffffffff\r\n", BodyError::TooLong),
            (b"\r\n", BodyError::Malformed),
            (b"-1\r\n", BodyError::Malformed),
            (b"0x1\r\n", BodyError::Malformed),
            (b"1\n", BodyError::Malformed),
            (b"1;a\rb\r\n", BodyError::Malformed),
            (b"1;\0\r\n", BodyError::Malformed),
            (b"0\r\nA: b\r\r\n", BodyError::Malformed),
            (b"1\r\nab\r\n", BodyError::Malformed),
            (&[b'1'; LINE_LEN_MAX + 1], BodyError::Malformed),
        ] {
            assert_eq!(read(Framing::Chunked, bytes, 3).unwrap_err(), error);
        }
        let trailers = [&b"0\r\n"[..], &b"A: b\r\n".repeat(OVERHEAD_MAX / 6 + 1)].concat();
        let endless = read(Framing::Chunked, &trailers, 1024);
        assert_eq!(endless.unwrap_err(), BodyError::Malformed);
    }
}

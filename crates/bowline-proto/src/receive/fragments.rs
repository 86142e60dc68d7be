//! The fragment view: pieces of messages as they arrive, in constant memory. The frame view: the
//! same, a whole frame at a time.

use bytes::BytesMut;

use super::{
    Ends, Piece, Place, ReceivePath, Received,
    assembler::{Backlog, INFLATE_STEP_MAX, INFLATE_STEP_MIN, inflate_step},
};
use crate::error::Fault;

impl ReceivePath {
    /// Fragment view: reports a piece; gives also how much of it was used.
    pub(super) fn hand_out(
        &mut self,
        piece: &[u8],
        at: usize,
        ends: Ends,
    ) -> Result<(usize, Option<Received>), Fault> {
        let last = ends == Ends::Message;
        let message = self
            .message
            .as_mut()
            .expect("a data frame has joined a message");
        if message.compressed {
            return self.hand_out_compressed(piece, last);
        }
        message.check_text(piece)?;
        if last {
            message.end_text()?;
        }
        let received = (last || !piece.is_empty()).then(|| Piece {
            kind: message.kind,
            payload: Place::Input(at..at + piece.len()),
            message_start: std::mem::take(&mut message.at_start),
            message_end: last,
            frame_end: ends != Ends::Nothing,
        });
        if last {
            self.message = None;
        }
        Ok((piece.len(), received.map(Received::Fragment)))
    }

    /// Frame view: keeps a piece; reports the frame when it is whole. Compressed messages are
    /// assembled instead.
    pub(super) fn assemble_frame(
        &mut self,
        piece: &[u8],
        at: usize,
        ends: Ends,
    ) -> Result<Option<Received>, Fault> {
        let message = self
            .message
            .as_mut()
            .expect("a data frame has joined a message");
        if ends == Ends::Nothing {
            message.push(piece)?;
            return Ok(None);
        }
        let payload = message.end_frame(piece, at)?;
        if ends == Ends::Message {
            message.end_text()?;
        }
        let received = Piece {
            kind: message.kind,
            payload,
            message_start: std::mem::take(&mut message.at_start),
            message_end: ends == Ends::Message,
            frame_end: true,
        };
        if ends == Ends::Message {
            self.message = None;
        }
        Ok(Some(Received::Fragment(received)))
    }

    /// Inflates at most [`INFLATE_STEP_MAX`] bytes and reports them; the room follows the piece, so
    /// that a byte on the wire never costs a large piece.
    fn hand_out_compressed(
        &mut self,
        piece: &[u8],
        last: bool,
    ) -> Result<(usize, Option<Received>), Fault> {
        let message = self
            .message
            .as_mut()
            .expect("a data frame has joined a message");
        let inflater = self.inflater.as_mut().expect("compression was negotiated");
        let room = match message.backlog {
            Backlog::None => inflate_step(piece.len(), INFLATE_STEP_MAX),
            Backlog::Bytes | Backlog::End => INFLATE_STEP_MAX,
        };
        let mut output = BytesMut::zeroed(room);
        let progress = inflater.inflate(piece, &mut output)?;
        output.truncate(progress.produced);
        message.check_text(&output)?;
        message.backlog = match (progress.consumed == piece.len(), last) {
            (true, true) => Backlog::End,
            (true, false) if progress.produced == room => Backlog::Bytes,
            _ => Backlog::None,
        };
        let received = (!output.is_empty()).then(|| Piece {
            kind: message.kind,
            payload: Place::Own(output.freeze()),
            message_start: std::mem::take(&mut message.at_start),
            message_end: false,
            frame_end: false,
        });
        Ok((progress.consumed, received.map(Received::Fragment)))
    }

    /// Reports inflated bytes that did not fit the last piece.
    pub(super) fn drain_fragments(&mut self) -> Result<Option<Received>, Fault> {
        let message = self.message.as_ref().expect("a message is being drained");
        if message.backlog == Backlog::End {
            return self.finish_fragments().map(Some);
        }
        self.hand_out_compressed(&[], false)
            .map(|(_, received)| received)
    }

    /// Inflates and reports what is left after the last payload byte.
    fn finish_fragments(&mut self) -> Result<Received, Fault> {
        let message = self.message.as_mut().expect("a message is being finished");
        let inflater = self.inflater.as_mut().expect("compression was negotiated");
        let mut output = BytesMut::zeroed(INFLATE_STEP_MIN);
        let finish = inflater.finish(&mut output)?;
        output.truncate(finish.produced);
        message.check_text(&output)?;
        let piece = Piece {
            kind: message.kind,
            payload: Place::Own(output.freeze()),
            message_start: std::mem::take(&mut message.at_start),
            message_end: finish.done,
            frame_end: finish.done,
        };
        if finish.done {
            message.end_text()?;
            self.message = None;
        }
        Ok(Received::Fragment(piece))
    }
}

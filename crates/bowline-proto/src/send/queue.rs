//! What waits to be written, in order.

use std::{collections::VecDeque, io::IoSlice};

use bytes::{Buf, Bytes, BytesMut};

use crate::frame::{EncodedHeader, MaskingKey, apply_mask};

/// Holds encoded frames until they are written.
///
/// Small frames are flattened into `tail`; large payloads are shared and never copied. Control
/// frames pass ahead of data, but never into a frame. An empty queue owns no storage.
#[derive(Debug, Default)]
pub(crate) struct SendQueue {
    /// What is in front of `tail`. Most bursts have nothing there, and an idle queue never has.
    front: Option<Box<Front>>,
    /// Whole frames, flattened.
    tail: BytesMut,
    /// Some, but not all, bytes of the frame at the front were written.
    mid_frame: bool,
    /// The number of bytes queued.
    len: usize,
}

/// What leaves before the tail of a queue.
#[derive(Debug, Default)]
struct Front {
    segments: VecDeque<Segment>,
    /// Whole control frames that still have to be placed among the others.
    control: BytesMut,
    /// The number of segments that hold control frames.
    control_segments: usize,
}

/// A run of bytes in the queue.
#[derive(Debug)]
struct Segment {
    bytes: Bytes,
    holds: Holds,
}

/// What a segment ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holds {
    /// A part of a frame that is not its last: nothing else may follow.
    Part,
    /// The end of a frame.
    Frames,
    /// Control frames that passed ahead of data.
    Control,
}

impl SendQueue {
    /// The number of bytes queued.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Says whether control frames wait that [`push_control`](Self::push_control) queued.
    pub(crate) fn holds_control(&self) -> bool {
        let front = self.front.as_ref();
        front.is_some_and(|front| front.control_segments > 0 || !front.control.is_empty())
    }

    /// Makes room for small frames of so many bytes together, if nothing is queued yet.
    #[inline]
    pub(crate) fn expect(&mut self, len: usize) {
        if self.len == 0 && self.tail.capacity() == 0 {
            self.tail.reserve(len.clamp(TAIL_START, FLAT_LEN_MAX));
        }
    }

    /// Appends a whole frame, copying and, given a key, masking its payload.
    #[inline]
    pub(crate) fn push_copied(
        &mut self,
        header: &EncodedHeader,
        payload: &[u8],
        key: Option<MaskingKey>,
    ) {
        let needed = header.as_slice().len() + payload.len();
        self.len += needed;
        if self.tail.len() + needed > FLAT_LEN_MAX {
            self.seal(Holds::Frames);
        }
        if self.tail.capacity() - self.tail.len() < needed {
            // With a full tail in front there is a lot to send: growing step by step would copy it.
            let start = if self.has_segments() {
                FLAT_LEN_MAX
            } else {
                TAIL_START
            };
            self.tail.reserve(needed.max(start));
        }
        append_frame(&mut self.tail, header, payload, key);
    }

    /// Appends a whole frame whose payload is shared, not copied.
    pub(crate) fn push_shared(&mut self, header: &EncodedHeader, payload: Bytes) {
        self.len += header.as_slice().len() + payload.len();
        self.tail.extend_from_slice(header.as_slice());
        self.seal(Holds::Part);
        self.push_segment(payload, Holds::Frames);
    }

    /// Appends bytes that are whole encoded frames.
    pub(crate) fn push_encoded(&mut self, frames: &Bytes) {
        self.len += frames.len();
        if frames.len() >= SHARED_LEN_MIN {
            self.seal(Holds::Frames);
            self.push_segment(frames.clone(), Holds::Frames);
            return;
        }
        if self.tail.len() + frames.len() > FLAT_LEN_MAX {
            self.seal(Holds::Frames);
        }
        self.tail.extend_from_slice(frames);
    }

    /// Appends bytes that are whole encoded frames and lie together for many queues: sharing them
    /// costs less than copying, also when they are few.
    pub(crate) fn push_together(&mut self, frames: &Bytes) {
        if frames.len() < TOGETHER_LEN_MIN {
            return self.push_encoded(frames);
        }
        self.len += frames.len();
        self.seal(Holds::Frames);
        self.push_segment(frames.clone(), Holds::Frames);
    }

    /// Appends a part of a frame; `ends_frame` with its last one.
    pub(crate) fn push_part(&mut self, part: Bytes, ends_frame: bool) {
        self.len += part.len();
        self.seal(Holds::Frames);
        let holds = if ends_frame {
            Holds::Frames
        } else {
            Holds::Part
        };
        self.push_segment(part, holds);
    }

    /// Queues a whole control frame, which will pass ahead of data.
    pub(crate) fn push_control(
        &mut self,
        header: &EncodedHeader,
        payload: &[u8],
        key: Option<MaskingKey>,
    ) {
        self.len += header.as_slice().len() + payload.len();
        let front = self.front.get_or_insert_default();
        append_frame(&mut front.control, header, payload, key);
    }

    /// Queues what leaves before every frame; the queue is new.
    pub(crate) fn push_opening(&mut self, answer: Bytes) {
        debug_assert!(self.len == 0, "nothing leaves before the opening handshake");
        self.len += answer.len();
        // Control frames that are placed later go behind it, as they do behind one another.
        let front = self.front.get_or_insert_default();
        front.segments.push_back(Segment {
            bytes: answer,
            holds: Holds::Control,
        });
        front.control_segments += 1;
    }

    /// Appends a close frame, the last frame of all.
    pub(crate) fn push_close(
        &mut self,
        header: &EncodedHeader,
        payload: &[u8],
        key: Option<MaskingKey>,
    ) {
        // Control frames that are not placed yet can still pass ahead of it.
        self.seal(Holds::Frames);
        self.push_copied(header, payload, key);
    }

    /// Drops the control frames that are not placed yet.
    pub(crate) fn drop_control(&mut self) {
        if let Some(front) = &mut self.front {
            self.len -= front.control.len();
            front.control = BytesMut::new();
        }
    }

    /// Offers what is to be written next; gives the number of slices filled.
    #[inline]
    pub(crate) fn slices<'a>(&'a mut self, slices: &mut [IoSlice<'a>]) -> usize {
        let mut filled = 0;
        if let Some(front) = &mut self.front {
            front.place_control(self.mid_frame);
            filled = front.fill(slices);
        }
        if !self.tail.is_empty()
            && let Some(slot) = slices.get_mut(filled)
        {
            *slot = IoSlice::new(&self.tail);
            filled += 1;
        }
        filled
    }

    /// Drops `written` bytes from the front.
    #[inline]
    pub(crate) fn advance(&mut self, mut written: usize) {
        debug_assert!(written <= self.len, "only what was offered can be written");
        self.len = self.len.saturating_sub(written);
        if let Some(front) = &mut self.front {
            match front.advance(written, &mut self.mid_frame) {
                Some(left) => written = left,
                None => return,
            }
        }
        self.advance_tail(written);
    }

    /// Drops everything: nothing will be written any more.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    fn advance_tail(&mut self, written: usize) {
        if written >= self.tail.len() {
            // Giving the storage back keeps an idle connection free of buffers.
            self.tail = BytesMut::new();
            self.front.take_if(|front| front.control.is_empty());
        } else if written > 0 {
            self.tail.advance(written);
            self.seal(Holds::Frames);
            self.mid_frame = true;
        }
    }

    /// Moves the tail behind the other segments.
    fn seal(&mut self, holds: Holds) {
        if !self.tail.is_empty() {
            let bytes = self.tail.split().freeze();
            self.push_segment(bytes, holds);
        }
    }

    fn push_segment(&mut self, bytes: Bytes, holds: Holds) {
        let front = self.front.get_or_insert_default();
        front.segments.push_back(Segment { bytes, holds });
    }

    fn has_segments(&self) -> bool {
        let front = self.front.as_ref();
        front.is_some_and(|front| !front.segments.is_empty())
    }
}

impl Front {
    /// Offers its segments; gives the number of slices filled.
    fn fill<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        let mut filled = 0;
        for (slot, segment) in slices.iter_mut().zip(&self.segments) {
            *slot = IoSlice::new(&segment.bytes);
            filled += 1;
        }
        filled
    }

    /// Drops `written` bytes; gives how many of them are left for the tail, `None` if segments are
    /// left.
    fn advance(&mut self, mut written: usize, mid_frame: &mut bool) -> Option<usize> {
        while let Some(first) = self.segments.front_mut() {
            if written < first.bytes.len() {
                first.bytes.advance(written);
                *mid_frame |= written > 0;
                return None;
            }
            written -= first.bytes.len();
            *mid_frame = first.holds == Holds::Part;
            if first.holds == Holds::Control {
                self.control_segments -= 1;
            }
            self.segments.pop_front();
        }
        Some(written)
    }

    /// Puts the control frames where the frame being written ends, if its end is queued, behind
    /// those that were put there before.
    fn place_control(&mut self, mid_frame: bool) {
        if self.control.is_empty() {
            return;
        }
        let mut at = 0;
        if mid_frame {
            let end = |segment: &Segment| segment.holds != Holds::Part;
            match self.segments.iter().position(end) {
                Some(end) => at = end + 1,
                None => return,
            }
        }
        let earlier = self.segments.iter().skip(at);
        at += earlier
            .take_while(|segment| segment.holds == Holds::Control)
            .count();
        // The buffer goes with its bytes: a queue that was written owns no storage.
        let bytes = std::mem::take(&mut self.control).freeze();
        let holds = Holds::Control;
        self.segments.insert(at, Segment { bytes, holds });
        self.control_segments += 1;
    }
}

#[inline]
fn append_frame(
    out: &mut BytesMut,
    header: &EncodedHeader,
    payload: &[u8],
    key: Option<MaskingKey>,
) {
    match header.as_slice() {
        // A copy of fixed length is a store, another one a call.
        &[first, second] => out.extend_from_slice(&[first, second]),
        &[first, second, high, low] => out.extend_from_slice(&[first, second, high, low]),
        header => out.extend_from_slice(header),
    }
    let start = out.len();
    out.extend_from_slice(payload);
    if let Some(key) = key {
        apply_mask(out.get_mut(start..).unwrap_or_default(), key, 0);
    }
}

/// What flattened frames take together at most; a pong waits for no more than this.
const FLAT_LEN_MAX: usize = 32 << 10;
/// The first storage of a tail, so that a burst of small frames does not grow it step by step.
const TAIL_START: usize = 512;
/// From here on sharing frames that lie together is cheaper than copying them.
const TOGETHER_LEN_MIN: usize = 256;
/// From here on sharing a payload is cheaper than copying it.
pub(crate) const SHARED_LEN_MIN: usize = 4 << 10;

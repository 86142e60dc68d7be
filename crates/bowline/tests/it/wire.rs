//! A stream in memory whose other end is the test: it cuts, holds back, counts and fails at will.

use std::{
    collections::VecDeque,
    io::{self, IoSlice},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard},
    task::{Context, Poll, Waker},
};

use bowline_testkit::{Chunks, Frame};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The end that a WebSocket owns.
#[derive(Debug)]
pub(crate) struct Wire(Arc<Mutex<State>>);

/// The end that the test holds.
#[derive(Clone, Debug)]
pub(crate) struct Far(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    incoming: VecDeque<u8>,
    /// What comes after the incoming bytes: the end, or an error.
    read_end: Option<Result<(), io::ErrorKind>>,
    reads: Chunks,
    read_count: usize,
    written: Vec<u8>,
    /// How many more bytes are taken.
    room: Option<usize>,
    write_error: Option<io::ErrorKind>,
    writes: Chunks,
    write_count: usize,
    vectored_count: usize,
    /// Every second poll is pending.
    hesitates: bool,
    hesitated: [bool; 2],
    is_shut_down: bool,
    is_dropped: bool,
    wakers: [Option<Waker>; 2],
}

/// Makes the two ends.
pub(crate) fn wire() -> (Wire, Far) {
    let state = Arc::default();
    (Wire(Arc::clone(&state)), Far(state))
}

impl Far {
    /// Moves a byte at a time, with every second poll pending.
    pub(crate) fn trickle(&self) {
        self.cut(Chunks::of(1), Chunks::of(1));
    }

    /// Cuts reads and writes, with every second poll pending.
    pub(crate) fn cut(&self, reads: Chunks, writes: Chunks) {
        let mut state = self.state();
        state.reads = reads;
        state.writes = writes;
        state.hesitates = true;
    }

    pub(crate) fn push(&self, bytes: &[u8]) {
        let mut state = self.state();
        state.incoming.extend(bytes);
        wake(state);
    }

    /// Pushes a frame as a client does.
    pub(crate) fn push_masked(&self, frame: Frame) {
        self.push(&frame.masked([7, 1, 2, 3]).encode());
    }

    pub(crate) fn end(&self) {
        let mut state = self.state();
        state.read_end = Some(Ok(()));
        wake(state);
    }

    pub(crate) fn fail_reads(&self, kind: io::ErrorKind) {
        let mut state = self.state();
        state.read_end = Some(Err(kind));
        wake(state);
    }

    pub(crate) fn fail_writes(&self, kind: io::ErrorKind) {
        let mut state = self.state();
        state.write_error = Some(kind);
        wake(state);
    }

    /// Takes `len` more bytes and then none.
    pub(crate) fn limit(&self, len: usize) {
        let mut state = self.state();
        state.room = Some(len);
        wake(state);
    }

    /// Takes everything.
    pub(crate) fn unlimit(&self) {
        let mut state = self.state();
        state.room = None;
        wake(state);
    }

    pub(crate) fn written(&self) -> Vec<u8> {
        self.state().written.clone()
    }

    /// Takes what was written so far.
    pub(crate) fn take_written(&self) -> Vec<u8> {
        std::mem::take(&mut self.state().written)
    }

    /// Gives the frames written so far; all are whole.
    pub(crate) fn frames(&self) -> Vec<Frame> {
        Frame::parse_all(&self.state().written)
    }

    /// Gives the payloads of the data frames written so far.
    pub(crate) fn payloads(&self) -> Vec<Vec<u8>> {
        let frames = self.frames().into_iter();
        frames
            .filter(|frame| frame.opcode < Frame::CLOSE)
            .map(|frame| frame.payload)
            .collect()
    }

    pub(crate) fn read_count(&self) -> usize {
        self.state().read_count
    }

    pub(crate) fn write_count(&self) -> usize {
        self.state().write_count
    }

    pub(crate) fn vectored_count(&self) -> usize {
        self.state().vectored_count
    }

    pub(crate) fn is_shut_down(&self) -> bool {
        self.state().is_shut_down
    }

    pub(crate) fn is_dropped(&self) -> bool {
        self.state().is_dropped
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.0.lock().unwrap().is_dropped = true;
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut state = self.0.lock().unwrap();
        if state.hesitate(READ, cx) {
            return Poll::Pending;
        }
        if state.incoming.is_empty() {
            return match state.read_end {
                Some(end) => Poll::Ready(end.map_err(io::Error::from)),
                None => state.wait(READ, cx),
            };
        }
        let left = state.incoming.len().min(buffer.remaining());
        let len = state.reads.len_at(state.read_count, left);
        state.read_count += 1;
        buffer.put_slice(&state.incoming.drain(..len).collect::<Vec<_>>());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0.lock().unwrap().write(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut state = self.0.lock().unwrap();
        state.vectored_count += 1;
        state.write(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.lock().unwrap().is_shut_down = true;
        Poll::Ready(Ok(()))
    }
}

impl State {
    fn write(&mut self, cx: &Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        if let Some(kind) = self.write_error {
            return Poll::Ready(Err(kind.into()));
        }
        if self.hesitate(WRITE, cx) {
            return Poll::Pending;
        }
        let offered = slices.iter().map(|slice| slice.len()).sum();
        let room = self.room.unwrap_or(usize::MAX).min(offered);
        if room == 0 {
            return self.wait(WRITE, cx);
        }
        let len = self.writes.len_at(self.write_count, room);
        self.write_count += 1;
        self.room = self.room.map(|room| room - len);
        let mut left = len;
        for slice in slices {
            let (taken, _) = slice.split_at(left.min(slice.len()));
            self.written.extend_from_slice(taken);
            left -= taken.len();
        }
        Poll::Ready(Ok(len))
    }

    fn hesitate(&mut self, direction: usize, cx: &Context<'_>) -> bool {
        if !self.hesitates {
            return false;
        }
        self.hesitated[direction] ^= true;
        if self.hesitated[direction] {
            cx.waker().wake_by_ref();
        }
        self.hesitated[direction]
    }

    fn wait<T>(&mut self, direction: usize, cx: &Context<'_>) -> Poll<T> {
        self.wakers[direction] = Some(cx.waker().clone());
        Poll::Pending
    }
}

fn wake(mut state: MutexGuard<'_, State>) {
    let wakers = std::mem::take(&mut state.wakers);
    drop(state);
    for waker in wakers.into_iter().flatten() {
        waker.wake();
    }
}

const READ: usize = 0;
const WRITE: usize = 1;

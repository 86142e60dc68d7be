//! The read buffer that belongs to the thread, not to the connection.

use std::{
    cell::Cell,
    io,
    pin::pin,
    task::{Context, Poll, ready},
};

use bytes::{BufMut as _, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, ReadBuf};

/// Where a read puts what it brings.
pub(crate) enum Target<'a> {
    /// Storage that is lent.
    Lent(&'a mut [u8]),
    /// Storage that messages keep or share afterwards. At most so many bytes are appended, and no
    /// more than there is capacity for.
    Own(&'a mut BytesMut, usize),
}

impl Target<'_> {
    /// Reads once; gives the number of bytes, which is zero at the end of the stream.
    #[inline]
    pub(crate) fn poll_read<S: AsyncRead + Unpin>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Lent(buffer) => {
                let mut buffer = ReadBuf::new(buffer);
                ready!(pin!(&mut *stream).poll_read(cx, &mut buffer))?;
                Poll::Ready(Ok(buffer.filled().len()))
            }
            Self::Own(buffer, len_max) => {
                let room = buffer.capacity() - buffer.len();
                let mut buffer = buffer.limit(room.min(*len_max));
                pin!(stream.read_buf(&mut buffer)).poll(cx)
            }
        }
    }
}

/// Lends the thread's read buffer for the time of one read.
///
/// Connections take turns with it, so an idle one owns no buffer. A read that happens inside
/// another one (a stream made of another WebSocket) gets a buffer of its own.
pub(crate) fn with_read_buffer<R>(read: impl FnOnce(&mut [u8]) -> R) -> R {
    let mut buffer = READ_BUFFER
        .take()
        .unwrap_or_else(|| vec![0; READ_BUFFER_LEN]);
    let result = read(&mut buffer);
    READ_BUFFER.set(Some(buffer));
    result
}

/// Gives an empty buffer for a read of about `len` bytes, at most as much as one read takes in.
pub(crate) fn take_own_buffer(len: usize) -> BytesMut {
    let capacity = len.min(READ_BUFFER_LEN);
    let spare = SPARE.take();
    if (capacity..=2 * capacity).contains(&spare.capacity()) {
        spare
    } else {
        BytesMut::with_capacity(capacity)
    }
}

/// Takes a buffer back that was not read into.
pub(crate) fn return_own_buffer(buffer: BytesMut) {
    SPARE.set(buffer);
}

thread_local! {
    static READ_BUFFER: Cell<Option<Vec<u8>>> = const { Cell::new(None) };
    static SPARE: Cell<BytesMut> = Cell::new(BytesMut::new());
}

/// What one read takes in at most.
pub(crate) const READ_BUFFER_LEN: usize = 64 << 10;

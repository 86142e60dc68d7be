//! The read buffer that belongs to the thread, not to the connection.

use std::cell::Cell;

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

thread_local! {
    static READ_BUFFER: Cell<Option<Vec<u8>>> = const { Cell::new(None) };
}

/// What one read takes in at most.
const READ_BUFFER_LEN: usize = 64 << 10;

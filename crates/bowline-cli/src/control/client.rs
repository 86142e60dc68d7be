//! The end of `bowline set` and `bowline get`.

use std::{
    io::{BufRead, BufReader, ErrorKind, Read, Write},
    os::unix::net::UnixStream,
    path::Path,
    time::Duration,
};

use super::{
    ControlError, folder,
    protocol::{ElementState, ParameterState, REPLY_LEN_MAX, Reply, Request},
};

/// Asks those who run elements with a data folder.
///
/// # Errors
/// [`ControlError`] if nobody does, or they refuse.
pub(crate) fn ask(
    folder: &Path,
    request: &Request,
) -> Result<(Vec<ElementState>, Option<ParameterState>), ControlError> {
    let mut stream = connect(folder)?;
    let mut line = serde_json::to_vec(request).map_err(|error| ControlError::Talk(error.into()))?;
    line.push(b'\n');
    stream.write_all(&line).map_err(ControlError::Talk)?;
    let mut input = BufReader::new(stream);
    let mut elements = Vec::new();
    loop {
        match read(&mut input)? {
            Reply::Element(element) => elements.push(*element),
            Reply::Done(parameter) => return Ok((elements, parameter.map(|state| *state))),
            Reply::Error(told) => return Err(ControlError::Refused(told)),
        }
    }
}

fn connect(folder: &Path) -> Result<UnixStream, ControlError> {
    let path = folder::socket(folder)?;
    let stream = UnixStream::connect(&path).map_err(|source| {
        let path = folder.to_owned();
        if matches!(
            source.kind(),
            ErrorKind::NotFound | ErrorKind::ConnectionRefused
        ) {
            ControlError::NotRunning { path }
        } else {
            ControlError::Folder { path, source }
        }
    })?;
    let timed = stream
        .set_read_timeout(Some(TIMEOUT))
        .and_then(|()| stream.set_write_timeout(Some(TIMEOUT)));
    timed.map_err(ControlError::Talk)?;
    Ok(stream)
}

fn read(input: &mut BufReader<UnixStream>) -> Result<Reply, ControlError> {
    let mut line = Vec::new();
    let mut bounded = input.take(REPLY_LEN_MAX);
    let read = bounded.read_until(b'\n', &mut line);
    read.map_err(ControlError::Talk)?;
    // It may have been stopped in the middle of a long reply.
    if line.last() != Some(&b'\n') {
        return Err(ControlError::Ended);
    }
    serde_json::from_slice(&line).map_err(|_| {
        let said = String::from_utf8_lossy(&line);
        ControlError::Reply(said.chars().take(SAID_MAX).collect())
    })
}

/// A value may have to be written to a slow disk first.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Characters that are shown of what was not understood.
const SAID_MAX: usize = 100;

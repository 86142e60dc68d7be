//! Standard input and output, each with a thread of its own.
//!
//! Reading and writing them blocks, and a blocked read cannot be given up: the threads end with
//! the program.

use std::{
    io::{self, BufRead, BufReader, BufWriter, Read, Write},
    thread,
};

use bowline::{CloseCode, Message};
use tokio::sync::{mpsc, oneshot};

use super::form::Form;
use crate::exit::{Failure, InputError};

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Input {
    /// Send a message.
    Message(Message),
    /// Send a ping.
    Ping(Vec<u8>),
    /// Close, whatever else was to come.
    Close(CloseCode, String),
}

/// Reads standard input line by line; after an error there is nothing more.
pub(super) fn read_lines(
    form: Form,
    line_length_max: u64,
) -> Result<mpsc::Receiver<Result<Input, InputError>>, Failure> {
    let (sender, lines) = mpsc::channel(MESSAGES_MAX);
    start("input", move || {
        let mut input = BufReader::new(io::stdin().lock());
        for line in 1.. {
            let place = Place {
                line,
                line_length_max,
            };
            let read = read_line(&mut input, place, form).transpose();
            let Some(read) = read else {
                return;
            };
            let is_last = read.is_err();
            if sender.blocking_send(read.map(Input::Message)).is_err() || is_last {
                return;
            }
        }
    })?;
    Ok(lines)
}

/// Which line is read, and how many bytes it may have.
#[derive(Clone, Copy)]
struct Place {
    line: u64,
    line_length_max: u64,
}

/// Reads a line without its line feed as a message; `None` at the end.
fn read_line(
    input: &mut impl BufRead,
    place: Place,
    form: Form,
) -> Result<Option<Message>, InputError> {
    let Place {
        line,
        line_length_max,
    } = place;
    let mut bytes = Vec::new();
    let read = input
        .take(line_length_max.saturating_add(1))
        .read_until(b'\n', &mut bytes)
        .map_err(InputError::Read)?;
    if read == 0 {
        return Ok(None);
    }
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
    }
    if bytes.len() as u64 > line_length_max {
        let max = line_length_max;
        return Err(InputError::TooLong { line, max });
    }
    let message = form.read(bytes);
    let message = message.map_err(|error| InputError::Form { line, error })?;
    Ok(Some(message))
}

/// Writes to standard output what comes through the channel; the receiver hears when all of it is
/// written.
///
/// The channel closes when nobody reads the output any more, or it cannot be written; the receiver
/// hears of the latter.
pub(super) fn write_output() -> Result<Output, Failure> {
    let (sender, mut messages) = mpsc::channel::<Vec<u8>>(MESSAGES_MAX);
    let (done, written) = oneshot::channel();
    start("output", move || {
        let mut output = BufWriter::new(io::stdout().lock());
        while let Some(message) = messages.blocking_recv() {
            let wrote = output.write_all(&message).and_then(|()| {
                // Lines that come together leave together.
                if messages.is_empty() {
                    output.flush()
                } else {
                    Ok(())
                }
            });
            if let Err(error) = wrote {
                drop(output.into_parts());
                let is_left = error.kind() == io::ErrorKind::BrokenPipe;
                // Nobody waits any more when the program ends at once.
                let _ended = done.send(if is_left { Ok(()) } else { Err(error) });
                return;
            }
        }
        let _ended = done.send(Ok(()));
    })?;
    Ok((sender, written))
}

/// Where lines go, and who hears that all are written, or why not.
pub(super) type Output = (mpsc::Sender<Vec<u8>>, oneshot::Receiver<io::Result<()>>);

/// Starts a thread that ends with the program.
pub(super) fn start(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), Failure> {
    let started = thread::Builder::new().name(name.to_owned()).spawn(work);
    started.map(drop).map_err(|source| Failure::System {
        what: "start a thread",
        source,
    })
}

/// Messages that wait for the connection, and for standard output; then the other side waits.
pub(super) const MESSAGES_MAX: usize = 16;

/// Bytes of one line, unless longer messages are taken too.
pub(super) const LINE_LENGTH_MAX: u64 = 16 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: u64) -> Place {
        Place {
            line,
            line_length_max: LINE_LENGTH_MAX,
        }
    }

    #[test]
    fn a_line_loses_its_line_feed_and_nothing_else() {
        let mut input: &[u8] = b"one\r\n\n two \nlast";
        let mut lines = Vec::new();
        while let Some(message) = read_line(&mut input, at(1), Form::Text).unwrap() {
            lines.push(message.as_text().unwrap().to_owned());
        }
        assert_eq!(lines, ["one\r", "", " two ", "last"]);
    }

    #[test]
    fn lines_that_are_no_text_are_named_by_their_number() {
        let mut input: &[u8] = b"\xff\n";
        assert!(matches!(
            read_line(&mut input, at(7), Form::Text),
            Err(InputError::Form { line: 7, .. })
        ));
        let mut input: &[u8] = b"\xff\n";
        let message = read_line(&mut input, at(7), Form::Binary).unwrap();
        assert_eq!(message, Some(Message::binary(vec![0xff])));
    }

    #[test]
    fn a_line_without_end_is_refused_at_its_bound() {
        let mut input = BufReader::new(io::repeat(b'a'));
        assert!(matches!(
            read_line(&mut input, at(1), Form::Binary),
            Err(InputError::TooLong { line: 1, .. })
        ));
    }
}

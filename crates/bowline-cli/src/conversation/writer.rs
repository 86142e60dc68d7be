//! Writing a conversation.

use std::io::{self, Write};

use super::{
    Entry, Heading, VERSION,
    line::{EntryLine, HeadingLine},
};

/// Writes a conversation line by line; what is written is flushed at once.
#[derive(Debug)]
pub(crate) struct Writer<W> {
    output: W,
}

impl<W: Write> Writer<W> {
    /// Writes the first line.
    ///
    /// # Errors
    /// Those of the output.
    pub(crate) fn new(output: W, heading: &Heading) -> io::Result<Self> {
        let mut writer = Self { output };
        writer.line(&HeadingLine {
            conversation: VERSION,
            url: heading.url.clone(),
            subprotocol: heading.subprotocol.clone(),
            started: heading.started.clone(),
        })?;
        Ok(writer)
    }

    /// Writes one thing that passed.
    ///
    /// # Errors
    /// Those of the output.
    pub(crate) fn write(&mut self, entry: &Entry) -> io::Result<()> {
        self.line(&EntryLine::of(entry))
    }

    fn line(&mut self, line: &impl serde::Serialize) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(line)?;
        bytes.push(b'\n');
        self.output.write_all(&bytes)?;
        self.output.flush()
    }
}

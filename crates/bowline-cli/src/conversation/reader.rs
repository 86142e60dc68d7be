//! Reading a conversation.

use std::io::{BufRead, Read};

use super::{
    Entry, Heading, LINE_LEN_MAX, VERSION,
    element::Line,
    error::{ConversationError, Problem},
    line::{EntryLine, HeadingLine},
};

/// Reads a conversation line by line. Empty lines are passed over.
#[derive(Debug)]
pub(crate) struct Reader<R> {
    input: R,
    line: u64,
    heading: Heading,
    first_line: Vec<u8>,
}

impl<R: BufRead> Reader<R> {
    /// Reads the first line.
    ///
    /// # Errors
    /// If it is not that of a conversation, or of another version.
    pub(crate) fn new(input: R) -> Result<Self, ConversationError> {
        let mut reader = Self {
            input,
            line: 0,
            heading: Heading::default(),
            first_line: Vec::new(),
        };
        let Some(bytes) = reader.read_line()? else {
            return Err(reader.error(Problem::Empty));
        };
        let heading: HeadingLine =
            serde_json::from_slice(&bytes).map_err(|_| reader.error(Problem::NoConversation))?;
        if heading.conversation != VERSION {
            return Err(reader.error(Problem::Version(heading.conversation)));
        }
        reader.heading = Heading {
            url: heading.url,
            subprotocol: heading.subprotocol,
            started: heading.started,
        };
        reader.first_line = bytes;
        Ok(reader)
    }

    /// Gives what the conversation begins with.
    pub(crate) const fn heading(&self) -> &Heading {
        &self.heading
    }

    /// Gives the number of the line that was read last.
    pub(crate) const fn line(&self) -> u64 {
        self.line
    }

    /// Gives the first line as it is.
    pub(super) fn first_line(&self) -> &[u8] {
        &self.first_line
    }

    /// Reads the next thing that passed; `None` at the end. What only says something of an element is
    /// passed over.
    ///
    /// # Errors
    /// [`ConversationError`] says what is wrong with which line.
    pub(crate) fn read(&mut self) -> Result<Option<Entry>, ConversationError> {
        while let Some(bytes) = self.read_line()? {
            let line: EntryLine = match serde_json::from_slice(&bytes) {
                Ok(line) => line,
                Err(_) if serde_json::from_slice::<Line>(&bytes).is_ok() => continue,
                Err(error) => return Err(self.json_error(&error)),
            };
            return line
                .entry()
                .map(Some)
                .map_err(|problem| self.error(problem));
        }
        Ok(None)
    }

    /// Reads a line that is not empty.
    pub(super) fn read_line(&mut self) -> Result<Option<Vec<u8>>, ConversationError> {
        loop {
            self.line += 1;
            let mut bytes = Vec::new();
            let read = (&mut self.input)
                .take(LINE_LEN_MAX + 1)
                .read_until(b'\n', &mut bytes);
            read.map_err(|error| self.error(Problem::Read(error)))?;
            if bytes.is_empty() {
                return Ok(None);
            }
            if bytes.len() as u64 > LINE_LEN_MAX {
                return Err(self.error(Problem::TooLong(LINE_LEN_MAX)));
            }
            if !bytes.trim_ascii().is_empty() {
                return Ok(Some(bytes));
            }
        }
    }

    pub(super) fn json_error(&self, error: &serde_json::Error) -> ConversationError {
        // Its own line is always the first.
        let said = error.to_string();
        let problem = said.split(" at line ").next().unwrap_or_default();
        ConversationError {
            line: self.line,
            column: error.column(),
            problem: Problem::Json(problem.to_owned()),
        }
    }

    pub(super) const fn error(&self, problem: Problem) -> ConversationError {
        ConversationError {
            line: self.line,
            column: 0,
            problem,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{BufReader, repeat},
        time::Duration,
    };

    use super::*;
    use crate::conversation::{Way, What, Writer};

    fn entry(micros: u64, way: Way, what: What) -> Entry {
        let at = Duration::from_micros(micros);
        Entry { at, way, what }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let heading = Heading {
            url: Some("ws://a/".to_owned()),
            subprotocol: None,
            started: Some("2026-11-20T15:45:07.123Z".to_owned()),
        };
        let close = What::Close {
            code: Some(1000),
            reason: "done".to_owned(),
        };
        let close_without_code = What::Close {
            code: None,
            reason: String::new(),
        };
        let entries = [
            entry(0, Way::Out, What::Text("\u{e4}\n\"\u{0}".to_owned())),
            entry(1, Way::In, What::Binary(vec![0, 255])),
            entry(1_500_000, Way::Out, What::Ping(vec![])),
            entry(1_500_001, Way::In, What::Pong(vec![1])),
            entry(2_000_000, Way::In, close),
            entry(2_000_000, Way::Out, close_without_code),
        ];
        let mut written = Vec::new();
        let mut writer = Writer::new(&mut written, &heading).unwrap();
        for entry in &entries {
            writer.write(entry).unwrap();
        }
        let mut reader = Reader::new(&*written).unwrap();
        assert_eq!(*reader.heading(), heading);
        for (index, entry) in entries.iter().enumerate() {
            assert_eq!(reader.read().unwrap().as_ref(), Some(entry));
            assert_eq!(reader.line(), index as u64 + 2);
        }
        assert_eq!(reader.read().unwrap(), None);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        let cases = [
            ("", "line 1: the file is empty"),
            ("hello\n", "line 1: this is not a recorded conversation"),
            (
                "{\"conversation\":2}",
                "line 1: this is a conversation of version 2",
            ),
            (
                "{\"conversation\":1}\n\nx",
                "line 3, column 1: expected value",
            ),
            (
                "{\"conversation\":1}\n{\"t\":0,\"dir\":\"up\"}",
                "line 2, column 17: unknown variant `up`",
            ),
            (
                "{\"conversation\":1}\n{\"t\":0,\"dir\":\"in\",\"kind\":\"text\"}",
                "line 2: data is missing",
            ),
            (
                "{\"conversation\":1}\n{\"t\":0,\"dir\":\"in\",\"kind\":\"binary\",\"data\":\"?\"}",
                "line 2: the data is not base64",
            ),
            (
                "{\"conversation\":1}\n{\"t\":-1,\"dir\":\"in\",\"kind\":\"text\",\"data\":\"\"}",
                "line 2: t is a number of seconds",
            ),
        ];
        for (text, expected) in cases {
            let told = match Reader::new(text.as_bytes()) {
                Err(error) => error.to_string(),
                Ok(mut reader) => reader.read().unwrap_err().to_string(),
            };
            assert!(told.starts_with(expected), "{text}: {told}");
        }
    }

    #[test]
    fn members_of_other_names_and_empty_lines_are_passed_over() {
        let text = "\n{\"conversation\":1,\"note\":1}\n\n\
            {\"note\":\"x\",\"t\":0,\"dir\":\"in\",\"kind\":\"text\",\"data\":\"a\"}\n\n";
        let mut reader = Reader::new(text.as_bytes()).unwrap();
        let read = reader.read().unwrap();
        assert_eq!(read, Some(entry(0, Way::In, What::Text("a".to_owned()))));
        assert_eq!(reader.read().unwrap(), None);
    }

    #[test]
    fn a_line_without_end_is_refused_at_its_bound() {
        let error = Reader::new(BufReader::new(repeat(b' '))).unwrap_err();
        assert!(matches!(error.problem, Problem::TooLong(LINE_LEN_MAX)));
    }
}

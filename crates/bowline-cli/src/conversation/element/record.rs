//! A whole conversation of an element, read or being written.

use std::{
    fs::{File, OpenOptions, Permissions},
    io::{self, BufReader, BufWriter, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use bowline_connector::{
    machine::Value,
    plan::ParameterId,
    record::{Happening, Recorder},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::{ElementHeading, Line, from_json, to_json};
use crate::{
    conversation::{ConversationError, VERSION, error::Problem, reader::Reader},
    exit::Failure,
    output::status,
};

/// A conversation of an element in memory.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) heading: ElementHeading,
    /// Each line with its number in the file.
    pub(crate) lines: Vec<(u64, Line)>,
}

#[derive(Debug, Serialize, Deserialize)]
struct FirstLine {
    conversation: u64,
    #[serde(default)]
    started: Option<String>,
    element: Element,
}

#[derive(Debug, Serialize, Deserialize)]
struct Element {
    name: String,
    connector: String,
    settings: String,
    #[serde(default)]
    saved: Map<String, Json>,
    #[serde(default)]
    seed: u64,
}

impl Record {
    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let file = File::open(path).map_err(file_failure("read", path))?;
        let wrong = |error| Failure::Conversation {
            path: path.to_owned(),
            error,
        };
        Self::read_from(BufReader::new(file)).map_err(wrong)
    }

    fn read_from(input: impl io::BufRead) -> Result<Self, ConversationError> {
        let mut reader = Reader::new(input)?;
        let first: Result<FirstLine, _> = serde_json::from_slice(reader.first_line());
        let heading = first
            .map_err(|_| Problem::NoElement)
            .and_then(FirstLine::heading)
            .map_err(|problem| reader.error(problem))?;
        let mut lines = Vec::new();
        let mut bytes_read = 0;
        while let Some(bytes) = reader.read_line()? {
            bytes_read += bytes.len();
            if bytes_read > RECORD_LEN_MAX {
                return Err(reader.error(Problem::RecordTooLong(RECORD_LEN_MAX)));
            }
            let line: Line = match serde_json::from_slice(&bytes) {
                Ok(line) => line,
                // Whoever wrote it was killed while it did.
                Err(_) if !bytes.ends_with(b"\n") => break,
                Err(error) => return Err(reader.json_error(&error)),
            };
            let checked = line.at().and_then(|_| line.input());
            checked.map_err(|problem| reader.error(problem))?;
            lines.push((reader.line(), line));
        }
        Ok(Self { heading, lines })
    }

    /// Writes a file anew: as a whole or not at all.
    pub(crate) fn write<'l>(
        path: &Path,
        heading: &ElementHeading,
        lines: impl Iterator<Item = &'l Line>,
    ) -> Result<(), Failure> {
        let failure = |source| Failure::Access {
            what: "write",
            path: path.to_owned(),
            source,
        };
        let beside = path.with_added_extension("new");
        let write = || {
            let mut output = BufWriter::new(create(&beside)?);
            write_line(&mut output, &FirstLine::of(heading))?;
            for line in lines {
                write_line(&mut output, line)?;
            }
            output.into_inner()?.sync_all()?;
            std::fs::rename(&beside, path)
        };
        write().map_err(failure)
    }
}

/// Takes down a conversation of an element that runs; each line is in the file before the next thing
/// happens.
#[derive(Debug)]
pub(crate) struct Taker {
    path: PathBuf,
    heading: ElementHeading,
    /// `None` once it cannot be written any more.
    output: Mutex<Option<File>>,
}

impl Taker {
    /// Begins a file. The heading is completed when the element starts.
    pub(crate) fn create(path: &Path, heading: ElementHeading) -> Result<Self, Failure> {
        let file = create(path).map_err(|source| Failure::Access {
            what: "write",
            path: path.to_owned(),
            source,
        })?;
        Ok(Self {
            path: path.to_owned(),
            heading,
            output: Mutex::new(Some(file)),
        })
    }

    fn write(&self, line: &impl Serialize) {
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        let written = output.as_mut().map(|output| write_line(output, line));
        if let Some(Err(error)) = written {
            *output = None;
            let path = self.path.display();
            status(format_args!(
                "bowline: cannot write {path}: {error}; the record ends here"
            ));
        }
    }
}

impl Recorder for Taker {
    fn begin(&self, saved: &[(ParameterId, Value)], seed: u64) {
        self.write(&FirstLine::of(&ElementHeading {
            saved: saved.to_vec(),
            seed,
            ..self.heading.clone()
        }));
    }

    fn note(&self, at: Duration, happening: &Happening) {
        if let Some(line) = Line::of(at, happening) {
            self.write(&line);
        }
    }
}

impl FirstLine {
    fn of(heading: &ElementHeading) -> Self {
        let saved = heading.saved.iter().map(|(parameter, value)| {
            let value = to_json(value).unwrap_or_default();
            (parameter.0.to_string(), value)
        });
        Self {
            conversation: VERSION,
            started: heading.started.clone(),
            element: Element {
                name: heading.name.clone(),
                connector: heading.connector.clone(),
                settings: heading.settings.clone(),
                saved: saved.collect(),
                seed: heading.seed,
            },
        }
    }

    fn heading(self) -> Result<ElementHeading, Problem> {
        let element = self.element;
        let mut saved = Vec::new();
        for (parameter, value) in element.saved {
            let parameter = parameter.parse().map_err(|_| Problem::NoElement)?;
            let value = from_json(Some(&value)).ok_or(Problem::NoElement)?;
            saved.push((ParameterId(parameter), value));
        }
        Ok(ElementHeading {
            name: element.name,
            connector: element.connector,
            settings: element.settings,
            saved,
            seed: element.seed,
            started: self.started,
        })
    }
}

/// Makes a file that only its owner reads: messages and settings may hold secrets.
fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let file = options.open(path)?;
    if file.metadata()?.is_file() {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok(file)
}

fn write_line(output: &mut impl Write, line: &impl Serialize) -> io::Result<()> {
    let mut bytes = serde_json::to_vec(line)?;
    bytes.push(b'\n');
    output.write_all(&bytes)
}

fn file_failure(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Failure {
    move |source| Failure::Access {
        what,
        path: path.to_owned(),
        source,
    }
}

/// Bytes of a record that is read: it is held in memory.
const RECORD_LEN_MAX: usize = 512 << 20;

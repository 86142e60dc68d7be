//! Retained values on disk.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, BufRead, BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use bowline_bus::{
    Publication, Topic, TopicLimits,
    dialect::clown_talk::{Line, ParseLimits, encode, parse},
};
use bytes::Bytes;
use thiserror::Error;

/// Says why retained values could not be read or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The folder cannot be used.
    #[error("cannot use the data folder {}: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another hub uses the folder.
    #[error("the data folder {} is in use by another hub", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is damaged.
    #[error("{} is damaged in line {line}: mend it or move it away", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
    },
    /// The file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Keeps retained values in a folder, one Clown.Talk line each.
///
/// The file is written whole beside the old one and then put in its place, so that a crash leaves
/// one or the other, never a part.
#[derive(Debug)]
pub(crate) struct Store {
    folder: PathBuf,
    /// Held as long as the store lives; another hub finds it locked.
    _lock: File,
}

impl Store {
    /// Opens a folder, which is created when missing, and locks it.
    pub(crate) fn open(folder: &Path) -> Result<Self, StoreError> {
        let unusable = |source| StoreError::Folder {
            path: folder.to_owned(),
            source,
        };
        fs::create_dir_all(folder).map_err(unusable)?;
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(folder.join(LOCK))
            .map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::InUse {
                    path: folder.to_owned(),
                });
            }
            Err(TryLockError::Error(source)) => return Err(unusable(source)),
        }
        Ok(Self {
            folder: folder.to_owned(),
            _lock: lock,
        })
    }

    /// Reads the values; there are none before the first save.
    pub(crate) fn load(&self, limits: &TopicLimits) -> Result<Vec<Publication>, StoreError> {
        let path = self.folder.join(VALUES);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(StoreError::Read { path, source }),
        };
        let mut reader = BufReader::new(file);
        let mut publications = Vec::new();
        let mut text = String::new();
        for line in 1.. {
            text.clear();
            let read = reader.by_ref().take(LINE_LENGTH_MAX).read_line(&mut text);
            match read {
                Ok(0) => break,
                Ok(_) => {}
                Err(source) => return Err(StoreError::Read { path, source }),
            }
            if !read_line(&text, limits, &mut publications) {
                return Err(StoreError::Damaged { path, line });
            }
        }
        Ok(publications)
    }

    /// Writes the values in place of the earlier ones.
    pub(crate) fn save(&self, values: &[(Topic, Bytes)]) -> Result<(), StoreError> {
        let path = self.folder.join(VALUES);
        self.replace(&path, values)
            .map_err(|source| StoreError::Write { path, source })
    }

    fn replace(&self, path: &Path, values: &[(Topic, Bytes)]) -> io::Result<()> {
        let beside = self.folder.join(VALUES_NEW);
        let mut writer = BufWriter::new(File::create(&beside)?);
        writeln!(writer, "{HEADER}")?;
        for (topic, payload) in values {
            let line = encode(topic.as_str(), payload).map_err(io::Error::other)?;
            writer.write_all(line.as_bytes())?;
        }
        let file = writer
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        fs::rename(&beside, path)?;
        // The new name lasts only once the folder is written too.
        File::open(&self.folder)?.sync_all()
    }
}

/// Reads a line, which may hold a value or nothing, and says whether it is undamaged.
fn read_line(text: &str, limits: &TopicLimits, publications: &mut Vec<Publication>) -> bool {
    let limits_of_line = ParseLimits {
        line_length_max: usize::MAX,
        depth_max: u16::MAX,
        ..ParseLimits::default()
    };
    match parse(text, &limits_of_line) {
        Ok(Line::Empty | Line::Log(_)) => true,
        // A last line without its end was not written whole.
        Ok(Line::Message(message)) if text.ends_with('\n') => {
            let topic = Topic::parse(&message.topic, limits);
            let is_topic = topic.is_ok();
            publications.extend(topic.map(|topic| Publication {
                topic,
                payload: message.payload.to_owned().into(),
            }));
            is_topic
        }
        Ok(Line::Message(_)) | Err(_) => false,
    }
}

const VALUES: &str = "retained.jsonl";
const VALUES_NEW: &str = "retained.jsonl.new";
const LOCK: &str = "lock";
const HEADER: &str = "# Retained values of a Bowline hub, one [\"topic\", payload] a line.";

/// Bytes of one line that are read at most; the bus keeps no longer payload.
const LINE_LENGTH_MAX: u64 = 64 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(text: &str) -> Topic {
        Topic::parse(text, &TopicLimits::default()).unwrap()
    }

    #[test]
    fn values_come_back_with_their_exact_text() {
        let folder = tempfile::tempdir().unwrap();
        let values = [
            (topic("a"), Bytes::from("{\"n\":1.0e2}")),
            (topic("\u{e4}/b"), Bytes::from("null")),
        ];
        let store = Store::open(&folder.path().join("new/data")).unwrap();
        assert_eq!(store.load(&TopicLimits::default()).unwrap(), []);
        store.save(&values).unwrap();
        let loaded = store.load(&TopicLimits::default()).unwrap();
        let loaded: Vec<_> = loaded
            .into_iter()
            .map(|value| (value.topic, value.payload))
            .collect();
        assert_eq!(loaded, values);
    }

    #[test]
    fn a_damaged_file_is_named_with_the_line() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        for damaged in ["[\"a\", 1]\n[\"b\", {\n", "[\"a\", 1]\n[\"b\", 2]"] {
            fs::write(folder.path().join(VALUES), damaged).unwrap();
            assert!(
                matches!(
                    store.load(&TopicLimits::default()),
                    Err(StoreError::Damaged { line: 2, .. })
                ),
                "{damaged}"
            );
        }
    }

    #[test]
    fn a_folder_is_used_by_one_hub_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let first = Store::open(folder.path()).unwrap();
        assert!(matches!(
            Store::open(folder.path()),
            Err(StoreError::InUse { .. })
        ));
        drop(first);
        Store::open(folder.path()).unwrap();
    }
}

//! Why values could not be stored.

use std::{error::Error as StdError, io, path::PathBuf};

use thiserror::Error;

/// Says why saved values could not be read or written.
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
    /// Another process uses the folder.
    #[error("the data folder {} is in use by another process: stop that one, or name another folder", path.display())]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// Another element of the same name runs.
    #[error("there is an element {name:?} already: give each a name of its own")]
    ElementInUse {
        /// The name.
        name: Box<str>,
    },
    /// The file is damaged. It was not changed.
    #[error("{} is damaged: mend it or move it away; its values are lost then ({source})", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// A newer version has written the file. It was not changed.
    #[error("{} is of version {version}; this program knows version {known}: use a newer one", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: i64,
        /// The version this program writes.
        known: i64,
    },
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What failed.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The file cannot be written. What was to be stored is kept, and tried again with the next.
    #[error("cannot write {}: {source}; the values are kept in memory and tried again with the next", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What failed.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The runtime ended before the values were written.
    #[error("the runtime ended before the values were stored")]
    Stopped,
}

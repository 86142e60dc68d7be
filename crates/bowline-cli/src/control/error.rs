//! What can go wrong between processes.

use std::{io, path::PathBuf};

use thiserror::Error;

/// Says why elements cannot be reached, or cannot be made reachable.
#[derive(Debug, Error)]
pub(crate) enum ControlError {
    /// Nothing says where the data folder is.
    #[error("there is no home folder: name a data folder with --data DIR")]
    NoHome,
    /// The folder cannot be used.
    #[error("cannot use the data folder {}: {source}", path.display())]
    Folder { path: PathBuf, source: io::Error },
    /// Another process runs elements there.
    #[error(
        "the data folder {} is in use by {}: stop that one, or name another folder with --data DIR",
        path.display(),
        process(*.pid)
    )]
    InUse { path: PathBuf, pid: Option<u32> },
    /// The path of the socket is longer than the system lets it be.
    #[error(
        "the path {} has {length} bytes, and the system lets a socket have {max}: name a data folder with a shorter path with --data DIR",
        path.display()
    )]
    PathTooLong {
        path: PathBuf,
        length: usize,
        max: usize,
    },
    /// Nobody runs elements there.
    #[error(
        "no elements run with the data folder {}: start `bowline run` with the same --data DIR",
        path.display()
    )]
    NotRunning { path: PathBuf },
    /// The conversation broke.
    #[error("cannot talk to the process that runs the elements: {0}")]
    Talk(io::Error),
    /// It said something else than expected.
    #[error("the process that runs the elements is of another version, or is none: it said {0:?}")]
    Reply(String),
    /// It ended before it answered.
    #[error("the process that runs the elements ended before it answered")]
    Ended,
    /// It refused.
    #[error("{0}")]
    Refused(String),
}

fn process(pid: Option<u32>) -> String {
    match pid {
        Some(pid) => format!("process {pid}"),
        None => "another process".to_owned(),
    }
}

//! Recording what passes.

use std::{
    fs::File,
    io::BufWriter,
    path::{Path, PathBuf},
};

use tokio::time::Instant;

use super::show::now;
use crate::{
    conversation::{Entry, Heading, Way, What, Writer},
    exit::Failure,
};

/// Writes a conversation to a file, if one is asked for.
#[derive(Debug)]
pub(super) struct Recorder {
    to: Option<(PathBuf, Writer<BufWriter<File>>)>,
    start: Instant,
}

impl Recorder {
    /// Begins a recording of what passes from now on.
    pub(super) fn begin(
        path: Option<&Path>,
        url: &str,
        subprotocol: Option<&str>,
    ) -> Result<Self, Failure> {
        let start = Instant::now();
        let Some(path) = path else {
            return Ok(Self { to: None, start });
        };
        let heading = Heading {
            url: Some(url.to_owned()),
            subprotocol: subprotocol.map(str::to_owned),
            started: Some(now()),
        };
        let begun = File::create(path)
            .and_then(|file| Writer::new(BufWriter::new(file), &heading))
            .map_err(|source| Failure::Access {
                what: "write",
                path: path.to_owned(),
                source,
            });
        let to = Some((path.to_owned(), begun?));
        Ok(Self { to, start })
    }

    /// Takes note of what passed. `what` is only asked if there is a recording.
    pub(super) fn note(&mut self, way: Way, what: impl FnOnce() -> What) -> Result<(), Failure> {
        let Some((path, writer)) = &mut self.to else {
            return Ok(());
        };
        let entry = Entry {
            at: self.start.elapsed(),
            way,
            what: what(),
        };
        writer.write(&entry).map_err(|source| Failure::Access {
            what: "write",
            path: path.clone(),
            source,
        })
    }
}

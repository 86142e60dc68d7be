//! Reads connectors, each once.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, IsTerminal, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use bowline_connector::{
    Plan, ReadLimits,
    diagnostic::{Renderer, Severity},
};

use crate::{exit::Failure, output::status};

/// The connectors that were read so far; those with errors are `None`.
#[derive(Debug, Default)]
pub(super) struct Connectors {
    plans: BTreeMap<PathBuf, Option<Arc<Plan>>>,
}

impl Connectors {
    /// Reads a connector; `None` if it has errors, which are told.
    pub(super) fn read(&mut self, path: &Path) -> Result<Option<Arc<Plan>>, Failure> {
        if let Some(plan) = self.plans.get(path) {
            return Ok(plan.clone());
        }
        let bytes = read(path).map_err(|source| Failure::Access {
            what: "read",
            path: path.to_owned(),
            source,
        })?;
        let name = path.display().to_string();
        let reading = bowline_connector::read(&name, &bytes);
        // Warnings are for `bowline check`, unless something is wrong.
        if reading.diagnostics.count(Severity::Error) > 0 {
            let renderer = if io::stderr().is_terminal() {
                Renderer::coloured()
            } else {
                Renderer::plain()
            };
            status(format_args!(
                "{}",
                renderer.render_all(&reading.diagnostics).trim_end()
            ));
        }
        let plan = reading.plan.map(Arc::new);
        self.plans.insert(path.to_owned(), plan.clone());
        Ok(plan)
    }
}

/// Reads as much of a file as a connector may have, and one byte more.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let limit = u64::try_from(ReadLimits::default().size_max).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    let file = File::open(path)?;
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

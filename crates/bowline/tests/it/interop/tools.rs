//! Where the programs and packages are that some tests drive.

use std::path::{Path, PathBuf};

use bowline_testkit::Tools;

pub(crate) const TOOLS: Tools = Tools::beside(env!("CARGO_TARGET_TMPDIR"));

/// Gives the folder of the peers' scripts.
pub(crate) fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/interop/peers")
}

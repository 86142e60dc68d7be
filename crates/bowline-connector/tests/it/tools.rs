//! Where the programs and packages are that the peers need.

use std::{
    env,
    path::{Path, PathBuf},
};

/// The interpreter that has the Python packages.
pub(crate) fn python() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let default = target.join("tools/python/bin/python");
    let path = env::var_os("BOWLINE_PYTHON").map_or(default, PathBuf::from);
    assert!(
        path.exists(),
        "{} is missing: run `cargo xtask tools`",
        path.display()
    );
    path
}

/// The folder of the peers' scripts.
pub(crate) fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/peers")
}

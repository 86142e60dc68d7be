//! Where the programs and packages are that the peers need.

use std::{
    env,
    path::{Path, PathBuf},
};

/// The interpreter that has the Python packages.
pub(crate) fn python() -> PathBuf {
    find("BOWLINE_PYTHON", &installed("python/bin/python"))
}

/// The folder of the npm packages.
pub(crate) fn node_modules() -> PathBuf {
    find("BOWLINE_NODE_MODULES", &installed("node/node_modules"))
}

pub(super) fn chromium() -> PathBuf {
    find("BOWLINE_CHROMIUM", Path::new("/usr/bin/chromium"))
}

/// The proxy that speaks CONNECT.
pub(crate) fn tinyproxy() -> PathBuf {
    find("BOWLINE_TINYPROXY", Path::new("/usr/bin/tinyproxy"))
}

/// The proxy that speaks SOCKS5.
pub(crate) fn microsocks() -> PathBuf {
    find("BOWLINE_MICROSOCKS", Path::new("/usr/bin/microsocks"))
}

/// The folder of the peers' scripts.
pub(crate) fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/interop/peers")
}

fn installed(path: &str) -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    target.join("tools").join(path)
}

fn find(variable: &str, default: &Path) -> PathBuf {
    let path = env::var_os(variable).map_or_else(|| default.to_owned(), PathBuf::from);
    assert!(
        path.exists(),
        "{} is missing: run `cargo xtask tools`",
        path.display()
    );
    path
}

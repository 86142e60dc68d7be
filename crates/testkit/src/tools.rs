//! The programs and packages that tests drive.

use std::{
    env,
    path::{Path, PathBuf},
};

/// Finds what `cargo xtask tools` installs. A variable of the environment names another place for
/// each.
///
/// # Panics
/// Its functions do when what they look for is missing.
#[derive(Clone, Copy, Debug)]
pub struct Tools {
    /// What Cargo says to tests as `CARGO_TARGET_TMPDIR`: a folder beside the one with the tools.
    target_tmpdir: &'static str,
}

impl Tools {
    /// Looks beside the folder that a test knows by `env!("CARGO_TARGET_TMPDIR")`.
    pub const fn beside(target_tmpdir: &'static str) -> Self {
        Self { target_tmpdir }
    }

    /// Gives the interpreter that has the Python packages.
    pub fn python(self) -> PathBuf {
        self.installed("BOWLINE_PYTHON", "python/bin/python")
    }

    /// Gives the folder of the npm packages.
    pub fn node_modules(self) -> PathBuf {
        self.installed("BOWLINE_NODE_MODULES", "node/node_modules")
    }

    /// Gives the browser.
    pub fn chromium(self) -> PathBuf {
        find("BOWLINE_CHROMIUM", "/usr/bin/chromium".into())
    }

    /// Gives the proxy that speaks CONNECT.
    pub fn tinyproxy(self) -> PathBuf {
        find("BOWLINE_TINYPROXY", "/usr/bin/tinyproxy".into())
    }

    /// Gives the proxy that speaks SOCKS5.
    pub fn microsocks(self) -> PathBuf {
        find("BOWLINE_MICROSOCKS", "/usr/bin/microsocks".into())
    }

    fn installed(self, variable: &str, path: &str) -> PathBuf {
        let tools = Path::new(self.target_tmpdir).with_file_name("tools");
        find(variable, tools.join(path))
    }
}

fn find(variable: &str, default: PathBuf) -> PathBuf {
    let path = env::var_os(variable).map_or(default, PathBuf::from);
    assert!(
        path.exists(),
        "{} is missing: run `cargo xtask tools`",
        path.display()
    );
    path
}

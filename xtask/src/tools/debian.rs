//! Debian packages: installed when this machine and this user allow it, else named.

use std::path::Path;

use super::program::Program;
use crate::failure::{Failure, Outcome};
use crate::report;

/// Installs the packages; does nothing when the list is empty.
///
/// # Errors
/// Names the packages when they may not be installed here, or says why the installation failed.
pub(super) fn install(packages: &[&str]) -> Outcome<()> {
    if packages.is_empty() {
        return Ok(());
    }
    let list = packages.join(" ");
    if !may_install() {
        return Err(Failure::new(format!(
            "the tests need these packages: {list}\n\
             install them as root with: apt-get install {list}\n\
             (programs kept elsewhere can be named in BOWLINE_CHROMIUM, BOWLINE_TINYPROXY and\n\
             BOWLINE_MICROSOCKS)"
        )));
    }
    report::line(&format!("    installing Debian packages: {list}"));
    apt_get().expect_success(&["update", "--quiet"])?;
    let words = [
        &["install", "--yes", "--quiet", "--no-install-recommends"],
        packages,
    ]
    .concat();
    apt_get().expect_success(&words)
}

fn may_install() -> bool {
    let is_root = Program::new("id")
        .output(&["-u"])
        .is_some_and(|id| id.trim() == "0");
    is_root && Path::new("/usr/bin/apt-get").is_file()
}

fn apt_get() -> Program {
    Program::new("apt-get").with("DEBIAN_FRONTEND", "noninteractive")
}

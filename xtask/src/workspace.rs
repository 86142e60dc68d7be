//! `Workspace`: where the sources are, where build output goes, and what cargo knows of the packages.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::failure::{Failure, Outcome};

/// The checkout that a task works on.
#[derive(Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
    target: PathBuf,
}

impl Workspace {
    /// Finds the checkout that holds this program's sources.
    ///
    /// # Errors
    /// When `cargo metadata` fails.
    pub(crate) fn find() -> Outcome<Self> {
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = manifest
            .parent()
            .ok_or_else(|| Failure::new("xtask has no folder above it"))?
            .to_path_buf();
        let metadata = metadata(&root, &["--no-deps"])?;
        let target = metadata["target_directory"]
            .as_str()
            .ok_or_else(|| Failure::new("cargo metadata names no target directory"))?;
        Ok(Self {
            root,
            target: PathBuf::from(target),
        })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Makes a crate with a manifest of its own build where the workspace does, and share what is built.
    pub(crate) fn target_variable(&self) -> (&'static str, OsString) {
        ("CARGO_TARGET_DIR", self.target.clone().into_os_string())
    }

    /// Where the packages for the tests are kept: below the target directory, which cargo resolves.
    pub(crate) fn tools(&self) -> PathBuf {
        self.target.join("tools")
    }

    /// What cargo knows of all packages and how they resolve.
    ///
    /// # Errors
    /// When `cargo metadata` fails, for example because the lock file is out of date.
    pub(crate) fn metadata(&self) -> Outcome<Value> {
        metadata(&self.root, &["--locked"])
    }

    /// A command that runs cargo in the checkout.
    pub(crate) fn cargo(&self) -> Command {
        let mut command = cargo();
        command.current_dir(&self.root);
        command
    }
}

fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

fn metadata(root: &Path, words: &[&str]) -> Outcome<Value> {
    let output = cargo()
        .current_dir(root)
        .args(["metadata", "--format-version", "1"])
        .args(words)
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| Failure::new(format!("cargo metadata: {error}")))?;
    if !output.status.success() {
        return Err(Failure::new(format!("cargo metadata: {}", output.status)));
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|error| Failure::new(format!("cargo metadata: {error}")))
}

//! The command lines of `completions` and `man`.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use clap_complete::Shell;

/// Arguments of `completions`.
#[derive(Debug, ClapArgs)]
pub(crate) struct CompletionsArgs {
    /// Which shell
    pub(crate) shell: Shell,
}

/// Arguments of `man`.
#[derive(Debug, ClapArgs)]
pub(crate) struct ManArgs {
    /// Where to write `bowline.1`, `bowline-connect.1` and so on; created when missing
    pub(crate) folder: Option<PathBuf>,
}

pub(super) const COMPLETIONS_HELP: &str = "\
Examples:
  bowline completions bash >~/.local/share/bash-completion/completions/bowline
  bowline completions zsh >~/.zfunc/_bowline
  bowline completions fish >~/.config/fish/completions/bowline.fish";

pub(super) const MAN_HELP: &str = "\
Examples:
  bowline man | man -l -
  bowline man /usr/local/share/man/man1";

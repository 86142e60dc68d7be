//! The data folder.

use std::{
    env,
    fs::{self, DirBuilder},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

use super::ControlError;

/// Gives the data folder: the one that was named, else the user's.
pub(crate) fn data_folder(named: Option<&Path>) -> Result<PathBuf, ControlError> {
    if let Some(named) = named {
        return Ok(named.to_owned());
    }
    let absolute = |name| {
        let path = env::var_os(name).map(PathBuf::from);
        path.filter(|path| path.is_absolute())
    };
    let share = absolute("XDG_DATA_HOME");
    let share = share.or_else(|| Some(absolute("HOME")?.join(".local/share")));
    Ok(share.ok_or(ControlError::NoHome)?.join("bowline"))
}

/// Makes the data folder, for its owner only, unless it is there.
pub(super) fn make(folder: &Path) -> Result<(), ControlError> {
    let make = || {
        if let Some(parent) = folder.parent() {
            fs::create_dir_all(parent)?;
        }
        match DirBuilder::new().mode(0o700).create(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    };
    make().map_err(|source| ControlError::Folder {
        path: folder.to_owned(),
        source,
    })
}

/// Gives the path of the socket.
pub(super) fn socket(folder: &Path) -> Result<PathBuf, ControlError> {
    let path = folder.join(SOCKET);
    let length = path.as_os_str().len();
    if length > SOCKET_PATH_MAX {
        let max = SOCKET_PATH_MAX;
        return Err(ControlError::PathTooLong { path, length, max });
    }
    Ok(path)
}

const SOCKET: &str = "control.sock";
/// The room of an address on this system, without the NUL at its end.
const SOCKET_PATH_MAX: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

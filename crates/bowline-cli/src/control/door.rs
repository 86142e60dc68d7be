//! The end of the process that runs elements.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    process,
};

use bowline_connector::runner::ElementHandle;
use tokio::net::UnixListener;

use super::{ControlError, folder, server};

/// Holds a data folder for this process, with the socket in it.
///
/// When it is dropped the socket is removed. That of a process that was killed is replaced by the
/// next.
#[derive(Debug)]
pub(crate) struct Door {
    listener: UnixListener,
    path: PathBuf,
    /// Held as long as this lives; another process finds it locked.
    _lock: File,
}

impl Door {
    /// Takes a folder, which is created when missing, and opens its socket.
    ///
    /// # Errors
    /// [`ControlError`] if another process has it, or it cannot be used.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub(crate) fn open(folder: &Path) -> Result<Self, ControlError> {
        let path = folder::socket(folder)?;
        folder::make(folder)?;
        let lock = lock(folder)?;
        let listener = listen(folder, &path).map_err(|source| ControlError::Folder {
            path: folder.to_owned(),
            source,
        })?;
        Ok(Self {
            listener,
            path,
            _lock: lock,
        })
    }

    /// Answers requests about these elements, until the future is dropped.
    pub(crate) async fn serve(self, elements: Vec<ElementHandle>) {
        server::serve(&self.listener, &elements).await;
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        // Nobody is told if it is gone already.
        drop(fs::remove_file(&self.path));
    }
}

fn lock(folder: &Path) -> Result<File, ControlError> {
    let unusable = |source| ControlError::Folder {
        path: folder.to_owned(),
        source,
    };
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let opened = options.mode(0o600).open(folder.join(LOCK));
    let mut lock = opened.map_err(unusable)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let path = folder.to_owned();
            let pid = holder(&mut lock);
            return Err(ControlError::InUse { path, pid });
        }
        Err(TryLockError::Error(source)) => return Err(unusable(source)),
    }
    let written = lock
        .set_len(0)
        .and_then(|()| write!(lock, "{}", process::id()));
    written.map_err(unusable)?;
    Ok(lock)
}

/// Tells who holds a lock, if it has said so.
fn holder(lock: &mut File) -> Option<u32> {
    let mut text = String::new();
    lock.take(PID_LEN_MAX).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

/// Listens at a path that nobody but the owner could use at any moment.
fn listen(folder: &Path, path: &Path) -> io::Result<UnixListener> {
    let hidden = folder.join(HIDDEN);
    remove(fs::remove_dir_all(&hidden))?;
    DirBuilder::new().mode(0o700).create(&hidden)?;
    let made = hidden.join("s");
    let listener = UnixListener::bind(&made)?;
    fs::set_permissions(&made, Permissions::from_mode(0o600))?;
    // What is there is of a process that was killed: this one has the lock.
    fs::rename(&made, path)?;
    remove(fs::remove_dir(&hidden))?;
    Ok(listener)
}

/// What is not there need not be removed.
fn remove(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

const LOCK: &str = "control.lock";
/// Shorter than the name of the socket with the one in it.
const HIDDEN: &str = ".control";
const PID_LEN_MAX: u64 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_folder_is_for_one_process_and_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let door = Door::open(&data).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&data), 0o700);
        assert_eq!(mode(&data.join("control.sock")), 0o600);
        let second = Door::open(&data).unwrap_err();
        let ControlError::InUse { pid, .. } = second else {
            panic!("{second}");
        };
        assert_eq!(pid, Some(process::id()));
        drop(door);
        assert!(!data.join("control.sock").exists());
        drop(Door::open(&data).unwrap());
    }

    #[tokio::test]
    async fn what_a_killed_process_left_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("control.sock");
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        fs::create_dir(folder.path().join(HIDDEN)).unwrap();
        assert!(path.exists());
        let _door = Door::open(folder.path()).unwrap();
        std::os::unix::net::UnixStream::connect(&path).unwrap();
    }

    #[tokio::test]
    async fn a_path_that_is_too_long_is_said_to_be() {
        let folder = Path::new("/tmp").join("x".repeat(120));
        let error = Door::open(&folder).unwrap_err();
        assert!(matches!(error, ControlError::PathTooLong { .. }), "{error}");
        assert!(!folder.exists());
    }
}

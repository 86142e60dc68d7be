//! Saved values: what a parameter keeps over a restart, also after `kill -9`.

mod database;
mod error;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File, OpenOptions, TryLockError},
    mem,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use self::database::Database;
use crate::{machine::Value, plan::ParameterId};

pub use error::StoreError;

/// Keeps the saved values of elements in one folder, in the file `parameters.db`.
///
/// One process uses a folder at a time. What [`ElementStore::save`] stored is on the disk before it
/// returns: neither a killed process nor a lost power supply takes it back. A file that is damaged,
/// or that a newer version has written, is refused and left as it is.
///
/// Clones share the file.
#[derive(Clone, Debug)]
pub struct Store {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    database: Mutex<Database>,
    /// What is to be written: what came since the last write, and what could not be written then.
    unsaved: Mutex<Entries>,
    /// The elements that are in use.
    elements: Mutex<BTreeSet<String>>,
    /// Held as long as the store lives; another process finds it locked.
    _lock: File,
}

/// Values by element and parameter.
type Entries = BTreeMap<(String, ParameterId), Value>;

impl Store {
    /// Opens a folder, which is created when missing, and locks it.
    ///
    /// # Errors
    /// [`StoreError`] if the folder cannot be used, another process uses it, or the file in it is
    /// damaged, cannot be written, or is of a newer version.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, StoreError> {
        let folder = folder.as_ref();
        let lock = lock(folder)?;
        let database = Database::open(folder.join(FILE))?;
        Ok(Self {
            shared: Arc::new(Shared {
                database: Mutex::new(database),
                unsaved: Mutex::default(),
                elements: Mutex::default(),
                _lock: lock,
            }),
        })
    }

    /// Takes the part of one element. It is free again when what this gives is dropped.
    ///
    /// # Errors
    /// [`StoreError::ElementInUse`] if it is taken already: two elements of one name would overwrite
    /// each other's values.
    pub fn element(&self, name: &str) -> Result<ElementStore, StoreError> {
        if !locked(&self.shared.elements).insert(name.to_owned()) {
            return Err(StoreError::ElementInUse { name: name.into() });
        }
        Ok(ElementStore {
            shared: Arc::clone(&self.shared),
            name: name.to_owned(),
        })
    }
}

/// The saved values of one element.
#[derive(Debug)]
pub struct ElementStore {
    shared: Arc<Shared>,
    name: String,
}

impl ElementStore {
    /// Reads the saved values. Blocks while it reads.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be read.
    pub fn load(&self) -> Result<Vec<(ParameterId, Value)>, StoreError> {
        locked(&self.shared.database).load(&self.name)
    }

    /// Stores values durably; [`Value::Empty`] removes one. Returns when they are on the disk.
    ///
    /// Values that could not be stored are kept and stored with those of the next call, unless that
    /// has newer ones. What other elements have to store meanwhile goes to the disk together.
    ///
    /// # Errors
    /// [`StoreError`] if the file cannot be written.
    pub async fn save(&self, values: Vec<(ParameterId, Value)>) -> Result<(), StoreError> {
        let entries = values.into_iter();
        let entries = entries.map(|(parameter, value)| ((self.name.clone(), parameter), value));
        locked(&self.shared.unsaved).extend(entries);
        let shared = Arc::clone(&self.shared);
        let written = tokio::task::spawn_blocking(move || shared.write());
        written.await.unwrap_or(Err(StoreError::Stopped))
    }
}

impl Drop for ElementStore {
    fn drop(&mut self) {
        locked(&self.shared.elements).remove(&self.name);
    }
}

impl Shared {
    /// Writes everything that is to be written, also for those who wait for their turn here.
    fn write(&self) -> Result<(), StoreError> {
        let mut database = locked(&self.database);
        let entries = mem::take(&mut *locked(&self.unsaved));
        if entries.is_empty() {
            return Ok(());
        }
        let written = database.write(&entries);
        if written.is_err() {
            let mut unsaved = locked(&self.unsaved);
            for (key, value) in entries {
                unsaved.entry(key).or_insert(value);
            }
        }
        written
    }
}

fn lock(folder: &Path) -> Result<File, StoreError> {
    let unusable = |source| StoreError::Folder {
        path: folder.to_owned(),
        source,
    };
    fs::create_dir_all(folder).map_err(unusable)?;
    let lock = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(folder.join(LOCK))
        .map_err(unusable)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse {
            path: PathBuf::from(folder),
        }),
        Err(TryLockError::Error(source)) => Err(unusable(source)),
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const FILE: &str = "parameters.db";
const LOCK: &str = "parameters.lock";

#[cfg(test)]
mod tests;

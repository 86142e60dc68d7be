//! The file of the saved values.

use std::{
    fs::OpenOptions,
    io,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use rusqlite::{Connection, ErrorCode, params};

use super::{Entries, StoreError};
use crate::{machine::Value, plan::ParameterId};

/// An open file.
#[derive(Debug)]
pub(super) struct Database {
    path: PathBuf,
    connection: Connection,
}

impl Database {
    /// Opens a file; makes it if there is none.
    pub(super) fn open(path: PathBuf) -> Result<Self, StoreError> {
        make_private(&path).map_err(|error| StoreError::Write {
            path: path.clone(),
            source: error.into(),
        })?;
        let connection = Connection::open(&path).map_err(|error| read_error(&path, error))?;
        let database = Self { path, connection };
        database.prepare()?;
        Ok(database)
    }

    /// Reads the values of an element.
    pub(super) fn load(&self, element: &str) -> Result<Vec<(ParameterId, Value)>, StoreError> {
        let read = || {
            let mut select = self.connection.prepare(SELECT)?;
            let rows = select.query_map([element], |row| {
                let kind: i64 = row.get(1)?;
                let bytes: Vec<u8> = row.get(2)?;
                Ok((ParameterId(row.get(0)?), decode(kind, bytes)))
            })?;
            rows.collect::<Result<Vec<_>, _>>()
        };
        let rows = read().map_err(|error| read_error(&self.path, error))?;
        let values = rows.into_iter().map(|(parameter, value)| {
            let value = value.ok_or_else(|| StoreError::Damaged {
                path: self.path.clone(),
                source: format!("the value of {parameter} of {element}").into(),
            })?;
            Ok((parameter, value))
        });
        values.collect()
    }

    /// Writes values, all or none, and waits until they are on the disk.
    pub(super) fn write(&mut self, entries: &Entries) -> Result<(), StoreError> {
        let connection = &mut self.connection;
        let mut write = || {
            let transaction = connection.transaction()?;
            for ((element, parameter), value) in entries {
                match encode(value) {
                    None => transaction
                        .prepare(DELETE)?
                        .execute(params![element, parameter.0])?,
                    Some((kind, bytes)) => transaction.prepare(INSERT)?.execute(params![
                        element,
                        parameter.0,
                        kind,
                        &*bytes
                    ])?,
                };
            }
            transaction.commit()
        };
        write().map_err(|error| StoreError::Write {
            path: self.path.clone(),
            source: error.into(),
        })
    }

    fn prepare(&self) -> Result<(), StoreError> {
        let connection = &self.connection;
        let failed = |error| read_error(&self.path, error);
        // Before anything is written, so that a damaged file stays as it is.
        let verdict: String = connection
            .query_row("PRAGMA quick_check(1)", (), |row| row.get(0))
            .map_err(failed)?;
        if verdict != "ok" {
            return Err(StoreError::Damaged {
                path: self.path.clone(),
                source: verdict.into(),
            });
        }
        let version: i64 = connection
            .query_row("PRAGMA user_version", (), |row| row.get(0))
            .map_err(failed)?;
        if version > VERSION {
            return Err(StoreError::Version {
                path: self.path.clone(),
                version,
                known: VERSION,
            });
        }
        connection
            .execute_batch(SETUP)
            .map_err(|error| write_error(&self.path, error))
    }

    /// Makes every write fail, or succeed again.
    #[cfg(test)]
    pub(super) fn set_read_only(&self, sql_value: &str) {
        let pragma = format!("PRAGMA query_only = {sql_value}");
        self.connection.execute_batch(&pragma).unwrap();
    }
}

/// Makes the file where there is none, for its owner alone: what is saved may be secret. `SQLite` gives
/// the files beside it the same rights.
fn make_private(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

fn encode(value: &Value) -> Option<(i64, Bytes)> {
    match value {
        Value::Empty => None,
        Value::Number(number) => {
            let bytes = Bytes::copy_from_slice(&number.to_be_bytes());
            Some((KIND_NUMBER, bytes))
        }
        Value::Bytes(bytes) => Some((KIND_BYTES, bytes.clone())),
    }
}

fn decode(kind: i64, bytes: Vec<u8>) -> Option<Value> {
    match kind {
        KIND_NUMBER => {
            let bytes = bytes.try_into().ok()?;
            Some(Value::Number(f64::from_be_bytes(bytes)))
        }
        KIND_BYTES => Some(Value::Bytes(bytes.into())),
        _ => None,
    }
}

fn read_error(path: &Path, error: rusqlite::Error) -> StoreError {
    let path = path.to_owned();
    let is_damaged = matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    );
    let source = error.into();
    if is_damaged {
        StoreError::Damaged { path, source }
    } else {
        StoreError::Read { path, source }
    }
}

fn write_error(path: &Path, error: rusqlite::Error) -> StoreError {
    let error = read_error(path, error);
    if let StoreError::Read { path, source } = error {
        StoreError::Write { path, source }
    } else {
        error
    }
}

/// The version of the tables below.
const VERSION: i64 = 1;
const KIND_NUMBER: i64 = 0;
const KIND_BYTES: i64 = 1;
const SETUP: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS value (
        element TEXT NOT NULL,
        parameter INTEGER NOT NULL,
        kind INTEGER NOT NULL,
        bytes BLOB NOT NULL,
        PRIMARY KEY (element, parameter)
    ) STRICT, WITHOUT ROWID;
    PRAGMA user_version = 1;
";
const SELECT: &str = "SELECT parameter, kind, bytes FROM value WHERE element = ?1";
const INSERT: &str = "INSERT OR REPLACE INTO value VALUES (?1, ?2, ?3, ?4)";
const DELETE: &str = "DELETE FROM value WHERE element = ?1 AND parameter = ?2";

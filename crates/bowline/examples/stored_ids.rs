//! Connections are kept by number in `SQLite`, and an ordinary thread sends to each of them every
//! second; after 100 messages it closes the connection.
//!
//! The numbers of an earlier run are still in the file when the program starts again. They name
//! nothing any more, and their rows are deleted.
//!
//! ```sh
//! cargo run --example stored_ids -- --listen 127.0.0.1:8080 --database ids.sqlite
//! ```

use std::{
    env,
    error::Error,
    io::Write as _,
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    thread,
    time::{Duration, Instant},
};

use bowline::{
    CloseCode,
    server::{
        Arrival, ConnectionGroup, ConnectionId, GroupError, GroupOptions, GroupTable,
        GroupTableLimits, Listener, ListenerConfig, Registry,
        admission::Admission,
        rules::{RuleSet, Rules},
    },
};
use rusqlite::Connection as Database;
use tokio::sync::oneshot;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = argument("--listen").unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let path = argument("--database").unwrap_or_else(|| ":memory:".to_owned());
    let period_ms = argument("--period-ms").map_or(Ok(1000), |period| period.parse())?;

    let registry = Registry::new();
    let (teller, changes) = sync_channel(CHANGES_MAX);
    let group = group(&registry, teller)?;
    let broadcaster = Broadcaster {
        database: open(&path)?,
        registry: registry.clone(),
        changes,
        period: Duration::from_millis(period_ms),
    };
    let (failed, failure) = oneshot::channel();
    thread::spawn(move || failed.send(broadcaster.run()));

    let rules = Rules::new(RuleSet::parse("allow /*\nroute /* ids websocket-only")?);
    let config = ListenerConfig::new("ids".parse()?, rules, Admission::default());
    let listener = Listener::bind(address, config).await?;
    let url = format!("http://{}/", listener.local_addr());
    writeln!(std::io::stdout(), "listening on {url}")?;
    let serve = move |arrival| handle(arrival, registry.clone(), group.clone());
    tokio::select! {
        () = listener.serve(serve, std::future::pending()) => Ok(()),
        // The thread ends only when the database fails.
        ended = failure => Ok(ended??),
    }
}

async fn handle(arrival: Arrival, registry: Registry, group: ConnectionGroup) {
    let accepted = async {
        if let Arrival::WebSocket(arrival) = arrival {
            arrival
                .accept_into(&group, registry.reserve()?, None)
                .await?;
        }
        Ok::<_, Box<dyn Error + Send + Sync>>(())
    };
    if let Err(error) = accepted.await {
        drop(writeln!(std::io::stderr(), "{error}"));
    }
}

/// What becomes of a connection.
enum Change {
    Opened(ConnectionId),
    Closed(ConnectionId),
}

/// Makes the group whose connections are stored. Its handlers must not block, so they only tell
/// the thread that has the database.
fn group(registry: &Registry, teller: SyncSender<Change>) -> Result<ConnectionGroup, GroupError> {
    let options = GroupOptions {
        push_only: true,
        ..GroupOptions::default()
    };
    let groups = GroupTable::new(registry.clone(), GroupTableLimits::default());
    let group = groups.create("stored", options)?;
    let opened = teller.clone();
    group.on_open(move |connection| {
        if opened.try_send(Change::Opened(connection.id())).is_err() {
            drop(connection.close(CloseCode::TRY_AGAIN_LATER, "the database is busy"));
        }
    });
    group.on_disconnect(move |connection, _| {
        // If there is no room for this, the row is deleted when its number turns out to be unknown.
        drop(teller.try_send(Change::Closed(connection.id())));
    });
    Ok(group)
}

/// Owns the database, on a thread of its own.
struct Broadcaster {
    database: Database,
    registry: Registry,
    changes: Receiver<Change>,
    period: Duration,
}

impl Broadcaster {
    /// Stores and deletes numbers as connections come and go, and broadcasts periodically.
    fn run(mut self) -> rusqlite::Result<()> {
        let mut next = Instant::now() + self.period;
        loop {
            let wait = next.saturating_duration_since(Instant::now());
            match self.changes.recv_timeout(wait) {
                Ok(Change::Opened(id)) => self.insert(id)?,
                Ok(Change::Closed(id)) => delete(&self.database, id)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            if Instant::now() >= next {
                self.broadcast()?;
                next = Instant::now() + self.period;
            }
        }
    }

    fn insert(&self, id: ConnectionId) -> rusqlite::Result<()> {
        let insert = "INSERT INTO connection (id, sent) VALUES (?1, 0)";
        self.database.execute(insert, [stored(id)])?;
        Ok(())
    }

    /// Reads every number and sends to the connection it names.
    fn broadcast(&mut self) -> rusqlite::Result<()> {
        let transaction = self.database.transaction()?;
        for (id, sent) in rows(&transaction)? {
            let text = format!("Broadcasting id: {}", id.as_u64());
            let result = match self.registry.get(id) {
                // Closed, or of an earlier run of the program.
                Err(_) => {
                    delete(&transaction, id)?;
                    continue;
                }
                Ok(connection) if sent + 1 < SENDS_MAX => connection.try_send(text),
                Ok(connection) => connection.send_then_close(text),
            };
            // One that is closing or does not keep up gets the next one, if it is still there.
            if result.is_err() {
                continue;
            }
            if sent + 1 < SENDS_MAX {
                let count = "UPDATE connection SET sent = sent + 1 WHERE id = ?1";
                transaction.execute(count, [stored(id)])?;
            } else {
                delete(&transaction, id)?;
            }
        }
        transaction.commit()
    }
}

fn open(path: &str) -> rusqlite::Result<Database> {
    let database = Database::open(path)?;
    database.execute_batch(
        "CREATE TABLE IF NOT EXISTS connection (id INTEGER PRIMARY KEY, sent INTEGER NOT NULL)",
    )?;
    Ok(database)
}

fn rows(database: &Database) -> rusqlite::Result<Vec<(ConnectionId, u32)>> {
    let mut select = database.prepare("SELECT id, sent FROM connection")?;
    let rows = select.query_map([], |row| {
        let id: i64 = row.get(0)?;
        Ok((ConnectionId::from_u64(id.cast_unsigned()), row.get(1)?))
    })?;
    rows.collect()
}

fn delete(database: &Database, id: ConnectionId) -> rusqlite::Result<()> {
    database.execute("DELETE FROM connection WHERE id = ?1", [stored(id)])?;
    Ok(())
}

/// Gives the number as the database keeps it: 64 bits with a sign.
fn stored(id: ConnectionId) -> i64 {
    id.as_u64().cast_signed()
}

fn argument(name: &str) -> Option<String> {
    env::args().skip_while(|argument| argument != name).nth(1)
}

/// Messages to one connection before it is closed.
const SENDS_MAX: u32 = 100;
/// Connections that may come and go while the database is busy.
const CHANGES_MAX: usize = 1024;

//! Numbers of connections in a database, and a thread that sends by them.

use std::{path::Path, time::Duration};

use bowline::{CloseCode, EndedBy, WebSocket};
use rusqlite::Connection as Database;
use tempfile::TempDir;

use super::{Example, refused_with};

struct Server {
    example: Example,
    database: Database,
}

impl Server {
    fn start(folder: &Path) -> Self {
        let path = folder.join("ids.sqlite");
        let path = path.to_str().unwrap();
        let example = Example::start("stored_ids", &["--database", path, "--period-ms", "5"]);
        let database = Database::open(path).unwrap();
        database.busy_timeout(Duration::from_secs(30)).unwrap();
        Self { example, database }
    }

    async fn connect(&self) -> WebSocket {
        bowline::connect(&self.example.url("/")).await.unwrap()
    }

    /// Gives the stored numbers.
    fn ids(&self) -> Vec<u64> {
        let mut select = self.database.prepare("SELECT id FROM connection").unwrap();
        let ids = select.query_map([], |row| row.get::<_, i64>(0)).unwrap();
        ids.map(|id| id.unwrap().cast_unsigned()).collect()
    }
}

/// Receives one broadcast; gives the number in it.
async fn broadcast(client: &mut WebSocket) -> u64 {
    let text = client.recv().await.expect("a broadcast").into_payload();
    let text = std::str::from_utf8(text.as_ref()).unwrap();
    let number = text.strip_prefix("Broadcasting id: ").unwrap();
    number.parse().unwrap()
}

#[tokio::test]
async fn a_connection_gets_its_number_a_hundred_times_and_is_closed() {
    let folder = TempDir::new().unwrap();
    let server = Server::start(folder.path());
    let mut client = server.connect().await;
    let id = broadcast(&mut client).await;
    assert_eq!(server.ids(), [id]);
    for _ in 1..100 {
        assert_eq!(broadcast(&mut client).await, id);
    }
    assert_eq!(client.recv().await, None);
    let ending = client.ending().unwrap();
    assert_eq!((ending.by, ending.code), (EndedBy::Peer, CloseCode::NORMAL));
    // A later connection has another number, and the row of the earlier one is gone.
    let mut next = server.connect().await;
    let next_id = broadcast(&mut next).await;
    assert_ne!(next_id, id);
    assert_eq!(server.ids(), [next_id]);
}

#[tokio::test]
async fn the_row_of_a_connection_that_leaves_is_deleted() {
    let folder = TempDir::new().unwrap();
    let server = Server::start(folder.path());
    let (mut stays, mut leaves) = (server.connect().await, server.connect().await);
    let id = broadcast(&mut stays).await;
    assert_ne!(broadcast(&mut leaves).await, id);
    leaves.close(CloseCode::NORMAL, "").await.unwrap();
    while server.ids() != [id] {
        assert_eq!(broadcast(&mut stays).await, id);
    }
    let not_for_pages = server.example.ask("GET", "/", "").await.0;
    assert_eq!(not_for_pages, 426);
    let foreign = bowline::Connector::default().with_origin("http://evil.example");
    let foreign = foreign.connect(&server.example.url("/")).await;
    assert_eq!(refused_with(foreign), 403);
}

#[tokio::test]
async fn numbers_of_an_earlier_run_are_unknown_and_their_rows_are_deleted() {
    let folder = TempDir::new().unwrap();
    let first = Server::start(folder.path());
    let mut client = first.connect().await;
    let old = broadcast(&mut client).await;
    drop(first);
    assert_eq!(client.recv().await, None);

    let second = Server::start(folder.path());
    let mut client = second.connect().await;
    let new = broadcast(&mut client).await;
    assert_ne!(new, old, "the same place in another run is another number");
    // The first broadcast is over when the second one arrives.
    assert_eq!(broadcast(&mut client).await, new);
    assert_eq!(second.ids(), [new]);
}

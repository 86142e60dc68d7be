//! What the server changes, and who gets it.

use std::{collections::BTreeSet, thread};

use bowline::{CloseCode, OutboxLimits, server::Attributes};
use bowline_document::{Document, Patch, Policy};
use serde_json::json;

use crate::pair::{Page, Server, page, soon};

#[tokio::test]
async fn a_visitor_gets_the_document_and_then_one_patch_for_each_change() {
    let server = Server::start(page(&["one"]), Policy::new()).await;
    let mut visitor = server.visit().await;
    let document = json!({"title": "a page", "words": ["one"], "count": 0});
    let whole = json!({"version": 1, "document": document});
    assert_eq!(visitor.hear().await, whole);

    let document = server.document();
    let told = document.update(|page| {
        page.count += 1;
        page.words.push("two".to_owned());
        "done"
    });
    assert_eq!(told.unwrap(), "done");
    // A change that leaves everything as it is sends nothing.
    document.update(|page| page.count = 1).unwrap();
    let patch = json!([
        {"op": "add", "path": "/words/1", "value": "two"},
        {"op": "replace", "path": "/count", "value": 1},
    ]);
    // Here the patch would be longer than the document.
    let heard = visitor.hear().await;
    let whole = json!({"version": 2, "document": document.to_json()});
    assert!(patch.to_string().len() > document.to_json().to_string().len());
    assert_eq!(heard, whole);

    document
        .update(|page| page.title = "b".repeat(1000))
        .unwrap();
    drop(visitor.hear().await);
    document.update(|page| page.count = 7).unwrap();
    let patch = json!([{"op": "replace", "path": "/count", "value": 7}]);
    assert_eq!(visitor.hear().await, json!({"version": 4, "patch": patch}));
    assert_eq!(
        (document.version(), document.read(|page| page.count)),
        (4, 7)
    );
}

#[tokio::test]
async fn who_comes_back_gets_the_whole_document_with_what_was_missed() {
    let server = Server::start(page(&[]), Policy::new()).await;
    let mut visitor = server.visit().await;
    drop(visitor.hear().await);
    soon(visitor.socket.close(CloseCode::NORMAL, ""))
        .await
        .unwrap();
    while server.document().connection().is_some() {
        tokio::task::yield_now().await;
    }
    for count in 1..=3 {
        server.document().update(|page| page.count = count).unwrap();
    }
    let mut visitor = server.visit().await;
    let whole = visitor.hear().await;
    assert_eq!(
        (&whole["version"], &whole["document"]["count"]),
        (&json!(4), &json!(3))
    );
}

#[tokio::test]
async fn a_second_connection_takes_over_and_the_first_is_told() {
    let server = Server::start(page(&[]), Policy::new()).await;
    let mut first = server.visit().await;
    drop(first.hear().await);
    let mut second = server.visit().await;
    drop(second.hear().await);
    assert_eq!(first.hear().await, json!({"replaced": true}));
    server.document().update(|page| page.count = 1).unwrap();
    assert_eq!(second.hear().await["version"], 2);
    // What the first one wants changes nothing, and it is told again.
    let patch = json!([{"op": "replace", "path": "/count", "value": 9}]);
    assert_eq!(first.propose(1, patch).await, json!({"replaced": true}));
    drop(first);
    server.document().update(|page| page.count = 2).unwrap();
    assert_eq!(second.hear().await["version"], 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_from_many_threads_arrive_in_the_order_of_their_versions() {
    let server = Server::start(page(&[]), Policy::new()).await;
    server
        .document()
        .update(|page| page.title = "t".repeat(2000))
        .unwrap();
    let mut visitor = server.visit().await;
    let whole = visitor.hear().await;
    let mut mirror = whole["document"].clone();
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let document = server.document().clone();
            thread::spawn(move || add_words(&document, thread))
        })
        .collect();
    for version in 3..=102 {
        let heard = visitor.hear().await;
        assert_eq!(heard["version"], version);
        let patch: Patch = serde_json::from_value(heard["patch"].clone()).unwrap();
        json_patch::patch(&mut mirror, &patch).unwrap();
    }
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(mirror, server.document().to_json());
    let words = server.document().read(|page| page.words.clone());
    assert_eq!(words.iter().collect::<BTreeSet<_>>().len(), 100);
}

/// Adds 25 words, one after the other.
fn add_words(document: &Document<Page>, thread: usize) {
    for number in 0..25 {
        let add = |page: &mut Page| {
            page.count += 1;
            page.words.push(format!("{thread}-{number}"));
        };
        document.update(add).unwrap();
    }
}

#[tokio::test]
async fn a_visitor_that_does_not_keep_up_is_sent_away_and_comes_back() {
    let outbox = OutboxLimits {
        messages_max: 4,
        ..OutboxLimits::default()
    };
    let server = Server::start_with(page(&[]), Policy::new(), outbox).await;
    let mut visitor = server.visit().await;
    drop(visitor.hear().await);
    let mut changes = 0;
    while server.document().connection().is_some() {
        changes += 1;
        let title = format!("{changes}").repeat(10_000);
        server.document().update(|page| page.title = title).unwrap();
        assert!(changes < 100_000, "the stream has no end");
    }
    while soon(visitor.socket.recv()).await.is_some() {}
    let ending = visitor.socket.ending().unwrap();
    assert_eq!(ending.code, CloseCode::TRY_AGAIN_LATER);
    let mut visitor = server.visit().await;
    let whole = visitor.hear().await;
    assert_eq!(whole["version"], server.document().version());
}

#[tokio::test]
async fn a_connection_without_a_document_is_closed_with_1011() {
    let server = Server::start(page(&[]), Policy::new()).await;
    let (mut visitor, _) = server.visit_with(Attributes::default()).await;
    assert_eq!(soon(visitor.socket.recv()).await, None);
    let ending = visitor.socket.ending().unwrap();
    assert_eq!(ending.code, CloseCode::INTERNAL_ERROR);
    assert_eq!(&*ending.reason, "no session found");
}

#[test]
fn a_change_that_panics_leaves_the_document_as_it_was() {
    let document = Document::new(page(&["kept"]), Policy::new()).unwrap();
    let other = document.clone();
    let panics = move || {
        let _never = other.update(|page| {
            page.words.clear();
            panic!("on purpose");
        });
    };
    assert!(thread::spawn(panics).join().is_err());
    assert_eq!(document.read(Clone::clone), page(&["kept"]));
    document.update(|page| page.count = 1).unwrap();
    assert_eq!(document.version(), 2);
}

//! What a visitor wants, and what the server makes of it.

use bowline_document::{Policy, StalePatch};
use serde_json::{Value, json};

use crate::pair::{Page, Server, Visitor, page};

async fn pair(policy: Policy<Page>) -> (Server, Visitor) {
    let server = Server::start(page(&["one", "two"]), policy).await;
    let long = "t".repeat(1000);
    server.document().update(|page| page.title = long).unwrap();
    let mut visitor = server.visit().await;
    assert_eq!(visitor.hear().await["version"], 2);
    (server, visitor)
}

#[tokio::test]
async fn an_accepted_patch_comes_back_as_a_change_with_its_number() {
    let (server, mut visitor) = pair(Policy::new()).await;
    let patch = json!([
        {"op": "test", "path": "/words/0", "value": "one"},
        {"op": "add", "path": "/words/-", "value": "three"},
    ]);
    let added = json!([{"op": "add", "path": "/words/2", "value": "three"}]);
    let answer = json!({"version": 3, "patch": added, "answers": 1});
    assert_eq!(visitor.propose(2, patch).await, answer);
    let words = server.document().read(|page| page.words.clone());
    assert_eq!(words, ["one", "two", "three"]);
    // A patch that changes nothing is answered as well.
    let patch = json!([{"op": "test", "path": "/count", "value": 0}]);
    let answer = json!({"version": 4, "patch": [], "answers": 1});
    assert_eq!(visitor.propose(3, patch).await, answer);
}

#[tokio::test]
async fn a_check_refuses_or_changes_what_a_visitor_wants() {
    let policy = Policy::new().with_check(|old: &Page, new: &mut Page| {
        if new.words.len() < old.words.len() {
            return Err("words are never taken back".into());
        }
        new.count = u32::try_from(new.words.len()).unwrap();
        Ok(())
    });
    let (server, mut visitor) = pair(policy).await;
    let refused = visitor
        .propose(2, json!([{"op": "remove", "path": "/words/0"}]))
        .await;
    let reason = "words are never taken back";
    assert_eq!(
        refused,
        json!({"refused": 1, "reason": reason, "version": 2})
    );
    let patch = json!([{"op": "add", "path": "/words/0", "value": "zero"}]);
    let answer = visitor.propose(2, patch).await;
    let counted = json!({"op": "replace", "path": "/count", "value": 3});
    let patch = answer["patch"].as_array().unwrap();
    assert!(patch.contains(&counted), "{answer}");
    assert_eq!(server.document().read(|page| page.count), 3);
}

#[tokio::test]
async fn a_read_only_place_stays_whatever_a_patch_does_around_it() {
    let policy = Policy::new().with_read_only("/count").unwrap();
    let policy = policy.with_read_only("/words/0").unwrap();
    let (server, mut visitor) = pair(policy).await;
    let whole = json!({"title": "new", "words": ["one"], "count": 1});
    let refused = [
        (
            json!([{"op": "replace", "path": "/count", "value": 1}]),
            "/count",
        ),
        (json!([{"op": "remove", "path": "/count"}]), "/count"),
        (
            json!([{"op": "move", "from": "/count", "path": "/other"}]),
            "/count",
        ),
        (
            json!([{"op": "replace", "path": "", "value": whole}]),
            "/count",
        ),
        (
            json!([{"op": "add", "path": "/words/0", "value": "zero"}]),
            "/words/0",
        ),
        (json!([{"op": "remove", "path": "/words"}]), "/words/0"),
    ];
    for (patch, path) in refused {
        let answer = visitor.propose(2, patch.clone()).await;
        assert_eq!(
            answer["reason"],
            format!("`{path}` is read-only"),
            "{patch}"
        );
    }
    let whole = json!({"title": "new", "words": ["one"], "count": 0});
    let patch = json!([{"op": "replace", "path": "", "value": whole}]);
    assert_eq!(visitor.propose(2, patch).await["version"], 3);
    assert_eq!(server.document().to_json(), whole);
    assert!(Policy::<Page>::new().with_read_only("count").is_err());
}

#[tokio::test]
async fn a_patch_for_another_version_is_refused_or_applied_as_the_policy_says() {
    let patch = || json!([{"op": "add", "path": "/words/-", "value": "late"}]);
    let (server, mut visitor) = pair(Policy::new()).await;
    server.document().update(|page| page.count = 1).unwrap();
    drop(visitor.hear().await);
    let refused = visitor.propose(2, patch()).await;
    assert_eq!(
        (&refused["refused"], &refused["version"]),
        (&json!(1), &json!(3))
    );

    let (server, mut visitor) = pair(Policy::new().with_stale(StalePatch::Apply)).await;
    server.document().update(|page| page.count = 1).unwrap();
    drop(visitor.hear().await);
    assert_eq!(visitor.propose(2, patch()).await["answers"], 1);
    let refused = visitor.propose(9, patch()).await;
    assert_eq!(
        refused["reason"],
        "the patch is for version 9, and the document has version 4"
    );
}

#[tokio::test]
async fn what_is_not_understood_is_refused_and_the_connection_goes_on() {
    let (server, mut visitor) = pair(Policy::new()).await;
    let before = server.document().to_json();
    let patch = |operation: Value| json!({"version": 2, "patch": [operation], "id": 5});
    let cases = [
        (json!([]), Value::Null),
        (json!({"id": 5}), json!(5)),
        (json!({"id": 5, "version": 2, "patch": "none"}), json!(5)),
        (
            json!({"version": 2, "patch": [{"op": "grow", "path": ""}], "id": 5}),
            json!(5),
        ),
        (
            patch(json!({"op": "remove", "path": "no pointer"})),
            json!(5),
        ),
        (patch(json!({"op": "remove", "path": "/nothing"})), json!(5)),
        (
            patch(json!({"op": "test", "path": "/count", "value": 1})),
            json!(5),
        ),
        (
            patch(json!({"op": "add", "path": "/words/9", "value": ""})),
            json!(5),
        ),
        (
            patch(json!({"op": "replace", "path": "/count", "value": "many"})),
            json!(5),
        ),
        (patch(json!({"op": "remove", "path": "/title"})), json!(5)),
        (
            patch(json!({"op": "move", "from": "/words", "path": "/words/0"})),
            json!(5),
        ),
    ];
    for (message, id) in cases {
        visitor.say(&message).await;
        let answer = visitor.hear().await;
        assert_eq!(
            (&answer["refused"], &answer["version"]),
            (&id, &json!(2)),
            "{message}"
        );
        assert!(answer["reason"].is_string());
    }
    visitor.socket.send("{not json").await.unwrap();
    assert_eq!(visitor.hear().await["refused"], Value::Null);
    assert_eq!(server.document().to_json(), before);
    visitor.say(&json!({"resend": true})).await;
    let whole = json!({"version": 2, "document": before});
    assert_eq!(visitor.hear().await, whole);
}

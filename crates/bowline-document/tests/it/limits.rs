//! How large documents and patches may be.

use bowline_document::{Document, DocumentError, DocumentLimits, Excess, Policy};
use serde_json::{Value, json};

use crate::pair::{Page, Server, page};

fn policy<T>() -> Policy<T> {
    Policy::new().with_limits(DocumentLimits {
        size_max: 1000,
        depth_max: 4,
        patch_size_max: 2000,
        operations_max: 5,
    })
}

#[test]
fn the_server_s_own_changes_are_bounded_and_a_refused_one_changes_nothing() {
    let document: Document<Page> = Document::new(page(&[]), policy()).unwrap();
    let grown = document.update(|page| page.title = "x".repeat(1000));
    assert!(matches!(
        grown,
        Err(DocumentError::Excess(Excess::Size { .. }))
    ));
    assert_eq!(document.read(Clone::clone), page(&[]));

    let deep = json!([[[[]]]]);
    assert!(Document::new(deep.clone(), policy()).is_ok());
    let deeper = Document::new(json!([deep]), policy::<Value>());
    assert!(matches!(
        deeper,
        Err(DocumentError::Excess(Excess::Depth(4)))
    ));
}

#[tokio::test]
async fn a_visitor_s_patches_are_bounded_in_length_operations_and_what_they_make() {
    let server = Server::start(page(&["word"]), policy()).await;
    let mut visitor = server.visit().await;
    drop(visitor.hear().await);
    let add = |value: Value| json!({"op": "add", "path": "/words/-", "value": value});
    let copy = |from: &str, path: &str| json!({"op": "copy", "from": from, "path": path});
    let long = "x".repeat(900);
    let cases = [
        (json!([add(json!("x".repeat(2000)))]), "2000 are the limit"),
        (json!(vec![add(json!(1)); 6]), "6 operations"),
        (
            json!([add(json!(long)), copy("/words/1", "/title")]),
            "1000 are the limit",
        ),
        (
            json!([
                add(json!(long)),
                copy("/words", "/a"),
                copy("/words", "/b"),
                copy("/words", "/c"),
                copy("/words", "/d")
            ]),
            "too much",
        ),
        (
            json!([copy("", "/a"), copy("", "/b"), copy("", "/c")]),
            "4 levels",
        ),
        (json!([add(json!([[1]]))]), "4 levels"),
    ];
    for (patch, reason) in cases {
        let answer = visitor.propose(1, patch.clone()).await;
        let told = answer["reason"].as_str().unwrap();
        assert!(told.contains(reason), "{told} for {patch}");
    }
    assert_eq!(server.document().read(Clone::clone), page(&["word"]));
}

#[tokio::test]
async fn copies_of_copies_do_not_grow_before_the_patch_is_refused() {
    let limits = DocumentLimits {
        operations_max: 10_000,
        depth_max: 1000,
        ..DocumentLimits::default()
    };
    let server = Server::start(page(&["word"]), Policy::new().with_limits(limits)).await;
    let mut visitor = server.visit().await;
    drop(visitor.hear().await);
    // Each of them doubles the document.
    let double = |number| json!({"op": "copy", "from": "", "path": format!("/{number}")});
    let patch: Vec<_> = (0..60).map(double).collect();
    let answer = visitor.propose(1, json!(patch)).await;
    assert_eq!(
        answer["reason"],
        "the patch adds, copies and moves too much"
    );
}

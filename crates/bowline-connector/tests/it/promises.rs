//! What is promised of every reading, whatever the bytes are.
//!
//! The fuzz target `connector` calls the same.

use bowline_connector::{
    diagnostic::{Diagnostics, Severity},
    read,
};

/// Reads bytes as a connector file.
///
/// # Panics
/// If a promise is broken.
pub(crate) fn check(bytes: &[u8]) {
    let reading = read("any.xml", bytes);
    let list = &reading.diagnostics;
    assert!(reading.plan.is_none() || list.count(Severity::Error) == 0);
    assert!(list.iter().count() <= Diagnostics::COUNT_MAX);
    let text = list.source().text();
    for one in list {
        let related = one.related.iter().map(|related| related.span);
        for span in related.chain([one.span]) {
            assert!(span.start <= span.end, "{one:?}");
            assert!(text.get(span.range()).is_some(), "{one:?}");
        }
        assert!(!one.message.is_empty());
    }
    assert_eq!(list.to_string().is_empty(), list.is_empty());
}

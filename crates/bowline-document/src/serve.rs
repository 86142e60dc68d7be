//! Documents for the connections of a group.

use bowline::{
    CloseCode,
    server::{ConnectionGroup, ConnectionHandle},
};
use serde::{Serialize, de::DeserializeOwned};

use crate::document::Document;

/// Shows each connection of a group the document that `find` gives for it, usually of its session.
///
/// Sets the group's handlers for *open*, *text* and *disconnect*. A connection without a document
/// is closed with 1011. `find` is called for each of these events.
pub fn serve<T>(
    group: &ConnectionGroup,
    find: impl Fn(&ConnectionHandle) -> Option<Document<T>> + Clone + Send + Sync + 'static,
) where
    T: Clone + Serialize + DeserializeOwned + Send + Sync + 'static,
{
    let (find_open, find_text, find_gone) = (find.clone(), find.clone(), find);
    group
        .on_open(move |connection| match find_open(connection) {
            Some(document) => document.attach(connection),
            None => refuse(connection),
        })
        .on_text(move |connection, text| match find_text(connection) {
            // The visitor is told; to know it here as well, handle text without this function.
            Some(document) => drop(document.receive(connection, text)),
            None => refuse(connection),
        })
        .on_disconnect(move |connection, _| {
            if let Some(document) = find_gone(connection) {
                document.detach(connection.id());
            }
        });
}

fn refuse(connection: &ConnectionHandle) {
    let closed = connection.close(CloseCode::INTERNAL_ERROR, "no session found");
    debug_assert!(closed.is_ok(), "the code and the reason can be sent");
}

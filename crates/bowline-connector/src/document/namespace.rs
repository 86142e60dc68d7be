//! Namespaces: the connector format's, none, and others.

/// The namespaces in scope, the innermost last.
#[derive(Debug, Default)]
pub(super) struct Namespaces {
    declared: Vec<(String, String)>,
}

impl Namespaces {
    /// Declares a prefix; the empty one is the default namespace. Says whether there was room.
    pub(super) fn declare(&mut self, prefix: &str, uri: &str) -> bool {
        let has_room = self.declared.len() < IN_SCOPE_MAX;
        if has_room {
            self.declared.push((prefix.to_owned(), uri.to_owned()));
        }
        has_room
    }

    /// Gives how many are in scope, to come back to.
    pub(super) const fn len(&self) -> usize {
        self.declared.len()
    }

    /// Goes back to what was in scope.
    pub(super) fn truncate(&mut self, len: usize) {
        self.declared.truncate(len);
    }

    /// Gives the namespace of a prefix: empty for none, `None` if it was never declared.
    pub(super) fn find(&self, prefix: &str) -> Option<&str> {
        let found = self.declared.iter().rev().find(|(name, _)| name == prefix);
        match found {
            Some((_, uri)) => Some(uri),
            None if prefix.is_empty() => Some(""),
            None => (prefix == "xml").then_some("http://www.w3.org/XML/1998/namespace"),
        }
    }
}

/// The namespace of the connector format.
pub(super) const FORMAT: &str = "http://www.skyline.be/protocol";

/// Most declarations in scope: a look-up goes through all of them.
pub(super) const IN_SCOPE_MAX: usize = 64;

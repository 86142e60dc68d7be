//! The subscriptions of all sessions as a tree over the levels of their filters.

use std::{collections::BTreeMap, collections::BTreeSet, str::Split};

use crate::{
    bus::SessionId,
    filter::{FilterLevel, TopicFilter},
    topic::{SEPARATOR, Topic},
};

/// Finds the sessions subscribed to a topic without looking at every subscription.
///
/// A publication visits the nodes that its own levels lead to, by name or by `+`; subscriptions
/// elsewhere cost nothing. Depth is bounded by `TopicLimits::levels_max`, a `u8`, so recursion is
/// shallow.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions {
    root: Node,
}

impl Subscriptions {
    /// Adds a session under a filter.
    pub(crate) fn insert(&mut self, filter: &TopicFilter, session: SessionId) {
        let mut node = &mut self.root;
        for level in filter.levels() {
            node = match level {
                FilterLevel::Name(name) => node.named.entry(name.into()).or_default(),
                FilterLevel::Any => node.any.get_or_insert_default(),
                FilterLevel::Rest => {
                    node.rest.insert(session);
                    return;
                }
            };
        }
        node.here.insert(session);
    }

    /// Takes a session from under a filter and prunes the branches this leaves empty.
    pub(crate) fn remove(&mut self, filter: &TopicFilter, session: SessionId) {
        self.root.remove(filter.levels(), session);
    }

    /// Appends the sessions subscribed to `topic`, each once and ascending, to `found`, which must
    /// be empty, and returns the number of nodes visited.
    pub(crate) fn find(&self, topic: &Topic, found: &mut Vec<SessionId>) -> u64 {
        debug_assert!(
            found.is_empty(),
            "recipients of an earlier publication are left"
        );
        let mut search = Search {
            found,
            sets: 0,
            visited: 1,
        };
        if !topic.is_reserved() {
            search.add(&self.root.rest);
        }
        self.root.descend(
            topic.as_str().split(SEPARATOR),
            topic.is_reserved(),
            &mut search,
        );
        let Search { sets, visited, .. } = search;
        if sets > 1 {
            // Each set is sorted, and the sort merges sorted runs in nearly linear time.
            found.sort();
            found.dedup();
        }
        visited
    }

    #[cfg(test)]
    fn is_empty(&self) -> bool {
        self.root.is_empty()
    }
}

/// What is subscribed at one place and below it.
#[derive(Debug, Default)]
struct Node {
    named: BTreeMap<Box<str>, Self>,
    any: Option<Box<Self>>,
    /// Sessions whose filter ends here.
    here: SessionSet,
    /// Sessions whose filter has `#` in the next level.
    rest: SessionSet,
}

impl Node {
    fn is_empty(&self) -> bool {
        self.named.is_empty() && self.any.is_none() && self.here.is_empty() && self.rest.is_empty()
    }

    fn remove<'a>(
        &mut self,
        mut levels: impl Iterator<Item = FilterLevel<'a>>,
        session: SessionId,
    ) {
        match levels.next() {
            None => {
                self.here.remove(session);
            }
            Some(FilterLevel::Rest) => {
                self.rest.remove(session);
            }
            Some(FilterLevel::Any) => {
                if let Some(child) = &mut self.any {
                    child.remove(levels, session);
                    self.any.take_if(|child| child.is_empty());
                }
            }
            Some(FilterLevel::Name(name)) => {
                if let Some(child) = self.named.get_mut(name) {
                    child.remove(levels, session);
                    if child.is_empty() {
                        self.named.remove(name);
                    }
                }
            }
        }
    }

    /// Collects what the levels after this node lead to.
    fn descend(&self, mut levels: Split<'_, char>, reserved: bool, search: &mut Search<'_>) {
        let Some(name) = levels.next() else {
            search.add(&self.here);
            return;
        };
        let any = self.any.as_deref().filter(|_| !reserved);
        for child in self.named.get(name).into_iter().chain(any) {
            search.visited += 1;
            search.add(&child.rest);
            child.descend(levels.clone(), false, search);
        }
    }
}

/// Sessions in ascending order. Many sets hold a single one, which needs no tree.
#[derive(Debug, Default)]
enum SessionSet {
    #[default]
    Empty,
    One(SessionId),
    /// At least two.
    #[expect(
        clippy::box_collection,
        reason = "every node has room for two sets, and most are empty"
    )]
    Many(Box<BTreeSet<SessionId>>),
}

impl SessionSet {
    const fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }

    fn insert(&mut self, session: SessionId) {
        match self {
            Self::Empty => *self = Self::One(session),
            Self::One(other) if *other == session => {}
            Self::One(other) => *self = Self::Many(Box::new([*other, session].into())),
            Self::Many(sessions) => {
                sessions.insert(session);
            }
        }
    }

    fn remove(&mut self, session: SessionId) {
        match self {
            Self::One(only) if *only == session => *self = Self::Empty,
            Self::Empty | Self::One(_) => {}
            Self::Many(sessions) => {
                sessions.remove(&session);
                if let (1, Some(last)) = (sessions.len(), sessions.first()) {
                    *self = Self::One(*last);
                }
            }
        }
    }
}

/// Progress of one look-up.
struct Search<'a> {
    found: &'a mut Vec<SessionId>,
    /// Non-empty sets added so far.
    sets: usize,
    visited: u64,
}

impl Search<'_> {
    fn add(&mut self, sessions: &SessionSet) {
        match sessions {
            SessionSet::Empty => return,
            SessionSet::One(session) => self.found.push(*session),
            SessionSet::Many(sessions) => self.found.extend(&**sessions),
        }
        self.sets += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::TopicLimits;

    fn filter(text: &str) -> TopicFilter {
        TopicFilter::parse(text, &TopicLimits::default()).unwrap()
    }

    #[test]
    fn removing_every_subscription_leaves_no_node_behind() {
        let mut sessions = crate::bus::session::Sessions::new(1);
        let session = sessions.attach().unwrap();
        let filters = ["a/b/c", "a/+/c", "a/#", "#", "+/+", "a", "$x/#"].map(filter);
        let mut tree = Subscriptions::default();
        for filter in &filters {
            tree.insert(filter, session);
        }
        for filter in &filters {
            assert!(!tree.is_empty());
            tree.remove(filter, session);
        }
        assert!(tree.is_empty());
    }
}

//! The groups of a server, by name.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{ConnectionGroup, GroupOptions};
use crate::server::registry::Registry;

/// Names groups. Clones share the table.
#[derive(Clone, Debug)]
pub struct GroupTable {
    registry: Registry,
    limits: GroupTableLimits,
    groups: Arc<Mutex<HashMap<Box<str>, ConnectionGroup>>>,
}

/// Bounds a table of groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupTableLimits {
    /// The longest name in bytes. Default 32.
    pub name_len_max: usize,
    /// The most groups. Default 512.
    pub groups_max: usize,
}

impl Default for GroupTableLimits {
    fn default() -> Self {
        Self {
            name_len_max: 32,
            groups_max: 512,
        }
    }
}

/// Says why a group was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GroupError {
    /// The name is empty.
    #[error("a group needs a name")]
    NameEmpty,
    /// The name is longer than the limit.
    #[error("a group's name has at most {0} bytes")]
    NameTooLong(usize),
    /// There is a group of that name.
    #[error("there is a group of that name already")]
    NameTaken,
    /// The table is full.
    #[error("there are {0} groups already, which is the limit")]
    TableFull(usize),
}

impl GroupTable {
    /// Makes an empty table for connections of one registry.
    pub fn new(registry: Registry, limits: GroupTableLimits) -> Self {
        Self {
            registry,
            limits,
            groups: Arc::default(),
        }
    }

    /// Makes a group.
    ///
    /// # Errors
    /// [`GroupError`] says what is wrong with the name, or that the table is full.
    pub fn create(&self, name: &str, options: GroupOptions) -> Result<ConnectionGroup, GroupError> {
        if name.is_empty() {
            return Err(GroupError::NameEmpty);
        }
        if name.len() > self.limits.name_len_max {
            return Err(GroupError::NameTooLong(self.limits.name_len_max));
        }
        let mut groups = self.lock();
        if groups.contains_key(name) {
            return Err(GroupError::NameTaken);
        }
        if groups.len() >= self.limits.groups_max {
            return Err(GroupError::TableFull(self.limits.groups_max));
        }
        let group = ConnectionGroup::new(name, self.registry.clone(), options);
        groups.insert(name.into(), group.clone());
        Ok(group)
    }

    /// Finds a group.
    pub fn get(&self, name: &str) -> Option<ConnectionGroup> {
        self.lock().get(name).cloned()
    }

    /// Takes a group out of the table. Its connections stay open.
    pub fn remove(&self, name: &str) -> Option<ConnectionGroup> {
        self.lock().remove(name)
    }

    /// Lists the groups, in no order.
    pub fn list(&self) -> Vec<ConnectionGroup> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Box<str>, ConnectionGroup>> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_the_table_are_bounded() {
        let groups = GroupTable::new(Registry::new(), GroupTableLimits::default());
        let create = |name: &str| groups.create(name, GroupOptions::default()).err();
        assert_eq!(create(""), Some(GroupError::NameEmpty));
        assert_eq!(create(&"x".repeat(33)), Some(GroupError::NameTooLong(32)));
        assert_eq!(create(&"x".repeat(32)), None);
        assert_eq!(create(&"x".repeat(32)), Some(GroupError::NameTaken));
        for n in 1..512 {
            assert_eq!(create(&format!("group {n}")), None);
        }
        assert_eq!(create("one more"), Some(GroupError::TableFull(512)));
        assert!(groups.remove("group 1").is_some() && groups.get("group 1").is_none());
        assert_eq!(create("one more"), None);
        assert_eq!(groups.list().len(), 512);
    }
}

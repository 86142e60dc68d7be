//! Who is in the room, and which names are taken.

use std::{collections::BTreeMap, sync::Arc};

/// The names that visitors have taken, each with the number of its open connections.
#[derive(Debug, Default)]
pub(crate) struct Names(BTreeMap<Arc<str>, usize>);

impl Names {
    /// Takes a name for a visitor; says why if that cannot be.
    pub(crate) fn take(&mut self, wish: &str) -> Result<Arc<str>, &'static str> {
        let wish = wish.trim();
        if wish.is_empty() || wish.chars().count() > NAME_LEN_MAX {
            return Err("A name has 1 to 32 characters.");
        }
        if wish.chars().any(char::is_control) {
            return Err("A name has no control characters.");
        }
        if self.0.contains_key(wish) {
            return Err("That name is taken.");
        }
        let name = Arc::from(wish);
        self.0.insert(Arc::clone(&name), 0);
        Ok(name)
    }

    /// Counts a connection more; says whether it is the first of its name.
    pub(crate) fn enter(&mut self, name: &Arc<str>) -> bool {
        let open = self.0.entry(Arc::clone(name)).or_default();
        *open += 1;
        *open == 1
    }

    /// Counts a connection less; says whether it was the last of its name.
    pub(crate) fn leave(&mut self, name: &str) -> bool {
        let Some(open) = self.0.get_mut(name) else {
            return false;
        };
        *open = open.saturating_sub(1);
        *open == 0
    }

    /// Gives a name free, unless somebody is in the room with it.
    pub(crate) fn free(&mut self, name: &str) {
        if self.0.get(name) == Some(&0) {
            self.0.remove(name);
        }
    }

    /// Lists who is in the room.
    pub(crate) fn present(&self) -> Vec<&str> {
        let present = self.0.iter().filter(|(_, open)| **open > 0);
        present.map(|(name, _)| &**name).collect()
    }
}

const NAME_LEN_MAX: usize = 32;

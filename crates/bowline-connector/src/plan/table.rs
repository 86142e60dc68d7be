//! Parts of a connector, in the order of the file, found by their numbers.

use std::collections::BTreeMap;

/// Parts in the order in which the file has them, found by id in logarithmic time.
#[derive(Clone, Debug, PartialEq)]
pub struct Table<K, V> {
    rows: Vec<(K, V)>,
    places: BTreeMap<K, usize>,
}

impl<K: Copy + Ord, V> Table<K, V> {
    /// Finds a part.
    pub fn get(&self, id: K) -> Option<&V> {
        self.rows.get(*self.places.get(&id)?).map(|(_, part)| part)
    }

    /// Finds a part, to change it.
    pub fn get_mut(&mut self, id: K) -> Option<&mut V> {
        let row = self.rows.get_mut(*self.places.get(&id)?);
        row.map(|(_, part)| part)
    }

    /// Says whether there is such a part.
    pub fn contains(&self, id: K) -> bool {
        self.places.contains_key(&id)
    }

    /// Adds a part after those there are.
    ///
    /// # Errors
    /// The part itself if its id is taken; then nothing changes.
    pub fn insert(&mut self, id: K, part: V) -> Result<(), V> {
        if self.contains(id) {
            return Err(part);
        }
        self.places.insert(id, self.rows.len());
        self.rows.push((id, part));
        Ok(())
    }

    /// Goes through the parts in the order of the file.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (K, &V)> {
        self.rows.iter().map(|(id, part)| (*id, part))
    }

    /// Gives the number of parts.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Says whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

impl<K, V> Default for Table<K, V> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            places: BTreeMap::new(),
        }
    }
}

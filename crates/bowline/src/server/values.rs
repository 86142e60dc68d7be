//! What a program remembers with a connection, by type.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    fmt,
    sync::Arc,
};

/// Values of the program's own types that go with a connection, at most one of each type.
///
/// A request filter puts them in, and everything that has the connection's
/// [`Attributes`](super::Attributes) can read them. Clones share the values. Empty, it takes the
/// place of one pointer.
///
/// ```
/// use bowline::server::Values;
///
/// struct Tenant(u32);
///
/// let mut values = Values::default();
/// values.insert(Tenant(7));
/// assert_eq!(values.get::<Tenant>().map(|tenant| tenant.0), Some(7));
/// ```
#[derive(Clone, Default)]
pub struct Values(Option<Arc<ByType>>);

type ByType = HashMap<TypeId, Arc<dyn Any + Send + Sync>>;

impl Values {
    /// Puts a value in, in place of another of the same type.
    pub fn insert<T: Any + Send + Sync>(&mut self, value: T) {
        let values = Arc::make_mut(self.0.get_or_insert_default());
        values.insert(TypeId::of::<T>(), Arc::new(value));
    }

    /// Gives the value of a type.
    pub fn get<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.0.as_ref()?.get(&TypeId::of::<T>())?.downcast_ref()
    }

    /// Says how many there are.
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |values| values.len())
    }

    /// Says whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Says how many there are; what they are is the program's.
impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Values")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

//! The last value of each topic that has one.

use std::{collections::BTreeMap, ops::Bound};

use bytes::Bytes;

use crate::{bus::Storage, filter::TopicFilter, topic::Topic};

/// Retained values, bounded in number and bytes.
///
/// When a value does not fit it is refused; no other topic loses its value for it. A topic whose new
/// value is refused loses the old one, because a value that is no longer the last must not be told
/// as the last.
#[derive(Debug)]
pub(crate) struct RetainedValues {
    values: BTreeMap<Topic, Bytes>,
    bytes: usize,
    count_max: usize,
    bytes_max: usize,
}

impl RetainedValues {
    pub(crate) fn new(count_max: usize, bytes_max: usize) -> Self {
        Self {
            values: BTreeMap::new(),
            bytes: 0,
            count_max,
            bytes_max,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Keeps the payload, if it fits, and says whether it did.
    pub(crate) fn keep(&mut self, topic: &Topic, payload: &Bytes, storage: Storage) -> bool {
        let old_size = self.values.get(topic).map(|old| size(topic, old));
        let bytes = self.bytes - old_size.unwrap_or(0) + size(topic, payload);
        let count = self.values.len() + usize::from(old_size.is_none());
        if bytes > self.bytes_max || count > self.count_max {
            self.forget(topic);
            return false;
        }
        self.bytes = bytes;
        let payload = match storage {
            Storage::Copied => Bytes::copy_from_slice(payload),
            Storage::Shared => payload.clone(),
        };
        if let Some(value) = self.values.get_mut(topic) {
            *value = payload;
        } else {
            self.values.insert(topic.clone(), payload);
        }
        true
    }

    pub(crate) fn forget(&mut self, topic: &Topic) {
        if let Some(old) = self.values.remove(topic) {
            self.bytes -= size(topic, &old);
        }
    }

    pub(crate) fn select(&self, filter: &TopicFilter) -> impl Iterator<Item = (&Topic, &Bytes)> {
        let prefix = filter.literal_prefix();
        self.values
            .range::<str, _>((Bound::Included(prefix), Bound::Unbounded))
            .take_while(move |(topic, _)| topic.as_str().starts_with(prefix))
            .filter(move |(topic, _)| filter.matches(topic))
    }
}

fn size(topic: &Topic, payload: &Bytes) -> usize {
    topic.as_str().len() + payload.len()
}

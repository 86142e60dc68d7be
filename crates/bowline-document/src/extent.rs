//! How large a JSON value is.

use std::io;

use serde_json::Value;

use crate::{error::Excess, policy::DocumentLimits};

/// The length of a value as JSON without white space, and how deep it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) size: usize,
    /// A value without others in it has one level.
    pub(crate) depth: usize,
}

impl Extent {
    pub(crate) fn of(value: &Value) -> Self {
        let mut counter = Counter(0);
        let written = serde_json::to_writer(&mut counter, value);
        debug_assert!(written.is_ok(), "counting does not fail");
        Self {
            size: counter.0,
            depth: depth(value),
        }
    }

    pub(crate) fn check(self, limits: &DocumentLimits) -> Result<(), Excess> {
        if self.size > limits.size_max {
            Err(Excess::Size {
                size: self.size,
                size_max: limits.size_max,
            })
        } else if self.depth > limits.depth_max {
            Err(Excess::Depth(limits.depth_max))
        } else {
            Ok(())
        }
    }
}

struct Counter(usize);

impl io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn depth(value: &Value) -> usize {
    let below = match value {
        Value::Array(items) => items.iter().map(depth).max(),
        Value::Object(members) => members.values().map(depth).max(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    };
    1 + below.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn size_is_the_text_and_depth_counts_levels() {
        let cases = [
            (json!(null), 4, 1),
            (json!([]), 2, 1),
            (json!([1, "é"]), 8, 2),
            (json!({"a": [{}], "b": 1}), 16, 3),
        ];
        for (value, size, depth) in cases {
            assert_eq!(Extent::of(&value), Extent { size, depth }, "{value}");
        }
    }
}

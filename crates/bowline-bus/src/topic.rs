//! Names of streams of values.

use std::{borrow::Borrow, fmt, sync::Arc};

use thiserror::Error;

use crate::limits::TopicLimits;

/// Names one stream of values: levels of text joined by `/`.
///
/// A topic is never empty and holds no `+`, `#` or NUL. A level may be empty. A topic whose first
/// character is `$` is reserved: filters that begin with a wildcard do not match it. Cloning shares
/// the text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Topic(Arc<str>);

impl Topic {
    /// Checks `text` and makes a topic of it.
    ///
    /// # Errors
    ///
    /// [`TopicError`] when the text is empty, longer or deeper than `limits` allow, or holds a
    /// wildcard or NUL.
    pub fn parse(text: &str, limits: &TopicLimits) -> Result<Self, TopicError> {
        check_shape(text, limits)?;
        if text.contains(['+', '#']) {
            return Err(TopicError::Wildcard);
        }
        Ok(Self(text.into()))
    }

    /// Returns the whole text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the levels, from the first.
    pub fn levels(&self) -> impl Iterator<Item = &str> + Clone {
        self.0.split(SEPARATOR)
    }

    /// Says whether the topic is reserved: its first character is `$`.
    pub fn is_reserved(&self) -> bool {
        self.0.starts_with(RESERVED)
    }
}

impl Borrow<str> for Topic {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Says why a text is neither a topic nor a topic filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TopicError {
    /// The text is empty.
    #[error("a topic needs at least one character")]
    Empty,
    /// The text is longer than [`TopicLimits::length_max`].
    #[error("the topic has {length} bytes; the limit is {max}")]
    TooLong {
        /// Bytes of the text.
        length: usize,
        /// The limit.
        max: usize,
    },
    /// One level is longer than [`TopicLimits::level_length_max`].
    #[error("a topic level has {length} bytes; the limit is {max}")]
    LevelTooLong {
        /// Bytes of the level.
        length: usize,
        /// The limit.
        max: usize,
    },
    /// There are more levels than [`TopicLimits::levels_max`].
    #[error("the topic has more than {max} levels")]
    TooManyLevels {
        /// The limit.
        max: u8,
    },
    /// The text holds a NUL character.
    #[error("a topic cannot hold a NUL character")]
    Nul,
    /// A topic, which names one stream, holds `+` or `#`.
    #[error("a topic cannot hold '+' or '#'")]
    Wildcard,
    /// In a filter, `+` shares its level with other characters.
    #[error("'+' must fill a whole level of a filter")]
    PlusInsideLevel,
    /// In a filter, `#` shares its level with other characters or is not in the last level.
    #[error("'#' must fill the last level of a filter")]
    HashNotLast,
}

/// Checks what topics and filters have in common.
pub(crate) fn check_shape(text: &str, limits: &TopicLimits) -> Result<(), TopicError> {
    if text.is_empty() {
        return Err(TopicError::Empty);
    }
    if text.len() > limits.length_max {
        return Err(TopicError::TooLong {
            length: text.len(),
            max: limits.length_max,
        });
    }
    if text.contains('\0') {
        return Err(TopicError::Nul);
    }
    for (index, level) in text.split(SEPARATOR).enumerate() {
        if index >= usize::from(limits.levels_max) {
            return Err(TopicError::TooManyLevels {
                max: limits.levels_max,
            });
        }
        if level.len() > limits.level_length_max {
            return Err(TopicError::LevelTooLong {
                length: level.len(),
                max: limits.level_length_max,
            });
        }
    }
    Ok(())
}

/// Separates levels.
pub(crate) const SEPARATOR: char = '/';

/// Opens the topics that belong to the bus itself.
pub(crate) const RESERVED: char = '$';

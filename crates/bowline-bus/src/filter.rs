//! Patterns that select topics.

use std::{fmt, sync::Arc};

use crate::{
    limits::TopicLimits,
    topic::{SEPARATOR, Topic, TopicError, check_shape},
};

/// Selects topics: `+` stands for any one level, `#` for all the levels that are left, also none.
///
/// `a/#` therefore selects `a` too. A wildcard in the first level never selects a reserved (`$`)
/// topic. Cloning shares the text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicFilter(Arc<str>);

impl TopicFilter {
    /// Checks `text` and makes a filter of it.
    ///
    /// # Errors
    ///
    /// [`TopicError`] when the text breaks a rule of topics or a wildcard is misplaced.
    pub fn parse(text: &str, limits: &TopicLimits) -> Result<Self, TopicError> {
        check_shape(text, limits)?;
        let mut levels = text.split(SEPARATOR).peekable();
        while let Some(level) = levels.next() {
            if level.contains('#') && (level != "#" || levels.peek().is_some()) {
                return Err(TopicError::HashNotLast);
            }
            if level.contains('+') && level != "+" {
                return Err(TopicError::PlusInsideLevel);
            }
        }
        Ok(Self(text.into()))
    }

    /// Returns the whole text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the levels, from the first.
    pub fn levels(&self) -> impl Iterator<Item = FilterLevel<'_>> + Clone {
        self.0.split(SEPARATOR).map(|level| match level {
            "+" => FilterLevel::Any,
            "#" => FilterLevel::Rest,
            name => FilterLevel::Name(name),
        })
    }

    /// Says whether the filter selects `topic`, in one walk over both.
    pub fn matches(&self, topic: &Topic) -> bool {
        if topic.is_reserved() && self.0.starts_with(['+', '#']) {
            return false;
        }
        let mut names = topic.levels();
        for level in self.levels() {
            let selected = match level {
                FilterLevel::Rest => return true,
                FilterLevel::Any => names.next().is_some(),
                FilterLevel::Name(name) => names.next() == Some(name),
            };
            if !selected {
                return false;
            }
        }
        names.next().is_none()
    }

    /// Returns the text that every selected topic starts with.
    pub(crate) fn literal_prefix(&self) -> &str {
        let text: &str = &self.0;
        let end = text.find(['+', '#']).unwrap_or(text.len());
        let head = text.get(..end).unwrap_or_default();
        // `a/#` selects `a`, so the separator before a wildcard is not part of the prefix.
        head.strip_suffix(SEPARATOR)
            .filter(|_| end < text.len())
            .unwrap_or(head)
    }
}

impl fmt::Display for TopicFilter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// One level of a [`TopicFilter`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterLevel<'a> {
    /// Exactly this name.
    Name(&'a str),
    /// `+`: any one level.
    Any,
    /// `#`: all the levels that are left, also none.
    Rest,
}

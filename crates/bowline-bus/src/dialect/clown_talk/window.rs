//! The part of the bus a session sees.

use thiserror::Error;

use crate::{
    filter::TopicFilter,
    limits::TopicLimits,
    topic::{RESERVED, SEPARATOR, Topic, TopicError},
};

/// Shows the topics under one base topic, relative to it; without base, all topics.
///
/// Reserved (`$`) topics of the bus are never seen. The base topic itself is not seen either: it has
/// no relative name. Cloning shares the text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window {
    /// All topics under the base.
    filter: TopicFilter,
}

impl Window {
    /// Makes the window over `base`; an empty base gives the whole topic space.
    ///
    /// # Errors
    ///
    /// [`WindowError::Topic`] when the base or the filter for all topics under it breaks a rule of
    /// topics, [`WindowError::Reserved`] when the base begins with `$`.
    pub fn new(base: &str, limits: &TopicLimits) -> Result<Self, WindowError> {
        if base.starts_with(RESERVED) {
            return Err(WindowError::Reserved);
        }
        let filter = if base.is_empty() {
            TopicFilter::parse("#", limits)?
        } else {
            Topic::parse(base, limits)?;
            TopicFilter::parse(&format!("{base}{SEPARATOR}#"), limits)?
        };
        Ok(Self { filter })
    }

    /// Makes the window that the last segment of a URL path names, percent-decoded by the caller.
    ///
    /// `clown-talk-server_nodes_bridge_0` is the program `clown-talk-server` and the base topic
    /// `nodes/bridge/0`, with `_` for `/`. The program name alone, also with a `_` after it, gives
    /// the whole topic space. A base topic with a `_` in it cannot be named this way.
    ///
    /// # Errors
    ///
    /// [`WindowError::OtherProgram`] when the name is not of this form, else as [`new`](Self::new).
    pub fn from_program(name: &str, limits: &TopicLimits) -> Result<Self, WindowError> {
        let tail = name
            .strip_prefix(PROGRAM)
            .ok_or(WindowError::OtherProgram)?;
        if tail.is_empty() {
            return Self::new("", limits);
        }
        let tail = tail.strip_prefix('_').ok_or(WindowError::OtherProgram)?;
        Self::new(&tail.replace('_', "/"), limits)
    }

    /// Returns the base topic, empty for the whole topic space.
    pub fn base(&self) -> &str {
        let prefix = self.prefix();
        prefix.strip_suffix(SEPARATOR).unwrap_or(prefix)
    }

    /// Returns the filter a session with this window subscribes to.
    pub fn filter(&self) -> &TopicFilter {
        &self.filter
    }

    /// Returns the relative name of a topic of the bus; none when the window does not show it.
    pub fn outward<'a>(&self, topic: &'a Topic) -> Option<&'a str> {
        if topic.is_reserved() {
            return None;
        }
        topic
            .as_str()
            .strip_prefix(self.prefix())
            .filter(|relative| !relative.is_empty())
    }

    /// Returns the topic of the bus that `relative` names in this window.
    ///
    /// # Errors
    ///
    /// [`WindowError::Topic`] when `relative` is empty or the whole breaks a rule of topics,
    /// [`WindowError::Reserved`] when the topic begins with `$`.
    pub fn inward(&self, relative: &str, limits: &TopicLimits) -> Result<Topic, WindowError> {
        if relative.is_empty() {
            return Err(WindowError::Topic(TopicError::Empty));
        }
        let topic = Topic::parse(&format!("{}{relative}", self.prefix()), limits)?;
        if topic.is_reserved() {
            return Err(WindowError::Reserved);
        }
        Ok(topic)
    }

    /// Returns the base with its separator, or nothing.
    fn prefix(&self) -> &str {
        let filter = self.filter.as_str();
        filter.strip_suffix('#').unwrap_or(filter)
    }
}

/// Says why a name gives no window, or a topic has no place in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WindowError {
    /// The name does not begin with the program name `clown-talk-server`.
    #[error("the name is not clown-talk-server, with or without _base_topic")]
    OtherProgram,
    /// The topic breaks a rule of topics.
    #[error(transparent)]
    Topic(#[from] TopicError),
    /// The topic is reserved for the bus.
    #[error("topics that begin with '$' are reserved")]
    Reserved,
}

/// The program that served a WebSocket in the first hubs; its name opens the URL's last segment.
const PROGRAM: &str = "clown-talk-server";

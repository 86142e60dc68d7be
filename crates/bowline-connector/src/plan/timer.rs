//! Timers.

use std::time::Duration;

use super::{Condition, GroupId};

/// Adds groups to the queue again and again.
#[derive(Clone, Debug, PartialEq)]
pub struct Timer {
    /// `Name`.
    pub name: String,
    /// How often. At most 2,073,600 s, 24 days.
    pub time: TimerTime,
    /// When it fires for the first time.
    pub start: TimerStart,
    /// The pause between its groups, and between their pairs.
    pub interval: Duration,
    /// When it adds them.
    pub condition: Option<Condition>,
    /// What it adds, in order.
    pub groups: Vec<GroupId>,
}

/// How often a timer fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerTime {
    /// At this pace.
    Every(Duration),
    /// As soon as what it added is done (`loop`).
    Loop,
}

/// When a timer fires for the first time (`Time@initial`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimerStart {
    /// When the element starts (`true`, or not said).
    #[default]
    AtOnce,
    /// Not before an action starts it (`false`).
    Stopped,
    /// After a random time between two (`random=a:b`, in seconds).
    Random(Duration, Duration),
}

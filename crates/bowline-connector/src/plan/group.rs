//! Groups: what the queue holds.

use std::{collections::BTreeMap, time::Duration};

use super::{ActionId, Condition, LinkId, PairId, ParameterId, TriggerId};

/// A unit of work in the queue of an element.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// `Name`.
    pub name: String,
    /// The link of its pairs.
    pub link: GroupLink,
    /// How it is run.
    pub kind: GroupKind,
    /// When it is run; looked at when its turn comes.
    pub condition: Option<Condition>,
    /// What it runs.
    pub content: GroupContent,
    /// The pause behind an item (`next`), by its place from 0: the next item or group waits for it.
    /// Behind others it is the `Interval` of the timer, if there is one.
    pub pauses: BTreeMap<usize, Duration>,
    /// Whether it is what a silent device is pinged with.
    pub is_ping: bool,
}

/// Where the pairs of a group go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupLink {
    /// To this link.
    Fixed(LinkId),
    /// To the link whose number the parameter holds (`connectionPID`).
    From(ParameterId),
}

/// How a group is run (`Group/Type`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GroupKind {
    /// Takes its turn in the queue.
    #[default]
    Poll,
    /// Actions, run at once, past the queue.
    Action,
    /// Actions that take their turn in the queue.
    PollAction,
    /// Triggers that take their turn in the queue.
    PollTrigger,
    /// Triggers, run at once, past the queue.
    Trigger,
}

/// What a group runs, in order; items of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupContent {
    /// Pairs.
    Pairs(Vec<PairId>),
    /// Actions.
    Actions(Vec<ActionId>),
    /// Triggers.
    Triggers(Vec<TriggerId>),
}

impl GroupContent {
    /// Gives how many items there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Pairs(pairs) => pairs.len(),
            Self::Actions(actions) => actions.len(),
            Self::Triggers(triggers) => triggers.len(),
        }
    }

    /// Says whether there is nothing to run.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

//! What is being done: steps on a stack, so that nothing recurses and a sleep can put it aside.

use bytes::Bytes;

use super::{Value, queue::Origin};
use crate::plan::{
    ActionId, CommandId, GroupId, LinkId, MessageKind, Moment, PairId, ParameterId, QueueVerb,
    ResponseId, Subject, TriggerId,
};

/// One thing to do. Some push others, which are done before what lies below.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Fires the triggers on a moment.
    Moment(Subject, Moment),
    /// Fires a trigger; the subject is what subjectless actions are about.
    Fire(TriggerId, Subject),
    /// Runs an action.
    Act(ActionId, Subject),
    /// Adds a group to the queue, or runs it if it is of a kind that does not wait.
    Enqueue(GroupId, Addition),
    /// Keeps the message of the pair's command for the group that is about to be added.
    Keep(PairId, CommandId),
    /// Adds a group to the queue with the messages kept.
    Insert(GroupId, Addition),
    /// Sends the command of a pair.
    Transmit(PairId),
    /// Sends the command in flight again.
    Retransmit,
    /// Gives a pair up.
    GiveUp(PairId),
    /// Gives a parameter a value.
    Assign(Assignment),
    /// Lets a new endpoint take effect.
    Endpoint(ParameterId),
    /// Saves a value.
    Save(ParameterId),
    /// Copies a value to the read parameter of the same name.
    Setter(ParameterId),
    /// Runs the code on a parameter.
    Hook(ParameterId, Option<MessageKind>),
    /// Tells those who watch.
    Tell(ParameterId),
    /// Tries the message against a candidate.
    Try(usize),
    /// Reads the message, unless a trigger did, and goes on by the result.
    Settle(usize),
    /// Stores the message as what the response had last.
    Remember(ResponseId),
    /// Tells the pair in flight of its answer.
    Answer(ResponseId),
}

/// A value for a parameter.
#[derive(Clone, Debug)]
pub(super) struct Assignment {
    pub(super) parameter: ParameterId,
    pub(super) value: Value,
    pub(super) cause: Cause,
}

/// Who gives a parameter its value: that decides what counts as a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// Code, people and the state of links: always a change.
    Code,
    /// Copies and computations of the connector: a change if it differs.
    Data,
    /// A message: a change if it differs; the code hooked to it is told the kind.
    Message,
}

/// How a group comes into the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Addition {
    /// By an action.
    Verb(QueueVerb),
    /// By a timer.
    Timer(crate::plan::TimerId),
}

impl Addition {
    pub(super) fn origin(self) -> Origin {
        match self {
            Self::Timer(timer) => Origin::Timer(timer),
            Self::Verb(_) => Origin::Other,
        }
    }
}

/// Steps that belong together, and what they share.
#[derive(Debug, Default)]
pub(super) struct Task {
    stack: Vec<(Step, u16)>,
    /// How deep the present step is among triggers.
    depth: u16,
    steps: u32,
    /// The message being handled.
    pub(super) reading: Option<Reading>,
    /// Messages composed for the group that is about to be added.
    pub(super) composed: Vec<(PairId, Bytes)>,
}

/// A message being handled.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) link: LinkId,
    pub(super) kind: MessageKind,
    pub(super) payload: Bytes,
    pub(super) candidates: Vec<ResponseId>,
    /// The result for the present candidate.
    pub(super) outcome: Option<Outcome>,
    /// The parameters that the present candidate changed.
    pub(super) changed: Vec<ParameterId>,
}

/// Whether a candidate took the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Full,
    Partial,
}

/// A task that waits until the code it asked for has run.
#[derive(Debug)]
pub(super) struct Suspended {
    pub(super) task: Task,
    /// The parameter whose code it asked for.
    pub(super) hook: ParameterId,
    /// Whether the runner took that.
    pub(super) is_running: bool,
}

/// Why steps were dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Excess {
    Depth,
    Steps,
}

impl Task {
    /// Makes a task that begins with these steps.
    pub(super) fn new(
        steps: impl IntoIterator<Item = Step, IntoIter: DoubleEndedIterator>,
    ) -> Self {
        let mut task = Self::default();
        task.push(steps);
        task
    }

    /// Puts steps before all others, the first one first.
    pub(super) fn push(
        &mut self,
        steps: impl IntoIterator<Item = Step, IntoIter: DoubleEndedIterator>,
    ) {
        let depth = self.depth;
        let steps = steps.into_iter().rev();
        self.stack.extend(steps.map(|step| (step, depth)));
    }

    /// Puts steps before all others that lie one level deeper.
    pub(super) fn push_deeper(
        &mut self,
        steps: impl IntoIterator<Item = Step, IntoIter: DoubleEndedIterator>,
    ) {
        let depth = self.depth + 1;
        let steps = steps.into_iter().rev();
        self.stack.extend(steps.map(|step| (step, depth)));
    }

    /// Gives how many steps were taken by this task and by those whose code it serves.
    pub(super) fn steps(&self) -> u32 {
        self.steps
    }

    /// Counts the steps of a task together with those of another one.
    pub(super) fn charge(&mut self, steps: u32) {
        self.steps = self.steps.max(steps);
    }

    /// Takes the next step.
    ///
    /// # Errors
    /// [`Excess`] if a loop was cut: all steps are dropped then.
    pub(super) fn next(&mut self) -> Result<Option<Step>, Excess> {
        let Some((step, depth)) = self.stack.pop() else {
            return Ok(None);
        };
        self.depth = depth;
        self.steps += 1;
        let excess = if depth > TRIGGER_DEPTH_MAX {
            Excess::Depth
        } else if self.steps > TASK_STEPS_MAX || self.stack.len() > TASK_STEPS_MAX as usize {
            Excess::Steps
        } else {
            return Ok(Some(step));
        };
        self.stack.clear();
        Err(excess)
    }
}

/// How deep triggers may set off triggers: a loop in a file ends there.
pub const TRIGGER_DEPTH_MAX: u16 = 100;

/// How many steps one cause may set off: what fans out without end stops there.
pub const TASK_STEPS_MAX: u32 = 20_000;

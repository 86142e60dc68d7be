//! Actions: what triggers and groups do.

use std::time::Duration;

use super::{
    CommandId, Condition, GroupId, LinkId, PairId, ParameterId, ResponseId, Source, TimerId,
    TriggerId,
};

/// An action.
#[derive(Clone, Debug, PartialEq)]
pub struct Action {
    /// `Name`.
    pub name: String,
    /// What it does.
    pub kind: ActionKind,
    /// When it does it.
    pub condition: Option<Condition>,
}

/// What an action does. A subject of `None` is the one the firing trigger is about.
#[derive(Clone, Debug, PartialEq)]
pub enum ActionKind {
    /// Composes a command (`make`).
    Make(Option<CommandId>),
    /// Composes a command whose length parameters all count, whatever they hold (`length`).
    MakeWithLength(Option<CommandId>),
    /// Refuses the message that was read into the response if a length in it is not right
    /// (`length`).
    CheckLength(Option<ResponseId>),
    /// Reads the response (`read`).
    Read(Option<ResponseId>),
    /// Forgets what the response had last (`clear`).
    ClearResponse(Option<ResponseId>),
    /// Queues or runs groups.
    Queue(Vec<GroupId>, QueueVerb),
    /// Changes a parameter.
    Parameter(Option<ParameterId>, ParameterVerb),
    /// Sets how long the reply to a pair may take (`timeout`).
    PairTimeout(Option<PairId>, Source),
    /// Sets the pause behind items of a group, in milliseconds, from now on (`set next`): by their
    /// places from 0, in the group the trigger is about, else in the running one.
    ItemPause(Vec<usize>, Source),
    /// Opens a link (`open`); `None` opens all.
    OpenLink(Option<LinkId>),
    /// Closes a link (`close`); `None` closes all.
    CloseLink(Option<LinkId>),
    /// Waits before what follows (`sleep`). Default 5 s, at least 15 ms.
    Sleep(Duration),
    /// Ends the running group after its present item (`stop current group`).
    StopGroup,
    /// Changes a timer.
    Timer(Option<TimerId>, TimerVerb),
    /// Fires triggers.
    Fire(Vec<TriggerId>),
}

/// Where a group goes in the queue. "One" verbs do nothing if it is there already; the group that
/// runs is not in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueVerb {
    /// To the very end (`add to execute`).
    AddToExecute,
    /// Before those that timers added (`execute`).
    Execute,
    /// To the front (`execute next`).
    ExecuteNext,
    /// As `AddToExecute` (`execute one`).
    ExecuteOne,
    /// As `Execute` (`execute one now`).
    ExecuteOneNow,
    /// As `ExecuteNext` (`execute one top`).
    ExecuteOneTop,
    /// After the present item of the running group, which then goes on (`force execute`).
    ForceExecute,
}

/// What is done to a parameter. Values come from another parameter or from the file.
#[derive(Clone, Debug, PartialEq)]
pub enum ParameterVerb {
    /// Gives it a value, which always counts as a change (`set`).
    Set(Source),
    /// Copies the value of another parameter, a change only if it differs (`copy`).
    Copy(ParameterId),
    /// Forgets its value, so that the next one counts as a change (`clear`).
    Clear,
    /// Empties what is shown, not what is stored (`clear on display`).
    ClearOnDisplay,
    /// Adds to it (`increment`).
    Increment(Source),
    /// Appends bytes (`append`, `append data`).
    Append(Source),
    /// Multiplies it (`multiply`).
    Multiply(Source),
    /// Raises it to a power (`pow`).
    Power(Source),
    /// Makes its value, or that of another parameter, the one that is no alarm (`normalize`).
    Normalize(Option<ParameterId>),
    /// Reverses its bytes (`reverse`).
    Reverse,
    /// Runs what its change sets off, without a change (`run actions`).
    RunActions,
    /// Saves it now (`save`).
    Save,
    /// Sets the length of a fixed parameter, in bytes, at most 1 MiB (`change length`).
    ChangeLength(Source),
}

/// What is done to a timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerVerb {
    /// Lets it run.
    Start,
    /// Stops it.
    Stop,
    /// Lets it fire now, and count anew (`restart timer`).
    Restart,
    /// Lets it count anew from now (`reschedule`).
    Reschedule,
}

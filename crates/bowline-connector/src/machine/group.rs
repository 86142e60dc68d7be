//! Groups wait, run and end.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;

use super::{
    Machine,
    compose::Counting,
    convert,
    queue::{self, Entry, Origin, QUEUE_GROUPS_MAX, QueueFull, Work},
    task::{Addition, Step, Task},
    timers::TIMER_PERIOD_MAX,
};
use crate::plan::{
    CommandId, Group, GroupContent, GroupId, GroupKind, GroupLink, LinkId, Moment, PairId, Plan,
    QueueVerb, Source, Subject, TimerId,
};

/// A group that runs.
#[derive(Debug)]
pub(super) struct Run {
    work: Work,
    origin: Origin,
    /// The link of its pairs.
    pub(super) link: Option<LinkId>,
    next: usize,
    interval: Duration,
    /// The item whose pause is still to be made.
    owes_pause: Option<usize>,
    messages: Vec<(PairId, Bytes)>,
}

impl Run {
    /// Gives the message composed for a pair when the group was queued.
    pub(super) fn message_of(&self, pair: PairId) -> Option<&Bytes> {
        let mut messages = self.messages.iter();
        messages.find(|(id, _)| *id == pair).map(|(_, bytes)| bytes)
    }

    /// Takes the message composed for a pair when the group was queued.
    pub(super) fn take_message_of(&mut self, pair: PairId) -> Option<Bytes> {
        let place = self.messages.iter().position(|(id, _)| *id == pair)?;
        Some(self.messages.remove(place).1)
    }
}

impl Machine {
    /// Gives the group that runs: the forced one, if there is one.
    pub(super) fn running(&self) -> Option<&Run> {
        self.forced_run.as_ref().or(self.run.as_ref())
    }

    /// Gives the group that runs, to change it.
    pub(super) fn running_mut(&mut self) -> Option<&mut Run> {
        self.forced_run.as_mut().or(self.run.as_mut())
    }

    /// Says whether something of a timer waits or runs.
    pub(super) fn works_for(&self, timer: TimerId) -> bool {
        let origin = Origin::Timer(timer);
        self.queue.holds_of(timer) || self.run.as_ref().is_some_and(|run| run.origin == origin)
    }

    /// Adds a group to the queue; those that do not wait run at once.
    pub(super) fn enqueue(&self, id: GroupId, addition: Addition, task: &mut Task) {
        let plan = Arc::clone(&self.plan);
        let Some(group) = plan.groups.get(id) else {
            return;
        };
        if matches!(group.kind, GroupKind::Action | GroupKind::Trigger)
            && !matches!(group.content, GroupContent::Pairs(_))
        {
            if self.admits(group.condition.as_ref()) {
                task.push_deeper(steps_at_once(id, group));
            }
            return;
        }
        let is_once = match addition {
            Addition::Verb(verb) => queue::is_once(verb),
            Addition::Timer(_) => true,
        };
        if is_once && self.queue.contains(Work::Group(id)) {
            return;
        }
        let mut steps = Vec::new();
        if let GroupContent::Pairs(pairs) = &group.content {
            for pair in pairs {
                if let Some(command) = self.command_to_keep(&plan, group, *pair) {
                    let subject = Subject::Command(Some(command.0));
                    steps.push(Step::Moment(subject, Moment::Before));
                    steps.push(Step::Keep(*pair, command));
                }
            }
        }
        steps.push(Step::Insert(id, addition));
        task.push_deeper(steps);
    }

    /// Keeps the message of a command as it is now.
    pub(super) fn keep(&mut self, pair: PairId, command: CommandId, task: &mut Task) {
        let subject = Subject::Command(Some(command.0));
        let plan = Arc::clone(&self.plan);
        if self.index.find(subject, &Moment::Before).is_empty()
            && let Some(declared) = plan.commands.get(command)
        {
            self.make(command, declared, Counting::Empty);
        }
        match self.made.get(&command) {
            Some(message) => task.composed.push((pair, message.clone())),
            None => self.notice(format!("{command} was queued before anything made it")),
        }
    }

    /// Adds a group to the queue with the messages kept for it.
    pub(super) fn insert(&mut self, id: GroupId, addition: Addition, task: &mut Task) {
        let interval = match addition {
            Addition::Timer(timer) => self.plan.timers.get(timer).map(|timer| timer.interval),
            Addition::Verb(_) => None,
        };
        let mut entry = Entry {
            work: Work::Group(id),
            origin: addition.origin(),
            interval: interval.unwrap_or_default(),
            composed: std::mem::take(&mut task.composed),
        };
        let added = match addition {
            Addition::Timer(_) => self.queue.add_of_timer(entry),
            Addition::Verb(QueueVerb::ForceExecute) => {
                entry.origin = Origin::Forced;
                self.force(entry)
            }
            Addition::Verb(verb) => self.queue.add(entry, verb),
        };
        self.tell_queue(id, added);
    }

    /// Goes one step forward with the queue; says whether there was one to go.
    pub(super) fn advance(&mut self) -> bool {
        if self.forced_run.is_none()
            && (self.run.is_some() || !self.forced.is_empty())
            && let Some(entry) = self.forced.pop_front()
        {
            self.begin(entry);
            return true;
        }
        let Some(run) = self.running_mut() else {
            let Some(entry) = self.queue.take() else {
                return false;
            };
            self.begin(entry);
            return true;
        };
        let item = run.owes_pause.take();
        if let Some(pause) = item.and_then(|place| self.pause_behind(place)) {
            self.rest_until = Some(self.now() + pause);
            return false;
        }
        match self.next_item() {
            Some(task) => self.run(task),
            None => self.end_run(),
        }
        true
    }

    /// Sets the pause behind items of the group that a trigger is about, else of the running one.
    pub(super) fn set_pauses(&mut self, places: &[usize], source: &Source, subject: Subject) {
        let running = || match self.running()?.work {
            Work::Group(id) => Some(id),
            Work::Ping(_) => None,
        };
        let group = if let Subject::Group(Some(id)) = subject {
            Some(GroupId(id))
        } else {
            running()
        };
        let Some(group) = group else {
            self.notice("a pause was not set: no group is running".to_owned());
            return;
        };
        let Some(pause) = self.pause_of(source) else {
            self.counters.refused += 1;
            return;
        };
        let items = self
            .plan
            .groups
            .get(group)
            .map_or(0, |group| group.content.len());
        for place in places.iter().filter(|place| **place < items) {
            self.item_pauses.insert((group, *place), pause);
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be in range"
    )]
    fn pause_of(&self, source: &Source) -> Option<Duration> {
        let number = self.number_of(source)?;
        let pause = (0.0..=1e12)
            .contains(&number)
            .then(|| Duration::from_millis(number as u64));
        pause.filter(|pause| *pause <= TIMER_PERIOD_MAX)
    }

    /// Gives the pause behind an item of the running group.
    fn pause_behind(&self, place: usize) -> Option<Duration> {
        let run = self.running()?;
        let own = match run.work {
            Work::Group(id) => {
                let set = self.item_pauses.get(&(id, place));
                let group = self.plan.groups.get(id);
                set.or_else(|| group?.pauses.get(&place)).copied()
            }
            Work::Ping(_) => None,
        };
        let pause = own.unwrap_or(run.interval).min(TIMER_PERIOD_MAX);
        (!pause.is_zero()).then_some(pause)
    }

    /// Ends the running group after its present item.
    pub(super) fn stop_group(&mut self) {
        if let Some(run) = self.running_mut() {
            run.next = usize::MAX;
        }
    }

    /// Gives the group ids that wait, the next one first. The group that runs is not among them.
    pub fn queued(&self) -> impl Iterator<Item = GroupId> {
        self.queue.iter().filter_map(|entry| match entry.work {
            Work::Group(id) => Some(id),
            Work::Ping(_) => None,
        })
    }

    /// Gives how many groups wait in the queue.
    pub fn queue_len(&self) -> usize {
        self.queue.len()
    }

    fn force(&mut self, entry: Entry) -> Result<(), QueueFull> {
        if self.run.is_none() && self.forced_run.is_none() {
            return self.queue.add(entry, QueueVerb::ForceExecute);
        }
        if self.forced.len() >= QUEUE_GROUPS_MAX {
            return Err(QueueFull);
        }
        self.forced.push_back(entry);
        Ok(())
    }

    fn begin(&mut self, entry: Entry) {
        if self.is_held_back(entry.work) {
            return;
        }
        let plan = Arc::clone(&self.plan);
        let group = group_of(&plan, entry.work);
        if !self.admits(group.and_then(|group| group.condition.as_ref())) {
            return;
        }
        let run = Run {
            work: entry.work,
            origin: entry.origin,
            link: match group {
                Some(group) => self.link_of_group(group),
                None => Some(super::health::MAIN),
            },
            next: 0,
            interval: entry.interval,
            owes_pause: None,
            messages: entry.composed,
        };
        if self.run.is_some() {
            self.forced_run = Some(run);
        } else {
            self.run = Some(run);
        }
        if let Work::Group(id) = entry.work {
            let subject = Subject::Group(Some(id.0));
            self.run(Task::new([Step::Moment(subject, Moment::Before)]));
        }
    }

    fn next_item(&mut self) -> Option<Task> {
        let plan = Arc::clone(&self.plan);
        let run = self.running_mut()?;
        let (work, place) = (run.work, run.next);
        let task = match work {
            Work::Ping(pair) if place == 0 => Item::Pair(pair),
            Work::Ping(_) => return None,
            Work::Group(id) => {
                let subject = Subject::Group(Some(id.0));
                match &plan.groups.get(id)?.content {
                    GroupContent::Pairs(pairs) => Item::Pair(*pairs.get(place)?),
                    GroupContent::Actions(actions) => {
                        Item::Step(Step::Act(*actions.get(place)?, subject))
                    }
                    GroupContent::Triggers(triggers) => {
                        Item::Step(Step::Fire(*triggers.get(place)?, subject))
                    }
                }
            }
        };
        run.next += 1;
        run.owes_pause = Some(place);
        Some(match task {
            Item::Pair(pair) => self.begin_pair(pair),
            Item::Step(step) => Task::new([step]),
        })
    }

    fn end_run(&mut self) {
        let Some(run) = self.forced_run.take().or_else(|| self.run.take()) else {
            return;
        };
        if let Work::Group(id) = run.work {
            let subject = Subject::Group(Some(id.0));
            self.run(Task::new([Step::Moment(subject, Moment::After)]));
        }
    }

    fn command_to_keep(&self, plan: &Plan, group: &Group, pair: PairId) -> Option<CommandId> {
        let pair = plan.pairs.get(pair)?;
        let link = pair.link.or_else(|| self.link_of_group(group))?;
        let link = plan.links.get(link)?;
        link.is_composed_at_enqueue.then_some(pair.command)
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be a small whole number"
    )]
    pub(super) fn link_of_group(&self, group: &Group) -> Option<LinkId> {
        match group.link {
            GroupLink::Fixed(link) => Some(link),
            GroupLink::From(parameter) => {
                let number = convert::number(self.values.get(parameter))?;
                let is_id = number.fract() == 0.0 && (0.0..1e9).contains(&number);
                is_id.then_some(LinkId(number as u32))
            }
        }
    }

    fn tell_queue(&mut self, id: GroupId, added: Result<(), QueueFull>) {
        if added.is_ok() {
            self.is_queue_full = false;
            return;
        }
        self.counters.groups_dropped += 1;
        if !std::mem::replace(&mut self.is_queue_full, true) {
            self.notice(format!("{id} was not queued: the queue is full"));
        }
    }
}

/// What comes next in a group.
enum Item {
    Pair(PairId),
    Step(Step),
}

fn group_of(plan: &Plan, work: Work) -> Option<&Group> {
    match work {
        Work::Group(id) => plan.groups.get(id),
        Work::Ping(_) => None,
    }
}

/// Gives the steps of a group that does not wait.
fn steps_at_once(id: GroupId, group: &Group) -> Vec<Step> {
    let subject = Subject::Group(Some(id.0));
    let mut steps = vec![Step::Moment(subject, Moment::Before)];
    match &group.content {
        GroupContent::Actions(actions) => {
            steps.extend(actions.iter().map(|id| Step::Act(*id, subject)));
        }
        GroupContent::Triggers(triggers) => {
            steps.extend(triggers.iter().map(|id| Step::Fire(*id, subject)));
        }
        GroupContent::Pairs(_) => {}
    }
    steps.push(Step::Moment(subject, Moment::After));
    steps
}

//! Steps, triggers and actions run.

use std::{sync::Arc, time::Duration};

use super::{
    Effect, Machine,
    compose::Counting,
    task::{Addition, Excess, Step, Suspended, TASK_STEPS_MAX, Task},
};
use crate::plan::{
    ActionId, ActionKind, CommandId, Condition, LinkId, PairId, ParameterId, ResponseId, Source,
    Subject, TimerId, TriggerContent, TriggerId,
};

/// What comes after a step.
enum Flow {
    /// The next step.
    On,
    /// Nothing for a while.
    Sleep(Duration),
    /// Nothing until the code on a parameter has run.
    Code(ParameterId),
}

impl Machine {
    /// Runs a task to its end, or puts it aside when it sleeps or waits for code.
    pub(super) fn run(&mut self, mut task: Task) {
        if let Some(below) = self.suspended.last() {
            task.charge(below.task.steps());
        }
        let steps = loop {
            let step = match task.next() {
                Ok(Some(step)) => step,
                Ok(None) => break task.steps(),
                Err(excess) => {
                    self.tell_excess(excess, &task);
                    break task.steps();
                }
            };
            match self.step(step, &mut task) {
                Flow::On => {}
                Flow::Sleep(pause) => {
                    let steps = task.steps();
                    self.put_aside(pause, task);
                    break steps;
                }
                Flow::Code(hook) => {
                    let is_running = false;
                    return self.suspended.push(Suspended {
                        task,
                        hook,
                        is_running,
                    });
                }
            }
        };
        if let Some(below) = self.suspended.last_mut() {
            below.task.charge(steps);
        }
    }

    fn tell_excess(&mut self, excess: Excess, task: &Task) {
        match excess {
            Excess::Depth => {
                self.notice("triggers set off each other in a loop: stopped".to_owned());
            }
            Excess::Steps if task.steps() == TASK_STEPS_MAX + 1 => {
                self.notice("one cause set off too many steps: stopped".to_owned());
            }
            // It was told before.
            Excess::Steps => {}
        }
    }

    fn step(&mut self, step: Step, task: &mut Task) -> Flow {
        match step {
            Step::Moment(subject, moment) => {
                let triggers = self.index.find(subject, &moment);
                let steps: Vec<Step> = triggers.iter().map(|id| Step::Fire(*id, subject)).collect();
                task.push(steps);
            }
            Step::Fire(trigger, subject) => self.run_trigger(trigger, subject, task),
            Step::Act(action, subject) => return self.act(action, subject, task),
            Step::Enqueue(group, addition) => self.enqueue(group, addition, task),
            Step::Keep(pair, command) => self.keep(pair, command, task),
            Step::Insert(group, addition) => self.insert(group, addition, task),
            Step::Transmit(pair) => self.transmit(pair, task),
            Step::Retransmit => self.retransmit(task),
            Step::GiveUp(pair) => self.give_up(pair, task),
            Step::Assign(assignment) => self.assign(assignment, task),
            Step::Endpoint(parameter) => self.apply_endpoint(parameter),
            Step::Save(parameter) => {
                let value = self.values.get(parameter).clone();
                self.emit(Effect::Save(parameter, value));
            }
            Step::Setter(parameter) => self.run_setter(parameter, task),
            Step::Hook(parameter, kind) => {
                if self.ask_for_code(parameter, kind) {
                    return Flow::Code(parameter);
                }
            }
            Step::Tell(parameter) => {
                let value = self.values.get(parameter).clone();
                self.emit(Effect::Changed(parameter, value));
            }
            Step::Try(place) => self.try_candidate(place, task),
            Step::Settle(place) => self.settle(place, task),
            Step::Remember(response) => self.remember(response, task),
            Step::Answer(response) => self.answer(response, task),
        }
        Flow::On
    }

    /// Says whether a condition lets something run; none always does.
    pub(super) fn admits(&self, condition: Option<&Condition>) -> bool {
        condition.is_none_or(|condition| condition.holds(|id| self.values.get(id)))
    }

    fn run_trigger(&self, id: TriggerId, subject: Subject, task: &mut Task) {
        let Some(trigger) = self.plan.triggers.get(id) else {
            return;
        };
        let content = if self.admits(trigger.condition.as_ref()) {
            &trigger.content
        } else {
            &trigger.otherwise
        };
        match content {
            TriggerContent::Actions(actions) => {
                let steps: Vec<Step> = actions.iter().map(|id| Step::Act(*id, subject)).collect();
                task.push_deeper(steps);
            }
            TriggerContent::Triggers(triggers) => {
                let steps: Vec<Step> = triggers.iter().map(|id| Step::Fire(*id, subject)).collect();
                task.push_deeper(steps);
            }
        }
    }

    fn act(&mut self, id: ActionId, subject: Subject, task: &mut Task) -> Flow {
        let plan = Arc::clone(&self.plan);
        let Some(action) = plan.actions.get(id) else {
            return Flow::On;
        };
        if !self.admits(action.condition.as_ref()) {
            return Flow::On;
        }
        match &action.kind {
            ActionKind::Make(command) => self.make_for(*command, subject, Counting::Empty),
            ActionKind::MakeWithLength(command) => {
                self.make_for(*command, subject, Counting::All);
            }
            ActionKind::CheckLength(response) => {
                if let Some(response) = response.or_else(|| response_of(subject)) {
                    self.check_length(response, task);
                }
            }
            ActionKind::Read(response) => {
                if let Some(response) = response.or_else(|| response_of(subject)) {
                    self.read(response, task);
                }
            }
            ActionKind::ClearResponse(response) => {
                if let Some(response) = response.or_else(|| response_of(subject)) {
                    self.forget(response);
                }
            }
            ActionKind::Queue(groups, verb) => {
                let addition = Addition::Verb(*verb);
                let mut steps: Vec<Step> = groups
                    .iter()
                    .map(|id| Step::Enqueue(*id, addition))
                    .collect();
                if super::queue::is_front(*verb) {
                    // Each goes to the front: the first one named has to come last.
                    steps.reverse();
                }
                task.push_deeper(steps);
            }
            ActionKind::Parameter(parameter, verb) => {
                if let Some(parameter) = parameter.or_else(|| parameter_of(subject)) {
                    self.change_parameter(parameter, verb, task);
                }
            }
            ActionKind::PairTimeout(pair, source) => {
                if let Some(pair) = pair.or_else(|| pair_of(subject)) {
                    self.set_pair_timeout(pair, source);
                }
            }
            ActionKind::ItemPause(places, source) => self.set_pauses(places, source, subject),
            ActionKind::OpenLink(link) => self.open_links(*link),
            ActionKind::CloseLink(link) => self.close_links(*link),
            ActionKind::Sleep(pause) => return Flow::Sleep((*pause).max(SLEEP_MIN)),
            ActionKind::StopGroup => self.stop_group(),
            ActionKind::Timer(timer, verb) => {
                if let Some(timer) = timer.or_else(|| timer_of(subject)) {
                    self.change_timer(timer, *verb);
                }
            }
            ActionKind::Fire(triggers) => {
                let steps: Vec<Step> = triggers.iter().map(|id| Step::Fire(*id, subject)).collect();
                task.push_deeper(steps);
            }
        }
        Flow::On
    }

    fn make_for(&mut self, command: Option<CommandId>, subject: Subject, counting: Counting) {
        let plan = Arc::clone(&self.plan);
        let pair = pair_of(subject).and_then(|id| plan.pairs.get(id));
        let about = command_of(subject).or_else(|| pair.map(|pair| pair.command));
        if let Some(id) = command.or(about)
            && let Some(command) = plan.commands.get(id)
        {
            self.make(id, command, counting);
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "checked to be in range"
    )]
    fn set_pair_timeout(&mut self, pair: PairId, source: &Source) {
        let milliseconds = self.number_of(source);
        let milliseconds = milliseconds.filter(|number| (1.0..=1e9).contains(number));
        match milliseconds {
            Some(number) => {
                self.pair_timeouts
                    .insert(pair, Duration::from_millis(number as u64));
            }
            None => self.counters.refused += 1,
        }
    }

    fn open_links(&mut self, link: Option<LinkId>) {
        for link in self.named_links(link) {
            self.open_link(link);
        }
    }

    fn close_links(&mut self, link: Option<LinkId>) {
        for link in self.named_links(link) {
            self.close_link(link);
        }
    }

    fn named_links(&self, link: Option<LinkId>) -> Vec<LinkId> {
        match link {
            Some(link) => vec![link],
            None => self.links.keys().copied().collect(),
        }
    }
}

fn command_of(subject: Subject) -> Option<CommandId> {
    if let Subject::Command(Some(id)) = subject {
        Some(CommandId(id))
    } else {
        None
    }
}

fn response_of(subject: Subject) -> Option<ResponseId> {
    if let Subject::Response(Some(id)) = subject {
        Some(ResponseId(id))
    } else {
        None
    }
}

fn parameter_of(subject: Subject) -> Option<ParameterId> {
    if let Subject::Parameter(Some(id)) = subject {
        Some(ParameterId(id))
    } else {
        None
    }
}

fn pair_of(subject: Subject) -> Option<PairId> {
    if let Subject::Pair(Some(id)) = subject {
        Some(PairId(id))
    } else {
        None
    }
}

fn timer_of(subject: Subject) -> Option<TimerId> {
    if let Subject::Timer(Some(id)) = subject {
        Some(TimerId(id))
    } else {
        None
    }
}

/// The shortest sleep.
pub const SLEEP_MIN: Duration = Duration::from_millis(15);

//! One element: its values, its queue and the rules of the format, without sockets and clocks.
//!
//! Time and what arrived go in; [`Effect`]s come out. After each call that goes in, take every
//! effect before the next one: their order is the order in which the format has things happen.
//!
//! Code is part of that order: what is left to do behind an [`Effect::Hook`] is done when the next
//! effect is asked for. So run the code at once, and let it set values and fire triggers, before
//! asking: what it does has its effects first. Code that cannot run at once may run later; then
//! the rest does not wait for it.

mod act;
mod attempt;
mod change;
mod compose;
mod convert;
mod counters;
mod display;
mod drive;
mod effect;
mod error;
mod exchange;
mod group;
mod health;
mod index;
mod links;
mod loss;
mod matcher;
mod person;
mod queue;
mod reading;
mod task;
mod timers;
mod value;
mod values;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;

pub use act::SLEEP_MIN;
pub use compose::COMMAND_BYTES_MAX;
pub use counters::Counters;
pub use display::AlarmLevel;
pub use drive::SLEEPS_MAX;
pub use effect::{Answer, Attempt, Effect, HeaderList, Level, ProxyUse};
pub use error::{AttemptError, SetError};
pub use exchange::{
    ERROR_LINK_CLOSED, ERROR_NOT_UTF8, REPLY_TIMEOUT_DEFAULT, REPLY_TIMEOUT_MAX, REPLY_TIMEOUT_MIN,
    RETRIES_DEFAULT,
};
pub use health::ELEMENT_TIMEOUT_DEFAULT;
pub use links::LinkPhase;
pub use loss::{Loss, LossClass};
pub use matcher::VALUE_BYTES_MAX;
pub use queue::{QUEUE_BYTES_MAX, QUEUE_GROUPS_MAX};
pub use task::{TASK_STEPS_MAX, TRIGGER_DEPTH_MAX};
pub use timers::{TIMER_PERIOD_MAX, TIMER_PERIOD_MIN};
pub use value::Value;

use crate::{
    element::ElementSettings,
    plan::{
        CommandId, GroupId, HookId, LinkId, MessageKind, Moment, PairId, ParameterId,
        ParameterKind, Plan, ResponseId, Subject, TimerId, TriggerId,
    },
};
use exchange::Exchange;
use group::Run;
use health::SlowPolling;
use index::TriggerIndex;
use links::LinkState;
use queue::{Entry, Queue};
use task::{Step, Suspended, Task};
use timers::TimerState;
use values::Values;

/// One element at work.
///
/// Call [`start`](Self::start) first. Then tell it what happens by the `handle_*` methods and what
/// code and people set; after each call take the effects by [`poll_effect`](Self::poll_effect)
/// until there are none, and ask [`poll_timeout`](Self::poll_timeout) when to call
/// [`handle_timeout`](Self::handle_timeout). Times never go back.
#[derive(Debug)]
pub struct Machine {
    plan: Arc<Plan>,
    settings: Arc<ElementSettings>,
    index: TriggerIndex,
    /// The read parameter each setter copies to.
    setters: BTreeMap<ParameterId, ParameterId>,
    /// The first piece of code on each parameter.
    hooks: BTreeMap<ParameterId, HookId>,
    /// The time of the latest call.
    now: Option<Instant>,
    is_started: bool,
    seed: u64,
    values: Values,
    links: BTreeMap<LinkId, LinkState>,
    /// The half of a redundant pair the element moved to.
    active: Option<LinkId>,
    /// What each response had last.
    memory: BTreeMap<ResponseId, Bytes>,
    /// What each command was made to.
    made: BTreeMap<CommandId, Bytes>,
    pair_timeouts: BTreeMap<PairId, Duration>,
    /// Pauses behind items of groups that actions set.
    item_pauses: BTreeMap<(GroupId, usize), Duration>,
    queue: Queue,
    is_queue_full: bool,
    /// Groups that were forced while another one ran.
    forced: VecDeque<Entry>,
    run: Option<Run>,
    forced_run: Option<Run>,
    exchange: Option<Exchange>,
    /// Until when the queue rests: a pause of a timer, or of a queue that never ends.
    rest_until: Option<Instant>,
    /// Tasks that sleep; the queue waits for them.
    parked: Vec<(Instant, Task)>,
    /// Tasks that wait for code, each for that which the ones above it come from.
    suspended: Vec<Suspended>,
    /// How many steps the queue may still take at this moment.
    turns: u32,
    timers: BTreeMap<TimerId, TimerState>,
    level: Level,
    slow: SlowPolling,
    counters: Counters,
    effects: VecDeque<Effect>,
}

impl Machine {
    /// Makes an element of a plan. Saved values win over those of the settings, which win over
    /// defaults. The seed decides random starts of timers.
    pub fn new(
        plan: Arc<Plan>,
        settings: Arc<ElementSettings>,
        saved: impl IntoIterator<Item = (ParameterId, Value)>,
        seed: u64,
    ) -> Self {
        let (values, refused) = Values::at_start(&plan, &settings, saved);
        let links = plan.links.iter().map(|(id, _)| (id, LinkState::new()));
        let mut machine = Self {
            index: TriggerIndex::of(&plan),
            setters: setters_of(&plan),
            hooks: hooks_of(&plan),
            now: None,
            is_started: false,
            seed,
            values,
            links: links.collect(),
            active: None,
            memory: BTreeMap::new(),
            made: BTreeMap::new(),
            pair_timeouts: BTreeMap::new(),
            item_pauses: BTreeMap::new(),
            queue: Queue::default(),
            is_queue_full: false,
            forced: VecDeque::new(),
            run: None,
            forced_run: None,
            exchange: None,
            rest_until: None,
            parked: Vec::new(),
            suspended: Vec::new(),
            turns: drive::TURNS_MAX,
            timers: BTreeMap::new(),
            level: Level::Unknown,
            slow: SlowPolling::default(),
            counters: Counters::default(),
            effects: VecDeque::new(),
            plan,
            settings,
        };
        for parameter in refused {
            machine.counters.refused += 1;
            machine.notice(format!(
                "the first value of {parameter} is not what its type lets in"
            ));
        }
        machine.fill_address_parameters();
        machine
    }

    /// Starts the element: tells its first values, asks for its links, fires the triggers on
    /// startup and lets its timers run.
    pub fn start(&mut self, now: Instant) {
        self.arrive(now);
        if std::mem::replace(&mut self.is_started, true) {
            return;
        }
        let plan = Arc::clone(&self.plan);
        for (id, _) in plan.parameters.iter() {
            let value = self.values.get(id).clone();
            if value != Value::Empty {
                self.emit(Effect::Changed(id, value));
            }
        }
        self.open_first();
        self.run(Task::new([Step::Moment(
            Subject::Protocol,
            Moment::AfterStartup,
        )]));
        self.start_timers();
        self.fire_timers();
        self.drive();
    }

    /// Takes in that a link opened, with the answer of its server.
    pub fn handle_opened(&mut self, link: LinkId, answer: &Answer, now: Instant) {
        self.arrive(now);
        let task = self.link_opened(link, answer);
        self.run(task);
        self.drive();
    }

    /// Takes in that an attempt failed or was refused.
    pub fn handle_failed(
        &mut self,
        link: LinkId,
        loss: &Loss,
        answer: Option<&Answer>,
        now: Instant,
    ) {
        self.arrive(now);
        let task = self.link_failed(link, loss, answer);
        self.run(task);
        self.drive();
    }

    /// Takes in that a link that was open is closed.
    pub fn handle_closed(&mut self, link: LinkId, loss: &Loss, now: Instant) {
        self.arrive(now);
        let task = self.link_closed(link, loss);
        self.run(task);
        self.drive();
    }

    /// Takes in a message, complete.
    pub fn handle_message(
        &mut self,
        link: LinkId,
        kind: MessageKind,
        payload: Bytes,
        now: Instant,
    ) {
        self.arrive(now);
        if !self.links.contains_key(&link) {
            return;
        }
        self.hear(link);
        let task = self.receive(link, kind, payload);
        self.run(task);
        self.drive();
    }

    /// Sets a value as code does: always a change.
    ///
    /// # Errors
    /// [`SetError`] if there is no such parameter or its type does not let the value in; then
    /// nothing changes.
    pub fn set_by_code(
        &mut self,
        parameter: ParameterId,
        value: Value,
        now: Instant,
    ) -> Result<(), SetError> {
        if !self.plan.parameters.contains(parameter) {
            return Err(SetError::NoParameter(parameter));
        }
        let value = self.fitting(parameter, value);
        let value = value.ok_or(SetError::Forbidden(parameter))?;
        self.call(now);
        self.run(person::assign_by_code(parameter, value));
        self.drive();
        Ok(())
    }

    /// Sets a write parameter as people do, by a label or a value: always a change. A button is
    /// pressed by its label or its value.
    ///
    /// # Errors
    /// [`SetError`] says why it was not set; then nothing changes.
    pub fn set_by_person(
        &mut self,
        parameter: ParameterId,
        text: &str,
        now: Instant,
    ) -> Result<(), SetError> {
        let task = self.read_set(parameter, text)?;
        self.call(now);
        self.run(task);
        self.drive();
        Ok(())
    }

    /// Fires a trigger, as code does (`CheckTrigger`). Its condition counts.
    ///
    /// # Errors
    /// [`SetError::NoTrigger`] if there is none.
    pub fn fire(&mut self, trigger: TriggerId, now: Instant) -> Result<(), SetError> {
        if !self.plan.triggers.contains(trigger) {
            return Err(SetError::NoTrigger(trigger));
        }
        self.call(now);
        self.run(Task::new([Step::Fire(trigger, Subject::Protocol)]));
        self.drive();
        Ok(())
    }

    /// Closes a link if it is open and asks for it anew.
    pub fn reconnect(&mut self, link: LinkId, now: Instant) {
        self.arrive(now);
        self.reopen_link(link);
        self.drive();
    }

    /// Does what is due: call it when the time of [`poll_timeout`](Self::poll_timeout) has come.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.arrive(now);
        self.wake();
        if let Some(task) = self.expire_exchange() {
            self.run(task);
        }
        if self.is_started {
            self.fire_timers();
        }
        self.drive();
    }

    /// Gives what to do next, until there is nothing. Code that ran in between counts as done.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        loop {
            let effect = self.effects.pop_front();
            if let Some(Effect::Hook { parameter, .. }) = &effect {
                self.note_running(*parameter);
            }
            if effect.is_some() || !self.resume() {
                return effect;
            }
        }
    }

    /// Gives when something is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let sleeps = self.parked.iter().map(|(until, _)| *until);
        let reply = self
            .exchange
            .as_ref()
            .and_then(|exchange| exchange.deadline);
        sleeps
            .chain(reply)
            .chain(self.rest_until)
            .chain(self.timers_due())
            .chain(self.health_due())
            .min()
    }

    /// Gives the plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Gives the value of a parameter; empty if there is no such parameter.
    pub fn value(&self, parameter: ParameterId) -> &Value {
        self.values.get(parameter)
    }

    /// Gives what went wrong so far, counted.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    fn now(&self) -> Instant {
        self.now.expect("every call that goes in brings the time")
    }

    fn emit(&mut self, effect: Effect) {
        if self.effects.len() >= EFFECTS_MAX {
            self.counters.effects_dropped += 1;
        } else {
            self.effects.push_back(effect);
        }
    }

    fn notice(&mut self, text: String) {
        self.emit(Effect::Notice(text));
    }
}

fn setters_of(plan: &Plan) -> BTreeMap<ParameterId, ParameterId> {
    let mut readers = BTreeMap::new();
    for (id, parameter) in plan.parameters.iter() {
        if parameter.kind == ParameterKind::Read {
            readers.entry(parameter.name.as_str()).or_insert(id);
        }
    }
    let setters = plan
        .parameters
        .iter()
        .filter(|(_, parameter)| parameter.setter);
    setters
        .filter_map(|(id, parameter)| Some((id, *readers.get(parameter.name.as_str())?)))
        .filter(|(from, to)| from != to)
        .collect()
}

fn hooks_of(plan: &Plan) -> BTreeMap<ParameterId, HookId> {
    let mut hooks = BTreeMap::new();
    for (id, hook) in plan.hooks.iter() {
        for parameter in &hook.triggers {
            hooks.entry(*parameter).or_insert(id);
        }
    }
    hooks
}

/// How many effects wait for the runner at most: more than one call makes, unless the runner does
/// not take them.
pub const EFFECTS_MAX: usize = 1 << 18;

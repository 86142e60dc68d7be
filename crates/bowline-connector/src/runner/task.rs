//! The task that owns an element.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use bowline::{CloseCode, managed::ClientEvent};
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{self, sleep_until},
};

use super::{
    ElementError, ElementEvent, LinkState, Snapshot,
    command::{Command, Deed},
    dialer::Ask,
    keeper::{Keeper, Wires},
    loss,
    snapshot::{LinkStatus, ParameterStatus},
    stream_view::StreamView,
    tape::Tape,
    watch::Watchers,
};
use crate::{
    ElementSettings, Plan,
    hooks::Hooks,
    machine::{Loss, Machine},
    plan::{LinkId, ParameterId},
    record::{Input, Output},
    store::ElementStore,
};

/// What a task is made of.
pub(super) struct Parts {
    pub(super) plan: Arc<Plan>,
    pub(super) settings: Arc<ElementSettings>,
    pub(super) machine: Machine,
    pub(super) keepers: BTreeMap<LinkId, Keeper>,
    pub(super) store: Option<ElementStore>,
    pub(super) hooks: Hooks,
    pub(super) watchers: Arc<Watchers>,
    pub(super) view: StreamView,
    pub(super) tape: Tape,
    pub(super) commands: mpsc::Receiver<Command>,
}

/// Owns one element. It answers one call after the other, and carries everything out that follows
/// from one before it takes the next.
pub(super) struct ElementTask {
    pub(super) parts: Parts,
    pub(super) wires: Wires,
    asks: mpsc::Receiver<Ask>,
    events: mpsc::Receiver<(LinkId, ClientEvent)>,
    /// What hooks complained of last, by parameter and place, so that it is said once.
    pub(super) complaints: BTreeMap<(ParameterId, usize), String>,
    /// Why values could not be saved, while a command is obeyed.
    pub(super) save_error: Option<String>,
    /// Whether the links are closed for good.
    pub(super) is_stopping: bool,
}

impl ElementTask {
    pub(super) fn new(parts: Parts) -> Self {
        let (asks, asks_of_links) = mpsc::channel(ASKS_MAX);
        let (events, events_of_links) = mpsc::channel(EVENTS_MAX);
        Self {
            parts,
            wires: Wires { asks, events },
            asks: asks_of_links,
            events: events_of_links,
            complaints: BTreeMap::new(),
            save_error: None,
            is_stopping: false,
        }
    }

    /// Runs until it is told to end, or nobody can tell it any more.
    pub(super) async fn run(mut self) {
        // Also when the runtime ends the task, or a hook panics.
        let ending = Ending(Arc::clone(&self.parts.watchers));
        self.report_code();
        self.parts.machine.start(now());
        self.settle().await;
        while self.step().await {}
        self.stop().await;
        self.parts.tape.take(|| Input::End);
        drop(ending);
    }

    /// Waits for one thing to happen, and deals with it; false once the element is to end.
    async fn step(&mut self) -> bool {
        let due = self.parts.machine.poll_timeout();
        tokio::select! {
            command = self.parts.commands.recv() => match command {
                Some(Command::Stop) | None => return false,
                Some(command) => self.obey(command).await,
            },
            Some(ask) = self.asks.recv() => self.answer(ask),
            Some((link, event)) = self.events.recv() => self.take_event(link, event).await,
            () = until(due) => {
                self.parts.tape.take(|| Input::Tick);
                self.parts.machine.handle_timeout(now());
                self.settle().await;
            }
        }
        true
    }

    async fn obey(&mut self, command: Command) {
        match command {
            Command::Do(deed, reply) => {
                self.save_error = None;
                let done = self.act(deed);
                self.settle().await;
                let unsaved = self.save_error.take().map(ElementError::NotSaved);
                let done = done.and_then(|()| unsaved.map_or(Ok(()), Err));
                // Whoever asked may be gone.
                drop(reply.send(done));
            }
            Command::Snapshot(reply) => drop(reply.send(self.snapshot())),
            Command::Messages(reply) => drop(reply.send(self.parts.view.messages())),
            Command::Stop => {}
        }
    }

    fn act(&mut self, deed: Deed) -> Result<(), ElementError> {
        self.parts.tape.take(|| deed.as_input());
        let machine = &mut self.parts.machine;
        match deed {
            Deed::Set(parameter, text) => machine.set_by_person(parameter, &text, now())?,
            Deed::Assign(parameter, value) => machine.set_by_code(parameter, value, now())?,
            Deed::Fire(trigger) => machine.fire(trigger, now())?,
            Deed::Reconnect(link) => machine.reconnect(link, now()),
        }
        Ok(())
    }

    fn answer(&mut self, ask: Ask) {
        self.parts.tape.take(|| Input::Attempt(ask.link));
        let attempt = self.parts.machine.attempt(ask.link);
        let attempted = || Output::Attempt(ask.link, attempt.clone());
        self.parts.tape.give(attempted);
        if let (Ok(attempt), Some(keeper)) = (&attempt, self.parts.keepers.get_mut(&ask.link)) {
            let endpoint = bowline::Endpoint::parse(&attempt.url);
            keeper.endpoint = endpoint.ok().map(|endpoint| format!("{endpoint:?}"));
        }
        // The attempt may have been given up.
        drop(ask.reply.send(attempt));
    }

    async fn take_event(&mut self, link: LinkId, event: ClientEvent) {
        let before = self.parts.keepers.get(&link).map(|keeper| keeper.state);
        if let Some(keeper) = self.parts.keepers.get_mut(&link) {
            keeper.note(&event);
        }
        if !matches!(event, ClientEvent::LinkClosed(_) | ClientEvent::Failed(_)) {
            self.publish_state(link, before);
        }
        match event {
            ClientEvent::Open(info) => {
                let answer = info.response.as_ref();
                let answer = answer.map(|response| loss::answer_of(response, bytes::Bytes::new()));
                let answer = answer.unwrap_or_default();
                let opened = || Input::Opened {
                    link,
                    answer: answer.clone(),
                };
                self.parts.tape.take(opened);
                self.parts.machine.handle_opened(link, &answer, now());
            }
            ClientEvent::Message(message) => self.take_message(link, message),
            ClientEvent::LinkClosed(ending) => {
                let lost = loss::of_ending(&ending);
                let closed = || Input::Closed {
                    link,
                    loss: lost.clone(),
                };
                self.parts.tape.take(closed);
                self.note_loss(link, &lost, true);
                self.publish_state(link, before);
                self.parts.machine.handle_closed(link, &lost, now());
            }
            ClientEvent::Failed(failure) => {
                let (lost, answer) = loss::of_failure(&failure);
                let failed = || Input::Failed {
                    link,
                    loss: lost.clone(),
                    answer: answer.clone(),
                };
                self.parts.tape.take(failed);
                self.note_loss(link, &lost, false);
                self.publish_state(link, before);
                let machine = &mut self.parts.machine;
                machine.handle_failed(link, &lost, answer.as_ref(), now());
            }
            ClientEvent::Waiting { .. } => {}
        }
        self.settle().await;
    }

    fn snapshot(&self) -> Snapshot {
        let Parts {
            plan,
            settings,
            machine,
            keepers,
            ..
        } = &self.parts;
        let parameters = plan.parameters.iter();
        let parameters =
            parameters.map(|(id, parameter)| ParameterStatus::of(id, parameter, machine));
        let links = plan.links.iter();
        let links = links.filter_map(|(id, _)| Some(LinkStatus::of(id, keepers.get(&id)?)));
        Snapshot {
            name: settings.name.clone(),
            id: settings.id,
            health: machine.health(),
            counters: machine.counters(),
            parameters: parameters.collect(),
            links: links.collect(),
        }
    }

    /// Closes the links gracefully; what they still say is dealt with.
    async fn stop(&mut self) {
        self.is_stopping = true;
        let mut closing = JoinSet::new();
        for keeper in self.parts.keepers.values() {
            if let Some(client) = keeper.client() {
                closing.spawn(async move { client.close(CloseCode::NORMAL, "").await });
            }
        }
        while !closing.is_empty() {
            tokio::select! {
                Some((link, event)) = self.events.recv() => self.take_event(link, event).await,
                _closed = closing.join_next() => {}
            }
        }
        // What links say last may be on its way still.
        while self.has_open_links()
            && let Ok(Some((link, event))) = time::timeout(LAST_WORDS, self.events.recv()).await
        {
            self.take_event(link, event).await;
        }
        while let Ok((link, event)) = self.events.try_recv() {
            self.take_event(link, event).await;
        }
    }

    fn has_open_links(&self) -> bool {
        let mut keepers = self.parts.keepers.values();
        keepers.any(|keeper| keeper.state == LinkState::Open)
    }

    /// Keeps how a link was lost, and tells it if it is news.
    fn note_loss(&mut self, link: LinkId, loss: &Loss, was_open: bool) {
        let Some(keeper) = self.parts.keepers.get_mut(&link) else {
            return;
        };
        let before = keeper.last_loss.replace(loss.clone());
        if was_open || before.as_ref() != Some(loss) {
            let at = SystemTime::now();
            let loss = loss.clone();
            self.publish(&ElementEvent::LinkLost {
                at,
                link,
                was_open,
                loss,
            });
        }
    }

    pub(super) fn publish(&self, event: &ElementEvent) {
        self.parts.watchers.publish(event);
    }
}

/// Tells those who watch that nothing more will happen.
struct Ending(Arc<Watchers>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// Gives the time by tokio's clock, which tests can stop.
pub(super) fn now() -> Instant {
    time::Instant::now().into_std()
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}

/// A closed link tells that it is closed at once, on a busy computer too.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// Links wait for their answer, so each has one at most.
const ASKS_MAX: usize = 16;
/// Messages wait in the queues of the links, which are bounded in bytes.
const EVENTS_MAX: usize = 1;

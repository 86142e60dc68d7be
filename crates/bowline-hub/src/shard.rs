//! The task of a worker where its sessions meet.

use std::sync::Arc;

use bowline_bus::{
    Bus, BusError, Publication, PublishOptions, Retain, Retention, SessionId, Storage, TopicFilter,
    dialect::clown_talk::Window,
};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tracing::{debug, info};

use crate::{
    command::{Command, Joined, Newcomer, Order, Presence, Retained},
    config::Limits,
    exchange::{Batch, Entry, Seat},
    fan_out::FanOut,
    members::{Members, Sink, Talk},
    outbox::{Outbox, outbox},
    participant::Inbox,
};

/// Owns one worker's copy of the bus: the sessions of its connections, and all retained values.
///
/// What its sessions publish goes to the exchange, and every shard carries out what comes from
/// there. Everything else concerns the shard alone, and is done in its turn.
#[derive(Debug)]
pub(crate) struct Shard {
    bus: Bus,
    limits: Limits,
    /// Sees every topic.
    everything: Window,
    members: Members,
    /// For sessions of the program.
    places: Arc<Semaphore>,
    seat: Seat,
    /// Grows whenever a retained value changes.
    revision: u64,
}

impl Shard {
    /// Begins with the values retained by an earlier run.
    pub(crate) fn new(
        limits: Limits,
        retained: &[Publication],
        seat: Seat,
        places: Arc<Semaphore>,
    ) -> Self {
        let mut bus = Bus::new(limits.bus);
        for publication in retained {
            let options = PublishOptions {
                retain: Retain::Keep,
                storage: Storage::Shared,
                ..PublishOptions::default()
            };
            let kept = bus
                .publish(publication.clone(), options)
                .is_ok_and(|delivery| delivery.retention == Retention::Kept);
            if !kept {
                let topic = &publication.topic;
                info!(%topic, "a stored value exceeds the limits and is not restored");
            }
        }
        Self {
            bus,
            limits,
            everything: Window::new("", &limits.bus.topic)
                .expect("the filter # is within any limits"),
            members: Members::default(),
            places,
            seat,
            revision: 0,
        }
    }

    /// Works until nobody can send commands any more and no worker publishes, then gives the
    /// retained values.
    pub(crate) async fn run(mut self, mut commands: mpsc::Receiver<Command>) -> Retained {
        let mut turn = Vec::new();
        let mut is_open = true;
        loop {
            tokio::select! {
                received = commands.recv_many(&mut turn, COMMANDS_PER_TURN), if is_open => {
                    is_open = received > 0;
                    if !is_open {
                        self.seat.finish();
                    }
                    self.carry_out_all(&mut turn).await;
                }
                arrived = self.seat.arrived() => match arrived {
                    Some(batches) => self.apply(batches).await,
                    None => break,
                },
            }
        }
        let counters = self.bus.counters();
        info!(
            published = counters.published,
            delivered = counters.delivered,
            dropped = counters.dropped,
            refused = counters.refused,
            "the bus stopped"
        );
        self.retained()
    }

    /// Carries out commands in their order; what is published in a row goes to the exchange
    /// together.
    async fn carry_out_all(&mut self, commands: &mut Vec<Command>) {
        let mut batch = Batch::default();
        for command in commands.drain(..) {
            match command {
                Command::Publish(entry) => {
                    if self.is_too_long(&entry.publication) {
                        continue;
                    }
                    batch.push(entry);
                    if batch.is_full() {
                        self.publish(std::mem::take(&mut batch)).await;
                    }
                }
                Command::Do(order) => {
                    self.publish(std::mem::take(&mut batch)).await;
                    // Whoever knows of a publication finds it here, wherever it was published.
                    self.apply(self.seat.take()).await;
                    self.carry_out(order);
                }
            }
        }
        self.publish(batch).await;
    }

    fn carry_out(&mut self, order: Order) {
        match order {
            Order::Join { newcomer, joined } => {
                let answer = joined.send(self.join(*newcomer));
                if let Err(Ok(Joined { session, .. })) = answer {
                    self.leave(session);
                }
            }
            Order::Hear {
                filter,
                inbox,
                joined,
            } => {
                let heard = self.hear(filter, inbox);
                if let Err(Ok(session)) = joined.send(heard) {
                    self.leave(session);
                }
            }
            Order::Listen { session, behind } => self.answer_listen(session, behind),
            Order::Leave { session } => self.leave(session),
            Order::Save { revision, saved } => {
                let changed = (revision != self.revision).then(|| self.retained());
                drop(saved.send(changed));
            }
        }
    }

    fn join(&mut self, newcomer: Newcomer) -> Result<Joined, BusError> {
        let session = self.bus.attach()?;
        let talk = Box::new(Talk {
            window: newcomer.window,
            connection: newcomer.connection,
            behind: None,
        });
        self.members.add(session, Sink::Talk(talk), newcomer.place);
        let behind = match newcomer.presence {
            Presence::Listening => self.listen(session),
            Presence::Silent => None,
        };
        Ok(Joined { session, behind })
    }

    fn hear(&mut self, filter: TopicFilter, inbox: Inbox) -> Result<SessionId, BusError> {
        let max = self.limits.bus.sessions_max;
        let place = Arc::clone(&self.places)
            .try_acquire_owned()
            .map_err(|_| BusError::SessionsFull { max })?;
        for (topic, payload) in self.bus.retained(&filter) {
            let (topic, payload) = (topic.clone(), payload.clone());
            // One that is gone already is noticed when its answer cannot be given.
            drop(inbox.push(Publication { topic, payload }));
        }
        let session = self.bus.attach()?;
        self.members.add(session, Sink::Local(inbox), place);
        if let Err(error) = self.bus.subscribe(session, filter) {
            self.leave(session);
            return Err(error);
        }
        Ok(session)
    }

    fn answer_listen(&mut self, session: SessionId, answer: oneshot::Sender<Option<Outbox>>) {
        // An outbox that nobody takes is found gone at the first publication.
        drop(answer.send(self.listen(session)));
    }

    /// Subscribes a session, and queues what it has to be told first, if anything.
    fn listen(&mut self, session: SessionId) -> Option<Outbox> {
        let talk = self.members.talk_mut(session)?;
        let filter = talk.window.filter();
        match self.bus.subscribe(session, filter.clone()) {
            Ok(true) => {
                let values: Vec<_> = self
                    .bus
                    .retained(filter)
                    .map(|(topic, payload)| (topic.clone(), payload.clone()))
                    .collect();
                if values.is_empty() {
                    return None;
                }
                let (sender, behind) = outbox(&self.limits, values);
                talk.behind = Some(sender);
                Some(behind)
            }
            Ok(false) => None,
            Err(error) => {
                debug!(session = session.as_u64(), %error, "not subscribed");
                None
            }
        }
    }

    fn is_too_long(&self, publication: &Publication) -> bool {
        let (size, max) = (publication.payload.len(), self.limits.bus.payload_size_max);
        if size > max {
            debug!(topic = %publication.topic, size, max, "too long to be published");
        }
        size > max
    }

    /// Hands a batch to the exchange, once every worker has room, and carries out what comes back.
    async fn publish(&mut self, batch: Batch) {
        if batch.entries.is_empty() {
            return;
        }
        while !self.seat.has_room() {
            // Others may wait for this worker meanwhile.
            let arrived = tokio::select! {
                () = self.seat.room() => None,
                arrived = self.seat.arrived() => arrived,
            };
            self.apply(arrived.unwrap_or_default()).await;
        }
        let batches = self.seat.publish(batch);
        self.apply(batches).await;
    }

    /// Carries out what the exchange gave; what it means for one connection is written together.
    async fn apply(&mut self, batches: Vec<Arc<Batch>>) {
        let mut fan_out = FanOut::default();
        for batch in batches {
            let is_own = self.seat.is_own(&batch);
            for entry in &batch.entries {
                self.carry(entry, is_own, &mut fan_out);
                if fan_out.len() >= RECIPIENTS_PER_TURN {
                    self.deliver(std::mem::take(&mut fan_out)).await;
                }
            }
        }
        self.deliver(fan_out).await;
    }

    /// Publishes on the bus.
    fn carry(&mut self, entry: &Entry, is_own: bool, fan_out: &mut FanOut) {
        // One that left meanwhile is no publisher, but other workers carry this out as well.
        let publisher = entry
            .publisher
            .filter(|publisher| is_own && self.bus.is_attached(*publisher));
        let options = PublishOptions {
            publisher,
            retain: entry.retain,
            storage: Storage::Shared,
            ..PublishOptions::default()
        };
        let delivery = match self.bus.publish(entry.publication.clone(), options) {
            Ok(delivery) => delivery,
            Err(error) => {
                debug!(%error, "not published");
                return;
            }
        };
        match delivery.retention {
            Retention::Kept | Retention::Forgotten => self.revision += 1,
            Retention::Refused => {
                self.revision += 1;
                info!(topic = %delivery.publication.topic, "no room to retain this value");
            }
            Retention::Unchanged => {}
        }
        fan_out.add(delivery);
    }

    async fn deliver(&mut self, fan_out: FanOut) {
        let failed = self.members.deliver(fan_out).await;
        self.bus.record_dropped(failed.lost);
        for session in failed.sessions {
            self.leave(session);
        }
    }

    fn leave(&mut self, session: SessionId) {
        if self.members.remove(session)
            && let Err(error) = self.bus.detach(session)
        {
            debug!(session = session.as_u64(), %error, "not detached");
        }
    }

    fn retained(&self) -> Retained {
        let all = self.bus.retained(self.everything.filter());
        Retained {
            revision: self.revision,
            values: all
                .map(|(topic, payload)| (topic.clone(), payload.clone()))
                .collect(),
        }
    }
}

/// Commands that a shard takes in one turn at most.
const COMMANDS_PER_TURN: usize = 256;
/// Recipients that are collected before they are told something, at most; those of one publication
/// are not divided.
const RECIPIENTS_PER_TURN: usize = 1 << 16;
